"""Training: a loop of minibatches that can be watched, stopped, and resumed exactly."""

import math
import time
from collections.abc import Callable, Collection
from copy import deepcopy
from threading import Event
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from grda_edu.checks import refuse, whole
from grda_edu.data import Data
from grda_edu.training.checkpoint import Checkpoint
from grda_edu.training.device import (
    choose_device,
    draws_at_random,
    random_state,
    random_stream,
    set_random_state,
    threads_for,
    versions,
)
from grda_edu.training.interrupt import Stop, gentle
from grda_edu.training.run import CURVES, Run, weight_histogram
from grda_edu.zeros import zeros_by_layer

SECONDS_BETWEEN_REPORTS = 0.2
EVALUATION_BATCH = 128  # fastest of 32 … 1,797 for the digits CNN: activations stay in the cache

PARTS = ("train", "val", "test")

Progress = Callable[[Run, float], object]
Scores = dict[str, tuple[float, float]]  # part -> loss and accuracy
History = TypeVar("History", covariant=True)


def train(
    model: nn.Module,
    data: Data,
    make_optimizer: Callable[[list[nn.Parameter]], Optimizer],
    *,
    epochs: int,
    batch_size: int = 32,
    seed: int = 0,
    device: str | torch.device = "auto",
    make_scheduler: Callable[[Optimizer], LRScheduler] | None = None,
    snapshot_epochs: Collection[int] = (),
    progress: Progress | None = None,
    stop: Event | Stop | None = None,
    resume: Run | None = None,
    measured: int | None = None,
) -> Run:
    """Train ``model`` in place for ``epochs`` epochs in all, and return what happened.

    A loss that is NaN or infinite ends the training too, before the step that it belongs to.
    An interrupt of the notebook or the terminal ends it before the next batch and raises
    ``Interrupted``, a KeyboardInterrupt; ``grda_edu.interrupted()`` gives the run, to be resumed.
    Whatever ``progress``, the model or the optimizer raise is passed on.

    Args:
        model: a network [N, …] -> [N, classes].
        data: what it is trained and measured on.
        make_optimizer: gets the list of the model's trainable parameters, gives the optimizer.
        epochs: passes through the training images in all, those of ``resume`` included.
        batch_size: images a step; an epoch's last batch is smaller where they do not divide evenly.
        seed: decides the order of the images, so that two optimizers see the same batches.
        device: "auto" takes CUDA, then MPS, then the CPU.
        make_scheduler: a learning-rate schedule, stepped once after each epoch.
        snapshot_epochs: epochs (0: before training) whose weights the run keeps.
        progress: called as ``progress(run, fraction)`` in this thread, at most five times a second
            and once at the end. ``run`` is a copy of the history so far.
        stop: setting it ends the training before the next batch; the run's message says where.
        resume: a run with its checkpoint. Training goes on to exactly the state that it would have
            reached uninterrupted; ``model``'s weights are replaced by the checkpoint's.
        measured: training loss and accuracy are those of so many training images, evenly spaced in
            their order, all if left out: on large data a quarter of the time goes into measuring.

    Returns:
        The history, with the checkpoint from which it can be resumed.

    Raises:
        ValueError: for an argument that cannot be used, naming it.
        TypeError: if ``make_optimizer`` makes something else.
    """
    check_kind(data)
    check_counts(epochs, batch_size, seed, snapshot_epochs, len(data.y_train))
    if measured is not None:
        whole("measured", measured, 1, len(data.y_train), "the number of training images")
    epochs, batch_size, seed = int(epochs), int(batch_size), int(seed)  # numpy's fit no JSON
    device = choose_device(device)
    model.to(device)
    data = data.to(device)
    check_data(model, data)
    optimizer = _make_optimizer(model, make_optimizer)
    configuration = describe(model, data, optimizer, epochs, batch_size, seed)
    scheduler = make_scheduler(optimizer) if make_scheduler else None
    if scheduler:
        configuration["scheduler"] = type(scheduler).__name__

    training = Training(model, data, optimizer, scheduler, configuration, set(snapshot_epochs))
    training.measured = measured
    report = Report(progress, training)
    with (
        gentle(stop) as end,
        threads_for(model, device),
        random_stream(model, device, seed),
    ):
        if resume is None:
            training.measure()
        else:
            training.restore(resume)
        report()
        while training.epoch < epochs and not training.message:
            training.run_epoch(end, report)
        training.keep_checkpoint()
    run = report.last()
    how = "run = grda_edu.interrupted(), then train(…, resume=run)"
    end.conclude(run, f"the training {run.message or 'came to its end'}", how)
    return run


