"""The algorithm of ``grda`` for many parameters, each operation on all of them at once (for GPUs).

``advance`` and ``update`` are the twins of ``GRDA._advance`` and ``_update``, ``directions`` of
``grda.direction``.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softshrink

from grda_edu.optim import units
from grda_edu.optim.shards import is_plain, parts_here
from grda_edu.optim.state import begin

LARGE = 2**20  # numbers, from which on a kernel of its own costs less than to copy them in and out


def is_wanted(foreach: bool | None, params: list[Tensor]) -> bool:
    """Whether these parameters are updated together: by default, unless all are on the CPU."""
    return not all(p.is_cpu for p in params) if foreach is None else foreach


def advance(
    states: Mapping[Tensor, dict[str, Any]], params: list[Tensor], group: dict[str, Any]
) -> list[dict[str, Any]]:
    """Move all parameters' clocks and thresholds one step on, at a learning rate that is not 0."""
    moved, growth = [states[p] for p in params], group["growth"]
    for state, p in zip(moved, params, strict=True):
        if not state.get("step"):
            begin(state, p, group)
        n = state["step"] + 1
        state["threshold"] += growth(n)
        state["step"] = n
    return moved


def update(
    params: list[Tensor],
    gradients: Any,
    states: list[dict[str, Any]],
    group: dict[str, Any],
    room: Room,
) -> None:
    """One step on all the parameters, whose clocks and thresholds have already moved on."""
    if not params:
        return
    whole, wholes = params, states
    if not all(map(is_plain, params, gradients, states)):
        here = [parts_here(*its, group) for its in zip(params, gradients, states, strict=True)]
        params, gradients, states = map(list, zip(*here, strict=True))
    accumulators = [state["accumulator"] for state in states]
    pushes = directions(params, gradients, states, group)
    torch._foreach_add_(accumulators, pushes, alpha=-group["lr"])
    if group["by"] == "unit":
        for p, state in zip(whole, wholes, strict=True):
            p.copy_(units.shrunk(state["accumulator"], state["threshold"]))
        return
    room.shrink(params, accumulators, [state["threshold"] for state in states])


class Room:
    """w ← S_g(v) of many tensors, and the room that this takes.

    No operation of torch soft-thresholds a list of tensors. A large tensor gets a kernel of its
    own. The small ones, whose kernels would cost more to start than to run, are copied into one
    piece of memory, thresholded there at once and copied out; the piece is kept for the next step.
    """

    def __init__(self) -> None:
        self._accumulators: list[Tensor] = []  # held: no other tensor is taken for one of them
        self._of_one_threshold: dict[int, Room] = {}

    def shrink(
        self, weights: list[Tensor], accumulators: list[Tensor], thresholds: list[float]
    ) -> None:
        """Write the thresholded accumulators into the weights; NaN stays NaN."""
        distinct = sorted(set(thresholds))
        if len(distinct) == 1:
            return self._shrink_alike(weights, accumulators, distinct[0])
        for k, g in enumerate(distinct):
            chosen = [i for i, threshold in enumerate(thresholds) if threshold == g]
            room = self._of_one_threshold.setdefault(k, Room())
            room._shrink_alike([weights[i] for i in chosen], [accumulators[i] for i in chosen], g)
        return None

    def _shrink_alike(self, weights: list[Tensor], accumulators: list[Tensor], g: float) -> None:
        if len(accumulators) != len(self._accumulators) or not all(
            map(is_, accumulators, self._accumulators)
        ):
            self._make(accumulators)
        for i in self._alone:
            _shrink(accumulators[i], g, weights[i])
        if self._places:
            torch._foreach_copy_(self._places, [accumulators[i] for i in self._copied])
            _shrink(self._piece, g, self._piece)
            torch._foreach_copy_([weights[i] for i in self._copied], self._places)

    def _make(self, accumulators: list[Tensor]) -> None:
        """Room for these: the small ones that are of the first one's device and dtype."""
        self._accumulators = accumulators
        small = {i: v for i, v in enumerate(accumulators) if v.numel() < LARGE}
        first = next(iter(small.values()), accumulators[0])
        small = {
            i: v for i, v in small.items() if (v.device, v.dtype) == (first.device, first.dtype)
        }
        self._copied = list(small)
        self._alone = [i for i in range(len(accumulators)) if i not in small]
        sizes = [v.numel() for v in small.values()]
        self._piece = first.new_empty(sum(sizes))
        self._places = [
            part.as_strided(v.shape, torch.empty_like(v, device="meta").stride())
            for part, v in zip(self._piece.split(sizes), small.values(), strict=True)
        ]


def _shrink(v: Tensor, g: float, out: Tensor) -> None:
    if v.device.type not in ("cpu", "cuda"):  # elsewhere softshrink turns NaN into 0
        out.copy_(v - v.clamp(-g, g))
    elif v.dtype == out.dtype:
        softshrink(v, g, out=out)  # type: ignore[call-arg]
    else:  # in the accumulator's dtype, or rounding brings dead weights back
        out.copy_(softshrink(v, g))


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
