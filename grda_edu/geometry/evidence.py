"""Theorem 3.1 measured: where gRDA ends, beside what directional pruning predicts from SGD's end.

    λ = c √γ t^μ,   w_gRDA ≈ w_DP(λ),   w_DP,j = sign(w_j)·max(|w_j| - λ s_j, 0)   with w = w_SGD

"For small γ and large t" says the theorem (Chao et al. 2020, arXiv:2006.09358). Two trainings from
the same weights on the same batches, and the Hessian where SGD stopped, make both sides numbers.
A match means little by itself: any two moves that shrink weights look alike. So every prediction
here stands beside controls that know less of the loss's flat directions, or nothing.

All of it is numpy: vectors [D] of all weights of a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grda_edu.checks import number
from grda_edu.geometry import Floats
from grda_edu.geometry.pruning import (
    dies_at,
    direction_scores,
    directional_pruning,
    soft_pruning,
    threshold_for,
)
from grda_edu.shrinkage import tuning_function


def strength(lr: float, c: float, mu: float, t: float) -> float:
    """λ of directional pruning that gRDA reaches at time t = nγ: c √γ t^μ, its threshold there."""
    return float(tuning_function(t / lr, lr, c, mu))


# ------------------------------------------------- the two sides


def score_estimates(w_sgd: Floats, w_grda: Floats, lam: float) -> Floats:
    """What gRDA's move says about the scores: ŝ_j = -sign(w_SGD,j)(w_gRDA - w_SGD)_j / λ.

    If gRDA were directional pruning exactly, this would be s_j wherever w_gRDA,j is not zero.

    Args:
        w_sgd: where SGD ended, [D].
        w_grda: where gRDA ended, [D].
        lam: λ > 0, in units of the weights.

    Returns:
        The estimates, [D].

    Raises:
        ValueError: unless λ > 0.
    """
    number("lam", lam, "> 0")  # at 0 nothing was pruned
    return -np.sign(w_sgd) * (w_grda - w_sgd) / lam


@dataclass(frozen=True)
class Evidence:
    """What shows direction: how the scores order gRDA's survivors (weights that are not zero)."""

    correlation: float  # of ŝ with s over the survivors; NaN for a constant s
    grew_where_negative: float  # share of the survivors with s < 0 whose size grew
    grew_where_positive: float  # the same with s > 0
    negative: int  # survivors with s < 0
    survivors: int
    slope: (
        float  # of ŝ on s over the survivors, 1 if the theorem held exactly; NaN for a constant s
    )
    auc: float  # chance that of a survivor that grew and one that did not the first has the lower s


def evidence_of(s: Floats, w_sgd: Floats, w_grda: Floats, lam: float) -> Evidence:
    """How far the scores ``s`` [D] explain what gRDA did to the weights that it kept."""
    estimates = score_estimates(w_sgd, w_grda, lam)
    alive = (w_grda != 0) & (w_sgd != 0)
    s, estimates = s[alive], estimates[alive]
    grew = estimates < 0
    return Evidence(
        correlation=correlation(estimates, s),
        grew_where_negative=_share(grew[s < 0]),
        grew_where_positive=_share(grew[s > 0]),
        negative=int((s < 0).sum()),
        survivors=len(s),
        slope=slope(estimates, s),
        auc=auc(s, grew),
    )


def correlation(a: Floats, b: Floats) -> float:
    """Of two vectors [n]; NaN where one is constant."""
    constant = len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0
    return np.nan if constant else float(np.corrcoef(a, b)[0, 1])


def slope(a: Floats, b: Floats) -> float:
    """By how much ``a`` rises where ``b`` rises by 1, by least squares; NaN for a constant ``b``."""
    return np.nan if len(b) < 2 or np.ptp(b) == 0 else float(np.polyfit(b, a, 1)[0])


def auc(s: Floats, grew: NDArray[np.bool_]) -> float:
    """The chance that one that grew has a lower score than one that did not; ties count half.

    1/2 is chance, 1 says that the growers are the lowest. NaN where none grew or all did.
    """
    low, others = s[grew], np.sort(s[~grew])
    if not len(low) or not len(others):
        return np.nan
    places = [np.searchsorted(others, low, side) for side in ("left", "right")]
    return float(1 - np.mean(places) / len(others))


