"""The regression against plain loops, torch's GRDA, closed forms and Lasso's own conditions."""

import itertools

import numpy as np
import pytest
import torch

from grda_edu import GRDA
from grda_edu.reference import grda as paper
from grda_edu.toy import regression
from grda_edu.toy.regression import sparse_regression

LR = 0.02


@pytest.fixture(scope="module")
def problem():
    return sparse_regression(4)


def batches(problem, size, seed, count):
    """The first ``count`` batches, drawn once more: every pass a new order of all observations."""
    rng, rows = np.random.default_rng(seed), []
    while len(rows) < count:
        rows += list(rng.permutation(len(problem.y)).reshape(-1, size))
    return rows[:count]


def test_the_problem_is_what_its_docstring_says(problem):
    assert problem.x.shape == (80, 200) and problem.y.shape == (80,)
    sizes = np.abs(problem.truth[problem.truth != 0])
    assert sizes.size == 10 and sizes.min() >= 0.5 and sizes.max() <= 1.5
    residual = problem.y - problem.x @ problem.truth
    assert residual.std() == pytest.approx(problem.noise, rel=0.25)
    assert problem.start.std() == pytest.approx(0.1, rel=0.2)
    again, other = sparse_regression(4), sparse_regression(5)
    np.testing.assert_array_equal(problem.y, again.y)
    assert not np.allclose(problem.y, other.y)


def test_the_gradient_is_that_of_the_loss(problem):
    rng = np.random.default_rng(0)
    w, direction, step = rng.standard_normal(200), rng.standard_normal(200), 1e-5

    def loss(w):
        return ((problem.x @ w - problem.y) ** 2).sum() / (2 * 80)

    slope = (loss(w + step * direction) - loss(w - step * direction)) / (2 * step)
    assert problem.gradient(w) @ direction == pytest.approx(slope, rel=1e-6)


def test_every_cell_is_a_run_of_its_own(problem):
    """Against the paper's update, one cell after the other, with gradients of plain loops."""
    c, mu, steps, seed = [0.0, 0.5, 8.0], [0.51, 0.9], 60, 3
    together = regression.grda(problem, c, mu, lr=LR, record=[0, 20, steps], seed=seed)
    assert together.shape == (3, 3, 2, 200)
    rows = batches(problem, 10, seed, steps)
    for (i, c_i), (j, mu_j) in itertools.product(enumerate(c), enumerate(mu)):
        w = [problem.start]

        def gradients(w=w):
            for batch in rows:
                x, y = problem.x[batch], problem.y[batch]
                yield sum((row @ w[-1] - value) * row for row, value in zip(x, y, strict=True)) / 10

        for now, _, _ in paper(problem.start, gradients(), [LR] * steps, c_i, mu_j):
            w.append(now)
        for k, n in enumerate((0, 20, steps)):
            np.testing.assert_allclose(together[k, i, j], w[n], atol=1e-10)


def test_a_cell_is_what_the_optimizer_of_the_course_does(problem):
    c, mu, steps = 5.0, 0.7, 200
    ours = regression.grda(problem, [c], [mu], lr=LR, record=[steps], seed=2)[0, 0, 0]
    w = torch.nn.Parameter(torch.tensor(problem.start))
    x, y = torch.tensor(problem.x), torch.tensor(problem.y)
    optimizer = GRDA([w], lr=LR, c=c, mu=mu)
    for batch in batches(problem, 10, 2, steps):
        optimizer.zero_grad()
        (0.5 * (x[batch] @ w - y[batch]).square().mean()).backward()
        optimizer.step()
    np.testing.assert_allclose(ours, w.detach().numpy(), atol=1e-8)
    np.testing.assert_array_equal(ours == 0, w.detach().numpy() == 0)


def test_without_c_it_is_sgd_and_keeps_the_start_where_the_loss_is_flat(problem):
    w = problem.start.copy()
    for batch in batches(problem, 10, 0, 300):
        x, y = problem.x[batch], problem.y[batch]
        w = w - LR * x.T @ (x @ w - y) / 10
    ours = regression.grda(problem, [0.0], [0.51, 0.9], lr=LR, record=[300])[0, 0]
    np.testing.assert_allclose(ours, [w, w], atol=1e-10)
    flat = np.linalg.svd(problem.x)[2][80:]  # the directions that no observation sees
    np.testing.assert_allclose(flat @ ours[0], flat @ problem.start, atol=1e-10)


def test_many_full_steps_of_sgd_end_at_the_nearest_perfect_fit(problem):
    ours = regression.grda(problem, [0.0], [0.6], lr=0.2, record=[4000], batch=80)[0, 0, 0]
    nearest = problem.start + np.linalg.pinv(problem.x) @ (problem.y - problem.x @ problem.start)
    np.testing.assert_allclose(ours, nearest, atol=1e-6)


def test_a_flat_weight_dies_when_the_threshold_passes_it():
    """A column of zeros: its weight is not pushed, so t* = (|w0|/(c√γ))^(1/μ) is exact."""
    made = sparse_regression(1)
    x = made.x.copy()
    x[:, 0] = 0
    flat = regression.Regression(x, made.y, made.truth, made.start, made.noise)
    c, mu = 0.05, 0.6
    death = (abs(flat.start[0]) / (c * LR**0.5)) ** (1 / mu) / LR
    before, after = int(np.floor(death)), int(np.ceil(death))
    w = regression.grda(flat, [c], [mu], lr=LR, record=[before, after])[:, 0, 0, 0]
    assert w[0] != 0 and w[1] == 0


