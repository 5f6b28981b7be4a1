"""What our optimizers accept, and by what a tuning function is known again."""

import functools
import itertools
import math
import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from grda_edu.checks import Range, number, one_of, refuse, said
from grda_edu.shrinkage import tuning_increment

Tuning = Callable[[int, float], float]

_ACCEPTED: dict[str, Range] = {
    "lr": ">= 0",
    "c": ">= 0",
    "mu": "> 0",
    "momentum": "[0, 1)",
    "dampening": "[0, 1]",
    "nu": "[0, 1]",
    "weight_decay": ">= 0",
}
_THRESHOLD = {"lr", "c", "mu"}  # what the threshold grows by


def not_empty(params: Any) -> Any:
    """``params`` as a list of at least one; what torch itself refuses is left to torch.

    A group without parameters is one all the same: of a few parameters shared out among many
    processes some get none.
    """
    if isinstance(params, Tensor | set):
        return params
    params = list(params)
    if not params:
        raise ValueError("params is empty: accepted is at least one parameter")
    return params


def completed(param_group: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The group, checked, with defaults for what it does not set itself."""
    return checked(with_defaults(param_group, defaults))


def with_defaults(param_group: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The group with defaults for what it does not set itself: c and mu, or a tuning function."""
    replaced: dict[str, Any] = {}
    if param_group.get("tuning") is not None:
        replaced = {"c": None, "mu": None}
    elif defaults.get("tuning") is not None and {"c", "mu"} & param_group.keys():
        replaced = {"tuning": None}
    return {**defaults, **replaced, **param_group}


def checked(group: dict[str, Any]) -> dict[str, Any]:
    """The group with its hyperparameters checked, as floats; a tensor ``lr`` stays a tensor."""
    group = with_threshold_checked(group)
    for name in [name for name in _ACCEPTED if name not in _THRESHOLD]:
        group[name] = _one_number(name, group[name])
    if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
        raise ValueError(
            f"nesterov = True with momentum = {group['momentum']} and dampening = "
            f"{group['dampening']}: accepted is momentum > 0 with dampening = 0"
        )
    if group["nesterov"] and group["nu"] != 1:
        raise ValueError(f"nesterov = True with nu = {group['nu']}: accepted is nu = 1")
    one_of("by", group["by"], ("weight", "unit"))
    dtype = group["accumulator_dtype"]
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        refuse("accumulator_dtype", dtype, "a dtype of real numbers such as torch.float32, or None")
    if group["capturable"]:
        check_capturable(group)
    return group


def check_capturable(group: dict[str, Any]) -> None:
    """Raise ValueError unless the group's threshold can grow inside of a graph."""
    if group.get("tuning") is not None:
        raise ValueError(
            f"capturable = True with tuning = {name_of_function(group['tuning'])}, which a graph "
            "cannot call: accepted is capturable with c and mu"
        )


def with_threshold_checked(group: dict[str, Any]) -> dict[str, Any]:
    """The group with what its threshold grows by checked: lr, and c and mu or a tuning function."""
    group = dict(group)
    own_tuning = group.get("tuning") is not None
    if own_tuning and not group["c"] is group["mu"] is None:
        raise ValueError(
            f"tuning = {name_of_function(group['tuning'])} beside c = {group['c']} and "
            f"mu = {group['mu']}: accepted is a tuning function or c and mu, not both"
        )
    lr = _one_number("lr", group["lr"])
    group["lr"] = group["lr"] if isinstance(group["lr"], Tensor) else lr
    if own_tuning:
        _check_tuning(group["tuning"], lr)
        return group
    for name in ("c", "mu"):
        if group[name] is None:
            accepted = f"{said(_ACCEPTED[name])}, or a tuning function in place of c and mu"
            refuse(name, None, accepted)
        group[name] = _one_number(name, group[name])
    return group


def _one_number(name: str, value: Any) -> float:
    """A hyperparameter as a float."""
    within = _ACCEPTED[name]
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(
            f"{name} has shape {tuple(value.shape)}: accepted is {said(within)}. "
            f"Tensor {name} must be 1-element"  # in torch's own words
        )
    return number(name, value, within)


def warn_outside_theory(mu: float | None) -> None:
    """Warn the caller's caller of an exponent for which nothing is proved."""
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


def check_real_and_dense(group: dict[str, Any]) -> None:
    """Raise ValueError at a parameter that has no soft-thresholded image."""
    for p in group["params"]:
        if p.is_complex() or p.layout != torch.strided:
            raise ValueError(
                f"{name_of(p, group)} has dtype {p.dtype} and layout {p.layout}: "
                "accepted are real, dense parameters"
            )
        if group.get("by") == "unit" and p.ndim < 2:
            raise ValueError(
                f"{name_of(p, group)} has shape {tuple(p.shape)}, by = 'unit': accepted are "
                "parameters of two dimensions or more, whose units are the rows along the first"
            )


def with_dense_gradient(group: dict[str, Any]) -> tuple[list[Tensor], list[Tensor]]:
    """The parameters of a group that have a gradient, and these; a sparse one is refused."""
    params = [p for p in group["params"] if p.grad is not None]
    gradients = [p.grad for p in params]
    for p, gradient in zip(params, gradients, strict=True):
        if gradient.layout != torch.strided:
            raise RuntimeError(
                f"{name_of(p, group)} has a gradient of layout {gradient.layout}: "
                "accepted are dense gradients"
            )
    return params, gradients


def at_this_step(group: dict[str, Any]) -> dict[str, Any]:
    """The group with what its parameters share at a step: ``lr`` as a number, and ``growth``.

    ``growth(n)`` is what a parameter's n-th step adds to its threshold, computed once for all
    parameters of one clock.
    """
    group = {**group, "lr": float(group["lr"])}
    lr, c, mu, tuning = group["lr"], group["c"], group["mu"], group.get("tuning")
    if tuning is None:
        group["growth"] = functools.cache(lambda n: tuning_increment(n, lr, c, mu))
    else:
        group["growth"] = functools.cache(lambda n: increment(tuning, n, lr))
    return group


def name_of(p: Tensor, group: dict[str, Any]) -> str:
    """What a parameter is called in a message."""
    index = next(i for i, other in enumerate(group["params"]) if other is p)
    if "param_names" in group:
        return f"parameter {group['param_names'][index]!r}"
    return f"parameter {index} of its group, of shape {tuple(p.shape)},"


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


def increment(tuning: Tuning, n: int, lr: float) -> float:
    """What step ``n`` (1, 2, …) adds to the threshold; the first one brings g(0, lr) as well."""
    growth = _growth(tuning, n - 1, n, lr)
    return growth if n > 1 else _threshold(tuning, 0, lr) + growth


def _threshold(tuning: Tuning, n: int, lr: float) -> float:
    """The threshold after n steps, if it is one."""
    try:
        value = tuning(n, lr)
    except Exception as error:  # whatever a learner's function may raise
        error.add_note(f"tuning = {name_of_function(tuning)} raised this at n = {n}, lr = {lr:g}")
        raise
    if not isinstance(value, Real) or not 0 <= value < math.inf:
        kind = "" if isinstance(value, Real) else f" of type {type(value).__name__}"
        raise ValueError(
            f"tuning = {name_of_function(tuning)}: it returned {value!r}{kind} at n = {n}, "
            f"lr = {lr:g}; accepted is a finite number >= 0"
        )
    return float(value)


def _growth(tuning: Tuning, before: int, n: int, lr: float) -> float:
    """How much the threshold grows from one number of steps to another."""
    low, high = _threshold(tuning, before, lr), _threshold(tuning, n, lr)
    if high < low * (1 - _ROUNDING):
        raise ValueError(
            f"tuning = {name_of_function(tuning)}: it decreases from {low:g} at n = {before} to "
            f"{high:g} at n = {n}, lr = {lr:g}; accepted is a threshold that never decreases with n"
        )
    return max(high - low, 0.0)


def name_of_function(tuning: Any) -> str:
    """What a tuning function is called; an object with a repr of its own is called by that."""
    name = getattr(tuning, "__name__", None) or repr(tuning)
    return type(tuning).__name__ if " at 0x" in name else name


def values_of(tuning: Tuning) -> list[float]:
    """By which two tuning functions of one name are told apart."""
    lr, steps = _KNOWN_BY
    return [_threshold(tuning, n, lr) for n in steps]


def check_same(tuning: Tuning | None, saved: dict[str, Any]) -> None:
    """Raise ValueError unless a group was saved with this tuning function, or both with c and mu."""
    name = None if tuning is None else name_of_function(tuning)
    if name != saved.get("tuning"):
        was, now = (f"tuning = {n}" if n else "c and mu" for n in (saved.get("tuning"), name))
        raise ValueError(
            f"state_dict was saved with {was}, this optimizer has {now}: accepted is the same one"
        )
    if tuning is None:
        return
    values = values_of(tuning)
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
