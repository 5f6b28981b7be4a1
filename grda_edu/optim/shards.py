"""A tensor that is spread over processes (DTensor, of FSDP2 and tensor parallel), as one of them holds it.

The step works on these parts: what it does is done number by number, a part of a tensor is
contiguous memory, and a view of it is a view. A view of a DTensor is a copy: what is written into
that is lost. Nothing here imports torch.distributed.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter


def is_spread(t: Any) -> bool:
    """Whether each process holds a part of this tensor, or a copy."""
    return hasattr(type(t), "to_local")  # of the instance a compiler does not know it


def is_plain(p: Tensor, gradient: Tensor, state: dict[str, Any]) -> bool:
    """Whether parameter, gradient and state are here as they are: the quick answer for most."""
    return type(p) is Parameter and gradient.dtype == state["accumulator"].dtype


def local(t: Any) -> Any:
    """The part that this process holds; what is no DTensor as it is."""
    return t.to_local() if is_spread(t) else t


def parts_here(
    p: Tensor, gradient: Any, state: dict[str, Any], group: dict[str, Any]
) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Parameter, gradient and state as this process holds them, to be written into.

    A gradient that is spread otherwise than its parameter (a sum still to be taken, in tensor
    parallel) is brought to the parameter's layout first; all processes do this alike. It takes the
    accumulator's dtype. Has the model taken another since, as by ``model.double()``, the state
    takes it too, unless the group has one of its own.
    """
    if gradient.dtype != state["accumulator"].dtype and group["accumulator_dtype"] is None:
        for name in state.keys() & {"accumulator", "momentum_buffer"}:
            state[name] = state[name].to(p.dtype)
    if is_spread(p):
        if is_spread(gradient) and gradient.placements != p.placements:  # type: ignore[attr-defined]
            gradient = gradient.redistribute(placements=p.placements)  # type: ignore[attr-defined]
        p, gradient, state = local(p), local(gradient), _StateHere(p, state)
    if gradient.dtype != state["accumulator"].dtype:
        gradient = gradient.to(state["accumulator"].dtype)
    return p, gradient, state


class _StateHere(dict[str, Any]):
    """The state of a DTensor with its parts in it; a new part goes into the state as a DTensor."""

    def __init__(self, p: Any, state: dict[str, Any]) -> None:
        super().__init__({name: local(value) for name, value in state.items()})
        self._p, self._state = p, state

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if isinstance(value, torch.Tensor):
            p = self._p
            value = type(p).from_local(
                value,
                p.device_mesh,
                p.placements,
                run_check=False,
                shape=p.shape,
                stride=p.stride(),
            )
        self._state[name] = value
