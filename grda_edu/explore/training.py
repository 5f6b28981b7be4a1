"""Training, live on the page: a run in a thread of its own, its curves, and a button to stop it.

The thread keeps the kernel free, so that the buttons and every other cell answer meanwhile. This
module knows what a Run is but not how one is trained: the job that it is given trains.
"""

from __future__ import annotations

import atexit
import html
import math
import threading
import time
import traceback
from collections.abc import Callable, Mapping

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go

from grda_edu.run import Run

from . import cell, palette
from .widget import Picture

Runs = Mapping[str, Run]
Show = Callable[[Run | Runs, float], object]
Job = Callable[[Show, threading.Event], Run | Runs]

SECONDS_BETWEEN_UPDATES = 0.2
SECONDS_TO_END = 2.0  # what closing waits for a job that has been told to stop
STYLES = {"SGD": palette.SGD, "gRDA": palette.GRDA}


class TrainingView:
    """Loss, accuracy and zeros of one run or several, drawn while they train.

    job: ``job(progress, stop)`` trains and returns a Run, or name -> Run for several. It calls
        ``progress(runs, fraction)`` with the same as often as it likes and ends soon after the
        ``threading.Event`` ``stop`` is set; ``grda_edu.train.train`` does both.
    total_epochs: how far the epoch axes reach.
    label: what the figure shows, for screen readers and where no kernel runs.
    styles: name of each run -> how it is drawn; a lone Run takes the last name.

    Nothing starts before Start is pressed (or ``start()`` is called). Running the cell that made
    the view again stops its training. A script waits for the end with ``wait()``.
    """

    def __init__(
        self,
        job: Job,
        total_epochs: int,
        *,
        label: str = "Training, live: accuracy, loss and zeros",
        styles: Mapping[str, palette.Style] = STYLES,
    ) -> None:
        self._job, self._styles, self._total = job, styles, total_epochs
        self._thread: threading.Thread | None = None
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._began, self._shown = 0.0, -math.inf
        self.runs: dict[str, Run] = {}
        self._drawn: dict[str, int] = {}
        self.error: BaseException | None = None
        self.picture = Picture(lambda: training_figure(styles, total_epochs), label=label)
        self.picture.show(training_row({}, styles), "Nothing has been trained yet.")
        self._make_controls()
        self._rest("Start", "Press Start to train on this computer.")
        cell.on_rerun(self.close)

    def _make_controls(self) -> None:
        self.start_button = widgets.Button(description="Start", icon="play")
        self.stop_button = widgets.Button(description="Stop", icon="stop")
        self.bar = widgets.FloatProgress(min=0.0, max=1.0, layout={"width": "180px"})
        self.status = widgets.HTML()
        self.problem = widgets.Output()
        self.start_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self.stop())
        row = [self.start_button, self.stop_button, self.bar, self.status]
        layout = {"flex_flow": "row wrap", "align_items": "center"}
        self.box = widgets.VBox([widgets.HBox(row, layout=layout), self.problem, self.picture])
        for name in ("start", "stop"):
            getattr(self, f"{name}_button").add_class(f"grda-training-{name}")
        self.status.add_class("grda-training-status")

    # --- what a learner or a script calls

    @property
    def running(self) -> bool:
        """Is a training under way?"""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Train from the beginning, unless a training is under way."""
        if self.running:
            return
        self._stop = threading.Event()
        self.runs, self.error, self._drawn = {}, None, {}
        self._began, self._shown = time.perf_counter(), -math.inf
        self.problem.outputs = ()
        self.start_button.disabled, self.stop_button.disabled = True, False
        self.bar.value, self.bar.bar_style = 0.0, "info"
        self._say("Starting …")
        self._thread = threading.Thread(target=self._train, name="grda-training", daemon=True)
        atexit.register(self._end)
        self._thread.start()

    def stop(self) -> None:
        """Tell the training to stop; it does within a batch. ``wait()`` waits until it has."""
        with self._lock:  # or the last word could be "Stopping" of a training that has just ended
            if not self.stop_button.disabled:
                self._say("Stopping …")
            self._stop.set()

    def wait(self, timeout: float | None = None) -> dict[str, Run]:
        """Wait for the end of the training and return its runs by name.

        timeout: seconds, after which TimeoutError is raised. What the job raised is raised here
        again; an interrupt of the kernel stops the training.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        try:
            # In short stretches: on some systems an interrupt does not end a long one.
            while self._thread is not None and self._thread.is_alive():
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"still training after timeout = {timeout} s")
                self._thread.join(min(left, 0.1))
        except KeyboardInterrupt:
            self._end()
            raise
        if self.error is not None:
            raise self.error
        return self.runs

    def close(self) -> None:
        """Stop the training and take the widgets off the page."""
        self._end()
        for widget in (*self.box.children[0].children, *self.box.children, self.box):
            for own in (getattr(widget, "style", None), widget.layout, widget):
                if own is not None:
                    own.close()

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(SECONDS_TO_END)

    # --- in the thread

    def _train(self) -> None:
        try:
            runs = self._job(self._progress, self._stop)
            self.runs = self._by_name(runs)
            self._draw()
            self._conclude()
        except BaseException as error:  # also SystemExit: a thread would swallow it in silence
            self.error = error
            self.problem.append_stderr(traceback.format_exc())
            self.bar.bar_style = "danger"
            self._rest("Start again", f"Ended by an error, {type(error).__name__}: see below.")
        finally:
            atexit.unregister(self._end)

    def _progress(self, runs: Run | Runs, fraction: float) -> None:
        now = time.perf_counter()
        self.runs = self._by_name(runs)
        if now - self._shown < SECONDS_BETWEEN_UPDATES:
            return
        self._shown = now
        self.bar.value = fraction
        if not self._stop.is_set():
            self._say(self._time_line(now - self._began, fraction))
        if self._rows() != self._drawn:  # curves change once an epoch, the bar all the time
            self._draw()

    def _time_line(self, elapsed: float, fraction: float) -> str:
        line = f"Epoch {self._epoch()} of {self._total}, {_duration(elapsed)} elapsed"
        if fraction > 0.02:
            line += f", about {_duration(elapsed * (1 / fraction - 1))} left"
        return line

    def _by_name(self, runs: Run | Runs) -> dict[str, Run]:
        if isinstance(runs, Run):
            return {list(self._styles)[-1]: runs}
        unknown = [name for name in runs if name not in self._styles]
        if unknown:
            raise ValueError(f"the job's run {unknown[0]!r} is none of {', '.join(self._styles)}")
        return dict(runs)

    def _epoch(self) -> int:
        return max((int(run.epoch[-1]) for run in self.runs.values()), default=0)

    def _rows(self) -> dict[str, int]:
        """How much of each run there is to draw."""
        return {name: len(run.epoch) for name, run in self.runs.items()}

    def _draw(self) -> None:
        self._drawn = self._rows()
        self.picture.show(training_row(self.runs, self._styles), training_sentence(self.runs))

    def _conclude(self) -> None:
        seconds = time.perf_counter() - self._began
        messages = [f"{name} {run.message}" for name, run in self.runs.items() if run.message]
        self.bar.bar_style = "warning" if messages else "success"
        self.bar.value = self.bar.value if messages else 1.0
        text = "; ".join(messages) or f"Finished: {self._epoch()} epochs"
        self._rest("Start again", f"{text}, {seconds:.1f} s")

    # --- the line of controls

    def _rest(self, button: str, text: str) -> None:
        with self._lock:
            self.start_button.description = button
            self.start_button.disabled, self.stop_button.disabled = False, True
            self._say(text)

    def _say(self, text: str) -> None:
        where = f" · on {devices(self.runs)}" if self.runs else ""
        self.status.value = f'<span role="status">{html.escape(text + where)}</span>'

    def _ipython_display_(self) -> None:
        """The view, below the line that a notebook opened without a kernel shows in its place."""
        from IPython.display import display

        view = self.box._repr_mimebundle_() | {"text/plain": repr(self)}
        display(self.picture.fallback_line(), raw=True)
        display(view, raw=True)

    def __repr__(self) -> str:
        return f"<TrainingView: {self.picture.label}>"


