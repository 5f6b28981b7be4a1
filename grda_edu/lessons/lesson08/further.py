"""Lesson 08, going further: the ladder from the closed form to gRDA, the cut-off, the steep directions."""

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
    heading,
    or_none,
    pairs,
    power,
    rung,
    seeds,
    short,
    train_loss,
)

# ------------------------------------------------- the ladder

RUNGS = {  # name of the recorded loss -> words; from what knows least to gRDA
    "identity": "control: P0 = I, the same λ",
    "constant": "control: s constant",
    "shuffled": "control: s shuffled",
    "random": "control: a random P0",
    "soft": "control: soft, gRDA's zeros",
    "directional": "1  closed form",
    "flat": "2  ℓ1 on the floor, w_flat",
    "twin": "3  quadratic twin",
    "path": "4  twin along SGD's path",
    "gRDA": "gRDA itself",
}
_MEASURES = {"cosine": "x", "overlap": "x2", "loss": "x3"}


@cache
def ladder_of(c: float, mu: float) -> dict[str, np.ndarray]:
    """Cosine of the moves, overlap of the zeros, training loss: [rungs, seeds] each."""
    values: dict[str, list] = {name: [] for name in _MEASURES}
    for name in RUNGS:
        rows: dict[str, list] = {measure: [] for measure in _MEASURES}
        for seed in seeds():
            one = ended(c, mu, seed)
            found = one.match(predicted(name, c, mu, seed))
            rows["cosine"].append(found.cosine)
            rows["overlap"].append(found.overlap)
            rows["loss"].append(train_loss(name, c, mu, seed))
        for measure, row in rows.items():
            values[measure].append(row)
    return {measure: np.array(rows) for measure, rows in values.items()}


def predicted(name: str, c: float, mu: float, seed: int) -> np.ndarray:
    """The weights of a rung or control at the main rate: [D]."""
    one = ended(c, mu, seed)
    if name == "gRDA":
        return one.grda
    recorded_as = {"flat": "flat", "twin": "twin", "path": "along"}
    if name in recorded_as:
        return rung(recorded_as[name], c, mu, seed)
    return one.predictions()[name]


def ladder() -> Explorable:
    """Every rung and control for a recorded (c, μ): cosine, overlap of zeros, training loss."""
    main = [*SETTINGS, *(pair for pair in pairs() if pair not in SETTINGS)]
    return Explorable(
        _ladder_figure,
        _ladder,
        {"setting": Choice({f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in main}, label="c and μ")},
        label="The ladder from the closed form to gRDA: cosine, overlap of zeros, training loss",
    )


def _ladder_figure() -> go.Figure:
    words = list(RUNGS.values())
    colors = [
        palette.TARGET.color if text.startswith("control") else palette.DIRECTIONAL.color
        for text in words
    ]
    colors[-1] = palette.GRDA.color
    symbols = ["circle-open" if text.startswith("control") else "diamond" for text in words]
    symbols[-1] = "circle"
    traces = []
    for measure, axis in _MEASURES.items():
        axes = {"xaxis": axis, "yaxis": axis.replace("x", "y"), "mode": "markers"}
        traces += [
            go.Scatter(
                name=f"{measure}, seeds",
                y=np.repeat(words, len(seeds())),
                marker={"color": np.repeat(colors, len(seeds())), "size": 5},
                opacity=0.6,
                hoverinfo="skip",
                cliponaxis=False,
                **axes,
            ),
            go.Scatter(
                name=measure,
                y=words,
                marker={"color": colors, "symbol": symbols, "size": 11}
                | {"line": {"width": 1.5, "color": palette.PAPER}},
                hovertemplate=measure + " %{x:.3g}<extra></extra>",
                cliponaxis=False,
                **axes,
            ),
        ]
    rows = {"autorange": "reversed", "type": "category", "ticks": "", "categoryarray": words}
    return palette.figure(
        *traces,
        height=430,
        margin={"l": 16, "r": 24, "t": 76, "b": 52},
        xaxis={"domain": [0.3, 0.52], "anchor": "y", "range": [0.45, 1.03], "dtick": 0.25}
        | {"title_text": "larger is closer"},
        yaxis={"anchor": "x", **rows, "automargin": False},
        xaxis2={"domain": [0.57, 0.77], "anchor": "y2", "range": [0.45, 1.03], "dtick": 0.25}
        | {"title_text": "larger is closer"},
        yaxis2={"anchor": "x2", **rows, "showticklabels": False},
        xaxis3={"domain": [0.82, 1], "anchor": "y3", "type": "log", "range": [-2.6, 1.2]}
        | {"dtick": 1, "tickformat": "~g", "title_text": "smaller is better"},
        yaxis3={"anchor": "x3", **rows, "showticklabels": False},
        annotations=[
            heading("<b>Cosine</b> of the moves", 0.3, 1.0),
            heading("<b>Overlap</b> of the zeros", 0.57, 1.0),
            heading("<b>Training loss</b>", 0.82, 1.0),
        ],
    )


