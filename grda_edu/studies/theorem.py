"""The measurement behind lesson 08: SGD, gRDA and the Hessian of a CNN whose Hessian fits."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch

from grda_edu.data import digits
from grda_edu.geometry.curvature import (
    FixedLoss,
    Spectrum,
    flat_subspace,
    hessian,
    softmax_shift,
    spectrum,
    symmetries,
)
from grda_edu.geometry.evidence import (
    CONTROLS,
    controls,
    path_twin,
    random_scores,
    strength,
)
from grda_edu.geometry.pruning import (
    direction_scores,
    directional_pruning,
    flat_l1,
    magnitude_pruning,
)
from grda_edu.models import small_digits_cnn
from grda_edu.training.pairs import trainings

Pair = tuple[float, float]  # c, mu

LOSSES = ("gRDA", "directional", "flat", "twin", "path", *CONTROLS)
"""Whose training losses are recorded; "soft" has as many zeros as gRDA."""


@dataclass(frozen=True)
class TheoremStudy:
    """gRDA beside directional pruning over c, μ and seeds, on ``small_digits_cnn``.

    All pairs (c, μ) to ``t``, with every rung of the ladder there, and Hessians along SGD's path to
    the last of ``times``.
    """

    lr: float = 0.1
    t: float = 450.0
    c: tuple[float, ...] = (0.005, 0.01, 0.02)
    mu: tuple[float, ...] = (0.51, 0.6, 0.7)
    seeds: tuple[int, ...] = (0, 1, 2)
    batch_size: int = 32
    times: tuple[float, ...] = (0.0, 9.0, 22.5, 45.0, 90.0, 180.0, 300.0, 450.0, 900.0)
    cutoffs: tuple[float, ...] = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    main_cutoff: float = 1e-3
    top: int = 50
    data: str = "digits"

    def cells(self) -> Iterator[int]:
        yield from self.seeds

    def label(self, cell: int) -> str:
        return f"seed {cell}"

    @property
    def pairs(self) -> list[Pair]:
        """The settings (c, μ) trained, in the order in which they are stored."""
        return [(c, mu) for mu in self.mu for c in self.c]

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        arrays: dict[str, Any] = {"about": {"configuration": self._configuration()}}
        return arrays | {name: np.stack([piece[name] for piece in pieces]) for name in pieces[0]}

    def _configuration(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return fields | {"model": "small_digits_cnn", "training_images": 1437, "losses": LOSSES}

    def _train(self, seed: int) -> Iterator[np.ndarray]:
        """Weights of SGD and of all pairs after each step: [1 + 9, D]."""
        c, mu = zip((0.0, self.mu[0]), *self.pairs, strict=True)
        model, data = small_digits_cnn(seed), digits(validation=0)
        return trainings(model, data, self.lr, c, mu, batch_size=self.batch_size, seed=seed)

    def measure(self, cell: int) -> dict[str, Any]:
        lr, seed, loss = self.lr, cell, _loss(cell)
        steps = [round(t / lr) for t in self.times]
        end = round(self.t / lr)
        whole, ours = [], {}
        for n, weights in enumerate(islice(self._train(seed), steps[-1] + 1)):
            whole.append(weights[0])
            if n in steps:
                ours[n] = weights[1:]
        hessians = {n: hessian(loss, torch.from_numpy(whole[n])) for n in steps}
        spectra = {n: spectrum(hessians[n]) for n in steps}
        found: dict[str, Any] = {
            "path": np.stack([whole[n] for n in steps]),
            "values": np.stack([spectra[n].values for n in steps]).astype(np.float32),
            "symmetries": np.array([_symmetries(hessians[n], seed) for n in steps]),
            "top": spectra[end].top(10).astype(np.float32),
            "grda": ours[end],
            **self._scores(spectra[end], whole[end], seed),
        }
        for name in ("grda", "magnitude"):
            found[f"shares/{name}"] = np.stack(
                [_shares(name, spectra[n], whole[n], ours[n], self.top) for n in steps[1:]]
            )
        before = {n: h for n, h in hessians.items() if n < end}
        path = np.stack(whole[: end + 1])
        return found | self._ladder(
            loss, spectra[end], hessians[end], before, path, ours[end], seed
        )

    def _ladder(
        self,
        loss: FixedLoss,
        of: Spectrum,
        end: np.ndarray,
        before: dict[int, np.ndarray],
        path: np.ndarray,
        ours: np.ndarray,
        seed: int,
    ) -> dict[str, Any]:
        """Every rung's weights for every pair [9, D], and the training losses of all [9, LOSSES]."""
        w, lr = path[-1].astype(float), self.lr
        pairs = self.pairs
        c, mu = zip(*pairs, strict=True)
        basis = flat_subspace(of, self.main_cutoff).basis
        s, random = direction_scores(w, basis), random_scores(w, basis.shape[1], seed)
        flat = [flat_l1(w, basis, strength(lr, *pair, self.t), tolerance=1e-6).w for pair in pairs]
        twin = path_twin(np.broadcast_to(w, path.shape), {0: end}, lr, c, mu)
        along = path_twin(path.astype(float), before, lr, c, mu)
        losses = []
        for k, pair in enumerate(pairs):
            lam = strength(lr, *pair, self.t)
            predicted = {
                "gRDA": ours[k],
                "directional": directional_pruning(w, s, lam),
                "flat": flat[k],
                "twin": twin[k],
                "path": along[k],
                **controls(w, ours[k], s, random, lam, seed),
            }
            losses.append([loss(torch.from_numpy(predicted[name])) for name in LOSSES])
        rungs = {"flat": np.stack(flat), "twin": twin, "along": along}
        return {name: rung.astype(np.float32) for name, rung in rungs.items()} | {
            "losses": np.array(losses),
            "sgd_loss": np.array(loss(torch.from_numpy(w))),
        }

    def _scores(self, of: Spectrum, w: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """Scores for every cut-off [C, D], and of a random subspace as large as the main one."""
        scores = [direction_scores(w, flat_subspace(of, cut).basis) for cut in self.cutoffs]
        rank = flat_subspace(of, self.main_cutoff).rank
        return {
            "s": np.stack(scores).astype(np.float16),
            "rank": np.array([of.rank_below(cut) for cut in self.cutoffs]),
            "s_random": random_scores(w, rank, seed).astype(np.float16),
        }


def _loss(seed: int) -> FixedLoss:
    data = digits(validation=0)
    return FixedLoss(small_digits_cnn(seed), (data.x_train, data.y_train))


def _symmetries(matrix: np.ndarray, seed: int) -> tuple[int, int]:
    counted = symmetries(matrix, softmax_shift(small_digits_cnn(seed)))
    return counted.dead, counted.shift


def _shares(name: str, of: Spectrum, w: np.ndarray, ours: np.ndarray, top: int) -> np.ndarray:
    """Shares of moves from ``w`` in the top-1, top-2, … eigenspaces: float32 [9, top]."""
    rows = []
    for target in ours:
        if name == "magnitude":
            target = magnitude_pruning(w, float((target == 0).mean()))
        move = target.astype(float) - w
        squares = (of.top(top).T @ move) ** 2
        length = float(move @ move)
        rows.append(np.sqrt(np.cumsum(squares) / length) if length else np.full(top, np.nan))
    return np.stack(rows).astype(np.float32)
