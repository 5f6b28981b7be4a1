"""Handles: refused where no slider moves them; what the page is told of the others."""

import numpy as np
import plotly.graph_objects as go
import pytest

from grda_edu.explore import Choice, Explorable, Handle, Slider, palette

CONTROLS = {
    "c": Slider.linear(0, 1, 5),
    "mu": Slider([0.5, 0.6, 0.9]),
    "kind": Choice({"one": 1, "two": 2}),
}


def figure():
    return palette.figure(
        go.Scatter(x=[0, 1], y=[0, 0], name="line"),
        go.Scatter(x=[0], y=[0], name="point", mode="markers"),
        go.Scatter(x=[0], y=[0], name="fixed", mode="markers"),
    )


def compute(c, mu, kind):
    return {"line.y": [0.0, c], "point.x": [c * kind], "point.y": [mu]}, ""


def made(*handles, **more):
    return Explorable(figure, compute, CONTROLS, handles=handles, **more)


def test_the_page_is_told_which_sliders_move_the_point_and_along_which_axes():
    handles = made(
        Handle("point", "c", "mu", field=True),
        Handle("point", "mu"),
        Handle("line", "c", point=1, line=True),
    ).handles
    told = [(h["trace"], h["controls"], h["along"], h["line"], h["field"]) for h in handles]
    assert told == [
        ("point", [0, 1], "xy", False, True),
        ("point", [1], "y", False, False),
        ("line", [0], "y", True, False),
    ]


@pytest.mark.parametrize(
    ("handle", "says"),
    [
        (Handle("spot", "c"), "handle on 'spot': no such trace; the figure's are line, point"),
        (Handle("point", "kind"), r"it moves \['kind'\]; accepted are one or two of the sliders"),
        (Handle("point", "size"), r"it moves \['size'\]; .* \['c', 'mu'\]"),
        (Handle("point"), r"it moves \[\]"),
        (Handle("line", "mu", point=1), "handle on 'line': control 'mu' does not move it"),
        (Handle("line", "c", point=0), "handle on 'line': control 'c' does not move it"),
        (Handle("line", "c", point=2), "handle on 'line': it has no point 2 in y"),
        (Handle("fixed", "c"), "handle on 'fixed': control 'c' does not move it"),
    ],
)
def test_a_handle_that_no_slider_moves_is_refused(handle, says):
    with pytest.raises(ValueError, match=says):
        made(handle)


def test_a_point_may_be_nowhere_at_some_positions():
    def gone(c, mu, kind):
        return {"point.x": [c if c > 0.5 else np.nan], "point.y": [1.0]}, ""

    demo = Explorable(figure, gone, CONTROLS, handles=[Handle("point", "c")])
    assert demo.handles[0]["along"] == "x"


def test_without_a_table_there_is_no_place_to_read():
    assert made(Handle("point", "c"), budget=1).handles == []
    with pytest.raises(ValueError, match="no such trace"):
        made(Handle("spot", "c"), budget=1)
