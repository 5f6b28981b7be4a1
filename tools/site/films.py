"""Live work on a page without a kernel: done once at the build, and played picture by picture."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Explorable, Picture, Slider
from grda_edu.views import live
from grda_edu.views.live import LiveView

BUDGET = 2_000_000  # bytes of a film's table
PICTURES = 120  # of a film, at most
SECONDS = 12.0  # that a film takes to play
INVITATION = (
    "Recorded when this page was built. In the notebook you start it yourself, with your own settings, "
    "and it runs on your computer."
)
TIMES = "Recorded. In the notebook you start it yourself, and it measures your own computer."


def invitation(view: LiveView) -> str:
    """What is said above the twin: that it was recorded, and what the view asks its learner to reach."""
    said = TIMES if view.measures_time else INVITATION
    pictures = [child for child in view.box.children if isinstance(child, Picture)]
    goals = [goal["text"] for picture in pictures for goal in picture.goals]
    return " ".join([said, *(f"The goal there: {text}" for text in goals)])


def begin() -> None:
    """Have live work report every picture: nothing on a page may depend on how fast it was made."""
    from grda_edu.explore import widget
    from grda_edu.geometry import valley
    from grda_edu.training import loop

    widget.ROOM_SECONDS = math.inf
    live.SECONDS_BETWEEN_UPDATES = 0.0
    loop.SECONDS_BETWEEN_REPORTS = valley.SECONDS_BETWEEN_REPORTS = 0.0


def film(view: LiveView) -> list[Picture]:
    """The view's pictures, each as a figure that plays what the work showed; the work runs here.

    Times are not measured for a page: such a view shows what was recorded with the course.
    """
    pictures = [child for child in view.box.children if isinstance(child, Picture)]
    if view.measures_time:
        return pictures
    shots: dict[Picture, list[tuple[str, Mapping, str]]] = {picture: [] for picture in pictures}
    for picture in pictures:
        _record(picture, shots[picture], view)
    view.start()
    view.wait()
    for run in getattr(view, "runs", {}).values():
        run.seconds[:] = np.nan  # another number at every build
    return [_played(picture, shots[picture]) for picture in pictures]


def _record(picture: Picture, shots: list, view: LiveView) -> None:
    show = picture.show

    def recorded(row: Mapping[str, object], sentence: str) -> None:
        shots.append((view._position(), dict(row), sentence))
        show(row, sentence)

    picture.show = recorded  # type: ignore[method-assign]


def _played(picture: Picture, shots: list[tuple[str, Mapping, str]]) -> Picture:
    if len(shots) < 2:
        return picture
    every = -(-(len(shots) - 1) // PICTURES)
    kept = sorted({*range(0, len(shots), every), len(shots) - 1})
    words = [shots[k][0] for k in kept]
    rows = _even([dict(shots[k][1]) for k in kept])
    sentences = [shots[k][2] for k in kept]
    last = len(kept) - 1
    slider = Slider(
        range(len(kept)),
        label="recorded",
        format=lambda k: words[int(k)],
        start=last,
        play=True,
        seconds=SECONDS,
    )
    return Explorable(
        go.Figure(picture.figure),
        lambda shown: (rows[int(shown)], sentences[int(shown)]),
        {"shown": slider},
        label=picture.label,
        budget=BUDGET,
    )


def _even(rows: list[dict]) -> list[dict]:
    """The rows with the same keys and shapes: what is not there yet is a gap."""
    keys = dict.fromkeys(key for row in rows for key in row)
    filled: list[dict] = [{} for _ in rows]
    for key in keys:
        values = [row.get(key) for row in rows]
        arrays = [np.asarray(value) for value in values if value is not None]
        if any(array.dtype.kind in "US" for array in arrays) and all(a.ndim == 0 for a in arrays):
            before = ""
            for row, value in zip(filled, values, strict=True):
                row[key] = before = str(value) if value is not None else before
            continue
        shape = tuple(np.max([array.shape for array in arrays], axis=0))
        texts = any(array.dtype.kind in "USO" for array in arrays if array.size)
        for row, value in zip(filled, values, strict=True):
            blank = np.full(shape, "" if texts else np.nan, dtype=object if texts else float)
            if value is not None and np.size(value):
                array = np.asarray(value)
                blank[tuple(slice(0, n) for n in array.shape)] = array
            row[key] = blank
    return filled
