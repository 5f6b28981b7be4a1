"""Lesson 12's numbers: what is computed, without a figure."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

STEPS, BATCH = 20, 32
LR, C, MU = 0.1, 0.02, 0.6


@cache
def sent_only_gradients() -> tuple[int, int, float]:
    """Two copies of the digits CNN, each with a gRDA of its own and half of every batch.

    Nothing is shared but the mean of both gradients. Zeros of each after ``STEPS`` steps, and the
    largest difference between their weights.
    """
    from torch.nn.functional import cross_entropy

    from grda_edu.data import digits
    from grda_edu.models import digits_cnn
    from grda_edu.optim import GRDA
    from grda_edu.training.device import one_thread

    data, first = digits(), digits_cnn(0)
    copies = [first, deepcopy(first)]
    optimizers = [GRDA(model.parameters(), lr=LR, c=C, mu=MU) for model in copies]
    with one_thread():
        for step in range(STEPS):
            for rank, model in enumerate(copies):
                mine = slice(step * BATCH + rank, (step + 1) * BATCH, 2)
                model.zero_grad()
                cross_entropy(model(data.x_train[mine]), data.y_train[mine]).backward()
            for pair in zip(*(model.parameters() for model in copies), strict=True):
                mean = sum(p.grad for p in pair) / 2
                for p in pair:
                    p.grad = mean.clone()
            for optimizer in optimizers:
                optimizer.step()
    weights = [[p.detach() for p in model.parameters()] for model in copies]
    pairs = list(zip(*weights, strict=True))
    zeros = [sum(int((pair[k] == 0).sum()) for pair in pairs) for k in range(2)]
    return zeros[0], zeros[1], max(float((a - b).abs().max()) for a, b in pairs)
