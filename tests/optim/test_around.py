"""Dual averaging around torch's optimizers. Around SGD without weight decay its oracle is GRDA."""

import copy
import io
import itertools
import pickle

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adadelta, Adagrad, Adam, AdamW, NAdam, RAdam, RMSprop
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, MultiStepLR, OneCycleLR

from grda_edu.data import digits
from grda_edu.models import small_digits_cnn
from grda_edu.optim import GRDA, DualAveraging
from grda_edu.shrinkage import PowerTuning, soft_threshold, tuning_function
from grda_edu.sparse.masks import keep_zeros
from grda_edu.training.loop import train
from tests.optim.test_bench import CHECKS, assert_same, do_steps, give_gradients, parameters

C, MU = 3.0, 0.7
OPTIONS = [
    {},
    {"maximize": True},
    {"momentum": 0.9},
    {"momentum": 0.9, "maximize": True},
    {"momentum": 0.9, "dampening": 0.5},
    {"momentum": 0.9, "nesterov": True},
]
BASES = {
    "AdamW": lambda params: AdamW(params, lr=0.01, weight_decay=0.1),
    "AdamW, amsgrad, foreach": lambda params: AdamW(params, lr=0.01, amsgrad=True, foreach=True),
    "AdamW, fused": lambda params: AdamW(params, lr=0.01, fused=True),
    "AdamW, tensor lr": lambda params: AdamW(params, lr=torch.tensor(0.01)),
    "Adam with l2": lambda params: Adam(params, lr=0.01, weight_decay=0.1),
    "RMSprop": lambda params: RMSprop(params, lr=0.01, momentum=0.9, centered=True),
    "Adagrad": lambda params: Adagrad(params, lr=0.05, lr_decay=0.01),
    "Adadelta": lambda params: Adadelta(params, lr=0.05),
    "NAdam": lambda params: NAdam(params, lr=0.02),
    "RAdam": lambda params: RAdam(params, lr=0.02),
    "SGD": lambda params: SGD(params, lr=0.05, momentum=0.9, weight_decay=0.1),
}


def by_hand(make_base, params, steps, c=C, mu=MU, schedule=None):
    """The definition: the base moves a second set of parameters, v, by the gradients at w.

    One threshold for all: every parameter has a gradient at every step.
    """
    vs = [nn.Parameter(p.detach().clone()) for p in params]
    base = make_base(vs)
    scheduler = schedule(base) if schedule else None
    threshold = 0.0
    for n in steps:
        give_gradients(params, n)
        for v, p in zip(vs, params, strict=True):
            v.grad = p.grad + 0.1 * p.detach()  # a gradient that depends on where it is taken
        lr = float(base.param_groups[0]["lr"])
        base.step()
        if scheduler:
            scheduler.step()
        k = n + 1
        threshold += tuning_function(k, lr, c, mu) - tuning_function(k - 1, lr, c, mu)
        for v, p in zip(vs, params, strict=True):
            p.detach().copy_(soft_threshold(v.detach(), threshold))
    return vs, threshold


def wrapped(optimizer, params, steps, scheduler=None):
    for n in steps:
        give_gradients(params, n)
        for p in params:
            p.grad += 0.1 * p.detach()
        optimizer.step()
        if scheduler:
            scheduler.step()


# ---- around SGD it is GRDA --------------------------------------------------------------------


@pytest.mark.parametrize("tuning", [False, True])
@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_around_sgd_it_is_grda_bit_for_bit(options, foreach, tuning):
    """1,000 steps, a schedule, a parameter whose gradient is missing now and then."""
    still = () if "momentum" in options else range(500, 520)  # SGD's buffer moves at rate 0 too

    def rate(n):
        return 0.0 if n in still else 0.5 if n > 300 else 1.0

    rule = {"tuning": PowerTuning(0.05, 0.6)} if tuning else {"c": 0.05, "mu": 0.6}
    for dtype in (torch.float32, torch.bfloat16):
        ours, theirs = parameters(dtype), parameters(dtype)
        around = DualAveraging(SGD(ours, lr=0.1, foreach=foreach, **options), **rule)
        grda = GRDA(theirs, lr=0.1, foreach=foreach, **options, **rule)
        schedulers = [LambdaLR(o, rate) for o in (around, grda)]
        seen = set()
        for n in range(1000):
            for params, optimizer in ((ours, around), (theirs, grda)):
                give_gradients(params, n)
                if n % 7 < 2:
                    params[1].grad = None
                optimizer.step()
            for scheduler in schedulers:
                scheduler.step()
            assert_same(ours, theirs)
            seen.add(sum(int((p == 0).sum()) for p in ours))
        assert len(seen) > 2  # zeros come and go
        for p, q in zip(ours, theirs, strict=True):
            one, other = around.state[p], grda.state[q]
            assert torch.equal(one["accumulator"], other["accumulator"])
            assert (one["clock"], one["threshold"]) == (other["step"], other["threshold"])


