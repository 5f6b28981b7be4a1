"""What the theme and Sphinx write that bars readers, put right in the finished pages."""

import re
from html import unescape
from pathlib import Path

PHONE = 38  # letters of code in a line that a phone shows without scrolling
_PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
_LONG = re.compile(r'(<span class="pre">)([^<\s]{24,})(?=</span>)')  # code inside a line of text
_PARAMETERS = re.compile(r"<dl>\s*((?:<dd>(?:(?!<d[ltd]\b).)*?</dd>\s*)+)</dl>", re.DOTALL)


def mend(folder: Path) -> None:
    """All pages in a folder that Sphinx has written."""
    for path in folder.rglob("*.html"):
        text = path.read_text("utf-8")
        if (better := mended(text)) != text:
            path.write_text(better, "utf-8", newline="\n")


def mended(page: str) -> str:
    """The page with headings that have a level, lists that are none, and code that a keyboard can scroll."""
    page = page.replace(
        'class="caption" role="heading">', 'class="caption" role="heading" aria-level="2">'
    )
    page = _PARAMETERS.sub(_in_lines, page)  # a signature: a list of definitions without terms
    page = _LONG.sub(_in_words, page)
    return _PRE.sub(_reached, page)


def _in_words(found: re.Match[str]) -> str:
    """A long path or name may go on in the next line between its words."""
    return found[1] + re.sub(r"(?<=\w)(::|[_/])(?=\w)", r"\1<wbr>", found[2])


def _in_lines(found: re.Match[str]) -> str:
    lines = found[1].replace("<dd>", '<span class="grda-parameter">').replace("</dd>", "</span>")
    return f'<span class="grda-parameters">{lines}</span>'


def _reached(found: re.Match[str]) -> str:
    lines = unescape(re.sub(r"<[^>]+>", "", found[1])).splitlines()
    if max(map(len, lines), default=0) <= PHONE:
        return found[0]
    return f'<pre tabindex="0">{found[1]}</pre>'
