"""Lesson 05: the rule where the right c is another, beside two that do not probe."""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    TextTable,
    axis,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import decimal, span
from grda_edu.recordings import RunGrid
from grda_edu.training.rules import in_points
from grda_edu.training.search import EPOCHS, TOLERANCE

from .by_seed import RIGHT, TOLERANCES
from .numbers import (
    ELSEWHERE,
    RIVAL_C,
    RIVAL_MU,
    elsewhere,
    greatest_at_full_length,
    held_out,
    hits,
    hits_by_chance,
    hits_of_constant,
    rule_picks,
)


def rivals() -> TextTable:
    """How often the rule, one c for all and a c by chance are within one step, by setting."""
    rows = [_row("as before", [held_out()])]
    rows += [_row(words, [elsewhere()[name]]) for name, words in ELSEWHERE.items()]
    rows.append(_row("these four together", list(elsewhere().values())))
    return TextTable(
        rows,
        ("training", "the right c", "the rule", f"always c = {RIVAL_C:g}", "c by chance"),
        f"Picks within one step for μ = {RIVAL_MU:g}; the rule with {EPOCHS} epochs and "
        f"{100 * TOLERANCE:g} points",
    )


def _row(words: str, grids: list[RunGrid]) -> tuple[str, ...]:
    of = sum(len(runs.seeds) for runs in grids)
    by_rule = sum(hits(runs, RIVAL_MU, EPOCHS, TOLERANCE) for runs in grids)
    constant, chance = (sum(f(runs) for runs in grids) for f in (hits_of_constant, hits_by_chance))
    right = np.concatenate([_right(runs) for runs in grids])
    return (
        words,
        span(right.min(), right.max(), lambda c: f"{c:g}"),
        f"{by_rule} of {of}",
        f"{constant} of {of}",
        f"{decimal(chance, 1)} of {of}",
    )


def _right(runs: RunGrid) -> np.ndarray:
    """The right c of each seed, [S]; 0 where there is none."""
    return np.array([0.0, *runs.c[1:]])[greatest_at_full_length(runs, RIVAL_MU) + 1]


# ------------------------------------------------- seed by seed

_NAMES = {
    "digits_slow": "γ = 0.03",
    "digits_fast": "γ = 0.3",
    "digits_small": "1,370 weights",
    "mnist_grid": "MNIST",
}
_GAP = 1.4  # between two trainings, in seeds


def picks_elsewhere() -> Explorable:
    """What the rule picks from each seed of the four trainings, and what it should have picked."""
    return Explorable(
        _figure,
        _picks,
        {
            "epochs": Slider(list(range(1, 6)), label="epochs", format=".0f", start=EPOCHS),
            "tolerance": Slider(
                list(TOLERANCES), label="tolerance", format=in_points, start=TOLERANCE
            ),
        },
        label="The rule in four other trainings: its c, the right c and one c for all, by seed",
    )


@cache
def _heights() -> dict[str, np.ndarray]:
    """Where each training's seeds are drawn, from the top: name -> [S]."""
    found, at = {}, 0.0
    for name, runs in elsewhere().items():
        found[name] = at + np.arange(len(runs.seeds))
        at = found[name][-1] + 1 + _GAP
    return found


def _figure() -> go.Figure:
    heights = _heights()
    every = np.concatenate(list(heights.values()))
    ends = [every[0] - 1, every[-1] + 1]
    ticks = {float(np.mean(y)): f"{_NAMES[name]} " for name, y in heights.items()}
    return panels(
        Panel(
            line("constant", palette.TARGET, width=2, x=[RIVAL_C] * 2, y=ends),
            line("one step", palette.BAND_EDGE, width=9, opacity=0.25, y=np.repeat(every, 3)),
            dots("right", RIGHT, size=10, y=every),
            dots("rule", palette.GRDA, hollow=True, size=13, outline=2.5, y=every),
            key=keys(
                key("the rule picks", palette.GRDA, "hollow"),
                key("the right c", RIGHT, "mark"),
                key("one step", palette.BAND_EDGE),
                key(f"always c = {RIVAL_C:g}", palette.TARGET),
            ),
            xaxis=axis("c", (-3.15, -0.6), log=True, zeroline=False),
            yaxis=axis(range=ends[::-1], ticks=ticks, zeroline=False, showgrid=False),
        ),
        height=430,
        margin={"l": 110, "r": 20, "t": 76, "b": 48},
    )


def _picks(epochs: float, tolerance: float) -> tuple[dict[str, object], str]:
    picked, right, around = [], [], []
    good: dict[str, int] = {}
    for name, runs in elsewhere().items():
        steps = runs.c[1:]
        picks = rule_picks(runs, RIVAL_MU, int(epochs), tolerance)
        wanted = greatest_at_full_length(runs, RIVAL_MU)
        good[name] = int((np.abs(picks - wanted) <= 1).sum())
        picked.append(np.where(picks < 0, np.nan, steps[picks]))
        right.append(np.where(wanted < 0, np.nan, steps[wanted]))
        low, high = (np.clip(wanted + k, 0, len(steps) - 1) for k in (-1, 1))
        around.append(np.stack([steps[low], steps[high], np.full(len(low), np.nan)], axis=1))
    of = sum(len(runs.seeds) for runs in elsewhere().values())
    constant = sum(map(hits_of_constant, elsewhere().values()))
    row: dict[str, object] = {
        "rule.x": np.concatenate(picked),
        "right.x": np.concatenate(right),
        "one step.x": np.concatenate(around).ravel(),
        "layout.title.text": f"The rule is good in {sum(good.values())} of {of} seeds, one c for all in {constant}",
    }
    slow, fast, small, mnist = good.values()
    return row, (
        f"Good picks at the low learning rate {slow}, at the high one {fast}, of the small network {small}, on MNIST {mnist}."
    )
