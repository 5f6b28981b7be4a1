"""How long one layer takes dense, as CSR and with units removed: on the machine that recorded it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grda_edu.sparse.clock import CSR, DENSE, REMOVED, layer_seconds, processor

WAYS = (DENSE, CSR, REMOVED)


@dataclass(frozen=True)
class Timing:
    """Every size and batch, one piece each. Record it on a machine that does nothing else."""

    sizes: tuple[int, ...] = (256, 1024, 2048)
    batches: tuple[int, ...] = (1, 8, 32, 128)
    zeros: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)
    budget: float = 1.0  # seconds a share of zeros
    data: str = "digits"  # that nothing is made of: every recording has some

    def cells(self) -> Iterator[tuple[int, int]]:
        for size in self.sizes:
            for batch in self.batches:
                yield size, batch

    def label(self, cell: tuple[int, int]) -> str:
        return f"size {cell[0]}, batch {cell[1]}"

    def measure(self, cell: tuple[int, int]) -> dict[str, Any]:
        size, batch = cell
        rows = [times for _, times in layer_seconds(size, batch, self.zeros, self.budget)]
        return {"times": np.array([[row[way] for row in rows] for way in WAYS])}

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        """Seconds [sizes, batches, ways, shares of zeros]; dense was timed anew beside each share."""
        times = np.stack([piece["times"] for piece in pieces])
        times = times.reshape(len(self.sizes), len(self.batches), *times.shape[1:])
        settings = {name: getattr(self, name) for name in self.__dataclass_fields__}
        about = settings | {"ways": list(WAYS), "processor": processor()}
        return {"about": {"configuration": about}, "times": times}
