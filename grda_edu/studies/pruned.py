"""A trained network pruned in many ways: not trained further, trained further, or trained anew.

And whether it is the mask or the weights that count. Every piece is one seed: a network and an order
of the images; all ways of a piece start from the same weights and see the same batches.

A way that makes its zeros by itself, gRDA, has a c for each sparsity. They were placed by the zeros
alone that seed 8, which is not recorded, had on a geometric grid of c. From scratch 98 % are out of
reach: there gRDA collapses first (``collapse.py``). Nothing was tuned for a single way.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD

from grda_edu.geometry.curvature import FixedLoss
from grda_edu.geometry.evidence import directional_at_zeros
from grda_edu.geometry.finite_time import directional_pruning_in_steps, finite_time_scores
from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.geometry.valley import put_weights, renew_batch_norm, weights_of
from grda_edu.models import digits_cnn
from grda_edu.studies.lanes import Lane, Recipe, Trained, gradual, iterative
from grda_edu.studies.plan import DATA, MODELS
from grda_edu.training.loop import evaluate, train

Cell = int | str  # a seed, or BATCH_NORM
BATCH_NORM = "batch norm"
NOT_MADE = -1  # in the place of a number of images

CUTS = (
    "random",
    "random, magnitude's layers",
    "magnitude",
    "magnitude by layer",
    "|w·g| of one batch",
    "directional, one jump",
    "directional, steps",
)
RETRAINED = (
    "magnitude",
    "magnitude, gradual",
    "magnitude, three rounds",
    "magnitude by layer",
    "random, magnitude's layers",
    "random",
    "gRDA",
    "gRDA, then its mask",
    "gRDAM",
)
SCRATCH = ("gRDA", "magnitude, gradual")
PARTS = (
    "gRDA",
    "its mask, same start",
    "its mask, another start",
    "magnitude's mask, same start",
    "random mask, its layers",
)
MASKED = ("magnitude", "magnitude by layer", "random, magnitude's layers", "random")
GROUPS = {"cut": CUTS, "retrained": RETRAINED, "scratch": SCRATCH, "parts": PARTS}


@dataclass(frozen=True)
class Pruning:
    """The digits CNN after SGD, pruned to several sparsities in all ways, and from scratch.

    "cut" are networks as they are after pruning, the others after ``epochs`` epochs: "retrained" from
    SGD's weights, "scratch" after as many epochs in all as SGD and retraining have together, "parts"
    after as many as SGD has.
    """

    sparsities: tuple[float, ...] = (0.5, 0.8, 0.9, 0.95, 0.98)
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6, 7)
    epochs: int = 60
    until: int = 40  # epochs of gRDA before its mask is fixed
    c_retrained: tuple[float, ...] = (0.0053, 0.0119, 0.0221, 0.042, 0.111)
    c_until: tuple[float, ...] = (0.0068, 0.0154, 0.0274, 0.0516, 0.13)
    c_momentum: tuple[float, ...] = (0.0053, 0.0118, 0.0218, 0.0417, 0.109)
    c_scratch: tuple[float, ...] = (0.0034, 0.0075, 0.0132, 0.0231)
    c_parts: tuple[float, ...] = (0.0053, 0.0115, 0.0186, 0.0265)
    momentum: float = 0.9
    rounds: int = 3
    steps: tuple[int, ...] = (2, 3, 2, 2, 3)  # of directional pruning, up to each sparsity
    products: int = 20  # in a step; twice as many for the jump
    scores_mu: float = 0.51
    other_start: int = 100  # what is added to a seed for another start
    other_order: int = 1000  # and for the order of the retraining
    lr: float = 0.1
    mu: float = 0.65
    batch_size: int = 32
    data: str = "digits"
    model: str = "digits_cnn"

    def cells(self) -> Iterator[Cell]:
        yield BATCH_NORM
        yield from self.seeds

    def label(self, cell: Cell) -> str:
        return cell if isinstance(cell, str) else f"seed {cell}"

    def measure(self, cell: Cell) -> dict[str, Any]:
        torch.empty(30 * 2**20, dtype=torch.uint8)  # as ``sweep`` does: memory that is freed stays
        return self._batch_norm() if isinstance(cell, str) else _Piece(self, cell).measure()

    def _batch_norm(self) -> dict[str, Any]:
        """Cut by magnitude, with batch norm's statistics as they were and renewed."""
        data, seed = DATA[self.data](), self.seeds[0]
        model = with_batch_norm(seed)
        train(
            *(model, data, lambda p: SGD(p, lr=self.lr)),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=seed,
            device="cpu",
        )
        rows = []
        for zeros in (0.0, *self.sparsities):
            cut = magnitude_pruning(model, zeros)
            seen = [evaluate(cut, data.x_test, data.y_test)[1]]
            renew_batch_norm(cut, data.x_train)
            seen.append(evaluate(cut, data.x_test, data.y_test)[1])
            rows.append(np.round(np.array(seen) * len(data.y_test)))
        return {"batch_norm/test": np.array(rows, np.int16)}

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        norm, *of_seeds = pieces
        stacked = {name: np.stack([piece[name] for piece in of_seeds]) for name in of_seeds[0]}
        settings = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data, model = DATA[self.data](), MODELS[self.model](0)
        about = settings | {
            "groups": {name: list(ways) for name, ways in GROUPS.items()},
            "layers": [name for name, _ in model.named_parameters()],
            "sizes": [p.numel() for p in model.parameters()],
            "images": {"test": len(data.y_test), "val": len(data.y_val)},
        }
        return {"about": {"configuration": about}, **norm, **stacked}


