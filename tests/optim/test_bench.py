"""GRDA on PyTorch's own bench for optimizers.

Each check takes an optimizer class and the arguments to construct it with. GRDA passes it with
every input of its OptimizerInfo; an optimizer broken on purpose fails it with at least one.
"""

import copy
import inspect
import io
import itertools

import pytest
import torch
from torch.nn import Parameter
from torch.optim import SGD
from torch.optim.lr_scheduler import ExponentialLR, OneCycleLR, ReduceLROnPlateau, StepLR
from torch.testing._internal.common_optimizers import (
    ErrorOptimizerInput,
    OptimizerErrorEnum,
    OptimizerInfo,
    OptimizerInput,
    get_error_inputs_for_all_optims,
)

from grda_edu.optim import GRDA

BASE = {"lr": 0.1, "c": 0.1, "mu": 0.7}


def inputs(device, dtype=None):
    options = [
        {},
        {"lr": 0.01},
        {"lr": torch.tensor(0.001)},
        {"c": 0.0},
        {"weight_decay": 0.5},
        {"momentum": 0.9},
        {"weight_decay": 0.1, "maximize": True},
        {"momentum": 0.9, "dampening": 0.5},
        {"momentum": 0.9, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"momentum": 0.9, "dampening": 0.9, "nu": 0.7},
    ]
    return [OptimizerInput(params=None, kwargs={**BASE, **o}, desc=str(o)) for o in options]


def error_inputs(device, dtype):
    errors = get_error_inputs_for_all_optims(device, dtype)
    for error in errors:
        error.optimizer_error_input.kwargs = {**BASE, **error.optimizer_error_input.kwargs}
    refused = OptimizerInput(params=None, kwargs={**BASE, "momentum": -0.5}, desc="momentum")
    message = r"momentum = -0.5: accepted is a number in \[0, 1\)"
    return [*errors, ErrorOptimizerInput(refused, error_type=ValueError, error_regex=message)]


INFO = OptimizerInfo(
    GRDA,
    optim_inputs_func=inputs,
    optim_error_inputs_func=error_inputs,
    scheduler_inputs=(
        lambda optimizer: StepLR(optimizer, gamma=0.5, step_size=2),
        lambda optimizer: ExponentialLR(optimizer, gamma=0.9),
        lambda optimizer: ReduceLROnPlateau(optimizer, patience=0),
        lambda optimizer: OneCycleLR(optimizer, 0.2, total_steps=20, cycle_momentum=False),
    ),
    supported_impls=("foreach",),
    not_og_supported_flags=(),
    supports_sparse=False,
    supports_complex=False,
)
INPUTS = [
    {**case.kwargs, "foreach": foreach}
    for case, foreach in itertools.product(INFO.optim_inputs_func("cpu"), (False, True))
]


