"""What lesson 04 asks: predictions, the exercise, and what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore.writing import percent
from grda_edu.shrinkage import soft_threshold

from .numbers import (
    LARGE_C,
    MU,
    C,
    early_share,
    early_threshold,
    fate_of_large_c,
    large_c_accuracies,
    layer_shares,
)

if TYPE_CHECKING:
    from torch import nn


def _fullest() -> str:
    shares = layer_shares()
    return min(shares, key=shares.__getitem__)


PREDICTIONS = {
    "early": Prediction(
        title="how early the zeros come",
        question=(
            f"gRDA trains for 60 epochs with c = {C:g} and μ = {MU:g}. After 10 of them: how many percent "
            "of its final zeros are there already? (Within 10 points counts.)"
        ),
        answer=early_share,
        unit="%",
        tolerance=10.0,
        explanation=(
            "After a sixth of the steps, {answer:.0f}% of the final zeros are there. The threshold has "
            "only {height} of its final height by then. But the weights start small: {met} of them "
            "began below that height already, so the threshold meets most of them early."
        ),
        values=lambda: {name: percent(share, 0) for name, share in early_threshold().items()},
    ),
    "which_layer": Prediction(
        title="which layer keeps its weights",
        question=(
            "The same training. Which layer has the smallest share of zeros at the end? (`conv1` sees the "
            "pixels, `fc2` gives the ten answers.)"
        ),
        answer=_fullest,
        options={
            "conv1.weight": "conv1 has 144 weights, and every pixel passes through them.",
            "conv2.weight": "conv2 has 4,608 weights, and can do without most of them.",
            "fc1.weight": "fc1 has 8,192 weights, more than all other layers together, and loses most.",
            "fc2.weight": "fc2 loses many too: each digit's answer needs only some of the 64 units.",
        },
        explanation="Shares of zeros at the end, mean over the recorded seeds: {shares}.",
        values=lambda: {
            "shares": ", ".join(f"{n} {percent(share, 0)}" for n, share in layer_shares().items())
        },
    ),
    "too_large": Prediction(
        title="what too large a c does",
        question=(
            f"Now c = {LARGE_C:g}, two and a half times as much, with μ = {MU:g}. What becomes of the "
            "network within 60 epochs?"
        ),
        answer=fate_of_large_c,
        options={
            "more zeros, as accurate as before": "That would make the largest c the best one.",
            "more zeros, some accuracy lost": "Between too small and too large there is such a stretch.",
            "it dies: nearly every weight becomes zero": (
                "Once a layer is all zero, no signal passes, and no gradient either."
            ),
        },
        explanation="Recorded accuracies of the seeds: {accuracies}. Guessing gives about 10%.",
        values=lambda: {"accuracies": ", ".join(map(percent, large_c_accuracies()))},
    ),
}


def count_zeros(model):  # without types: its source is shown, and runs in the learner's notebook
    """The solution that the learner may compare with."""
    counts = {}
    for name, parameter in model.named_parameters():
        counts[name] = (int((parameter == 0).sum()), parameter.numel())
    return counts


def _network(weight: list[list[float]], bias: list[float]) -> nn.Module:
    """One linear layer with the given numbers."""
    import torch

    layer = torch.nn.Linear(len(weight[0]), len(weight))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    return layer


def _sparse_cnn() -> nn.Module:
    """The digits CNN, soft-thresholded so that every layer has zeros, with its first layer frozen."""
    import torch

    from grda_edu.models import digits_cnn

    model = digits_cnn(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(soft_threshold(parameter, 0.06))
    model.conv1.requires_grad_(False)
    return model


def _cases() -> list[Case]:
    one, tiny = [[0.0, 1.0], [2.0, 3.0]], [[1e-9, 0.0], [-1e-30, 3.0]]
    return [
        Case((_network(one, [1.0, 2.0]),), {"weight": (1, 4), "bias": (0, 2)}, "One of four."),
        Case((_network(one, [0.0, 2.0]),), {"weight": (1, 4), "bias": (1, 2)}, "Biases count too."),
        Case(
            (_network(tiny, [1.0, 1e-7]),),
            {"weight": (1, 4), "bias": (0, 2)},
            "Small is not zero: only numbers that are exactly zero count.",
        ),
        Case(
            (_network([[-0.0, 1.0], [-2.0, -3.0]], [0.0, -1.0]),),
            {"weight": (1, 4), "bias": (1, 2)},
            "Minus zero is zero as well, and negative numbers are not.",
        ),
        Case(
            (_sparse_cnn(),), why="A whole network, its first layer frozen: every parameter counts."
        ),
    ]


def _by_nonzero(model: nn.Module) -> dict[str, tuple[int, int]]:
    return {
        name: (weights.size - int(np.count_nonzero(weights)), weights.size)
        for name, weights in ((n, p.detach().numpy()) for n, p in model.named_parameters())
    }


EXERCISES = {
    "count_zeros": Exercise(
        title="count the zeros by layer",
        task=(
            "Write `count_zeros(model)`: a dictionary from each parameter's name to a pair, "
            "how many of its numbers are exactly zero, and how many there are."
        ),
        solution=count_zeros,
        oracle=_by_nonzero,
        cases=_cases,
        hints=(
            "`model.named_parameters()` gives pairs of a name and a tensor, biases included.",
            "`parameter == 0` is a tensor of True and False. Its `.sum()` counts the Trues; "
            "`parameter.numel()` is the number of entries.",
            "In the loop: `counts[name] = (int((parameter == 0).sum()), parameter.numel())`.",
        ),
        done="It works for any PyTorch model. In your own scripts: `from grda_edu import zeros_by_layer`.",
    ),
}

OBJECTIVES = {
    "follow a training by its zeros, and say when they come": "early",
    "say which layers keep their weights": "which_layer",
    "say what too large a c does": "too_large",
    "count the zeros of any PyTorch model, layer by layer": "count_zeros",
}
