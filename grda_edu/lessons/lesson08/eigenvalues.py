"""The spectrum of the Hessian where SGD stopped, and what the scores are worth as the cut-off slides."""

from __future__ import annotations

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
    note,
    palette,
    panels,
    writing,
)
from grda_edu.explore.layout import box, rule

from .curves import along, curve, cut, setting_choice
from .numbers import about, array, at, by_cutoff, cutoffs, end, seeds

FLAT_FILL = "rgba(0, 158, 115, 0.16)"  # what lies below the cut-off
_LEAST = 1e-8  # eigenvalues smaller than this are drawn as zero: single precision knows no better
_FLOOR, _ROOF = -8.0, 9.6  # ends of the axis of eigenvalues, as ``signed_log`` writes them


@veiled("08.how_flat")
def spectrum() -> Explorable:
    """All eigenvalues with their signs, and the correlation of ŝ with s as the cut-off slides."""
    return Explorable(
        _spectrum_figure,
        _spectrum,
        {
            "setting": setting_choice(),
            "cutoff": Slider(cutoffs(), label="cut-off", format=cut, start=about("main_cutoff")),
        },
        label="The 1,370 eigenvalues of the Hessian, and what the scores are worth at a cut-off",
    )


def signed_log(values: np.ndarray) -> np.ndarray:
    """Decades above ``_LEAST`` with the sign of the value, 0 for what is smaller."""
    size = np.log10(np.maximum(np.abs(values), _LEAST) / _LEAST)
    return np.sign(values) * size


def _spectrum_figure() -> go.Figure:
    values = _at_end()
    ticks = np.array([-1e-1, -1e-3, -1e-5, 0, 1e-5, 1e-3, 1e-1, 10])
    places = dict(zip(signed_log(ticks), map(_tick, ticks), strict=True))
    shown = Panel(
        dots(
            "eigenvalues",
            palette.INK,
            size=3.5,
            x=np.arange(1, len(values) + 1),
            y=signed_log(values),
        ),
        x=(0, 0.54),
        title="Eigenvalues, signs kept",
        xaxis=axis("eigenvalue, in order", (-20, len(values) + 20)),
        yaxis=axis("its value", (_FLOOR, _ROOF), ticks=places, title_standoff=2),
    )
    words, style = "mean; small dots: seeds", palette.DIRECTIONAL
    worth = Panel(
        *curve("correlation", style, cutoffs(), "%{y:.2f}<extra></extra>", cliponaxis=False),
        dots("here", palette.INK, size=15, hollow=True, outline=2.5, cliponaxis=False),
        x=(0.68, 1),
        title="Correlation of ŝ with s",
        key=key(words, style, "both"),
        xaxis=axis(
            "cut-off", (-5.3, -0.7), log=True, ticks={v: cut(v) for v in (1e-5, 1e-3, 1e-1)}
        ),
        yaxis=axis(range=(-0.1, 1), ticks=0.2),
    )
    return panels(
        shown,
        worth,
        height=400,
        margin={"l": 72, "r": 20, "t": 76, "b": 52},
        shapes=[
            box(FLAT_FILL, (0, 0), (_FLOOR, _ROOF)),
            rule(palette.DIRECTIONAL, y=0, width=2, layer="above"),
        ],
        notes=[note(300, -7.6, key("flat: below the cut-off", palette.DIRECTIONAL, "bar"))],
    )


def _tick(value: float) -> str:
    return writing.power(value) if abs(value) < 0.001 else f"{value:g}".replace("-", "−")


def _at_end() -> np.ndarray:
    """The first seed's eigenvalues where SGD stopped, rising: [D]."""
    return array("values")[0, end()]


def _spectrum(setting: tuple[float, float], cutoff: float) -> tuple[dict, str]:
    values, found, place = _at_end(), by_cutoff(*setting), at(cutoffs(), cutoff)
    rank, level = int((values < cutoff).sum()), float(signed_log(np.array(cutoff)))
    here = float(found["correlation"][place].mean())
    correlation, percent = writing.decimal(here), writing.percent(rank / len(values), 0)
    row: dict[str, object] = {
        **along("correlation", found["correlation"]),
        "here.x": [cutoff],
        "here.y": [here],
        "layout.shapes[0].x1": rank + 0.5,
        "layout.shapes[1].y0": level,
        "layout.shapes[1].y1": level,
        "layout.title.text": f"Cut-off {cut(cutoff)}: {percent} flat, correlation {correlation}",
    }
    negative = int((values < -_LEAST).sum())
    return row, (
        f"{rank:,} of {len(values):,} eigenvalues lie below the cut-off {cut(cutoff)}, {negative} of them below zero. The "
        f"correlation of ŝ with these scores is {correlation}, the mean of {len(seeds())} seeds."
    )