def partial_correlation(a: Floats, b: Floats, given: Floats) -> float:
    """The correlation of what is left of two vectors once others have explained them.

    Args:
        a: [n].
        b: [n].
        given: what both may owe to, [n, k]; a constant is added.

    Returns:
        From -1 to 1; NaN where nothing is left of one.
    """
    return correlation_beyond(a, b, explained_by(given))


def explained_by(given: Floats) -> Floats:
    """An orthonormal basis of all that a constant and the columns of ``given`` explain.

    Args:
        given: [n, k]; columns may depend on one another, as a constant and the layers do.

    Returns:
        float64 [n, ≤ 1 + k].
    """
    known = np.column_stack([np.ones(len(given)), given])
    columns, lengths, _ = np.linalg.svd(known, full_matrices=False)
    basis: Floats = columns[:, lengths > 1e-10 * lengths.max()]
    return basis


def correlation_beyond(a: Floats, b: Floats, basis: Floats) -> float:
    """``partial_correlation`` where what explains is known already, for many vectors.

    Args:
        a: [n].
        b: [n].
        basis: as of ``explained_by``, [n, k].

    Returns:
        From -1 to 1; NaN where nothing is left of one.
    """
    left = [x - basis @ (basis.T @ x) for x in (a, b)]
    nothing = any(
        np.linalg.norm(rest) <= 1e-9 * np.linalg.norm(x)
        for rest, x in zip(left, (a, b), strict=True)
    )
    return np.nan if nothing else cosine(*left)


def size_and_layer(w: Floats, sizes: Sequence[int]) -> Floats:
    """What a score may owe its correlation to: |w|, and which tensor a weight belongs to.

    Args:
        w: weights, [D].
        sizes: of the L tensors that they are, in order, D together.

    Returns:
        float64 [D, 1 + L].
    """
    layer = np.repeat(np.eye(len(sizes)), sizes, axis=0)
    return np.column_stack([np.abs(w), layer])


def noise_ceiling(one: Floats, other: Floats) -> float:
    """The highest correlation that any score can have with estimates which are partly noise.

    Args:
        one: estimates ŝ from one order of the images, [n].
        other: of the same weights from another order, [n].

    Returns:
        √r, r the correlation of the two: with noise of its own in each, r is the share of an
        estimate's variance that is no noise. 0 where r is negative.
    """
    return float(max(correlation(one, other), 0.0) ** 0.5)


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if flags.size else np.nan


@dataclass(frozen=True)
class Match:
    """How alike a predicted network and gRDA's are."""

    cosine: float  # of the predicted move from w_SGD with gRDA's
    overlap: float  # of the two sets of zeros: how many in both, of those in either
    zeros: float  # share of zeros in the prediction


def match(predicted: Floats, w_sgd: Floats, w_grda: Floats) -> Match:
    """Compare a prediction with gRDA's weights, both [D]. NaN where a move has no length."""
    ours, theirs = predicted == 0, w_grda == 0
    either = int((ours | theirs).sum())
    return Match(
        cosine=cosine(predicted - w_sgd, w_grda - w_sgd),
        overlap=float((ours & theirs).sum()) / either if either else np.nan,
        zeros=float(ours.mean()),
    )


