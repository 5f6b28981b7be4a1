"""The valley against closed forms, searches along its floor, and GRDA itself."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from grda_edu.geometry.pruning import flat_l1
from grda_edu.shrinkage import tuning_function
from grda_edu.toy.flat_valley import (
    METHODS,
    Valley,
    direction,
    first_zero,
    floor_l1,
    grda_paths,
    line_valley,
    pruning_paths,
    surgeon_prices,
)

ANGLES = (-75, -45, -25, -5, 0, 15, 40, 45, 60, 90)
LAMS = np.linspace(0, 3, 13)


@pytest.fixture(params=ANGLES)
def valley(request):
    return line_valley((1.0, 0.4), request.param, 0.2)


def test_the_floor_is_flat_and_the_rest_is_not(valley):
    """Eigenvalues 0 and h; w_SGD on the floor; P0 the eigenspace of 0; loss by finite differences."""
    values, vectors = np.linalg.eigh(valley.H)
    np.testing.assert_allclose(values, [0, valley.curvature], atol=1e-12)
    np.testing.assert_allclose(valley.P0, np.outer(vectors[:, 0], vectors[:, 0]), atol=1e-12)
    assert valley.loss(valley.w) == 0
    flat = vectors[:, 0]
    np.testing.assert_allclose(valley.loss(valley.w + np.outer([-2, 0.5, 3], flat)), 0, atol=1e-25)
    d = 1e-3
    point = np.array([0.3, -0.8])
    second = valley.loss(point + d * valley.sharp) + valley.loss(point - d * valley.sharp)
    second -= 2 * valley.loss(point)
    assert second / d**2 == pytest.approx(valley.curvature, rel=1e-6)


def test_the_place_moves_w_along_the_floor_through_the_pivot():
    for angle in ANGLES:
        away = line_valley((1.0, 0.4), angle, -0.5).w - np.array([1.0, 0.4])
        np.testing.assert_allclose(away, -0.5 * direction(angle), atol=1e-12)
    assert direction(90).tolist() == [0.0, 1.0]
    assert direction(45)[0] == direction(45)[1]


def test_first_zero_is_where_the_path_meets_an_axis(valley):
    j, lam = first_zero(valley.w, valley.scores)
    if j < 0:
        assert (valley.scores < 1e-12).all()
        return
    before, after = (
        pruning_paths(valley, np.array([lam * f]))["directional"][0] for f in (0.999, 1.001)
    )
    assert (before != 0).all() and after[j] == 0


def test_every_path_begins_at_w(valley):
    paths = pruning_paths(valley, LAMS)
    assert set(paths) == set(METHODS)
    for name in METHODS:
        assert paths[name].shape == (13, 2)
        np.testing.assert_array_equal(paths[name][0], valley.w)


def test_the_exact_floor_path_is_flat_l1_and_the_lowest_point_of_a_search(valley):
    u = np.array([valley.sharp[1], -valley.sharp[0]])
    for lam in LAMS:
        exact = floor_l1(valley, lam)
        np.testing.assert_allclose(exact, flat_l1(valley.w, valley.P0, lam).w, atol=1e-7)

        def cost(a, lam=lam):
            return 0.5 * a**2 + lam * np.abs(valley.w + a * u).sum()

        found = minimize_scalar(cost, bounds=(-9, 9), method="bounded", options={"xatol": 1e-9})
        assert cost((exact - valley.w) @ u) <= found.fun + 1e-9
        assert valley.loss(exact) < 1e-20


def test_soft_and_magnitude_by_hand():
    paths = pruning_paths(line_valley((1.0, -0.4), 30.0), np.array([0.3, 0.6, 1.2]))
    np.testing.assert_allclose(paths["soft"], [[0.7, -0.1], [0.4, 0], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(paths["magnitude"], [[1, -0.4], [1, 0], [0, 0]])


def test_the_surgeon_jumps_to_where_the_floor_meets_the_nearer_axis(valley):
    """At a λ that is the length of the jump; the loss stays within what ε allows."""
    u = np.array([valley.sharp[1], -valley.sharp[0]])
    distances = np.abs(np.divide(valley.w, u, out=np.full(2, np.inf), where=u != 0))
    q, length = int(np.argmin(distances)), distances.min()
    assert surgeon_prices(valley)[0] == pytest.approx(length, rel=2e-3)
    before, after = pruning_paths(valley, np.array([0.99, 1.01]) * length)["obs"]
    np.testing.assert_array_equal(before, valley.w)
    assert after[q] == 0
    assert np.linalg.norm(after - valley.w) == pytest.approx(length, rel=2e-3)
    assert valley.loss(after) < 1e-5


def test_with_nothing_sharp_the_surgeon_is_magnitude_pruning():
    flat = Valley(np.array([0.9, -0.3, 0.5]), np.array([0.0, 0.0, 1.0]), curvature=0.0)
    paths = pruning_paths(flat, np.array([0.0, 0.29, 0.31, 0.6, 1.0]))
    np.testing.assert_allclose(paths["obs"], paths["magnitude"], atol=1e-12)


def test_three_weights_stay_on_the_plane_where_the_closed_form_leaves_it():
    valley = Valley(np.array([1.0, 0.5, 0.7]), np.array([2.0, -1.0, 2.0]) / 3)
    paths = pruning_paths(valley, np.linspace(0, 3, 7))
    assert valley.loss(paths["floor"]).max() < 1e-15
    assert valley.loss(paths["directional"]).max() > 0.01


def test_grda_paths_are_the_update_written_out():
    """Two valleys at once against a plain loop over numbers."""
    valleys = [line_valley((1.0, 0.4), angle) for angle in (15, -25)]
    starts = np.array([[0.5, 1.0], [1.5, -0.4]])
    lr, c, mu = 0.1, 0.8, 0.6
    keep = np.array([0, 1, 4, 50])
    found = grda_paths(valleys, starts, lr, c, mu, keep)
    assert found.shape == (2, 4, 2)
    for k, valley in enumerate(valleys):
        v, w, seen = starts[k].tolist(), starts[k].tolist(), [starts[k].tolist()]
        for n in range(1, 51):
            pull = 4.0 * sum(valley.sharp[i] * (w[i] - valley.w[i]) for i in range(2))
            v = [v[i] - lr * pull * valley.sharp[i] for i in range(2)]
            g = c * lr**0.5 * (n * lr) ** mu
            w = [max(abs(x) - g, 0) * (1 if x > 0 else -1) for x in v]
            if n in keep:
                seen.append(w)
        np.testing.assert_allclose(found[k], seen, atol=1e-12)


def test_the_flat_part_of_the_accumulator_never_moves_so_grda_gives_way_by_lambda():
    """Without a zero on the way: P0 w = P0 w_0 - λ P0 sign(w), exactly, at every step."""
    valley = line_valley((1.0, 0.4), 15.0)
    start = valley.w + 0.3 * valley.sharp
    steps = np.arange(0, 40)
    w = grda_paths([valley], start[None], 0.05, 0.5, 0.51, steps)[0]
    assert (w > 0).all()
    lams = tuning_function(steps, 0.05, 0.5, 0.51)
    np.testing.assert_allclose(
        w @ valley.P0, valley.P0 @ start - np.outer(lams, valley.P0 @ np.ones(2)), atol=1e-12
    )


def test_without_a_penalty_it_slides_to_the_floor_straight_across():
    valley = line_valley((1.0, 0.4), 65.0)
    end = grda_paths([valley], (valley.w + valley.sharp)[None], 0.1, 0.0, 0.51, np.array([300]))
    np.testing.assert_allclose(end[0, 0], valley.w, atol=1e-10)
