"""The search for c, live on the page: every probe drawn as it comes. Knows probes, trains none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Picture, coloured, palette
from grda_edu.explore.writing import percent

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
        self._least, self._most = least, most
        picture = Picture(lambda: search_figure(least, most), label=label)
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
        row = search_row(probes, answer, self._least, self._most)
        self.picture.show(row, search_sentence(probes, answer))

    def _position(self) -> str:
        if self.search is None:
            return "Starting"
        done = self.search.epochs_spent
        return (
            f"{_count(len(self.probes), 'probe')}, {done} of at most {self.search.longest} epochs"
        )

    def _verdict(self) -> tuple[bool, str]:
        answer = self.answer
        if answer is None:
            return False, "Ended without an answer"
        regular = answer.ended in ("edge", "smallest", "largest")
        spent = f"{_count(answer.epochs_spent, 'epoch')} of probing"
        return regular, f"{answer.sentence.rstrip('.')}. {spent}"

    def _devices(self) -> str:
        return ", ".join(sorted({probe.device for probe in self.probes}))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


# ---------------------------------------------------------------- the figure

_KINDS: dict[str, tuple[Callable[[Probe], bool], dict, str]] = {
    "comparable": (
        lambda p: p.comparable,
        {"color": palette.GRDA.color, "symbol": "circle", "size": 11},
        "● comparable",
    ),
    "not comparable": (
        lambda p: not p.comparable and not p.message,
        {"color": palette.GRDA.color, "symbol": "x-open", "size": 10},
        "✕ not comparable",
    ),
    "diverged": (
        lambda p: bool(p.message),
        {"color": palette.MUTED, "symbol": "triangle-down", "size": 12},
        "▼ diverged",
    ),
}


def search_figure(least: float, most: float) -> go.Figure:
    """Accuracy above, zeros below, both over c: style, and traces without data."""
    ends = [0.8 * least, 1.25 * most]
    traces = [
        go.Scatter(
            name="tolerance",
            x=[*ends, *ends[::-1]],
            mode="none",
            fill="toself",
            fillcolor=palette.BAND,
            hoverinfo="skip",
        ),
        go.Scatter(name="SGD", x=ends, mode="lines", line=palette.SGD.line(2), hoverinfo="skip"),
    ]
    for name, (_, marker, _) in _KINDS.items():
        traces.append(
            go.Scatter(
                name=name,
                mode="markers+text",
                textposition="top right",
                textfont={"size": 11, "color": palette.MUTED},
                marker=marker | {"line": {"width": 2, "color": marker["color"]}},
                error_y={"type": "data", "thickness": 1, "width": 3, "color": palette.GRDA.color},
                cliponaxis=False,
                hovertemplate="c = %{x:g}: %{y:.1%}<extra></extra>",
            )
        )
    traces.append(
        go.Scatter(
            name="zeros",
            mode="markers",
            marker={"color": palette.ZERO.color, "symbol": palette.ZERO.symbol, "size": 9}
            | {"line": {"width": 2}},
            xaxis="x2",
            yaxis="y2",
            cliponaxis=False,
            hovertemplate="c = %{x:g}: %{y:.1%} zeros<extra></extra>",
        )
    )
    for axis in ("", "2"):
        traces.append(
            go.Scatter(
                name=f"choice{axis}",
                mode="lines",
                line=palette.TARGET.line(1.5),
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                hoverinfo="skip",
            )
        )
    decades = np.arange(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    log = {"type": "log", "range": np.log10(ends).tolist()} | {
        "tickvals": (10.0**decades).tolist(),
        "ticktext": [f"{10.0**k:g}" for k in decades],
    }
    share = {"tickformat": ".0%", "range": [0, 1]}
    return palette.figure(
        *traces,
        height=520,
        margin={"l": 56, "r": 24, "t": 40, "b": 48},
        xaxis=log | {"anchor": "y"},
        yaxis=share | {"domain": [0.45, 0.9]},
        xaxis2=log | {"anchor": "y2", "title_text": "c (logarithmic)"},
        yaxis2=share | {"domain": [0, 0.28], "anchor": "x2"},
        annotations=[_heading(0.91), _heading(0.29)],
    )


def _heading(y: float) -> dict:
    place = {"x": 0, "y": y, "xref": "paper", "yref": "paper", "showarrow": False}
    return place | {
        "text": "",
        "yanchor": "bottom",
        "xanchor": "left",
        "align": "left",
        "font": {"size": 13},
    }


def search_row(
    probes: Sequence[Probe], answer: Answer | None, least: float, most: float
) -> dict[str, object]:
    """What ``search_figure`` draws for these probes, SGD's first."""
    sgd, tried = probes[:1], list(probes[1:])
    line = [sgd[0].accuracy] * 2 if sgd else [math.nan] * 2
    low = [line[0] - sgd[0].tolerance] * 2 if sgd else line
    row: dict[str, object] = {"SGD.y": line, "tolerance.y": [*line, *low]}
    for name, (is_kind, _, _) in _KINDS.items():
        mine = [p for p in tried if is_kind(p)]
        row[f"{name}.x"] = np.array([p.c for p in mine])
        row[f"{name}.y"] = np.array([0.0 if p.message else p.accuracy for p in mine])
        row[f"{name}.text"] = [str(1 + tried.index(p)) for p in mine]
        row[f"{name}.error_y.array"] = np.array([_own_error(p) for p in mine])
    row["zeros.x"] = np.array([p.c for p in tried])
    row["zeros.y"] = np.array([p.zeros for p in tried])
    best = max((p.c for p in tried if p.comparable), default=None)
    for axis in ("", "2"):
        row[f"choice{axis}.x"] = [best or math.nan] * 2
        row[f"choice{axis}.y"] = [0.0, 1.0]
    row["layout.annotations[0].text"] = _legend(sgd)
    row["layout.annotations[1].text"] = "<b>Weights that are exactly zero</b>   " + coloured(
        "○ after the same epochs", palette.ZERO
    )
    row["layout.title.text"] = _title(probes, answer, best)
    return row