@pytest.mark.parametrize("option", [{"fused": True}, {"lr": torch.tensor(0.1), "foreach": True}])
def test_around_other_roundings_of_sgd_it_is_grda_to_rounding(option):
    ours, theirs = parameters(), parameters()
    around = DualAveraging(SGD(ours, **{"lr": 0.1, "momentum": 0.9, **option}), 0.003, 0.6)
    grda = GRDA(theirs, lr=0.1, c=0.003, mu=0.6, momentum=0.9)
    for n in range(100):
        do_steps(ours, around, [n])
        do_steps(theirs, grda, [n])
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-5, atol=1e-5)


def test_weight_decay_acts_on_the_accumulator_and_not_on_the_weights():
    """On one flat weight: v decays by itself; GRDA's decay, on w = 0, would leave v as it is."""
    (p,) = [nn.Parameter(torch.tensor([0.5], dtype=torch.float64))]
    around = DualAveraging(SGD([p], lr=0.1, weight_decay=0.2), c=100.0, mu=0.7)
    for n in range(1, 6):
        p.grad = torch.zeros_like(p)
        around.step()
        assert p.item() == 0
        assert around.state[p]["accumulator"].item() == pytest.approx(0.5 * 0.98**n)


# ---- around any other optimizer ---------------------------------------------------------------


@pytest.mark.parametrize("schedule", [None, "cosine"])
@pytest.mark.parametrize("name", BASES)
def test_it_is_the_definition(name, schedule):
    """The base on parameters of its own, moved by the gradients at w, and thresholded: bit for bit."""
    make = None if schedule is None else lambda o: CosineAnnealingLR(o, T_max=60, eta_min=1e-3)
    params, expected = parameters(), parameters()
    vs, threshold = by_hand(BASES[name], expected, range(50), schedule=make)
    optimizer = DualAveraging(BASES[name](params), C, MU)
    wrapped(optimizer, params, range(50), make and make(optimizer))
    assert_same(params, expected)
    for p, v in zip(params, vs, strict=True):
        state = optimizer.state[p]
        assert torch.equal(state["accumulator"], v)
        assert state["threshold"] == pytest.approx(threshold, rel=1e-9)
        assert state["clock"] == 50
    zeros = [float((p == 0).double().mean()) for p in params[:2]]
    assert 0 < sum(zeros) < 2


@pytest.mark.parametrize("name", BASES)
def test_without_a_penalty_it_is_the_base(name):
    params, expected = parameters(), parameters()
    do_steps(params, DualAveraging(BASES[name](params), 0.0, MU), range(20))
    do_steps(expected, BASES[name](expected), range(20))
    assert_same(params, expected)


def test_groups_have_their_own_c_mu_or_tuning():
    rules = [{"c": 0.3, "mu": 0.8}, {"tuning": PowerTuning(0.1, 0.6)}, {}]
    params, expected = parameters(), parameters()
    groups = [{"params": [p], **rule} for p, rule in zip(params, rules, strict=True)]
    optimizer = DualAveraging(AdamW(groups, lr=0.01), C, MU)
    do_steps(params, optimizer, range(30))
    for q, rule, n in zip(expected, rules, range(3), strict=True):
        alone = DualAveraging(AdamW([q], lr=0.01), **(rule or {"c": C, "mu": MU}))
        for step in range(30):
            give_gradients(expected, step)
            for k, other in enumerate(expected):
                other.grad = other.grad if k == n else None
            alone.step()
    assert_same(params, expected)


