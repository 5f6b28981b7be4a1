"""Dual averaging around any optimizer: it moves the accumulator, the weights are its thresholded image.

v_0 = w_0                                    the accumulator starts at the initial weights
v_n = base optimizer(v_{n-1}, ∇L(w_{n-1}))   moved as the base moves weights, by gradients at w
w_n = S_{g_n}(v_n)                           the weights are its soft-thresholded image
g_n = g_{n-1} + c γ^(½+μ) (n^μ - (n-1)^μ)    the threshold of ``grda``, γ the base's learning rate
"""

import inspect
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softshrink
from torch.optim import Optimizer

from grda_edu.checks import number, refuse
from grda_edu.optim import arguments, together
from grda_edu.optim.arguments import Tuning
from grda_edu.optim.around_captured import (
    OWN,
    StepsAroundInGraphs,
    check_can_begin,
    own_as_saved,
)
from grda_edu.optim.captured import refuse_capture
from grda_edu.optim.grda import GRDA
from grda_edu.optim.outside import SeesOutside
from grda_edu.optim.state import refuse_regrouped
from grda_edu.optim.swap import held_by_parameters, here


class DualAveraging(SeesOutside, StepsAroundInGraphs):
    """The two spaces of gRDA around another optimizer: ``DualAveraging(AdamW(params, lr), c, mu)``.

    The base optimizer takes its step on the accumulator v with the gradients that were computed at
    the weights w; then w = S_g(v). Everything of the base stays as it is, its learning rate and
    schedule, momentum, weight decay: they act on v, so that weight decay pulls v, not w, to zero.
    Groups and state are the base's own, with c, mu, ``accumulator``, ``threshold`` and ``clock``
    added; schedulers, hooks, checkpoints take this as they take any optimizer. Step this one only.

    Around ``torch.optim.SGD`` without weight decay it is ``GRDA``, bit for bit, and the theory of
    gRDA covers it (with momentum as far as it does there). Around any other optimizer NO THEORY does:
    Adam moves v by about γ a step whatever the gradient's size, so that c has another scale (on
    digits at lr .001 from 1 to 12, where SGD at lr .1 takes .005 to .03); a weight without any
    gradient still dies when the threshold reaches it.

    Its kin: dual averaging with l1, RDA (Xiao 2010), is SGD with μ = 1; torchao's ``PruneOptimizer``
    with ``ProxLasso`` keeps latent weights and thresholds them by λ Σγ, which at a constant learning
    rate is μ = 1 with λ = c √γ. gRDA has ½ < μ < 1, with which the bias of what survives vanishes.

    A step whose learning rate is 0 moves neither clock nor threshold; what the base itself does at
    such a step, to its moments, it does here too. Parameters may be DTensors; thresholding works on
    their local parts.

    Who changes the weights (the best epoch restored, weights loaded or clipped) calls ``sync_()``, as
    with ``GRDA``; without it the change is lost, and a warning says so once for each parameter (with
    ``capturable`` nothing is looked for).

    It keeps an accumulator beside what the base keeps, as large as the weights and of their dtype:
    with float32, 4 bytes a weight around SGD, 8 with its momentum, 12 around AdamW.

    Args:
        base_optimizer: made with its parameters, dense and real, and a learning rate in each group.
            A group may bring its own ``c`` and ``mu``, or ``tuning``.
        c: strength of the penalty, ≥ 0. ``c = 0`` is the base optimizer alone.
        mu: exponent μ > 0 of the threshold's growth; outside (½, 1) the theory does not hold.
        tuning: in the place of c and mu, a function of your own, as in ``GRDA``.
        capturable: keep clock and threshold as tensors on the device, for CUDA graphs and
            ``torch.compile``, with c and mu. For a graph the base has to be capturable too. The
            compiled step is one graph around those of torch's optimizers whose own step is one,
            called without the base's hooks: not around a fused one on the CPU, nor Adafactor. A
            learning rate that changes has to be a tensor there, and is changed in place.

    Raises:
        TypeError: base_optimizer is no optimizer, or is one that keeps an accumulator itself, needs
            a closure, or takes sparse gradients only.
        ValueError: names the argument, the value given and what is accepted.
    """

    _clock: ClassVar[str] = "clock"
    capturable = False  # of pickles of earlier versions

    def __init__(
        self,
        base_optimizer: Optimizer,
        c: float | None = None,
        mu: float | None = None,
        *,
        tuning: Tuning | None = None,
        capturable: bool = False,
    ) -> None:
        _check_base(base_optimizer)
        if capturable:
            check_can_begin(base_optimizer)
        self.capturable = capturable
        own = {"c": c, "mu": mu} | ({} if tuning is None else {"tuning": tuning})
        completed = []
        for group in base_optimizer.param_groups:
            arguments.check_real_and_dense(group)
            arguments.warn_outside_theory(group.get("mu"))
            completed.append(self._checked(arguments.with_defaults(group, own)))
        arguments.warn_outside_theory(mu)
        for group, checked in zip(base_optimizer.param_groups, completed, strict=True):
            group.update(checked)
        # Optimizer.__init__ would begin groups and state of its own: this has the base's. What is
        # left of it is done for an optimizer that was unpickled.
        defaults = {**base_optimizer.defaults, **own}
        self.__setstate__({"base_optimizer": base_optimizer, "defaults": defaults})

    def _checked(self, group: dict[str, Any]) -> dict[str, Any]:
        """The group with what its threshold grows by checked."""
        group = arguments.with_threshold_checked(group)
        if self.capturable:
            arguments.check_capturable(group)
        return group

    # ---- groups and state are the base's own, also after somebody has replaced them

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The base optimizer's groups, each with its c and mu, or tuning."""
        return self.base_optimizer.param_groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        self.base_optimizer.param_groups = groups

    @property
    def state(self) -> Any:
        """The base optimizer's state, with accumulator, threshold and clock of each parameter."""
        return self.base_optimizer.state

    @state.setter
    def state(self, state: Any) -> None:
        self.base_optimizer.state = state

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("base_optimizer", "defaults", "capturable")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a pickle's content, or groups and state of a state_dict, which the base mends."""
        loaded: dict[str, Any] = {
            key: state[key] for key in ("param_groups", "state") if key in state
        }
        super().__setstate__({key: state[key] for key in state if key not in loaded})
        if loaded:
            self.base_optimizer.__setstate__(loaded)

    def __repr__(self) -> str:
        return f"{type(self).__name__} around {self.base_optimizer!r}"

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As of every torch optimizer.

        Args:
            state_dict: what ``state_dict`` of such an optimizer, around such a base, returned.

        Raises:
            ValueError: it is another optimizer's, the tuning functions differ, or the groups do.
        """
        refuse_regrouped(state_dict)
        foreign = [g for g in state_dict["param_groups"] if "c" not in g or "mu" not in g]
        states = state_dict["state"].values()
        if foreign or any(len(state.keys() & OWN) not in (0, len(OWN)) for state in states):
            raise ValueError(
                "state_dict is another optimizer's, without c, mu, clock and accumulator: accepted "
                f"is a {type(self).__name__}'s. The base optimizer's own is for "
                "base_optimizer.load_state_dict, before it is wrapped"
            )
        final: dict[str, Any] = {}  # after the hooks that a user may have registered before
        hook = self.register_load_state_dict_pre_hook(lambda _, loaded: final.update(loaded))
        try:
            super().load_state_dict(state_dict)
        finally:
            hook.remove()
        own_as_saved(self, final)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; what it does not set comes from the base's and this one's arguments.

        Args:
            param_group: its ``params`` and the hyperparameters that it sets itself.

        Raises:
            ValueError: names the argument, the value given and what is accepted.
        """
        group = self._checked(arguments.with_defaults(param_group, self.defaults))
        if "mu" in param_group:
            arguments.warn_outside_theory(group["mu"])
        self.base_optimizer.add_param_group(group)
        try:
            arguments.check_real_and_dense(group)
        except ValueError:
            self.param_groups.pop()
            raise

    # ---- the step

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Do one step on every parameter that has a gradient.

        Args:
            closure: computes the gradients, at the weights, anew and returns the loss.

        Returns:
            What the closure returns, or None.

        Raises:
            RuntimeError: a gradient is sparse, or the step is being captured in a CUDA graph and
                this is not capturable.
            ValueError: a learning rate has become negative, NaN or infinite (with ``capturable``
                nobody looks).
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        if self.capturable:
            self._step_in_graph()
            return loss
        for index, group in enumerate(self.param_groups):
            refuse_capture(self, group["params"])
            self._warn_of_changes(index, group)
        groups = [(group, self._moving(group)) for group in self.param_groups]
        moving = [one for _, ones in groups for one in ones]
        with held_by_parameters((one.p, one.v) for one in moving):
            self.base_optimizer.step()
        for one in moving:  # not earlier: Adam begins where a state is empty
            one.state.update(accumulator=one.v, clock=one.clock, threshold=one.threshold)
        rooms = self.__dict__.setdefault("_rooms", defaultdict(together.Room))
        for index, (group, ones) in enumerate(groups):
            _threshold(ones, group.get("foreach"), rooms[index])
        for index, group in enumerate(self.param_groups):
            self._note_versions(index, group)
        return loss

    def _moving(self, group: dict[str, Any]) -> list["_Moving"]:
        """The parameters of a group that are to move: the clock is that after the step."""
        lr = number("lr", group["lr"], ">= 0")
        growth = arguments.at_this_step(group)["growth"]
        moving, states = [], self.state
        for p in arguments.with_dense_gradient(group)[0]:
            state = states.setdefault(p, {})
            n, threshold = state.get("clock", 0), state.get("threshold", 0.0)
            v = state.get("accumulator")
            if not n:  # v_0 = w_0; weights may have been loaded since a step of rate 0
                v = p.detach().clone(memory_format=torch.preserve_format)
            elif v.dtype != p.dtype:  # as by model.double()
                v = v.to(p.dtype)
            if lr:
                n, threshold = n + 1, threshold + growth(n + 1)
            moving.append(_Moving(p, v, n, threshold, state))
        return moving


