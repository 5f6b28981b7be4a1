"""The line that stands for a widget where nothing draws it: a notebook opened without its kernel."""

from __future__ import annotations

import uuid
from html import escape

_DRAWN = ".grda-figure, .grda-card"  # what a widget of the course puts on the page


def new_name() -> str:
    """A class name for one widget's line; the widget's module hides that class when it draws."""
    return f"grda-fallback-{uuid.uuid4().hex[:12]}"


def line(name: str, text: str) -> dict[str, str]:
    """MIME bundle of the line, to be displayed just before the widget.

    JupyterLab would write "Error displaying widget" below it; that is hidden until something is drawn.
    """
    here = f".jp-OutputArea-child:has(.{name})"
    below = f".jp-OutputArea-child:not(:has({_DRAWN}))"
    style = f"<style>{here} + {below} {{ display: none; }}</style>"
    words = escape(text).replace("\n", "<br>")
    return {"text/html": f'{style}<p class="{name}">{words}</p>', "text/plain": text}
