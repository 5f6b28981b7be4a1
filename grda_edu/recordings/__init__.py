"""Recorded runs that ship with the package, so that a figure can answer at once. numpy only.

``load("digits_grid")`` reads one; ``grda-edu record digits_grid`` makes it again.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from grda_edu import files
from grda_edu.checks import one_of, refuse
from grda_edu.training.run import CURVES, Run

FOLDER = Path(__file__).parent
MANIFEST = "manifest.json"
_COLLAPSED = 0.2  # test accuracy of a network that tells no more than two of ten classes apart


class RecordingError(RuntimeError):
    """A recording is missing or damaged; the message names the file and what makes it again."""


@dataclass(frozen=True, eq=False)
class RunGrid:
    """Runs over a grid of c (C values), mu (M), and seeds (S); E epochs, L parameter tensors.

    c = 0 is SGD, which knows no mu: its runs are stored once and shown for every mu.
    """

    name: str
    c: np.ndarray  # float [C], rising, c[0] = 0
    mu: np.ndarray  # float [M], rising
    seeds: np.ndarray  # int [S]
    epoch: np.ndarray  # int [E+1]
    layers: tuple[str, ...]
    sizes: np.ndarray  # int [L]
    configuration: dict[str, Any]  # of every run, but for c, mu and seed
    device: str
    versions: dict[str, str]
    picture_epochs: np.ndarray  # int [K], epochs with histograms and snapshots (seeds[0] only)
    rows: np.ndarray = field(repr=False)  # int [C, M, S]: where a cell stands in the arrays below
    stored: dict[str, np.ndarray] = field(repr=False)  # [rows, E+1, …]
    pictures: np.ndarray = field(repr=False)  # int [C, M]: the same for histograms and snapshots
    histograms: np.ndarray | None = field(repr=False, default=None)  # int [pictures, K, L, bins]
    snapshots: dict[str, np.ndarray] = field(repr=False, default_factory=dict)
    """name -> float16 [pictures, K, …]"""

    def curves(self, name: str) -> np.ndarray:
        """One quantity of every run.

        Args:
            name: a curve of ``Run`` ("test_accuracy", …), "total_zeros" (fraction), "zeros" or
                "seconds".

        Returns:
            [C, M, S, E+1] ("zeros": [C, M, S, E+1, L]).

        Raises:
            ValueError: for another name.
        """
        return _curves(self, name)[self.rows]

    def final(self, name: str) -> np.ndarray:
        """``curves(name)`` after the last epoch: [C, M, S] ("zeros": [C, M, S, L])."""
        return self.curves(name)[:, :, :, -1]

    def minus_sgd(self, name: str = "test_accuracy") -> np.ndarray:
        """One quantity minus SGD's with the same seed after the same epoch: [C, M, S, E+1]."""
        curves = self.curves(name)
        return curves - curves[:1]

    def goal_reached(self, zeros: float, lost: float, *, mean: bool = False) -> np.ndarray:
        """Are there ``zeros`` or more, for less than ``lost`` of SGD's test accuracy?

        Args:
            zeros: a share.
            lost: a share.
            mean: asked of the mean over the seeds, not of each.

        Returns:
            bool [C, M, S, E+1], or [C, M, E+1] of the mean.
        """
        found, difference = self.curves("total_zeros"), self.minus_sgd()
        if mean:
            found, difference = found.mean(axis=2), difference.mean(axis=2)
        return (found >= zeros) & (difference > -lost)

    def collapsed(self) -> np.ndarray:
        """Which runs end reading no more than two digits' share of the test images: bool [C, M, S]."""
        return self.final("test_accuracy") < _COLLAPSED

    def standard_error(self, images: int) -> float:
        """Of one accuracy measured on so many images, at SGD's mean test accuracy at the end."""
        return _standard_error(self.final("test_accuracy")[0, 0], images)

    def cell(self, c: float, mu: float) -> tuple[int, int]:
        """Where c and mu stand in the arrays.

        Args:
            c: one of ``self.c``.
            mu: one of ``self.mu``.

        Returns:
            Their places.

        Raises:
            ValueError: for what is not in the grid.
        """
        return _position("c", self.c, c), _position("mu", self.mu, mu)

    def run(self, c: float, mu: float, seed: int) -> Run:
        """The recorded run of one cell.

        Args:
            c: one of ``self.c``.
            mu: one of ``self.mu``.
            seed: one of ``self.seeds``.

        Returns:
            The run, with pictures where they were recorded.

        Raises:
            ValueError: for a cell that is not in the grid.
        """
        i, j = self.cell(c, mu)
        k = _position("seed", self.seeds, seed)
        row = self.rows[i, j, k]
        hyperparameters = self.configuration["hyperparameters"] | {"c": float(c), "mu": float(mu)}
        run = Run(
            configuration=self.configuration
            | {"hyperparameters": hyperparameters, "seed": int(seed)},
            device=self.device,
            versions=self.versions,
            layers=self.layers,
            sizes=self.sizes,
            epoch=self.epoch,
            **{name: array[row] for name, array in self.stored.items()},
        )
        if k == 0 and self.histograms is not None:
            picture = self.pictures[i, j]
            for at, epoch in enumerate(self.picture_epochs.tolist()):
                run.histograms[epoch] = self.histograms[picture, at]
                run.snapshots[epoch] = {n: w[picture, at] for n, w in self.snapshots.items()}
        return run


