"""HTML that every part of the course shares: results, notes, prose, and outputs that stay current."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import escape
from importlib.resources import files

from IPython.display import DisplayHandle, display

from grda_edu.explore import rerun

from .keeping import progress

SYMBOLS = {"right": "✓", "wrong": "✗", "raised": "!", "unattempted": "○", "told": "→"}


@cache
def style() -> str:
    """The course's style sheet; the page's theme supplies the colours."""
    return files(__package__).joinpath("card.css").read_text(encoding="utf-8")


def inline(text: str) -> str:
    """A text as HTML within a line: escaped, `backticks` as code, *stars* as emphasis."""
    parts = re.split(r"`([^`]+)`", escape(text.strip(), quote=False))
    for k, part in enumerate(parts):  # a star in code is a star
        words = re.sub(r"(?<!\w)\*(\S(?:[^*]*\S)?)\*(?!\w)", r"<em>\1</em>", part)
        parts[k] = f"<code>{part}</code>" if k % 2 else words
    return "".join(parts)


def prose(text: str) -> str:
    """A text as HTML paragraphs, parted by blank lines."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "".join(f"<p>{inline(part)}</p>" for part in parts if part)


def result(kind: str, heading: str, text: str, facts: dict[str, str] | None = None) -> str:
    """A verdict: a symbol and words, the explanation, and a small table of facts in code."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>"
        for name, value in (facts or {}).items()
        if value
    )
    return (
        f'<div class="grda-result" data-kind="{kind}">'
        f'<span class="grda-symbol" aria-hidden="true">{SYMBOLS[kind]}</span>'
        f'<div><p class="grda-verdict">{escape(heading)}</p>'
        f"{f'<dl>{rows}</dl>' if rows else ''}{prose(text)}</div></div>"
    )


def note(text: str) -> str:
    """A quiet remark below a result; "" for an empty text."""
    return f'<p class="grda-note">{escape(text)}</p>' if text else ""


def html_bundle(html: str, text: str) -> dict[str, str]:
    """HTML with its style sheet, and what is said where no HTML is shown."""
    return {
        "text/html": f'<style>{style()}</style><div class="grda-course">{html}</div>',
        "text/plain": text,
    }


def show_html(html: str, text: str) -> None:
    """Show HTML in the course's style, with a plain text for where none is shown."""
    display(html_bundle(html, text), raw=True)


_live: list[Callable[[], None]] = []


def show_live_html(html: Callable[[], str], text: Callable[[], str]) -> None:
    """Show what ``html()`` gives now, and again after every change of the progress."""
    handle = DisplayHandle()
    handle.display(html_bundle(html(), text()), raw=True)

    def draw() -> None:
        handle.update(html_bundle(html(), text()), raw=True)

    unwatch = progress.watch(draw)
    _live.append(draw)

    def close() -> None:
        unwatch()
        _live.remove(draw)

    rerun.on_rerun(close)


def refresh_live_html() -> None:
    """Draw again what ``show_live_html`` showed: another notebook may have made progress."""
    for draw in tuple(_live):
        draw()
