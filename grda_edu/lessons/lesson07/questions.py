"""Lesson 07's predictions and exercises."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction

from .looks import degrees
from .numbers import REACHED, W_SGD, landing, race, removed_by_obs, valley_at, who_grows

LARGER, SMALLER, TOGETHER = "w₁, the larger one", "w₂, the smaller one", "both at the same λ"
TURNED = -25.0  # the angle of the second round
HALVED = (0.1, 0.05)  # γ before and after, in the third round
AT_LAM, AT_ANGLE = 0.7, 15.0


def first_to_die(angle: float) -> str:
    """Which of the options is right at this angle."""
    first, second = race(angle)
    if abs(first - second) < 1e-9:
        return TOGETHER
    return LARGER if first < second else SMALLER


def _span(angles: list[float]) -> str:
    return f"from {degrees(min(angles))} to {degrees(max(angles))}"


def who_removes_what(angle: float) -> str:
    """Which weight OBS and which directional pruning brings to zero first."""
    obs, directional = removed_by_obs(valley_at(angle)), int(np.argmin(race(angle)))
    if obs == directional:
        return f"both remove w{'₁₂'[obs]}"
    return f"directional pruning w{'₁₂'[directional]}, OBS w{'₁₂'[obs]}"


def gap_at(lr: float) -> float:
    """gRDA's distance from its prediction on the floor in the third round's example."""
    return float(landing(AT_ANGLE, lr)["gap"][REACHED.index(AT_LAM)])


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
            "SGD ended at (1, 0.4), and the floor runs at 15°, almost along the axis of w₁. "
            "Directional pruning slides along the floor. Which weight does it bring to zero first?"
        ),
        answer=lambda: first_to_die(15.0),
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
        question="At which angles of the slider does w₂ grow?",
        answer=lambda: _span(who_grows(1)),
        options={
            "from 3° to 42°": "There both scores are positive: both weights shrink.",
            "from −42° to −3°": "The floor falls to the right, and gently.",
            "from −87° to −48°": "There it is w₁ that grows, and w₂ shrinks.",
            "at none": "Bring the angle below zero and look at the second gauge.",
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
            "The floor at −25°, SGD's end at (1, 0.4). OBS removes one weight and moves the other so that "
            "the loss does not rise. Directional pruning brings one weight to zero. Which ones?"
        ),
        answer=lambda: who_removes_what(TURNED),
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
            "first": W_SGD[0] / np.cos(np.deg2rad(-TURNED)),
            "second": W_SGD[1] / np.sin(np.deg2rad(-TURNED)),
        },
    ),
    "halving": Prediction(
        title="what a smaller γ does",
        question=(
            "The floor at 15°. gRDA with γ = 0.1 and with γ = 0.05, both stopped at λ = 0.7. How far "
            "from directional pruning is the second one, compared with the first?"
        ),
        answer=_gap_ratio,
        options={
            "the same": "They stop at the same λ, but the second had more time t.",
            "about half of it": "Half the step takes about twice the time to the same λ.",
            "about a quarter of it": "Closer, but not as much.",
        },
        explanation="The distances are {before:.4f} and {after:.4f}. c is held, so the second one took twice the time to this λ.",
        values=lambda: {"before": gap_at(HALVED[0]), "after": gap_at(HALVED[1])},
    ),
}


def my_scores(w: np.ndarray, P0: np.ndarray) -> np.ndarray:
    """One way to compute s."""
    sign = np.sign(w)
    return sign * (P0 @ sign)


def my_directional_pruning(w: np.ndarray, s: np.ndarray, lam: float) -> np.ndarray:
    """One way to prune."""
    return np.sign(w) * np.maximum(np.abs(w) - lam * s, 0)


HAND_P0 = np.array([[0.64, 0.48], [0.48, 0.36]])  # projects on the direction (4, 3)/5
HAND_W = np.array([1.0, -0.5])
PLANE_P0 = np.eye(3) - np.outer([1, 2, 2], [1, 2, 2]) / 9  # everything but (1, 2, 2)/3 is flat

EXERCISES = {
    "scores": Exercise(
        title="the direction scores",
        task="Write `my_scores(w, P0)`: the array of all scores for weights `w` and the matrix `P0`.",
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
            "Write `my_directional_pruning(w, s, lam)`: the array of pruned weights for weights `w`, their scores `s` "
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
    "say what brings gRDA closer to directional pruning": "halving",
    "compute the direction scores of a small example": "scores",
    "prune in the directions that they allow": "prune",
}
