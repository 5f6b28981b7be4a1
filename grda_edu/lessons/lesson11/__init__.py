"""Lesson 11, what do zeros buy: smaller? faster?"""

from .at_border import padding_trap
from .four_ways import smallest
from .live import live_timing
from .one_by_one import leaving
from .one_layer import layer_times
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .six_files import written
from .tables import files, left_over

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "files",
    "layer_times",
    "leaving",
    "left_over",
    "live_timing",
    "padding_trap",
    "smallest",
    "written",
]
