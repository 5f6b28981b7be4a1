"""Lesson 00, start here: two ways down one valley, and a network that loses its wires. (numpy only)"""

from .last_layer import wires_figure
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .valley import opening_figure

__all__ = ["EXERCISES", "OBJECTIVES", "PREDICTIONS", "opening_figure", "wires_figure"]
