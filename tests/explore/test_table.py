"""A table read back as the page reads it equals compute, rounded to float32."""

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grda_edu.explore.table import ComputeError, call, single, split_key, tabulate

TRACES = ("curve", "curve.two", "points")
GRIDS = {"a": [0.1, 0.2, 0.7], "b": [1.0, 10.0], "c": [-1.0, 0.0, 1.0, 2.0]}
LARGE = {"budget": 10**9, "seconds": 60.0}


def compute(a, b, c, scale=1.0):
    x = np.linspace(0, 1, 5)
    row = {
        "curve.y": scale * (a * x + b) / 3,
        "curve.two.y": np.outer(x, [c, c * c, np.nan]),
        "points.x": np.arange(4),  # ignores every control
        "points.text": np.array([f"{b:g}", "w<sub>1</sub>"]),
        "points.visible": bool(a > 0.15),
        "layout.title.text": f"a {a}",
        "layout.yaxis.range": [b, b + c],
    }
    return row, f"a = {a}, b = {b}, c = {c}"


def read(message: dict, key: str, position: tuple[int, ...]):
    """What the page puts at ``key`` for a position: the reading side, written independently."""
    entries = {
        f"{e['trace']}|{e['path']}" if e["trace"] else e["path"]: e for e in message["columns"]
    }
    entry = message["sentence"] if key == "sentence" else entries[key]
    where = tuple(k if size > 1 else 0 for k, size in zip(position, entry["grid"], strict=True))
    row = int(np.ravel_multi_index(where, entry["grid"])) if entry["grid"] else 0
    if "strings" in entry:
        return entry["strings"][row]
    size = prod(entry["shape"])
    values = np.frombuffer(message["data"], np.float32, size, entry["offset"] + 4 * row * size)
    return values.reshape(entry["shape"])


@pytest.fixture(scope="module")
def table():
    return tabulate(compute, GRIDS, {"scale": 2.0}, TRACES, **LARGE)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*(st.integers(0, len(grid) - 1) for grid in GRIDS.values())))
def test_every_position_reads_back_as_computed(table, position):
    values = {name: grid[k] for (name, grid), k in zip(GRIDS.items(), position, strict=True)}
    row, sentence = compute(**values, scale=2.0)
    message = table.message()
    for key, trace_key in {
        "curve.y": "curve|y",
        "curve.two.y": "curve.two|y",
        "points.x": "points|x",
        "layout.yaxis.range": "yaxis.range",
    }.items():
        expected = np.asarray(row[key]).astype(np.float32)
        np.testing.assert_array_equal(read(message, trace_key, position), expected)
    assert read(message, "points|text", position) == row["points.text"].tolist()
    assert read(message, "points|visible", position) is row["points.visible"]
    assert read(message, "title.text", position) == row["layout.title.text"]
    assert read(message, "sentence", position) == sentence


def test_columns_are_stored_only_along_the_controls_they_depend_on(table):
    grids = {column.key: column.grid for column in table.columns}
    assert grids == {
        "curve|y": (3, 2, 1),
        "curve.two|y": (1, 1, 4),
        "points|x": (1, 1, 1),
        "points|text": (1, 2, 1),
        "points|visible": (3, 1, 1),
        "|title.text": (3, 1, 1),
        "|yaxis.range": (1, 2, 4),
    }
    assert table.sentence.grid == (3, 2, 4)
    numbers = 4 * (3 * 2 * 5 + 4 * 15 + 4 + 2 * 4 * 2)
    assert len(table.message()["data"]) == numbers
    assert table.nbytes > numbers  # texts are counted too


def test_budget_in_bytes_counts_what_is_stored():
    def curve(a, b, c):
        return {"curve.y": np.full(1000, a)}, ""

    stored = 4 * 1000 * len(GRIDS["a"])
    assert tabulate(curve, GRIDS, {}, TRACES, budget=stored + 100, seconds=60) is not None
    assert tabulate(curve, GRIDS, {}, TRACES, budget=stored - 1, seconds=60) is None


def test_a_hopeless_table_is_given_up_after_its_first_rows():
    calls = []

    def wide(a):
        calls.append(a)
        return {"curve.y": np.full(1000, a)}, ""

    grid = {"a": np.arange(10_000.0).tolist()}
    assert tabulate(wide, grid, {}, TRACES, budget=400_000, seconds=60) is None
    assert len(calls) < 20


@pytest.mark.parametrize(("seconds_a_row", "given_up"), [(0.5, True), (0.01, False)])
def test_too_slow_for_the_learner_is_given_up(monkeypatch, seconds_a_row, given_up):
    rows = iter(range(10_000))
    monkeypatch.setattr(
        "grda_edu.explore.table.time.thread_time", lambda: next(rows) * seconds_a_row
    )
    table = tabulate(compute, GRIDS, {}, TRACES, budget=10**9, seconds=4.0)
    assert (table is None) == given_up


def test_a_first_row_that_makes_things_once_is_not_taken_for_slow(monkeypatch):
    times = iter([0.0, 0.3, *np.linspace(0.3, 0.4, 10_000)])
    monkeypatch.setattr("grda_edu.explore.table.time.thread_time", lambda: next(times))
    assert tabulate(compute, GRIDS, {}, TRACES, budget=10**9, seconds=4.0) is not None


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ({"nosuch.y": [1]}, r"'nosuch.y': no such trace.*'curve', 'curve.two', 'points'"),
        ({"curve": [1]}, "'curve': no such trace"),
        ({"curve.y": [1, "a", None]}, "'curve.y' of type object"),
        ({"curve.y": [1j]}, "'curve.y' of type complex128"),
        ({"curve.y": {"a": 1}}, "'curve.y' of type object"),
        ({"curve.y": [[1, 2], [3]]}, "'curve.y' with ragged rows"),
    ],
)
def test_a_row_that_cannot_be_drawn_names_the_key(result, says):
    with pytest.raises(ValueError, match=says):
        call(lambda: (result, ""), {}, TRACES)


@pytest.mark.parametrize("result", [{"curve.y": [1]}, ({}, 3), (), None])
def test_compute_must_return_a_row_and_a_sentence(result):
    with pytest.raises(ValueError, match=r"must return \(dict, sentence\)"):
        call(lambda: result, {}, TRACES)


@pytest.mark.parametrize(
    ("later", "says"),
    [
        ({"curve.y": [1, 2, 3]}, r"ragged rows for 'curve.y': .*\[3\] at a = 2"),
        ({"curve.y": ["a", "b"]}, "ragged rows for 'curve.y': object"),
        ({"curve.x": [1, 2]}, r"sets \['curve.x', 'curve.y'\] at some positions only.*a = 2"),
    ],
)
def test_ragged_rows_name_key_and_position(later, says):
    def ragged(a):
        return ({"curve.y": [1, 2]} if a == 1 else later), ""

    with pytest.raises(ValueError, match=says):
        tabulate(ragged, {"a": [1, 2]}, {}, TRACES, **LARGE)


def test_an_exception_says_where_it_happened():
    def broken(a, b):
        raise ZeroDivisionError("no such thing")

    with pytest.raises(ComputeError, match=r"ZeroDivisionError at a = 0.5, b = 2: no such thing"):
        single(broken, {"a": 0.5, "b": 2}, TRACES)


def test_the_longest_name_wins_and_names_may_hold_dots():
    assert split_key("curve.y", TRACES) == "curve|y"
    assert split_key("curve.two.marker.color", TRACES) == "curve.two|marker.color"
    assert split_key("layout.annotations[0].text", TRACES) == "|annotations[0].text"
