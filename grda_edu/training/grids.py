"""Many small networks at once: gRDA over a grid of c, mu and seeds."""

import itertools
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from grda_edu.checks import distinct, refuse
from grda_edu.data import Data
from grda_edu.optim import GRDA
from grda_edu.shrinkage import tuning_increment
from grda_edu.training.device import choose_device, draws_at_random, threads_for
from grda_edu.training.interrupt import Stop, gentle
from grda_edu.training.loop import (
    PARTS,
    Report,
    Training,
    check_counts,
    check_data,
    describe,
    train,
)
from grda_edu.training.run import Run
from grda_edu.training.stacked import Forward, Weights, forward_of, grda_step, stack, views

Cell = tuple[float, float, int]  # c, mu, seed
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
    lr: float,
    epochs: int,
    batch_size: int = 32,
    device: str | torch.device = "auto",
    snapshot_epochs: Collection[int] = (),
    progress: Callable[[Runs, float], object] | None = None,
    stop: Event | None = None,
    memory: int = 2**30,
) -> Runs:
    """Train one network with gRDA for every cell of the grid c x mu x seeds.

    Small networks are trained in stacks: the matrix products of up to twelve of them are one call.
    Trained by ``train`` one after the other ("loop") are those to which a stack brings nothing or
    which it cannot hold: batches of over 128 images, networks of over 30,000 parameters (on a GPU
    neither matters), and networks with buffers, such as batch norm's, or with dropout.

    Which networks stand in a stack together does not depend on the order of the grid: in another
    order the same grid gives the same bits. A network whose loss becomes NaN or infinite ends with
    a message, as in ``train``, and the others go on.

    An interrupt ends the sweep as ``stop`` does and raises ``Interrupted``; what all networks had
    done is in ``grda_edu.interrupted()``.

    Args:
        make_model: gives the network of a seed, with that seed's initial weights.
        data: as of ``train``.
        c: strengths of the penalty; a number stands for a grid of one. 0 is SGD.
        mu: exponents of the threshold's growth, likewise.
        seeds: of initial weights and batch orders, likewise.
        lr: learning rate, the same for all.
        epochs: as of ``train``.
        batch_size: as of ``train``.
        device: as of ``train``.
        snapshot_epochs: as of ``train``.
        progress: called as ``progress(runs, fraction)`` in this thread, at most five times a second
            and once at the end. ``runs`` holds copies of the histories of all networks begun.
        stop: setting it ends the sweep before the next batch; each run's message says where.
        memory: bytes that networks trained at the same time may take, by ``bytes_per_network``. A
            grid that needs more is trained in parts, one after the other.

    Returns:
        (c, mu, seed) -> Run, in the order of the grid, seeds varying fastest. Each is what
        ``train(make_model(seed), data, GRDA(lr, c, mu), seed=seed, …)`` leaves behind, up to
        rounding: the same initial weights, the same batches, the same rule for the threshold, the
        same history, and a checkpoint with the final weights that ``train(…, resume=run)``
        continues. Its "seconds" are those of all the networks trained beside it, and its
        ``configuration["sweep"]`` says how they were trained: the method, the parts, and why.

    Raises:
        ValueError: for an argument that cannot be used, naming it: an empty grid, a value twice in
            it, and all that ``train`` and ``GRDA`` refuse.
        Interrupted: at an interrupt, such as Jupyter's stop button.
    """
    axes = {"c": c, "mu": mu, "seeds": seeds}
    grid = [
        distinct(name, values if isinstance(values, Iterable) else [values])
        for name, values in axes.items()
    ]
    cells: list[Cell] = [(x, m, s) for x in grid[0] for m in grid[1] for s in grid[2]]
    for seed in grid[2]:
        check_counts(epochs, batch_size, seed, snapshot_epochs, len(data.y_train))
    epochs, batch_size = int(epochs), int(batch_size)
    data = data.to(choose_device(device))
    recipe = _Recipe(make_model, data, lr, epochs, batch_size, set(snapshot_epochs))
    model = recipe.begin(cells[0]).model
    if make_model(cells[0][2]) is model:
        raise ValueError("make_model gave one network twice: accepted is a new one at each call")
    for cell in cells:
        recipe.optimizer(cell)(list(model.parameters()))  # refuses what it cannot use
    check_data(model, data)
    alone = _why_alone(model, data, batch_size)
    trained = _Sweep(recipe, cells, {"networks": len(cells), "method": "loop", "note": alone})
    report = Report(progress, trained)
    with gentle(stop) as end:
        if alone:
            trained.one_by_one(end, report)
        else:
            trained.in_parts(memory, end, report)
    runs = report.last()
    finished = sum(run.finished for run in runs.values())
    end.conclude(runs, f"the sweep was stopped, {finished} of {len(cells)} networks have finished")
    return runs


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


