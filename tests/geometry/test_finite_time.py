"""Finite-time scores against closed forms, dense eigenvectors, gRDA itself and a network's whole Hessian."""

from threading import Event

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn

from grda_edu import digits, direction_scores, directional_pruning, quadratic_twin, small_digits_cnn
from grda_edu.geometry.curvature import FixedLoss, hessian
from grda_edu.geometry.evidence import directional_at_zeros
from grda_edu.geometry.finite_time import (
    decay,
    directional_pruning_in_steps,
    finite_time_scores,
    hard_cutoff,
    krylov,
    response,
)
from grda_edu.recordings import load_measurements


class Valley(nn.Module):
    """½ (w - w0)ᵀ A (w - w0) whatever the data, in two tensors: a Hessian that is known, and its lowest point."""

    def __init__(self, w, matrix):
        super().__init__()
        self.matrix, self.lowest = torch.tensor(matrix), torch.tensor(w)
        half = len(w) // 2
        self.first = nn.Parameter(torch.tensor(w[:half]).view(1, -1))
        self.second = nn.Parameter(torch.tensor(w[half:]))

    def forward(self, x):
        away = torch.cat([self.first.flatten(), self.second]) - self.lowest
        return (0.5 * away @ self.matrix @ away).expand(len(x))


def valley(values, seed=0, turned=True):
    """Weights, Hessian with these eigenvalues, and the loss."""
    rng = np.random.default_rng(seed)
    size = len(values)
    turn = np.linalg.qr(rng.standard_normal((size, size)))[0] if turned else np.eye(size)
    w, matrix = rng.standard_normal(size), (turn * np.asarray(values)) @ turn.T
    data = torch.zeros(5, 1, dtype=torch.float64), torch.zeros(5)
    return w, matrix, FixedLoss(Valley(w, matrix), data, lambda outputs, _: outputs.mean())


def exact(w, matrix, of_values):
    """sign(w)·(f(H) sign(w)) by all eigenvectors."""
    values, vectors = np.linalg.eigh(matrix)
    return np.sign(w) * (vectors @ (of_values(values) * (vectors.T @ np.sign(w))))


SPREAD = np.r_[np.zeros(6), np.geomspace(1e-5, 3.0, 24)]


# ------------------------------------------------- the filter


@pytest.mark.parametrize("mu", [0.501, 0.7, 1.0, 1.4])
def test_the_response_is_its_integral(mu):
    for x in (0.0, 0.3, 4.0, 60.0, 900.0):  # with v = u^μ the integrand has no pole
        integral, _ = quad(
            lambda v, x=x: np.exp(-x * (1 - v ** (1 / mu))), 0, 1, points=[0.9, 0.999]
        )
        assert response(x, mu) == pytest.approx(integral, rel=1e-6)


def test_the_response_far_out_and_for_mu_1():
    x = np.array([0.1, 2.0, 50.0])
    np.testing.assert_allclose(response(x, 1.0), (1 - np.exp(-x)) / x, rtol=1e-12)
    np.testing.assert_allclose(response(np.array([1e8, 1e14]), 0.51), 0.51 / np.array([1e8, 1e14]))
    assert response(1e300, 0.51) >= 0


# ------------------------------------------------- closed forms


def test_a_diagonal_hessian():
    values = np.array([0.0, 0.01, 0.3, 2.0, 5.0])
    w, _, loss = valley(values, turned=False)
    found = finite_time_scores(loss, 7.0, 1.0, products=5)
    x = 7.0 * values[1:]
    np.testing.assert_allclose(found.s, np.r_[1, (1 - np.exp(-x)) / x], rtol=1e-10)
    assert found.products == 5 and found.error < 1e-12
    np.testing.assert_allclose(np.sign(w) * np.sign(w), 1)


@pytest.mark.parametrize("mu", [0.51, 0.7, 1.0])
def test_a_random_quadratic(mu):
    w, matrix, loss = valley(SPREAD)
    for t in (0.5, 20.0, 450.0):
        wanted = exact(w, matrix, lambda h, t=t: response(t * np.maximum(h, 0), mu))
        found = finite_time_scores(loss, t, mu, products=30)
        np.testing.assert_allclose(found.s, wanted, atol=1e-8)


