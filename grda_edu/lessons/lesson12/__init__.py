"""Lesson 12, at scale and on your own: and my network?"""

from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .your_own import your_training

__all__ = ["EXERCISES", "OBJECTIVES", "PREDICTIONS", "your_training"]
