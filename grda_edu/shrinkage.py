"""The two formulas everything rests on: soft-thresholding and the tuning function.

Plain arithmetic on whatever holds the numbers: floats, numpy arrays or torch tensors.
Nothing here imports torch.
"""

from dataclasses import dataclass
from typing import Any

from grda_edu.checks import number, numbers


def soft_threshold(x: Any, tau: Any) -> Any:
    """Move every entry of ``x`` towards zero by ``tau``; what would cross zero becomes zero.

        S_τ(x) = sign(x)·max(|x| - τ, 0) = x - clip(x, -τ, τ) = argmin_w ½(w - x)² + τ|w|

    Args:
        x: float, numpy array or torch tensor of any shape, in the units of the weights.
        tau: the threshold, ≥ 0, in the units of ``x``: a number, or an array that broadcasts
            against the array ``x``.

    Returns:
        The same kind and shape as ``x``. NaN stays NaN.

    Raises:
        ValueError: if ``tau`` is negative or NaN.

    Source: the update rule of gRDA, Chao et al. 2020 (arXiv:2006.09358).
    """
    numbers("tau", tau, ">= 0", finite=False)
    if hasattr(x, "clip"):
        return x - x.clip(-tau, tau)
    return x - max(min(x, tau), -tau)


def hard_threshold(x: Any, tau: Any) -> Any:
    """Keep the entries of ``x`` with |x| > ``tau`` as they are; set the others to zero.

        H_τ(x) = x if |x| > τ, else 0

    The discontinuous relative of ``soft_threshold``: what magnitude pruning does.
    Arguments, result and errors are those of ``soft_threshold``.
    """
    numbers("tau", tau, ">= 0", finite=False)
    return x * (abs(x) > tau) + 0.0  # the 0.0 turns -0.0 into 0.0


def tuning_function(n: Any, lr: Any, c: Any, mu: Any) -> Any:
    """The threshold of gRDA after ``n`` steps of one learning rate.

        g(n, γ) = c·γ^½·(nγ)^μ = c·γ^(½+μ)·n^μ

    Args:
        n: number of steps, ≥ 0.
        lr: learning rate γ ≥ 0.
        c: strength of the penalty, ≥ 0. ``c = 0`` is SGD.
        mu: exponent μ > 0 of the growth in time; the theory asks for ½ < μ < 1.
            Each of the four is a number or an array; arrays broadcast against each other.

    Returns:
        The threshold, in the units of the weights.

    Raises:
        ValueError: if an argument is NaN or outside its range.

    Source: Chao et al. 2020 (arXiv:2006.09358); item 7 of the authors' response.
    """
    numbers("n", n, ">= 0", finite=False)
    _require_hyperparameters(lr, c, mu)
    return c * lr ** (0.5 + mu) * n**mu


def tuning_increment(n: Any, lr: Any, c: Any, mu: Any) -> Any:
    """What step ``n`` (1, 2, …) adds to the threshold, at the learning rate of that step.

        g(n, γ) - g(n-1, γ) = c·γ^(½+μ)·(n^μ - (n-1)^μ)

    Under a learning-rate schedule the threshold is the SUM of these increments. Recomputing
    ``tuning_function(n, lr_now)`` instead would let a drop of the learning rate collapse it.
    Arguments and errors are those of ``tuning_function``, with ``n`` ≥ 1.
    """
    numbers("n", n, ">= 1", finite=False)
    _require_hyperparameters(lr, c, mu)
    return c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)


@dataclass(frozen=True)
class PowerTuning:
    """c·γ^½·t^μ as a function of its own, for ``GRDA(…, tuning=PowerTuning(c, mu))``.

    ``momentum``: with Polyak's momentum β each gradient moves the accumulator by γ/(1-β) in all, so
    this is the formula at that effective step, t = nγ/(1-β). With 0 it is ``tuning_function``.

        g(n, γ) = c·(γ/(1-β))^(½+μ)·n^μ

    Raises:
        ValueError: if an argument is NaN or outside its range.

    Source: item 2 of the authors' response leaves open which g suits momentum; the effective step
    is a proposal of this course.
    """

    c: float
    mu: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        _require_hyperparameters(0.0, self.c, self.mu)
        number("momentum", self.momentum, "[0, 1)")

    def __call__(self, n: Any, lr: Any) -> Any:
        """The threshold after ``n`` steps of one learning rate."""
        return tuning_function(n, lr / (1 - self.momentum), self.c, self.mu)


def _require_hyperparameters(lr: Any, c: Any, mu: Any) -> None:
    numbers("lr", lr, ">= 0", finite=False)
    numbers("c", c, ">= 0", finite=False)
    numbers("mu", mu, "> 0", finite=False)