def test_it_is_grda_to_first_order():
    """gRDA's own steps with so small a threshold that no weight reaches zero, γ small."""
    w, matrix, loss = valley(SPREAD, seed=1)
    lr, t, c = 0.005, 40.0, 1e-7
    for mu in (0.51, 0.7):
        steps = round(t / lr)
        ended = quadratic_twin(w, matrix, lr, c, mu, steps).w
        lam = c * lr**0.5 * t**mu
        found = finite_time_scores(loss, t, mu, products=30).s
        np.testing.assert_allclose((w - ended) * np.sign(w) / lam, found, atol=0.01)
        assert np.ptp(found) > 0.5


def test_with_time_it_becomes_the_projection():
    values = np.r_[np.zeros(8), np.linspace(0.5, 2, 8)]
    w, matrix, loss = valley(values, seed=2)
    projection = np.linalg.eigh(matrix)[1][:, :8]
    limit = direction_scores(w, projection)
    away = [
        np.abs(finite_time_scores(loss, t, 0.51, products=16).s - limit).max()
        for t in (1e1, 1e3, 1e5)
    ]
    assert away[0] > 0.05
    assert away[2] < 1e-5
    assert away[1] / away[2] == pytest.approx(100, rel=0.05)  # F falls like μ/(th)


def test_negative_curvature_counts_as_none():
    values = np.r_[-0.4, -0.01, 0.0, np.linspace(0.5, 3, 9)]
    w, matrix, loss = valley(values, seed=3)
    wanted = exact(w, matrix, lambda h: response(30 * np.maximum(h, 0), 0.6))
    np.testing.assert_allclose(finite_time_scores(loss, 30, 0.6, products=12).s, wanted, atol=1e-9)


def test_other_filters():
    w, matrix, loss = valley(SPREAD, seed=4)
    t = 50.0
    space = krylov(loss, products=30)
    for filter, of_values in (
        (decay, lambda h: np.exp(-t * np.maximum(h, 0))),
        (hard_cutoff(1e-2, t), lambda h: (h < 1e-2).astype(float)),
        (lambda x: 1 / (1 + x), lambda h: 1 / (1 + t * np.maximum(h, 0))),
    ):
        wanted = exact(w, matrix, of_values)
        np.testing.assert_allclose(space.scores(t, 0.51, filter=filter).s, wanted, atol=1e-7)
        again = finite_time_scores(loss, t, 0.51, products=30, filter=filter)
        np.testing.assert_allclose(again.s, wanted, atol=1e-7)


def test_a_dead_weight_stays_and_the_others_respond_as_a_network_without_it():
    w, matrix, loss = valley(SPREAD, seed=5)
    w[[2, 7, 20]] = 0.0
    alive = w != 0
    part = matrix[np.ix_(alive, alive)]
    wanted = exact(w[alive], part, lambda h: response(25 * np.maximum(h, 0), 0.6))
    found = finite_time_scores(loss, 25, 0.6, w=w, products=30)
    np.testing.assert_allclose(found.s[alive], wanted, atol=1e-8)
    assert (found.s[~alive] == 0).all() and found.products <= 27


def test_nothing_alive_and_nothing_curved():
    _, _, loss = valley(np.zeros(6))
    found = finite_time_scores(loss, 3, 0.6, products=4)
    np.testing.assert_allclose(found.s, 1)  # soft-thresholding
    assert found.products == 1 and found.error == 0
    found = finite_time_scores(loss, 3, 0.6, w=np.zeros(6), products=4)
    assert (found.s == 0).all() and found.products == 0


# ------------------------------------------------- Lanczos


def test_few_eigenvalues_need_few_products():
    w, matrix, loss = valley(np.r_[np.zeros(10), np.full(15, 0.2), np.full(15, 2.0)], seed=6)
    found = krylov(loss, products=40)
    assert found.products == 3 and found.exact
    np.testing.assert_allclose(found.values, [0, 0.2, 2.0], atol=1e-9)
    wanted = exact(w, matrix, lambda h: response(9 * np.maximum(h, 0), 0.51))
    np.testing.assert_allclose(found.scores(9, 0.51).s, wanted, atol=1e-9)


