"""What GRDA keeps of a parameter, what it saves, and what it accepts of a file."""

import itertools
from typing import Any

import torch
from torch import Tensor

from grda_edu.optim.arguments import check_same, name_of_function, values_of

# What groups of earlier versions lack, as those versions had it.
_EARLIER: dict[str, Any] = {
    "momentum": 0.0,
    "dampening": 0.0,
    "nesterov": False,
    "nu": 1.0,
    "weight_decay": 0.0,
    "maximize": False,
    "foreach": None,
    "by": "weight",
    "accumulator_dtype": None,
    "capturable": False,
}
_EVERY_STATE = {"step", "threshold", "accumulator"}


def begin(state: dict[str, Any], p: Tensor, group: dict[str, Any]) -> None:
    """What is kept of a parameter before its first step: v_0 = w_0.

    After a step at learning rate 0, which does not count, the state is there already, and the
    weights may have been loaded since. The momentum buffer starts as the first gradient; at such
    a step it is made all the same, since a file is loaded into what is there.
    """
    if "accumulator" in state:
        state["accumulator"].copy_(p)
    else:
        state["step"] = 0
        state["threshold"] = 0.0
        state["accumulator"] = p.detach().to(
            group["accumulator_dtype"] or p.dtype, copy=True, memory_format=torch.preserve_format
        )
    if group["momentum"] and group["lr"] == 0 and "momentum_buffer" not in state:
        state["momentum_buffer"] = torch.zeros_like(state["accumulator"])


class SavesTuning(torch.optim.Optimizer):
    """An optimizer whose groups may hold a function ``tuning``, of which no file can.

    The function is saved as its name and a few of its values, ``tuning_values``, which stand in the
    group too: torch's flattened state_dict asks for what is there. The optimizer that loads them
    keeps the function that it was made with, which must have the same name and values.
    """

    def state_dict(self) -> dict[str, Any]:
        """As of every torch optimizer; for a tuning function its name and a few of its values.

        Returns:
            The state and the groups.
        """
        for group in self.param_groups:
            _note_values(group)
        saved = super().state_dict()
        for group in saved["param_groups"]:
            group["size"] = len(group["params"])  # by which groups cut otherwise are known
            if group.get("tuning") is not None:
                group["tuning"] = name_of_function(group["tuning"])
        return saved

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As of every torch optimizer.

        Args:
            param_group: its ``params`` and hyperparameters.
        """
        _note_values(param_group)
        super().add_param_group(param_group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As of every torch optimizer.

        Args:
            state_dict: what ``state_dict`` of such an optimizer returned.

        Raises:
            ValueError: the tuning functions differ, or the groups do.
        """
        tunings = [group.get("tuning") for group in self.param_groups]
        for tuning, saved in zip(tunings, state_dict["param_groups"], strict=False):
            check_same(tuning, saved)
        super().load_state_dict(state_dict)
        for tuning, group in zip(tunings, self.param_groups, strict=True):
            group.pop("size", None)
            if tuning is not None:
                group["tuning"] = tuning


def refuse_regrouped(state_dict: dict[str, Any]) -> None:
    """Raise ValueError at groups that torch has cut otherwise than they were saved.

    The nested form of ``torch.distributed.checkpoint`` gives each group that was saved to one of the
    new ones, the last that has a parameter of it: another is left without hyperparameters, or has
    those of the last of several.
    """
    for index, group in enumerate(state_dict["param_groups"]):
        count = len(group["params"])
        saved = group.get("size", count) if group.keys() - {"params", "param_names"} else None
        if count and saved != count:
            was = f"the hyperparameters of one of {saved}" if saved else "no hyperparameters"
            raise ValueError(
                f"state_dict has other groups than were saved: group {index} of {count} parameters "
                f"has {was}; accepted are the groups that were saved, or a state_dict made with "
                "StateDictOptions(flatten_optimizer_state_dict=True), in which each parameter has its own"
            )


def _note_values(group: dict[str, Any]) -> None:
    if group.get("tuning") is not None:
        group["tuning_values"] = values_of(group["tuning"])


class SavesState(SavesTuning):
    """An optimizer with accumulators and thresholds, which torch would cast to the weights' dtype."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in _EARLIER.items():
                group.setdefault(name, value)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As of every torch optimizer, and nothing is shared with what is loaded.

        A group takes the hyperparameters that were saved, but for ``capturable``, which says how
        this optimizer runs; clock and threshold are loaded into either form.

        Args:
            state_dict: what ``state_dict`` of such an optimizer returned, of this or an earlier
                version.

        Raises:
            ValueError: it is another optimizer's, the tuning functions differ, or the groups do.
        """
        refuse_regrouped(state_dict)
        _refuse_foreign(state_dict)
        capturable = [group.get("capturable", False) for group in self.param_groups]
        final: dict[str, Any] = {}  # after the hooks that a user may have registered before
        hook = self.register_load_state_dict_pre_hook(lambda _, loaded: final.update(loaded))
        try:
            super().load_state_dict(state_dict)
        finally:
            hook.remove()
        for group, own in zip(self.param_groups, capturable, strict=True):
            group["capturable"] = own
        keys = itertools.chain.from_iterable(g["params"] for g in final["param_groups"])
        params = ((p, group) for group in self.param_groups for p in group["params"])
        for key, (p, group) in zip(keys, params, strict=True):
            if key in final["state"]:
                self.state[p] = _exact(final["state"][key], p, group)


def _exact(saved: dict[str, Any], p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
    """A parameter's state as it was saved, in memory of its own."""
    dtype = group["accumulator_dtype"] or p.dtype
    state = {
        name: value.to(device=p.device, dtype=dtype, copy=True) if torch.is_tensor(value) else value
        for name, value in saved.items()
    }
    state["step"], state["threshold"] = int(saved["step"]), float(saved["threshold"])
    return clock_in_tensors(state, p) if group["capturable"] else state


def clock_in_tensors(state: dict[str, Any], p: Tensor, clock: str = "step") -> dict[str, Any]:
    """The state with clock and threshold where a graph on the device can move them on, in place."""
    precise = torch.float32 if p.device.type == "mps" else torch.float64
    for name, dtype in ((clock, torch.float32), ("threshold", precise)):
        if not torch.is_tensor(state[name]):
            state[name] = torch.tensor(state[name], dtype=dtype, device=p.device)
    return state


def _refuse_foreign(state_dict: dict[str, Any]) -> None:
    """Raise ValueError at the state of another optimizer."""
    for group in state_dict["param_groups"]:
        if not {"c", "mu"} <= group.keys() and "tuning" not in group:
            has = ", ".join(name for name in group if name not in ("params", "param_names"))
            raise ValueError(
                f"state_dict is another optimizer's: a group has {has}, and neither c and mu nor "
                "tuning; accepted is a GRDA's"
            )
    for state in state_dict["state"].values():
        if missing := _EVERY_STATE - state.keys():
            raise ValueError(
                f"state_dict is another optimizer's: a parameter's state has {', '.join(state)}, "
                f"and no {', '.join(sorted(missing))}; accepted is a GRDA's"
            )
