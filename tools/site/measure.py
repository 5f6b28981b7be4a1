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

ALIVE = """() => new Promise((resolve) => {
  const look = () => {
    const place = document.querySelector("[data-figure]");
    if (place?.querySelector(".grda-plot")?.dataset.state === "drawn") return resolve(performance.now());
    requestAnimationFrame(look);
  };
  look();
})"""
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


def alive(browser: Browser, url: str, slower: int) -> float:
    """Seconds from navigation to the first figure drawn, with nothing cached."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(url, wait_until="commit")
    page.evaluate("document.querySelector('[data-figure]')?.scrollIntoView()")
    page.wait_for_selector("[data-figure]", state="attached")
    page.evaluate("document.querySelector('[data-figure]').scrollIntoView()")
    seconds = page.evaluate(ALIVE) / 1000
    context.close()
    return seconds


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
    pages = sorted(OUT.glob("lesson*.html"))
    with sync_playwright() as playwright, served(OUT) as address:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for page in pages:
            if only and page.stem.removeprefix("lesson") not in only:
                continue
            url = f"{address}/{page.name}"
            times = [alive(browser, url, slower) for slower in (1, 4)]
            print(
                f"{page.stem}: first figure after {times[0]:.2f} s, at a quarter of the speed {times[1]:.2f} s"
            )
            for name, rate, p95, slow in redraws(browser, url):
                mark = "" if rate >= 50 and p95 <= 33 else "  <-"
                print(
                    f"  {name:44} {rate:5.1f} redraws/s, p95 {p95:5.1f} ms {slow}{mark}", flush=True
                )
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
