"""Lesson 10: the recording's file is read here, image by image and seed by seed."""

from __future__ import annotations

import json
import statistics
from math import sqrt

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson10
from grda_edu.training.run import Run
from lessons.truth import Case

with np.load(recordings.FOLDER / "pruning.npz") as file:
    FILE = {name: file[name] for name in file.files}
ABOUT = json.loads(str(FILE["about"]))["configuration"]
SPARSITIES, SEEDS, TEST = ABOUT["sparsities"], ABOUT["seeds"], ABOUT["images"]["test"]
GROUPS = ABOUT["groups"]
WORDS = {"cut": "not retrained", "retrained": "retrained", "scratch": "equal budget from scratch"}


def read(group: str, way: str, k: int) -> list[float]:
    """Share read right in each seed; empty if it was not made."""
    hits = FILE[f"{group}/test"][:, GROUPS[group].index(way), k].tolist()
    if group != "cut":
        hits = [sum(row[-5:]) / 5 if row[0] >= 0 else -1.0 for row in hits]
    return [h / TEST for h in hits if h >= 0]


def paired(one: list[float], other: list[float]) -> tuple[float, float]:
    """Mean and standard error of the differences, in points."""
    gaps = [100 * (a - b) for a, b in zip(one, other, strict=True)]
    return round(statistics.fmean(gaps), 9), statistics.stdev(gaps) / sqrt(len(gaps))


# ------------------------------------------------- the ranking

STYLES = {
    "random": palette.TARGET,
    "random, magnitude's layers": palette.TARGET._replace(dash="dot", symbol="x"),
    "magnitude": palette.MAGNITUDE,
    "magnitude by layer": palette.MAGNITUDE._replace(dash="dash", symbol="triangle-down"),
    "|w·g| of one batch": palette.Style(palette.INK, "dash", "star"),
    "directional, one jump": palette.DIRECTIONAL._replace(dash="dot", symbol="diamond-open"),
    "directional, steps": palette.DIRECTIONAL,
    "magnitude, gradual": palette.MAGNITUDE._replace(dash="solid", symbol="square"),
    "magnitude, three rounds": palette.MAGNITUDE._replace(dash="longdash", symbol="circle"),
    "gRDA": palette.GRDA,
    "gRDA, then its mask": palette.GRDA._replace(dash="dash", symbol="square"),
    "gRDAM": palette.GRDA._replace(dash="dot", symbol="triangle-up"),
    "gRDA from scratch": palette.GRDA._replace(dash="longdash", symbol="star"),
    "gradual, from scratch": palette.MAGNITUDE._replace(dash="longdashdot", symbol="star"),
}
SHOWN = {  # protocol -> name on the page -> where it stands in the file
    "cut": {way: ("cut", way) for way in GROUPS["cut"]},
    "retrained": {way: ("retrained", way) for way in GROUPS["retrained"]},
    "scratch": {
        "gRDA from scratch": ("scratch", "gRDA"),
        "gradual, from scratch": ("scratch", "magnitude, gradual"),
        **{
            way: ("retrained", way)
            for way in ("magnitude", "magnitude, gradual", "gRDA", "gRDA, then its mask")
        },
    },
}


def trace(protocol: str, name: str) -> str:
    name = name.replace("|w·g|", "wg")
    return f"{name} (cut)" if protocol == "cut" else name


def says_ranking(protocols: tuple[str, ...], protocol: str, sparsity: float) -> dict:
    k = SPARSITIES.index(sparsity)
    found = {name: read(*where, k) for name, where in SHOWN[protocol].items()}
    there = sorted((n for n in found if found[n]), key=lambda n: -statistics.fmean(found[n]))
    first, second, last = there[0], there[1], there[-1]
    mean = {name: statistics.fmean(found[name]) for name in there}
    ahead, error = paired(found[first], found[second])
    labels = {
        f"{trace(protocol, name)}, name.text": [name, *([] if found[name] else ["none"])]
        for name in found
    }
    return {
        "sentence": [
            *(sparsity, first, mean[first], second, mean[second], last, mean[last]),
            *(ahead, "points ahead", error),
        ],
        "title": [sparsity, WORDS[protocol], first],
        "xaxis.ticktext": SPARSITIES,
        "yaxis.ticktext": [1.0, 0.1, 0.03, 0.01],
        "xaxis2.ticktext": [1.0, 0.1, 0.03, 0.01],
        **labels,
    }


