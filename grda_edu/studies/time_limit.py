"""The theorem without a cut-off: finite-time scores beside what gRDA did, as time goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch

from grda_edu.data import digits
from grda_edu.geometry import Floats
from grda_edu.geometry.curvature import FixedLoss, Spectrum, hessian, spectrum
from grda_edu.geometry.finite_time import Filter, decay, hard_cutoff, krylov, response
from grda_edu.geometry.matching import symmetry_scores
from grda_edu.models import digits_cnn, small_digits_cnn
from grda_edu.training.pairs import trainings

Pair = tuple[float, float]  # c, mu
Cell = tuple[str, float, int]  # what, at which t or γ, seed

OTHER_ORDER = 100  # added to a seed: the same start, another order of the images


@dataclass(frozen=True)
class FiniteTime:
    """SGD and gRDA from the same weights on the same batches, and scores where SGD ended.

    On ``small_digits_cnn``, with scores by all eigenvectors beside those by products: to three times
    with λ held by c ∝ t^(-μ) ("time"), at other learning rates to the first of them with λ held by
    c ∝ γ^(-1/2) ("rate"), and in another order of the images ("order"), for the noise. On
    ``digits_cnn``, whose Hessian nobody takes, to ``large_t`` ("large").
    """

    lr: float = 0.1
    pairs: tuple[Pair, ...] = ((0.005, 0.51), (0.02, 0.51), (0.02, 0.7))
    times: tuple[float, ...] = (450.0, 900.0, 1800.0)
    rates: tuple[float, ...] = (0.2, 0.05)
    large_t: float = 270.0
    large_pairs: tuple[Pair, ...] = ((0.005, 0.51), (0.02, 0.51), (0.02, 0.65))
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    batch_size: int = 32
    products: int = 40
    cutoff: float = 1e-3
    moving_cutoff: float = 0.45  # by t
    data: str = "digits"

    def cells(self) -> Iterator[Cell]:
        for seed in self.seeds:
            yield from (("time", t, seed) for t in self.times)
            yield "order", self.times[0], seed
            yield "large", self.large_t, seed
        for seed in self.seeds:
            yield from (("rate", lr, seed) for lr in self.rates)

    def label(self, cell: Cell) -> str:
        what, at, seed = cell
        return f"{what} {at:g}, seed {seed}"

    def held(self, lr: float, t: float) -> list[Pair]:
        """The settings (c, μ) that reach at this rate and time the λ of the first time."""
        factor, first = (self.lr / lr) ** 0.5, self.times[0]
        return [(c * factor * (first / t) ** mu, mu) for c, mu in self.pairs]

    @property
    def mus(self) -> list[float]:
        """The exponents, each once, rising: what scores are stored for."""
        return sorted({mu for _, mu in self.pairs})

    @property
    def large_mus(self) -> list[float]:
        """The same on the larger network."""
        return sorted({mu for _, mu in self.large_pairs})

    def measure(self, cell: Cell) -> dict[str, Any]:
        what, at, seed = cell
        if what == "large":
            return self._measured_large(at, seed)
        lr, t = (at, self.times[0]) if what == "rate" else (self.lr, at)
        order = seed + OTHER_ORDER if what == "order" else seed
        ended = self._ended(small_digits_cnn(seed), lr, t, self.held(lr, t), order)
        found = {"sgd": ended[0], "grda": ended[1:]}
        if what == "time":
            found |= self._scores(ended[0], t, seed)
        elif what == "rate":
            space = krylov(_loss(small_digits_cnn(seed)), ended[0], products=self.products)
            scores = [space.scores(t, mu).s for mu in self.mus]
            found["s"] = np.stack(scores).astype(np.float16)
        return found

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        by_cell = dict(zip(self.cells(), pieces, strict=True))
        places = {"time": self.times, "rate": self.rates}
        arrays: dict[str, Any] = {"about": {"configuration": self._configuration()}}
        for what, first in (("time", self.times[0]), ("rate", self.rates[0])):
            for name in by_cell[what, first, self.seeds[0]]:
                rows = [[by_cell[what, at, s][name] for at in places[what]] for s in self.seeds]
                arrays[f"{what}/{name}"] = np.array(rows)
        for what, at in (("order", self.times[0]), ("large", self.large_t)):
            for name in by_cell[what, at, self.seeds[0]]:
                rows = [by_cell[what, at, seed][name] for seed in self.seeds]
                arrays[f"{what}/{name}"] = np.array(rows)
        return arrays

    def _configuration(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        models = {"model": "small_digits_cnn", "large_model": "digits_cnn"}
        return (
            fields
            | models
            | {"mus": self.mus, "large_mus": self.large_mus, "training_images": 1437}
        )

    def _ended(
        self, model: torch.nn.Module, lr: float, t: float, pairs: list[Pair], seed: int
    ) -> Floats:
        """Weights of SGD and of each setting at time t: float32 [1 + settings, D]."""
        c, mu = zip((0.0, pairs[0][1]), *pairs, strict=True)
        run = trainings(
            model, digits(validation=0), lr, c, mu, batch_size=self.batch_size, seed=seed
        )
        return next(islice(run, round(t / lr), None))

    def _scores(self, w: Floats, t: float, seed: int) -> dict[str, Any]:
        """Scores at SGD's end by all eigenvectors, and how far those by products are from them."""
        loss = _loss(small_digits_cnn(seed), w)
        of, space = spectrum(hessian(loss)), krylov(loss, products=self.products)
        exact = [_exact(of, w, t, _response(mu)) for mu in self.mus]
        found = [space.scores(t, mu) for mu in self.mus]
        errors = [_relative(ours.s, s) for ours, s in zip(found, exact, strict=True)]
        turned = _turned(of, seed)
        scores = {
            "s": np.stack(exact),
            "s/decay": _exact(of, w, t, decay),
            "s/cutoff": _exact(of, w, t, hard_cutoff(self.cutoff, t)),
            "s/moving": _exact(of, w, t, hard_cutoff(self.moving_cutoff / t, t)),
            "s/symmetries": symmetry_scores(loss),
            "s/random": np.stack([_exact(turned, w, t, _response(mu)) for mu in self.mus]),
        }
        return {name: array.astype(np.float16) for name, array in scores.items()} | {
            "values": of.values.astype(np.float32),
            "error": np.array(errors),
            "estimated": np.array([one.error for one in found]),
        }

    def _measured_large(self, t: float, seed: int) -> dict[str, Any]:
        ended = self._ended(digits_cnn(seed), self.lr, t, list(self.large_pairs), seed)
        loss = _loss(digits_cnn(seed), ended[0])
        space = krylov(loss, products=self.products)
        found = [space.scores(t, mu) for mu in self.large_mus]
        scores = np.stack([one.s for one in found])
        return {
            "sgd": ended[0],
            "grda": ended[1:],
            "s": scores.astype(np.float16),
            "s/symmetries": symmetry_scores(loss).astype(np.float16),
            "values": space.values.astype(np.float32),
            "estimated": np.array([one.error for one in found]),
        }


def _loss(model: torch.nn.Module, w: Floats | None = None) -> FixedLoss:
    data = digits(validation=0)
    if w is not None:
        torch.nn.utils.vector_to_parameters(torch.from_numpy(w), model.parameters())
    return FixedLoss(model, (data.x_train, data.y_train))


def _response(mu: float) -> Filter:
    return lambda x: response(x, mu)


def _exact(of: Spectrum, w: Floats, t: float, filter: Filter) -> Floats:
    """sign(w)·(filter(tH) sign(w)) by all eigenvectors: float64 [D]."""
    sign = np.sign(w.astype(np.float64))
    left = filter(t * np.maximum(of.values, 0.0))
    scores: Floats = sign * (of.vectors @ (left * (of.vectors.T @ sign)))
    return scores


def _turned(of: Spectrum, seed: int) -> Spectrum:
    """The same eigenvalues with random eigenvectors: a control that knows the spectrum alone."""
    draws = np.random.default_rng([seed, 3]).standard_normal(of.vectors.shape)
    return Spectrum(of.values, np.linalg.qr(draws)[0])


def _relative(found: Floats, wanted: Floats) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
