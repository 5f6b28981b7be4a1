"""Lesson 12: the theorem on a quarter of a million weights, by Hessian products alone."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu import recordings
from grda_edu.course import veiled
from grda_edu.explore import (
    Choice,
    Explorable,
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
from grda_edu.geometry.evidence import noise_ceiling, score_estimates
from grda_edu.studies.resnet import KINDS

DRAWN = 1000  # of the weights whose scores are recorded
KNOWS = ("batch", "fixed")  # the Hessian
LABELS = {
    "batch": "F(tH), batch's statistics",
    "fixed": "F(tH), fixed statistics",
    "scale, batch": "scale directions alone",
    "size": "size alone, −|w|",
    "batch, shuffled in layers": "s shuffled within layers",
    "soft": "soft-thresholding",
}
SCORED = ("batch", "fixed", "scale, batch")  # what the left side can show
WORDS = {
    "slope": "slope",
    "correlation": "correlation",
    "partial": "partial correlation",
    "beyond scale": "partial, beyond scale directions",
    "auc": "AUC",
    "cosine": "cosine of the moves",
}
_KEYS = (
    key("knows the Hessian", palette.DIRECTIONAL, "mark"),
    key("a control", palette.TARGET, "mark"),
)


@cache
def recording() -> recordings.Measurements:
    return recordings.load_measurements("resnet20")


def about(name: str) -> Any:
    """One of the study's settings."""
    return recording().configuration[name]


def array(name: str) -> np.ndarray:
    """One of the arrays, in double precision."""
    return recording().arrays[name].astype(np.float64)


def settings() -> list[tuple[float, float]]:
    """The recorded (c, μ)."""
    return [(c, mu) for c, mu in about("pairs")]


def measured(row: str, setting: int, among: int, measure: str) -> np.ndarray:
    """One number of the evidence for every seed; NaN where it says nothing.

    among: 0 for all survivors, 1 for those that are too large to die.
    """
    k, m = about("rows").index(row), about("measures").index(measure)
    return array("evidence")[:, setting, among, k, m]


