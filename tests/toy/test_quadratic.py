"""The five methods against a slow oracle, closed forms against simulation."""

import math

import numpy as np
import pytest
import torch

from grda_edu import GRDA as Optimizer
from grda_edu.reference import grda as oracle
from grda_edu.toy.quadratic import (
    GRDA,
    METHODS,
    PROXIMAL,
    RDA,
    SGD,
    SUBGRADIENT,
    alive_share,
    death_time,
    deaths,
    grda_bias,
    l1_bias,
    random_walks,
    revivals,
    simulate,
)

PROBLEM = {"a": 0.5, "w_star": 0.5, "w0": 0.5, "lr": 0.1}


def by_hand(method, *, a, w_star, w0, lr, steps, c=0.0, mu=0.6, lam=0.0, noise=None):
    """One weight, plain Python numbers, each method as its paper writes it."""
    w, total, path = w0, 0.0, [w0]

    def shrink(x, tau):
        return math.copysign(max(abs(x) - tau, 0.0), x)

    for n in range(1, steps + 1):
        G = a * (w - w_star) + (0.0 if noise is None else noise[n - 1])
        total += G
        sign = int(w > 0) - int(w < 0)
        w = {
            SGD: w - lr * G,
            SUBGRADIENT: w - lr * (G + lam * sign),
            PROXIMAL: shrink(w - lr * G, lr * lam),
            RDA: shrink(w0 - lr * total, lr * lam * n),  # argmin of its regularised average
            GRDA: shrink(w0 - lr * total, c * lr**0.5 * (n * lr) ** mu),
        }[method]
        path.append(w)
    return np.array(path)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_against_plain_numbers(method):
    noise = 0.3 * np.random.default_rng(0).standard_normal(80)
    problem = {"a": 0.4, "w_star": 0.7, "w0": -0.3, "lr": 0.2, "steps": 80}
    options = {"c": 0.15, "mu": 0.7, "lam": 0.1, "noise": noise}
    path = simulate(method, **problem, **options)
    np.testing.assert_allclose(path.w, by_hand(method, **problem, **options), atol=1e-12)
    np.testing.assert_allclose(path.t, 0.2 * np.arange(81))


def test_rda_minimises_its_average():
    """Xiao 2010, eq. (8) with β_n = 1/γ: the minimum of ⟨Σ G, w⟩ + nλ|w| + (w - w_0)²/(2γ)."""
    problem = {"a": 0.4, "w_star": 1.0, "w0": 0.3, "lr": 0.1}
    path = simulate(RDA, **problem, lam=0.12, steps=40)
    total = 0.4 * (path.w[:-1] - 1.0).sum()
    w = np.linspace(-1, 2, 300_001)
    objective = total * w + 40 * 0.12 * np.abs(w) + (w - 0.3) ** 2 / (2 * 0.1)
    # λ|w| is centred at 0 and the quadratic at w_0, as in the accumulator that starts at w_0
    assert path.w[-1] == pytest.approx(w[objective.argmin()], abs=2e-5)


