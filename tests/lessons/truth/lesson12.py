"""Lesson 12: a training of round numbers, its zeros counted by hand."""

from __future__ import annotations

import numpy as np

from grda_edu.data import digits
from grda_edu.explore import palette
from grda_edu.lessons import lesson12
from grda_edu.models import digits_cnn
from grda_edu.training.run import Run
from lessons.truth import Case

LAYERS = {name: p.numel() for name, p in digits_cnn(0).named_parameters()}
CURVES = ("test_accuracy", "train_loss", "total_zeros")


def run_of(epoch: int) -> Run:
    """A run as a training would leave it: half of each layer at zero."""
    rows = np.arange(epoch + 1)
    others = dict.fromkeys(
        ("train_accuracy", "val_loss", "val_accuracy", "test_loss"), np.zeros(epoch + 1)
    )
    return Run(
        configuration={},
        device="cpu",
        versions={},
        layers=tuple(LAYERS),
        sizes=np.array(list(LAYERS.values())),
        epoch=rows,
        train_loss=1 / (rows + 2),
        test_accuracy=0.5 + rows / 200,
        zeros=np.array([[size // 2 for size in LAYERS.values()]] * (epoch + 1)),
        seconds=rows.astype(float),
        **others,
    )


def training(epoch: int):
    view = lesson12.your_training(digits_cnn(0), digits(), lambda parameters: None, epochs=60)
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

CASES = [TRAINING]
