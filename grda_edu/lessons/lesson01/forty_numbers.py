"""Lesson 01's second figure: forty numbers under three rules that shrink them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals
from grda_edu.explore import (
    Choice,
    Explorable,
    Goal,
    Panel,
    Slider,
    axis,
    bars,
    dots,
    key,
    keys,
    palette,
    panels,
    writing,
)
from grda_edu.explore.layout import box

from .numbers import apply_rule, coefficients, tau_for_zeros

RULES = {
    "soft: survivors move by τ": "soft",
    "hard: survivors stay put": "hard",
    "scale: divide by 1 + τ": "scale",
}


def forty_coefficients() -> Explorable:
    """Forty coefficients under three rules, with the number of exact zeros."""
    tau = Slider.linear(0, 2, 201, label="threshold τ", format=".2f", play=True, seconds=6.25)
    least = next(value for value in tau.values if value >= tau_for_zeros(30))
    goal = Goal(
        "with the soft rule, the smallest τ that leaves only ten coefficients alive, so 30 of 40 are exactly zero.",
        lambda rule, tau: rule == "soft" and tau == least,
        name="01.ten_alive",
    )
    demo = Explorable(
        _figure,
        _forty,
        {"rule": Choice(RULES, label="rule"), "tau": tau},
        label="Forty coefficients before and after a rule, zeros drawn hollow on the line",
        goals=[goal],
    )
    return keep_goals(demo)


def _figure() -> go.Figure:
    before = coefficients()
    at, hover = np.arange(1, before.size + 1), "{}: %{{y:.2f}}<extra></extra>"
    whole = bars("before", palette.MUTED, x=at, y=before, hovertemplate=hover.format("before"))
    panel = Panel(
        whole.update(width=0.75, opacity=0.35),
        bars("after", palette.GRDA, x=at, width=0.75, hovertemplate=hover.format("after")),
        dots("zero", palette.ZERO, size=9, outline=2, x=at),
        key=keys(
            key("before", palette.MUTED, "bar"),
            key("after", palette.GRDA, "bar"),
            key("exactly zero", palette.ZERO, "mark"),
        ),
        xaxis=axis("coefficient, in order of size", (0.2, before.size + 0.8)),
        yaxis=axis("value", (-3.8, 3.8)),
    )
    return panels(panel, height=360, barmode="overlay", shapes=[box(palette.BAND, y=(0, 0))])


def _forty(rule: str, tau: float) -> tuple[dict[str, object], str]:
    before = coefficients()
    after = apply_rule(before, tau, rule)
    zeros = int((after == 0).sum())
    band = 0.0 if rule == "scale" else tau
    found = f"{zeros} of {after.size} {'is' if zeros == 1 else 'are'} exactly zero"
    row = {
        "after.y": after,
        "zero.y": np.where(after == 0, 0.0, np.nan),
        "layout.title.text": found,
        "layout.shapes[0].y0": -band,
        "layout.shapes[0].y1": band,
    }
    first, last = writing.decimal(before[0]), writing.decimal(after[0])
    return row, f"{rule}, τ = {tau:.2f}: {found}; the largest goes from {first} to {last}."
