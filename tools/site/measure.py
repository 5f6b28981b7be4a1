"""``python -m tools.site.measure``: how soon the built site lives, and how often its figures redraw.

Each lesson is opened twice from a server on this machine, without a cache: as it is, and with a processor
four times as slow. Then every slider of every figure is swept by one value a picture for a second or two.
It prints what it found; the numbers are those of this computer.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tools.chromium import find_chromium

from .__main__ import OUT
from .alive import first_sliders

SWEEP = """async ([name, axis]) => {
  const place = document.querySelector(`[data-figure="${name}"]`);
  const input = place.querySelectorAll(".grda-control input[type=range]")[axis];
  const plot = place.querySelector(".grda-plot");
  const last = Number(input.max);
  const drawn = () => Number(plot.dataset.moved ?? 0) + Number(plot.dataset.drawn ?? 0);
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  let before = drawn();
  const began = performance.now();
  let to = 0, way = 1;
  while (performance.now() - began < 1500) {
    if (to + way > last || to + way < 0) way = -way;
    to += way;
    input.value = to;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
    const now = drawn();
    for (; before < now; before++) times.push(performance.now());
  }
  const gaps = times.slice(1).map((time, k) => time - times[k]).sort((a, b) => a - b);
  return { rate: times.length / 1.5, p95: gaps[Math.floor(0.95 * gaps.length)] ?? Infinity, slow: plot.dataset.slow };
}"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    made = functools.partial(Handler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def redraws(browser: Browser, url: str) -> Iterator[tuple[str, float, float, str]]:
    """Figure and slider, redraws a second, 95th percentile of the gaps in milliseconds, what makes it slow."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url)
    for name in page.evaluate(
        "[...document.querySelectorAll('[data-figure]')].map((p) => p.dataset.figure)"
    ):
        page.evaluate(
            "(n) => { const p = document.querySelector(`[data-figure='${n}']`); p.scrollIntoView(); p.querySelector('.grda-offer')?.click(); }",
            name,
        )
        page.wait_for_function(
            "(n) => document.querySelector(`[data-figure='${n}'] .grda-plot`)?.dataset.state === 'drawn'",
            arg=name,
            timeout=60_000,
        )
        count = page.locator(f"[data-figure='{name}'] .grda-control input[type=range]").count()
        for axis in range(count):
            page.wait_for_timeout(400)
            found = page.evaluate(SWEEP, [name, axis])
            yield f"{name} {axis}", found["rate"], found["p95"], found["slow"] or ""
    context.close()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.site.measure", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], metavar="NN", help="these lessons alone")
    only = parser.parse_args(arguments).only
    pages = [
        page
        for page in sorted(OUT.glob("lesson*.html"))
        if not only or page.stem.removeprefix("lesson") in only
    ]
    with served(OUT) as address:
        for page, times in zip(
            pages, first_sliders([f"{address}/{page.name}" for page in pages], [1, 4]), strict=True
        ):
            said = f"first slider alive after {times[0]:.2f} s, at a quarter of the speed {times[1]:.2f} s"
            print(f"{page.stem}: {said}", flush=True)
    with sync_playwright() as playwright, served(OUT) as address:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for page in pages:
            for name, rate, p95, slow in redraws(browser, f"{address}/{page.name}"):
                mark = "" if rate >= 50 and p95 <= 33 else "  <-"
                print(
                    f"  {name:44} {rate:5.1f} redraws/s, p95 {p95:5.1f} ms {slow}{mark}", flush=True
                )
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
