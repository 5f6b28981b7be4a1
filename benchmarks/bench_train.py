"""train() beside a bare loop that does the same steps and the same evaluations."""

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grda_edu.data import Data, digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.training.device import one_thread
from grda_edu.training.loop import train

EPOCHS, BATCH, ROUNDS = 4, 32, 7
HYPERPARAMETERS = {"lr": 0.1, "c": 0.02, "mu": 0.65}


def watched(model: nn.Module, data: Data) -> None:
    """train() with everything a live page asks of it."""
    train(
        model,
        data,
        lambda parameters: GRDA(parameters, **HYPERPARAMETERS),
        epochs=EPOCHS,
        batch_size=BATCH,
        device="cpu",
        progress=lambda run, fraction: None,
    )


def bare(model: nn.Module, data: Data) -> None:
    """What one would write by hand."""
    optimizer = GRDA(model.parameters(), **HYPERPARAMETERS)
    generator = torch.Generator().manual_seed(0)
    evaluate_by_hand(model, data)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(data.y_train), generator=generator).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(data.x_train[batch]), data.y_train[batch]).backward()
            optimizer.step()
        evaluate_by_hand(model, data)


@torch.no_grad()
def evaluate_by_hand(model: nn.Module, data: Data) -> None:
    for part in ("train", "val", "test"):
        images, labels = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        outputs = torch.cat([model(some) for some in images.split(128)])
        cross_entropy(outputs, labels).item()
        (outputs.argmax(dim=1) == labels).sum().item()


def seconds(run: Callable[[nn.Module, Data], None], data: Data) -> float:
    """Processor time: neither side waits for anything, and other programs do not count."""
    model = digits_cnn()
    began = time.process_time()
    run(model, data)
    return time.process_time() - began


def main() -> None:
    """Print the ratio; its median over interleaved rounds withstands a busy machine."""
    data = digits()
    with one_thread():
        seconds(bare, data)
        pairs = [(seconds(watched, data), seconds(bare, data)) for _ in range(ROUNDS)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    best = min(mine for mine, _ in pairs), min(theirs for _, theirs in pairs)
    print(f"training, digits CNN, one thread, {EPOCHS} epochs, {ROUNDS} rounds, processor time")
    print(f"  train() / bare loop    median {ratio:5.3f}   of the best {best[0] / best[1]:5.3f}")
    print("                         reach: at most 1.10")
    print(f"  train(), an epoch      {best[0] / EPOCHS:5.3f} s")


if __name__ == "__main__":
    main()
