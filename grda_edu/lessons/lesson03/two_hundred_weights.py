"""One training of the regression over time: two hundred weights, true and false ones."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    coloured,
    dots,
    key,
    keys,
    line,
    note,
    palette,
    panels,
)
from grda_edu.explore.layout import rule
from grda_edu.explore.writing import count, decimal
from grda_edu.toy import regression

from .looks import FALSE
from .numbers import FIRST, MU, RECORD, STEPS, C, result

_C_SHOWN = (0.0, 0.1, 0.3, 0.7, 1.5, 3.0, 5.0, 10.0, 20.0, 50.0)
_MU_SHOWN = (0.51, 0.6, 0.7, 0.9)
_VALUES = (-1.7, 1.7)  # of weights
_TRUTH = palette.Style(palette.INK, "solid", "line-ew")
_SECOND = palette.GRDA._replace(dash="dot")  # the other of two curves of gRDA's


def training() -> Explorable:
    """Two hundred weights, true and false ones, and their errors; sliders for the step, c and μ."""
    result(FIRST)  # outside the table, whose making is timed
    return Explorable(
        _training_figure,
        _training,
        {
            "step": Slider(RECORD, label="step", format=",.0f", start=STEPS, play=True),
            "c": Slider(_C_SHOWN, label="c", format="g", start=0.7),
            "mu": Slider(_MU_SHOWN, label="μ", format="g", start=0.51),
        },
        label="Two hundred weights of a regression in training: ten are true, the others should be zero",
    )


def _order(problem: regression.Regression) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the true weights, from the largest to the smallest, and of all others."""
    true = np.flatnonzero(problem.truth)
    return true[np.argsort(-problem.truth[true])], np.flatnonzero(problem.truth == 0)


def _training_figure() -> go.Figure:
    r = result(FIRST)
    true, others = _order(r.problem)
    at, rest = np.arange(1, true.size + 1), np.arange(1, others.size + 1)
    sgd = regression.prediction_error(r.problem, r.weights[:, 0, 0])
    lasso = regression.prediction_error(r.problem, r.lasso[r.lasso_closest()])
    steps = axis("step", (0, np.log10(STEPS * 1.1)), log=True, tickformat=",d")
    upper, lower, noise = (0.6, 1), (0, 0.38), r.problem.noise
    return panels(
        Panel(
            dots("truth", _TRUTH, size=13, outline=2, x=at, y=r.problem.truth[true]),
            dots("found", palette.GRDA, size=9, outline=1.5, x=at),
            dots("lost", palette.ZERO, size=10, outline=2.5, x=at),
            x=(0, 0.3),
            y=upper,
            title="True weights",
            key=keys(key("truth", _TRUTH, "mark"), key("found", palette.GRDA, "mark")),
            xaxis=axis(range=(0.2, 10.8), ticks=1),
            yaxis=axis("value", _VALUES),
        ),
        Panel(
            dots("false", FALSE, size=7, x=rest),
            dots("zero", palette.ZERO, size=4, outline=1, x=rest),
            x=(0.37, 1),
            y=upper,
            title=f"The {others.size} others, which should be zero",
            key=keys(key("false", FALSE, "mark"), key("zero", palette.ZERO, "mark")),
            xaxis=axis(range=(-2, 193)),
            yaxis=axis(range=_VALUES),
        ),
        Panel(
            line("true alive", palette.GRDA, width=3, x=RECORD),
            line("others alive", FALSE, width=2, x=RECORD),
            dots("true now", palette.GRDA, size=10, outline=1.5),
            dots("others now", FALSE, size=9),
            x=(0, 0.45),
            y=lower,
            title="Weights alive",
            key=keys(key("true ones", palette.GRDA), key("others", FALSE)),
            xaxis=steps,
            yaxis=axis("share not zero", (-0.04, 1.04), share=True),
        ),
        Panel(
            line("SGD", palette.SGD, width=2, x=RECORD, y=sgd),
            line("Lasso", palette.TARGET, width=1.6, x=RECORD, y=[lasso] * len(RECORD)),
            line("new", palette.GRDA, width=3, x=RECORD),
            line("old", _SECOND, width=1.5, x=RECORD),
            dots("new now", palette.GRDA, size=10, outline=1.5),
            x=(0.55, 1),
            y=lower,
            title="Error of a prediction",
            key=keys(key("new data", palette.GRDA), key("training data", _SECOND))
            + "<br>"
            + keys(key("SGD", palette.SGD), key("Lasso’s best", palette.TARGET)),
            xaxis=steps,
            yaxis=axis(range=(0, 4.2)),
        ),
        height=570,
        margin={"l": 60, "r": 20, "t": 64, "b": 52},
        shapes=[rule(palette.MUTED, y=noise, width=1, panel=3)],
        notes=[note(0.05, noise, coloured("noise", palette.MUTED), yanchor="top", panel=3)],
    )


def _training(step: float, c: float, mu: float) -> tuple[dict[str, object], str]:
    r = result(FIRST)
    k, i, j = RECORD.index(int(step)), C.index(c), MU.index(mu)
    true, others = _order(r.problem)
    w, curves = r.weights[k, i, j], r.weights[:, i, j]
    found, false = (counts[:, i, j] for counts in r.alive)
    new = regression.prediction_error(r.problem, curves)
    shares = found / true.size, false / others.size
    zeros = int((w == 0).sum())
    row = {
        "found.y": _where(w[true] != 0, w[true]),
        "lost.y": _where(w[true] == 0, 0.0),
        "false.y": _where(w[others] != 0, w[others]),
        "zero.y": _where(w[others] == 0, 0.0),
        "true alive.y": shares[0],
        "others alive.y": shares[1],
        "true now.x": [step],
        "true now.y": [shares[0][k]],
        "others now.x": [step],
        "others now.y": [shares[1][k]],
        "new.y": new,
        "old.y": regression.training_error(r.problem, curves),
        "new now.x": [step],
        "new now.y": [new[k]],
        "layout.title.text": (
            f"{found[k]} of {true.size} true weights found, {count(false[k], 'false one')}, "
            f"{count(zeros, 'zero')}"
        ),
    }
    return row, (
        f"{'' if c else 'This is SGD. '}{zeros} of {w.size} weights are exactly zero; {false[k]} of the "
        f"{others.size} others {'is' if false[k] == 1 else 'are'} alive, and false. A prediction for new data is off "
        f"by {decimal(new[k])}, where {r.problem.noise:g} is noise that nobody can predict."
    )


def _where(condition: np.ndarray, values: np.ndarray | float) -> np.ndarray:
    return np.where(condition, values, np.nan)
