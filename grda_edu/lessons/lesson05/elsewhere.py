"""Lesson 05: the rule where the right c is another, beside two that do not probe."""

from __future__ import annotations

import numpy as np

from grda_edu.explore import TextTable
from grda_edu.explore.writing import decimal, span
from grda_edu.recordings import RunGrid
from grda_edu.training.search import EPOCHS, TOLERANCE

from .numbers import (
    ELSEWHERE,
    RIVAL_C,
    RIVAL_MU,
    elsewhere,
    greatest_at_full_length,
    held_out,
    hits,
    hits_by_chance,
    hits_of_constant,
)


def rivals() -> TextTable:
    """How often the rule, one c for all and a c by chance are within one step, by setting."""
    rows = [_row("as before", [held_out()])]
    rows += [_row(words, [elsewhere()[name]]) for name, words in ELSEWHERE.items()]
    rows.append(_row("these four together", list(elsewhere().values())))
    return TextTable(
        rows,
        ("training", "the right c", "the rule", f"always c = {RIVAL_C:g}", "c by chance"),
        f"Picks within one step for μ = {RIVAL_MU:g}; the rule with {EPOCHS} epochs and "
        f"{100 * TOLERANCE:g} points",
    )


def _row(words: str, grids: list[RunGrid]) -> tuple[str, ...]:
    of = sum(len(runs.seeds) for runs in grids)
    by_rule = sum(hits(runs, RIVAL_MU, EPOCHS, TOLERANCE) for runs in grids)
    constant, chance = (sum(f(runs) for runs in grids) for f in (hits_of_constant, hits_by_chance))
    right = np.concatenate([_right(runs) for runs in grids])
    return (
        words,
        span(right.min(), right.max(), lambda c: f"{c:g}"),
        f"{by_rule} of {of}",
        f"{constant} of {of}",
        f"{decimal(chance, 1)} of {of}",
    )


def _right(runs: RunGrid) -> np.ndarray:
    """The right c of each seed, [S]; 0 where there is none."""
    return np.array([0.0, *runs.c[1:]])[greatest_at_full_length(runs, RIVAL_MU) + 1]
