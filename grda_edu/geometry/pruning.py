"""Weights in, pruned weights out: directional pruning and what it is compared with.

Every function takes weights of four kinds and gives back the same kind, the input untouched: a
numpy array (float64 comes back), a torch tensor (its dtype and device come back), a mapping from
names to either (such as ``dict(model.named_parameters())``), or a torch module (a pruned copy of it
comes back). A mapping or a module is read as one vector [p], all its entries in its own order. The
arithmetic is float64 numpy throughout; torch is imported only if the weights are torch's.

``H`` is a Hessian [p, p] at the weights. ``P0`` is the orthogonal projection on the flat space, the
eigenspace of the (near-)zero eigenvalues of H: a matrix [p, p], or an orthonormal basis of that space,
[p, k] with k < p.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grda_edu import checks
from grda_edu.geometry import Floats
from grda_edu.shrinkage import hard_threshold, soft_threshold, tuning_function

PROJECTION_TOLERANCE = 1e-5  # how far an entry of P0P0 - P0 or P0ᵀ - P0 may be from zero


# ------------------------------------------------- by size alone


def soft_pruning(weights: Any, tau: float) -> Any:
    """S_τ on every weight: those within ``tau`` of zero become zero, the others move by ``tau``.

    Args:
        weights: of any kind.
        tau: the threshold, ≥ 0, in units of the weights.

    Returns:
        The same kind as ``weights``.

    Raises:
        ValueError: if ``tau`` is negative or not finite, or a weight is not finite.
    """
    vector, rebuild = read(weights)
    return rebuild(soft_threshold(vector, checks.number("tau", tau, ">= 0")) + 0.0)


def hard_pruning(weights: Any, tau: float) -> Any:
    """Weights of size ``tau`` or less become zero, the others stay.

    Args:
        weights: of any kind.
        tau: as of ``soft_pruning``.

    Returns:
        The same kind as ``weights``.

    Raises:
        ValueError: as of ``soft_pruning``.
    """
    vector, rebuild = read(weights)
    return rebuild(hard_threshold(vector, checks.number("tau", tau, ">= 0")))


def magnitude_pruning(weights: Any, fraction: float, *, by_layer: bool = False) -> Any:
    """Set the smallest ``fraction`` of the weights to zero and leave the others as they are.

    Args:
        weights: of any kind.
        fraction: 0 to 1; of p weights round(fraction·p) become zero, among equals the first ones.
        by_layer: take this fraction of every tensor by itself, instead of all together.

    Returns:
        The same kind as ``weights``.

    Raises:
        ValueError: for a fraction outside [0, 1], weights that are not finite, and ``by_layer``
            with a single array.

    Examples:
        >>> magnitude_pruning(np.array([3.0, -1.0, 0.5, -2.0]), 0.5).tolist()
        [3.0, 0.0, 0.0, -2.0]
    """
    checks.number("fraction", fraction, "[0, 1]")
    vector, rebuild = read(weights)
    sizes = [vector.size]
    if by_layer:
        tensors = _tensors(weights)
        if tensors is None:
            raise ValueError(
                f"by_layer = True with weights of type {type(weights).__name__}: accepted is a "
                "module or a mapping from names to tensors"
            )
        sizes = [_array("weights", tensor).size for tensor in tensors.values()]
    out = vector.copy()
    for layer in np.split(out, np.cumsum(sizes)[:-1]):  # views: writing to them writes to out
        layer[np.argsort(np.abs(layer), kind="stable")[: round(fraction * layer.size)]] = 0.0
    return rebuild(out)


def threshold_for(weights: Any, zeros: int) -> float:
    """The smallest τ at which ``soft_pruning`` and ``hard_pruning`` leave so many zeros.

    Args:
        weights: of any kind, [p] in all.
        zeros: how many, from 0 to p; equal sizes die together, so that there may be more.

    Returns:
        τ, in units of the weights.

    Raises:
        ValueError: for any other number of zeros.

    Examples:
        >>> threshold_for(np.array([3.0, -1.0, 0.5, -2.0]), 2)
        1.0
    """
    vector, _ = read(weights)
    checks.whole("zeros", zeros, 0, vector.size)
    return float(np.sort(np.abs(vector))[zeros - 1]) if zeros else 0.0


def alive(weights: Any) -> Any:
    """True where a weight is not zero: the mask, of the same kind (for a module a dict, by name)."""
    tensors = _tensors(weights)
    if tensors is not None:
        return {name: alive(tensor) for name, tensor in tensors.items()}
    if _is_tensor(weights):
        return weights.detach().to_dense() != 0  # a mask is dense in every layout
    return np.asarray(weights) != 0


# ------------------------------------------------- by direction


def direction_scores(w: Any, P0: Any) -> Floats:
    """What the flat space says about each weight: whether it shrinks (+) or grows (-), how fast.

        s_j = sign(w_j)·(P0 sign(w))_j,   sign(0) = 0

    Their sum is ‖P0 sign(w)‖² ≥ 0.

    Args:
        w: weights of any kind, [p] in all.
        P0: [p, p] or [p, k].

    Returns:
        s, float64 [p].

    Raises:
        ValueError: if P0 is not a projection of this size, or a number is not finite.

    Examples:
        The floor of this valley is the line through (0.8, -0.6): along it one weight shrinks while
        the other grows.

        >>> basis = np.array([[0.8], [-0.6]])
        >>> direction_scores(np.array([1.0, 2.0]), basis).round(12).tolist()
        [0.16, -0.12]

    Source: Chao et al. 2020 (arXiv:2006.09358), definition of directional pruning.
    """
    vector, _ = read(w)
    sign = np.sign(vector)
    return sign * _Projection(P0, vector.size)(sign) + 0.0


def directional_pruning(w: Any, s: Any, lam: float) -> Any:
    """Directional pruning in closed form: each weight moves by λs_j towards zero and stops there.

        w_DP = argmin_u ½‖u - w‖² + λ Σ_j s_j |u_j| = sign(w_j)·max(|w_j| - λ s_j, 0)

    Where s_j < 0 the weight grows. This is the global minimum for every λ ≥ 0 and all scores of
    ``direction_scores``, although s_j < 0 makes the objective non-convex. (A weight that is zero
    stays zero: its score is 0.)

    Args:
        w: weights of any kind, [p] in all, on the floor of the valley.
        s: their scores, [p].
        lam: λ ≥ 0, in units of w.

    Returns:
        The same kind as w.

    Raises:
        ValueError: for λ < 0, lengths that differ, and numbers that are not finite.

    Examples:
        >>> w, s = np.array([1.0, -2.0, 0.25]), np.array([0.5, -0.5, 1.0])
        >>> directional_pruning(w, s, lam=0.5).tolist()
        [0.75, -2.25, 0.0]

    Source: Chao et al. 2020 (arXiv:2006.09358).
    """
    vector, rebuild = read(w)
    scores = _vector("s", s, vector.size)
    return rebuild(
        np.sign(vector)
        * np.maximum(np.abs(vector) - checks.number("lam", lam, ">= 0") * scores, 0.0)
        + 0.0
    )


def dies_at(w: Any, s: Any) -> Floats:
    """The λ at which ``directional_pruning`` makes each weight zero: |w_j|/s_j, never where s_j ≤ 0.

    Args:
        w: weights of any kind, [p] in all.
        s: their scores, [p].

    Returns:
        λ of each, float64 [p]: 0 for a weight that is zero already, infinity for never.

    Raises:
        ValueError: for lengths that differ and numbers that are not finite.

    Examples:
        >>> dies_at(np.array([1.0, -2.0, 0.0]), np.array([0.5, -0.5, 0.0])).tolist()
        [2.0, inf, 0.0]
    """
    vector, _ = read(w)
    scores = _vector("s", s, vector.size)
    dies = scores > 0
    lams = np.where(vector == 0, 0.0, np.inf)
    lams[dies] = np.abs(vector[dies]) / scores[dies]
    return lams


@dataclass(frozen=True, eq=False)
class FlatL1:
    """The solution of ``flat_l1`` and how good it is."""

    w: Any  # the same kind as the weights that were given
    residual: float  # of the KKT conditions, in units of the weights
    iterations: int
    converged: bool  # residual ≤ tolerance·(‖w‖ + λ√p)


def flat_l1(
    w: Any, P0: Any, lam: float, *, tolerance: float = 1e-9, max_iterations: int = 20_000
) -> FlatL1:
    """ℓ1 weight decay restricted to the flat space: the least cost on the floor through ``w``.

        w_flat(λ) = argmin_u ½‖u - w‖² + λ‖u‖₁   over   u - w in range(P0)

    The closed form of ``directional_pruning`` is its first order in λ, exact until the first weight
    reaches zero. Solved by Douglas-Rachford splitting: soft-thresholding in turn with projection.

    The residual is the norm of  P0(u - w + λq) + (I - P0)(u - w),  with q the subgradient of ‖u‖₁
    that the last soft-thresholding left behind. It is zero at the solution, and only there.

    Args:
        w: weights of any kind, [p] in all.
        P0: [p, p] or [p, k].
        lam: λ ≥ 0, in units of w.
        tolerance: of the residual, relative to ‖w‖ + λ√p.
        max_iterations: where it gives up, ≥ 1.

    Returns:
        The solution, and how good it is.

    Raises:
        ValueError: for λ < 0, fewer than one iteration, a P0 that is not a projection, and numbers
            that are not finite.

    Examples:
        Where everything is flat it is soft-thresholding:

        >>> flat_l1(np.array([2.0, -0.25]), np.eye(2), lam=0.5).w.round(6).tolist()
        [1.5, 0.0]

    Source: after remark 1.2 of Chao et al. 2020 (arXiv:2006.09358); Douglas-Rachford splitting as
    in Lions and Mercier 1979.
    """
    start, rebuild = read(w)
    project = _Projection(P0, start.size)
    lam = checks.number("lam", lam, ">= 0")
    checks.whole("max_iterations", max_iterations, 1)
    enough = tolerance * (float(np.linalg.norm(start)) + lam * math.sqrt(start.size))
    z, residual, iterations = start, math.inf, 0
    while residual > enough and iterations < max_iterations:
        iterations += 1
        u = soft_threshold((z + start) / 2, lam / 2)  # prox of ½‖u - w‖² + λ‖u‖₁ at z
        away = u - start
        step = project(z - u - away)  # z - u = u - w + λq
        residual = float(np.linalg.norm(step + away))
        z = z - u + start - step
    return FlatL1(rebuild(u + 0.0), residual, iterations, residual <= enough)


@dataclass(frozen=True, eq=False)
class Twin:
    """Where gRDA is on a quadratic after some steps."""

    w: Any  # the same kind as the weights that were given
    v: Floats  # float64 [p], the accumulator
    threshold: float  # g(n, γ) = c γ^½ (nγ)^μ


def quadratic_twin(w: Any, H: Any, lr: float, c: float, mu: float, steps: int) -> Twin:
    """gRDA's own update on the quadratic ½(u - w)ᵀH(u - w), from its lowest point w.

        v_0 = w,   v_n = v_{n-1} - γH(w_{n-1} - w),   w_n = S_{g(n,γ)}(v_n)

    It needs no cut-off between flat and sharp: a direction of eigenvalue h is flat while h·nγ is
    small. H is made symmetric, and its negative eigenvalues are set to 0.

    Args:
        w: weights of any kind, [p] in all.
        H: [p, p].
        lr: learning rate γ > 0.
        c: strength of the penalty, ≥ 0.
        mu: exponent μ > 0.
        steps: how many, ≥ 0.

    Returns:
        The weights after these steps, with accumulator and threshold.

    Raises:
        ValueError: if γ·h_max ≥ 2 (the steps would grow without bound), for shapes that do not
            fit, numbers that are not finite, and hyperparameters out of range.

    Examples:
        Without curvature the accumulator stays, and the threshold c·γ^½·(nγ)^μ is taken off:

        >>> quadratic_twin(np.array([2.0, -0.25]), np.zeros((2, 2)), 0.25, 0.5, 0.5, steps=16).w
        array([1.5, 0. ])
    """
    start, rebuild = read(w)
    checks.number("lr", lr, "> 0")
    checks.whole("steps", steps)
    values, vectors = np.linalg.eigh(_hessian(H, start.size))
    top = float(values[-1])
    if lr * top >= 2:
        below = f"a number < {2 / top:.4g}, two by the largest eigenvalue of H, {top:.4g}"
        checks.refuse("lr", lr, below)
    slope = _product(np.maximum(values, 0.0), vectors)
    thresholds = tuning_function(np.arange(1, steps + 1), lr, c, mu)
    v, u = start, start
    for threshold in thresholds:
        v = v - lr * slope(u - start)
        u = v - v.clip(-threshold, threshold)  # soft_threshold without its checks
    return Twin(rebuild(u + 0.0), v, float(thresholds[-1]) if steps else 0.0)


# ------------------------------------------------- optimal brain surgeon


@dataclass(frozen=True, eq=False)
class Surgeon:
    """Weights after the optimal brain surgeon, and what it did."""

    w: Any  # the same kind as the weights that were given
    order: NDArray[np.intp]  # int [zeros], the weights in the order in which they were removed
    increase: Floats  # float64 [zeros], w_q²/(2[H⁻¹]_qq) of each when it was removed
    epsilon: float  # what was added to the diagonal of H


def obs_pruning(w: Any, H: Any, zeros: int, *, epsilon: float = 1e-4) -> Surgeon:
    """Optimal brain surgeon: remove the cheapest weight, correct all others, and so on.

        q = argmin w_q²/(2[H⁻¹]_qq),   w ← w - w_q/[H⁻¹]_qq · H⁻¹e_q

    with H + εI in the place of H, which is singular where the loss has flat directions; smaller ε
    lets the corrections go further along those. After each removal H⁻¹ is that of the remaining
    weights, so that the removed ones stay at zero.

    Args:
        w: weights of any kind, [p] in all, at a minimum.
        H: [p, p].
        zeros: how many to remove, from 0 to p.
        epsilon: ε > 0, in units of curvature; H + εI must be positive definite.

    Returns:
        The weights, and what was removed at which price.

    Raises:
        ValueError: if it is not, for zeros outside 0 … p, for shapes that do not fit and numbers
            that are not finite.

    Examples:
        The smaller weight matters more here, so the larger one goes:

        >>> done = obs_pruning(np.array([2.0, 1.0]), np.diag([1.0, 9.0]), zeros=1)
        >>> done.w.tolist(), done.order.tolist()
        ([0.0, 1.0], [0])

    Source: Hassibi and Stork 1993; item 4 of the authors' response.
    """
    vector, rebuild = read(w)
    checks.whole("zeros", zeros, 0, vector.size)
    checks.number("epsilon", epsilon, "> 0")
    values, vectors = np.linalg.eigh(_hessian(H, vector.size))
    if values[0] + epsilon <= 0:
        above = f"a number > {-values[0]:.4g}, minus the lowest eigenvalue of H"
        checks.refuse("epsilon", epsilon, f"{above}, so that H + epsilon*I is positive definite")
    inverse = (vectors / (values + epsilon)) @ vectors.T
    left = np.ones(vector.size, bool)
    order, increase = np.zeros(zeros, int), np.zeros(zeros)
    for k in range(zeros):
        cost = np.full(vector.size, np.inf)
        cost[left] = vector[left] ** 2 / (2 * np.diag(inverse)[left])
        q = int(np.argmin(cost))
        column = inverse[:, q] / inverse[q, q]
        vector = vector - vector[q] * column
        inverse = inverse - np.outer(column, inverse[q])
        left[q] = False
        vector[~left] = 0.0  # what rounding leaves
        order[k], increase[k] = q, cost[q]
    return Surgeon(rebuild(vector), order, increase, float(epsilon))


# ------------------------------------------------- projections and Hessians


class _Projection:
    """x -> P0 x, from a checked matrix [p, p] or an orthonormal basis [p, k]."""

    def __init__(self, P0: Any, size: int) -> None:
        given = _array("P0", P0)
        if given.ndim != 2 or given.shape[0] != size or given.shape[1] > size:
            raise ValueError(
                f"P0 has shape {given.shape}: accepted is ({size}, {size}) for {size} weights, or "
                f"an orthonormal basis ({size}, k) with k < {size}"
            )
        if given.shape[1] == size:
            _refuse("P0 is not symmetric, P0 - P0ᵀ", given - given.T)
            _refuse("P0 is not idempotent, P0·P0 - P0", given @ given - given)
        else:
            gram = given.T @ given
            _refuse("P0 is not an orthonormal basis, P0ᵀ·P0 - I", gram - np.eye(len(gram)))
            if 2 * given.shape[1] > size:  # then the matrix is less work
                given = given @ given.T
        self._given = given

    def __call__(self, x: Floats) -> Floats:
        if self._given.shape[0] == self._given.shape[1]:
            return self._given @ x
        return self._given @ (self._given.T @ x)


def _refuse(what: str, error: Floats) -> None:
    worst = float(np.abs(error).max(initial=0.0))
    if worst > PROJECTION_TOLERANCE:
        raise ValueError(
            f"{what} has an entry of size {worst:.3g}: accepted is an orthogonal projection, "
            f"to {PROJECTION_TOLERANCE:g}"
        )


def _hessian(H: Any, size: int) -> Floats:
    """H as float64 [p, p], made symmetric."""
    given = _array("H", H)
    checks.shape("H", given, (size, size))
    return (given + given.T) / 2


def _product(values: Floats, vectors: Floats) -> Callable[[Floats], Floats]:
    """x -> V diag(values) Vᵀ x, by the shorter way: the matrix, or the vectors that count."""
    counts = values > 1e-15 * values.max()  # far below what rounding makes of a zero
    if 2 * counts.sum() >= values.size:
        matrix = (vectors * values) @ vectors.T
        return lambda x: matrix @ x
    basis, weights = np.ascontiguousarray(vectors[:, counts]), values[counts]
    return lambda x: basis @ (weights * (basis.T @ x))


# ------------------------------------------------- kinds of weights


def read(weights: Any) -> tuple[Floats, Callable[[Floats], Any]]:
    """The weights as a float64 vector [p] of their own, and what makes the same kind of such a one."""
    tensors = _tensors(weights)
    if tensors is None:
        array = _array("w", weights)
        return array.ravel().copy(), lambda vector: _as_kind_of(weights, vector, array.shape)
    arrays = [_array(name, tensor) for name, tensor in tensors.items()]
    if not arrays:
        raise ValueError("w holds no weights: accepted is at least one")
    ends = np.cumsum([array.size for array in arrays])[:-1]
    shapes = [array.shape for array in arrays]

    def rebuild(vector: Floats) -> Any:
        parts = dict(zip(tensors, np.split(vector, ends), strict=True))
        if isinstance(weights, Mapping):
            return {
                name: _as_kind_of(tensors[name], part, shape)
                for (name, part), shape in zip(parts.items(), shapes, strict=True)
            }
        copy = deepcopy(weights)
        for name, p in copy.named_parameters():
            p.data.copy_(_as_kind_of(p, parts[name], p.shape))
        return copy

    return np.concatenate([array.ravel() for array in arrays]), rebuild


def _tensors(weights: Any) -> dict[str, Any] | None:
    """Name -> tensor of a mapping or a module; None for a single array."""
    if isinstance(weights, Mapping):
        for name, value in weights.items():
            if _is_tensor(value) and not value.is_floating_point():
                raise ValueError(
                    f"{name} has dtype {value.dtype}: accepted are weights, such as "
                    "dict(model.named_parameters()); a state dict holds buffers too"
                )
        return dict(weights)
    if not hasattr(weights, "named_parameters"):
        return None
    from grda_edu.zeros import refuse_computed  # here: it imports torch

    refuse_computed(weights)
    return dict(weights.named_parameters())


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported torch
    return torch is not None and isinstance(value, torch.Tensor)


def _as_kind_of(example: Any, vector: Floats, shape: tuple[int, ...]) -> Any:
    array = np.array(vector).reshape(shape)  # memory of its own
    if not _is_tensor(example):
        return array
    import torch

    return torch.from_numpy(array).to(example.device, example.dtype)


def _array(name: str, value: Any) -> Floats:
    """``value`` as float64 numpy, every number finite."""
    if _is_tensor(value):  # to the CPU first: some devices know no float64, numpy no bfloat16
        value = value.detach().to_dense().cpu().double()
    array = np.asarray(value, dtype=np.float64)
    checks.finite(name, array)
    if array.size == 0 and array.ndim < 2:
        raise ValueError(f"{name} holds no weights: accepted is at least one")
    return array


def _vector(name: str, value: Any, size: int) -> Floats:
    array = _array(name, value)
    checks.shape(name, array, (size,), "one number for each weight")
    return array
