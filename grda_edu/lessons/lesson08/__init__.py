"""Lesson 08, the theorem on a real CNN: is gRDA really directional pruning?

All recorded numbers come from the recording "theorem", through ``lesson08_data``. The figures stand
in ``lesson08_spectrum``, ``lesson08_match`` and ``lesson08_further``, the live run in ``lesson08_live``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.lessons.lesson08.curvature import scores_on_weights, spectrum
from grda_edu.lessons.lesson08.data import (
    SETTINGS,
    about,
    array,
    at,
    cutoffs,
    ended,
    lrs,
    mean_and_range,
    power,
    seeds,
    short,
)
from grda_edu.lessons.lesson08.further import cutoff_matters, ladder, steep_share
from grda_edu.lessons.lesson08.live import LiveTheorem
from grda_edu.lessons.lesson08.match import (
    along_gamma,
    falling_gamma,
    losses_at_equal_zeros,
    predicted_and_actual,
)

__all__ = [
    "LiveTheorem",
    "cutoff_matters",
    "falling_gamma",
    "ladder",
    "losses_at_equal_zeros",
    "predicted_and_actual",
    "scores_on_weights",
    "spectrum",
    "steep_share",
]

C, MU = SETTINGS[0]

# ------------------------------------------------- what the controls lack, in numbers


def evidence_rows() -> list[dict[str, Any]]:
    """For each setting of the text the evidence of every seed, with s and with two shuffles of it."""
    rows = []
    for c, mu in SETTINGS:
        cells = [ended(c, mu, s) for s in seeds()]
        rows.append(
            {
                "c": c,
                "mu": mu,
                "zeros": float(np.mean([one.zeros for one in cells])),
                "found": [one.evidence() for one in cells],
                "outgoing": [one.outgoing() for one in cells],
                "shuffled": [one.shuffled() for one in cells],
                "in layers": [one.shuffled_in_layers() for one in cells],
            }
        )
    return rows


_HEADS = {  # key of evidence_rows -> words
    "found": "the scores s",
    "outgoing": "outgoing weights alone",
    "shuffled": "s shuffled",
    "in layers": "s shuffled within each layer",
}


def table_of_evidence() -> None:
    """Show what the controls lack: correlation, and growth where s < 0, beside shuffled scores."""
    from IPython.display import display

    lines = []
    for entry in evidence_rows():
        for key, words in _HEADS.items():
            group = entry[key]
            growth = (
                f"{np.mean([getattr(e, name) for e in group]):.0%}"
                for name in ("grew_where_negative", "grew_where_positive")
            )
            where = f"c = {entry['c']:g}, μ = {entry['mu']:g} ({entry['zeros']:.0%} zeros)"
            correlation = mean_and_range([e.correlation for e in group])
            lines.append((where if key == "found" else "", words, correlation, *growth))
    head = ("", "", "correlation of ŝ with it", "grew where it is negative", "where positive")
    caption = (
        f"γ = {about('main_lr'):g}, t = {about('t'):g}, cut-off {power(about('main_cutoff'))}; "
        f"means of {len(seeds())} seeds (least to greatest)"
    )
    text = "\n".join([caption, *("  |  ".join(line) for line in (head, *lines))])
    cells = "".join(f"<tr><td>{'</td><td>'.join(line)}</td></tr>" for line in lines)
    table = f"<table><caption>{caption}</caption><tr><th>{'</th><th>'.join(head)}</th></tr>{cells}"
    display({"text/html": f"{table}</table>", "text/plain": text}, raw=True)


def worked_number() -> None:
    """Print λ and one weight's prediction in digits: a survivor whose score is negative."""
    one = ended(C, MU, seeds()[0])
    s, lr, t = one.score(), about("main_lr"), about("t")
    j = worked_weight()
    print(f"λ = c √γ t^μ = {C:g} · √{lr:g} · {t:g}^{MU:g} = {one.lam:.4f}")
    print(f"weight {j} of {len(s)}: w_SGD = {one.sgd[j]:+.4f}, s = {s[j]:+.3f}")
    size = abs(one.sgd[j]) - one.lam * s[j]
    print(
        f"predicted: sign(w)·(|w| - λ s) = {np.sign(one.sgd[j]):+.0f}·({abs(one.sgd[j]):.4f} - {one.lam:.4f}·({s[j]:+.3f})) "
        f"= {np.sign(one.sgd[j]) * size:+.4f}"
    )
    print(f"gRDA's weight: {one.grda[j]:+.4f}")