def _own_error(probe: Probe) -> float:
    return 0.0 if probe.message else probe.standard_error


def _legend(sgd: Sequence[Probe]) -> str:
    words = [f'<span style="color:{m["color"]}">{text}</span>' for _, m, text in _KINDS.values()]
    if sgd and not sgd[0].message:
        reference = f"╌╌ SGD {sgd[0].accuracy:.1%}, band: {100 * sgd[0].tolerance:g} points below"
        words.insert(0, coloured(reference, palette.SGD))
    return "<b>Validation images read correctly</b><br>" + "   ".join(words)


def _title(probes: Sequence[Probe], answer: Answer | None, best: float | None) -> str:
    if not probes:
        return "Nothing tried yet"
    if best is None:
        return "No comparable c" if answer else "No comparable c so far"
    words = f"c = {best:g} is the greatest comparable c"
    return words if answer else f"{words} so far"


def search_sentence(probes: Sequence[Probe], answer: Answer | None) -> str:
    """What the figure shows, in words: SGD, the last probe, and the answer."""
    if not probes:
        return answer.sentence if answer else "Nothing has been tried yet."
    words = [_reference_in_words(probes[0])]
    if len(probes) > 1:
        words.append(_probe_in_words(len(probes) - 1, probes[-1]))
    if answer:
        words.append(answer.sentence)
    return " ".join(words)


def _reference_in_words(sgd: Probe) -> str:
    if sgd.message:
        return f"SGD {sgd.message}."
    after = _count(sgd.epochs, "epoch")
    return f"SGD reads {sgd.accuracy:.1%} of the validation images after {after}."


def _probe_in_words(number: int, probe: Probe) -> str:
    words = f"Probe {number}, c = {probe.c:g}"
    if probe.message:
        return f"{words}: {probe.message}, so it is not comparable."
    kind = "comparable" if probe.comparable else "not comparable"
    return (
        f"{words}: {probe.accuracy:.1%} with {percent(probe.zeros)} zeros, {kind}; the tolerance is "
        f"{100 * probe.tolerance:g} points, the standard error of the difference "
        f"{100 * probe.standard_error:.1f} (bars)."
    )
