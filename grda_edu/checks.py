"""Arguments checked and refused in one way: "lr = -1: accepted is a finite number >= 0".

Every check raises a ValueError that names the argument, the value it had and what is accepted.
Python's numbers, numpy's and torch's alike; nothing here imports torch.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, Literal, NoReturn

import numpy as np

Range = Literal["", "> 0", ">= 0", ">= 1", "[0, 1)", "[0, 1]"]
_INSIDE: dict[Range, Callable[[Any], Any]] = {
    "": lambda x: x == x,  # whatever is a number at all
    "> 0": lambda x: x > 0,
    ">= 0": lambda x: x >= 0,
    ">= 1": lambda x: x >= 1,
    "[0, 1)": lambda x: (x >= 0) & (x < 1),
    "[0, 1]": lambda x: (x >= 0) & (x <= 1),
}


def refuse(name: str, value: Any, accepted: str) -> NoReturn:
    """Raise the ValueError that says what is accepted in the place of ``value``.

    Args:
        name: of the argument.
        value: what it had; an array is abbreviated.
        accepted: what is accepted, in words.

    Raises:
        ValueError: always.

    Examples:
        >>> refuse("lr", -1, "a finite number >= 0")
        Traceback (most recent call last):
        ValueError: lr = -1: accepted is a finite number >= 0
    """
    if getattr(value, "ndim", None) == 0:
        value = value.item()  # "-1.0" instead of "np.float64(-1.0)"
    shown = str(value) if hasattr(value, "ndim") else repr(value)
    raise ValueError(f"{name} = {shown}: accepted is {accepted}")


# ------------------------------------------------- numbers


def number(name: str, value: Any, within: Range = "") -> float:
    """The value as a float, if it is one finite number of the range."""
    try:
        x = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError, RuntimeError):  # no number, or several
        x = math.nan
    if not (math.isfinite(x) and _INSIDE[within](x)):
        refuse(name, value, said(within))
    return x


def numbers(name: str, values: Any, within: Range = "", *, finite: bool = True) -> None:
    """The same for each entry of a number or array; infinity passes unless ``finite``."""
    inside = _INSIDE[within](values)
    if finite:
        inside = inside & (abs(values) < math.inf)
    if not (inside.all() if hasattr(inside, "all") else inside):
        refuse(name, values, said(within, finite))


def said(within: Range, finite: bool = True) -> str:
    """A range in words: "a finite number >= 0", "a number in [0, 1)"."""
    kind = "a finite number" if finite and not within.startswith("[") else "a number"
    return f"{kind} in {within}" if within.startswith("[") else f"{kind} {within}".rstrip()


def whole(name: str, value: Any, least: int = 0, most: int | None = None, why: str = "") -> int:
    """The value as an int, if it is an integer (no truth value) within limits.

    Args:
        name: of the argument.
        value: Python's or numpy's.
        least: the lower limit.
        most: the upper limit, if there is one.
        why: what the limits are.

    Returns:
        The value.

    Raises:
        ValueError: if it is anything else.

    Examples:
        >>> whole("k", 3, 1, 5)
        3
        >>> whole("k", 2.5, 1)
        Traceback (most recent call last):
        ValueError: k = 2.5: accepted is an integer >= 1
    """
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        accepted = (
            f"an integer >= {least}" if most is None else f"an integer from {least} to {most}"
        )
        refuse(name, value, f"{accepted}, {why}" if why else accepted)
    return int(value)


# ------------------------------------------------- lists


def one_of(name: str, value: Any, options: Iterable[Any]) -> None:
    """The value is one of the options."""
    options = list(options)
    if value not in options:
        refuse(name, value, f"one of {', '.join(map(repr, options)) or 'none'}")


def distinct(name: str, values: Any) -> list[Any]:
    """The values as a list, if there is one at least and none is there twice."""
    try:
        values = list(values)
    except TypeError:  # one number
        refuse(name, values, "a list of at least one value")
    listed = [value.item() if hasattr(value, "item") else value for value in values]  # numpy's
    if not listed:
        refuse(name, listed, "a list of at least one value")
    twice = [value for k, value in enumerate(listed) if value in listed[:k]]
    if twice:
        refuse(name, listed, f"each value once, {twice[0]} is there twice")
    return listed


def increasing(name: str, values: Any, least: int = 0, most: int | None = None) -> list[int]:
    """The values as a list, if they are integers of these limits, each above the one before."""
    given = np.asarray(values, dtype=float)
    inside = given.ndim == 1 and given.size > 0 and (given % 1 == 0).all()
    inside = inside and (np.diff(given) > 0).all() and given[0] >= least
    if not inside or (most is not None and given[-1] > most):
        limits = f">= {least}" if most is None else f"from {least} to {most}"
        refuse(name, values, f"at least one integer {limits}, each above the last")
    return [int(n) for n in given]


# ------------------------------------------------- arrays


def shape(name: str, array: Any, accepted: tuple[int, ...], meaning: str = "") -> None:
    """The array has this shape; ``meaning`` says of what."""
    if tuple(array.shape) != accepted:
        of_what = f", {meaning}" if meaning else ""
        raise ValueError(f"{name} has shape {tuple(array.shape)}: accepted is {accepted}{of_what}")


def finite(name: str, array: Any) -> None:
    """Every number of the array is finite."""
    if not bool((abs(array) < math.inf).all()):
        raise ValueError(f"{name} has NaN or infinity among its numbers: accepted are finite ones")


def vectors(**named: Any) -> None:
    """All arrays have one axis and as many numbers as the first, one at least, all finite."""
    (first, reference), *_ = named.items()
    if reference.ndim != 1 or not len(reference):
        found = tuple(reference.shape)
        raise ValueError(f"{first} has shape {found}: accepted is one axis, at least one number")
    for name, array in named.items():
        shape(
            name, array, (len(reference),), f"as many numbers as {first}" if name != first else ""
        )
        finite(name, array)
