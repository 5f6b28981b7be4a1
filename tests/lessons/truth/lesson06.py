"""Lesson 06: thresholds are added up step by step, recipes are read run by run."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from grda_edu import PowerTuning, recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson06
from grda_edu.models import digits_cnn
from lessons.truth import Case, hollow, look

RUNS = {name: recordings.load_recipes(name) for name in ("digits_recipes", "mnist_recipes")}
DIGITS = RUNS["digits_recipes"]
MU, C = 0.65, 0.02
OTHER = palette.Style(palette.INK, "dot", "x")
DROP = palette.Style(palette.MUTED, "dot", "line-ns")
LAYERS = {name: p.numel() for name, p in digits_cnn(0).named_parameters()}


def added_up(rates: np.ndarray, c: float, mu: float) -> np.ndarray:
    """The threshold after each step, one increment after the other: c γ^(½+μ) (n^μ - (n-1)^μ)."""
    n = np.arange(1, len(rates) + 1)
    return np.cumsum(c * rates ** (0.5 + mu) * (n**mu - (n - 1.0) ** mu))


# ------------------------------------------------- two thresholds


def says_thresholds(training: tuple, factor: float, share: float) -> dict:
    steps, epochs, lr, c, mu = training
    last = round(share * epochs)
    after = np.arange(1, steps * epochs + 1) > steps * last
    rates = np.where(after, lr * factor, lr)
    accumulated = added_up(rates, c, mu)
    n = steps * last
    before, then = accumulated[n - 1], c * rates[n] ** (0.5 + mu) * (n + 1) ** mu
    change = "falls" if factor < 1 else "stays"
    return {
        "sentence": [
            *(change, last, epochs, "accumulated", before, accumulated[-1]),
            *("recomputed", before, then),
        ],
        "title": ["recomputed", before, then],
    }


THRESHOLDS = Case(
    "two_thresholds",
    lesson06.two_thresholds,
    says_thresholds,
    looks={"rate": palette.SGD, "accumulated": palette.GRDA, "recomputed": OTHER},
    keys={
        "notes[0]": {"learning rate γ": "rate"},
        "notes[1]": {"accumulated": "accumulated", "recomputed": "recomputed"},
    },
    positions=[
        {"training": (40, 60, 0.1, C, MU), "share": 2 / 3},
        {"training": (40, 60, 0.1, C, MU), "share": 1 / 3, "factor": 0.02},
    ],
)


# ------------------------------------------------- the recorded recipes


@cache
def runs_of(name: str, recipe: str) -> list:
    return [RUNS[name].run(recipe, int(seed)) for seed in RUNS[name].seeds]


def shares(name: str, recipe: str, epoch: int = -1) -> list[float]:
    """Of zeros, by seed."""
    return [r.zeros[epoch].sum() / r.sizes.sum() for r in runs_of(name, recipe)]


def right(name: str, recipe: str) -> list[float]:
    """Share of test images read correctly at the end, by seed."""
    return [r.test_accuracy[-1] for r in runs_of(name, recipe)]


def spread(values: list[float]) -> list[float]:
    """Lowest and highest; one number where both are written alike."""
    alike = f"{min(values):.1%}" == f"{max(values):.1%}"
    return [min(values)] if alike else [min(values), max(values)]


def says_undone(c: float) -> dict:
    at, name = DIGITS.configurations[0]["drop_after"], "digits_recipes"
    both = {
        "accumulated": f"gRDA, c = {c:g}, step",
        "recomputed": f"gRDA, recomputed threshold, c = {c:g}, step",
    }
    said: list[object] = []
    for word, recipe in both.items():
        said += [word, np.mean(shares(name, recipe, at)), np.mean(shares(name, recipe)), "zeros"]
        said += [np.mean(right(name, recipe)), "right"]
    return {
        "sentence": said,
        "title": [c, np.mean(shares(name, both["recomputed"], at + 1)), "zeros"],
    }


def with_bands(looks: dict) -> dict:
    return looks | {f"{name} band": style for name, style in looks.items()}


UNDONE = Case(
    "undone",
    lesson06.undone,
    says_undone,
    looks=with_bands(
        {
            f"{word} {curve}": style
            for word, style in {"accumulated": palette.GRDA, "recomputed": OTHER}.items()
            for curve in ("total_zeros", "test_accuracy")
        }
    )
    | {f"shapes[{k}]": DROP for k in range(2)},
    keys={
        f"notes[{k}]": {word: f"{word} {curve}" for word in ("accumulated", "recomputed")}
        for k, curve in enumerate(("total_zeros", "test_accuracy"))
    },
)


def recorded_c(name: str, method: str) -> list[float]:
    """With which c a method was recorded."""
    values = (0.005, 0.01, 0.02, 0.03, 0.05)
    return [c for c in values if f"{method}, c = {c:g}, step" in RUNS[name].recipes]


def shown_c(name: str, method: str, asked: float) -> float:
    """The one that is nearest in its logarithm, the smaller of two."""
    return min(recorded_c(name, method), key=lambda c: (round(abs(math.log(c / asked)), 6), c))


def reference(method: str) -> str:
    """What trains without a penalty as the method does: with momentum or without."""
    plain = method in ("gRDA", "gRDA with weight decay")
    return "SGD" if plain else "SGD with momentum"


def says_recipes(name: str):
    def says(method: str, c: float, step: int = 1) -> dict:
        asked, c = c, shown_c(name, method, c)
        schedule = "step" if step else "constant"
        recipe = f"{method}, c = {c:g}, {schedule}"
        sgd = right(name, f"{reference(method)}, {schedule}")
        zeros, accuracy = shares(name, recipe), right(name, recipe)
        return {
            "sentence": [
                *(["was not recorded with this c"] if asked != c else []),
                *(*spread(zeros), "zeros", *spread(accuracy), "right", reference(method)),
                *spread(sgd),
            ],
            "title": [method, c, np.mean(zeros), "zeros", np.mean(accuracy), "right"],
            "yaxis4.ticktext": ["≤", 0.94, 0.96, 0.98, 1.0],
        }

    return says


def reaches_recipes(method: str, c: float, step: int) -> list[bool]:
    name = "digits_recipes"
    recipe = f"{method}, c = {shown_c(name, method, c):g}, step"
    sgd = np.mean(right(name, f"{reference(method)}, step"))
    few = sgd - np.mean(right(name, recipe)) < 0.01
    return [step == 1 and few and np.mean(shares(name, recipe)) >= 0.85]


def keys_of_recipes(method: str, **_) -> dict:
    return {
        "notes[0]": {reference(method): "SGD test_accuracy"},
        "notes[1]": {method: "this train_loss", "plain gRDA": "plain gRDA train_loss"},
    }


RECIPE_LOOKS = (
    with_bands(
        {
            f"{name} {curve}": style
            for name, style in {
                "SGD": palette.SGD,
                "plain gRDA": palette.TARGET,
                "this": palette.GRDA,
            }.items()
            for curve in ("test_accuracy", "train_loss", "total_zeros")
        }
    )
    | {"all ends": palette.MUTED, "this recipe's ends": palette.GRDA}
    | {"this end": hollow(palette.GRDA), "SGD's end": palette.SGD}
    | {f"shapes[{k}]": DROP for k in range(3)}
)


def recipes_case(label: str, name: str, positions: list, reaches=None) -> Case:
    return Case(
        label,
        lambda: lesson06.recipes(name),
        says_recipes(name),
        looks=RECIPE_LOOKS,
        keys=keys_of_recipes,
        positions=positions,
        reaches=reaches,
    )


RECIPES = recipes_case(
    "recipes",
    "digits_recipes",
    [
        {"method": "gRDAM", "c": 0.02, "step": 1},
        {"method": "gRDAM, effective step", "c": 0.02, "step": 1},
        {"method": "gRDAM, effective step", "c": 0.03, "step": 0},
        {"method": "QHM gRDA", "c": 0.005, "step": 1},
        {"method": "Nesterov gRDA, effective step", "c": 0.02, "step": 0},
        {"method": "gRDA", "c": 0.02, "step": 1},
    ],
    reaches_recipes,
)
RECIPES_MNIST = recipes_case(
    "recipes (MNIST)", "mnist_recipes", [{"method": "gRDAM, effective step", "c": 0.02}]
)


# ------------------------------------------------- one gradient in the buffer


def says_one_gradient(beta: float, step: int) -> dict:
    moved = sum(held_at(beta, k) for k in range(step + 1))
    in_all = sum(held_at(beta, k) for k in range(600))
    return {
        "sentence": [
            step,
            "step after" if step == 1 else "steps after",
            held_at(beta, step),
            moved,
        ],
        "title": [beta, in_all],
        "notes[1]": [1, 1],
    }


def held_at(beta: float, step: int) -> float:
    """By the buffer's own recursion, of one gradient of 1."""
    held = 1.0
    for _ in range(step):
        held *= beta
    return held


