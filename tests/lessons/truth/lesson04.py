"""Lesson 04: the recording is read run by run, the figures read it as a grid."""

from __future__ import annotations

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson04
from grda_edu.models import digits_cnn
from lessons.truth import Case, hollow

RUNS = recordings.load("digits_grid")
LAYERS = {name: p.numel() for name, p in digits_cnn(0).named_parameters()}
NAMES = [name.partition(".")[0] for name in LAYERS]  # conv1, fc2
LABELS = [part for layer in LAYERS.items() for part in layer]
IMAGES = 360
CURVES = ("test_accuracy", "train_loss", "total_zeros")
METHODS = {"SGD": palette.SGD, "gRDA": palette.GRDA}


def share(run, epoch: int) -> float:
    """Of zeros, over all layers."""
    return run.zeros[epoch].sum() / sum(LAYERS.values())


def shares(run, epoch: int) -> list[float]:
    """Of zeros, layer by layer."""
    return [zeros / size for zeros, size in zip(run.zeros[epoch], LAYERS.values(), strict=True)]


# ------------------------------------------------- the recorded trainings


def says_scrub(seed: int, epoch: int, c: float, mu: float) -> dict:
    ours, sgd = RUNS.run(c, mu, seed), RUNS.run(0.0, mu, seed)
    zeros, right, reference = (
        share(ours, epoch),
        ours.test_accuracy[epoch],
        sgd.test_accuracy[epoch],
    )
    images = round(IMAGES * reference) - round(IMAGES * right)  # fewer than SGD
    compared = (
        [abs(images), "fewer than" if images > 0 else "more than"] if images else ["as many as"]
    )
    return {
        "sentence": [zeros, right, IMAGES, *compared, reference],
        "yaxis.ticktext": ["≤", 0.8, 0.85, 0.9, 0.95, 1],
        "title": [epoch, zeros, "zeros", right],
        "zeros by layer.y": LABELS,
        "zeros by layer.text": shares(ours, epoch),
    }


def reaches_scrub(seed: int, epoch: int, c: float, mu: float) -> list[bool]:
    ours, sgd = RUNS.run(c, mu, seed), RUNS.run(0.0, mu, seed)
    lost = round(IMAGES * sgd.test_accuracy[60]) - round(IMAGES * ours.test_accuracy[60])
    return [epoch == 60 and share(ours, 60) >= 0.9 and lost < IMAGES / 100]


def keys_of_curves(words: str = "{}") -> dict:
    """The headings of the three panels of curves, and of the layers'."""
    return {
        f"notes[{k}]": {words.format(name): f"{name} {curve}" for name in METHODS}
        for k, curve in enumerate(CURVES)
    }


CURVE_LOOKS = {f"{name} {curve}": style for name, style in METHODS.items() for curve in CURVES}
SCRUB = Case(
    "scrub",
    lesson04.scrub,
    says_scrub,
    looks=CURVE_LOOKS
    | {f"{name} now": style for name, style in CURVE_LOOKS.items()}
    | {"zeros by layer": palette.ZERO},
    keys=keys_of_curves() | {"notes[3]": {"gRDA": "gRDA total_zeros"}},
    names=NAMES,
    positions=[
        {"seed": 1, "epoch": 7, "c": 0.02, "mu": 0.65},
        {"epoch": 30, "c": 0.05, "mu": 0.7},
        {"c": 0.015, "mu": 0.65},
        {"c": 0.02, "mu": 0.65},
    ],
    reaches=reaches_scrub,
)


# ------------------------------------------------- inside the network


def says_inside(mu: float, epoch: int, c: float) -> dict:
    run, sgd = RUNS.run(c, mu, int(RUNS.seeds[0])), RUNS.run(0.0, mu, int(RUNS.seeds[0]))
    zeros, total = share(run, epoch), int(run.zeros[epoch].sum())
    first, last = (run.snapshots[epoch][f"{name}.weight"] for name in ("conv1", "fc2"))
    outputs, hidden = last.shape
    lost = first.size - np.count_nonzero(first)
    left = np.count_nonzero(last)
    cut_off = sum(not any(column) for column in last.T.tolist())
    highest = [max(np.sum(r.histograms[epoch], axis=0).tolist()) for r in (run, sgd)]
    return {
        "sentence": [
            "weights that are not zero",
            *(*highest, left, last.size, "left", cut_off, hidden, "have none"),
        ],
        "title": [int(RUNS.seeds[0]), epoch, zeros, "are zero", run.test_accuracy[epoch], "right"],
        "notes[0]": [len(first), lost, first.size],
        "notes[1]": [],
        "notes[2]": [total],
        "notes[3]": [hidden, outputs, last.size - left, last.size],
        "spike.x": [0],
        "spike.text": [zeros],
        "digits.text": list(range(outputs)),
    }


