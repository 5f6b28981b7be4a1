"""Scores against gRDA's move, for finite time and for everything that might explain it away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Goal,
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
    palette,
    panels,
    writing,
)
from grda_edu.explore.panel import Ends

from .curves import named
from .finite import COMPARED, MEASURES, ceiling, compared, ended, first, scores_of, seeds, settings

KNOWS = ("finite", "decay", "cut-off")  # the Hessian; all others know less
LABELS = {  # of ``COMPARED`` -> words, as short as a row's name
    "finite": "finite time, F(tH)",
    "decay": "finite time, e⁻ᵗᴴ",
    "cut-off": "P₀, cut-off 0.001",
    "size": "size alone, −|w|",
    "symmetries": "exact symmetries",
    "random": "random subspace",
    "in layers": "s shuffled within layers",
    "soft": "soft-thresholding",
}
WORDS = {  # of ``MEASURES``
    "cosine": "cosine of the moves",
    "correlation": "correlation",
    "slope": "slope",
    "auc": "AUC",
    "partial": "partial correlation",
}
_ALL = "All of them, small dots: seeds"
_KEYS = (
    key("knows the Hessian", palette.DIRECTIONAL, "mark"),
    key("a control", palette.TARGET, "mark"),
)
CLOSE, APART = 0.05, 0.3  # how near a control's mean must come, how far all their seeds must stay


@veiled("08.size_alone")
def scores_and_moves() -> Explorable:
    """ŝ against the scores s or a control, and every control by one measure at a time, with all seeds."""
    demo = Explorable(
        _figure,
        _row,
        {
            "scores": Choice({label: name for name, label in LABELS.items()}, label="scores"),
            "setting": Slider(
                range(len(settings())), label="c and μ", format=lambda k: named(*settings()[int(k)])
            ),
            "measure": Slider(
                range(len(MEASURES)), label="measure", format=lambda k: WORDS[MEASURES[int(k)]]
            ),
        },
        label="Scores against gRDA's move, and all controls beside them, by five measures",
        goals=[
            Goal(
                f"the case against the theorem: a control, blind to the Hessian, whose mean comes within {CLOSE:g} of finite "
                "time's, at a setting and in a measure of your choice.",
                _against,
                name="08.against",
            ),
            Goal(
                f"what cannot be explained away: a measure in which finite time's worst seed is more than {APART:g} above "
                "every control's best.",
                _left,
                name="08.left",
            ),
        ],
    )
    return keep_goals(demo)


def _measured(name: str, setting: float, measure: float) -> np.ndarray:
    return compared(name, *settings()[int(setting)])[MEASURES[int(measure)]]


def _against(scores: str, setting: float, measure: float) -> bool:
    """Does the chosen control come close to finite time?"""
    ours, its = (_measured(name, setting, measure).mean() for name in ("finite", scores))
    return bool(scores not in KNOWS and its > ours - CLOSE)


def _left(scores: str, setting: float, measure: float) -> bool:
    """Are all controls far below finite time, whatever the seed?"""
    others = [_measured(name, setting, measure) for name in COMPARED if name not in KNOWS]
    best = max(np.nanmax(values) for values in others if not np.isnan(values).all())
    return bool(_measured("finite", setting, measure).min() > best + APART)


# ------------------------------------------------- panels, the live figure's too


def weights_panel(title: str, x: Ends, under: Sequence[go.Scatter] = ()) -> Panel:
    """Trace "weights": a prediction against gRDA's weights, with the line where both are equal.

    under: traces that are drawn first.
    """
    return Panel(
        line("equal", palette.TARGET, width=1.2, x=[-3, 3], y=[-3, 3]),
        *under,
        dots("weights", palette.GRDA, size=4, opacity=0.55),
        x=x,
        title=title,
        key=key("both alike", palette.TARGET),
        xaxis=axis("gRDA's weight", (-1.6, 1.6)),
        yaxis=axis("predicted weight", (-1.6, 1.6), title_standoff=2),
    )


def survivors_panel(title: str, x: Ends, under: Sequence[go.Scatter] = ()) -> Panel:
    """Trace "survivors": ŝ against scores, over the traces ``under``."""
    return Panel(
        line("same", palette.TARGET, width=1.2, x=[-3, 3], y=[-3, 3]),
        *under,
        dots("survivors", palette.DIRECTIONAL.color, size=4, opacity=0.5),
        x=x,
        title=title,
        key=key("ŝ = s", palette.TARGET),
        xaxis=axis("score s", (-1.6, 2.2)),
        yaxis=axis("ŝ, read off gRDA's move", (-2.2, 3.2), title_standoff=2),
    )


# ------------------------------------------------- the figure


def _figure() -> go.Figure:
    labels, of = list(LABELS.values()), len(seeds())
    colors = [palette.DIRECTIONAL.color if n in KNOWS else palette.TARGET.color for n in COMPARED]
    symbols = ["diamond" if n in KNOWS else palette.TARGET.symbol for n in COMPARED]
    drawn: dict[str, Any] = {"y": labels, "marker_color": colors, "marker_symbol": symbols}
    each: dict[str, Any] = {"y": np.repeat(labels, of), "marker_color": np.repeat(colors, of)}
    rows = axis(type="category", categoryarray=labels, autorange="reversed") | {"ticks": ""}
    measured = Panel(
        line("ceiling", palette.INK, width=1.2),
        dots("measured, seeds", palette.INK, size=5, opacity=0.6, cliponaxis=False, **each),
        dots("measured", palette.INK, size=11, outline=1.5, cliponaxis=False, **drawn),
        dots("chosen", palette.INK, size=20, hollow=True, outline=2, cliponaxis=False),
        x=(0.68, 1),
        at=(0.46, 1),
        title=_ALL,
        key=keys(*_KEYS),
        xaxis=axis(range=(-0.25, 1.35), ticks=0.25, tickformat=".2~f"),
        yaxis=rows,
    )
    survivors = survivors_panel("Survivors", (0, 0.38))
    return panels(survivors, measured, height=420, margin={"l": 56, "r": 20, "t": 76, "b": 52})


def _row(scores: str, setting: float, measure: float) -> tuple[dict, str]:
    c, mu = settings()[int(setting)]
    one, kind = ended(c, mu, first(), seeds()[0]), MEASURES[int(measure)]
    s, words = scores_of(scores, one, mu), WORDS[kind]
    values = {name: compared(name, c, mu)[kind] for name in COMPARED}
    means = {name: values[name].mean() for name in COMPARED}
    label = LABELS[scores]
    style = palette.DIRECTIONAL if scores in KNOWS else palette.TARGET
    top = ceiling(c, mu) if kind == "correlation" else np.nan
    row: dict[str, object] = {
        "survivors.x": np.ones(len(one.sgd)) if s is None else s,
        "survivors.y": one.estimates(),
        "survivors.marker.color": style.color,
        "measured.x": list(means.values()),
        "measured, seeds.x": np.concatenate(list(values.values())),
        "chosen.x": [-0.2 if np.isnan(means[scores]) else means[scores]],
        "chosen.y": [label],
        "ceiling.x": [top, top],
        "ceiling.y": [LABELS["finite"], LABELS["soft"]],
        "layout.title.text": f"{coloured(label, style)}: {words} {writing.decimal(means[scores])}",
    }
    ours, its = values["finite"], values[scores]
    noise = [key("all that noise leaves", palette.INK)] if np.isfinite(top) else []
    row[heading_key(1)] = heading(_ALL, keys(*_KEYS, *noise))
    least, most = (writing.decimal(end) for end in (its.min(), its.max()))
    spread = "undefined" if np.isnan(its).all() else f"{least} to {most} over the seeds"
    told = f"{label}, {words}: {spread}."
    if scores != "finite":
        told += f" Finite time has {writing.span(ours.min(), ours.max())}."
    if np.isfinite(top):
        told += f" Two orders of the images leave {writing.decimal(top)} at most."
    return row, told
