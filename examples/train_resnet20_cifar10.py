"""ResNet-20 on CIFAR-10 with gRDA, c = .01 and μ = .7: the small network of the authors' response.

    python examples/train_resnet20_cifar10.py --download    # once: 170 MB, checksum verified
    python examples/train_resnet20_cifar10.py

The training is kept in ``--folder`` after each epoch and every ``--every`` steps. However it ends, by
Ctrl-C, by a power cut or by ``kill -9``, the same command goes on from there, and on the same machine
the weights at the end are bit for bit those of a training that was never interrupted. It takes a GPU
if there is one; on one core of a CPU an epoch is minutes.

The authors report 90.19 % of the test images right at 90.46 % zeros, and 89.12 % for SGD without momentum
and weight decay; for how many epochs and under which schedule they do not say.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from torch import nn

from grda_edu import (
    GRDA,
    download_cifar10,
    resnet20,
    save_sparse,
    sparsity,
    train_kept,
    zeros_by_layer,
)
from grda_edu.cifar import DamagedArchive, cifar10, read_cifar10
from grda_edu.images import RandomCropAndFlip, Standardised
from grda_edu.training.run import Run

SECONDS_BETWEEN_LINES = 10.0


class Lines:
    """A line after each epoch, and every few seconds where the training stands."""

    def __init__(self, epochs: int) -> None:
        self.epochs, self.epoch, self.last = epochs, -1, time.monotonic()

    def __call__(self, run: Run, fraction: float) -> None:
        """Say what is new in ``run``; ``fraction`` of all steps are done."""
        epoch, now = int(run.epoch[-1]), time.monotonic()
        if epoch != self.epoch:
            self.epoch, self.last = epoch, now
            print(
                f"epoch {epoch}/{self.epochs}  training loss {run.train_loss[-1]:.4f}  "
                f"test {run.test_accuracy[-1]:.2%}  zeros {run.total_zeros[-1]:.2%}  "
                f"{run.seconds[-1]:.0f} s",
                flush=True,
            )
        elif now - self.last > SECONDS_BETWEEN_LINES:
            self.last = now
            print(f"    {fraction:.1%} of all steps", flush=True)


def main() -> int:
    """Fetch the data, or train, from where the last training was kept."""
    options = _options()
    try:
        if options.download:
            download_cifar10(options.data)
            return 0
        if options.archive:
            data = read_cifar10(options.archive, name=f"cifar10 of {options.archive.name}")
        else:
            data = cifar10(options.data)
    except (DamagedArchive, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1

    model = nn.Sequential(
        RandomCropAndFlip(), Standardised.of(data.x_train), resnet20(options.seed, channels=3)
    )
    print(f"{len(data.y_train):,} images, kept in {options.folder}", flush=True)
    try:
        run = train_kept(
            *(model, data),
            lambda parameters: GRDA(parameters, lr=options.lr, c=options.c, mu=options.mu),
            options.folder,
            epochs=options.epochs,
            batch_size=options.batch_size,
            seed=options.seed,
            every=options.every,
            device=options.device,
            measured=min(5000, len(data.y_train)),
            progress=Lines(options.epochs),
        )
    except KeyboardInterrupt as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        print("Kept. The same command goes on from there.", file=sys.stderr)
        return 130
    if run.message:
        print(run.message, file=sys.stderr)
        return 1
    for name, (zeros, size) in zeros_by_layer(model).items():
        print(f"{name:24} {zeros:7,} of {size:7,} are zero")
    path = options.folder / "resnet20.grda"
    save_sparse(model[-1], path)
    print(
        f"test {run.test_accuracy[-1]:.2%} at {sparsity(model):.2%} zeros, on {run.device}, at the last "
        f"epoch; {path} has {path.stat().st_size:,} bytes"
    )
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--download", action="store_true", help="fetch CIFAR-10, and nothing else")
    parser.add_argument("--data", type=Path, help="folder of CIFAR-10's archive")
    parser.add_argument("--archive", type=Path, help="an archive of your own in the same format")
    parser.add_argument("--folder", type=Path, default=Path("resnet20-cifar10"))
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--c", type=float, default=0.01)
    parser.add_argument("--mu", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=200, help="steps after which it is kept")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
