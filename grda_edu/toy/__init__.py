"""Problems small enough to see everything, for the concept lessons. numpy only.

``quadratic``: one weight on a parabola, under five methods. ``regression``: two hundred weights,
eighty observations, ten of the weights true.
"""
