"""Lesson 11's live view: one layer timed on this computer, beside the recording."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from grda_edu.checks import refuse, whole
from grda_edu.explore import Panel, Picture, axis, dots, key, keys, line, palette, panels
from grda_edu.explore.writing import count, percent
from grda_edu.sparse.clock import CSR, DENSE, REMOVED, layer_seconds, processor
from grda_edu.views.live import LiveView

from .looks import LAYERS
from .numbers import break_even, processor_name, shares, speedups, was_timed
from .one_layer import EDGES, TICKS

SECONDS = 12.0  # for all measurements; what a slow computer needs comes on top
_RECORDED = palette.Style(palette.MUTED, "dot", "circle")  # of both ways, in the key
LARGEST = {"size": 4096, "batch": 1024}


class Timed(NamedTuple):
    """One measurement: way -> seconds, "dense" among them."""

    batch: int
    zeros: float
    seconds: dict[str, float]


def live_timing(size: int = 1024, batches: Sequence[int] = (1, 32)) -> TimingView:
    """A view that times one layer on this computer: dense, CSR, units removed. One thread.

    size: of its inputs and outputs, 1 to 4,096; batches: one or two, each 1 to 1,024. ValueError
    names the one that is not.
    """
    size, batches = whole("size", size, 1), [whole("batches", b, 1) for b in batches]
    if size > LARGEST["size"]:
        refuse("size", size, f"at most {LARGEST['size']:,}")
    if (
        not 1 <= len(batches) <= 2
        or max(batches) > LARGEST["batch"]
        or len({*batches}) < len(batches)
    ):
        refuse("batches", batches, f"one or two different ones of at most {LARGEST['batch']:,}")
    return TimingView(size, batches)


class TimingView(LiveView[list[Timed]]):
    """Speed-ups of one layer, drawn while they are measured; ``wait()`` returns all measurements."""

    measures_time = True

    def __init__(self, size: int, batches: list[int]) -> None:
        self._size, self._batches = size, batches
        self._all = len(batches) * len(shares())
        label = f"Timing one layer of {size:,} inputs and outputs live, beside the recording"
        picture = Picture(lambda: _figure(size, batches), label=label)
        super().__init__(self._measure, picture, "Press Start to time the layer on this computer.")

    def _measure(self, progress: Callable, stop: threading.Event) -> list[Timed]:
        made: list[Timed] = []
        for batch in self._batches:
            for share, seconds in layer_seconds(self._size, batch, shares(), SECONDS / self._all):
                made.append(Timed(batch, share, seconds))
                progress(list(made), len(made) / self._all)
                if stop.is_set():
                    return made
        return made

    def _forget(self) -> None:
        self.timed: list[Timed] = []
        self._drawn = -1

    def _take(self, result: list[Timed]) -> None:
        self.timed = result

    def _result(self) -> list[Timed]:
        return self.timed

    def _is_drawn(self) -> bool:
        return self._drawn == len(self.timed)

    def _draw(self) -> None:
        self._drawn = len(self.timed)
        self.picture.show(*_row(self._size, self._batches, self.timed))

    def _position(self) -> str:
        return f"Measured {len(self.timed)} of {self._all}"

    def _verdict(self) -> tuple[bool, str]:
        done = len(self.timed) == self._all
        return done, f"{'Finished' if done else 'Stopped'}: {count(len(self.timed), 'measurement')}"

    def _devices(self) -> str:
        return processor() if self.timed else ""


def measured(timed: list[Timed], batch: int, way: str) -> tuple[list[float], np.ndarray]:
    """Shares of zeros at which a way was timed, and how many times as fast as dense it was."""
    mine = [one for one in timed if one.batch == batch]
    ratios = [one.seconds[DENSE] / one.seconds[way] for one in mine]
    return [one.zeros for one in mine], np.array(ratios)


def _figure(size: int, batches: list[int]) -> go.Figure:
    width = 1 if len(batches) == 1 else 0.43
    parts = []
    for k, batch in enumerate(batches):
        known = was_timed(size, batch)
        ratios = (
            speedups(size, batch)
            if known
            else {way: np.full(len(shares()), np.nan) for way in LAYERS}
        )
        parts.append(
            Panel(
                line(f"dense {batch}", palette.SGD, width=1.5, x=[0.48, 1], y=[1, 1]),
                *(
                    line(
                        f"recorded {way} {batch}",
                        look._replace(dash="dot"),
                        width=1.5,
                        x=shares(),
                        y=ratios[way],
                    )
                    for way, look in LAYERS.items()
                ),
                *(
                    dots(f"{way} {batch}", look, size=9).update(
                        mode="lines+markers", line=look.line(2.5)
                    )
                    for way, look in LAYERS.items()
                ),
                x=(k * 0.57, k * 0.57 + width),
                title=f"Batch {batch}",
                key=keys(
                    *(key(way, look, "both") for way, look in LAYERS.items()),
                    key("dense", palette.SGD),
                    *([key("recorded", _RECORDED)] if known else []),
                ),
                xaxis=axis("weights exactly zero", (0.48, 1), share=True),
                yaxis=axis(
                    "times as fast as dense" if k == 0 else "", EDGES, log=True, ticks=TICKS
                ),
            )
        )
    return panels(*parts, height=400)


def _row(size: int, batches: list[int], timed: list[Timed]) -> tuple[dict[str, object], str]:
    row: dict[str, object] = {"layout.title.text": f"Live: {size:,} inputs and outputs"}
    said = []
    for batch in batches:
        for way in (CSR, REMOVED):
            zeros, ratios = measured(timed, batch, way)
            row |= {f"{way} {batch}.x": np.array(zeros), f"{way} {batch}.y": ratios}
        zeros, ratios = measured(timed, batch, CSR)
        if len(zeros) == len(shares()):
            least = break_even(zeros, ratios)
            where = (
                "at no share measured" if least is None else f"from {percent(least, 0)} zeros on"
            )
            said.append(f"batch {batch}: CSR is faster {where}")
    if not said:
        if not any(was_timed(size, batch) for batch in batches):
            return row, "Nothing was recorded for this size and batch. Yours will be drawn here."
        recorded = f"Dotted lines were recorded on {processor_name()}."
        return row, f"{recorded} Yours will be drawn over them."
    return row, f"On this computer, with one thread, {'; '.join(said)}."