def _ladder(setting: tuple[float, float]) -> tuple[dict, str]:
    c, mu = setting
    values = ladder_of(c, mu)
    row: dict[str, object] = {}
    for measure, found in values.items():
        mean = np.exp(np.log(found).mean(axis=1)) if measure == "loss" else found.mean(axis=1)
        row[f"{measure}.x"], row[f"{measure}, seeds.x"] = mean, found.ravel()
    zeros = np.mean([ended(c, mu, s).zeros for s in seeds()])
    names = list(RUNGS)

    def told(name: str) -> str:
        k = names.index(name)
        return f"{short(row['cosine.x'][k])} (loss {row['loss.x'][k]:.2g})"  # type: ignore[index]

    climb = " → ".join(
        short(row["cosine.x"][names.index(name)])  # type: ignore[index]
        for name in ("directional", "flat", "twin", "path")
    )
    row["layout.title.text"] = f"c = {c:g}, μ = {mu:g}, {zeros:.0%} zeros: cosine {climb}"
    return row, (
        f"c = {c:g}, μ = {mu:g}. Cosine with gRDA's move: closed form {told('directional')}, w_flat {told('flat')}, "
        f"quadratic twin {told('twin')}, twin along the path {told('path')}; beside them soft-thresholding at gRDA's "
        f"zeros {told('soft')} and a random P0 {told('random')}. gRDA's own loss: {row['loss.x'][-1]:.2g}."  # type: ignore[index]
    )


# ------------------------------------------------- the cut-off


def cutoff_matters() -> Explorable:
    """Correlation, cosine and rank for every recorded cut-off; a drop-down for (c, μ)."""
    main = [*SETTINGS, *(pair for pair in pairs() if pair not in SETTINGS)]
    return Explorable(
        _cutoff_figure,
        _cutoff,
        {"setting": Choice({f"c = {c:g}, μ = {mu:g}": (c, mu) for c, mu in main}, label="c and μ")},
        label="How much the cut-off matters: correlation of ŝ with s, cosine, and the rank of P0",
    )


_BY_CUTOFF = {
    "correlation": palette.DIRECTIONAL,
    "cosine": palette.GRDA,
    "share": palette.SGD,
    "rank": palette.TARGET,
}


def _cutoff_figure() -> go.Figure:
    traces = []
    for name, style in _BY_CUTOFF.items():
        line, dot = style.line(), {"color": style.color, "symbol": style.symbol, "size": 9}
        traces += [
            go.Scatter(name=name, x=cutoffs(), mode="lines+markers", line=line, marker=dot).update(
                hovertemplate=f"{name} %{{y:.2f}}<extra></extra>"
            ),
            go.Scatter(
                name=f"{name}, seeds",
                x=np.repeat(cutoffs(), len(seeds())),
                mode="markers",
                marker=dot | {"size": 5},
                opacity=0.5,
                hoverinfo="skip",
            ),
        ]
    legend = (
        ("◆ correlation of ŝ with s", palette.DIRECTIONAL),
        ("● cosine of the moves", palette.GRDA),
        ("■ share of sign(w) that is flat", palette.SGD),
        ("+ rank, as a share", palette.TARGET),
    )
    return palette.figure(
        *traces,
        height=360,
        margin={"l": 52, "r": 20, "t": 76, "b": 52},
        xaxis={"type": "log", "title_text": "cut-off: eigenvalues below it count as flat"}
        | {"tickvals": cutoffs(), "ticktext": [power(v) for v in cutoffs()]},
        yaxis={"range": [-0.05, 1.02], "dtick": 0.25, "tickformat": ".2~f"},
        shapes=[
            {"type": "line", "x0": 1 / about("t"), "x1": 1 / about("t"), "yref": "paper"}
            | {"y0": 0, "y1": 1, "line": {"color": palette.MUTED, "width": 1.5, "dash": "dot"}}
        ],
        annotations=[
            {"x": np.log10(1 / about("t")), "y": 0.02, "yref": "paper", "xanchor": "left"}
            | {"text": " 1/t", "showarrow": False, "yanchor": "bottom", "font": {"size": 13}},
            heading("   ".join(coloured(text, style) for text, style in legend), 0, 1.0),
        ],
    )


