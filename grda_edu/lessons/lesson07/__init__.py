"""Lesson 07, the flat valley: why do the right weights die? (numpy only)"""

from .five_ways import all_paths
from .in_space import three_weights
from .in_the_hand import valley_in_hand
from .numbers import REACHED, landing
from .own_way import grda_lands
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "REACHED",
    "all_paths",
    "grda_lands",
    "landing",
    "three_weights",
    "valley_in_hand",
]