ONE_GRADIENT = Case(
    "one_gradient",
    lesson06.one_gradient,
    says_one_gradient,
    looks={
        "buffer": palette.MUTED,
        "in all": palette.TARGET,
        "moved": palette.GRDA,
        "here": palette.GRDA,
    },
    keys={"notes[1]": {"so far": "moved", "in all: #/(# − β)": "in all"}},
    positions=[
        {"beta": 0.9, "step": 1},
        {"beta": 0.9, "step": 10},
        {"beta": 0.7, "step": 3},
        {"beta": 0.0, "step": 2},
    ],
)


# ------------------------------------------------- every recipe with one c


def says_side_by_side() -> dict:
    said: list[object] = []
    for method in ("gRDA", "gRDAM, effective step"):
        recipe = f"{method}, c = {C:g}, step"
        zeros, accuracy = shares("digits_recipes", recipe), right("digits_recipes", recipe)
        said += [method, np.mean(zeros), "zeros", np.mean(accuracy), "right"]
    assert len(DIGITS.seeds) == 3  # "three seeds"
    return {
        "sentence": ["falling", *said, "Means of three seeds"],
        "title": [C, MU],
        "xaxis2.ticktext": ["≤", 0.95, 0.96, 0.97, 0.98, 0.99],
    }


MARKS = [palette.SGD.color] * 3 + [palette.GRDA.color] * 7  # of the recipes from the top
SIDE_BY_SIDE = Case(
    "side_by_side",
    lesson06.side_by_side,
    says_side_by_side,
    looks={
        **{
            f"{what}, {rate}, seeds": palette.MUTED
            for what in ("zeros", "right")
            for rate in ("constant", "falling")
        },
        **{
            f"{what}, {rate}": look(style, **{"marker.color": MARKS})
            for what in ("zeros", "right")
            for rate, style in {
                "constant": palette.style_of(palette.INK)._replace(symbol="circle-open"),
                "falling": palette.style_of(palette.INK),
            }.items()
        },
        "beyond": hollow(palette.SGD._replace(symbol="triangle-left")),
    },
    keys={
        "notes[0]": {
            "γ constant": (palette.INK, "zeros, constant[0]"),
            "γ falling": (palette.INK, "zeros, falling[0]"),
            "lowest to highest seed": "zeros, falling, seeds",
        }
    },
)


