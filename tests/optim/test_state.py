"""What is kept, saved and loaded: dtypes, earlier versions, other optimizers."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn

from grda_edu import reference
from grda_edu.optim import GRDA

LAW = {"lr": 0.1, "c": 0.1, "mu": 0.7}
HALVES = [torch.bfloat16, torch.float16]


def trained(steps=5, dtype=torch.float32, **options):
    p = nn.Parameter(torch.linspace(-1, 1, 41).to(dtype))
    optimizer = GRDA([p], **LAW, **options)
    go_on(p, optimizer, range(steps))
    return p, optimizer


def gradient(step):
    return torch.randn(41, generator=torch.Generator().manual_seed(step))


def go_on(p, optimizer, steps):
    for step in steps:
        p.grad = gradient(step).to(p.dtype)
        optimizer.step()


# ---- the accumulator's dtype --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("path", [{}, {"foreach": True}, {"capturable": True}], ids=str)
@pytest.mark.parametrize("momentum", [{}, {"momentum": 0.9, "nesterov": True}])
def test_a_float32_accumulator_under_half_weights_is_exact(dtype, path, momentum):
    p, optimizer = trained(40, dtype, accumulator_dtype=torch.float32, **path, **momentum)
    start = torch.linspace(-1, 1, 41).to(dtype).double()
    gradients = [gradient(k).to(dtype).double().numpy() for k in range(40)]
    *_, (w, v, _) = reference.grda(start, gradients, [0.1] * 40, 0.1, 0.7, **momentum)
    state = optimizer.state[p]
    assert p.dtype == dtype
    assert all(
        state[name].dtype == torch.float32
        for name in ("accumulator", "momentum_buffer")
        if name in state
    )
    assert np.abs(state["accumulator"].double().numpy() - v).max() < 1e-5
    expected = torch.from_numpy(w).to(dtype)
    assert torch.equal(p == 0, expected == 0)
    rounding = torch.finfo(dtype).eps * expected.abs().double() + 1e-5
    assert ((p.detach().double() - expected.double()).abs() <= rounding).all()


@pytest.mark.parametrize("dtype", HALVES)
def test_small_steps_are_not_lost(dtype):
    p = nn.Parameter(torch.ones(3, dtype=dtype))
    q = nn.Parameter(torch.ones(3, dtype=dtype))
    kept = GRDA([p], lr=1e-5, c=0.0, mu=0.7, accumulator_dtype=torch.float32)
    lost = GRDA([q], lr=1e-5, c=0.0, mu=0.7)
    for _ in range(1000):
        p.grad, q.grad = torch.ones_like(p), torch.ones_like(q)
        kept.step()
        lost.step()
    assert (q == 1).all()
    assert torch.allclose(p.float(), torch.full((3,), 0.99), atol=0.004)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("path", [{}, {"foreach": True}, {"capturable": True}], ids=str)
def test_its_dtype_survives_a_file_and_a_copy(dtype, path):
    p, optimizer = trained(5, dtype, momentum=0.9, accumulator_dtype=torch.float32, **path)
    file = io.BytesIO()
    torch.save({"p": p, "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    q = nn.Parameter(saved["p"].detach().clone())
    loaded = GRDA([q], **LAW, **path)
    loaded.load_state_dict(saved["optimizer"])
    r, copied = copy.deepcopy((p, optimizer))
    assert loaded.state[q]["accumulator"].dtype == torch.float32
    for weights, one in ((p, optimizer), (q, loaded), (r, copied)):
        go_on(weights, one, range(5, 9))
    assert torch.equal(p, q) and torch.equal(p, r)


@pytest.mark.parametrize("wrong", ["float32", torch.int32, torch.complex64, 32])
def test_what_is_no_dtype_of_real_numbers_is_refused(wrong):
    with pytest.raises(ValueError, match=r"accumulator_dtype = .*: accepted is a dtype of real"):
        trained(0, accumulator_dtype=wrong)


# ---- loading ------------------------------------------------------------------------------------


def test_nothing_is_shared_by_loading():
    p, optimizer = trained(momentum=0.9)
    q = nn.Parameter(p.detach().clone())
    other = GRDA([q], **LAW)
    other.load_state_dict(optimizer.state_dict())
    before = copy.deepcopy(other.state_dict())
    go_on(p, optimizer, range(5, 9))
    after = other.state_dict()
    assert torch.equal(before["state"][0]["accumulator"], after["state"][0]["accumulator"])
    assert torch.equal(before["state"][0]["momentum_buffer"], after["state"][0]["momentum_buffer"])
    assert before["state"][0]["step"] == after["state"][0]["step"] == 5


@pytest.mark.parametrize("momentum", [{}, {"momentum": 0.9}])
def test_what_earlier_versions_lack_is_filled(momentum):
    p, optimizer = trained(**momentum)
    saved = optimizer.state_dict()
    for name in ("nu", "maximize", "foreach", "by", "accumulator_dtype", "capturable"):
        del saved["param_groups"][0][name]
    q = nn.Parameter(p.detach().clone())
    loaded = GRDA([q], **LAW)
    loaded.load_state_dict(saved)
    go_on(p, optimizer, range(5, 9))
    go_on(q, loaded, range(5, 9))
    assert torch.equal(p, q)
    assert loaded.param_groups[0].keys() == optimizer.param_groups[0].keys()


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD([p], lr=0.1, momentum=0.9),
        lambda p: torch.optim.SGD([p], lr=0.1),
        lambda p: torch.optim.AdamW([p]),
        lambda p: torch.optim.ASGD([p]),
    ],
    ids=["SGD with momentum", "SGD", "AdamW", "ASGD"],
)
@pytest.mark.parametrize(
    "options", [LAW, {"lr": 0.1, "tuning": lambda n, lr: n * lr}], ids=["law", "tuning"]
)
def test_another_optimizers_state_is_refused_by_name(make, options):
    p = nn.Parameter(torch.ones(3))
    p.grad = torch.ones(3)
    other = make(p)
    other.step()
    optimizer = GRDA([p], **options)
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(
        ValueError, match=r"state_dict is another optimizer's: a group has lr.*accepted"
    ):
        optimizer.load_state_dict(other.state_dict())
    after = optimizer.state_dict()
    assert torch.equal(after["state"][0].pop("accumulator"), before["state"][0].pop("accumulator"))
    assert after == before


def test_a_state_without_an_accumulator_is_refused_by_name():
    p, optimizer = trained()
    saved = optimizer.state_dict()
    del saved["state"][0]["accumulator"]
    with pytest.raises(ValueError, match=r"has step, threshold, and no accumulator; accepted is"):
        GRDA([p], **LAW).load_state_dict(saved)


def test_groups_of_another_number_are_torchs_to_refuse():
    p, optimizer = trained()
    two = GRDA([{"params": [p]}, {"params": [nn.Parameter(torch.ones(1))]}], **LAW)
    with pytest.raises(ValueError, match="different number of parameter groups"):
        two.load_state_dict(optimizer.state_dict())


# ---- what a user of torch.optim expects ---------------------------------------------------------


def test_frozen_and_thawed_and_added_late():
    p, late = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = GRDA([p], **LAW)
    p.grad = torch.ones(2)
    optimizer.step()
    p.grad = None  # frozen
    optimizer.add_param_group({"params": [late], "c": 0.2})
    late.grad = torch.ones(2)
    before = p.detach().clone()
    optimizer.step()
    assert torch.equal(p, before)
    p.grad = torch.ones(2)
    optimizer.step()
    assert optimizer.state[p]["step"] == 2 and optimizer.state[late]["step"] == 2


def test_tied_weights_are_one_parameter():
    first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    optimizer = GRDA(model.parameters(), **LAW)
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    assert len(optimizer.state) == 1 and optimizer.state[first.weight]["step"] == 1


@pytest.mark.parametrize("path", [{}, {"foreach": True}, {"capturable": True}], ids=str)
def test_a_step_that_a_scaler_skips_is_none(path):
    p, q = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))
    optimizer, plain = GRDA([p], **LAW, **path), GRDA([q], **LAW, **path)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for k in range(6):
        optimizer.zero_grad()
        loss = (p * (k + 1)).sum() * (torch.inf if k == 2 else 1)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        if k != 2:
            q.grad = torch.full((4,), k + 1.0)
            plain.step()
    assert torch.equal(p, q)
    assert optimizer.state[p]["step"] == plain.state[q]["step"] == 5
    assert optimizer.state[p]["threshold"] == plain.state[q]["threshold"]


@pytest.mark.parametrize("path", [{}, {"foreach": True}, {"capturable": True}], ids=str)
def test_gradients_accumulated_are_the_large_batchs(path):
    x = torch.randn(32, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ends = []
    for size in (32, 8):
        torch.manual_seed(0)
        layer = nn.Linear(6, 4, dtype=torch.float64)
        optimizer = GRDA(layer.parameters(), **LAW, **path)
        for _ in range(5):
            optimizer.zero_grad()
            for rows in x.split(size):
                (layer(rows).square().sum() / 32).backward()
            torch.nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
            optimizer.step()
        ends.append(layer.weight.detach())
    torch.testing.assert_close(*ends, rtol=0, atol=1e-12)
    assert torch.equal(ends[0] == 0, ends[1] == 0) and (ends[0] == 0).any()