def survivors(row: str, setting: int, among: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and ŝ of those survivors of seed 0 that are drawn, filled up with NaN: [DRAWN] each."""
    sgd, grda = array("sample/sgd")[0], array("sample/grda")[0, setting]
    lam, mu = float(array("lam")[0, setting]), settings()[setting][1]
    large = np.abs(sgd) > about("clear") * lam * among
    alive = np.flatnonzero((sgd != 0) & (grda != 0) & large)
    drawn = min(DRAWN, len(alive))
    alive = alive[np.arange(drawn) * len(alive) // drawn]  # of all layers
    s = array(f"sample/{row}")[0, about("mus").index(mu)]
    found = np.full((2, DRAWN), np.nan)  # one length for every row of the figure
    found[:, :drawn] = s[alive], score_estimates(sgd, grda, lam)[alive]
    return found[0], found[1]


def spread(setting: int, among: int) -> np.ndarray:
    """Mean and deviation over them, mean of the seeds: of ŝ, and of each that knows the Hessian."""
    found = array("spread")[:, setting, among].mean(axis=0)
    order = ["estimates", *KINDS]
    return np.array([found[order.index(name)] for name in ("estimates", *KNOWS)])


@cache
def ceiling(setting: int, among: int) -> float:
    """The highest correlation that any score can have, from two orders of the images; NaN if not recorded."""
    ordered = about("ordered")
    if setting or not ordered:
        return np.nan
    k, lam = about("seeds").index(ordered[0]), float(array("lam")[0, setting])
    ends = [
        (array(f"{what}/sgd")[at], array(f"{what}/grda")[at, 0])
        for what, at in (("sample", k), ("order", 0))
    ]
    least = about("clear") * lam * among
    both = np.logical_and.reduce([(np.abs(a) > least) & (b != 0) for a, b in ends])
    one, other = (score_estimates(sgd, grda, lam)[both] for sgd, grda in ends)
    return noise_ceiling(one, other)


NEAR = 0.2  # how near to 1 a score is close to it


def near_one() -> tuple[float, float]:
    """Share of the scores that are close to 1: of ResNet-20, and of the small CNN of lesson 08."""
    ours = array("sample/batch")[:, 0]
    small = recordings.load_measurements("finite_time").arrays["time/s"][:, 0, 0]
    shares = [float((np.abs(s - 1) < NEAR).mean()) for s in (ours, small.astype(float))]
    return shares[0], shares[1]


# ------------------------------------------------- the figure


@veiled("12.scores")
def many_weights() -> Explorable:
    """ŝ against scores of a ResNet-20, and the controls beside them, one measure at a time."""
    return Explorable(
        _figure,
        _row,
        {
            "scores": Choice({LABELS[name]: name for name in SCORED}, label="scores"),
            "setting": Slider(
                range(len(settings())),
                label="c and μ",
                format=lambda k: "c = {:g}, μ = {:g}".format(*settings()[int(k)]),
            ),
            "among": Slider(range(2), label="weights", format=_which),
            "measure": Slider(
                range(len(WORDS)), label="measure", format=lambda k: list(WORDS.values())[int(k)]
            ),
        },
        label="ResNet-20: scores against gRDA's move, and controls beside them, by six measures",
    )


def _which(among: float) -> str:
    return f"|w| > {about('clear'):g}λ" if among else "all survivors"


def _figure() -> go.Figure:
    labels, of = list(LABELS.values()), len(about("seeds"))
    knows = [name in KNOWS for name in LABELS]
    colors = [(palette.DIRECTIONAL if k else palette.TARGET).color for k in knows]
    symbols = [(palette.DIRECTIONAL if k else palette.TARGET).symbol for k in knows]
    drawn: dict[str, Any] = {"y": labels, "marker_color": colors, "marker_symbol": symbols}
    each: dict[str, Any] = {"y": np.repeat(labels, of), "marker_color": np.repeat(colors, of)}
    rows = axis(type="category", categoryarray=labels, autorange="reversed") | {"ticks": ""}
    return panels(
        Panel(
            line("same", palette.TARGET, width=1.2, x=[-3, 3.5], y=[-3, 3.5]),
            dots("survivors", palette.DIRECTIONAL.color, size=4, opacity=0.5),
            x=(0, 0.36),
            title="Some of the survivors",
            key=key("ŝ = s", palette.TARGET),
            xaxis=axis("score s", (-0.5, 2.5)),
            yaxis=axis("ŝ, read off gRDA's move", (-1.5, 3.5), title_standoff=2),
        ),
        Panel(
            line("ceiling", palette.INK, width=1.2),
            dots("measured, seeds", palette.INK, size=5, opacity=0.6, cliponaxis=False, **each),
            dots("measured", palette.INK, size=11, outline=1.5, cliponaxis=False, **drawn),
            dots("chosen", palette.INK, size=20, hollow=True, outline=2, cliponaxis=False),
            x=(0.68, 1),
            at=(0.44, 1),
            title="All of them, small dots: seeds",
            key=keys(*_KEYS),
            xaxis=axis(range=(-0.25, 1.85), ticks=0.5, tickformat=".1f"),
            yaxis=rows,
        ),
        height=400,
        margin={"l": 56, "r": 20, "t": 76, "b": 52},
    )


def _row(
    scores: str, setting: float, among: float, measure: float
) -> tuple[dict[str, object], str]:
    k, n, kind = int(setting), int(among), list(WORDS)[int(measure)]
    s, estimates = survivors(scores, k, n)
    values = {name: measured(name, k, n, kind) for name in LABELS}
    means = {name: found.mean() for name, found in values.items()}
    style = palette.DIRECTIONAL if scores in KNOWS else palette.TARGET
    top = ceiling(k, n) if kind == "correlation" else np.nan
    noise = [key("all that noise leaves", palette.INK)] if np.isfinite(top) else []
    row: dict[str, object] = {
        "survivors.x": s,
        "survivors.y": estimates,
        "survivors.marker.color": style.color,
        "measured.x": list(means.values()),
        "measured, seeds.x": np.concatenate(list(values.values())),
        "chosen.x": [-0.2 if np.isnan(means[scores]) else means[scores]],
        "chosen.y": [LABELS[scores]],
        "ceiling.x": [top, top],
        "ceiling.y": [LABELS["batch"], LABELS["soft"]],
        heading_key(1): heading("All of them, small dots: seeds", keys(*_KEYS, *noise)),
        "layout.title.text": f"{coloured(LABELS[scores], style)}: {WORDS[kind]} "
        f"{writing.decimal(means[scores])}",
    }
    of_estimates, *of_scores = spread(k, n)
    told = f"{LABELS[scores]}, {WORDS[kind]}: " + (
        "undefined."
        if np.isnan(means[scores])
        else f"{writing.span(values[scores].min(), values[scores].max())} over the seeds."
    )
    if scores in KNOWS:
        mean, deviation = of_scores[KNOWS.index(scores)]
        s_varies, varies = writing.decimal(deviation), writing.decimal(of_estimates[1])
        if kind == "correlation":
            told += f" Over these weights s varies by {s_varies}, ŝ by {varies}."
        else:
            told += f" Over these weights s is {writing.decimal(mean)} ± {s_varies}, "
            told += f"ŝ {writing.decimal(of_estimates[0])} ± {varies}."
    if np.isfinite(top):
        told += f" Two orders of the images leave {writing.decimal(top)}."
    return row, told
