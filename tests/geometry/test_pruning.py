"""Pruning against global searches, brute force over subsets, other solvers and GRDA itself."""

import itertools
import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn
from torch.nn.utils import prune

from grda_edu import GRDA
from grda_edu.geometry.pruning import (
    alive,
    direction_scores,
    directional_pruning,
    flat_l1,
    hard_pruning,
    magnitude_pruning,
    obs_pruning,
    quadratic_twin,
    soft_pruning,
    threshold_for,
)


def flat_space(rng, p, k):
    """A random orthonormal basis [p, k], its projection, and a Hessian that is zero on it."""
    orthogonal, _ = np.linalg.qr(rng.normal(size=(p, p)))
    flat, sharp = orthogonal[:, :k], orthogonal[:, k:]
    H = (sharp * rng.uniform(0.3, 3.0, p - k)) @ sharp.T
    return flat, flat @ flat.T, H


# ------------------------------------------------- directional pruning


def test_scores_by_hand():
    """Flat direction (4, 3)/5: P0 = [[.64, .48], [.48, .36]], sign = (1, -1)."""
    P0 = np.array([[0.64, 0.48], [0.48, 0.36]])
    np.testing.assert_allclose(direction_scores(np.array([2.0, -1.0]), P0), [0.16, -0.12])


def test_scores_sum_to_the_squared_length_of_the_projected_sign():
    rng = np.random.default_rng(0)
    for k in range(1, 8):
        basis, P0, _ = flat_space(rng, 8, k)
        w = rng.normal(size=8)
        s = direction_scores(w, P0)
        assert s.sum() == pytest.approx(np.linalg.norm(P0 @ np.sign(w)) ** 2)
        np.testing.assert_allclose(direction_scores(w, basis), s, atol=1e-12)


def test_a_zero_weight_has_score_zero_and_stays():
    rng = np.random.default_rng(1)
    _, P0, _ = flat_space(rng, 5, 3)
    w = rng.normal(size=5)
    w[2] = 0.0
    s = direction_scores(w, P0)
    assert s[2] == 0
    for lam in (0.0, 0.3, 4.0):
        assert directional_pruning(w, s, lam)[2] == 0


def test_the_closed_form_is_the_global_minimum():
    """A grid search over each coordinate, where s_j < 0 makes the objective non-convex."""
    rng = np.random.default_rng(2)
    seen_negative = 0
    grid = np.linspace(-8, 8, 160_001)
    for _ in range(12):
        _, P0, _ = flat_space(rng, 6, 3)
        w, lam = rng.normal(size=6), rng.uniform(0, 3)
        s = direction_scores(w, P0)
        seen_negative += int((s < 0).sum())
        for j, ours in enumerate(directional_pruning(w, s, lam)):
            cost = 0.5 * (grid - w[j]) ** 2 + lam * s[j] * np.abs(grid)
            assert ours == pytest.approx(grid[np.argmin(cost)], abs=2e-4)
            assert 0.5 * (ours - w[j]) ** 2 + lam * s[j] * abs(ours) <= cost.min() + 1e-12
    assert seen_negative > 3


def test_with_everything_flat_it_is_soft_thresholding_and_with_nothing_flat_nothing_moves():
    w = np.array([1.5, -0.2, 0.7, -3.0])
    s = direction_scores(w, np.eye(4))
    np.testing.assert_array_equal(s, 1.0)
    by_hand = [max(abs(x) - 0.6, 0) * (1 if x > 0 else -1) for x in w]
    np.testing.assert_allclose(directional_pruning(w, s, 0.6), by_hand)
    for nothing in (np.zeros((4, 4)), np.zeros((4, 0))):
        s = direction_scores(w, nothing)
        np.testing.assert_array_equal(directional_pruning(w, s, 5.0), w)


def test_the_first_move_lies_in_the_flat_space_and_leaves_the_loss():
    rng = np.random.default_rng(3)
    _, P0, H = flat_space(rng, 7, 3)
    w = rng.normal(size=7)
    s = direction_scores(w, P0)
    lam = 0.9 * np.min(np.abs(w[s > 0]) / s[s > 0])
    move = directional_pruning(w, s, lam) - w
    np.testing.assert_allclose(move, -lam * P0 @ np.sign(w), atol=1e-12)
    assert abs(move @ H @ move) < 1e-15


