"""Every idea can be seen on its page and told from the others."""

from itertools import combinations

import plotly.graph_objects as go
import pytest

from grda_edu.explore import palette

STYLES = {name: style for name, style in vars(palette).items() if isinstance(style, palette.Style)}
LIGHT_PAGE, DARK_PAGE = "#ffffff", "#111111"  # JupyterLab's two themes


def luminance(color: str) -> float:
    """WCAG 2.2's relative luminance of a hex colour."""
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_itself():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", STYLES)
def test_each_style_stands_out_from_its_page(name):
    color = STYLES[name].color
    assert contrast(color, LIGHT_PAGE) >= 3
    assert contrast(palette.DARK.get(color, color), DARK_PAGE) >= 3


WRITTEN = [palette.INK, palette.MUTED, *(style.color for style in STYLES.values())]


@pytest.mark.parametrize("color", WRITTEN)
def test_words_can_be_read(color):
    shade = palette.tint(color)
    assert contrast(shade, LIGHT_PAGE) >= 4.5
    assert contrast(palette.DARK.get(shade, shade), DARK_PAGE) >= 4.5


def test_a_shade_is_the_colour_itself_on_a_dark_page():
    for color, shade in palette.TINTS.items():
        assert contrast(color, LIGHT_PAGE) < 4.5  # or it would need none
        assert palette.DARK[shade] == palette.DARK[color]


def test_methods_differ_in_colour_dash_and_symbol():
    methods = [palette.SGD, palette.GRDA, palette.DIRECTIONAL, palette.MAGNITUDE, palette.OBS]
    for one, other in combinations(methods, 2):
        assert one.color != other.color and one.dash != other.dash and one.symbol != other.symbol


def test_dark_page_keeps_colours_apart():
    ideas = {
        color: dark for color, dark in palette.DARK.items() if color not in palette.TINTS.values()
    }
    assert len(set(ideas.values())) == len(ideas)
    assert all(key == key.lower() for key in palette.DARK)  # the page looks them up so


def test_figure_lets_the_lesson_win():
    picture = palette.figure(go.Scatter(y=[1]), height=200, showlegend=True, xaxis_title="epoch")
    assert picture.layout.height == 200 and picture.layout.showlegend
    assert picture.layout.xaxis.title.text == "epoch"
    assert picture.layout.xaxis.gridcolor == palette.GRID