def looks_ranking(protocols: tuple[str, ...]) -> dict:
    looks: dict = {"SGD": palette.SGD, "SGD's mean": palette.SGD, "shapes[0]": palette.MUTED}
    for protocol in protocols:
        for name in SHOWN[protocol]:
            for part in ("", ", seeds", ", mean", ", name"):
                looks[trace(protocol, name) + part] = STYLES[name]
    return looks


def layers_count(protocol: str, sparsity: float) -> list[bool]:
    k = SPARSITIES.index(sparsity)
    one, other = (
        read("retrained", way, k) for way in ("random, magnitude's layers", "magnitude by layer")
    )
    mean, error = paired(one, other)
    return [protocol == "retrained" and mean > 2 * error]


KEY = {"notes[0]": {"SGD, no zeros": "SGD"}}
CUT = Case(
    "cut",
    lesson10.cut,
    lambda sparsity: says_ranking(("cut",), "cut", sparsity),
    looks=looks_ranking(("cut",)),
    keys=KEY,
    positions=[{"sparsity": s} for s in SPARSITIES],
)
RETRAINED = Case(
    "retrained",
    lesson10.retrained,
    lambda protocol, sparsity: says_ranking(("retrained", "cut"), protocol, sparsity),
    looks=looks_ranking(("retrained", "cut")),
    keys=KEY,
    positions=[
        {"protocol": p, "sparsity": s} for p in ("retrained", "cut") for s in SPARSITIES[::2]
    ],
    reaches=layers_count,
)
BUDGET = Case(
    "budget",
    lesson10.budget,
    lambda protocol, sparsity: says_ranking(("scratch", "retrained", "cut"), protocol, sparsity),
    looks=looks_ranking(("scratch", "retrained", "cut")),
    keys=KEY,
    positions=[{"protocol": p, "sparsity": s} for p in WORDS for s in SPARSITIES[2:]],
)

# ------------------------------------------------- mask or weights

PARTS = {
    "gRDA": palette.GRDA,
    "its mask, same start": palette.GRDA._replace(dash="dash", symbol="square"),
    "its mask, another start": palette.GRDA._replace(dash="dot", symbol="square-open"),
    "magnitude's mask, same start": palette.MAGNITUDE,
    "random mask, its layers": palette.TARGET,
}
BASE = "its mask, same start"
LEVELS = [
    float(share)
    for share in FILE["parts/zeros"][:, 0].sum(axis=-1).mean(axis=0) / sum(ABOUT["sizes"])
    if share > 0
]


def says_mask(zeros: float) -> dict:
    k = int(np.argmin(np.abs(np.array(LEVELS) - zeros)))
    base = read("parts", BASE, k)
    gaps = {part: paired(read("parts", part, k), base) for part in PARTS}
    other = gaps["its mask, another start"]
    return {
        "sentence": [
            *(LEVELS[k], "gRDA itself", *gaps["gRDA"], "another start", *other),
            *("random mask", gaps["random mask, its layers"][0]),
        ],
        "title": [LEVELS[k], "another start loses", -other[0]],
        "xaxis.ticktext": [1.0, 0.1, 0.03, 0.01],
        "xaxis2.ticktext": [-4, -2, 0, 2, "≤", -6],
    }


def looks_mask() -> dict:
    looks: dict = {}
    for part, style in PARTS.items():
        looks |= {f"{part}, seeds": style, part: style}
        if part != BASE:
            looks |= dict.fromkeys((f"{part}, differences", f"{part}, difference"), style)
            looks[f"{part}, error"] = style._replace(dash="solid")
    return looks


MASK = Case(
    "mask_or_weights",
    lesson10.mask_or_weights,
    says_mask,
    looks=looks_mask(),
    positions=[{"zeros": level} for level in LEVELS],
)

# ------------------------------------------------- the best epoch


def says_best(way: str, sparsity: float) -> dict:
    k = SPARSITIES.index(sparsity)
    rows = FILE["retrained/test"][:, GROUPS["retrained"].index(way), k].tolist()
    last = statistics.fmean(sum(row[-5:]) / 5 / TEST for row in rows)
    best = statistics.fmean(max(row[1:]) / TEST for row in rows)
    return {
        "sentence": [5, last, best, 100 * (best - last), ABOUT["epochs"]],
        "title": [way, sparsity, "adds", 100 * (best - last)],
        "notes[0]": [5],
        "yaxis.ticktext": [1.0, 0.1, 0.03, 0.01],
    }


