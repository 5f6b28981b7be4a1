"""Lesson 09's pairs of networks: how each path is drawn, and how ranges over the seeds are written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grda_edu.explore import palette, writing

LEVEL = palette.Style(palette.NEGATIVE, "dash", "line-ew")  # the loss to stay below
STYLES = {  # pair of the recording -> how its path is drawn
    "grda": palette.GRDA,
    "gradual": palette.MAGNITUDE,
    "batches": palette.SGD,
    "start": palette.SGD,
    "matched": palette.SGD,
    "grda_start": palette.GRDA,
    "mask": palette.ZERO,
    "magnitude": palette.MAGNITUDE,
    "signs": palette.RDA,
}


def over_seeds(numbers: np.ndarray, write: Callable[[float], str] = writing.loss) -> str:
    """ "0.02 to 0.03": the least and the largest of [S], or one number where both read the same."""
    return writing.span(float(np.min(numbers)), float(np.max(numbers)), write)
