import numpy as np
import pytest
import torch

from grda_edu.course.compare import describe, difference

A = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1.5, 1.5),
        (0, 0.0),
        (np.float32(1.5), 1.5),
        (np.array(1.5), 1.5),
        (torch.tensor(1.5), 1.5),
        (-0.0, 0.0),
        (1 + 1e-9, 1.0),
        (float("nan"), float("nan")),
        (float("inf"), float("inf")),
        (True, True),
        (np.bool_(True), True),
        ("a", "a"),
        (None, None),
        (A + 1e-9, A),
        (A.astype(np.float32), A),
        (np.array([]), np.array([])),
        (np.array([1, 2, 3]), A),
        (np.array([1, 2, 3], dtype=np.uint8), A),
        (torch.tensor([1, 2, 3]), torch.tensor(A)),
        (torch.tensor([[0.0, 2.0]]).to_sparse(), torch.tensor([[0.0, 2.0]])),
        (torch.tensor([1.0, 2.0], dtype=torch.bfloat16), torch.tensor([1.0, 2.0])),
        ({"w": np.array([[0], [0]])}, {"w": np.zeros((2, 1))}),
        (np.array([]), np.array([], dtype=int)),
        (np.array([]), np.array([], dtype=bool)),
        (torch.ones(2), torch.ones(2)),
        ((A, 1), [A, 1]),
        ({"b": 1, "a": A}, {"a": A, "b": 1}),
    ],
)
def test_no_difference(actual, expected):
    assert difference(actual, expected) == ""


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (1.5, 1.25, "1.5 came out where 1.25 is expected"),
        (1.000002, 1.0, "1.000002 came out where 1.0 is"),
        (None, 1.0, "nothing (None) came out where a number is"),
        ("1.5", 1.5, "a text came out where a number is"),
        ([1.0], 1.0, "a list came out where a number is"),
        (np.ones(1), 1.0, "an array came out where a number is"),
        (True, 1, "booleans"),
        (1, True, "where booleans (bool) are expected"),
        (1.0, 1, "decimal numbers"),
        (1j, 1.0, "complex"),
        (float("nan"), 1.0, "NaN"),
        (1.0, float("nan"), "nan is expected"),
        (float("inf"), 1.0, "inf came out"),
        ([1.0, 2.0, 3.0], A, "a list came out where an array is"),
        (torch.tensor(A), A, "a tensor came out where an array is"),
        (A, torch.tensor(A), "an array came out where a tensor is"),
        (A[:2], A, "the shape is (2,) where (3,) is expected"),
        (A[:, None], A, "the shape is (3, 1) where (3,)"),
        (np.array([1, 2, 4]), A, "at position 2, counted from 0: 4 came out where 3 is expected"),
        (
            np.array([1, 2]),
            np.array([1.5, 2]),
            "1 came out where 1.5 is expected; whole numbers (int64) lose what stands behind the point",
        ),
        (A, np.array([1, 2, 3]), "decimal numbers (float64) came out where whole numbers (int64)"),
        (np.array([1, 0, 1]), A > 1, "whole numbers (int64) came out where booleans (bool)"),
        (A > 1, A, "booleans (bool)"),
        (np.array([1.0, None, 3.0]), A, "object"),
        (np.array([1.0, np.nan, 3.0]), A, "at position 1, counted from 0: NaN"),
        (np.array([1.1, 2.0, 9.0]), A, "at position 2, counted from 0: 9 came out where 3 is"),
        (np.zeros((2, 2)), np.eye(2), "at position (0, 0), counted from 0: 0 came out where 1 is"),
        ((1, 2), (1, 2, 3), "2 values came out where 3 are expected"),
        ((1, 5), (1, 2), "in value number 2: 5 came out where 2 is"),
        ({1: 2}, {}, "1 came out, which is not expected"),
        ({}, {"w": 2}, "nothing came out for 'w'"),
        ({"w": 1}, {"w": 2}, "for 'w': 1 came out"),
        ([2], {"w": 2}, "a list came out where a dictionary is"),
        ("a", "b", "'a' is not 'b'"),
        (1, "b", "a number came out where a text is"),
    ],
)
def test_the_difference_in_words(actual, expected, words):
    assert words in difference(actual, expected)


def test_the_tolerance_is_the_authors():
    assert difference(1.04, 1.0, rtol=0.05) == ""
    assert difference(1.06, 1.0, rtol=0.05)
    assert difference(0.04, 0.0, rtol=0.0, atol=0.05) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (np.float64(2.5), "2.5"),
        (np.array([1.0, -0.5]), "array([ 1. , -0.5])"),
        (torch.tensor([1, 2]), "tensor([1, 2])"),
        ({"a": [1, (2.0, True)]}, "{'a': [1, (2, True)]}"),
        (np.sign, "sign"),
        ("x", "'x'"),
    ],
)
def test_values_in_words(value, text):
    assert describe(value) == text


def test_large_values_are_cut_and_say_their_shape():
    text = describe(np.zeros((50, 40)))
    assert "..." in text and text.endswith("of shape (50, 40)") and len(text) <= 300
    assert len(describe("x" * 5000)) == 300


def test_a_small_network_is_described_by_its_numbers():
    layer = torch.nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0, 1.5]]))
        layer.bias.copy_(torch.tensor([2.0]))
    assert describe(layer) == "Linear with weight=[[0, 1.5]], bias=[2]"
    assert describe(torch.nn.Linear(20, 20)) == repr(torch.nn.Linear(20, 20))
