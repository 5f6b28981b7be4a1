"""The algorithm of ``grda`` for graphs: clock and threshold are tensors on the device, moved in place.

A CUDA graph repeats what was done to memory, and ``torch.compile`` compiles anew for every new
number: a clock in Python would stand still in the one and cost a compilation a step in the other.
Nothing here looks at a value, so that a step at learning rate 0, which must leave no trace, is a
step whose shares are zero.

``update`` is the twin of ``GRDA._advance`` and ``together.update``.
"""

import functools
from typing import Any, ClassVar

import torch
from torch import Tensor

from grda_edu.optim import arguments, units
from grda_edu.optim.shards import local
from grda_edu.optim.state import SavesState, begin, clock_in_tensors
from grda_edu.optim.together import LARGE


def refuse_capture(optimizer: Any, params: list[Tensor]) -> None:
    """Raise RuntimeError while a CUDA graph is captured: it would repeat this step's numbers."""
    if any(p.is_cuda for p in params[:1]) and torch.cuda.is_current_stream_capturing():
        raise RuntimeError(
            f"{type(optimizer).__name__} is captured in a CUDA graph, which would repeat this "
            "step's threshold for ever: accepted is one made with capturable = True"
        )


class FollowsUntilFirst(torch.optim.Optimizer):
    """An optimizer that starts from the weights as they are when the first step counts."""

    _clock: ClassVar[str]

    def _follow_until_first(self, p: Tensor, state: dict[str, Any]) -> None:
        """v_0 = w_0, also where weights were loaded after a step at learning rate 0.

        The clock is read until it is seen to run, and never while a CUDA graph is captured.
        """
        clock = state[self._clock]
        running: dict[int, Tensor] = self.__dict__.setdefault("_running", {})
        if id(clock) in running or (p.is_cuda and torch.cuda.is_current_stream_capturing()):
            return
        if clock:
            running[id(clock)] = clock
        else:
            local(state["accumulator"]).copy_(local(p))


class StepsInGraphs(FollowsUntilFirst, SavesState):
    """An optimizer that can step inside of a graph."""

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> None:
        """Fill the lists with a group's tensors, and begin the state of those that have none.

        Under this name ``torch.compile`` runs it while it compiles, and compiles what follows.
        """
        params, gradients, accumulators, buffers, steps, thresholds = lists
        for p, gradient in zip(*arguments.with_dense_gradient(group), strict=True):
            state = self.state[p]
            if not state:
                begin(state, p, {**group, "lr": 0})  # with all that there will be
                clock_in_tensors(state, p)
            else:
                self._follow_until_first(p, state)
            if group["momentum"] and "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(state["accumulator"])
            params.append(p)
            gradients.append(gradient)
            accumulators.append(state["accumulator"])
            if group["momentum"]:
                buffers.append(state["momentum_buffer"])
            steps.append(state["step"])
            thresholds.append(state["threshold"])

    def _step_in_graph(self, group: dict[str, Any]) -> None:
        """One step on all parameters of a group that have a gradient."""
        params: list[Tensor] = []
        gradients: list[Tensor] = []
        accumulators: list[Tensor] = []
        buffers: list[Tensor] = []
        steps: list[Tensor] = []
        thresholds: list[Tensor] = []
        self._init_group(group, params, gradients, accumulators, buffers, steps, thresholds)
        if params:
            update(params, gradients, accumulators, buffers, steps, thresholds, group)


def update(
    params: list[Tensor],
    gradients: list[Any],
    accumulators: list[Tensor],
    buffers: list[Tensor],
    steps: list[Tensor],
    thresholds: list[Tensor],
    group: dict[str, Any],
) -> None:
    """One step on all the parameters, with clocks and thresholds."""
    lr, steps_now, on = advance(steps, thresholds, group)
    gradients = [_like(g, p, v) for g, p, v in zip(gradients, params, accumulators, strict=True)]
    here = [local(p) for p in params]
    vs = [local(v) for v in accumulators]
    bs = [local(b) for b in buffers]
    pushes = _directions(here, gradients, bs, steps_now, on, group)
    if all(v.dtype == vs[0].dtype for v in vs):
        lr = lr.to(vs[0].dtype)  # a number of another dtype would take a kernel for each tensor
    torch._foreach_add_(vs, torch._foreach_mul(pushes, -lr))
    if group["by"] == "unit":
        for p, v, g in zip(params, accumulators, thresholds, strict=True):
            p.copy_(units.shrunk(v, g))
        return
    put_image(here, vs, thresholds)