def test_the_basis_stays_orthonormal():
    """Without reorthogonalisation it would not, once the largest eigenvalue has been found."""
    _, _, loss = valley(np.r_[np.linspace(0, 0.05, 90), 40.0], seed=7)
    basis = krylov(loss, products=60).basis
    np.testing.assert_allclose(basis @ basis.T, np.eye(len(basis)), atol=1e-12)


@pytest.mark.parametrize("products", [6, 10, 16, 24])
def test_the_error_estimate_is_of_the_size_of_the_error(products):
    for seed in range(4):
        w, matrix, loss = valley(np.geomspace(1e-5, 2, 120), seed=seed)
        wanted = exact(w, matrix, lambda h: response(200 * h, 0.51))
        found = finite_time_scores(loss, 200, 0.51, products=products)
        error = np.linalg.norm(found.s - wanted) / np.linalg.norm(wanted)
        assert error / 3 < found.error < 20 * error


def test_progress_and_an_end_from_outside():
    _, _, loss = valley(SPREAD)
    seen = []
    finite_time_scores(loss, 5, 0.6, products=5, progress=seen.append)
    np.testing.assert_allclose(seen, np.arange(1, 6) / 5)

    def enough(fraction):
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        finite_time_scores(loss, 5, 0.6, products=5, progress=enough)


# ------------------------------------------------- networks


def trained(seed=0, images=256):
    """SGD's end of the theorem's recording, [1370], and a part of the loss that it was trained on."""
    recorded = load_measurements("theorem")
    about = recorded.configuration
    w = recorded.arrays["path"][about["seeds"].index(seed), about["times"].index(about["t"])]
    data = digits(validation=0)
    return w, FixedLoss(small_digits_cnn(seed), (data.x_train[:images], data.y_train[:images]))


def test_a_real_network_against_its_whole_hessian():
    w, loss = trained()
    matrix = hessian(loss, torch.from_numpy(w))
    for mu in (0.51, 0.7):
        wanted = exact(w, matrix, lambda h, mu=mu: response(450 * np.maximum(h, 0), mu))
        found = finite_time_scores(loss, 450, mu, w=w)
        error = np.linalg.norm(found.s - wanted) / np.linalg.norm(wanted)
        assert error < 0.03 and found.products == 40
        assert error / 2 < found.error < 0.06


def test_the_order_of_the_images_does_not_matter():
    w, _ = trained()
    data = digits(validation=0)
    order = torch.randperm(300, generator=torch.Generator().manual_seed(1))
    scores = []
    for turn in (torch.arange(300), order):
        model = small_digits_cnn().double()
        loss = FixedLoss(model, (data.x_train[turn].double(), data.y_train[turn]))
        scores.append(finite_time_scores(loss, 450, 0.51, w=w, products=20).s)
    np.testing.assert_allclose(*scores, atol=1e-9)


def test_an_untrained_network_is_refused():
    data = digits(validation=0)
    loss = FixedLoss(small_digits_cnn(0), (data.x_train[:200], data.y_train[:200]))
    with pytest.raises(ValueError, match=r"w has curvature from -\d.* to .*looks untrained"):
        finite_time_scores(loss, 450, 0.51, products=20)


def test_dropout_is_refused_also_when_it_is_switched_on_later():
    model = nn.Sequential(nn.Linear(3, 8), nn.Dropout(), nn.Linear(8, 2))
    data = torch.randn(9, 3), torch.zeros(9, dtype=torch.long)
    with pytest.raises(ValueError, match="1 is dropout"):
        FixedLoss(model, data)
    loss = FixedLoss(model.eval(), data)
    model.train()
    with pytest.raises(ValueError, match="1 is dropout"):
        finite_time_scores(loss, 5, 0.6, products=4)


def test_weights_of_any_kind_are_the_same_weights():
    w, _, loss = valley(SPREAD, seed=8)
    other = w * np.random.default_rng(0).choice([-1.0, 1.0], len(w))
    reference = finite_time_scores(loss, 9, 0.6, w=other, products=10).s
    model = Valley(other, np.zeros((30, 30)))
    parts = {name: p.detach() for name, p in model.named_parameters()}
    backwards = dict(reversed(parts.items()))
    for kind in (torch.tensor(other), model, parts, backwards, model.state_dict()):
        found = finite_time_scores(loss, 9, 0.6, w=kind, products=10).s
        np.testing.assert_array_equal(found, reference)
    assert np.abs(finite_time_scores(loss, 9, 0.6, products=10).s - reference).max() > 0.1


