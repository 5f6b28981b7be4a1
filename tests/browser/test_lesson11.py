"""The live timing of lesson 11 in a real JupyterLab: every measurement is drawn, Stop, and its end."""

from __future__ import annotations

import json

import pytest

from .lab import Lab, wait_for
from .test_lesson04 import PATIENCE, button, live_figure, opened, status

LIVE = """
from grda_edu.lessons import lesson11

timing = lesson11.live_timing(size=%d, batches=(1, 32))
timing
"""
TIMED = """
import json
print(json.dumps([[one.batch, one.zeros, one.seconds] for one in timing.timed]))
"""


def test_every_measurement_is_drawn_beside_the_recording(lab: Lab) -> None:
    opened(lab, LIVE % 256)
    assert "Press Start" in status(lab)
    figure = live_figure(lab)
    recorded = figure.data()["recorded CSR 1"]["y"]
    assert recorded and "Dotted lines" in figure.sentence()
    button(lab, "start").click()
    wait_for(lambda: "Finished: 18 measurements" in status(lab), "all is timed", PATIENCE)
    timed, data = json.loads(lab.run(TIMED)), figure.data()
    for batch in (1, 32):
        for way in ("CSR", "units removed"):
            rows = [(zeros, s["dense"] / s[way]) for b, zeros, s in timed if b == batch]
            drawn = data[f"{way} {batch}"]
            assert drawn["x"] == pytest.approx([zeros for zeros, _ in rows], rel=1e-6)
            assert drawn["y"] == pytest.approx([ratio for _, ratio in rows], rel=1e-5)
    assert data["recorded CSR 1"]["y"] == recorded
    assert "batch 32: CSR is faster" in figure.sentence()
    assert lab.complaints == [] and lab.outside == []


def test_stop_ends_the_timing_and_the_page_stays_alive(lab: Lab) -> None:
    opened(lab, LIVE % 2048)
    button(lab, "start").click()
    wait_for(lambda: "elapsed" in status(lab), "it is under way", PATIENCE)
    assert lab.run("print(6 * 7)").strip() == "42"
    button(lab, "stop").click()
    wait_for(lambda: "Stopped: " in status(lab), "it has stopped", PATIENCE)
    assert button(lab, "start").inner_text().strip() == "Start again"
    count = "import threading; print(sum(t.name == 'grda-training' for t in threading.enumerate()))"
    assert lab.run(count).strip() == "0"
    assert lab.complaints == []
