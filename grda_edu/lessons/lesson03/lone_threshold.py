"""The threshold over the steps of a training, and nothing else."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Choice,
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
from grda_edu.explore.writing import significant
from grda_edu.shrinkage import tuning_function

from .looks import FLAT
from .numbers import SETTINGS, WEIGHT, death_step, first_step, spread

STEPS_SHOWN = 100_000
_EXPONENTS = [0.5, 0.51, *(k / 20 for k in range(11, 20))]
_HEIGHTS = (1e-5, 10.0)  # of the threshold's axis


def threshold() -> Explorable:
    """g over the step number on logarithmic axes, beside a setting to compare with."""
    return Explorable(
        _threshold_figure,
        _threshold,
        {
            "other": Choice(SETTINGS, label="compare with"),
            "c": Slider([0, *spread(-4, 4, (1, 2, 4, 5))], label="c", format="g", start=0.02),
            "mu": Slider(_EXPONENTS, label="μ", format="g", start=0.5),
            "lr": Slider(spread(-3, 3), label="learning rate γ", format="g", start=0.1),
        },
        label="The threshold g over the steps of a training, on logarithmic axes",
    )


def _threshold_figure() -> go.Figure:
    steps, moment = [1, STEPS_SHOWN], palette.BAND_EDGE._replace(symbol="diamond")
    panel = Panel(
        line("weight", FLAT, width=1.5, x=steps, y=[WEIGHT, WEIGHT]),
        line("other", palette.TARGET, width=2, x=steps),
        line("mine", palette.BAND_EDGE, width=4, x=steps),
        dots("one", moment, size=11, outline=1.5),
        dots("other dies", palette.TARGET.color, size=12, hollow=True, outline=2.5),
        dots("mine dies", palette.ZERO, size=14, outline=2.5),
        key=keys(
            key("your sliders", palette.BAND_EDGE),
            key("compared with", palette.TARGET),
            key("time t = nγ = 1", moment, "mark"),
            key("reaches the weight", palette.ZERO, "mark"),
        ),
        xaxis=axis("step n", (0, 5.01), log=True, tickformat="~s"),
        yaxis=axis("threshold g(n, γ)", np.log10(_HEIGHTS).tolist(), log=True),
    )
    words = coloured(f"a flat weight of size {WEIGHT:g}", FLAT)
    margin = {"l": 72, "r": 32, "t": 60, "b": 52}
    return panels(panel, height=420, margin=margin, notes=[note(0.02, np.log10(WEIGHT), words)])


def _threshold(
    other: tuple[float, float, float], c: float, mu: float, lr: float
) -> tuple[dict[str, object], str]:
    ends = np.array([1.0, STEPS_SHOWN])
    mine, theirs = death_step(WEIGHT, c, mu, lr), death_step(WEIGHT, *other)
    g = tuning_function(ends, lr, c, mu)
    row = {
        "mine.y": g if c > 0 else [np.nan, np.nan],  # zero has no place on a logarithmic axis
        "other.y": tuning_function(ends, other[2], other[0], other[1]),
        "one.x": [1 / lr],
        "one.y": [c * lr**0.5 if c > 0 else np.nan],
        "mine dies.x": [_shown(mine)],
        "mine dies.y": [WEIGHT],
        "other dies.x": [_shown(theirs)],
        "other dies.y": [WEIGHT],
        "layout.title.text": _threshold_title(c, mu, lr),
    }
    death = f"The flat weight {_fate(mine)}; with the other setting it {_fate(theirs)}."
    if c == 0:
        return row, f"c = 0: the threshold is zero at every step. This is SGD. {death}"
    return row, (
        f"The threshold is {significant(g[0])} after step 1 and {significant(g[1])} after step "
        f"{STEPS_SHOWN:,}. {death}"
    )


def _threshold_title(c: float, mu: float, lr: float) -> str:
    if c == 0:
        return "c = 0: no threshold, this is SGD"
    return f"g = {c:g} · {lr:g}<sup>½</sup> · (n · {lr:g})<sup>{mu:g}</sup>"


def _shown(step: float) -> float:
    return step if 1 <= step <= STEPS_SHOWN else np.nan


def _fate(step: float) -> str:
    """What the threshold does to the flat weight, with the first whole step at which it is there."""
    if np.isinf(step):
        return "never dies"
    if step > STEPS_SHOWN:
        return f"lives for more than {STEPS_SHOWN:,} steps"
    return f"dies at step {first_step(step):,}"
