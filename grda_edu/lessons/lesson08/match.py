"""Lesson 08's evidence: predicted against actual weights, γ falling, losses at equal zeros."""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.lessons.lesson08.data import (
    SETTINGS,
    about,
    array,
    cutoffs,
    ended,
    ended_later,
    heading,
    lrs,
    or_none,
    pairs,
    power,
    seeds,
    short,
    train_loss,
)

C, MU = SETTINGS[0]

# ------------------------------------------------- third figure: predicted against actual

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


# ------------------------------------------------- fourth figure: γ falls


def falling_gamma() -> Explorable:
    """Correlation, cosines and growth for every recorded γ at the same t, with all seeds."""
    options = {f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in SETTINGS}
    fixed = [(c, mu) for mu in about("mu") for c in about("fixed_c")]
    options |= {f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in fixed}
    return Explorable(
        _gamma_figure,
        _gamma,
        {
            "setting": Choice(options, label="c (at γ = 0.1) and μ"),
            "cutoff": Slider(cutoffs(), label="cut-off", format=power, start=1e-3),
        },
        label="As γ falls at the same time t: correlation of ŝ with s, cosines, and growth",
    )


_CURVES = {  # trace -> (panel, style, held?)
    "correlation, c fixed": (1, palette.DIRECTIONAL),
    "correlation, λ held": (1, palette.GRDA),
    "correlation, s shuffled": (1, palette.TARGET),
    "cosine, directional": (2, palette.DIRECTIONAL),
    "cosine, soft": (2, palette.OBS),
    "grew, s < 0": (3, palette.DIRECTIONAL),
    "grew, s > 0": (3, palette.MAGNITUDE),
}


def _gamma_figure() -> go.Figure:
    x = lrs()
    traces = []
    for name, (panel, style) in _CURVES.items():
        axes = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
        axes = {key: value.removesuffix("1") for key, value in axes.items()}
        dot = {"color": style.color, "symbol": style.symbol, "size": 8}
        traces += [
            go.Scatter(
                name=name,
                x=x,
                mode="lines+markers",
                line=style.line(2.5),
                marker=dot,
                cliponaxis=False,
                hovertemplate=f"{name}: %{{y:.2f}}<extra></extra>",
                **axes,
            ),
            go.Scatter(
                name=f"{name}, seeds",
                x=np.repeat(x, len(seeds())),
                mode="markers",
                marker=dot | {"size": 5},
                opacity=0.5,
                cliponaxis=False,
                hoverinfo="skip",
                **axes,
            ),
            go.Scatter(
                name=f"{name}, t doubled",
                x=[about("main_lr")],
                mode="markers",
                marker={"color": style.color, "symbol": "star-open", "size": 13, "line_width": 2},
                cliponaxis=False,
                hoverinfo="skip",
                **axes,
            ),
        ]
    rate = {
        "type": "log",
        "range": [np.log10(0.235), np.log10(0.0212)],
        "tickvals": x,
        "ticktext": [f"{lr:g}" for lr in x],
        "title_text": "γ, falling",
    }
    return palette.figure(
        *traces,
        height=430,
        margin={"l": 48, "r": 16, "t": 128, "b": 52},
        xaxis=rate | {"domain": [0, 0.28], "anchor": "y"},
        yaxis={"range": [-0.2, 1.0], "anchor": "x", "dtick": 0.2},
        xaxis2=rate | {"domain": [0.37, 0.64], "anchor": "y2"},
        yaxis2={"range": [0.4, 1.0], "anchor": "x2", "dtick": 0.1},
        xaxis3=rate | {"domain": [0.73, 1], "anchor": "y3"},
        yaxis3={"range": [-0.02, 0.62], "anchor": "x3", "tickformat": ".0%"},
        annotations=[
            heading(
                "<b>Correlation of ŝ with s</b><br>"
                + "<br>".join(
                    coloured(words, style)
                    for words, style in (
                        ("◆ c fixed, so λ falls", palette.DIRECTIONAL),
                        ("● λ held", palette.GRDA),
                        ("+ s shuffled", palette.TARGET),
                    )
                ),
                0,
                1.0,
            ),
            heading(
                "<b>Cosine with gRDA's move</b><br>"
                + coloured("◆ directional pruning", palette.DIRECTIONAL)
                + "<br>"
                + coloured("× soft-thresholding,<br>   gRDA's zeros", palette.OBS),
                0.37,
                1.0,
            ),
            heading(
                "<b>Survivors that grew</b><br>"
                + coloured("◆ where s < 0", palette.DIRECTIONAL)
                + "<br>"
                + coloured("▲ where s > 0", palette.MAGNITUDE)
                + "<br>☆ t doubled",
                0.73,
                1.0,
            ),
        ],
    )


