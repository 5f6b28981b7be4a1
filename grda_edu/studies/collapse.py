"""How many zeros gRDA from scratch can make before its training collapses (lesson 10).

The strengths rise by 3 % a step, from the c that makes 95 % zeros: finer than lesson 05's search.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grda_edu.studies.lanes import Lane, Recipe
from grda_edu.studies.plan import DATA, MODELS
from grda_edu.studies.pruned import Pruning


@dataclass(frozen=True)
class Collapse:
    """gRDA from scratch in ``Pruning``'s protocol, each seed once with every c.

    "test" is the number of test images read right after each of the last epochs, [S, C, late];
    "zeros" the share of zeros at the end, [S, C].
    """

    c: tuple[float, ...] = tuple(round(0.0231 * 1.03**k, 5) for k in range(15))
    late: int = 5
    pruning: Pruning = field(default_factory=Pruning)
    data: str = "digits"

    def cells(self) -> Iterator[int]:
        yield from self.pruning.seeds

    def label(self, cell: int) -> str:
        return f"seed {cell}"

    def measure(self, cell: int) -> dict[str, Any]:
        plan = self.pruning
        model = MODELS[plan.model](cell)
        start = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
        recipe = Recipe(model, DATA[plan.data](), plan.lr, plan.mu, plan.batch_size)
        made = recipe.train([Lane(start, c=c) for c in self.c], cell, 2 * plan.epochs)
        return {
            "test": made.test[:, -self.late :].astype(np.int16),
            "zeros": (made.weights == 0).mean(axis=1),
        }

    def arrays(self, pieces: list[dict[str, Any]]) -> dict[str, Any]:
        about = {
            "c": list(self.c),
            "seeds": list(self.pruning.seeds),
            "images": len(DATA[self.data]().y_test),
        }
        stacked = {name: np.stack([piece[name] for piece in pieces]) for name in pieces[0]}
        return {"about": {"configuration": about}, **stacked}
