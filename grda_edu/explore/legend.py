"""Words in the colour of what they name, with its dash or symbol: the key of a figure.

A key is made from the ``Style`` that draws the trace, so that colour, glyph and trace cannot differ.
The glyph comes before the word. Glyphs have the trace's own colour, words the shade of it that can be
read (``palette.tint``).
"""

from __future__ import annotations

from typing import Literal

from .palette import Look, style_of, tint

LINES = {
    "solid": "━",
    "dash": "╌╌",
    "dot": "┈┈",
    "dashdot": "╌·",
    "longdash": "─ ─",
    "longdashdot": "─·─",
}
MARKS = {
    "circle": "●",
    "circle-open": "○",
    "square": "■",
    "square-open": "□",
    "diamond": "◆",
    "diamond-open": "◇",
    "triangle-up": "▲",
    "triangle-up-open": "△",
    "triangle-down": "▼",
    "triangle-down-open": "▽",
    "pentagon": "⬟",
    "star": "★",
    "star-open": "☆",
    "x": "✕",
    "cross": "✚",
    "line-ew": "▬",
    "line-ns": "❘",
}
BAR = "▮"

Shape = Literal["line", "mark", "hollow", "both", "bar", "none"]


def coloured(text: str, look: Look) -> str:
    """Text in the colour of an idea, for titles and annotations."""
    return _in(tint(style_of(look).color), text)


def _in(color: str, text: str) -> str:
    """Line by line: plotly lets a colour end where its line does."""
    return "<br>".join(f'<span style="color:{color}">{line}</span>' for line in text.split("<br>"))


def glyph(look: Look, shape: Shape = "line") -> str:
    """The look's dash ("line"), symbol ("mark", "hollow"), "both", a "bar" or nothing ("none").

    Raises ValueError for another shape, and for a dash or symbol that has no glyph.
    """
    style = style_of(look)
    symbol = style.symbol
    if shape == "hollow":
        symbol = symbol.removesuffix("-open") + "-open"
    try:
        return {
            "line": lambda: LINES[style.dash],
            "mark": lambda: MARKS[symbol],
            "hollow": lambda: MARKS[symbol],
            "both": lambda: f"{MARKS[symbol]} {LINES[style.dash]}",
            "bar": lambda: BAR,
            "none": lambda: "",
        }[shape]()
    except KeyError as missing:
        raise ValueError(
            f"key: {missing} has no glyph; accepted are shapes line, mark, hollow, both, bar and none, "
            f"dashes {', '.join(LINES)}, and symbols {', '.join(MARKS)}"
        ) from None


def key(words: str, look: Look, shape: Shape = "line") -> str:
    """One entry of a key: ``key("gRDA", palette.GRDA)`` is "━ gRDA" in gRDA's colour."""
    mark, color = glyph(look, shape), style_of(look).color
    if mark and tint(color) != color:
        return f"{_in(color, mark)} {coloured(words, look)}"
    return coloured(f"{mark} {words}".strip(), look)


def keys(*entries: str) -> str:
    """Entries side by side."""
    return "   ".join(entries)


def heading(title: str, *below: str, beside: str = "") -> str:
    """A panel's title in bold, with words ``beside`` it and lines ``below`` it; no line is empty."""
    bold = f"<b>{title}</b>" if title else ""
    first = "   ".join(part for part in (bold, beside) if part)
    return "<br>".join(text for text in (first, *below) if text)
