"""Zeros that stay zero while the rest of a network trains on, under any optimizer."""

from __future__ import annotations

import warnings
import weakref
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)


class _Silence:
    """A parameter's hook, which carries its mask: its dead entries get no gradient.

    They must not count when gradients are clipped, nor fill a momentum buffer; what a buffer holds
    from before, or an accumulator, moves them all the same: set back after the step.
    """

    def __init__(self, keeper: KeptZeros, dead: Tensor) -> None:
        self.keeper, self._dead = keeper, dead

    def dead(self, p: Tensor) -> Tensor:
        """The mask, where the parameter is now: a model may have moved to another device."""
        if self._dead.device != p.device:
            self._dead = self._dead.to(p.device)
        return self._dead

    def __call__(self, p: Tensor) -> None:
        if p.grad is not None and p.grad.layout == torch.sparse_coo:  # of an embedding
            p.grad = p.grad.coalesce()
            p.grad.values().masked_fill_(self.dead(p)[tuple(p.grad.indices())], 0.0)
        elif p.grad is not None:
            p.grad.masked_fill_(self.dead(p), 0.0)


class KeptZeros:
    """What ``keep_zeros`` returns: ends with ``undo()``, or with the ``with`` block that it opens.

    masks: name -> bool tensor of the parameter's shape, True where the weight may live.
    """

    def __init__(self, model: nn.Module) -> None:
        self.masks = {name: p.detach() != 0 for name, p in model.named_parameters()}
        self._model, self._told = weakref.ref(model), False
        # The model and the parameters' hooks hold this object, and it none of them: it goes with
        # the last of them, whoever holds the handle.
        weakref.finalize(model, id, self)
        before, after = weakref.WeakMethod(self._before_step), weakref.WeakMethod(self._after_step)
        self._handles: list[Any] = [
            register_optimizer_step_pre_hook(lambda optimizer, *_: before()(optimizer)),  # type: ignore[misc]
            register_optimizer_step_post_hook(lambda optimizer, *_: after()(optimizer)),  # type: ignore[misc]
        ]
        for handle in self._handles:
            weakref.finalize(self, handle.remove)
        self._followed: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        for name, p in model.named_parameters():
            if p.is_floating_point() or p.is_complex():
                silence = _Silence(self, ~self.masks[name])
                silence(p)  # the gradient that is there
                trains = p.requires_grad
                p.requires_grad_(True)  # it may be unfrozen later
                self._handles.append(p.register_post_accumulate_grad_hook(silence))
                p.requires_grad_(trains)

    def _mask(self, p: Any) -> _Silence | None:
        hooks = (p._post_accumulate_grad_hooks or {}).values()
        return next((h for h in hooks if isinstance(h, _Silence) and h.keeper is self), None)

    def _before_step(self, optimizer: Any) -> None:
        """What computes weights from an accumulator, as GRDA does, has to go on from the zeros."""
        if optimizer in self._followed or not hasattr(optimizer, "sync_"):
            return
        if any(self._mask(p) for group in optimizer.param_groups for p in group["params"]):
            self._followed.add(optimizer)
            optimizer.sync_()

    @torch.no_grad()
    def _after_step(self, optimizer: Any) -> None:
        others, moved = set(), False
        for p in (p for group in optimizer.param_groups for p in group["params"]):
            if mask := self._mask(p):
                if optimizer in self._followed:  # written to only where it has to be: it is noticed
                    if not p.masked_fill(~mask.dead(p), 0.0).any():
                        continue
                    moved = True
                p.masked_fill_(mask.dead(p), 0.0)
            else:
                others.add(p)
        if moved:
            optimizer.sync_()
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
