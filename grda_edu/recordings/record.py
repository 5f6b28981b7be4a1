"""Make the shipped recordings again: ``grda-edu record``. It can be stopped and continued."""

import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import platformdirs
import torch

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.recordings import FOLDER, MANIFEST, manifest
from grda_edu.run import CURVES, Run
from grda_edu.train import train, versions

Cell = tuple[float, float, int]  # c, mu, seed


@dataclass(frozen=True)
class Grid:
    """What a recorded grid of the digits CNN consists of."""

    c: tuple[float, ...] = (0.0, 0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05)
    mu: tuple[float, ...] = (0.501, 0.51, 0.55, 0.6, 0.65, 0.7)
    seeds: tuple[int, ...] = (0, 1, 2)
    lr: float = 0.1
    batch_size: int = 32
    epochs: int = 60
    picture_epochs: tuple[int, ...] = (0, 1, 2, 5, 10, 20, 40, 60)
    snapshots: tuple[str, ...] = ("conv1.weight", "fc2.weight")

    def cells(self) -> Iterator[Cell]:
        """Every run to make. c = 0 is SGD whatever mu is: once a seed."""
        for c in self.c:
            for mu in self.mu if c else self.mu[:1]:
                for seed in self.seeds:
                    yield c, mu, seed

    def row(self, c: float, mu: float, seed: int) -> int:
        """Where the run that shows a cell stands among ``cells``."""
        return list(self.cells()).index((c, mu if c else self.mu[0], seed))


GRIDS = {
    "digits_grid": Grid(),
    "opening": Grid(c=(0.0, 0.02), mu=(0.65,), seeds=(0,), picture_epochs=tuple(range(0, 61, 2))),
}


def record(name: str, workers: int = 2, folder: Path = FOLDER) -> Path:
    """Train every run of a recording and write its file and its entry in the manifest.

    workers: processes, each with one thread. Finished runs are kept in the user's cache folder
    until the recording is complete, so that a second call continues a stopped one.

    Raises ValueError for an unknown name or a number of workers below 1.
    """
    if name not in GRIDS:
        raise ValueError(f"name must be one of {', '.join(GRIDS)}, got {name!r}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers!r}")
    grid = GRIDS[name]
    kept = _kept_runs_folder(name, grid)
    kept.mkdir(parents=True, exist_ok=True)
    todo = [cell for cell in grid.cells() if not _path(kept, cell).exists()]
    total = len(list(grid.cells()))
    print(f"{name}: {total} runs, {total - len(todo)} of them kept from before, in {kept}")
    _run_all(grid, todo, kept, workers)
    runs = [Run.load(_path(kept, cell)) for cell in grid.cells()]
    path = _write(name, grid, runs, folder)
    shutil.rmtree(kept)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return path


def record_cell(grid: Grid, cell: Cell, epochs: int | None = None) -> Run:
    """Train one cell of the grid, for fewer epochs if asked."""
    c, mu, seed = cell
    epochs = epochs or grid.epochs
    pictures = grid.picture_epochs if seed == grid.seeds[0] else ()
    return train(
        digits_cnn(seed),
        digits(),
        lambda parameters: GRDA(parameters, lr=grid.lr, c=c, mu=mu),
        epochs=epochs,
        batch_size=grid.batch_size,
        seed=seed,
        device="cpu",
        snapshot_epochs=[k for k in pictures if k <= epochs],
    )


def _run_all(grid: Grid, todo: list[Cell], kept: Path, workers: int) -> None:
    began = time.monotonic()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker)
    try:
        futures = {pool.submit(_record_one, grid, cell, kept): cell for cell in todo}
        for done, future in enumerate(as_completed(futures), start=1):
            c, mu, seed = futures[future]
            left = (time.monotonic() - began) / done * (len(todo) - done)
            print(
                f"{done}/{len(todo)}  c = {c:g}, mu = {mu:g}, seed {seed}: {future.result()}; "
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


def _record_one(grid: Grid, cell: Cell, kept: Path) -> str:
    run = record_cell(grid, cell)
    if not run.finished:
        raise RuntimeError(f"the run of (c, mu, seed) = {cell} did not finish: {run.message}")
    run.snapshots = {
        epoch: {name: weights[name].astype(np.float16) for name in grid.snapshots}
        for epoch, weights in run.snapshots.items()
    }
    path = _path(kept, cell)
    unfinished = path.with_suffix(".part")
    run.save(unfinished)
    os.replace(unfinished, path)  # a run that is there is whole
    return (
        f"test {run.test_accuracy[-1]:.1%}, zeros {run.total_zeros[-1]:.1%}, "
        f"{run.seconds[-1]:.1f} s"
    )


def _kept_runs_folder(name: str, grid: Grid) -> Path:
    """One for each grid, split and set of versions: runs of another making are not mixed in."""
    data = digits()
    made_with = json.dumps([asdict(grid), len(data.y_train), data.mean, data.std, versions()])
    key = hashlib.sha256(made_with.encode()).hexdigest()[:8]
    return Path(platformdirs.user_cache_dir("grda-edu")) / f"{name}-{key}"


def _path(kept: Path, cell: Cell) -> Path:
    c, mu, seed = cell
    return kept / f"c{c:g}_mu{mu:g}_seed{seed}.npz"


def _write(name: str, grid: Grid, runs: list[Run], folder: Path) -> Path:
    first = runs[0]
    pictured = [run for run in runs if run.histograms]
    about = {
        "name": name,
        "layers": first.layers,
        "configuration": first.configuration,
        "device": first.device,
        "versions": first.versions,
    }
    rows = np.array([[[grid.row(c, m, s) for s in grid.seeds] for m in grid.mu] for c in grid.c])
    arrays: dict[str, Any] = {
        "about": np.array(json.dumps(about)),
        "c": np.array(grid.c),
        "mu": np.array(grid.mu),
        "seeds": np.array(grid.seeds),
        "epoch": first.epoch,
        "sizes": first.sizes,
        "rows": rows,
        "pictures": rows[:, :, 0] // len(grid.seeds),  # seeds vary fastest among the runs
        "picture_epochs": np.array(grid.picture_epochs),
        "zeros": np.stack([run.zeros for run in runs]).astype(np.uint16),
        "histograms": np.stack(
            [[run.histograms[k] for k in grid.picture_epochs] for run in pictured]
        ).astype(np.uint16),
    }
    for curve in (*CURVES, "seconds"):
        arrays[curve] = np.stack([getattr(run, curve) for run in runs]).astype(np.float32)
    for weights in grid.snapshots:
        arrays[f"snapshot/{weights}"] = np.stack(
            [[run.snapshots[k][weights] for k in grid.picture_epochs] for run in pictured]
        )
    path = folder / f"{name}.npz"
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)
    entry = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "runs": len(runs),
        "seconds": round(float(sum(run.seconds[-1] for run in runs))),
        "recorded": datetime.now(UTC).date().isoformat(),
        "device": first.device,
        "versions": first.versions,
        "command": f"grda-edu record {name}",
    }
    entries = manifest(folder) | {name: entry}
    (folder / MANIFEST).write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return path
