"""One colour and one dash for each idea, everywhere in the course.

The colours are Okabe and Ito's, which colour-blind readers tell apart; the dashes and markers say the
same without any colour. Every constant is the colour on a light page; ``DARK`` says what the page
draws in its place when the theme is dark. A mark needs a contrast of 3 : 1 to its page, words need
4.5 : 1 (WCAG 2.2): ``tint`` says in what shade of an idea's colour words are written.
"""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

INK = "#24292f"  # text, axes
MUTED = "#6e7781"  # secondary text, guides
GRID = "#e3e6ea"  # grid lines
PAPER = "#ffffff"  # what lies behind the figure: outlines of markers
HALO = "#fffffe"  # white on a dark page too: sets marks off the dark end of a field


class Style(NamedTuple):
    """How an idea is drawn: colour (hex), dash (plotly's name), marker symbol (plotly's name)."""

    color: str
    dash: str
    symbol: str

    def line(self, width: float = 2.5) -> dict:
        """The style as Plotly's ``line`` of a trace."""
        return {"color": self.color, "dash": self.dash, "width": width}


Look = Style | str  # a colour alone: a solid line, round dots


def style_of(look: Look) -> Style:
    """The style itself, or that of a colour."""
    return Style(look, "solid", "circle") if isinstance(look, str) else look


SGD = Style("#0072b2", "dash", "square")
GRDA = Style("#d55e00", "solid", "circle")
DIRECTIONAL = Style("#009e73", "dashdot", "diamond")
MAGNITUDE = Style("#b0568f", "dot", "triangle-up")
OBS = Style("#bf8300", "longdash", "x")
SOFT = Style("#3a93c7", "solid", "pentagon")  # soft-thresholding of the weights themselves
RDA = Style("#7d60b5", "longdash", "diamond-open")
TARGET = Style("#6e7781", "longdashdot", "cross")
ZERO = Style("#8c6d46", "solid", "circle-open")  # weights that are exactly zero, always hollow
BAND = "rgba(86, 180, 233, 0.22)"  # the threshold band, -tau to tau
BAND_EDGE = SOFT._replace(symbol="line-ew")
FIELD = "Cividis"  # fields of sizes, of which more is brighter (maps)
NEGATIVE, POSITIVE = "#762a83", "#1b7837"


def signed(low: float, high: float) -> list[list[object]]:
    """A colour scale for values with a sign (filters, scores): two arms that meet in zero, low < 0 < high."""
    return [[0.0, NEGATIVE], [-low / (high - low), PAPER], [1.0, POSITIVE]]


SIGNED = signed(-1, 1)

TINTS = {  # colours that are too pale for words on a light page -> the shade for words
    GRDA.color: "#a84a00",
    DIRECTIONAL.color: "#007455",
    OBS.color: "#8a5f00",
    BAND_EDGE.color: "#1f6f9f",
}


def tint(color: str) -> str:
    """The shade of a colour in which words are written."""
    return TINTS.get(color, color)


DARK = {
    INK: "#e6e8eb",
    MUTED: "#9aa4af",
    GRID: "#3a3f46",
    PAPER: "#111111",
    SGD.color: "#56a8e6",
    GRDA.color: "#f0803c",
    DIRECTIONAL.color: "#2cc295",
    MAGNITUDE.color: "#dd8fc0",
    OBS.color: "#e8ae33",
    RDA.color: "#b09ae0",
    ZERO.color: "#c9a877",
    BAND_EDGE.color: "#7cc4ee",
    NEGATIVE: "#c58bdb",
    POSITIVE: "#63c777",
}
DARK |= {shade: DARK[color] for color, shade in TINTS.items()}


def figure(*traces: object, height: int = 380, **layout: object) -> go.Figure:
    """A figure in the course's style: no chart junk, transparent, readable in both themes.

    ``traces`` are plotly traces, ``layout`` any layout attributes (they win over the style).
    """
    picture = go.Figure(data=traces or None)
    picture.update_layout(
        template="none",
        height=height,
        margin={"l": 64, "r": 24, "t": 44, "b": 52},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        title={"font": {"size": 15}, "x": 0, "xref": "paper", "xanchor": "left", "y": 0.98},
        showlegend=False,
        hovermode="closest",
        dragmode=False,
    )
    picture.update_layout(**layout)
    return axes(picture)


def axes(picture: go.Figure) -> go.Figure:
    """Style all axes of ``picture``; call again after adding subplots. Returns the figure."""
    style = {
        "gridcolor": GRID,
        "zerolinecolor": MUTED,
        "zerolinewidth": 1,
        "linecolor": MUTED,
        "ticks": "outside",
        "tickcolor": MUTED,
        "ticklen": 4,
        "title_standoff": 8,
        "title_font_size": 13,
        "fixedrange": True,
    }
    return picture.update_xaxes(**style).update_yaxes(**style)