# ------------------------------------------------- l1 restricted to the flat space


def until_first_zero(w, s):
    return np.min(np.abs(w[s > 0]) / s[s > 0])


def test_flat_l1_is_the_closed_form_until_the_first_weight_is_zero():
    rng = np.random.default_rng(4)
    for k in (1, 3, 6):
        basis, P0, _ = flat_space(rng, 8, k)
        w = rng.normal(size=8)
        s = direction_scores(w, P0)
        lam = 0.99 * until_first_zero(w, s)
        for given in (P0, basis):
            result = flat_l1(w, given, lam)
            assert result.converged
            np.testing.assert_allclose(result.w, directional_pruning(w, s, lam), atol=1e-7)


def test_flat_l1_stays_on_the_floor_and_no_point_of_the_floor_costs_less():
    """The oracle searches the floor's own coordinates, from several starts, without derivatives."""
    rng = np.random.default_rng(5)
    for _ in range(4):
        basis, P0, _ = flat_space(rng, 6, 2)
        w = rng.normal(size=6)
        lam = 2.5 * until_first_zero(w, direction_scores(w, P0))
        result = flat_l1(w, P0, lam)
        assert result.converged and result.residual < 1e-7
        away = result.w - w
        assert np.linalg.norm(away - P0 @ away) < 1e-7

        def cost(a, w=w, basis=basis, lam=lam):
            return 0.5 * a @ a + lam * np.abs(w + basis @ a).sum()

        options = {"xatol": 1e-8, "fatol": 1e-12, "maxiter": 4000}
        found = min(
            minimize(cost, start, method="Nelder-Mead", options=options).fun
            for start in (np.zeros(2), basis.T @ away, rng.normal(size=2))
        )
        assert cost(basis.T @ away) <= found + 1e-7


def test_flat_l1_is_the_limit_of_grda_beyond_the_first_zero():
    """gRDA from w on quadratics, γ small, t large, λ = c√γ·t^μ: the limit, not the closed form."""
    rng = np.random.default_rng(6)
    worse = 0
    for _ in range(3):
        _, P0, H = flat_space(rng, 6, 3)
        w = rng.normal(size=6)
        lam = 3 * until_first_zero(w, direction_scores(w, P0))
        lr, mu, steps = 0.05, 0.51, 20_000
        c = lam / (lr**0.5 * (lr * steps) ** mu)
        twin = quadratic_twin(w, H, lr, c, mu, steps)
        limit = flat_l1(w, P0, lam).w
        away = np.linalg.norm(twin.w - limit)
        assert away < 0.02 * np.linalg.norm(limit - w)
        closed = directional_pruning(w, direction_scores(w, P0), lam)
        worse += np.linalg.norm(twin.w - closed) > 3 * away
    assert worse >= 2


def test_flat_l1_says_when_it_has_not_converged():
    rng = np.random.default_rng(7)
    _, P0, _ = flat_space(rng, 6, 3)
    result = flat_l1(rng.normal(size=6), P0, 2.0, max_iterations=3)
    assert not result.converged
    assert result.iterations == 3
    assert result.residual > 1e-3


# ------------------------------------------------- the quadratic twin


def test_the_twin_is_grda_on_that_quadratic():
    rng = np.random.default_rng(8)
    for k in (1, 4):  # mostly sharp and mostly flat: both ways to multiply by H
        _, _, H = flat_space(rng, 5, k)
        w = rng.normal(size=5)
        parameter = nn.Parameter(torch.tensor(w))
        optimizer = GRDA([parameter], lr=0.1, c=0.3, mu=0.6)
        for _ in range(200):
            parameter.grad = torch.tensor(H) @ (parameter.detach() - torch.tensor(w))
            optimizer.step()
        twin = quadratic_twin(w, H, lr=0.1, c=0.3, mu=0.6, steps=200)
        np.testing.assert_allclose(twin.w, parameter.detach().numpy(), atol=1e-12)
        state = optimizer.state[parameter]
        np.testing.assert_allclose(twin.v, state["accumulator"].numpy(), atol=1e-12)
        assert twin.threshold == pytest.approx(state["threshold"])
        assert (twin.w == 0).any()