def test_a_group_added_late_takes_what_it_does_not_set_from_both():
    params = parameters()
    optimizer = DualAveraging(AdamW(params[:1], lr=0.01, weight_decay=0.3), C, MU)
    do_steps(params, optimizer, range(3))
    optimizer.add_param_group({"params": params[1:2], "c": 0.2})
    optimizer.add_param_group({"params": params[2:], "tuning": PowerTuning(0.1, 0.6), "lr": 0.5})
    _, one, other = optimizer.param_groups
    assert (one["c"], one["mu"], one["lr"], one["weight_decay"]) == (0.2, MU, 0.01, 0.3)
    assert (other["c"], other["mu"], other["lr"]) == (None, None, 0.5)
    assert optimizer.param_groups is optimizer.base_optimizer.param_groups
    do_steps(params, optimizer, range(3, 5))
    assert [optimizer.state[p]["clock"] for p in params] == [5, 2, 2]


def test_a_parameter_group_of_a_wrong_kind_is_not_added():
    params = parameters()
    optimizer = DualAveraging(SGD(params, lr=0.1), C, MU)
    for wrong, message in (
        ({"params": [nn.Parameter(torch.ones(2))], "c": -1.0}, "c = -1.0: accepted is"),
        ({"params": [torch.ones(2, dtype=torch.complex64).requires_grad_()]}, "accepted are real"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizer.add_param_group(wrong)
        assert len(optimizer.param_groups) == 1


# ---- a torch optimizer ------------------------------------------------------------------------


class AroundSGD(DualAveraging):
    """Made as GRDA is, for torch's bench."""

    def __init__(self, params, lr, c, mu, **options):
        super().__init__(SGD(params, lr, **options), c, mu)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("options", OPTIONS[:3], ids=str)
@pytest.mark.parametrize("foreach", [False, True])
def test_it_passes_torchs_bench(check, options, foreach):
    lr = torch.tensor(0.01, dtype=torch.float64) if check.__name__ == "check_tensor_lr" else 0.1
    if foreach and torch.is_tensor(lr):
        pytest.skip("torch's SGD itself rounds otherwise with foreach and a tensor for lr")
    check(AroundSGD, {"lr": lr, "c": 0.1, "mu": 0.7, "foreach": foreach, **options})


@pytest.mark.parametrize("name", BASES)
def test_saved_and_continued_it_is_the_uninterrupted_run(name):
    params = parameters()
    optimizer = DualAveraging(BASES[name](params), C, MU)
    wrapped(optimizer, params, range(6))
    file = io.BytesIO()
    torch.save({"params": params, "optimizer": optimizer.state_dict()}, file)
    wrapped(optimizer, params, range(6, 20))
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    others = [nn.Parameter(p.detach().clone()) for p in saved["params"]]
    continued = DualAveraging(BASES[name](others), c=0.9, mu=0.9)
    continued.load_state_dict(saved["optimizer"])
    wrapped(continued, others, range(6, 20))
    assert_same(others, params)
    assert continued.state_dict()["param_groups"][0]["c"] == C


def test_a_tuning_function_is_known_again():
    params = parameters()
    optimizer = DualAveraging(AdamW(params, lr=0.01), tuning=PowerTuning(0.1, 0.6))
    do_steps(params, optimizer, range(3))
    saved = optimizer.state_dict()
    same = DualAveraging(AdamW(params, lr=0.01), tuning=PowerTuning(0.1, 0.6))
    same.load_state_dict(saved)
    assert same.param_groups[0]["tuning"] == PowerTuning(0.1, 0.6)
    do_steps(params, same, range(3, 5))
    other = DualAveraging(AdamW(params, lr=0.01), tuning=PowerTuning(0.2, 0.6))
    with pytest.raises(ValueError, match="saved with tuning = PowerTuning"):
        other.load_state_dict(saved)


@pytest.mark.parametrize("other", [lambda p: GRDA(p, 0.1, C, MU), lambda p: AdamW(p, 0.1)])
def test_the_state_of_another_optimizer_is_refused(other):
    params = parameters()
    optimizer = other(params)
    do_steps(params, optimizer, range(2))
    around = DualAveraging(AdamW(params, lr=0.1), C, MU)
    with pytest.raises(
        ValueError, match=r"state_dict is another optimizer's.*accepted is a DualAv"
    ):
        around.load_state_dict(optimizer.state_dict())
    do_steps(params, around, range(2))


def test_a_copy_goes_on_by_itself():
    params = parameters()
    optimizer = DualAveraging(AdamW(params, lr=0.01), C, MU)
    do_steps(params, optimizer, range(4))
    others, other = copy.deepcopy((params, optimizer))
    assert other.param_groups is other.base_optimizer.param_groups
    before = [p.detach().clone() for p in params]
    do_steps(others, other, range(4, 9))
    assert_same(params, before)
    do_steps(params, optimizer, range(4, 9))
    assert_same(others, params)


def test_schedulers_of_momentum_and_of_the_base_alone_act():
    params = parameters()
    base = AdamW(params, lr=0.01)
    optimizer = DualAveraging(base, C, MU)
    on_both = OneCycleLR(optimizer, max_lr=0.1, total_steps=10)  # cycles Adam's betas
    assert base.param_groups[0]["betas"][0] == 0.95 and base.param_groups[0]["lr"] < 0.01
    do_steps(params, optimizer, [0])
    on_both.step()
    on_base = MultiStepLR(base, [1], gamma=0.1)
    before = optimizer.param_groups[0]["lr"]
    do_steps(params, optimizer, [1])
    on_base.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(before / 10)


def test_a_state_replaced_by_somebody_else_is_the_one_that_is_used():
    params = parameters()
    optimizer = DualAveraging(AdamW(params, lr=0.01), C, MU)
    do_steps(params, optimizer, range(3))
    optimizer.state = type(optimizer.state)(dict)  # as some loops do, to start anew
    do_steps(params, optimizer, range(2))
    assert {state["clock"] for state in optimizer.state.values()} == {2}
    assert {int(state["step"]) for state in optimizer.base_optimizer.state.values()} == {2}


@pytest.mark.parametrize("name", ["AdamW", "RMSprop", "SGD"])
def test_a_step_of_learning_rate_zero_moves_neither_clock_nor_threshold(name):
    """As the getter of torch.distributed.checkpoint makes one before the first step."""
    params = parameters()
    optimizer = DualAveraging(BASES[name](params), C, MU)
    for p in params:
        p.grad = torch.zeros_like(p)
    lr, optimizer.param_groups[0]["lr"] = optimizer.param_groups[0]["lr"], 0.0
    optimizer.step()
    assert_same(params, parameters())
    assert all(optimizer.state[p]["clock"] == optimizer.state[p]["threshold"] == 0 for p in params)
    optimizer.param_groups[0]["lr"] = lr
    do_steps(params, optimizer, range(10))
    threshold = tuning_function(10, lr, C, MU)
    assert optimizer.state[params[0]]["threshold"] == pytest.approx(threshold)


def test_weights_loaded_after_the_getters_step_are_the_ones_that_are_trained():
    params, expected = parameters(), parameters()
    optimizer = DualAveraging(SGD(params, lr=0.0), C, MU)
    give_gradients(params, 0)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.1
    with torch.no_grad():
        for p, q in zip(params, expected, strict=True):
            p.mul_(2)
            q.mul_(2)
    do_steps(params, optimizer, range(5))
    do_steps(expected, GRDA(expected, lr=0.1, c=C, mu=MU), range(5))
    assert_same(params, expected)


def test_gradients_are_those_at_the_weights_also_of_a_closure():
    def trained(with_closure):
        (p,) = [nn.Parameter(torch.linspace(-1, 1, 9))]
        optimizer = DualAveraging(AdamW([p], lr=0.1), c=2.0, mu=MU)

        def closure():
            optimizer.zero_grad()
            loss = ((p - 0.3) ** 2).sum()
            loss.backward()
            return loss

        for _ in range(20):
            if with_closure:
                assert optimizer.step(closure).item() > 0
            else:
                closure()
                optimizer.step()
        return p

    assert torch.equal(trained(True), trained(False))
    assert 0 < (trained(True) == 0).sum() < 9


def test_the_parameters_keep_their_place_and_an_error_leaves_the_weights():
    params = parameters()
    base = AdamW(params, lr=0.01)
    optimizer = DualAveraging(base, C, MU)
    places = [p.data_ptr() for p in params]
    do_steps(params, optimizer, range(3))
    kept = {p: optimizer.state[p]["accumulator"].data_ptr() for p in params}
    do_steps(params, optimizer, range(3, 6))
    assert [p.data_ptr() for p in params] == places
    assert {p: optimizer.state[p]["accumulator"].data_ptr() for p in params} == kept
    before = [p.detach().clone() for p in params]

    def fails(*_):
        raise RuntimeError("in mid-step")

    handle = base.register_step_post_hook(fails)
    with pytest.raises(RuntimeError, match="in mid-step"):
        optimizer.step()
    assert_same(params, before)
    handle.remove()


class ReplacesStorage(torch.optim.Optimizer):
    """SGD as it is written down first: a new tensor for the parameter."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data - group["lr"] * p.grad


def test_a_base_that_puts_in_new_tensors_is_followed():
    params, expected = parameters(), parameters()
    optimizer = DualAveraging(ReplacesStorage(params, 0.1), 0.02, MU)
    places = [p.data_ptr() for p in params]
    do_steps(params, optimizer, range(30))
    do_steps(expected, DualAveraging(SGD(expected, 0.1), 0.02, MU), range(30))
    for p, q in zip(params, expected, strict=True):
        torch.testing.assert_close(p, q)
    assert [p.data_ptr() for p in params] == places


def test_backward_through_weights_from_before_the_step_is_refused_as_ever():
    (p,) = [nn.Parameter(torch.ones(3))]
    optimizer = DualAveraging(SGD([p], lr=0.1), C, MU)
    loss = (p**2).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_its_repr_says_what_it_is_around():
    said = repr(DualAveraging(AdamW(parameters(), lr=0.01), C, MU))
    assert said.startswith("DualAveraging around AdamW (") and f"c: {C}" in said


# ---- beside what else handles an optimizer ----------------------------------------------------


def test_a_training_is_resumed_exactly():
    def trained(epochs, resume=None):
        return train(
            small_digits_cnn(),
            digits(),
            lambda params: DualAveraging(AdamW(params, lr=0.01), c=0.3, mu=MU),
            epochs=epochs,
            batch_size=128,
            resume=resume,
        )

    whole, first = trained(2), trained(1)
    resumed = trained(2, resume=first)
    assert resumed.train_loss.tolist() == whole.train_loss.tolist()
    assert resumed.zeros.tolist() == whole.zeros.tolist() and whole.zeros[-1].sum() > 0
    assert whole.configuration["hyperparameters"]["c"] == 0.3


def test_a_scaler_that_skips_a_step_leaves_the_clock():
    params = parameters()
    optimizer = DualAveraging(AdamW(params, lr=0.01), C, MU)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    scaler.scale(torch.ones(())).item()  # begins its scale
    give_gradients(params, 0)
    plain = parameters()
    twin = DualAveraging(AdamW(plain, lr=0.01), C, MU)
    do_steps(plain, twin, [0])
    for p in params:
        p.grad *= 4
    scaler.step(optimizer)
    scaler.update()
    assert_same(params, plain)
    give_gradients(params, 1)
    params[0].grad[0, 0] = torch.inf
    scaler.step(optimizer)
    assert_same(params, plain)
    assert {optimizer.state[p]["clock"] for p in params} == {1}


def test_kept_zeros_stay_zero_in_both_spaces():
    model = small_digits_cnn()
    params = list(model.parameters())
    optimizer = DualAveraging(AdamW(params, lr=0.01), C, MU)
    do_steps(params, optimizer, range(20))
    dead = [p == 0 for p in params]
    assert any(mask.any() for mask in dead)
    with keep_zeros(model):
        for group in optimizer.param_groups:
            group["c"] = 0.0
        do_steps(params, optimizer, range(20, 40))
    for p, mask in zip(params, dead, strict=True):
        assert (p[mask] == 0).all() and (optimizer.state[p]["accumulator"][mask] == 0).all()


def test_a_pickle_is_an_optimizer():
    params = parameters()
    optimizer = DualAveraging(AdamW(params, lr=0.01), C, MU)
    do_steps(params, optimizer, range(3))
    other = pickle.loads(pickle.dumps(optimizer))
    (group,) = other.param_groups
    do_steps(group["params"], other, range(3, 6))
    do_steps(params, optimizer, range(3, 6))
    assert_same(group["params"], params)


# ---- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda p: AdamW, "base_optimizer = <class 'torch.optim.adamw.AdamW'>"),
        (lambda p: p, r"base_optimizer = \[Parameter"),
        (lambda p: None, "base_optimizer = None"),
        (lambda p: GRDA(p, 0.1, C, MU), "base_optimizer = GRDA, which has an accumulator already"),
        (lambda p: AroundSGD(p, 0.1, C, MU), "base_optimizer = AroundSGD, which has an accumula"),
        (lambda p: torch.optim.SparseAdam(p), "base_optimizer = SparseAdam, which takes sparse"),
        (lambda p: torch.optim.LBFGS(p), "base_optimizer = LBFGS, whose step needs a closure"),
    ],
)
def test_what_is_no_base_is_refused_by_name(make, named):
    with pytest.raises(TypeError, match=f"{named}[^$]*accepted is a torch optimizer of dense"):
        DualAveraging(make(parameters()), C, MU)


def test_a_base_without_learning_rate_is_refused():
    class NoRate(torch.optim.Optimizer):
        def step(self, closure=None):
            pass

    with pytest.raises(
        ValueError, match=r"base_optimizer = 'NoRate': accepted is .* learning rate"
    ):
        DualAveraging(NoRate(parameters(), {}), C, MU)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({}, "c = None: accepted is a finite number >= 0, or a tuning function"),
        ({"c": -1.0, "mu": 0.7}, "c = -1.0: accepted is a finite number >= 0"),
        ({"c": 0.1, "mu": 0.0}, "mu = 0.0: accepted is a finite number > 0"),
        (
            {"c": 0.1, "mu": 0.7, "tuning": PowerTuning(1.0, 0.6)},
            "accepted is a tuning function or",
        ),
        ({"tuning": lambda n, lr: -n}, "accepted is a finite number >= 0"),
    ],
)
def test_a_bad_rule_is_refused_and_the_base_left_alone(rule, message):
    base = SGD(parameters(), lr=0.1)
    before = {key: value for key, value in base.param_groups[0].items() if key != "params"}
    with pytest.raises(ValueError, match=message):
        DualAveraging(base, **rule)
    after = {key: value for key, value in base.param_groups[0].items() if key != "params"}
    assert after == before


@pytest.mark.parametrize("capturable", [False, True])
@pytest.mark.parametrize("base", [SGD, Adagrad], ids=lambda base: base.__name__)
def test_a_sparse_gradient_is_refused_before_anything_moves(base, capturable):
    table, dense = nn.Embedding(5, 4, sparse=True), nn.Linear(4, 1)
    params = [*dense.named_parameters(), ("table", table.weight)]
    optimizer = DualAveraging(base(params, lr=0.1), C, MU, capturable=capturable)
    dense(table(torch.tensor([0, 2]))).sum().backward()
    before = [p.detach().clone() for _, p in params]
    with pytest.raises(
        RuntimeError, match=r"parameter 'table' has a gradient of layout torch.sparse_coo: accepted"
    ):
        optimizer.step()
    assert_same([p for _, p in params], before)


@pytest.mark.parametrize("mu", [0.4, 1.0])
def test_mu_outside_the_theory_is_a_warning_where_it_is_written(mu):
    with pytest.warns(UserWarning, match=f"mu = {mu} is outside") as caught:
        DualAveraging(SGD(parameters(), lr=0.1), C, mu)
    with pytest.warns(UserWarning, match=f"mu = {mu} is outside") as in_group:
        DualAveraging(SGD([{"params": parameters(), "mu": mu}], lr=0.1), C, MU)
    assert {w.filename for w in itertools.chain(caught, in_group)} == {__file__}


def test_a_learning_rate_that_turns_negative_is_refused_before_anything_moves():
    params = parameters()
    optimizer = DualAveraging(SGD(params, lr=0.1), C, MU)
    give_gradients(params, 0)
    optimizer.param_groups[0]["lr"] = -0.1
    with pytest.raises(ValueError, match=r"lr = -0.1: accepted is"):
        optimizer.step()
    assert_same(params, parameters())
