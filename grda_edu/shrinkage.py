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

    Examples:
        >>> import numpy as np
        >>> soft_threshold(np.array([2.0, 0.75, -0.5, -3.0]), 1.0).tolist()
        [1.0, 0.0, 0.0, -2.0]

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

    Args:
        x: as of ``soft_threshold``.
        tau: as of ``soft_threshold``.

    Returns:
        The same kind and shape as ``x``. NaN stays NaN.

    Raises:
        ValueError: if ``tau`` is negative or NaN.

    Examples:
        >>> import numpy as np
        >>> hard_threshold(np.array([2.0, 1.0, -0.5, -3.0]), 1.0).tolist()
        [2.0, 0.0, 0.0, -3.0]
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

    Examples:
        At time t = nγ = 4 with μ = ½ it is c·γ^½·2:

        >>> tuning_function(16, lr=0.25, c=0.5, mu=0.5)
        0.5

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

    Args:
        n: number of the step, ≥ 1.
        lr: as of ``tuning_function``.
        c: as of ``tuning_function``.
        mu: as of ``tuning_function``.

    Returns:
        The increment, in the units of the weights.

    Raises:
        ValueError: if an argument is NaN or outside its range.

    Examples:
        With μ = 1 every step adds the same, c·γ^(3/2):

        >>> import numpy as np
        >>> tuning_increment(np.array([1, 2, 3]), lr=0.25, c=0.5, mu=1.0).tolist()
        [0.0625, 0.0625, 0.0625]
    """
    numbers("n", n, ">= 1", finite=False)
    _require_hyperparameters(lr, c, mu)
    return c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)


@dataclass(frozen=True)
class PowerTuning:
    """c·γ^½·t^μ as a function of its own, for ``GRDA(…, tuning=PowerTuning(c, mu))``.

    With Polyak's momentum β each gradient moves the accumulator by γ/(1-β) in all, so this is the
    formula at that effective step, t = nγ/(1-β):

        g(n, γ) = c·(γ/(1-β))^(½+μ)·n^μ

    Args:
        c: strength of the penalty, ≥ 0.
        mu: exponent μ > 0 of the growth in time.
        momentum: β, from 0 to below 1. With 0 it is ``tuning_function``.

    Raises:
        ValueError: if an argument is NaN or outside its range.

    Examples:
        >>> PowerTuning(c=0.5, mu=0.5)(16, 0.25) == tuning_function(16, 0.25, 0.5, 0.5)
        True
        >>> PowerTuning(c=0.5, mu=0.5, momentum=0.75)(16, 0.25)
        2.0

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