class _Moving(NamedTuple):
    """A parameter that takes part in a step."""

    p: Tensor
    v: Tensor  # its accumulator
    clock: int  # after the step, as the threshold
    threshold: float
    state: dict[str, Any]  # where they are kept


def _threshold(moving: list[_Moving], foreach: bool | None, room: together.Room) -> None:
    """w ← S_g(v)."""
    if not together.is_wanted(foreach, [one.p for one in moving]):
        for p, v, _, g, _ in moving:
            softshrink(here(v), g, out=here(p))  # type: ignore[call-arg]
    elif moving:
        weights = [here(one.p) for one in moving]
        room.shrink(weights, [here(one.v) for one in moving], [one.threshold for one in moving])


def _check_base(base: Any) -> None:
    """Raise TypeError unless dual averaging can be put around it, ValueError without learning rates."""
    accepted = "accepted is a torch optimizer of dense gradients, made with its parameters"
    if not isinstance(base, Optimizer):
        raise TypeError(f"base_optimizer = {base!r}: {accepted}")
    name = type(base).__name__
    if isinstance(base, GRDA | DualAveraging):
        raise TypeError(
            f"base_optimizer = {name}, which has an accumulator already: {accepted}, and without "
            "one of its own, such as torch.optim.SGD"
        )
    if isinstance(base, torch.optim.SparseAdam):
        raise TypeError(f"base_optimizer = {name}, which takes sparse gradients only: {accepted}")
    closure = inspect.signature(base.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TypeError(
            f"base_optimizer = {name}, whose step needs a closure, to compute gradients where the "
            f"weights are not: {accepted}, and that steps without one"
        )
    if any("lr" not in group for group in base.param_groups):
        refuse("base_optimizer", name, "an optimizer with a learning rate, lr, in every group")
