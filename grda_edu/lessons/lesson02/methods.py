"""Lesson 02's second figure: a flat and a sharp weight under five methods, side by side."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.palette import Style
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA, METHODS, PROXIMAL, RDA, SGD, SUBGRADIENT, Numbers

from .spaces import HOLLOW, LINES, heading

STYLES = {
    SGD: palette.SGD,
    SUBGRADIENT: Style(palette.MUTED, "dot", "cross"),
    PROXIMAL: Style(palette.INK, "dashdot", "square-open"),
    RDA: Style("#8a6fc0", "longdash", "diamond-open"),
    GRDA: palette.GRDA,
}
LR, W0 = 0.1, 1.0  # of the second figure; both weights start at their optimum
DEATHS = (5.0, 10.0, 20.0, 50.0, 100.0)  # when the flat weight shall die
MUS = (0.6, 0.51, 0.75, 0.9)
CURVATURES = (0.1, 0.2, 0.5, 1.0, 2.0)
LONG = 10_000  # steps, to t = 1000
_DYING = [round(death / LR) + k for death in DEATHS for k in (0, 1)]
KEPT = np.unique([*np.geomspace(1, LONG, 130).round().astype(int), *_DYING])
_LATE = int(np.searchsorted(KEPT, 300))  # from t = 30 on
PENALISED = METHODS[1:]
WIDTHS = {SUBGRADIENT: 9.0, PROXIMAL: 4.5, RDA: 1.8, GRDA: 3.0}  # all visible where they coincide


def strengths(death: Numbers, mu: Numbers) -> tuple[Any, Any]:
    """λ and c with which a flat weight of size ``W0`` dies at time ``death`` under every method."""
    return W0 / death, W0 / (np.sqrt(LR) * death**mu)


@cache
def compared(method: str) -> quadratic.Path:
    """Weights with curvature 0 and ``CURVATURES`` for all ``DEATHS`` and ``MUS``.

    [K, mus, 1 + curvatures, deaths]; one μ only where the method does not know it.
    """
    mu = np.array(MUS if method == GRDA else MUS[:1])[:, None, None]
    lam, c = strengths(np.array(DEATHS), mu)
    a = np.array([0.0, *CURVATURES])[:, None]
    return quadratic.simulate(
        method, a=a, w_star=W0, w0=W0, lr=LR, c=c, mu=mu, lam=lam, steps=LONG, keep=KEPT
    )


def weights(method: str, mu: float, death: float) -> np.ndarray:
    """The paths of the flat weight and of those with ``CURVATURES``: [K, 1 + curvatures]."""
    k = MUS.index(mu) if method == GRDA else 0
    return compared(method).w[:, k, :, DEATHS.index(death)]


def five_methods() -> Explorable:
    """A flat and a sharp weight under five methods, and the sharp one's bias over time."""
    for method in METHODS:
        compared(method)  # made once, before the table's rows are timed
    return Explorable(
        _five_figure,
        _five_methods,
        {
            "mu": Choice({f"{mu:g}": mu for mu in MUS}, label="μ of gRDA"),
            "death": Slider(DEATHS, label="flat weight dies at t =", format="g", start=20.0),
            "a": Slider(CURVATURES, label="curvature a of the sharp one", format="g", start=0.5),
        },
        label="Five methods side by side: a flat and a sharp weight, and the sharp one's bias",
    )


TIME = {"type": "log", "range": [-1, 3], "tickvals": [0.1, 1, 10, 100, 1000]}
_SMALL = 0.168  # width of one of the five panels