def cosine(a: Floats, b: Floats) -> float:
    """Of the angle between two vectors [D]; NaN where one has no length."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else np.nan


# ------------------------------------------------- predictions that know less

CONTROLS = ("identity", "soft", "random", "shuffled", "constant")


def controls(
    w_sgd: Floats, w_grda: Floats, s: Floats, random: Floats, lam: float, seed: int
) -> dict[str, Floats]:
    """Predictions of gRDA's weights that know less.

    "identity": P0 = I at the same λ, plain soft-thresholding, blind to the loss; "soft":
    soft-thresholding with as many zeros as gRDA has; "random": a random P0 of equal rank;
    "shuffled": the scores dealt out anew; "constant": every score at their mean.

    Args:
        w_sgd: where SGD ended, [D].
        w_grda: where gRDA ended, [D].
        s: the scores, [D].
        random: scores of a random P0, from ``random_scores``, [D].
        lam: λ, in units of the weights.
        seed: of the shuffling.

    Returns:
        Name of each control -> its predicted weights [D].
    """
    return {
        "identity": soft_pruning(w_sgd, lam),
        "soft": soft_pruning(w_sgd, threshold_for(w_sgd, int((w_grda == 0).sum()))),
        "random": directional_pruning(w_sgd, random, lam),
        "shuffled": directional_pruning(w_sgd, shuffled(s, seed), lam),
        "constant": directional_pruning(w_sgd, np.full(len(s), s.mean()), lam),
    }


def shuffled(s: Floats, seed: int, sizes: Sequence[int] | None = None) -> Floats:
    """The scores dealt out to the weights anew, [D]; with ``sizes`` inside each tensor of so many."""
    deal = np.random.default_rng([seed, 1])
    if sizes is None:
        return deal.permutation(s)
    return np.concatenate([deal.permutation(part) for part in np.split(s, np.cumsum(sizes)[:-1])])


def random_scores(w: Floats, rank: int, seed: int) -> Floats:
    """Direction scores [D] for a random subspace of this rank instead of the flat one."""
    draws = np.random.default_rng([seed, 2]).standard_normal((len(w), rank))
    basis = np.linalg.qr(draws)[0]
    return direction_scores(w, basis if rank < len(w) else basis @ basis.T)


def directional_at_zeros(w: Floats, s: Floats, zeros: int) -> Floats:
    """w_DP with the smallest λ that leaves at least ``zeros`` zeros, [D].

    A weight with s_j ≤ 0 never becomes zero; if they are too many, all others are pruned.
    """
    lams = dies_at(w, s)
    when = np.sort(lams[np.isfinite(lams)])
    if not zeros or not len(when):
        return w.copy()
    lam = float(when[min(zeros, len(when)) - 1])
    predicted: Floats = directional_pruning(w, s, lam)
    predicted[lams <= lam] = 0.0  # what rounding leaves at the very edge
    return predicted


# ------------------------------------------------- one rung above the quadratic twin


def path_twin(
    path: Floats,
    hessians: Mapping[int, Floats],
    lr: float,
    c: Iterable[float],
    mu: Iterable[float],
) -> Floats:
    """gRDA on a quadratic that follows SGD: its curvature is that of the weights SGD passes.

        u_n = u_{n-1} - γ H_{n-1}(w_{n-1} - p_{n-1}),   w_n = S_{g(n,γ)}(p_n + u_n),   u_0 = 0

    with SGD's weights p_n after n steps, which start where gRDA starts. To first order in w - p
    this is gRDA with the curvature of all training images in the place of each batch's.

    Args:
        path: SGD's weights, [N+1, D].
        hessians: step -> H [D, D] at p, valid until the next such step, the first of them 0;
            negative eigenvalues are set to 0 (a direction that falls away would carry w off).
        lr: learning rate γ.
        c: strength of the penalty of K settings that are followed together.
        mu: their exponents.

    Returns:
        w_N of each setting: float64 [K, D]. For a path that stays where it is, and its one Hessian,
        this is ``quadratic_twin``.

    Raises:
        ValueError: if there is no Hessian at step 0.
    """
    if 0 not in hessians:
        raise ValueError(f"hessians begin at step {min(hessians)}: accepted is a first one at 0")
    c, mu = np.array(list(c), float)[:, None], np.array(list(mu), float)[:, None]
    w = np.repeat(path[:1].astype(float), len(c), axis=0)
    u = np.zeros_like(w)
    for n in range(1, len(path)):
        if n - 1 in hessians:
            curvature = _without_negative(hessians[n - 1])
        u -= lr * ((w - path[n - 1]) @ curvature)  # symmetric: rows for columns
        v, threshold = path[n] + u, tuning_function(n, lr, c, mu)
        w = v - np.clip(v, -threshold, threshold)
    return w


def _without_negative(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    rebuilt: Floats = (vectors * np.maximum(values, 0.0)) @ vectors.T
    return rebuilt


# ------------------------------------------------- training
