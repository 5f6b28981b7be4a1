"""gRDA as a PyTorch optimizer: stochastic gradient descent whose weights are soft-thresholded.

    v_0 = w_0                                    the accumulator starts at the initial weights
    v_n = v_{n-1} - γ ∇L(w_{n-1})                it takes the gradient steps of SGD
    w_n = S_{g_n}(v_n)                           the weights are its soft-thresholded image
    g_n = g_{n-1} + c γ^(½+μ) (n^μ - (n-1)^μ)    the threshold grows; constant γ: c γ^½ (nγ)^μ

With a tuning function of one's own the last line is g_n = g_{n-1} + g(n, γ) - g(n-1, γ).

The algorithm is ``step`` and the three functions below it: read from there.

Source: Chao, Wang, Xing, Cheng 2020 (arXiv:2006.09358); for momentum, nu and c = 0 items 2 and 7
of the authors' response to the reviewers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import softshrink

from grda_edu.optim import arguments, together, units
from grda_edu.optim.arguments import Tuning
from grda_edu.optim.captured import StepsInGraphs, refuse_capture
from grda_edu.optim.outside import SeesOutside
from grda_edu.optim.parts import cache_sized
from grda_edu.optim.shards import is_plain, parts_here
from grda_edu.optim.state import begin


class GRDA(SeesOutside, StepsInGraphs):
    """Generalized regularized dual averaging (gRDA).

    For each parameter ``state`` keeps its own clock ``step``, the ``accumulator`` v, the
    ``threshold`` g (a float) and, with momentum, the ``momentum_buffer`` b. They start at the
    parameter's first gradient: 4 bytes a weight, 8 with momentum (half of that for half weights).

    A tuning function is no part of ``state_dict``, only its name and a few of its values are; the
    optimizer that loads them must have been made with the same one.

    ``grda_edu.reference.grda`` is the same in forty lines of numpy, to read beside this.

    What GRDA needs to know of your model. It lets die what the loss does not hold up, and does not
    know why the loss does not:

    - A matrix that begins as zeros (LoRA's B) has to outgrow a growing threshold, and may stay zero;
      with ``weight_norm`` a row that dies is 0/0, and the loss NaN; a norm's scale that dies takes its
      channel along. ``penalty_groups`` leaves these and biases to SGD.
    - Rows of an embedding that no batch has used have a gradient of zero, and shrink like anything
      flat. Give rare rows a group with ``c = 0``.
    - The threshold grows by the learning rate of each step: a warm-up from 0 delays it, a falling
      rate slows it down, and nothing takes it back.
    - It does not know of momentum, which makes each gradient count 1/(1 - β) times.
      ``OneCycleLR`` cycles momentum by default: pass ``cycle_momentum=False``, or choose c at the
      momentum that you use (``PowerTuning(c, mu, momentum=β)``).
    - To fine-tune with the zeros kept, set ``c = 0`` in this optimizer's groups: the threshold stays.
      A new GRDA begins at a threshold of 0, and what is dead moves again.
    - An average of weights (EMA, SWA) has hardly a zero: average with ``AccumulatorAverage``.
    - The weights are computed anew at every step. Who changes them (the best epoch restored, weights
      loaded or clipped, Lookahead, an embedding's ``max_norm``) calls ``sync_()``; without it the
      change is lost, and a warning says so once for each parameter. Writes through ``.data`` are
      seen at the steps 2, 4, 8, 16, … only; with ``capturable`` nothing is looked for.

    On several processes (DDP, FSDP2, tensor parallel) it works on what each of them holds. To load a
    ``torch.distributed.checkpoint`` in which a parameter without gradients has no state, pass
    ``DefaultLoadPlanner(allow_partial_load=True)``, as with every optimizer that has state. Into groups
    that are cut otherwise goes the flattened form alone (``flatten_optimizer_state_dict=True``), in
    which each parameter has its own hyperparameters; the nested one is refused.

    Args:
        params: parameters, ``(name, parameter)`` pairs or groups of either, as in every torch
            optimizer. A group may set its own value of anything below.
        lr: learning rate γ ≥ 0, a number or a tensor of one element. A step at learning rate 0
            is none: it leaves no trace, neither in the clock nor in the momentum buffer.
        c: strength of the penalty, ≥ 0. ``c = 0`` is exactly SGD (but for steps at ``lr = 0``).
        mu: exponent μ > 0 of the threshold's growth; outside (½, 1) the theory does not hold.
        momentum: as in ``torch.optim.SGD``.
        dampening: as in ``torch.optim.SGD``.
        nesterov: as in ``torch.optim.SGD``.
        nu: share of the momentum buffer b in the direction (1 - ν)·G + ν·b, from 0 to 1. Below 1
            this is quasi-hyperbolic momentum, with b an average if ``dampening = momentum``.
        weight_decay: as in ``torch.optim.SGD``.
        tuning: in the place of c and mu, a function of your own: ``tuning(n, lr)`` is the threshold
            after n = 0, 1, … steps of one learning rate. It must be a finite number ≥ 0 that never
            decreases with n, for every learning rate that a schedule may set.
        maximize: as in ``torch.optim.SGD``.
        foreach: update all tensors of a group together. None: everywhere but on the CPU.
        by: what dies as one. "unit": each row along dimension 0, a filter or a neuron, by group
            soft-thresholding, with the threshold times the root of the row's size; for parameters
            of two dimensions or more.
        accumulator_dtype: dtype of the accumulator and the momentum buffer. None: the weights'.
            ``torch.float32`` for weights in bfloat16 or float16, in whose accumulator small steps
            are lost; this takes 4 bytes a weight instead of 2. On digits at lr .1 it is worth half a
            point, at lr .01 and below everything: 63 % of the test images named right instead of
            10, as with float32 throughout (``python -m benchmarks.bench_bf16``).
        capturable: keep clock and threshold as tensors on the device, for CUDA graphs and
            ``torch.compile``, with c and mu. A learning rate that changes has to be a tensor
            there, on the device, and is changed in place.

    Raises:
        ValueError: names the argument, the value given and what is accepted.

    Examples:
        A weight that the loss does not push dies when the threshold c·γ^½·(nγ)^μ reaches it:

        >>> w = torch.nn.Parameter(torch.tensor([0.25]))
        >>> optimizer = GRDA([w], lr=1.0, c=0.1, mu=0.75)
        >>> w.grad = torch.zeros(1)
        >>> for _ in range(4):
        ...     optimizer.step()
        ...     print(f"g = {optimizer.state[w]['threshold']:.2f}, w = {w.item():.2f}")
        g = 0.10, w = 0.15
        g = 0.17, w = 0.08
        g = 0.23, w = 0.02
        g = 0.28, w = 0.00
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor,
        c: float | None = None,
        mu: float | None = None,
        momentum: float = 0,
        dampening: float = 0,
        nesterov: bool = False,
        nu: float = 1.0,
        weight_decay: float = 0,
        *,
        tuning: Tuning | None = None,
        maximize: bool = False,
        foreach: bool | None = None,
        by: Literal["weight", "unit"] = "weight",
        accumulator_dtype: torch.dtype | None = None,
        capturable: bool = False,
    ) -> None:
        hyperparameters: dict[str, Any] = {
            "lr": lr,
            "c": c,
            "mu": mu,
            "momentum": momentum,
            "dampening": dampening,
            "nesterov": nesterov,
            "nu": nu,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "by": by,
            "accumulator_dtype": accumulator_dtype,
            "capturable": capturable,
        }
        if tuning is not None:
            hyperparameters["tuning"] = tuning
        super().__init__(arguments.not_empty(params), arguments.checked(hyperparameters))
        arguments.warn_outside_theory(self.defaults["mu"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; what it does not set comes from the constructor's arguments.

        A group with a tuning function of its own does not take c and mu from there, nor one with
        its own c and mu the tuning function.

        Args:
            param_group: its ``params`` and the hyperparameters that it sets itself.

        Raises:
            ValueError: names the argument, the value given and what is accepted.
        """
        group = arguments.completed(param_group, self.defaults)
        if "mu" in param_group:
            arguments.warn_outside_theory(group["mu"])
        super().add_param_group(group)
        try:
            arguments.check_real_and_dense(group)
        except ValueError:
            self.param_groups.pop()
            raise

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Do one step on every parameter that has a gradient.

        Args:
            closure: computes the gradients anew and returns the loss.

        Returns:
            What the closure returns, or None.

        Raises:
            RuntimeError: a gradient is sparse, or the step is captured in a CUDA graph without
                ``capturable``.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for index, group in enumerate(self.param_groups):
            if group["capturable"]:
                self._step_in_graph(group)
                continue
            refuse_capture(self, group["params"])
            self._warn_of_changes(index, group)
            params, gradients = arguments.with_dense_gradient(group)
            group = arguments.at_this_step(group)
            if group["lr"] == 0:  # it leaves no trace but the state that a file may be loaded into
                for p in params:
                    self._advance(p, group)
            elif together.is_wanted(group["foreach"], params):
                states = together.advance(self.state, params, group)
                rooms = self.__dict__.setdefault("_rooms", defaultdict(together.Room))
                together.update(params, gradients, states, group, rooms[index])
            else:
                for p, gradient in zip(params, gradients, strict=True):
                    self._update(p, gradient, group)
            self._note_versions(index, group)
        return loss

    def _update(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """One step on one parameter."""
        here, state = p, self._advance(p, group)
        if not is_plain(p, gradient, state):
            here, gradient, state = parts_here(p, gradient, state, group)
        pushes = direction(here, gradient, state, group)
        if group["by"] == "unit":
            state["accumulator"].add_(pushes, alpha=-group["lr"])
            p.copy_(units.shrunk(self.state[p]["accumulator"], state["threshold"]))
            return
        for v, d, w in cache_sized(state["accumulator"], pushes, here):
            v.add_(d, alpha=-group["lr"])  # v ← v - γ d
            if v.dtype == w.dtype:
                softshrink(v, state["threshold"], out=w)  # type: ignore[call-arg]  # w ← S_g(v)
            else:
                w.copy_(softshrink(v, state["threshold"]))

    def _advance(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Move the parameter's clock one step on; its threshold grows by that step's share."""
        state: dict[str, Any] = self.state[p]
        if not state.get("step"):
            begin(state, p, group)  # v_0 = w_0
        if group["lr"] != 0:
            n = state["step"] + 1
            state["threshold"] += group["growth"](n)
            state["step"] = n
        return state


def direction(p: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """What the accumulator moves against: the gradient, or what momentum makes of it."""
    if group["maximize"]:
        gradient = -gradient
    if group["weight_decay"]:
        gradient = gradient.add(p, alpha=group["weight_decay"])
    if not group["momentum"]:
        return gradient
    b: Tensor | None = state.get("momentum_buffer")
    if b is None or state["step"] == 1:  # it starts as the first gradient, without dampening
        b = state["momentum_buffer"] = gradient.clone(memory_format=torch.preserve_format)
    else:  # b ← β b + (1 - dampening) G
        b.mul_(group["momentum"]).add_(gradient, alpha=1 - group["dampening"])
    if group["nesterov"]:
        return gradient.add(b, alpha=group["momentum"])  # G + β b
    if group["nu"] != 1:
        return gradient.lerp(b, group["nu"])  # (1 - ν) G + ν b
    return b
