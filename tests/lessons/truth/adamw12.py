"""Lesson 12's figures about AdamW, from the recordings' files, counted by plain loops."""

from __future__ import annotations

import json
import statistics
from math import sqrt

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson12
from grda_edu.lessons.lesson12.reading_live import Read
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

# ------------------------------------------------- the reader

SEARCH, ABOUT_SEARCH = opened("words_search")
WORDS, ABOUT = opened("words")
TRIED = ABOUT_SEARCH["configuration"]["trials"]
RUNS = ABOUT["configuration"]["trials"]
DENSE = ("SGD", "SGD with momentum", "AdamW")
READERS = {
    "gRDA": palette.GRDA,
    "gRDAM": palette.GRDA._replace(dash="dot", symbol="triangle-up"),
    "two spaces around AdamW": palette.RDA._replace(symbol="diamond"),
    "gradual magnitude, AdamW": palette.MAGNITUDE._replace(dash="dash", symbol="triangle-down"),
    "SGD": palette.SGD,
    "SGD with momentum": palette.SGD._replace(dash="dot", symbol="triangle-up"),
    "AdamW": palette.Style(palette.INK, "dash", "star"),
}


def best(way: str, level: float) -> tuple[float, float] | None:
    """Learning rate and strength of the best finite trial on validation with so many zeros."""
    found = []
    for (name, lr, g, _), val, dead in zip(TRIED, SEARCH["val"], SEARCH["zeros"], strict=True):
        enough = way in DENSE or dead[-1] > level - 0.005
        if name == way and enough and np.isfinite(val[-1]):
            found.append((float(val[-1]), lr, g))
    return min(found)[1:] if found else None


def anew(way: str, trial: tuple[float, float]) -> tuple[float, float]:
    """Bits on test and zeros, means over the seeds."""
    rows = [k for k, row in enumerate(RUNS) if (row[0], row[1], row[2]) == (way, *trial)]
    return (
        statistics.fmean(WORDS["test"][k] for k in rows),
        statistics.fmean(WORDS["zeros"][k, -1] for k in rows),
    )


def says_reader(way: str, level: float) -> dict:
    mine, trial = [row for row in TRIED if row[0] == way], best(way, level)
    rates = sorted({row[1] for row in mine})
    strengths = sorted({row[2] for row in mine}) if way not in DENSE else []
    base = "SGD with momentum" if way == "gRDAM" else "SGD"
    beside = [x for d in (base, "AdamW") if d != way for x in (d, anew(d, best(d, 0) or (0, 0))[0])]
    control = ["Without zeros", *beside]
    shown: dict = {
        "notes[1]": [len(mine), *strengths],
        "xaxis2.ticktext": [rates[0], rates[len(rates) // 2], rates[-1]],
        "yaxis.ticktext": [2, 2.5, 3, 4, 5, 6],
        "yaxis2.ticktext": [2, 2.5, 3, 4, 5, 6, "∞"],
    }
    if trial is None:
        most = max(SEARCH["zeros"][k, -1] for k, row in enumerate(TRIED) if row[0] == way)
        return shown | {
            "sentence": [way, "none", level, most, *control],
            "title": [way, "no trial", level],
        }
    bits, dead = anew(way, trial)
    asked = [] if way in DENSE else ["at least", level]
    return shown | {
        "sentence": [way, *asked, trial[0], dead, bits, *control],
        "title": [way, dead, bits],
    }


def looks_reader() -> dict:
    looks: dict = {
        "uniform": palette.TARGET._replace(dash="longdash"),
        "single characters": palette.TARGET._replace(dash="dot"),
        "pairs": palette.TARGET._replace(dash="dash"),
    }
    for way, style in READERS.items():
        hollow = style._replace(symbol=f"{style.symbol}-open")
        looks |= {
            way: style,
            f"{way}, seeds": hollow,
            f"{way}, mean": style,
            f"{way}, picked": hollow,
        }
        for k, dash in enumerate(("solid", "dash", "dot")):
            looks[f"{way}, trials {k}"] = style._replace(dash=dash)
    return looks


def keys_reader(way: str, level: float) -> dict:
    own = {"no zeros": f"{way}, trials 0"}
    if way not in DENSE:
        own = {word: f"{way}, trials {k}" for k, word in enumerate(("low", "middle", "high"))}
    return {
        "notes[0]": {way: way for way in READERS}
        | {name: name for name in ("uniform", "single characters", "pairs")},
        "notes[1]": own,
    }


READER = Case(
    "reading",
    lesson12.reading,
    says_reader,
    looks=looks_reader(),
    keys=keys_reader,
    positions=[{"way": way, "level": 0.7} for way in READERS],
)

# ------------------------------------------------- live

LIVE_WAYS = ("AdamW", "two spaces around AdamW")


def live(looks: int, ways: tuple[str, ...]):
    view = lesson12.live_reading()
    if ways:
        rows = range(looks)
        made = {
            way: Read(
                [200 * k for k in rows], [6 - k / 2 for k in rows], [j * k / 16 for k in rows]
            )
            for j, way in enumerate(ways)
        }
        view._note = ""  # whatever this interpreter's text is
        view._take(made)
        view._draw()
    else:
        view._note = ""
        view._draw()
    return view


def says_live(looks: int, ways: tuple[str, ...]) -> dict:
    if not ways:
        return {"sentence": ["Nothing"]}
    last = looks - 1
    return {
        "sentence": [
            x for j, way in enumerate(ways) for x in (way, 200 * last, 6 - last / 2, j * last / 16)
        ]
    }


def looks_live() -> dict:
    looks: dict = {"pairs": palette.TARGET._replace(dash="dash")}
    for way in LIVE_WAYS:
        for what in ("val", "zeros"):
            looks[f"{way} {what}"] = READERS[way]._replace(dash="solid")
            looks[f"recorded {way} {what}"] = READERS[way]._replace(dash="dot")
    return looks


LIVE = Case(
    "live_reading",
    live,
    says_live,
    looks=looks_live(),
    keys={
        "notes[0]": {
            **{way: f"{way} val" for way in LIVE_WAYS},
            "recorded": (palette.MUTED, *(f"recorded {way} val" for way in LIVE_WAYS)),
            "pairs of characters": "pairs",
        }
    },
    positions=[
        {"looks": 1, "ways": ()},
        {"looks": 3, "ways": LIVE_WAYS[:1]},
        {"looks": 9, "ways": LIVE_WAYS},
    ],
)

CASES = [FRONTIER, READER, LIVE]
