"""Lesson 08, the theorem on a real CNN: is gRDA really directional pruning?

Recorded numbers come from the recordings "theorem" and "equal_budget" through ``numbers``,
"finite_time" through ``finite``, and "in_steps" through ``pays``.
"""

from __future__ import annotations

from .as_time_goes import time_counts
from .cutoff_choice import cutoff_matters
from .eigenvalues import spectrum
from .live import LiveTheorem
from .pays import equal_budget, in_steps
from .printed import use_share, who_dies
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .rungs import ladder
from .scatter import scores_and_moves
from .steep import steep_share
from .weight_maps import scores_on_weights

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "LiveTheorem",
    "cutoff_matters",
    "equal_budget",
    "in_steps",
    "ladder",
    "scores_and_moves",
    "scores_on_weights",
    "spectrum",
    "steep_share",
    "time_counts",
    "use_share",
    "who_dies",
]