INSIDE = Case(
    "inside",
    lesson04.inside,
    says_inside,
    looks={
        "filters": palette.SIGNED,
        "filter zeros": palette.ZERO,
        "weights": palette.GRDA,
        "SGD's weights": palette.SGD,
        "spike": palette.ZERO,
        "wires": palette.INK,
        "units": palette.INK,
        "cut-off units": palette.ZERO,
        "digits": palette.INK,
    },
    keys={
        "notes[0]": {"# of # are zero": "filter zeros"},
        "notes[1]": {"gRDA": "weights", "SGD": "SGD's weights"},
        "notes[2]": {"#": "spike"},
        "notes[3]": {"# of # are zero": "cut-off units"},
    },
    positions=[{"epoch": 60}, {"epoch": 60, "c": 0.05, "mu": 0.7}],
)


# ------------------------------------------------- all runs


def says_all_runs(c: float) -> dict:
    ends = {
        mu: [(RUNS.run(c, mu, int(s)), RUNS.run(0.0, mu, int(s))) for s in RUNS.seeds]
        for mu in RUNS.mu
    }
    zeros = {mu: [share(run, -1) for run, _ in pairs] for mu, pairs in ends.items()}
    lost = {
        mu: [r.test_accuracy[-1] - sgd.test_accuracy[-1] for r, sgd in pairs]
        for mu, pairs in ends.items()
    }
    every = [value for values in lost.values() for value in values]
    collapsed = sum(r.test_accuracy[-1] < 0.2 for pairs in ends.values() for r, _ in pairs)
    reached = [mu for mu in RUNS.mu if np.mean(zeros[mu]) >= 0.9 and np.mean(lost[mu]) > -0.01]
    sgd = [RUNS.run(0.0, RUNS.mu[0], int(s)).test_accuracy[-1] for s in RUNS.seeds]
    p = float(np.mean(sgd))
    return {
        "sentence": [
            *(100 * min(every), 100 * max(every), collapsed, len(every), "collapsed"),
            *(["with μ", *reached] if reached else ["with no μ"]),
        ],
        "notes[1]": [min(sgd), max(sgd)],
        "title": [c, len(RUNS.seeds)],
        "notes[3]": [100 * (p * (1 - p) / IMAGES) ** 0.5],
        "yaxis.ticktext": [*range(-5, 2), -6, "or less"],
        "mean.text": [RUNS.mu[0], RUNS.mu[-1]],
    }


ALL_RUNS = Case(
    "all_runs",
    lesson04.all_runs,
    says_all_runs,
    looks={
        "all": palette.MUTED,
        "this c": hollow(palette.GRDA),
        "mean": palette.GRDA,
        "shapes[0]": palette.DIRECTIONAL.color,
        "shapes[1]": palette.BAND,
        "SGD": palette.SGD,
    },
    keys={
        "title": {"single runs": "this c", "mean of # seeds at each μ": "mean", "other c": "all"},
        "notes[1]": {"SGD, which ends": "SGD", "at # to #, by seed": "SGD"},
        "notes[2]": {"the goal": "shapes[0]"},
    },
    positions=[{"c": 0.015}, {"c": 0.03}],
)


# ------------------------------------------------- training live


def live(names: tuple[str, ...], epoch: int):
    """The live view as it stands when ``names`` have come so far, told by recorded runs."""
    view = lesson04.live_training({}, epochs=60)
    view._take({name: live_run(name, epoch) for name in names})
    view._draw()
    return view


def live_run(name: str, epoch: int):
    run = RUNS.run(0.02 if name == "gRDA" else 0.0, 0.65, 0)
    for curve in ("epoch", "zeros", *CURVES[:2]):
        setattr(run, curve, getattr(run, curve)[: epoch + 1])
    return run


def says_live(names: tuple[str, ...], epoch: int) -> dict:
    runs = [live_run(name, epoch) for name in names]
    if not runs:
        return {"sentence": ["Nothing"]}
    last = runs[-1]
    return {
        "sentence": [x for r in runs for x in (epoch, share(r, -1), "zero", r.test_accuracy[-1])],
        "notes[0]": [run.test_accuracy[-1] for run in runs],
        "notes[1]": [run.train_loss[-1] for run in runs],
        "notes[2]": [share(run, -1) for run in runs],
        "zeros by layer.y": LABELS,
        "zeros by layer.text": shares(last, -1),
    }


def keys_live(names: tuple[str, ...], epoch: int) -> dict:
    """Before Start the lines that will come are named, without numbers."""
    headings = {
        f"notes[{k}]": {f"{name} #": f"{name} {curve}" for name in names}
        for k, curve in enumerate(CURVES)
    }
    last = names[-1] if names else "gRDA"
    return (headings if names else keys_of_curves()) | {"notes[3]": {last: f"{last} total_zeros"}}


LIVE = Case(
    "live_training",
    live,
    says_live,
    looks=CURVE_LOOKS | {"zeros by layer": palette.ZERO},
    keys=keys_live,
    names=NAMES,
    positions=[
        {"names": (), "epoch": 0},
        {"names": ("SGD",), "epoch": 0},
        {"names": ("SGD", "gRDA"), "epoch": 12},
        {"names": ("SGD", "gRDA"), "epoch": 60},
    ],
)

CASES = [SCRUB, INSIDE, ALL_RUNS, LIVE]
