"""Lesson 12 at scale: published rows typed a second time, and the recorded evidence found again."""

from __future__ import annotations

import math

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson12
from lessons.truth import Case, hollow, look

# ------------------------------------------------- what was published

ROWS = """
VGG16, CIFAR-10      | SGD 90.82 |       | .4 24.5 90.87 | .51 61.4 91.02 | .6 90.5 90.86 | .7 97.1 90.47
WRN28x10, CIFAR-10   | SGD 94.17 | 96.00 | .501 90.2 94.46 | .55 94.7 94.43 | .6 97.1 94.50 | .65 98.3 94.53
WRN28x10, CIFAR-100  | SGD 76.53 | 80.75 | .501 82.7 76.92 | .55 90.2 77.00 | .6 94.2 77.00 | .65 96.3 76.85
ResNet50, ImageNet   | SGD 68.76 | 76.13 | .501 86.1 73.13 | .55 91.6 73.24 | .6 95.0 72.16 | .65 97.1 70.04 | .7 98.2 65.51
ResNet20, CIFAR-10   | SGD 89.12 | 91.25 | .7 90.46 90.19
"""
GALE = 75.16  # ResNet50 at 90 % zeros
HOW = {
    "VGG16, CIFAR-10": [0.0005, 600, "epochs"],
    "WRN28x10, CIFAR-10": [0.001, 200, "epochs"],
    "WRN28x10, CIFAR-100": [0.001, 200, "epochs"],
    "ResNet50, ImageNet": [0.005, "rate", 0.1, 0.01, "after epoch", 140],
    "ResNet20, CIFAR-10": [0.01],
}


def rows_of(network: str) -> tuple[float, float | None, list[list[float]]]:
    """SGD's accuracy, that with momentum, and gRDA's rows."""
    (line,) = [row for row in ROWS.strip().splitlines() if row.split("|")[0].strip() == network]
    _, sgd, momentum, *grda = [part.strip() for part in line.split("|")]
    rows = [[float(x) for x in row.split()] for row in grda]
    return float(sgd.split()[1]), float(momentum) if momentum else None, rows


def beaten(network: str, wanted: float) -> bool:
    fit = [right for _, zeros, right in rows_of(network)[2] if zeros / 100 >= wanted]
    return network == "ResNet50, ImageNet" and 0 < max(fit, default=0) < GALE and wanted <= 0.9


def says_published(network: str, wanted: float) -> dict:
    sgd, momentum, rows = rows_of(network)
    fit = sorted((-right, zeros, mu) for mu, zeros, right in rows if zeros / 100 >= wanted)
    said: list[object] = ["No published row", wanted, "zeros or more"]
    if fit:
        minus, zeros, mu = fit[0]
        said = ["Published, chosen on test", mu, -minus / 100, zeros / 100, -minus - sgd, "against"]
        said += ["With momentum", momentum / 100] if momentum else []
        said += ["Gradual magnitude", GALE / 100] if beaten(network, wanted) else []
    return {"sentence": said, "title": [network, *HOW[network]]}


def keys_published(network: str, wanted: float) -> dict:
    keys = {"gRDA, chosen on test": "gRDA", "the authors' SGD": "SGD"}
    if rows_of(network)[1]:
        keys["SGD, momentum and weight decay"] = "momentum"
    if network == "ResNet50, ImageNet":
        keys["gradual magnitude"] = "magnitude"
    return {"notes[0]": keys}


PUBLISHED = Case(
    "published",
    lesson12.published,
    says_published,
    looks={
        "SGD": palette.SGD,
        "momentum": palette.Style(palette.INK, "dot", "line-ew"),
        "gRDA": palette.GRDA,
        "magnitude": palette.MAGNITUDE,
        "chosen": hollow(palette.GRDA),
    },
    keys=keys_published,
    names=[part for network in HOW for part in network.split(", ")],
    positions=[
        {"network": network, "wanted": wanted}
        for network in HOW
        for wanted in (0.0, 0.25, 0.9, 0.95, 0.98)
    ],
    reaches=lambda network, wanted: [wanted >= 0.9 and beaten(network, wanted)],
)

# ------------------------------------------------- a quarter of a million weights

SCALED = recordings.load_measurements("resnet20")
KNOW = {"F(tH), batch's statistics": "batch", "F(tH), fixed statistics": "fixed"}
CONTROLS = {
    "scale directions alone": "scale, batch",
    "size alone, −|w|": "size",
    "s shuffled within layers": "batch, shuffled in layers",
    "soft-thresholding": "soft",
}
ROW_NAMES = KNOW | CONTROLS
WORDS = {
    "slope": "slope",
    "correlation": "correlation",
    "partial correlation": "partial",
    "partial, beyond scale directions": "beyond scale",
    "AUC": "auc",
    "cosine of the moves": "cosine",
}
DIAMOND, CROSS = palette.DIRECTIONAL, palette.TARGET


