"""What the transformers on Python's own documentation say: bits, zeros, and the trials before.

All come from the recordings "words_search" and "words"; nothing here is typed in.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from grda_edu import recordings
from grda_edu.recordings import Measurements

Trial = tuple[str, float, float]  # way, learning rate, strength
SGD, ADAMW, DUAL = "SGD", "AdamW", "two spaces around AdamW"
GRADUAL = "gradual magnitude, AdamW"
PRUNING = ("gRDA", "gRDAM", DUAL, GRADUAL)
DENSE = (SGD, "SGD with momentum", ADAMW)


@cache
def recorded() -> Measurements:
    """What the search chose, trained anew. RecordingError names the command that makes it again."""
    return recordings.load_measurements("words")


@cache
def searched() -> Measurements:
    """Every way's trials."""
    return recordings.load_measurements("words_search")


def levels() -> list[float]:
    """The shares of zeros at which the best trial was chosen."""
    return list(recorded().configuration["levels"])


def base_rates() -> dict[str, float]:
    """Bits per character of what needs no training."""
    return dict(recorded().configuration["base_rates"])


def steps() -> np.ndarray:
    """At which the validation part was looked at."""
    reading = searched().configuration["reading"]
    return np.linspace(0, reading["steps"], reading["looks"] + 1)


def trials(way: str) -> list[Trial]:
    """All that was tried of a way: every learning rate with every strength."""
    tried = searched().configuration["trials"]
    return [(name, lr, strength) for name, lr, strength, _ in tried if name == way]


def tried(trial: Trial, what: str = "val") -> float:
    """What a trial had at its end: "val", bits on validation, or "zeros"."""
    rows = [tuple(row[:3]) for row in searched().configuration["trials"]]
    return float(searched().arrays[what][rows.index(trial), -1])


def chosen(way: str, level: float) -> Trial | None:
    """The trial that was best on validation with so many zeros; of a dense way the best."""
    asked = 0.0 if way in DENSE else level
    for at, *trial in recorded().configuration["chosen"]:
        if trial[0] == way and at == asked:
            return tuple(trial)
    return None


def _rows(trial: Trial) -> list[int]:
    runs = [tuple(row[:3]) for row in recorded().configuration["trials"]]
    return [k for k, run in enumerate(runs) if run == trial]


def bits(trial: Trial) -> np.ndarray:
    """Bits per character on the test part, by seed: float [S]."""
    return recorded().arrays["test"][_rows(trial)].astype(float)


def zeros(trial: Trial) -> np.ndarray:
    """Share of zeros among matrices and embeddings at the end, by seed: float [S]."""
    return recorded().arrays["zeros"][_rows(trial), -1].astype(float)


def curve(trial: Trial, what: str, seed: int) -> np.ndarray:
    """ "val" or "zeros" at each look of one run: float [looks + 1]."""
    runs = [tuple(row) for row in recorded().configuration["trials"]]
    return recorded().arrays[what][runs.index((*trial, seed))].astype(float)


def dense(way: str) -> float:
    """Bits on test of a way without zeros, mean of the seeds."""
    trial = chosen(way, 0.0)
    assert trial is not None, way
    return float(bits(trial).mean())


def frontier(way: str) -> list[Trial]:
    """What was chosen of a way, each once, with rising zeros."""
    found = dict.fromkeys(filter(None, (chosen(way, level) for level in levels())))
    return sorted(found, key=lambda trial: float(zeros(trial).mean()))