def parameters(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    shapes = ((4, 3), (5,), ())
    return [Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in shapes]


def give_gradients(params, step, sign=1.0):
    generator = torch.Generator().manual_seed(1000 + step)
    for p in params:
        p.grad = sign * torch.randn(p.shape, generator=generator).to(p.dtype)


def do_steps(params, optimizer, steps):
    for step in steps:
        give_gradients(params, step)
        optimizer.step()


def assert_same(params, others):
    for p, q in zip(params, others, strict=True):
        assert p.dtype == q.dtype and torch.equal(p, q)


# ---- the checks -------------------------------------------------------------------------------


def check_tensor_lr(optimizer_class, kwargs):
    """A learning rate in a tensor does what the number does, also when the tensor is changed."""
    number = float(kwargs["lr"])
    expected = parameters()
    optimizer = optimizer_class(expected, **{**kwargs, "lr": number})
    do_steps(expected, optimizer, range(3))
    optimizer.param_groups[0]["lr"] = number / 2
    do_steps(expected, optimizer, range(3, 6))
    for shape in ((), (1,)):
        lr = torch.full(shape, number, dtype=torch.float64)
        params = parameters()
        optimizer = optimizer_class(params, **{**kwargs, "lr": lr})
        do_steps(params, optimizer, range(3))
        lr.div_(2)
        do_steps(params, optimizer, range(3, 6))
        assert_same(params, expected)


def check_lr_schedulers(optimizer_class, kwargs):
    """A scheduler changes the step as setting the learning rate by hand does."""
    start = float(kwargs["lr"])
    for make_scheduler, as_tensor in itertools.product(INFO.scheduler_inputs, (False, True)):
        model = SGD([Parameter(torch.zeros(()))], lr=start)
        lr = torch.tensor(start, dtype=torch.float64) if as_tensor else start
        params, expected = parameters(), parameters()
        scheduled = optimizer_class(params, **{**kwargs, "lr": lr})
        by_hand = optimizer_class(expected, **{**kwargs, "lr": start})
        pair = [(model, make_scheduler(model)), (scheduled, make_scheduler(scheduled))]
        used = []
        for step in range(6):
            lr = model.param_groups[0]["lr"]
            used.append(lr)
            by_hand.param_groups[0]["lr"] = lr
            do_steps(expected, by_hand, [step])
            do_steps(params, scheduled, [step])
            model.step()
            for _, scheduler in pair:
                scheduler.step(*([1.0] if isinstance(scheduler, ReduceLROnPlateau) else []))
        assert len(set(used)) > 2
        for p, q in zip(params, expected, strict=True):
            assert torch.allclose(p, q, rtol=0, atol=1e-6)
        still = parameters()
        do_steps(still, optimizer_class(still, **{**kwargs, "lr": used[0]}), range(6))
        assert not torch.allclose(still[0], params[0], rtol=0, atol=1e-4)


def check_closure_under_no_grad(optimizer_class, kwargs):
    """A closure computes gradients even when step() is called under no_grad; its loss comes back."""
    params, expected = parameters(), parameters()
    optimizer = optimizer_class(params, **kwargs)
    twin = optimizer_class(expected, **kwargs)

    def closure():
        assert torch.is_grad_enabled()
        optimizer.zero_grad()
        loss = sum((p**2).sum() for p in params)
        loss.backward()
        return loss

    for _ in range(3):
        loss = sum((p.detach() ** 2).sum() for p in expected)
        for p in expected:
            p.grad = 2 * p.detach()
        twin.step()
        with torch.no_grad():
            assert torch.equal(optimizer.step(closure), loss)
        assert_same(params, expected)


def check_step_hooks(optimizer_class, kwargs):
    """Hooks are called once a step, before and after it, with the optimizer."""
    params = parameters()
    optimizer = optimizer_class(params, **kwargs)
    give_gradients(params, 0)
    start = params[0].detach().clone()
    calls = []

    def hook(when):
        def record(caller, args, kwargs):
            assert caller is optimizer
            calls.append((when, torch.equal(params[0], start)))

        return record

    handles = [
        optimizer.register_step_pre_hook(hook("before")),
        optimizer.register_step_post_hook(hook("after")),
    ]
    optimizer.step()
    assert calls == [("before", True), ("after", False)]
    for handle in handles:
        handle.remove()
    optimizer.step()
    assert len(calls) == 2


def check_maximize(optimizer_class, kwargs):
    """To maximize is to minimize along the negative gradient."""
    params, expected = parameters(), parameters()
    up = optimizer_class(params, **{**kwargs, "maximize": True})
    down = optimizer_class(expected, **{**kwargs, "maximize": False})
    for step in range(4):
        give_gradients(params, step)
        give_gradients(expected, step, sign=-1.0)
        up.step()
        down.step()
        assert_same(params, expected)


def check_parameter_without_gradient(optimizer_class, kwargs):
    """It stays as it is, without state; when its gradient arrives it starts its own clock."""
    params, fresh = parameters(), parameters()
    optimizer = optimizer_class(params, **kwargs)
    start = params[1].detach().clone()
    for step in range(5):
        give_gradients(params, step)
        params[1].grad = None
        optimizer.step()
        assert torch.equal(params[1], start) and not optimizer.state.get(params[1])
    do_steps(params, optimizer, range(3))
    do_steps(fresh, optimizer_class(fresh, **kwargs), range(3))
    assert torch.equal(params[1], fresh[1])


def check_sparse_refused(optimizer_class, kwargs):
    """A sparse gradient is refused with the parameter's name, before anything has moved."""
    params = parameters()
    names = ("first", "second", "third")
    optimizer = optimizer_class(list(zip(names, params, strict=True)), **kwargs)
    give_gradients(params, 0)
    params[1].grad = params[1].grad.to_sparse()
    try:
        optimizer.step()
    except RuntimeError as error:
        assert "second" in str(error) and "sparse" in str(error)
    else:
        raise AssertionError("a sparse gradient was accepted")
    assert_same(params, parameters())


def check_state_dict_in_mid_run(optimizer_class, kwargs):
    """Saved, loaded without pickle and continued: bit for bit the uninterrupted run."""
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        params = parameters(dtype)
        optimizer = optimizer_class(params, **kwargs)
        do_steps(params, optimizer, range(4))
        file = io.BytesIO()
        torch.save({"params": params, "optimizer": optimizer.state_dict()}, file)
        do_steps(params, optimizer, range(4, 9))

        file.seek(0)
        saved = torch.load(file, weights_only=True)
        others = [Parameter(p.detach().clone()) for p in saved["params"]]
        continued = optimizer_class(others, lr=0.9, c=0.9, mu=0.9)
        continued.load_state_dict(saved["optimizer"])
        do_steps(others, continued, range(4, 9))
        assert_same(others, params)


def check_deepcopy(optimizer_class, kwargs):
    """A copy of parameters and optimizer goes on as the original would, and apart from it."""
    params = parameters()
    optimizer = optimizer_class(params, **kwargs)
    do_steps(params, optimizer, range(4))
    others, other = copy.deepcopy((params, optimizer))
    before = [p.detach().clone() for p in params]
    do_steps(others, other, range(4, 9))
    assert_same(params, before)
    do_steps(params, optimizer, range(4, 9))
    assert_same(others, params)


def check_dtype_kept_on_load(optimizer_class, kwargs):
    """Loading changes no type, dtype or value of any state."""
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        params = parameters(dtype)
        optimizer = optimizer_class(params, **kwargs)
        do_steps(params, optimizer, range(3))
        loaded = optimizer_class(params, **kwargs)
        loaded.load_state_dict(optimizer.state_dict())
        for p in params:
            assert optimizer.state[p].keys() == loaded.state[p].keys()
            for name, value in optimizer.state[p].items():
                other = loaded.state[p][name]
                assert type(other) is type(value), name
                if torch.is_tensor(value):
                    assert other.dtype == value.dtype and torch.equal(other, value), name
                else:
                    assert other == value, name


def check_non_contiguous_parameters(optimizer_class, kwargs):
    """A parameter that is a view with gaps is updated in its place, as a contiguous one is."""
    for take in (lambda base: base[::2, 1::3], lambda base: base[:, :4].t()):
        base = torch.randn(8, 9, generator=torch.Generator().manual_seed(0))
        (p,) = params = [Parameter(take(base))]
        assert not p.is_contiguous()
        (q,) = expected = [Parameter(p.detach().clone(memory_format=torch.contiguous_format))]
        outside = base.clone()
        take(outside).zero_()
        place = (p.data_ptr(), p.stride())
        optimizer, twin = optimizer_class(params, **kwargs), optimizer_class(expected, **kwargs)
        for step in range(4):
            do_steps(params, optimizer, [step])
            do_steps(expected, twin, [step])
            assert torch.equal(p, q)
        assert (p.data_ptr(), p.stride()) == place
        assert torch.equal(take(base), q)
        take(base).zero_()
        assert torch.equal(base, outside)


# ---- optimizers broken on purpose, one for each check -----------------------------------------


class KeepsFirstLr(GRDA):
    """Reads the learning rate once."""

    def __init__(self, params, lr, *args, **kwargs):
        super().__init__(params, lr, *args, **kwargs)
        self.first_lr = float(lr)

    def step(self, closure=None):
        lrs = [group["lr"] for group in self.param_groups]
        for group in self.param_groups:
            group["lr"] = self.first_lr
        loss = super().step(closure)
        for group, lr in zip(self.param_groups, lrs, strict=True):
            group["lr"] = lr
        return loss


class CopiesTensorLr(GRDA):
    """Takes a tensor's value at construction; later changes of the tensor do nothing."""

    def __init__(self, params, lr, *args, **kwargs):
        super().__init__(params, float(lr), *args, **kwargs)


class ClosureUnderNoGrad(GRDA):
    """Calls the closure as it is."""

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else closure()
        super().step()
        return loss


class WithoutHooks(GRDA):
    """Its step is not wrapped by torch."""

    @torch.no_grad()
    def step(self, closure=None):
        return inspect.unwrap(GRDA.step)(self, closure)

    step.hooked = True


class IgnoresMaximize(GRDA):
    """Accepts maximize and minimizes."""

    def __init__(self, *args, maximize=False, **kwargs):
        super().__init__(*args, **kwargs)


class ZeroForNone(GRDA):
    """Takes a missing gradient for zero, so that the threshold grows meanwhile."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
        return super().step(closure)


class Densifies(GRDA):
    """Takes sparse gradients without a word."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = p.grad.to_dense()
        return super().step(closure)


class ForgetsThreshold(GRDA):
    """Its threshold does not survive loading."""

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["threshold"] = 0.0


class SharesOnDeepcopy(GRDA):
    """Its copy is itself."""

    def __deepcopy__(self, memo):
        return self


class ThresholdAsTensor(GRDA):
    """Keeps the threshold as a tensor of the parameter's dtype, to which torch casts all state."""

    def state_dict(self):
        saved = super().state_dict()
        states = {
            key: {**state, "threshold": state["accumulator"].new_tensor(state["threshold"])}
            for key, state in saved["state"].items()
        }
        return {**saved, "state": states}

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["threshold"] = float(state["threshold"])


class ReplacesStorage(GRDA):
    """Puts a new tensor into the parameter, as the out-of-place update does."""

    def step(self, closure=None):
        loss = super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                p.data = p.data.contiguous()
        return loss


CHECKS = {
    check_tensor_lr: CopiesTensorLr,
    check_lr_schedulers: KeepsFirstLr,
    check_closure_under_no_grad: ClosureUnderNoGrad,
    check_step_hooks: WithoutHooks,
    check_maximize: IgnoresMaximize,
    check_parameter_without_gradient: ZeroForNone,
    check_sparse_refused: Densifies,
    check_state_dict_in_mid_run: ForgetsThreshold,
    check_deepcopy: SharesOnDeepcopy,
    check_dtype_kept_on_load: ThresholdAsTensor,
    check_non_contiguous_parameters: ReplacesStorage,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kwargs", INPUTS, ids=str)
def test_grda_passes(check, kwargs):
    check(INFO.optim_cls, kwargs)


@pytest.mark.parametrize(("check", "broken"), CHECKS.items(), ids=lambda item: item.__name__)
def test_a_broken_optimizer_fails(check, broken):
    with pytest.raises(AssertionError):
        for kwargs in INPUTS:
            check(broken, kwargs)
    sound = check_tensor_lr if broken is IgnoresMaximize else check_maximize
    sound(broken, INPUTS[0])  # it is broken in the one way that the check is for


@pytest.mark.parametrize(
    "error",
    INFO.optim_error_inputs_func("cpu", torch.float32),
    ids=lambda error: error.optimizer_error_input.desc,
)
def test_torchs_own_bad_inputs_are_refused(error):
    assert error.error_on == OptimizerErrorEnum.CONSTRUCTION_ERROR
    bad = error.optimizer_error_input
    raises = pytest.warns if issubclass(error.error_type, Warning) else pytest.raises
    with raises(error.error_type, match=error.error_regex):
        INFO.optim_cls(parameters() if bad.params is None else bad.params, **bad.kwargs)
