"""Lesson 07, the flat valley: why do the right weights die? (numpy only)"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import Explorable, Slider, palette
from grda_edu.geometry.pruning import directional_pruning, obs_pruning
from grda_edu.lessons.lesson07 import traces as view
from grda_edu.lessons.lesson07.trajectory import REACHED, grda_lands, landing, three_weights
from grda_edu.toy.flat_valley import (
    METHODS,
    Valley,
    first_zero,
    line_valley,
    pruning_paths,
    surgeon_prices,
)

__all__ = ["all_paths", "floor_and_scores", "grda_lands", "three_weights"]

ANGLES = [float(angle) for angle in range(-85, 95, 5)]
PLACES = [-0.4, 0.0, 0.4]
LAMS = tuple(np.linspace(0, 2.5, 26).round(12).tolist())


def _controls(angle: float, lam: float) -> dict[str, Slider]:
    return {
        "angle": Slider(ANGLES, label="angle of the floor", start=angle, format=view.degrees),
        "place": Slider(
            PLACES, label="place of w_SGD along the floor", start=0.0, format=view.number
        ),
        "lam": Slider(LAMS, label="λ", start=lam, format=".1f", play=True),
    }


# ------------------------------------------------- first figure: the floor, its arrows, the scores


def floor_and_scores() -> Explorable:
    """The valley from above with w_SGD, sign and its projection; the scores; the weights over λ."""
    return Explorable(
        _floor_figure,
        _floor_and_scores,
        _controls(15.0, 0.5),
        label="A valley seen from above, the direction scores of its two weights, and the weights over λ",
    )


def _floor_figure() -> go.Figure:
    bars: dict[str, Any] = {"xaxis": "x2", "yaxis": "y2"}
    lines: dict[str, Any] = {"xaxis": "x3", "yaxis": "y3"}
    first, second = _weight_styles()
    return palette.figure(
        *view.valley_traces(),
        view.path("route", palette.DIRECTIONAL, 3),
        view.arrow("sign", palette.INK),
        view.path("drop", palette.Style(palette.MUTED, "dot", ""), 1.2),
        view.arrow("shadow", palette.DIRECTIONAL.color),
        view.marker("sgd", palette.SGD, "w<sub>SGD</sub>"),
        view.marker("now", palette.DIRECTIONAL, "w<sub>DP</sub>", textposition="bottom left"),
        go.Bar(
            name="scores",
            x=["s<sub>1</sub>", "s<sub>2</sub>"],
            width=0.5,
            marker={"color": palette.DIRECTIONAL.color, "line": {"width": 0}},
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
            **bars,
        ),
        view.path("first", first, **lines),
        view.path("second", second, **lines),
        view.markers("sizes", [first, second], **lines),
        height=440,
        **view.plane_axes(),
        xaxis2={"domain": [0.64, 1], "anchor": "y2"},
        yaxis2={
            "domain": [0.62, 1],
            "range": [-1.05, 2.35],
            "anchor": "x2",
            "title_text": "score s",
        },
        xaxis3={"domain": [0.64, 1], "range": [0, LAMS[-1]], "anchor": "y3", "title_text": "λ"},
        yaxis3={
            "domain": [0, 0.42],
            "range": [0, 2],
            "anchor": "x3",
            "title_text": "size of a weight",
        },
        annotations=[
            palette.legend(
                0.0,
                ("→ −sign(w)", palette.INK),
                ("→ its shadow on the floor, −P<sub>0</sub> sign(w)", palette.DIRECTIONAL.color),
                ("┅ w<sub>DP</sub>", palette.DIRECTIONAL.color),
            ),
            palette.legend(
                0.64, ("━ |w<sub>1</sub>|", palette.INK), ("┅ |w<sub>2</sub>|", palette.MUTED)
            )
            | {"y": 0.42},
        ],
    )


def _weight_styles() -> tuple[palette.Style, palette.Style]:
    return (
        palette.Style(palette.INK, "solid", "circle"),
        palette.Style(palette.MUTED, "dot", "square"),
    )


def _floor_and_scores(angle: float, place: float, lam: float) -> tuple[dict[str, object], str]:
    valley = view.valley_at(angle, place)
    k = LAMS.index(lam)
    route = view.paths_at(angle, place, LAMS)["directional"]
    row = {
        **view.valley_rows(angle),
        **_arrows(angle, place),
        "now.x": route[k : k + 1, 0],
        "now.y": route[k : k + 1, 1],
        "sizes.x": [lam, lam],
        "sizes.y": np.abs(route[k]),
    }
    return row, _scores_sentence(valley.scores, route[k], lam)


@cache
def _arrows(angle: float, place: float) -> dict[str, object]:
    """What does not depend on λ: the arrows, the whole path, the bars, the title."""
    valley = view.valley_at(angle, place)
    w, s = valley.w, valley.scores
    tip = w - np.sign(w)
    shadow = w - valley.P0 @ np.sign(w)
    lams = view.corners(np.abs(w), s, LAMS[-1])
    route = np.array([directional_pruning(w, s, lam) for lam in lams])
    return {
        "route.x": route[:, 0],
        "route.y": route[:, 1],
        "first.x": lams,
        "first.y": np.abs(route[:, 0]),
        "second.x": lams,
        "second.y": np.abs(route[:, 1]),
        "sign.x": [w[0], tip[0]],
        "sign.y": [w[1], tip[1]],
        "drop.x": [tip[0], shadow[0]],
        "drop.y": [tip[1], shadow[1]],
        "shadow.x": [w[0], shadow[0]],
        "shadow.y": [w[1], shadow[1]],
        "sgd.x": [w[0]],
        "sgd.y": [w[1]],
        "scores.y": s,
        "scores.text": [view.number(value) for value in s],
        "layout.title.text": view.scores_title(w, s),
    }


def _fate(s: float) -> str:
    if abs(s) < 5e-3:
        return "stays"
    return "shrinks" if s > 0 else "grows"


def _scores_sentence(s: np.ndarray, now: np.ndarray, lam: float) -> str:
    fates = [f"w{k + 1} {'is zero' if now[k] == 0 else _fate(s[k])}" for k in range(2)]
    return f"s = {view.pair(s)}. At λ = {lam:.1f}: w_DP = {view.pair(now)}; {fates[0]}, {fates[1]}."


# ------------------------------------------------- second figure: five ways to prune


def all_paths() -> Explorable:
    """Five methods from one w_SGD: where they go, how far they move, and the loss they pay."""
    return Explorable(
        _paths_figure,
        _all_paths,
        _controls(-25.0, 0.9),
        label="Paths of five pruning methods through the valley, the distance moved and the loss over λ",
    )


def _paths_figure() -> go.Figure:
    moves: dict[str, Any] = {"xaxis": "x2", "yaxis": "y2"}
    losses: dict[str, Any] = {"xaxis": "x3", "yaxis": "y3"}
    lines = []
    for name in METHODS:
        style = view.STYLES[name]
        jumps = name in ("magnitude", "obs")
        lines.append(view.path(name, style, 1.2 if jumps else 2.5))
        for what, where in (("move", moves), ("loss", losses)):
            lines.append(view.path(f"{what} of {name}", style, 2.5, x=LAMS, **where))
            lines[-1].line.shape = "hv" if jumps else "linear"
    return palette.figure(
        *view.valley_traces(),
        *lines,
        view.markers("now", [view.STYLES[name] for name in METHODS]),
        view.marker("sgd", palette.SGD, "w<sub>SGD</sub>"),
        height=480,
        margin_t=66,
        **view.plane_axes(),
        xaxis2={"domain": [0.64, 1], "range": [0, LAMS[-1]], "anchor": "y2"},
        yaxis2={
            "domain": [0.56, 1],
            "range": [0, 1.8],
            "anchor": "x2",
            "title_text": "distance moved",
        },
        xaxis3={"domain": [0.64, 1], "range": [0, LAMS[-1]], "anchor": "y3", "title_text": "λ"},
        yaxis3={"domain": [0, 0.44], "range": [0, 2.4], "anchor": "x3", "title_text": "loss"},
        shapes=[
            {"type": "line", "xref": "x2", "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
        ],
        annotations=[
            palette.legend(
                0.0,
                ("◆ ┅ directional pruning", palette.DIRECTIONAL.color),
                ("◇ ··· kept on the floor", palette.DIRECTIONAL.color),
                ("⬟ ━ soft-thresholding", view.SOFT.color),
                ("▲ ··· magnitude", palette.MAGNITUDE.color),
                ("✖ ╌ OBS", palette.OBS.color),
            )
        ],
    ).update_shapes(line={"color": palette.MUTED, "width": 1})


def _all_paths(angle: float, place: float, lam: float) -> tuple[dict[str, object], str]:
    k = LAMS.index(lam)
    found = view.paths_at(angle, place, LAMS)
    row: dict[str, object] = {**view.valley_rows(angle), **_whole_paths(angle, place)}
    row["now.x"], row["now.y"] = np.array([found[name][k] for name in METHODS]).T
    row["layout.shapes[0].x0"] = row["layout.shapes[0].x1"] = lam
    return row, _paths_sentence(found, k)


@cache
def _whole_paths(angle: float, place: float) -> dict[str, object]:
    found, valley = view.paths_at(angle, place, LAMS), view.valley_at(angle, place)
    w, size = valley.w, np.abs(valley.w)
    speeds = {"directional": valley.scores, "soft": np.ones(2)}
    rows: dict[str, object] = {
        "sgd.x": [w[0]],
        "sgd.y": [w[1]],
        "layout.title.text": _jump_title(valley),
    }
    for name in METHODS:
        drawn = found[name]
        if name in speeds:
            lams = view.corners(size, speeds[name], LAMS[-1])
            drawn = pruning_paths(valley, lams)[name]
        rows[f"{name}.x"], rows[f"{name}.y"] = drawn.T
        rows[f"move of {name}.y"] = found[f"move of {name}"]
        rows[f"loss of {name}.y"] = found[f"loss of {name}"]
    return rows


def _jump_title(valley: Valley) -> str:
    first = float(surgeon_prices(valley)[0])
    if first > LAMS[-1]:
        return f"OBS stays where it is up to λ = {LAMS[-1]:g}; directional pruning moves all along"
    q = int(obs_pruning(valley.w, valley.H, 1, epsilon=1e-3).order[0])
    j, _ = first_zero(valley.w, valley.scores)
    others = "no weight" if j < 0 else f"w<sub>{j + 1}</sub>"
    return (
        f"OBS removes w<sub>{q + 1}</sub> in one jump, at λ = {first:.2f}; "
        f"directional pruning glides towards {others} = 0"
    ).replace("towards no weight = 0", "and makes no zero")


def _paths_sentence(found: dict[str, np.ndarray], k: int) -> str:
    words = (
        f"{view.NAMES[name]} {view.pair(found[name][k])} loss {found[f'loss of {name}'][k]:.2f}"
        for name in METHODS
    )
    return f"λ = {LAMS[k]:.1f}. " + "; ".join(words) + "."


# ------------------------------------------------- what the predictions are about

LARGER, SMALLER, TOGETHER = "w₁, the larger one", "w₂, the smaller one", "both at the same λ"
TURNED = -25.0  # the angle of the second round
HALVED = (0.1, 0.05)  # γ before and after, in the third round
AT_LAM, AT_ANGLE = 0.7, 15.0


def race(angle: float) -> np.ndarray:
    """At which λ each weight reaches zero, from the middle place; inf where it grows: [2]."""
    valley = line_valley(view.PIVOT, angle)
    alone = [first_zero(valley.w[k : k + 1], valley.scores[k : k + 1])[1] for k in range(2)]
    return np.array(alone)


def _first_to_die(angle: float) -> str:
    first, second = race(angle)
    if abs(first - second) < 1e-9:
        return TOGETHER
    return LARGER if first < second else SMALLER


def who_grows(j: int) -> list[float]:
    """The angles of the slider at which weight ``j`` (0 or 1) grows, from the middle place."""
    return [angle for angle in ANGLES if line_valley(view.PIVOT, angle).scores[j] < -1e-9]


def _span(angles: list[float]) -> str:
    return f"from {view.degrees(min(angles))} to {view.degrees(max(angles))}"


def removed_by_obs(angle: float, epsilon: float = 1e-3) -> int:
    """Which weight OBS removes first, from the middle place: 0 or 1."""
    valley = line_valley(view.PIVOT, angle)
    return int(obs_pruning(valley.w, valley.H, 1, epsilon=epsilon).order[0])


def _who_removes_what(angle: float) -> str:
    obs, directional = removed_by_obs(angle) + 1, int(np.argmin(race(angle))) + 1
    if obs == directional:
        return f"both remove w{'₁₂'[obs - 1]}"
    return f"directional pruning w{'₁₂'[directional - 1]}, OBS w{'₁₂'[obs - 1]}"


def gap_at(lr: float) -> float:
    """gRDA's distance from its prediction on the floor in the third round's example."""
    k = REACHED.index(AT_LAM)
    return float(landing(AT_ANGLE, lr)["gap"][k])


def _gap_ratio() -> str:
    ratio = gap_at(HALVED[1]) / gap_at(HALVED[0])
    return min(
        {"the same": 1.0, "about half of it": 0.5, "about a quarter of it": 0.25}.items(),
        key=lambda option: abs(np.log(option[1] / ratio)),
    )[0]


PREDICTIONS = {
    "turning": Prediction(
        title="which weight dies first",
        question=(
            "w_SGD = (1, 0.4), and the floor runs at 15°, almost along the axis of w₁. "
            "Directional pruning slides along the floor. Which weight does it bring to zero first?"
        ),
        answer=lambda: _first_to_die(15.0),
        options={
            SMALLER: "Magnitude pruning would. But along this floor w₂ hardly changes.",
            LARGER: "The floor runs along its axis: it can go without any loss, and so it goes.",
            TOGETHER: "That needs a floor through the origin, at about 22°.",
        },
        explanation="w₁ reaches zero at λ = {first:.2f}, w₂ would at λ = {second:.2f}.",
        values=lambda: dict(zip(("first", "second"), race(15.0), strict=True)),
    ),
    "growing": Prediction(
        title="where a weight grows",
        heading="Report",
        question="With w_SGD at the middle place: at which angles of the slider does w₂ grow?",
        answer=lambda: _span(who_grows(1)),
        options={
            "from 5° to 40°": "There both scores are positive: both weights shrink.",
            "from −40° to −5°": "The floor falls to the right, and gently.",
            "from −85° to −50°": "There it is w₁ that grows, and w₂ shrinks.",
            "at none": "Bring the angle below zero and look at the second bar.",
        },
        explanation=(
            "Along a floor that falls to the right one weight can only shrink while the other grows. The one "
            "whose axis is nearer to the floor shrinks, as there is more to gain. w₁ grows {other}."
        ),
        values=lambda: {"other": _span(who_grows(0))},
    ),
    "surgeon": Prediction(
        title="what OBS removes",
        question=(
            "The floor at −25°, w_SGD = (1, 0.4). OBS removes one weight and moves the other so that "
            "the loss does not rise. Directional pruning brings one weight to zero. Which ones?"
        ),
        answer=lambda: _who_removes_what(TURNED),
        options={
            "both remove w₁": "OBS has a shorter way than to w₁ = 0.",
            "both remove w₂": "Directional pruning lets w₂ grow here: its score is negative.",
            "directional pruning w₁, OBS w₂": "They leave in opposite directions.",
            "directional pruning w₂, OBS w₁": "It is the other way round.",
        },
        explanation=(
            "Along the floor w₂ = 0 is {second:.2f} away on one side, w₁ = 0 is {first:.2f} away on the other. "
            "OBS takes the nearer one. Directional pruning goes where |w₁| + |w₂| falls."
        ),
        values=lambda: {
            "first": view.PIVOT[0] / np.cos(np.deg2rad(-TURNED)),
            "second": view.PIVOT[1] / np.sin(np.deg2rad(-TURNED)),
        },
    ),
    "halving": Prediction(
        title="what a smaller γ does",
        question=(
            "The floor at 15°. gRDA with γ = 0.1 and with γ = 0.05, both stopped at λ = 0.7. How far "
            "from w_DP is the second one, compared with the first?"
        ),
        answer=_gap_ratio,
        options={
            "the same": "They stop at the same λ, but the second had more time t.",
            "about half of it": "Half the step takes about twice the time to the same λ.",
            "about a quarter of it": "Closer, but not as much.",
        },
        explanation="The distances are {before:.4f} and {after:.4f}.",
        values=lambda: {"before": gap_at(HALVED[0]), "after": gap_at(HALVED[1])},
    ),
}


def my_scores(w: np.ndarray, P0: np.ndarray) -> np.ndarray:
    """One way to compute s."""
    sign = np.sign(w)
    return sign * (P0 @ sign)


def my_directional_pruning(w: np.ndarray, s: np.ndarray, lam: float) -> np.ndarray:
    """One way to compute w_DP."""
    return np.sign(w) * np.maximum(np.abs(w) - lam * s, 0)


HAND_P0 = np.array([[0.64, 0.48], [0.48, 0.36]])  # projects on the direction (4, 3)/5
HAND_W = np.array([1.0, -0.5])
PLANE_P0 = np.eye(3) - np.outer([1, 2, 2], [1, 2, 2]) / 9  # everything but (1, 2, 2)/3 is flat

EXERCISES = {
    "scores": Exercise(
        title="the direction scores",
        task="Write `my_scores(w, P0)`: the array of all s_j for weights `w` and the matrix `P0`.",
        solution=my_scores,
        oracle=lambda w, P0: np.array(
            [np.sign(w[j]) * sum(P0[j] * np.sign(w)) for j in range(len(w))]
        ),
        cases=(
            Case(
                (HAND_W, HAND_P0),
                np.array([0.16, -0.12]),
                "The example by hand: signs (1, −1), and P0 sign(w) = (0.16, 0.12). Each entry is then "
                "multiplied by its own weight's sign.",
            ),
            Case(
                (np.array([3.0, 0.2]), HAND_P0),
                np.array([1.12, 0.84]),
                "Only the signs of the weights count, not their sizes.",
            ),
            Case(
                (np.array([-1.0, -0.5]), HAND_P0),
                np.array([1.12, 0.84]),
                "Turn all signs over, and the scores stay the same.",
            ),
            Case(
                (np.array([0.3, -2.0, 1.0]), np.eye(3)),
                np.ones(3),
                "Where everything is flat every score is 1.",
            ),
            Case(
                (np.array([0.0, 2.0, -1.0]), PLANE_P0),
                why="A weight that is zero has sign 0, and so its score is 0.",
            ),
            Case((np.array([1.0, 2.0, -1.5]), PLANE_P0), why="Three weights on a flat plane."),
        ),
        hints=(
            "Begin with the array of signs: `np.sign(w)`.",
            "Project it: a matrix times a vector is `P0 @ sign`.",
            "Multiply each entry by the sign of its own weight: `sign * (P0 @ sign)`.",
        ),
        done="No network of real size is ever asked for its P0. Lesson 08 asks a small one.",
    ),
    "prune": Exercise(
        title="directional pruning",
        task=(
            "Write `my_directional_pruning(w, s, lam)`: the array w_DP for weights `w`, their scores `s` "
            "and a number `lam ≥ 0`."
        ),
        solution=my_directional_pruning,
        oracle=lambda w, s, lam: np.where(np.abs(w) > lam * s, w - lam * s * np.sign(w), 0.0),
        cases=(
            Case(
                (HAND_W, np.array([0.16, -0.12]), 2.0),
                np.array([0.68, -0.74]),
                "The example by hand: w₁ shrinks by 0.32, w₂ grows by 0.24.",
            ),
            Case(
                (np.array([1.0, -0.4]), np.array([0.5, 1.0]), 0.0),
                np.array([1.0, -0.4]),
                "With λ = 0 nothing moves.",
            ),
            Case(
                (np.array([1.0, -0.4]), np.array([0.5, 1.0]), 1.0),
                np.array([0.5, 0.0]),
                "A weight stops at zero, it does not go through.",
            ),
            Case(
                (np.array([-2.0, 0.3, 1.0]), np.ones(3), 0.5),
                np.array([-1.5, 0.0, 0.5]),
                "With every score 1 this is soft-thresholding.",
            ),
            Case(
                (np.array([0.0, 0.7]), np.array([0.0, 0.4]), 1.0),
                np.array([0.0, 0.3]),
                "A weight that is zero stays zero.",
            ),
        ),
        hints=(
            "It is soft-thresholding from lesson 01, and each weight has a threshold of its own: `lam * s`.",
            "The size becomes |w| − λs, but never less than zero: `np.maximum(np.abs(w) - lam * s, 0)`.",
            "Give the size its sign back: multiply by `np.sign(w)`.",
        ),
        done="Where s is negative the same line makes a weight grow.",
    ),
}

OBJECTIVES = {
    "say which weight dies when the valley turns": "turning",
    "find out where pruning makes a weight grow": "growing",
    "say how directional pruning differs from the optimal brain surgeon": "surgeon",
    "say when gRDA lands on directional pruning": "halving",
    "compute the direction scores of a small example": "scores",
    "prune in the directions that they allow": "prune",
}
