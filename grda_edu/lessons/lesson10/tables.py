"""Lesson 10's tables: ways in pairs, batch norm, and the optimal brain surgeon."""

from __future__ import annotations

import numpy as np

from grda_edu.course import veiled
from grda_edu.explore import TextTable
from grda_edu.explore.writing import loss, percent

from .looks import with_error
from .numbers import (
    RETRAINED,
    SCRATCH,
    Way,
    level,
    minus,
    name_of,
    right,
    seeds,
    sparsities,
    surgeon,
    ways,
)
from .numbers import batch_norm as norm_numbers

COMPARED = (0.9, 0.95, 0.98)
REFERENCE = (RETRAINED, "magnitude")
SURGEON_AT = (0.7, 0.8, 0.9)


@veiled("10.retrained_order", "10.budget")
def in_pairs() -> TextTable:
    """Every trained way minus magnitude cut once and retrained, seed by seed."""
    shown = dict.fromkeys([*ways(RETRAINED), *ways(SCRATCH)])
    rows = [
        (name_of(way), *(_difference(way, share) for share in COMPARED))
        for way in shown
        if way != REFERENCE
    ]
    header = ("way", *(f"{percent(share, 0)} zeros" for share in COMPARED))
    return TextTable(
        rows,
        header,
        f"Points of test accuracy minus “magnitude” retrained, paired over {len(seeds())} seeds: mean ± standard error",
    )


def _difference(way: Way, share: float) -> str:
    k = level(share)
    own = right(*way)[:, k]
    return "none" if np.isnan(own).any() else with_error(minus(own, right(*REFERENCE)[:, k]))


def batch_norm() -> TextTable:
    """A network with batch norm, cut by magnitude: its statistics as they were, and renewed."""
    rows = [
        (percent(share, 0), *(percent(value) for value in row))
        for share, row in zip((0.0, *sparsities()), norm_numbers(), strict=True)
    ]
    header = ("zeros", "statistics of before the cut", "statistics renewed")
    return TextTable(rows, header, "Test images read right, not retrained, one seed")


def surgeon_beside() -> TextTable:
    """The optimal brain surgeon on the small network, beside steps and magnitude."""
    names = {"obs": "OBS, one at a time", "steps": "directional, steps", "magnitude": "magnitude"}
    rows = [
        (
            words,
            *(
                f"{percent(float(surgeon(way, 'test_accuracy', share).mean()))}, "
                f"loss {loss(float(np.exp(np.log(surgeon(way, 'train_loss', share)).mean())))}"
                for share in SURGEON_AT
            ),
        )
        for way, words in names.items()
    ]
    header = ("way", *(f"{percent(share, 0)} zeros" for share in SURGEON_AT))
    caption = "1,370 weights, not retrained: test images read right, training loss (five seeds)"
    return TextTable(rows, header, caption)