# ---------------------------------------------------------------- the figure

_PANELS = {  # curve of a Run -> (suffix of its axes, title, left and top of the title on the paper)
    "test_accuracy": ("", "Test images read correctly", 0.0, 1.0),
    "train_loss": ("2", "Loss on the training images", 0.56, 1.0),
    "total_zeros": ("3", "Weights that are exactly zero", 0.0, 0.44),
}
_BARS = "zeros by layer"


def training_figure(styles: Mapping[str, palette.Style], total_epochs: int) -> go.Figure:
    """Accuracy, loss and zeros over epochs, and zeros by layer: style, and traces without data.

    Traces are named "NAME test_accuracy", "NAME train_loss", "NAME total_zeros" for each style,
    and "zeros by layer"; annotations 0 to 3 are the panels' titles.
    """
    lines = [
        go.Scatter(
            name=f"{name} {curve}",
            mode="lines",
            line=style.line(),
            xaxis=f"x{axis}",
            yaxis=f"y{axis}",
            hovertemplate=name + ": %{y:.4g} after epoch %{x}<extra></extra>",
        )
        for name, style in styles.items()
        for curve, (axis, *_) in _PANELS.items()
    ]
    bars = go.Bar(
        name=_BARS,
        orientation="h",
        xaxis="x4",
        yaxis="y4",
        marker={"color": palette.ZERO.color, "line": {"width": 0}},
        texttemplate="%{x:.0%}",
        textposition="outside",
        textangle=0,
        cliponaxis=False,
        hoverinfo="skip",
    )
    epochs = {"range": [0, total_epochs]}
    share = {"tickformat": ".0%", "range": [0, 1]}
    left, right, upper, lower = [0, 0.44], [0.56, 1], [0.62, 0.88], [0, 0.32]
    picture = palette.figure(
        *lines,
        bars,
        height=540,
        margin={"l": 52, "r": 16, "t": 40, "b": 44},
        xaxis=epochs | {"domain": left, "anchor": "y"},
        yaxis=share | {"domain": upper, "anchor": "x"},
        xaxis2=epochs | {"domain": right, "anchor": "y2"},
        yaxis2={"domain": upper, "anchor": "x2", "type": "log", "range": [-3.5, 0.6]}
        | {"dtick": 1, "tickformat": "~g"},
        xaxis3=epochs | {"domain": left, "anchor": "y3", "title_text": "epoch"},
        yaxis3=share | {"domain": lower, "anchor": "x3"},
        xaxis4=share | {"domain": [0.72, 0.95], "anchor": "y4", "dtick": 0.5},
        yaxis4={"domain": lower, "anchor": "x4", "autorange": "reversed", "type": "category"},
        annotations=[
            *(_heading(title, x, y) for _, title, x, y in _PANELS.values()),
            _heading("Zeros by layer", 0.56, 0.44),
        ],
    )
    picture.update_xaxes(title_font_size=13).update_xaxes(showgrid=False, selector={"anchor": "y4"})
    return picture.update_yaxes(showgrid=False, ticks="", selector={"anchor": "x4"})


