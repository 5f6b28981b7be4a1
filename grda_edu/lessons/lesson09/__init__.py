"""Lesson 09, the same valley: did gRDA leave SGD's minimum?

All recorded numbers come from the recording "paths"; nothing here is typed in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from grda_edu import recordings
from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.recordings import Measurements
from grda_edu.views.curve import LOSS_AXIS, CurveView, loss_text

if TYPE_CHECKING:
    from grda_edu.geometry.valley import Curve

GOAL = 0.1  # training loss that a bent path has to stay below
ABOUT, CLEARLY, GUESSING = 0.02, 0.3, 0.2
"""Accuracies: as good as the ends within two points; a barrier from 30 points on; near guessing."""

PATHS = {  # pair of the recording -> what it is called
    "grda": "SGD → gRDA",
    "batches": "SGD → SGD, same start, other batches",
    "start": "SGD → SGD, another start",
    "grda_start": "gRDA → gRDA, another start",
    "magnitude": "SGD → SGD with its smallest weights cut to zero",
    "random": "SGD → a random point, as far away as gRDA",
}
STYLES = {
    "grda": palette.GRDA,
    "batches": palette.SGD,
    "start": palette.SGD,
    "grda_start": palette.GRDA,
    "magnitude": palette.MAGNITUDE,
    "random": palette.TARGET,
}


@cache
def paths() -> Measurements:
    """The recorded paths. RecordingError names the command that makes them again."""
    return recordings.load_measurements("paths")


def values(pair: str, name: str) -> np.ndarray:
    """An array of one pair, in float64: of all seeds [S, …], or of the first seed alone."""
    arrays = paths().arrays
    key = f"{pair}/{name}"
    return np.asarray(arrays[key if key in arrays else f"first/{key}"], dtype=float)


def positions() -> np.ndarray:
    """Where the paths were measured: t from 0 to 1, float [T]."""
    return paths().arrays["t"]


def seeds() -> list[int]:
    """The recorded seeds."""
    return [int(seed) for seed in paths().arrays["seeds"]]


def _at(grid: np.ndarray, value: float) -> int:
    return int(np.abs(np.asarray(grid) - value).argmin())


def _from_to(numbers: np.ndarray, write: Callable[[float], str]) -> str:
    """ "0.02 to 0.03", or one number where both read the same."""
    low, high = write(float(np.min(numbers))), write(float(np.max(numbers)))
    return low if low == high else f"{low} to {high}"


def _share(accuracy: float) -> str:
    return f"{accuracy:.1%}"


def how_far() -> None:
    """Print how long the moves between the recorded networks are, beside the weights themselves."""
    zeros = paths().arrays["zeros"][:, paths().configuration["networks"].index("grda")]
    size = len(network("sgd"))
    write = "{:.1f}".format
    print(f"length of all of SGD's weights:     {_from_to(values('grda', 'norm'), write)}")
    print(f"length of the move SGD → gRDA:      {_from_to(values('grda', 'distance'), write)}")
    print(f"length of SGD → SGD, other batches: {_from_to(values('batches', 'distance'), write)}")
    print(f"length of SGD → SGD, another start: {_from_to(values('start', 'distance'), write)}")
    print(f"zeros in gRDA's network:            {_from_to(zeros / size, _share)}")
    print(f"({len(seeds())} recorded seeds; SGD's network has no zeros)")


def network(name: str) -> np.ndarray:
    """Weights of a recorded network of the first seed, float32 [13706]: "sgd", "grda", …"""
    return paths().arrays[f"first/weights/{name}"]


def ends(pair: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the two networks of a recorded pair. ValueError names the pairs there are."""
    if pair not in PATHS:
        raise ValueError(f"pair must be one of {', '.join(PATHS)}, got {pair!r}")
    first, second = paths().configuration["pairs"][pair]
    return network(first), network(second)


# ------------------------------------------------- first figure: straight ahead


def straight() -> Explorable:
    """Loss and accuracy along straight lines, all seeds; a slider walks, a list sets the direction."""
    return Explorable(
        _straight_figure,
        _straight,
        {
            "path": Choice({label: pair for pair, label in PATHS.items()}, label="path"),
            "t": Slider(positions().tolist(), label="way t", format=".3g", play=True),
        },
        label="Training loss and test accuracy along the straight line between two networks",
    )


