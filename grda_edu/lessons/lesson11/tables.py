"""Lesson 11's tables: files as people write them, and the networks of the last figure timed here."""

from __future__ import annotations

import math

import torch
from torch import nn

from grda_edu.explore import TextTable
from grda_edu.explore.writing import decimal, percent, significant
from grda_edu.sparse.clock import processor, seconds_of
from grda_edu.sparse.compaction import compact
from grda_edu.studies.smaller import ALONE
from grda_edu.training.device import one_thread
from grda_edu.zeros import sparsity

from .numbers import (
    PACKED,
    accuracy,
    checkpoint_bytes,
    chosen,
    file_bytes,
    images,
    multiplications,
    network,
    outputs,
    recipes,
    seeds,
    ways,
)


def files() -> TextTable:
    """The recorded gRDA network in the files that people write, beside SGD's, in bytes."""
    sizes, zeros = checkpoint_bytes(), sparsity(network())
    rows = {
        "SGD, torch.save": sizes["dense"],
        "gRDA, torch.save": sizes["sparse"],
        "gRDA, torch.save with the optimizer": sizes["checkpoint"],
        "gRDA, save_sparse": sizes["packed"],
    }
    return TextTable(
        [(name, f"{n:,}", percent(n / sizes["dense"], 0)) for name, n in rows.items()],
        ("file", "bytes", "of SGD's"),
        f"{percent(zeros)} of gRDA's weights are zero",
    )


def left_over(given_up: float = 0.01, seed: int = 0) -> TextTable:
    """For each way the network chosen in the figure, without its dead units: sizes, time, outputs.

    given_up: validation accuracy below SGD's; seed: a recorded one. Milliseconds are measured now.
    """
    picked = {way: chosen(way, given_up) for way in ways()}
    found = [(ALONE, 0.0), *(recipes()[k] for k in picked.values() if k is not None)]
    small = {recipe[0]: compact(network(*recipe, seed)).model for recipe in found}
    x = images().x_test
    calls = {way: (lambda model=model: model(x)) for way, model in small.items()}
    with one_thread(), torch.inference_mode():
        seconds = seconds_of(calls, budget=1.0)
    head = (
        "way",
        "test",
        "zeros",
        "parameters left",
        "multiplications",
        "largest difference",
        "kB",
        "ms",
    )
    rows = [_row(*recipe, seed, small[recipe[0]], seconds[recipe[0]]) for recipe in found]
    rows += [(way, *["none"] * (len(head) - 1)) for way, k in picked.items() if k is None]
    return TextTable(
        rows,
        head,
        f"{decimal(100 * given_up, 1)} points given up, seed {seed}; {len(images().y_test)} test images at once, "
        f"one thread on {processor()}",
    )


def _row(way: str, strength: float, seed: int, small: nn.Module, seconds: float) -> tuple[str, ...]:
    whole_one = network(way, strength, seed)
    apart = float((outputs(small) - outputs(whole_one)).abs().max())
    return (
        way,
        percent(float(accuracy(way, strength)[seeds().index(seed)])),
        percent(sparsity(whole_one)),
        f"{sum(p.numel() for p in small.parameters()):,}",
        f"{multiplications(small):,}",
        significant(apart, 1),
        decimal(file_bytes(small)[PACKED] / 1000, 1),
        "not timed" if math.isnan(seconds) else decimal(1000 * seconds, 1),
    )
