"""Dead units of the digits CNN, removed one after the other: what ``compact`` does, written out.

A unit is dead if all its incoming weights are zero, which makes it a constant, or all its outgoing
ones, which leaves it unheard. This follows the course's one network; ``compact`` follows any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from .numbers import network, outputs

LAYERS = ("conv1", "conv2", "fc1", "fc2")


@dataclass(frozen=True)
class Removal:
    """A unit that left, and the network without it and all before it."""

    layer: str  # "" before the first
    unit: int  # its number in the whole network
    model: nn.Sequential
    difference: float  # largest of an output, over all test images
    agree: bool  # does every test image get the answer that it had?


def removals(model: nn.Sequential | None = None) -> list[Removal]:
    """Remove every dead unit of a digits CNN, the recorded gRDA one by default, in order of layers."""
    model = network() if model is None else model
    numbers = {name: list(range(len(_bias(model, name)))) for name in LAYERS[:-1]}
    with torch.no_grad():
        before = outputs(model)
        made = [Removal("", -1, model, 0.0, True)]
        while (found := _next(made[-1].model)) is not None:
            layer, unit = found
            smaller = without(made[-1].model, layer, unit)
            now = outputs(smaller)
            made.append(
                Removal(
                    layer,
                    numbers[layer].pop(unit),
                    smaller,
                    float((now - before).abs().max()),
                    bool((now.argmax(1) == before.argmax(1)).all()),
                )
            )
    return made


def dead_units(model: nn.Sequential) -> dict[str, list[int]]:
    """Layer -> its units that are constant or unheard, whether they can be removed or not."""
    return {
        layer: [k for k in range(len(_bias(model, layer))) if _is_dead(model, layer, k)]
        for layer in LAYERS[:-1]
    }


def without(model: nn.Sequential, layer: str, unit: int) -> nn.Sequential:
    """The network without one unit, its constant added to the next layer's bias.

    Raises ValueError where that would change the outputs: the unit is neither constant nor unheard,
    or its constant is not zero and the next layer pads with zeros.
    """
    if (k := constant(model, layer, unit)) is None:
        raise ValueError(f"{layer}, unit {unit}: accepted are units that are constant or unheard")
    after = LAYERS[LAYERS.index(layer) + 1]
    if k and after.startswith("conv"):
        raise ValueError(
            f"{layer}, unit {unit}: its constant {k:g} stops at the padding of {after}"
        )
    own, heard = _weight(model, layer), _columns(model, layer)
    kept = torch.arange(len(own)) != unit
    changed = {
        f"{layer}.weight": own[kept],
        f"{layer}.bias": _bias(model, layer)[kept],
        f"{after}.weight": heard[:, kept].flatten(1, 2) if heard.ndim == 3 else heard[:, kept],
        f"{after}.bias": _bias(model, after) + k * heard[:, unit].reshape(len(heard), -1).sum(1),
    }
    return rebuilt({name: p.detach() for name, p in model.named_parameters()} | changed)


def constant(model: nn.Sequential, layer: str, unit: int) -> float | None:
    """What the next layer gets from a dead unit: 0 if it does not listen; None if it is alive."""
    if not _columns(model, layer)[:, unit].any():
        return 0.0
    if _weight(model, layer)[unit].any():
        return None
    return max(float(_bias(model, layer)[unit]), 0.0)


def _is_dead(model: nn.Sequential, layer: str, unit: int) -> bool:
    return constant(model, layer, unit) is not None


def _next(model: nn.Sequential) -> tuple[str, int] | None:
    """The first unit that can be removed. One stays in each layer."""
    for layer in LAYERS[:-1]:
        after = LAYERS[LAYERS.index(layer) + 1]
        units = len(_bias(model, layer))
        for unit in range(units if units > 1 else 0):
            k = constant(model, layer, unit)
            if k is not None and not (k and after.startswith("conv")):
                return layer, unit
    return None


def _weight(model: nn.Sequential, layer: str) -> Tensor:
    return cast(nn.Conv2d | nn.Linear, model.get_submodule(layer)).weight.detach()


def _bias(model: nn.Sequential, layer: str) -> Tensor:
    return cast(Tensor, model.get_submodule(layer).bias).detach()


def _columns(model: nn.Sequential, layer: str) -> Tensor:
    """The next layer's weights by the units that it hears: [outputs, units, …]."""
    after = _weight(model, LAYERS[LAYERS.index(layer) + 1])
    units = len(_bias(model, layer))
    return after if after.shape[1] == units else after.unflatten(1, (units, -1))


def rebuilt(parameters: dict[str, Tensor]) -> nn.Sequential:
    """A digits CNN with as many units as its parameters say."""
    model = network()
    for name in LAYERS:
        layer = cast(nn.Conv2d | nn.Linear, model.get_submodule(name))
        weight = parameters[f"{name}.weight"]
        layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(parameters[f"{name}.bias"])
        if isinstance(layer, nn.Linear):
            layer.out_features, layer.in_features = weight.shape
        else:
            layer.out_channels, layer.in_channels = weight.shape[:2]
    return model


def wires(model: nn.Sequential, layer: str) -> Tensor:
    """Which units of a layer are heard by which of the next: bool [next, units]."""
    return (
        (_columns(model, layer) != 0).flatten(2).any(2)
        if layer != "fc1"
        else (_columns(model, layer) != 0)
    )
