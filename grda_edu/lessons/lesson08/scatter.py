"""Predicted against actual weights, for directional pruning and every control."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.numbers import (
    SETTINGS,
    about,
    ended,
    heading,
    or_none,
    seeds,
    short,
)

C, MU = SETTINGS[0]


PREDICTORS = {  # key -> (label, style, what it knows)
    "directional": ("directional pruning", palette.DIRECTIONAL),
    "identity": ("P0 = I, the same λ", palette.BAND_EDGE),
    "soft": ("soft-thresholding, gRDA's zeros", palette.OBS),
    "random": ("a random P0 of equal rank", palette.TARGET),
    "shuffled": ("s shuffled", palette.MAGNITUDE),
    "constant": ("s constant, its mean", palette.SGD),
}
_FACTORS = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0]


def predicted_and_actual() -> Explorable:
    """Weights predicted from SGD's against gRDA's, for directional pruning and each control."""
    return Explorable(
        _match_figure,
        _matched,
        {
            "prediction": Choice(
                {label: key for key, (label, *_) in PREDICTORS.items()}, label="prediction"
            ),
            "c": Slider(about("c"), label="c", format="g", start=C),
            "mu": Slider(about("mu"), label="μ", format="g", start=MU),
            "factor": Slider(_FACTORS, label="λ, times the theorem's", format="g", start=1.0),
        },
        label="Predicted against actual weights, scores against gRDA's move, and all controls",
    )


_METRICS = {  # which number of a prediction -> marker, words
    "cosine": ("square", "cosine of the moves"),
    "deviation": ("triangle-up", "cosine of the deviations"),
    "correlation": ("circle", "correlation of ŝ with s"),
}


def _match_figure() -> go.Figure:
    dots = {"mode": "markers", "hoverinfo": "skip"}
    labels = [label for label, *_ in PREDICTORS.values()]
    reach = 1.6
    picture = palette.figure(
        go.Scatter(name="equal", x=[-3, 3], y=[-3, 3], mode="lines", hoverinfo="skip").update(
            line=palette.TARGET.line(1.2)
        ),
        go.Scatter(name="weights", marker={"color": palette.GRDA.color, "size": 4}, **dots).update(
            opacity=0.55
        ),
        go.Scatter(
            name="survivors",
            marker={"color": palette.DIRECTIONAL.color, "size": 4},
            xaxis="x2",
            yaxis="y2",
            **dots,
        ).update(opacity=0.5),
        *(
            go.Scatter(
                name=metric,
                y=labels,
                marker={"color": palette.INK, "symbol": symbol, "size": 10, "opacity": 0.9},
                mode="markers",
                xaxis="x3",
                yaxis="y3",
                hovertemplate=words + " %{x:.2f}<extra></extra>",
            )
            for metric, (symbol, words) in _METRICS.items()
        ),
        go.Scatter(
            name="chosen",
            mode="markers",
            marker={"symbol": "line-ns-open", "size": 20, "color": palette.GRDA.color}
            | {"line": {"width": 4}},
            xaxis="x3",
            yaxis="y3",
            hoverinfo="skip",
        ),
        height=660,
        margin={"l": 60, "r": 20, "t": 76, "b": 48},
        xaxis={"domain": [0, 0.44], "anchor": "y", "range": [-reach, reach]}
        | {"title_text": "gRDA's weight"},
        yaxis={"domain": [0.54, 1], "anchor": "x", "range": [-reach, reach]}
        | {"title_text": "predicted weight", "title_standoff": 2},
        xaxis2={"domain": [0.57, 1], "anchor": "y2", "range": [-1.6, 2.6]}
        | {"title_text": "score s of the prediction"},
        yaxis2={"domain": [0.54, 1], "anchor": "x2", "range": [-3.2, 4.2]}
        | {"title_text": "ŝ, read off gRDA's move", "title_standoff": 2},
        xaxis3={"domain": [0.34, 1], "anchor": "y3", "range": [-0.25, 1.02], "dtick": 0.25}
        | {"tickformat": ".2~f"},
        yaxis3={"domain": [0, 0.33], "anchor": "x3", "autorange": "reversed", "type": "category"}
        | {"ticks": "", "categoryarray": labels},
        annotations=[
            heading("<b>All weights</b>", 0, 1.0),
            heading("<b>Survivors</b>: does s say how they moved?", 0.57, 1.0),
            heading(
                "<b>All predictions</b>   ■ cosine of the moves   ▲ of the deviations   ● correlation of ŝ with s",
                0,
                0.345,
            ),
        ],
    )
    return picture


def _matched(prediction: str, c: float, mu: float, factor: float) -> tuple[dict, str]:
    seed = seeds()[0]
    one = ended(c, mu, seed)
    alive = (one.grda != 0) & (one.sgd != 0)
    estimates = np.where(alive, -np.sign(one.sgd) * (one.grda - one.sgd) / one.lam, np.nan)
    made = one.predictions(factor)
    scores = one.scores()
    matches = {name: one.match(predicted) for name, predicted in made.items()}
    correlations = {
        name: one.evidence_of(s).correlation if s is not None else np.nan
        for name, s in scores.items()
    }
    label, style = PREDICTORS[prediction]
    drawn = scores[prediction]
    row: dict[str, object] = {
        "weights.x": one.grda,
        "weights.y": made[prediction],
        "weights.marker.color": style.color,
        "survivors.x": np.full(len(alive), 1.0) if drawn is None else drawn,
        "survivors.y": estimates,
        "survivors.marker.color": style.color,
        "cosine.x": [matches[name].cosine for name in PREDICTORS],
        "deviation.x": [matches[name].deviation for name in PREDICTORS],
        "correlation.x": [correlations[name] for name in PREDICTORS],
        "chosen.x": [-0.21],
        "chosen.y": [label],
        "layout.title.text": f"{coloured(label, style)}: cosine {short(matches[prediction].cosine)}, "
        f"correlation {or_none(correlations[prediction])}",
    }
    ours, soft = matches["directional"], matches["soft"]
    loses = soft.cosine > ours.cosine
    goal = (
        "Goal reached: here plain soft-thresholding has the higher cosine."
        if loses and factor == 1
        else "Goal not reached."
    )
    return row, (
        f"Seed {seed}, c = {c:g}, μ = {mu:g} ({one.zeros:.0%} zeros), λ = {factor * one.lam:.3f}. {label}: cosine of the "
        f"moves {short(matches[prediction].cosine)}, of the deviations {or_none(matches[prediction].deviation)}, "
        f"correlation of ŝ with s {or_none(correlations[prediction])}, {matches[prediction].zeros:.0%} zeros. "
        f"Beside it: directional pruning's cosine is {short(ours.cosine)}, that of soft-thresholding at gRDA's zeros "
        f"{short(soft.cosine)}. {goal}"
    )
