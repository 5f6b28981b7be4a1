"""A tuning function of one's own in GRDA: what it does, how it is kept, what is refused."""

import copy
import io
import itertools
import math
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import MultiStepLR

from grda_edu.data import digits
from grda_edu.models import small_digits_cnn
from grda_edu.optim import GRDA, penalty_groups
from grda_edu.shrinkage import PowerTuning, soft_threshold, tuning_function
from grda_edu.training.checkpoint import Checkpoint
from grda_edu.training.loop import train


def logarithmic(n, lr):
    """Grows without an end, but slowly, and begins above zero."""
    return 0.01 + 0.3 * lr * math.log1p(n)


def steps(lrs, tuning, w=(0.9, -0.4, 0.02), **options):
    """Weights, threshold and accumulator after each step of zero gradients at these rates."""
    p = nn.Parameter(torch.tensor(w, dtype=torch.float64))
    optimizer = GRDA([p], lr=0.5, tuning=tuning, **options)
    for lr in lrs:
        optimizer.param_groups[0]["lr"] = lr
        p.grad = torch.zeros_like(p)
        optimizer.step()
        yield p.detach().numpy().copy(), optimizer.state[p]["threshold"]


# ---- the threshold ----------------------------------------------------------------------------


@pytest.mark.parametrize("foreach", [False, True])
def test_at_one_learning_rate_the_threshold_is_the_function(foreach):
    start = np.array([0.9, -0.4, 0.02])
    for n, (w, threshold) in enumerate(steps([0.1] * 200, logarithmic, foreach=foreach), start=1):
        assert threshold == pytest.approx(logarithmic(n, 0.1), rel=1e-12)
        np.testing.assert_allclose(w, soft_threshold(start, logarithmic(n, 0.1)), atol=1e-12)


@pytest.mark.parametrize("foreach", [False, True])
def test_under_a_schedule_its_increments_add_up(foreach):
    lrs = [*[0.1] * 50, *[0.01] * 50, 0.0, *[0.2] * 20]
    expected, n = logarithmic(0, lrs[0]), 0
    for lr, (_, threshold) in zip(lrs, steps(lrs, logarithmic, foreach=foreach), strict=True):
        if lr:  # a step at learning rate 0 does not count
            n += 1
            expected += logarithmic(n, lr) - logarithmic(n - 1, lr)
        assert threshold == pytest.approx(expected, rel=1e-12)
    recomputed = logarithmic(100, 0.01)  # at the drop it would have fallen
    assert recomputed < logarithmic(50, 0.1) < threshold


