"""Values in words: what a value looks like, and in what two values differ.

numpy arrays, torch tensors, numbers, texts and nests of them in tuples, lists and dicts. torch is
never imported here: a tensor is recognised by its type's module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np

KINDS = {"b": "booleans", "i": "whole numbers", "u": "whole numbers", "f": "decimal numbers"}


def is_tensor(value: object) -> bool:
    """True for a torch tensor."""
    return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach")


def difference(actual: Any, expected: Any, rtol: float = 1e-6, atol: float = 1e-9) -> str:
    """In what ``actual`` differs from ``expected``, in words; "" where it does not.

    Numbers and arrays may differ by ``atol + rtol·|expected|``. Kinds must agree (an array where an
    array is expected, whole numbers where these are expected), precision and device need not. Whole
    numbers do where decimal ones are expected, and an array without entries is of every kind.
    """
    if isinstance(expected, Mapping):
        return _mapping_difference(actual, expected, rtol, atol)
    if isinstance(expected, tuple | list):
        return _sequence_difference(actual, expected, rtol, atol)
    if is_tensor(expected) or isinstance(expected, np.ndarray):
        if type_in_words(actual) != type_in_words(expected):
            return _type_difference(actual, expected)
        return _array_difference(_array(actual), _array(expected), rtol, atol)
    if isinstance(expected, Number | np.generic):
        if not _is_number(actual):
            return _type_difference(actual, expected)
        return _array_difference(_array(actual), np.asarray(expected), rtol, atol)
    if type_in_words(actual) != type_in_words(expected):
        return _type_difference(actual, expected)
    return "" if actual == expected else f"{describe(actual)} is not {describe(expected)}"


def _is_number(value: object) -> bool:
    """A Python or numpy number, or an array or tensor without axes."""
    if is_tensor(value) or isinstance(value, np.ndarray):
        return value.ndim == 0  # type: ignore[attr-defined]
    return isinstance(value, Number | np.generic)


def _array(value: Any) -> np.ndarray:
    if not is_tensor(value):
        return np.asarray(value)
    tensor = value.detach().to_dense().cpu().resolve_conj().resolve_neg()
    return np.asarray(tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor)


def _type_difference(actual: object, expected: object) -> str:
    return f"{type_in_words(actual)} came out where {type_in_words(expected)} is expected"


def _mapping_difference(actual: Any, expected: Mapping, rtol: float, atol: float) -> str:
    if not isinstance(actual, Mapping):
        return _type_difference(actual, expected)
    if missing := [key for key in expected if key not in actual]:
        return f"nothing came out for {describe(missing[0])}"
    if extra := [key for key in actual if key not in expected]:
        return f"{describe(extra[0])} came out, which is not expected"
    for key, value in expected.items():
        if words := difference(actual[key], value, rtol, atol):
            return f"for {describe(key)}: {words}"
    return ""


def _sequence_difference(actual: Any, expected: Sequence, rtol: float, atol: float) -> str:
    if not isinstance(actual, tuple | list):
        return _type_difference(actual, expected)
    if len(actual) != len(expected):
        return f"{len(actual)} values came out where {len(expected)} are expected"
    for k, (one, other) in enumerate(zip(actual, expected, strict=True)):
        if words := difference(one, other, rtol, atol):
            return f"in value number {k + 1}: {words}"
    return ""


def _array_difference(actual: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> str:
    """Two arrays: shape, then kind, then NaN, then the entry that is furthest off."""
    if actual.shape != expected.shape:
        return f"the shape is {actual.shape} where {expected.shape} is expected"
    ours, theirs = (KINDS.get(a.dtype.kind, f"{a.dtype}") for a in (actual, expected))
    # 0 is as good as 0.0: one branch of the learner's code decides the type of a whole array.
    whole = actual.dtype.kind in "iu" and expected.dtype.kind == "f"
    if ours != theirs and not whole and actual.size:
        return f"{ours} ({actual.dtype}) came out where {theirs} ({expected.dtype}) are expected"
    if actual.dtype.kind not in "biuf":
        return "" if np.array_equal(actual, expected) else "the values differ"
    ours_64, theirs_64 = actual.astype(float), expected.astype(float)
    lost = np.isnan(ours_64) & ~np.isnan(theirs_64)
    if lost.any():
        return f"{_place(lost)}NaN came out, which is not a number"
    off = ~np.isclose(ours_64, theirs_64, rtol=rtol, atol=atol, equal_nan=True)
    if not off.any():
        return ""
    with np.errstate(invalid="ignore"):
        worst = off & (np.abs(ours_64 - theirs_64) == np.abs(ours_64 - theirs_64)[off].max())
    where = worst if worst.any() else off
    one, other = ours_64[where].flat[0], theirs_64[where].flat[0]
    came, wanted = _number(one), _number(other)
    if came == wanted:
        came, wanted = repr(float(one)), repr(float(other))
    words = f"{_place(where)}{came} came out where {wanted} is expected"
    if whole and actual.ndim and np.isfinite(other) and other % 1:
        words += f"; whole numbers ({actual.dtype}) lose what stands behind the point"
    return words


def _place(where: np.ndarray) -> str:
    """The place of the first True, "at position 3, "; nothing for a single number."""
    if where.ndim == 0:
        return ""
    index = tuple(int(k) for k in np.argwhere(where)[0])
    return f"at position {index[0] if len(index) == 1 else index}, counted from 0: "


def _number(value: float) -> str:
    return f"{value + 0.0:.6g}"  # + 0.0 turns -0 into 0


def type_in_words(value: object) -> str:
    """What a learner calls it: "an array", "a tensor", "a list", "nothing (None)" and so on."""
    if value is None:
        return "nothing (None)"
    if is_tensor(value):
        return "a tensor"
    for kind, words in _TYPES:
        if isinstance(value, kind):
            return words
    return f"a {type(value).__name__}"


_TYPES: tuple[tuple[Any, str], ...] = (
    (np.ndarray, "an array"),
    (bool | np.bool_, "True or False"),
    (Number | np.generic, "a number"),
    (str, "a text"),
    (list, "a list"),
    (tuple, "a tuple"),
    (Mapping, "a dictionary"),
)


def describe(value: Any, limit: int = 300) -> str:
    """``value`` as a learner would write it, short: large arrays are cut in the middle."""
    text = _describe(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _describe_network(network: Any) -> str:
    """A network small enough to count by hand with its numbers, a larger one by its own words."""
    weights = network.state_dict()
    if sum(w.numel() for w in weights.values()) > 12:
        return repr(network)
    numbers = ", ".join(f"{name}={_describe(w.tolist())}" for name, w in weights.items())
    return f"{type(network).__name__} with {numbers}"


def _describe(value: Any) -> str:
    if is_tensor(value) or isinstance(value, np.ndarray):
        array = _array(value)
        text = np.array2string(
            array, precision=6, separator=", ", threshold=24, edgeitems=3, max_line_width=76
        )
        name = "tensor" if is_tensor(value) else "array"
        return f"{name}({text})" + (f" of shape {array.shape}" if array.size > 24 else "")
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if isinstance(value, np.generic):
        return str(value.item())
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_describe(k)}: {_describe(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        inner = ", ".join(_describe(entry) for entry in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if hasattr(value, "state_dict"):
        return _describe_network(value)
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return repr(value)
