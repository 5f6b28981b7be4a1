"""Lesson 07's second figure: five ways to prune, how far each moves, and what it pays."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    key,
    keys,
    line,
    palette,
    panels,
    writing,
)
from grda_edu.explore.layout import rule
from grda_edu.toy.flat_valley import METHODS, Valley, first_zero, surgeon_prices

from .from_above import RIGHT, many, marked, placed, valley_panel, valley_rows
from .looks import NAMES, STYLES, degrees, lam_slider, paid
from .numbers import ANGLES, LAMS, jumps_at, paths_at, removed_by_obs, straight_path, valley_at

_JUMPING = ("magnitude", "obs")
_SHAPES = {name: "hv" if name in _JUMPING else "linear" for name in METHODS}


@veiled("07.surgeon")
def all_paths() -> Explorable:
    """Five methods from one w_SGD: where they go, how far they move, and the loss they pay."""
    return Explorable(
        _figure,
        _all_paths,
        {
            "angle": Slider(ANGLES, label="angle of the floor", start=-25.0, format=degrees),
            "lam": lam_slider(LAMS, start=0.2),  # before the first jump
        },
        label="Paths of five pruning methods through the valley, the distance moved and the loss over λ",
    )


OVER_LAMBDA = (1, 2)  # the panels that have λ on their axis, each with a rule at the slider's


def _figure() -> go.Figure:
    valley = valley_panel(
        *(line(name, STYLES[name], width=1.2 if name in _JUMPING else 2.5) for name in METHODS),
        many("now", [STYLES[name] for name in METHODS]),
        marked("sgd", palette.SGD, "w<sub>SGD</sub>"),
        key=keys(*(key(NAMES[name], STYLES[name], "both") for name in METHODS)),
    )
    moves = _over_lambda("move", "distance moved", 1.8, y=(0.56, 1))
    losses = _over_lambda("loss", "loss", 2.4, y=(0, 0.44), title="λ")
    here = [rule(palette.MUTED, x=0, width=1, panel=k) for k in OVER_LAMBDA]
    return panels(valley, moves, losses, height=480, margin_t=66, shapes=here)


def _over_lambda(what: str, words: str, highest: float, y: Any, title: str = "") -> Panel:
    """One line a method over λ."""
    return Panel(
        *(line(f"{what} of {name}", STYLES[name], line_shape=_SHAPES[name]) for name in METHODS),
        x=RIGHT,
        y=y,
        xaxis=axis(title, (0, LAMS[-1])),
        yaxis=axis(words, (0, highest)),
    )


def _all_paths(angle: float, lam: float) -> tuple[dict[str, object], str]:
    k, found = LAMS.index(lam), paths_at(angle)
    row: dict[str, object] = {
        **valley_rows(angle),
        **_whole_paths(angle),
        **placed("now", np.array([found[name][k] for name in METHODS])),
        **{f"layout.shapes[{k}].x{end}": lam for k in range(len(OVER_LAMBDA)) for end in (0, 1)},
    }
    return row, paid(lam, {name: found[f"loss of {name}"][k] for name in METHODS})


@cache
def _whole_paths(angle: float) -> dict[str, object]:
    found, valley = paths_at(angle), valley_at(angle)
    rows = placed("sgd", valley.w[None]) | {"layout.title.text": _title(valley)}
    speeds = {"directional": valley.scores, "soft": np.ones(2)}
    for name in METHODS:
        lams, drawn = np.array(LAMS), found[name]
        if name in speeds:
            drawn = straight_path(valley, speeds[name], LAMS[-1])[1]
        move, loss = found[f"move of {name}"], found[f"loss of {name}"]
        if name in _JUMPING:
            lams, drawn = jumps_at(angle)[name]
            move, loss = np.linalg.norm(drawn - valley.w, axis=1), valley.loss(drawn)
        rows |= placed(name, drawn)
        rows |= placed(f"move of {name}", np.stack([lams, move], axis=1))
        rows |= placed(f"loss of {name}", np.stack([lams, loss], axis=1))
    return rows


def _title(valley: Valley) -> str:
    j, _ = first_zero(valley.w, valley.scores)
    glides = "makes no zero" if j < 0 else f"glides towards w<sub>{j + 1}</sub> = 0"
    return (
        f"OBS removes w<sub>{removed_by_obs(valley) + 1}</sub> in one jump, at "
        f"λ = {writing.decimal(surgeon_prices(valley)[0])}; directional pruning {glides}"
    )
