"""The search for c, live on the page: every probe drawn as it comes. Knows probes, trains none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Panel,
    Picture,
    around,
    axis,
    band,
    dots,
    heading,
    heading_key,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import count, percent
from grda_edu.training.rules import in_points

from .live import Job, LiveView

if TYPE_CHECKING:  # it imports torch, which this package does without
    from grda_edu.training.search import Answer, Probe, Search


class SearchView(LiveView["Answer | None"]):
    """Validation accuracy and zeros of every c tried, with SGD's accuracy and the tolerance.

    job: ``job(progress, stop)`` searches and returns the ``Search``. It calls
        ``progress(search, fraction)`` as often as it likes, and hands ``stop`` to the search.
    least, most: the ends of the axis of c.

    Start, Stop and ``wait()`` are those of ``LiveView``; ``wait()`` returns the search's answer.
    """

    def __init__(
        self,
        job: Job,
        least: float,
        most: float,
        *,
        label: str = "The search for c, live: validation accuracy and zeros of each c tried",
    ) -> None:
        room = [search_sentence([_LONG] * 12, None), f"{_reference_in_words(_LONG)} {_LONG_ANSWER}"]  # type: ignore[list-item, arg-type]
        picture = Picture(
            lambda: search_figure(least, most), label=label, longest={"sentence": room}
        )
        super().__init__(job, picture, "Press Start to search on this computer.")

    def _forget(self) -> None:
        self.search: Search | None = None
        self._drawn: tuple[int, bool] | None = None

    def _take(self, result: Search) -> None:
        self.search = result

    @property
    def probes(self) -> list[Probe]:
        """The probes that have finished, SGD's first."""
        return [] if self.search is None else self.search.probes

    @property
    def answer(self) -> Answer | None:
        """What was found; None before the search has ended."""
        return None if self.search is None else self.search.answer

    def _result(self) -> Answer | None:
        return self.answer

    def _state(self) -> tuple[int, bool]:
        return len(self.probes), self.answer is not None

    def _is_drawn(self) -> bool:
        return self._state() == self._drawn

    def _draw(self) -> None:
        self._drawn = self._state()
        probes, answer = list(self.probes), self.answer
        row = search_row(probes, answer)
        self.picture.show(row, search_sentence(probes, answer))

    def _position(self) -> str:
        if self.search is None:
            return "Starting"
        done = self.search.epochs_spent
        return f"{count(len(self.probes), 'probe')}, {done} of at most {count(self.search.longest, 'epoch')}"

    def _verdict(self) -> tuple[bool, str]:
        answer = self.answer
        if answer is None:
            return False, "Ended without an answer"
        regular = answer.ended in ("edge", "smallest", "largest")
        how = "Finished" if regular else "Stopped" if answer.ended == "stopped" else "Ended early"
        found = "no comparable c" if answer.c is None else f"c = {answer.c:g}"
        return regular, f"{how}: {found}, {count(answer.epochs_spent, 'epoch')} of probing"

    def _devices(self) -> str:
        return ", ".join(sorted({probe.device for probe in self.probes}))


# ---------------------------------------------------------------- the figure

LOOKS = {
    "comparable": palette.GRDA,
    "not comparable": palette.GRDA._replace(symbol="x"),
    "diverged": palette.Style(palette.MUTED, "solid", "triangle-down"),
}


def _kind(probe: Probe) -> str:
    """Which of ``LOOKS`` it has."""
    if probe.message:
        return "diverged"
    return "comparable" if probe.comparable else "not comparable"


def search_figure(least: float, most: float) -> go.Figure:
    """Accuracy above, zeros below, both over c: style, and traces without data."""
    ends = [0.8 * least, 1.25 * most]
    here = "c = %{x:g}: %{y:.1%}<extra></extra>"
    bars = {"type": "data", "thickness": 1, "width": 3}
    numbers = {"textposition": "top right", "textfont": {"size": 11, "color": palette.MUTED}}
    probes = [
        dots(name, look, size=11, mode="markers+text", cliponaxis=False, hovertemplate=here).update(
            error_y=bars | {"color": look.color}, **numbers
        )
        for name, look in LOOKS.items()
    ]
    zeros = dots("zeros", palette.ZERO, size=9, outline=2, cliponaxis=False, hovertemplate=here)
    decades = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    log = axis(
        log=True, range=np.log10(ends).tolist(), ticks={10.0**k: f"{10.0**k:g}" for k in decades}
    )
    return panels(
        Panel(
            band("tolerance", x=around(ends, ends)),
            line("SGD", palette.SGD, width=2, x=ends),
            *probes,
            line("choice", palette.TARGET, width=1.5),
            y=(0.45, 0.9),
            xaxis=log,
            yaxis=axis(share=True),
        ),
        Panel(
            zeros,
            line("choice2", palette.TARGET, width=1.5),
            y=(0, 0.28),
            title="Weights that are exactly zero",
            key=key("after the same epochs", palette.ZERO, "mark"),
            xaxis=log | axis("c (logarithmic)"),
            yaxis=axis(share=True),
        ),
        height=520,
        margin={"l": 56, "r": 24, "t": 40, "b": 48},
    )


