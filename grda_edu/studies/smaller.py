"""Four ways to make zeros, to see how small a dense network each of them leaves.

gRDA weight by weight, gRDA unit by unit, proximal ℓ1 and gradual magnitude pruning, beside SGD: same
start, same batches, same epochs. Every way has some strengths; they were placed by the accuracy that
seed 8, which is not recorded, had on the validation images. Nothing else was tuned for a single way.
What is kept are the weights themselves: sizes and outputs are computed where they are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import Parameter
from torch.optim import SGD, Optimizer

from grda_edu.geometry.valley import weights_of
from grda_edu.optim import GRDA
from grda_edu.shrinkage import soft_threshold
from grda_edu.studies.frontier import GradualMagnitude
from grda_edu.studies.plan import DATA, MODELS
from grda_edu.training.loop import train

Cell = tuple[str, float, int]  # way, strength, seed
ALONE, BY_WEIGHT, BY_UNIT = "SGD", "gRDA", "gRDA by unit"
PROXIMAL, GRADUAL = "proximal ℓ1", "magnitude, gradual"
WAYS = (ALONE, BY_WEIGHT, BY_UNIT, PROXIMAL, GRADUAL)


@dataclass(frozen=True)
class Smaller:
    """The digits CNN, trained in every way with every strength."""

    grda: tuple[float, ...] = (0.01, 0.015, 0.02, 0.025)  # c
    by_unit: tuple[float, ...] = (0.0075, 0.01, 0.015, 0.02)  # c
    proximal: tuple[float, ...] = (0.0005, 0.001, 0.0015, 0.002)  # λ
    gradual: tuple[float, ...] = (0.8, 0.9, 0.95)  # share of zeros
    seeds: tuple[int, ...] = (0, 1, 2)
    epochs: int = 60
    late: int = 5  # epochs at the end over which accuracies are means
    lr: float = 0.1
    mu: float = 0.65
    batch_size: int = 32
    data: str = "digits"
    model: str = "digits_cnn"

    def strengths(self) -> dict[str, tuple[float, ...]]:
        """Way -> its strengths, from the weakest."""
        rows = ((0.0,), self.grda, self.by_unit, self.proximal, self.gradual)
        return dict(zip(WAYS, rows, strict=True))

    def cells(self) -> Iterator[Cell]:
        for way, strengths in self.strengths().items():
            for strength in strengths:
                for seed in self.seeds:
                    yield way, strength, seed

    def label(self, cell: Cell) -> str:
        way, strength, seed = cell
        return f"{way} {strength:g}, seed {seed}"

    def measure(self, cell: Cell) -> dict[str, Any]:
        way, strength, seed = cell
        model, data = MODELS[self.model](seed), DATA[self.data]()
        steps = self.epochs * -(-len(data.y_train) // self.batch_size)
        run = train(
            model,
            data,
            lambda parameters: self.optimizer(way, strength, parameters, steps),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=seed,
            device="cpu",
        )
        return {
            "weights": weights_of(model).numpy().astype(np.float32),
            "test": run.test_accuracy[-self.late :].mean(),
            "val": run.val_accuracy[-self.late :].mean(),
        }

    def optimizer(
        self, way: str, strength: float, parameters: list[Parameter], steps: int
    ) -> Optimizer:
        """What trains a network in this way."""
        if way == BY_WEIGHT:
            return GRDA(parameters, lr=self.lr, c=strength, mu=self.mu)
        if way == BY_UNIT:  # a bias has no rows: it dies alone
            whole = {"params": [p for p in parameters if p.ndim > 1], "by": "unit"}
            alone = {"params": [p for p in parameters if p.ndim < 2]}
            return GRDA([whole, alone], lr=self.lr, c=strength, mu=self.mu)
        optimizer = SGD(parameters, lr=self.lr)
        if way == PROXIMAL:
            optimizer.register_step_post_hook(lambda *_: _shrink(parameters, self.lr * strength))
        elif way == GRADUAL:
            GradualMagnitude(optimizer, strength, steps)
        return optimizer

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        seeds = len(self.seeds)
        settings = {name: getattr(self, name) for name in self.__dataclass_fields__}
        about = settings | {"ways": list(WAYS), "strengths": self.strengths()}
        found: dict[str, Any] = {"about": {"configuration": about}}
        for what in ("weights", "test", "val"):
            rows = np.stack([piece[what] for piece in pieces]).astype(np.float32)
            found[what] = rows.reshape(-1, seeds, *rows.shape[1:])  # [recipes, seeds, …]
        return found


@torch.no_grad()
def _shrink(parameters: list[Parameter], threshold: float) -> None:
    """The proximal step of λ‖w‖₁: every weight moves by γλ towards zero, and stops there."""
    for p in parameters:
        p.copy_(soft_threshold(p, threshold))
