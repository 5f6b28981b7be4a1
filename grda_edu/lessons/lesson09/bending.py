"""Lesson 09's second figure: a path around the hill, in the plane of a trained curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Goal,
    Handle,
    Panel,
    Slider,
    axis,
    contours,
    dots,
    key,
    keys,
    line,
    note,
    palette,
    panels,
)
from grda_edu.explore.writing import decimal, loss, percent
from grda_edu.views.curve import LOSS_AXIS

from .looks import LEVEL, STYLES
from .numbers import (
    GOAL,
    PATHS,
    bends,
    least_bend,
    nearest,
    on_bend,
    on_plane,
    positions,
    values,
)

_COLOURED = (-3.5, 1.0)  # decimal logarithms of the losses that the colours tell apart
_STRAIGHT = palette.TARGET
_HIGH = LEVEL._replace(dash="solid")  # what of a path lies above the goal
_MIDDLE = palette.Style(palette.INK, "solid", "x")  # the trained point
_SHORT = {
    "random signs": "random signs",
    "matched": "SGD, matched",
    "while": "pruned in training",
    "random places": "SGD, random zeros",
    "cut": "pruned",
    "batches": "SGD, other batches",
}


@veiled("09.around")
def around() -> Explorable:
    """The plane of a trained curve, a path in it that can be bent, and the loss along the path."""
    order = ["start", *[pair for pair in PATHS if pair != "start"]]
    goal = Goal(
        f"from SGD to SGD from another start, the smallest bend with which the path stays below a loss of {GOAL:g}.",
        lambda path, bend, t: path == "start" and bend == least_bend(),
        name="09.least_bend",
    )
    demo = Explorable(
        _figure,
        _around,
        {
            "path": Choice({PATHS[pair]: pair for pair in order}, label="path"),
            "bend": Slider(bends().tolist(), label="bend", format=".1f"),
            "t": Slider(positions().tolist(), label="way t", format=".3g", start=0.5, play=True),
        },
        label="Loss on the plane through two networks and a trained point, with a path to bend",
        handles=[Handle("middle", "bend")],
        goals=[goal],
    )
    return keep_goals(demo)


def _figure() -> go.Figure:
    flat: dict[str, Any] = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    level = {"start": np.log10(GOAL), "end": np.log10(GOAL), "size": 1, "coloring": "none"}
    plane = Panel(
        contours("plane", _COLOURED, title="loss", bar=0.455),
        line("straight under", palette.PAPER, width=4),
        line("straight", _STRAIGHT, width=2),
        line("bent under", palette.PAPER, width=6),
        line("bent", palette.INK, width=3),
        line("bent high", _HIGH, width=4),
        *(
            go.Contour(name=name, showscale=False, contours=level, line=drawn, hoverinfo="skip")
            for name, drawn in (
                ("goal under", {"color": palette.PAPER, "width": 6}),
                ("goal", LEVEL.line(2.5)),
            )
        ),
        dots("networks", palette.INK, size=11, outline=2),
        dots("middle", palette.INK, hollow=True, size=15, outline=2),
        dots("here", palette.INK, size=12, outline=2),
        x=(0, 0.44),
        key=keys(
            key("path", palette.INK),
            key(f"path above {GOAL:g}", _HIGH),
            key("straight", _STRAIGHT),
            key(f"loss {GOAL:g}", LEVEL),
        ),
        xaxis=axis("towards the second network", **flat),
        yaxis=axis("to the side", scaleanchor="x", **flat),  # one scale: it is one plane
    )
    along = Panel(
        line("goal line", LEVEL, width=2, x=[0, 1], y=[GOAL] * 2),
        line("loss straight", _STRAIGHT, width=2, x=positions()),
        line("loss bent", palette.INK, width=3, x=positions()),
        line("loss bent high", _HIGH, width=4, x=positions()),
        dots("loss here", palette.INK, size=12, outline=2, cliponaxis=False),
        x=(0.62, 1),
        title="Loss along the path",
        xaxis=axis("way t", (0, 1)),
        yaxis=LOSS_AXIS,
    )
    boxed: dict[str, Any] = {"bgcolor": palette.PAPER, "borderpad": 2, "opacity": 0.85}
    notes = [note(0, 0, "", "center", "middle", yshift=y, **boxed) for y in (-18, -18, 18)]
    margin = {"l": 56, "r": 16, "t": 44, "b": 52}
    return panels(plane, along, height=440, notes=notes, margin=margin)


def _around(path: str, bend: float, t: float) -> tuple[dict[str, object], str]:
    k, s = nearest(positions(), t), nearest(bends(), bend)
    losses, right = values(path, "bend_train_loss"), values(path, "bend_test_accuracy")
    highest = losses[s].max()
    bent = on_plane(path, bend)
    row = _field(path) | _networks(path)
    for name, points in (("straight", on_plane(path, 0.0)), ("bent", bent)):
        for trace in (name, f"{name} under"):
            row[f"{trace}.x"], row[f"{trace}.y"] = points.T
    middle = on_bend(path, bend)
    low = losses[s] < GOAL
    row["bent high.x"], row["bent high.y"] = np.where(low, np.nan, bent.T)
    row["loss bent high.y"] = np.where(low, np.nan, losses[s])
    row |= {
        "middle.x": [middle[0]],
        "middle.y": [middle[1]],
        "here.x": [bent[k, 0]],
        "here.y": [bent[k, 1]],
        "loss straight.y": losses[0],
        "loss bent.y": losses[s],
        "loss here.x": [t],
        "loss here.y": [losses[s, k]],
        "layout.title.text": f"Bend {decimal(bend, 1)}: highest loss on the path {loss(highest)}",
    }
    reached = "the path stays below" if highest < GOAL else "the path does not stay below"
    return row, (
        f"Here the training loss is {loss(losses[s, k])}, and {percent(right[s, k])} of the test images are read "
        f"right. Highest loss on this path "
        f"{loss(highest)}, on the straight line {loss(losses[0].max())}: {reached} {GOAL:g}."
    )


def _field(path: str) -> dict[str, object]:
    """The loss on the plane, in colours and as the line of the goal."""
    losses = np.log10(np.clip(values(path, "plane_train_loss"), 1e-6, 1e4))
    field = {"x": values(path, "a"), "y": values(path, "b"), "z": losses}
    fields = ("plane", "goal under", "goal")
    row = {f"{trace}.{axis}": field[axis] for trace in fields for axis in field}
    return row | {f"layout.{axis}axis.range": field[axis][[0, -1]] for axis in "xy"}


def _networks(path: str) -> dict[str, object]:
    """The two networks and the trained middle, with their names beside them."""
    first, second = PATHS[path].split(" → ")
    corners = values(path, "corners")
    looks = palette.SGD if first == "SGD" else palette.GRDA, STYLES[path], _MIDDLE
    row: dict[str, object] = {
        "networks.x": corners[:, 0],
        "networks.y": corners[:, 1],
        "networks.marker.color": [style.color for style in looks],
        "networks.marker.symbol": [style.symbol for style in looks],
    }
    names = (first, _short(second), "trained middle")
    for number, (name, (x, y)) in enumerate(zip(names, corners, strict=True), 2):
        label = f"layout.annotations[{number}]"
        row |= {f"{label}.x": x, f"{label}.y": y, f"{label}.text": name}
    return row


def _short(network: str) -> str:
    """A network's name beside its marker."""
    brief = (short for words, short in _SHORT.items() if words in network)
    return next(brief, network.replace("another", "other"))
