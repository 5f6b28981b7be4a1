"""Where SGD and gRDA ended, and what scores say about the move from one to the other (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grda_edu.geometry import evidence as ev
from grda_edu.geometry.pruning import directional_pruning

LAYERS = {"conv.weight": (8, 1, 3, 3), "conv.bias": (8,), "fc.weight": (10, 128), "fc.bias": (10,)}


SIZES = tuple(int(np.prod(shape)) for shape in LAYERS.values())
LARGE = (144, 16, 4608, 32, 8192, 64, 640, 10)
"""How many weights each tensor of the small and of the large network has."""


def layers(w: np.ndarray) -> dict[str, np.ndarray]:
    """A vector of all weights [1370] as the small network's tensors."""
    parts = np.split(w, np.cumsum(SIZES)[:-1])
    return {n: p.reshape(shape) for (n, shape), p in zip(LAYERS.items(), parts, strict=True)}


@dataclass(frozen=True, eq=False)
class Ended:
    """Where SGD and gRDA ended, from the same weights on the same batches: vectors [D]."""

    sgd: np.ndarray
    grda: np.ndarray
    s: np.ndarray  # scores where SGD ended
    lam: float  # λ = c √γ t^μ
    seed: int
    sizes: tuple[int, ...] = SIZES  # of the network's tensors

    @property
    def alive(self) -> np.ndarray:
        """The survivors: bool [D]."""
        return (self.grda != 0) & (self.sgd != 0)

    @property
    def zeros(self) -> float:
        return float((self.grda == 0).mean())

    def estimates(self) -> np.ndarray:
        """ŝ, the scores that gRDA's move speaks of: [D], NaN where a weight is zero."""
        return np.where(self.alive, ev.score_estimates(self.sgd, self.grda, self.lam), np.nan)

    def evidence(self, s: np.ndarray | None = None) -> ev.Evidence:
        """Of these scores [D], the pair's own if none are given."""
        return ev.evidence_of(self.s if s is None else s, self.sgd, self.grda, self.lam)

    def partial(self, s: np.ndarray | None = None) -> float:
        """The correlation of ŝ with these scores, given each weight's size and layer."""
        s, alive = self.s if s is None else s, self.alive
        known = ev.size_and_layer(self.sgd, self.sizes)[alive]
        return ev.partial_correlation(self.estimates()[alive], s[alive], known)

    def shuffled(self) -> np.ndarray:
        """The scores dealt out anew inside each layer: [D]."""
        return ev.shuffled(self.s, self.seed, self.sizes)

    def directional(self) -> np.ndarray:
        """Directional pruning with the scores: [D]."""
        return directional_pruning(self.sgd, self.s, self.lam)

    def match(self, predicted: np.ndarray) -> ev.Match:
        return ev.match(predicted, self.sgd, self.grda)
