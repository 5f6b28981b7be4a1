"""Lesson 06, momentum, weight decay, schedules: what happens with the recipe everybody uses?"""

from .at_equal_c import side_by_side
from .beside_grda import recipes
from .falling_rate import two_thresholds, undone
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .through_the_buffer import one_gradient
from .your_own import live_training, threshold_of

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "live_training",
    "one_gradient",
    "recipes",
    "side_by_side",
    "threshold_of",
    "two_thresholds",
    "undone",
]
