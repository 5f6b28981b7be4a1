"""Lesson 06: recorded recipes beside plain gRDA, over epochs."""

from __future__ import annotations

from collections.abc import Mapping

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
    dots,
    heading,
    heading_key,
    key,
    keys,
    palette,
    panels,
)
from grda_edu.explore.layout import rule
from grda_edu.explore.writing import percent, span
from grda_edu.studies.recipes import CONSTANT, STEP, recipe_name

from .looks import DROP, line_and_band, line_and_band_row
from .numbers import (
    COMPARED,
    DIGITS,
    GOAL_ZEROS,
    PLAIN,
    curves,
    drop_after,
    final,
    is_goal,
    nearest,
    partner,
    recorded,
    strengths,
)

_CURVES = ("test_accuracy", "train_loss", "total_zeros")
_LINES = {"SGD": palette.SGD, "plain gRDA": palette.TARGET, "this": palette.GRDA}
_DEEPEST = 0.94  # mean accuracies below it are drawn at the lower edge


def recipes(name: str = DIGITS) -> Explorable:
    """Recorded recipes over epochs and at their end; a list of recipes, sliders for c and schedule."""
    runs, values = recorded(name), strengths(name)
    there = [method for method in COMPARED if strengths(name, method)]
    controls: dict[str, Slider | Choice] = {
        "method": Choice({method: method for method in there}, label="recipe"),
        "c": Slider(values, label="c", format="g", start=0.01),
    }
    if partner(PLAIN, CONSTANT) in runs.recipes:
        controls["step"] = Slider(
            [0, 1], label="learning rate", format=lambda step: _rate_words(name, step)
        )
    goal = Goal(
        f"{percent(GOAL_ZEROS, 0)} zeros for less than one point of accuracy under the falling learning rate, "
        "in the mean of three seeds.",
        lambda method, c, step=1: (
            bool(step) and is_goal(name, method, nearest(method, c, name), STEP)
        ),
        name="06.sparse",
    )
    demo = Explorable(
        lambda: _recipes_figure(name),
        lambda **controls: _recipes(name, **controls),
        controls,
        label=f"Recorded training recipes, {name.split('_')[0]}: accuracy, loss, zeros, and where they end",
        goals=[goal] if name == DIGITS else [],
    )
    return keep_goals(demo)


def _rate_words(name: str, step: float) -> str:
    return f"÷ 10 after epoch {drop_after(name)}" if step else "constant"


def _recipes_figure(name: str) -> go.Figure:
    epochs = recorded(name).epoch
    right, loss, zeros = (
        [t for of, style in _LINES.items() for t in line_and_band(f"{of} {curve}", style, epochs)]
        for curve in _CURVES
    )
    joined = palette.GRDA.line(1.5)
    ends = (
        dots("all ends", palette.MUTED, size=6, opacity=0.5),
        dots("this recipe's ends", palette.GRDA, mode="lines+markers", line=joined),
        dots("this end", palette.GRDA, hollow=True, size=14, outline=3),
        dots("SGD's end", palette.SGD, size=10),
    )
    time, share = axis(range=(0, epochs[-1])), axis(share=True)
    zero = axis("weights exactly zero", (-0.04, 1.04), share=True, ticks=0.25, zeroline=False)
    heights = {_DEEPEST: f"≤ {_DEEPEST:.0%}"} | {k / 100: f"{k}%" for k in (96, 98, 100)}
    left, half, upper, lower = (0, 0.44), (0.56, 1), (0.58, 0.91), (0, 0.36)
    return panels(
        Panel(*right, x=left, y=upper, xaxis=time, yaxis=share),
        Panel(*loss, x=half, y=upper, xaxis=time, yaxis=axis(range=(-4.2, 0.6), log=True)),
        Panel(*zeros, x=left, y=lower, xaxis=time | axis("epoch"), yaxis=share),
        Panel(
            *ends,
            x=half,
            y=lower,
            xaxis=zero,
            yaxis=axis(range=(_DEEPEST - 0.004, 1), ticks=heights),
        ),
        height=550,
        margin={"l": 56, "r": 20, "t": 40, "b": 48},
        shapes=[rule(DROP, -1, width=1, panel=k) for k in range(3)],
    )


