"""A loss with a flat floor, in two or three dimensions, and the ways that pruning takes through it.

    L(w) = ½·h·(n·(w - m))²,   |n| = 1

It rises along n alone, the one sharp direction. The floor L = 0 is a line in two dimensions and a
plane in three; its Hessian is h·nnᵀ, and P0 = I - nnᵀ projects on the flat directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grda_edu.geometry.pruning import (
    direction_scores,
    directional_pruning,
    flat_l1,
    hard_pruning,
    obs_pruning,
    soft_pruning,
)
from grda_edu.shrinkage import tuning_function

METHODS = ("directional", "floor", "soft", "magnitude", "obs")


@dataclass(frozen=True, eq=False)
class Valley:
    """The loss ½h(n·(w - m))² and a point on its floor."""

    w: np.ndarray  # [d], w_SGD, on the floor; it serves as m
    sharp: np.ndarray  # [d], n, of length 1
    curvature: float = 4.0  # h > 0

    @property
    def P0(self) -> np.ndarray:
        """Projection on the flat directions: [d, d]."""
        return np.eye(self.w.size) - np.outer(self.sharp, self.sharp)

    @property
    def H(self) -> np.ndarray:
        """The Hessian h·nnᵀ: [d, d], the same everywhere."""
        return self.curvature * np.outer(self.sharp, self.sharp)

    @property
    def scores(self) -> np.ndarray:
        """s of every weight at ``w``: [d]."""
        return direction_scores(self.w, self.P0)

    def loss(self, w: np.ndarray) -> np.ndarray:
        """L at every point: [..., d] -> [...]."""
        return 0.5 * self.curvature * ((w - self.w) @ self.sharp) ** 2


def line_valley(pivot: tuple[float, float], angle: float, place: float = 0.0) -> Valley:
    """The valley in two dimensions whose floor is a line through ``pivot``.

    Args:
        pivot: a point of the floor.
        angle: of the floor against the axis of the first weight, in degrees.
        place: how far w_SGD lies from the pivot along the floor, towards (cos angle, sin angle).

    Returns:
        The valley.
    """
    flat = direction(angle)
    return Valley(np.array(pivot) + place * flat, np.array([-flat[1], flat[0]]))


def direction(angle: float) -> np.ndarray:
    """(cos, sin) of an angle in degrees, exact on the axes: [2]."""
    turn = np.deg2rad(angle)
    return np.array([np.cos(turn), np.sin(turn)]).round(15) + 0.0


def first_zero(w: np.ndarray, s: np.ndarray) -> tuple[int, float]:
    """Which weight directional pruning brings to zero first, and at which λ; (-1, inf) if none.

    A weight with s_j > 0 reaches zero at λ = |w_j| / s_j. w, s: [d].
    """
    reaches = np.full(w.size, np.inf)
    shrinks = s > 1e-12
    reaches[shrinks] = np.abs(w[shrinks]) / s[shrinks]
    j = int(np.argmin(reaches))
    return (j, float(reaches[j])) if np.isfinite(reaches[j]) else (-1, np.inf)


def pruning_paths(valley: Valley, lams: np.ndarray, epsilon: float = 1e-3) -> dict[str, np.ndarray]:
    """Where each method puts the weights for every λ: name of ``METHODS`` -> [Λ, d].

    "directional": the closed form. "floor": ℓ1 restricted to the floor. "soft": every weight moves
    by λ. "magnitude": weights of size λ or less become zero. "obs": the optimal brain surgeon on
    H + εI removes the next weight if the increase that it reckons with, w_q²/(2[H + εI]⁻¹_qq), is
    at most ½ελ². On the floor that is a move, corrections included, no longer than about λ; with
    H = 0 it is the rule of "magnitude".
    """
    w, s = valley.w, valley.scores
    return {
        "directional": np.array([directional_pruning(w, s, lam) for lam in lams]),
        "floor": _floor_path(valley, lams),
        "soft": np.array([soft_pruning(w, lam) for lam in lams]),
        "magnitude": np.array([hard_pruning(w, lam) for lam in lams]),
        "obs": _surgeon_path(valley, lams, epsilon),
    }


def surgeon_prices(valley: Valley, epsilon: float = 1e-3) -> np.ndarray:
    """The λ at which "obs" of ``pruning_paths`` removes its first weight, its second, …: [d]."""
    increase = obs_pruning(valley.w, valley.H, valley.w.size, epsilon=epsilon).increase
    return np.sqrt(2 * np.maximum.accumulate(increase) / epsilon)


def _surgeon_path(valley: Valley, lams: np.ndarray, epsilon: float) -> np.ndarray:
    w, H = valley.w, valley.H
    stations = np.array([obs_pruning(w, H, k, epsilon=epsilon).w for k in range(w.size + 1)])
    return stations[np.searchsorted(surgeon_prices(valley, epsilon), lams, side="right")]


def _floor_path(valley: Valley, lams: np.ndarray) -> np.ndarray:
    if valley.w.size > 2:
        return np.array([flat_l1(valley.w, valley.P0, lam).w for lam in lams])
    return np.array([floor_l1(valley, lam) for lam in lams])


def floor_l1(valley: Valley, lam: float) -> np.ndarray:
    """``flat_l1`` on a line, exactly and at once: argmin over a of ½a² + λ‖w + a·u‖₁, as [2].

    The least lies in a kink, where a weight is zero, or where the derivative a + λ Σ ±u_j
    vanishes: these few candidates are compared.
    """
    w, u = valley.w, np.array([valley.sharp[1], -valley.sharp[0]])
    crossed = np.flatnonzero(u)
    along = [-w[crossed] / u[crossed], -lam * np.array([u[0] + u[1], u[0] - u[1]])]
    a = np.concatenate([*along, -along[1]])
    points = w + np.outer(a, u)
    points[np.arange(crossed.size), crossed] = 0.0
    return points[np.argmin(0.5 * a**2 + lam * np.abs(points).sum(axis=1))]


def grda_paths(
    valleys: list[Valley], starts: np.ndarray, lr: float, c: float, mu: float, keep: np.ndarray
) -> np.ndarray:
    """gRDA without noise on several valleys at once, from the same number of starts.

        v_0 = w_0,   v_n = v_{n-1} - γ∇L(w_{n-1}),   w_n = S_{g(n,γ)}(v_n)

    Args:
        valleys: V of them.
        starts: w_0 in each, [V, d].
        lr: learning rate γ.
        c: strength of the penalty; 0 is gradient descent.
        mu: exponent μ of the threshold's growth.
        keep: int [K], increasing, the numbers of the steps to keep, 0 for the start.

    Returns:
        The weights after those steps, [V, K, d].
    """
    at = np.array([valley.w for valley in valleys])
    sharp = np.array([valley.sharp for valley in valleys])
    rate = lr * np.array([valley.curvature for valley in valleys])[:, None] * sharp
    last = int(keep[-1])
    thresholds = tuning_function(np.arange(last + 1), lr, c, mu)
    wanted = set(keep.tolist())
    v = w = np.array(starts, dtype=float)
    kept = [w] if 0 in wanted else []
    for n in range(1, last + 1):
        v = v - rate * ((w - at) * sharp).sum(axis=1, keepdims=True)
        w = v - v.clip(-thresholds[n], thresholds[n])
        if n in wanted:
            kept.append(w)
    return np.stack(kept, axis=1)
