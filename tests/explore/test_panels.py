"""The figure vocabulary, by the JSON that plotly.js receives."""

import json
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import pytest

from grda_edu.explore import (
    Panel,
    TextTable,
    around,
    axis,
    band,
    bars,
    contours,
    dots,
    heading,
    heading_key,
    key,
    keys,
    line,
    note,
    palette,
    panels,
    tiles,
    words,
)
from grda_edu.explore.layout import box, rule
from grda_edu.explore.legend import LINES, MARKS, coloured, glyph

ALL = [
    line("a", palette.GRDA),
    dots("b", palette.SGD),
    bars("c", palette.ZERO),
    tiles("d", -1, 1),
    words("e", palette.INK),
    band("f"),
    contours("g", (-4, 0.5), title="loss", bar=0.4),
]
STYLES = {name: s for name, s in vars(palette).items() if isinstance(s, palette.Style)}


def as_json(figure):
    return json.loads(figure.to_json())


# ------------------------------------------------- traces


@pytest.mark.parametrize("trace", ALL, ids=lambda trace: trace.name)
def test_traces_are_quiet_and_named(trace):
    assert trace.hoverinfo == "skip" and trace.name in "abcdefg"


def test_a_hover_text_ends_the_quiet():
    assert line("a", palette.GRDA, hovertemplate="%{y}").hoverinfo is None


def test_a_line_has_colour_dash_and_width():
    drawn = line("a", palette.SGD, width=1.8, x=[1, 2], y=[3, 4], line_shape="hv", opacity=0.5)
    assert drawn.to_plotly_json() == {
        "type": "scatter",
        "name": "a",
        "mode": "lines",
        "x": [1, 2],
        "y": [3, 4],
        "line": {"color": palette.SGD.color, "dash": "dash", "width": 1.8, "shape": "hv"},
        "opacity": 0.5,
        "hoverinfo": "skip",
    }


def test_plotly_s_own_words_win():
    assert line("a", palette.SGD, line={"width": 1}).line.to_plotly_json() == {
        "color": palette.SGD.color,
        "dash": "dash",
        "width": 1,
    }
    assert dots("b", palette.SGD, mode="lines+markers").mode == "lines+markers"


def test_full_dots_may_have_a_paper_rim_and_hollow_ones_are_open():
    full = dots("a", palette.MAGNITUDE, size=10, outline=1.5).marker.to_plotly_json()
    assert full == {
        "color": palette.MAGNITUDE.color,
        "symbol": "triangle-up",
        "size": 10,
        "line": {"color": palette.PAPER, "width": 1.5},
    }
    assert dots("a", palette.SGD, hollow=True).marker.symbol == "square-open"
    zero = dots("a", palette.ZERO, hollow=True, outline=2).marker
    assert zero.symbol == "circle-open" and zero.line.color is None and zero.line.width == 2
    dash = dots("a", palette.BAND_EDGE, outline=2).marker  # without an inside: all of it is rim
    assert dash.symbol == "line-ew" and dash.line.color == palette.BAND_EDGE.color


def test_a_colour_alone_is_a_solid_line_and_round_dots():
    assert line("a", palette.INK).line.dash == "solid"
    assert dots("a", palette.INK).marker.symbol == "circle"


def test_contours_name_the_powers_of_ten_that_they_reach():
    field = contours("a", (-3.5, 1), title="loss", bar=0.4, hovertemplate="%{z}")
    assert (field.zmin, field.zmax, field.contours.start, field.contours.end) == (-3.5, 1, -3.5, 1)
    assert field.colorbar.tickvals == (-3, -2, -1, 0, 1)
    assert field.colorbar.ticktext == ("0.001", "0.01", "0.1", "1", "10")
    assert (field.colorbar.title.text, field.colorbar.x) == ("loss", 0.4)
    assert as_json(panels(Panel(field)))["data"][0]["type"] == "contour"


