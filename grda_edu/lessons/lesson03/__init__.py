"""Lesson 03, the knobs c and μ: what do they change? (numpy only; Lasso from scikit-learn)"""

from .changing_rate import schedule
from .lone_threshold import threshold
from .map_of_knobs import beside_lasso, knob_map
from .numbers import death_step, result, wake_step
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .two_hundred_weights import training

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "beside_lasso",
    "death_step",
    "knob_map",
    "result",
    "schedule",
    "threshold",
    "training",
    "wake_step",
]
