"""What gRDA's zeros cost beside others' after equal training: as many zeros, as many steps, same batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.optim import SGD, Optimizer

from grda_edu.data import digits
from grda_edu.geometry import Floats
from grda_edu.geometry.curvature import FixedLoss
from grda_edu.geometry.evidence import strength
from grda_edu.geometry.finite_time import krylov
from grda_edu.geometry.pruning import directional_pruning, magnitude_pruning
from grda_edu.geometry.valley import measure_along, put_weights, weights_of
from grda_edu.models import small_digits_cnn
from grda_edu.optim import GRDA
from grda_edu.sparse.masks import keep_zeros
from grda_edu.studies.frontier import GradualMagnitude
from grda_edu.training.loop import train
from grda_edu.training.pairs import trainings

WAYS = (
    "gRDA",
    "gRDA, then its mask",
    "gradual magnitude",
    "gRDA's mask",
    "magnitude mask",
    "random mask",
    "magnitude",
)
"""Ways to the zeros: all but the last train for all steps; three of them from the start with a mask."""
LATER = 1000  # added to a seed: another order of the images for what goes on after a first training


@dataclass(frozen=True)
class EqualBudget:
    """Networks with gRDA's zeros that were trained as long as gRDA, from its start on its batches.

    "gRDA, then its mask": gRDA to ``mask_at`` of the epochs, where its c is such that it reaches λ
    by then, and SGD on its survivors for the others. "gradual magnitude": zeros that grow from a
    fifth to seven tenths of the steps. "gRDA's mask", "magnitude mask" (of SGD's end), "random
    mask" (with gRDA's zeros in each layer): SGD from the start with these weights at zero.
    "magnitude": SGD's end, cut and left as it is. Beside them, as "rung", what finite-time scores
    predict of gRDA, and SGD itself, as "sgd".
    """

    pairs: tuple[tuple[float, float], ...] = ((0.005, 0.51), (0.02, 0.51), (0.02, 0.7))
    epochs: int = 100
    mask_at: float = 0.7
    lr: float = 0.1
    batch_size: int = 32
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    data: str = "digits"

    def cells(self) -> Iterator[int]:
        yield from self.seeds

    def label(self, cell: int) -> str:
        return f"seed {cell}"

    def measure(self, cell: int) -> dict[str, Any]:
        data, start = digits(validation=0), weights_of(small_digits_cnn(cell)).double().numpy()
        steps = self.epochs * -(-len(data.y_train) // self.batch_size)
        c, mus = zip((0.0, 0.5), *self.pairs, strict=True)
        model = small_digits_cnn(cell)
        run = trainings(model, data, self.lr, c, mus, batch_size=self.batch_size, seed=cell)
        sgd, *ours = next(islice(run, steps, None)).astype(np.float64)
        points = []
        for pair, grda in zip(self.pairs, ours, strict=True):
            zeros = float((grda == 0).mean())
            magnitude = magnitude_pruning(sgd, zeros)
            masks = grda != 0, magnitude != 0, _dealt_in_layers(grda != 0, cell)
            gradual = partial(_gradual, lr=self.lr, zeros=zeros, steps=steps)
            points += [
                grda,
                self._then_its_mask(start, cell, *pair),
                self._trained(start, cell, gradual),
                *(self._trained(np.where(mask, start, 0.0), cell) for mask in masks),
                magnitude,
            ]
        shape = len(self.pairs), len(WAYS)
        rung = self._finite_time(sgd, steps * self.lr, cell)
        return {
            **{name: values.reshape(shape) for name, values in _seen(points).items()},
            **{f"rung/{name}": values for name, values in _seen(rung).items()},
            **{f"sgd/{name}": values for name, values in _seen([sgd]).items()},
        }

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        configuration = fields | {"model": "small_digits_cnn", "ways": list(WAYS)}
        stacked = {name: np.array([piece[name] for piece in pieces]) for name in pieces[0]}
        return {"about": {"configuration": configuration}} | stacked

    def _finite_time(self, sgd: Floats, t: float, seed: int) -> list[Floats]:
        """Directional pruning with finite-time scores, at each pair's own λ."""
        data = digits(validation=0)
        loss = FixedLoss(small_digits_cnn(seed), (data.x_train, data.y_train))
        space = krylov(loss, sgd)
        return [
            directional_pruning(sgd, space.scores(t, mu).s, strength(self.lr, c, mu, t))
            for c, mu in self.pairs
        ]

    def _trained(
        self,
        start: Floats,
        seed: int,
        make: Callable[[Any], Optimizer] | None = None,
        *,
        epochs: int = 0,
        order: int = 0,
    ) -> Floats:
        """Weights after training from ``start``, whose zeros stay: float64 [D].

        order: added to the seed that decides the order of the images.
        """
        model = small_digits_cnn(seed)
        put_weights(model, start)
        with keep_zeros(model):
            train(
                model,
                digits(validation=0),
                make or (lambda params: SGD(params, lr=self.lr)),
                epochs=epochs or self.epochs,
                batch_size=self.batch_size,
                seed=seed + order,
                device="cpu",
            )
        return weights_of(model).double().numpy()

    def _then_its_mask(self, start: Floats, seed: int, c: float, mu: float) -> Floats:
        first = round(self.mask_at * self.epochs)
        stronger = c * (self.epochs / first) ** mu  # the same λ at the earlier time
        ours = self._trained(
            start, seed, lambda params: GRDA(params, self.lr, c=stronger, mu=mu), epochs=first
        )
        return self._trained(ours, seed, epochs=self.epochs - first, order=LATER)


def _seen(points: list[Floats]) -> dict[str, Floats]:
    """Share of zeros, training loss and test accuracy of each: [points]."""
    seen = measure_along(small_digits_cnn(0), points, digits(validation=0), ("train", "test"))
    zeros = (np.array(points) == 0).mean(axis=-1)
    return {"zeros": zeros, "loss": seen["train_loss"], "accuracy": seen["test_accuracy"]}


def _gradual(params: Any, *, lr: float, zeros: float, steps: int) -> Optimizer:
    optimizer = SGD(params, lr=lr)
    GradualMagnitude(optimizer, zeros, steps)
    return optimizer


def _dealt_in_layers(mask: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """As many survivors in every layer, dealt out anew: bool [D]."""
    sizes = [p.numel() for p in small_digits_cnn(0).parameters()]
    deal = np.random.default_rng([seed, 4])
    return np.concatenate([deal.permutation(p) for p in np.split(mask, np.cumsum(sizes)[:-1])])
