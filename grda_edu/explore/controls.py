"""Sliders and drop-downs, as values: what can be chosen and how it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Format = str | Callable[[float], str]


def write(value: float, form: Format, unit: str = "") -> str:
    """``value`` as a learner reads it: ``form`` is a format specification or a function."""
    text = form(value) if callable(form) else format(value, form)
    return f"{text} {unit}".rstrip()


@dataclass(frozen=True)
class Slider:
    """A slider over an increasing grid of values.

    values: the grid, strictly increasing, at least one; label: what stands before the slider;
    unit: written after the value; format: a format specification or a function of the value;
    start: the first value shown (the nearest grid value is taken; the first by default);
    play: adds a button that walks through the grid (where the control is a time);
    seconds: how long that takes over the whole grid; thirty pictures a second look smooth.
    """

    values: Sequence[float]
    label: str = ""
    unit: str = ""
    format: Format = ".3g"
    start: float | None = None
    play: bool = False
    seconds: float = 9.0

    @classmethod
    def linear(cls, low: float, high: float, count: int, **options: object) -> Slider:
        """``count`` values from ``low`` to ``high``, evenly spaced."""
        return cls(np.linspace(low, high, count).round(12).tolist(), **options)  # type: ignore[arg-type]

    @classmethod
    def log(cls, low: float, high: float, count: int, **options: object) -> Slider:
        """``count`` values from ``low`` to ``high``, evenly spaced in the logarithm."""
        return cls(np.geomspace(low, high, count).tolist(), **options)  # type: ignore[arg-type]

    def check(self, name: str) -> None:
        """Raise ValueError, naming the control, where the grid cannot be slid over."""
        grid = np.asarray(self.values, dtype=float)
        if grid.ndim != 1 or grid.size == 0:
            raise ValueError(
                f"control {name!r}: values are empty; a slider needs at least one value"
            )
        if not np.isfinite(grid).all() or (np.diff(grid) <= 0).any():
            raise ValueError(
                f"control {name!r}: values {_short(grid)} are not strictly increasing and finite"
            )
        if not 0 < self.seconds < np.inf:
            raise ValueError(f"control {name!r}: seconds = {self.seconds!r}: accepted is > 0")

    def nearest(self, name: str, value: float) -> int:
        """Index of the grid value nearest to ``value``; ValueError outside the grid's range."""
        grid = np.asarray(self.values, dtype=float)
        slack = 1e-9 * max(1.0, float(np.abs(grid).max()))
        if not grid[0] - slack <= value <= grid[-1] + slack:
            raise ValueError(f"{name} = {value!r}: accepted is {grid[0]:g} to {grid[-1]:g}")
        return int(np.abs(grid - value).argmin())

    def read(self, name: str, text: str) -> int:
        """Index of the grid value nearest to a number as an address writes it; else ValueError."""
        try:
            return self.nearest(name, float(text))
        except ValueError:
            grid = self.values
            raise ValueError(
                f"{name} = {text!r}: accepted is a number from {grid[0]:g} to {grid[-1]:g}"
            ) from None

    def _literal(self, k: int) -> str:
        """Value ``k`` as Python writes it, without the digits that rounding left behind."""
        value, grid = float(self.values[k]), np.asarray(self.values, dtype=float)
        if value.is_integer():
            return f"{value:.0f}"
        short = (f"{value:.{digits}g}" for digits in range(1, 17))
        near = (t for t in short if abs(float(t) - value) <= 1e-6 * abs(value))
        fits = (
            t for t in near if grid[0] <= float(t) <= grid[-1] and self.nearest("", float(t)) == k
        )
        return next(fits, repr(value))

    def describe(self, name: str) -> dict:
        """What the page is told of the slider ``name``."""
        return {
            "name": name,
            "label": self.label or name,
            "play": self.play,
            "seconds": self.seconds,
            "texts": [write(value, self.format, self.unit) for value in self.values],
            "python": [self._literal(k) for k in range(len(self.values))],
        }


@dataclass(frozen=True)
class Choice:
    """A drop-down of presets: label of each option -> the value that compute receives."""

    options: Mapping[str, object]
    label: str = ""

    def check(self, name: str) -> None:
        """Raise ValueError if there is nothing to choose from."""
        if not self.options:
            raise ValueError(f"control {name!r}: options are empty; a drop-down needs at least one")

    def describe(self, name: str) -> dict:
        """What the page is told of the drop-down ``name``."""
        return {
            "name": name,
            "label": self.label or name,
            "options": list(self.options),
            "python": [json.dumps(text, ensure_ascii=False) for text in self.options],
        }


def _short(grid: np.ndarray) -> str:
    shown = ", ".join(f"{value:g}" for value in grid[:5])
    return f"[{shown}{', …' if grid.size > 5 else ''}]"
