"""Each check with what it lets through, and with the very words of what it refuses."""

import math

import numpy as np
import pytest
import torch

from grda_edu import checks

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize("value", [3, 3.0, np.float32(3), np.array(3.0), torch.tensor(3.0)])
def test_a_number_becomes_a_float(value):
    assert type(checks.number("lr", value, "> 0")) is float
    assert checks.number("lr", value) == 3.0


@pytest.mark.parametrize(
    ("within", "inside", "outside", "words"),
    [
        ("", [-1e9, 0, 5], [NAN, INF, -INF], "a finite number"),
        ("> 0", [1e-300, 2], [0, -0.0, -1, NAN, INF], "a finite number > 0"),
        (">= 0", [0, -0.0, 2], [-1e-300, NAN, INF], "a finite number >= 0"),
        (">= 1", [1, 2], [0.999, NAN, INF], "a finite number >= 1"),
        ("[0, 1)", [0, 0.999], [-1e-9, 1, NAN, INF], "a number in [0, 1)"),
        ("[0, 1]", [0, 1], [-1e-9, 1.001, NAN, INF], "a number in [0, 1]"),
    ],
)
def test_the_ends_of_each_range(within, inside, outside, words):
    for value in inside:
        assert checks.number("x", value, within) == value
        checks.numbers("x", np.array([value, value]), within)
        checks.numbers("x", torch.tensor([value, value], dtype=torch.float64), within)
    for value in outside:
        with pytest.raises(ValueError) as said:
            checks.number("x", value, within)
        assert str(said.value) == f"x = {value!r}: accepted is {words}"
        both = np.array([inside[0], value])
        for arrays in (both, torch.from_numpy(both)):
            with pytest.raises(ValueError, match=r"^x = .*: accepted is a"):
                checks.numbers("x", arrays, within)


@pytest.mark.parametrize("value", ["0.1", None, [0.1, 0.2], np.ones(2), torch.ones(2), {}])
def test_what_is_no_number_is_none(value):
    with pytest.raises(ValueError, match=r"accepted is a finite number >= 0$"):
        checks.number("lr", value, ">= 0")


def test_infinity_passes_where_it_may():
    checks.numbers("tau", np.array([0, INF]), ">= 0", finite=False)
    with pytest.raises(ValueError, match=r"^tau = -1: accepted is a number >= 0$"):
        checks.numbers("tau", -1, ">= 0", finite=False)
    with pytest.raises(ValueError, match=r"^tau = nan: accepted is a number >= 0$"):
        checks.numbers("tau", NAN, ">= 0", finite=False)


def test_numpys_numbers_are_shown_as_numbers():
    with pytest.raises(ValueError, match=r"^lr = -0.5: "):
        checks.number("lr", np.float64(-0.5), "> 0")
    with pytest.raises(ValueError, match=r"^lr = -0.5: "):
        checks.number("lr", torch.tensor(-0.5), "> 0")


def test_whole_numbers():
    assert [checks.whole("k", value, 1, 3) for value in (1, np.int64(3))] == [1, 3]
    assert type(checks.whole("k", np.int64(3))) is int
    for value in (0, 4, 2.0, True, None, "2", NAN, np.float64(2)):
        with pytest.raises(ValueError, match=r"^k = .*: accepted is an integer from 1 to 3$"):
            checks.whole("k", value, 1, 3)
    with pytest.raises(ValueError, match=r"^k = -1: accepted is an integer >= 0$"):
        checks.whole("k", -1)
    with pytest.raises(ValueError, match=r"^k = 9: accepted is an integer from 0 to 3, so few$"):
        checks.whole("k", 9, 0, 3, why="so few")


def test_options_are_listed():
    checks.one_of("part", "val", ("train", "val"))
    with pytest.raises(ValueError, match=r"^part = 'x': accepted is one of 'train', 'val'$"):
        checks.one_of("part", "x", ("train", "val"))
    with pytest.raises(ValueError, match=r"^part = 'x': accepted is one of none$"):
        checks.one_of("part", "x", ())


def test_values_are_there_once():
    assert checks.distinct("c", np.array([0.5, 0.25])) == [0.5, 0.25]
    with pytest.raises(ValueError, match=r"^c = \[\]: accepted is a list of at least one value$"):
        checks.distinct("c", ())
    with pytest.raises(
        ValueError, match=r"^c = \[1, 2, 1\]: .* each value once, 1 is there twice$"
    ):
        checks.distinct("c", (1, 2, 1))


def test_increasing_integers():
    assert checks.increasing("keep", np.array([0, 3, 7]), 0, 7) == [0, 3, 7]
    assert checks.increasing("keep", (2.0,)) == [2]
    for values in ([], [-1, 2], [1, 1], [2, 1], [0.5], [0, 8], [[1, 2]], [NAN]):
        with pytest.raises(
            ValueError, match=r"^keep = .* integer from 0 to 7, each above the last$"
        ):
            checks.increasing("keep", values, 0, 7)


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_vectors(make):
    one, two = make([1.0, 2.0]), make([3.0, 4.0])
    checks.vectors(start=one, end=two)
    with pytest.raises(ValueError, match=r"^end has shape \(1,\): accepted is \(2,\), as many"):
        checks.vectors(start=one, end=make([1.0]))
    with pytest.raises(ValueError, match=r"^start has shape \(1, 2\): accepted is one axis"):
        checks.vectors(start=make([[1.0, 2.0]]), end=two)
    with pytest.raises(ValueError, match=r"^start has shape \(0,\): accepted is one axis"):
        checks.vectors(start=make([]))
    for bad in (NAN, INF, -INF):
        with pytest.raises(ValueError, match=r"^end has NaN or infinity among its numbers"):
            checks.vectors(start=one, end=make([1.0, bad]))


def test_shapes():
    checks.shape("H", np.eye(2), (2, 2))
    with pytest.raises(
        ValueError, match=r"^H has shape \(2, 2\): accepted is \(3, 3\), curvature$"
    ):
        checks.shape("H", np.eye(2), (3, 3), "curvature")
