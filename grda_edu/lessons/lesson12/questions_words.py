"""Lesson 12's prediction about the transformer, answered by its recording."""

from __future__ import annotations

from grda_edu.course import Prediction
from grda_edu.explore.writing import decimal, percent

from .word_numbers import ADAMW, DUAL, SGD, bits, chosen, dense, zeros

LEVEL = 0.7  # of zeros, at which it is asked
ALIKE = 0.05  # bits
_OPTIMIZER, _ZEROS = "SGD in the place of AdamW", "seven of ten weights zero"
_BOTH = "about the same, within a twentieth of a bit"


def costs() -> tuple[float, float]:
    """Bits on test above AdamW's: of SGD without zeros, and of the two spaces around AdamW."""
    trial = chosen(DUAL, LEVEL)
    assert trial is not None
    return dense(SGD) - dense(ADAMW), float(bits(trial).mean()) - dense(ADAMW)


def what_costs_more() -> str:
    """Which option of the prediction the recording shows."""
    optimizer, sparse = costs()
    if abs(optimizer - sparse) < ALIKE:
        return _BOTH
    return _OPTIMIZER if optimizer > sparse else _ZEROS


def _words() -> dict[str, str]:
    trial = chosen(DUAL, LEVEL)
    assert trial is not None
    return {
        "adamw": decimal(dense(ADAMW)),
        "sgd": decimal(dense(SGD)),
        "dual": decimal(bits(trial).mean()),
        "zeros": percent(zeros(trial).mean()),
    }


PREDICTIONS = {
    "words_cost": Prediction(
        title="what costs a transformer more",
        question=(
            "AdamW trains the transformer. Now change one thing: train it with SGD instead, every weight alive, at the best "
            "of nine learning rates; or put the two spaces around AdamW, so that seven of ten weights become zero. Which "
            "costs more bits per character?"
        ),
        answer=what_costs_more,
        options={
            _OPTIMIZER: "Then gRDA, which takes SGD's steps, starts far behind.",
            _ZEROS: "Seven of ten is a lot, and no theory promises anything.",
            _BOTH: "Then it would not matter here what the two spaces stand on.",
        },
        explanation=(
            "On test, means of three seeds: AdamW {adamw} bits; SGD {sgd}; the two spaces around AdamW {dual}, with "
            "{zeros} zeros."
        ),
        values=_words,
    ),
}

OBJECTIVES = {
    "say what a transformer loses by its optimizer, and what by zeros": "words_cost",
}
