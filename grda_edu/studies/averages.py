"""The recorded averages: of the weights, which lose the zeros, and of the accumulator, which keep them.

With controls that ask whether the accumulator has any part in it: the average of unpenalised SGD,
soft-thresholded at the same level and at as many zeros, and pruned by magnitude to as many.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from grda_edu.data import Data
from grda_edu.geometry.pruning import hard_pruning, soft_pruning, threshold_for
from grda_edu.geometry.valley import put_weights, weights_of
from grda_edu.optim import GRDA, AccumulatorAverage
from grda_edu.studies.plan import DATA, MODELS
from grda_edu.training.loop import evaluate, train

PARTS, QUANTITIES = ("train", "val", "test"), ("loss", "accuracy", "zeros")
CONTROLS = ("sgd", "sgd_level", "sgd_zeros", "sgd_magnitude")
"""SGD's weights; soft-thresholded at gRDA's threshold; at as many zeros as gRDA has; as many of the
smallest set to zero and the others left as they are."""
LAST = ("grda", *CONTROLS)  # after the last step
AVERAGED = ("weights", "accumulator", "accumulator_now", *CONTROLS)
"""The average of gRDA's weights; of its accumulator, at the averaged threshold and at the last one; the
controls from the average of SGD's weights, with the averaged threshold and the zeros of "accumulator"."""


@dataclass(frozen=True)
class Averages:
    """gRDA and SGD from one start, and their averages over steps with every decay."""

    seeds: tuple[int, ...] = (0, 1, 2)
    decays: tuple[float, ...] = (0.9, 0.97, 0.99, 0.997, 0.999)
    c: float = 0.02
    mu: float = 0.65
    lr: float = 0.1
    batch_size: int = 32
    epochs: int = 25
    data: str = "digits"
    model: str = "digits_cnn"

    def cells(self) -> Iterator[int]:
        yield from self.seeds

    def label(self, cell: int) -> str:
        return f"seed {cell}"

    def measure(self, cell: int) -> dict[str, Any]:
        data = DATA[self.data]()
        model, grda, averages, of_weights = self._train(self.c, cell, data)
        other, _, sgd_averages, _ = self._train(0.0, cell, data)
        last, sgd = weights_of(model).numpy(), weights_of(other).numpy()
        level = next(iter(grda.state.values()))["threshold"]  # all parameters have one clock
        ends = {"grda": last, **_controls(sgd, level, last)}
        piece = {f"last/{name}": _seen(model, ends[name], data) for name in LAST}
        rows: dict[str, list[np.ndarray]] = {name: [] for name in AVERAGED}
        for average, weights, sgd_average in zip(averages, of_weights, sgd_averages, strict=True):
            v = _flat(mean["accumulator"] for mean in average.means.values())
            (averaged_level,) = {mean["threshold"] for mean in average.means.values()}
            own = weights_of(average.export(model)).numpy()
            sgd = weights_of(sgd_average.export(other)).numpy()
            made = {
                "weights": weights.numpy(),
                "accumulator": own,
                "accumulator_now": soft_pruning(v, level),
                **_controls(sgd, averaged_level, own),
            }
            for name in AVERAGED:
                rows[name].append(_seen(model, made[name], data))
        return piece | {f"averaged/{name}": np.stack(rows[name]) for name in AVERAGED}

    def _train(
        self, c: float, seed: int, data: Data
    ) -> tuple[nn.Module, GRDA, list[AccumulatorAverage], list[Tensor]]:
        """A trained model, its optimizer, and for each decay both averages."""
        model = MODELS[self.model](seed)
        optimizer = GRDA(model.parameters(), lr=self.lr, c=c, mu=self.mu)
        averages = [AccumulatorAverage(optimizer, decay) for decay in self.decays]
        of_weights = [torch.zeros_like(weights_of(model)) for _ in averages]
        steps = 0

        def after_step(*_: object) -> None:
            nonlocal steps
            steps += 1
            now = weights_of(model)
            for average, mean, decay in zip(averages, of_weights, self.decays, strict=True):
                average.update()
                mean.lerp_(now, max(1 / steps, 1 - decay))  # as AccumulatorAverage does

        optimizer.register_step_post_hook(after_step)

        def made(_: list[nn.Parameter]) -> Optimizer:
            return optimizer

        train(
            model,
            data,
            made,
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=seed,
            device="cpu",
        )
        return model, optimizer, averages, of_weights

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        settings = {key: value for key, value in asdict(self).items() if key != "seeds"}
        axes = {"parts": list(PARTS), "quantities": list(QUANTITIES)}
        stacked = {
            key: np.stack([piece[key] for piece in pieces]).astype(np.float32) for key in pieces[0]
        }
        about = {"configuration": settings | axes}
        return {"about": about, "seeds": np.array(self.seeds), **stacked}


def _flat(tensors: Iterator[Tensor]) -> np.ndarray:
    return torch.cat([tensor.flatten() for tensor in tensors]).numpy()


def _controls(sgd: np.ndarray, level: float, grda: np.ndarray) -> dict[str, np.ndarray]:
    """SGD's weights in all ways: "level" is a threshold, ``grda`` has the zeros to be matched."""
    zeros = int((grda == 0).sum())
    return {
        "sgd": sgd,
        "sgd_level": soft_pruning(sgd, level),
        "sgd_zeros": soft_pruning(sgd, threshold_for(sgd, zeros)),
        "sgd_magnitude": hard_pruning(sgd, threshold_for(sgd, zeros)),
    }


def _seen(model: nn.Module, weights: np.ndarray, data: Data) -> np.ndarray:
    """Loss, accuracy and share of zeros of these weights on each part: float [parts, quantities]."""
    kept = weights_of(model)
    put_weights(model, weights)
    zeros = float((weights == 0).mean())
    seen = [
        (*evaluate(model, getattr(data, f"x_{part}"), getattr(data, f"y_{part}")), zeros)
        for part in PARTS
    ]
    put_weights(model, kept)
    return np.array(seen)
