"""Lesson 12's live reader: AdamW and the two spaces around it on this interpreter's documentation."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from grda_edu.checks import one_of
from grda_edu.explore import Panel, Picture, axis, key, keys, line, palette, panels
from grda_edu.explore.writing import decimal, percent
from grda_edu.views.live import LiveView

from .bits_against_zeros import LOOKS
from .word_numbers import ADAMW, DUAL, Trial, base_rates, chosen, curve, levels, recorded, steps

WAYS = (ADAMW, DUAL)


class Read(NamedTuple):
    """What one way has had so far, at each look."""

    step: list[int]
    val: list[float]  # bits per character
    zeros: list[float]


def live_reading(level: float = 0.8) -> ReadingView:
    """A view that trains the recorded transformer twice, with the recorded settings and a recorded seed.

    level: the share of zeros for which the two spaces' settings were chosen, one of those recorded.
    ValueError names those.
    """
    one_of("level", level, levels())
    return ReadingView(level)


def other_text() -> str:
    """What is to be said of this interpreter's text: nothing, where it is the recorded one."""
    from grda_edu.studies.manual import read_manual

    mine, its = f"Python {platform.python_version()}", recorded().configuration["python"]
    try:
        text = read_manual()
    except ModuleNotFoundError:
        return f"{mine} was installed without pydoc_data, the text to read: only what Python {its} read is shown."
    if text.sha256 == recorded().configuration["sha256"]:
        return ""
    return f"The text of {mine} is not that of Python {its}, which the recording read: its numbers differ."


class ReadingView(LiveView[dict[str, Read]]):
    """Bits per character and zeros of both ways, drawn while they train; ``wait()`` returns them."""

    def __init__(self, level: float) -> None:
        self._trials = {way: _trial(way, level) for way in WAYS}
        self._seed = int(recorded().configuration["seeds"][0])
        self._note = other_text()
        label = "A transformer on this interpreter's documentation, live, beside the recording"
        end = Read([int(steps()[-1])], [2.5], [0.8])
        longest = {"sentence": [_row(dict.fromkeys(WAYS, end), self._note)[1]]}
        picture = Picture(lambda: _figure(self._trials, self._seed), label=label, longest=longest)
        super().__init__(
            self._read, picture, self._note or "Press Start to train on this computer."
        )

    def _read(self, progress: Callable, stop: threading.Event) -> dict[str, Read]:
        from grda_edu.studies.manual import read_manual
        from grda_edu.studies.words import BY_NAME, Reading
        from grda_edu.training.device import one_thread

        text, reading = read_manual(), Reading(**recorded().configuration["reading"])
        made: dict[str, Read] = {}

        def train(way: str, begin: float) -> None:
            def watch(learned: Any, step: int) -> bool:
                made[way] = Read(list(learned.step), list(learned.val), list(learned.zeros))
                done = begin + step / reading.steps / len(WAYS)
                progress(dict(made), done, f"{way}: step {step:,} of {reading.steps:,}")
                return stop.is_set()

            reading.train(BY_NAME[way], *self._trials[way][1:], self._seed, text, watch)

        with one_thread():
            for k, way in enumerate(WAYS):
                if not stop.is_set():
                    train(way, k / len(WAYS))
        return made

    def _forget(self) -> None:
        self.made: dict[str, Read] = {}
        self._drawn = -1

    def _take(self, result: Mapping[str, Read]) -> None:
        self.made = dict(result)

    def _result(self) -> dict[str, Read]:
        return self.made

    def _looks(self) -> int:
        return sum(len(one.step) for one in self.made.values())

    def _is_drawn(self) -> bool:
        return self._drawn == self._looks()

    def _draw(self) -> None:
        self._drawn = self._looks()
        self.picture.show(*_row(self.made, self._note))

    def _position(self) -> str:
        return f"Looked {self._looks()} times"

    def _verdict(self) -> tuple[bool, str]:
        done = self._looks() == len(WAYS) * len(steps())
        return done, "Finished" if done else "Stopped"

    def _devices(self) -> str:
        return "cpu" if self.made else ""


def _trial(way: str, level: float) -> Trial:
    """The recorded settings: of the nearest level that the trials reached."""
    there = [found for at in levels() if (found := chosen(way, at))]
    return chosen(way, level) or there[-1]


def _figure(trials: Mapping[str, Trial], seed: int) -> go.Figure:
    both = {"val": "Bits per character, validation", "zeros": "Weights that are exactly zero"}
    parts: dict[str, list[go.Scatter]] = {
        what: [
            made
            for way in WAYS
            for made in (
                line(
                    f"recorded {way} {what}",
                    LOOKS[way]._replace(dash="dot"),
                    width=1.5,
                    x=steps(),
                    y=curve(trials[way], what, seed),
                ),
                line(f"{way} {what}", LOOKS[way]._replace(dash="solid"), width=3),
            )
        ]
        for what in both
    }
    pairs = base_rates()["pairs"]
    rate = palette.TARGET._replace(dash="dash")
    ends = [0, steps()[-1]]
    parts["val"].append(line("pairs", rate, width=1.5, x=ends, y=[pairs, pairs]))
    names = [key(way, LOOKS[way]._replace(dash="solid")) for way in WAYS]
    recorded_ones = key("recorded", palette.Style(palette.MUTED, "dot", "circle"))
    return panels(
        Panel(
            *parts["val"],
            x=(0, 0.46),
            title=both["val"],
            key=keys(*names, recorded_ones, key("pairs of characters", rate)),
            xaxis=axis("step", ends),
            yaxis=axis(range=(1.9, 7.1)),
        ),
        Panel(
            *parts["zeros"],
            x=(0.58, 1),
            title=both["zeros"],
            xaxis=axis("step", ends),
            yaxis=axis(share=True),
        ),
        height=360,
    )


def _row(made: Mapping[str, Read], note: str) -> tuple[dict[str, object], str]:
    row: dict[str, object] = {"layout.title.text": "Live"}
    for way in WAYS:
        one = made.get(way, Read([], [], []))
        for what in ("val", "zeros"):
            row[f"{way} {what}.x"] = np.array(one.step, float)
            row[f"{way} {what}.y"] = np.array(getattr(one, what), float)
    said = [
        f"{way} after {one.step[-1]:,} steps: {decimal(one.val[-1])} bits, {percent(one.zeros[-1])} zeros"
        for way, one in made.items()
    ]
    told = (
        f"{'; '.join(said)}."
        if said
        else "Nothing has been trained yet. Dotted lines are recorded."
    )
    return row, f"{told} {note}".strip()
