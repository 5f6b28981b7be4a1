"""The live training view of lesson 04 in a real JupyterLab: its buttons, its end, its errors, a reload."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import Locator

from .lab import Figure, Lab, wait_for

PATIENCE = 120  # seconds, for machines that have much else to do
LIVE = """
import threading
import torch
from grda_edu import GRDA
from grda_edu.lessons import lesson04

live = lesson04.live_training(
    {
        "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
        "gRDA": lambda parameters: GRDA(parameters, lr=0.1, c=0.02, mu=0.65),
    },
    epochs=%d,
)
live
"""
_WATCH_SHIFTS = """() => {
  globalThis.shifts = [];
  const parent = ({ node }) => (node instanceof Element ? node : node?.parentElement);
  const ours = (node) => node?.closest(".grda-training-line, .grda-figure, .jp-MarkdownCell");
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      const moved = sources.map(parent).filter(ours); // JupyterLab's status bar moves too
      if (moved.length) shifts.push([value, ...moved.map((node) => node.className)].join(" "));
    }
  }).observe({ type: "layout-shift" });
}"""
_PLACES = """() => {
  const parts = [".grda-training-line", ".grda-figure", ".grda-stage", ".grda-sentence"];
  const top = document.querySelector(parts[0]).getBoundingClientRect().top;
  return parts.map((part) => {
    const box = document.querySelector(part).getBoundingClientRect();
    return [part, Math.round(box.top - top), Math.round(box.height)];
  });
}"""
RUNS = """
import json
print(json.dumps({n: [r.test_accuracy.tolist(), r.total_zeros.tolist()] for n, r in live.runs.items()}))
"""
THREADS = 'print(sum(t.name == "grda-training" for t in threading.enumerate()))'
FAILING = """
import threading
from grda_edu.views.runs import TrainingView

def job(progress, stop):
    raise ZeroDivisionError("no such batch")

live = TrainingView(job, 3)
live
"""


def button(lab: Lab, name: str) -> Locator:
    return lab.page.locator(f"button.grda-training-{name}")


def status(lab: Lab) -> str:
    return lab.page.locator(".grda-training-status").first.inner_text()


def start(lab: Lab) -> None:
    """Press Start and wait until something has been trained."""
    button(lab, "start").click()
    wait_for(
        lambda: "elapsed" in status(lab) and "Epoch 0" not in status(lab),
        "an epoch is over",
        PATIENCE,
    )
    assert button(lab, "start").is_disabled() and button(lab, "stop").is_enabled()


def stop(lab: Lab) -> float:
    """Press Stop; the seconds until the page says that the training has stopped."""
    button(lab, "stop").click()
    clicked = time.monotonic()
    wait_for(lambda: "stopped" in status(lab), "the training has stopped")
    return time.monotonic() - clicked


def live_figure(lab: Lab) -> Figure:
    return lab.figures(1)[0].settle()


def opened(lab: Lab, cell: str) -> Lab:
    lab.write("live.ipynb", [cell])
    lab.open("live.ipynb")
    lab.run_all()
    live_figure(lab)
    assert lab.errors() == []
    return lab


def test_start_stop_and_start_again(lab: Lab) -> None:
    opened(lab, LIVE % 200)
    assert lab.run(THREADS).strip() == "0"  # Run All does not train by itself
    seconds = []
    for _ in range(3):
        start(lab)
        moved = live_figure(lab).redraws()
        wait_for(
            lambda seen=moved: live_figure(lab).redraws() > seen,
            "the figure goes on moving",
            PATIENCE,
        )
        assert lab.run("print(6 * 7)").strip() == "42"  # the kernel answers meanwhile
        seconds.append(stop(lab))
        assert lab.run(THREADS).strip() == "0"
        assert button(lab, "start").inner_text().strip() == "Start again"
    assert min(seconds) <= 1.0, f"Stop took {seconds} s"
    assert lab.complaints == [] and lab.outside == []


def test_the_finished_state_is_drawn_and_survives_a_reload(lab: Lab) -> None:
    opened(lab, LIVE % 3)
    lab.page.evaluate(_WATCH_SHIFTS)
    places = lab.page.evaluate(_PLACES)
    button(lab, "start").click()
    wait_for(lambda: "Finished: 3 epochs" in status(lab), "the training is finished", PATIENCE)
    assert lab.page.evaluate(_PLACES) == places
    assert lab.page.evaluate("shifts") == []  # nothing moved that the learner did not move
    assert_shows_runs(lab)
    lab.save()
    said = status(lab)
    lab.reload()
    wait_for(lambda: lab.page.locator(".grda-training-status").count(), "the view is back")
    assert status(lab) == said
    assert_shows_runs(lab)
    button(lab, "start").click()  # its buttons are alive
    wait_for(lambda: "elapsed" in status(lab), "it trains again", PATIENCE)
    stop(lab)


def assert_shows_runs(lab: Lab) -> None:
    """What the page draws is what the kernel's runs hold."""
    runs = json.loads(lab.run(RUNS))
    figure = live_figure(lab)
    data = figure.data()
    for name, (accuracy, zeros) in runs.items():
        assert data[f"{name} test_accuracy"]["y"] == pytest.approx(accuracy, rel=1e-6)
        assert data[f"{name} total_zeros"]["y"] == pytest.approx(zeros, rel=1e-6)
        assert f"{name} after epoch 3: {zeros[-1]:.1%}" in figure.sentence()
    assert len(data["zeros by layer"]["x"]) == 8


def test_running_the_cell_again_ends_the_former_training(lab: Lab) -> None:
    opened(lab, LIVE % 200)
    start(lab)
    assert lab.run(THREADS).strip() == "1"
    lab.run_all()
    assert lab.run(THREADS).strip() == "0"
    live_figure(lab)
    assert button(lab, "start").count() == 1
    start(lab)
    lab.restart_kernel()
    assert lab.complaints == []


def test_an_exception_is_shown_on_the_page(lab: Lab) -> None:
    opened(lab, FAILING)
    button(lab, "start").click()
    wait_for(lambda: "ZeroDivisionError: no such batch" in lab.text(), "the traceback on the page")
    wait_for(lambda: "Ended by an error" in status(lab), "the status says that it ended")
    assert button(lab, "start").is_enabled()
