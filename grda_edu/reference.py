"""gRDA as it is written in the paper: float64 numpy, one parameter, nothing clever.

For people to read, beside lesson 02 and beside ``grda_edu.optim``, whose tests compare every number
with these. Nothing in the package imports it: what is checked with it must not be made of it.

Source: Chao, Wang, Xing, Cheng 2020 (arXiv:2006.09358); for momentum and nu item 2 of the authors'
response to the reviewers.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def grda(
    w: Any,
    gradients: Sequence[Any],
    lrs: Sequence[float],
    c: float,
    mu: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    nu: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
    """Run gRDA on the gradients that are handed in, one a step.

    Args:
        w: the initial weights, of any shape.
        gradients: one of that shape for each step; None is a step not made.
        lrs: the learning rate γ of each step. A step at 0 is none: neither clock nor buffer move.
        c: strength of the penalty; 0 is SGD.
        mu: exponent μ of the threshold's growth.
        momentum: share of the buffer b that stays when a gradient joins it.
        dampening: share of that gradient that does not join.
        nesterov: whether the step looks ahead by one more share of the buffer.
        nu: share ν of the buffer in the step, beside 1 - ν of the gradient.
        weight_decay: multiple of the weights that is added to the gradient.
        maximize: whether to climb.

    Yields:
        The weights, the accumulator v and the threshold g after each step.

    Examples:
        A weight that the loss does not push dies when the threshold reaches it:

        >>> for w, v, g in grda(0.25, [0.0] * 4, [1.0] * 4, c=0.1, mu=1.0):
        ...     print(f"g = {g:.2f}, w = {w:.2f}")
        g = 0.10, w = 0.15
        g = 0.20, w = 0.05
        g = 0.30, w = 0.00
        g = 0.40, w = 0.00
    """
    w = np.asarray(w, dtype=np.float64)
    v = w.copy()
    b = None
    threshold = 0.0
    n = 0
    for gradient, lr in zip(gradients, lrs, strict=True):
        if gradient is not None and lr > 0.0:
            n = n + 1
            sign = -1.0 if maximize else 1.0
            G = sign * np.asarray(gradient, dtype=np.float64) + weight_decay * w
            b = G if b is None else momentum * b + (1.0 - dampening) * G
            if momentum == 0.0:
                direction = G
            elif nesterov:
                direction = G + momentum * b
            else:
                direction = (1.0 - nu) * G + nu * b
            v = v - lr * direction
            threshold = threshold + c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)
            w = np.sign(v) * np.maximum(np.abs(v) - threshold, 0.0)
        yield w, v, threshold
