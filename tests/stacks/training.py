"""One small training that every way of spreading it over processes has to repeat.

In float64: rounding then moves no weight over the threshold, so that the zeros have to be equal.
"""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from grda_edu.optim import GRDA
from grda_edu.optim.parts import PART
from grda_edu.zeros import masks, sparsity, zeros_by_layer

# (outputs, inputs): on both sides of what parts.PART divides, whole and halved
SHAPES = {"small": (60, 60), "below": (700, 700), "above": (800, 800), "far_above": (3000, 700)}
assert 700 * 700 < PART < 800 * 800 and 2 * PART < 3000 * 700
BATCH, STEPS = 8, 6


def logarithmic(n, lr):
    return 0.05 * lr * math.log1p(n)


OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {"c": 0.02, "mu": 0.6},
    "momentum": {"c": 0.01, "mu": 0.7, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01},
    "nesterov": {"c": 0.01, "mu": 0.7, "momentum": 0.9, "nesterov": True, "maximize": True},
    "tuning": {"tuning": logarithmic, "momentum": 0.9, "nu": 0.7},
    "units": {"c": 0.13, "mu": 0.6, "by": "unit"},
    "captured": {"c": 0.01, "mu": 0.7, "momentum": 0.9, "dampening": 0.5, "capturable": True},
}


def groups(named: Any, options: dict[str, Any]) -> list[dict[str, Any]]:
    """All parameters, or weights and biases apart where units are thresholded, which these have not."""
    named = list(named)
    if options.get("by") != "unit":
        return [{"params": [p for _, p in named]}]
    return [
        {"params": [p for name, p in named if name.endswith("weight")]},
        {"params": [p for name, p in named if name.endswith("bias")], "by": "weight"},
    ]


class Side(nn.Module):
    """Layers side by side, one of them with a single row, one that the loss does not know."""

    def __init__(self, shapes: dict[str, tuple[int, int]] = SHAPES) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleDict(
            {name: nn.Linear(n, m, dtype=torch.float64) for name, (m, n) in shapes.items()}
        )
        self.one_row = nn.Linear(50, 1, dtype=torch.float64)
        self.unused = nn.Linear(9, 7, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        """The mean loss of a batch (rows of 800 numbers)."""
        outs = [layer(x[:, : layer.in_features]) for layer in self.layers.values()]
        outs.append(self.one_row(x[:, :50]))
        return sum(torch.tanh(out + x[:, :1]).square().mean() for out in outs)  # type: ignore


def batch(step: int) -> Tensor:
    generator = torch.Generator().manual_seed(100 + step)
    return torch.randn(BATCH, 800, generator=generator, dtype=torch.float64)


def train(model: nn.Module, optimizer: Any, rows: slice = slice(None), steps: Any = range(STEPS)):
    """Steps under a schedule that begins at 0, on these rows of every batch."""
    for step in steps:
        for group in optimizer.param_groups:
            group["lr"] = [0.0, 0.1, 0.1, 0.05][min(step, 3)]
        optimizer.zero_grad()
        model(batch(step)[rows]).backward()
        optimizer.step()


def outcome(model: nn.Module, optimizer: Any, prefix: str = "") -> dict[str, Any]:
    """Whole weights, counts and clocks, on each process."""
    weights, clocks = {}, {}
    for name, p in model.named_parameters():
        whole = p.full_tensor() if hasattr(p, "full_tensor") else p
        weights[name.removeprefix(prefix)] = whole.detach().clone()
        state = optimizer.state.get(p)
        clocks[name.removeprefix(prefix)] = (
            [float(state["step"]), float(state["threshold"])] if state else None
        )
    return {
        "weights": weights,
        "clocks": clocks,
        "counts": {n.removeprefix(prefix): list(c) for n, c in zeros_by_layer(model).items()},
        "sparsity": sparsity(model),
        "masks": {n.removeprefix(prefix): mask for n, mask in masks(model).items()},
    }


def alone(options: dict[str, Any]) -> dict[str, Any]:
    """The outcome in one process, by the plain path."""
    options = {**options, "capturable": False}
    model = Side()
    optimizer = GRDA(groups(model.named_parameters(), options), lr=0.1, **options)
    train(model, optimizer)
    return outcome(model, optimizer)


def assert_same(got: dict[str, Any], expected: dict[str, Any], clocks: bool = True) -> None:
    """Weights within 1e-6 and more, zeros, counts and clocks equal."""
    for name, w in expected["weights"].items():
        torch.testing.assert_close(got["weights"][name], w, rtol=0, atol=1e-12, msg=name)
        assert torch.equal(got["weights"][name] == 0, w == 0), name
        assert torch.equal(got["masks"][name], w != 0), name
    assert got["counts"] == {n: list(c) for n, c in expected["counts"].items()}
    assert got["sparsity"] == expected["sparsity"]
    if clocks:
        for name, clock in expected["clocks"].items():
            assert got["clocks"][name] == (
                clock if clock is None else pytest.approx(clock, rel=1e-12)
            )
