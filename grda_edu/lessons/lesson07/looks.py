"""Lesson 07's methods: how each is drawn and called; and how points and angles are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grda_edu.explore import Slider, palette, writing
from grda_edu.toy.flat_valley import first_zero

FLOOR = palette.Style(palette.DIRECTIONAL.color, "dot", "diamond-open")
STYLES = {
    "directional": palette.DIRECTIONAL,
    "floor": FLOOR,
    "soft": palette.SOFT,
    "magnitude": palette.MAGNITUDE,
    "obs": palette.OBS,
}
NAMES = {
    "directional": "directional pruning",
    "floor": "kept on the floor",
    "soft": "soft-thresholding",
    "magnitude": "magnitude",
    "obs": "OBS",
}


PICTURES = 32  # a second, played


def lam_slider(lams: Sequence[float], start: float) -> Slider:
    """λ, which plays smoothly."""
    return Slider(
        lams,
        label="λ",
        start=start,
        format=hundredths,
        play=True,
        seconds=(len(lams) - 1) / PICTURES,
    )


def pair(values: np.ndarray) -> str:
    """ "(1.00, −0.40)"; a weight that is exactly zero is written 0."""
    return "(" + ", ".join("0" if v == 0 else writing.decimal(v) for v in values) + ")"


def degrees(angle: float) -> str:
    """ "−25°"."""
    return f"{writing.decimal(angle, 0)}°"


def tenths(value: float) -> str:
    """ "0.7", as times are written."""
    return writing.decimal(value, 1)


def hundredths(value: float) -> str:
    """ "0.70", as λ is written."""
    return writing.decimal(value)


def scores_title(w: np.ndarray, s: np.ndarray) -> str:
    """The scores, and which weight directional pruning brings to zero first."""
    j, lam = first_zero(w, s)
    dies = (
        "none reaches zero"
        if j < 0
        else f"w<sub>{j + 1}</sub> reaches zero first, at λ = {writing.decimal(lam)}"
    )
    return f"s = {pair(s)}: {dies}"


def paid(lam: float, losses: Mapping[str, float]) -> str:
    """ "Loss at λ = 0.70: OBS 0.00, magnitude 0.31.": what each method pays."""
    parts = (f"{NAMES[name]} {writing.decimal(loss)}" for name, loss in losses.items())
    return f"Loss at λ = {hundredths(lam)}: {', '.join(parts)}."