def _recipes(name: str, method: str, c: float, step: float = 1) -> tuple[dict, str]:
    schedule = STEP if step else CONSTANT
    asked, c = c, nearest(method, c, name)
    chosen = {
        "SGD": partner(method, schedule),
        "plain gRDA": recipe_name(PLAIN, c, schedule),
        "this": recipe_name(method, c, schedule),
    }
    row: dict[str, object] = {}
    for curve in _CURVES:
        for label, recipe in chosen.items():
            by_seed = curves(curve, name)[recipe]
            if curve == "train_loss":
                by_seed = np.maximum(by_seed, 1e-5)
            row |= line_and_band_row(f"{label} {curve}", by_seed)
    row |= _ends(name, method, c, schedule) | _headings(method, chosen["SGD"])
    at = drop_after(name) if step else -1
    for k in range(3):
        row[f"layout.shapes[{k}].x0"] = row[f"layout.shapes[{k}].x1"] = at
    zeros = final("total_zeros", chosen["this"], name).mean()
    right = final("test_accuracy", chosen["this"], name)
    row["layout.yaxis.range"] = [0.9 if right.min() > 0.9 else 0.0, 1.0]
    row["layout.title.text"] = (
        f"{method}, c = {c:g}: {percent(zeros)} zeros, {percent(right.mean())} right"
    )
    sentence = _recipe_sentence(name, chosen)
    if asked != c:
        sentence = f"{method} was not recorded with this c: the nearest is shown. {sentence}"
    return row, sentence


def _ends(name: str, method: str, c: float, schedule: str) -> dict[str, object]:
    """Where the recipes end: zeros and accuracy, means over seeds."""

    def ends(recipes: list[str]) -> tuple[list[float], list[float]]:
        zeros = [float(final("total_zeros", r, name).mean()) for r in recipes]
        right = [float(final("test_accuracy", r, name).mean()) for r in recipes]
        return zeros, [max(a, _DEEPEST) for a in right]

    every = [recipe_name(m, v, schedule) for m in COMPARED for v in strengths(name, m)]
    parts = {
        "all ends": every,
        "this recipe's ends": [recipe_name(method, v, schedule) for v in strengths(name, method)],
        "this end": [recipe_name(method, c, schedule)],
        "SGD's end": [partner(method, schedule)],
    }
    row: dict[str, object] = {}
    for label, recipes in parts.items():
        row[f"{label}.x"], row[f"{label}.y"] = ends(recipes)
    return row


def _headings(method: str, partner: str) -> dict[str, object]:
    """The panels' headings, which name the lines."""
    gray = key("plain gRDA", palette.TARGET)
    texts = (
        heading("Test images read right", key(_method_of(partner), palette.SGD)),
        heading("Loss on the training images", keys(key(method, palette.GRDA), gray)),
        heading("Weights that are exactly zero"),
        heading("Where they end", beside="test images read right"),
    )
    return {heading_key(k): text for k, text in enumerate(texts)}


def _method_of(recipe: str) -> str:
    return recipe.split(",")[0]


def _recipe_sentence(name: str, chosen: Mapping[str, str]) -> str:
    zeros, right = (final(q, chosen["this"], name) for q in ("total_zeros", "test_accuracy"))
    sgd = final("test_accuracy", chosen["SGD"], name)
    return (
        f"Recorded on {recorded(name).device}: from seed to seed {_spread(zeros)} zeros and {_spread(right)} of "
        f"the test images right, {_method_of(chosen['SGD'])} {_spread(sgd)}."
    )


def _spread(values: np.ndarray) -> str:
    return span(values.min(), values.max(), percent)
