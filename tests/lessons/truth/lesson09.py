"""Lesson 09: the recording's file is read here; a straight line is also a path without a bend."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.geometry.valley import Curve
from grda_edu.lessons import lesson09
from lessons.truth import Case, hollow, look

FILE = dict(np.load(recordings.FOLDER / "paths.npz"))
SEEDS, T, BENDS = (FILE[name].tolist() for name in ("seeds", "t", "bends"))
IMAGES, GOAL = 360, 0.1
LABELS = {
    "grda": "SGD → gRDA",
    "gradual": "SGD → SGD, pruned by size while it trained",
    "batches": "SGD → SGD, same start, other batches",
    "start": "SGD → SGD, another start",
    "matched": "SGD → SGD, another start, units matched",
    "grda_start": "gRDA → gRDA, another start",
    "mask": "SGD → SGD with zeros at random places",
    "magnitude": "SGD → SGD with its smallest weights cut to zero",
    "signs": "SGD → gRDA's move with random signs",
}
STYLES = {
    "grda": palette.GRDA,
    "gradual": palette.MAGNITUDE,
    "batches": palette.SGD,
    "start": palette.SGD,
    "matched": palette.SGD,
    "grda_start": palette.GRDA,
    "mask": palette.ZERO,
    "magnitude": palette.MAGNITUDE,
    "signs": palette.RDA,
}


def right(pair: str, path: str = "line") -> np.ndarray:
    """Shares of the test images read right, by counting whole images."""
    return np.round(IMAGES * FILE[f"{pair}/{path}_test_accuracy"].astype(float)) / IMAGES


def two_digits(loss: float) -> str:
    return f"{loss:.1e}"


def tenths(share: float) -> str:
    return f"{share:.1%}"


def ends(values: Sequence[float], write: Callable[[float], str] = two_digits) -> list:
    """The least and the largest, one of them where both are written alike."""
    low, high = min(map(float, values)), max(map(float, values))
    return [low] if write(low) == write(high) else [low, "to", high]


LEVEL = palette.Style(palette.NEGATIVE, "dash", "line-ew")
MIDDLE = palette.Style(palette.INK, "solid", "x")


# ------------------------------------------------- straight ahead


def says_straight(path: str, t: float) -> dict:
    k = T.index(t)
    loss, images = FILE[f"{path}/line_train_loss"], right(path)
    return {
        "sentence": [
            *("training loss", *ends(loss[:, k]), *ends(images[:, k], tenths), "read right"),
            *("the whole line", *ends([max(line) for line in loss.tolist()])),
        ],
        "title": [LABELS[path], t, "loss", loss[0, k], images[0, k], "right"],
        "notes[0]": [SEEDS[0]],
        **{f"xaxis{n}.title": [0, "is the first network", 1, "the second"] for n in ("", 2)},
    }


def looks_straight(path: str, t: float) -> dict:
    names = [*(f"seed {seed}" for seed in SEEDS)]
    lines = [f"{what}, {name}" for what in ("loss", "accuracy") for name in names]
    own = dict.fromkeys([*lines, "loss here", "accuracy here"], STYLES[path])
    return own | dict.fromkeys(["loss beside", "accuracy beside"], palette.TARGET)


def keys_straight(path: str, t: float) -> dict:
    if path == "grda":
        return {}
    beside = "without matching" if path == "matched" else "SGD → gRDA"
    return {"notes[0]": {beside: "loss beside"}}


STRAIGHT = Case(
    "straight",
    lesson09.straight,
    says_straight,
    looks=looks_straight,
    keys=keys_straight,
    positions=[{"path": path, "t": t} for path, t in zip(LABELS, T[5::6], strict=False)],
)


# ------------------------------------------------- around


def says_around(path: str, bend: float, t: float) -> dict:
    s, k = BENDS.index(bend), T.index(t)
    losses = FILE[f"first/{path}/bend_train_loss"][s].tolist()
    images = round(IMAGES * float(FILE[f"first/{path}/bend_test_accuracy"][s, k]))
    straight = max(FILE[f"{path}/line_train_loss"][0].tolist())
    stays = all(loss < GOAL for loss in losses)
    first, second = LABELS[path].split(" → ")
    beside = {
        "gradual": "pruned in training",
        "batches": "SGD, other batches",
        "matched": "SGD, matched",
        "mask": "SGD, random zeros",
        "magnitude": "pruned",
        "signs": "random signs",
    }
    return {
        "sentence": [
            *("training loss", losses[k], images / IMAGES, "read right"),
            *("this path", max(losses), "straight line", straight),
            *("the path stays below" if stays else "the path does not stay below", GOAL),
        ],
        "title": [bend, "highest loss", max(losses)],
        "notes[0]": ["above", GOAL, "loss", GOAL],
        "notes[2]": [first],
        "notes[3]": [beside.get(path, second.replace("another", "other"))],
        "notes[4]": ["trained middle"],
    }


def looks_around(path: str, bend: float, t: float) -> dict:
    networks = [STYLES["grda" if "gRDA →" in LABELS[path] else "start"], STYLES[path], MIDDLE]
    several = {
        "marker.color": [style.color for style in networks],
        "marker.symbol": [style.symbol for style in networks],
    }
    return {
        "plane": look(palette.FIELD, **{"line.color": palette.PAPER}),
        "straight under": palette.PAPER,
        "straight": palette.TARGET,
        "bent under": palette.PAPER,
        "bent": palette.INK,
        "bent high": LEVEL._replace(dash="solid"),
        "goal under": palette.PAPER,
        "goal": LEVEL,
        "networks": look(palette.INK, **several),
        "here": palette.INK,
        "middle": hollow(palette.style_of(palette.INK)),
        "goal line": LEVEL,
        "loss straight": palette.TARGET,
        "loss bent": palette.INK,
        "loss bent high": LEVEL._replace(dash="solid"),
        "loss here": palette.INK,
    }


HIGHEST = FILE["first/start/bend_train_loss"].max(axis=1).tolist()  # of each bent path
AROUND = Case(
    "around",
    lesson09.around,
    says_around,
    looks=looks_around,
    keys={
        "notes[0]": {
            "path": "bent",
            "path above #": ("bent high", "loss bent high"),
            "straight": "straight",
            "loss #": "goal",
        }
    },
    positions=[
        {"path": "start", "bend": BENDS[sum(high >= GOAL for high in HIGHEST)], "t": T[10]},
        *(
            {"path": path, "bend": bend, "t": t}
            for path, bend, t in zip(LABELS, BENDS[3::2], T[35::-7], strict=False)
        ),
    ],
    reaches=lambda path, bend, t: [
        path == "start"
        and bend == min(b for b, high in zip(BENDS, HIGHEST, strict=True) if high < GOAL)
    ],
)


# ------------------------------------------------- all pairs, all seeds


def says_hills(what: str) -> dict:
    if what == "loss":
        words, name, good = "ighest training loss", "train_loss", lambda x: x < GOAL
        sentence: list = ["training loss stays below", GOAL]
    else:
        words, name, good = "owest test accuracy", "test_accuracy", lambda x: x > 0.95
        sentence = ["test accuracy stays above", 0.95]
    told: dict[str, list] = {"straight line:": [], "trained curve also:": [], "neither:": []}
    for pair, label in LABELS.items():
        stays = [good(FILE[f"{pair}/{path}_{name}"]).all() for path in ("line", "curve")]
        told[list(told)[[*stays, True].index(True)]].append(label)
    for where, labels in told.items():
        sentence += [where, *(labels or ["none"])]
    return {
        "sentence": sentence,
        "title": [words, len(SEEDS)],
        "xaxis.title": [words],
    }


HILLS = Case(
    "hills",
    lesson09.hills,
    says_hills,
    looks={
        "ends": look(
            palette.Style(palette.MUTED, "solid", "line-ns"), **{"marker.line.color": palette.MUTED}
        ),
        "line": look(
            palette.Style(palette.INK, "solid", "diamond-open"),
            **{"marker.line.color": palette.INK},
        ),
        "curve": look(palette.INK, **{"marker.line.color": palette.INK}),
    },
    keys={
        "notes[0]": {
            "the two ends": "ends",
            "the straight line": "line",
            "the trained curve": "curve",
        }
    },
)


# ------------------------------------------------- training live


def live(pair: str, checks: int):
    """The live view after some checks, told by the recorded training of the same curve."""
    view = lesson09.live_curve(pair, epochs=40)
    if checks:
        losses = FILE[f"{pair}/check_loss"][0, :checks]
        epochs = FILE[f"{pair}/check_epoch"][0, :checks]
        best = min(range(checks), key=lambda k: max(losses[k].tolist()))
        point = torch.zeros(1)
        view._take(Curve(point, point, point, np.array(T[::4]), epochs, losses, best, ""))
        view._draw()
    return view


def says_live(pair: str, checks: int) -> dict:
    if not checks:
        return {"sentence": ["Nothing"]}
    heights = [max(losses) for losses in FILE[f"{pair}/check_loss"][0, :checks].tolist()]
    epoch = FILE[f"{pair}/check_epoch"][0].tolist()[heights.index(min(heights))]
    straight = max(FILE[f"{pair}/line_train_loss"][0].tolist()[::4])
    return {
        "sentence": [LABELS[pair], "best curve", epoch, min(heights), "straight line", straight]
    }


LIVE = Case(
    "live_curve",
    live,
    says_live,
    looks={
        "line": palette.TARGET,
        "recorded": palette.OBS,
        "curve": palette.INK,
        "highest": palette.INK,
    },
    keys={"notes[0]": {"best curve": "curve", "line": "line", "recorded": "recorded"}},
    positions=[
        {"pair": "start", "checks": 0},
        {"pair": "start", "checks": 1},
        {"pair": "start", "checks": 5},
        {"pair": "magnitude", "checks": 11},
    ],
)

CASES = [STRAIGHT, AROUND, HILLS, LIVE]
