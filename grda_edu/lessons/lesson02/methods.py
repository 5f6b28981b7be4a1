"""Lesson 02's second figure: a flat and a sharp weight under five methods, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    coloured,
    dots,
    heading,
    heading_key,
    key,
    keys,
    line,
    note,
    palette,
    panels,
    writing,
)
from grda_edu.explore.palette import Style
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA, METHODS, PROXIMAL, RDA, SGD, SUBGRADIENT

from .numbers import CURVATURES, DEATHS, KEPT, LR, MUS, W0, compared, strengths, weights

STYLES = {
    SGD: palette.SGD,
    SUBGRADIENT: Style(palette.MUTED, "solid", "cross"),
    PROXIMAL: Style(palette.INK, "dashdot", "square-open"),
    RDA: palette.RDA,
    GRDA: palette.GRDA,
}
FORMULA = Style(palette.INK, "dot", "circle")
WIDTHS = {SUBGRADIENT: 9.0, PROXIMAL: 4.5, RDA: 1.8, GRDA: 3.0}  # all visible where they coincide
PENALISED = METHODS[1:]
TIME: dict[str, Any] = {"range": (-1, 3), "log": True, "ticks": (0.1, 1, 10, 100, 1000)}  # an axis
_SMALL = 0.168  # width of one of the five panels


@veiled("02.bias")
def five_methods() -> Explorable:
    """A flat and a sharp weight under five methods, and the sharp one's bias over time."""
    for method in METHODS:
        compared(method)  # made once, before the table's rows are timed
    return Explorable(
        _figure,
        _five_methods,
        {
            "mu": Choice({f"{mu:g}": mu for mu in MUS}, label="μ of gRDA"),
            "death": Slider(DEATHS, label="flat weight dies at t =", format="g", start=20.0),
            "a": Slider(CURVATURES, label="curvature a of the sharp one", format="g", start=0.5),
        },
        label="Five methods side by side: a flat and a sharp weight, and the sharp one's bias",
    )


def _figure() -> go.Figure:
    small = [_small_panel(k, method) for k, method in enumerate(METHODS)]
    t = KEPT * LR
    bias = Panel(
        *(
            line(
                f"{method} bias",
                STYLES[method],
                width=WIDTHS[method],
                opacity=0.35 if method == SUBGRADIENT else 1,
                x=t,
            )
            for method in PENALISED
        ),
        line("ℓ1 formula", FORMULA, width=1.2, x=t),
        line("gRDA formula", FORMULA, width=1.2, x=t),
        y=(0, 0.5),
        title="Bias of the sharp weight",
        key=keys(*(key(method, STYLES[method]) for method in PENALISED)),
        xaxis=axis("time t", **TIME),
        yaxis=axis("bias w* − w", (-3.3, 0.3), log=True, ticks=(0.001, 0.01, 0.1, 1)),
    )
    notes = [
        note(-0.95, 0, "", panel=5),
        note(2.0, 0, "c μ √γ t<sup>μ−1</sup>/a", "right", "top", panel=5),
        # in SGD's panel, where nothing ever moves
        note(-0.9, 0.5, "thick: sharp<br>thin: flat", yanchor="middle", align="left"),
    ]
    return panels(*small, bias, height=560, margin={"t": 40}, notes=notes)


def _small_panel(k: int, method: str) -> Panel:
    """The two weights under method ``k``; a row writes its heading."""
    t, start = KEPT * LR, k * (1 - _SMALL) / 4
    some = {at: f"{at:g}" if at in (1, 100) else "" for at in TIME["ticks"]}
    return Panel(
        line(f"{method} sharp", STYLES[method].color, width=3, x=t),
        line(f"{method} flat", STYLES[method].color, width=1.6, x=t),
        dots(f"{method} zero", palette.ZERO, size=5, outline=1.4, x=t[::4]),
        x=(start, start + _SMALL),
        y=(0.7, 0.9),
        xaxis=axis(**TIME | {"ticks": some}),
        yaxis=axis("" if k else "weight w", (-0.12, 1.12), ticks=(0, 1), showticklabels=not k),
    )


def _five_methods(mu: float, death: float, a: float) -> tuple[dict[str, Any], str]:
    lam, c = strengths(death, mu)
    i = 1 + CURVATURES.index(a)
    row: dict[str, Any] = {}
    for k, method in enumerate(METHODS):
        w = weights(method, mu, death)
        row[f"{method} sharp.y"], row[f"{method} flat.y"] = w[:, i], w[:, 0]
        row[f"{method} zero.y"] = np.where((w[::4, 0] == 0) | (w[::4, i] == 0), 0.0, np.nan)
        row[heading_key(k)] = _heading(method, w[:, 0])
        if method in PENALISED:
            row[f"{method} bias.y"] = np.maximum(W0 - w[:, i], 1e-9)
    stays = float(quadratic.l1_bias(a, lam, W0))
    formula = quadratic.grda_bias(KEPT * LR, a, LR, c, mu)
    row["ℓ1 formula.y"] = np.full(KEPT.size, stays)
    row["gRDA formula.y"] = np.where(formula < 1.4, formula, np.nan)
    there = float(quadratic.grda_bias(100.0, a, LR, c, mu))
    row["layout.annotations[6].y"] = np.log10(stays)
    row["layout.annotations[7].y"] = np.log10(there) - 0.05
    kept, left = (
        writing.significant(bias) for bias in (stays, W0 - weights(GRDA, mu, death)[-1, i])
    )
    row["layout.annotations[6].text"] = (
        "lost for good: a|w*| ≤ λ" if lam >= a * W0 else f"λ/a = {kept}"
    )
    row["layout.title.text"] = f"Bias at t = 1000: {kept} under λ|w|, {left} under gRDA"
    return row, (
        f"λ = {lam:g} and c = {writing.significant(c, 3)} bring the flat weight to zero at t = {death:g}. "
        f"The sharp weight keeps a bias of {kept} under the three penalties λ|w|; under gRDA {left} is "
        f"left at t = 1000."
    )


def _heading(method: str, flat: np.ndarray) -> str:
    zero = np.flatnonzero(flat == 0)
    fate = f"zero from t = {KEPT[zero[0]] * LR:.0f}" if zero.size else "never exactly zero"
    name = method.replace("subgradient", "sub\u00adgradient")  # where a phone may break it
    return coloured(heading(name), STYLES[method]) + f"<br>{fate}"
