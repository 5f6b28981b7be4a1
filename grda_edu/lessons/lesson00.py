"""Lesson 00, start here: a network that loses its wires while it learns. (numpy only)"""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.recordings import RunGrid, load
from grda_edu.run import Run

OUTPUTS, HIDDEN = 10, 64  # the last layer's shape


@cache
def opening() -> RunGrid:
    """The recorded pair of runs, SGD (c = 0) and gRDA, from the same weights on the same batches."""
    return load("opening")


@cache
def runs() -> dict[str, Run]:
    """SGD's and gRDA's run."""
    grid = opening()
    mu, seed = float(grid.mu[0]), int(grid.seeds[0])
    return {
        name: grid.run(float(c), mu, seed) for name, c in zip(("sgd", "grda"), grid.c, strict=True)
    }


def opening_figure() -> Explorable:
    """The last layer's wires and both curves, epoch by epoch."""
    epochs = [int(epoch) for epoch in opening().picture_epochs]
    return Explorable(
        _wires_figure,
        _wires,
        {
            "trained": Choice({"gRDA": "grda", "SGD": "sgd"}, label="trained with"),
            "epoch": Slider(epochs, label="epoch", format=".0f", play=True),
        },
        label="The last layer's wires, the accuracy and the share of zeros during training",
    )


def _wires_figure() -> go.Figure:
    left, right = {"xaxis": "x", "yaxis": "y"}, {"xaxis": "x2", "yaxis": "y2"}
    quiet = {"hoverinfo": "skip"}
    wires = go.Scatter(
        name="wires",
        x=np.tile([0.0, 1.0, np.nan], OUTPUTS * HIDDEN),
        mode="lines",
        line={"color": palette.INK, "width": 0.8},
        opacity=0.6,
        **quiet,
        **left,
    )
    cells = {"mode": "markers", "marker": {"size": 5, "color": palette.MUTED}, **quiet, **left}
    digits = {"mode": "markers+text", "textposition": "middle right", **quiet, **left}
    here = {"size": 11, "line": {"color": palette.PAPER, "width": 2}}
    picture = palette.figure(
        wires,
        go.Scatter(name="hidden", x=np.zeros(HIDDEN), y=_height(HIDDEN), **cells),
        go.Scatter(
            name="digits",
            x=np.ones(OUTPUTS),
            y=_height(OUTPUTS),
            text=[str(digit) for digit in range(OUTPUTS)],
            marker={"size": 8, "color": palette.MUTED},
            **digits,
        ),
        _curve("SGD accuracy", palette.SGD, right),
        _curve("gRDA accuracy", palette.GRDA, right),
        _curve("gRDA zeros", palette.ZERO, right),
        *(
            go.Scatter(name=name, mode="markers", marker={**here, "color": color}, **quiet, **right)
            for name, color in (
                ("accuracy now", palette.GRDA.color),
                ("zeros now", palette.ZERO.color),
            )
        ),
        height=430,
        xaxis={"domain": [0, 0.44], "range": [-0.06, 1.16], "visible": False},
        yaxis={"range": [-0.03, 1.06], "visible": False},
        xaxis2={"domain": [0.56, 1], "range": [0, 60.5], "title_text": "epoch"},
        yaxis2={
            "range": [0, 1.06],
            "anchor": "x2",
            "title_text": "share (test accuracy, zeros)",
            "tickformat": ".0%",
        },
        annotations=[
            palette.legend(0.0, ("64 units, 10 digits", palette.MUTED)),
            palette.legend(
                0.56,
                ("right: gRDA ━", palette.GRDA.color),
                ("SGD ╌", palette.SGD.color),
                ("zero: gRDA ─", palette.ZERO.color),
            ),
        ],
    )
    return picture.update_layout(xaxis_fixedrange=True)


def _curve(name: str, style: palette.Style, axes: dict[str, str]) -> go.Scatter:
    return go.Scatter(
        name=name,
        mode="lines",
        line=style.line(),
        hovertemplate="epoch %{x}: %{y:.1%}<extra>" + name + "</extra>",
        **axes,
    )


def _height(count: int) -> np.ndarray:
    """Heights of ``count`` cells in a column, the first on top: float [count]."""
    return np.linspace(1, 0, count)


def wires(weights: np.ndarray) -> np.ndarray:
    """Heights of the ends of the wires that are not zero; zeros are gaps.

    weights: [outputs, hidden]. Returns 3 numbers a wire: begin, end, gap: float [3·outputs·hidden].
    """
    outputs, hidden = weights.shape
    ends = np.full((outputs, hidden, 3), np.nan)
    ends[..., 0] = _height(hidden)[None, :]
    ends[..., 1] = _height(outputs)[:, None]
    return np.where(weights[..., None] != 0, ends, np.nan).ravel()