@dataclass(frozen=True, eq=False)
class RunSet:
    """Runs of named training recipes (R) and seeds (S); E epochs, L parameter tensors."""

    name: str
    recipes: tuple[str, ...]  # R names
    seeds: np.ndarray  # int [S]
    epoch: np.ndarray  # int [E+1]
    layers: tuple[str, ...]
    sizes: np.ndarray  # int [L]
    configurations: tuple[dict[str, Any], ...]  # R, of every run but for the seed
    device: str
    versions: dict[str, str]
    stored: dict[str, np.ndarray] = field(repr=False)  # [R * S, E+1, …]

    def curves(self, name: str) -> np.ndarray:
        """One quantity of every run: [R, S, E+1] ("zeros": [R, S, E+1, L]); names as in RunGrid."""
        curves = _curves(self, name)
        return curves.reshape(len(self.recipes), len(self.seeds), *curves.shape[1:])

    def final(self, name: str) -> np.ndarray:
        """``curves(name)`` after the last epoch: [R, S] ("zeros": [R, S, L])."""
        return self.curves(name)[:, :, -1]

    def of(self, recipe: str, name: str) -> np.ndarray:
        """One quantity of one recipe.

        Args:
            recipe: one of ``self.recipes``.
            name: as of ``RunGrid.curves``.

        Returns:
            [S, E+1].

        Raises:
            ValueError: for what was not recorded.
        """
        return self.curves(name)[self._place(recipe)]

    def minus(self, recipe: str, other: str, name: str = "test_accuracy") -> np.ndarray:
        """One quantity of a recipe minus another's with the same seed and epoch: [S, E+1]."""
        return self.of(recipe, name) - self.of(other, name)

    def goal_reached(self, recipe: str, other: str, zeros: float, lost: float) -> np.ndarray:
        """In the mean over seeds, ``zeros`` or more for less than ``lost`` of another's accuracy?

        Args:
            recipe: one of ``self.recipes``.
            other: another one.
            zeros: a share.
            lost: a share.

        Returns:
            bool [E+1].
        """
        found, difference = self.of(recipe, "total_zeros"), self.minus(recipe, other)
        return (found.mean(axis=0) >= zeros) & (difference.mean(axis=0) > -lost)

    def standard_error(self, recipe: str, images: int) -> float:
        """Of one accuracy measured on so many images, at a recipe's mean test accuracy at the end."""
        return _standard_error(self.of(recipe, "test_accuracy")[:, -1], images)

    def run(self, recipe: str, seed: int) -> Run:
        """The recorded run of a recipe.

        Args:
            recipe: one of ``self.recipes``.
            seed: one of ``self.seeds``.

        Returns:
            The run.

        Raises:
            ValueError: for one that was not recorded.
        """
        i, k = self._place(recipe), _position("seed", self.seeds, seed)
        return Run(
            configuration=self.configurations[i] | {"seed": int(seed)},
            device=self.device,
            versions=self.versions,
            layers=self.layers,
            sizes=self.sizes,
            epoch=self.epoch,
            **{name: self.curves(name)[i, k] for name in self.stored},
        )

    def _place(self, recipe: str) -> int:
        one_of("recipe", recipe, self.recipes)
        return self.recipes.index(recipe)


@dataclass(frozen=True, eq=False)
class Measurements:
    """Named arrays that a study measured, in the types in which they are stored."""

    name: str
    configuration: dict[str, Any]  # what all of them have in common
    device: str
    versions: dict[str, str]
    arrays: dict[str, np.ndarray] = field(repr=False)


