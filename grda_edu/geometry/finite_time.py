"""Directional pruning at finite time: scores without a cut-off, from Hessian products alone.

gRDA's threshold g(τ) = c√γ τ^μ pushes every weight towards zero with the force g'(τ). Along an
eigendirection of the Hessian with eigenvalue h that push is forgotten at the rate h. To first order
in λ = c√γ t^μ what is left of it at time t is

    w(t) - w_SGD = -λ F(tH) sign(w),   F(x) = μ ∫₀¹ u^{μ-1} e^{-x(1-u)} du = ₁F₁(1; 1+μ; -x)

F is 1 where h·t is small and about μ/(h·t) where it is large: P0 with a smooth edge in the place of
a cut-off, and with time that edge moves down. The scores of directional pruning become

    s_j(t) = sign(w_j)·(F(tH) sign(w))_j  →  sign(w_j)·(P0 sign(w))_j   as t → ∞

The proof of theorem 3.1 (Chao et al. 2020, arXiv:2006.09358) carries the response of weights that
move, with the Hessians and the signs along the way. Here it is evaluated where SGD ended.

A function of a matrix times one vector needs no matrix: m Lanczos steps from sign(w) leave a
tridiagonal one, [m, m], whose eigenvalues F is taken of. A weight that is zero has the sign 0 and
stays zero; H is then that of the other weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal
from scipy.special import hyp1f1
from torch import nn

from grda_edu import checks
from grda_edu.geometry import Floats
from grda_edu.geometry.curvature import FixedLoss, multiplied, refuse_random_modules
from grda_edu.geometry.pruning import dies_at, directional_pruning, read
from grda_edu.training.device import threads_for

Filter = Callable[[Floats], Floats]
"""x = t·h ≥ 0 of each eigenvalue -> how much of a push is left along it, 1 for all and 0 for none."""

FALLS_AWAY = 0.25
"""Negative curvature, in parts of the largest, from which on a network counts as untrained. The digits
CNNs have .4 to .7 at their start, .01 to .1 after two epochs and .001 to .01 at their end."""


# ------------------------------------------------- filters


def response(x: Any, mu: float) -> Any:
    """F(x): how much of gRDA's push is left along a direction with x = h·t.

        F(x) = μ ∫₀¹ u^{μ-1} e^{-x(1-u)} du = ₁F₁(1; 1+μ; -x)

    Args:
        x: ≥ 0, a number or an array.
        mu: exponent μ > 0 of the tuning function; for μ = 1 it is (1 - e^{-x})/x.

    Returns:
        From 1 at x = 0 down to about μ/x, of the shape of ``x``.

    Examples:
        >>> response(np.array([0.0, 1.0, 100.0]), mu=1).round(4).tolist()
        [1.0, 0.6321, 0.01]
    """
    return hyp1f1(1.0, 1.0 + mu, -np.minimum(x, 1e15))  # beyond, scipy has no digits left


def decay(x: Floats) -> Floats:
    """The filter e^{-tH}: what gradient flow leaves of a displacement."""
    left: Floats = np.exp(-x)
    return left


def hard_cutoff(h: float, t: float) -> Filter:
    """The filter that is P0: 1 for eigenvalues below ``h``, 0 for the others.

    Args:
        h: the cut-off, in the units of the eigenvalues.
        t: the time at which the filter is used.

    Returns:
        A function of x = t·h.
    """
    return lambda x: (x < t * h).astype(np.float64)


# ------------------------------------------------- what products tell of sign(w)


@dataclass(frozen=True, eq=False)
class Krylov:
    """What some Hessian products tell of sign(w): enough for the scores of every t, μ and filter."""

    signs: Floats = field(repr=False)  # sign(w), float64 [D]
    basis: Floats = field(repr=False)  # float64 [m, D], orthonormal rows, the first along sign(w)
    diagonal: Floats  # float64 [m], of the tridiagonal matrix that H is in this basis
    beside: Floats  # float64 [m - 1], next to its diagonal
    products: int  # how many were spent
    exact: bool  # H leads nowhere out of the basis: more products would add nothing

    @property
    def values(self) -> Floats:
        """Eigenvalues of H as far as sign(w) has a part in them: float64 [m], rising."""
        return self._eigen(len(self.diagonal))[0] if self.products else np.zeros(0)

    def scores(self, t: float, mu: float, *, filter: Filter | None = None) -> FiniteTimeScores:
        """s(t); see ``finite_time_scores``.

        Args:
            t: time t = γ·steps > 0.
            mu: exponent μ > 0.
            filter: in the place of F.

        Returns:
            The scores.

        Raises:
            ValueError: for t or mu out of range, and a filter that gives no finite numbers.
        """
        checks.number("t", t, "> 0")
        checks.number("mu", mu, "> 0")
        used: Filter = filter or (lambda x: response(x, mu))
        if not self.products:  # all weights are zero
            return FiniteTimeScores(np.zeros_like(self.signs), 0, 0.0)
        m = len(self.diagonal)
        found = self._scores(used, t, m)
        error = 0.0
        if not self.exact:
            # One step may change little while the next changes more: the last quarter of them.
            before = (self._scores(used, t, k) for k in range(m - max(1, m // 4), m))
            length = float(np.linalg.norm(found)) or 1.0
            error = max(float(np.linalg.norm(found - one)) for one in before) / length
        return FiniteTimeScores(found, self.products, error)

    def _scores(self, filter: Filter, t: float, m: int) -> Floats:
        """After m of the products: float64 [D]."""
        values, vectors = self._eigen(m)
        x = t * np.maximum(values, 0.0)
        left = np.asarray(filter(x), np.float64)
        checks.shape("what filter gives", left, x.shape, "one number for each x")
        if not np.isfinite(left).all():
            k = int(np.argmin(np.isfinite(left)))
            raise ValueError(
                f"filter gives {left[k]} at x = {x[k]:.4g}: accepted is a finite number for each "
                "x = t·h >= 0"
            )
        length = np.linalg.norm(self.signs)
        scores: Floats = self.signs * (vectors @ (left * vectors[0]) @ self.basis[:m]) * length
        return scores + 0.0

    def _eigen(self, m: int) -> tuple[Floats, Floats]:
        values, vectors = eigh_tridiagonal(self.diagonal[:m], self.beside[: m - 1])
        return values, vectors


def krylov(
    loss: FixedLoss,
    w: Any = None,
    *,
    products: int = 40,
    progress: Callable[[float], object] | None = None,
) -> Krylov:
    """Lanczos from sign(w) with full reorthogonalisation, in float64 outside the products.

    Args:
        loss: of D weights.
        w: where, of any kind; the model's weights if left out.
        products: at most how many, 2 to D; fewer where more would add nothing. Their vectors are
            kept, products·D·8 bytes of the CPU's memory, whatever device the products run on.
        progress: called with the share done, from 0 to 1; what it raises ends the work.

    Returns:
        The basis and the tridiagonal matrix.

    Raises:
        ValueError: for another number of products, weights that do not fit or are not finite, and
            a network whose loss is not one fixed function.
    """
    vector, _ = _weights(loss, w)
    checks.whole("products", products, 2, loss.size, why="the number of weights")
    refuse_random_modules(loss.model)  # it may have been put into training mode since
    signs = np.sign(vector)
    alive = signs != 0
    steps = min(products, int(alive.sum()))
    if not steps:
        return Krylov(signs, np.zeros((0, loss.size)), np.zeros(0), np.zeros(0), 0, True)
    like = loss.weights
    basis = np.empty((steps, loss.size))
    diagonal, beside = np.zeros(steps), np.zeros(steps)
    basis[0] = signs / np.linalg.norm(signs)
    with threads_for(loss.model, like.device):
        multiply = loss.products(torch.from_numpy(vector))
        for k in range(steps):
            image = np.where(alive, multiplied(multiply, basis[k], like), 0.0)
            checks.finite(f"product {k + 1} with the Hessian", image)
            diagonal[k] = basis[k] @ image
            for _ in range(2):  # once leaves what rounding makes of the parts that cancel
                image -= (basis[: k + 1] @ image) @ basis[: k + 1]
            beside[k] = np.linalg.norm(image)
            if progress is not None:
                progress((k + 1) / steps)
            if beside[k] <= 1e-12 * max(np.abs(diagonal).max(), beside.max()) or k + 1 == steps:
                break
            basis[k + 1] = image / beside[k]
    exact = k + 1 < steps or k + 1 == int(alive.sum())
    return Krylov(signs, basis[: k + 1], diagonal[: k + 1], beside[:k], k + 1, exact)


# ------------------------------------------------- scores


@dataclass(frozen=True, eq=False)
class FiniteTimeScores:
    """Scores of directional pruning at a finite time, and how good they are."""

    s: Floats = field(repr=False)  # float64 [D]
    products: int  # Hessian products that they took
    error: float  # estimate of ‖error of s‖/‖s‖: the largest change by the last quarter of them


def finite_time_scores(
    loss: FixedLoss,
    t: float,
    mu: float,
    *,
    w: Any = None,
    products: int = 40,
    filter: Filter | None = None,
    progress: Callable[[float], object] | None = None,
) -> FiniteTimeScores:
    """What the loss says about each weight after time t: whether it shrinks (+) or grows (-).

        s_j(t) = sign(w_j)·(F(tH) sign(w))_j,   F(x) = μ ∫₀¹ u^{μ-1} e^{-x(1-u)} du

    To first order gRDA's weights after time t are sign(w_j)·(|w_j| - λ s_j(t)), λ = c√γ t^μ:
    ``directional_pruning`` without a cut-off between flat and sharp. Negative eigenvalues count as
    0. The matrix is never formed: the products are steps of Lanczos, and 40 of them leave one or two
    per cent of error on the networks of this course. For several t, μ or filters from the same
    products take ``geometry.finite_time.krylov``.

    Args:
        loss: of D weights, on any device.
        t: time t = γ·steps > 0.
        mu: exponent μ > 0 of the tuning function.
        w: where SGD ended, weights of any kind, [D] in all; the model's weights if left out.
        products: Hessian products, 2 to D. They hold products·D·8 bytes on the CPU, beside the
            activations of all images.
        filter: in the place of F, a function of the array x = t·h ≥ 0: ``decay``, e^{-tH};
            ``hard_cutoff(h, t)``, P0, which needs four times as many products; or your own.
        progress: called with the share done, from 0 to 1; what it raises ends the work.

    Returns:
        The scores, the products spent and an estimate of the error.

    Raises:
        ValueError: for arguments out of range, a filter that gives no finite numbers, weights that
            do not fit, dropout or batch norm in training mode, and an untrained network: one whose
            lowest curvature is below -FALLS_AWAY times the highest.

    Examples:
        A weight of curvature 1 and one without any, after t = 2, with μ = 1:

        >>> model = nn.Linear(2, 1, bias=False)
        >>> model.weight.data = torch.tensor([[1.0, -3.0]])
        >>> data = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0]])
        >>> loss = FixedLoss(model, data, lambda outputs, y: ((outputs - y) ** 2).mean() / 2)
        >>> finite_time_scores(loss, t=2, mu=1, products=2).s.round(4).tolist()
        [0.4323, 1.0]

    Source: the response in the proof of theorem 3.1 of Chao et al. 2020 (arXiv:2006.09358), taken at
    SGD's end; Lanczos for functions of matrices as in Golub and Van Loan, Matrix Computations.
    """
    checks.number("t", t, "> 0")  # before the products
    checks.number("mu", mu, "> 0")
    found = krylov(loss, w, products=products, progress=progress)
    if found.products and found.values[0] < -FALLS_AWAY * found.values[-1]:
        low, high = found.values[[0, -1]]
        raise ValueError(
            f"w has curvature from {low:.3g} to {high:.3g}: accepted is the end of a training, where "
            f"none is below -{FALLS_AWAY:g} times the highest. The network looks untrained"
        )
    return found.scores(t, mu, filter=filter)


# ------------------------------------------------- pruning in steps


@dataclass(frozen=True, eq=False)
class Steps:
    """Directional pruning in steps: the network at the end, and the way there of K steps."""

    w: Any  # the same kind as the weights that were given
    zeros: Floats  # float64 [K + 1], share of zeros before the first step and after each
    losses: Floats  # float64 [K + 1], training loss there
    lams: Floats  # float64 [K], λ of each step, in units of the weights
    products: int  # Hessian products spent
    error: float  # the largest error estimate of the steps' scores
    message: str = ""  # why it ended before its last step, or ""


def directional_pruning_in_steps(
    loss: FixedLoss,
    zeros: float,
    steps: int = 10,
    *,
    t: float,
    mu: float = 0.51,
    w: Any = None,
    products: int = 20,
    filter: Filter | None = None,
    progress: Callable[[Steps, float], object] | None = None,
    stop: Event | None = None,
) -> Steps:
    """Directional pruning that looks again after every step: no training, only Hessian products.

    Each step takes the finite-time scores of the weights as they are now, and the smallest λ at which
    the next ones become zero, so that after k of K steps 1 - (1 - zeros)^{k/K} of them are. A weight
    that is zero stays zero, and the scores are those of a network without it: the survivors move along
    what is flat among themselves. The optimal brain surgeon, which corrects the survivors at every
    removal, ends lower up to about 87% zeros on the small network, where its inverse Hessian can be
    had; this costs some products at any size.

    Args:
        loss: of D weights, on any device.
        zeros: share of all D weights to be zero at the end, in [0, 1); with as many already there
            nothing is done.
        steps: K ≥ 1.
        t: time of the scores, that of the training for instance, γ·steps > 0.
        mu: exponent μ > 0 of the scores.
        w: where to begin, weights of any kind; if left out the model's, and a pruned copy of the
            model comes back.
        products: Hessian products a step, 2 to D.
        filter: as of ``finite_time_scores``.
        progress: called as ``progress(steps, fraction)`` after each step.
        stop: setting it ends the work before the next product; the last whole step is kept.

    Returns:
        The weights, of the same kind, and the way there.

    Raises:
        ValueError: for arguments out of range, for more zeros than weights that can die (those with
            scores above 0), and as of ``finite_time_scores``; an untrained network is not refused.
    """
    checks.number("zeros", zeros, "[0, 1)")
    checks.whole("steps", steps, 1)
    vector, rebuild = _weights(loss, w)
    size, first = loss.size, int((vector == 0).sum())
    target = round(zeros * size)
    found = Steps(
        w=rebuild(vector),
        zeros=np.array([first / size]),
        losses=np.array([loss(torch.from_numpy(vector))]),
        lams=np.zeros(0),
        products=0,
        error=0.0,
    )
    # By equal parts of what is left: the last steps, where few weights carry the loss, are small.
    left = np.geomspace(size - first, max(size - target, 0.5), steps + 1)  # 0.5 counts as none
    for k in range(1, steps + 1) if target > first else ():
        if stop is not None and stop.is_set():
            return replace(found, message=f"stopped before step {k}")
        try:
            space = krylov(loss, vector, products=products, progress=_until(stop))
        except _Stopped:
            return replace(found, message=f"stopped in step {k}")
        scores = space.scores(t, mu, filter=filter)
        lams = dies_at(vector, scores.s)
        wanted, can = size - round(left[k]), int(np.isfinite(lams).sum())
        if wanted > can:
            accepted = f"a share up to {can / size:.4g}, of the {size} weights {can} can die"
            checks.refuse("zeros", zeros, f"{accepted} in step {k}")
        lam = float(np.partition(lams, wanted - 1)[wanted - 1])
        vector = directional_pruning(vector, scores.s, lam)
        vector[lams <= lam] = 0.0  # what rounding leaves at the very edge
        found = Steps(
            w=rebuild(vector),
            zeros=np.append(found.zeros, (vector == 0).mean()),
            losses=np.append(found.losses, loss(torch.from_numpy(vector))),
            lams=np.append(found.lams, lam),
            products=found.products + scores.products,
            error=max(found.error, scores.error),
        )
        if progress is not None:
            progress(found, k / steps)
    return found


class _Stopped(Exception):
    """The caller's event was set between two products."""


