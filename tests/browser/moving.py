"""A figure on a page of its own, moved as by a hand that never rests, and what its pixels show."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

from grda_edu.explore import Explorable
from grda_edu.explore.table import split_key

# While `held` the page's timers wait, so the hand never rests; `rest` lets them run.
HOLDING = """
const started = globalThis.setTimeout;
const waiting = [];
globalThis.held = false;
globalThis.setTimeout = (call, ...more) => (held ? waiting.push(call) : started(call, ...more));
globalThis.rest = () => {
  held = false;
  waiting.splice(0).forEach((call) => call());
};
"""
_MOVE = """async (positions) => {
  held = true;
  const { dataset } = document.querySelector(".grda-plot");
  document.querySelectorAll(".grda-figure input[type=range]").forEach((input, axis) => {
    input.value = positions[axis];
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame); // drawn, and on the screen
  return { ...dataset };
}"""
_DRAWN = "document.querySelector('.grda-plot')?.dataset.state === 'drawn'"
# Where values lie: pixels of the plot at 0 and at 1 of each axis, by Plotly's scale at rest.
_AXES = """() => {
  const full = document.querySelector(".grda-plot")._fullLayout;
  const axes = Object.entries(full).filter(([name]) => /^[xy]axis\\d*$/.test(name));
  return Object.fromEntries(axes.map(([name, { type, range, _offset, _length, _categories }]) =>
    [name, { type, range, offset: _offset, length: _length, categories: _categories }]));
}"""

# Plotly's elements of scatter traces, in pixels of the plot: marks with their colours, corners of lines.
_ELEMENTS = r"""() => {
  const found = {};
  for (const node of document.querySelectorAll(".scatterlayer > .trace")) {
    const { trace } = node.__data__[0];
    const full = document.querySelector(".grda-plot")._fullLayout;
    const [left, top] = [trace.xaxis, trace.yaxis].map((id) => full[id[0] + "axis" + id.slice(1)]._offset);
    const numbers = (text) => text.match(/-?[\d.]+(e-?\d+)?/g).map(Number);
    const marks = [...node.querySelectorAll("path.point")].map((mark) => {
      const [x, y] = numbers(mark.getAttribute("transform"));
      const { fill, stroke } = getComputedStyle(mark);
      return { at: [left + x, top + y], fill, stroke };
    });
    const corners = [];
    for (const line of node.querySelectorAll("path.js-line")) {
      let [x, y] = [0, 0];
      for (const [, step, text] of line.getAttribute("d").matchAll(/([MLHV])([^MLHVZ]+)/g)) {
        const [first, second] = numbers(text);
        if (step === "V") y = first;
        else x = first;
        if (step === "M" || step === "L") y = second;
        corners.push([left + x, top + y]);
      }
    }
    found[trace.name] = { marks, corners };
  }
  return found;
}"""


class Moved:
    """The page of one figure. Positions are numbers of the sliders' values, one for each slider."""

    def __init__(self, page: Page, html: str, folder: Any) -> None:
        self.page = page
        path = folder / "figure.html"
        path.write_text(html, encoding="utf-8")
        page.add_init_script(HOLDING)
        page.goto(path.as_uri())
        page.wait_for_function(_DRAWN, timeout=120_000)
        self.plot: Locator = page.locator(".grda-plot")

    def move(self, positions: list[int]) -> dict[str, str]:
        """Move all sliders and keep the hand on them; what the plot says of its pictures."""
        return self.page.evaluate(_MOVE, positions)

    def rest(self) -> None:
        """The hand rests, and Plotly has drawn."""
        self.page.evaluate("rest()")
        self.page.wait_for_function(_DRAWN, timeout=120_000)

    def pixels(self) -> np.ndarray:
        """The plot as it is on the screen: height, width, red green blue."""
        return np.asarray(
            Image.open(io.BytesIO(self.plot.screenshot())).convert("RGB"), dtype=float
        )

    def elements(self) -> dict[str, dict[str, list]]:
        """Trace name -> the marks and the corners of the lines that Plotly drew."""
        return self.page.evaluate(_ELEMENTS)

    def axes(self) -> dict[str, Any]:
        return self.page.evaluate(_AXES)


def place(axis: dict[str, Any], values: object) -> np.ndarray:
    """Pixels of the plot where values lie on an axis, which runs rightwards or, as y does, upwards."""
    if axis["type"] == "category":
        values = [axis["categories"].index(value) for value in np.asarray(values).tolist()]
    numbers = np.asarray(values, dtype=float)
    if axis["type"] == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            numbers = np.log10(numbers)
    low, high = axis["range"]
    return (numbers - low) / (high - low) * axis["length"]


def difference(one: np.ndarray, other: np.ndarray, block: int = 4) -> float:
    """The largest difference of two pictures' colours, of 255, averaged over small blocks.

    Smoothed edges may fall a part of a pixel apart, which averages out; a mark may not.
    """
    high, wide = (size // block * block for size in one.shape[:2])
    apart = (one - other)[:high, :wide]
    blocks = apart.reshape(high // block, block, wide // block, block, 3).mean(axis=(1, 3))
    return float(np.abs(blocks).max())


# ------------------------------------------------- what Python says stands there


def drawn_traces(demo: Explorable, positions: list[int]) -> dict[str, dict[str, Any]]:
    """Trace name -> its attributes where the sliders stand, arrays as numpy's."""
    values = {
        name: slider.values[k]
        for (name, slider), k in zip(demo._sliders.items(), positions, strict=True)
    }
    row, _ = demo._compute(**values, **demo._fixed(demo.option))
    traces = {trace["name"]: _decoded(trace) for trace in demo.figure["data"]}
    for key, value in row.items():
        name, _, path = split_key(key, tuple(traces)).partition("|")
        if name:
            *inside, last = path.split(".")
            part = traces[name]
            for step in inside:
                part = part.setdefault(step, {})
            part[last] = np.asarray(value) if np.ndim(value) else value
    return traces


def _decoded(value: Any) -> Any:
    if isinstance(value, dict) and "bdata" in value:
        found = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        return found.reshape([int(n) for n in str(value.get("shape", found.size)).split(",")])
    if isinstance(value, dict):
        return {key: _decoded(part) for key, part in value.items()}
    return value


def spots(trace: dict[str, Any], axes: dict[str, Any]) -> np.ndarray:
    """Pixels of the plot where a trace's points lie, from the left and from above: [n, 2]."""
    across, up = (axes[f"{letter}axis{trace.get(f'{letter}axis', letter)[1:]}"] for letter in "xy")
    x, y = trace["x"], trace["y"]
    count = min(len(x), len(y))
    return np.stack(
        [
            across["offset"] + place(across, x[:count]),
            up["offset"] + up["length"] - place(up, y[:count]),
        ],
        axis=1,
    )


def inside(
    points: np.ndarray, trace: dict[str, Any], axes: dict[str, Any], edge: float
) -> np.ndarray:
    """Which points lie in their panel, ``edge`` pixels from its sides: [n], true or false."""
    within = np.ones(len(points), dtype=bool)
    for k, letter in enumerate("xy"):
        axis = axes[f"{letter}axis{trace.get(f'{letter}axis', letter)[1:]}"]
        low, high = axis["offset"] + edge, axis["offset"] + axis["length"] - edge
        with np.errstate(invalid="ignore"):
            within &= (points[:, k] >= low) & (points[:, k] <= high)
    return within
