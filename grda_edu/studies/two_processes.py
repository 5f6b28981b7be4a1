"""One training on one process and on two: the same batches, the same zeros."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.sparse.clock import processor
from grda_edu.sparse.storage import load_sparse
from grda_edu.training.device import one_thread
from grda_edu.training.processes import example, torchrun

SCRIPT = "train_distributed.py"
DDP, SHARDED = "DDP", "fully_shard"
WAYS: dict[str, list[str]] = {DDP: [], SHARDED: ["--shard"]}
THRESHOLD = "threshold of "  # before a weight's name in what a process writes
State = Mapping[str, Tensor]  # a process's weights, and its threshold of each


@dataclass(frozen=True)
class Agreement:
    """What several processes have in common, with each other and with one that trained alone."""

    zeros: np.ndarray  # int [processes, layers]
    apart: float  # largest difference of a weight between two of the processes
    from_one: float  # and from the one that trained alone
    moved: int  # weights that are zero on one of all of them and not on another
    thresholds: bool  # all are equal


@dataclass(frozen=True)
class TwoProcesses:
    """The example for several processes, at a size for a page, in every way."""

    epochs: int = 3
    batch_size: int = 32
    lr: float = 0.1
    c: float = 0.02
    mu: float = 0.65
    seed: int = 0
    processes: int = 2
    data: str = "digits"
    model: str = "digits_cnn"

    def cells(self) -> Iterator[str]:
        yield from WAYS

    def label(self, cell: str) -> str:
        return cell

    def measure(self, cell: str) -> dict[str, Any]:
        one = in_one_process(self)
        states = in_several(self, cell)
        found = agreement(states, one)
        return {
            "zeros": np.concatenate([zeros_of(one)[None], found.zeros]),
            "dead": np.stack([dead_of(state) for state in (one, *states)]),
            "differences": np.array([found.apart, found.from_one]),
            "moved": np.array(found.moved),
            "thresholds": np.array(found.thresholds),
        }

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """Of each way.

        Zeros [ways, 1 + processes, layers], the one process first; the dead of the last layer
        [ways, 1 + processes, 10, 64]; both differences [ways, 2]; moved and thresholds [ways].
        """
        settings = {name: getattr(self, name) for name in self.__dataclass_fields__}
        about = settings | {"ways": list(WAYS), "processor": processor()}
        return {
            "about": {"configuration": about},
            **{name: np.stack([piece[name] for piece in pieces]) for name in pieces[0]},
        }


def in_one_process(settings: TwoProcesses, stop: Event | None = None) -> dict[str, Tensor]:
    """Train here, without any of torch.distributed, on the batches that the example takes.

    Args:
        settings: of the training.
        stop: setting it ends the training early.

    Returns:
        Weights and thresholds as a process of the example writes them.
    """
    data, model = digits(), digits_cnn(settings.seed)
    optimizer = GRDA(model.parameters(), lr=settings.lr, c=settings.c, mu=settings.mu)
    x, y = data.x_train, data.y_train
    with one_thread():
        for epoch in range(settings.epochs):
            generator = torch.Generator().manual_seed(1_000_003 * settings.seed + epoch)
            for batch in torch.randperm(len(y), generator=generator).split(settings.batch_size):
                if len(batch) < settings.batch_size or (stop is not None and stop.is_set()):
                    break
                optimizer.zero_grad()
                cross_entropy(model(x[batch]), y[batch]).backward()
                optimizer.step()
    state: dict[str, Tensor] = {name: p.detach() for name, p in model.named_parameters()}
    for name, p in model.named_parameters():
        if "threshold" in optimizer.state[p]:
            state[THRESHOLD + name] = torch.tensor(
                optimizer.state[p]["threshold"], dtype=torch.float64
            )
    return state


def in_several(
    settings: TwoProcesses,
    way: str,
    *,
    hear: Callable[[str], object] = lambda line: None,
    port: int | None = None,
    stop: Event | None = None,
) -> list[dict[str, Tensor]]:
    """Train on several processes by the example, and read what each has written.

    Args:
        settings: of the training.
        way: "DDP" or "fully_shard".
        hear: called with every line that the processes print.
        port: where they meet; None: a free one.
        stop: setting it ends them.

    Returns:
        A state each; none if they were stopped.

    Raises:
        ProcessesError: if they cannot run, or one fails.
    """
    with tempfile.TemporaryDirectory(prefix="grda-edu-") as folder:
        weights = Path(folder, "weights")
        options = [
            *WAYS[way],
            *(
                f"--{name}={getattr(settings, name)}"
                for name in ("epochs", "lr", "c", "mu", "seed")
            ),
            f"--batch-size={settings.batch_size}",
            f"--checkpoints={Path(folder, 'checkpoints')}",
            f"--weights={weights}",
        ]
        for line in torchrun(
            example(SCRIPT), options, processes=settings.processes, port=port, stop=stop
        ):
            hear(line)
        if stop is not None and stop.is_set():
            return []
        return [load_sparse(weights / f"{k}.sparse") for k in range(settings.processes)]


def agreement(states: Sequence[State], one: State) -> Agreement:
    """Compare what several processes have with each other and with one that trained alone.

    Args:
        states: of the processes.
        one: of the one.

    Returns:
        Their zeros, differences and thresholds.
    """
    everybody = [one, *states]
    names = weights_in(one)
    flat = [torch.cat([state[name].double().reshape(-1) for name in names]) for state in everybody]
    dead = torch.stack(flat) == 0
    first = states[0]
    return Agreement(
        zeros=np.stack([zeros_of(state) for state in states]),
        apart=max(float((w - flat[1]).abs().max()) for w in flat[1:]),
        from_one=max(float((w - flat[0]).abs().max()) for w in flat[1:]),
        moved=int((dead.any(dim=0) & ~dead.all(dim=0)).sum()),
        thresholds=all(
            bool(state[THRESHOLD + n] == first[THRESHOLD + n]) for state in everybody for n in names
        ),
    )


def weights_in(state: State) -> list[str]:
    """Names of the weights, in order."""
    return [name for name in state if not name.startswith(THRESHOLD)]


def zeros_of(state: State) -> np.ndarray:
    """Zeros of each weight tensor: int [layers]."""
    return np.array([int((state[name] == 0).sum()) for name in weights_in(state)])


def dead_of(state: State) -> np.ndarray:
    """Which weights of the last layer are zero: bool [10, 64]."""
    dead: np.ndarray = (state["fc2.weight"] == 0).numpy()
    return dead
