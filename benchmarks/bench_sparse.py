"""What the zeros of a gRDA-trained digits CNN buy: parameters, time and bytes, against dense in one run."""

import statistics
import time

import torch
from torch import Tensor, nn

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.sparse.compaction import compact
from grda_edu.sparse.storage import file_sizes
from grda_edu.training.device import one_thread
from grda_edu.training.loop import train
from grda_edu.zeros import sparsity

EPOCHS, ROUNDS = 60, 15


@torch.no_grad()
def seconds(model: nn.Module, x: Tensor) -> float:
    """Processor time of one pass over the images."""
    began = time.process_time()
    model(x)
    return time.process_time() - began


def main() -> None:
    model, data = digits_cnn(0), digits()
    train(
        model,
        data,
        lambda parameters: GRDA(parameters, lr=0.1, c=0.025, mu=0.7),
        epochs=EPOCHS,
        device="cpu",
    )
    made = compact(model)
    x = torch.cat([data.x_train, data.x_val, data.x_test])
    with one_thread(), torch.no_grad():
        apart = float((made.model.eval()(x) - model.eval()(x)).abs().max())
        pairs = [(seconds(model, x), seconds(made.model, x)) for _ in range(ROUNDS)]
    faster = statistics.median(dense / small for dense, small in pairs)
    before, after = made.parameters
    print(f"digits CNN, {sparsity(model):.1%} zeros, {len(x)} images, one thread")
    print(f"  parameters, dense / compact   {before / after:5.2f}   reach: 3.5 at 94 % zeros")
    print(f"  time, dense / compact         {faster:5.2f}   reach: above 1")
    print(f"  outputs apart by at most      {apart:.1e}   reach: 1e-5")
    for name, size in file_sizes(model).items():
        print(f"  bytes a weight, {name:16}{size / before:5.2f}")
    w = torch.randn(1000, 1000) * (torch.rand(1000, 1000) >= 0.9)
    print(
        f"  a million weights at 90 %     {file_sizes({'w': w})['save_sparse'] / 1e6:5.2f}   reach: .55"
    )


if __name__ == "__main__":
    main()
