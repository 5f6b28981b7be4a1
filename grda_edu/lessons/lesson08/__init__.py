"""Lesson 08, the theorem on a real CNN: is gRDA really directional pruning?

All recorded numbers come from the recording "theorem", through ``numbers``.
"""

from __future__ import annotations

from .as_time_goes import time_counts
from .cutoff_choice import cutoff_matters
from .eigenvalues import spectrum
from .live import LiveTheorem
from .losses import losses_at_equal_zeros
from .printed import table_of_evidence, use_share, worked_number
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .rates import falling_gamma
from .rungs import ladder
from .scatter import predicted_and_actual
from .steep import steep_share
from .weight_maps import scores_on_weights

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "LiveTheorem",
    "cutoff_matters",
    "falling_gamma",
    "ladder",
    "losses_at_equal_zeros",
    "predicted_and_actual",
    "scores_on_weights",
    "spectrum",
    "steep_share",
    "table_of_evidence",
    "time_counts",
    "use_share",
    "worked_number",
]