def search_row(probes: Sequence[Probe], answer: Answer | None) -> dict[str, object]:
    """What ``search_figure`` draws for these probes, SGD's first."""
    sgd, tried = probes[:1], list(probes[1:])
    high = sgd[0].accuracy if sgd else math.nan
    low = high - sgd[0].tolerance if sgd else math.nan
    row: dict[str, object] = {"SGD.y": [high, high], "tolerance.y": [high, high, low, low]}
    for name in LOOKS:
        mine = [p for p in tried if _kind(p) == name]
        row[f"{name}.x"] = np.array([p.c for p in mine])
        row[f"{name}.y"] = np.array([0.0 if p.message else p.accuracy for p in mine])
        row[f"{name}.text"] = [str(1 + tried.index(p)) for p in mine]
        row[f"{name}.error_y.array"] = np.array([_own_error(p) for p in mine])
    row["zeros.x"] = np.array([p.c for p in tried])
    row["zeros.y"] = np.array([p.zeros for p in tried])
    best = max((p.c for p in tried if p.comparable), default=None)
    for name in ("choice", "choice2"):
        row[f"{name}.x"] = [best or math.nan] * 2
        row[f"{name}.y"] = [0.0, 1.0]
    row[heading_key(0)] = heading(
        "Validation images read right", _key(sgd), beside="(bars: standard error of the difference)"
    )
    row["layout.title.text"] = _title(probes, answer, best)
    return row


def _own_error(probe: Probe) -> float:
    return 0.0 if probe.message else probe.standard_error


def _key(sgd: Sequence[Probe]) -> str:
    kinds = [key(name, look, "mark") for name, look in LOOKS.items()]
    if sgd and not sgd[0].message:
        below = f"band: {in_points(sgd[0].tolerance)} below"
        kinds.insert(0, key(f"SGD {percent(sgd[0].accuracy)}, {below}", palette.SGD))
    return keys(*kinds)


def _title(probes: Sequence[Probe], answer: Answer | None, best: float | None) -> str:
    if not probes:
        return "Nothing tried yet"
    if best is None:
        return "No comparable c" if answer else "No comparable c so far"
    words = f"c = {best:g} is the greatest comparable c"
    return words if answer else f"{words} so far"


_NOTHING = (
    "Nothing has been tried yet. Each c will stand here as a numbered dot: above, what it reads beside SGD's line and "
    "the band of the tolerance; below, its zeros."
)
# As long as words get, so that the page keeps room for them: a probe, and what a search may answer.
_LONG = SimpleNamespace(
    **{"message": "", "epochs": 10, "accuracy": 0.999, "c": 0.0005, "zeros": 0.999},
    **{"comparable": False, "tolerance": 0.155, "standard_error": 0.0999},
)
_LONG_ANSWER = "The greatest c within 15.5 points of SGD after 10 epochs is 0.0005; 0.0007, the next step, is too large."


def search_sentence(probes: Sequence[Probe], answer: Answer | None) -> str:
    """What the figure shows, in words: SGD, the last probe, and the answer."""
    if not probes:
        return answer.sentence if answer else _NOTHING
    last = answer.sentence if answer else _probe_in_words(len(probes) - 1, probes[-1])
    if len(probes) == 1 and not answer:
        return _reference_in_words(probes[0])
    return last if probes[-1].message else f"{_reference_in_words(probes[0])} {last}"


def _reference_in_words(sgd: Probe) -> str:
    if sgd.message:
        return f"SGD {sgd.message}."
    after = count(sgd.epochs, "epoch")
    return f"SGD reads {percent(sgd.accuracy)} of the validation images after {after}."


def _probe_in_words(number: int, probe: Probe) -> str:
    words = f"Probe {number}, c = {probe.c:g}"
    if probe.message:
        return f"{words}: {probe.message}, so it is not comparable."
    return f"{words}: {percent(probe.accuracy)} with {percent(probe.zeros)} zeros, {_kind(probe)}."
