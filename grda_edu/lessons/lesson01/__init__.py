"""Lesson 01, soft-thresholding: what turns small numbers into exact zeros? (numpy only)"""

from .forty_numbers import forty_coefficients
from .numbers import coefficients
from .one_number import rule_and_objective
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "coefficients",
    "forty_coefficients",
    "rule_and_objective",
]
