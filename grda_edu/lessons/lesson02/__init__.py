"""Lesson 02, two spaces: where does a weight live while it is zero? (numpy only)"""

from .methods import five_methods
from .noise import why_between
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS, run_your_step
from .spaces import two_spaces

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "five_methods",
    "run_your_step",
    "two_spaces",
    "why_between",
]