def _straight_figure() -> go.Figure:
    t = positions()
    traces = []
    for what, axis in (("loss", ""), ("accuracy", "2")):
        place = {"xaxis": f"x{axis}", "yaxis": f"y{axis}", "hoverinfo": "skip"}
        traces += [
            go.Scatter(
                name=f"{what}, seed {seed}",
                x=t,
                mode="lines",
                line={"width": 2.5 if k == 0 else 1.2},
                opacity=1 if k == 0 else 0.55,
                **place,
            )
            for k, seed in enumerate(seeds())
        ]
        traces.append(
            go.Scatter(
                name=f"{what} here",
                mode="markers",
                marker={"size": [11, *[7] * (len(seeds()) - 1)], "opacity": 1}
                | {"line": {"color": palette.PAPER, "width": 1.5}},
                cliponaxis=False,
                **place,
            )
        )
    way = {"range": [0, 1], "title_text": "way t: 0 is the first network, 1 the second"}
    return palette.figure(
        *traces,
        height=380,
        xaxis=way | {"domain": [0, 0.44]},
        yaxis=LOSS_AXIS,
        xaxis2=way | {"domain": [0.56, 1], "anchor": "y2"},
        yaxis2={"range": [0, 1.02], "tickformat": ".0%", "anchor": "x2"},
        annotations=[
            palette.legend(0.0, ("Loss on the training images (log scale)", palette.INK)),
            palette.legend(0.56, ("Test images read correctly", palette.INK)),
        ],
    )


def _straight(path: str, t: float) -> tuple[dict[str, object], str]:
    k = _at(positions(), t)
    style = STYLES[path]
    row: dict[str, object] = {}
    shown = {"loss": "line_train_loss", "accuracy": "line_test_accuracy"}
    for what, name in shown.items():
        curves = values(path, name)
        for seed, curve in zip(seeds(), curves, strict=True):
            row[f"{what}, seed {seed}.y"] = curve
            row[f"{what}, seed {seed}.line.color"] = style.color
        row[f"{what} here.x"] = np.full(len(curves), t)
        row[f"{what} here.y"] = curves[:, k]
        row[f"{what} here.marker.color"] = style.color
        row[f"{what} here.marker.symbol"] = style.symbol
    loss, right = values(path, "line_train_loss"), values(path, "line_test_accuracy")
    row["layout.title.text"] = (
        f"{PATHS[path]}, t = {t:.3g}: loss {loss_text(loss[0, k])}, {right[0, k]:.1%} right"
    )
    return row, (
        f"{PATHS[path]}, straight, t = {t:.3g}. In {len(loss)} recorded pairs of networks (bold: seed {seeds()[0]}) the "
        f"training loss is {_from_to(loss[:, k], loss_text)} here, and "
        f"{_from_to(right[:, k], _share)} of the test images are read right. On the whole line the "
        f"highest loss is {_from_to(loss.max(axis=1), loss_text)}."
    )


# ------------------------------------------------- second figure: around


def around() -> Explorable:
    """The plane of a trained curve, a path in it that can be bent, and the loss along the path."""
    order = ["start", *[pair for pair in PATHS if pair != "start"]]
    bends = paths().arrays["bends"]
    return Explorable(
        _around_figure,
        _around,
        {
            "path": Choice({PATHS[pair]: pair for pair in order}, label="path"),
            "bend": Slider(bends.tolist(), label="bend", format=".1f"),
            "t": Slider(positions().tolist(), label="way t", format=".3g", start=0.5, play=True),
        },
        label="Loss on the plane through two networks and a trained point, with a path to bend",
    )


_TICKS = [-4, -3, -2, -1, 0, 1]
_BOXED = {"font": {"size": 12}, "bgcolor": palette.PAPER, "borderpad": 2, "opacity": 0.85}
_ON_PLANE = {"hoverinfo": "skip", "xaxis": "x", "yaxis": "y"}


