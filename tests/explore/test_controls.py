import numpy as np
import pytest

from grda_edu.explore import Choice, Slider


def test_grids_are_even_in_value_or_in_logarithm():
    assert Slider.linear(0, 2, 5).values == [0, 0.5, 1, 1.5, 2]
    grid = Slider.log(1e-4, 1e-1, 4).values
    np.testing.assert_allclose(grid, [1e-4, 1e-3, 1e-2, 1e-1])
    assert grid[0] == 1e-4 and grid[-1] == 1e-1  # the ends exactly: a lesson compares with them


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "values are empty"),
        ([1, 1], r"values \[1, 1\] are not strictly increasing"),
        ([3, 2, 1], "not strictly increasing"),
        ([0, float("nan"), 1], "not strictly increasing and finite"),
        ([0, float("inf")], "not strictly increasing and finite"),
        ([[1, 2], [3, 4]], "values are empty|one-dimensional"),
    ],
)
def test_a_grid_that_cannot_be_slid_over_names_its_control(values, says):
    with pytest.raises(ValueError, match=f"control 'tau': .*({says})"):
        Slider(values).check("tau")


def test_an_empty_drop_down_names_its_control():
    with pytest.raises(ValueError, match="control 'kind': options are empty"):
        Choice({}).check("kind")


def test_nearest_is_a_grid_value_and_never_outside():
    slider = Slider([0.0, 0.1, 0.5, 2.0])
    assert [slider.nearest("c", v) for v in (0, 0.04, 0.06, 0.4, 1.9, 2.0)] == [0, 0, 1, 2, 3, 3]
    assert slider.nearest("c", 2.0 + 1e-12) == 3  # rounding of the end itself
    for outside in (-0.01, 2.01, float("nan")):
        with pytest.raises(ValueError, match=r"c = .*: accepted is 0 to 2"):
            slider.nearest("c", outside)


def test_values_are_written_with_unit_and_format():
    assert Slider([0.001, 0.02], unit="s").describe("t")["texts"] == ["0.001 s", "0.02 s"]
    percent = Slider([0.5, 1], format=lambda value: f"{100 * value:.0f} %", label="share")
    assert percent.describe("p") == {
        "name": "p", "label": "share", "play": False, "seconds": 9.0, "texts": ["50 %", "100 %"],
        "python": ["0.5", "1"],
    }  # fmt: skip
    assert Slider([1]).describe("mu")["label"] == "mu"
    assert Choice({"A": 1, "B": 2}, label="Rule").describe("r") == {
        "name": "r", "label": "Rule", "options": ["A", "B"], "python": ['"A"', '"B"']
    }  # fmt: skip


@pytest.mark.parametrize(
    "slider",
    [
        Slider.linear(-1, 2, 201),
        Slider.log(1e-4, 0.3, 23),
        Slider([0, 0.1 + 0.2, 1 / 3]),
        Slider([1, 2400, 123_456_789]),
    ],
)
def test_each_value_as_python_leads_back_to_it(slider):
    written = slider.describe("x")["python"]
    assert [slider.nearest("x", eval(text)) for text in written] == list(range(len(written)))
    for text, value in zip(written, slider.values, strict=True):
        assert eval(text) == pytest.approx(value, rel=1e-6) and len(text) <= len(repr(float(value)))
