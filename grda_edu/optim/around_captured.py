"""The step of ``around`` for graphs: clock and threshold are tensors on the device, moved in place.

What ``captured`` is to ``grda``: nothing here looks at a value. While it is compiled, copies take the
place of swapped storage, which a compiler does not know; it fuses them with the rest.
"""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from grda_edu.optim import arguments, captured
from grda_edu.optim.shards import local
from grda_edu.optim.state import SavesTuning, clock_in_tensors
from grda_edu.optim.swap import held_by_parameters

OWN = ("accumulator", "threshold", "clock")  # what a parameter's state holds beside the base's


class StepsAroundInGraphs(captured.FollowsUntilFirst, SavesTuning):
    """An optimizer around another, that can step inside of a graph."""

    base_optimizer: Optimizer

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._step_of_base = _undecorated(type(self.base_optimizer).step)

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> None:
        """Fill the lists with a group's tensors, and begin what a parameter has not.

        Under this name ``torch.compile`` runs it while it compiles, and compiles what follows. All
        groups are begun at the first: what is added to a state later, a compiler may undo.
        """
        params, accumulators, clocks, thresholds = lists
        if group is self.param_groups[0]:
            for one in self.param_groups:
                self._begin(one)
        for p in arguments.with_dense_gradient(group)[0]:
            state = self.state[p]
            params.append(p)
            accumulators.append(state["accumulator"])
            clocks.append(state["clock"])
            thresholds.append(state["threshold"])

    def _begin(self, group: dict[str, Any]) -> None:
        """v_0 = w_0 for each parameter that is to do its first step.

        The base begins first: Adam does where a state is empty.
        """
        moving = arguments.with_dense_gradient(group)[0]
        if any("accumulator" not in self.state.get(p, ()) for p in moving):
            begin: Any = self.base_optimizer._init_group  # type: ignore[attr-defined]
            begin(group, *([] for _ in range(len(inspect.signature(begin).parameters) - 1)))
        for p in moving:
            state = self.state.setdefault(p, {})
            if "accumulator" in state:
                self._follow_until_first(p, state)
            else:
                v = p.detach().clone(memory_format=torch.preserve_format)
                own = {"accumulator": v, "threshold": 0.0, "clock": 0}
                state.update(clock_in_tensors(own, p, "clock"))

    def _step_in_graph(self) -> None:
        """One step on all parameters that have a gradient."""
        groups = []
        moving: list[tuple[Tensor, Tensor]] = []
        for group in self.param_groups:
            params: list[Tensor] = []
            accumulators: list[Tensor] = []
            clocks: list[Tensor] = []
            thresholds: list[Tensor] = []
            self._init_group(group, params, accumulators, clocks, thresholds)
            if params:
                groups.append((group, params, accumulators, clocks, thresholds))
                moving.extend(zip(params, accumulators, strict=True))
        if torch.compiler.is_compiling():
            for p, v in moving:
                local(p).copy_(local(v))
            self._step_of_base(self.base_optimizer)
            for p, v in moving:
                local(v).copy_(local(p))
        else:
            with held_by_parameters(moving):
                self.base_optimizer.step()
        for group, params, accumulators, clocks, thresholds in groups:
            captured.advance(clocks, thresholds, group)
            vs = [local(v) for v in accumulators]
            captured.put_image([local(p) for p in params], vs, thresholds)


def check_can_begin(base: Optimizer) -> None:
    """Raise ValueError unless the base's state can be begun before its first step."""
    if not hasattr(base, "_init_group"):
        raise ValueError(
            f"capturable = True around {type(base).__name__}, which begins its state inside of its "
            "step: accepted is capturable around an optimizer with torch's _init_group, such as "
            "torch.optim.AdamW"
        )


def _undecorated(step: Callable[..., Any]) -> Callable[..., Any]:
    """An optimizer's step without what torch wraps it in, where its compiler would break the graph.

    That sets ``no_grad``, which is set here, and calls hooks.
    """
    while hasattr(step, "__wrapped__") and step.__globals__["__name__"] == "torch.optim.optimizer":
        step = step.__wrapped__
    return step


def own_as_saved(optimizer: Any, saved: dict[str, Any]) -> None:
    """Clock and threshold as they were saved: torch casts whatever is a tensor to the weights' dtype."""
    keys = (key for group in saved["param_groups"] for key in group["params"])
    params = (p for group in optimizer.param_groups for p in group["params"])
    for p, key in zip(params, keys, strict=True):
        its = saved["state"].get(key, {})
        if "clock" in its:
            own = {"clock": int(its["clock"]), "threshold": float(its["threshold"])}
            optimizer.state[p].update(
                clock_in_tensors(own, p, "clock") if optimizer.capturable else own
            )
