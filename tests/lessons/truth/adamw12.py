"""Lesson 12's figures about AdamW, from the recordings' files, counted by plain loops."""

from __future__ import annotations

import json
import statistics
from math import sqrt

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson12
from lessons.truth import Case

# ------------------------------------------------- the frontier


def opened(name: str) -> tuple[dict, dict]:
    with np.load(recordings.FOLDER / f"{name}.npz") as file:
        arrays = {key: file[key] for key in file.files}
    return arrays, json.loads(str(arrays.pop("about")))


DATA = ("digits", "MNIST-5k")
FILES = [opened(name) for name in ("digits_frontier", "mnist_frontier")]
TOLD = {
    "gRDA": "gRDA",
    "dual averaging around AdamW": "two spaces around AdamW",
    "dual averaging around Adam": "two spaces around Adam",
    "gradual magnitude, SGD": "gradual magnitude, SGD",
    "gradual magnitude, Adam": "gradual magnitude, Adam",
}
DASHES = {
    "gRDA": palette.GRDA,
    "dual averaging around AdamW": palette.RDA._replace(symbol="diamond"),
    "dual averaging around Adam": palette.RDA._replace(dash="dot", symbol="square"),
    "gradual magnitude, SGD": palette.MAGNITUDE._replace(dash="solid", symbol="square"),
    "gradual magnitude, Adam": palette.MAGNITUDE._replace(dash="dash", symbol="triangle-down"),
}


def run(data: int, recipe: str) -> tuple[list[float], list[float]]:
    """Share read right in the last five epochs, and share of zeros, of each seed."""
    arrays, about = FILES[data]
    seeds = len(arrays["seeds"])
    first = about["recipes"].index(recipe) * seeds
    right = [statistics.fmean(arrays["test_accuracy"][first + k][-5:]) for k in range(seeds)]
    dead = [arrays["zeros"][first + k][-1].sum() / arrays["sizes"].sum() for k in range(seeds)]
    return right, [float(share) for share in dead]


def near(data: int, way: str, share: float) -> str:
    """The recipe of a way with about so many zeros; of two as near the first."""
    mine = [r for r in FILES[data][1]["recipes"] if r.startswith(f"{way}, ")]
    far = [round(abs(statistics.fmean(run(data, r)[1]) - share), 7) for r in mine]
    return mine[far.index(min(far))]


def lost(data: int, recipe: str) -> tuple[float, float]:
    """Points from AdamW, in pairs, and their standard error."""
    pairs = zip(run(data, recipe)[0], run(data, "AdamW")[0], strict=True)
    gaps = [100 * (a - b) for a, b in pairs]
    return round(statistics.fmean(gaps), 6), statistics.stdev(gaps) / sqrt(len(gaps))


def says_frontier(way: str, data: float, share: float) -> dict:
    recipe = near(int(data), way, share)
    right, dead = (statistics.fmean(values) for values in run(int(data), recipe))
    c = [recipe.rpartition("= ")[2]] if "c = " in recipe else []
    gap, error = lost(int(data), recipe)
    seeds = len(FILES[int(data)][0]["seeds"])
    return {
        "sentence": [TOLD[way], *c, dead, right, gap, error, "AdamW alone", seeds],
        "title": [DATA[int(data)], TOLD[way], dead, gap],
        "yaxis.ticktext": [-3, -2, -1, 0, 1],
    }


def reaches_most(way: str, data: float, share: float) -> list[bool]:
    """Nothing that loses less than a point has more zeros."""
    k = int(data)
    within = [r for r in FILES[k][1]["recipes"] if lost(k, r)[0] > -1]
    most = max(statistics.fmean(run(k, r)[1]) for r in within)
    mine = near(k, way, share)
    return [mine in within and statistics.fmean(run(k, mine)[1]) > most - 0.001]


def looks_frontier() -> dict:
    looks: dict = {
        "SGD": palette.SGD,
        "Adam": palette.SOFT._replace(dash="dashdot"),
        "shapes[0]": palette.INK,
        "shapes[1]": palette.TARGET,
    }
    for way, style in DASHES.items():
        hollow = style._replace(symbol=f"{style.symbol}-open")
        looks |= {way: style, f"{way}, seeds": hollow, f"{way}, mean": style}
    return looks


FRONTIER = Case(
    "around_adamw",
    lesson12.around_adamw,
    says_frontier,
    looks=looks_frontier(),
    keys={
        "notes[0]": {
            **{name: way for way, name in TOLD.items()},
            "SGD alone": "SGD",
            "Adam alone": "Adam",
            "AdamW alone": "shapes[0]",
            "one point less": "shapes[1]",
        }
    },
    names=["MNIST-5k"],
    positions=[
        {"way": w, "data": d, "share": s} for w in TOLD for d in (0, 1) for s in (0.8, 0.95)
    ],
    reaches=reaches_most,
)

CASES = [FRONTIER]
