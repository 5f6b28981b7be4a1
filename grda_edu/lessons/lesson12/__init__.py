"""Lesson 12, at scale and on your own: and my network?"""

from .at_end import when_trained
from .at_scale import many_weights
from .beside_adamw import around_adamw
from .bits_against_zeros import reading
from .cifar_here import photographs
from .known_rows import published
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .reading_live import live_reading
from .side_by_side import two_processes
from .transfer import QUIZ
from .your_own import stand_in, your_search, your_training

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "QUIZ",
    "around_adamw",
    "live_reading",
    "many_weights",
    "photographs",
    "published",
    "reading",
    "stand_in",
    "two_processes",
    "when_trained",
    "your_search",
    "your_training",
]