@dataclass(frozen=True)
class _Recipe:
    """What all networks of a sweep have in common."""

    make_model: Callable[[int], nn.Module]
    data: Data
    lr: float
    epochs: int
    batch_size: int
    snapshot_epochs: set[int]

    def optimizer(self, cell: Cell) -> Callable[[list[nn.Parameter]], GRDA]:
        c, mu, _ = cell
        return lambda parameters: GRDA(parameters, lr=self.lr, c=c, mu=mu)

    def begin(self, cell: Cell) -> Training:
        """A training as ``train`` makes it, at its beginning."""
        model = self.make_model(cell[2]).to(self.data.device)
        parameters = [p for p in model.parameters() if p.requires_grad]
        optimizer = self.optimizer(cell)(parameters)
        said = describe(model, self.data, optimizer, self.epochs, self.batch_size, cell[2])
        return Training(model, self.data, optimizer, None, said, self.snapshot_epochs)

    def train(self, cell: Cell, **options: Any) -> Run:
        """The same cell by ``train``."""
        return train(
            self.make_model(cell[2]),
            self.data,
            self.optimizer(cell),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=cell[2],
            device=self.data.device,
            snapshot_epochs=self.snapshot_epochs,
            **options,
        )


class _Sweep:
    """A sweep in progress."""

    def __init__(self, recipe: _Recipe, cells: list[Cell], how: dict[str, Any]) -> None:
        self.recipe, self.cells, self.how = recipe, cells, how
        self.done: Runs = {}
        self.current: dict[Cell, Training] = {}
        self.share = 0.0  # of the network that is trained alone now

    @property
    def fraction(self) -> float:
        """Steps done of all steps, in [0, 1]."""
        now = sum(training.fraction for training in self.current.values())
        return (len(self.done) + now + self.share) / len(self.cells)

    def run(self) -> Runs:
        """The histories so far, in the order of the grid."""
        runs = self.done | {cell: training.run() for cell, training in self.current.items()}
        return {cell: runs[cell] for cell in self.cells if cell in runs}

    def one_by_one(self, stop: Stop, report: Report[Runs]) -> None:
        for cell in self.cells:

            def watch(run: Run, fraction: float, cell: Cell = cell) -> None:
                run.configuration["sweep"] = self.how
                self.done[cell], self.share = run, fraction - 1
                report()

            self.recipe.train(cell, progress=watch, stop=stop)
            self.share = 0.0

    def in_parts(self, memory: int, stop: Stop, report: Report[Runs]) -> None:
        """Train the networks in stacks; as many at the same time as the memory holds."""
        model, data = self.recipe.begin(self.cells[0]).model, self.recipe.data
        size = bytes_per_network(model, data, self.recipe.batch_size)
        if size > memory:
            refuse("memory", memory, f"a number of bytes >= {size}, one network")
        parts = _divided(sorted(self.cells), memory // size)
        together = TOGETHER if data.device.type == "cpu" else len(self.cells)
        self.how |= {"method": "stack", "parts": len(parts), "bytes_per_network": size}
        if len(parts) > 1:
            self.how["note"] = (
                f"trained in {len(parts)} parts: {len(self.cells)} networks of {size:,} bytes "
                f"do not fit memory = {memory:,} bytes"
            )
        _keep_memory()
        with threads_for(model, data.device):
            for part in parts:
                self.train(_divided(part, together), stop, report)

    def train(self, groups: list[list[Cell]], stop: Stop, report: Report[Runs]) -> None:
        """Train the stacks of a part, taking turns of an epoch."""
        stacks = []
        for group in groups:
            trainings = {cell: self.recipe.begin(cell) for cell in group}
            for training in trainings.values():
                training.configuration["sweep"] = self.how
            stacks.append(_Stack(trainings, self.recipe.lr))
            stacks[-1].measure()
            self.current |= trainings
            report()
        for _ in range(self.recipe.epochs):
            for one in stacks:
                one.run_epoch(stop, report)
        for one in stacks:
            one.hand_back()
        self.done |= {cell: training.run() for cell, training in self.current.items()}
        self.current = {}


class _Stack:
    """Networks of one architecture that do every step together.

    The weights of each one's model are slices of the stack's, so that its ``Training`` can count
    zeros and take pictures of them as ever.
    """

    def __init__(self, trainings: dict[Cell, Training], lr: float) -> None:
        self.trainings, self.lr = list(trainings.values()), lr
        self.c, self.mu = (np.array([cell[k] for cell in trainings]) for k in (0, 1))
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
        for k, model in enumerate(models):
            for name, p in model.named_parameters():
                p.data = self.weights[name][k]
        for weights in self.trained.values():
            weights.requires_grad_()

    def run_epoch(self, stop: Stop, report: Callable[[], None]) -> None:
        """One epoch of all networks that have not ended."""
        if not self.going():
            return
        self.model.train()
        orders = torch.stack([training.draw_order() for training in self.trainings])
        for batch in orders.split(self.trainings[0].batch_size, dim=1):
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


def _divided(cells: list[Cell], most: int) -> list[list[Cell]]:
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
