"""Weights that something else than the optimizer has changed: seen, and followed on request.

The weights are a function of accumulator and threshold, and are computed anew at every step: a
change from outside would be undone without a word. It is looked for where that costs next to
nothing. Every in-place change raises a tensor's version, so that only what has another version than
after the last step is compared with S_g(v). A write through ``.data`` raises none: all weights are
compared at the steps 2, 4, 8, 16, … as well, which finds what is done again and again.
"""

import inspect
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, ClassVar

import torch
from torch import Tensor

from grda_edu.optim import arguments, units
from grda_edu.optim.parts import cache_sized
from grda_edu.optim.shards import is_spread, local
from grda_edu.optim.state import SavesTuning

_ROUNDING = 8  # units in the last place of the largest weight: a step aside and back is no change


class SeesOutside(SavesTuning):
    """An optimizer that says when its weights were changed, and that can go on from them."""

    _clock: ClassVar[str] = "step"  # what its state calls a parameter's clock

    @torch.no_grad()
    def sync_(self) -> None:
        """Make training go on from the weights as they are now.

        After weights were changed by anything else than ``step``: the best epoch restored, weights
        loaded or clipped, Lookahead, an embedding's ``max_norm``. The accumulator becomes
        v = w + g·sign(w), of which w is the thresholded image (to rounding), and 0 where a weight
        was set to 0. Where a weight is what it was after the last step, a zero included, the
        accumulator keeps its value bit for bit. Thresholds, clocks and momentum buffers stay.

        Of a model trained on several processes, all of them have to call this.
        """
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state.get(p)
                if state and "accumulator" in state:
                    _follow(p, state["accumulator"], state["threshold"], group.get("by"))

    def _warn_of_changes(self, index: int, group: dict[str, Any]) -> None:
        """Warn of parameters that were changed since the last step, once of each."""
        known, looks, warned = self.__dict__.setdefault("_seen", {}).get(index, (None, 0, set()))
        versions = _versions(group["params"])
        if known is None or versions is None:
            return
        if looks & (looks - 1) and known == versions:
            return
        for k, p in enumerate(group["params"]):
            suspect = not looks & (looks - 1) or k >= len(known) or known[k] != versions[k]
            state = self.state.get(p) if suspect and k not in warned else None
            if not state or not state.get(self._clock):
                continue
            if by := _change(p, state["accumulator"], state["threshold"], group.get("by")):
                warned.add(k)
                warnings.warn(
                    f"{arguments.name_of(p, group)} was changed since the last step, by up to "
                    f"{by:.3g}: the step computes it anew from the accumulator, and the change is "
                    "lost. After such a change optimizer.sync_() makes training go on from it",
                    stacklevel=_level_outside_of_torch(),
                )

    def _note_versions(self, index: int, group: dict[str, Any]) -> None:
        seen = self.__dict__.setdefault("_seen", {})
        _, looks, warned = seen.get(index, (None, 0, set()))
        seen[index] = (_versions(group["params"]), looks + 1, warned)


def _level_outside_of_torch() -> int:
    """The ``stacklevel``, in the caller, of the line that asked for the step: torch wraps it."""
    frame: FrameType | None = inspect.currentframe()
    level = -1  # this function's own frame is none of the caller's levels
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(("torch.", "grda_edu.optim.")):
            return level + 1
        frame, level = frame.f_back, level + 1
    return level


def _versions(params: list[Tensor]) -> list[int] | None:
    try:
        return [p._version for p in params]
    except RuntimeError:  # a tensor of inference mode has none
        return None


def _change(p: Tensor, v: Tensor, g: Any, by: str | None) -> float:
    """By how much a weight here differs from S_g(v) at most; 0 if by no more than rounding.

    A weight at zero whose gradient is zero is held there by somebody who will do so again
    (``keep_zeros``): no change of it is lost.
    """
    parts: Iterator[tuple[Tensor, Tensor, Tensor]]
    w, pushed = local(p.detach()), local(p.grad)
    if pushed is None or pushed.shape != w.shape:
        pushed = torch.ones_like(w)
    if by == "unit":
        if is_spread(p):
            return 0.0  # norms of all processes, which may not all have come here
        parts = iter([(w, units.shrunk(v, g), pushed)])
    else:
        cut = cache_sized(local(v), w, pushed)
        parts = ((w, part - part.clamp(-g, g), pushed) for part, w, pushed in cut)
    change = largest = 0.0
    for w, image, pushed in parts:
        if w.numel():
            differs = (w - image.to(w.dtype)).abs().masked_fill((w == 0) & (pushed == 0), 0)
            change = max(change, float(differs.max()))
            largest = max(largest, float(w.abs().max()))
    return change if change > _ROUNDING * torch.finfo(p.dtype).eps * largest else 0.0


def _follow(p: Tensor, v: Tensor, g: Any, by: str | None) -> None:
    """v ← w + g·sign(w) where w is not S_g(v); of units v ← w (1 + g √s / ‖w‖)."""
    if by == "unit":
        changed = (units.shrunk(v, g).to(p.dtype) != p).sum(tuple(range(1, p.ndim)), keepdim=True)
        v.copy_(torch.where(changed > 0, units.grown(p.to(v.dtype), g), v))
        return
    for part, w in cache_sized(local(v), local(p.detach())):
        changed = (part - part.clamp(-g, g)).to(w.dtype) != w
        w = w.to(part.dtype)
        part.copy_(torch.where(changed, w + g * w.sign(), part))
