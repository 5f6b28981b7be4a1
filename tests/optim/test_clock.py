"""A step whose learning rate is 0 leaves no trace in the training that follows."""

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

from grda_edu.optim import GRDA

OPTIONS = {
    "plain": {"c": 0.05, "mu": 0.7},
    "Polyak": {"c": 0.05, "mu": 0.7, "momentum": 0.9, "weight_decay": 0.01},
    "dampened": {"c": 0.05, "mu": 0.7, "momentum": 0.9, "dampening": 0.5},
    "Nesterov": {"c": 0.05, "mu": 0.7, "momentum": 0.9, "nesterov": True},
    "QHM": {"c": 0.05, "mu": 0.7, "momentum": 0.9, "dampening": 0.9, "nu": 0.7},
    # 0.1 t² / γ, which cannot be asked at γ = 0
    "divides": {"tuning": lambda n, lr: 0.02 + 0.01 * n * lr**2 / lr, "momentum": 0.9},
}
pytestmark = [
    pytest.mark.parametrize("name", OPTIONS),
    pytest.mark.parametrize("foreach", [False, True]),
    pytest.mark.parametrize("number", [float, torch.tensor]),
]


def make(name, foreach, number):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    return model, GRDA(model.parameters(), lr=number(0.1), foreach=foreach, **OPTIONS[name])


def go(model, optimizer, lrs, number, first=0):
    """A step for each learning rate, whose gradients depend on its place in the list."""
    for k, lr in enumerate(lrs, start=first):
        optimizer.param_groups[0]["lr"] = number(lr)
        optimizer.zero_grad()
        x = torch.randn(4, 6, generator=torch.Generator().manual_seed(k))
        model(x).square().sum().backward()
        optimizer.step()


def everything(model, optimizer):
    return [(p.detach(), optimizer.state[p]) for p in model.parameters()]


def assert_bitwise(one, other):
    pairs = zip(everything(*one), everything(*other), strict=True)
    for (p, state), (q, twin) in pairs:
        assert torch.equal(p, q)
        assert state.keys() == twin.keys()
        for key, value in state.items():
            assert torch.equal(value, twin[key]) if torch.is_tensor(value) else value == twin[key]


def test_asked_for_its_state_before_the_first_step(name, foreach, number):
    """torch then does a hidden step with zero gradients at learning rate 0."""
    asked, plain = make(name, foreach, number), make(name, foreach, number)
    saved = get_optimizer_state_dict(*asked)
    kept = {"step", "threshold", "accumulator"} | (
        {"momentum_buffer"} if OPTIONS[name].get("momentum") else set()
    )
    assert {key for state in saved["state"].values() for key in state} == kept
    assert all(state["step"] == state["threshold"] == 0 for state in saved["state"].values())
    for one in (asked, plain):
        go(*one, [0.1, 0.1, 0.05], number)
    assert_bitwise(asked, plain)


def test_warm_up_from_zero(name, foreach, number):
    warm, plain = make(name, foreach, number), make(name, foreach, number)
    before = [p.detach().clone() for p in warm[0].parameters()]
    go(*warm, [0.0, 0.0], number)
    assert all(torch.equal(p, q) for p, q in zip(warm[0].parameters(), before, strict=True))
    for one in (warm, plain):
        go(*one, [0.05, 0.1, 0.1], number, first=2)
    assert_bitwise(warm, plain)


def test_zero_in_the_middle(name, foreach, number):
    stopped, plain = make(name, foreach, number), make(name, foreach, number)
    go(*stopped, [0.1, 0.1, 0.1, 0.0, 0.0, 0.05, 0.1], number)
    go(*plain, [0.1, 0.1, 0.1], number)
    go(*plain, [0.05, 0.1], number, first=5)
    assert_bitwise(stopped, plain)


def test_weights_loaded_after_the_hidden_step_are_where_training_starts(name, foreach, number):
    asked, plain = make(name, foreach, number), make(name, foreach, number)
    get_optimizer_state_dict(*asked)
    for model, _ in (asked, plain):
        model.load_state_dict(
            {key: 2 * p for key, p in make(name, foreach, number)[0].state_dict().items()}
        )
    for one in (asked, plain):
        go(*one, [0.1, 0.1], number)
    assert_bitwise(asked, plain)
