"""sweep() beside a loop of train() over the same 24 networks."""

import statistics
import time
from collections.abc import Callable

from grda_edu.data import Data, digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.training.device import one_thread
from grda_edu.training.grids import sweep
from grda_edu.training.loop import train

EPOCHS, BATCH, ROUNDS, LR = 2, 32, 5, 0.1
C, MU, SEEDS = (0.0, 0.005, 0.01, 0.02), (0.51, 0.6), (0, 1, 2)


def together(data: Data) -> None:
    sweep(
        digits_cnn,
        data,
        c=C,
        mu=MU,
        seeds=SEEDS,
        lr=LR,
        epochs=EPOCHS,
        batch_size=BATCH,
        device="cpu",
    )


def one_by_one(data: Data) -> None:
    for c in C:
        for mu in MU:
            for seed in SEEDS:
                train(
                    digits_cnn(seed),
                    data,
                    lambda parameters, c=c, mu=mu: GRDA(parameters, lr=LR, c=c, mu=mu),
                    epochs=EPOCHS,
                    batch_size=BATCH,
                    seed=seed,
                    device="cpu",
                )


def seconds(run: Callable[[Data], None], data: Data) -> float:
    """Processor time: other programs do not count, though they take their share of the caches."""
    began = time.process_time()
    run(data)
    return time.process_time() - began


def main() -> None:
    """Print the ratio; its median over interleaved rounds withstands a busy machine."""
    data = digits()
    with one_thread():
        pairs = [(seconds(one_by_one, data), seconds(together, data)) for _ in range(ROUNDS)]
    ratio = statistics.median(loop / ours for loop, ours in pairs)
    best = min(loop for loop, _ in pairs), min(ours for _, ours in pairs)
    networks = len(C) * len(MU) * len(SEEDS)
    print(
        f"{networks} networks (digits CNN, batch {BATCH}, {EPOCHS} epochs), one thread, {ROUNDS} rounds"
    )
    print(
        f"  loop over train() / sweep()    median {ratio:5.2f}   of the best {best[0] / best[1]:5.2f}"
    )
    print("                                 reach: at least 2.0")
    print(f"  sweep(), a network and epoch   {1e3 * best[1] / networks / EPOCHS:5.0f} ms")


if __name__ == "__main__":
    main()
