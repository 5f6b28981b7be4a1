"""What lesson 03 computes: thresholds, and gRDA on a regression over a whole grid of c and μ.

numpy only; Lasso is scikit-learn's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from grda_edu.shrinkage import tuning_function, tuning_increment
from grda_edu.toy import regression

# ------------------------------------------------- the threshold on its own

WEIGHT = 0.1  # the size of the flat weight that waits for the threshold
SETTINGS = {  # what the sliders are compared with: (c, μ, γ)
    "lesson 04's CNN": (0.02, 0.65, 0.1),
    "VGG16, published": (0.0005, 0.51, 0.1),
    "ResNet50, published": (0.005, 0.55, 0.1),
}


def spread(decade: int, count: int, within: tuple[int, ...] = (1, 2, 5)) -> list[float]:
    """1, 2, 5, 10, … from 10^decade over ``count`` decades, both ends included."""
    values = [m * 10.0**k for k in range(decade, decade + count) for m in within]
    return [float(f"{value:.0e}") for value in values] + [10.0 ** (decade + count)]


def death_step(size: float, c: float, mu: float, lr: float) -> float:
    """After how many steps (not rounded) the threshold has reached ``size``; infinite for c = 0.

    t* = (size / (c√γ))^(1/μ) is that moment in time, n* = t*/γ in steps.
    """
    return float((size / (c * lr**0.5)) ** (1 / mu) / lr) if c > 0 else np.inf


def first_step(step: float) -> int:
    """The first whole step not before ``step``, 1 at the earliest; a rounding error is no step."""
    return max(1, int(np.ceil(step * (1 - 1e-12))))


def dropped() -> dict[str, float]:
    """The threshold around a tenfold drop of the learning rate, accumulated and recomputed.

    5,005 steps an epoch; the drop comes after epoch 140, ``after`` is the end of epoch 150.
    """
    c, mu, (high, low) = 0.005, 0.51, (0.1, 0.01)
    n, last = (5005 * epochs for epochs in (140, 150))
    before = float(tuning_function(n, high, c, mu))
    later = np.arange(n + 1, last + 1)
    return {
        "before": before,
        "after": before + float(tuning_increment(later, low, c, mu).sum()),
        "recomputed": float(tuning_function(n + 1, low, c, mu)),
    }


# ------------------------------------------------- the regression, over the whole grid

LR, STEPS = 0.02, 3000
C = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0)
MU = (0.51, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
RECORD = [1, 2, 4, 8, 15, 30, 60, 100, 150, 200, 300, 400, 600, 800, 1000, 1300, 1600, 2000, 2500]
RECORD += [STEPS]
DRAWS = {"data set A": 1, "data set B": 2, "data set C": 0}  # name -> seed
FIRST = DRAWS["data set A"]


@dataclass(frozen=True)
class Result:
    """gRDA on one draw of the data over the grid of C and MU, and Lasso on the same data."""

    problem: regression.Regression
    weights: np.ndarray  # [RECORD, C, MU, P]
    lasso: np.ndarray  # [λ, P], λ falling

    @cached_property
    def alive(self) -> tuple[np.ndarray, np.ndarray]:
        """True and false weights that are not zero: two arrays [RECORD, C, MU]."""
        return regression.alive(self.weights, self.problem.truth)

    @cached_property
    def distance(self) -> np.ndarray:
        """The estimation error, [RECORD, C, MU]."""
        return regression.distance(self.weights, self.problem.truth)

    @property
    def true(self) -> int:
        """How many weights are true."""
        return int((self.problem.truth != 0).sum())

    def fewest_false(self) -> tuple[int, int]:
        """Cell [i, j] with all true weights, the fewest false ones and then the least error."""
        found, false = (counts[-1] for counts in self.alive)
        score = np.where(found == self.true, false, np.inf) + 0.1 * self.distance[-1]
        return _cell(score)

    def closest(self) -> tuple[int, int]:
        """Cell [i, j] of the least estimation error."""
        return _cell(self.distance[-1])

    def lasso_fewest_false(self) -> int:
        """The same choice on Lasso's path: index of its λ."""
        found, false = regression.alive(self.lasso, self.problem.truth)
        score = np.where(found == self.true, false, np.inf)
        return int((score + 0.1 * regression.distance(self.lasso, self.problem.truth)).argmin())

    def lasso_closest(self) -> int:
        return int(regression.distance(self.lasso, self.problem.truth).argmin())


def _cell(score: np.ndarray) -> tuple[int, int]:
    i, j = np.unravel_index(score.argmin(), score.shape)
    return int(i), int(j)


@cache
def result(draw: int) -> Result:
    """All trainings on one draw of the data (half a second), and Lasso's path."""
    problem = regression.sparse_regression(draw)
    weights = regression.grda(problem, C, MU, lr=LR, record=RECORD, seed=draw)
    return Result(problem, weights, regression.lasso(problem))


def best_of(draw: int) -> dict[str, tuple[tuple[int, float], tuple[int, float]]]:
    """Method -> (false, error) where it has the fewest false weights, and where its error is least.

    The true weights are known here, so each is chosen with hindsight, for both methods alike. The
    refitted rows keep the chosen weights' zeros and fit the others anew by least squares.
    """
    r = result(draw)
    ours = [r.weights[-1, i, j] for i, j in (r.fewest_false(), r.closest())]
    theirs = [r.lasso[k] for k in (r.lasso_fewest_false(), r.lasso_closest())]
    rows = {}
    for who, chosen in (("gRDA", ours), ("Lasso", theirs)):
        rows[who] = chosen
        rows[f"{who}, refitted"] = [regression.refit(r.problem, w) for w in chosen]
    return {who: (_score(r, first), _score(r, second)) for who, (first, second) in rows.items()}


def _score(r: Result, w: np.ndarray) -> tuple[int, float]:
    truth = r.problem.truth
    return int(regression.alive(w, truth)[1]), float(regression.distance(w, truth))


# ------------------------------------------------- asleep: what becomes of too large a c

SLEEPER = (50.0, 0.51)
ASLEEP = 600  # the step at which all weights are zero with the c and μ of SLEEPER


def wake_step(c: float = SLEEPER[0], mu: float = SLEEPER[1], draw: int = FIRST) -> float:
    """When the strongest pull overtakes the threshold: t·G = c√γ t^μ, so t = (c√γ/G)^(1/(1-μ)).

    G is the largest |∇L| at w = 0: as long as all weights are zero, that weight's accumulator moves
    by γG a step, up to the noise of the batches and its small start.
    """
    pull = regression.largest_lambda(result(draw).problem)
    return float((c * LR**0.5 / pull) ** (1 / (1 - mu)) / LR)


def sleeping() -> dict[int, tuple[int, int]]:
    """Step -> true and false weights alive with the c and μ of SLEEPER, at each recorded step."""
    i, j = C.index(SLEEPER[0]), MU.index(SLEEPER[1])
    true, false = (counts[:, i, j].tolist() for counts in result(FIRST).alive)
    return dict(zip(RECORD, zip(true, false, strict=True), strict=True))
