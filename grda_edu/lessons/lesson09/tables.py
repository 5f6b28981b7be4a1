"""Lesson 09's tables: how long the moves are, how high the hills, how steep the directions."""

from __future__ import annotations

from functools import partial

import numpy as np

from grda_edu.explore import TextTable
from grda_edu.explore.writing import decimal, percent

from .looks import over_seeds
from .numbers import (
    MASKED,
    PATHS,
    barrier,
    ends_by_chance,
    masked,
    network,
    paths,
    seeds,
    steep_shares,
    values,
    worst,
)

_three = partial(decimal, digits=3)


def how_far() -> TextTable:
    """How long the moves between the recorded networks are, beside the weights themselves."""
    zeros, names = paths().arrays["zeros"], paths().configuration["networks"]
    lengths = {
        "length of all of SGD's weights": values("grda", "norm"),
        "length of the move SGD → gRDA": values("grda", "distance"),
        "length of SGD → SGD, other batches": values("batches", "distance"),
        "length of SGD → SGD, another start": values("start", "distance"),
    }
    rows = [(words, over_seeds(v, partial(decimal, digits=1))) for words, v in lengths.items()]
    for name, words in (("grda", "gRDA"), ("sgd", "SGD")):
        share = zeros[:, names.index(name)] / len(network(name))
        rows.append((f"zeros in {words}'s network", over_seeds(share, percent)))
    return TextTable(rows, ("what", f"over {len(seeds())} recorded seeds"))


def barriers() -> TextTable:
    """The barrier of each straight line, and the height of its higher end."""
    rows = [
        (label, over_seeds(worst(pair, "ends"), _three), over_seeds(barrier(pair), _three))
        for pair, label in PATHS.items()
    ]
    header = ("straight line", "higher end", "barrier above it")
    return TextTable(rows, header, f"Training loss, ranges over {len(seeds())} seeds")


def which_zeros() -> TextTable:
    """SGD with a mask from the first step on: end, barrier, and the end of its random signs."""
    rows = []
    for end, words in MASKED.items():
        height, hill, signs = masked(end)
        one = partial(decimal, digits=1)
        rows.append(
            (words, *(over_seeds(v, _three) for v in (height, hill)), over_seeds(signs, one))
        )
    return TextTable(
        rows,
        ("SGD, from the first step with", "its end", "barrier", "its move with random signs"),
        f"Training loss, ranges over {len(seeds())} seeds (of the signs, medians)",
    )


def by_chance() -> TextTable:
    """How high ends drawn by chance lie, in multiples of gRDA's."""
    kinds = {"signs": "gRDA's sizes, signs by chance", "direction": "a direction by chance"}
    rows = []
    for kind, words in kinds.items():
        times = ends_by_chance(kind)
        rows.append(
            (
                words,
                over_seeds(np.median(times, axis=1), partial(decimal, digits=1)),
                decimal(times.min(), 1),
            )
        )
    return TextTable(
        rows,
        ("the end", "median of a seed's draws", "least of all"),
        f"Training loss there, in multiples of gRDA's: {times.shape[1]} draws for each of "
        f"{len(seeds())} seeds, all as far from SGD as gRDA is",
    )


def steep_part() -> TextTable:
    """The share of each move in the ten steepest directions, beside that of chance."""
    rows = [(PATHS[pair], decimal(share, 4)) for pair, share in steep_shares().items()]
    size = len(network("sgd"))
    rows.append((f"a random direction, √(10/{size:,})", decimal(np.sqrt(10 / size), 4)))
    caption = (
        f"Share of the move in the ten steepest directions at SGD's weights, seed {seeds()[0]}"
    )
    return TextTable(rows, ("move", "share"), caption)
