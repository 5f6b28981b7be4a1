"""The loss around a trained network: its curvature, directional pruning, and the valley between two networks."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]  # of any shape, which the docstrings say
