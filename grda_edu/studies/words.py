"""A small transformer on the interpreter's own documentation, trained in seven ways.

Two recordings: ``search`` tunes every way with the same number of trials, on validation; ``words``
trains anew what the search chose, with other seeds, and reads the test part.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.functional import cross_entropy
from torch.optim import SGD, AdamW, Optimizer

from grda_edu import recordings
from grda_edu.optim import GRDA, DualAveraging, penalty_groups
from grda_edu.studies.frontier import GradualMagnitude
from grda_edu.studies.manual import Manual, read_manual
from grda_edu.studies.transformer import Transformer

MU, MOMENTUM = 0.65, 0.9
DENSE = 0.0  # the strength of a way that makes no zeros
SEARCH = "words_search"  # the recording that WordsChosen reads


@dataclass(frozen=True)
class Way:
    """A way to train, and its trials: every learning rate with every strength.

    A strength is what the threshold has grown to by the last step; of gradual pruning the share that
    is zero then. So it means the same at every learning rate.
    """

    name: str
    rates: tuple[float, ...]
    strengths: tuple[float, ...] = (DENSE,)

    def optimizer(self, model: Module, lr: float, strength: float, steps: int) -> Optimizer:
        """Made for a training of so many steps.

        Thresholded, or pruned, are matrices and embeddings; biases and layer norms are not.
        """
        c = strength / (math.sqrt(lr) * (steps * lr) ** MU)  # of a threshold that ends there
        groups = penalty_groups(model, 0.0 if self.gradual else c, MU)
        if self.name in ("gRDA", "gRDAM"):
            return GRDA(groups, lr, c, MU, momentum=MOMENTUM if self.name == "gRDAM" else 0)
        if self.name.startswith("SGD"):
            return SGD(model.parameters(), lr, momentum=MOMENTUM if "momentum" in self.name else 0)
        if self.name.startswith("two spaces"):
            return DualAveraging(AdamW(groups, lr), c, MU)
        optimizer = AdamW(groups, lr)
        if self.gradual:
            GradualMagnitude(optimizer, strength, steps, params=matrices(model))
        return optimizer

    @property
    def gradual(self) -> bool:
        return self.name.startswith("gradual")


@dataclass(frozen=True)
class Reading:
    """A transformer's size and the length of a training, the same for all ways."""

    width: int = 48
    layers: int = 2
    context: int = 64
    batch_size: int = 8
    steps: int = 1600
    looks: int = 8  # at the validation part in a training

    def model(self, text: Manual, seed: int) -> Transformer:
        """As it is before training."""
        return Transformer(len(text.alphabet), self.width, self.layers, self.context, seed=seed)

    def train(
        self,
        way: Way,
        lr: float,
        strength: float,
        seed: int,
        text: Manual,
        watch: Callable[["Learned", int], bool] = lambda *_: False,
    ) -> "Learned":
        """Train one network; ``watch`` gets it after every step, with the step, and ends it with True.

        The seed decides initial weights and which pieces of the text are read, in which order.
        """
        model = self.model(text, seed)
        optimizer = way.optimizer(model, lr, strength, self.steps)
        chance = torch.Generator().manual_seed(seed)
        learned = Learned(model)
        learned.look(0, bits(model, text.val))
        for step in range(1, self.steps + 1):
            begins = torch.randint(
                len(text.train) - self.context, (self.batch_size, 1), generator=chance
            )
            pieces = text.train[begins + torch.arange(self.context + 1)]
            loss = cross_entropy(model(pieces[:, :-1]).flatten(0, 1), pieces[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % (self.steps // self.looks) == 0:
                learned.look(step, bits(model, text.val))
            if watch(learned, step):
                break
        return learned


class Learned:
    """A network and what was seen at each look: steps done, bits on validation, zeros."""

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self.step, self.val, self.zeros = list[int](), list[float](), list[float]()

    def look(self, step: int, val: float) -> None:
        self.step.append(step)
        self.val.append(val)
        self.zeros.append(zeros(self.model))


def matrices(model: Module) -> list[Parameter]:
    """Embeddings among them; what is left are biases and layer norms."""
    return [p for p in model.parameters() if p.ndim > 1]


def zeros(model: Module) -> float:
    """The share of zeros among matrices and embeddings."""
    weights = matrices(model)
    return sum(int((p == 0).sum()) for p in weights) / sum(p.numel() for p in weights)


@torch.no_grad()
def bits(model: Transformer, text: Tensor) -> float:
    """Bits per character of a text, int64 [length], read in pieces of the context's length.

    A piece's first guess sees one character, its last one the whole context.
    """
    length = model.context
    pieces = (len(text) - 1) // length
    seen = text[: pieces * length].view(pieces, length)
    next_ones = text[1 : pieces * length + 1].view(pieces, length)
    nats = [
        cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum").item()
        for x, y in zip(seen.split(64), next_ones.split(64), strict=True)
    ]
    return sum(nats) / (pieces * length) / math.log(2)


def _rates(first: float, number: int) -> tuple[float, ...]:
    """Learning rates, each the root of two times the one before, to three digits."""
    return tuple(float(f"{first * 2 ** (k / 2):.3g}") for k in range(number))


# Placed by what a few trainings with seed 9 had, of which nothing was recorded.
WAYS = (
    Way("SGD", _rates(0.125, 9)),
    Way("SGD with momentum", _rates(0.02, 9)),
    Way("AdamW", _rates(0.0007, 9)),
    Way("gRDA", (0.25, 0.5, 1.0), (0.07, 0.13, 0.2)),
    Way("gRDAM", (0.05, 0.1, 0.2), (0.07, 0.13, 0.2)),
    Way("two spaces around AdamW", (0.0014, 0.0028, 0.0056), (0.1, 0.22, 0.3)),
    Way("gradual magnitude, AdamW", (0.0014, 0.0028, 0.0056), (0.5, 0.8, 0.9)),
)
BY_NAME = {way.name: way for way in WAYS}

Trial = tuple[str, float, float]  # way, learning rate, strength
Cell = tuple[str, float, float, int]  # … and seed


@dataclass(frozen=True)
class WordsSearch:
    """Every way's trials, with one seed: what the validation part says, and zeros."""

    ways: tuple[Way, ...] = WAYS
    reading: Reading = Reading()
    seed: int = 0
    data: str = "digits"  # that nothing is made of: every recording has some

    def cells(self) -> Iterator[Cell]:
        for way in self.ways:
            for lr in way.rates:
                for strength in way.strengths:
                    yield way.name, lr, strength, self.seed

    def label(self, cell: Cell) -> str:
        return label(cell)

    def measure(self, cell: Cell) -> dict[str, Any]:
        learned = self.reading.train(BY_NAME[cell[0]], *cell[1:], read_manual())
        return {"val": np.array(learned.val), "zeros": np.array(learned.zeros)}

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """Looks of every trial, [trials, looks]: "val", bits per character, and "zeros"."""
        return {"about": {"configuration": about(self, list(self.cells()))}, **stacked(pieces)}


@dataclass(frozen=True)
class WordsChosen:
    """What the search chose at each level of zeros, trained with seeds of its own."""

    levels: tuple[float, ...] = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    seeds: tuple[int, ...] = (1, 2, 3)
    reading: Reading = Reading()
    data: str = "digits"

    def chosen(self) -> list[tuple[float, Trial]]:
        """Level, trial: of each way, and at each level that its trials reached."""
        search = recordings.load_measurements(SEARCH)
        trials = [(way, lr, g) for way, lr, g, _ in search.configuration["trials"]]
        val, zero = (search.arrays[name][:, -1] for name in ("val", "zeros"))
        return choose(trials, val.tolist(), zero.tolist(), self.levels)

    def cells(self) -> Iterator[Cell]:
        for trial in dict.fromkeys(trial for _, trial in self.chosen()):
            for seed in self.seeds:
                yield *trial, seed

    def label(self, cell: Cell) -> str:
        return label(cell)

    def measure(self, cell: Cell) -> dict[str, Any]:
        text = read_manual()
        learned = self.reading.train(BY_NAME[cell[0]], *cell[1:], text)
        weights = matrices(learned.model)
        return {
            "val": np.array(learned.val),
            "zeros": np.array(learned.zeros),
            "test": np.array(bits(learned.model, text.test)),
            "by_matrix": np.array([int((p == 0).sum()) for p in weights], np.int32),
        }

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """As of the search, with "test" [runs] and zeros of each matrix, "by_matrix" [runs, matrices]."""
        model = self.reading.model(read_manual(), 0)
        weights = {name: p.numel() for name, p in model.named_parameters() if p.ndim > 1}
        settings = about(self, list(self.cells())) | {
            "levels": list(self.levels),
            "seeds": list(self.seeds),
            "chosen": [[level, *trial] for level, trial in self.chosen()],
            "weights": weights,
            "parameters": sum(p.numel() for p in model.parameters()),
            "base_rates": read_manual().base_rates,
        }
        return {"about": {"configuration": settings}, **stacked(pieces)}


def choose(
    trials: list[Trial], val: list[float], zero: list[float], levels: tuple[float, ...]
) -> list[tuple[float, Trial]]:
    """Of each way the best trial on validation, level 0, and at each level the best one with as many zeros.

    Gradual pruning ends at a share of its own, to within a weight: half a point below a level counts.
    What diverged is not chosen.
    """
    found = []
    for way in dict.fromkeys(way for way, _, _ in trials):
        for level in (0.0, *levels):
            there = [
                (val[k], trial)
                for k, trial in enumerate(trials)
                if trial[0] == way and zero[k] >= level - 0.005 and math.isfinite(val[k])
            ]
            if there and (level or BY_NAME[way].strengths == (DENSE,)):
                found.append((level, min(there)[1]))
    return found


def label(cell: Cell) -> str:
    """A training in words; another text is another training."""
    way, lr, strength, seed = cell
    return f"{way}, lr {lr:g}, strength {strength:g}, seed {seed}, text {read_manual().sha256[:8]}"


def about(study: WordsSearch | WordsChosen, trials: list[Cell]) -> dict[str, Any]:
    """What a reader of a recording needs to know of the text and of all trainings."""
    text, reading = read_manual(), study.reading
    return {
        "sha256": text.sha256,
        "python": text.python,
        "alphabet": len(text.alphabet),
        "characters": {part: len(getattr(text, part)) for part in ("train", "val", "test")},
        "mu": MU,
        "momentum": MOMENTUM,
        "trials": [list(trial) for trial in trials],
        "reading": {name: getattr(reading, name) for name in reading.__dataclass_fields__},
    }


def stacked(pieces: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Name -> [pieces, …], to single precision."""
    rows = {name: np.stack([piece[name] for piece in pieces]) for name in pieces[0]}
    return {n: a.astype(np.float32) if a.dtype.kind == "f" else a for n, a in rows.items()}
