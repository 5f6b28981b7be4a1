"""Lesson __NN__, __TITLE__: __QUESTION__"""

from .curve import parabola
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS

__all__ = ["EXERCISES", "OBJECTIVES", "PREDICTIONS", "parabola"]
