"""Many small networks at once: gRDA over a grid of learning rates, c, mu and seeds."""

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from grda_edu.checks import distinct, refuse
from grda_edu.data import Data
from grda_edu.optim import GRDA
from grda_edu.shrinkage import tuning_increment
from grda_edu.training.device import choose_device, draws_at_random, threads_for
from grda_edu.training.interrupt import Stop, gentle, keep
from grda_edu.training.jobs import check_jobs, spread
from grda_edu.training.loop import (
    PARTS,
    Report,
    Training,
    check_counts,
    check_data,
    check_kind,
    check_same,
    describe,
    train,
)
from grda_edu.training.run import Run
from grda_edu.training.stacked import Forward, Weights, forward_of, grda_step, stack, views

Cell = tuple[float, ...]  # c, mu, seed; with a list of learning rates lr, c, mu, seed
Runs = dict[Cell, Run]

TOGETHER = 12  # networks in one stack on the CPU: more gain nothing, and leave the cache
# Up to these a stack is faster on the CPU; a larger network alone keeps the processor busy.
MOST_PARAMETERS, MOST_IMAGES = 30_000, 128
EVALUATION_BATCH = 32  # images a network; with TOGETHER networks the activations stay in the cache


def sweep(
    make_model: Callable[[int], nn.Module],
    data: Data,
    *,
    c: float | Iterable[float],
    mu: float | Iterable[float],
    seeds: int | Iterable[int] = 0,
    lr: float | Iterable[float],
    epochs: int,
    batch_size: int = 32,
    device: str | torch.device = "auto",
    snapshot_epochs: Collection[int] = (),
    progress: Callable[[Runs, float], object] | None = None,
    stop: Event | None = None,
    memory: int = 2**30,
    jobs: int = 1,
    resume: Mapping[Cell, Run] | None = None,
) -> Runs:
    """Train one network with gRDA for every cell of the grid lr x c x mu x seeds.

    Small networks are trained in stacks: the matrix products of up to twelve of them are one call.
    Trained by ``train`` one after the other ("loop") are those to which a stack brings nothing or
    which it cannot hold: batches of over 128 images, networks of over 30,000 parameters (on a GPU
    neither matters), and networks with buffers, such as batch norm's, or with dropout. A stack has
    one learning rate.

    Which networks stand in a stack together does not depend on the order of the grid: in another
    order the same grid gives the same bits. A network whose loss becomes NaN or infinite ends with
    a message, as in ``train``, and the others go on.

    An interrupt ends the sweep as ``stop`` does and raises ``Interrupted``; what all networks had
    done is in ``grda_edu.interrupted()``, and goes on as if nothing had happened::

        runs = sweep(…, resume=grda_edu.interrupted())

    So does the same sweep with more epochs, a larger grid or other ``jobs``, and what had finished
    when a worker died or a model raised an error.

    With ``jobs`` the stacks, or networks, are trained in as many processes by joblib, which the
    caller may give a cluster of Dask or Ray::

        with joblib.parallel_config(backend="dask"):
            runs = sweep(…, jobs=64)

    Each worker trains one of them at a time, so that threads bring nothing; ``make_model`` is sent
    to it by value. The results are those of ``jobs=1`` to the last bit where a worker computes as
    this process does: the same processor, and for networks of over 100,000 parameters as many
    threads. A worker on another machine hears of an interrupt when it has finished what it has.

    Args:
        make_model: gives the network of a seed, with that seed's initial weights.
        data: as of ``train``.
        c: strengths of the penalty; a number stands for a grid of one. 0 is SGD.
        mu: exponents of the threshold's growth, likewise.
        seeds: of initial weights and batch orders, likewise.
        lr: learning rates; a number is the same for all and no part of the cells' names.
        epochs: as of ``train``.
        batch_size: as of ``train``.
        device: as of ``train``.
        snapshot_epochs: as of ``train``.
        progress: called as ``progress(runs, fraction)`` in this thread, at most five times a second
            and once at the end. ``runs`` holds copies of the histories of all networks begun; with
            ``jobs``, of those that have ended.
        stop: setting it ends the sweep before the next batch; each run's message says where.
        memory: bytes that networks trained at the same time may take, by ``bytes_per_network``, in
            each process. A grid that needs more is trained in parts, one after the other.
        jobs: processes at once; -1: as many as there are processors, or workers of the cluster.
        resume: what a former sweep gave or ``interrupted()`` kept, by cell. Finished networks are
            taken over, others go on from their checkpoints.

    Returns:
        (c, mu, seed) -> Run, or (lr, c, mu, seed) -> Run if ``lr`` is a list, in the order of the
        grid, seeds varying fastest. Each is what
        ``train(make_model(seed), data, GRDA(lr, c, mu), seed=seed, …)`` leaves behind, up to
        rounding: the same initial weights, the same batches, the same rule for the threshold, the
        same history, and a checkpoint with the final weights that ``train(…, resume=run)``
        continues. Its "seconds" are those of all the networks trained beside it, and its
        ``configuration["sweep"]`` says how they were trained: the method, the parts, and why. With
        ``jobs``, a stopped sweep has no runs of the networks that were not begun.

    Raises:
        ValueError: for an argument that cannot be used, naming it: an empty grid, a value twice in
            it, runs of another grid or configuration, and all that ``train`` and ``GRDA`` refuse.
        ModuleNotFoundError: for ``jobs`` without joblib.
        RuntimeError: if a worker dies, naming the cells that it may have had.
        Interrupted: at an interrupt, such as Jupyter's stop button.
    """
    jobs = check_jobs(jobs)
    check_kind(data)
    axes = {"lr": lr, "c": c, "mu": mu, "seeds": seeds}
    grid = [
        distinct(name, values if isinstance(values, Iterable) else [values])
        for name, values in axes.items()
    ]
    cells = [_Cell(*values) for values in itertools.product(*grid)]
    named = {cell: tuple(cell) if isinstance(lr, Iterable) else cell[1:] for cell in cells}
    for seed in grid[3]:
        check_counts(epochs, batch_size, seed, snapshot_epochs, len(data.y_train))
    epochs, batch_size = int(epochs), int(batch_size)
    data = data.to(choose_device(device))
    recipe = _Recipe(make_model, data, epochs, batch_size, set(snapshot_epochs))
    model = recipe.begin(cells[0]).model
    if make_model(cells[0].seed) is model:
        raise ValueError("make_model gave one network twice: accepted is a new one at each call")
    said = {cell: recipe.describe(cell, model) for cell in cells}  # refuses what it cannot use
    check_data(model, data)
    former = _former(resume, named, said)
    alone = _why_alone(model, data, batch_size)
    how = {"networks": len(cells), "method": "loop", "note": alone}
    trained = _Sweep(recipe, cells, how, former, named)
    report = Report(progress, trained)
    with gentle(stop) as end:
        try:
            parts = [] if alone else trained.divide(model, memory)
            if jobs != 1:
                trained.in_jobs(parts, jobs, end, report)
            elif alone:
                trained.one_by_one(end, report)
            else:
                trained.in_stacks(parts, end, report)
        except Exception:
            if trained.done:
                keep(trained.finished())
            raise
    runs = report.last()
    finished = sum(run.finished for run in runs.values())
    end.conclude(
        runs,
        f"the sweep was stopped, {finished} of {len(cells)} networks have finished",
        "runs = grda_edu.interrupted(), then sweep(…, resume=runs)",
    )
    return runs


