"""Zeros that stay zero while the rest of a network trains on, under any optimizer."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook


class KeptZeros:
    """What ``keep_zeros`` returns: ends with ``undo()``, or with the ``with`` block that it opens.

    masks: name -> bool tensor of the parameter's shape, True where the weight may live.
    """

    def __init__(self, parameters: Iterable[tuple[str, nn.Parameter]]) -> None:
        self._dead: dict[nn.Parameter, Tensor] = {}
        self.masks: dict[str, Tensor] = {}
        for name, p in parameters:
            self.masks[name] = p.detach() != 0
            self._dead[p] = ~self.masks[name]
        # Dead weights must not count when gradients are clipped, nor fill a momentum buffer; what
        # a buffer holds from before, or an accumulator, moves them all the same: set back after it.
        self._handles: list[Any] = [
            p.register_hook(lambda gradient, p=p: gradient.masked_fill(self._dead_of(p), 0.0))
            for p in self._dead
            if p.requires_grad
        ]
        self._handles.append(register_optimizer_step_post_hook(self._after_step))

    def _dead_of(self, p: nn.Parameter) -> Tensor:
        """The mask, where the parameter is now: a model may have moved to another device."""
        if self._dead[p].device != p.device:
            self._dead[p] = self._dead[p].to(p.device)
        return self._dead[p]

    @torch.no_grad()
    def _after_step(self, optimizer: Optimizer, *_: object) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p in self._dead:
                    p.masked_fill_(self._dead_of(p), 0.0)

    def undo(self) -> None:
        """Let the zeros live again from the next step on. Weights and optimizers are not touched."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def __enter__(self) -> KeptZeros:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.undo()


def keep_zeros(model: nn.Module) -> KeptZeros:
    """Keep every weight that is zero now at zero, whatever optimizer trains the model.

    The module itself stays as it is: no buffer, no wrapper, no other name in its state dict. Their
    gradients become zero, and after every step of any optimizer that owns them (one made later
    too) they are set to zero again: momentum from before, weight decay, Adam's moments and gRDA's
    accumulator may move them in between, and never for a forward pass.

    Args:
        model: its parameters' zeros are kept, biases' included.

    Returns:
        A handle: ``kept.undo()`` ends it, as does the end of ``with keep_zeros(model):``.

    Raises:
        ValueError: if a parameter has a sparse layout, or the model has no parameters.
    """
    parameters = list(model.named_parameters())
    if not parameters:
        raise ValueError("model has no parameters: there are no zeros to keep")
    for name, p in parameters:
        if p.layout != torch.strided:
            raise ValueError(f"{name} has layout {p.layout}: accepted are dense parameters")
    return KeptZeros(parameters)
