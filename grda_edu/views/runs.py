"""Training, live on the page: one run or several, drawn while they train.

This module knows what a Run is but not how one is trained: the job that it is given trains.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Panel,
    Picture,
    axis,
    bars,
    coloured,
    heading,
    heading_key,
    key,
    keys,
    line,
    palette,
    panels,
    writing,
)
from grda_edu.explore.writing import percent
from grda_edu.training.run import Run

from .live import Job, LiveView

Runs = Mapping[str, Run]

STYLES = {"SGD": palette.SGD, "gRDA": palette.GRDA}


class TrainingView(LiveView[dict[str, Run]]):
    """Loss, accuracy and zeros of one run or several, drawn while they train.

    job: ``job(progress, stop)`` trains and returns a Run, or name -> Run for several. It calls
        ``progress(runs, fraction)`` with the same as often as it likes and ends soon after the
        ``threading.Event`` ``stop`` is set; ``grda_edu.training.loop.train`` does both.
    total_epochs: how far the epoch axes reach.
    label: what the figure shows, for screen readers and where no kernel runs.
    styles: name of each run -> how it is drawn; a lone Run takes the last name.

    Start, Stop and ``wait()`` are those of ``LiveView``; ``wait()`` returns the runs by name.
    """

    def __init__(
        self,
        job: Job,
        total_epochs: int,
        *,
        label: str = "Training, live: accuracy, loss and zeros",
        styles: Mapping[str, palette.Style] = STYLES,
    ) -> None:
        self._styles, self._total = styles, total_epochs
        picture = Picture(lambda: training_figure(styles, total_epochs), label=label)
        super().__init__(job, picture, "Press Start to train on this computer.")

    def _forget(self) -> None:
        self.runs: dict[str, Run] = {}
        self._drawn: dict[str, int] = {}

    def _take(self, result: Run | Runs) -> None:
        if isinstance(result, Run):
            result = {list(self._styles)[-1]: result}
        unknown = [name for name in result if name not in self._styles]
        if unknown:
            raise ValueError(f"the job's run {unknown[0]!r} is none of {', '.join(self._styles)}")
        self.runs = dict(result)

    def _result(self) -> dict[str, Run]:
        return self.runs

    def _is_drawn(self) -> bool:
        return self._rows() == self._drawn  # curves change once an epoch

    def _rows(self) -> dict[str, int]:
        """How much of each run there is to draw."""
        return {name: len(run.epoch) for name, run in self.runs.items()}

    def _draw(self) -> None:
        self._drawn = self._rows()
        self.picture.show(training_row(self.runs, self._styles), training_sentence(self.runs))

    def _position(self) -> str:
        return f"Epoch {self._epoch()} of {self._total}"

    def _epoch(self) -> int:
        return max((int(run.epoch[-1]) for run in self.runs.values()), default=0)

    def _verdict(self) -> tuple[bool, str]:
        messages = [f"{name} {run.message}" for name, run in self.runs.items() if run.message]
        return not messages, "; ".join(messages) or f"Finished: {self._epoch()} epochs"

    def _devices(self) -> str:
        return devices(self.runs)


# ---------------------------------------------------------------- the figure

_PANELS = {  # curve of a Run -> (title, left and top of the title on the paper)
    "test_accuracy": ("Test images read correctly", (0.0, 1.0)),
    "train_loss": ("Loss on the training images", (0.56, 1.0)),
    "total_zeros": ("Weights that are exactly zero", (0.0, 0.44)),
}
_BARS = "zeros by layer"


def training_figure(styles: Mapping[str, palette.Style], total_epochs: int) -> go.Figure:
    """Accuracy, loss and zeros over epochs, and zeros by layer: style, and traces without data.

    Traces are named "NAME test_accuracy", "NAME train_loss", "NAME total_zeros" for each style,
    and "zeros by layer"; annotations 0 to 3 are the panels' titles.
    """
    losses = axis(range=(-3.5, 0.6), log=True)
    left, right, upper, lower = (0, 0.44), (0.56, 1), (0.62, 0.88), (0, 0.32)
    curves = [
        Panel(
            *(_curve(name, style, curve) for name, style in styles.items()),
            x=left if at[0] == 0 else right,
            y=upper if at[1] == 1 else lower,
            title=title,
            at=at,
            xaxis=axis("" if at[1] == 1 else "epoch", (0, total_epochs)),
            yaxis=losses if curve == "train_loss" else axis(share=True),
        )
        for curve, (title, at) in _PANELS.items()
    ]
    outside = {"textposition": "outside", "textangle": 0, "cliponaxis": False}
    layers = Panel(
        bars(_BARS, palette.ZERO, horizontal=True, **outside),
        x=(0.72, 0.95),
        y=lower,
        title="Zeros by layer",
        at=(0.56, 0.44),
        xaxis=axis(share=True, ticks=0.5, showgrid=False),
        yaxis=axis(autorange="reversed", type="category", showgrid=False),
    )
    picture = panels(*curves, layers, height=540, margin={"l": 52, "r": 16, "t": 40, "b": 44})
    return picture.update_yaxes(ticks="", selector={"anchor": "x4"})


def _curve(name: str, style: palette.Style, curve: str) -> go.Scatter:
    here = name + ": %{y:.4g} after epoch %{x}<extra></extra>"
    return line(f"{name} {curve}", style, hovertemplate=here)


def training_row(runs: Runs, styles: Mapping[str, palette.Style]) -> dict[str, object]:
    """What ``training_figure`` draws for ``runs``; curves of missing runs are empty."""
    row: dict[str, object] = {}
    for k, (curve, (title, _)) in enumerate(_PANELS.items()):
        for name in styles:
            there = name in runs
            row[f"{name} {curve}.x"] = runs[name].epoch if there else np.zeros(0)
            row[f"{name} {curve}.y"] = getattr(runs[name], curve) if there else np.zeros(0)
        write = writing.loss if curve == "train_loss" else percent
        latest = [
            key(f"{name} {write(getattr(run, curve)[-1])}", styles[name])
            for name, run in runs.items()
        ]
        row[heading_key(k)] = heading(title, keys(*latest))
    accuracies = [run.test_accuracy[-1] for run in runs.values()]
    row["layout.title.text"] = f"Live, on {devices(runs)}" if runs else "Live"
    row["layout.yaxis.range"] = [0.9 if min(accuracies, default=0.0) > 0.9 else 0.0, 1.0]
    return row | _layers_row(runs, styles)


def _layers_row(runs: Runs, styles: Mapping[str, palette.Style]) -> dict[str, object]:
    """Bars for the last of the runs, in the order of ``styles``."""
    name = next((name for name in reversed(list(styles)) if name in runs), None)
    if name is None:
        return {}
    run = runs[name]
    shares = run.zeros[-1] / run.sizes
    return {
        f"{_BARS}.x": shares,
        f"{_BARS}.y": layer_labels(run),
        f"{_BARS}.text": [percent(share, 0) for share in shares],
        heading_key(3): heading("Zeros by layer", coloured(name, styles[name])),
    }


def layer_labels(run: Run) -> list[str]:
    """Each parameter's name and size, as the bars are labelled."""
    pairs = zip(run.layers, run.sizes, strict=True)
    return [f"{layer} ({size:,}) " for layer, size in pairs]


def devices(runs: Runs) -> str:
    """Where the runs were made, in words."""
    return ", ".join(sorted({run.device for run in runs.values()}))


def training_sentence(runs: Runs) -> str:
    """What the figure shows, in words: the latest row of each run."""
    parts = [
        f"{name} after epoch {int(run.epoch[-1])}: {percent(run.total_zeros[-1])} of the weights are "
        f"exactly zero, {percent(run.test_accuracy[-1])} of the test images right"
        for name, run in runs.items()
    ]
    return "; ".join(parts) + "." if parts else "Nothing has been trained yet."