def test_the_twin_ignores_negative_curvature_and_the_antisymmetric_part():
    w = np.array([1.0, -0.5])
    plain = quadratic_twin(w, np.diag([2.0, 0.0]), 0.1, 0.02, 0.51, 50)
    odd = quadratic_twin(w, np.array([[2.0, 0.7], [-0.7, -3.0]]), 0.1, 0.02, 0.51, 50)
    np.testing.assert_allclose(odd.w, plain.w, atol=1e-12)


def test_no_step_and_no_penalty_leave_the_weights():
    w, H = np.array([1.0, -0.5]), np.diag([2.0, 0.0])
    np.testing.assert_array_equal(quadratic_twin(w, H, 0.1, 0.02, 0.51, 0).w, w)
    np.testing.assert_array_equal(quadratic_twin(w, H, 0.1, 0.0, 0.51, 30).w, w)


def test_the_twin_refuses_steps_that_grow_without_bound():
    with pytest.raises(
        ValueError,
        match=r"lr = 0\.5: accepted is a number < 0\.5, two by the largest eigenvalue of H, 4",
    ):
        quadratic_twin(np.ones(2), np.diag([4.0, 1.0]), 0.5, 0.02, 0.51, 5)


# ------------------------------------------------- optimal brain surgeon


def constrained_minimum(w, H, removed):
    """Lowest point of ½(u - w)ᵀH(u - w) with u zero on ``removed``, by the linear system."""
    left = np.setdiff1d(np.arange(w.size), removed)
    u = np.zeros(w.size)
    # H_ll (u_l - w_l) = H_lr w_r
    u[left] = w[left] + np.linalg.solve(
        H[np.ix_(left, left)], H[np.ix_(left, removed)] @ w[removed]
    )
    return u, 0.5 * (u - w) @ H @ (u - w)


def test_obs_against_brute_force():
    """Each removal is the cheapest of all, and the weights are the lowest point that it leaves."""
    rng = np.random.default_rng(9)
    _, _, H = flat_space(rng, 6, 2)
    w, epsilon = rng.normal(size=6), 0.05
    damped = H + epsilon * np.eye(6)
    result = obs_pruning(w, H, 4, epsilon=epsilon)
    removed = []
    before = 0.0
    for q, increase in zip(result.order, result.increase, strict=True):
        costs = {
            j: constrained_minimum(w, damped, [*removed, j])[1]
            for j in range(6)
            if j not in removed
        }
        assert q == min(costs, key=costs.get)
        assert increase == pytest.approx(costs[q] - before)
        before = costs[q]
        removed.append(int(q))
    np.testing.assert_allclose(result.w, constrained_minimum(w, damped, removed)[0], atol=1e-9)
    assert (result.w[removed] == 0).all()


def test_obs_removes_the_best_single_weight_of_all_choices():
    rng = np.random.default_rng(10)
    for _ in range(5):
        _, _, H = flat_space(rng, 5, 0)
        w = rng.normal(size=5)
        result = obs_pruning(w, H, 1, epsilon=1e-9)
        best = min(
            itertools.combinations(range(5), 1), key=lambda r: constrained_minimum(w, H, [*r])[1]
        )
        assert result.order.tolist() == list(best)


def test_epsilon_decides_how_far_the_correction_goes_along_the_floor():
    """Flat direction (1, 1)/√2: with small ε the other weight follows, with large ε nothing does."""
    w, H = np.array([0.5, 2.0]), np.array([[1.0, -1.0], [-1.0, 1.0]])
    free = obs_pruning(w, H, 1, epsilon=1e-8)
    held = obs_pruning(w, H, 1, epsilon=1e8)
    np.testing.assert_allclose(free.w, [0.0, 1.5], atol=1e-6)
    np.testing.assert_allclose(held.w, [0.0, 2.0], atol=1e-6)
    assert free.increase[0] == pytest.approx(0.5 * 1e-8 * 0.5, rel=1e-3)