def _around_figure() -> go.Figure:
    beside = {"hoverinfo": "skip", "xaxis": "x2", "yaxis": "y2", "mode": "lines"}
    dot = {"color": palette.INK, "size": 12, "line": {"color": palette.PAPER, "width": 2}}
    return palette.figure(
        go.Contour(
            name="plane",
            colorscale=palette.FIELD,
            zmin=-3.5,
            zmax=1.0,
            contours={"start": -3.5, "end": 1.0, "size": 0.5},
            line={"width": 0.5, "color": palette.PAPER},
            colorbar={
                "tickvals": _TICKS,
                "ticktext": [f"{10.0**k:g}" for k in _TICKS],
                "title": {"text": "loss", "side": "top"},
                "thickness": 10,
                "x": 0.455,
                "xpad": 4,
                "outlinewidth": 0,
            },
            **_ON_PLANE,
        ),
        _outlined("straight under", palette.PAPER, 4),
        _outlined("straight", palette.MUTED, 2, "dash"),
        _outlined("bent under", palette.PAPER, 6),
        _outlined("bent", palette.INK, 3),
        go.Contour(
            name="goal",
            showscale=False,
            contours={"start": np.log10(GOAL), "end": np.log10(GOAL), "size": 1}
            | {"coloring": "none"},
            line=palette.OBS.line(2),
            **_ON_PLANE,
        ),
        go.Scatter(
            name="networks",
            mode="markers",
            marker={"size": 11, "line": {"color": palette.PAPER, "width": 2}},
            **_ON_PLANE,
        ),
        go.Scatter(name="here", mode="markers", marker=dot, **_ON_PLANE),
        go.Scatter(name="goal line", x=[0, 1], y=[GOAL] * 2, line=palette.OBS.line(2), **beside),
        go.Scatter(name="loss straight", line=palette.TARGET.line(2), **beside),
        go.Scatter(name="loss bent", line={"color": palette.INK, "width": 3}, **beside),
        go.Scatter(name="loss here", marker=dot, cliponaxis=False, **beside | {"mode": "markers"}),
        height=440,
        margin={"l": 56, "r": 16, "t": 44, "b": 52},
        xaxis={"domain": [0, 0.44], "title_text": "towards the second network"}
        | {"showgrid": False, "zeroline": False},
        yaxis={"title_text": "to the side", "showgrid": False, "zeroline": False},
        xaxis2={"domain": [0.62, 1], "anchor": "y2", "range": [0, 1], "title_text": "way t"},
        yaxis2=LOSS_AXIS | {"anchor": "x2"},
        annotations=[
            *({"showarrow": False, "yshift": shift} | _BOXED for shift in (-18, -18, 18)),
            palette.legend(
                0.0,
                ("path ━", palette.INK),
                ("straight ╌", palette.MUTED),
                (f"loss {GOAL:g} ╌", palette.OBS.color),
            ),
            palette.legend(0.62, ("loss along the path (log scale)", palette.INK)),
        ],
    )


def _outlined(name: str, color: str, width: float, dash: str = "solid") -> go.Scatter:
    line = {"color": color, "width": width, "dash": dash}
    return go.Scatter(name=name, mode="lines", line=line, **_ON_PLANE)