def worked_weight() -> int:
    """The survivor with the most negative score."""
    one = ended(C, MU, seeds()[0])
    return int(np.where(one.grda != 0, one.score(), np.inf).argmin())


def use_share(my_share: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Print the learner's measure of recorded moves in the ten steepest directions, and of chance."""
    top = array("top")[0]
    if my_share(np.ones(len(top)), top) is ...:
        print("Write my_share above, then run this cell again.")
        return
    for c, mu in SETTINGS:
        one = ended(c, mu, seeds()[0])
        magnitude = magnitude_pruning(one.sgd, one.zeros)
        print(
            f"c = {c:g}, μ = {mu:g}: gRDA's move {my_share(one.grda - one.sgd, top):.3f}, "
            f"magnitude pruning's {my_share(magnitude - one.sgd, top):.3f}"
        )
    chance = np.random.default_rng(0).standard_normal((100, len(top)))
    mean = np.mean([my_share(direction, top) for direction in chance])
    print(
        f"a random direction: {mean:.3f}, about √(10/{len(top):,}) = {(10 / len(top)) ** 0.5:.3f}"
    )


# ------------------------------------------------- predictions, exercise, objectives


def flat_percent() -> float:
    """Eigenvalues below the main cut-off where SGD stopped, in percent, mean over seeds."""
    ranks = [ended(C, MU, s).rank[at(cutoffs(), about("main_cutoff"))] for s in seeds()]
    return float(100 * np.mean(ranks) / array("values").shape[-1])


def best_cosine() -> str:
    """Which prediction's move is closest to gRDA's in angle at the strongest of the settings."""
    c, mu = SETTINGS[-1]
    means = _cosines(c, mu)
    best = max(means, key=means.__getitem__)
    return _COSINE_OPTIONS[best]


_COSINE_OPTIONS = {
    "directional": "directional pruning",
    "soft": "soft-thresholding with as many zeros as gRDA",
    "random": "directional pruning with a random P0",
}


def _cosines(c: float, mu: float) -> dict[str, float]:
    cells = [ended(c, mu, s) for s in seeds()]
    return {
        name: float(np.mean([one.match(one.predictions()[name]).cosine for one in cells]))
        for name in _COSINE_OPTIONS
    }


def _cosine_words() -> dict[str, str]:
    c, mu = SETTINGS[-1]
    means = _cosines(c, mu)
    return {
        "cosines": ", ".join(f"{_COSINE_OPTIONS[n]} {short(m)}" for n, m in means.items()),
    }


def gamma_trend() -> str:
    """What becomes of the correlation at (C, MU) as γ is halved, in the words of an option."""
    means = along_gamma(C, MU, about("main_cutoff"))["correlation, c fixed"].mean(axis=1)[:-1]
    steps = np.diff(means)
    if (steps > 0).all():
        return "it rises every time"
    return "it falls every time" if (steps < 0).all() else "now up, now down"


def _gamma_words() -> dict[str, str]:
    means = along_gamma(C, MU, about("main_cutoff"))["correlation, c fixed"].mean(axis=1)[:-1]
    pairs_of = zip(lrs(), means, strict=True)
    return {"means": ", ".join(f"{short(m)} at γ = {lr:g}" for lr, m in pairs_of)}


PREDICTIONS = {
    "how_flat": Prediction(
        title="how flat a real network's loss is",
        question=(
            "The network has 1,370 weights, so the Hessian has 1,370 eigenvalues. How many "
            "percent of them are below 0.001? (Within 10 points counts.)"
        ),
        answer=flat_percent,
        unit="%",
        tolerance=10.0,
        explanation=(
            "{answer:.0f} %, in the mean of the recorded seeds: nearly nine directions in ten are flat. Even this small "
            "network has far more weights than it needs."
        ),
    ),
    "best_cosine": Prediction(
        title="which prediction has the smallest angle",
        question=(
            f"c = {SETTINGS[-1][0]:g}, μ = {SETTINGS[-1][1]:g}: strong pruning. We predict gRDA's move away from SGD's "
            "weights in three ways: with the scores; blind to the loss; with scores from random directions in the "
            "place of the flat ones. Which prediction has the smallest angle to it, that is, the largest cosine?"
        ),
        answer=best_cosine,
        options={
            "directional pruning": "It knows the flat directions. But the angle is ruled by the sheer amount of shrinking.",
            "soft-thresholding with as many zeros as gRDA": (
                "It knows nothing of the loss, only how many zeros to make, and still has the smallest angle."
            ),
            "directional pruning with a random P0": "Its scores are noise around their mean; that costs angle too.",
        },
        explanation="Cosines, means of the recorded seeds: {cosines}. A high cosine alone proves little.",
        values=_cosine_words,
    ),
    "smaller_gamma": Prediction(
        title="what a smaller γ does",
        question=(
            f"The theorem is about small γ. We halve γ three times, from 0.2 to 0.025, and train to the same time t "
            f"each time. What becomes of the correlation of ŝ with s at c = {C:g}, μ = {MU:g}?"
        ),
        answer=gamma_trend,
        options={
            "it rises every time": "That is what the theorem lets you hope for.",
            "it falls every time": "Then the theorem would be in trouble.",
            "now up, now down": "Three seeds are few, and noise is possible.",
        },
        explanation="Means of the recorded seeds: {means}.",
        values=_gamma_words,
    ),
}


def my_share(move: np.ndarray, vectors: np.ndarray) -> float:
    """The solution that the learner may compare with."""
    inside = vectors.T @ move
    return float(np.linalg.norm(inside) / np.linalg.norm(move))


def _cases() -> list[Case]:
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    axes = np.eye(3)
    return [
        Case(
            (np.array([3.0, 0.0, 4.0]), axes[:, :1]),
            0.6,
            "3 of a length of 5 lie along the first axis.",
        ),
        Case(
            (np.array([0.0, 2.0, 0.0]), axes[:, :2]), 1.0, "A move inside the subspace has share 1."
        ),
        Case(
            (np.array([0.0, 0.0, -2.0]), axes[:, :2]),
            0.0,
            "A move at right angles to it has share 0.",
        ),
        Case(
            (np.array([1.0, 2.0, 2.0]), axes[:, :2]),
            5**0.5 / 3,
            "With two vectors the inside part is √(1² + 2²) long, of a length of 3.",
        ),
        Case((np.array([10.0, 20.0, 20.0]), axes[:, :2]), why="A longer move has the same share."),
        Case(
            (np.array([-1.0, 1.0, 0.0]), axes[:, :2]),
            why="Parts with different signs do not cancel.",
        ),
        Case(
            (rng.standard_normal(6), turned[:, :4]),
            why="Any orthonormal vectors will do, not only axes.",
        ),
    ]


def _by_projection(move: np.ndarray, vectors: np.ndarray) -> float:
    inside = vectors @ (vectors.T @ move)
    return float(np.sqrt(inside @ inside) / np.sqrt(move @ move))


EXERCISES = {
    "share": Exercise(
        title="the share of a move in a subspace",
        task="Write `my_share(move, vectors)`: ‖P d‖ / ‖d‖ for a move d `[D]` and orthonormal columns `vectors` `[D, k]`.",
        solution=my_share,
        oracle=_by_projection,
        cases=_cases,
        hints=(
            "How long is the move along one of the vectors? That is their scalar product.",
            "`vectors.T @ move` holds all k of them: the coordinates of the inside part.",
            "The columns are orthonormal, so the inside part is as long as its coordinates: `np.linalg.norm(vectors.T @ move)`.",
        ),
        done="Now measure gRDA's own move with it, in the cell below.",
    ),
}

OBJECTIVES = {
    "say how flat the loss of a real network is": "how_flat",
    "say why a high cosine is not yet evidence, and what is": "best_cosine",
    "say what the theorem's limit looks like when you measure it": "smaller_gamma",
    "measure how much of a move lies in the steepest directions": "share",
}
