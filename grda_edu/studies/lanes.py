"""Many networks on the same batches, each with its own start, mask, penalty and momentum: one stack."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from grda_edu.data import Data
from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.shrinkage import tuning_increment
from grda_edu.studies.frontier import BEGIN, END
from grda_edu.training.grids import TOGETHER
from grda_edu.training.stacked import forward_of, grda_step, views

Share = Callable[[float], float | None]
"""Share of the steps done -> share of the weights to be zero from now on, or None for no change."""
EVERY = 10  # steps between two looks of gradual pruning
EVALUATION_BATCH = 32


def gradual(zeros: float) -> Share:
    """Between two shares of the steps, quickly at first: as ``frontier.GradualMagnitude``."""

    def share(done: float) -> float | None:
        u = (done - BEGIN) / (END - BEGIN)
        return zeros * (1 - (1 - min(u, 1.0)) ** 3) if u > 0 else None

    return share


def iterative(zeros: float, rounds: int) -> Share:
    """As many equal rounds, each of which leaves the same share of what the last one left."""

    def share(done: float) -> float:
        now = min(int(done * rounds + 1e-9) + 1, rounds)
        return 1 - float((1 - zeros) ** (now / rounds))

    return share


@dataclass
class Lane:
    """One network of a stack."""

    start: np.ndarray  # float32 [P]
    alive: np.ndarray | None = None  # bool [P], what may live; everything if left out
    c: float = 0.0  # 0: SGD
    momentum: float = 0.0
    prune: Share | None = None  # by magnitude, while it trains


@dataclass(frozen=True, eq=False)
class Trained:
    """What K lanes leave behind after E epochs."""

    weights: np.ndarray  # float32 [K, P]
    test: np.ndarray  # int [K, E + 1], test images named right; the first before training
    val: np.ndarray  # int [K, E + 1]
    loss: np.ndarray  # float [K], training loss (nats), the mean of the last epochs

    def part(self, rows: slice) -> "Trained":
        """Some of the lanes."""
        return Trained(self.weights[rows], self.test[rows], self.val[rows], self.loss[rows])


@dataclass(frozen=True)
class Recipe:
    """What all lanes have in common."""

    model: nn.Module  # of their architecture; its weights do not matter
    data: Data
    lr: float
    mu: float
    batch_size: int
    late: int = 5  # epochs at the end whose training loss is measured

    def train(self, lanes: Sequence[Lane], order: int, epochs: int, *, skipped: int = 0) -> Trained:
        """Train every lane, a dozen at a time.

        Each is what ``train`` makes of the model with ``GRDA`` (its momentum at the effective step,
        γ/(1-β) = lr) and this order's batches, up to rounding, under ``keep_zeros`` if it has a mask.

        Args:
            lanes: K of them.
            order: seed of the order of the images.
            epochs: E.
            skipped: epochs of that order that are left out before.

        Returns:
            What they leave behind.
        """
        stacks = np.array_split(np.arange(len(lanes)), -(-len(lanes) // TOGETHER))
        done = [
            _Stack(self, [lanes[k] for k in which]).run(order, epochs, skipped) for which in stacks
        ]
        names = ("weights", "test", "val", "loss")
        return Trained(*(np.concatenate([getattr(one, name) for one in done]) for name in names))

    def ways(
        self, lanes: Mapping[str, Sequence[Lane]], order: int, epochs: int, **options: int
    ) -> dict[str, Trained]:
        """``train`` for lanes that are named by ways, the lanes of all in the same stacks."""
        trained = self.train(
            [lane for row in lanes.values() for lane in row], order, epochs, **options
        )
        ends = np.cumsum([len(row) for row in lanes.values()])
        return {
            way: trained.part(slice(end - len(row), end))
            for (way, row), end in zip(lanes.items(), ends, strict=True)
        }

    def zeros(self, weights: np.ndarray) -> np.ndarray:
        """Zeros in each parameter tensor: uint16 [K, L]."""
        sizes = [p.numel() for p in self.model.parameters()]
        parts = np.split(weights == 0, np.cumsum(sizes)[:-1], axis=-1)
        return np.stack([part.sum(axis=-1) for part in parts], axis=-1).astype(np.uint16)


class _Stack:
    """At most a dozen lanes that do every step together."""

    def __init__(self, recipe: Recipe, lanes: list[Lane]) -> None:
        self.recipe, self.lanes, self.data = recipe, lanes, recipe.data
        self.forward = forward_of(recipe.model)
        shapes = {name: p.shape for name, p in recipe.model.named_parameters()}
        self.rows = torch.from_numpy(np.stack([lane.start for lane in lanes]).astype(np.float32))
        masks = [np.ones(len(a.start), bool) if a.alive is None else a.alive for a in lanes]
        self.alive = torch.from_numpy(np.stack(masks).astype(np.float32))
        self.rows *= self.alive
        self.v = self.rows.clone()
        self.weights = views(self.rows, shapes)
        for w in self.weights.values():
            w.requires_grad_()
        self.c = np.array([lane.c for lane in lanes])
        self.thresholds = np.zeros(len(lanes))
        beta = torch.tensor([[lane.momentum] for lane in lanes])
        self.beta = beta if beta.any() else None
        self.buffer = torch.zeros_like(self.rows)

    def run(self, order: int, epochs: int, skipped: int) -> Trained:
        images, batch = len(self.data.y_train), self.recipe.batch_size
        generator = torch.Generator().manual_seed(order)
        for _ in range(skipped):
            torch.randperm(images, generator=generator)
        per_epoch = -(-images // batch)
        n, late = 0, max(epochs - self.recipe.late, 0)
        test, val, losses = [self.hits("test")], [self.hits("val")], []
        if not epochs:
            losses.append(self.loss())
        for epoch in range(1, epochs + 1):
            for indices in torch.randperm(images, generator=generator).split(batch):
                if n % EVERY == 0:
                    self.prune(n / (epochs * per_epoch))
                n += 1
                self.step(n, self.data.x_train[indices], self.data.y_train[indices])
            self.prune(n / (epochs * per_epoch))
            test.append(self.hits("test"))
            val.append(self.hits("val"))
            if epoch > late:
                losses.append(self.loss())
        weights = self.rows.detach().numpy().copy()
        return Trained(weights, np.stack(test, 1), np.stack(val, 1), np.mean(losses, axis=0))

    def step(self, n: int, x: Tensor, y: Tensor) -> None:
        networks, lr = len(self.lanes), self.recipe.lr
        outputs = self.forward(self.weights, x.expand(networks, *x.shape)).flatten(0, 1)
        loss = cross_entropy(outputs, y.repeat(networks), reduction="sum") / len(y)
        gradients = torch.autograd.grad(loss, list(self.weights.values()))
        gradient = torch.cat([g.flatten(1) for g in gradients], dim=1)
        gradient *= self.alive
        if self.beta is not None:  # b ← β b + G, at the learning rate (1-β)γ
            self.buffer.mul_(self.beta).add_(gradient)
            gradient = self.buffer * (1 - self.beta)
        self.thresholds += tuning_increment(n, lr, self.c, self.recipe.mu)
        with torch.no_grad():
            grda_step(self.rows, self.v, gradient, self.thresholds, lr)

    @torch.no_grad()
    def prune(self, done: float) -> None:
        for k, lane in enumerate(self.lanes):
            share = lane.prune(done) if lane.prune else None
            if share is not None and share > 1 - float(self.alive[k].mean()) + 1e-9:
                left = magnitude_pruning(self.rows[k].numpy(), share)
                self.alive[k] = torch.from_numpy((left != 0).astype(np.float32))
                for rows in (self.rows, self.v, self.buffer):
                    rows[k] *= self.alive[k]

    @torch.no_grad()
    def outputs(self, part: str) -> Iterator[tuple[Tensor, Tensor]]:
        x, y = getattr(self.data, f"x_{part}"), getattr(self.data, f"y_{part}")
        networks = len(self.lanes)
        for images, labels in zip(
            x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True
        ):
            yield self.forward(self.weights, images.expand(networks, *images.shape)), labels

    def hits(self, part: str) -> np.ndarray:
        right = [(o.argmax(dim=2) == y).sum(dim=1) for o, y in self.outputs(part)]
        return torch.stack(right).sum(dim=0).numpy()

    def loss(self) -> np.ndarray:
        sums = []
        for o, y in self.outputs("train"):
            each = cross_entropy(o.flatten(0, 1), y.repeat(len(o)), reduction="none")
            sums.append(each.view(len(o), -1).double().sum(dim=1))
        return (torch.stack(sums).sum(dim=0) / len(self.data.y_train)).numpy()
