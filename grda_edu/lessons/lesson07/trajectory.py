"""The last two figures of lesson 07: gRDA's own way through the valley, and three weights."""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Explorable, Slider, palette
from grda_edu.geometry.pruning import directional_pruning
from grda_edu.lessons.lesson07 import traces as view
from grda_edu.shrinkage import tuning_function
from grda_edu.toy.flat_valley import Valley, floor_l1, grda_paths, pruning_paths

# ------------------------------------------------- gRDA lands on directional pruning

RATES = (0.025, 0.05, 0.1, 0.2)  # γ
C, MU = 1.0, 0.51
TURNS = [float(angle) for angle in range(-75, 105, 15)]
REACHED = tuple(np.linspace(0.5, 3, 26).round(12).tolist())  # λ
UP_THE_SIDE = 0.9  # how far from the floor training starts


def steps_until(lam: float, lr: float) -> int:
    """The number of steps after which g(n, γ) is nearest to λ from below (at least one)."""
    return max(1, int((lam / tuning_function(1, lr, C, MU)) ** (1 / MU) + 1e-9))


@cache
def trainings(lr: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """gRDA on the valley of every turn, each from a point up its side.

    Returns the weights [V, K, 2] after K numbers of steps, these numbers [K], and SGD's [V, K, 2].
    """
    valleys = [view.valley_at(angle, 0.0) for angle in TURNS]
    starts = np.array([valley.w + UP_THE_SIDE * valley.sharp for valley in valleys])
    early = [*range(1, 8), *(steps_until(lam, lr) for lam in np.linspace(0.1, 0.5, 9))]
    keep = np.unique([0, *early, *(steps_until(lam, lr) for lam in REACHED)])
    return (
        grda_paths(valleys, starts, lr, C, MU, keep),
        keep,
        grda_paths(valleys, starts, lr, 0.0, MU, keep),
    )


@cache
def landing(angle: float, lr: float) -> dict[str, np.ndarray]:
    """gRDA against what is predicted, at every λ of ``REACHED`` (at the λ it truly has then).

    "grda", "directional", "floor": [Λ, 2]; "lam", "time", "gap" (distance from "floor"), "gap to
    the closed form": [Λ]; "steps": int [Λ].
    """
    weights, keep, _ = trainings(lr)
    valley = view.valley_at(angle, 0.0)
    steps = np.array([steps_until(lam, lr) for lam in REACHED])
    lams = tuning_function(steps, lr, C, MU)
    grda = weights[TURNS.index(angle), np.searchsorted(keep, steps)]
    closed = np.array([directional_pruning(valley.w, valley.scores, lam) for lam in lams])
    floor = np.array([floor_l1(valley, lam) for lam in lams])
    return {
        "grda": grda,
        "directional": closed,
        "floor": floor,
        "lam": lams,
        "steps": steps,
        "time": steps * lr,
        "gap": np.linalg.norm(grda - floor, axis=1),
        "gap to the closed form": np.linalg.norm(grda - closed, axis=1),
    }


def grda_lands() -> Explorable:
    """gRDA from up the side of the valley, its end beside directional pruning's, and the gap over λ."""
    for lr in RATES:
        trainings(lr)  # before the table's time is taken
    return Explorable(
        _landing_figure,
        _landing,
        {
            "lr": Slider(RATES, label="learning rate γ", start=0.2, format=".3g"),
            "angle": Slider(TURNS, label="angle of the floor", start=15.0, format=view.degrees),
            "lam": Slider(REACHED, label="λ = c√γ·t^μ", start=0.7, format=".1f", play=True),
        },
        label="gRDA's own way into the valley, and its distance from directional pruning over λ",
    )


def _landing_figure() -> go.Figure:
    gaps = {"xaxis": "x2", "yaxis": "y2", "mode": "lines"}
    others = [
        go.Scatter(
            name=f"gap {lr}",
            line={"color": palette.GRDA.color, "width": 1},
            opacity=0.55,
            hoverinfo="skip",
            **gaps,
        )
        for lr in RATES
    ]
    return palette.figure(
        *view.valley_traces(),
        view.path("directional", palette.DIRECTIONAL, 2.5),
        view.path("descent", palette.SGD, 1.5),
        view.path("grda", palette.GRDA, 2),
        view.marker("start", palette.Style(palette.INK, "", "circle"), "w<sub>0</sub>"),
        view.marker("sgd", palette.SGD, "w<sub>SGD</sub>"),
        view.markers("now", [view.FLOOR, palette.DIRECTIONAL, palette.GRDA]),
        *others,
        view.path("gap", palette.GRDA, 3.5, xaxis="x2", yaxis="y2"),
        view.path("closed gap", palette.DIRECTIONAL, 2, xaxis="x2", yaxis="y2"),
        view.marker("gap now", palette.GRDA, xaxis="x2", yaxis="y2"),
        height=460,
        **view.plane_axes(),
        xaxis2={"domain": [0.64, 0.95], "range": [0.5, 3], "anchor": "y2", "title_text": "λ"},
        yaxis2={
            "domain": [0, 1],
            "type": "log",
            "range": [-3.3, 0.3],
            "anchor": "x2",
            "title_text": "distance of gRDA from …",
            "tickvals": [0.001, 0.01, 0.1, 1],
        },
        annotations=[
            palette.legend(
                0.0,
                ("━ gRDA", palette.GRDA.color),
                ("╌ SGD", palette.SGD.color),
                ("◆ ┅ w<sub>DP</sub>", palette.DIRECTIONAL.color),
                ("◇ kept on the floor", palette.DIRECTIONAL.color),
            ),
            palette.legend(
                0.64,
                ("━ … the floor's ◇", palette.GRDA.color),
                ("┅ … w<sub>DP</sub> ◆", palette.DIRECTIONAL.color),
            ),
            *({**_gap_label(lr), "y": 0} for lr in RATES),
        ],
    )


def _gap_label(lr: float) -> dict:
    return {
        "x": 3,
        "xref": "x2",
        "yref": "y2",
        "xanchor": "left",
        "text": f"γ {lr:g}",
        "showarrow": False,
        "font": {"size": 11, "color": palette.GRDA.color},
    }


def _landing(lr: float, angle: float, lam: float) -> tuple[dict[str, object], str]:
    k = REACHED.index(lam)
    found = landing(angle, lr)
    row = {**view.valley_rows(angle), **_landing_curves(lr, angle)}
    points = np.array([found[name][k] for name in ("floor", "directional", "grda")])
    row["now.x"], row["now.y"] = points.T
    row["gap now.x"], row["gap now.y"] = found["lam"][k : k + 1], found["gap"][k : k + 1]
    row["layout.title.text"] = (
        f"γ = {lr:g}, λ = {found['lam'][k]:.2f}: gRDA is {found['gap'][k]:.3f} from the ◇ on the floor"
    )
    return row, _landing_sentence(found, k, lr)


@cache
def _landing_curves(lr: float, angle: float) -> dict[str, object]:
    """What does not depend on λ."""
    weights, _, descent = trainings(lr)
    at, valley = TURNS.index(angle), view.valley_at(angle, 0.0)
    lams = view.corners(np.abs(valley.w), valley.scores, REACHED[-1])
    closed = np.array([directional_pruning(valley.w, valley.scores, lam) for lam in lams])
    found = landing(angle, lr)
    rows: dict[str, object] = {
        "gap.x": found["lam"],
        "gap.y": found["gap"],
        "closed gap.x": found["lam"],
        "closed gap.y": found["gap to the closed form"],
        "start.x": weights[at, :1, 0],
        "start.y": weights[at, :1, 1],
        "sgd.x": valley.w[:1],
        "sgd.y": valley.w[1:],
    }
    for name, points in (
        ("directional", closed),
        ("grda", _filled(weights[at])),
        ("descent", _filled(descent[at])),
    ):
        rows[f"{name}.x"], rows[f"{name}.y"] = points.T
    for k, rate in enumerate(RATES):
        other = landing(angle, rate)
        rows[f"gap {rate}.x"], rows[f"gap {rate}.y"] = other["lam"], other["gap"]
        rows[f"layout.annotations[{k + 2}].y"] = float(np.log10(max(other["gap"][-1], 5e-4)))
    return rows


def _filled(points: np.ndarray, length: int = 60) -> np.ndarray:
    """The same number of points for every γ: the last is repeated."""
    return np.concatenate([points, np.repeat(points[-1:], length - len(points), axis=0)])


def _landing_sentence(found: dict[str, np.ndarray], k: int, lr: float) -> str:
    return (
        f"γ = {lr:g}: λ = {found['lam'][k]:.2f} after {found['steps'][k]} steps, "
        f"t = {found['time'][k]:.1f}. gRDA {view.pair(found['grda'][k])}, w_DP "
        f"{view.pair(found['directional'][k])}, on the floor {view.pair(found['floor'][k])}."
    )


# ------------------------------------------------- three weights

POINT = np.array([1.0, 0.55, 0.75])
TILTS = [float(angle) for angle in range(-40, 50, 10)]
LAMS3 = tuple(np.linspace(0, 2, 21).round(12).tolist())


def plane_valley(tilt: float) -> Valley:
    """Three weights, one sharp direction: the floor is a plane, which ``tilt`` (degrees) turns."""
    turn = np.deg2rad(tilt)
    sharp = np.array([np.sin(turn) * 0.8, -np.sin(turn) * 0.6, np.cos(turn)])
    return Valley(POINT, sharp)


@cache
def _plane_paths(tilt: float) -> dict[str, np.ndarray]:
    return pruning_paths(plane_valley(tilt), np.array(LAMS3))


def three_weights() -> Explorable:
    """The same in three dimensions: a flat plane with the paths over it, and the weights over λ."""
    return Explorable(
        _space_figure,
        _three_weights,
        {
            "tilt": Slider(TILTS, label="tilt of the floor", start=20.0, format=view.degrees),
            "lam": Slider(LAMS3, label="λ", start=0.7, format=".1f", play=True),
        },
        label="Three weights: paths of pruning over a flat plane in space, and the weights over λ",
    )


SYMBOLS_3D = {"directional": "diamond", "floor": "diamond-open", "obs": "circle"}
DASHES_3D = {"directional": "dashdot", "floor": "dot", "obs": "dash"}


def _space_figure() -> go.Figure:
    axis = {
        "range": [-0.3, 1.5],
        "tickvals": [0, 0.5, 1],
        "gridcolor": palette.GRID,
        "zerolinecolor": palette.MUTED,
        "color": palette.INK,
    }
    titles = {
        f"{which}axis": {**axis, "title": {"text": f"w{k}"}} for k, which in enumerate("xyz", 1)
    }
    return palette.figure(
        *_space_traces(),
        *(
            view.path(f"{name} {j}", view.STYLES[name], 2.5, x=LAMS3)
            for name in ("directional", "floor")
            for j in (1, 2, 3)
        ),
        height=440,
        margin_l=8,
        scene={
            **titles,
            "domain": {"x": [0, 0.6], "y": [0, 1]},
            "aspectmode": "cube",
            "camera": {"eye": {"x": 1.6, "y": 1.38, "z": 0.77}, "center": {"z": -0.12}},
            "dragmode": "turntable",
        },
        xaxis={"domain": [0.68, 1], "range": [0, LAMS3[-1]], "title_text": "λ"},
        yaxis={"range": [-0.03, 1.1], "title_text": "weight", "anchor": "x"},
        shapes=[{"type": "line", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}],
        annotations=[
            palette.legend(
                0.0,
                ("◆ ┅ directional pruning", palette.DIRECTIONAL.color),
                ("◇ ··· kept on the floor", palette.DIRECTIONAL.color),
                ("● ╌ OBS", palette.OBS.color),
            ),
            *(_weight_label(j) for j in range(3)),
        ],
    ).update_shapes(line={"color": palette.MUTED, "width": 1})


def _weight_label(j: int) -> dict:
    return {
        "x": 0.04,
        "y": float(POINT[j]) + 0.05,
        "xanchor": "left",
        "text": f"w<sub>{j + 1}</sub>",
        "showarrow": False,
    }


def _space_traces() -> list[go.Mesh3d | go.Scatter3d]:
    plane = {"i": [0, 0], "j": [1, 2], "k": [2, 3], "color": palette.MUTED, "opacity": 0.3}
    traces = [go.Mesh3d(name="plane", hoverinfo="skip", **plane)]
    for name, symbol in SYMBOLS_3D.items():
        color = view.STYLES[name].color
        line = {"color": color, "width": 6, "dash": DASHES_3D[name]}
        traces.append(go.Scatter3d(name=name, mode="lines", line=line, hoverinfo="skip"))
        dot = {"color": color, "symbol": symbol, "size": 6}
        traces.append(
            go.Scatter3d(name=f"{name} now", mode="markers", marker=dot, hoverinfo="skip")
        )
    blue = {"color": palette.SGD.color}
    x, y, z = POINT[:, None]
    traces.append(
        go.Scatter3d(
            name="sgd",
            x=x,
            y=y,
            z=z,
            mode="markers+text",
            text=["w<sub>SGD</sub>"],
            textfont=blue,
            textposition="bottom center",
            marker={**blue, "symbol": "square", "size": 6},
            hoverinfo="skip",
        )
    )
    return traces


def _three_weights(tilt: float, lam: float) -> tuple[dict[str, object], str]:
    k, found, valley = LAMS3.index(lam), _plane_paths(tilt), plane_valley(tilt)
    corners = _plane_corners(valley)
    row: dict[str, object] = {
        **{f"plane.{axis}": corners[:, j] for j, axis in enumerate("xyz")},
        "layout.title.text": view.scores_title(valley.w, valley.scores),
        "layout.shapes[0].x0": lam,
        "layout.shapes[0].x1": lam,
    }
    for name in SYMBOLS_3D:
        for j, axis in enumerate("xyz"):
            row[f"{name}.{axis}"] = found[name][:, j]
            row[f"{name} now.{axis}"] = found[name][k : k + 1, j]
    for name in ("directional", "floor"):
        for j in range(3):
            row[f"{name} {j + 1}.y"] = found[name][:, j]
    words = (
        f"{view.NAMES[name]} {view.pair(found[name][k])} loss {valley.loss(found[name][k]):.2f}"
        for name in SYMBOLS_3D
    )
    return row, f"λ = {lam:.1f}. " + "; ".join(words) + "."


def _plane_corners(valley: Valley) -> np.ndarray:
    """A square piece of the floor around w_SGD: [4, 3]."""
    one = np.array([0.6, 0.8, 0.0])  # lies in the floor at every tilt
    other = np.cross(valley.sharp, one)
    return np.array(
        [POINT + 1.1 * (a * one + b * other) for a, b in [(1, 1), (1, -1), (-1, -1), (-1, 1)]]
    )