@cache
def along_gamma(c: float, mu: float, cutoff: float) -> dict[str, np.ndarray]:
    """Each curve of the figure: [rates + 1, seeds], the last row t doubled at the main rate."""
    held_there = [tuple(pair) for pair in about("held")]
    rows: dict[str, list] = {name: [] for name in _CURVES}
    for lr in [*lrs(), None]:
        cells = [ended(c, mu, s, lr) if lr else ended_later(c, mu, s) for s in seeds()]
        found = [one.evidence(cutoff) for one in cells]
        if lr is None:
            held = [np.nan] * len(cells)
        elif (c, mu) in held_there:
            held = [ended(c, mu, s, lr, held=True).evidence(cutoff).correlation for s in seeds()]
        else:
            held = [np.nan] * len(cells)
        soft = [one.match(one.predictions()["soft"]).cosine for one in cells]
        rows["correlation, c fixed"].append([e.correlation for e in found])
        rows["correlation, λ held"].append(held)
        rows["correlation, s shuffled"].append([one.shuffled(cutoff).correlation for one in cells])
        rows["cosine, directional"].append(
            [one.match(one.directional(cutoff)).cosine for one in cells]
        )
        rows["cosine, soft"].append(soft)
        rows["grew, s < 0"].append([e.grew_where_negative for e in found])
        rows["grew, s > 0"].append([e.grew_where_positive for e in found])
    return {name: np.array(values) for name, values in rows.items()}


def _gamma(setting: tuple[float, float], cutoff: float) -> tuple[dict, str]:
    c, mu = setting
    curves = along_gamma(c, mu, cutoff)
    row: dict[str, object] = {}
    for name, values in curves.items():
        row[f"{name}.y"] = values[:-1].mean(axis=1)
        row[f"{name}, seeds.y"] = values[:-1].ravel()
        row[f"{name}, t doubled.y"] = [values[-1].mean()]
    means = curves["correlation, c fixed"].mean(axis=1)
    words = ", ".join(f"{short(m)} at γ = {lr:g}" for m, lr in zip(means[:-1], lrs(), strict=True))
    row["layout.title.text"] = (
        f"c = {c:g}, μ = {mu:g}, t = {about('t'):g}: means of {len(seeds())} seeds"
    )
    held = curves["correlation, λ held"].mean(axis=1)[:-1]
    and_held = (
        f" With λ held: {short(held[0])} to {short(held[-1])}." if np.isfinite(held).all() else ""
    )
    return row, (
        f"c = {c:g}, μ = {mu:g}, cut-off {power(cutoff)}, means of {len(seeds())} seeds: correlation {words}."
        f"{and_held} Shuffled, it stays within {np.abs(curves['correlation, s shuffled'].mean(axis=1)).max():.2f} of zero. "
        f"At γ = {about('main_lr'):g} with t doubled: {short(means[-1])}."
    )


# ------------------------------------------------- what it costs, and the table of evidence

_PRICED = {  # recorded loss -> (words, style)
    "gRDA": ("gRDA", palette.GRDA),
    "directional at zeros": ("directional", palette.DIRECTIONAL),
    "magnitude": ("magnitude", palette.MAGNITUDE),
    "soft": ("soft-thresholding", palette.OBS),
}


