"""What GRDA keeps of a parameter, what it saves, and what it accepts of a file."""

from typing import Any

import torch
from torch import Tensor

from grda_edu.optim.arguments import check_same, name_of_function, values_of


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
        state["accumulator"] = p.clone(memory_format=torch.preserve_format)
    if group["momentum"] and group["lr"] == 0 and "momentum_buffer" not in state:
        state["momentum_buffer"] = torch.zeros_like(p)


class SavesTuning(torch.optim.Optimizer):
    """An optimizer whose groups may hold a function ``tuning``, of which no file can.

    The function is saved as its name and a few of its values. The optimizer that loads them keeps
    the function that it was made with, which must have the same name and values.
    """

    def state_dict(self) -> dict[str, Any]:
        """As of every torch optimizer; for a tuning function its name and a few of its values.

        Returns:
            The state and the groups.
        """
        saved = super().state_dict()
        for group in saved["param_groups"]:
            if group.get("tuning") is not None:
                group["tuning_values"] = values_of(group["tuning"])
                group["tuning"] = name_of_function(group["tuning"])
        return saved

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
            if tuning is not None:
                group["tuning"] = tuning
                del group["tuning_values"]
