"""The algorithm of ``grda`` for many parameters, each operation on all of them at once (for GPUs).

``update`` is the twin of ``GRDA._update``, ``directions`` of ``grda.direction``.
"""

from typing import Any

import torch
from torch import Tensor

from grda_edu.optim import units
from grda_edu.optim.shards import parts_here


def is_wanted(foreach: bool | None, params: list[Tensor]) -> bool:
    """Whether these parameters are updated together: by default, unless all are on the CPU."""
    return not all(p.is_cpu for p in params) if foreach is None else foreach


def update(
    params: list[Tensor], gradients: Any, states: list[dict[str, Any]], group: dict[str, Any]
) -> None:
    """One step on all the parameters, whose clocks and thresholds have already moved on."""
    if not params:
        return
    here = [parts_here(*its, group) for its in zip(params, gradients, states, strict=True)]
    whole, wholes = params, states
    params, gradients, states = map(list, zip(*here, strict=True))
    accumulators = [state["accumulator"] for state in states]
    thresholds = [state["threshold"] for state in states]
    torch._foreach_add_(
        accumulators, directions(params, gradients, states, group), alpha=-group["lr"]
    )
    if group["by"] == "unit":
        for p, state in zip(whole, wholes, strict=True):
            p.copy_(units.shrunk(state["accumulator"], state["threshold"]))
        return
    # S_τ(v) = v - clip(v, -τ, τ); softshrink takes no list, and turns NaN into 0 on some devices
    inside = torch._foreach_clamp_max(accumulators, thresholds)
    torch._foreach_clamp_min_(inside, [-t for t in thresholds])
    if group["accumulator_dtype"] is None:
        torch._foreach_copy_(params, accumulators)
        torch._foreach_sub_(params, inside)
    else:  # the difference in the accumulators' dtype, or rounding brings dead weights back
        torch._foreach_copy_(params, torch._foreach_sub(accumulators, inside))


def directions(
    params: list[Tensor], gradients: Any, states: list[dict[str, Any]], group: dict[str, Any]
) -> Any:
    """What the accumulators move against."""
    if group["maximize"]:
        gradients = torch._foreach_neg(gradients)
    if group["weight_decay"]:
        gradients = torch._foreach_add(gradients, params, alpha=group["weight_decay"])
    if not group["momentum"]:
        return gradients
    buffers = _buffers(gradients, states, group)
    if group["nesterov"]:
        return torch._foreach_add(gradients, buffers, alpha=group["momentum"])
    if group["nu"] != 1:
        return torch._foreach_lerp(gradients, buffers, group["nu"])
    return buffers


def _buffers(gradients: Any, states: list[dict[str, Any]], group: dict[str, Any]) -> list[Tensor]:
    """The momentum buffers after this step; only a step that starts one takes them one by one."""
    begun = ["momentum_buffer" in state and state["step"] > 1 for state in states]
    if all(begun):
        buffers = [state["momentum_buffer"] for state in states]
        torch._foreach_mul_(buffers, group["momentum"])
        torch._foreach_add_(buffers, gradients, alpha=1 - group["dampening"])
        return buffers
    for gradient, state, has_begun in zip(gradients, states, begun, strict=True):
        if has_begun:
            state["momentum_buffer"].mul_(group["momentum"])
            state["momentum_buffer"].add_(gradient, alpha=1 - group["dampening"])
        else:
            state["momentum_buffer"] = gradient.clone(memory_format=torch.preserve_format)
    return [state["momentum_buffer"] for state in states]
