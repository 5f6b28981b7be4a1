"""What a recording can consist of. ``record`` makes it, whatever kind it is."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import platformdirs
from torch.nn import Module

from grda_edu.data import Data, digits, mnist5k
from grda_edu.models import digits_cnn, mnist_cnn, resnet20, small_digits_cnn
from grda_edu.training.device import versions
from grda_edu.training.run import Run

DATA: dict[str, Callable[[], Data]] = {"digits": digits, "mnist5k": mnist5k}
MODELS: dict[str, Callable[[int], Module]] = {
    "digits_cnn": digits_cnn,
    "mnist_cnn": mnist_cnn,
    "resnet20": resnet20,
    "small_digits_cnn": small_digits_cnn,
}


class Plan(Protocol):
    """What a recording consists of: its runs, each named by a cell, and how they are written.

    A frozen dataclass of plain values: they are part of the key under which runs are kept.
    """

    @property
    def data(self) -> str:
        """A name in DATA."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its runs."""

    def cells(self) -> Iterator[Any]:
        """Every run to make."""

    def label(self, cell: Any) -> str:
        """A cell in words; with other characters replaced, its file's name."""

    def train(self, cell: Any, epochs: int | None = None) -> Run:
        """Make one run, for fewer epochs if asked."""

    def slim(self, run: Run) -> Run:
        """The run without what shall not be kept."""

    def arrays(self, runs: list[Run]) -> dict[str, Any]:
        """What its file holds beside the curves, as RunGrid or RunSet asks for it.

        Arrays, and "about", a dict: of a grid {"configuration": …}; of recipes {"recipes": names,
        "configurations": one for each}, with the runs in order of recipe and seed.
        """


@runtime_checkable
class Study(Protocol):
    """What a recording of measurements consists of, where curves of runs are not enough.

    A frozen dataclass of plain values, as a Plan is.
    """

    @property
    def data(self) -> str:
        """A name in DATA."""

    def cells(self) -> Iterator[Any]:
        """Everything to measure, each piece named by a cell."""

    def label(self, cell: Any) -> str:
        """A cell in words; with other characters replaced, its file's name."""

    def measure(self, cell: Any) -> dict[str, Any]:
        """Measure one piece: name -> array, as it is kept until all pieces are there."""

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """What its file holds, from all pieces in the order of ``cells``.

        Arrays, and "about", a dict: {"configuration": …}, what a reader needs to know of all.
        """


def kept_folder(name: str, plan: Plan | Study) -> Path:
    """Where the pieces of a recording are kept until all are there.

    One for each plan, split and set of versions: runs of another making are not mixed in. A study
    whose pieces take long keeps their parts there too.
    """
    data = DATA[plan.data]()
    described = repr(plan)
    made_with = json.dumps([described, len(data.y_train), data.mean, data.std, versions()])
    key = hashlib.sha256(made_with.encode()).hexdigest()[:8]
    return Path(platformdirs.user_cache_dir("grda-edu")) / f"{name}-{key}"