# ------------------------------------------------- in steps


def by_eigenvectors(w, matrix, zeros, steps, t, mu):
    """The same procedure with dense matrices."""
    w = w.copy()
    for k in range(1, steps + 1):
        alive = w != 0
        s = np.zeros(len(w))
        s[alive] = exact(
            w[alive], matrix[np.ix_(alive, alive)], lambda h: response(t * np.maximum(h, 0), mu)
        )
        wanted = len(w) - round(len(w) * (1 - zeros) ** (k / steps))
        w = directional_at_zeros(w, s, wanted)
    return w


@pytest.mark.parametrize("zeros", [0.3, 0.5, 0.8])
def test_steps_against_dense_matrices(zeros):
    w, matrix, loss = valley(np.geomspace(1e-4, 3, 40), seed=9)
    found = directional_pruning_in_steps(loss, zeros, 4, t=30, mu=0.6, w=w, products=40)
    np.testing.assert_allclose(found.w, by_eigenvectors(w, matrix, zeros, 4, 30, 0.6), atol=1e-7)
    assert (found.w == 0).sum() == round(40 * zeros)
    assert len(found.lams) == 4 and (found.lams > 0).all()
    assert found.zeros[0] == 0 and found.zeros[-1] == round(40 * zeros) / 40
    away = found.w - w
    assert found.losses[-1] == pytest.approx(away @ matrix @ away / 2)
    assert found.losses[0] == 0


def test_one_step_is_one_jump():
    w, _, loss = valley(SPREAD, seed=10)
    s = finite_time_scores(loss, 30, 0.6, w=w, products=30).s
    found = directional_pruning_in_steps(loss, 0.5, 1, t=30, mu=0.6, w=w, products=30)
    np.testing.assert_allclose(found.w, directional_at_zeros(w, s, 15), atol=1e-12)
    np.testing.assert_allclose(found.w, directional_pruning(w, s, found.lams[0]), atol=1e-12)


def test_steps_are_worth_their_products():
    """On quadratics, where what is flat among the survivors changes with each that dies."""
    ends = []
    for seed in range(5):
        w, _, loss = valley(np.geomspace(1e-5, 3, 40), seed=seed)
        ends.append(
            [
                directional_pruning_in_steps(loss, 0.6, k, t=100, w=w, products=40).losses[-1]
                for k in (1, 8)
            ]
        )
    one, eight = np.log(ends).mean(axis=0)
    assert eight < one - 0.5


def test_the_same_kind_comes_back_and_what_is_frozen_stays():
    w, _, loss = valley(SPREAD, seed=11)
    arguments = {"zeros": 0.4, "steps": 2, "t": 20.0, "mu": 0.6, "products": 12}
    reference = directional_pruning_in_steps(loss, w=w, **arguments).w
    assert type(reference) is np.ndarray
    tensor = torch.tensor(w, dtype=torch.float64)
    out = directional_pruning_in_steps(loss, w=tensor, **arguments).w
    assert out.dtype == torch.float64 and torch.equal(tensor, torch.tensor(w))
    np.testing.assert_allclose(out, reference)
    model = loss.model
    out = directional_pruning_in_steps(loss, **arguments).w
    assert isinstance(out, Valley) and out is not model
    np.testing.assert_allclose(torch.cat([out.first[0], out.second]).detach(), reference)
    np.testing.assert_array_equal(torch.cat([model.first[0], model.second]).detach(), w)
    named = directional_pruning_in_steps(loss, w=model.state_dict(), **arguments).w
    assert list(named) == ["first", "second"] and named["first"].shape == (1, 15)
    np.testing.assert_allclose(torch.cat([named["first"][0], named["second"]]), reference)

    layers = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    layers[0].requires_grad_(False)
    data = torch.randn(30, 4, dtype=torch.float64), torch.arange(30) % 3
    frozen = FixedLoss(layers, data)
    out = directional_pruning_in_steps(frozen, 0.5, 2, t=2.0, products=10).w
    assert torch.equal(out[0].weight, layers[0].weight)
    assert sum(int((p == 0).sum()) for p in out[2].parameters()) == 9