def _heading(text: str, x: float, y: float) -> dict:
    """A panel's title, which names its curves and their latest values in their own colours."""
    return {
        "text": f"<b>{text}</b>",
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "top",
        "align": "left",
        "showarrow": False,
        "font": {"size": 13},
    }


def training_row(runs: Runs, styles: Mapping[str, palette.Style]) -> dict[str, object]:
    """What ``training_figure`` draws for ``runs``; curves of missing runs are empty."""
    row: dict[str, object] = {}
    for k, (curve, (_, title, *_)) in enumerate(_PANELS.items()):
        for name in styles:
            there = name in runs
            row[f"{name} {curve}.x"] = runs[name].epoch if there else np.zeros(0)
            row[f"{name} {curve}.y"] = getattr(runs[name], curve) if there else np.zeros(0)
        form = ".2g" if curve == "train_loss" else ".1%"
        latest = [
            coloured(f"{name} {getattr(run, curve)[-1]:{form}}", styles[name])
            for name, run in runs.items()
        ]
        row[f"layout.annotations[{k}].text"] = f"<b>{title}</b><br>" + "   ".join(latest)
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
    return {
        f"{_BARS}.x": run.zeros[-1] / run.sizes,
        f"{_BARS}.y": layer_labels(run),
        "layout.annotations[3].text": f"<b>Zeros by layer</b><br>{coloured(name, styles[name])}",
    }


def layer_labels(run: Run) -> list[str]:
    """Each parameter's name and size, as the bars are labelled."""
    pairs = zip(run.layers, run.sizes, strict=True)
    return [f"{layer} ({size:,}) " for layer, size in pairs]


def devices(runs: Runs) -> str:
    """Where the runs were made, in words."""
    return ", ".join(sorted({run.device for run in runs.values()}))


def percent(share: float) -> str:
    """A share with one digit, or with two where rounding would make it a whole 100 %."""
    return f"{share:.2%}" if 0.9995 <= share < 1 else f"{share:.1%}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def coloured(text: str, style: palette.Style) -> str:
    """Text in the colour of an idea, for titles and annotations."""
    return f'<span style="color:{style.color}">{text}</span>'


def training_sentence(runs: Runs) -> str:
    """What the figure shows, in words: the latest row of each run."""
    parts = [
        f"{name} after epoch {int(run.epoch[-1])}: {percent(run.total_zeros[-1])} of the weights are "
        f"exactly zero, {run.test_accuracy[-1]:.1%} of the test images right"
        for name, run in runs.items()
    ]
    return "; ".join(parts) + "." if parts else "Nothing has been trained yet."
