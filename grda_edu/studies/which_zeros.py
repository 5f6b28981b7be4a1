"""Which zeros, or when they come? Masks from the first step on, beside gRDA's zeros (lesson 09)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.geometry.valley import measure_along, straight_line
from grda_edu.studies.paths import OTHER, Paths, by_chance
from grda_edu.studies.plan import DATA, MODELS

MASKS = ("own", "size", "random")  # gRDA's zeros, those of SGD's smallest weights, drawn ones
ENDS = ("grda", *MASKS)


@dataclass(frozen=True)
class Masks:
    """SGD from the start with a mask, from gRDA's first weights on gRDA's batches: lines from SGD.

    All masks have gRDA's number of zeros, "random" in each tensor. So "own" against "random" differ
    in which weights are zero and not in when, "own" against gRDA the other way round.

    "line" are training losses on the straight lines from SGD's network, [S, end, T]; "chance" those
    at ends that move each weight as far as that end does, up or down by chance, [S, end, draws].
    """

    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    points: int = 41
    draws: int = 50
    paths: Paths = field(default_factory=Paths)
    data: str = "digits"

    def cells(self) -> Iterator[int]:
        yield from self.seeds

    def label(self, cell: int) -> str:
        return f"seed {cell}"

    def masks(self, sgd: np.ndarray, grda: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """Which weights may be other than zero: name -> bool [d].

        The random mask is another draw than that of the recorded paths.
        """
        random = np.random.RandomState(seed + OTHER)
        sizes = [p.numel() for p in MODELS[self.paths.model](0).parameters()]
        own = grda != 0
        parts = np.split(own, np.cumsum(sizes)[:-1])
        size = magnitude_pruning(sgd, float((grda == 0).mean())) != 0
        return {
            "own": own,
            "size": size,
            "random": np.concatenate([random.permutation(part) for part in parts]),
        }

    def measure(self, cell: int) -> dict[str, Any]:
        sgd, grda = (self.paths.network(c, cell, cell) for c in (0.0, self.paths.c))
        ends = {"grda": grda}
        for name, alive in self.masks(sgd, grda, cell).items():
            ends[name] = self.paths.network(0.0, cell, cell, alive=alive)
        model, data = MODELS[self.paths.model](0), DATA[self.data]()
        t, random = np.linspace(0, 1, self.points).tolist(), np.random.RandomState(cell)
        lines, chance = [], []
        for end in ends.values():
            line = [straight_line(sgd, end, at) for at in t]
            drawn = [by_chance("signs", sgd, end, random) for _ in range(self.draws)]
            lines.append(measure_along(model, line, data)["train_loss"])
            chance.append(measure_along(model, drawn, data)["train_loss"])
        piece = {
            "zeros": np.array([(end == 0).sum() for end in ends.values()]),
            "distance": np.array([np.linalg.norm(end - sgd) for end in ends.values()]),
            "line": np.stack(lines),
            "chance": np.stack(chance),
        }
        if cell == self.seeds[0]:
            piece |= {f"first/{name}": ends[name] for name in MASKS}
        return piece

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        names = ("model", "c", "mu", "lr", "batch_size", "epochs")
        settings = {"data": self.data} | {name: getattr(self.paths, name) for name in names}
        arrays = {
            key: value if key.startswith("first/") else np.stack([piece[key] for piece in pieces])
            for key, value in pieces[0].items()
        }
        for key, value in arrays.items():
            if value.dtype.kind == "f":
                arrays[key] = value.astype(np.float32)
        own = {"seeds": np.array(self.seeds), "t": np.linspace(0, 1, self.points)}
        return {"about": {"configuration": settings | {"ends": list(ENDS)}}, **own, **arrays}