def losses_at_equal_zeros() -> Explorable:
    """Training loss after pruning to gRDA's number of zeros, at every recorded (c, μ)."""
    means = f"mean of {len(seeds())} seeds"
    return Explorable(
        _losses_figure,
        _losses,
        {"seed": Choice({means: -1} | {f"seed {s}": s for s in seeds()}, label="show")},
        label="Training loss of four networks with the same number of zeros",
    )


def _losses_figure() -> go.Figure:
    traces = [
        go.Scatter(
            name=name,
            mode="lines+markers",
            line=style.line(2),
            marker={"color": style.color, "symbol": style.symbol, "size": 10},
            hovertemplate=words + ": %{y:.3g}<extra></extra>",
        )
        for name, (words, style) in _PRICED.items()
    ]
    legend = "   ".join(
        coloured(f"{mark} {words}", style)
        for mark, (words, style) in zip("●◆▲×", _PRICED.values(), strict=True)
    )
    return palette.figure(
        *traces,
        height=400,
        margin={"l": 64, "r": 20, "t": 84, "b": 52},
        xaxis={"range": [0, 1], "tickformat": ".0%", "title_text": "weights exactly zero"},
        yaxis={"type": "log", "range": [-2.7, 0.1], "title_text": "training loss", "dtick": 1}
        | {"tickformat": "~g"},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": palette.SGD.line(1.5)}],
        annotations=[
            heading(f"{legend}   {coloured('╌ SGD, no zeros', palette.SGD)}", 0, 1.0),
        ],
    )


@cache
def priced(seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Zeros of gRDA, rising, and each network's training loss there; geometric means for seed -1."""
    of = seeds() if seed < 0 else [seed]
    zeros = np.array([[ended(*pair, s).zeros for s in of] for pair in pairs()]).mean(axis=1)
    order = np.argsort(zeros)
    losses = {
        name: np.array([[train_loss(name, *pair, s) for s in of] for pair in pairs()])
        for name in _PRICED
    }
    return zeros[order], {n: np.exp(np.log(v).mean(axis=1))[order] for n, v in losses.items()}


def crossover(seed: int) -> float:
    """The share of zeros from which on gRDA's loss stays below magnitude pruning's; NaN if never."""
    zeros, losses = priced(seed)
    wins = losses["gRDA"] < losses["magnitude"]
    from_here = np.logical_and.accumulate(wins[::-1])[::-1]
    return float(zeros[from_here][0]) if from_here.any() else np.nan


def _losses(seed: int) -> tuple[dict, str]:
    zeros, losses = priced(seed)
    row: dict[str, object] = {}
    for name, values in losses.items():
        row[f"{name}.x"], row[f"{name}.y"] = zeros, values
    sgd = array("sgd_loss")
    plain = float(np.exp(np.log(sgd).mean()) if seed < 0 else sgd[seeds().index(seed)])
    row["layout.shapes[0].y0"] = row["layout.shapes[0].y1"] = plain
    where = crossover(seed)
    wins = (
        f"From {where:.0%} zeros on, gRDA is below magnitude pruning"
        if np.isfinite(where)
        else "At no number of zeros is gRDA below magnitude pruning for good"
    )
    row["layout.title.text"] = wins
    told = "; ".join(
        f"at {zeros[k]:.0%} zeros gRDA {losses['gRDA'][k]:.2g}, directional pruning "
        f"{losses['directional at zeros'][k]:.2g}, magnitude {losses['magnitude'][k]:.2g}, "
        f"soft-thresholding {losses['soft'][k]:.2g}"
        for k in (0, len(zeros) // 2, len(zeros) - 1)
    )
    who = f"geometric means of {len(seeds())} seeds" if seed < 0 else f"seed {seed}"
    return (
        row,
        f"Training loss, {who}: {told}. SGD without zeros: {plain:.2g}. {wins}.",
    )