# ------------------------------------------------- a threshold of the learner's own


def linear(n: float, lr: float) -> float:
    return 0.001 * lr * n


def capped(n: float, lr: float) -> float:
    return PowerTuning(c=0.02, mu=0.65, momentum=0.9)(min(n, 800), lr)


def late(n: float, lr: float) -> float:
    return 0.05 * lr * max(n - 200, 0) ** 0.5


YOURS = {law.__name__: law for law in (linear, capped, late)}


def says_your_threshold(law: str) -> dict:
    """2,400 steps, the rate divided by ten after 1,600 of them."""
    rates = np.where(np.arange(2400) < 1600, 0.01, 0.001)
    yours = sum(
        YOURS[law](n, lr) - YOURS[law](n - 1, lr) for n, lr in enumerate(rates.tolist(), start=1)
    )
    original, plain = added_up(rates, C, MU)[-1], added_up(10 * rates, C, MU)[-1]
    return {
        "sentence": [*(60, "your threshold", yours, "original g", original, "plain", plain)],
        "title": ["Your threshold", yours],
        "notes[0]": [0.01, 0.1],
    }


YOUR_THRESHOLD = Case(
    "threshold_of",
    lambda law: lesson06.threshold_of(YOURS[law]),
    says_your_threshold,
    looks={"yours": palette.GRDA, "original": OTHER, "plain": palette.TARGET},
    keys={
        "notes[0]": {
            "yours": "yours",
            "the original g, γ = #": "original",
            "plain gRDA's, γ = #": "plain",
        }
    },
    positions=[{"law": law} for law in YOURS],
)


