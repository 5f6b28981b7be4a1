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
from .looks import FLOOR, degrees, pair, tenths
from .numbers import RATES, REACHED, TURNS, closed_path, landing, trainings, valley_at

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
            "lam": Slider(REACHED, label="λ", start=0.7, format=tenths, play=True),
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
        **placed("now", np.array([found[name][k] for name in ("floor", "directional", "grda")])),
        "gap now.x": found["lam"][k : k + 1],
        "gap now.y": found["gap"][k : k + 1],
        "layout.title.text": f"γ = {lr:g}, λ = {reached}: gRDA is {gap} from the hollow diamond",
    }
    return row, (
        f"After {writing.count(int(found['steps'][k]), 'step')}, at t = {tenths(found['time'][k])}, gRDA is at "
        f"{pair(found['grda'][k])}, and the hollow diamond at {pair(found['floor'][k])}."
    )


@cache
def _curves(lr: float, angle: float) -> dict[str, object]:
    """What does not depend on λ."""
    grda, _, sgd = trainings(lr)
    turn, valley, found = TURNS.index(angle), valley_at(angle, 0.0), landing(angle, lr)
    rows = {
        **placed("gap", np.stack([found["lam"], found["gap"]], axis=1)),
        **placed("closed gap", np.stack([found["lam"], found["gap to the closed form"]], axis=1)),
        **placed("start", grda[turn, :1]),
        **placed("sgd", valley.w[None]),
        **placed("directional", closed_path(valley, REACHED[-1])[1]),
        **placed("grda", _filled(grda[turn])),
        **placed("descent", _filled(sgd[turn])),
    }
    for k, rate in enumerate(RATES):
        other = landing(angle, rate)
        rows |= placed(f"gap {rate}", np.stack([other["lam"], other["gap"]], axis=1))
        rows[f"layout.annotations[{k + 2}].y"] = float(np.log10(max(other["gap"][-1], _LOWEST)))
    return rows


def _filled(points: np.ndarray, length: int = 60) -> np.ndarray:
    """The same number of points for every γ: the last is repeated."""
    return np.concatenate([points, np.repeat(points[-1:], length - len(points), axis=0)])