def describe(
    model: nn.Module, data: Data, optimizer: Optimizer, epochs: int, batch_size: int, seed: int
) -> dict[str, Any]:
    """A run's configuration."""
    return {
        "model": getattr(model, "name", type(model).__name__),
        "data": data.name,
        "training_images": len(data.y_train),
        "optimizer": type(optimizer).__name__,
        **_hyperparameters(optimizer),
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
    }


class Training:
    """A training in progress: its parts, its position, and its history."""

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        optimizer: Optimizer,
        scheduler: LRScheduler | None,
        configuration: dict[str, Any],
        snapshot_epochs: set[int],
    ) -> None:
        self.model, self.data = model, data
        self.optimizer, self.scheduler = optimizer, scheduler
        self.configuration, self.snapshot_epochs = configuration, snapshot_epochs
        self.batch_size = configuration["batch_size"]
        self.batches: int = math.ceil(len(data.y_train) / self.batch_size)
        # The order is drawn on the CPU: the same on every device.
        self.generator = torch.Generator().manual_seed(configuration["seed"])
        self.order = self.generator.get_state()  # what the current epoch's order is drawn from
        self.epoch = self.batch = 0
        self.measured: int | None = None  # how many of the training images, None for all
        self.rows: list[dict[str, Any]] = []
        self.snapshots: dict[int, dict[str, np.ndarray]] = {}
        self.histograms: dict[int, np.ndarray] = {}
        self.message = ""
        self.checkpoint: Checkpoint | None = None
        self.began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Spent so far, those before a resume included."""
        return time.perf_counter() - self.began

    @property
    def fraction(self) -> float:
        """Steps done of all steps, in [0, 1]."""
        epochs: int = self.configuration["epochs"]
        return (self.epoch + self.batch / self.batches) / epochs

    def run_epoch(self, stop: Stop, report: Callable[[], None]) -> None:
        """Finish the current epoch from where it stands, unless stopped, and measure."""
        order = self.draw_order()
        images, labels = self.data.x_train[order], self.data.y_train[order]
        self.model.train()
        for start in range(self.batch * self.batch_size, len(labels), self.batch_size):
            if stop.is_set():
                self.say_stopped()
                return
            end = start + self.batch_size
            self.optimizer.zero_grad()
            loss = cross_entropy(self.model(images[start:end]), labels[start:end])
            value = loss.item()
            if not math.isfinite(value):
                self.say_diverged(value)
                return
            loss.backward()
            self.optimizer.step()
            self.batch += 1
            report()
        self.end_epoch()
        self.measure()

    def draw_order(self) -> Tensor:
        """The current epoch's order of the images: int64 [N]."""
        self.generator.set_state(self.order)
        order = torch.randperm(len(self.data.y_train), generator=self.generator)
        return order.to(self.data.device)

    def end_epoch(self) -> None:
        """Count the epoch, and let the learning-rate schedule take its step."""
        self.epoch, self.batch = self.epoch + 1, 0
        self.order = self.generator.get_state()
        if self.scheduler is not None:
            self.scheduler.step()

    def say_stopped(self) -> None:
        """Say in the message where the training was stopped."""
        done = f"after batch {self.batch} of {self.batches}"
        self.message = f"stopped in epoch {self.epoch + 1}, {done}"

    def say_diverged(self, loss: float) -> None:
        """Say in the message what the loss became, and where."""
        where = f"in epoch {self.epoch + 1}, batch {self.batch + 1} of {self.batches}"
        self.message = f"diverged: the loss became {loss} {where}"

    def measure(self, scores: Scores | None = None) -> None:
        """Add a row to the history: losses, accuracies and zeros after ``self.epoch`` epochs.

        Args:
            scores: part -> loss and accuracy, where they are known already.
        """
        row: dict[str, Any] = {"epoch": self.epoch}
        for part in PARTS:
            x, y = getattr(self.data, f"x_{part}"), getattr(self.data, f"y_{part}")
            if part == "train" and self.measured is not None:
                some = torch.arange(self.measured, device=x.device) * len(y) // self.measured
                x, y = x[some], y[some]
            score = scores[part] if scores else evaluate(self.model, x, y)
            row[f"{part}_loss"], row[f"{part}_accuracy"] = score
        row["zeros"] = [zeros for zeros, _ in zeros_by_layer(self.model).values()]
        row["seconds"] = self.seconds
        self.rows.append(row)
        if self.epoch in self.snapshot_epochs:
            weights = {
                name: p.detach().float().cpu().numpy().copy()
                for name, p in self.model.named_parameters()
            }
            self.snapshots[self.epoch] = weights
            self.histograms[self.epoch] = weight_histogram(list(weights.values()))
        if not math.isfinite(row["train_loss"]):
            loss = f"the training loss is {row['train_loss']}"
            self.message = f"diverged: {loss} after epoch {self.epoch}"

    def run(self) -> Run:
        """The history so far, as arrays of its own."""
        columns = {key: np.array([row[key] for row in self.rows]) for key in self.rows[0]}
        layers = zeros_by_layer(self.model)
        return Run(
            configuration=self.configuration,
            device=str(self.data.device),
            versions=versions(),
            layers=tuple(layers),
            sizes=np.array([size for _, size in layers.values()]),
            **columns,
            snapshots=dict(self.snapshots),
            histograms=dict(self.histograms),
            message=self.message,
            checkpoint=self.checkpoint,
        )

    def keep_checkpoint(self) -> None:
        """Copy what a resume needs."""
        random = random_state(self.data.device) if draws_at_random(self.model) else {}
        self.checkpoint = Checkpoint(
            model=deepcopy(self.model.state_dict()),
            optimizer=deepcopy(self.optimizer.state_dict()),
            scheduler=deepcopy(self.scheduler.state_dict()) if self.scheduler else None,
            epoch=self.epoch,
            batch=self.batch,
            order=self.order,
            random=random,
            seconds=self.seconds,
        )

    def restore(self, run: Run) -> None:
        """Take over a former run's history and its checkpoint's state."""
        checkpoint = _check_resume(run, self.configuration)
        self.model.load_state_dict(checkpoint.model)
        # Loading keeps references to tensors; the checkpoint must survive this training.
        self.optimizer.load_state_dict(deepcopy(checkpoint.optimizer))
        if self.scheduler is not None:
            self.scheduler.load_state_dict(deepcopy(checkpoint.scheduler or {}))
        self.order = checkpoint.order
        set_random_state(checkpoint.random)
        self.epoch, self.batch = checkpoint.epoch, checkpoint.batch
        self.began = time.perf_counter() - checkpoint.seconds
        names = ("epoch", *CURVES, "zeros", "seconds")
        self.rows = [
            {name: getattr(run, name)[k].tolist() for name in names} for k in range(len(run.epoch))
        ]
        self.snapshots, self.histograms = dict(run.snapshots), dict(run.histograms)


