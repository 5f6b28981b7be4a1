"""Directional pruning in steps beside what it is compared with, none of them trained any further."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch

from grda_edu.data import digits
from grda_edu.geometry import Floats
from grda_edu.geometry.curvature import FixedLoss, hessian
from grda_edu.geometry.evidence import directional_at_zeros
from grda_edu.geometry.finite_time import Steps, directional_pruning_in_steps, finite_time_scores
from grda_edu.geometry.pruning import magnitude_pruning, obs_pruning
from grda_edu.geometry.valley import measure_along
from grda_edu.models import digits_cnn, small_digits_cnn
from grda_edu.training.pairs import trainings

Cell = tuple[str, int]  # which network, seed

NETWORKS = {"small": small_digits_cnn, "large": digits_cnn}
MEASURED = ("train_loss", "test_accuracy")


@dataclass(frozen=True)
class InSteps:
    """The digits CNNs after SGD, pruned to the same numbers of zeros in several ways.

    "steps": after each step; "magnitude"; "jump", the closed form with one set of finite-time scores;
    "obs", one weight at a time with one whole Hessian (small network only); "gRDA", trained from
    SGD's start on SGD's batches, with the zeros that each of its c has.
    """

    epochs: tuple[int, ...] = (100, 60)  # of the small and the large network
    c: tuple[tuple[float, ...], ...] = (
        (0.01, 0.02, 0.03, 0.04, 0.06),
        (0.004, 0.006, 0.009, 0.013, 0.02),
    )
    grda_mu: tuple[float, ...] = (0.7, 0.65)
    zeros: float = 0.9
    steps: int = 20
    products: int = 20
    mu: float = 0.51  # of the scores
    epsilon: float = 0.01  # of OBS, in units of curvature
    lr: float = 0.1
    batch_size: int = 32
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    data: str = "digits"

    def cells(self) -> Iterator[Cell]:
        for seed in self.seeds:
            for network in NETWORKS:
                yield network, seed

    def label(self, cell: Cell) -> str:
        return f"{cell[0]}, seed {cell[1]}"

    def measure(self, cell: Cell) -> dict[str, Any]:
        network, seed = cell
        which = list(NETWORKS).index(network)
        model, data = NETWORKS[network](seed), digits(validation=0)
        steps = self.epochs[which] * -(-len(data.y_train) // self.batch_size)
        c, mu = (0.0, *self.c[which]), [self.grda_mu[which]] * (1 + len(self.c[which]))
        run = trainings(model, data, self.lr, c, mu, batch_size=self.batch_size, seed=seed)
        ended = next(islice(run, steps, None))
        t = steps * self.lr
        loss, w = FixedLoss(model, (data.x_train, data.y_train)), ended[0].astype(np.float64)
        way: list[Steps] = []
        found = directional_pruning_in_steps(
            *(loss, self.zeros, self.steps),
            t=t,
            mu=self.mu,
            w=w,
            products=self.products,
            progress=lambda step, _: way.append(step),
        )
        counts = [int((step.w == 0).sum()) for step in way]
        s = finite_time_scores(loss, t, self.mu, w=w).s
        networks = {
            "sgd": w[None],
            "steps": np.array([step.w for step in way]),
            "magnitude": np.array([magnitude_pruning(w, zeros / len(w)) for zeros in counts]),
            "jump": np.array([directional_at_zeros(w, s, zeros) for zeros in counts]),
            "grda": ended[1:],
        }
        if network == "small":
            networks["obs"] = _surgery(w, loss, counts, self.epsilon)
        piece: dict[str, Any] = {
            "zeros": np.array(counts) / len(w),
            "zeros/grda": (ended[1:] == 0).mean(axis=1),
            "lams": found.lams,
            "products": np.array(found.products),
        }
        for name, points in networks.items():
            seen = measure_along(model, points, data, ("train", "test"))
            piece |= {f"{name}/{what}": seen[what].astype(np.float32) for what in MEASURED}
        return piece

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        by_cell = dict(zip(self.cells(), pieces, strict=True))
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        arrays: dict[str, Any] = {"about": {"configuration": fields | {"networks": list(NETWORKS)}}}
        for network in NETWORKS:
            for name in by_cell[network, self.seeds[0]]:
                rows = [by_cell[network, seed][name] for seed in self.seeds]
                arrays[f"{network}/{name}"] = np.array(rows)
        return arrays


def _surgery(w: Floats, loss: FixedLoss, counts: list[int], epsilon: float) -> Floats:
    """The optimal brain surgeon's weights at several numbers of zeros: float64 [counts, D].

    Its corrections lead to the lowest point that its removals leave, so that one run's order gives
    all of them.
    """
    matrix = hessian(loss, torch.from_numpy(w))
    order = obs_pruning(w, matrix, counts[-1], epsilon=epsilon).order
    damped = matrix + epsilon * np.eye(len(w))
    rows = []
    for zeros in counts:
        gone = order[:zeros]
        left = np.setdiff1d(np.arange(len(w)), gone)
        row = np.zeros_like(w)
        pull = damped[np.ix_(left, gone)] @ w[gone]
        row[left] = w[left] + np.linalg.solve(damped[np.ix_(left, left)], pull)
        rows.append(row)
    return np.array(rows)
