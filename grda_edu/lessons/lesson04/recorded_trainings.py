"""Scrubbing through recorded trainings: accuracy, loss and zeros at any epoch, c, μ and seed."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import Choice, Explorable, Goal, Slider, axis, dots
from grda_edu.explore.writing import count, percent
from grda_edu.views.runs import DRAWN, STYLES, layer_labels, training_figure

from .numbers import GOAL_LOSS, GOAL_ZEROS, TEST_IMAGES, grid

_LOWEST = 0.8  # of the accuracy axis, which is the same for every run


@veiled("04.early", "04.which_layer")
def scrub() -> Explorable:
    """Accuracy, loss and zeros of recorded runs; sliders for the epoch, c and μ, a list of seeds."""
    runs = grid()
    last = int(runs.epoch[-1])
    epochs = [*range(10), *range(10, last + 1, 2)]
    compute = _Scrub()
    goal = Goal(
        f"{percent(GOAL_ZEROS, 0)} zeros for less than one point of accuracy, at epoch {last}.",
        lambda seed, epoch, c, mu: epoch == last and compute.goal(seed, c, mu),
        name="04.sparse",
    )
    demo = Explorable(
        _scrub_figure,
        compute,
        {
            "seed": Choice({f"seed {s}": int(s) for s in runs.seeds}, label="random seed"),
            "epoch": Slider(epochs, label="epoch", format=".0f", start=last, play=True),
            "c": Slider(runs.c.tolist(), label="c", format="g", start=0.005),
            "mu": Slider(runs.mu.tolist(), label="μ", format="g", start=0.55),
        },
        label="Recorded trainings of SGD and gRDA: accuracy, loss, and zeros in total and by layer",
        goals=[goal],
    )
    return keep_goals(demo)


def _scrub_figure() -> go.Figure:
    runs = grid()
    picture = training_figure(STYLES, int(runs.epoch[-1])).update_traces(
        x=runs.epoch, selector={"mode": "lines"}
    )
    for k, curve in enumerate(DRAWN, start=1):
        for name, style in STYLES.items():
            now = dots(f"{name} {curve} now", style, size=10, outline=1.5, cliponaxis=False)
            picture.add_trace(now.update(xaxis=f"x{k}", yaxis=f"y{k}"))
    ticks = {k / 100: percent(k / 100, 0) for k in range(85, 101, 5)}
    picture.layout.yaxis.update(
        axis(range=(_LOWEST, 1), ticks={_LOWEST: f"≤ {percent(_LOWEST, 0)}"} | ticks)
    )
    labels = layer_labels(runs.layers, runs.sizes)
    return picture.update_traces(y=labels, selector={"name": "zeros by layer"})


class _Scrub:
    """compute of ``scrub``; looks values up, so that thousands of positions take a second."""

    def __init__(self) -> None:
        runs = grid()
        self.curves = {curve: runs.curves(curve) for curve in DRAWN}
        self.shares = runs.curves("zeros") / runs.sizes
        self.reached = runs.goal_reached(GOAL_ZEROS, GOAL_LOSS)[..., -1]

    def goal(self, seed: int, c: float, mu: float) -> bool:
        """Does this training end at the goal?"""
        runs = grid()
        return bool(self.reached[(*runs.cell(c, mu), runs.seeds.tolist().index(seed))])

    def __call__(self, seed: int, epoch: float, c: float, mu: float) -> tuple[dict, str]:
        runs, k = grid(), int(epoch)
        i, j = runs.cell(c, mu)
        s = runs.seeds.tolist().index(seed)
        row: dict[str, object] = {}
        for curve, values in self.curves.items():
            for name, cell in (("SGD", (0, j, s)), ("gRDA", (i, j, s))):
                row[f"{name} {curve}.y"] = _drawn(curve, values[cell])
                row[f"{name} {curve} now.x"] = [k]
                row[f"{name} {curve} now.y"] = _drawn(curve, values[cell][[k]])
        sgd, ours = (self.curves["test_accuracy"][cell] for cell in ((0, j, s), (i, j, s)))
        zeros, shares = self.curves["total_zeros"][i, j, s, k], self.shares[i, j, s, k]
        row["zeros by layer.x"] = shares
        row["zeros by layer.text"] = [percent(share, 0) for share in shares]
        row["layout.title.text"] = (
            f"After epoch {k}: {percent(zeros)} zeros, {percent(ours[k])} read right"
        )
        return row, (
            f"Recorded on {runs.device}: gRDA has {percent(zeros)} exact zeros and reads "
            f"{_comparison(ours[k], sgd[k])}."
        )


def _drawn(curve: str, values: np.ndarray) -> np.ndarray:
    """Accuracies below the axis lie on its edge."""
    return np.maximum(values, _LOWEST) if curve == "test_accuracy" else values


def _comparison(ours: float, sgd: float) -> str:
    images = round((sgd - ours) * TEST_IMAGES)
    more = f"{count(abs(images), 'image')} {'fewer' if images > 0 else 'more'} than"
    return (
        f"{percent(ours)} of the {TEST_IMAGES} test images, {more if images else 'as many as'} "
        f"SGD ({percent(sgd)})"
    )
