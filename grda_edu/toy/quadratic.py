"""One weight on a parabola, L(w) = ½a(w - w*)², under five methods, with closed forms beside them.

    G_n = a (w_{n-1} - w*) + noise_n                  the gradient at step n = 1, 2, …; time t = nγ
    SGD            w_n = w_{n-1} - γ G_n
    ℓ1 subgradient w_n = w_{n-1} - γ (G_n + λ sign(w_{n-1}))
    proximal SGD   w_n = S_{γλ}(w_{n-1} - γ G_n)
    RDA            v_n = v_{n-1} - γ G_n,   w_n = S_{λγn}(v_n)                 Xiao 2010
    gRDA           v_n = v_{n-1} - γ G_n,   w_n = S_{cγ^½(nγ)^μ}(v_n)          Chao, Cheng 2019

Every argument may be an array: they broadcast, and one call simulates a whole grid of them.
Xiao's RDA is the one with the constant step size γ; its accumulator starts at w_0, as gRDA's does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grda_edu import checks
from grda_edu.shrinkage import tuning_function

SGD, SUBGRADIENT, PROXIMAL, RDA, GRDA = "SGD", "ℓ1 subgradient", "proximal SGD", "RDA", "gRDA"
METHODS = (SGD, SUBGRADIENT, PROXIMAL, RDA, GRDA)

Numbers = float | np.ndarray


@dataclass(frozen=True)
class Path:
    """What a simulation leaves behind, at the steps that were kept.

    In the methods without an accumulator ``v`` is the weight before it is thresholded.
    """

    t: np.ndarray  # [K], time nγ; [K, ...] where γ is an array
    v: np.ndarray  # [K, ...], the accumulator
    g: np.ndarray  # [K, ...], the threshold of that step, 0 at step 0
    w: np.ndarray  # [K, ...], the weight


def simulate(
    method: str,
    *,
    a: Numbers,
    w_star: Numbers,
    w0: Numbers,
    lr: Numbers,
    steps: int,
    c: Numbers = 0.0,
    mu: Numbers = 0.6,
    lam: Numbers = 0.0,
    noise: Numbers = 0.0,
    keep: Sequence[int] | np.ndarray | None = None,
) -> Path:
    """``steps`` steps of ``method`` on L(w) = ½a(w - w*)².

    Args:
        method: one of ``METHODS``.
        a: curvature, 0 ≤ a < 2/γ (beyond that the steps overshoot more each time).
        w_star: the optimum w*.
        w0: the initial weight.
        lr: learning rate γ > 0.
        steps: how many, ≥ 1.
        c: strength of gRDA's threshold c·γ^½·(nγ)^μ. ``c = 0`` is SGD.
        mu: its exponent μ.
        lam: λ ≥ 0, strength of the penalty λ|w| of the three ℓ1 methods.
        noise: added to the gradients: 0, or an array [steps, ...], one row a step.
        keep: increasing step numbers from 0 to ``steps`` whose state is returned, all by default.

    Returns:
        The path, [K, ...] with K kept steps and the broadcast shape of the arguments.

    Raises:
        ValueError: names the argument, its value and what is accepted.

    Examples:
        A flat weight under gRDA, until the threshold c·n reaches it (γ = 1, μ = 1):

        >>> path = simulate(GRDA, a=0, w_star=0, w0=0.5, lr=1, steps=3, c=0.25, mu=1)
        >>> path.w.tolist()
        [0.5, 0.25, 0.0, 0.0]
    """
    _check(method, steps, a=a, lr=lr, lam=lam, w_star=w_star, w0=w0, noise=noise)
    kept = np.arange(steps + 1)
    if keep is not None:
        kept = np.array(checks.increasing("keep", keep, 0, steps))
    noise = np.broadcast_to(0.0, steps) if np.ndim(noise) == 0 else np.asarray(noise)
    if noise.shape[0] != steps:
        raise ValueError(
            f"noise has {noise.shape[0]} rows: accepted are {steps}, one for each step"
        )
    sizes = (a, w_star, w0, lr, c, mu, lam, noise[0])
    shape = np.broadcast_shapes(*map(np.shape, sizes))
    penalty = lam if method == SUBGRADIENT else 0.0
    dual = method in (RDA, GRDA)

    w = v = np.broadcast_to(np.asarray(w0, dtype=float), shape)
    g: Any = 0.0
    rows: list[tuple[Any, ...]] = [(v, np.zeros(shape), w)] if kept[0] == 0 else []
    wanted = set(kept.tolist())
    for n in range(1, steps + 1):
        gradient = a * (w - w_star) + noise[n - 1]
        if method == SUBGRADIENT:
            gradient = gradient + penalty * np.sign(w)
        v = (v if dual else w) - lr * gradient
        if method in (SGD, SUBGRADIENT):
            w = v
        else:
            g = _threshold(method, n, lr, c, mu, lam)
            w = v - np.minimum(np.maximum(v, -g), g)  # S_g(v)
        if n in wanted:
            rows.append((v, np.broadcast_to(g, shape), w))
    v, g, w = (np.stack(column) for column in zip(*rows, strict=True))
    return Path(np.multiply.outer(kept, lr), v, g, w)


def _threshold(method: str, n: int, lr: Numbers, c: Numbers, mu: Numbers, lam: Numbers) -> Any:
    """What stands still after step n: one step's share, or in RDA and gRDA all steps' together."""
    if method == PROXIMAL:
        return lr * lam
    return n * lr * lam if method == RDA else tuning_function(n, lr, c, mu)


def _check(method: str, steps: int, **numbers: Numbers) -> None:
    checks.one_of("method", method, METHODS)
    checks.whole("steps", steps, 1)
    accepted: dict[str, checks.Range] = {"a": ">= 0", "lr": "> 0", "lam": ">= 0"}
    for name, value in numbers.items():
        checks.numbers(name, np.asarray(value, dtype=float), accepted.get(name, ""))
    a, lr = numbers["a"], numbers["lr"]
    if not (np.multiply(a, lr) < 2).all():
        raise ValueError(f"a = {a} with lr = {lr}: accepted is a < 2/lr, beyond it the steps grow")


def deaths(w: np.ndarray) -> np.ndarray:
    """Where a weight becomes exactly zero: bool [K, ...] for weights [K, ...] over K steps."""
    return _changes(w, w == 0)


def revivals(w: np.ndarray) -> np.ndarray:
    """Where a weight leaves zero again: bool [K, ...] for weights [K, ...] over K steps."""
    return _changes(w, w != 0)


def _changes(w: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Where ``now`` has become true since the step before; never at the first."""
    changed = np.zeros(w.shape, dtype=bool)
    changed[1:] = now[1:] & ~now[:-1]
    return changed


