"""gRDA as it is written in the paper: float64 numpy, one parameter, nothing clever.

Everything fast is compared with this.
"""

from collections.abc import Iterator, Sequence

import numpy as np


def grda(
    w: np.ndarray,
    gradients: Sequence[np.ndarray | None],
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
    """Yield (weights, accumulator, threshold) after each step; a gradient None is a step not made."""
    w = np.asarray(w, dtype=np.float64)
    v = w.copy()
    b = None
    threshold = 0.0
    n = 0
    for gradient, lr in zip(gradients, lrs, strict=True):
        if gradient is not None:
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
