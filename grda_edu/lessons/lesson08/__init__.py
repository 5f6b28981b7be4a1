"""Lesson 08, the theorem on a real CNN: is gRDA really directional pruning?

All recorded numbers come from the recording "theorem", through ``numbers``.
"""

from __future__ import annotations

from grda_edu.lessons.lesson08.cutoff_choice import cutoff_matters
from grda_edu.lessons.lesson08.eigenvalues import spectrum
from grda_edu.lessons.lesson08.live import LiveTheorem
from grda_edu.lessons.lesson08.losses import losses_at_equal_zeros
from grda_edu.lessons.lesson08.printed import table_of_evidence, use_share, worked_number
from grda_edu.lessons.lesson08.questions import EXERCISES, OBJECTIVES, PREDICTIONS
from grda_edu.lessons.lesson08.rates import falling_gamma
from grda_edu.lessons.lesson08.rungs import ladder
from grda_edu.lessons.lesson08.scatter import predicted_and_actual
from grda_edu.lessons.lesson08.steep import steep_share
from grda_edu.lessons.lesson08.weight_maps import scores_on_weights

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
    "use_share",
    "worked_number",
]
