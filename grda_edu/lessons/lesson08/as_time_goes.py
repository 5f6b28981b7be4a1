"""The limit that counts: the match as time goes on with λ held, and as γ falls, which hardly moves it."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    dots,
    key,
    line,
    palette,
    panels,
    writing,
)

from .curves import along, curve, cut, named
from .finite import Ended, about, ended, over_rates, over_time, rates, settings

_CURVES = {  # name in ``over_time`` -> words, style
    "correlation": ("finite time", palette.DIRECTIONAL),
    "cut-off": ("a fixed cut-off", palette.MAGNITUDE),
    "shuffled": ("shuffled within layers", palette.TARGET),
}
_BY_RATE = "correlation by γ"


@veiled("08.smaller_gamma")  # its last panel has γ
def time_counts() -> Explorable:
    """ŝ against finite-time scores at three times with λ held, their correlation, and γ beside it."""
    times = about("times")
    return Explorable(
        _time_figure,
        _time,
        {
            "setting": Choice(
                {named(*pair): pair for pair in settings()},
                label=f"c (at t = {times[0]:g}) and μ",
            ),
            "t": Slider(times, label="time t", format="g", play=True),
        },
        label="As time goes on with λ held: ŝ against finite-time scores, and their correlation",
    )


def _time_figure() -> go.Figure:
    times, count = about("times"), len(about("seeds"))
    survivors = Panel(
        line("equal", palette.TARGET, width=1.2, x=[-3, 3], y=[-3, 3]),
        dots("survivors", palette.DIRECTIONAL.color, size=4, opacity=0.5),
        x=(0, 0.34),
        title="Survivors",
        key=key("ŝ = s", palette.TARGET),
        xaxis=axis("finite-time score s", (-1.2, 2.2)),
        yaxis=axis("ŝ, read off gRDA's move", (-2.2, 3.2), title_standoff=2),
    )
    traces = [
        trace
        for name, (words, style) in _CURVES.items()
        for trace in curve(
            name, style, times, words + ": %{y:.2f}<extra></extra>", count=count, cliponaxis=False
        )
    ]
    now = line("now", palette.INK, width=1.2)
    log = {t: f"{t:g}" for t in times}
    over_t = Panel(
        *traces,
        now,
        x=(0.45, 0.73),
        title="Correlation of ŝ with s",
        key="<br>".join(key(words, style, "both") for words, style in _CURVES.values()),
        xaxis=axis("time t, λ held", tuple(np.log10([400, 2030])), type="log", ticks=log),
        yaxis=axis(range=(0, 1), ticks=0.2),
    )
    falling = {lr: f"{lr:g}" for lr in rates()}
    over_gamma = Panel(
        *curve(
            _BY_RATE,
            palette.DIRECTIONAL,
            rates(),
            "%{y:.2f}<extra></extra>",
            count=count,
            cliponaxis=False,
        ),
        x=(0.82, 1),
        title="The same by γ",
        xaxis=axis(
            f"γ, falling, t = {times[0]:g}",
            tuple(np.log10([0.225, 0.0445])),
            type="log",
            ticks=falling,
        ),
        yaxis=axis(range=(0, 1), ticks=0.2),
    )
    margin = {"l": 56, "r": 16, "t": 128, "b": 52}
    return panels(survivors, over_t, over_gamma, height=430, margin=margin)


def _time(setting: tuple[float, float], t: float) -> tuple[dict, str]:
    found, by_rate = over_time(*setting), over_rates(*setting)
    seed, times = about("seeds")[0], about("times")
    one, at = ended(*setting, t, seed), times.index(t)
    row: dict[str, object] = {
        "survivors.x": one.s,
        "survivors.y": _drawn(one),
        "now.x": [t, t],
        "now.y": [0, 1],
        "layout.title.text": (
            f"{named(*setting)}, t = {t:g}: correlation {writing.decimal(found['correlation'][at].mean())}"
        ),
    }
    for name in _CURVES:
        row |= along(name, found[name])
    row |= along(_BY_RATE, by_rate)
    here = {name: float(values[at].mean()) for name, values in found.items()}
    return row, (
        f"At t = {t:g} the correlation is {writing.decimal(here['correlation'])} in the mean of the seeds. Given size "
        f"and layer {writing.decimal(here['partial'])} are left, of shuffled scores "
        f"{writing.decimal(here['partial, shuffled'])}. With the cut-off {cut(about('cutoff'))} it is "
        f"{writing.decimal(here['cut-off'])}."
    )


def _drawn(one: Ended) -> np.ndarray:
    """ŝ, [D], NaN where a weight is zero: every row has as many dots."""
    drawn = np.full(len(one.sgd), np.nan)
    drawn[one.alive] = one.estimates()
    return drawn
