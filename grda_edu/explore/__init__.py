"""Figures that are computed in Python and played in the browser.

A figure is built from traces (``line``, ``dots``, ``bars``, ``tiles``, ``contours``, ``words``,
``band``) on panels (``Panel``, ``axis``, ``panels``) with keys made from the same styles (``key``,
``keys``).
"""

from . import palette, writing
from .controls import Choice, Slider
from .goal import Goal
from .handle import Handle
from .layout import axis, heading_key, note, panels
from .legend import coloured, heading, key, keys
from .panel import Panel
from .text_table import TextTable
from .traces import around, band, bars, contours, dots, line, tiles, words
from .widget import Explorable, Picture

__all__ = [
    "Choice",
    "Explorable",
    "Goal",
    "Handle",
    "Panel",
    "Picture",
    "Slider",
    "TextTable",
    "around",
    "axis",
    "band",
    "bars",
    "coloured",
    "contours",
    "dots",
    "heading",
    "heading_key",
    "key",
    "keys",
    "line",
    "note",
    "palette",
    "panels",
    "tiles",
    "words",
    "writing",
]
