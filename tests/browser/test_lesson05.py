"""The live search of lesson 05 in a real JupyterLab: its probes, Stop, its end, a search again."""

from __future__ import annotations

import json

import pytest

from .lab import Lab, wait_for
from .test_lesson04 import PATIENCE, button, live_figure, opened, status

LIVE = """
from grda_edu.lessons import lesson05

search = lesson05.live_search(mu=0.51, epochs=%d, tolerance=0.15)
search
"""
PROBES = """
import json
print(json.dumps([[p.c, p.accuracy, p.zeros, p.comparable] for p in search.probes]))
"""


def test_every_probe_is_drawn_and_the_answer_is_said(lab: Lab) -> None:
    opened(lab, LIVE % 1)
    assert "Press Start" in status(lab)
    button(lab, "start").click()
    wait_for(lambda: "Finished: c = " in status(lab), "the search has ended", PATIENCE)
    sgd, *probes = json.loads(lab.run(PROBES))
    figure = live_figure(lab)
    data = figure.data()
    for name, wanted in (("comparable", True), ("not comparable", False)):
        mine = [probe for probe in probes if probe[3] == wanted]
        assert mine
        assert data[name]["x"] == pytest.approx([probe[0] for probe in mine])
        assert data[name]["y"] == pytest.approx([probe[1] for probe in mine], rel=1e-6)
    assert data["zeros"]["y"] == pytest.approx([probe[2] for probe in probes], abs=1e-6)
    assert data["SGD"]["y"] == pytest.approx([sgd[1]] * 2, rel=1e-6)
    best = max(c for c, _, _, comparable in probes if comparable)
    assert f"c = {best:g}, " in status(lab) and f"is {best:g}; " in figure.sentence()
    assert lab.complaints == [] and lab.outside == []


def test_stop_ends_the_search_and_running_the_cell_again_leaves_no_thread(lab: Lab) -> None:
    opened(lab, LIVE % 200)
    button(lab, "start").click()
    wait_for(lambda: "elapsed" in status(lab), "the search is under way", PATIENCE)
    assert lab.run("print(6 * 7)").strip() == "42"
    button(lab, "stop").click()
    wait_for(lambda: "Stopped" in status(lab), "the search has stopped", PATIENCE)
    assert button(lab, "start").inner_text().strip() == "Start again"
    button(lab, "start").click()
    wait_for(lambda: "elapsed" in status(lab), "it searches again", PATIENCE)
    lab.run_all()
    live_figure(lab)
    count = "import threading; print(sum(t.name == 'grda-training' for t in threading.enumerate()))"
    assert lab.run(count).strip() == "0"
    assert lab.complaints == []
