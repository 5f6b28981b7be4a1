"""Lesson 11's predictions, exercises and objectives."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore.writing import percent, significant
from grda_edu.studies.smaller import BY_UNIT, BY_WEIGHT, GRADUAL, PROXIMAL

from .numbers import (
    NINE_TENTHS,
    PREDICTED_LAYER,
    checkpoint_bytes,
    chosen,
    removed_speedup,
    single_speedup,
    sizes_left,
    speedup_of_many,
    ways,
    zeros_of_networks,
)

GIVEN_UP = 0.01  # of the validation accuracy, in the last prediction


def size_of_file() -> str:
    """Which option of the first prediction the bytes show."""
    sizes = checkpoint_bytes()
    ratio = sizes["sparse"] / sizes["dense"]
    if ratio < 0.25:
        return "about a tenth"
    return "about half" if ratio < 0.75 else "the same"


def _file_values() -> dict[str, str]:
    return {name: f"{size:,}" for name, size in checkpoint_bytes().items()}


def speed_of_single() -> str:
    """Which option of the second prediction the recorded times show."""
    ratio = single_speedup()
    if ratio < 1.25:
        return "no faster, or hardly"
    return "two or three times as fast" if ratio < 5 else "ten times as fast"


def left_by_ways() -> dict[str, float]:
    """Way -> parameters left by its choice, mean of the seeds."""
    found = {way: chosen(way, GIVEN_UP) for way in ways()}
    return {way: float(sizes_left()[k].mean()) for way, k in found.items() if k is not None}


def zeros_by_ways() -> dict[str, float]:
    """Way -> share of zeros of its choice, mean of the seeds."""
    found = {way: chosen(way, GIVEN_UP) for way in ways()}
    return {way: float(zeros_of_networks()[k].mean()) for way, k in found.items() if k is not None}


_SHORT = {"unit": BY_UNIT, "proximal": PROXIMAL, "weight": BY_WEIGHT, "gradual": GRADUAL}


def _smallest_values() -> dict[str, str]:
    left, zeros = left_by_ways(), zeros_by_ways()
    return {short: f"{left[way]:,.0f}" for short, way in _SHORT.items()} | {
        f"{short}_zeros": percent(zeros[way], 0) for short, way in _SHORT.items()
    }


PREDICTIONS = {
    "file": Prediction(
        title="how large the file is",
        question=(
            "gRDA leaves nine of ten weights of the digits network at zero. You write it with torch.save. How "
            "large is the file, beside that of the network that SGD trained?"
        ),
        answer=size_of_file,
        options={
            "about a tenth": "A zero is a number of four bytes like any other, as long as nobody treats it apart.",
            "about half": "That would take a file that says where the zeros are. torch.save writes every entry.",
            "the same": "torch.save writes every entry, four bytes each, whatever it is.",
        },
        explanation="{sparse} bytes with the zeros, {dense} without. save_sparse, below, takes {packed}.",
        values=_file_values,
    ),
    "single": Prediction(
        title="how fast a sparse layer is",
        question=(
            f"A layer of {PREDICTED_LAYER[0]:,} inputs and outputs, {percent(NINE_TENTHS, 0)} of its weights zero "
            "at random places. You leave the zeros out (CSR) and give it one input at a time. How fast is it, beside "
            "the dense layer?"
        ),
        answer=speed_of_single,
        options={
            "ten times as fast": "Ten times fewer multiplications, but each first looks up where its weight belongs.",
            "two or three times as fast": "Recorded with 128 inputs at a time: {many} times. One input at a time is another matter.",
            "no faster, or hardly": "Each weight that is left looks up its place first, and dense code runs in order.",
        },
        explanation=(
            "Recorded: {csr} times as fast as dense. As few weights in a smaller dense layer: {removed} times."
        ),
        values=lambda: {
            "csr": significant(single_speedup()),
            "removed": significant(removed_speedup()),
            "many": significant(speedup_of_many()),
        },
    ),
    "smallest": Prediction(
        title="which network is the smallest",
        question=(
            "Four ways of making zeros, each as strong as one point of validation accuracy allows, and then all dead "
            "units removed. Gradual magnitude pruning makes the most zeros, then gRDA, proximal ℓ1, and gRDA by unit the "
            "fewest. Which leaves the fewest parameters in a dense network?"
        ),
        answer=lambda: min(left_by_ways(), key=lambda way: left_by_ways()[way]),
        options={
            GRADUAL: "It has {gradual_zeros} zeros, but they lie everywhere: most rows keep a weight.",
            BY_WEIGHT: "Of its {weight_zeros} zeros more stand in whole rows than with magnitude. But each dies alone.",
            PROXIMAL: "It does empty more units than gRDA, with {proximal_zeros} zeros.",
            BY_UNIT: "With {unit_zeros} zeros: its rows die as a whole, so that each zero counts.",
        },
        explanation=(
            "Parameters left, means of three seeds: by unit {unit}, proximal ℓ1 {proximal}, gRDA {weight}, "
            "gradual magnitude {gradual}."
        ),
        values=_smallest_values,
    ),
}


# ------------------------------------------------- exercises


def bitmask_bytes(w):
    """The solution that the learner may compare with."""
    return -(-w.size // 8) + 4 * np.count_nonzero(w)


def _written(w: np.ndarray) -> int:
    """By writing it."""
    flat = np.asarray(w, np.float32).ravel()
    return len(np.packbits(flat != 0).tobytes() + flat[flat != 0].tobytes())


def remove_unit(w1, b1, w2, b2, unit):
    """The solution that the learner may compare with."""
    constant = max(b1[unit], 0)
    b2 = b2 + w2[:, unit] * constant
    return np.delete(w1, unit, 0), np.delete(b1, unit), np.delete(w2, unit, 1), b2


def _removed(w1, b1, w2, b2, unit):
    """By asking the second layer what it gives when only this unit speaks."""
    alive = np.arange(len(b1)) != unit
    only = np.where(alive, 0.0, np.maximum(b1, 0.0))
    return w1[alive], b1[alive], w2[:, alive], w2 @ only + b2


_W = np.array([[0.0, 1.5, 0.0], [0.0, 0.0, -2.0]], np.float32)
_FIRST = np.array([[1.0, -2.0], [0.0, 0.0], [0.5, 3.0]])
_SECOND = np.array([[1.0, 4.0, -1.0], [2.0, -3.0, 0.5]])
_B2 = np.array([0.1, -0.2])
EXERCISES = {
    "bitmask_bytes": Exercise(
        title="the size of bitmask and values",
        task=(
            "Write `bitmask_bytes(w)`: how many bytes a file takes that has one bit for each weight of the array `w`, "
            "filled up to whole bytes, and four bytes for each weight that is not zero."
        ),
        solution=bitmask_bytes,
        oracle=_written,
        cases=(
            Case((np.zeros(8, np.float32),), 1, "Eight bits are one byte, and no value is kept."),
            Case((np.ones(8, np.float32),), 33, "Eight values of four bytes, and the mask."),
            Case((np.zeros(9, np.float32),), 2, "Nine bits need a second byte."),
            Case((_W,), why="All entries of a matrix count, not its rows."),
            Case((np.array([0.0, -0.5, 0.25] * 40, np.float32),), why="Negative values live too."),
        ),
        hints=(
            "Two parts: the mask depends on the number of entries alone, the values on the living ones.",
            "Whole bytes for n bits: `(n + 7) // 8`.",
            "`(w.size + 7) // 8 + 4 * np.count_nonzero(w)`",
        ),
        done="Every format that skips zeros is such a sum: what says where, and what says how much.",
    ),
    "remove_unit": Exercise(
        title="remove a dead unit",
        task=(
            "A layer gives `h = relu(w1 @ x + b1)`, the next one `w2 @ h + b2`. All weights `w1[unit]` are zero. Write "
            "`remove_unit(w1, b1, w2, b2, unit)`: the smaller `w1, b1, w2, b2` with the same outputs for every `x`."
        ),
        solution=remove_unit,
        oracle=_removed,
        cases=(
            Case(
                (_FIRST, np.array([0.3, 0.0, -0.1]), _SECOND, _B2, 1),
                why="With a bias of zero the unit gives zero: a row goes, and the column that heard it.",
            ),
            Case(
                (_FIRST, np.array([0.3, 0.7, -0.1]), _SECOND, _B2, 1),
                why="A positive bias is a constant that the next layer hears. It has to go somewhere.",
            ),
            Case(
                (_FIRST, np.array([0.3, -0.7, -0.1]), _SECOND, _B2, 1),
                why="The ReLU comes first: a negative bias gives zero.",
            ),
            Case(
                (_FIRST[[1, 0, 2]], np.array([0.4, 0.7, -0.1]), _SECOND, _B2, 0),
                why="The unit may be the first one.",
            ),
        ),
        hints=(
            "What does the unit give for any x? Call it `constant`.",
            "The next layer adds `w2[:, unit] * constant` to its sum, always. So may its bias.",
            "`np.delete(w1, unit, 0)` and `np.delete(b1, unit)` drop the row, `np.delete(w2, unit, 1)` the column.",
        ),
        done="`compact` does this for every dead unit, in convolutions and batch norms too.",
    ),
}

OBJECTIVES = {
    "say what a file of zeros takes, and why": "file",
    "say when leaving zeros out makes a layer faster": "single",
    "say which zeros make a network smaller": "smallest",
    "compute the size of a file that skips zeros": "bitmask_bytes",
    "remove a dead unit without changing an output": "remove_unit",
}
