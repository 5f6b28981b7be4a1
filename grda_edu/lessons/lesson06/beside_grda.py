"""Lesson 06: recorded recipes beside plain gRDA, over epochs and as a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.explore.writing import percent
from grda_edu.studies.recipes import CONSTANT, MU, STEP, recipe_name

from .looks import drop_line, line_and_band, stretch
from .numbers import (
    COMPARED,
    DIGITS,
    METHODS,
    PLAIN,
    C,
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
    return Explorable(
        lambda: _recipes_figure(name),
        lambda **controls: _recipes(name, **controls),
        controls,
        label=f"Recorded training recipes, {name.split('_')[0]}: accuracy, loss, zeros, and where they end",
    )


def _rate_words(name: str, step: float) -> str:
    return f"÷ 10 after epoch {drop_after(name)}" if step else "constant"


def _recipes_figure(name: str) -> go.Figure:
    epochs = recorded(name).epoch
    lines = [
        trace
        for label, style in _LINES.items()
        for k, curve in enumerate(_CURVES, start=1)
        for trace in line_and_band(f"{label} {curve}", style, epochs, "" if k == 1 else str(k))
    ]
    last = {"xaxis": "x4", "yaxis": "y4", "hoverinfo": "skip"}
    ends = [
        go.Scatter(
            name="all ends", mode="markers", marker={"color": palette.MUTED, "size": 6}, **last
        ).update(opacity=0.5),
        go.Scatter(
            name="this recipe's ends",
            mode="lines+markers",
            line=palette.GRDA.line(1.5),
            marker={"size": 8, "symbol": "circle"},
            **last,
        ),
        go.Scatter(
            name="this end",
            mode="markers",
            marker={
                "color": palette.GRDA.color,
                "size": 14,
                "symbol": "circle-open",
                "line": {"width": 3},
            },
            **last,
        ),
        go.Scatter(
            name="SGD's end",
            mode="markers",
            marker={"color": palette.SGD.color, "size": 10, "symbol": palette.SGD.symbol},
            **last,
        ),
    ]
    share, time = {"tickformat": ".0%"}, {"range": [0, int(epochs[-1])]}
    left, right, upper, lower = [0, 0.44], [0.56, 1], [0.58, 0.91], [0, 0.36]
    picture = palette.figure(
        *lines,
        *ends,
        height=560,
        margin={"l": 56, "r": 20, "t": 40, "b": 48},
        xaxis=time | {"domain": left, "anchor": "y"},
        yaxis=share | {"domain": upper, "anchor": "x", "range": [0.9, 1]},
        xaxis2=time | {"domain": right, "anchor": "y2"},
        yaxis2={"domain": upper, "anchor": "x2", "type": "log", "range": [-4.2, 0.6]}
        | {"dtick": 1, "tickformat": "~g"},
        xaxis3=time | {"domain": left, "anchor": "y3", "title_text": "epoch"},
        yaxis3=share | {"domain": lower, "anchor": "x3", "range": [0, 1]},
        xaxis4=share
        | {"domain": right, "anchor": "y4", "range": [-0.04, 1.04], "dtick": 0.25}
        | {"title_text": "weights exactly zero", "zeroline": False},
        yaxis4={"domain": lower, "anchor": "x4", "range": [_DEEPEST - 0.004, 1]}
        | {"tickvals": [_DEEPEST, 0.96, 0.98, 1], "ticktext": ["≤ 94%", "96%", "98%", "100%"]},
        shapes=[drop_line(f"x{k}", f"y{k} domain", -1) for k in ("", 2, 3)],
        annotations=[_heading(0, 1), _heading(0.56, 1), _heading(0, 0.435), _heading(0.56, 0.435)],
    )
    return picture


def _heading(x: float, y: float) -> dict:
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top"}
    return {**place, "text": "", "align": "left", "showarrow": False, "font": {"size": 12.5}}


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
            row[f"{label} {curve}.y"] = by_seed.mean(axis=0)
            row[f"{label} {curve} band.y"] = stretch(by_seed)
    row |= _ends(name, method, c, schedule) | _recipe_words(name, chosen, method)
    at = drop_after(name) if step else -1
    for k in range(3):
        row[f"layout.shapes[{k}].x0"] = row[f"layout.shapes[{k}].x1"] = at
    zeros = final("total_zeros", chosen["this"], name).mean()
    right = final("test_accuracy", chosen["this"], name)
    row["layout.yaxis.range"] = [0.9 if right.min() > 0.9 else 0.0, 1.0]
    row["layout.title.text"] = (
        f"{method}, c = {c:g}: {percent(zeros)} zeros, {right.mean():.1%} right"
    )
    sentence = _recipe_sentence(name, chosen, method, c, step)
    if asked != c:
        known = " and ".join(f"{value:g}" for value in strengths(name, method))
        sentence = f"{method} was recorded with c = {known} only. {sentence}"
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


def _recipe_words(name: str, chosen: Mapping[str, str], method: str) -> dict[str, object]:
    """The panels' headings, which name the lines."""
    sgd = chosen["SGD"].split(",")[0]
    lines = "   ".join(
        (
            coloured(f"{method} ━━", palette.GRDA),
            coloured("plain gRDA ┅┅", palette.TARGET),
        )
    )
    texts = (
        f"<b>Test images read correctly</b><br>{coloured(sgd + ' ╌╌', palette.SGD)}",
        f"<b>Loss on the training images</b><br>{lines}",
        "<b>Weights that are exactly zero</b>",
        "<b>Where they end</b>, test images read correctly",
    )
    return {f"layout.annotations[{k}].text": text for k, text in enumerate(texts)}


