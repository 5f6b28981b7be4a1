"""The two sides of the theorem: measures on made-up networks."""

import numpy as np
import pytest
import torch

from grda_edu import GRDA, directional_pruning, quadratic_twin
from grda_edu.geometry.evidence import (
    CONTROLS,
    auc,
    controls,
    correlation,
    cosine,
    directional_at_zeros,
    evidence_of,
    match,
    noise_ceiling,
    partial_correlation,
    path_twin,
    random_scores,
    score_estimates,
    shuffled,
    size_and_layer,
    strength,
)


@pytest.fixture
def made_up():
    """Weights [400], scores of which a quarter is negative, λ, and exact directional pruning."""
    rng = np.random.default_rng(0)
    w, s = rng.standard_normal(400), rng.uniform(-0.5, 1.5, 400)
    return w, s, 0.3, directional_pruning(w, s, 0.3)


def test_the_strength_is_the_optimizers_threshold():
    assert strength(0.04, 0.01, 0.6, 50.0) == pytest.approx(0.01 * 0.2 * 50**0.6)
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = GRDA([weight], lr=0.04, c=0.01, mu=0.6)
    for _ in range(1250):  # t = 50
        weight.grad = torch.zeros(1)
        optimizer.step()
    assert optimizer.state[weight]["threshold"] == pytest.approx(strength(0.04, 0.01, 0.6, 50))


def test_directional_pruning_gives_its_scores_back(made_up):
    w, s, lam, pruned = made_up
    alive = pruned != 0
    np.testing.assert_allclose(score_estimates(w, pruned, lam)[alive], s[alive])
    found = evidence_of(s, w, pruned, lam)
    assert found.correlation == pytest.approx(1)
    assert (found.grew_where_negative, found.grew_where_positive) == (1, 0)
    assert found.negative == (s < 0).sum() and found.survivors == alive.sum()


def test_shuffled_and_constant_scores_are_no_evidence(made_up):
    w, s, lam, pruned = made_up
    by_chance = [evidence_of(shuffled(s, k), w, pruned, lam) for k in range(40)]
    assert abs(np.mean([e.correlation for e in by_chance])) < 0.02
    difference = [e.grew_where_negative - e.grew_where_positive for e in by_chance]
    assert abs(np.mean(difference)) < 0.02
    constant = evidence_of(np.full(400, s.mean()), w, pruned, lam)
    assert np.isnan(constant.correlation) and np.isnan(constant.grew_where_negative)
    assert sorted(shuffled(s, 3)) == sorted(s)


def test_a_match_of_a_thing_with_itself_is_perfect(made_up):
    w, _, _, pruned = made_up
    found = match(pruned, w, pruned)
    assert (found.cosine, found.overlap) == pytest.approx((1, 1))
    assert found.zeros == (pruned == 0).mean()


def test_a_match_by_hand():
    w = np.array([1.0, -2.0, 3.0, 0.5])
    ours, theirs = np.array([0.0, -2.0, 2.0, 0.0]), np.array([0.0, -1.0, 3.0, 0.5])
    found = match(ours, w, theirs)
    moves = np.array([-1, 0, -1, -0.5]), np.array([-1, 1, 0, 0])
    assert found.cosine == pytest.approx(moves[0] @ moves[1] / 1.5 / np.sqrt(2))
    assert (found.overlap, found.zeros) == (0.5, 0.5)
    assert np.isnan(match(ours, w, w).cosine)
    assert cosine(np.array([1.0, 0]), np.array([1.0, 1])) == pytest.approx(2**-0.5)


def test_controls_know_less(made_up):
    w, s, lam, pruned = made_up
    random = random_scores(w, 100, 0)
    made = controls(w, pruned, s, random, lam, 0)
    assert tuple(made) == CONTROLS
    np.testing.assert_allclose(made["identity"], np.sign(w) * np.maximum(abs(w) - lam, 0))
    assert (made["soft"] == 0).sum() == (pruned == 0).sum()
    np.testing.assert_allclose(
        made["constant"], np.sign(w) * np.maximum(abs(w) - lam * s.mean(), 0)
    )
    np.testing.assert_allclose(made["random"], directional_pruning(w, random, lam))


def test_a_random_subspace_has_its_rank():
    w = np.random.default_rng(1).standard_normal(600)
    scores = random_scores(w, 450, 3)
    assert scores.mean() == pytest.approx(450 / 600, abs=0.05)  # E ‖P sign(w)‖² = rank
    np.testing.assert_allclose(random_scores(w, 600, 3), 1)


@pytest.mark.parametrize("zeros", [0, 1, 57, 200])
def test_directional_pruning_at_a_number_of_zeros(made_up, zeros):
    w, s, *_ = made_up
    pruned = directional_at_zeros(w, s, zeros)
    assert (pruned == 0).sum() == zeros
    if zeros:  # the same as some λ of the closed form
        lam = np.sort(np.abs(w)[s > 0] / s[s > 0])[zeros - 1]
        np.testing.assert_allclose(pruned, directional_pruning(w, s, lam), atol=1e-12)


def test_weights_with_negative_scores_cannot_be_made_zero(made_up):
    w, s, *_ = made_up
    assert (directional_at_zeros(w, s, 399) == 0).sum() == (s > 0).sum()
    assert (directional_at_zeros(w, -np.ones(400), 10) == w).all()


# ------------------------------------------------- the path twin


