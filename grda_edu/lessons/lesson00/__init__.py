"""Lesson 00, start here: two ways down one valley, and a network that loses its wires. (numpy only)"""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.recordings import Measurements, RunGrid, load, load_measurements
from grda_edu.training.run import Run

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


# ------------------------------------------------- headline figure: the valley


@cache
def cut() -> Measurements:
    """The loss on the plane through the start and both ends, and the two paths on it."""
    return load_measurements("opening_valley")


def on_cut(name: str) -> np.ndarray:
    """An array of the recorded cut, in float64: "loss" [B, A], "sgd/place" [E+1, 2], …"""
    return np.asarray(cut().arrays[name], dtype=float)


def opening_figure() -> Explorable:
    """Where SGD and gRDA go from one start, on a cut through the loss; zeros count up beside it."""
    return Explorable(
        _valley_figure,
        _valley,
        {
            "epoch": Slider(
                on_cut("epoch").astype(int).tolist(), label="epoch", format=".0f", play=True
            )
        },
        label="The loss on a cut through the start of a training and the ends of SGD and gRDA, "
        "with both paths, the accuracy and the share of zeros",
    )


PATHS = {"SGD": ("sgd", palette.SGD), "gRDA": ("grda", palette.GRDA)}
_LEFT, _RIGHT = {"xaxis": "x", "yaxis": "y"}, {"xaxis": "x2", "yaxis": "y2"}
_LOW, _HIGH = -4.0, 0.5  # decimal logarithms: what the colours of the valley reach from and to


def _valley_figure() -> go.Figure:
    quiet = {"hoverinfo": "skip", **_LEFT}
    outline = {"color": palette.PAPER, "width": 2}
    ticks = [-4, -3, -2, -1, 0]
    traces: list[go.Contour | go.Scatter] = [
        go.Contour(
            name="valley",
            x=on_cut("a"),
            y=on_cut("b"),
            z=np.log10(on_cut("loss")).clip(_LOW, _HIGH).round(3),
            colorscale=palette.FIELD,
            zmin=_LOW,
            zmax=_HIGH,
            contours={"start": _LOW, "end": _HIGH, "size": 0.5},
            line={"width": 0.5, "color": palette.PAPER},
            colorbar={
                "tickvals": ticks,
                "ticktext": [f"{10.0**k:g}" for k in ticks],
                "title": {"text": "loss", "side": "top"},
                "thickness": 10,
                "x": 0.455,
                "xpad": 4,
                "outlinewidth": 0,
            },
            **quiet,
        )
    ]
    for name, (key, style) in PATHS.items():
        end = on_cut(f"{key}/place")[-1]
        traces += [
            go.Scatter(
                name=f"{name} end",
                x=end[:1],
                y=end[1:],
                mode="markers",
                marker={"symbol": f"{style.symbol}-open", "size": 12}
                | {"color": palette.PAPER, "line": {"width": 2}},
                **quiet,
            ),
            go.Scatter(
                name=f"{name} under",
                mode="lines",
                line={"color": palette.PAPER, "width": 6},
                **quiet,
            ),
            go.Scatter(name=f"{name} path", mode="lines", line=style.line(3), **quiet),
            go.Scatter(
                name=f"{name} here",
                mode="markers",
                marker={"symbol": style.symbol, "size": 13, "color": style.color, "line": outline},
                **quiet,
            ),
        ]
    start, sgd, grda = on_cut("corners")
    words = {"showarrow": False, "font": {"size": 12}, "bgcolor": palette.PAPER, "opacity": 0.85}
    picture = palette.figure(
        *traces,
        *_curve_traces(),
        height=450,
        xaxis={"domain": [0, 0.44], "title_text": "towards SGD's end", "constrain": "domain"}
        | {"showgrid": False, "zeroline": False},
        yaxis={"title_text": "to the side, towards gRDA's end", "scaleanchor": "x"}
        | {"constrain": "domain", "showgrid": False, "zeroline": False},
        **_curve_axes(0.68),
        annotations=[
            {"x": x, "y": y, "text": text, "yshift": shift, "borderpad": 2} | words
            for (x, y), text, shift in (
                (start, "start", -20),
                (sgd, "SGD's end", -20),
                (grda, "gRDA's end", 20),
            )
        ]
        + [_curve_legend(0.68, "zeros")],
    )
    return picture.update_layout(xaxis_fixedrange=True)


