"""The recorded paths of lesson 09: from one network to another, straight and around."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.geometry.valley import (
    bezier,
    measure_along,
    measure_plane,
    plane_through,
    straight_line,
    train_curve,
    weights_of,
)
from grda_edu.optim import GRDA
from grda_edu.studies.plan import DATA, MODELS
from grda_edu.training.loop import train

PAIRS = {  # name -> the networks at its two ends
    "grda": ("sgd", "grda"),
    "batches": ("sgd", "sgd_other_batches"),
    "start": ("sgd", "sgd_other_start"),
    "grda_start": ("grda", "grda_other_start"),
    "magnitude": ("sgd", "magnitude"),
    "random": ("sgd", "random"),
}
NETWORKS = tuple(dict.fromkeys(network for pair in PAIRS.values() for network in pair))
OTHER = 100  # added to a seed: another start, another order of the images
PARTS, LOSS_ACCURACY = ("train", "test"), ("loss", "accuracy")
FIRST = (  # kept of the first seed only
    *(f"{on}_{part}_{it}" for on in ("plane", "bend") for part in PARTS for it in LOSS_ACCURACY),
    *("a", "b", "corners", "middle"),
)


@dataclass(frozen=True)
class Paths:
    """Lines and trained curves between networks; for seeds[0] also planes, weights and bends.

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
    data: str = "digits"
    model: str = "digits_cnn"

    def cells(self) -> Iterator[int]:
        yield from self.seeds

    def label(self, cell: int) -> str:
        return f"seed {cell}"

    def network(self, c: float, start: int, batches: int) -> np.ndarray:
        """Weights after training, float32 [d]. start: seed of the weights; batches: of the order."""
        model = MODELS[self.model](start)
        train(
            model,
            DATA[self.data](),
            lambda parameters: GRDA(parameters, lr=self.lr, c=c, mu=self.mu),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=batches,
            device="cpu",
        )
        return weights_of(model).numpy()

    def networks(self, seed: int) -> dict[str, np.ndarray]:
        """The ends of all paths.

        "magnitude" is SGD's network with its smallest weights zero, as many as gRDA has; "random"
        is as far from SGD as gRDA is, in a random direction.
        """
        other = seed + OTHER
        ends = {
            "sgd": self.network(0.0, seed, seed),
            "grda": self.network(self.c, seed, seed),
            "sgd_other_batches": self.network(0.0, seed, other),
            "sgd_other_start": self.network(0.0, other, other),
            "grda_other_start": self.network(self.c, other, other),
        }
        sgd, grda = ends["sgd"], ends["grda"]
        direction = np.random.RandomState(seed).standard_normal(len(sgd))
        step = np.linalg.norm(grda - sgd) / np.linalg.norm(direction)
        return ends | {
            "magnitude": magnitude_pruning(sgd, (grda == 0).mean()).astype(np.float32),
            "random": (sgd + step * direction).astype(np.float32),
        }

    def measure(self, cell: int) -> dict[str, Any]:
        networks = self.networks(cell)
        zeros = np.array([(networks[name] == 0).sum() for name in NETWORKS])
        piece: dict[str, Any] = {"zeros": zeros}
        if cell == self.seeds[0]:
            piece |= {f"first/weights/{name}": networks[name] for name in NETWORKS}
        for pair, (start, end) in PAIRS.items():
            own = self.between(networks[start], networks[end], cell)
            piece |= {f"{'first/' * (key in FIRST)}{pair}/{key}": own[key] for key in own}
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
