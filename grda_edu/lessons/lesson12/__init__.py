"""Lesson 12, at scale and on your own: and my network?"""

from .beside_adamw import around_adamw
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .side_by_side import two_processes
from .your_own import your_training

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "around_adamw",
    "two_processes",
    "your_training",
]