def test_bars_tiles_words_and_bands():
    assert bars("a", palette.GRDA, horizontal=True).orientation == "h"
    assert bars("a", palette.GRDA).marker.to_plotly_json() == {
        "color": palette.GRDA.color,
        "line": {"width": 0},
    }
    field = tiles("a", -0.5, 2, gap=1)
    assert (field.zmin, field.zmax, field.xgap, field.ygap) == (-0.5, 2, 1, 1)
    assert field.colorscale == go.Heatmap(colorscale=palette.FIELD).colorscale
    assert field.showscale is False
    assert words("a", palette.OBS, size=11, text=["x"]).textfont.to_plotly_json() == {
        "color": palette.tint(palette.OBS.color),
        "size": 11,
    }
    np.testing.assert_array_equal(around([1, 2], [4, 3]), [1, 2, 3, 4])
    assert band("a").fill == "toself" and band("a").fillcolor == palette.BAND


# ------------------------------------------------- axes and panels


def test_axis_options():
    assert axis("epoch", (0, 60)) == {"title_text": "epoch", "range": [0, 60]}
    assert axis(share=True) == {"tickformat": ".0%", "range": [0, 1]}
    assert axis(range=(0.5, 1), share=True)["range"] == [0.5, 1]
    assert axis(log=True, tickformat="~s") == {"type": "log", "dtick": 1, "tickformat": "~s"}
    assert axis(ticks={0.0: "none", 1.0: "all"}) == {
        "tickvals": [0.0, 1.0],
        "ticktext": ["none", "all"],
    }
    assert axis(ticks=0.5) == {"dtick": 0.5} and axis(ticks=[1, 2]) == {"tickvals": [1, 2]}
    assert axis(hidden=True) == {"visible": False}


def three():
    return panels(
        Panel(line("one", palette.GRDA), x=(0, 0.4), y=(0.6, 1), title="First"),
        Panel(
            dots("two", palette.SGD),
            bars("also two", palette.SGD),
            x=(0.6, 1),
            title="Second",
            key="words",
            at=(0.5, 1),
        ),
        Panel(words("three", palette.INK), yaxis=axis("loss", log=True)),
        height=500,
        notes=[note(1, 2, "here", panel=2)],
        title_text="All",
    )


def test_panels_number_and_anchor_their_axes():
    picture = as_json(three())
    where = {trace["name"]: (trace["xaxis"], trace["yaxis"]) for trace in picture["data"]}
    assert where == {
        "one": ("x", "y"),
        "two": ("x2", "y2"),
        "also two": ("x2", "y2"),
        "three": ("x3", "y3"),
    }
    layout = picture["layout"]
    for n in ("", "2", "3"):
        assert layout[f"xaxis{n}"]["anchor"] == f"y{n}"
        assert layout[f"yaxis{n}"]["anchor"] == f"x{n}"
        for letter in "xy":  # all are styled
            assert layout[f"{letter}axis{n}"]["gridcolor"] == palette.GRID
            assert layout[f"{letter}axis{n}"]["fixedrange"]
    assert layout["xaxis"]["domain"] == [0, 0.4] and layout["yaxis"]["domain"] == [0.6, 1]
    assert layout["yaxis3"]["type"] == "log" and layout["yaxis3"]["title"]["text"] == "loss"
    assert layout["height"] == 500 and layout["title"]["text"] == "All"


def test_each_panel_s_heading_has_its_number():
    notes = as_json(three())["layout"]["annotations"]
    assert [n["text"] for n in notes] == ["<b>First</b>", "<b>Second</b><br>words", "", "here"]
    assert (notes[0]["x"], notes[0]["y"], notes[0]["yanchor"]) == (0, 1, "bottom")
    assert (notes[1]["x"], notes[1]["y"], notes[1]["yanchor"]) == (0.5, 1, "top")
    assert (notes[3]["xref"], notes[3]["yref"]) == ("x3", "y3")
    assert heading_key(2) == "layout.annotations[2].text"
    assert note(0, 0, "x", panel=None)["xref"] == "paper"


@pytest.mark.parametrize("ends", [(0.5, 0.5), (-0.1, 1), (0.3, 1.1), (0.9, 0.1)])
def test_a_panel_off_the_figure_is_named(ends):
    with pytest.raises(ValueError, match=r"y = .*accepted"):
        Panel(y=ends)


