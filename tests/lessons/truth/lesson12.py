"""Lesson 12: a training of round numbers, its zeros counted by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np

from grda_edu import GRDA, recordings
from grda_edu.data import digits
from grda_edu.explore import palette
from grda_edu.lessons import lesson12
from grda_edu.lessons.lesson12.side_by_side import Outcome
from grda_edu.models import digits_cnn
from grda_edu.studies.two_processes import Agreement
from grda_edu.training.run import Run
from grda_edu.training.search import Search
from lessons.truth import Case, adamw12, scale12
from lessons.truth.lesson05 import FIRST, HELD_OUT, Recorded, live_case

LAYERS = {name: p.numel() for name, p in digits_cnn(0).named_parameters()}
CURVES = ("val_accuracy", "train_loss", "total_zeros")


def run_of(epoch: int) -> Run:
    """A run as a training would leave it: half of each layer at zero."""
    rows = np.arange(epoch + 1)
    others = dict.fromkeys(
        ("train_accuracy", "val_loss", "test_accuracy", "test_loss"), np.zeros(epoch + 1)
    )
    return Run(
        configuration={},
        device="cpu",
        versions={},
        layers=tuple(LAYERS),
        sizes=np.array(list(LAYERS.values())),
        epoch=rows,
        train_loss=1 / (rows + 2),
        val_accuracy=0.5 + rows / 200,
        zeros=np.array([[size // 2 for size in LAYERS.values()]] * (epoch + 1)),
        seconds=rows.astype(float),
        **others,
    )


def training(epoch: int):
    view = lesson12.your_training(
        digits_cnn, digits(), lambda model: GRDA(model.parameters(), 0.1, 0.01, 0.6), epochs=60
    )
    if epoch:
        view._take(run_of(epoch))
        view._draw()
    return view


def says_training(epoch: int) -> dict:
    if not epoch:
        return {"sentence": ["Nothing"]}
    half = sum(size // 2 for size in LAYERS.values()) / sum(LAYERS.values())
    return {
        "sentence": [epoch, half, "zero", 0.5 + epoch / 200],
        "notes[0]": [0.5 + epoch / 200],
        "notes[1]": [1 / (epoch + 2)],
        "notes[2]": [half],
        "zeros by layer.y": [x for pair in LAYERS.items() for x in pair],
        "zeros by layer.text": [size // 2 / size for size in LAYERS.values()],
    }


def keys_training(epoch: int) -> dict:
    number = " #" if epoch else ""
    keys = {
        f"notes[{k}]": {f"your network{number}": f"your network {curve}"}
        for k, curve in enumerate(CURVES)
    }
    return keys | {"notes[3]": {"your network": "your network total_zeros"}}


TRAINING = Case(
    "your_training",
    training,
    says_training,
    looks={f"your network {curve}": palette.GRDA for curve in CURVES}
    | {"zeros by layer": palette.ZERO},
    keys=keys_training,
    names=[layer.split(".")[0] for layer in LAYERS],
    positions=[{"epoch": 0}, {"epoch": 7}, {"epoch": 60}],
)

# ------------------------------------------------- two processes

MADE = recordings.load_measurements("two_processes")
WAYS = ("DDP", "fully_shard")
STRIPS = {
    "one process": (0, 0),
    "DDP, process 0": (0, 1),
    "DDP, process 1": (0, 2),
    "fully_shard, both halves": (1, 1),
}


def dead_in(strip: str, live: int) -> np.ndarray:
    """Of the recording; live ones have a corner dead, a row more with each process."""
    way, process = STRIPS[strip]
    if live > (way + 1 if process else 0):
        dead = np.zeros((10, 64), bool)
        dead[: 3 + process, :5] = True
        return dead
    return MADE.arrays["dead"][way, process]


def processes(live: int):
    view = lesson12.two_processes()
    here = {"one process": Outcome((dead_in("one process", 3),), 1500)}
    for k, way in enumerate(WAYS):
        dead = tuple(dead_in(f"{WAYS[0]}, process {process}", 3) for process in (0, 1))
        found = Agreement(np.zeros((2, 8), int), (k + 1) * 1e-7, 3e-3, 5 * k, True)
        here[way] = Outcome(dead if k == 0 else dead[:1], 1600 + k, found)
    view._take(dict(list(here.items())[:live]))
    view._draw()
    return view


def says_processes(live: int) -> dict:
    totals = MADE.arrays["zeros"].sum(axis=2)
    said: list[object] = [
        ("Recorded", "Partly recorded", "Partly recorded", "On this computer")[live],
        1500 if live else totals[0, 0],
    ]
    for k in (0, 1):
        here = live > k + 1
        moved = 5 * k if here else MADE.arrays["moved"][k]
        apart = 3e-3 if here else MADE.arrays["differences"][k].max()
        said += [1600 + k if here else totals[k, 1]]
        said += [moved] if moved else ["the same places"]
        said += ["by more than", apart]
    notes = {
        f"notes[{k}]": [*([STRIPS[name][1] - 1] if k in (1, 2) else []), dead_in(name, live).sum()]
        for k, name in enumerate(STRIPS)
    }
    return {"title": [64], "sentence": said, **notes}


PROCESSES = Case(
    "two_processes",
    processes,
    says_processes,
    looks={f"alive {name}": palette.INK for name in STRIPS}
    | {f"zero {name}": palette.ZERO for name in STRIPS},
    keys={
        f"notes[{k}]": {"# zeros": f"zero {name}", "alive": f"alive {name}"}
        for k, name in enumerate(STRIPS)
    },
    positions=[{"live": k} for k in range(4)],
)

# ------------------------------------------------- the search, whose words lesson 05 has checked


def search(probes: int | None, **settings):
    view = lesson12.your_search(digits_cnn, digits(), mu=settings["mu"])
    if probes != 0:
        tried = tuple(HELD_OUT.c[1:].tolist())
        view._take(Search(Recorded(HELD_OUT, **settings), tried, None, None))
        for _ in islice(view.search, probes):
            pass
    view._draw()
    return view


SEARCH = replace(
    live_case("your_search", HELD_OUT, "digits", [{"probes": n, **FIRST} for n in (0, 1, 3, None)]),
    make=search,
)

CASES = [TRAINING, SEARCH, PROCESSES, *adamw12.CASES, *scale12.CASES]
