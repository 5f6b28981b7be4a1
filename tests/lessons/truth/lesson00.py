"""Lesson 00: the recordings' files are read here, the figures read them as runs and as a cut."""

from __future__ import annotations

import json

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson00
from lessons.truth import Case, hollow, look

RUNS, CUT = (
    dict(np.load(recordings.FOLDER / f"{name}.npz")) for name in ("opening", "opening_valley")
)
AT = {"sgd": 0, "grda": 1}  # c rises from 0, which is SGD
METHODS = {"sgd": "SGD", "grda": "gRDA"}
STYLES = {"SGD": palette.SGD, "gRDA": palette.GRDA}
LAYERS = json.loads(str(RUNS["about"]))["layers"]
SIZES = dict(zip(LAYERS, RUNS["sizes"].tolist(), strict=True))
SIZE = sum(SIZES.values())


def of_run(name: str, method: str) -> np.ndarray:
    """A recorded array of SGD's or gRDA's run."""
    return RUNS[name][RUNS["rows"][AT[method], 0, 0]]


def zeros(method: str, epoch: int) -> int:
    return sum(of_run("zeros", method)[epoch].tolist())


CURVES = {
    "SGD accuracy": palette.SGD,
    "gRDA accuracy": palette.GRDA,
    "gRDA zeros": palette.ZERO,
    "zeros now": palette.ZERO.color,
}


# ------------------------------------------------- the valley


def says_opening(epoch: int) -> dict:
    sentence: list[object] = []
    for method, name in METHODS.items():
        away = float(CUT[f"{method}/distance"][epoch])
        right = of_run("test_accuracy", method)[epoch]
        sentence += [name, CUT[f"{method}/train_loss"][epoch], right, "read right"]
        sentence += [away, "beside"] if away >= 0.05 else []
    return {"sentence": sentence, "title": [epoch, "gRDA", zeros("grda", epoch), SIZE]}


OPENING = Case(
    "opening_figure",
    lesson00.opening_figure,
    says_opening,
    looks={
        "valley": look(palette.FIELD, **{"line.color": palette.PAPER}),
        **{f"{name} end": hollow(s._replace(color=palette.HALO)) for name, s in STYLES.items()},
        **{f"{name} under": palette.PAPER for name in STYLES},
        **{f"{name} path": style for name, style in STYLES.items()},
        **{f"{name} here": style for name, style in STYLES.items()},
        **CURVES,
        "accuracy now": palette.GRDA,
    },
    keys={"notes[1]": {"gRDA": "gRDA accuracy", "SGD": "SGD accuracy", "zeros": "gRDA zeros"}},
    positions=[{"epoch": 1}, {"epoch": 11}, {"epoch": 40}, {"epoch": 59}],
)


# ------------------------------------------------- the wires


def wires(method: str, epoch: int) -> dict[tuple[int, int], float]:
    """(digit, unit) -> weight, of the recorded epoch."""
    picture = RUNS["pictures"][AT[method], 0]
    weights = RUNS["snapshot/fc2.weight"][picture, RUNS["picture_epochs"].tolist().index(epoch)]
    return {(i, j): float(w) for i, row in enumerate(weights) for j, w in enumerate(row)}


def says_wires(trained: str, epoch: int) -> dict:
    now = wires(trained, epoch)
    earlier = [wires(trained, int(k)) for k in RUNS["picture_epochs"] if k < epoch]
    alive = {place for place, weight in now.items() if weight}
    back = sum(any(before[place] == 0 for before in earlier) for place in alive)
    share, right = zeros(trained, epoch) / SIZE, of_run("test_accuracy", trained)[epoch]
    k = max(range(len(LAYERS)), key=lambda k: SIZES[LAYERS[k]])
    largest = of_run("zeros", trained)[epoch][k] / SIZES[LAYERS[k]]
    digits, units = (1 + max(place[axis] for place in now) for axis in (0, 1))
    return {
        "sentence": [
            *(METHODS[trained], share, "exactly zero", largest, len(alive), len(now)),
            *([back, "back from zero"] if back else []),
            *(right, "read right"),
        ],
        "title": [METHODS[trained], epoch, share, "zeros", right, "right"],
        "notes[0]": [units, digits],
        "digits.text": list(range(digits)),
    }


WIRES = Case(
    "wires_figure",
    lesson00.wires_figure,
    says_wires,
    looks=lambda trained, epoch: {
        "wires": palette.INK,
        "units": palette.INK,
        "cut-off units": palette.ZERO,
        "digits": palette.INK,
        **CURVES,
        "accuracy now": STYLES[METHODS[trained]].color,
    },
    keys={
        "notes[0]": {"# units, # digits": (), "unit without a wire": "cut-off units"},
        "notes[1]": {
            "gRDA": "gRDA accuracy",
            "SGD": "SGD accuracy",
            "zeros of gRDA": "gRDA zeros",
        },
    },
    positions=[{"epoch": 2}, {"epoch": 20}, {"epoch": 60}, {"trained": "sgd", "epoch": 20}],
)

CASES = [OPENING, WIRES]