def test_obs_refuses_a_hessian_that_is_not_positive_definite_after_epsilon():
    with pytest.raises(ValueError, match=r"epsilon = 0\.1: accepted is a number > 0\.5"):
        obs_pruning(np.ones(2), np.diag([1.0, -0.5]), 1, epsilon=0.1)


# ------------------------------------------------- by size


def test_magnitude_global_and_by_layer():
    weights = {"a": np.array([[0.1, 0.2], [0.3, 4.0]]), "b": np.array([1.0, 2.0])}
    everything = magnitude_pruning(weights, 0.5)
    np.testing.assert_array_equal(everything["a"], [[0, 0], [0, 4.0]])
    np.testing.assert_array_equal(everything["b"], [1.0, 2.0])
    layers = magnitude_pruning(weights, 0.5, by_layer=True)
    np.testing.assert_array_equal(layers["a"], [[0, 0], [0.3, 4.0]])
    np.testing.assert_array_equal(layers["b"], [0, 2.0])


def test_magnitude_makes_exactly_as_many_zeros_as_asked_also_among_equals():
    w = np.array([1.0, -1.0, 1.0, -1.0])
    np.testing.assert_array_equal(magnitude_pruning(w, 0.5), [0, 0, 1.0, -1.0])
    assert (magnitude_pruning(w, 0.0) != 0).all()
    assert (magnitude_pruning(w, 1.0) == 0).all()


def test_soft_and_hard_at_the_threshold_for_a_number_of_zeros():
    rng = np.random.default_rng(11)
    w = rng.normal(size=40)
    for zeros in (0, 1, 17, 40):
        tau = threshold_for(w, zeros)
        soft, hard = soft_pruning(w, tau), hard_pruning(w, tau)
        assert (soft == 0).sum() == (hard == 0).sum() == zeros
        np.testing.assert_allclose(np.abs(soft), np.maximum(np.abs(w) - tau, 0))
        np.testing.assert_array_equal(hard[hard != 0], w[hard != 0])


# ------------------------------------------------- kinds of weights


def methods():
    """name -> a function of weights of any kind with 3 entries, for an input of three weights."""
    P0 = np.full((3, 3), 1 / 3)
    H = np.eye(3) - P0
    s = np.array([0.5, -0.1, 0.4])
    return {
        "soft": lambda w: soft_pruning(w, 0.3),
        "hard": lambda w: hard_pruning(w, 0.3),
        "magnitude": lambda w: magnitude_pruning(w, 1 / 3),
        "directional": lambda w: directional_pruning(w, s, 0.5),
        "flat": lambda w: flat_l1(w, P0, 0.2).w,
        "twin": lambda w: quadratic_twin(w, H, 0.1, 0.1, 0.51, 20).w,
        "obs": lambda w: obs_pruning(w, H, 1).w,
    }


@pytest.mark.parametrize("name", methods())
def test_the_same_kind_comes_back_and_the_input_stays(name):
    method = methods()[name]
    numbers = [0.2, -1.0, 2.0]
    reference = method(np.array(numbers))
    assert type(reference) is np.ndarray and reference.dtype == np.float64
    assert method(np.array(numbers, np.float32)).dtype == np.float64

    tensor = torch.tensor(numbers, requires_grad=True)
    out = method(tensor)
    assert out.dtype == torch.float32 and not out.requires_grad
    assert tensor.tolist() == pytest.approx(numbers)
    np.testing.assert_allclose(out.numpy(), reference, atol=1e-6)

    parts = {"a": torch.tensor([numbers[:2]], dtype=torch.float64), "b": np.array(numbers[2:])}
    out = method(parts)
    assert out["a"].shape == (1, 2) and out["a"].dtype == torch.float64
    np.testing.assert_allclose([*out["a"][0].tolist(), *out["b"]], reference, atol=1e-12)

    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([numbers[:2]]))
        model.bias.copy_(torch.tensor(numbers[2:]))
    before = deepcopy(model.state_dict())
    out = method(model)
    assert type(out) is nn.Linear and out is not model
    flat = torch.cat([p.detach().flatten() for p in out.parameters()])
    np.testing.assert_allclose(flat.numpy(), reference, atol=1e-6)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert {key: mask.tolist() for key, mask in alive(out).items()} == {
        "weight": [[reference[0] != 0, reference[1] != 0]],
        "bias": [reference[2] != 0],
    }