def test_measures_of_an_answer():
    truth = np.array([3.0, 0.0, 0.0, -4.0])
    w = np.array([[3.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, -4.0], [0.0, 0.0, 0.0, 0.0]])
    true, false = regression.alive(w, truth)
    assert true.tolist() == [1, 1, 0] and false.tolist() == [0, 2, 0]
    np.testing.assert_allclose(regression.distance(w, truth), [0.8, np.sqrt(11) / 5, 1.0])


def test_the_prediction_error_is_that_on_new_observations(problem):
    rng = np.random.default_rng(8)
    w = problem.truth + 0.05 * rng.standard_normal(200)
    x = rng.standard_normal((20_000, 200))
    y = x @ problem.truth + problem.noise * rng.standard_normal(20_000)
    measured = np.sqrt(np.mean((x @ w - y) ** 2))
    assert regression.prediction_error(problem, w) == pytest.approx(measured, rel=0.02)
    assert regression.training_error(problem, problem.truth) < 1.3 * problem.noise
    np.testing.assert_allclose(
        regression.training_error(problem, np.stack([w, w])),
        np.linalg.norm(problem.x @ w - problem.y) / np.sqrt(80),
    )


def test_lasso_fulfils_the_conditions_of_its_minimum(problem):
    """-∇L = λ sign(w) where w lives, |∇L| ≤ λ where it is zero."""
    path, largest = regression.lasso(problem, count=30), regression.largest_lambda(problem)
    lambdas = largest * np.geomspace(1, 1e-3, 30)
    assert (path[0] == 0).all() and (path[1] != 0).any()
    for w, lam in zip(path[1:], lambdas[1:], strict=True):
        gradient = problem.x.T @ (problem.x @ w - problem.y) / 80
        np.testing.assert_allclose(gradient[w != 0], -lam * np.sign(w[w != 0]), atol=2e-3 * largest)
        assert np.abs(gradient).max() <= lam + 2e-3 * largest


def test_lasso_of_orthogonal_columns_is_soft_thresholding():
    rng = np.random.default_rng(2)
    q, _ = np.linalg.qr(rng.standard_normal((40, 12)))
    x, truth = q * np.sqrt(40), np.array([2.0, -1.0, *[0.0] * 10])
    y = x @ truth + 0.3 * rng.standard_normal(40)
    made = regression.Regression(x, y, truth, np.zeros(12), 0.3)
    best = x.T @ y / 40  # least squares
    lambdas = np.abs(best).max() * np.geomspace(1, 1e-3, 9)
    for w, lam in zip(regression.lasso(made, count=9), lambdas, strict=True):
        expected = np.sign(best) * np.maximum(np.abs(best) - lam, 0)
        np.testing.assert_allclose(w, expected, atol=1e-6)


def test_refitting_is_least_squares_on_the_survivors(problem):
    w = np.where(problem.truth != 0, 0.1, 0.0)
    w[np.flatnonzero(problem.truth == 0)[:3]] = 1.0
    fitted = regression.refit(problem, w)
    kept = w != 0
    x = problem.x[:, kept]
    np.testing.assert_allclose(fitted[kept], np.linalg.solve(x.T @ x, x.T @ problem.y))
    assert (fitted[~kept] == 0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"c": [0.1, np.nan]}, "c = nan: accepted is a finite number >= 0"),
        ({"c": [0.1, -1.0]}, "c = -1.0: accepted is a finite number >= 0"),
        ({"c": [0.1, np.inf]}, "c = inf: accepted"),
        ({"c": [0.1, 0.2, 0.1]}, "c = .*: accepted is each value once, 0.1 is there twice"),
        ({"c": []}, "c = ..: accepted is a list of at least one value"),
        ({"c": 0.1}, "c = 0.1: accepted is a list of at least one value"),
        ({"mu": [0.6, np.nan]}, "mu = nan: accepted is a finite number > 0"),
        ({"mu": [0.0]}, "mu = 0.0: accepted is a finite number > 0"),
        ({"mu": [0.6, 0.6]}, "mu = .*: accepted is each value once, 0.6 is there twice"),
        ({"lr": 0.0}, "lr = 0.0: accepted is a finite number > 0"),
        ({"lr": np.nan}, "lr = nan: accepted is a finite number > 0"),
        ({"record": []}, "record = ..: accepted is at least one integer >= 0, each above the last"),
        ({"record": [5, 5]}, "record = .5, 5.: accepted is .* each above the last"),
        ({"record": [-1, 5]}, "record = .-1, 5.: accepted is .* each above the last"),
        ({"batch": 7}, "batch = 7: accepted is a divisor of 80"),
        ({"batch": 0}, "batch = 0: accepted is a divisor of 80"),
    ],
)
def test_bad_input_is_named(problem, change, message):
    arguments = {"c": [0.1], "mu": [0.6], "lr": LR, "record": [3]} | change
    with pytest.raises(ValueError, match=message):
        regression.grda(problem, **arguments)


def test_a_training_that_diverges_says_so(problem):
    with pytest.raises(
        ValueError,
        match=r"lr = 5: accepted is a smaller one, the weights grew without bound by step 2000",
    ):
        regression.grda(problem, [0.1], [0.6], lr=5, record=[2000])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"observations": 0}, "observations = 0: accepted is an integer >= 1"),
        ({"weights": 0}, "weights = 0"),
        ({"true": 0}, "true = 0"),
        ({"true": 201}, "true = 201: accepted is an integer from 1 to 200, the number of weights"),
        ({"noise": -1.0}, "noise = -1.0: accepted is a finite number >= 0"),
        ({"noise": np.nan}, "noise = nan"),
    ],
)
def test_a_problem_that_cannot_be_made(change, message):
    with pytest.raises(ValueError, match=message):
        sparse_regression(0, **change)