def test_grda_is_the_oracle_and_the_optimizer():
    a, w_star, w0 = np.array([0.0, 0.03, 1.0, 0.5]), np.array([0.5, 1, 0.5, 0]), [0.5, -0.4, 0.5, 2]
    w0 = np.array(w0)
    path = simulate(GRDA, a=a, w_star=w_star, w0=w0, lr=0.1, c=0.2, mu=0.6, steps=300)
    gradients = a * (path.w[:-1] - w_star)
    states = list(oracle(w0, gradients, [0.1] * 300, 0.2, 0.6))
    for name, column in zip("wvg", zip(*states, strict=True), strict=True):
        expected = np.stack([np.broadcast_to(x, 4) for x in column])
        np.testing.assert_allclose(getattr(path, name)[1:], expected, atol=1e-12)

    weights = torch.nn.Parameter(torch.tensor(w0))
    optimizer = Optimizer([weights], lr=0.1, c=0.2, mu=0.6)
    for n in range(1, 301):
        weights.grad = torch.tensor(a) * (weights.detach() - torch.tensor(w_star))
        optimizer.step()
        np.testing.assert_allclose(weights.detach().numpy(), path.w[n], atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_penalty_everything_is_sgd(method):
    noise = np.random.default_rng(1).standard_normal((200, 3))
    problem = {"a": np.array([0.0, 0.3, 1.0]), "w_star": 1.0, "w0": -0.5, "lr": 0.1}
    path = simulate(method, **problem, noise=noise, steps=200, c=0.0, lam=0.0)
    np.testing.assert_allclose(
        path.w, simulate(SGD, **problem, noise=noise, steps=200).w, atol=1e-12
    )


def test_a_grid_is_every_one_of_its_cells():
    a, c = np.array([0.0, 0.05, 1.0])[:, None], np.array([0.0, 0.1, 0.3])
    noise = np.random.default_rng(2).standard_normal((120, 1, 1))
    grid = simulate(GRDA, a=a, w_star=1.0, w0=-0.4, lr=0.1, c=c, noise=noise, steps=120)
    assert grid.w.shape == grid.v.shape == grid.g.shape == (121, 3, 3)
    for i, j in np.ndindex(3, 3):
        one = simulate(
            GRDA, a=a[i, 0], w_star=1.0, w0=-0.4, lr=0.1, c=c[j], noise=noise[:, 0, 0], steps=120
        )
        for name in ("v", "g", "w"):
            np.testing.assert_array_equal(getattr(grid, name)[:, i, j], getattr(one, name))


def test_kept_steps_are_those_of_the_whole_path():
    whole = simulate(GRDA, **PROBLEM, c=0.2, steps=50)
    part = simulate(GRDA, **PROBLEM, c=0.2, steps=50, keep=[0, 1, 7, 50])
    for name in ("t", "v", "g", "w"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[[0, 1, 7, 50]])


# ------------------------------------------------- closed forms


@pytest.mark.parametrize("mu", [0.51, 0.6, 0.75, 0.9])
@pytest.mark.parametrize("lr", [0.025, 0.1, 0.4])
def test_a_flat_weight_dies_at_t_star(mu, lr):
    """In the first step that ends at or after t*: to within one step γ."""
    c, w0 = np.array([0.1, 0.2, 0.3]), np.array([[0.3], [-0.5]])
    t_star = death_time(w0, lr, c, mu)
    steps = int(t_star.max() / lr) + 2
    path = simulate(GRDA, a=0.0, w_star=7.0, w0=w0, lr=lr, c=c, mu=mu, steps=steps)
    died = path.t[deaths(path.w).argmax(axis=0)]
    assert ((died >= t_star - 1e-9) & (died <= t_star + lr)).all()
    assert deaths(path.w).sum() == 6 and not revivals(path.w).any()


def test_without_a_threshold_a_flat_weight_never_dies():
    assert death_time(0.5, 0.1, 0.0, 0.6) == math.inf
    assert (simulate(GRDA, **{**PROBLEM, "a": 0.0}, c=0.0, steps=500).w == 0.5).all()


@pytest.mark.parametrize("mu", [0.51, 0.6, 0.75, 0.9])
def test_bias_of_a_sharp_weight(mu):
    """cμ√γ t^{μ-1}/a to 2 % once a·t ≥ 50, and ever closer."""
    a = np.array([0.2, 1.0, 2.0])
    path = simulate(GRDA, a=a, w_star=1.0, w0=1.0, lr=0.1, c=0.2, mu=mu, steps=10_000)
    bias = 1.0 - path.w[1:]
    formula = grda_bias(path.t[1:, None], a, 0.1, 0.2, mu)
    off = np.abs(bias / formula - 1)
    assert off[2500:].max() < 0.02  # t ≥ 250
    assert (off[-1] < off[2500]).all()
    assert (bias[-1] < bias[999]).all()  # it vanishes: smaller at t = 1000 than at t = 100


def test_bias_at_mu_one_stays_and_beyond_grows():
    path = simulate(
        GRDA, a=1.0, w_star=1.0, w0=1.0, lr=0.1, c=0.2, mu=np.array([1.0, 1.2]), steps=10_000
    )
    bias = 1 - path.w
    assert bias[-1, 0] == pytest.approx(bias[1000, 0], rel=1e-3)
    assert bias[-1, 0] == pytest.approx(grda_bias(1000.0, 1.0, 0.1, 0.2, 1.0), rel=1e-6)
    assert bias[-1, 1] > 1.4 * bias[1000, 1]


@pytest.mark.parametrize("method", [PROXIMAL, RDA])
def test_the_l1_methods_keep_their_bias(method):
    """λ/a to 1e-6, wherever they start; where a|w*| ≤ λ the weight ends at exactly zero."""
    a, w0 = np.array([0.2, 0.5, 2.0]), np.array([[-0.5], [1.0], [3.0]])
    path = simulate(method, a=a, w_star=1.0, w0=w0, lr=0.1, lam=0.1, steps=4000)
    np.testing.assert_allclose(1.0 - path.w[-1], np.broadcast_to(0.1 / a, (3, 3)), atol=1e-6)
    np.testing.assert_allclose(1.0 - path.w[-1, 0], l1_bias(a, 0.1, 1.0), atol=1e-6)
    weak = simulate(method, a=0.1, w_star=1.0, w0=1.0, lr=0.1, lam=0.2, steps=4000)
    assert weak.w[-1] == 0 and l1_bias(0.1, 0.2, 1.0) == 1.0
    negative = simulate(method, a=0.5, w_star=-1.0, w0=0.3, lr=0.1, lam=0.1, steps=4000)
    assert negative.w[-1] + 1.0 == pytest.approx(0.2, abs=1e-6)


def test_the_subgradient_never_stops_at_zero():
    """It stays within γλ of zero and is not zero."""
    path = simulate(SUBGRADIENT, a=0.0, w_star=0.0, w0=1.0, lr=0.1, lam=0.07, steps=2000)
    late = np.abs(path.w[200:])
    assert (late > 0).all() and late.max() <= 0.1 * 0.07 + 1e-12
    for method in (PROXIMAL, RDA):
        same = simulate(method, a=0.0, w_star=0.0, w0=1.0, lr=0.1, lam=0.07, steps=2000)
        assert (same.w[200:] == 0).all()


def test_a_weight_with_any_curvature_revives():
    """The accumulator at w = 0 is a line, a·w*·t; its crossing with c√γ t^μ is known."""
    a, w_star, c, mu, lr = 0.02, 1.0, 0.2, 0.6, 0.1
    path = simulate(GRDA, a=a, w_star=w_star, w0=0.0, lr=lr, c=c, mu=mu, steps=3000)
    back = path.t[revivals(path.w)]
    expected = (c * lr**0.5 / (a * w_star)) ** (1 / (1 - mu))  # a w* t = c√γ t^μ
    assert back.size == 1
    assert expected <= back[0] + 1e-9 <= expected + 2 * lr
    other_way = simulate(GRDA, a=a, w_star=-1.0, w0=0.0, lr=lr, c=c, mu=mu, steps=3000)
    np.testing.assert_allclose(other_way.w, -path.w, atol=1e-12)


def test_deaths_and_revivals_of_a_written_path():
    w = np.array([[0.2, 0.0], [0.0, 0.0], [0.0, -0.1], [0.3, 0.0]])
    assert np.argwhere(deaths(w)).tolist() == [[1, 0], [3, 1]]
    assert np.argwhere(revivals(w)).tolist() == [[2, 1], [3, 0]]


# ------------------------------------------------- noise


def test_a_flat_accumulator_walks_like_the_square_root_of_time():
    """Its deviation is σ√γ√t; 4,000 walks give it to 4 standard errors."""
    steps = np.array([1, 10, 100, 1000])
    v = random_walks(steps, sigma=0.3, lr=0.1, count=4000, seed=0)
    expected = 0.3 * 0.1**0.5 * np.sqrt(steps * 0.1)
    assert np.abs(v.std(axis=1) / expected - 1).max() < 4 / np.sqrt(2 * 4000)
    # step by step the same law: noise through the simulation itself
    noise = 0.3 * np.random.default_rng(3).standard_normal((100, 4000))
    path = simulate(GRDA, a=0.0, w_star=0.0, w0=0.0, lr=0.1, c=0.3, mu=0.6, noise=noise, steps=100)
    assert path.v[100].std() / expected[2] == pytest.approx(1, abs=4 / np.sqrt(2 * 4000))
    assert (path.w[100] != 0).mean() == pytest.approx(
        alive_share(10.0, 0.3, 0.1, 0.3, 0.6), abs=0.03
    )


@pytest.mark.parametrize("mu", [0.3, 0.5, 0.6, 0.9])
def test_share_alive(mu):
    """The simulated share is the normal law's, to 4 standard errors."""
    from scipy.stats import norm

    steps = np.array([1, 10, 100, 1000, 10_000])
    t, sigma, c = steps * 0.1, 0.3, 0.2
    v = random_walks(steps, sigma, 0.1, count=4000, seed=1)
    alive = (np.abs(v) > (c * 0.1**0.5 * t**mu)[:, None]).mean(axis=1)
    expected = 2 * norm.sf(c / sigma * t ** (mu - 0.5))
    np.testing.assert_allclose(alive_share(t, sigma, 0.1, c, mu), expected, rtol=1e-12)
    assert (np.abs(alive - expected) < 4 * np.sqrt(expected * (1 - expected) / 4000) + 1e-3).all()
    change = expected[-1] - expected[0]
    assert np.sign(round(change, 12)) == np.sign(0.5 - mu)


def test_noise_averages_out_around_a_sharp_weight():
    noise = 0.2 * np.random.default_rng(4).standard_normal((500, 3000))
    options = {"a": 1.0, "w_star": 1.0, "w0": 1.0, "lr": 0.1, "c": 0.3, "mu": 0.6, "steps": 500}
    shaken, calm = simulate(GRDA, **options, noise=noise), simulate(GRDA, **options)
    error = shaken.w[-1].std() / np.sqrt(3000)
    assert abs(shaken.w[-1].mean() - calm.w[-1]) < 4 * error


# ------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"method": "Adam"}, "method = 'Adam': accepted is one of 'SGD', "),
        ({"a": -0.1}, r"a = -0\.1: accepted is a finite number >= 0"),
        ({"a": np.array([0.1, np.nan])}, "a = .*nan.*accepted is a finite number >= 0"),
        ({"a": 25.0}, r"a = 25\.0 with lr = 0\.1: accepted is a < 2/lr"),
        ({"lr": 0.0}, r"lr = 0\.0: accepted is a finite number > 0"),
        ({"c": -1.0}, r"c = -1\.0: accepted is a number >= 0"),
        ({"mu": 0.0}, r"mu = 0\.0: accepted is a number > 0"),
        ({"mu": math.nan}, "mu = nan: accepted is a number > 0"),
        ({"lam": -0.5}, r"lam = -0\.5: accepted is a finite number >= 0"),
        ({"w0": math.inf}, "w0 = inf: accepted is a finite number"),
        ({"steps": 0}, "steps = 0: accepted is an integer >= 1"),
        ({"noise": np.zeros(7)}, "noise has 7 rows: accepted are 20, one for each step"),
        (
            {"keep": [0, 3, 3]},
            "keep = .*: accepted is at least one integer from 0 to 20, each above the last",
        ),
        (
            {"keep": [5, 21]},
            "keep = .*: accepted is at least one integer from 0 to 20, each above the last",
        ),
    ],
)
def test_bad_input_is_named(wrong, words):
    options = {**PROBLEM, "method": GRDA, "steps": 20, "c": 0.1, **wrong}
    with pytest.raises(ValueError, match=words):
        simulate(options.pop("method"), **options)


def test_walks_refuse_steps_that_do_not_increase():
    with pytest.raises(
        ValueError, match=r"steps = .*: accepted is at least one integer >= 1, each above the last"
    ):
        random_walks([3, 3], 0.1, 0.1, 5, 0)
