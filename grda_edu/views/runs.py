"""Training, live on the page: one run or several, drawn while they train.

This module knows what a Run is but not how one is trained: the job that it is given trains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Literal

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
Held = Literal["test", "val"]
_IMAGES: dict[Held, str] = {"test": "test images", "val": "validation examples"}


class TrainingView(LiveView[dict[str, Run]]):
    """Loss, accuracy and zeros of one run or several, drawn while they train.

    job: ``job(progress, stop)`` trains and returns a Run, or name -> Run for several. It calls
        ``progress(runs, fraction)`` with the same as often as it likes and ends soon after the
        ``threading.Event`` ``stop`` is set; ``grda_edu.training.loop.train`` does both.
    total_epochs: how far the epoch axes reach.
    label: what the figure shows, for screen readers and where no kernel runs.
    styles: name of each run -> how it is drawn; a lone Run takes the last name.
    held: whose accuracy is shown: that of the "test" images, or of "val", the ones held out to choose on.

    Start, Stop and ``wait()`` are those of ``LiveView``; ``wait()`` returns the runs by name.
    """

    def __init__(
        self,
        job: Job,
        total_epochs: int,
        *,
        label: str = "Training, live: accuracy, loss and zeros",
        styles: Mapping[str, palette.Style] = STYLES,
        held: Held = "test",
    ) -> None:
        self._styles, self._total, self._held = styles, total_epochs, held
        picture = Picture(
            lambda: training_figure(styles, total_epochs, held),
            label=label,
            longest=_longest(styles, total_epochs, held),
        )
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
        row = training_row(self.runs, self._styles, self._held)
        self.picture.show(row, training_sentence(self.runs, self._held))

    def _position(self) -> str:
        return f"Epoch {self._epoch()} of {self._total}"

    def _epoch(self) -> int:
        return max((int(run.epoch[-1]) for run in self.runs.values()), default=0)

    def _verdict(self) -> tuple[bool, str]:
        messages = [f"{name} {run.message}" for name, run in self.runs.items() if run.message]
        return not messages, "; ".join(
            messages
        ) or f"Finished: {writing.count(self._epoch(), 'epoch')}"

    def _devices(self) -> str:
        return devices(self.runs)


# ---------------------------------------------------------------- the figure

Curves = dict[str, tuple[str, Callable[[float], str]]]


def _curves(held: Held) -> Curves:
    """Curve of a Run -> (title, how its values are written), panel by panel."""
    return {
        f"{held}_accuracy": (f"{_IMAGES[held].capitalize()} read right", percent),
        "train_loss": (f"Loss on the training {_IMAGES[held].split()[1]}", writing.loss),
        "total_zeros": ("Weights that are exactly zero", percent),
    }


_NOTHING = "Nothing has been trained yet. The lines will grow here, epoch by epoch."
DRAWN = tuple(_curves("test"))  # panel by panel
_BARS = "zeros by layer"


def training_figure(
    styles: Mapping[str, palette.Style], total_epochs: int, held: Held = "test"
) -> go.Figure:
    """Accuracy, loss and zeros over epochs, and zeros by layer: style, and traces without data.

    Traces are named "NAME test_accuracy", "NAME train_loss", "NAME total_zeros" for each style,
    and "zeros by layer"; annotations 0 to 3 are the panels' titles.
    """
    left, right, upper, lower = (0, 0.44), (0.56, 1), (0.62, 0.88), (0, 0.32)
    epochs, losses = (0, total_epochs), axis(range=(-3.5, 0.6), log=True)
    curves = _curves(held)
    drawn = [[_curve(name, style, curve) for name, style in styles.items()] for curve in curves]
    layers = bars(_BARS, palette.ZERO, horizontal=True, cliponaxis=False).update(
        textposition="outside", textangle=0
    )
    names = axis(autorange="reversed", type="category", showgrid=False)
    places = axis(share=True, ticks=0.5, showgrid=False)
    share, epoch = axis(share=True), axis("epoch", epochs)
    picture = panels(
        Panel(*drawn[0], x=left, y=upper, at=(0, 1), xaxis=axis(range=epochs), yaxis=share),
        Panel(*drawn[1], x=right, y=upper, at=(0.56, 1), xaxis=axis(range=epochs), yaxis=losses),
        Panel(*drawn[2], x=left, y=lower, at=(0, 0.44), xaxis=epoch, yaxis=share),
        Panel(layers, x=(0.72, 0.95), y=lower, at=(0.56, 0.44), xaxis=places, yaxis=names),
        height=540,
        margin={"l": 52, "r": 16, "t": 40, "b": 44},
    )
    for k, text in enumerate(_headings({}, styles, held).values()):
        picture.layout.annotations[k].text = text
    return picture.update_yaxes(ticks="", selector={"anchor": "x4"})


def _curve(name: str, style: palette.Style, curve: str) -> go.Scatter:
    here = name + ": %{y:.4g} after epoch %{x}<extra></extra>"
    return line(f"{name} {curve}", style, hovertemplate=here)


def training_row(
    runs: Runs, styles: Mapping[str, palette.Style], held: Held = "test"
) -> dict[str, object]:
    """What ``training_figure`` draws for ``runs``; curves of missing runs are empty."""
    row: dict[str, object] = {**_headings(runs, styles, held)}
    for curve in _curves(held):
        for name in styles:
            there = name in runs
            row[f"{name} {curve}.x"] = runs[name].epoch if there else np.zeros(0)
            row[f"{name} {curve}.y"] = getattr(runs[name], curve) if there else np.zeros(0)
    accuracies = [_accuracy(run, held) for run in runs.values()]
    row["layout.title.text"] = f"Live, on {devices(runs)}" if runs else "Live"
    row["layout.yaxis.range"] = [0.9 if min(accuracies, default=0.0) > 0.9 else 0.0, 1.0]
    if runs:
        run = runs[_barred(runs, styles)]
        shares = run.zeros[-1] / run.sizes
        row[f"{_BARS}.x"] = shares
        row[f"{_BARS}.y"] = layer_labels(run.layers, run.sizes)
        row[f"{_BARS}.text"] = [percent(share, 0) for share in shares]
    return row


def _accuracy(run: Run, held: Held) -> float:
    """The last one."""
    return float(getattr(run, f"{held}_accuracy")[-1])


def _headings(
    runs: Runs, styles: Mapping[str, palette.Style], held: Held = "test"
) -> dict[str, str]:
    """Titles with the name of each run and its latest value; of every style as long as there is none."""
    texts = {}
    for k, (curve, (title, write)) in enumerate(_curves(held).items()):
        latest = {name: f" {write(getattr(run, curve)[-1])}" for name, run in runs.items()}
        shown = [name for name in styles if name in runs or not runs]
        texts[heading_key(k)] = heading(
            title, keys(*(key(name + latest.get(name, ""), styles[name]) for name in shown))
        )
    name = _barred(runs, styles)
    return texts | {heading_key(3): heading("Zeros by layer", coloured(name, styles[name]))}


def _barred(runs: Runs, styles: Mapping[str, palette.Style]) -> str:
    """Whose zeros are shown by layer: the last of the runs, in the order of ``styles``."""
    return [name for name in styles if name in runs or not runs][-1]


def layer_labels(layers: Sequence[str], sizes: Sequence[int] | np.ndarray) -> list[str]:
    """Each parameter's name and size, as the bars are labelled."""
    return [f"{layer} ({size:,}) " for layer, size in zip(layers, sizes, strict=True)]


def devices(runs: Runs) -> str:
    """Where the runs were made, in words."""
    return ", ".join(sorted({run.device for run in runs.values()}))


def _longest(styles: Mapping[str, palette.Style], epochs: int, held: Held) -> dict[str, list[str]]:
    """The words once all runs are there, as long as they get: the page keeps room for them."""
    end = {
        "epoch": [epochs],
        f"{held}_accuracy": [0.9999],
        "train_loss": [0.0001],
        "total_zeros": [0.9999],
    }
    runs: Any = dict.fromkeys(styles, SimpleNamespace(**end))
    headings = {
        key.removeprefix("layout."): [text] for key, text in _headings(runs, styles, held).items()
    }
    return {"sentence": [training_sentence(runs, held)], **headings}


def training_sentence(runs: Runs, held: Held = "test") -> str:
    """What the figure shows, in words: the latest row of each run."""
    parts = [
        f"{name} after epoch {int(run.epoch[-1])}: {percent(run.total_zeros[-1])} of the weights are "
        f"exactly zero, {percent(_accuracy(run, held))} of the {_IMAGES[held]} are read right"
        for name, run in runs.items()
    ]
    return "; ".join(parts) + "." if parts else _NOTHING
