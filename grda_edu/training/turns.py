"""Several trainings that go on beside each other: one epoch each, in turns."""

import threading
from collections.abc import Callable, Mapping

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from grda_edu.data import Data
from grda_edu.training.loop import train
from grda_edu.training.run import Run

MakeOptimizer = Callable[[list[nn.Parameter]], Optimizer]


def train_in_turns(
    make_model: Callable[[int], nn.Module],
    data: Data,
    optimizers: Mapping[str, MakeOptimizer],
    *,
    epochs: int,
    seed: int,
    progress: Callable[[dict[str, Run], float], object],
    stop: threading.Event,
    make_scheduler: Callable[[Optimizer], LRScheduler] | None = None,
) -> dict[str, Run]:
    """Train a network with each optimizer, one epoch each in turn, so that they can be watched side by side.

    One that diverges drops out, the others go on. Each run is the one that ``train`` alone would
    have made: all start at the same weights and see the same batches.

    Args:
        make_model: ``make_model(seed)`` makes the network, the same for each optimizer.
        data: what they are trained and measured on.
        optimizers: name -> what makes the optimizer from a list of parameters.
        epochs: passes through the training images, for each.
        seed: of the weights and of the order of the images.
        progress: called as ``progress(runs so far, fraction of all epochs)``.
        stop: setting it ends the training before the next batch; the runs' messages say where.
        make_scheduler: a learning-rate schedule for each, as ``train`` takes it.

    Returns:
        Name -> Run, in the order of ``optimizers``; without those that had not begun when it was stopped.

    Raises:
        ValueError, TypeError: as ``train`` does.
    """
    models = {name: make_model(seed) for name in optimizers}
    runs: dict[str, Run] = {}

    def report_of(name: str) -> Callable[[Run, float], object]:
        def report(run: Run, _: float) -> None:
            now = runs | {name: run}
            done = sum(int(r.epoch[-1]) for r in now.values())
            progress(now, done / (epochs * len(optimizers)))

        return report

    for epoch in range(1, epochs + 1):
        for name, make in optimizers.items():
            former = runs.get(name)
            if stop.is_set() or (former is not None and former.message):
                continue
            runs[name] = train(
                models[name],
                data,
                make,
                epochs=epoch,
                seed=seed,
                make_scheduler=make_scheduler,
                progress=report_of(name),
                stop=stop,
                resume=former,
            )
            runs[name].configuration["epochs"] = epochs  # of which this was a part
    for run in runs.values():
        if not run.finished and not run.message:  # Stop came between two of its epochs
            run.message = f"stopped after epoch {run.epoch[-1]}"
    return runs
