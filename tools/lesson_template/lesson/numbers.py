"""Lesson __NN__'s numbers: what is computed, without a figure."""

from __future__ import annotations

import numpy as np

AT = 2.0  # where the tangent touches
X = np.linspace(-3.0, 3.0, 61)


def height(x: np.ndarray | float, a: float) -> np.ndarray | float:
    """½ a x²: the shape of ``x``."""
    return 0.5 * a * x**2


def slope(x: float, a: float) -> float:
    """The derivative of ``height``."""
    return a * x
