"""The recorded valley of lesson 00: where SGD and gRDA go from one start, on a cut through the loss."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grda_edu.geometry.valley import measure_along, measure_plane, plane_through, straight_line
from grda_edu.optim import GRDA
from grda_edu.studies.plan import DATA, MODELS
from grda_edu.training.loop import train
from grda_edu.training.run import Run

NAMES = ("sgd", "grda")


@dataclass(frozen=True)
class OpeningValley:
    """The two runs of the recording "opening", and the plane through their start and both ends."""

    seed: int = 0
    c: float = 0.02
    mu: float = 0.65
    lr: float = 0.1
    batch_size: int = 32
    epochs: int = 60
    grid: int = 41
    margin: float = 0.2
    points: int = 41  # on the straight line between the two ends
    data: str = "digits"
    model: str = "digits_cnn"

    def cells(self) -> Iterator[str]:
        yield "sgd and grda"

    def label(self, cell: str) -> str:
        return cell

    def run(self, c: float) -> Run:
        """One of the runs, with its weights after every epoch."""
        return train(
            MODELS[self.model](self.seed),
            DATA[self.data](),
            lambda parameters: GRDA(parameters, lr=self.lr, c=c, mu=self.mu),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=self.seed,
            device="cpu",
            snapshot_epochs=range(self.epochs + 1),
        )

    def measure(self, cell: str) -> dict[str, Any]:
        runs = dict(zip(NAMES, (self.run(0.0), self.run(self.c)), strict=True))
        paths = {name: path_of(run) for name, run in runs.items()}
        plane = plane_through(paths["sgd"][0], paths["sgd"][-1], paths["grda"][-1])
        piece: dict[str, Any] = {"epoch": runs["sgd"].epoch, "size": runs["sgd"].sizes.sum()}
        for name, run in runs.items():
            piece |= {
                f"{name}/place": plane.project(paths[name]),  # [E+1, 2]
                f"{name}/distance": plane.distance(paths[name]),  # [E+1]
                f"{name}/zeros": run.zeros.sum(axis=1),
                f"{name}/train_loss": run.train_loss,
                f"{name}/test_accuracy": run.test_accuracy,
            }
        around = np.vstack([piece[f"{name}/place"] for name in NAMES])
        a, b = plane.grid(self.grid, self.margin, around)
        model, data = MODELS[self.model](self.seed), DATA[self.data]()
        ends = paths["sgd"][-1], paths["grda"][-1]
        line = [straight_line(*ends, t) for t in np.linspace(0, 1, self.points).tolist()]
        return piece | {
            "a": a,
            "b": b,
            "loss": measure_plane(model, plane, a, b, data)["train_loss"],  # [B, A]
            "corners": plane.corners,  # of the start, SGD's end and gRDA's
            "line_loss": measure_along(model, line, data)["train_loss"],  # from SGD's end to gRDA's
        }

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        settings = {
            name: getattr(self, name)
            for name in ("model", "data", "c", "mu", "lr", "batch_size", "epochs", "seed")
        }
        (piece,) = pieces
        kept = {
            key: value.astype(np.float32) if value.dtype.kind == "f" else value
            for key, value in piece.items()
        }
        return {"about": {"configuration": settings}, **kept}


def path_of(run: Run) -> np.ndarray:
    """The weights after every epoch, all parameters in one row: float32 [E+1, d]."""
    return np.stack(
        [
            np.concatenate([w.ravel() for w in run.snapshots[k].values()])
            for k in sorted(run.snapshots)
        ]
    )
