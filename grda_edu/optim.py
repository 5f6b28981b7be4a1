"""gRDA as a PyTorch optimizer: stochastic gradient descent whose weights are soft-thresholded.

    v_0 = w_0                                    the accumulator starts at the initial weights
    v_n = v_{n-1} - γ ∇L(w_{n-1})                it takes the gradient steps of SGD
    w_n = S_{g_n}(v_n)                           the weights are its soft-thresholded image
    g_n = g_{n-1} + c γ^(½+μ) (n^μ - (n-1)^μ)    the threshold grows; constant γ: c γ^½ (nγ)^μ

With a tuning function of one's own the last line is g_n = g_{n-1} + g(n, γ) - g(n-1, γ).

Source: Chao, Wang, Xing, Cheng 2020 (arXiv:2006.09358); for momentum, nu and c = 0 items 2 and 7
of the authors' response to the reviewers.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Iterable
from functools import lru_cache
from numbers import Real
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.functional import softshrink

from grda_edu.shrinkage import tuning_increment

Tuning = Callable[[int, float], float]
_increment = lru_cache(maxsize=64)(tuning_increment)  # a group's parameters ask for the same one


class GRDA(torch.optim.Optimizer):
    """Generalized regularized dual averaging (gRDA).

    Args:
        params: parameters, ``(name, parameter)`` pairs or groups of either, as in every torch
            optimizer. A group may set its own value of anything below.
        lr: learning rate γ ≥ 0, a number or a tensor of one element.
        c: strength of the penalty, ≥ 0. ``c = 0`` is exactly SGD.
        mu: exponent μ > 0 of the threshold's growth; outside (½, 1) the theory does not hold.
        tuning: in the place of c and mu, a function of your own: ``tuning(n, lr)`` is the threshold
            after n = 0, 1, … steps of one learning rate. It must be a finite number ≥ 0 that never
            decreases with n, for every learning rate that a schedule may set.
        momentum, dampening, nesterov, weight_decay, maximize: as in ``torch.optim.SGD``.
        nu: share of the momentum buffer b in the direction (1 - ν)·G + ν·b, from 0 to 1. Below 1
            this is quasi-hyperbolic momentum, with b an average if ``dampening = momentum``.
        foreach: update all tensors of a group together. None: everywhere but on the CPU.

    For each parameter ``state`` keeps its own clock ``step``, the ``accumulator`` v, the
    ``threshold`` g (a float) and, with momentum, the ``momentum_buffer`` b. They start at the
    parameter's first gradient. The weights are a function of v and g: a weight changed by hand
    in mid-training is computed anew at the next step.

    A tuning function is no part of ``state_dict``, only its name and a few of its values are; the
    optimizer that loads them must have been made with the same one.

    Raises:
        ValueError: names the argument, the value given and what is accepted.
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
        }
        if tuning is not None:
            hyperparameters["tuning"] = tuning
        super().__init__(_not_empty(params), _checked(hyperparameters))
        _warn_outside_theory(self.defaults["mu"])

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group; what it does not set comes from the constructor's arguments.

        A group with a tuning function of its own does not take c and mu from there, nor one with
        its own c and mu the tuning function.
        """
        replaced: dict[str, Any] = {}
        if param_group.get("tuning") is not None:
            replaced = {"c": None, "mu": None}
        elif self.defaults.get("tuning") is not None and {"c", "mu"} & param_group.keys():
            replaced = {"tuning": None}
        group = _checked({**self.defaults, **replaced, **param_group})
        group["params"] = _not_empty(group["params"])
        if "mu" in param_group:
            _warn_outside_theory(group["mu"])
        super().add_param_group(group)
        for p in group["params"]:
            if p.is_complex() or p.layout != torch.strided:
                self.param_groups.pop()
                raise ValueError(
                    f"{_name_of(p, group)} has dtype {p.dtype} and layout {p.layout}: "
                    "accepted are real, dense parameters"
                )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """Do one step on every parameter that has a gradient.

        Args:
            closure: computes the gradients anew and returns the loss.

        Returns:
            What the closure returns, or None.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            for p in params:
                if p.grad.layout != torch.strided:
                    raise RuntimeError(
                        f"{_name_of(p, group)} has a gradient of layout {p.grad.layout}: "
                        "accepted are dense gradients"
                    )
            group = {**group, "lr": float(group["lr"])}  # a tensor is read once, not per parameter
            on_cpu = all(p.is_cpu for p in params)
            if group["foreach"] or (group["foreach"] is None and not on_cpu):
                self._update_together(params, [p.grad for p in params], group)
            else:
                for p in params:
                    self._update(p, p.grad, group)
        return loss

    def _update(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """The algorithm, for one parameter."""
        state = self._advance(p, group)
        direction = _direction(p, gradient, state, group)
        for v, d, w in _cache_sized(state["accumulator"], direction, p):
            v.add_(d, alpha=-group["lr"])  # v ← v - γ d
            softshrink(v, state["threshold"], out=w)  # type: ignore[call-arg]  # w ← S_g(v)

    def _advance(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """Move the parameter's clock one step on; its threshold grows by that step's share."""
        state = self.state[p]
        if not state:
            state["step"] = 0
            state["threshold"] = 0.0
            state["accumulator"] = p.clone(memory_format=torch.preserve_format)
        n = state["step"] + 1
        tuning = group.get("tuning")
        if tuning is None:
            state["threshold"] += _increment(n, group["lr"], group["c"], group["mu"])
        else:
            before = state["threshold"] if n > 1 else _threshold(tuning, 0, group["lr"])
            state["threshold"] = before + _growth(tuning, n - 1, n, group["lr"])
        state["step"] = n
        return state

    def state_dict(self) -> dict[str, Any]:
        """As of every torch optimizer; for a tuning function its name and a few of its values."""
        saved = super().state_dict()
        for group in saved["param_groups"]:
            if group.get("tuning") is not None:
                group["tuning_values"] = _values(group["tuning"])
                group["tuning"] = _name_of_function(group["tuning"])
        return saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As of every torch optimizer. Raises ValueError where the tuning functions differ."""
        tunings = [group.get("tuning") for group in self.param_groups]
        for tuning, saved in zip(tunings, state_dict["param_groups"], strict=False):
            _check_same(tuning, saved)
        super().load_state_dict(state_dict)
        for tuning, group in zip(tunings, self.param_groups, strict=True):
            if tuning is not None:
                group["tuning"] = tuning
                del group["tuning_values"]

    def _update_together(
        self, params: list[Tensor], gradients: list[Tensor], group: dict[str, Any]
    ) -> None:
        """The same for many parameters, each operation on all of them at once (for GPUs)."""
        if not params:
            return
        states = [self._advance(p, group) for p in params]
        accumulators = [state["accumulator"] for state in states]
        thresholds = [state["threshold"] for state in states]
        directions = _directions_together(params, gradients, states, group)
        torch._foreach_add_(accumulators, directions, alpha=-group["lr"])
        # S_τ(v) = v - clip(v, -τ, τ); softshrink takes no list, and turns NaN into 0 on some devices
        inside = torch._foreach_clamp_max(accumulators, thresholds)
        torch._foreach_clamp_min_(inside, [-t for t in thresholds])
        torch._foreach_copy_(params, accumulators)
        torch._foreach_sub_(params, inside)


def _direction(p: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
    """What the accumulator moves against: the gradient, or what momentum makes of it."""
    if group["maximize"]:
        gradient = -gradient
    if group["weight_decay"]:
        gradient = gradient.add(p, alpha=group["weight_decay"])
    if not group["momentum"]:
        return gradient
    if "momentum_buffer" not in state:  # it starts as the first gradient, without dampening
        state["momentum_buffer"] = gradient.clone(memory_format=torch.preserve_format)
    else:
        state["momentum_buffer"].mul_(group["momentum"])
        state["momentum_buffer"].add_(gradient, alpha=1 - group["dampening"])
    if group["nesterov"]:
        return gradient.add(state["momentum_buffer"], alpha=group["momentum"])
    if group["nu"] != 1:
        return gradient.lerp(state["momentum_buffer"], group["nu"])
    return state["momentum_buffer"]


_PART = 2**19  # elements


def _cache_sized(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """The tensors in parts of 2 MB: the second pass over a part finds it still in the cache."""
    if tensors[0].numel() <= _PART or not all(t.is_contiguous() for t in tensors):
        return [tensors]
    return zip(*(t.view(-1).split(_PART) for t in tensors), strict=True)


def _directions_together(
    params: list[Tensor],
    gradients: Any,
    states: list[dict[str, Any]],
    group: dict[str, Any],
) -> Any:
    """The same for many parameters; only a step that starts a buffer takes them one by one."""
    if group["momentum"] and any("momentum_buffer" not in state for state in states):
        each = zip(params, gradients, states, strict=True)
        return [_direction(p, gradient, state, group) for p, gradient, state in each]
    if group["maximize"]:
        gradients = torch._foreach_neg(gradients)
    if group["weight_decay"]:
        gradients = torch._foreach_add(gradients, params, alpha=group["weight_decay"])
    if not group["momentum"]:
        return gradients
    buffers = [state["momentum_buffer"] for state in states]
    torch._foreach_mul_(buffers, group["momentum"])
    torch._foreach_add_(buffers, gradients, alpha=1 - group["dampening"])
    if group["nesterov"]:
        return torch._foreach_add(gradients, buffers, alpha=group["momentum"])
    if group["nu"] != 1:
        return torch._foreach_lerp(gradients, buffers, group["nu"])
    return buffers


def penalty_groups(
    model: Module,
    c: float,
    mu: float,
    exclude: Callable[[str, Parameter], bool] = lambda name, p: p.ndim <= 1,
) -> list[dict[str, Any]]:
    """Parameter groups in which some parameters are left to plain SGD (``c = 0``).

    ``GRDA(penalty_groups(model, c, mu), lr, c, mu)``. The authors' own code thresholds every
    parameter, biases and batch norm included; this is for those who want it otherwise.

    Args:
        model: its named parameters that require a gradient are divided.
        c, mu: of the group that is thresholded.
        exclude: ``exclude(name, parameter)`` is True for what shall not be thresholded. By
            default whatever has at most one dimension: biases and the scales of norms.

    Returns:
        The thresholded group, then the other; a group without members is left out.
    """
    thresholded: list[tuple[str, Parameter]] = []
    excluded: list[tuple[str, Parameter]] = []
    for name, p in model.named_parameters():
        if p.requires_grad:
            (excluded if exclude(name, p) else thresholded).append((name, p))
    groups = [
        {"params": thresholded, "c": c, "mu": mu},
        {"params": excluded, "c": 0.0, "mu": mu},
    ]
    return [group for group in groups if group["params"]]


_ACCEPTED: dict[str, tuple[str, Callable[[float], bool]]] = {
    "lr": ("a finite number >= 0", lambda x: 0 <= x < math.inf),
    "c": ("a finite number >= 0", lambda x: 0 <= x < math.inf),
    "mu": ("a finite number > 0", lambda x: 0 < x < math.inf),
    "momentum": ("a number in [0, 1)", lambda x: 0 <= x < 1),
    "dampening": ("a number in [0, 1]", lambda x: 0 <= x <= 1),
    "nu": ("a number in [0, 1]", lambda x: 0 <= x <= 1),
    "weight_decay": ("a finite number >= 0", lambda x: 0 <= x < math.inf),
}


def _checked(group: dict[str, Any]) -> dict[str, Any]:
    """The group with its hyperparameters checked, as floats; a tensor ``lr`` stays a tensor."""
    group = dict(group)
    own_tuning = group.get("tuning") is not None
    if own_tuning and not group["c"] is group["mu"] is None:
        raise ValueError(
            f"tuning = {_name_of_function(group['tuning'])} beside c = {group['c']} and "
            f"mu = {group['mu']}: accepted is a tuning function or c and mu, not both"
        )
    for name, (accepted, inside) in _ACCEPTED.items():
        value = group[name]
        if name in ("c", "mu"):
            if own_tuning:
                continue
            accepted += "" if value is not None else ", or a tuning function in place of c and mu"
        try:
            number = float(value)
        except (TypeError, ValueError, RuntimeError):  # a word, or a tensor of several elements
            number = math.nan
        if not inside(number):
            if isinstance(value, Tensor) and value.numel() != 1:
                accepted = f"{accepted}. Tensor {name} must be 1-element"
                value = f"a tensor of shape {tuple(value.shape)}"
            raise ValueError(f"{name} = {value}: accepted is {accepted}")
        group[name] = value if name == "lr" and isinstance(value, Tensor) else number
    if own_tuning:
        _check_tuning(group["tuning"], float(group["lr"]))
    if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
        raise ValueError(
            f"nesterov = True with momentum = {group['momentum']} and dampening = "
            f"{group['dampening']}: accepted is momentum > 0 with dampening = 0"
        )
    if group["nesterov"] and group["nu"] != 1:
        raise ValueError(f"nesterov = True with nu = {group['nu']}: accepted is nu = 1")
    return group


_PROBES = (*range(11), *(k * 10**p for p in range(1, 6) for k in (2, 5, 10)))  # steps, to 10^6
_KNOWN_BY = (0.1, (1, 10, 100, 1000, 10_000))  # learning rate and steps whose values are saved
_ROUNDING = 1e-9  # by which a threshold may decrease, relative to its size


def _check_tuning(tuning: Any, lr: float) -> None:
    """Raise ValueError unless a tuning function gives what is needed, as far as probes can tell."""
    if not callable(tuning):
        raise ValueError(f"tuning = {tuning!r}: accepted is a function of n and lr")
    for rate in {lr, _KNOWN_BY[0]}:
        for before, n in itertools.pairwise(_PROBES):
            _growth(tuning, before, n, rate)


def _threshold(tuning: Tuning, n: int, lr: float) -> float:
    """The threshold after n steps, if it is one."""
    try:
        value = tuning(n, lr)
    except Exception as error:  # whatever a learner's function may raise
        error.add_note(f"tuning = {_name_of_function(tuning)} raised this at n = {n}, lr = {lr:g}")
        raise
    if not isinstance(value, Real) or not 0 <= value < math.inf:
        kind = "" if isinstance(value, Real) else f" of type {type(value).__name__}"
        raise ValueError(
            f"tuning = {_name_of_function(tuning)}: it returned {value!r}{kind} at n = {n}, "
            f"lr = {lr:g}; accepted is a finite number >= 0"
        )
    return float(value)


def _growth(tuning: Tuning, before: int, n: int, lr: float) -> float:
    """How much the threshold grows from one number of steps to another."""
    low, high = _threshold(tuning, before, lr), _threshold(tuning, n, lr)
    if high < low * (1 - _ROUNDING):
        raise ValueError(
            f"tuning = {_name_of_function(tuning)}: it decreases from {low:g} at n = {before} to "
            f"{high:g} at n = {n}, lr = {lr:g}; accepted is a threshold that never decreases with n"
        )
    return max(high - low, 0.0)


def _name_of_function(tuning: Any) -> str:
    """What a tuning function is called; an object with a repr of its own is called by that."""
    name = getattr(tuning, "__name__", None) or repr(tuning)
    return type(tuning).__name__ if " at 0x" in name else name


def _values(tuning: Tuning) -> list[float]:
    """By which two tuning functions of one name are told apart."""
    lr, steps = _KNOWN_BY
    return [_threshold(tuning, n, lr) for n in steps]


def _check_same(tuning: Tuning | None, saved: dict[str, Any]) -> None:
    """Raise ValueError unless a group was saved with this tuning function, or both with c and mu."""
    name = None if tuning is None else _name_of_function(tuning)
    if name != saved.get("tuning"):
        was, now = (f"tuning = {n}" if n else "c and mu" for n in (saved.get("tuning"), name))
        raise ValueError(
            f"state_dict was saved with {was}, this optimizer has {now}: accepted is the same one"
        )
    if tuning is None:
        return
    values = _values(tuning)
    if not all(
        math.isclose(a, b, rel_tol=1e-6)
        for a, b in zip(values, saved["tuning_values"], strict=True)
    ):
        lr, steps = _KNOWN_BY
        raise ValueError(
            f"state_dict was saved with another tuning = {name}, whose values at lr = {lr:g}, "
            f"n = {steps} are {saved['tuning_values']}; this optimizer's has {values}: "
            "accepted is the same one"
        )


def _warn_outside_theory(mu: float | None) -> None:
    if mu is None:
        return
    if mu <= 0.5:
        reason = "at mu <= 0.5 gradient noise, which grows like t^0.5, can bring dead weights back"
    elif mu >= 1:
        reason = "at mu >= 1 the bias of the weights that matter, like t^(mu-1), does not vanish"
    else:
        return
    warnings.warn(
        f"mu = {mu} is outside (0.5, 1), the range of the theory of gRDA: {reason}", stacklevel=3
    )


def _not_empty(params: Any) -> Any:
    """``params`` as a list of at least one; what torch itself refuses is left to torch."""
    if isinstance(params, Tensor | set):
        return params
    params = list(params)
    if not params:
        raise ValueError("params is empty: accepted is at least one parameter")
    return params


def _name_of(p: Tensor, group: dict[str, Any]) -> str:
    index = next(i for i, other in enumerate(group["params"]) if other is p)
    if "param_names" in group:
        return f"parameter {group['param_names'][index]!r}"
    return f"parameter {index} of its group, of shape {tuple(p.shape)},"
