"""What lesson 02's figures and questions compute: one weight on a parabola, many times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from grda_edu.shrinkage import tuning_function
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA, Numbers

# ------------------------------------------------- two spaces

A = (0.0, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1.0)
C = tuple(np.linspace(0, 0.3, 13).round(3).tolist())
END = 60.0  # time at the right edge
GOAL_TIME = 30.0  # before it a flat weight shall be zero


@dataclass(frozen=True)
class Situation:
    """A preset: a problem, and where it puts the sliders ``a`` and ``c``."""

    w0: float
    w_star: float
    at: tuple[float, float]  # a, c
    mu: float = 0.6
    lr: float = 0.1
    sigma: float = 0.0
    seed: int = 0

    def noise(self) -> np.ndarray | float:
        """The gradients' noise, the same for every curvature and c: [steps, 1, 1], or 0."""
        if not self.sigma:
            return 0.0
        draws = np.random.default_rng(self.seed).standard_normal((round(END / self.lr), 1, 1))
        return self.sigma * draws


FLAT = Situation(0.5, 0.5, at=(0.0, 0.2))
SHARP = Situation(0.5, 0.5, at=(1.0, 0.2))
BACK = Situation(-0.4, 1.0, at=(0.03, 0.2))
SITUATIONS = {
    "a flat weight": FLAT,
    "a sharp weight": SHARP,
    "a weight that dies and revives (w* = 1)": BACK,
    "the loss wants zero (w* = 0)": Situation(0.5, 0.0, at=(0.3, 0.2)),
    "noise in the gradients (σ = 0.25)": Situation(0.5, 0.5, at=(0.0, 0.2), sigma=0.25, seed=8),
    "a faster threshold (μ = 0.9)": Situation(0.5, 0.5, at=(0.3, 0.1), mu=0.9),
    "larger steps (γ = 0.4)": Situation(0.5, 0.5, at=(0.0, 0.2), lr=0.4),
}


def run(here: Situation, steps: int = 600) -> quadratic.Path:
    """One weight in situation ``here``, with its own curvature and c."""
    a, c = here.at
    problem = {"w_star": here.w_star, "w0": here.w0, "lr": here.lr, "mu": here.mu}
    return quadratic.simulate(GRDA, a=a, c=c, steps=steps, **problem)  # type: ignore[arg-type]


def first_death(path: quadratic.Path) -> float:
    """Time of the first death of one weight, ∞ if there is none."""
    times = path.t[quadratic.deaths(path.w)]
    return float(times[0]) if times.size else np.inf


def c_for_goal() -> float:
    """The smallest c of the slider with which the flat weight is zero before ``GOAL_TIME``."""
    in_time = [c for c in C if quadratic.death_time(FLAT.w0, FLAT.lr, c, FLAT.mu) < GOAL_TIME]
    return min(in_time)


# ------------------------------------------------- five methods

LR, W0 = 0.1, 1.0  # of the second figure; both weights start at their optimum
DEATHS = (5.0, 10.0, 20.0, 50.0, 100.0)  # when the flat weight shall die
MUS = (0.6, 0.51, 0.75, 0.9)
CURVATURES = (0.1, 0.2, 0.5, 1.0, 2.0)
LONG = 10_000  # steps, to t = 1000
_DYING = [round(death / LR) + k for death in DEATHS for k in (0, 1)]
KEPT = np.unique([*np.geomspace(1, LONG, 130).round().astype(int), *_DYING])


def strengths(death: Numbers, mu: Numbers) -> tuple[Any, Any]:
    """λ and c with which a flat weight of size ``W0`` dies at time ``death`` under every method."""
    return W0 / death, W0 / (np.sqrt(LR) * death**mu)


@cache
def compared(method: str) -> quadratic.Path:
    """Weights with curvature 0 and ``CURVATURES`` for all ``DEATHS`` and ``MUS``.

    [K, mus, 1 + curvatures, deaths]; one μ only where the method does not know it.
    """
    mu = np.array(MUS if method == GRDA else MUS[:1])[:, None, None]
    lam, c = strengths(np.array(DEATHS), mu)
    a = np.array([0.0, *CURVATURES])[:, None]
    return quadratic.simulate(
        method, a=a, w_star=W0, w0=W0, lr=LR, c=c, mu=mu, lam=lam, steps=LONG, keep=KEPT
    )


def weights(method: str, mu: float, death: float) -> np.ndarray:
    """The paths of the flat weight and of those with ``CURVATURES``: [K, 1 + curvatures]."""
    k = MUS.index(mu) if method == GRDA else 0
    return compared(method).w[:, k, :, DEATHS.index(death)]


def bias_at(method: str, t: float, a: float = 0.5, death: float = 20.0, mu: float = 0.6) -> float:
    """Bias of the sharp weight of the second figure at the kept time nearest to ``t``."""
    k = int(np.abs(KEPT * LR - t).argmin())
    return float(W0 - weights(method, mu, death)[k, 1 + CURVATURES.index(a)])


# ------------------------------------------------- noise

EXPONENTS: tuple[float, ...] = (0.3, 0.35, 0.4, 0.45, 0.5, 0.51, 0.55, 0.6, 0.65, 0.7)
EXPONENTS += (0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)
SIGMA = C_NOISE = 0.3  # with c = σ the threshold equals the noise's size at t = 1
WALKERS, SHAKEN = 4000, 300
AT = np.unique(np.geomspace(1, LONG, 25).round().astype(int))  # steps that are drawn
LOOKED_AT = np.unique(  # steps over which a bias is averaged, all up to the one that is drawn
    [*AT, *np.geomspace(1, LONG, 200).round().astype(int), *range(20, LONG, 20)]
)
SHARP_A = 1.0


@cache
def walks() -> np.ndarray:
    """Accumulators of flat weights that start at 0 and feel only noise: [steps ``AT``, WALKERS]."""
    return quadratic.random_walks(AT, SIGMA, LR, WALKERS, seed=0)


def alive_shares(mu: float) -> np.ndarray:
    """Share of the walkers outside the band at the steps ``AT``: [len(AT)]."""
    return (np.abs(walks()) > tuning_function(AT, LR, C_NOISE, mu)[:, None]).mean(axis=1)


@cache
def noisy_bias() -> np.ndarray:
    """Bias of a sharp weight under noise, mean over SHAKEN of them: [len(AT), exponents].

    Each point is also a mean over the steps since the point before, so that noise averages out.
    """
    noise = SIGMA * np.random.default_rng(1).standard_normal((LONG, 1, SHAKEN))
    path = quadratic.simulate(
        GRDA,
        a=SHARP_A,
        w_star=W0,
        w0=W0,
        lr=LR,
        c=C_NOISE,
        mu=np.array(EXPONENTS)[:, None],
        noise=noise,
        steps=LONG,
        keep=LOOKED_AT,
    )
    bias = W0 - path.w.mean(axis=2)
    starts = np.searchsorted(LOOKED_AT, [0, *AT[:-1]], side="right")
    return np.add.reduceat(bias, starts) / np.diff([*starts, len(LOOKED_AT)])[:, None]


def at_time(t: float) -> int:
    """The index in ``AT`` of the step nearest to time ``t``."""
    return int(np.abs(AT * LR - t).argmin())
