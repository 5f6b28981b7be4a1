"""What a training leaves behind: curves, zeros and a few pictures of the weights. numpy only.

Recorded and live runs are the same type, so every figure shows either.
"""

import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from grda_edu import files

CURVES = (
    "train_loss",
    "train_accuracy",
    "val_loss",
    "val_accuracy",
    "test_loss",
    "test_accuracy",
)
# What reading a .npz raises that is damaged, of another making, or holds a pickle.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
)
ARRAYS = ("sizes", "epoch", *CURVES, "zeros", "seconds")
HISTOGRAM_EDGES = np.round(np.linspace(-1.2, 1.2, 121), 2)
"""Edges of the weight histograms, in units of the weights: 120 bins of width 0.02."""


@dataclass(eq=False)
class Run:
    """A training run, finished or not. E epochs, L parameter tensors ("layers").

    Row 0 of every curve is the network before training, row k the network after epoch k.
    """

    configuration: dict[str, Any]  # JSON-able: model, data, optimizer, hyperparameters, …
    device: str
    versions: dict[str, str]
    layers: tuple[str, ...]  # names of the parameters, in the model's order
    sizes: np.ndarray  # int [L], numbers in each parameter
    epoch: np.ndarray  # int [E+1]
    train_loss: np.ndarray  # float [E+1], mean cross-entropy in nats
    train_accuracy: np.ndarray  # float [E+1], fraction in [0, 1]
    val_loss: np.ndarray  # float [E+1], NaN where nothing was held out
    val_accuracy: np.ndarray
    test_loss: np.ndarray
    test_accuracy: np.ndarray
    zeros: np.ndarray  # int [E+1, L], exact zeros in each parameter
    seconds: np.ndarray  # float [E+1], since the start of training, evaluations included
    snapshots: dict[int, dict[str, np.ndarray]] = field(default_factory=dict, repr=False)
    """Epoch -> parameter name -> weights, float32 (float16 in recordings)."""
    histograms: dict[int, np.ndarray] = field(default_factory=dict, repr=False)
    """Epoch -> int [L, 120], counts of the non-zero weights between ``HISTOGRAM_EDGES``."""
    message: str = ""  # why the run ended before its last epoch, or ""
    checkpoint: Any = field(default=None, repr=False)  # what a resume needs; not saved here

    @property
    def total_zeros(self) -> np.ndarray:
        """Fraction of all parameters, biases included, that are exactly zero: float [E+1]."""
        share: np.ndarray = self.zeros.sum(axis=1) / self.sizes.sum()
        return share

    @property
    def finished(self) -> bool:
        """Whether the run reached its last epoch."""
        return not self.message and int(self.epoch[-1]) == self.configuration["epochs"]

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything but the checkpoint to one .npz file, beside ``path`` and moved there.

        Args:
            path: of the file; one that exists is replaced whole.

        Raises:
            TypeError: for a configuration that JSON cannot hold; the old file stays.
            OSError: if the file cannot be written; the old one stays.
        """
        arrays = {name: getattr(self, name) for name in ARRAYS}
        for epoch, weights in self.snapshots.items():
            arrays |= {f"snapshot/{epoch}/{name}": w for name, w in weights.items()}
        arrays |= {f"histogram/{epoch}": counts for epoch, counts in self.histograms.items()}
        about = {
            "configuration": self.configuration,
            "device": self.device,
            "versions": self.versions,
            "layers": self.layers,
            "message": self.message,
        }
        content = io.BytesIO()
        np.savez_compressed(content, about=np.array(json.dumps(about)), **arrays)
        files.replace(Path(path), content.getvalue())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Run":
        """Read what ``save`` wrote.

        Args:
            path: of the file.

        Returns:
            The run, without a checkpoint.

        Raises:
            ValueError: if the file is anything else.
        """
        try:
            with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            about = json.loads(str(arrays["about"]))
            about["layers"] = tuple(about["layers"])
            curves = {name: arrays[name] for name in ARRAYS}
        except DAMAGE as error:
            raise ValueError(f"{path} is not a saved Run, or it is damaged ({error})") from error
        run = cls(**about, **curves)
        for key, array in arrays.items():
            kind, *rest = key.split("/", 2)  # a module's name may hold "/" too
            if kind == "snapshot":
                run.snapshots.setdefault(int(rest[0]), {})[rest[1]] = array
            elif kind == "histogram":
                run.histograms[int(rest[0])] = array
        return run


def weight_histogram(weights: list[np.ndarray]) -> np.ndarray:
    """Counts of the non-zero weights of each array between ``HISTOGRAM_EDGES``: int [L, 120].

    Exact zeros are left out: they are counted on their own, and their spike would hide the rest.
    Weights beyond the edges count in the outermost bin.
    """
    low, high = HISTOGRAM_EDGES[[0, -1]]
    rows = [np.histogram(np.clip(w[w != 0], low, high), HISTOGRAM_EDGES)[0] for w in weights]
    return np.array(rows, dtype=np.int64)
