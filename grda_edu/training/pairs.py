"""Networks that differ in c and μ alone, step by step on the same batches: what the theorem compares."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grda_edu.data import Data
from grda_edu.shrinkage import tuning_increment
from grda_edu.training.stacked import forward_of, grda_step, stack


def trainings(
    model: nn.Module,
    data: Data,
    lr: float,
    c: Collection[float],
    mu: Collection[float],
    *,
    batch_size: int = 32,
    seed: int = 0,
) -> Iterator[np.ndarray]:
    """gRDA with K settings (c, mu) from the model's weights, all on the same batches, without end.

    Each is what ``train`` makes of the model with ``GRDA`` and this seed, up to rounding. The model
    stays as it is.

    Args:
        model: where all settings start.
        data: whose training images are gone through.
        lr: learning rate γ.
        c: strength of the penalty of each setting; 0 is SGD.
        mu: exponent of each setting.
        batch_size: images a step.
        seed: decides the order of the images.

    Yields:
        The weights after n = 0, 1, … steps: float32 [K, D].
    """
    networks = len(c)
    c, mu = np.array(list(c), float), np.array(list(mu), float)
    forward, weights = forward_of(model), stack([model] * networks)
    accumulators = [w.clone() for w in weights.values()]
    for w in weights.values():
        w.requires_grad_()
    thresholds = np.zeros(networks)
    yield _rows(weights)
    for n, (x, y) in enumerate(_batches(data, batch_size, seed), start=1):
        outputs = forward(weights, x.expand(networks, *x.shape)).flatten(0, 1)
        losses = cross_entropy(outputs, y.repeat(networks), reduction="sum") / len(y)
        gradients = torch.autograd.grad(losses, list(weights.values()))
        thresholds += tuning_increment(n, lr, c, mu)
        for w, v, gradient in zip(weights.values(), accumulators, gradients, strict=True):
            grda_step(w, v, gradient, thresholds, lr)
        yield _rows(weights)


def _rows(weights: Mapping[str, Any]) -> np.ndarray:
    """The weights of K networks as float32 [K, D]."""
    parts = [w.detach().flatten(1).cpu().numpy() for w in weights.values()]
    return np.concatenate(parts, axis=1)


def _batches(data: Data, batch_size: int, seed: int) -> Iterator[tuple[Any, Any]]:
    """Batches without end, every epoch in a new order, that of ``train`` with this seed."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(data.y_train), generator=generator).to(data.device)
        yield from zip(
            data.x_train[order].split(batch_size),
            data.y_train[order].split(batch_size),
            strict=True,
        )
