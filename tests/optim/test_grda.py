import ast
import copy
import inspect
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from grda_edu import reference
from grda_edu.optim import GRDA, grda, parts, penalty_groups
from grda_edu.shrinkage import tuning_function

MOMENTA = {
    "plain": {},
    "Polyak": {"momentum": 0.9},
    "dampened": {"momentum": 0.9, "dampening": 0.5},
    "Nesterov": {"momentum": 0.9, "nesterov": True},
    "undamped nu": {"momentum": 0.9, "nu": 0.7},
    "QHM": {"momentum": 0.9, "dampening": 0.9, "nu": 0.7},
}
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}


def parameters(*values, dtype=torch.float64):
    return [nn.Parameter(torch.as_tensor(value).to(dtype, copy=True)) for value in values]


def random_problem(seed, steps, sizes=(7, 5), absent=0.1):
    """Initial weights, gradients (some None; exact in float32) and a schedule that reaches zero."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=size).astype(np.float32) for size in sizes]
    gradients = [
        [
            None if rng.random() < absent else rng.normal(size=size).astype(np.float32)
            for size in sizes
        ]
        for _ in range(steps)
    ]
    for i in range(min(5, steps)):
        gradients[i][-1] = None  # the last parameter's gradient arrives late
    lrs = np.where(np.arange(steps) < steps // 2, 0.1, 0.03)
    lrs[steps // 4 : steps // 4 + 3] = 0.0
    return weights, gradients, lrs.tolist()


def run(optimizer_class, weights, gradients, lrs, dtype, **options):
    """Yield the parameters after each step of an optimizer fed with the given gradients."""
    params = parameters(*weights, dtype=dtype)
    optimizer = optimizer_class(params, lrs[0], **options)
    for row, lr in zip(gradients, lrs, strict=True):
        optimizer.param_groups[0]["lr"] = lr
        for p, gradient in zip(params, row, strict=True):
            p.grad = None if gradient is None else torch.from_numpy(gradient).to(dtype)
        optimizer.step()
        yield params, optimizer


def by_the_oracle(weights, gradients, lrs, **options):
    """For each parameter the list, over steps, of (weights, accumulator, threshold)."""
    columns = zip(*gradients, strict=True)
    return [
        list(reference.grda(w, column, lrs, **options))
        for w, column in zip(weights, columns, strict=True)
    ]


def assert_agrees(steps, expected, tolerance):
    """Weights, accumulators and thresholds agree at every step, relative to max|v| of the run."""
    atol = tolerance * max(np.abs(v).max() for column in expected for _, v, _ in column)
    for i, (params, optimizer) in enumerate(steps):
        for p, column in zip(params, expected, strict=True):
            w, v, threshold = column[i]
            assert np.abs(p.detach().numpy() - w).max() <= atol
            state = optimizer.state[p]
            if state:  # it begins with the first gradient
                assert np.abs(state["accumulator"].numpy() - v).max() <= atol
                assert abs(state["threshold"] - threshold) <= 1e-12 * threshold
            else:
                assert threshold == 0.0


# ---- the update -------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"weight_decay": 0.02, "maximize": True}], ids=str)
@pytest.mark.parametrize("momentum", MOMENTA)
def test_a_thousand_steps_agree_with_the_oracle(momentum, more):
    problem = random_problem(seed=1, steps=1000)
    options = {"c": 0.02, "mu": 0.6, **MOMENTA[momentum], **more}
    expected = by_the_oracle(*problem, **options)
    for dtype, tolerance in TOLERANCE.items():
        for foreach in (False, True):
            steps = run(GRDA, *problem, dtype, foreach=foreach, **options)
            assert_agrees(steps, expected, tolerance)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    momentum=st.sampled_from(list(MOMENTA)),
    c=st.floats(0, 1),
    mu=st.floats(0.501, 0.999),
    weight_decay=st.sampled_from([0.0, 0.1]),
    maximize=st.booleans(),
    foreach=st.booleans(),
)
def test_random_hyperparameters_agree_with_the_oracle(
    seed, momentum, c, mu, weight_decay, maximize, foreach
):
    problem = random_problem(seed, steps=40)
    options = {"c": c, "mu": mu, "weight_decay": weight_decay, "maximize": maximize}
    options |= MOMENTA[momentum]
    steps = run(GRDA, *problem, torch.float64, foreach=foreach, **options)
    assert_agrees(steps, by_the_oracle(*problem, **options), 1e-12)


class RecomputesThreshold(GRDA):
    """Wrong: g(n, the learning rate of now), which collapses when the learning rate drops."""

    def _advance(self, p, group):
        state = super()._advance(p, group)
        state["threshold"] = tuning_function(state["step"], group["lr"], group["c"], group["mu"])
        return state


class StartsAtZero(GRDA):
    """Wrong: an accumulator that starts at zero."""

    def _advance(self, p, group):
        first = not self.state[p]
        state = super()._advance(p, group)
        if first:
            state["accumulator"].zero_()
        return state


class SharesClock(GRDA):
    """Wrong: one clock for all parameters, also for those that start late."""

    def _advance(self, p, group):
        first = not self.state[p]
        oldest = max((state.get("step", 0) for state in self.state.values()), default=0)
        state = super()._advance(p, group)
        if first:
            state["step"] = max(oldest, 1)
        return state


class ThresholdsTwice(GRDA):
    """Wrong: the thresholded weights become the accumulator (proximal SGD)."""

    def _update(self, p, gradient, group):
        super()._update(p, gradient, group)
        self.state[p]["accumulator"].copy_(p)


@pytest.mark.parametrize("wrong", [RecomputesThreshold, StartsAtZero, SharesClock, ThresholdsTwice])
def test_the_oracle_rejects_a_wrong_update(wrong):
    problem = random_problem(seed=1, steps=100)
    expected = by_the_oracle(*problem, c=0.02, mu=0.6)
    with pytest.raises(AssertionError):
        assert_agrees(run(wrong, *problem, torch.float32, c=0.02, mu=0.6), expected, 1e-5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.02])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("dampening", "nesterov"), [(0.0, False), (0.5, False), (0.0, True)])
def test_without_penalty_it_is_sgd(dtype, maximize, weight_decay, momentum, dampening, nesterov):
    options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
    options |= {"nesterov": nesterov and momentum > 0, "maximize": maximize}
    weights, gradients, lrs = random_problem(seed=2, steps=200)
    # a step at learning rate 0 is none to GRDA, while SGD's momentum would take its gradient
    made = [row if lr else [None] * len(row) for row, lr in zip(gradients, lrs, strict=True)]
    by_sgd = run(torch.optim.SGD, weights, made, lrs, dtype, **options)
    by_grda = run(GRDA, weights, gradients, lrs, dtype, c=0.0, mu=0.6, **options)
    for (expected, _), (params, _) in zip(by_sgd, by_grda, strict=True):
        for p, q in zip(params, expected, strict=True):
            assert torch.equal(p, q)


def last(steps):
    *_, (params, _) = steps
    return torch.cat([p.detach() for p in params])


def test_identities_of_momentum():
    """With a first gradient of zero the conventions for the first buffer no longer differ."""
    weights, gradients, _ = random_problem(seed=3, steps=100, absent=0.0)
    zero = [np.zeros_like(w) for w in weights]
    gradients = [zero] + [
        [g if g is not None else z for g, z in zip(row, zero, strict=True)] for row in gradients
    ]
    lr, c, mu, beta = 0.05, 0.01, 0.7, 0.9

    def end(lr=lr, c=c, **options):
        return last(run(GRDA, weights, gradients, [lr] * 101, torch.float64, c=c, mu=mu, **options))

    # a buffer that is an average is (1-β) times Polyak's: the learning rate makes up for it, and
    # c for the learning rate in the threshold, c γ^(½+μ)
    average = {"momentum": beta, "dampening": beta}
    rescaled = {"lr": lr / (1 - beta), "c": c * (1 - beta) ** (0.5 + mu)}
    polyak = end(momentum=beta)
    nesterov = end(momentum=beta, nesterov=True)
    assert torch.allclose(end(**average, **rescaled), polyak, rtol=0, atol=1e-12)
    assert torch.allclose(end(**average, **rescaled, nu=beta), nesterov, rtol=0, atol=1e-12)
    assert torch.equal(end(momentum=beta, nu=0.0), end())
    assert torch.equal(end(momentum=beta, nu=1.0), polyak)
    assert not torch.allclose(polyak, nesterov, rtol=0, atol=1e-3)
    assert not torch.allclose(polyak, end(), rtol=0, atol=1e-3)


def test_the_authors_schedule_example():
    """5,005 steps an epoch, lr .1 for 140 epochs, then .01: the threshold goes .468 → .470."""
    (p,) = parameters([1.0])
    p.grad = torch.zeros_like(p)
    optimizer = GRDA([p], lr=0.1, c=0.005, mu=0.51)
    optimizer.step()
    state = optimizer.state[p]
    state["step"] = 140 * 5005
    state["threshold"] = tuning_function(140 * 5005, 0.1, 0.005, 0.51)
    p.data.fill_(1.0 - state["threshold"])
    assert round(state["threshold"], 3) == 0.468
    optimizer.param_groups[0]["lr"] = 0.01
    for _ in range(10 * 5005):
        optimizer.step()
    assert round(state["threshold"], 3) == 0.470
    assert p.item() == pytest.approx(1.0 - state["threshold"], rel=1e-12)


def test_flat_weights_die_on_time():
    """With a zero gradient a weight dies at t = (|w| / (c √γ))^(1/μ)."""
    start = torch.tensor([0.02, -0.05, 0.1], dtype=torch.float64)
    (p,) = parameters(start)
    lr, c, mu = 0.1, 0.02, 0.7
    optimizer = GRDA([p], lr=lr, c=c, mu=mu)
    death = ((start.abs() / (c * math.sqrt(lr))) ** (1 / mu) / lr).tolist()
    for n in range(1, math.ceil(max(death)) + 2):
        p.grad = torch.zeros_like(p)
        optimizer.step()
        assert (p == 0).tolist() == [n >= d for d in death]


def alive_under_noise(mu, times, lr=0.5, weights=4000):
    """Fraction of flat weights that are not zero at each of the times, under unit gradient noise."""
    generator = torch.Generator().manual_seed(0)
    (p,) = parameters(torch.zeros(weights))
    optimizer = GRDA([p], lr=lr, c=1.0, mu=mu)
    fractions = []
    for n in range(1, round(max(times) / lr) + 1):
        p.grad = torch.randn(weights, generator=generator, dtype=torch.float64)
        optimizer.step()
        if n * lr in times:
            fractions.append((p != 0).double().mean().item())
    return fractions


def test_flat_weights_stay_dead_only_above_one_half():
    """The threshold, c √γ t^μ, outgrows the noise, √γ t^½, exactly when μ > ½."""
    early, middle, late = alive_under_noise(0.7, times=(10, 100, 1000))
    assert early > 0.05 and middle < early / 2 and late < 0.005
    with pytest.warns(UserWarning, match="outside"):
        early, middle, late = alive_under_noise(0.4, times=(10, 100, 1000))
    assert early < middle < late


# ---- tensors of all kinds ---------------------------------------------------------------------


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dtype_and_storage_are_kept(dtype, foreach):
    (p,) = parameters(torch.linspace(-1, 1, 41), dtype=dtype)
    storage, start = p.data_ptr(), p.detach().clone()
    optimizer = GRDA([p], lr=0.1, c=0.1, mu=0.7, momentum=0.9, foreach=foreach)
    for _ in range(3):
        p.grad = torch.ones_like(p)
        optimizer.step()
    assert p.data_ptr() == storage and p.dtype == dtype
    assert {value.dtype for value in optimizer.state[p].values() if torch.is_tensor(value)} == {
        dtype
    }
    *_, (expected, _, _) = reference.grda(
        start.double(), [np.ones(41)] * 3, [0.1] * 3, 0.1, 0.7, 0.9
    )
    assert np.abs(p.detach().double().numpy() - expected).max() <= 8 * torch.finfo(dtype).eps


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1, 37])
def test_nan_is_never_turned_into_a_zero(dtype, foreach, size):
    (p,) = parameters(torch.full((size,), 0.5), dtype=dtype)
    optimizer = GRDA([p], lr=0.1, c=0.5, mu=0.7, foreach=foreach)
    for _ in range(3):
        p.grad = torch.zeros_like(p)
        p.grad[-1] = torch.nan
        optimizer.step()
        assert p[-1].isnan() and not p[:-1].isnan().any()


@pytest.mark.parametrize("contiguous", [True, False])
def test_a_large_tensor_in_parts_is_the_tensor_in_one(monkeypatch, contiguous):
    def end():
        torch.manual_seed(0)
        p = nn.Parameter(torch.randn(6, 7))
        optimizer = GRDA([p], lr=0.1, c=0.1, mu=0.7, momentum=0.9)
        for _ in range(5):
            p.grad = torch.randn(6, 7) if contiguous else torch.randn(7, 6).t()
            optimizer.step()
        return p

    whole = end()
    monkeypatch.setattr(parts, "PART", 10)
    assert torch.equal(end(), whole)


def test_foreach_takes_several_dtypes_at_once():
    values = torch.linspace(-1, 1, 9)
    ends = []
    for foreach in (False, True):
        params = parameters(values) + parameters(values, dtype=torch.float32)
        optimizer = GRDA(params, lr=0.1, c=0.1, mu=0.7, weight_decay=0.1, foreach=foreach)
        for _ in range(3):
            for p in params:
                p.grad = torch.ones_like(p)
            optimizer.step()
        ends.append(params)
    assert all(torch.equal(p, q) for p, q in zip(*ends, strict=True))


def test_foreach_without_any_gradient_does_nothing():
    (p,) = parameters([1.0])
    GRDA([p], lr=0.1, c=0.1, mu=0.7, foreach=True).step()
    assert p.item() == 1.0


# ---- groups and names -------------------------------------------------------------------------


def test_penalty_groups_leave_biases_to_sgd():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    model[2].weight.requires_grad_(False)
    twin = copy.deepcopy(model)
    groups = penalty_groups(model, c=10.0, mu=0.7)
    assert [[name for name, _ in group["params"]] for group in groups] == [
        ["0.weight"],
        ["0.bias", "1.weight", "1.bias", "2.bias"],
    ]
    assert [(group["c"], group["mu"]) for group in groups] == [(10.0, 0.7), (0.0, 0.7)]
    by_grda = GRDA(groups, lr=0.1, c=10.0, mu=0.7)
    by_sgd = torch.optim.SGD([p for p in twin.parameters() if p.requires_grad], lr=0.1)
    for _ in range(20):
        for p, q in zip(model.parameters(), twin.parameters(), strict=True):
            if p.requires_grad:
                p.grad = torch.ones_like(p)
                q.grad = torch.ones_like(q)
        by_grda.step()
        by_sgd.step()
    assert (model[0].weight == 0).any()
    for name, p in model.named_parameters():
        assert torch.equal(p, twin.get_parameter(name)) == (name != "0.weight")


def test_penalty_groups_by_a_rule_of_ones_own():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    groups = penalty_groups(model, 0.1, 0.7, exclude=lambda name, p: name.startswith("1."))
    assert [name for name, _ in groups[1]["params"]] == ["1.weight", "1.bias"]
    assert len(penalty_groups(model, 0.1, 0.7, exclude=lambda name, p: False)) == 1
    GRDA(penalty_groups(model, 0.1, 0.7, exclude=lambda name, p: True), 0.1, 0.1, 0.7)


def test_penalty_groups_leave_out_what_a_penalty_harms():
    """LoRA's B, both parts of weight_norm in either form, norms."""
    model = nn.ModuleDict(
        {
            "down": nn.Linear(4, 2, bias=False),
            "up": nn.Linear(2, 4, bias=False),
            "normed": nn.utils.parametrizations.weight_norm(nn.Linear(4, 4, bias=False)),
            "norm": nn.BatchNorm1d(4),
        }
    )
    nn.init.zeros_(model["up"].weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model["normed before"] = nn.utils.weight_norm(nn.Linear(4, 4, bias=False))
    thresholded, excluded = penalty_groups(model, c=0.5, mu=0.7)
    assert [name for name, _ in thresholded["params"]] == ["down.weight"]
    assert len(excluded["params"]) == 1 + 2 + 2 + 2


def trained_to_sparsity():
    torch.manual_seed(0)
    layer = nn.Linear(30, 10, bias=False)
    optimizer = GRDA(layer.parameters(), lr=0.1, c=0.2, mu=0.7)

    def go(optimizer, steps):
        for k in steps:
            generator = torch.Generator().manual_seed(k)
            layer.weight.grad = 0.1 * torch.randn(10, 30, generator=generator)
            optimizer.step()
        return int((layer.weight == 0).sum())

    return layer, optimizer, go


def test_fine_tuning_keeps_the_zeros_in_the_same_optimizer_only():
    """What GRDA's docstring says of it."""
    layer, optimizer, go = trained_to_sparsity()
    zeros = go(optimizer, range(30))
    assert zeros > 150
    optimizer.param_groups[0]["c"] = 0.0
    assert go(optimizer, range(30, 40)) > 0.8 * zeros
    anew = GRDA(layer.parameters(), lr=0.1, c=0.0, mu=0.7)
    assert go(anew, range(40, 50)) == 0


def test_named_parameters_keep_their_names():
    model = nn.Linear(2, 1)
    optimizer = GRDA(model.named_parameters(), lr=0.1, c=0.1, mu=0.7)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    model(torch.ones(2)).backward()
    optimizer.step()
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]