def on_plane(pair: str, bend: float) -> np.ndarray:
    """Coordinates of the bent path at every t: [T, 2].

    The plane's corners are its two networks and the trained middle; everything in between is
    arithmetic on their coordinates, because all of these paths lie in the plane.
    """
    start, end, trained = values(pair, "corners")
    middle = (1 - bend) * (start + end) / 2 + bend * trained
    t = positions()[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def _around(path: str, bend: float, t: float) -> tuple[dict[str, object], str]:
    k, s = _at(positions(), t), _at(paths().arrays["bends"], bend)
    bent, line = on_plane(path, bend), on_plane(path, 0.0)
    losses, right = values(path, "bend_train_loss"), values(path, "bend_test_accuracy")
    corners = values(path, "corners")
    first, second = PATHS[path].split(" → ")
    looks = palette.SGD if first == "SGD" else palette.GRDA, STYLES[path], palette.OBS
    field = {
        "x": values(path, "a"),
        "y": values(path, "b"),
        "z": np.log10(np.clip(values(path, "plane_train_loss"), 1e-6, 1e4)),
    }
    row: dict[str, object] = {
        f"{on}.{key}": field[key] for on in ("plane", "goal") for key in field
    }
    for number, text in enumerate((first, _short(second), "trained middle")):
        label = f"layout.annotations[{number}]"
        row |= {f"{label}.{axis}": corners[number, k] for k, axis in enumerate("xy")}
        row[f"{label}.text"] = text
    row |= {
        "networks.x": corners[:, 0],
        "networks.y": corners[:, 1],
        "networks.marker.color": [style.color for style in looks],
        "networks.marker.symbol": [style.symbol for style in looks],
        "here.x": [bent[k, 0]],
        "here.y": [bent[k, 1]],
        "loss straight.x": positions(),
        "loss straight.y": losses[0],
        "loss bent.x": positions(),
        "loss bent.y": losses[s],
        "loss here.x": [t],
        "loss here.y": [losses[s, k]],
    }
    for name, points in (("straight", line), ("bent", bent)):
        for trace in (name, f"{name} under"):
            row[f"{trace}.x"], row[f"{trace}.y"] = points.T
    highest = losses[s].max()
    row["layout.title.text"] = f"Bend {bend:.1f}: highest loss on the path {loss_text(highest)}"
    reached = "the path stays below" if highest < GOAL else "the path does not stay below"
    return row, (
        f"{PATHS[path]}, seed {seeds()[0]}, bend {bend:.1f}, t = {t:.3g}: training loss "
        f"{loss_text(losses[s, k])}, {right[s, k]:.1%} of the test images right. Highest loss on this path "
        f"{loss_text(highest)}, on the straight line {loss_text(losses[0].max())}: {reached} {GOAL:g}."
    )


def _short(network: str) -> str:
    """A network's name beside its marker."""
    for words, short in (
        ("cut", "pruned"),
        ("random", "random"),
        ("batches", "SGD, other batches"),
    ):
        if words in network:
            return short
    return network.replace("another", "other")


def least_bend(pair: str = "start") -> float:
    """The smallest recorded bend from which the path stays below ``GOAL``."""
    highest = values(pair, "bend_train_loss").max(axis=1)
    (low,) = np.nonzero(highest < GOAL)
    return float(paths().arrays["bends"][low[0]])


# ------------------------------------------------- third figure: all pairs, all seeds


def hills() -> Explorable:
    """The worst point of every path, straight and trained, beside the worse of its two ends."""
    return Explorable(
        _hills_figure,
        _hills,
        {
            "what": Choice(
                {"highest training loss": "loss", "lowest test accuracy": "accuracy"},
                label="show",
            )
        },
        label="The worst point of straight lines and of trained curves, for all pairs and seeds",
    )


MEASURES = {"loss": ("train_loss", np.max), "accuracy": ("test_accuracy", np.min)}


def worst(pair: str, path: str, what: str = "loss") -> np.ndarray:
    """The worst value on a path ("line", "curve") or of its two "ends", for each seed: [S]."""
    name, extreme = MEASURES[what]
    measured = values(pair, f"{'curve' if path == 'curve' else 'line'}_{name}")
    return extreme(measured[:, [0, -1]] if path == "ends" else measured, axis=1)


_ROWS = {"ends": (0.0, "ends"), "line": (0.26, "straight line"), "curve": (-0.26, "trained curve")}


def _hills_figure() -> go.Figure:
    looks = {
        "ends": {"symbol": "line-ns", "color": palette.MUTED, "size": 13}
        | {"line": {"width": 2, "color": palette.MUTED}},
        "line": {"symbol": "diamond-open", "color": palette.INK, "size": 10, "line": {"width": 2}},
        "curve": {"symbol": "circle", "color": palette.INK, "size": 9},
    }
    heights = np.arange(len(PATHS))[::-1]
    return palette.figure(
        *(
            go.Scatter(
                name=path,
                mode="markers",
                y=np.repeat(heights + _ROWS[path][0], len(seeds())),
                marker=look,
                opacity=0.8,
                hovertemplate=_ROWS[path][1] + ": %{x:.3g}<extra></extra>",
            )
            for path, look in looks.items()
        ),
        height=430,
        margin={"l": 190, "r": 24, "t": 56, "b": 52},
        xaxis={"title_text": ""},
        yaxis={
            "tickvals": heights,
            "ticktext": [f"{label} " for label in _LABELS.values()],
            "range": [-0.6, len(PATHS) - 0.4],
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
        },
        annotations=[
            palette.legend(
                0.0,
                ("worst point of: ◇ the straight line", palette.INK),
                ("● the trained curve", palette.INK),
                ("| its two ends", palette.MUTED),
            )
        ],
    )


_LABELS = {
    "grda": "SGD →<br>gRDA",
    "batches": "SGD → SGD,<br>same start, other batches",
    "start": "SGD → SGD,<br>another start",
    "grda_start": "gRDA → gRDA,<br>another start",
    "magnitude": "SGD → SGD,<br>smallest weights cut",
    "random": "SGD →<br>a random point",
}


def _hills(what: str) -> tuple[dict[str, object], str]:
    row: dict[str, object] = {
        f"{path}.x": np.concatenate([worst(pair, path, what) for pair in PATHS]) for path in _ROWS
    }
    loss = what == "loss"
    row["layout.xaxis.type"] = "log" if loss else "linear"
    row["layout.xaxis.range"] = [-3.6, 1.6] if loss else [0.0, 1.02]
    row["layout.xaxis.dtick"] = 1.0 if loss else 0.2
    row["layout.xaxis.tickformat"] = "~g" if loss else ".0%"
    row["layout.xaxis.title.text"] = (
        "highest training loss on the path" if loss else "lowest test accuracy on the path"
    )
    row["layout.title.text"] = (
        f"{'Highest loss' if loss else 'Lowest accuracy'}, {len(seeds())} seeds each"
    )
    write = loss_text if loss else _share
    parts = [
        f"{PATHS[pair]}: {_from_to(worst(pair, 'line', what), write)} / "
        f"{_from_to(worst(pair, 'curve', what), write)}"
        for pair in PATHS
    ]
    what_is = "Highest training loss" if loss else "Lowest test accuracy"
    return row, f"{what_is} on the straight line / on the trained curve. {'; '.join(parts)}."


def barrier(pair: str, path: str = "line") -> np.ndarray:
    """How far the training loss on a path rises above the higher of its ends: [S], nats, ≥ 0."""
    return worst(pair, path) - worst(pair, "ends")


def barriers() -> None:
    """Print the barrier of each straight line, and the height of its higher end."""
    print(f"training loss, ranges over {len(seeds())} seeds:")
    print(f"{'':50}{'higher end':18}{'barrier above it'}")
    for pair, label in PATHS.items():
        ends_high, hill = (
            _from_to(v, "{:.3f}".format) for v in (worst(pair, "ends"), barrier(pair))
        )
        print(f"{label:50}{ends_high:18}{hill}")


# ------------------------------------------------- training a curve live


def live_curve(pair: str = "start", *, epochs: int = 40) -> CurveView:
    """A view that trains the Bézier curve between two recorded networks on this computer."""
    start, end = ends(pair)

    def job(progress: Callable[[Curve, float], object], stop: threading.Event) -> Curve:
        from grda_edu.data import digits
        from grda_edu.geometry.valley import train_curve
        from grda_edu.models import digits_cnn
        from grda_edu.training.device import choose_device

        data = digits(choose_device())
        return train_curve(
            digits_cnn(0),
            data,
            start,
            end,
            epochs=epochs,
            check_every=2,
            progress=progress,
            stop=stop,
        )

    first_seed = {path: values(pair, f"{path}_train_loss")[0] for path in ("line", "curve")}
    return CurveView(job, epochs, PATHS[pair], positions(), first_seed["line"], first_seed["curve"])


# ------------------------------------------------- the steep directions


@cache
def steep_shares(count: int = 10) -> dict[str, float]:
    """Share ‖P d‖/‖d‖ of each move d from SGD's network in its ``count`` steepest directions.

    P projects on the top eigenvectors of the Hessian of the training loss at SGD's weights, of the
    first recorded seed. Pair -> share; takes some three seconds.
    """
    from grda_edu.data import digits
    from grda_edu.geometry.curvature import FixedLoss, share_in_subspace, top_eigenpairs
    from grda_edu.geometry.valley import put_weights
    from grda_edu.models import digits_cnn
    from grda_edu.training.device import threads_for

    data, model = digits(), digits_cnn().eval()
    put_weights(model, network("sgd"))
    with threads_for(model, data.device):
        top = top_eigenpairs(FixedLoss(model, (data.x_train, data.y_train)), count)
    shares = {}
    for pair, (first, _) in paths().configuration["pairs"].items():
        if first == "sgd":
            start, end = ends(pair)
            shares[pair] = share_in_subspace(end.astype(float) - start, top.vectors)
    return shares


def steep_part() -> None:
    """Print the share of each move in the ten steepest directions, beside that of chance."""
    print("share of the move in the ten steepest directions at SGD's weights:")
    for pair, share in steep_shares().items():
        print(f"{PATHS[pair]:50}{share:.4f}")
    size = len(network("sgd"))
    print(f"{f'a random direction, √(10/{size:,})':50}{np.sqrt(10 / size):.4f}")


# ------------------------------------------------- predictions, exercise, objectives


def half_way(pair: str) -> np.ndarray:
    """Test accuracy of the mean of the two networks' weights, for each seed: [S]."""
    return values(pair, "line_test_accuracy")[:, _at(positions(), 0.5)]


def fate_of_the_mean(pair: str) -> str:
    """Which of the prediction's options the recording shows, by the mean over seeds."""
    lost = worst(pair, "ends", "accuracy").mean() - half_way(pair).mean()
    if half_way(pair).mean() < GUESSING:
        return "about 10 %, as if it guessed"
    return "about as many as they do" if lost < ABOUT else "clearly fewer than both"


def what_goes_around() -> str:
    """Whether trained curves between different starts stay low: the prediction's option."""
    lost = worst("start", "ends", "accuracy") - worst("start", "curve", "accuracy")
    height = worst("start", "curve").max() / worst("start", "line").min()
    if lost.max() < ABOUT and height < 0.1:
        return "yes, a curve that stays about as low as its ends"
    return (
        "partly: a lower pass, but still a hill" if height < 0.5 else "no, the hill closes the way"
    )


def _mean_words(pair: str) -> dict[str, object]:
    return {
        "seen": _from_to(half_way(pair), _share),
        "ends": _from_to(worst(pair, "ends", "accuracy"), _share),
        "count": len(seeds()),
    }


def _around_words() -> dict[str, object]:
    return {
        "curve": _from_to(worst("start", "curve"), loss_text),
        "line": _from_to(worst("start", "line"), loss_text),
        "ends": _from_to(worst("start", "ends"), loss_text),
        "right": f"{worst('start', 'curve', 'accuracy').min():.1%}",
    }


def _bend_words() -> dict[str, object]:
    highest = values("start", "bend_train_loss").max(axis=1)
    k = _at(paths().arrays["bends"], least_bend())
    return {
        "high": loss_text(highest[k]),
        "before": loss_text(highest[k - 1]),
        "line": loss_text(highest[0]),
    }


PREDICTIONS = {
    "half_way": Prediction(
        title="the mean of SGD's and gRDA's weights",
        question=(
            "Take SGD's network and gRDA's, trained from the same start. Give a third network, for every weight, "
            "the mean of the two. No training. How many test images does it read right?"
        ),
        answer=lambda: fate_of_the_mean("grda"),
        options={
            "about 10 %, as if it guessed": (
                "That would be so if the mean of two solutions were no solution at all."
            ),
            "clearly fewer than both": "A hill between the two would do that.",
            "about as many as they do": "Between the two there is hardly a hill.",
        },
        explanation=(
            "In {count} recorded pairs the mean reads {seen} right; the worse of its two parents {ends}."
        ),
        values=lambda: _mean_words("grda"),
    ),
    "other_start": Prediction(
        title="the mean of two networks from different starts",
        question=(
            "Now two SGD networks that began with different weights. Each reads more than 96 % of the test images. "
            "How many percent does their mean read? (Within 15 points counts.)"
        ),
        answer=lambda: float(100 * half_way("start").mean()),
        unit="%",
        tolerance=15.0,
        explanation=(
            "{answer:.0f} % in the mean of {count} recorded pairs ({seen}), while the worse parent reads {ends}. "
            "Two good networks need not have a good mean: there is a hill between them."
        ),
        values=lambda: _mean_words("start"),
    ),
    "around": Prediction(
        title="whether there is a way around the hill",
        question=(
            "Between two SGD networks from different starts there is a hill on the straight line. Is there a way "
            "around it, a simple curve with low loss?"
        ),
        answer=what_goes_around,
        options={
            "no, the hill closes the way": "In a plane it might. In 13,706 dimensions there is room.",
            "partly: a lower pass, but still a hill": "The trained curves get lower than that.",
            "yes, a curve that stays about as low as its ends": (
                "With one trained point, a curve finds its way around."
            ),
        },
        explanation=(
            "Highest loss on the straight lines: {line}. On the trained curves: {curve}, where the higher of their ends has {ends}. "
            "The trained curves read never fewer than {right} of the test images right. (Ranges over the recorded seeds.)"
        ),
        values=_around_words,
    ),
    "least_bend": Prediction(
        title="the smallest bend that avoids the hill",
        heading="Report",
        question=(
            f"From SGD to SGD from another start: which is the smallest bend with which the path stays below a loss of {GOAL:g}?"
        ),
        answer=least_bend,
        tolerance=0.05,
        explanation=(
            "At bend {answer:.1f} the highest loss is {high}, one step before it is {before}. "
            "The straight line has {line}."
        ),
        values=_bend_words,
    ),
}


def loss_on_curve(loss, start, middle, end, ts):
    """The solution that the learner may compare with."""
    losses = []
    for t in ts:
        point = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
        losses.append(loss(point))
    return np.array(losses)


def _by_two_lines(loss: Callable, start: Any, middle: Any, end: Any, ts: Any) -> np.ndarray:
    """De Casteljau: a point on the line between two points that walk along two lines."""
    legs = ((start + t * (middle - start), middle + t * (end - middle), t) for t in ts)
    return np.array([loss(one + t * (other - one)) for one, other, t in legs])


def first_number(w: np.ndarray) -> float:
    """The loss that is a weight itself: shows where a path passes."""
    return float(w[0])


def squared_length(w: np.ndarray) -> float:
    """A bowl: w₁² + w₂² + …"""
    return float(w @ w)


def round_valley(w: np.ndarray) -> float:
    """Zero on the circle of radius 1, with a hill in its middle."""
    return float((w @ w - 1) ** 2)


def _cases() -> tuple[Case, ...]:
    v = np.array
    return (
        Case(
            (first_number, v([1.0]), v([5.0]), v([3.0]), v([0.0, 1.0])),
            v([1.0, 3.0]),
            "One loss for each t, as a numpy array: at t = 0 the curve is at `start`, at t = 1 at `end`. "
            "(`first_number(w)` is w[0], which shows where the path passes.)",
        ),
        Case(
            (first_number, v([0.0]), v([1.0]), v([0.0]), v([0.5])),
            v([0.5]),
            "Half-way the curve is at ¼ start + ½ middle + ¼ end: it bends towards `middle` and does not reach it. "
            "(`first_number(w)` is w[0].)",
        ),
        Case(
            (first_number, v([0.0]), v([1.0]), v([4.0]), v([0.25, 0.75])),
            v([0.625, 2.625]),
            "Order matters: t counts from `start` to `end`. (`first_number(w)` is w[0].)",
        ),
        Case(
            (squared_length, v([1.0, 0.0]), v([0.0, 0.0]), v([0.0, 1.0]), v([0.5])),
            v([0.125]),
            "The loss is taken at the point of the curve, it is not a mix of three losses. "
            "(`squared_length(w)` is w₁² + w₂².)",
        ),
        Case(
            (round_valley, v([1.0, 0.0]), v([1.0, 1.0]), v([0.0, 1.0]), np.linspace(0, 1, 5)),
            why="One loss for every t, in their order, as a numpy array.",
        ),
    )


EXERCISES = {
    "loss_on_curve": Exercise(
        title="the loss along a Bézier curve",
        task=(
            "Write `loss_on_curve(loss, start, middle, end, ts)`: the loss at the curve's point for every t in `ts`, "
            "as a numpy array."
        ),
        solution=loss_on_curve,
        oracle=_by_two_lines,
        cases=_cases,
        hints=(
            "Take one t first. The point is a sum of the three vectors with the weights of the formula.",
            "`point = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end`, and then `loss(point)`.",
            "Collect `loss(point)` for each t in a list, and return `np.array(losses)`.",
        ),
        done=(
            "With the loss of a network in the place of `loss`, this is how every curve of this lesson was measured."
        ),
    ),
}

OBJECTIVES = {
    "say what the mean of SGD's and gRDA's weights can still do": "half_way",
    "tell a small hump on a path from a hill": "other_start",
    "say what a trained curve shows, and what it does not": "around",
    "bend a path around a hill": "least_bend",
    "compute the points of a Bézier curve and the loss along it": "loss_on_curve",
}
