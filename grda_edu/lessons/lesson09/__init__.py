"""Lesson 09, the same valley: did gRDA leave SGD's minimum?"""

from .bending import around
from .numbers import ends
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .straight_ahead import straight
from .tables import barriers, by_chance, how_far, steep_part, which_zeros
from .training_live import live_curve
from .worst_points import hills

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "around",
    "barriers",
    "by_chance",
    "ends",
    "hills",
    "how_far",
    "live_curve",
    "steep_part",
    "straight",
    "which_zeros",
]