def test_every_option_can_be_set_per_group():
    weights, gradients, _ = random_problem(seed=5, steps=50)
    own = [{"c": 0.3, "mu": 0.8, "momentum": 0.5}, {"weight_decay": 0.1, "maximize": True}]
    params = parameters(*weights)
    groups = [{"params": [p], **options} for p, options in zip(params, own, strict=True)]
    optimizer = GRDA(groups, lr=0.1, c=0.02, mu=0.6)
    for row in gradients:
        for p, gradient in zip(params, row, strict=True):
            p.grad = None if gradient is None else torch.from_numpy(gradient).double()
        optimizer.step()
    columns = zip(*gradients, strict=True)
    for p, w, column, options in zip(params, weights, columns, own, strict=True):
        steps = reference.grda(w, column, [0.1] * 50, **{"c": 0.02, "mu": 0.6, **options})
        *_, (expected, _, _) = steps
        assert np.allclose(p.detach().numpy(), expected, rtol=0, atol=1e-12)


# ---- bad input --------------------------------------------------------------------------------

BAD = [
    ("lr", -0.1),
    ("lr", math.nan),
    ("lr", math.inf),
    ("lr", torch.tensor(math.nan)),
    ("lr", "fast"),
    ("c", -1e-9),
    ("c", math.nan),
    ("mu", 0),
    ("mu", -0.5),
    ("mu", math.nan),
    ("momentum", 1.0),
    ("momentum", -0.1),
    ("momentum", math.nan),
    ("dampening", -0.1),
    ("dampening", 1.1),
    ("nu", -0.1),
    ("nu", 1.1),
    ("nu", math.nan),
    ("weight_decay", -0.1),
    ("weight_decay", math.nan),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_named_with_what_is_accepted(name, value):
    good = {"lr": 0.1, "c": 0.1, "mu": 0.7}
    message = rf"{name} = .*{value}.*: accepted is a .*(number in|number >)"
    if isinstance(value, torch.Tensor):
        message = rf"{name} = nan: accepted|{name} = tensor\(nan\): accepted"
    with pytest.raises(ValueError, match=message):
        GRDA(parameters([1.0]), **{**good, name: value})
    with pytest.raises(ValueError, match=message):
        GRDA([{"params": parameters([1.0]), name: value}], **good)
    optimizer = GRDA(parameters([1.0]), **good)
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": parameters([1.0]), name: value})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize("name", ["lr", "c", "mu"])
def test_a_tensor_of_the_wrong_size_is_named(name):
    options = {"lr": 0.1, "c": 0.1, "mu": 0.7, name: torch.full((2,), 0.7)}
    with pytest.raises(ValueError, match=rf"{name} has shape \(2,\): accepted is"):
        GRDA(parameters([1.0]), **options)


@pytest.mark.parametrize("kind", [torch.tensor, np.float64, lambda x: torch.tensor([x])])
def test_numbers_come_as_tensors_of_one_element_too(kind):
    optimizer = GRDA(parameters([1.0]), lr=0.1, c=kind(0.5), mu=kind(0.75))
    assert optimizer.param_groups[0]["c"] == 0.5 and optimizer.param_groups[0]["mu"] == 0.75
    assert type(optimizer.param_groups[0]["c"]) is type(optimizer.param_groups[0]["mu"]) is float


@pytest.mark.parametrize("mu", [0.3, 0.5, 1.0, 1.5])
def test_mu_outside_the_theory_is_a_warning_that_says_why(mu):
    match = rf"mu = {mu} is outside \(0.5, 1\), the range of the theory.*{'noise' if mu <= 0.5 else 'bias'}"
    with pytest.warns(UserWarning, match=match) as caught:
        GRDA(parameters([1.0]), lr=0.1, c=0.1, mu=mu)
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.warns(UserWarning, match=match) as caught:
        GRDA([{"params": parameters([1.0]), "mu": mu}], lr=0.1, c=0.1, mu=0.7)
    assert len(caught) == 1


@pytest.mark.parametrize("mu", [0.501, 0.7, 0.999])
def test_mu_inside_the_theory_is_silent(mu):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GRDA(parameters([1.0]), lr=0.0, c=0.0, mu=mu)


@pytest.mark.parametrize("params", [[], iter(())])
def test_no_parameters_is_an_error(params):
    with pytest.raises(ValueError, match="params is empty: accepted is at least one parameter"):
        GRDA(params, lr=0.1, c=0.1, mu=0.7)


@pytest.mark.parametrize("foreach", [False, True])
def test_a_group_may_be_empty_as_in_torch(foreach):
    """Of two parameters shared out among four processes two get none (ZeRO)."""
    groups = [{"params": []}, {"params": iter(())}]
    torch.optim.SGD(copy.deepcopy(groups[:1]), lr=0.1).step()
    optimizer = GRDA(groups, lr=0.1, c=0.1, mu=0.7, foreach=foreach)
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert not optimizer.state


@pytest.mark.parametrize(
    "wrong",
    [
        {"nesterov": True},
        {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
        {"nesterov": True, "momentum": 0.9, "nu": 0.5},
    ],
)
def test_nesterov_is_refused_where_it_means_nothing(wrong):
    with pytest.raises(ValueError, match=r"nesterov = True with .*: accepted is"):
        GRDA(parameters([1.0]), lr=0.1, c=0.1, mu=0.7, **wrong)


def test_a_learning_rate_that_turns_negative_is_refused_at_the_step():
    (p,) = parameters([1.0])
    p.grad = torch.ones_like(p)
    optimizer = GRDA([p], lr=0.1, c=0.1, mu=0.7)
    for lr in (-0.1, math.nan, torch.tensor(-0.1)):
        optimizer.param_groups[0]["lr"] = lr
        with pytest.raises(ValueError, match=r"lr = .*: accepted is a number >= 0"):
            optimizer.step()
        assert p.item() == 1.0
        assert optimizer.state[p]["step"] == optimizer.state[p]["threshold"] == 0


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kind", ["complex", "sparse"])
def test_complex_and_sparse_parameters_are_refused_by_name(kind, named):
    made = {"complex": torch.ones(2, 3, dtype=torch.complex64), "sparse": torch.eye(3).to_sparse()}
    p = made[kind].requires_grad_()
    name = "'odd'" if named else "0 of its group"
    with pytest.raises(ValueError, match=f"parameter {name}.*{kind}.*accepted are real, dense"):
        GRDA([("odd", p)] if named else [p], lr=0.1, c=0.1, mu=0.7)


@pytest.mark.parametrize("named", [True, False])
def test_a_sparse_gradient_is_refused_before_anything_moves(named):
    first, second = parameters([1.0], [2.0])
    params = [("first", first), ("second", second)] if named else [first, second]
    optimizer = GRDA(params, lr=0.1, c=0.1, mu=0.7)
    first.grad = torch.ones_like(first)
    second.grad = torch.ones_like(second).to_sparse()
    name = "'second'" if named else "1 of its group"
    with pytest.raises(RuntimeError, match=f"parameter {name}.*sparse.*accepted are dense"):
        optimizer.step()
    assert first.item() == 1.0 and not optimizer.state


def test_the_algorithm_is_read_in_one_piece():
    """Four functions, one after the other, with no check between them."""
    tree = ast.parse(inspect.getsource(grda))
    defined = [*next(n for n in tree.body if isinstance(n, ast.ClassDef)).body, *tree.body]
    functions = [node for node in defined if isinstance(node, ast.FunctionDef)]
    names = [node.name for node in functions]
    assert names[names.index("step") :] == ["step", "_update", "_advance", "direction"]
    algorithm = functions[names.index("step") :]
    assert algorithm[-1].end_lineno - algorithm[0].lineno < 120
    assert not any(isinstance(n, ast.Raise | ast.Assert) for f in algorithm for n in ast.walk(f))
