"""Lesson 04, a small CNN grows sparse: does it work on a real network?

All recorded numbers come from the recording "digits_grid"; nothing here is typed in.
"""

from .every_run import all_runs
from .inside_network import inside
from .live import beside_the_recording, live_training
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .recorded_trainings import scrub
from .tables import who_must_be_pushed, who_reaches_the_goal

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "all_runs",
    "beside_the_recording",
    "inside",
    "live_training",
    "scrub",
    "who_must_be_pushed",
    "who_reaches_the_goal",
]
