"""The two rules for choosing, without the training: the greatest comparable c, and when to stop.

Both are functions of accuracies, measured live (``tune``) or recorded. numpy only.
"""

import math
from collections.abc import Callable, Generator, Sequence

import numpy as np

from grda_edu.checks import number, refuse, vectors, whole
from grda_edu.training.run import Run

STEPS = (1.0, 1.5, 2.0, 3.0, 5.0)
"""Of each power of ten: values of c that differ by about one half."""
GROWTH = 10.0  # how far c is raised at once as long as it is comparable


def greatest_comparable(
    steps: Sequence[float], growth: float = GROWTH
) -> Generator[float, bool, None]:
    """Which c to try next: yields it, and is sent whether it was comparable.

    ``growth`` times as large as long as c is comparable, then half-way between the greatest
    comparable and the smallest c that was not, until they are neighbours. It ends when nothing is
    left to try; the greatest comparable c is then the last that was answered with True.

    Args:
        steps: values of c, rising.
        growth: how far c is raised at once.

    Yields:
        The next c to try.
    """
    low, high = -1, len(steps)  # positions: greatest comparable, smallest that is not
    k = 0
    while high - low > 1:
        if (yield steps[k]):
            low = k
        else:
            high = k
        if high < len(steps):
            k = (low + high) // 2
        elif low + 1 < high:
            within = [i for i, c in enumerate(steps) if c <= growth * steps[low] * (1 + 1e-9)]
            k = max(low + 1, within[-1])


def choose(comparable: Callable[[float], bool], steps: Sequence[float]) -> float | None:
    """The c on which ``greatest_comparable`` settles when ``comparable(c)`` answers it."""
    candidates, best = greatest_comparable(steps), None
    c = next(candidates)
    while True:
        answer = bool(comparable(c))
        best = c if answer else best
        try:
            c = candidates.send(answer)
        except StopIteration:
            return best


def longest_way(steps: Sequence[float]) -> int:
    """How many of the steps are tried at most, wherever the edge is."""

    def tried(edge: int) -> int:
        seen: list[float] = []

        def comparable(c: float) -> bool:
            seen.append(c)
            return steps.index(c) < edge

        choose(comparable, steps)
        return len(seen)

    return max(tried(edge) for edge in range(len(steps) + 1))


def c_steps(start: float = 1e-4, largest: float = 0.1) -> tuple[float, ...]:
    """Values from ``start`` to ``largest`` by 1-1.5-2-3-5 steps; both ends are among them.

    Args:
        start: the first, > 0.
        largest: the last, not below the first.

    Returns:
        The values, rising.

    Raises:
        ValueError: unless 0 < start <= largest < infinity.

    Examples:
        >>> c_steps(0.01, 0.1)
        (0.01, 0.015, 0.02, 0.03, 0.05, 0.1)
    """
    for name, value in (("start", start), ("largest", largest)):
        number(name, value, "> 0")
    if largest < start:
        refuse("largest", largest, f"a finite number >= start = {start!r}")
    powers = range(math.floor(math.log10(start)), math.ceil(math.log10(largest)) + 1)
    round_ones = (float(f"{step}e{power}") for power in powers for step in STEPS)
    inner = (c for c in round_ones if start * (1 + 1e-9) < c < largest * (1 - 1e-9))
    return tuple(dict.fromkeys((float(start), *inner, float(largest))))


def is_comparable(difference: float, tolerance: float) -> bool:
    """Is a difference of accuracies no worse than -tolerance? Never for NaN."""
    return difference >= -tolerance - 1e-9  # 1e-9: a tolerance of whole images is kept to


def in_points(share: float) -> str:
    """A tolerance as it is read, in points of accuracy.

    >>> in_points(0.01), in_points(0.15), in_points(0.005)
    ('1 point', '15 points', '0.5 points')
    """
    return f"{100 * share:g} point{'' if math.isclose(share, 0.01) else 's'}"


def difference_error(one: float, other: float, images: int) -> float:
    """Standard error of the difference of two accuracies: √((p(1-p) + q(1-q))/n).

    It says how far the difference would move with other held-out images, as if the two networks
    were measured on different ones. On the same images it is smaller, the more so the more often
    both are wrong about the same image. What initial weights and batch order do comes on top.

    Args:
        one: an accuracy p, from 0 to 1.
        other: the other, q.
        images: on how many, n, both were measured.

    Returns:
        The standard error, in the units of the accuracies.

    Examples:
        >>> difference_error(0.5, 0.5, images=200)
        0.05
    """
    return math.sqrt((one * (1 - one) + other * (1 - other)) / images)


def stopping_epoch(accuracy: Sequence[float], patience: int = 5, tolerance: float = 0.005) -> int:
    """When to stop: the first epoch by which accuracy has not risen for ``patience`` epochs.

    "Stop when the accuracy stabilises" (item 8 of the authors' response), made definite. A rise
    counts if it exceeds the best accuracy so far by more than ``tolerance``.

    Args:
        accuracy: on the validation images; entry k is that of the network after epoch k.
        patience: how many epochs without a rise are enough, ≥ 1.
        tolerance: what is no rise, from 0 to below 1.

    Returns:
        That epoch, or the last one where the accuracy goes on rising.

    Raises:
        ValueError: for an empty trace, a NaN in it, or a setting out of range.

    Examples:
        The last rise comes with epoch 2; five epochs later it is enough:

        >>> stopping_epoch([0.1, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
        7
    """
    trace = np.asarray(accuracy, dtype=float)
    vectors(accuracy=trace)
    whole("patience", patience, 1)
    number("tolerance", tolerance, "[0, 1)")
    best, since = trace[0], 0
    for epoch in range(1, len(trace)):
        if trace[epoch] > best + tolerance + 1e-9:
            best, since = trace[epoch], epoch
        elif epoch - since >= patience:
            return epoch
    return len(trace) - 1


def stopping_regret(run: Run, epoch: int) -> tuple[float, float]:
    """What stopping after ``epoch`` lost against going on to the run's end.

    Args:
        run: to its end.
        epoch: one of its epochs.

    Returns:
        (test accuracy, share of zeros) at the end minus those at ``epoch``: positive is lost.

    Raises:
        ValueError: if the run has no such epoch.
    """
    whole("epoch", epoch, 0, len(run.epoch) - 1)
    zeros = run.total_zeros
    return (
        float(run.test_accuracy[-1] - run.test_accuracy[epoch]),
        float(zeros[-1] - zeros[epoch]),
    )
