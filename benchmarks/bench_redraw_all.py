"""Pictures a second of every slider of every figure of all lessons, under input at 60 Hz.

Each figure stands on a page of its own. It is swept twice in one run: as it is, and with Plotly drawing
every picture, as where a page has no second canvas. The rates depend on the machine and on what else
it does; their ratio does less. ``python -m benchmarks.bench_redraw_all 07 "05 stopping"`` sweeps those
whose names begin so.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import BrowserContext, Page

from grda_edu.explore import Explorable
from tests.browser.lab import browser, find_chromium

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # where the figures' cases are

SECONDS = 2.0  # of each slider, each way
_DRAWN = "document.querySelector('.grda-plot')?.dataset.state === 'drawn'"
# Only the canvas for movements: Plotly's own are not in the document when it asks.
_WITHOUT = """
const { getContext } = HTMLCanvasElement.prototype;
HTMLCanvasElement.prototype.getContext = function (...asked) {
  return this.className === "grda-moving" ? null : getContext.apply(this, asked);
};
"""
_SWEEP = """async ([axis, seconds]) => {
  const { dataset } = document.querySelector(".grda-plot");
  const input = document.querySelectorAll(".grda-figure input[type=range]")[axis];
  const last = Number(input.max);
  const pictures = () => Number(dataset.drawn ?? 0) + Number(dataset.moved ?? 0);
  const times = [];
  let seen = pictures();
  let sweeping = true;
  const look = (now) => {
    if (pictures() !== seen) times.push(now);
    seen = pictures();
    if (sweeping) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  const start = performance.now();
  const end = start + 1000 * seconds;
  for (let k = 0; performance.now() < end; k++) {
    const at = k % (2 * last);
    input.value = at > last ? 2 * last - at : at;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const wait = start + ((k + 1) * 1000) / 60 - performance.now();
    await new Promise((done) => setTimeout(done, Math.max(0, wait)));
  }
  sweeping = false;
  return [times, performance.now() - start];
}"""


class Swept(NamedTuple):
    """One slider of one figure: pictures a second, and what is between them."""

    rate: float  # pictures a second
    late: float  # ms: of the waits between pictures, the 95th percentile
    work: float  # ms of the page's main thread for a picture, processor time


def figures() -> Iterator[tuple[str, Explorable]]:
    """Every tabulated figure with sliders that a lesson can show, by name."""
    from lessons.test_truth import WITH_CASES, cases

    for number in WITH_CASES:
        for case in cases(number):
            demo = case.explorable
            if demo is not None and demo._sliders and demo.tabulated:
                yield f"{number} {case.name}", demo


def sweep(page: Page, axis: int) -> Swept:
    """Move a slider up and down at 60 Hz."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(1000 * m["value"] for m in metrics if m["name"] == "TaskDuration")

    before = spent()
    times, took = page.evaluate(_SWEEP, [axis, SECONDS])
    work = (spent() - before) / max(1, len(times))
    page.wait_for_function(_DRAWN, timeout=60_000)
    waits = sorted(later - earlier for earlier, later in pairwise(times))
    late = waits[int(0.95 * len(waits))] if waits else float("inf")
    return Swept(1000 * len(times) / took, late, work)


def measure(context: BrowserContext, path: Path, count: int, *, canvas: bool) -> list[Swept]:
    """All sliders of the figure in a file."""
    page = context.new_page()
    if not canvas:
        page.add_init_script(_WITHOUT)
    page.goto(path.as_uri())
    page.wait_for_function(_DRAWN, timeout=120_000)
    swept = [sweep(page, axis) for axis in range(count)]
    page.close()
    return swept


def main(*wanted: str) -> None:
    """Sweep the figures whose names begin with one of ``wanted``; all of them where none is named."""
    wanted = wanted or ("",)
    if find_chromium() is None:
        print("no Chromium or Chrome: not measured")
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder, browser((1180, 1000)) as context:
        for name, demo in figures():
            if not name.startswith(wanted):
                continue
            path = Path(folder) / "figure.html"
            path.write_text(demo.to_html(), encoding="utf-8")
            count = len(demo._sliders)
            plotly = measure(context, path, count, canvas=False)
            canvas = measure(context, path, count, canvas=True)
            rows += [
                (f"{name}: {slider}", old, new)
                for slider, old, new in zip(demo._sliders, plotly, canvas, strict=True)
            ]
    rows.sort(key=lambda row: row[2].rate)
    print(f"{'figure: slider':<40}{'pictures/s':>11}{'p95':>8}{'work':>8}", end="")
    print(f"{'by Plotly':>14}{'work':>8}{'ratio':>8}{'of work':>9}")
    for name, old, new in rows:
        print(f"{name:<40}{new.rate:>9.1f}/s{new.late:>5.0f} ms{new.work:>5.1f} ms", end="")
        print(f"{old.rate:>12.1f}/s{old.work:>5.0f} ms", end="")
        print(f"{new.rate / old.rate:>7.1f}x{old.work / new.work:>8.1f}x")
    print("(reach: 50 /s and 33 ms, in space 20 /s; 2.5x for the ten slowest)")


if __name__ == "__main__":
    main(*sys.argv[1:])