# ------------------------------------------------- training live

RECORDED = {  # what stands for the two that train
    "the original g": f"gRDAM, c = {C:g}, step",
    "your g": f"gRDAM, effective step, c = {C:g}, step",
}
LIVE_STYLES = {"the original g": OTHER, "your g": palette.GRDA}
CURVES = ("test_accuracy", "train_loss", "total_zeros")


def live_run(name: str, epoch: int):
    run = DIGITS.run(RECORDED[name], 0)
    for curve in ("epoch", "zeros", *CURVES[:2]):
        setattr(run, curve, getattr(run, curve)[: epoch + 1])
    return run


def live(names: tuple[str, ...], epoch: int):
    """The live view as it stands when ``names`` have come so far, told by recorded runs."""
    view = lesson06.live_training(dict.fromkeys(RECORDED), epochs=60)
    view._take({name: live_run(name, epoch) for name in names})
    view._draw()
    return view


def says_live(names: tuple[str, ...], epoch: int) -> dict:
    if not names:
        return {"sentence": ["Nothing"]}
    runs = [DIGITS.run(RECORDED[name], 0) for name in names]
    zeros = [r.zeros[epoch].sum() / sum(LAYERS.values()) for r in runs]
    accuracy = [r.test_accuracy[epoch] for r in runs]
    pairs = zip(runs[-1].zeros[epoch], LAYERS.values(), strict=True)
    return {
        "sentence": [
            x for z, a in zip(zeros, accuracy, strict=True) for x in (epoch, z, "zero", a)
        ],
        "notes[0]": accuracy,
        "notes[1]": [r.train_loss[epoch] for r in runs],
        "notes[2]": zeros,
        "zeros by layer.y": [part for layer in LAYERS.items() for part in layer],
        "zeros by layer.text": [zero / size for zero, size in pairs],
    }


def keys_live(names: tuple[str, ...], epoch: int) -> dict:
    """Before Start the lines that will come are named, without numbers."""
    suffix, shown = (" #", names) if names else ("", tuple(RECORDED))
    return {
        f"notes[{k}]": {f"{name}{suffix}": f"{name} {curve}" for name in shown}
        for k, curve in enumerate(CURVES)
    } | {"notes[3]": {shown[-1]: f"{shown[-1]} total_zeros"}}


LIVE = Case(
    "live_training",
    live,
    says_live,
    looks={f"{name} {curve}": style for name, style in LIVE_STYLES.items() for curve in CURVES}
    | {"zeros by layer": palette.ZERO},
    keys=keys_live,
    names=[name.partition(".")[0] for name in LAYERS],  # conv1, fc2
    positions=[
        {"names": (), "epoch": 0},
        {"names": ("the original g",), "epoch": 1},
        {"names": ("the original g", "your g"), "epoch": 20},
        {"names": ("the original g", "your g"), "epoch": 60},
    ],
)

CASES = [
    THRESHOLDS,
    UNDONE,
    RECIPES,
    RECIPES_MNIST,
    ONE_GRADIENT,
    SIDE_BY_SIDE,
    YOUR_THRESHOLD,
    LIVE,
]