def with_batch_norm(seed: int) -> nn.Sequential:
    """The digits CNN with a batch norm after each convolution."""
    model, parts = digits_cnn(seed), list[nn.Module]()
    for layer in model:
        parts.append(layer)
        if isinstance(layer, nn.Conv2d):
            parts.append(nn.BatchNorm2d(layer.out_channels))
    return nn.Sequential(*parts)


def smallest(scores: np.ndarray, share: float) -> np.ndarray:
    """False at the lowest ``share`` of the scores, the first ones among equals: bool [P]."""
    alive = np.ones(len(scores), bool)
    alive[np.argsort(scores, kind="stable")[: round(share * len(scores))]] = False
    return alive


def by_layer(scores: np.ndarray, sizes: list[int], alive: list[int]) -> np.ndarray:
    """True at the highest scores of each tensor, so many in each: bool [P]."""
    parts = np.split(scores, np.cumsum(sizes)[:-1])
    kept = [smallest(part, 1 - n / len(part)) for part, n in zip(parts, alive, strict=True)]
    return np.concatenate(kept)


class _Piece:
    """All that is measured with one seed."""

    def __init__(self, study: Pruning, seed: int) -> None:
        self.study, self.seed, self.data = study, seed, DATA[study.data]()
        self.model = MODELS[study.model](seed)
        self.sizes = [p.numel() for p in self.model.parameters()]
        self.recipe = Recipe(self.model, self.data, study.lr, study.mu, study.batch_size)
        self.start = weights_of(self.model).numpy()
        self.order = seed + study.other_order

    def measure(self) -> dict[str, Any]:
        study = self.study
        trained = self.recipe.train([Lane(self.start)], self.seed, study.epochs)
        self.sgd = trained.weights[0]
        dense = self.recipe.train([Lane(self.sgd)], self.order, study.epochs)
        self.masks = self._masks()
        piece = {
            f"{name}/{what}": getattr(one, what)[0]
            for name, one in (("sgd", trained), ("dense", dense))
            for what in ("test", "val", "loss")
        }
        for group, ways in {
            "cut": self._cut(),
            "retrained": self._retrained(),
            "scratch": self._scratch(),
            "parts": self._parts(),
        }.items():
            piece |= self._columns(group, ways)
        return {
            name: np.asarray(array, np.float32 if name.endswith("loss") else np.int16)
            for name, array in piece.items()
        }

    def _columns(self, group: str, ways: dict[str, Trained]) -> dict[str, np.ndarray]:
        """What the ways of a group left: [ways, sparsities, …], filled up where none was made."""
        sparsities = len(self.study.sparsities)

        def table(what: Callable[[Trained], np.ndarray], filler: float) -> np.ndarray:
            rows = []
            for way in GROUPS[group]:
                row = what(ways[way])
                more = [(0, sparsities - len(row)), *[(0, 0)] * (row.ndim - 1)]
                rows.append(np.pad(row, more, constant_values=filler))
            return np.stack(rows)

        epochs = 0 if group == "cut" else slice(None)  # what is never trained has no curves
        return {
            f"{group}/test": table(lambda one: one.test[:, epochs], NOT_MADE),
            f"{group}/val": table(lambda one: one.val[:, epochs], NOT_MADE),
            f"{group}/loss": table(lambda one: one.loss, np.nan),
            f"{group}/zeros": table(lambda one: self.recipe.zeros(one.weights), NOT_MADE),
        }

    # ---- not trained any further

    def _masks(self) -> dict[str, list[np.ndarray]]:
        """Way -> what may live at every sparsity."""
        w = self.sgd
        random = np.random.default_rng([self.seed, 0]).random(len(w))
        slope = self._gradient()
        masks: dict[str, list[np.ndarray]] = {way: [] for way in CUTS[:5]}
        for share in self.study.sparsities:
            magnitude = smallest(np.abs(w), share)
            even = [round((1 - share) * size) for size in self.sizes]
            masks["random"].append(smallest(random, share))
            masks["random, magnitude's layers"].append(
                by_layer(random, self.sizes, self._alive(magnitude))
            )
            masks["magnitude"].append(magnitude)
            masks["magnitude by layer"].append(by_layer(np.abs(w), self.sizes, even))
            masks["|w·g| of one batch"].append(smallest(np.abs(w * slope), share))
        return masks

    def _cut(self) -> dict[str, Trained]:
        ways = {way: [self.sgd * mask for mask in rows] for way, rows in self.masks.items()}
        ways["directional, one jump"], ways["directional, steps"] = self._directional()
        lanes = {way: [Lane(row.astype(np.float32)) for row in rows] for way, rows in ways.items()}
        return self.recipe.ways(lanes, 0, 0)

    def _gradient(self) -> np.ndarray:
        """Of the loss of the retraining's first batch at SGD's weights: float [P]."""
        study, images = self.study, len(self.data.y_train)
        order = torch.randperm(images, generator=torch.Generator().manual_seed(self.order))
        batch = order[: study.batch_size]
        model = MODELS[study.model](self.seed)
        put_weights(model, self.sgd)
        loss = cross_entropy(model(self.data.x_train[batch]), self.data.y_train[batch])
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        return torch.cat([slope.flatten() for slope in slopes]).numpy()

    def _directional(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        study = self.study
        model = MODELS[study.model](self.seed)
        put_weights(model, self.sgd)
        loss = FixedLoss(model, (self.data.x_train, self.data.y_train))
        w = self.sgd.astype(np.float64)
        t = study.epochs * -(-len(self.data.y_train) // study.batch_size) * study.lr
        s = finite_time_scores(loss, t, study.scores_mu, w=w, products=2 * study.products).s
        counts = [round(share * len(w)) for share in study.sparsities]
        jump = [directional_at_zeros(w, s, zeros) for zeros in counts]
        steps = list[np.ndarray]()
        for share, number in zip(study.sparsities, study.steps, strict=True):
            found = directional_pruning_in_steps(
                *(loss, share, number),
                t=t,
                mu=study.scores_mu,
                w=steps[-1] if steps else w,
                products=study.products,
            )
            steps.append(found.w)
        return jump, steps

    # ---- trained

    def _retrained(self) -> dict[str, Trained]:
        study, w = self.study, self.sgd
        lanes = {way: [Lane(w, alive=mask) for mask in self.masks[way]] for way in MASKED} | {
            "magnitude, gradual": [Lane(w, prune=gradual(share)) for share in study.sparsities],
            "magnitude, three rounds": [
                Lane(w, prune=iterative(share, study.rounds)) for share in study.sparsities
            ],
            "gRDA": [Lane(w, c=c) for c in study.c_retrained],
            "gRDAM": [Lane(w, c=c, momentum=study.momentum) for c in study.c_momentum],
        }
        ways = self.recipe.ways(lanes, self.order, study.epochs)
        return ways | {"gRDA, then its mask": self._then_its_mask()}

    def _then_its_mask(self) -> Trained:
        """gRDA for the first epochs, then SGD on what it left."""
        study = self.study
        lanes = [Lane(self.sgd, c=c) for c in study.c_until]
        first = self.recipe.train(lanes, self.order, study.until)
        lanes = [Lane(row, alive=row != 0) for row in first.weights]
        left = study.epochs - study.until
        then = self.recipe.train(lanes, self.order, left, skipped=study.until)
        test, val = (
            np.concatenate([getattr(first, part), getattr(then, part)[:, 1:]], axis=1)
            for part in ("test", "val")
        )
        return replace(then, test=test, val=val)

    def _scratch(self) -> dict[str, Trained]:
        """As many epochs in all as SGD and retraining have; of the curves the second half."""
        study = self.study
        lanes = {
            "gRDA": [Lane(self.start, c=c) for c in study.c_scratch],
            "magnitude, gradual": [
                Lane(self.start, prune=gradual(share)) for share in study.sparsities
            ],
        }
        late = slice(-study.epochs - 1, None)
        return {
            way: replace(one, test=one.test[:, late], val=one.val[:, late])
            for way, one in self.recipe.ways(lanes, self.seed, 2 * study.epochs).items()
        }

    def _parts(self) -> dict[str, Trained]:
        """gRDA, and what its mask is worth without its weights."""
        study = self.study
        lanes = [Lane(self.start, c=c) for c in study.c_parts]
        grda = self.recipe.train(lanes, self.seed, study.epochs)
        random = np.random.default_rng([self.seed, 1]).random(len(self.start))
        other = weights_of(MODELS[study.model](self.seed + study.other_start)).numpy()
        masks = [row != 0 for row in grda.weights]
        sizes = np.abs(self.sgd)
        ways = {
            "its mask, same start": [Lane(self.start, alive=mask) for mask in masks],
            "its mask, another start": [Lane(other, alive=mask) for mask in masks],
            "magnitude's mask, same start": [
                Lane(self.start, alive=smallest(sizes, 1 - mask.mean())) for mask in masks
            ],
            "random mask, its layers": [
                Lane(self.start, alive=by_layer(random, self.sizes, self._alive(mask)))
                for mask in masks
            ],
        }
        return {"gRDA": grda, **self.recipe.ways(ways, self.seed, study.epochs)}

    def _alive(self, mask: np.ndarray) -> list[int]:
        """How many live in each tensor."""
        return [int(part.sum()) for part in np.split(mask, np.cumsum(self.sizes)[:-1])]
