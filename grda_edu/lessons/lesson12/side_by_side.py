"""Lesson 12's live view of several processes: their zeros beside those of one, and their printed lines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu import recordings
from grda_edu.checks import whole
from grda_edu.explore import (
    Panel,
    Picture,
    axis,
    dots,
    heading,
    heading_key,
    key,
    keys,
    palette,
    panels,
)
from grda_edu.explore.writing import count, power
from grda_edu.sparse.clock import processor
from grda_edu.studies.two_processes import (
    DDP,
    SHARDED,
    Agreement,
    TwoProcesses,
    agreement,
    dead_of,
    in_one_process,
    in_several,
    zeros_of,
)
from grda_edu.training.processes import ProcessesError
from grda_edu.views.live import LiveView

ONE = "one process"
STRIPS = {  # what a strip shows -> the way, and the process; of sharded weights both put them together
    ONE: (ONE, 0),
    f"{DDP}, process 0": (DDP, 0),
    f"{DDP}, process 1": (DDP, 1),
    f"{SHARDED}, both halves": (SHARDED, 0),
}
CLOSE = 1e-6  # weights that differ by less are the same but for rounding
ROWS, COLUMNS = 10, 64
_ENDS = (-1, COLUMNS), (-0.8, ROWS - 0.2)  # of the axes


@dataclass(frozen=True)
class Outcome:
    """What a way left: dead weights of the last layer, a strip each, and how it agrees with one process."""

    dead: tuple[np.ndarray, ...]  # bool [10, 64] each
    zeros: int
    found: Agreement | None = None  # None for the one process itself


def two_processes(port: int | None = None) -> ProcessesView:
    """A view that trains on two processes of this computer, twice, and compares them with one.

    port: where the processes meet, if not at any that is free. ValueError names one that cannot be.
    """
    if port is not None:
        whole("port", port, 1, 65535)
    return ProcessesView(port)


class ProcessesView(LiveView[dict[str, Outcome]]):
    """The zeros of one process, of two with DDP, of two with fully_shard; ``wait()`` returns them."""

    def __init__(self, port: int | None) -> None:
        self._port, self._settings = port, TwoProcesses()
        picture = Picture(_figure, label="Zeros of the last layer on one process and on two")
        super().__init__(self._train, picture, "Press Start to train on two processes here.")

    def _train(self, progress: Callable, stop: threading.Event) -> dict[str, Outcome]:
        settings, made = self._settings, dict[str, Outcome]()
        progress(made, 0.0, "One process, in this kernel")
        one = in_one_process(settings, stop)
        if stop.is_set():
            return made
        made[ONE] = _outcome([one], None)
        for k, way in enumerate((DDP, SHARDED)):
            print(f"--- {way}")
            lines: list[str] = []

            def hear(line: str, k: int = k, way: str = way, lines: list = lines) -> None:
                print(line)
                lines.append(line)
                part = min(1.0, len(lines) / LINES)
                progress(dict(made), 0.04 + 0.48 * (k + part), f"{way}, two processes")

            progress(dict(made), 0.04 + 0.48 * k, f"{way}, two processes are starting")
            try:
                states = in_several(settings, way, hear=hear, port=self._port, stop=stop)
            except ProcessesError as error:
                self.obstacle = str(error)
                return made
            if not states:
                return made
            made[way] = _outcome(states, agreement(states, one))
            for line in said_of(way, made[way].found):
                print(line)
        return made

    def _forget(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.obstacle = ""
        self._drawn = -1

    def _take(self, result: dict[str, Outcome]) -> None:
        self.outcomes = result

    def _result(self) -> dict[str, Outcome]:
        return self.outcomes

    def _is_drawn(self) -> bool:
        return self._drawn == len(self.outcomes)

    def _draw(self) -> None:
        self._drawn = len(self.outcomes)
        self.picture.show(*_row(self.outcomes))

    def _position(self) -> str:
        return f"{len(self.outcomes)} of 3 trainings" if self.outcomes else "Starting"

    def _verdict(self) -> tuple[bool, str]:
        if self.obstacle:
            first, *more = self.obstacle.splitlines()
            below = " (below the figure)" if more else ""
            return False, f"Not run: {first}{below}. What is marked as recorded stays"
        done = len(self.outcomes) == 3
        return done, "Finished: compared" if done else "Stopped"

    def _devices(self) -> str:
        return processor() if self.outcomes else ""


LINES = 13  # that the example prints here: a greeting, an epoch each, and eight weights


def _outcome(states: list[dict], found: Agreement | None) -> Outcome:
    return Outcome(tuple(dead_of(s) for s in states), int(zeros_of(states[0]).sum()), found)


def said_of(way: str, found: Agreement | None) -> list[str]:
    """How processes agree, in words."""
    if found is None:
        return []
    same = "the same" if found.thresholds else "not all the same"
    place = "none" if not found.moved else f"{found.moved:,}"
    return [
        f"{way}: thresholds are {same} on all processes, and in one process.",
        f"{way}: weights that are zero on one and not on another: {place}.",
        f"{way}: largest difference of a weight, between processes {_size(found.apart)}, "
        f"from one process {_size(found.from_one)}.",
    ]


def _size(difference: float) -> str:
    return power(difference, 1) if difference else "0"


@cache
def recorded() -> dict[str, Outcome]:
    """What was recorded of each way, the one process among them."""
    made = recordings.load_measurements("two_processes")
    found = {}
    for k, way in enumerate(made.configuration["ways"]):
        zeros, dead = made.arrays["zeros"][k], made.arrays["dead"][k]
        apart, from_one = map(float, made.arrays["differences"][k])
        moved, same = int(made.arrays["moved"][k]), bool(made.arrays["thresholds"][k])
        found[ONE] = Outcome((dead[0],), int(zeros[0].sum()))
        how = Agreement(zeros[1:], apart, from_one, moved, same)
        found[way] = Outcome(tuple(dead[1:]), int(zeros[1].sum()), how)
    return found


# ------------------------------------------------- the figure


def _figure() -> go.Figure:
    across, down = (axis(range=(low, high), hidden=True) for low, high in _ENDS)
    height = 1 / len(STRIPS)
    parts = []
    for k, name in enumerate(STRIPS):
        top = 1 - k * height
        drawn = (
            dots(f"alive {name}", palette.INK, size=3),
            dots(f"zero {name}", palette.ZERO, size=7, outline=1.2),
        )
        place = (top - height + 0.005, top - 0.06)
        parts.append(Panel(*drawn, y=place, title=name, xaxis=across, yaxis=down))
    return panels(*parts, height=548, margin={"l": 8, "r": 8, "t": 40, "b": 8})


def _row(live: dict[str, Outcome]) -> tuple[dict[str, object], str]:
    shown = {**recorded(), **live}
    row: dict[str, object] = {}
    for k, (name, (way, process)) in enumerate(STRIPS.items()):
        dead = shown[way].dead[process]
        for kind, where in (("alive", ~dead), ("zero", dead)):
            rows, columns = np.nonzero(where)
            row[f"{kind} {name}.x"], row[f"{kind} {name}.y"] = columns, ROWS - 1 - rows
        words = keys(
            key(f"{int(dead.sum())} zeros", palette.ZERO, "mark"),
            key("alive", palette.INK, "mark"),
        )
        row[heading_key(k)] = heading(
            name, words, beside="(on this computer)" if way in live else "(recorded)"
        )
    row["layout.title.text"] = "Weights of the last layer: ten digits, 64 hidden units"
    return row, _sentence(shown, live)


def _sentence(shown: dict[str, Outcome], live: dict[str, Outcome]) -> str:
    where = "Recorded" if not live else "On this computer" if len(live) == 3 else "Partly recorded"
    said = [f"{where}: one process has {shown[ONE].zeros:,} zeros"]
    for way in (DDP, SHARDED):
        found = shown[way].found
        assert found is not None
        places = (
            "all at the same places"
            if not found.moved
            else f"{count(found.moved, 'weight')} of them elsewhere"
        )
        said.append(
            f"two with {way} have {shown[way].zeros:,}, {places}, and no weight differs by more than "
            f"{_size(max(found.apart, found.from_one))}"
        )
    return "; ".join(said) + "."
