"""The threshold when the learning rate changes on the way."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    coloured,
    key,
    keys,
    line,
    note,
    palette,
    panels,
)
from grda_edu.explore.writing import decimal
from grda_edu.shrinkage import tuning_function, tuning_increment

from .looks import FLAT
from .numbers import SETTINGS, WEIGHT, spread

_CNN = SETTINGS["lesson 04's CNN"]
_CNN_STEPS = 2400  # 60 epochs of 40
_N = np.arange(0, _CNN_STEPS + 1, 20)


@veiled("03.rate_drops")
def schedule() -> Explorable:
    """The threshold of lesson 04's training, added up and recomputed, when γ changes on the way."""
    return Explorable(
        _schedule_figure,
        _schedule,
        {
            "lr": Slider(spread(-3, 2), label="new learning rate", format="g", start=0.01),
            "at": Slider(_N[10:-9:5].tolist(), label="from step", format=",.0f", start=1200),
        },
        label="The threshold when the learning rate changes: added up, and recomputed",
    )


def _schedule_figure() -> go.Figure:
    panel = Panel(
        line("weight", FLAT, width=1.5, x=[0, _CNN_STEPS], y=[WEIGHT, WEIGHT]),
        line("recomputed", palette.TARGET, width=2, x=_N),
        line("added up", palette.BAND_EDGE, width=4, x=_N),
        key=keys(key("added up", palette.BAND_EDGE), key("recomputed", palette.TARGET)),
        xaxis=axis("step n", (0, _CNN_STEPS), tickformat=",d"),
        yaxis=axis("threshold", (0, 0.34)),
    )
    words = coloured(f"a flat weight of size {WEIGHT:g}", FLAT)
    margin = {"l": 64, "r": 24, "t": 60, "b": 52}
    return panels(panel, height=340, margin=margin, notes=[note(30, WEIGHT, words)])


def _schedule(lr: float, at: int) -> tuple[dict[str, object], str]:
    c, mu, first = _CNN
    n = np.arange(1, _CNN_STEPS + 1)
    added = np.cumsum(tuning_increment(n, np.where(n <= at, first, lr), c, mu))
    before, jump = tuning_function(at, first, c, mu), tuning_function(at + 1, lr, c, mu)
    row = {
        "added up.y": np.concatenate([[0.0], added])[_N],
        "recomputed.y": tuning_function(_N, np.where(at >= _N, first, lr), c, mu),
        "layout.title.text": f"γ = {first:g} up to step {at:,.0f}, then {lr:g}",
    }
    end = decimal(added[-1], 3)
    if lr == first:
        return row, f"The learning rate stays at {first:g}: both are the same, and end at {end}."
    fate = ""
    if before >= WEIGHT > jump:
        fate = f" A flat weight of size {WEIGHT:g}, dead by then, would be alive again."
    return row, (
        f"At step {at:,.0f} the threshold is {decimal(before, 3)}. Added up, it ends at {end}. Recomputed, "
        f"it would be "
        f"{decimal(jump, 3)} a step later.{fate}"
    )
