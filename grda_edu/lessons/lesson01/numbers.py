"""What lesson 01's figures and questions compute."""

from __future__ import annotations

import numpy as np

from grda_edu.shrinkage import hard_threshold, soft_threshold


def objective(w: np.ndarray, x: float, tau: float) -> np.ndarray:
    """½(w - x)² + τ|w| at every ``w``."""
    return 0.5 * (w - x) ** 2 + tau * np.abs(w)


def coefficients() -> np.ndarray:
    """Forty made-up coefficients, a few large and many small, sorted by size: float [40]."""
    rng = np.random.default_rng(7)
    values = rng.laplace(scale=0.7, size=40)
    return values[np.argsort(-np.abs(values))]


def apply_rule(x: np.ndarray, tau: float, rule: str) -> np.ndarray:
    """``x`` after soft-thresholding, hard-thresholding, or division by 1 + τ (an ℓ2 penalty).

    x / (1 + τ) is argmin_w ½(w - x)² + ½τw²: what weight decay does in one step.
    """
    if rule == "scale":
        return x / (1 + tau)
    return {"soft": soft_threshold, "hard": hard_threshold}[rule](x, tau)


def tau_for_zeros(count: int) -> float:
    """The smallest τ at which soft-thresholding makes ``count`` of the forty exactly zero."""
    return float(np.sort(np.abs(coefficients()))[count - 1])
