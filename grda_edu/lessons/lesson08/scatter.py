"""Predicted against actual weights, for directional pruning and every control."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals
from grda_edu.explore import (
    Choice,
    Explorable,
    Goal,
    Panel,
    Slider,
    axis,
    coloured,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
    writing,
)
from grda_edu.explore.panel import Ends

from .numbers import SETTINGS, about, ended, seeds

PREDICTORS = {  # prediction -> label, style
    "directional": ("directional pruning", palette.DIRECTIONAL),
    "identity": ("P₀ = I, the same λ", palette.OBS),
    "soft": ("soft-thresholding, gRDA's zeros", palette.SOFT),
    "random": ("a random P₀ of equal rank", palette.TARGET),
    "shuffled": ("s shuffled", palette.MAGNITUDE),
    "constant": ("s constant, its mean", palette.SGD),
}
_METRICS = {  # which number of a prediction -> its mark, words
    "cosine": (palette.Style(palette.INK, "solid", "square"), "cosine of the moves"),
    "deviation": (palette.Style(palette.INK, "solid", "triangle-up"), "cosine of the deviations"),
    "correlation": (palette.Style(palette.INK, "solid", "circle"), "correlation of ŝ with s"),
}
_FACTORS = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0]


def predicted_and_actual() -> Explorable:
    """Weights predicted from SGD's against gRDA's, for directional pruning and each control."""
    (c, mu), *_ = SETTINGS
    demo = Explorable(
        _match_figure,
        _matched,
        {
            "prediction": Choice(
                {label: name for name, (label, _) in PREDICTORS.items()}, label="prediction"
            ),
            "c": Slider(about("c"), label="c", format="g", start=c),
            "mu": Slider(about("mu"), label="μ", format="g", start=mu),
            "factor": Slider(_FACTORS, label="λ, times the theorem's", format="g", start=1.0),
        },
        label="Predicted against actual weights, scores against gRDA's move, and all controls",
        goals=[
            Goal(
                "the case against the theorem: c and μ where soft-thresholding, blind to the loss, has a higher cosine "
                "than directional pruning, at the theorem's λ.",
                lambda prediction, c, mu, factor: factor == 1 and _soft_wins(c, mu),
                name="08.against",
            )
        ],
    )
    return keep_goals(demo)


@cache
def _soft_wins(c: float, mu: float) -> bool:
    """Has soft-thresholding the higher cosine, at the theorem's λ?"""
    one = ended(c, mu, seeds()[0])
    made = one.predictions(1.0)
    return one.match(made["soft"]).cosine > one.match(made["directional"]).cosine


def weights_panel(title: str, x: Ends, y: Ends = (0, 1), under: Sequence[go.Scatter] = ()) -> Panel:
    """Trace "weights": a prediction against gRDA's weights, with the line where both are equal.

    under: traces that are drawn first.
    """
    return Panel(
        line("equal", palette.TARGET, width=1.2, x=[-3, 3], y=[-3, 3]),
        *under,
        dots("weights", palette.GRDA, size=4, opacity=0.55),
        x=x,
        y=y,
        title=title,
        key=key("both alike", palette.TARGET),
        xaxis=axis("gRDA's weight", (-1.6, 1.6)),
        yaxis=axis("predicted weight", (-1.6, 1.6), title_standoff=2),
    )


def survivors_panel(
    title: str, x: Ends, y: Ends = (0, 1), under: Sequence[go.Scatter] = ()
) -> Panel:
    """Trace "survivors": ŝ against the scores of a prediction, over the traces ``under``."""
    return Panel(
        line("same", palette.TARGET, width=1.2, x=[-3.2, 4.2], y=[-3.2, 4.2]),
        *under,
        dots("survivors", palette.DIRECTIONAL.color, size=4, opacity=0.5),
        x=x,
        y=y,
        title=title,
        key=key("ŝ = s", palette.TARGET),
        xaxis=axis("score s of the prediction", (-1.6, 2.6)),
        yaxis=axis("ŝ, read off gRDA's move", (-3.2, 4.2), title_standoff=2),
    )


def _match_figure() -> go.Figure:
    labels = [label for label, _ in PREDICTORS.values()]
    weights = weights_panel("All weights", (0, 0.44), (0.54, 1))
    scores = survivors_panel("Survivors: does s say how they moved?", (0.57, 1), (0.54, 1))
    mark: dict[str, Any] = {"size": 10, "opacity": 0.9, "y": labels}
    marks = [
        dots(name, style, hovertemplate=words + " %{x:.2f}<extra></extra>", **mark)
        for name, (style, words) in _METRICS.items()
    ]
    chosen = palette.Style(palette.INK, "solid", "line-ns")
    compared = Panel(
        *marks,
        dots("chosen", chosen, size=20, hollow=True, outline=4),
        x=(0.34, 1),
        y=(0, 0.33),
        at=(0, 0.41),
        title="All predictions",
        key=keys(*(key(words, style, "mark") for style, words in _METRICS.values())),
        xaxis=axis(range=(-0.25, 1.02), ticks=0.25, tickformat=".2~f"),
        yaxis=axis(type="category", categoryarray=labels, autorange="reversed") | {"ticks": ""},
    )
    margin = {"l": 60, "r": 20, "t": 76, "b": 48}
    return panels(weights, scores, compared, height=520, margin=margin)


def _matched(prediction: str, c: float, mu: float, factor: float) -> tuple[dict, str]:
    seed = seeds()[0]
    one = ended(c, mu, seed)
    made, scores = one.predictions(factor), one.scores()
    matches = {name: one.match(predicted) for name, predicted in made.items()}
    correlations = {
        name: np.nan if s is None else one.evidence_of(s).correlation for name, s in scores.items()
    }
    label, style = PREDICTORS[prediction]
    drawn, shown = scores[prediction], matches[prediction]
    cosine = writing.decimal(shown.cosine)
    correlation = writing.decimal(correlations[prediction])
    row: dict[str, object] = {
        "weights.x": one.grda,
        "weights.y": made[prediction],
        "weights.marker.color": style.color,
        "survivors.x": np.ones(len(one.sgd)) if drawn is None else drawn,
        "survivors.y": one.estimates(),
        "survivors.marker.color": style.color,
        "cosine.x": [matches[name].cosine for name in PREDICTORS],
        "deviation.x": [matches[name].deviation for name in PREDICTORS],
        "correlation.x": [correlations[name] for name in PREDICTORS],
        "chosen.x": [-0.21],
        "chosen.y": [label],
        "layout.title.text": f"{coloured(label, style)}: cosine {cosine}, correlation {correlation}",
    }
    ours, soft = matches["directional"].cosine, matches["soft"].cosine
    return row, (
        f"{label}: cosine of the moves {cosine}, of the deviations {writing.decimal(shown.deviation)}, correlation of ŝ with s "
        f"{correlation}, {writing.percent(shown.zeros, 0)} zeros. Directional pruning's cosine is {writing.decimal(ours)}, that "
        f"of soft-thresholding at gRDA's zeros {writing.decimal(soft)}."
    )
