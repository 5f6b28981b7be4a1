"""A page of the web edition in a Chromium: what it asked for, what it complained about, what it draws."""

from __future__ import annotations

import base64
import functools
import html
import http.server
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import axe_playwright_python
import numpy as np
from playwright.sync_api import BrowserContext, Locator, Page, Request

MIME = "application/vnd.grda-edu.page+json"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
_BARRIERS = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.length} times, first ${nodes[0].html.slice(0, 200)}`);
}"""
_WAKE = """async (name) => {
  const place = document.querySelector(`[data-figure="${name}"]`);
  place.scrollIntoView({ block: "center" });
  place.querySelector(".grda-offer")?.click();
}"""
_DRAWN = """(name) => {
  const place = document.querySelector(`[data-figure="${name}"]`);
  return place.querySelector(".grda-plot")?.dataset.state === "drawn" && !place.querySelector(".grda-old");
}"""
_MOVE = """([name, option, index]) => {
  const place = document.querySelector(`[data-figure="${name}"]`);
  const plot = place.querySelector(".grda-plot");
  const told = (input, value, kind) => {
    if (input.value === `${value}`) return;
    input.value = value;
    input.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  const select = place.querySelector(".grda-choice select");
  if (select) told(select, option, "change");
  place.querySelectorAll(".grda-control input[type=range]").forEach((input, axis) => told(input, index[axis], "input"));
}"""
_READ = """([name, wanted]) => {
  const place = document.querySelector(`[data-figure="${name}"]`);
  const plot = place.querySelector(".grda-plot");
  const plain = (value) =>
    ArrayBuffer.isView(value) || Array.isArray(value) ? Array.from(value, plain)
      : typeof value === "number" && !Number.isFinite(value) ? null : value;
  const at = (home, path) => path.reduce((part, step) => part?.[step], home);
  return {
    values: wanted.map(([trace, path]) =>
      plain(at(trace === null ? plot.layout : plot.data.find((one) => one.name === trace), path)) ?? null),
    title: place.querySelector(".grda-title").textContent,
    headings: [...place.querySelectorAll(".grda-heading")].map((heading) => heading.textContent),
    sentence: place.querySelector(".grda-figure .grda-sentence").textContent,
    problem: place.querySelector(".grda-problem").textContent,
  };
}"""

# A number for all that Tab should stop at. Of radio buttons of one name it stops at one.
_STOPS = """() => {
  const wanted = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const groups = new Set();
  window.stops = [...document.querySelectorAll(wanted)].filter((node) => {
    if (!seen(node) || node.disabled || node.tabIndex < 0) return false;
    if (node.type !== "radio") return true;
    const fresh = !groups.has(node.name);
    groups.add(node.name);
    return fresh;
  });
  window.reached = new Map();
  document.activeElement?.blur();
  document.addEventListener("focusin", ({ target }) => {
    const { outlineStyle, boxShadow } = getComputedStyle(target);
    reached.set(target, outlineStyle !== "none" || boxShadow !== "none");
  });
  return stops.length;
}"""
_MISSED = """() => {
  const shown = (node) => node.outerHTML.slice(0, 120);
  const sameRadio = (node) => node.type === "radio" && [...reached.keys()].some(({ name }) => name === node.name);
  const missed = stops.filter((node) => !reached.has(node) && !sameRadio(node)).map(shown);
  const unmarked = [...reached].filter(([, marked]) => !marked).map(([node]) => `not marked: ${shown(node)}`);
  return [...missed, ...unmarked];
}"""


class Edition:
    """The built site, opened as files or under a path of a server."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.base = base
        self.page: Page = context.new_page()
        self.outside: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda said: said.type == "error" and self.complaints.append(said.text)
        )
        self.page.on("requestfailed", self._failed)

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # the page was left before it came
            self.complaints.append(f"failed: {request.url}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.base, "data:", "blob:")):
            self.outside.append(url)

    def open(self, path: str) -> None:
        # A page that differs in its fragment alone would not be loaded anew.
        self.page.goto("about:blank")
        self.outside.clear()
        self.page.goto(f"{self.base}/{path}")

    def figures(self) -> list[str]:
        """The names of the figures on the page."""
        return self.page.evaluate(
            "[...document.querySelectorAll('[data-figure]')].map((place) => place.dataset.figure)"
        )

    def place(self, name: str) -> Locator:
        return self.page.locator(f'[data-figure="{name}"]')

    def wake(self, name: str) -> None:
        """Bring the figure to the screen, and wait until it is drawn."""
        self.page.evaluate(_WAKE, name)
        self.drawn(name)

    def drawn(self, name: str) -> None:
        self.page.wait_for_function(_DRAWN, arg=name, timeout=60_000)

    def read(self, name: str, option: int, index: list[int], wanted: list) -> dict[str, Any]:
        """Move the controls as a hand does; what Plotly was given, and what the page says."""
        self.page.evaluate(_MOVE, [name, option, index])
        self.drawn(name)
        return self.page.evaluate(_READ, [name, wanted])

    def barriers(self) -> list[str]:
        """What bars readers from the page, WCAG 2.1 AA, by axe-core."""
        self.page.evaluate(AXE)
        return self.page.evaluate(_BARRIERS)

    def missed_by_tab(self) -> list[str]:
        """What can be pressed, set or followed and Tab does not reach, or reaches without a mark."""
        stops = self.page.evaluate(_STOPS)
        for _ in range(stops + 20):
            self.page.keyboard.press("Tab")
        return self.page.evaluate(_MISSED)

    def close(self) -> None:
        self.page.close()


@contextmanager
def served(folder: Path, under: str = "/some/sub/path") -> Iterator[str]:
    """The folder under a path of a server on this machine, as a static host has it; its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            if not path.startswith(under + "/"):
                return str(folder / "not there")
            return super().translate_path(path.removeprefix(under))

        def log_message(self, *_: object) -> None:
            pass

    made = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{under}"
    finally:
        server.shutdown()
        server.server_close()


# ------------------------------------------------- what the notebook's kernel had


def notebook_figures(executed: Path) -> list[dict[str, Any]]:
    """What the figures of an executed lesson held, in their order."""
    cells = json.loads(executed.read_text("utf-8"))["notebook"]["cells"]
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    left = (output.get("data", {}).get(MIME, {}) for output in outputs)
    return [one for one in left if one.get("kind") == "figure"]


def cell_of(table: dict[str, Any], column: dict[str, Any], index: list[int]) -> Any:
    """What the kernel's table has in a column where the controls stand: numpy's own indexing."""
    where = tuple(0 if size == 1 else k for size, k in zip(column["grid"], index, strict=True))
    if "strings" in column:
        texts = np.empty(len(column["strings"]), dtype=object)
        texts[:] = column["strings"]
        return texts.reshape(column["grid"])[where]
    count = int(np.prod([*column["grid"], *column["shape"]], dtype=int))
    numbers = np.frombuffer(base64.b64decode(table["data"]), "<f4", count, column["offset"])
    return numbers.reshape([*column["grid"], *column["shape"]])[where]


def words(text: str) -> str:
    """A text of Plotly's, or of the page, without tags and spaces: these follow the lines."""
    return "".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())
