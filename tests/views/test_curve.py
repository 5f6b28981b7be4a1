"""The live view of a curve: what it draws before, while and after a training, and its end in words."""

import threading

import numpy as np
import torch

from grda_edu.geometry.valley import Curve
from grda_edu.views.curve import CurveView

SECONDS = 20  # patience; nothing here takes that long
T = np.linspace(0, 1, 3)
LINE, RECORDED = np.array([0.1, 1.0, 0.2]), np.array([0.1, 0.15, 0.2])


def curve(checks: int, message: str = "") -> Curve:
    """A made-up curve whose highest loss halves at each check but the last."""
    heights = 0.5 ** np.arange(checks)
    heights[-1] = 1.5
    losses = np.stack([LINE, *(LINE * [1, h, 1] for h in heights[1:])])
    ends = torch.zeros(2), torch.ones(2)
    chosen = int(losses.max(axis=1).argmin())
    return Curve(ends[0], ends[1] / 2, ends[1], T, 2 * np.arange(checks), losses, chosen, message)


def view(job) -> CurveView:
    return CurveView(job, 6, "A → B", T, LINE, RECORDED)


def drawn(view: CurveView) -> dict:
    """Trace and attribute -> numbers of the picture's table, and its sentence."""
    table = view.picture.table
    values = {"sentence": table["sentence"]["strings"][0]}
    for column in table["columns"]:
        if column["trace"] is not None:
            size = int(np.prod(column["shape"]))
            key = f"{column['trace']}.{column['path']}"
            values[key] = np.frombuffer(table["data"], np.float32, size, column["offset"])
    return values


def test_before_start_only_the_line_and_the_recorded_curve_are_there():
    live = view(lambda progress, stop: curve(4))
    assert drawn(live)["sentence"] == "Nothing has been trained yet."
    assert drawn(live)["curve.y"].size == drawn(live)["highest.y"].size == 0
    assert live.wait() is None
    traces = {trace["name"] for trace in live.picture.figure["data"]}
    assert traces == {"line", "recorded", "curve", "highest"}
    live.close()


def test_the_best_curve_and_every_check_are_drawn():
    reported = threading.Event()

    def job(progress, stop):
        progress(curve(2), 0.3)
        reported.set()
        return curve(4)

    live = view(job)
    live.start()
    result = live.wait(SECONDS)
    assert reported.is_set() and result is live.curve
    seen = drawn(live)
    np.testing.assert_allclose(seen["highest.x"], [0, 2, 4, 6])
    np.testing.assert_allclose(seen["highest.y"], [1.0, 0.5, 0.25, 1.5])
    np.testing.assert_allclose(seen["curve.y"], [0.1, 0.25, 0.2], rtol=1e-6)
    assert "best curve so far (epoch 4) is 0.25, on the straight line 1.0." in seen["sentence"]
    said = live.picture.table["sentence"]["strings"][0]
    assert (
        abs(len(live.picture.longest["sentence"][0]) - len(said)) < 5
    )  # the room that is kept for it
    assert "Finished: 6 epochs" in live.line.said and "on cpu" in live.line.said
    live.close()


def test_a_stopped_curve_says_where():
    def job(progress, stop):
        progress(curve(2), 0.3)
        assert stop.wait(SECONDS)
        return curve(3, "stopped in epoch 5")

    live = view(job)
    live.start()
    live.stop()
    assert live.wait(SECONDS).message == "stopped in epoch 5"
    assert "stopped in epoch 5" in live.line.said
    live.close()