def looks_best(way: str, sparsity: float) -> dict:
    line = palette.Style(STYLES[way].color, "solid", "circle")
    return {
        **{f"seed {seed}": line for seed in SEEDS},
        "last epochs": palette.TARGET,
        "best epoch": palette.OBS,
    }


BEST = Case(
    "over_epochs",
    lesson10.over_epochs,
    says_best,
    looks=looks_best,
    keys={
        "notes[0]": {"best epoch of each seed": "best epoch", "mean of the last #": "last epochs"}
    },
    positions=[
        {"way": way, "sparsity": s}
        for way in ("magnitude", "magnitude by layer", "random, magnitude's layers")
        for s in SPARSITIES[::2]
    ],
)

# ------------------------------------------------- live

LAYERS, SIZES = ABOUT["layers"], ABOUT["sizes"]
CURVES = ("test_accuracy", "train_loss", "total_zeros")


def run_of(way: str, name: str, epoch: int) -> Run:
    """A run as a training would leave it, made of round numbers."""
    rows, gone = np.arange(epoch + 1), 1 if name == "pruned" else 0
    zeros = np.array([[gone * size // 2 for size in SIZES]] * (epoch + 1))
    curve = 0.5 + rows / 200
    others = dict.fromkeys(
        ("train_accuracy", "val_loss", "val_accuracy", "test_loss"), np.zeros(epoch + 1)
    )
    return Run(
        configuration={},
        device="cpu",
        versions={},
        layers=tuple(LAYERS),
        sizes=np.array(SIZES),
        epoch=rows,
        train_loss=1 / (rows + 2),
        test_accuracy=curve,
        zeros=zeros,
        seconds=rows.astype(float),
        **others,
    )


def live(way: str, names: tuple[str, ...], epoch: int):
    view = lesson10.live_pruning(way)
    view._take({name: run_of(way, name, epoch) for name in names})
    view._draw()
    return view


def says_live(way: str, names: tuple[str, ...], epoch: int) -> dict:
    if not names:
        return {"sentence": ["Nothing"]}
    halves = [sum(size // 2 for size in SIZES) / sum(SIZES) if n == "pruned" else 0 for n in names]
    right = 0.5 + epoch / 200
    last = [size // 2 / size if names[-1] == "pruned" else 0 for size in SIZES]
    return {
        "sentence": [x for half in halves for x in (epoch, half, "zero", right)],
        "notes[0]": [right for _ in names],
        "notes[1]": [1 / (epoch + 2) for _ in names],
        "notes[2]": halves,
        "zeros by layer.y": [x for pair in zip(LAYERS, SIZES, strict=True) for x in pair],
        "zeros by layer.text": last,
    }


def looks_live(way: str, names: tuple[str, ...], epoch: int) -> dict:
    pruned = palette.GRDA if way == "gRDA" else palette.MAGNITUDE
    styles = {"SGD, dense": palette.SGD, "pruned": pruned}
    looks = {f"{name} {curve}": style for name, style in styles.items() for curve in CURVES}
    return looks | {"zeros by layer": palette.ZERO}


def keys_live(way: str, names: tuple[str, ...], epoch: int) -> dict:
    shown = names or ("SGD, dense", "pruned")
    number = " #" if names else ""
    keys = {
        f"notes[{k}]": {f"{name}{number}": f"{name} {curve}" for name in shown}
        for k, curve in enumerate(CURVES)
    }
    return keys | {"notes[3]": {shown[-1]: f"{shown[-1]} total_zeros"}}


LIVE = Case(
    "live_pruning",
    live,
    says_live,
    looks=looks_live,
    keys=keys_live,
    names=[layer.split(".")[0] for layer in LAYERS],
    positions=[
        {"way": "magnitude", "names": (), "epoch": 0},
        {"way": "magnitude", "names": ("SGD, dense",), "epoch": 7},
        {"way": "magnitude", "names": ("SGD, dense", "pruned"), "epoch": 60},
        {"way": "gRDA", "names": ("SGD, dense", "pruned"), "epoch": 20},
    ],
)

CASES = [CUT, RETRAINED, BUDGET, MASK, BEST, LIVE]
