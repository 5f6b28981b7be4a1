"""Make the shipped recordings again: ``grda-edu record``. It can be stopped and continued."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import platformdirs
import torch

from grda_edu import files
from grda_edu.checks import one_of, whole
from grda_edu.optim import GRDA
from grda_edu.recordings import FOLDER, MANIFEST, manifest
from grda_edu.studies.catalogue import STUDIES
from grda_edu.studies.frontier import FRONTIERS
from grda_edu.studies.plan import DATA, MODELS, Plan, Study, kept_folder
from grda_edu.studies.recipes import RECIPES
from grda_edu.training.device import versions
from grda_edu.training.loop import train
from grda_edu.training.run import CURVES, Run

Cell = tuple[float, float, int]  # c, mu, seed


@dataclass(frozen=True)
class Grid:
    """A recorded grid of c, mu and seeds."""

    c: tuple[float, ...] = (0.0, 0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05)
    mu: tuple[float, ...] = (0.501, 0.51, 0.55, 0.6, 0.65, 0.7)
    seeds: tuple[int, ...] = (0, 1, 2)
    lr: float = 0.1
    batch_size: int = 32
    epochs: int = 60
    picture_epochs: tuple[int, ...] = (0, 1, 2, 5, 10, 20, 40, 60)
    snapshots: tuple[str, ...] = ("conv1.weight", "fc2.weight")
    data: str = "digits"
    model: str = "digits_cnn"

    def cells(self) -> Iterator[Cell]:
        """Every run to make. c = 0 is SGD whatever mu is: once a seed."""
        for c in self.c:
            for mu in self.mu if c else self.mu[:1]:
                for seed in self.seeds:
                    yield c, mu, seed

    def label(self, cell: Cell) -> str:
        c, mu, seed = cell
        return f"c = {c:g}, mu = {mu:g}, seed {seed}"

    def row(self, c: float, mu: float, seed: int) -> int:
        """Where the run that shows a cell stands among ``cells``."""
        return list(self.cells()).index((c, mu if c else self.mu[0], seed))

    def train(self, cell: Cell, epochs: int | None = None) -> Run:
        c, mu, seed = cell
        epochs = epochs or self.epochs
        pictures = self.picture_epochs if seed == self.seeds[0] else ()
        return train(
            MODELS[self.model](seed),
            DATA[self.data](),
            lambda parameters: GRDA(parameters, lr=self.lr, c=c, mu=mu),
            epochs=epochs,
            batch_size=self.batch_size,
            seed=seed,
            device="cpu",
            snapshot_epochs=[k for k in pictures if k <= epochs],
        )

    def slim(self, run: Run) -> Run:
        run.snapshots = {
            epoch: {name: weights[name].astype(np.float16) for name in self.snapshots}
            for epoch, weights in run.snapshots.items()
        }
        return run

    def arrays(self, runs: list[Run]) -> dict[str, Any]:
        rows = np.array(
            [[[self.row(c, m, s) for s in self.seeds] for m in self.mu] for c in self.c]
        )
        arrays = {
            "about": {"configuration": runs[0].configuration},
            "c": np.array(self.c),
            "mu": np.array(self.mu),
            "rows": rows,
            "pictures": rows[:, :, 0] // len(self.seeds),  # seeds vary fastest among the runs
            "picture_epochs": np.array(self.picture_epochs, int),
        }
        pictured = [run for run in runs if run.histograms]
        if pictured:
            arrays["histograms"] = np.stack(
                [[run.histograms[k] for k in self.picture_epochs] for run in pictured]
            ).astype(np.uint16)
            for name in self.snapshots:
                arrays[f"snapshot/{name}"] = np.stack(
                    [[run.snapshots[k][name] for k in self.picture_epochs] for run in pictured]
                )
        return arrays


_ELSEWHERE = Grid(  # where the right c is another: the c from far too little to far too much
    c=(0.0, 0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2),
    mu=(0.55,),
    seeds=tuple(range(10, 15)),
    picture_epochs=(),
)
GRIDS = {
    "digits_grid": Grid(),
    "opening": Grid(c=(0.0, 0.02), mu=(0.65,), seeds=(0,), picture_epochs=tuple(range(0, 61, 2))),
    "digits_held_out": Grid(
        mu=(0.501, 0.51, 0.55, 0.65), seeds=tuple(range(10, 20)), picture_epochs=()
    ),
    "mnist_grid": Grid(
        c=(0.0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03),
        mu=(0.501, 0.55, 0.65),
        epochs=30,
        picture_epochs=(),
        data="mnist5k",
        model="mnist_cnn",
    ),
    "digits_slow": replace(_ELSEWHERE, lr=0.03),
    "digits_fast": replace(_ELSEWHERE, lr=0.3),
    "digits_small": replace(_ELSEWHERE, model="small_digits_cnn"),
}
RUNS: dict[str, Plan] = {**GRIDS, **RECIPES, **FRONTIERS}
PLANS: dict[str, Plan | Study] = {**RUNS, **STUDIES}


def record(name: str, workers: int = 2, folder: Path = FOLDER) -> Path:
    """Make everything that a recording holds, its file and its entry in the manifest.

    workers: processes, each with one thread. Finished runs are kept in the user's cache folder
    until the recording is complete, so that a second call continues a stopped one.

    Raises ValueError for an unknown name or a number of workers below 1, ModuleNotFoundError if
    its data need an optional package that is not installed.
    """
    one_of("name", name, PLANS)
    whole("workers", workers, 1)
    plan = PLANS[name]
    kept = kept_folder(name, plan)
    kept.mkdir(parents=True, exist_ok=True)
    cells = list(plan.cells())
    todo = [cell for cell in cells if not _path(kept, plan, cell).exists()]
    print(
        f"{name}: {len(cells)} runs, {len(cells) - len(todo)} of them kept from before, in {kept}"
    )
    _run_all(plan, todo, kept, workers)
    paths = [_path(kept, plan, cell) for cell in cells]
    if isinstance(plan, Study):
        path = _write(name, *_study_contents(plan, [_read_arrays(p) for p in paths]), folder)
    else:
        path = _write(name, *_run_contents(plan, [Run.load(p) for p in paths]), folder)
    shutil.rmtree(kept)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return path


def _run_all(plan: Plan | Study, todo: list[Any], kept: Path, workers: int) -> None:
    began = time.monotonic()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker)
    try:
        futures = {pool.submit(_record_one, plan, cell, kept): cell for cell in todo}
        for done, future in enumerate(as_completed(futures), start=1):
            left = (time.monotonic() - began) / done * (len(todo) - done)
            print(
                f"{done}/{len(todo)}  {plan.label(futures[future])}: {future.result()}; "
                f"about {left / 60:.0f} min left",
                flush=True,
            )
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C lets a worker finish and keep its run
    torch.set_num_threads(1)
    Thread(target=_end_with_the_recorder, daemon=True).start()


def _end_with_the_recorder() -> None:
    """Nobody waits for the runs of a recorder that was killed."""
    recorder = parent_process()
    assert recorder is not None
    recorder.join()
    os._exit(1)


def _record_one(plan: Plan | Study, cell: Any, kept: Path) -> str:
    path = _path(kept, plan, cell)
    unfinished = path.with_suffix(".part")
    if isinstance(plan, Study):
        began = time.perf_counter()
        arrays = plan.measure(cell) | {"seconds": np.array(time.perf_counter() - began)}
        with open(unfinished, "wb") as file:
            np.savez_compressed(file, **arrays)
        said = f"{arrays['seconds']:.1f} s"
    else:
        run = plan.train(cell)
        if not run.finished:
            raise RuntimeError(f"the run {plan.label(cell)} did not finish: {run.message}")
        plan.slim(run).save(unfinished)
        said = (
            f"test {run.test_accuracy[-1]:.1%}, zeros {run.total_zeros[-1]:.1%}, "
            f"{run.seconds[-1]:.1f} s"
        )
    os.replace(unfinished, path)  # what is there is whole
    return said


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _path(kept: Path, plan: Plan | Study, cell: Any) -> Path:
    return kept / (re.sub(r"[^\w.]+", "_", plan.label(cell)) + ".npz")


def _run_contents(plan: Plan, runs: list[Run]) -> tuple[dict[str, Any], list[float]]:
    """The arrays of a recording of runs, and how long each run took."""
    first = runs[0]
    own = plan.arrays(runs)
    about = {
        "layers": first.layers,
        "device": first.device,
        "versions": first.versions,
        **own.pop("about"),
    }
    arrays: dict[str, Any] = {
        "about": about,
        "seeds": np.array(plan.seeds),
        "epoch": first.epoch,
        "sizes": first.sizes,
        "zeros": np.stack([run.zeros for run in runs]).astype(np.uint16),
        **own,
    }
    for curve in (*CURVES, "seconds"):
        arrays[curve] = np.stack([getattr(run, curve) for run in runs]).astype(np.float32)
    return arrays, [float(run.seconds[-1]) for run in runs]


def _study_contents(
    plan: Study, pieces: list[dict[str, np.ndarray]]
) -> tuple[dict[str, Any], list[float]]:
    """The arrays of a recording of measurements, and how long each piece took."""
    seconds = [float(piece.pop("seconds")) for piece in pieces]
    arrays = plan.arrays(pieces)
    arrays["about"] = {"device": "cpu", "versions": versions(), **arrays["about"]}
    return arrays, seconds


def _write(name: str, arrays: dict[str, Any], seconds: list[float], folder: Path) -> Path:
    about = {"name": name, **arrays["about"]}
    path = folder / f"{name}.npz"
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays | {"about": np.array(json.dumps(about))})
    content = packed.getvalue()
    entry = {
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "runs": len(seconds),
        "seconds": round(sum(seconds)),
        "recorded": datetime.now(UTC).date().isoformat(),
        "device": about["device"],
        "versions": about["versions"],
        "command": f"grda-edu record {name}",
    }
    # Two recorders may end at the same moment. Their lock lies where no package is made from.
    with files.alone(Path(platformdirs.user_cache_dir("grda-edu")) / MANIFEST):
        entries = manifest(folder) | {name: entry}
        files.replace(path, content)
        files.replace(folder / MANIFEST, (json.dumps(entries, indent=2) + "\n").encode())
    return path