def test_the_result_shares_no_memory_with_the_input():
    w = np.array([1.0, 2.0])
    soft_pruning(w, 0.0)[0] = 9.0
    obs_pruning(w, np.eye(2), 0).w[0] = 9.0
    tensor = torch.tensor([1.0, 2.0], dtype=torch.float64)
    hard_pruning(tensor, 0.0)[0] = 9.0
    assert w.tolist() == tensor.tolist() == [1.0, 2.0]


def test_a_tied_tensor_of_a_model_is_one_set_of_weights():
    layer = nn.Linear(2, 2, bias=False)
    model = nn.Sequential(layer, layer)
    out = magnitude_pruning(model, 0.5)
    assert out[0].weight is out[1].weight
    assert int((out[0].weight == 0).sum()) == 2


def test_masks_are_of_the_same_kind():
    assert alive(np.array([0.0, -0.0, 2.0])).tolist() == [False, False, True]
    mask = alive(torch.tensor([0.0, 3.0]))
    assert mask.dtype == torch.bool and mask.tolist() == [False, True]


def test_no_result_has_a_negative_zero():
    w = np.array([-0.1, -2.0])
    for out in (
        soft_pruning(w, 1.0),
        hard_pruning(w, 1.0),
        directional_pruning(w, np.ones(2), 1.0),
    ):
        assert not np.signbit(out[0])


