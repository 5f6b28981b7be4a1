"""Tabulate a computation over the grid of its controls.

A table holds one column for each attribute that the computation sets. A column is stored only along
the controls on which it really depends; a curve that ignores a slider is stored once for that slider.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod

import numpy as np

from .goal import Goal, met

Row = Mapping[str, object]
Compute = Callable[..., tuple[Row, str]]


class ComputeError(Exception):
    """The lesson's computation raised; the message says at which control values."""


@dataclass(frozen=True)
class Column:
    """One attribute over the grid: ``values`` has shape ``grid + shape``, float32, or str or bool."""

    key: str
    values: np.ndarray  # grid + shape
    grid: tuple[int, ...]  # a control on which the column does not depend has size 1
    shape: tuple[int, ...]  # of one row

    @property
    def is_text(self) -> bool:
        """Whether the values are texts or truth values, which JSON carries."""
        return self.values.dtype == object

    @property
    def nbytes(self) -> int:
        """How much of it goes to the page, in bytes."""
        if self.is_text:
            return sum(len(str(text).encode()) + 3 for text in self.values.flat)
        return self.values.nbytes


@dataclass
class Table:
    """Columns over one grid of controls; the sentence and what is reached at each position."""

    columns: list[Column]
    sentence: Column
    goals: Column  # truth values, one a goal
    grid: tuple[int, ...]
    _names: Mapping[str, int] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """How much of it goes to the page, in bytes."""
        return sum(column.nbytes for column in [*self.columns, self.sentence, self.goals])

    def message(self, option: int = 0, at: Sequence[int] | None = None) -> dict:
        """What the page receives. ``at``: the position for which a one-row table was computed."""
        numbers = [column for column in self.columns if not column.is_text]
        offsets = np.cumsum([0, *(column.nbytes for column in numbers)]).tolist()
        starts = {column.key: start for column, start in zip(numbers, offsets, strict=False)}
        return {
            "option": option,
            "at": None if at is None else list(at),
            "columns": [_describe(column, starts.get(column.key)) for column in self.columns],
            "sentence": _describe(self.sentence, None),
            "goals": _describe(self.goals, None),
            "data": b"".join(column.values.tobytes() for column in numbers),
        }


def _describe(column: Column, offset: int | None) -> dict:
    trace, _, path = column.key.rpartition("|")
    entry = {
        "key": column.key,
        "trace": trace or None,
        "path": path,
        "grid": list(column.grid),
        "shape": list(column.shape),
    }
    if offset is None:
        rows = column.values.reshape((prod(column.grid), *column.shape))
        return entry | {"strings": rows.tolist()}
    return entry | {"offset": offset}


@lru_cache(maxsize=4096)  # asked for every key of every row
def split_key(key: str, traces: tuple[str, ...]) -> str:
    """``"name.attribute"`` or ``"layout.path"`` as ``"name|attribute"`` or ``"|path"``.

    Raises ValueError for a trace that the figure does not have. Names may contain dots.
    """
    if key.startswith("layout."):
        return "|" + key.removeprefix("layout.")
    for name in sorted(traces, key=len, reverse=True):
        if key.startswith(name + "."):
            return f"{name}|{key[len(name) + 1 :]}"
    known = ", ".join(map(repr, traces)) or "none"
    raise ValueError(
        f"compute returned {key!r}: no such trace. Keys are 'trace name.attribute' or 'layout.path'; "
        f"the figure's named traces are {known}"
    )


