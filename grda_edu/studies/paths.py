"""The recorded paths of lesson 09: from one network to another, straight and around."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from grda_edu.geometry.matching import matched_units
from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.geometry.valley import (
    bezier,
    measure_along,
    measure_plane,
    plane_through,
    put_weights,
    straight_line,
    train_curve,
    weights_of,
)
from grda_edu.optim import GRDA
from grda_edu.sparse.masks import keep_zeros
from grda_edu.studies.frontier import GradualMagnitude
from grda_edu.studies.plan import DATA, MODELS
from grda_edu.training.loop import train

PAIRS = {  # name -> the networks at its two ends
    "grda": ("sgd", "grda"),
    "gradual": ("sgd", "gradual"),
    "batches": ("sgd", "sgd_other_batches"),
    "start": ("sgd", "sgd_other_start"),
    "matched": ("sgd", "sgd_other_start_matched"),
    "grda_start": ("grda", "grda_other_start"),
    "mask": ("sgd", "mask"),
    "magnitude": ("sgd", "magnitude"),
    "signs": ("sgd", "signs"),
}
NETWORKS = tuple(dict.fromkeys(network for pair in PAIRS.values() for network in pair))
OTHER = 100  # added to a seed: another start, another order of the images
PARTS, LOSS_ACCURACY = ("train", "test"), ("loss", "accuracy")
CHANCE = ("signs", "direction")  # what is drawn of a random end
FIRST = (  # kept of the first seed only
    *(f"{on}_{part}_{it}" for on in ("plane", "bend") for part in PARTS for it in LOSS_ACCURACY),
    *("a", "b", "corners", "middle"),
)


def by_chance(
    kind: str, sgd: np.ndarray, grda: np.ndarray, random: np.random.RandomState
) -> np.ndarray:
    """A point as far from SGD's network as gRDA's is, float32 [d].

    kind: "signs" keeps how far each weight moves and draws up or down; "direction" draws all.
    """
    move = grda.astype(float) - sgd
    if kind == "signs":
        drawn = np.abs(move) * random.choice([-1.0, 1.0], len(move))
    else:
        drawn = random.standard_normal(len(move))
        drawn *= np.linalg.norm(move) / np.linalg.norm(drawn)
    end: np.ndarray = (sgd + drawn).astype(np.float32)
    return end


@dataclass(frozen=True)
class Paths:
    """Lines and trained curves between networks; for seeds[0] also planes, weights and bends.

    "chance/KIND" are the training losses at many random ends, [S, draws].

    The middle of the curve of bend s is (1-s) times the point half-way between the ends plus s times
    the trained middle: 0 is the straight line, 1 the trained curve.
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    c: float = 0.02
    mu: float = 0.65
    lr: float = 0.1
    batch_size: int = 32
    epochs: int = 60
    curve_epochs: int = 40
    points: int = 41
    grid: int = 31
    margin: float = 0.35
    bends: tuple[float, ...] = tuple(k / 10 for k in range(16))
    draws: int = 200  # of each kind of random end
    data: str = "digits"
    model: str = "digits_cnn"

    def cells(self) -> Iterator[int]:
        yield from self.seeds

    def label(self, cell: int) -> str:
        return f"seed {cell}"

    def network(
        self,
        c: float,
        start: int,
        batches: int,
        *,
        gradual: float = 0.0,
        alive: np.ndarray | None = None,
    ) -> np.ndarray:
        """Weights after training, float32 [d].

        start: seed of the weights; batches: of the order; gradual: the share that gradual magnitude
        pruning with SGD makes zero; alive: bool [d], which weights may be other than zero, from the
        start on.
        """
        model, data = MODELS[self.model](start), DATA[self.data]()
        steps = self.epochs * -(-len(data.y_train) // self.batch_size)

        def make(parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
            if not gradual:
                return GRDA(parameters, lr=self.lr, c=c, mu=self.mu)
            optimizer = torch.optim.SGD(parameters, lr=self.lr)
            GradualMagnitude(optimizer, gradual, steps)
            return optimizer

        if alive is not None:
            put_weights(model, np.where(alive, weights_of(model), 0.0))
        with keep_zeros(model) if alive is not None else nullcontext():
            train(
                model,
                data,
                make,
                epochs=self.epochs,
                batch_size=self.batch_size,
                seed=batches,
                device="cpu",
            )
        return weights_of(model).numpy()

    def networks(self, seed: int) -> dict[str, np.ndarray]:
        """The ends of all paths.

        As many zeros as "grda" have "gradual", pruned by size while it trains; "magnitude", SGD's
        network with its smallest weights cut; and "mask", trained with SGD from the same start with
        zeros at random places, in each tensor as many. "signs" moves every weight of SGD's network as
        far as gRDA does, up or down by chance.
        """
        other, random = seed + OTHER, np.random.RandomState(seed)
        ends = {
            "sgd": self.network(0.0, seed, seed),
            "grda": self.network(self.c, seed, seed),
            "sgd_other_batches": self.network(0.0, seed, other),
            "sgd_other_start": self.network(0.0, other, other),
            "grda_other_start": self.network(self.c, other, other),
        }
        sgd, grda = ends["sgd"], ends["grda"]
        zeros = float((grda == 0).mean())
        sizes = [p.numel() for p in MODELS[self.model](0).parameters()]
        parts = np.split(grda != 0, np.cumsum(sizes)[:-1])
        alive = np.concatenate([random.permutation(part) for part in parts])
        return ends | {
            "sgd_other_start_matched": self.matched(ends["sgd_other_start"], sgd),
            "gradual": self.network(0.0, seed, seed, gradual=zeros),
            "mask": self.network(0.0, seed, seed, alive=alive),
            "magnitude": magnitude_pruning(sgd, zeros).astype(np.float32),
            "signs": by_chance("signs", sgd, grda, random),
        }

    def matched(self, weights: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """A network's weights with its units in the order in which they resemble another's."""
        ours, theirs = MODELS[self.model](0), MODELS[self.model](0)
        put_weights(ours, weights)
        put_weights(theirs, reference)
        found = matched_units(ours, theirs, DATA[self.data]().x_train).network
        return weights_of(found).numpy()

    def measure(self, cell: int) -> dict[str, Any]:
        networks = self.networks(cell)
        zeros = np.array([(networks[name] == 0).sum() for name in NETWORKS])
        piece: dict[str, Any] = {"zeros": zeros}
        if cell == self.seeds[0]:
            piece |= {f"first/weights/{name}": networks[name] for name in NETWORKS}
        for pair, (start, end) in PAIRS.items():
            own = self.between(networks[start], networks[end], cell)
            piece |= {f"{'first/' * (key in FIRST)}{pair}/{key}": own[key] for key in own}
        model, data = MODELS[self.model](0), DATA[self.data]()
        for kind in CHANCE:
            random = np.random.RandomState(cell + OTHER)
            ends = (
                by_chance(kind, networks["sgd"], networks["grda"], random)
                for _ in range(self.draws)
            )
            piece[f"chance/{kind}"] = measure_along(model, ends, data)["train_loss"]
        return piece

    def between(self, start: np.ndarray, end: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """Line and trained curve from ``start`` to ``end``; for the first seed their plane too."""
        model, data = MODELS[self.model](0), DATA[self.data]()
        curve = train_curve(
            model, data, start, end, epochs=self.curve_epochs, check_every=4, seed=seed
        )
        own = {
            "distance": np.array(np.linalg.norm(end - start)),
            "norm": np.array(np.linalg.norm(start)),
            "check_loss": curve.losses,
            "check_epoch": curve.epoch,
            "chosen": np.array(curve.chosen),
        }
        t = np.linspace(0, 1, self.points).tolist()
        paths = {
            "line": [straight_line(start, end, at) for at in t],
            "curve": [curve(at) for at in t],
        }
        for path, points in paths.items():
            seen = measure_along(model, points, data, PARTS)
            own |= {f"{path}_{name}": values for name, values in seen.items()}
        if seed == self.seeds[0]:
            middle = curve.middle.numpy()
            plane = plane_through(start, end, middle)
            a, b = plane.grid(self.grid, self.margin)
            seen = measure_plane(model, plane, a, b, data, PARTS)
            own |= {f"plane_{name}": values for name, values in seen.items()}
            own |= {"a": a, "b": b, "corners": plane.corners, "middle": middle}
            bent = [
                bezier(start, (1 - bend) * (start + end) / 2 + bend * middle, end, at)
                for bend in self.bends
                for at in t
            ]
            seen = measure_along(model, bent, data, PARTS)
            shape = len(self.bends), self.points
            own |= {f"bend_{name}": values.reshape(shape) for name, values in seen.items()}
        return own

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        settings = {
            name: getattr(self, name)
            for name in ("model", "data", "c", "mu", "lr", "batch_size", "epochs", "curve_epochs")
        }
        pairs = {pair: list(ends) for pair, ends in PAIRS.items()}
        about = {"configuration": settings | {"pairs": pairs, "networks": list(NETWORKS)}}
        arrays = {
            key: value if key.startswith("first/") else np.stack([piece[key] for piece in pieces])
            for key, value in pieces[0].items()
        }
        for key, value in arrays.items():
            if value.dtype.kind == "f":
                arrays[key] = value.astype(np.float32)
        t = np.linspace(0, 1, self.points)
        own = {"seeds": np.array(self.seeds), "t": t, "bends": np.array(self.bends)}
        return {"about": about, **own, **arrays}
