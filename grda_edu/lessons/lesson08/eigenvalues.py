"""The spectrum of the Hessian along SGD's way, and the rank of P0 as the cut-off slides."""

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
    dots,
    key,
    keys,
    line,
    note,
    palette,
    panels,
    writing,
)
from grda_edu.explore.layout import box, rule

from .curves import cut
from .numbers import about, array, at, seeds

FLAT_FILL = "rgba(0, 158, 115, 0.16)"  # what lies below the cut-off
_LEAST = 1e-8  # eigenvalues smaller than this are drawn as zero: single precision knows no better
_CUTS = np.round(np.geomspace(1e-6, 1, 25), 12)
_RANK = "%{y:.0f}<extra></extra>"
_FLOOR, _ROOF = -8.0, 9.6  # ends of the axis of eigenvalues, as ``signed_log`` writes them


@veiled("08.how_flat")
def spectrum() -> Explorable:
    """All eigenvalues with their signs, and the rank of P0 as the cut-off slides."""
    return Explorable(
        _spectrum_figure,
        _spectrum,
        {
            "seed": Choice({f"seed {s}": s for s in seeds()}, label="random seed"),
            "cutoff": Slider(_CUTS.tolist(), label="cut-off", format=cut, start=1e-3),
            "t": Slider(about("times"), label="time t", format="g", start=about("t"), play=True),
        },
        label="The 1,370 eigenvalues of the Hessian, and how many lie below a cut-off",
    )


def signed_log(values: np.ndarray) -> np.ndarray:
    """Decades above ``_LEAST`` with the sign of the value, 0 for what is smaller."""
    size = np.log10(np.maximum(np.abs(values), _LEAST) / _LEAST)
    return np.sign(values) * size


def _spectrum_figure() -> go.Figure:
    count = array("values").shape[-1]
    ticks = np.array([-1e-1, -1e-3, -1e-5, 0, 1e-5, 1e-3, 1e-1, 10])
    places = dict(zip(signed_log(ticks), map(_tick, ticks), strict=True))
    flat = palette.DIRECTIONAL.color  # a solid line: the rank is no method
    values = Panel(
        dots("eigenvalues", palette.INK, size=3.5, x=np.arange(1, count + 1)),
        x=(0, 0.52),
        title="Eigenvalues, signs kept",
        xaxis=axis("eigenvalue, in order", (-20, count + 20)),
        yaxis=axis("its value", (_FLOOR, _ROOF), ticks=places, title_standoff=2),
    )
    faint: dict[str, Any] = {"width": 1, "opacity": 0.5, "x": _CUTS}
    other = [
        line(f"rank at t = {t:g}", palette.MUTED, hovertemplate=f"t = {t:g}: {_RANK}", **faint)
        for t in about("times")
    ]
    here = dots("here", palette.DIRECTIONAL, size=12, outline=2)
    rank = Panel(
        *other,
        line("rank now", flat, width=3, x=_CUTS),
        here,
        x=(0.66, 1),
        title="Rank",
        key=keys(key("at this t", flat), key("at other times", palette.MUTED)),
        xaxis=axis(
            "cut-off", (-6.4, 0.4), log=True, ticks={v: cut(v) for v in (1e-6, 1e-4, 1e-2, 1)}
        ),
        yaxis=axis("rank of P<sub>0</sub>", (0, count + 50)),
    )
    return panels(
        values,
        rank,
        height=420,
        margin={"l": 72, "r": 20, "t": 76, "b": 52},
        shapes=[
            box(FLAT_FILL, (0, 0), (_FLOOR, _ROOF)),
            rule(palette.DIRECTIONAL, y=0, width=2, layer="above"),
        ],
        notes=[note(300, -7.6, key("flat: below the cut-off", palette.DIRECTIONAL, "bar"))],
    )


def _tick(value: float) -> str:
    return writing.power(value) if abs(value) < 0.001 else f"{value:g}".replace("-", "−")


def _spectrum(seed: int, cutoff: float, t: float) -> tuple[dict, str]:
    k, n = seeds().index(seed), at(about("times"), t)
    values = array("values")[k]
    ranks = np.array([np.searchsorted(at_time, _CUTS) for at_time in values])
    now, j = values[n], at(_CUTS.tolist(), cutoff)
    rank, negative = int(ranks[n, j]), int((now[: ranks[n, j]] < -_LEAST).sum())
    dead, shift = (int(counted) for counted in array("symmetries")[k, n])
    level = float(signed_log(np.array(cutoff)))
    row: dict[str, object] = {
        "eigenvalues.y": signed_log(now),
        "rank now.y": ranks[n],
        "here.x": [cutoff],
        "here.y": [rank],
        "layout.shapes[0].x1": rank + 0.5,
        "layout.shapes[1].y0": level,
        "layout.shapes[1].y1": level,
        "layout.title.text": f"P<sub>0</sub> has rank {rank:,} of {len(now):,} at t = {t:g}",
    }
    for m, time in enumerate(about("times")):
        row[f"rank at t = {time:g}.y"] = ranks[m]
    sentence = (
        f"{rank:,} of {len(now):,} eigenvalues lie below the cut-off, {negative} of them negative, the lowest "
        f"{writing.significant(now[0])}. Flat exactly and for a known reason are "
        f"{writing.count(dead, 'dead weight')} and {writing.count(shift, 'shift')} of all ten outputs."
    )
    if rank in (0, len(now)):
        sentence += " Nothing is flat." if rank == 0 else " Everything is flat."
    return row, sentence
