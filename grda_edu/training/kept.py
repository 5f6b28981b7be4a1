"""A long training that survives its process: kept in a folder as it goes on, and gone on with from there."""

import re
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from threading import Event
from typing import Any

from torch import nn
from torch.optim import Optimizer

from grda_edu.checks import whole
from grda_edu.data import Data
from grda_edu.training.checkpoint import Checkpoint
from grda_edu.training.interrupt import Stop, gentle
from grda_edu.training.loop import Progress, check_same, describe, train
from grda_edu.training.run import Run

RUN, CHECKPOINT = ".run.npz", ".checkpoint.npz"


def train_kept(
    model: nn.Module,
    data: Data,
    make_optimizer: Callable[[list[nn.Parameter]], Optimizer],
    folder: str | PathLike[str],
    *,
    epochs: int,
    batch_size: int = 32,
    seed: int = 0,
    every: int = 1000,
    stop: Event | Stop | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Run:
    """``train``, with the training kept after each epoch and every so many steps.

    Called again with the same arguments it goes on from what the folder holds, whatever ended it: an
    interrupt, an error, a process that was killed. On the same machine the weights at the end are bit
    for bit those of a training that was never interrupted.

    Args:
        model: as of ``train``; its weights are replaced by those that were kept.
        data: as of ``train``.
        make_optimizer: as of ``train``.
        folder: where this training is kept, and nothing else; made if it lacks.
        epochs: as of ``train``.
        batch_size: as of ``train``.
        seed: as of ``train``.
        every: steps after which it is kept, also inside an epoch.
        stop: as of ``train``.
        progress: as of ``train``.
        settings: the other arguments of ``train``.

    Returns:
        The history, with its checkpoint.

    Raises:
        ValueError: for arguments that cannot be used or are not those of the training that was kept,
            and for a damaged file in the folder.
        Interrupted: after an interrupt, once the training is kept.
        OSError: where the folder cannot be written.
    """
    whole("every", every, 1)
    whole("batch_size", batch_size, 1)
    folder = Path(folder)
    batches = -(-len(data.y_train) // batch_size)
    run = kept_run(folder)
    if run is not None and run.epoch[-1] == epochs:  # nothing is left to do: of these arguments?
        optimizer = make_optimizer([p for p in model.parameters() if p.requires_grad])
        check_same(run, describe(model, data, optimizer, epochs, batch_size, seed))
        model.load_state_dict(run.checkpoint.model)
        return run
    with gentle(stop) as end:
        while run is None or run.epoch[-1] != epochs:
            done = run.checkpoint.batch if run is not None else 0
            run = train(
                *(model, data, make_optimizer),
                epochs=epochs,
                batch_size=batch_size,
                seed=seed,
                stop=_After(min(every, batches - done), end),
                progress=progress,
                resume=run,
                **settings,
            )
            _keep(run, folder, batches)
            if end.is_set() or run.message.startswith("diverged"):
                break
        again = f"calling train_kept again with folder = {str(folder)!r}"
        end.conclude(run, f"the training {run.message or 'came to its end'}", again)
    return run


def kept_run(folder: str | PathLike[str]) -> Run | None:
    """What ``train_kept`` has in this folder.

    Args:
        folder: of the training.

    Returns:
        The last state that was kept whole, with its checkpoint; None where there is none.

    Raises:
        ValueError: names the file that is damaged.
    """
    paths = _runs(Path(folder))
    if not paths:
        return None
    run = Run.load(paths[-1])
    run.checkpoint = Checkpoint.load(_checkpoint(paths[-1]))
    return run


class _After(Event):
    """Ends a training after some steps, or with another stop. ``train`` asks once before each step."""

    def __init__(self, steps: int, other: Stop) -> None:
        super().__init__()
        self.left, self.other = steps, other

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0 or self.other.is_set()


def _keep(run: Run, folder: Path, batches: int) -> None:
    """The checkpoint first: where there is a run, both are whole. Then what they replace goes."""
    folder.mkdir(parents=True, exist_ok=True)
    step = run.checkpoint.epoch * batches + run.checkpoint.batch
    path = folder / f"{step:010}{RUN}"
    run.checkpoint.save(_checkpoint(path))
    run.save(path)
    for old in _runs(folder)[:-1]:
        old.unlink()
    for file in folder.glob(
        f"*{CHECKPOINT}*"
    ):  # with what a process that was killed left unfinished
        if file != _checkpoint(path):
            file.unlink()


def _runs(folder: Path) -> list[Path]:
    """What is there whole, oldest first."""
    found = folder.glob(f"*{RUN}")
    return sorted(path for path in found if re.fullmatch(r"\d+", path.name.removesuffix(RUN)))


def _checkpoint(run: Path) -> Path:
    return run.with_name(run.name.removesuffix(RUN) + CHECKPOINT)