def _five_figure() -> go.Figure:
    t = KEPT * LR
    traces, notes, words = [], [], []
    layout: dict[str, dict[str, Any]] = {}
    for k, method in enumerate(METHODS):
        n = k + 1 if k else ""
        place = {"xaxis": f"x{n}", "yaxis": f"y{n}"}
        start = k * (1 - _SMALL) / 4
        color = STYLES[method].color
        layout[f"xaxis{n}"] = {"domain": [start, start + _SMALL], "anchor": f"y{n}"} | TIME
        layout[f"xaxis{n}"] |= {"ticktext": ["", "1", "", "100", ""]}
        layout[f"yaxis{n}"] = {"domain": [0.7, 0.9], "anchor": f"x{n}", "range": [-0.12, 1.12]}
        layout[f"yaxis{n}"] |= {"tickvals": [0, 1], "showticklabels": k == 0}
        traces += [
            go.Scatter(
                name=f"{method} {which}", x=t, line={"color": color, "width": w}, **LINES, **place
            )
            for which, w in (("sharp", 3.0), ("flat", 1.6))
        ]
        zero = HOLLOW | {"size": 5, "line": {"width": 1.4}}
        traces.append(
            go.Scatter(
                name=f"{method} zero",
                x=t[::4],
                mode="markers",
                hoverinfo="skip",
                marker=zero,
                **place,
            )
        )
        notes.append(palette.legend(start, (f"<b>{method}</b>", color)) | {"y": 0.9})
        if method != SGD:
            words += [_in_panel(n, "sharp", 0.84, "top"), _in_panel(n, "flat", 0.06, "bottom")]
    below = {"xaxis": "x6", "yaxis": "y6"}
    for method in PENALISED:
        style = STYLES[method]
        line = style.line(WIDTHS[method]) | ({"dash": "solid"} if method == SUBGRADIENT else {})
        faint = 0.35 if method == SUBGRADIENT else 1.0
        traces.append(
            go.Scatter(name=f"{method} bias", x=t, line=line, opacity=faint, **LINES, **below)
        )
    for name in ("ℓ1 formula", "gRDA formula"):
        line = {"color": palette.INK, "dash": "dot", "width": 1.2}
        traces.append(go.Scatter(name=name, x=t, line=line, **LINES, **below))
    layout["yaxis"]["title_text"] = "weight w"
    layout["xaxis6"] = {"domain": [0, 1], "anchor": "y6", "title_text": "time t"} | TIME
    layout["yaxis6"] = {"domain": [0, 0.5], "anchor": "x6", "type": "log", "range": [-3.3, 0.15]}
    layout["yaxis6"] |= {"title_text": "bias w* − w", "tickvals": [0.001, 0.01, 0.1, 1]}
    names = [(f"{m} {g}", STYLES[m].color) for m, g in zip(PENALISED, "▬╍╌━", strict=True)]
    below_words = heading(0.0, "Bias of the sharp weight", *names) | {"y": 0.5}
    return palette.figure(
        *traces,
        height=560,
        margin={"t": 40},
        annotations=[
            *notes,
            below_words,
            _label(-0.95, "left", "bottom"),
            _label(2.0, "right", "top"),
            *words,
        ],
        **layout,
    )


def _in_panel(n: int | str, text: str, y: float, yanchor: str) -> dict:
    place = {"xref": f"x{n}", "yref": f"y{n}", "x": 2.95, "xanchor": "right", "yanchor": yanchor}
    return {"text": text, "y": y, **place, "showarrow": False, "font": {"size": 11}}


def _label(x: float, xanchor: str, yanchor: str) -> dict:
    """An annotation of the lower panel; its words and its height follow the sliders."""
    place = {"xref": "x6", "yref": "y6", "x": x, "xanchor": xanchor, "yanchor": yanchor}
    return {"text": "", **place, "showarrow": False, "font": {"size": 12}}


def _five_methods(mu: float, death: float, a: float) -> tuple[dict, str]:
    lam, c = strengths(death, mu)
    i = 1 + CURVATURES.index(a)
    row: dict[str, object] = {}
    for k, method in enumerate(METHODS):
        w = weights(method, mu, death)
        row[f"{method} sharp.y"], row[f"{method} flat.y"] = w[:, i], w[:, 0]
        row[f"{method} zero.y"] = np.where((w[::4, 0] == 0) | (w[::4, i] == 0), 0.0, np.nan)
        row[f"layout.annotations[{k}].text"] = _panel(method, w[:, 0])
        if method in PENALISED:
            row[f"layout.annotations[{6 + 2 * k}].y"] = w[_LATE:, i].min() - 0.06
            row[f"{method} bias.y"] = np.maximum(W0 - w[:, i], 1e-9)
    stays = float(quadratic.l1_bias(a, lam, W0))
    formula = quadratic.grda_bias(KEPT * LR, a, LR, c, mu)
    row["ℓ1 formula.y"] = np.full(KEPT.size, stays)
    row["gRDA formula.y"] = np.where(formula < 1.4, formula, np.nan)
    last = W0 - weights(GRDA, mu, death)[-1, i]
    row["layout.title.text"] = f"Bias at t = 1000: {stays:.2g} under λ|w|, {last:.2g} under gRDA"
    text = "lost for good: a|w*| ≤ λ" if lam >= a * W0 else f"λ/a = {stays:.2g}"
    row["layout.annotations[6].text"], row["layout.annotations[6].y"] = text, np.log10(stays)
    there = float(quadratic.grda_bias(100.0, a, LR, c, mu))
    row["layout.annotations[7].text"] = "c μ √γ t<sup>μ−1</sup>/a"
    row["layout.annotations[7].y"] = np.log10(there) - 0.05
    return row, (
        f"λ = {lam:.3g} and c = {c:.3g} (μ = {mu:g}) kill the flat weight at t = {death:g}. The weight "
        f"with a = {a:g} keeps a bias of {stays:.3g} under the three penalties λ|w|; under gRDA "
        f"{last:.2g} is left at t = 1000."
    )


def _panel(method: str, flat: np.ndarray) -> str:
    zero = np.flatnonzero(flat == 0)
    words = f"zero from t = {KEPT[zero[0]] * LR:.0f}" if zero.size else "never exactly zero"
    name = f'<b style="color:{STYLES[method].color}">{method}</b>'
    return f"{name}<br>{words}"