def revived(run: Run, epoch: int) -> int:
    """How many of the last layer's wires are alive at ``epoch`` and were zero in a picture before."""
    layer = "fc2.weight"
    was_zero = [run.snapshots[k][layer] == 0 for k in run.snapshots if k < epoch]
    alive = run.snapshots[epoch][layer] != 0
    return int((np.any(was_zero, axis=0) & alive).sum()) if was_zero else 0


def _wires(trained: str, epoch: float) -> tuple[dict[str, object], str]:
    run, k = runs()[trained], int(epoch)
    weights = run.snapshots[k]["fc2.weight"]
    zeros, accuracy = float(run.total_zeros[k]), float(run.test_accuracy[k])
    name, color = ("gRDA", palette.GRDA.color) if trained == "grda" else ("SGD", palette.SGD.color)
    row: dict[str, object] = {
        "wires.y": wires(weights),
        "accuracy now.x": [k],
        "accuracy now.y": [accuracy],
        "accuracy now.marker.color": color,
        "zeros now.x": [k],
        "zeros now.y": [zeros],
        "layout.title.text": f"{name}, epoch {k}: {zeros:.0%} zeros, {accuracy:.1%} right",
    }
    for curve, values in _curves().items():
        row[f"{curve}.x"] = run.epoch
        row[f"{curve}.y"] = np.where(run.epoch <= k, values, np.nan)
    return row, f"{name}, epoch {k}: {_sentence(run, k, weights)}"


def _curves() -> dict[str, np.ndarray]:
    sgd, grda = runs()["sgd"], runs()["grda"]
    return {
        "SGD accuracy": sgd.test_accuracy,
        "gRDA accuracy": grda.test_accuracy,
        "gRDA zeros": grda.total_zeros,
    }


def _sentence(run: Run, k: int, weights: np.ndarray) -> str:
    largest = int(np.argmax(run.sizes))
    alive, back = int((weights != 0).sum()), revived(run, k)
    came_back = f", {back} of them back from zero" if back else ""
    return (
        f"{run.total_zeros[k]:.1%} of the {int(run.sizes.sum()):,} parameters are exactly zero "
        f"(in the largest layer {run.zeros[k, largest] / run.sizes[largest]:.1%}). The last layer keeps {alive} of "
        f"{weights.size} wires{came_back}. {run.test_accuracy[k]:.1%} of the test images are read right."
    )


# ------------------------------------------------- question and exercise


def _final() -> dict[str, float]:
    run = runs()["grda"]
    return {
        "zeros": 100 * float(run.total_zeros[-1]),
        "count": int(run.zeros[-1].sum()),
        "size": int(run.sizes.sum()),
        "lost": 100 * float(runs()["sgd"].test_accuracy[-1] - run.test_accuracy[-1]),
    }


def share_of_zeros(w: np.ndarray) -> float:
    """The solution that the learner may compare with."""
    return float(np.mean(w == 0))


PREDICTIONS = {
    "how_many": Prediction(
        title="how sparse the network becomes",
        question=(
            "After 60 epochs of gRDA, what share of all the network's parameters is exactly zero?"
        ),
        answer=lambda: _final()["zeros"],
        unit="%",
        tolerance=1.0,
        explanation=(
            "{count:,.0f} of {size:,.0f} parameters are zero: {zeros:.1f} %. The price on the test images, in this "
            "run, is {lost:.1f} points of accuracy against SGD."
        ),
        values=_final,
    ),
}

EXERCISES = {
    "share_of_zeros": Exercise(
        title="the share of zeros",
        task="Write `share_of_zeros(w)` for a numpy array `w`: a number between 0 and 1.",
        solution=share_of_zeros,
        oracle=lambda w: 1 - np.count_nonzero(w) / w.size,
        cases=(
            Case((np.array([0.0, 1.0, 0.0, -2.0]),), 0.5, "Two of four are zero."),
            Case((np.array([0.001, -0.002]),), 0.0, "Small is not zero."),
            Case((np.zeros(3),), 1.0, "All of them can be zero."),
            Case((np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 5.0]]),), why="Weights come in any shape."),
        ),
        hints=(
            "`w == 0` is an array of True and False.",
            "The mean of an array of True and False is the share of True.",
            "`np.mean(w == 0)`",
        ),
        done="That is all there is to a check. You will meet one in every lesson.",
    ),
}

OBJECTIVES = {
    "read a figure and commit to an answer": "how_many",
    "write a few lines and check them": "share_of_zeros",
}
