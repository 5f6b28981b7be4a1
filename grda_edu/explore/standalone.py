"""An explorable as one HTML file: the module, the table and plotly.js, and nothing from elsewhere."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping

from .assets import figure_module, figure_style, packed_plotly

# The module asks its model for get, set, on, off and save_changes; this is all of a model it needs.
_BOOT = """
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const state = JSON.parse(document.getElementById("state").textContent);
state.library = bytes(document.getElementById("library").textContent);
for (const table of state.tables) table.data = new DataView(bytes(table.data).buffer);
state.table = state.tables[state.option];
const listeners = new Map();
const model = {
  get: (name) => state[name],
  set(name, value) {
    state[name] = value;
    if (name === "option") state.table = state.tables[value];
    for (const callback of listeners.get(`change:${name}`) ?? []) callback();
  },
  on: (name, callback) => listeners.set(name, [...(listeners.get(name) ?? []), callback]),
  off: (name, callback) => listeners.set(name, (listeners.get(name) ?? []).filter((c) => c !== callback)),
  save_changes() {},
};
render({ model, el: document.getElementById("figure") });
"""


def standalone_page(state: Mapping[str, object], tables: list[dict]) -> str:
    """The page's text.

    state: what the module asks its model for, by the widget's names of it; tables: a message of
    Table for each option of the drop-down.
    """
    played = [table | {"data": _base64(table["data"])} for table in tables]
    title = html.escape(str(state["label"]))
    script = figure_module().replace("export default { initialize, render };", "") + _BOOT
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
<script type="application/json" id="state">{_inert(json.dumps({**state, "tables": played}))}</script>
<script type="text/plain" id="library">{_base64(packed_plotly())}</script>
<script type="module">
{script}
</script>
</body>
</html>
"""


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _inert(text: str) -> str:
    """JSON that can neither end the script element it stands in nor begin another."""
    return text.replace("<", "\\u003c")