def test_boxes_and_rules_lie_on_their_panel():
    shape = box("red", (0, 2), panel=1)
    assert (shape["xref"], shape["x0"], shape["x1"]) == ("x2", 0, 2)
    assert (shape["yref"], shape["y0"], shape["y1"]) == ("y2 domain", 0, 1)
    level = rule(palette.SGD, y=0.0)
    assert (level["xref"], level["yref"], level["y0"], level["y1"]) == ("x domain", "y", 0.0, 0.0)
    assert level["line"] == palette.SGD.line(1.5)
    for wrong in ({}, {"x": 0, "y": 0}):
        with pytest.raises(ValueError, match="exactly one"):
            rule(palette.SGD, **wrong)
    assert len(as_json(panels(Panel(), shapes=[shape, level]))["layout"]["shapes"]) == 2


# ------------------------------------------------- keys


@pytest.mark.parametrize("name", STYLES)
def test_a_key_is_made_from_the_style(name):
    """The glyph in the style's colour; the words too, or in a shade of it that can be read."""
    style = STYLES[name]
    words = f'<span style="color:{palette.tint(style.color)}">it</span>'

    def told(marks: str) -> str:
        if palette.tint(style.color) == style.color:
            return words.replace(">it", f">{marks} it")
        return f'<span style="color:{style.color}">{marks}</span> {words}'

    line, mark = LINES[style.dash], MARKS[style.symbol]
    assert key("it", style) == told(line)
    assert key("it", style, "mark") == told(mark)
    assert key("it", style, "both") == told(f"{mark} {line}")
    assert key("it", style, "none") == coloured("it", style) == words


def test_glyphs_tell_dashes_and_symbols_apart():
    assert len({*LINES.values(), *MARKS.values()}) == len(LINES) + len(MARKS)
    assert glyph(palette.SGD, "hollow") == glyph(palette.SGD._replace(symbol="square-open"), "mark")
    assert ">▮<" in key("it", palette.GRDA, "bar")
    assert key("it", palette.SGD, "bar").endswith(">▮ it</span>")
    assert key("it", palette.GRDA, "none").endswith(">it</span>")
    assert key("it", palette.INK).startswith(f'<span style="color:{palette.INK}">━')


def test_a_style_without_a_glyph_is_named():
    with pytest.raises(ValueError, match=r"5px.*accepted"):
        key("it", palette.GRDA._replace(dash="5px"))
    with pytest.raises(ValueError, match=r"round.*accepted"):
        key("it", palette.GRDA, "round")


def test_headings_and_keys_are_joined():
    assert keys("a", "b") == "a   b"
    assert heading("T", "one", "two") == "<b>T</b><br>one<br>two"
    assert heading("T", "below", beside="beside") == "<b>T</b>   beside<br>below"
    assert Panel(title="T", beside="beside", key="below").heading == "<b>T</b>   beside<br>below"
    assert heading("") == ""
    assert heading("", "a key alone") == "a key alone"


# ------------------------------------------------- tables


class Reader(HTMLParser):
    """What a browser would show: (tag, scope, text) of each cell and of the caption."""

    def __init__(self, html):
        super().__init__()
        self.cells = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag in ("th", "td", "caption"):
            self.cells.append([tag, dict(attributes).get("scope"), ""])

    def handle_data(self, data):
        self.cells[-1][2] += data


def test_a_table_and_its_plain_twin():
    table = TextTable([("a<b", "1"), ("c & d", "22")], ("name", "size"), "All of <it>")
    assert Reader(table._repr_html_()).cells == [
        ["caption", None, "All of <it>"],
        ["th", "col", "name"],
        ["th", "col", "size"],
        ["th", "row", "a<b"],
        ["td", None, "1"],
        ["th", "row", "c & d"],
        ["td", None, "22"],
    ]
    assert repr(table) == "All of <it>\nname   size\na<b    1\nc & d  22"


def test_a_ragged_table_is_named():
    with pytest.raises(ValueError, match=r"rows\[1\] has 1 .*accepted are 2"):
        TextTable([("a", "b"), ("c",)], ("x", "y"))