def _recipe_sentence(
    name: str, chosen: Mapping[str, str], method: str, c: float, step: float
) -> str:
    runs = recorded(name)
    zeros, right = (final(q, chosen["this"], name) for q in ("total_zeros", "test_accuracy"))
    sgd = final("test_accuracy", chosen["SGD"], name)
    reached = is_goal(name, method, c, STEP if step else CONSTANT)
    return (
        f"Recorded on {runs.device}, {method}, c = {c:g}, μ = {MU:g}, learning rate {_rate_words(name, step)}, "
        f"{len(runs.seeds)} seeds: {zeros.min():.1%} to {zeros.max():.1%} zeros, {right.min():.1%} to "
        f"{right.max():.1%} of the test images right (mean {right.mean():.1%}); "
        f"{chosen['SGD'].split(',')[0]}: {sgd.min():.1%} to {sgd.max():.1%} (mean {sgd.mean():.1%}). "
        f"Goal {'reached' if reached else 'not reached'}."
    )


def side_by_side(c: float = C) -> None:
    """Show every recipe with one c: zeros and accuracy at the end under both schedules."""
    from IPython.display import HTML, display

    head = [
        "recipe",
        *(f"{q}, {w}" for w in ("γ constant", "γ falls") for q in ("zeros", "accuracy")),
    ]
    caption = (
        f"c = {c:g}, μ = {MU:g}, after {int(recorded().epoch[-1])} epochs: "
        f"mean (lowest to highest) of {len(recorded().seeds)} seeds"
    )
    rows = _rows(c)
    text = "\n".join([caption, *("  ".join(row) for row in (head, *rows))])
    cells = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows)
    table = f"<table><caption>{caption}</caption><tr><th>{'</th><th>'.join(head)}</th></tr>{cells}"
    display({"text/html": HTML(f"{table}</table>").data, "text/plain": text}, raw=True)


def _rows(c: float) -> list[list[str]]:
    """A method's name, then zeros and accuracy with a constant and with a falling γ, in words."""
    return [
        [method, *(_cell(recipe_name(method, c, s), q) for s in (CONSTANT, STEP) for q in _ENDS)]
        for method in METHODS
    ]


_ENDS = ("total_zeros", "test_accuracy")


def _cell(recipe: str, curve: str) -> str:
    if recipe not in recorded().recipes:
        return "not recorded"
    values = 100 * final(curve, recipe)
    return f"{values.mean():.1f} % ({values.min():.1f} to {values.max():.1f})"