def _former(
    resume: Mapping[Cell, Run] | None,
    named: Mapping["_Cell", Cell],
    said: Mapping["_Cell", dict[str, Any]],
) -> "dict[_Cell, Run]":
    """The runs to take up, if each is one of this grid and was made in the same way."""
    if resume is None:
        return {}
    if not isinstance(resume, Mapping):
        kind = type(resume).__name__
        raise ValueError(f"resume is a {kind}: accepted is what sweep gave, cell -> Run")
    cells = {name: cell for cell, name in named.items()}
    for name, run in resume.items():
        if name not in cells:
            accepted = f"runs of this grid's {len(cells)} cells, such as {next(iter(cells))!r}"
            raise ValueError(f"resume has a run of {name!r}: accepted are {accepted}")
        epochs = said[cells[name]]["epochs"]
        try:
            check_same(run, said[cells[name]])
            if run.epoch[-1] > epochs:
                refuse("epochs", epochs, f"an integer >= {run.epoch[-1]}, which a run has")
        except ValueError as error:
            raise ValueError(f"resume[{name!r}] does not fit: {error}") from error
    return {cells[name]: run for name, run in resume.items()}


def bytes_per_network(model: nn.Module, data: Data, batch_size: int = 32) -> int:
    """What one network of a stack takes at most. A sweep's memory grows by so much with each.

    Six copies of its parameters (weights, accumulator and gradient; at the end the checkpoint and
    what it is made of) and twice the activations that one batch leaves for the backward pass, the
    second time for their gradients. Not counted are the data, which all networks share.

    Args:
        model: one of them.
        data: whose first training images are a batch.
        batch_size: images a step.

    Returns:
        A number of bytes.
    """

    def place(tensor: Tensor) -> int:
        return tensor.untyped_storage().data_ptr()

    images, labels = data.x_train[:batch_size], data.y_train[:batch_size]
    weights = {name: w.requires_grad_() for name, w in stack([model]).items()}
    kept = {place(tensor): 0 for tensor in (*weights.values(), images, labels)}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(place(tensor), tensor.untyped_storage().nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        _losses(forward_of(model), weights, images.unsqueeze(0), labels.unsqueeze(0))
    parameters = sum(w.untyped_storage().nbytes() for w in weights.values())
    return 6 * parameters + 2 * sum(kept.values())


class _Cell(NamedTuple):
    """One network of the grid."""

    lr: float
    c: float
    mu: float
    seed: int


@dataclass(frozen=True)
class _Recipe:
    """What all networks of a sweep have in common."""

    make_model: Callable[[int], nn.Module]
    data: Data
    epochs: int
    batch_size: int
    snapshot_epochs: set[int]

    def optimizer(self, cell: _Cell) -> Callable[[list[nn.Parameter]], GRDA]:
        return lambda parameters: GRDA(parameters, lr=cell.lr, c=cell.c, mu=cell.mu)

    def describe(self, cell: _Cell, model: nn.Module) -> dict[str, Any]:
        """The configuration of a run, told by any of the networks."""
        optimizer = self.optimizer(cell)([p for p in model.parameters() if p.requires_grad])
        return describe(model, self.data, optimizer, self.epochs, self.batch_size, cell.seed)

    def begin(self, cell: _Cell, former: Run | None = None) -> Training:
        """A training as ``train`` makes it, at its beginning or where a former run has come."""
        model = self.make_model(cell.seed).to(self.data.device)
        optimizer = self.optimizer(cell)([p for p in model.parameters() if p.requires_grad])
        said = describe(model, self.data, optimizer, self.epochs, self.batch_size, cell.seed)
        training = Training(model, self.data, optimizer, None, said, self.snapshot_epochs)
        if former is not None:
            training.restore(former)
        return training

    def train(self, cell: _Cell, **options: Any) -> Run:
        """The same cell by ``train``."""
        return train(
            self.make_model(cell.seed),
            self.data,
            self.optimizer(cell),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=cell.seed,
            device=self.data.device,
            snapshot_epochs=self.snapshot_epochs,
            **options,
        )


class _Sweep:
    """A sweep in progress."""

    def __init__(
        self,
        recipe: _Recipe,
        cells: list[_Cell],
        how: dict[str, Any],
        former: dict[_Cell, Run],
        named: dict[_Cell, Cell],
    ) -> None:
        self.recipe, self.cells, self.how, self.named = recipe, cells, how, named
        ended = {cell for cell, run in former.items() if self.has_ended(run)}
        self.done = {cell: run for cell, run in former.items() if cell in ended}
        self.former = {cell: run for cell, run in former.items() if cell not in ended}
        self.current: dict[_Cell, Training] = {}
        self.share = 0.0  # of the network that is trained alone now

    def has_ended(self, run: Run) -> bool:
        """Is there nothing to add to a run? One that diverged would diverge again."""
        return run.message.startswith("diverged") or int(run.epoch[-1]) == self.recipe.epochs

    @property
    def together(self) -> int:
        """The most networks of a stack."""
        return TOGETHER if self.recipe.data.device.type == "cpu" else len(self.cells)

    @property
    def todo(self) -> list[_Cell]:
        """What has not ended, in the order of the grid."""
        return [cell for cell in self.cells if cell not in self.done]

    @property
    def fraction(self) -> float:
        """Steps done of all steps, in [0, 1]."""
        now = sum(training.fraction for training in self.current.values())
        return (len(self.done) + now + self.share) / len(self.cells)

    def run(self) -> Runs:
        """The histories so far, in the order of the grid."""
        runs = self.former | self.done
        runs |= {cell: training.run() for cell, training in self.current.items()}
        return {self.named[cell]: runs[cell] for cell in self.cells if cell in runs}

    def finished(self) -> Runs:
        """The histories of the networks that have ended, and of others what they came with."""
        runs = self.former | {c: run for c, run in self.done.items() if run.checkpoint is not None}
        return {self.named[cell]: runs[cell] for cell in self.cells if cell in runs}

    def one_by_one(self, stop: Stop, report: Report[Runs]) -> None:
        """Train the networks one after the other."""
        for cell in self.todo:

            def watch(run: Run, fraction: float, cell: _Cell = cell) -> None:
                run.configuration["sweep"] = self.how
                self.done[cell], self.share = run, fraction - 1
                report()

            former = self.former.get(cell)
            self.recipe.train(cell, progress=watch, stop=stop, resume=former)
            self.share = 0.0

    def divide(self, model: nn.Module, memory: int) -> list[list[_Cell]]:
        """Parts that the memory holds, of one learning rate and one place in the training."""
        size = bytes_per_network(model, self.recipe.data, self.recipe.batch_size)
        if size > memory:
            refuse("memory", memory, f"a number of bytes >= {size}, one network")

        def place(cell: _Cell) -> tuple[float, int, int]:
            checkpoint = self.former[cell].checkpoint if cell in self.former else None
            return (cell.lr, checkpoint.epoch, checkpoint.batch) if checkpoint else (cell.lr, 0, 0)

        parts: list[list[_Cell]] = []
        for _, beside in itertools.groupby(sorted(sorted(self.todo), key=place), place):
            parts += _divided(list(beside), memory // size)
        self.how |= {"method": "stack", "parts": len(parts), "bytes_per_network": size}
        if len(self.cells) * size > memory:
            self.how["note"] = (
                f"trained in {len(parts)} parts: {len(self.cells)} networks of {size:,} bytes "
                f"do not fit memory = {memory:,} bytes"
            )
        return parts

    def in_stacks(self, parts: list[list[_Cell]], stop: Stop, report: Report[Runs]) -> None:
        """Train the networks in stacks; those of a part at the same time."""
        _keep_memory()
        for part in parts:
            model = self.recipe.make_model(part[0].seed)
            with threads_for(model, self.recipe.data.device):
                self.train(_divided(part, self.together), stop, report)

    def in_jobs(
        self, parts: list[list[_Cell]], jobs: int, stop: Stop, report: Report[Runs]
    ) -> None:
        """Train the networks in other processes: one each, or a stack each."""
        shares = [[cell] for cell in self.todo]
        if self.how["method"] == "stack":
            fair = math.ceil(len(self.todo) / jobs) if jobs > 1 else self.together
            most = max(1, min(self.together, fair))
            shares = [share for part in parts for share in _divided(part, most)]
        recipe = replace(self.recipe, data=self.recipe.data.to("cpu"))  # nothing else travels
        device = str(self.recipe.data.device)
        tasks = [
            _Share(recipe, device, cells, self.how, {c: self.former.get(c) for c in cells})
            for cells in shares
        ]
        names = [", ".join(self.say(cell) for cell in cells) for cells in shares]
        if tasks:
            for _, runs in spread(tasks, names, jobs, stop):
                self.done |= runs
                report()

    def say(self, cell: _Cell) -> str:
        """A cell in messages."""
        return " ".join(f"{name}={value:g}" for name, value in cell._asdict().items())

    def train(self, groups: list[list[_Cell]], stop: Stop, report: Report[Runs]) -> None:
        """Train the stacks of a part, taking turns of an epoch."""
        stacks = []
        for group in groups:
            trainings = {cell: self.recipe.begin(cell, self.former.get(cell)) for cell in group}
            for training in trainings.values():
                training.configuration["sweep"] = self.how
            stacks.append(_Stack(trainings))
            if not stacks[-1].trainings[0].rows:
                stacks[-1].measure()
            self.current |= trainings
            report()
        for _ in range(stacks[0].trainings[0].epoch, self.recipe.epochs):
            for one in stacks:
                one.run_epoch(stop, report)
        for one in stacks:
            one.hand_back()
        self.done |= {cell: training.run() for cell, training in self.current.items()}
        self.current = {}


@dataclass(frozen=True)
class _Share:
    """What one worker trains at a time."""

    recipe: _Recipe
    device: str
    cells: list[_Cell]
    how: dict[str, Any]
    former: dict[_Cell, Run | None]

    def __call__(self, stop: Stop) -> dict[_Cell, Run]:
        data = self.recipe.data.to(choose_device(self.device))
        former = {cell: run for cell, run in self.former.items() if run is not None}
        named: dict[_Cell, Cell] = {cell: tuple(cell) for cell in self.cells}
        recipe = replace(self.recipe, data=data)
        trained = _Sweep(recipe, self.cells, self.how, former, named)
        report = Report(None, trained)
        if self.how["method"] == "stack":
            trained.in_stacks([self.cells], stop, report)
        else:
            trained.one_by_one(stop, report)
        return trained.done


class _Stack:
    """Networks of one architecture that do every step together.

    The weights of each one's model are slices of the stack's, so that its ``Training`` can count
    zeros and take pictures of them as ever.
    """

    def __init__(self, trainings: dict[_Cell, Training]) -> None:
        self.trainings = list(trainings.values())
        self.lr = next(iter(trainings)).lr  # the same for all
        self.c, self.mu = (np.array([getattr(cell, k) for cell in trainings]) for k in ("c", "mu"))
        models = [training.model for training in self.trainings]
        self.model, self.data = models[0], self.trainings[0].data
        self.forward = forward_of(self.model)
        self.weights = stack(models)
        shapes = {name: p.shape for name, p in self.model.named_parameters() if p.requires_grad}
        # One row for each network, so that a step is a few operations whatever the layers are.
        self.rows = torch.cat([self.weights[name].flatten(1) for name in shapes], dim=1)
        self.accumulators = self.rows.clone()
        self.trained = views(self.rows, shapes)
        self.weights |= self.trained
        self.thresholds = np.zeros(len(models))
        self.steps = np.zeros(len(models), int)
        self.take_up(views(self.accumulators, shapes))
        for k, model in enumerate(models):
            for name, p in model.named_parameters():
                p.data = self.weights[name][k]
        for weights in self.trained.values():
            weights.requires_grad_()

    def take_up(self, accumulators: Weights) -> None:
        """Take over the state of optimizers that have made steps: ``hand_back`` the other way."""
        for k, training in enumerate(self.trainings):
            for name, p in training.model.named_parameters():
                state = training.optimizer.state.get(p)
                if state:
                    accumulators[name][k].copy_(state["accumulator"])
                    self.steps[k], self.thresholds[k] = (
                        int(state["step"]),
                        float(state["threshold"]),
                    )

    def run_epoch(self, stop: Stop, report: Callable[[], None]) -> None:
        """The current epoch of all networks that have not ended, from where it stands."""
        if not self.going():
            return
        self.model.train()
        orders = torch.stack([training.draw_order() for training in self.trainings])
        begun = self.trainings[self.going()[0]]
        for batch in orders.split(begun.batch_size, dim=1)[begun.batch :]:
            if stop.is_set():
                for k in self.going():
                    self.trainings[k].say_stopped()
                return
            images = self.data.x_train[batch.flatten()].unflatten(0, batch.shape)
            losses = _losses(self.forward, self.weights, images, self.data.y_train[batch])
            values = losses.tolist()
            for k in self.going():
                if not math.isfinite(values[k]):
                    self.trainings[k].say_diverged(values[k])
            if not self.going():
                return
            self.step(losses)
            report()
        for k in self.going():
            self.trainings[k].end_epoch()
        self.measure()

    def going(self) -> list[int]:
        """The places of the networks that have not ended."""
        return [k for k, training in enumerate(self.trainings) if not training.message]

    def step(self, losses: Tensor) -> None:
        """A step of gRDA in every network that has not ended."""
        gradients = torch.autograd.grad(losses.sum(), list(self.trained.values()))
        gradient = torch.cat([of_one.flatten(1) for of_one in gradients], dim=1)
        going = self.going()
        self.steps[going] += 1
        n = int(self.steps.max())
        self.thresholds[going] += tuning_increment(n, self.lr, self.c[going], self.mu[going])
        for k in going:
            self.trainings[k].batch += 1
        if len(going) < len(self.trainings):
            ended = [k for k in range(len(self.trainings)) if k not in going]
            gradient[ended] = 0.0  # threshold and accumulator stay, and so do the weights
        grda_step(self.rows, self.accumulators, gradient, self.thresholds, self.lr)

    @torch.no_grad()
    def measure(self) -> None:
        """A row for the history of each network that has not ended."""
        self.model.eval()
        scores = {part: self.evaluate(part) for part in PARTS}
        for k in self.going():
            self.trainings[k].measure({part: scores[part][k] for part in PARTS})

    def evaluate(self, part: str) -> list[tuple[float, float]]:
        """Loss and accuracy of each network, as ``loop.evaluate``."""
        x, y = getattr(self.data, f"x_{part}"), getattr(self.data, f"y_{part}")
        networks = len(self.trainings)
        if not len(y):
            return [(math.nan, math.nan)] * networks
        shared = (images.expand(networks, *images.shape) for images in x.split(EVALUATION_BATCH))
        outputs = torch.cat([self.forward(self.weights, images) for images in shared], dim=1)
        losses = _mean_losses(outputs, y.expand(networks, -1))
        right = (outputs.argmax(dim=2) == y).sum(dim=1)
        return [
            (loss, hits / len(y))
            for loss, hits in zip(losses.tolist(), right.tolist(), strict=True)
        ]

    def hand_back(self) -> None:
        """Give each model and optimizer their own state, and keep it as a checkpoint."""
        shapes = {name: weights.shape[1:] for name, weights in self.trained.items()}
        accumulators = views(self.accumulators, shapes)
        for k, training in enumerate(self.trainings):
            for name, p in training.model.named_parameters():
                p.data = self.weights[name][k].detach().clone()
                if name in accumulators and self.steps[k]:
                    training.optimizer.state[p] = {
                        "step": int(self.steps[k]),
                        "threshold": float(self.thresholds[k]),
                        "accumulator": accumulators[name][k].clone(),
                    }
            training.keep_checkpoint()


def _losses(forward: Forward, weights: Weights, images: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each network on its own batch: [K]. images [K, N, …], labels [K, N]."""
    return _mean_losses(forward(weights, images), labels)


def _mean_losses(outputs: Tensor, labels: Tensor) -> Tensor:
    each = cross_entropy(outputs.flatten(0, 1), labels.flatten(), reduction="none")
    return each.view(labels.shape).mean(dim=1)


def _keep_memory() -> None:
    """Take and free nearly 32 MB.

    Until the allocator of Linux has seen a tensor of this size, it gives the stack's tensors back to
    the system when they are freed, and the next step pays a page fault for every 4 kB of them.
    """
    torch.empty(30 * 2**20, dtype=torch.uint8)


def _divided(cells: list[_Cell], most: int) -> list[list[_Cell]]:
    """The cells in their order, in as few groups of at most ``most`` as can be, of equal size."""
    groups = math.ceil(len(cells) / most)
    ends = [len(cells) * k // groups for k in range(groups + 1)]
    return [cells[begin:end] for begin, end in itertools.pairwise(ends)]


def _why_alone(model: nn.Module, data: Data, batch_size: int) -> str:
    """Why the networks are trained one by one, or "" if a stack is faster."""
    size = sum(p.numel() for p in model.parameters())
    if next(model.buffers(), None) is not None:
        return "the network has buffers, which a stack does not hold"
    if draws_at_random(model):
        return "the network draws at random, which a stack does not do"
    if data.device.type == "cpu" and batch_size > MOST_IMAGES:
        return f"with {batch_size} images a batch a stack is no faster"
    if data.device.type == "cpu" and size > MOST_PARAMETERS:
        return f"with {size:,} parameters a stack is no faster"
    images, weights = data.x_train[:1], stack([model])
    trained = [weights[name] for name, p in model.named_parameters() if p.requires_grad]
    for of_one in trained:
        of_one.requires_grad_()
    model.train()
    try:
        stacked = forward_of(model)(weights, images.unsqueeze(0))[0]
    except Exception as error:  # the model itself has answered: it is the stack that cannot
        return f"a stack cannot hold this network ({error})".splitlines()[0]
    if not torch.allclose(stacked, model(images), rtol=1e-4, atol=1e-5):
        return "a stack of this network answers otherwise than the network"
    gradients = torch.autograd.grad(stacked.sum(), trained, allow_unused=True)
    if any(gradient is None for gradient in gradients):
        return "the network has parameters without a gradient, which a stack does not hold"
    return ""
