"""An overparameterised sparse regression: two hundred weights, eighty observations, ten weights true.

    y = X w* + noise,   L(w) = ‖Xw - y‖² / (2·observations)

There are more weights than observations, so the loss is flat in many directions, as in a network; and
the answer is known, so false weights can be counted. gRDA runs for a whole grid of c and μ at once,
all on the same batches. numpy only; scikit-learn is imported by ``lasso`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grda_edu import checks
from grda_edu.shrinkage import soft_threshold, tuning_function


@dataclass(frozen=True)
class Regression:
    """Observations and the weights that made them. N observations, P weights."""

    x: np.ndarray  # [N, P], independent standard normal
    y: np.ndarray  # [N]
    truth: np.ndarray  # [P], few are not zero
    start: np.ndarray  # [P], where training begins
    noise: float  # standard deviation of what was added to y

    def gradient(self, w: np.ndarray, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """∇L of the observations ``rows`` at weights [..., P]: [..., P]."""
        x, y = self.x[rows], self.y[rows]
        return (w @ x.T - y) @ x / len(y)


def sparse_regression(
    seed: int = 0,
    *,
    observations: int = 80,
    weights: int = 200,
    true: int = 10,
    noise: float = 0.5,
) -> Regression:
    """A random problem. True weights have sizes 0.5 to 1.5 and random signs, the start 0.1·normal.

    Args:
        seed: of all that is random.
        observations: how many.
        weights: how many, true or not.
        true: how many of them are not zero.
        noise: standard deviation of what is added to the observations, ≥ 0.

    Returns:
        The problem.

    Raises:
        ValueError: if a number is not positive, ``true`` exceeds ``weights``, or the noise is
            negative or not finite.
    """
    for name, value in (("observations", observations), ("weights", weights), ("true", true)):
        checks.whole(name, value, 1)
    checks.whole("true", true, 1, weights, why="the number of weights")
    checks.number("noise", noise, ">= 0")
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((observations, weights))
    truth = np.zeros(weights)
    where = rng.choice(weights, true, replace=False)
    truth[where] = rng.choice([-1, 1], true) * rng.uniform(0.5, 1.5, true)
    y = x @ truth + noise * rng.standard_normal(observations)
    return Regression(x, y, truth, 0.1 * rng.standard_normal(weights), noise)


def grda(
    problem: Regression,
    c: Sequence[float] | np.ndarray,
    mu: Sequence[float] | np.ndarray,
    *,
    lr: float,
    record: Sequence[int],
    batch: int = 10,
    seed: int = 0,
) -> np.ndarray:
    """gRDA for every pair of ``c`` and ``mu``, from the same start on the same batches.

    Args:
        problem: what is learned.
        c: C different values ≥ 0; 0 is SGD.
        mu: M different values > 0.
        lr: learning rate γ > 0, the same at every step.
        record: R increasing step numbers ≥ 0 at which the weights are kept; training ends at the last.
        batch: observations in a step's gradient; it divides their number.
        seed: of the order of the observations, which is drawn anew for every pass through them.

    Returns:
        The weights, float [R, C, M, P].

    Raises:
        ValueError: naming the argument, for a grid that is empty, out of range, or holds a NaN or a
            duplicate; for an ``lr`` at which the weights grow without bound.

    Source: Chao et al. 2020 (arXiv:2006.09358).
    """
    c, mu = _axis("c", c, ">= 0"), _axis("mu", mu, "> 0")
    checks.number("lr", lr, "> 0")
    record = checks.increasing("record", record)
    batches = _batches(problem, batch, seed)
    strength, power = (grid.reshape(-1, 1) for grid in np.meshgrid(c, mu, indexing="ij"))
    v = np.tile(problem.start, (strength.size, 1))
    w, kept = v, np.empty((len(record), *v.shape))
    if record[0] == 0:
        kept[0] = w
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(1, record[-1] + 1):
            v = v - lr * problem.gradient(w, next(batches))
            w = soft_threshold(v, tuning_function(n, lr, strength, power))
            if n in record:
                kept[record.index(n)] = w
                _require_finite(w, lr, n)
    return kept.reshape(len(record), c.size, mu.size, -1)


def _batches(problem: Regression, batch: int, seed: int) -> Iterator[np.ndarray]:
    """Row numbers of one batch after the other, without end."""
    count = len(problem.y)
    if batch < 1 or count % batch:
        checks.refuse("batch", batch, f"a divisor of {count}, the observations")
    rng = np.random.default_rng(seed)

    def endless() -> Iterator[np.ndarray]:
        while True:
            yield from rng.permutation(count).reshape(-1, batch)

    return endless()


def _axis(name: str, values: Sequence[float] | np.ndarray, within: checks.Range) -> np.ndarray:
    """``values`` as an axis of the grid, float [K]."""
    return np.array([checks.number(name, v, within) for v in checks.distinct(name, values)])


def _require_finite(w: np.ndarray, lr: float, n: int) -> None:
    if not np.isfinite(w).all():
        checks.refuse("lr", lr, f"a smaller one, the weights grew without bound by step {n}")


# ------------------------------------------------- how good an answer is


def alive(w: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(true, false) weights that are not zero in ``w`` [..., P], counted along the last axis."""
    kept, true = w != 0, truth != 0
    return (kept & true).sum(axis=-1), (kept & ~true).sum(axis=-1)


def distance(w: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The estimation error ‖w - w*‖ / ‖w*‖ along the last axis; 1 for w = 0."""
    return np.linalg.norm(w - truth, axis=-1) / np.linalg.norm(truth)


def training_error(problem: Regression, w: np.ndarray) -> np.ndarray:
    """Root mean square of Xw - y on the observations of the training, weights [..., P]."""
    return np.sqrt(np.mean((w @ problem.x.T - problem.y) ** 2, axis=-1))


def prediction_error(problem: Regression, w: np.ndarray) -> np.ndarray:
    """The same on new observations, in expectation: √(‖w - w*‖² + noise²).

    Exact, because the entries of a new row of X are independent with mean 0 and variance 1.
    """
    return np.sqrt(((w - problem.truth) ** 2).sum(axis=-1) + problem.noise**2)


# ------------------------------------------------- the known reference


def lasso(problem: Regression, count: int = 200, smallest: float = 1e-3) -> np.ndarray:
    """Lasso's weights, argmin L(w) + λ‖w‖₁, from scikit-learn: float [count, P].

    λ falls geometrically from the least at which all weights are zero to ``smallest`` times that.
    """
    from sklearn.linear_model import lasso_path

    lambdas = largest_lambda(problem) * np.geomspace(1, smallest, count)
    _, weights, _ = lasso_path(problem.x, problem.y, alphas=lambdas, tol=1e-6, max_iter=20_000)
    return weights.T


def largest_lambda(problem: Regression) -> float:
    """The least λ at which Lasso's weights are all zero: the largest |∇L| at w = 0."""
    return float(np.abs(problem.gradient(np.zeros(problem.truth.size))).max())


def refit(problem: Regression, w: np.ndarray) -> np.ndarray:
    """Least squares on the weights that ``w`` [P] left alive, the others zero: [P]."""
    kept = w != 0
    fitted = np.zeros(w.size)
    fitted[kept] = np.linalg.lstsq(problem.x[:, kept], problem.y, rcond=None)[0]
    return fitted
