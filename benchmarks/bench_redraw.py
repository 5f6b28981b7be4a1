"""From a slider's input event to the redrawn picture, in a real JupyterLab.

Two curves of 161 points under two sliders, twice in one notebook: played from a table by the browser
(Explorable), and computed by the kernel (a FigureWidget with ipywidgets' sliders doing the same).
The sliders are moved in turn, one picture at a time, for the latency; then one after the other is
swept at 60 Hz.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from tests.browser.lab import Lab, Server, browser, find_chromium, wait_for

MOVES = 60  # single moves of each slider
SWEEP_SECONDS = 4  # of each slider

_COMPUTE = """
import numpy as np
import plotly.graph_objects as go
from grda_edu.explore import Explorable, Slider, palette

x = np.linspace(-3, 3, 161)

def curves(a, b):
    return np.tanh(a * x) + b, np.sign(x) * np.maximum(np.abs(x) - b, 0) * a

def figure():
    lines = [go.Scatter(x=x, y=x, name=name, mode="lines") for name in ("first", "second")]
    return palette.figure(*lines, xaxis_range=[-3, 3], yaxis_range=[-6, 6])
"""
_TABLE = """
def compute(a, b):
    first, second = curves(a, b)
    return {"first.y": first, "second.y": second}, f"a = {a:.2f}, b = {b:.2f}"

Explorable(figure, compute, {"a": Slider.linear(0.1, 2, 41), "b": Slider.linear(0, 2, 21)})
"""
_KERNEL = """
import ipywidgets as W
shown = go.FigureWidget(figure())
sentence = W.HTML()
sliders = [W.IntSlider(0, 0, 40), W.IntSlider(0, 0, 20)]
a_grid, b_grid = np.linspace(0.1, 2, 41), np.linspace(0, 2, 21)

def redraw(_):
    first, second = curves(a_grid[sliders[0].value], b_grid[sliders[1].value])
    with shown.batch_update():
        shown.data[0].y, shown.data[1].y = first, second
    sentence.value = f"a = {a_grid[sliders[0].value]:.2f}, b = {b_grid[sliders[1].value]:.2f}"

for slider in sliders:
    slider.observe(redraw, "value")
W.VBox([*sliders, shown, sentence])
"""

# `drawn` holds the times of each plotly_afterplot that drew other data than the one before. An ipywidgets slider (noUiSlider) is moved through its
# model, in the page, which leaves out its own work on the mouse: to its advantage.
_SETUP = """async () => {
  const panel = jupyterapp.shell.currentWidget.node;
  const plots = [...panel.querySelectorAll(".js-plotly-plot")];
  const watch = (plot) => {
    const times = [];
    let last = "";
    plot.on("plotly_afterplot", () => {
      const now = performance.now();
      const shown = plot.data.map(({ y }) => [y[0], y[40], y[90]]).join();
      if (shown !== last) times.push(now);
      last = shown;
    });
    return times;
  };
  const own = plots.find((plot) => plot.closest(".grda-figure"));
  const theirs = plots.find((plot) => !plot.closest(".grda-figure"));
  const inputs = [...panel.querySelectorAll(".grda-figure input[type=range]")];
  const handles = [...panel.querySelectorAll(".noUi-target")];
  globalThis.bench = {
    table: { drawn: watch(own), move: (axis, to) => {
      inputs[axis].value = to;
      inputs[axis].dispatchEvent(new Event("input", { bubbles: true }));
    } },
    kernel: { drawn: watch(theirs), move: (axis, to) => {
      const slider = handles[axis].noUiSlider;
      slider.set(to, true, true);
    } },
  };
  return [plots.length, inputs.length, handles.length];
}"""
_LATENCY = """async ([way, moves]) => {
  const { drawn, move } = bench[way];
  const waits = [];
  for (let k = 0; k < moves; k++) {
    for (const axis of [0, 1]) {
      const before = drawn.length;
      const start = performance.now();
      move(axis, 1 + ((k * 7 + axis) % 19));
      const end = start + 5000;
      while (drawn.length === before && performance.now() < end)
        await new Promise((done) => setTimeout(done, 1));
      if (drawn.length > before) waits.push(drawn[before] - start);
      await new Promise((done) => setTimeout(done, 120));
    }
  }
  return waits;
}"""
_SWEEP = """async ([way, seconds]) => {
  const { drawn, move } = bench[way];
  const rates = [];
  for (const axis of [0, 1]) {
    const before = drawn.length;
    const start = performance.now();
    for (let k = 0; performance.now() < start + 1000 * seconds; k++) {
      move(axis, 1 + (k % 20));
      const next = start + ((k + 1) * 1000) / 60;
      await new Promise((done) => setTimeout(done, Math.max(0, next - performance.now())));
    }
    rates.push((1000 * (drawn.length - before)) / (performance.now() - start));
    await new Promise((done) => setTimeout(done, 1000));
  }
  return (rates[0] + rates[1]) / 2;
}"""


@contextmanager
def notebook() -> Iterator[Lab]:
    """A JupyterLab with both figures drawn."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder)) as server,
        browser((1280, 1500)) as context,
    ):
        lab = Lab(server, context)
        lab.write("bench.ipynb", [_COMPUTE, _TABLE, _KERNEL])
        lab.open("bench.ipynb")
        lab.run_all()
        plots = "() => document.querySelectorAll('.js-plotly-plot .main-svg').length >= 4"
        wait_for(lambda: lab.page.evaluate(plots), "both figures are drawn", 60)
        time.sleep(2)
        yield lab


def measure(lab: Lab, way: str) -> tuple[float, float, float]:
    """Median and 95th percentile of the latency in ms, and redraws a second under 60 Hz input."""
    waits = lab.page.evaluate(_LATENCY, [way, MOVES])
    rate = lab.page.evaluate(_SWEEP, [way, SWEEP_SECONDS])
    return median(waits), quantiles(waits, n=20)[-1], rate


def main() -> None:
    if find_chromium() is None:
        print("no Chromium or Chrome: not measured")
        return
    with notebook() as lab:
        lab.page.evaluate(_SETUP)
        table, kernel = measure(lab, "table"), measure(lab, "kernel")
    print(f"{'two curves of 161 points':<28}{'median':>10}{'p95':>10}{'redraws/s':>12}")
    for name, (middle, high, rate) in {"Explorable": table, "FigureWidget": kernel}.items():
        print(f"{name:<28}{middle:>7.0f} ms{high:>7.0f} ms{rate:>12.1f}")
    print(
        f"{'ratio':<28}{kernel[0] / table[0]:>9.1f}x{kernel[1] / table[1]:>9.1f}x"
        f"{table[2] / kernel[2]:>11.1f}x   (reach: 35 ms, 65 ms, 30 /s; 3x)"
    )


if __name__ == "__main__":
    main()