def put_image(params: list[Tensor], accumulators: list[Tensor], thresholds: list[Tensor]) -> None:
    """w ← S_g(v): large tensors one by one, all small ones of a kind in one, as in ``together``."""
    if torch.compiler.is_compiling():  # which makes one kernel of all this
        inside = torch._foreach_clamp_max(accumulators, thresholds)
        torch._foreach_clamp_min_(inside, torch._foreach_neg(thresholds))
        torch._foreach_copy_(params, torch._foreach_sub(accumulators, inside))
        return
    kinds: dict[Any, list[int]] = {}
    for k, v in enumerate(accumulators):
        alone = v.numel() >= LARGE
        kinds.setdefault(k if alone else (v.device, v.dtype), []).append(k)
    for chosen in kinds.values():
        vs = [accumulators[k] for k in chosen]
        gs = [thresholds[k] for k in chosen]
        v, g = vs[0], gs[0]
        if len(chosen) > 1:
            sizes = [part.numel() for part in vs]
            v = torch.cat([part.reshape(-1) for part in vs])
            g = torch.stack(gs).to(v.dtype)[_owners(tuple(sizes), v.device)]
        shrunk = v - v.clamp(-g, g)
        parts = [shrunk]
        if len(chosen) > 1:
            split = zip(shrunk.split(sizes), vs, strict=True)
            parts = [part.view(like.shape) for part, like in split]
        torch._foreach_copy_([params[k] for k in chosen], parts)


@functools.cache  # for good: a captured graph reads this memory at every replay
def _owners(sizes: tuple[int, ...], device: torch.device) -> Tensor:
    """Which of some tensors each number is of, all put into one; known from the steps before."""
    owners = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    return owners.to(device)


def _scalar(number: Any, like: Tensor) -> Tensor:
    """The number in a tensor of no dimension, where ``like`` is and as precise."""
    if isinstance(number, Tensor):
        return number.reshape(()).to(device=like.device, dtype=like.dtype)
    return torch.full((), number, device=like.device, dtype=like.dtype)


def _like(gradient: Any, p: Any, v: Tensor) -> Any:
    """The gradient as this process holds it, laid out as the parameter, of the accumulator's dtype."""
    if hasattr(gradient, "placements") and gradient.placements != p.placements:
        gradient = gradient.redistribute(placements=p.placements)
    gradient = local(gradient)
    return gradient if gradient.dtype == v.dtype else gradient.to(v.dtype)


def advance(
    steps: list[Tensor], thresholds: list[Tensor], group: dict[str, Any]
) -> tuple[Tensor, Tensor, Tensor]:
    """Move clocks and thresholds on.

    Returns:
        The learning rate, the clocks, and 1 if the step counts (0 at ``lr = 0``).
    """
    lr = _scalar(group["lr"], thresholds[0])
    on = (lr > 0).to(lr.dtype)
    n = torch.stack(steps).to(lr.dtype) + on
    grown = n ** group["mu"] - (n - 1).clamp(min=0) ** group["mu"]
    growth = group["c"] * lr ** (0.5 + group["mu"]) * grown
    torch._foreach_copy_(steps, list(n.unbind()))
    torch._foreach_add_(thresholds, list(growth.unbind()))
    return lr, n, on


def _directions(
    params: list[Tensor],
    gradients: list[Tensor],
    buffers: list[Tensor],
    n: Tensor,
    on: Tensor,
    group: dict[str, Any],
) -> Any:
    """What the accumulators move against."""
    pushes: Any = gradients
    if group["maximize"]:
        pushes = torch._foreach_neg(pushes)
    if group["weight_decay"]:
        pushes = torch._foreach_add(pushes, params, alpha=group["weight_decay"])
    if not group["momentum"]:
        return pushes
    # b ← β b + (1 - dampening) G, at the first step b ← G, at learning rate 0 b ← b
    torch._foreach_mul_(buffers, 1 - on * (1 - group["momentum"]))
    shares = on * (1 - group["dampening"] * (n > 1).to(on.dtype))
    torch._foreach_add_(buffers, torch._foreach_mul(pushes, list(shares.unbind())))
    if group["nesterov"]:
        return torch._foreach_add(pushes, buffers, alpha=group["momentum"])
    if group["nu"] != 1:
        return torch._foreach_lerp(pushes, buffers, group["nu"])
    return buffers