def recorded(row: str, setting: int, among: int, measure: str) -> np.ndarray:
    """[seeds]"""
    table = SCALED.arrays["evidence"].astype(np.float64)
    rows, measures = (SCALED.configuration[name] for name in ("rows", "measures"))
    return table[:, setting, among, rows.index(row), measures.index(measure)]


def over_them(setting: int, among: int, row: str) -> list[float]:
    """Mean and deviation of a score, and of ŝ, as they were recorded for each seed."""
    found = SCALED.arrays["spread"].mean(axis=0)[setting, among]
    return [*found[1 + ("fixed", "batch").index(row)], *found[0]]


def noise(setting: int, among: int) -> float:
    """√r of two orders' estimates, over the sampled weights that live in both."""
    a = SCALED.arrays
    if setting or "order/sgd" not in a:
        return math.nan
    ends = [
        (a["sample/sgd"][0], a["sample/grda"][0, 0]),
        (a["order/sgd"][0], a["order/grda"][0, 0]),
    ]
    least = 2 * among * a["lam"][0, 0]
    away = [
        np.where((g != 0) & (np.abs(w) > least), np.sign(w) * (w.astype(float) - g), np.nan)
        for w, g in ends
    ]
    both = ~np.isnan(away[0] + away[1])
    return float(np.corrcoef(*(x[both] for x in away))[0, 1] ** 0.5)


def says_many(scores: str, setting: int, among: int, measure: int) -> dict:
    words, kind = list(WORDS.items())[measure]
    (label,) = [label for label, row in ROW_NAMES.items() if row == scores]
    values = recorded(scores, setting, among, kind)
    undefined = bool(np.isnan(values).any())
    ends = sorted({round(float(values.min()), 2), round(float(values.max()), 2)})
    said: list[object] = [
        label,
        words,
        *(["undefined"] if undefined else [*ends, "over the seeds"]),
    ]
    if scores in KNOW.values():
        found = over_them(setting, among, scores)
        said += ["Over these weights", *(found[1::2] if kind == "correlation" else found)]
    top = noise(setting, among) if kind == "correlation" else math.nan
    if not math.isnan(top):
        said += ["Two orders of the images", top]
    mean = "undefined" if undefined else float(values.mean())
    return {
        "sentence": said,
        "title": [label, words, mean],
        "measured.y": list(ROW_NAMES),
        "chosen.y": [label],
        "ceiling.y": ["batch's statistics", "soft-thresholding"],
    }


def looks_many(scores: str, setting: int, among: int, measure: int) -> dict:
    colors = [(DIAMOND if label in KNOW else CROSS).color for label in ROW_NAMES]
    symbols = [(DIAMOND if label in KNOW else CROSS).symbol for label in ROW_NAMES]
    seeds = len(SCALED.configuration["seeds"])
    return {
        "same": CROSS,
        "survivors": (DIAMOND if scores in KNOW.values() else CROSS).color,
        "ceiling": palette.INK,
        "measured": look(palette.INK, **{"marker.color": colors, "marker.symbol": symbols}),
        "measured, seeds": look(palette.INK, **{"marker.color": list(np.repeat(colors, seeds))}),
        "chosen": hollow(palette.Style(palette.INK, "solid", "circle")),
    }


def keys_many(scores: str, setting: int, among: int, measure: int) -> dict:
    (label,) = [label for label, row in ROW_NAMES.items() if row == scores]
    top = noise(setting, among) if measure == 1 else math.nan
    ours = {"knows the Hessian": "measured[0]", "a control": "measured[2]"}
    if not math.isnan(top):
        ours["all that noise leaves"] = "ceiling"
    place = f"measured[{list(ROW_NAMES).index(label)}]"
    return {"title": {label: place}, "notes[0]": {"ŝ = s": "same"}, "notes[1]": ours}


MANY = Case(
    "many_weights",
    lesson12.many_weights,
    says_many,
    looks=looks_many,
    keys=keys_many,
    positions=[
        {"scores": scores, "setting": setting, "among": among, "measure": measure}
        for scores in ("batch", "fixed", "scale, batch")
        for setting in (0, 1)
        for among in (0, 1)
        for measure in range(6)
    ],
)

CASES = [PUBLISHED, MANY]
