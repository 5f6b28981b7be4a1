"""Where panels stand, by following the steps as the browser does."""

import pytest

from grda_edu.explore import Panel, axis, contours, line, palette, panels, words
from grda_edu.explore.arrangement import NARROW, STACKED, TALLEST, arrangements


def trace(name="it"):
    return line(name, palette.GRDA)


def told(*parts, height=400, **margin):
    return arrangements(parts, height, {"l": 60, "r": 20, "t": 0, "b": 0, **margin})


def edges(arranged, headings):
    """The edges' places from the top, in pixels, for headings of these heights."""
    at = [0.0]
    for start, end, pixels, k in arranged["steps"]:
        at += [0.0] * (end + 1 - len(at))
        at[end] = max(at[end], at[start] + pixels + (0 if k is None else headings[k]))
    return at


def boxes(arranged, headings):
    """Top and bottom of each panel."""
    at = edges(arranged, headings)
    return [(at[top], at[bottom]) for top, bottom in arranged["edges"]]


LEFT, RIGHT = Panel(trace(), x=(0, 0.44)), Panel(trace(), x=(0.56, 1), xaxis=axis("x"))


def test_panels_side_by_side_begin_below_the_higher_heading():
    wide = told(LEFT, RIGHT)["wide"]
    (top, bottom), other = boxes(wide, [20, 50])
    assert (top, bottom) == other and top >= 50
    assert bottom - top == 400
    lower, _ = boxes(wide, [20, 20])
    assert lower[0] == top - 30
    assert edges(wide, [20, 50])[-1] > bottom + 40  # ticks and title below


def test_a_tall_panel_reaches_to_the_end_of_the_two_beside_it():
    tall = Panel(trace(), x=(0, 0.5))
    upper, lower = (Panel(trace(), x=(0.6, 1), y=y) for y in ((0.6, 1), (0, 0.4)))
    (first, end), (top, middle), (next_top, last) = boxes(
        told(tall, upper, lower)["wide"], [0, 0, 90]
    )
    assert first == top and end == last
    assert middle - top == pytest.approx(160) and last - next_top == pytest.approx(160)
    assert next_top - middle > 90  # the heading of the lower one stands between


def test_a_heading_reaches_to_the_next_one_or_to_the_edge():
    wide = told(LEFT, Panel(trace(), x=(0.56, 1), at=(0.5, 1)))["wide"]
    assert [p["heading"] for p in wide["panels"]] == [[0, 0.5], [0.5, 1.0]]


def test_a_narrow_figure_stacks_its_panels_in_order():
    narrow = told(LEFT, RIGHT)["narrow"]
    (_, bottom), (top, end) = boxes(narrow, [30, 40])
    assert top > bottom + 40 and end - top == STACKED
    assert [p["x"] for p in narrow["panels"]] == [[0, 1], [0, 1]]


def test_a_panel_that_stands_alone_or_to_scale_keeps_its_height():
    ((top, end),) = boxes(told(LEFT)["narrow"], [30])
    assert end - top == TALLEST
    to_scale = Panel(trace(), x=(0.55, 1), yaxis=axis(scaleanchor="x"))
    (_, _), (top, end) = boxes(told(LEFT, to_scale)["narrow"], [30, 40])
    assert end - top == TALLEST


def test_small_panels_share_a_row_and_the_first_of_it_has_ticks_of_its_own():
    bare = axis(showticklabels=False)
    small = [Panel(trace(), x=(k / 4, k / 4 + 0.2), yaxis=bare if k else axis()) for k in range(4)]
    narrow = told(*small)["narrow"]
    tops = [top for top, _ in boxes(narrow, [10] * 4)]
    assert tops[0] == tops[1] < tops[2] == tops[3]
    assert ["inset" in p for p in narrow["panels"]] == [True, False, True, False]


def test_long_words_at_ticks_are_broken_and_have_room():
    names = ["a long name of a row", "short", "another long name"]
    panel = Panel(trace(), yaxis=axis(ticks=dict(enumerate(names))))
    (narrow,) = told(panel, height=90)["narrow"]["panels"]
    assert narrow["ticks"]["ticktext"][0].replace("<br>", " ") == names[0]
    assert "<br>" in narrow["ticks"]["ticktext"][0]
    ((top, bottom),) = boxes(told(panel, height=90)["narrow"], [0])
    assert bottom - top >= 3 * 2 * 16


def test_it_stacks_where_ticks_or_a_colour_bar_have_no_room():
    assert told(Panel(trace()))["below"] == NARROW
    close = Panel(trace(), x=(0.5, 1), yaxis=axis("loss", log=True))
    assert told(Panel(trace(), x=(0, 0.42)), close)["below"] > NARROW
    field = contours("field", (-3, 0), title="loss", bar=0.43)
    with_bar = told(Panel(field, x=(0, 0.42)), close)
    assert with_bar["below"] > told(Panel(trace(), x=(0, 0.42)), close)["below"]
    assert with_bar["panels"][0]["bars"] == ["field"]
    assert with_bar["narrow"]["panels"][0]["x"][1] < 1


def test_a_scene_is_a_panel():
    import plotly.graph_objects as go

    cloud = go.Scatter3d(name="cloud", x=[0], y=[0], z=[0])
    figure = panels(Panel(cloud, x=(0, 0.5), scene={}), Panel(words("w", palette.INK), x=(0.6, 1)))
    assert [p["axes"] for p in figure.layout.meta["panels"]] == ["scene", ""]
    assert figure.layout.scene.domain.x == (0, 0.5)
    assert figure.data[0].scene == "scene" and figure.data[1].xaxis == "x"