class Watched(Protocol[History]):
    """What a progress function can be told about."""

    @property
    def fraction(self) -> float:
        """Steps done of all steps, in [0, 1]."""

    def run(self) -> History:
        """The history so far, as a copy."""


class Report(Generic[History]):
    """Calls ``progress`` at most every ``SECONDS_BETWEEN_REPORTS`` and once at the end."""

    def __init__(
        self, progress: Callable[[History, float], object] | None, watched: Watched[History]
    ) -> None:
        self.progress, self.watched = progress, watched
        self.due = -math.inf

    def __call__(self) -> None:
        """Report, if the last report is long enough ago."""
        if self.progress is not None and time.monotonic() >= self.due:
            self.progress(self.watched.run(), self.watched.fraction)
            self.due = time.monotonic() + SECONDS_BETWEEN_REPORTS

    def last(self) -> History:
        """Report once more, whenever the last report was, and give the history."""
        history = self.watched.run()
        if self.progress is not None:
            self.progress(history, self.watched.fraction)
        return history


@torch.no_grad()
def evaluate(model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Loss and accuracy of ``model`` in evaluation mode; the mode it was in is left to it.

    Args:
        model: a network [N, …] -> [N, classes].
        x: inputs [N, …].
        y: labels, int64 [N].

    Returns:
        Mean cross-entropy (nats) and accuracy (fraction); NaN for both if N = 0.
    """
    if not len(y):
        return math.nan, math.nan
    was_training = model.training
    model.eval()
    try:
        outputs = torch.cat([model(part) for part in x.split(EVALUATION_BATCH)])
    finally:
        model.train(was_training)
    correct = (outputs.argmax(dim=1) == y).sum()
    return cross_entropy(outputs, y).item(), correct.item() / len(y)


def check_counts(
    epochs: int, batch_size: int, seed: int, snapshot_epochs: Collection[int], images: int
) -> None:
    """Raise ValueError unless these are whole numbers of their ranges."""
    whole("epochs", epochs, 1)
    whole("batch_size", batch_size, 1, images)
    whole("seed", seed)
    for k in snapshot_epochs:
        whole("snapshot_epochs", k, 0, epochs)


def check_kind(data: Any) -> None:
    """Raise ValueError for anything but Data: a DataLoader has no parts to measure on."""
    if not isinstance(data, Data):
        raise ValueError(
            f"data is a {type(data).__name__}: accepted is a grda_edu.data.Data, images and labels "
            "as tensors in three parts; torch.cat of a DataLoader's batches makes such tensors"
        )


def check_data(model: nn.Module, data: Data) -> None:
    """A label beyond the outputs would fail deep inside the loss, or silently on a GPU."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        shape = tuple(model(data.x_train[:1]).shape)
    model.train(was_training)
    if len(shape) != 2:
        raise ValueError(
            f"model gives outputs of shape {shape} for one image: accepted is [1, classes]"
        )
    labels = torch.cat([data.y_train, data.y_val, data.y_test])
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= shape[1]:
        raise ValueError(
            f"data has labels {low} to {high}: accepted are 0 to {shape[1] - 1}, "
            f"as model has {shape[1]} outputs"
        )
    if int(data.y_train.min()) == int(data.y_train.max()):
        raise ValueError(
            f"data has one class to train on, label {int(data.y_train[0])}: "
            "accepted are at least two, there is nothing to tell apart"
        )


def _make_optimizer(
    model: nn.Module, make_optimizer: Callable[[list[nn.Parameter]], Optimizer]
) -> Optimizer:
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = make_optimizer(parameters)
    if not isinstance(optimizer, Optimizer):
        kind = type(optimizer).__name__
        raise TypeError(f"make_optimizer returned a {kind}: accepted is a torch.optim.Optimizer")
    known = {id(p) for p in parameters}
    if any(id(p) not in known for group in optimizer.param_groups for p in group["params"]):
        raise ValueError(
            "make_optimizer returned an optimizer of another model's parameters: "
            "accepted is one of the list that it is called with"
        )
    return optimizer


def _hyperparameters(optimizer: Optimizer) -> dict[str, Any]:
    """The settings of the first parameter group, and of the others if there are any."""
    parameters = ("params", "size")  # the network's, not the optimizer's
    groups = [
        {name: _plain(value) for name, value in group.items() if name not in parameters}
        for group in optimizer.state_dict()["param_groups"]  # with names for functions
    ]
    first, *others = groups
    return {"hyperparameters": first} | ({"other_groups": others} if others else {})


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def check_same(run: Run, configuration: dict[str, Any]) -> None:
    """Raise ValueError unless a run was made with this configuration, its epochs left aside."""
    for name in configuration | run.configuration:
        was, now = run.configuration.get(name), configuration.get(name)
        if name not in ("epochs", "sweep") and was != now:
            refuse(name, now, f"{was!r}, with which the run to resume was made")


def _check_resume(run: Run, configuration: dict[str, Any]) -> Checkpoint:
    checkpoint = run.checkpoint
    if not isinstance(checkpoint, Checkpoint):
        raise ValueError(
            f"resume has checkpoint = {checkpoint!r}: accepted is a run with its checkpoint, "
            "set run.checkpoint = Checkpoint.load(path)"
        )
    check_same(run, configuration)
    if checkpoint.epoch != run.epoch[-1]:
        raise ValueError(
            f"resume has a checkpoint of epoch {checkpoint.epoch}: accepted is one of epoch "
            f"{run.epoch[-1]}, where the run ends"
        )
    if checkpoint.epoch >= configuration["epochs"]:
        done = f"an integer > {checkpoint.epoch}, the epochs that the run to resume has"
        refuse("epochs", configuration["epochs"], done)
    return checkpoint