def _cell(key: str, value: object) -> np.ndarray:
    """One row's value as float32, or as an object array of strings or truth values."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"compute returned {key!r} with ragged rows: {error}") from error
    if array.dtype.kind in "fiu":
        return array.astype(np.float32)
    if array.dtype.kind in "bUO" and all(
        isinstance(item, str | bool | np.bool) for item in array.flat
    ):
        return array.astype(object)
    raise ValueError(
        f"compute returned {key!r} of type {array.dtype}: accepted are numbers, strings, truth values and arrays of one of them"
    )


def call(compute: Compute, values: Mapping[str, object], traces: Sequence[str]) -> tuple[dict, str]:
    """Run ``compute`` once; its row with keys resolved and values as arrays, and its sentence.

    Raises ComputeError where ``compute`` raises, ValueError where it returns something else than
    ``(dict, sentence)``.
    """
    where = ", ".join(f"{name} = {value!r}" for name, value in values.items()) or "no controls"
    try:
        result = compute(**values)
    except Exception as error:  # any error of a lesson's author must reach the page
        raise ComputeError(f"{type(error).__name__} at {where}: {error}") from error
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str)):
        raise ValueError(f"compute must return (dict, sentence), got {type(result).__name__}")
    row, sentence = result
    names = tuple(traces)
    return {split_key(key, names): _cell(key, value) for key, value in row.items()}, sentence


def single(
    compute: Compute,
    values: Mapping[str, object],
    traces: Sequence[str],
    goals: Sequence[Goal] = (),
) -> Table:
    """A table of one row."""
    row, sentence = call(compute, values, traces)
    return _assemble([row], [sentence], [_marks(goals, values)], ())


def _marks(goals: Sequence[Goal], values: Mapping[str, object]) -> tuple[bool, ...]:
    """What is reached here; an error of the goal's author reaches the page like one of compute's."""
    try:
        return met(goals, values)
    except Exception as error:
        where = ", ".join(f"{name} = {value!r}" for name, value in values.items())
        raise ComputeError(f"goal: {type(error).__name__} at {where}: {error}") from error


def tabulate(
    compute: Compute,
    controls: Mapping[str, Sequence[object]],
    fixed: Mapping[str, object],
    traces: Sequence[str],
    *,
    budget: int,
    seconds: float,
    goals: Sequence[Goal] = (),
) -> Table | None:
    """All of ``compute`` over the grid of ``controls``; None where it is too large or too slow.

    ``budget`` is in bytes, counted after columns are stored once along controls they ignore;
    ``seconds`` is what the whole table may take, of this thread's processor time: a busy machine
    must not turn a table that the browser plays into one that the kernel is asked for.
    """
    names, grid = list(controls), tuple(map(len, controls.values()))
    rows: list[dict] = []
    sentences: list[str] = []
    marks: list[tuple[bool, ...]] = []
    start = time.thread_time()
    for position in itertools.product(*controls.values()):
        values = {**dict(zip(names, position, strict=True)), **fixed}
        row, sentence = call(compute, values, traces)
        _same_shapes(row, rows, dict(zip(names, position, strict=True)))
        rows.append(row)
        sentences.append(sentence)
        marks.append(_marks(goals, values))
        if len(rows) == 8 and _hopeless(rows[0], prod(grid), budget):
            return None
        if _too_slow(time.thread_time() - start, len(rows) / prod(grid), seconds):
            return None
    table = _assemble(rows, sentences, marks, grid)
    return table if table.nbytes <= budget else None


def _hopeless(row: dict, total: int, budget: int) -> bool:
    """Would the whole table be far over its budget? Columns may collapse, so there is a margin."""
    return sum(value.nbytes for value in row.values()) * total > 50 * budget


def _too_slow(spent: float, done: float, seconds: float) -> bool:
    """Judged once a tenth of the time is spent: the first rows also pay for what is made once."""
    return spent > seconds / 10 and spent / done > seconds


def _same_shapes(row: dict, rows: list[dict], values: Mapping[str, object]) -> None:
    if not rows:
        return
    first = rows[0]
    where = ", ".join(f"{name} = {value!r}" for name, value in values.items())
    if row.keys() != first.keys():
        odd = sorted(key.replace("|", ".").lstrip(".") for key in row.keys() ^ first.keys())
        raise ValueError(f"compute sets {odd} at some positions only (first seen at {where})")
    for key, value in row.items():
        if value.shape != first[key].shape or (value.dtype != first[key].dtype):
            name = key.replace("|", ".") if not key.startswith("|") else f"layout.{key[1:]}"
            raise ValueError(
                f"compute returns ragged rows for {name!r}: {value.dtype}{list(value.shape)} at {where}, "
                f"{first[key].dtype}{list(first[key].shape)} before; every row needs one shape"
            )


def _assemble(
    rows: list[dict],
    sentences: list[str],
    marks: list[tuple[bool, ...]],
    grid: tuple[int, ...],
) -> Table:
    columns = [
        _collapse(key, np.stack([row[key] for row in rows]), grid, rows[0][key].shape)
        for key in rows[0]
    ]
    texts = np.array(sentences, dtype=object)
    reached = np.array(marks, dtype=object).reshape(len(marks), -1)
    return Table(
        columns,
        _collapse("|sentence", texts, grid, ()),
        _collapse("|goals", reached, grid, reached.shape[1:]),
        grid,
    )


def _collapse(key: str, stacked: np.ndarray, grid: tuple[int, ...], shape: tuple) -> Column:
    values = stacked.reshape(grid + shape)
    for axis in range(len(grid)):
        first = values.take([0], axis=axis)
        same = np.equal(values, first)
        if values.dtype != object:
            same |= np.isnan(values) & np.isnan(first)
        if same.all():
            values = first
    return Column(key, np.ascontiguousarray(values), values.shape[: len(grid)], shape)