@pytest.mark.parametrize("momentum", [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
@pytest.mark.parametrize("foreach", [False, True])
def test_the_power_law_is_c_and_mu(momentum, foreach):
    """A network trained with c and mu, and one with the same law as a function, under a schedule."""

    def end(**law):
        torch.manual_seed(0)
        model = small_digits_cnn(0).double()
        optimizer = GRDA(model.parameters(), lr=0.05, foreach=foreach, **law, **momentum)
        schedule = MultiStepLR(optimizer, [30], gamma=0.1)
        x, y = digits().x_train.double(), digits().y_train
        for k in range(60):
            optimizer.zero_grad()
            batch = slice(20 * k, 20 * k + 20)
            torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
            schedule.step()
        return nn.utils.parameters_to_vector(model.parameters()).detach()

    built_in, function = end(c=0.02, mu=0.65), end(tuning=PowerTuning(0.02, 0.65))
    assert (built_in == 0).any()
    torch.testing.assert_close(built_in, function, rtol=0, atol=1e-10)


def test_each_parameter_has_its_own_clock():
    early, late = (nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = GRDA([early, late], lr=0.1, tuning=logarithmic)
    for n in range(10):
        early.grad = torch.zeros(2)
        late.grad = torch.zeros(2) if n >= 7 else None
        optimizer.step()
    assert optimizer.state[early]["threshold"] == pytest.approx(logarithmic(10, 0.1))
    assert optimizer.state[late]["threshold"] == pytest.approx(logarithmic(3, 0.1))


def test_a_learning_rate_that_is_a_tensor_reaches_the_function_as_a_number():
    def strict(n, lr):
        assert type(n) is int and type(lr) is float
        return 0.1 * lr * n

    p = nn.Parameter(torch.ones(2))
    optimizer = GRDA([p], lr=torch.tensor(0.5), tuning=strict)
    p.grad = torch.zeros(2)
    optimizer.step()
    assert optimizer.state[p]["threshold"] == pytest.approx(0.05)


@pytest.mark.parametrize("kind", [int, float, np.float32, np.float64])
def test_every_kind_of_number_is_taken(kind):
    *_, (_, threshold) = steps([0.1] * 3, lambda n, lr: kind(2 * n))
    assert threshold == 6.0 and type(threshold) is float


# ---- groups -----------------------------------------------------------------------------------


def test_a_group_has_a_tuning_function_or_c_and_mu():
    one, two, three = (nn.Parameter(torch.ones(1)) for _ in range(3))
    optimizer = GRDA(
        [{"params": [one]}, {"params": [two], "c": 0.0, "mu": 0.6}], lr=0.1, tuning=logarithmic
    )
    optimizer.add_param_group({"params": [three], "tuning": PowerTuning(0.2, 0.7)})
    for _ in range(5):
        for p in (one, two, three):
            p.grad = torch.zeros(1)
        optimizer.step()
    thresholds = [optimizer.state[p]["threshold"] for p in (one, two, three)]
    assert thresholds == pytest.approx([logarithmic(5, 0.1), 0, tuning_function(5, 0.1, 0.2, 0.7)])


def test_a_group_with_a_function_beside_groups_with_c_and_mu():
    model = nn.Linear(3, 2)
    optimizer = GRDA(penalty_groups(model, 0.1, 0.7), lr=0.1, c=0.1, mu=0.7)
    extra = nn.Parameter(torch.ones(1))
    optimizer.add_param_group({"params": [("extra", extra)], "tuning": logarithmic})
    extra.grad = torch.zeros(1)
    optimizer.step()
    assert optimizer.state[extra]["threshold"] == pytest.approx(logarithmic(1, 0.1))


# ---- saved, loaded, copied --------------------------------------------------------------------


def trained(tuning, count=7, **options):
    p = nn.Parameter(torch.linspace(-1, 1, 21))
    optimizer = GRDA([p], lr=0.1, momentum=0.9, tuning=tuning, **options)
    go_on(p, optimizer, count)
    return p, optimizer


def go_on(p, optimizer, count):
    for _ in range(count):
        p.grad = p.detach() * 0.3
        optimizer.step()


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("tuning", [logarithmic, PowerTuning(0.1, 0.6, momentum=0.9)])
def test_saved_without_pickle_and_continued(tuning, foreach):
    p, optimizer = trained(tuning, foreach=foreach)
    file = io.BytesIO()
    torch.save({"p": p, "optimizer": optimizer.state_dict()}, file)
    go_on(p, optimizer, 5)

    file.seek(0)
    saved = torch.load(file, weights_only=True)
    q = nn.Parameter(saved["p"].detach().clone())
    continued = GRDA([q], lr=0.9, tuning=tuning)
    continued.load_state_dict(saved["optimizer"])
    go_on(q, continued, 5)
    assert torch.equal(p, q)
    assert continued.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    assert continued.param_groups[0]["tuning"] is tuning


def test_the_state_keeps_the_name():
    name = trained(logarithmic)[1].state_dict()["param_groups"][0]["tuning"]
    assert name == "logarithmic"
    name = trained(PowerTuning(0.1, 0.6))[1].state_dict()["param_groups"][0]["tuning"]
    assert name == "PowerTuning(c=0.1, mu=0.6, momentum=0.0)"
    assert trained(logarithmic)[1].param_groups[0]["tuning"] is logarithmic
    plain = GRDA([nn.Parameter(torch.ones(1))], lr=0.1, c=0.1, mu=0.7)
    assert "tuning" not in plain.state_dict()["param_groups"][0]


def other(n, lr):
    return logarithmic(n, lr)


def same_name(factor):
    def inner(n, lr):
        return factor * lr * n

    return inner


class Callable:
    def __call__(self, n, lr):
        return lr * n


OPTIONS = {
    "logarithmic": {"tuning": logarithmic},
    "other": {"tuning": other},
    "PowerTuning(c=0.1, mu=0.6, momentum=0.0)": {"tuning": PowerTuning(0.1, 0.6)},
    "PowerTuning(c=0.2, mu=0.6, momentum=0.0)": {"tuning": PowerTuning(0.2, 0.6)},
    "c and mu": {"c": 0.1, "mu": 0.6},
}


@pytest.mark.parametrize(("was", "now"), list(itertools.permutations(OPTIONS, 2)))
def test_two_are_never_mixed_and_both_are_named(was, now):
    p = nn.Parameter(torch.ones(3))
    saved = GRDA([p], lr=0.1, **OPTIONS[was])
    loading = GRDA([p], lr=0.1, **OPTIONS[now])
    before = copy.deepcopy(loading.state_dict())
    with pytest.raises(ValueError) as caught:
        loading.load_state_dict(saved.state_dict())
    assert re.search(
        f"saved with (tuning = )?{re.escape(was)}, this optimizer has (tuning = )?{re.escape(now)}",
        str(caught.value),
    )
    assert loading.state_dict() == before


def test_two_of_one_name_are_told_apart_by_their_values():
    p = nn.Parameter(torch.ones(3))
    saved = GRDA([p], lr=0.1, tuning=same_name(0.1)).state_dict()
    GRDA([p], lr=0.1, tuning=same_name(0.1)).load_state_dict(saved)
    with pytest.raises(ValueError, match=r"another tuning = inner, whose values at lr = 0\.1"):
        GRDA([p], lr=0.1, tuning=same_name(0.2)).load_state_dict(saved)


def test_a_nameless_object_is_called_by_its_kind():
    p = nn.Parameter(torch.ones(3))
    saved = GRDA([p], lr=0.1, tuning=Callable()).state_dict()
    assert (
        saved["param_groups"][0]["tuning"] == "Callable"
    )  # no address: another process has others
    GRDA([p], lr=0.1, tuning=Callable()).load_state_dict(saved)


def test_a_copy_goes_on_as_the_original_and_apart_from_it():
    p, optimizer = trained(logarithmic)
    q, other = copy.deepcopy((p, optimizer))
    before = p.detach().clone()
    go_on(q, other, 5)
    assert torch.equal(p, before)
    go_on(p, optimizer, 5)
    assert torch.equal(p, q)


def test_a_training_can_be_resumed_with_the_same_function_only(tmp_path):
    def make(tuning):
        return lambda parameters: GRDA(parameters, lr=0.1, tuning=tuning)

    def go(epochs, tuning=logarithmic, resume=None):
        model = small_digits_cnn(0)
        run = train(
            model, digits(), make(tuning), epochs=epochs, batch_size=256, seed=0, resume=resume
        )
        return model, run

    _, half = go(1)
    assert half.configuration["hyperparameters"]["tuning"] == "logarithmic"
    half.checkpoint.save(tmp_path / "checkpoint.pt")
    half.checkpoint = Checkpoint.load(tmp_path / "checkpoint.pt")
    resumed, whole = go(2, resume=half)[0], go(2)[0]
    for p, q in zip(resumed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(p, q)
    with pytest.raises(
        ValueError, match=r"hyperparameters = .*'other'.*: accepted is .*'logarithmic'"
    ):
        go(2, tuning=other, resume=half)


# ---- bad input --------------------------------------------------------------------------------


def nan_at_1000(n, lr):
    return math.nan if n == 1000 else 0.01 * n


def decreasing(n, lr):
    return 0.01 * n if n < 100_000 else 0.0


def nan_at_777(n, lr):
    return math.nan if n == 777 else 0.01


def dips_at_13(n, lr):
    return 0.1 if n == 13 else 0.2


BAD = {
    "nan_at_1000": (nan_at_1000, r"nan_at_1000: it returned nan at n = 1000, lr = 0\.1"),
    "decreasing": (
        decreasing,
        r"decreasing: it decreases from 500 at n = 50000 to 0 at n = 100000",
    ),
    "negative": (lambda n, lr: -0.1, r"<lambda>: it returned -0\.1 at n = 0"),
    "infinite": (lambda n, lr: math.inf, r"<lambda>: it returned inf at n = 0"),
    "nothing": (lambda n, lr: None, r"<lambda>: it returned None of type NoneType at n = 0"),
    "dots": (lambda n, lr: ..., r"it returned Ellipsis of type ellipsis at n = 0"),
    "word": (lambda n, lr: "0.1", r"it returned '0\.1' of type str at n = 0"),
    "tensor": (lambda n, lr: torch.tensor(0.1), r"of type Tensor at n = 0"),
    "array": (lambda n, lr: np.array([0.1]), r"of type ndarray at n = 0"),
    "complex": (lambda n, lr: 0.1j, r"of type complex at n = 0"),
    "number": (0.02, r"tuning = 0\.02: accepted is a function of n and lr"),
    "string": ("mine", r"tuning = 'mine': accepted is a function of n and lr"),
    "elsewhere": (
        lambda n, lr: math.nan if lr == 0.1 and n > 10 else lr * n,
        r"<lambda>: it returned nan at n = 20, lr = 0\.1",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_function_is_refused_by_name(kind):
    tuning, message = BAD[kind]
    p = nn.Parameter(torch.ones(1))
    lr = 0.5 if kind == "elsewhere" else 0.1
    with pytest.raises(ValueError, match=message):
        GRDA([p], lr=lr, tuning=tuning)
    with pytest.raises(ValueError, match=message):
        GRDA([{"params": [p], "tuning": tuning}], lr=lr, c=0.1, mu=0.7)
    with pytest.raises(ValueError, match="accepted is"):
        GRDA([p], lr=lr, tuning=tuning)


def test_what_the_function_raises_is_raised_with_its_name():
    with pytest.raises(ZeroDivisionError) as caught:
        GRDA([nn.Parameter(torch.ones(1))], lr=0.1, tuning=lambda n, lr: 1 / n)
    assert caught.value.__notes__ == ["tuning = <lambda> raised this at n = 0, lr = 0.1"]
    with pytest.raises(TypeError, match="positional argument"):
        GRDA([nn.Parameter(torch.ones(1))], lr=0.1, tuning=lambda n: n)


@pytest.mark.parametrize(
    ("tuning", "bad_step", "message"),
    [
        (nan_at_777, 777, r"nan_at_777: it returned nan at n = 777, lr = 0\.1"),
        (dips_at_13, 13, r"dips_at_13: it decreases from 0\.2 at n = 12 to 0\.1 at n = 13"),
    ],
)
def test_what_probes_cannot_see_is_refused_at_the_step(tuning, bad_step, message):
    p = nn.Parameter(torch.ones(1))
    optimizer = GRDA([p], lr=0.1, tuning=tuning)
    p.grad = torch.zeros(1)
    for _ in range(bad_step - 1):
        optimizer.step()
    before = p.detach().clone(), dict(optimizer.state[p])
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            optimizer.step()
    assert torch.equal(p, before[0])
    assert optimizer.state[p]["step"] == bad_step - 1
    assert optimizer.state[p]["threshold"] == before[1]["threshold"]


def test_a_schedule_may_reach_a_rate_at_which_the_function_fails():
    p = nn.Parameter(torch.ones(1))
    optimizer = GRDA([p], lr=0.1, tuning=lambda n, lr: n * (lr if lr > 0.05 else -lr))
    p.grad = torch.zeros(1)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.01
    with pytest.raises(ValueError, match=r"<lambda>: it returned -0\.0\d+ at n = "):
        optimizer.step()


def test_rounding_is_no_decrease():
    *_, (_, threshold) = steps(
        [0.1] * 60, lambda n, lr: 0.3 - 1e-17 * n if n < 50 else 0.3 * (1 - 1e-12)
    )
    assert threshold == pytest.approx(0.3)


@pytest.mark.parametrize("both", [{"c": 0.1, "mu": 0.6}, {"c": 0.1}, {"mu": 0.6}])
def test_both_are_refused(both):
    p = nn.Parameter(torch.ones(1))
    message = r"tuning = logarithmic beside c = .* and mu = .*not both"
    with pytest.raises(ValueError, match=message):
        GRDA([p], lr=0.1, tuning=logarithmic, **both)
    with pytest.raises(ValueError, match=message):
        GRDA([{"params": [p], "tuning": logarithmic, **both}], lr=0.1, c=0.2, mu=0.7)


@pytest.mark.parametrize("given", [{}, {"c": 0.1}, {"mu": 0.7}])
def test_neither_is_refused(given):
    with pytest.raises(ValueError, match=r"(c|mu) = None: accepted is .*or a tuning function"):
        GRDA([nn.Parameter(torch.ones(1))], lr=0.1, **given)
