"""An explorable as one HTML file: the module, the table and plotly.js, and nothing from elsewhere."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping

from .assets import figure_style, packed_plotly, page_module

_BOOT = """
const state = JSON.parse(document.getElementById("state").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
state.library = bytes(document.getElementById("library").textContent);
for (const table of state.tables) table.data = new DataView(bytes(table.data).buffer);
const model = pageModel(state);
render({ model, el: document.getElementById("figure") });
"""


def standalone_page(state: Mapping[str, object], tables: list[dict]) -> str:
    """The page's text.

    state: what the module asks its model for, by the widget's names of it; tables: a message of
    Table for each option of the drop-down.
    """
    title = html.escape(str(state["label"]))
    script = page_module() + _BOOT
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{figure_style()}
body {{ margin: 24px auto; padding: 0 16px; max-width: 1100px; }}
</style>
</head>
<body>
<main id="figure"></main>
<script type="application/json" id="state">{page_data(state, tables)}</script>
<script type="text/plain" id="library">{_base64(packed_plotly())}</script>
<script type="module">
{script}
</script>
</body>
</html>
"""


def page_data(state: Mapping[str, object], tables: list[dict]) -> str:
    """A figure as JSON for a page: its state, and its tables with their numbers in base64."""
    played = [table | {"data": _base64(table["data"])} for table in tables]
    return _inert(json.dumps({**state, "tables": played}))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _inert(text: str) -> str:
    """JSON that can neither end the script element it stands in nor begin another."""
    return text.replace("<", "\\u003c")
