"""How lesson 10's ways are drawn: a colour for each idea, a dash and a mark for each way."""

from __future__ import annotations

import numpy as np

from grda_edu.explore import axis, writing
from grda_edu.explore.palette import DIRECTIONAL, GRDA, INK, MAGNITUDE, TARGET, Style

from .numbers import Way, name_of

_BY_NAME = {
    "random": TARGET,
    "random, magnitude's layers": TARGET._replace(dash="dot", symbol="x"),
    "magnitude": MAGNITUDE,
    "magnitude by layer": MAGNITUDE._replace(dash="dash", symbol="triangle-down"),
    "|w·g| of one batch": Style(INK, "dash", "star"),
    "directional, one jump": DIRECTIONAL._replace(dash="dot", symbol="diamond-open"),
    "directional, steps": DIRECTIONAL,
    "magnitude, gradual": MAGNITUDE._replace(dash="solid", symbol="square"),
    "magnitude, three rounds": MAGNITUDE._replace(dash="longdash", symbol="circle"),
    "gRDA": GRDA,
    "gRDA, then its mask": GRDA._replace(dash="dash", symbol="square"),
    "gRDAM": GRDA._replace(dash="dot", symbol="triangle-up"),
    "gRDA from scratch": GRDA._replace(dash="longdash", symbol="star"),
    "gradual, from scratch": MAGNITUDE._replace(dash="longdashdot", symbol="star"),
}
PARTS = {
    "gRDA": GRDA,
    "its mask, same start": GRDA._replace(dash="dash", symbol="square"),
    "its mask, another start": GRDA._replace(dash="dot", symbol="square-open"),
    "magnitude's mask, same start": MAGNITUDE,
    "random mask, its layers": TARGET,
}

WRONG = {share: f"{100 * share:g}%" for share in (1.0, 0.1, 0.03, 0.01)}
LEAST = 0.004  # shares read wrong below it are drawn there


def style_of(way: Way) -> Style:
    """How a way is drawn."""
    return _BY_NAME[name_of(way)]


def wrong(right: np.ndarray | float) -> np.ndarray:
    """Where a share of images read right is drawn: the share read wrong, no lower than the axis."""
    return np.maximum(1 - np.asarray(right, float), LEAST)


def wrong_axis(title: str, range: tuple[float, float] = (0.02, -2.44)) -> dict:
    """A logarithmic axis of images read wrong, on which better is further out."""
    return axis(title, range, log=True, ticks=WRONG, zeroline=False, tickangle=0)


def with_error(difference: tuple[float, float], digits: int = 1) -> str:
    """ "+2.1 ± 0.7": a paired difference in points with its standard error."""
    mean, error = difference
    return f"{writing.points(mean, digits)} ± {writing.decimal(100 * error, digits)}"