Recording = RunGrid | RunSet | Measurements
Kind = TypeVar("Kind", RunGrid, RunSet, Measurements)
_READERS: dict[type, str] = {
    RunGrid: "load",
    RunSet: "load_recipes",
    Measurements: "load_measurements",
}


def load(name: str, folder: Path = FOLDER) -> RunGrid:
    """Read a recorded grid that ships with the package. Takes some 20 ms.

    Args:
        name: of the recording.
        folder: where it lies.

    Returns:
        The grid.

    Raises:
        RecordingError: if it is unknown, missing, damaged or not a grid.
    """
    return _read_as(RunGrid, name, folder)


def load_recipes(name: str, folder: Path = FOLDER) -> RunSet:
    """Read recorded recipes that ship with the package; errors as of ``load``."""
    return _read_as(RunSet, name, folder)


def load_measurements(name: str, folder: Path = FOLDER) -> Measurements:
    """Read recorded measurements that ship with the package; errors as of ``load``."""
    return _read_as(Measurements, name, folder)


def _read_as(kind: type[Kind], name: str, folder: Path) -> Kind:
    recording = read(name, folder)
    if not isinstance(recording, kind):
        right = _READERS[type(recording)]
        raise RecordingError(f"the recording {name!r} is a {type(recording).__name__}: use {right}")
    return recording


def read(name: str, folder: Path = FOLDER) -> Recording:
    """Read a recording of any kind."""
    entry = manifest(folder).get(name)
    if entry is None:
        known = ", ".join(manifest(folder)) or "none"
        raise RecordingError(
            f"there is no recording {name!r} in {folder} (there: {known}). "
            "Those that ship are made again with: grda-edu record"
        )
    path = folder / entry["file"]
    repair = f"Make it again with: grda-edu record {name}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"the recording {path} cannot be read ({error}). {repair}") from error
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise RecordingError(f"the recording {path} is damaged: its checksum is wrong. {repair}")
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    about = json.loads(str(arrays.pop("about")))
    if "layers" not in about:
        return Measurements(**about, arrays=arrays)
    about["layers"] = tuple(about["layers"])
    stored = {key: _widen(arrays.pop(key)) for key in (*CURVES, "zeros", "seconds")}
    if "recipes" in about:
        for key in ("recipes", "configurations"):
            about[key] = tuple(about[key])
        return RunSet(**about, stored=stored, **arrays)
    snapshots = {
        key.removeprefix("snapshot/"): arrays.pop(key)
        for key in list(arrays)
        if key.startswith("snapshot/")
    }
    return RunGrid(**about, stored=stored, snapshots=snapshots, **arrays)


def _curves(recording: RunGrid | RunSet, name: str) -> np.ndarray:
    """One quantity of every stored run: [rows, E+1, …]."""
    if name == "total_zeros":
        return recording.stored["zeros"].sum(axis=-1) / recording.sizes.sum()
    one_of("name", name, sorted([*recording.stored, "total_zeros"]))
    return recording.stored[name]


def _standard_error(accuracies: np.ndarray, images: int) -> float:
    """√(p(1-p)/n) at the mean p: how far an accuracy would move with n other images."""
    p = float(accuracies.mean())
    return float(np.sqrt(p * (1 - p) / images))


def manifest(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Recording -> file, sha256, versions, device, seconds. Empty if nothing was recorded."""
    path = folder / MANIFEST
    try:
        entries = files.read_json(path)
        if not all({"file", "sha256"} <= entry.keys() for entry in entries.values()):
            raise ValueError("an entry lacks its file or its checksum")
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        raise RecordingError(
            f"the list of recordings {path} is damaged ({error}). "
            "Delete it and make the recordings again with: grda-edu record"
        ) from error
    return entries


def _widen(stored: np.ndarray) -> np.ndarray:
    """Small types are for the file: sums of uint16 counts and of float32 would surprise."""
    return stored.astype(np.float64 if stored.dtype.kind == "f" else np.int64)


def _position(name: str, values: np.ndarray, value: float) -> int:
    (found,) = np.nonzero(np.abs(values - value) <= 1e-9 * abs(value))
    if len(found) != 1:
        listed = ", ".join(f"{v:g}" for v in values)
        refuse(name, value, f"one of the recorded {listed}")
    return int(found[0])
