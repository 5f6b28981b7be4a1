"""The goal of lesson 04, live: zeros and accuracy of gRDA beside SGD, over paired seeds."""

import statistics
import sys
import time
from collections.abc import Callable, Iterator

import torch

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.training.loop import train
from grda_edu.training.run import Run

CELL = (0.02, 0.65)  # c, mu: the cell of the recorded grid that reaches the goal
SEEDS = range(6)


def live(c: float, mu: float, seed: int) -> Run:
    """60 epochs on one thread; the seed decides initial weights and batches, c and mu neither."""
    return train(
        digits_cnn(seed),
        digits(),
        lambda parameters: GRDA(parameters, lr=0.1, c=c, mu=mu),
        epochs=60,
        seed=seed,
        device="cpu",
    )


def pairs(c: float, mu: float, sgd: Callable[[int], Run]) -> Iterator[tuple[float, float, float]]:
    """For each seed: accuracy gained on SGD (points), zeros (%), seconds of the gRDA run.

    Seconds are processor time, equal to waiting time on an idle core; both are printed.
    """
    for seed in SEEDS:
        began = time.process_time()
        run, seconds = live(c, mu, seed), time.process_time() - began
        beside = sgd(seed)
        gained = 100 * (run.test_accuracy[-1] - beside.test_accuracy[-1])
        zeros = 100 * run.total_zeros[-1]
        print(
            f"  seed {seed}: SGD {beside.test_accuracy[-1]:6.2%}, gRDA {run.test_accuracy[-1]:6.2%} "
            f"({gained:+5.2f} points), {zeros:5.2f} % zeros, "
            f"{seconds:5.1f} s (waited {run.seconds[-1]:.1f} s)",
            flush=True,
        )
        yield gained, zeros, seconds


def main(*cells: tuple[float, float]) -> None:
    """Check the goal for the given cells (c, mu); without any, for the one that reaches it."""
    print("digits CNN, lr 0.1, batches of 32, 60 epochs, one thread, test accuracy")
    before: dict[int, Run] = {}

    def sgd(seed: int) -> Run:
        if seed not in before:
            before[seed] = live(0.0, CELL[1], seed)  # c = 0 is SGD
        return before[seed]

    for c, mu in cells or [CELL]:
        print(f"c = {c:g}, mu = {mu:g}")
        gained, zeros, seconds = zip(*pairs(c, mu, sgd), strict=True)
        for name, values, goal in [
            ("points gained on SGD", gained, "reach: mean at least -1"),
            ("zeros, %", zeros, "reach: mean at least 90"),
            ("seconds a run", seconds, "reach: at most 15 each"),
        ]:
            spread = statistics.stdev(values)
            print(
                f"  {name:21s} mean {statistics.mean(values):6.2f}, standard deviation {spread:4.2f}, "
                f"from {min(values):.2f} to {max(values):.2f}  ({goal})"
            )


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*[tuple(map(float, cell.split(","))) for cell in sys.argv[1:]])  # type: ignore[arg-type]
