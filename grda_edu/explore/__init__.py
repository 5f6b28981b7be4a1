"""Figures that are computed in Python and played in the browser."""

from . import palette
from .controls import Choice, Slider
from .training import TrainingView
from .widget import Explorable, Picture

__all__ = ["Choice", "Explorable", "Picture", "Slider", "TrainingView", "palette"]
