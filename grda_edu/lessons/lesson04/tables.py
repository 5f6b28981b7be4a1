"""Lesson 04's tables: who reaches the goal, and whose weights have to be pushed."""

from __future__ import annotations

from grda_edu.explore import TextTable
from grda_edu.explore.writing import count, decimal, percent

from .numbers import MU, C, above_at_start, final_threshold, goal_cells, grid, initial_sizes, steps


def who_reaches_the_goal() -> TextTable:
    """Which recorded pairs (c, μ) reach the goal, seed by seed."""
    rows = [
        (f"seed {seed}", ", ".join(f"({c:g}, {mu:g})" for c, mu in cells) or "none")
        for seed, cells in goal_cells().items()
    ]
    return TextTable(rows, ("", "pairs (c, μ) that reach the goal"))


def who_must_be_pushed() -> TextTable:
    """By layer, how many initial weights exceed the final threshold, and how many live."""
    runs, threshold = grid(), final_threshold()
    seed = int(runs.seeds[0])
    alive = 1 - runs.run(C, MU, seed).zeros[-1] / runs.sizes
    rows = [
        (name, decimal(initial_sizes()[name][-1], 3), percent(above, 0), percent(share, 0))
        for (name, above), share in zip(above_at_start(threshold).items(), alive, strict=True)
        if name.endswith("weight")
    ]
    head = (
        "layer",
        "largest at the start",
        "above the final threshold at the start",
        f"alive after epoch {int(runs.epoch[-1])}",
    )
    ends = f"the threshold ends at {decimal(threshold, 3)} after {count(steps(), 'step')}"
    return TextTable(rows, head, f"c = {C:g}, μ = {MU:g}, seed {seed}: {ends}")