def test_progress_and_stop_keep_what_is_whole():
    w, _, loss = valley(SPREAD, seed=12)
    arguments = {"steps": 5, "t": 20.0, "w": w, "products": 10}
    seen, stop = [], Event()

    def watch(found, fraction):
        seen.append((found, fraction))
        if len(seen) == 2:
            stop.set()

    found = directional_pruning_in_steps(loss, 0.5, progress=watch, stop=stop, **arguments)
    assert [fraction for _, fraction in seen] == [0.2, 0.4]
    assert found.message == "stopped before step 3"
    np.testing.assert_array_equal(found.w, seen[1][0].w)
    assert len(found.losses) == 3 and 0 < (found.w == 0).sum() < 15
    at_once = directional_pruning_in_steps(loss, 0.5, stop=stop, **arguments)
    np.testing.assert_array_equal(at_once.w, w)


def test_as_many_zeros_as_there_are_need_nothing():
    w, _, loss = valley(SPREAD, seed=13)
    w[:12] = 0.0
    found = directional_pruning_in_steps(loss, 0.4, t=20, w=w, products=10)
    np.testing.assert_array_equal(found.w, w)
    assert found.products == 0 and not found.message


# ------------------------------------------------- bad input


def nan(x):
    return np.where(x > 0, np.nan, 1.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"t": 0}, r"t = 0: accepted is a finite number > 0"),
        ({"t": -2.0}, r"t = -2\.0: accepted is a finite number > 0"),
        ({"t": np.inf}, "t = inf: accepted"),
        ({"mu": 0.0}, r"mu = 0\.0: accepted is a finite number > 0"),
        (
            {"products": 1},
            "products = 1: accepted is an integer from 2 to 30, the number of weights",
        ),
        ({"products": 31}, "products = 31: accepted is an integer from 2 to 30"),
        ({"products": 2.5}, r"products = 2\.5: accepted"),
        ({"filter": nan}, r"filter gives nan at x = \d.*: accepted is a finite number for each x"),
        ({"filter": lambda x: 1.0}, r"what filter gives has shape \(\): accepted is \(6,\)"),
        ({"w": np.ones(29)}, r"w has shape \(29,\): accepted is \(30,\)"),
        ({"w": np.full(30, np.nan)}, "w has NaN"),
        ({"w": {"first": np.ones((1, 15))}}, "w has the names first: accepted are first, second"),
        (
            {"w": {"first": np.ones((15, 1)), "second": np.ones(15)}},
            r"first has shape \(15, 1\): accepted is \(1, 15\)",
        ),
    ],
)
def test_bad_input_is_named_with_what_is_accepted(arguments, words):
    _, _, loss = valley(SPREAD)
    with pytest.raises(ValueError, match=words):
        finite_time_scores(loss, **{"t": 5.0, "mu": 0.6, "products": 6} | arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"zeros": 1}, r"zeros = 1: accepted is a number in \[0, 1\)"),
        ({"zeros": -0.1}, r"zeros = -0\.1: accepted is a number in \[0, 1\)"),
        ({"steps": 0}, "steps = 0: accepted is an integer >= 1"),
        ({"t": 0.0}, r"t = 0\.0: accepted"),
        ({"mu": -1}, "mu = -1: accepted"),
        ({"products": 3}, "products = 3: accepted is an integer from 2 to 2"),
        (
            {"zeros": 0.9, "steps": 1},
            r"zeros = 0\.9: accepted is a share up to 0\.5, of the 2 weights 1",
        ),
    ],
)
def test_bad_input_of_the_steps(arguments, words):
    """In a valley along (.8, -.6) the second of two positive weights grows: it cannot die at once."""
    steep = np.array([0.6, 0.8])
    data = torch.zeros(5, 1, dtype=torch.float64), torch.zeros(5)
    model = Valley(np.array([1.0, 2.0]), 50 * np.outer(steep, steep))
    loss = FixedLoss(model, data, lambda outputs, _: outputs.mean())
    with pytest.raises(ValueError, match=words):
        directional_pruning_in_steps(
            loss, **{"zeros": 0.5, "steps": 2, "t": 100.0, "products": 2} | arguments
        )
