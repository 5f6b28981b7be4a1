"""What a page is sent besides figures and tables: plotly.js and the module that draws."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from plotly.offline import get_plotlyjs

EXPORT = "export default { initialize, render };"  # how the module ends


@cache
def packed_plotly() -> bytes:
    """plotly.js, gzipped: 1.5 MB instead of 4.8. Sent once a page, unpacked by the browser."""
    return gzip.compress(get_plotlyjs().encode(), compresslevel=6, mtime=0)


def figure_module() -> str:
    """The one module that draws figures: its files one after the other, the one that exports last."""
    names = ("goal.js", "handle.js", "veil.js", "code.js", "moving.js", "picture.js")
    return "\n".join(map(module_text, names))


def page_module() -> str:
    """The module for a page without a kernel: ``render`` and ``pageModel``, and nothing exported."""
    return figure_module().replace(EXPORT, "") + module_text("page_model.js")


def figure_style() -> str:
    """The style sheet of figures."""
    return "\n".join(
        map(module_text, ("picture.css", "goal.css", "handle.css", "veil.css", "code.css"))
    )


def module_text(name: str) -> str:
    """The text of one of the browser's files: 'picture.js', 'picture.css' and so on."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
