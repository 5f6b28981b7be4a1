"""Lesson 12, at scale and on your own: and my network?"""

from .at_end import when_trained
from .at_scale import many_weights
from .beside_adamw import around_adamw
from .cifar_here import photographs
from .known_rows import published
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .side_by_side import two_processes
from .transfer import QUIZ
from .your_own import stand_in, your_search, your_training

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "QUIZ",
    "around_adamw",
    "many_weights",
    "photographs",
    "published",
    "stand_in",
    "two_processes",
    "when_trained",
    "your_search",
    "your_training",
]