def _until(stop: Event | None) -> Callable[[float], None]:
    def check(_: float) -> None:
        if stop is not None and stop.is_set():
            raise _Stopped

    return check


# ------------------------------------------------- weights in the loss's order


def _weights(loss: FixedLoss, w: Any) -> tuple[Floats, Callable[[Floats], Any]]:
    """Weights of any kind in the loss's own order: float64 [D], and what makes the same kind of them."""
    w = loss.model if w is None else w
    shapes = {name: tuple(p.shape) for name, p in loss.named(loss.weights).items()}
    if isinstance(w, nn.Module):
        model, own = w, dict(w.named_parameters())
        vector, tensors = _weights(loss, {name: own[name] for name in shapes if name in own})

        def rebuild(vector: Floats) -> nn.Module:
            copy, found = deepcopy(model), tensors(vector)
            for name, p in copy.named_parameters():
                if name in found:  # what is frozen is no weight of this loss
                    p.data.copy_(found[name])
            return copy

        return vector, rebuild
    if isinstance(w, Mapping):
        if set(w) != set(shapes):
            raise ValueError(f"w has the names {', '.join(w)}: accepted are {', '.join(shapes)}")
        for name, shape in shapes.items():
            checks.shape(name, w[name], shape, "as in the model")
        return read({name: w[name] for name in shapes})
    vector, rebuild_array = read(w)
    checks.shape("w", vector, (loss.size,), "one number for each weight")
    return vector, rebuild_array
