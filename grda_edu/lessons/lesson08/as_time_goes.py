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
    key,
    line,
    palette,
    panels,
    writing,
)

from .curves import along, curve, named
from .finite import about, ended, over_rates, over_time, rates, seeds, settings
from .scatter import survivors_panel

_CUT = palette.Style(palette.INK, "dash", "square")
_GIVEN = palette.DIRECTIONAL._replace(dash="dash", symbol="diamond-open")
_CURVES = {  # name in ``over_time`` -> words, style
    "correlation": ("finite time", palette.DIRECTIONAL),
    "partial": ("finite time, partial", _GIVEN),
    "size": ("size alone", palette.TARGET),
    "cut-off": ("a fixed cut-off", _CUT),
    "moving cut-off": ("a cut-off like 1/t", _CUT._replace(dash="dot", symbol="square-open")),
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
    times, count = about("times"), len(seeds())
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
    margin = {"l": 56, "r": 16, "t": 164, "b": 52}
    return panels(
        survivors_panel("Survivors", (0, 0.34)), over_t, over_gamma, height=448, margin=margin
    )


def _time(setting: tuple[float, float], t: float) -> tuple[dict, str]:
    found, by_rate = over_time(*setting), over_rates(*setting)
    one, at = ended(*setting, t, seeds()[0]), about("times").index(t)
    row: dict[str, object] = {
        "survivors.x": one.s,
        "survivors.y": one.estimates(),
        "now.x": [t, t],
        "now.y": [0, 1],
        "layout.title.text": (
            f"{named(*setting)}, t = {t:g}: correlation {writing.decimal(found['correlation'][at].mean())}"
        ),
    }
    for name in _CURVES:
        row |= along(name, found[name])
    row |= along(_BY_RATE, by_rate)
    here = {name: writing.decimal(values[at].mean()) for name, values in found.items()}
    return row, (
        f"At t = {t:g} the correlation is {here['correlation']}, and {here['partial']} given size and layer, means of the "
        f"seeds. Size alone has {here['size']}. The slope is {here['slope']}. gRDA has "
        f"{writing.percent(found['zeros'][at].mean(), 0)} zeros."
    )
