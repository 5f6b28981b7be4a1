"""What a float32 accumulator buys under bfloat16 weights: accuracy and zeros on digits, three seeds.

bfloat16 has 8 bits: what is added to a number is lost below 1/512 of it. The smaller the learning rate,
the more of the steps are, and a longer run does not make up for it. c is larger at small rates, so that
something dies there too. Processes train beside each other; the numbers do not depend on how many.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import mean

import torch
from torch.nn.functional import cross_entropy

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.zeros import sparsity

SEEDS, BATCH, MU = (0, 1, 2), 32, 0.65
FORMS: dict[str, tuple[torch.dtype, torch.dtype | None]] = {
    "float32": (torch.float32, None),
    "bfloat16": (torch.bfloat16, None),
    "bfloat16, float32 accumulator": (torch.bfloat16, torch.float32),
}
SETTINGS = ((0.1, 0.02, 20), (0.01, 0.06, 20), (0.003, 0.1, 80))  # lr, c, epochs


def trained(form: str, lr: float, c: float, epochs: int, seed: int) -> tuple[float, float]:
    """Accuracy on the test images and share of zeros at the end, both in percent."""
    torch.set_num_threads(1)
    dtype, accumulator_dtype = FORMS[form]
    data, model = digits(), digits_cnn(seed).to(dtype)
    images, generator = data.x_train.to(dtype), torch.Generator().manual_seed(seed)
    optimizer = GRDA(model.parameters(), lr, c, MU, accumulator_dtype=accumulator_dtype)
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=generator).split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(images[batch]), data.y_train[batch]).backward()
            optimizer.step()
    with torch.no_grad():
        right = model(data.x_test.to(dtype)).argmax(dim=1) == data.y_test
    return 100 * float(right.double().mean()), 100 * sparsity(model)


def rows(processes: int | None = None) -> Iterator[tuple[float, float, int, str, list[float]]]:
    """lr, c, epochs, form, and accuracy and zeros of each seed, one after the other."""
    cells = [(form, *setting, seed) for setting in SETTINGS for form in FORMS for seed in SEEDS]
    cells.sort(key=lambda cell: -cell[3])  # the longest first
    with ProcessPoolExecutor(processes or os.cpu_count(), get_context("spawn")) as pool:
        ends = dict(zip(cells, pool.map(trained, *zip(*cells, strict=True)), strict=True))
    for setting in SETTINGS:
        for form in FORMS:
            yield *setting, form, [x for seed in SEEDS for x in ends[form, *setting, seed]]


def main() -> None:
    print(f"digits CNN, mu = {MU}, seeds {SEEDS}: mean (each seed), in percent")
    print(f"{'lr':>6}{'c':>6}{'epochs':>8}  {'weights':<31}{'accuracy':<28}{'zeros'}")
    for lr, c, epochs, form, ends in rows():
        seen = (
            f"{mean(of):5.1f} ({', '.join(f'{x:.1f}' for x in of)})"
            for of in (ends[::2], ends[1::2])
        )
        accuracy, zeros = seen
        print(f"{lr:>6}{c:>6}{epochs:>8}  {form:<31}{accuracy:<28}{zeros}", flush=True)


if __name__ == "__main__":
    main()