def test_numpy_weights_need_no_torch():
    code = """
import sys
import numpy as np
from grda_edu import direction_scores, directional_pruning, flat_l1, obs_pruning, quadratic_twin
w, P0 = np.array([1.0, -0.5]), np.array([[0.64, 0.48], [0.48, 0.36]])
directional_pruning(w, direction_scores(w, P0), 0.1)
flat_l1(w, P0, 0.1), obs_pruning(w, np.eye(2) - P0, 1), quadratic_twin(w, np.eye(2) - P0, .1, .1, .6, 9)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# ------------------------------------------------- bad input

W = np.array([1.0, -2.0, 0.5])
I3 = np.eye(3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: directional_pruning(W, np.ones(3), -0.1), r"lam = -0\.1: accepted is .*>= 0"),
        (lambda: directional_pruning(W, np.ones(3), np.nan), "lam = nan: accepted"),
        (lambda: directional_pruning(W, np.ones(2), 0.1), r"s has shape \(2,\): accepted .*\(3,\)"),
        (lambda: directional_pruning(np.array([np.nan, 1]), np.ones(2), 0.1), "w has NaN"),
        (lambda: directional_pruning(W, np.array([1, np.inf, 0]), 0.1), "s has NaN or infinity"),
        (lambda: directional_pruning(np.zeros(0), np.zeros(0), 0.1), "w holds no weights"),
        (lambda: direction_scores(W, np.eye(2)), r"P0 has shape \(2, 2\): accepted is \(3, 3\)"),
        (lambda: direction_scores(W, np.ones(3)), r"P0 has shape \(3,\)"),
        (lambda: direction_scores(W, np.triu(np.ones((3, 3)))), "P0 is not symmetric.*size 1"),
        (lambda: direction_scores(W, 2 * I3), "P0 is not idempotent.*size 2"),
        (lambda: direction_scores(W, 2 * I3[:, :1]), "P0 is not an orthonormal basis.*size 3"),
        (lambda: direction_scores(W, np.full((3, 3), np.nan)), "P0 has NaN"),
        (lambda: flat_l1(W, I3, -1), "lam = -1: accepted"),
        (lambda: flat_l1(W, 0.5 * I3, 1), "P0 is not idempotent"),
        (lambda: flat_l1(W, I3, 1, max_iterations=0), "max_iterations = 0: accepted"),
        (lambda: quadratic_twin(W, np.eye(2), 0.1, 0.1, 0.6, 5), r"H has shape \(2, 2\)"),
        (lambda: quadratic_twin(W, I3, 0.0, 0.1, 0.6, 5), r"lr = 0\.0: accepted"),
        (lambda: quadratic_twin(W, I3, 0.1, -0.1, 0.6, 5), r"c = -0\.1: accepted"),
        (lambda: quadratic_twin(W, I3, 0.1, 0.1, 0.6, -5), "steps = -5: accepted"),
        (lambda: quadratic_twin(W, I3 * np.nan, 0.1, 0.1, 0.6, 5), "H has NaN"),
        (lambda: obs_pruning(W, I3, 4), "zeros = 4: accepted is .* 3"),
        (lambda: obs_pruning(W, I3, 1, epsilon=0.0), r"epsilon = 0\.0: accepted"),
        (lambda: obs_pruning(W, np.eye(4), 1), r"H has shape \(4, 4\)"),
        (lambda: magnitude_pruning(W, 1.1), r"fraction = 1\.1: accepted"),
        (lambda: magnitude_pruning(W, np.nan), "fraction = nan: accepted"),
        (
            lambda: magnitude_pruning(W, 0.5, by_layer=True),
            "by_layer = True with weights of type ndarray",
        ),
        (lambda: magnitude_pruning({}, 0.5), "w holds no weights"),
        (lambda: soft_pruning(W, -1), "tau = -1: accepted"),
        (lambda: hard_pruning(W, np.nan), "tau = nan: accepted"),
        (lambda: threshold_for(W, 4), "zeros = 4: accepted"),
    ],
)
def test_bad_input_is_named_with_what_is_accepted(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")  # "… support is in beta state"
@pytest.mark.parametrize("layout", ["to_sparse_coo", "to_sparse_csr", "to_sparse_csc"])
def test_a_sparse_layout_is_read_like_the_dense_one(layout):
    dense = torch.tensor([[0.0, 1.0], [2.0, -3.0]])
    sparse = getattr(dense, layout)()
    assert alive(sparse).tolist() == [[False, True], [True, True]]
    assert magnitude_pruning(sparse, 0.5).tolist() == [[0, 0], [2, -3]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_every_function_keeps_the_dtype(dtype):
    """The survivors of a pruning by size are the same numbers, bit for bit; numpy has no bfloat16."""
    w = torch.tensor([1.1, -0.3, 0.2, -2.7]).to(dtype)
    s = direction_scores(w, np.eye(4))
    kept = magnitude_pruning(w, 0.5)
    assert torch.equal(kept, w * torch.tensor([1, 0, 0, 1]).to(dtype))
    assert torch.equal(hard_pruning(w, 0.5), kept)
    for out in (
        kept,
        soft_pruning(w, 0.5),
        directional_pruning(w, s, 0.5),
        flat_l1(w, np.eye(4), 0.5).w,
        quadratic_twin(w, np.eye(4), 0.1, 0.1, 0.6, 3).w,
        obs_pruning(w, np.eye(4), 2).w,
    ):
        assert out.dtype == dtype and out.shape == w.shape and out.device == w.device
    model = nn.Linear(2, 2).to(dtype)
    assert {p.dtype for p in magnitude_pruning(model, 0.5).parameters()} == {dtype}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda layer: prune.l1_unstructured(layer, "weight", 0.5), "Linear is pruned with torch"),
        (nn.utils.parametrizations.weight_norm, "Linear is parametrized: accepted are plain"),
    ],
)
def test_a_layer_that_computes_its_weights_is_named(make, words):
    layer = make(nn.Linear(3, 2))
    for call in (lambda: magnitude_pruning(layer, 0.5), lambda: soft_pruning(layer, 0.1)):
        with pytest.raises(ValueError, match=words):
            call()


def test_buffers_are_left_alone_and_a_state_dict_is_named():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    model[1].running_mean.fill_(1e-3)
    small = magnitude_pruning(model, 0.9)
    assert all(map(torch.equal, small.buffers(), model.buffers()))
    with pytest.raises(ValueError, match=r"1.num_batches_tracked has dtype torch.int64: accepted"):
        magnitude_pruning(model.state_dict(), 0.9)