# ------------------------------------------------- closed forms


def death_time(w0: Numbers, lr: Numbers, c: Numbers, mu: Numbers) -> Any:
    """t* = (|w_0|/(c√γ))^{1/μ}: when gRDA's threshold reaches a flat (a = 0) weight. ∞ at c = 0.

    >>> float(death_time(w0=0.5, lr=1.0, c=0.25, mu=1.0))
    2.0
    """
    with np.errstate(divide="ignore"):
        return (np.abs(w0) / (np.asarray(c) * np.sqrt(lr))) ** (1 / np.asarray(mu))


def grda_bias(t: Numbers, a: Numbers, lr: Numbers, c: Numbers, mu: Numbers) -> Any:
    """c μ √γ t^{μ-1} / a: how far gRDA keeps a sharp weight from its optimum at a large time t.

    The accumulator has to climb as fast as the threshold, a·bias = dg/dt.
    """
    return np.asarray(c) * mu * np.sqrt(lr) * np.asarray(t, dtype=float) ** (mu - 1) / a


def l1_bias(a: Numbers, lam: Numbers, w_star: Numbers) -> Any:
    """min(λ/a, |w*|): how far λ|w| keeps the minimum of L(w) + λ|w| from w*, for ever.

    Proximal SGD and RDA end there; where a|w*| ≤ λ they end at zero.
    """
    return np.minimum(np.asarray(lam) / a, np.abs(w_star))


def alive_share(t: Numbers, sigma: Numbers, lr: Numbers, c: Numbers, mu: Numbers) -> Any:
    """Expected share of alive ones among flat weights that start at 0 and feel only noise.

    Their accumulators are normal with deviation σ√γ√t, and a weight is alive outside ±c√γ t^μ:
    P(|N| > (c/σ) t^{μ-½}). The exponent μ - ½ decides: the share falls to 0 for μ > ½, stays
    for μ = ½ and rises to 1 for μ < ½.
    """
    reach = np.asarray(c) / sigma * np.asarray(t, dtype=float) ** (np.asarray(mu) - 0.5)
    return np.vectorize(math.erfc)(reach / math.sqrt(2))


def random_walks(
    steps: Sequence[int] | np.ndarray, sigma: float, lr: float, count: int, seed: int
) -> np.ndarray:
    """Accumulators of ``count`` flat weights that start at 0, after each of ``steps``: [K, count].

    Their gradients are noise alone, independent and normal with deviation σ. Between two kept
    steps m of them are added, which gives one normal number with deviation σ√m: nothing is
    approximated by drawing that number.
    """
    gaps = np.diff(checks.increasing("steps", steps, 1), prepend=0)
    draws = np.random.default_rng(seed).standard_normal((gaps.size, count))
    return -lr * sigma * np.cumsum(np.sqrt(gaps)[:, None] * draws, axis=0)
