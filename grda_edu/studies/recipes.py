"""Recorded training recipes: momentum, weight decay, schedules.

Momentum β passes each gradient on 1/(1-β) times in all. So that every recipe moves by the same
effective step, γ/(1-β) = 0.1, those with momentum have a learning rate of 0.01, but for quasi-hyperbolic
momentum, whose buffer is an average. Nothing was tuned for a single recipe: all have the same mu, which
with c = 0.02 costs plain gRDA less than one point on the validation images of "digits_grid", and
the same values of c, from little to too much.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import Optimizer
from torch.optim.lr_scheduler import MultiStepLR

from grda_edu.optim import GRDA
from grda_edu.shrinkage import PowerTuning, tuning_function
from grda_edu.studies.plan import DATA, MODELS, Plan
from grda_edu.training.loop import train
from grda_edu.training.run import Run

MU = 0.65
BETA, DECAY = 0.9, 5e-4  # momentum and weight decay
DROP = 0.1  # what the step schedule multiplies the learning rate by, after two thirds of the epochs
CONSTANT, STEP = "constant", "step"  # the two schedules


class RecomputedGRDA(GRDA):
    """gRDA as it should not be done: the threshold is g(n, the learning rate of now).

    For the lesson that shows how it collapses when the learning rate drops. With c and mu only.
    """

    def _advance(self, p: torch.Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = super()._advance(p, group)
        state["threshold"] = tuning_function(state["step"], group["lr"], group["c"], group["mu"])
        return state


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "SGD": torch.optim.SGD,
    "GRDA": GRDA,
    "RecomputedGRDA": RecomputedGRDA,
}


@dataclass(frozen=True)
class Method:
    """An optimizer with its settings, but for c. ``options`` are pairs of its keyword arguments."""

    name: str
    optimizer: str
    lr: float = 0.1
    options: tuple[tuple[str, Any], ...] = ()
    effective_step: bool = False  # c and mu in a tuning function for the step γ/(1-β)
    schedules: tuple[str, ...] = (CONSTANT, STEP)
    only_c: tuple[float, ...] = ()  # where not every c is recorded

    @property
    def penalised(self) -> bool:
        """Whether it has a c."""
        return self.optimizer != "SGD"

    def make(self, parameters: list[Parameter], c: float) -> Optimizer:
        """The optimizer, ready to use."""
        options = dict(self.options)
        if self.effective_step:
            options["tuning"] = PowerTuning(c, MU, options["momentum"])
        elif self.penalised:
            options |= {"c": c, "mu": MU}
        return OPTIMIZERS[self.optimizer](parameters, lr=self.lr, **options)  # type: ignore[call-arg]


_MOMENTUM = (("momentum", BETA), ("weight_decay", DECAY))
_NESTEROV = (*_MOMENTUM, ("nesterov", True))
_QHM = (*_MOMENTUM, ("dampening", BETA), ("nu", 0.7))
METHODS = (
    Method("SGD", "SGD"),
    Method("SGD with momentum", "SGD", 0.01, _MOMENTUM),
    Method("SGD with momentum, full step", "SGD", 0.1, _MOMENTUM, schedules=(CONSTANT,)),
    Method("gRDA", "GRDA"),
    Method("gRDA with weight decay", "GRDA", options=_MOMENTUM[1:], only_c=(0.02,)),
    Method("gRDAM", "GRDA", 0.01, _MOMENTUM),
    Method("gRDAM, effective step", "GRDA", 0.01, _MOMENTUM, effective_step=True),
    Method(
        "Nesterov gRDA, effective step",
        "GRDA",
        0.01,
        _NESTEROV,
        effective_step=True,
        only_c=(0.01, 0.02),
    ),
    Method("QHM gRDA", "GRDA", options=_QHM, only_c=(0.01, 0.02)),
    Method("gRDA, recomputed threshold", "RecomputedGRDA", schedules=(STEP,)),
)


def recipe_name(method: str, c: float, schedule: str) -> str:
    """What a recipe is called in a recording; ``c`` is left out of a method that has none."""
    penalised = next(m.penalised for m in METHODS if m.name == method)
    return f"{method}, c = {c:g}, {schedule}" if penalised else f"{method}, {schedule}"


@dataclass(frozen=True)
class RecipePlan:
    """Every method with every c and schedule that applies to it, and every seed."""

    methods: tuple[Method, ...]
    c: tuple[float, ...]
    epochs: int
    data: str
    model: str
    schedules: tuple[str, ...] = (CONSTANT, STEP)
    seeds: tuple[int, ...] = (0, 1, 2)
    batch_size: int = 32

    @property
    def drop_after(self) -> int:
        """Epochs before the step schedule's drop."""
        return self.epochs * 2 // 3

    def recipes(self) -> dict[str, tuple[Method, float, str]]:
        """Name of a recipe -> its method, c and schedule."""
        return {
            recipe_name(method.name, c, schedule): (method, c, schedule)
            for method in self.methods
            for c in ((method.only_c or self.c) if method.penalised else (0.0,))
            for schedule in method.schedules
            if schedule in self.schedules
        }

    def cells(self) -> Iterator[tuple[str, int]]:
        for name in self.recipes():
            for seed in self.seeds:
                yield name, seed

    def label(self, cell: tuple[str, int]) -> str:
        name, seed = cell
        return f"{name}, seed {seed}"

    def train(self, cell: tuple[str, int], epochs: int | None = None) -> Run:
        name, seed = cell
        method, c, schedule = self.recipes()[name]
        run = train(
            MODELS[self.model](seed),
            DATA[self.data](),
            lambda parameters: method.make(parameters, c),
            epochs=epochs or self.epochs,
            batch_size=self.batch_size,
            seed=seed,
            device="cpu",
            make_scheduler=self._drop if schedule == STEP else None,
        )
        run.configuration |= {"recipe": name, "drop_after": self.drop_after}
        return run

    def _drop(self, optimizer: Optimizer) -> MultiStepLR:
        return MultiStepLR(optimizer, [self.drop_after], gamma=DROP)

    def slim(self, run: Run) -> Run:
        return run

    def arrays(self, runs: list[Run]) -> dict[str, Any]:
        firsts = [run.configuration for run in runs[:: len(self.seeds)]]
        configurations = [{k: v for k, v in made.items() if k != "seed"} for made in firsts]
        return {"about": {"recipes": list(self.recipes()), "configurations": configurations}}


def _named(*names: str) -> tuple[Method, ...]:
    return tuple(method for method in METHODS if method.name in names)


RECIPES: dict[str, Plan] = {
    "digits_recipes": RecipePlan(METHODS, (0.005, 0.01, 0.02, 0.03), 60, "digits", "digits_cnn"),
    "mnist_recipes": RecipePlan(
        _named("SGD", "SGD with momentum", "gRDA", "gRDAM, effective step"),
        (0.005, 0.01),
        30,
        "mnist5k",
        "mnist_cnn",
        schedules=(STEP,),
    ),
}