def _cutoff(setting: tuple[float, float]) -> tuple[dict, str]:
    c, mu = setting
    cells = [ended(c, mu, s) for s in seeds()]
    found = {
        "correlation": [[one.evidence(cut).correlation for one in cells] for cut in cutoffs()],
        "cosine": [[one.match(one.directional(cut)).cosine for one in cells] for cut in cutoffs()],
        "share": [[one.score(cut).sum() / len(one.sgd) for one in cells] for cut in cutoffs()],
        "rank": [[one.rank[k] / len(one.sgd) for one in cells] for k in range(len(cutoffs()))],
    }
    row: dict[str, object] = {}
    for name, values in found.items():
        row[f"{name}.y"] = np.mean(values, axis=1)
        row[f"{name}, seeds.y"] = np.ravel(values)
    means = np.mean(found["correlation"], axis=1)
    best, falls = int(np.argmax(means)), int(np.argmin(np.diff(means)))
    flat, rank = np.diff(np.mean(found["share"], axis=1)), np.diff(np.mean(found["rank"], axis=1))
    row["layout.title.text"] = (
        f"c = {c:g}, μ = {mu:g}: largest correlation at cut-off {power(cutoffs()[best])}"
    )
    told = ", ".join(
        f"{or_none(m)} at {power(cut)}" for m, cut in zip(means, cutoffs(), strict=True)
    )
    return row, (
        f"c = {c:g}, μ = {mu:g}, means of {len(seeds())} seeds: correlation of ŝ with s {told}. It falls most "
        f"between {power(cutoffs()[falls])} and {power(cutoffs()[falls + 1])}, where P0's rank grows by "
        f"{rank[falls]:.1%} of all directions, and the flat share of sign(w) by {100 * flat[falls]:.0f} points."
    )


# ------------------------------------------------- the steep directions over training


def steep_share() -> Explorable:
    """Share of gRDA's move in the top-k eigenspace over training, and of two others."""
    return Explorable(
        _steep_figure,
        _steep,
        {
            "mu": Choice({f"{m:g}": m for m in about("mu")}, label="μ"),
            "k": Slider(
                [1, 2, 3, 5, 10, 20, 50], label="k steepest directions", start=10, format="g"
            ),
            "c": Slider(about("c"), label="c", format="g", start=about("c")[-1]),
        },
        label="Share of the move in the k steepest directions, over training",
    )


_MOVES = {
    "grda": ("gRDA", palette.GRDA),
    "magnitude": ("magnitude pruning of SGD", palette.MAGNITUDE),
}


def _steep_figure() -> go.Figure:
    times = about("times")[1:]
    traces = []
    for name, (words, style) in _MOVES.items():
        dot = {"color": style.color, "symbol": style.symbol, "size": 9}
        traces += [
            go.Scatter(
                name=name, x=times, mode="lines+markers", line=style.line(), marker=dot
            ).update(hovertemplate=words + " %{y:.3f}<extra></extra>"),
            go.Scatter(
                name=f"{name}, seeds",
                x=np.repeat(times, len(seeds())),
                mode="markers",
                marker=dot | {"size": 5},
                opacity=0.5,
                hoverinfo="skip",
            ),
        ]
    line = go.Scatter(
        name="random", x=times, mode="lines", line=palette.TARGET.line(2), hoverinfo="skip"
    )
    legend = (
        ("● gRDA's move", palette.GRDA),
        ("▲ magnitude pruning of SGD, gRDA's zeros", palette.MAGNITUDE),
        ("─ a random direction, √(k/D)", palette.TARGET),
    )
    return palette.figure(
        *traces,
        line,
        height=380,
        margin={"l": 60, "r": 20, "t": 76, "b": 52},
        xaxis={"type": "log", "title_text": "time t = nγ", "tickvals": times}
        | {"ticktext": [f"{t:g}" for t in times]},
        yaxis={"type": "log", "range": [-3, 0.1], "dtick": 1, "title_text": "share ‖P d‖ / ‖d‖"}
        | {"tickformat": "~g"},
        annotations=[heading("   ".join(coloured(text, style) for text, style in legend), 0, 1.0)],
    )


def shares(name: str, c: float, mu: float, k: int) -> np.ndarray:
    """Share of a recorded move in the top-k eigenspace of its own time: [seeds, times but the first]."""
    return array(f"shares/{name}")[:, :, pairs().index((c, mu)), k - 1]


def _steep(mu: float, k: float, c: float) -> tuple[dict, str]:
    k = int(k)
    row: dict[str, object] = {}
    ends = {}
    for name in _MOVES:
        found = shares(name, c, mu, k)
        row[f"{name}.y"] = np.nanmean(found, axis=0)
        row[f"{name}, seeds.y"] = found.T.ravel()
        ends[name] = found.mean(axis=0)[-2]
    chance = float(np.sqrt(k / array("values").shape[-1]))
    row["random.y"] = np.full(len(about("times")) - 1, chance)
    row["layout.title.text"] = (
        f"At t = {about('t'):g} the {k} steepest directions hold {ends['grda']:.1%} of gRDA's move"
    )
    first = float(np.nanmean(shares("grda", c, mu, k)[:, 0]))
    return row, (
        f"c = {c:g}, μ = {mu:g}, k = {k}, means of {len(seeds())} seeds: gRDA's share goes from {first:.3f} at t = "
        f"{about('times')[1]:g} to {ends['grda']:.3f} at t = {about('t'):g}; there magnitude pruning's is "
        f"{ends['magnitude']:.3f}, a random direction's {chance:.3f}."
    )