def curved(seed=0, size=12):
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((size, size)))[0]
    values = np.r_[np.zeros(size // 2), np.linspace(0.2, 3, size - size // 2)]
    return rng, (turn * values) @ turn.T


def test_on_a_path_that_stays_it_is_the_quadratic_twin():
    rng, matrix = curved()
    w = rng.standard_normal(12)
    c, mu = (0.02, 0.1), (0.6, 0.51)
    both = path_twin(np.tile(w, (301, 1)), {0: matrix}, 0.1, c, mu)
    for k in range(2):
        np.testing.assert_allclose(
            both[k], quadratic_twin(w, matrix, 0.1, c[k], mu[k], 300).w, atol=1e-12
        )


def test_on_a_quadratic_it_is_grda_itself():
    """From other weights than the lowest point: SGD's path there, and gRDA from the same start."""
    rng, matrix = curved(1)
    lowest, start, lr = rng.standard_normal(12), rng.standard_normal(12), 0.1
    path = [start]
    for _ in range(400):
        path.append(path[-1] - lr * matrix @ (path[-1] - lowest))
    weight = torch.nn.Parameter(torch.tensor(start))
    optimizer = GRDA([weight], lr=lr, c=0.03, mu=0.55)
    for _ in range(400):
        weight.grad = torch.tensor(matrix) @ (weight.detach() - torch.tensor(lowest))
        optimizer.step()
    found = path_twin(np.array(path), {0: matrix, 250: matrix}, lr, [0.03], [0.55])
    np.testing.assert_allclose(found[0], weight.detach().numpy(), atol=1e-10)
    assert (found == 0).any()


def test_a_path_needs_its_curvature_from_the_start():
    with pytest.raises(ValueError, match="hessians begin at step 5: accepted is a first one at 0"):
        path_twin(np.zeros((9, 2)), {5: np.eye(2)}, 0.1, [0.1], [0.6])


def test_the_strength_has_to_be_positive(made_up):
    w, _, _, pruned = made_up
    with pytest.raises(ValueError, match=r"lam = 0: accepted is a finite number > 0"):
        score_estimates(w, pruned, 0)


# ------------------------------------------------- planted evidence


def test_slope_and_order_of_planted_scores(made_up):
    w, s, lam, pruned = made_up
    found = evidence_of(s, w, pruned, lam)
    assert (found.slope, found.auc) == pytest.approx((1, 1))
    half = evidence_of(s / 2, w, pruned, lam)
    assert (half.correlation, half.slope, half.auc) == pytest.approx((1, 2, 1))
    backwards = evidence_of(-s, w, pruned, lam)
    assert (backwards.correlation, backwards.slope, backwards.auc) == pytest.approx((-1, -1, 0))
    constant = evidence_of(np.full(400, 0.3), w, pruned, lam)
    assert np.isnan(constant.slope) and constant.auc == 0.5


def test_the_chance_that_a_grower_has_the_lower_score_by_counting_pairs():
    rng = np.random.default_rng(5)
    s, grew = rng.integers(0, 6, 60).astype(float), rng.random(60) < 0.3
    pairs = [(a < b) + (a == b) / 2 for a in s[grew] for b in s[~grew]]
    assert auc(s, grew) == pytest.approx(np.mean(pairs))
    assert np.isnan(auc(s, np.zeros(60, bool))) and np.isnan(auc(s, np.ones(60, bool)))


def test_what_is_owed_to_size_and_layer_is_taken_out():
    """Two vectors that have only size and layer in common, and two that have more."""
    rng = np.random.default_rng(6)
    sizes = (300, 50, 1650)
    w = rng.standard_normal(2000)
    layer = np.repeat([2.0, -1.0, 0.5], sizes)
    known = size_and_layer(w, sizes)
    assert known.shape == (2000, 4) and (known[:, 1:].sum(axis=0) == sizes).all()
    common = rng.standard_normal(2000)
    a, b = (3 * abs(w) + layer + rng.standard_normal(2000) for _ in range(2))
    assert correlation(a, b) > 0.7
    assert abs(partial_correlation(a, b, known)) < 0.07
    assert partial_correlation(a + common, b + common, known) == pytest.approx(0.5, abs=0.06)
    assert partial_correlation(a + common, common, known) == pytest.approx(2**-0.5, abs=0.05)
    assert np.isnan(partial_correlation(abs(w) + layer, b, known))


def test_the_partial_correlation_of_three_by_its_formula():
    a, b, c = np.random.default_rng(7).standard_normal((3, 50))
    b, c = a + b, a - b + c
    ab, ac, bc = correlation(a, b), correlation(a, c), correlation(b, c)
    wanted = (ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2))
    assert partial_correlation(a, b, c[:, None]) == pytest.approx(wanted)


def test_no_score_correlates_more_than_the_noise_lets_it():
    rng = np.random.default_rng(8)
    truth = rng.standard_normal(40_000)
    one, other = (truth + 0.75 * rng.standard_normal(40_000) for _ in range(2))
    assert noise_ceiling(one, other) == pytest.approx(correlation(truth, one), abs=0.01)
    assert noise_ceiling(one, other) == pytest.approx(0.8, abs=0.01)
    assert noise_ceiling(one, -one) == 0
    assert noise_ceiling(one, one) == pytest.approx(1)


def test_shuffling_inside_each_tensor():
    s = np.arange(100.0)
    dealt = shuffled(s, 2, (30, 1, 69))
    for part in (slice(0, 30), slice(30, 31), slice(31, 100)):
        assert sorted(dealt[part]) == s[part].tolist()
    assert (dealt != s).sum() > 90
