"""Zeros that stay zero while the rest of a network trains on, under any optimizer."""

from __future__ import annotations

import warnings
import weakref
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

    def __init__(self, model: nn.Module) -> None:
        self.masks: dict[str, Tensor] = {}
        self._dead: dict[nn.Parameter, Tensor] = {}
        self._model, self._told = weakref.ref(model), False
        # Only the parameters' hooks hold this object: it lasts, and is freed, as they are.
        after = weakref.WeakMethod(self._after_step)
        handle = register_optimizer_step_post_hook(lambda optimizer, *_: after()(optimizer))  # type: ignore[misc]
        weakref.finalize(self, handle.remove)
        self._handles: list[Any] = [handle]
        for name, p in model.named_parameters():
            self.masks[name] = p.detach() != 0
            self._dead[p] = ~self.masks[name]
            if p.is_floating_point() or p.is_complex():
                self._handles.append(self._silence(p))

    def _silence(self, p: nn.Parameter) -> Any:
        """Make the gradients of the dead zero, the one that is there included.

        They must not count when gradients are clipped, nor fill a momentum buffer; what a buffer
        holds from before, or an accumulator, moves them all the same: set back after the step.
        """
        if p.grad is not None:
            p.grad = _filled(p.grad, self._dead_of(p))
        trains = p.requires_grad
        p.requires_grad_(True)  # it may be unfrozen later
        handle = p.register_hook(lambda gradient: _filled(gradient, self._dead_of(p)))
        p.requires_grad_(trains)
        return handle

    def _dead_of(self, p: nn.Parameter) -> Tensor:
        """The mask, where the parameter is now: a model may have moved to another device."""
        if self._dead[p].device != p.device:
            self._dead[p] = self._dead[p].to(p.device)
        return self._dead[p]

    @torch.no_grad()
    def _after_step(self, optimizer: Optimizer) -> None:
        others = set()
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p in self._dead:
                    p.masked_fill_(self._dead_of(p), 0.0)
                else:
                    others.add(p)
        model = self._model()
        if others and model is not None and not self._told and others & set(model.parameters()):
            self._told = True
            warnings.warn(
                "keep_zeros: parameters of the model were replaced since (fully_shard, "
                "load_state_dict with assign=True), and the zeros of the new ones are not kept: "
                "call keep_zeros after it",
                stacklevel=2,
            )

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
    accumulator may move them in between, and never for a forward pass. What is kept are these
    parameters: a copy of the model, or parameters put in their place, are others.

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
    return KeptZeros(model)


def _filled(gradient: Tensor, dead: Tensor) -> Tensor:
    """The gradient, 0 where it is dead; that of an embedding may be sparse."""
    if gradient.layout != torch.sparse_coo:
        return gradient.masked_fill(dead, 0.0)
    gradient = gradient.clone().coalesce()
    gradient.values().masked_fill_(dead[tuple(gradient.indices())], 0.0)
    return gradient
