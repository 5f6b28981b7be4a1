"""What several figures share: a curve through the means of the seeds, and the names of settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, dots, palette, writing

from .numbers import SETTINGS, pairs, seeds


def curve(
    name: str,
    style: palette.Style,
    x: Sequence[float],
    hover: str,
    *,
    count: int | None = None,
    **more: Any,
) -> list[go.Scatter]:
    """A line through the means at ``x`` [T] under ``hover``'s words, and a small dot for each seed.

    count: of the seeds, if not those of the recording "theorem".
    """
    joined: dict[str, Any] = {"mode": "lines+markers", "line": style.line(), **more}
    around = np.repeat(x, count or len(seeds()))
    return [
        dots(name, style, x=x, hovertemplate=hover, **joined),
        dots(f"{name}, seeds", style, size=5, opacity=0.5, x=around, **more),
    ]


def along(name: str, values: np.ndarray) -> dict[str, object]:
    """The row of that curve, from ``values`` [T, seeds]."""
    return {f"{name}.y": values.mean(axis=1), f"{name}, seeds.y": values.ravel()}


def named(c: float, mu: float) -> str:
    """A setting in words."""
    return f"c = {c:g}, μ = {mu:g}"


def setting_choice(*, every: bool = False) -> Choice:
    """The settings (c, μ) of the text, and ``every`` one recorded behind them."""
    order = [*SETTINGS, *(pair for pair in pairs() if every and pair not in SETTINGS)]
    return Choice({named(*pair): pair for pair in order}, label="c and μ")


def cut(value: float) -> str:
    """A cut-off: 0.001 and larger as they are, smaller ones as a power of ten."""
    return f"{value:.2g}" if value >= 0.001 else writing.power(value)
