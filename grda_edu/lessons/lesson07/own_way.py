"""Lesson 07's third figure: gRDA's own way through the valley, and where it lands."""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    dots,
    key,
    keys,
    line,
    note,
    palette,
    panels,
    writing,
)

from .from_above import many, marked, placed, valley_panel, valley_rows
from .looks import FLOOR, degrees, lam_slider, pair, tenths
from .numbers import (
    EARLY,
    RATES,
    REACHED,
    TURNS,
    landing,
    straight_path,
    trainings,
    valley_at,
    way_drawn,
)

_POINTS = len(EARLY) + len(REACHED[::5])  # of a path, at most
_DOWN = 0.3  # the λ from which distances are drawn
_LOWEST = 5e-4  # a label does not stand lower on the axis of distances


@veiled("07.halving")
def grda_lands() -> Explorable:
    """gRDA from up the side of the valley, its end beside directional pruning's, and the gap over λ."""
    for lr in RATES:
        trainings(lr)  # before the table's time is taken
    return Explorable(
        _figure,
        _landing,
        {
            "lr": Slider(RATES, label="learning rate γ", start=0.2, format=".3g"),
            "angle": Slider(TURNS, label="angle of the floor", start=15.0, format=degrees),
            "lam": lam_slider(REACHED, start=0.7),
        },
        label="gRDA's own way into the valley, and its distance from directional pruning over λ",
    )


def _figure() -> go.Figure:
    valley = valley_panel(
        line("directional", palette.DIRECTIONAL),
        line("descent", palette.SGD, width=1.5),
        line("grda", palette.GRDA, width=2),
        marked("start", palette.INK, "w<sub>0</sub>", "top left"),
        marked("sgd", palette.SGD, "w<sub>SGD</sub>"),
        many("now", [FLOOR, palette.DIRECTIONAL, palette.GRDA]),
        key=keys(
            key("gRDA", palette.GRDA, "both"),
            key("SGD", palette.SGD, "both"),
            key("w<sub>DP</sub>", palette.DIRECTIONAL, "both"),
            key("kept on the floor", FLOOR, "mark"),
        ),
    )
    gaps = Panel(
        *(line(f"gap {lr}", palette.GRDA, width=1, opacity=0.55) for lr in RATES),
        line("gap", palette.GRDA, width=3.5),
        line("closed gap", palette.DIRECTIONAL, width=2),
        dots("gap now", palette.GRDA, size=13, outline=2),
        x=(0.64, 0.95),
        key=keys(
            key("… the hollow diamond", palette.GRDA),
            key("… w<sub>DP</sub>", palette.DIRECTIONAL),
        ),
        xaxis=axis("λ", (REACHED[0], REACHED[-1])),
        yaxis=axis("distance of gRDA from …", (-3.3, 0.3), log=True),
    )
    font = {"size": 11, "color": palette.tint(palette.GRDA.color)}
    labels = [
        note(REACHED[-1], 0, f"γ {lr:g}", yanchor="middle", panel=1, font=font) for lr in RATES
    ]
    return panels(valley, gaps, height=460, notes=labels)


def _landing(lr: float, angle: float, lam: float) -> tuple[dict[str, object], str]:
    k, found = REACHED.index(lam), landing(angle, lr)
    reached, gap = writing.decimal(found["lam"][k]), writing.decimal(found["gap"][k], 3)
    row = {
        **valley_rows(angle),
        **_curves(lr, angle),
        **placed("grda", _walked(lr, angle, int(found["steps"][k]))),
        **placed("now", np.array([found[name][k] for name in ("floor", "directional", "grda")])),
        "gap now.x": found["lam"][k : k + 1],
        "gap now.y": _below(found, "gap")[k : k + 1],
        "layout.title.text": f"γ = {lr:g}, λ = {reached}: gRDA is {gap} from the hollow diamond",
    }
    return row, (
        f"After {writing.count(int(found['steps'][k]), 'step')}, at t = {tenths(found['time'][k])}, gRDA is at "
        f"{pair(found['grda'][k])}, and the hollow diamond at {pair(found['floor'][k])}."
    )


@cache
def _curves(lr: float, angle: float) -> dict[str, object]:
    """What does not depend on λ."""
    valley, found = valley_at(angle), landing(angle, lr)
    descent = _on_the_way(lr, angle)[1]
    rows = {
        **placed("gap", np.stack([found["lam"], _below(found, "gap")], axis=1)),
        **placed(
            "closed gap", np.stack([found["lam"], _below(found, "gap to the closed form")], axis=1)
        ),
        **placed("start", descent[:1]),
        **placed("sgd", valley.w[None]),
        **placed("directional", straight_path(valley, valley.scores, REACHED[-1])[1]),
        **placed("descent", _filled(descent, descent[-1])),
    }
    for k, rate in enumerate(RATES):
        other = landing(angle, rate)
        rows |= placed(f"gap {rate}", np.stack([other["lam"], _below(other, "gap")], axis=1))
        rows[f"layout.annotations[{k + 2}].y"] = float(np.log10(max(other["gap"][-1], _LOWEST)))
    return rows


def _below(found: dict[str, np.ndarray], gap: str) -> np.ndarray:
    """A distance from ``_DOWN`` on; before, gRDA still comes down the side and runs past both diamonds."""
    return np.where(found["lam"] >= _DOWN, found[gap], np.nan)


@cache
def _on_the_way(lr: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """gRDA and SGD at the steps of ``way_drawn``: [K, 2] each."""
    grda, steps, sgd = trainings(lr)
    at = np.searchsorted(steps, way_drawn(lr))
    return grda[TURNS.index(angle), at], sgd[TURNS.index(angle), at]


def _walked(lr: float, angle: float, steps: int) -> np.ndarray:
    """gRDA's path as far as it has come after so many steps: [_POINTS, 2]."""
    grda, kept, _ = trainings(lr)
    here = grda[TURNS.index(angle), np.searchsorted(kept, steps)]
    return _filled(_on_the_way(lr, angle)[0][way_drawn(lr) <= steps], here)


def _filled(points: np.ndarray, here: np.ndarray) -> np.ndarray:
    """The same number of points for every γ and λ: the last one is repeated."""
    return np.concatenate([points, np.repeat(here[None], _POINTS - len(points), axis=0)])