def _valley(epoch: float) -> tuple[dict[str, object], str]:
    k = int(epoch)
    size, zeros = int(on_cut("size")), on_cut("grda/zeros")[k]
    row = _curve_row(k, "grda") | {
        "layout.title.text": f"Epoch {k}: gRDA has {zeros:,.0f} zeros among {size:,} weights"
    }
    for name, (key, _) in PATHS.items():
        way = on_cut(f"{key}/place")
        walked = np.where(np.arange(len(way))[:, None] <= k, way, np.nan)
        for trace in (f"{name} under", f"{name} path"):
            row[f"{trace}.x"], row[f"{trace}.y"] = walked.T
        row[f"{name} here.x"], row[f"{name} here.y"] = way[k : k + 1].T
    return row, f"Epoch {k}. {_state('SGD', k)} {_state('gRDA', k)}"


def _state(name: str, k: int) -> str:
    """Where a network stands after ``k`` epochs: its loss, its zeros, how far it is from the cut."""
    key, _ = PATHS[name]
    loss, right, zeros, away = (
        on_cut(f"{key}/{it}")[k] for it in ("train_loss", "test_accuracy", "zeros", "distance")
    )
    share = f"{zeros / on_cut('size'):.1%} zeros" if zeros else "no zeros"
    beside = f" It lies {away:.1f} beside the cut." if away >= 0.05 else ""
    return (
        f"{name}: training loss {loss:.2g}, {right:.1%} of the test images right, {share}.{beside}"
    )


# ------------------------------------------------- second figure: the wires


def wires_figure() -> Explorable:
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
    quiet = {"hoverinfo": "skip"}
    wires = go.Scatter(
        name="wires",
        x=np.tile([0.0, 1.0, np.nan], OUTPUTS * HIDDEN),
        mode="lines",
        line={"color": palette.INK, "width": 0.8},
        opacity=0.6,
        **quiet,
        **_LEFT,
    )
    cells = {"mode": "markers", "marker": {"size": 5, "color": palette.MUTED}, **quiet, **_LEFT}
    digits = {"mode": "markers+text", "textposition": "middle right", **quiet, **_LEFT}
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
        *_curve_traces(),
        height=430,
        xaxis={"domain": [0, 0.44], "range": [-0.06, 1.16], "visible": False},
        yaxis={"range": [-0.03, 1.06], "visible": False},
        **_curve_axes(0.56),
        annotations=[
            palette.legend(0.0, ("64 units, 10 digits", palette.MUTED)),
            _curve_legend(0.56, "zeros: gRDA"),
        ],
    )
    return picture.update_layout(xaxis_fixedrange=True)


# ------------------------------------------------- the curves on the right of both


def _curve_traces() -> list[go.Scatter]:
    here = {"size": 11, "line": {"color": palette.PAPER, "width": 2}}
    return [
        _curve("SGD accuracy", palette.SGD, _RIGHT),
        _curve("gRDA accuracy", palette.GRDA, _RIGHT),
        _curve("gRDA zeros", palette.ZERO, _RIGHT),
        *(
            go.Scatter(
                name=name,
                mode="markers",
                marker={**here, "color": color},
                hoverinfo="skip",
                cliponaxis=False,
                **_RIGHT,
            )
            for name, color in (
                ("accuracy now", palette.GRDA.color),
                ("zeros now", palette.ZERO.color),
            )
        ),
    ]


def _curve_axes(begin: float) -> dict[str, dict[str, object]]:
    epochs: dict[str, object] = {
        "domain": [begin, 1],
        "range": [0, 60.5],
        "title_text": "epoch",
        "anchor": "y2",
    }
    shares: dict[str, object] = {
        "range": [0, 1.06],
        "anchor": "x2",
        "title_text": "share (test accuracy, zeros)",
        "tickformat": ".0%",
    }
    return {"xaxis2": epochs, "yaxis2": shares}


def _curve_legend(begin: float, zeros: str) -> dict:
    return palette.legend(
        begin,
        ("accuracy: gRDA ━", palette.GRDA.color),
        ("SGD ╌", palette.SGD.color),
        (f"{zeros} ─", palette.ZERO.color),
    )


def _curve_row(k: int, trained: str) -> dict[str, object]:
    """The curves up to epoch ``k``, and where the run "sgd" or "grda" stands on them."""
    run = runs()[trained]
    color = palette.GRDA.color if trained == "grda" else palette.SGD.color
    row: dict[str, object] = {
        "accuracy now.x": [k],
        "accuracy now.y": [float(run.test_accuracy[k])],
        "accuracy now.marker.color": color,
        "zeros now.x": [k],
        "zeros now.y": [float(run.total_zeros[k])],
    }
    for curve, values in _curves().items():
        row[f"{curve}.x"] = run.epoch
        row[f"{curve}.y"] = np.where(run.epoch <= k, values, np.nan)
    return row


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
    name = "gRDA" if trained == "grda" else "SGD"
    row = _curve_row(k, trained) | {
        "wires.y": wires(weights),
        "layout.title.text": (
            f"{name}, epoch {k}: {run.total_zeros[k]:.0%} zeros, {run.test_accuracy[k]:.1%} right"
        ),
    }
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
