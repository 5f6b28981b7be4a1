"""The recorded frontier: accuracy against zeros of dual averaging around Adam and AdamW.

Beside gRDA and gradual magnitude pruning, all with the same epochs from the same start and batches.
Each method has one learning rate throughout and some levels of pruning; nothing else was tuned. The
levels were placed by what one seed had on the validation images.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer

from grda_edu.optim import GRDA, DualAveraging
from grda_edu.studies.plan import DATA, MODELS, Plan
from grda_edu.training.loop import train
from grda_edu.training.run import Run

MU, LR, ADAM_LR, DECAY = 0.65, 0.1, 1e-3, 0.01
BEGIN, END = 0.2, 0.7  # shares of the steps between which gradual pruning goes on
ALONE = 0.0  # the level of a method without pruning

Make = Callable[[list[Parameter]], Optimizer]
_SGD: Make = lambda params: SGD(params, lr=LR)  # noqa: E731
_ADAM: Make = lambda params: Adam(params, lr=ADAM_LR)  # noqa: E731
_ADAMW: Make = lambda params: AdamW(params, lr=ADAM_LR, weight_decay=DECAY)  # noqa: E731


class GradualMagnitude:
    """Gradual magnitude pruning of an optimizer's parameters, all together, as a hook of its steps.

    Of ``params`` alone, where they are given.

    After step n of N the share pruned is s(1 - (1 - u)³), where u goes from 0 to 1 between ``BEGIN``
    and ``END`` of the steps; what is pruned stays zero. The masks are renewed every ``every`` steps.

    Source: the schedule of Zhu, Gupta 2017 (arXiv:1710.01878).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        zeros: float,
        steps: int,
        every: int = 10,
        params: list[Parameter] | None = None,
    ) -> None:
        self.zeros, self.steps, self.every, self.params = zeros, steps, every, params
        self.step, self.alive = 0, dict[Tensor, Tensor]()
        optimizer.register_step_post_hook(self)

    def share(self) -> float:
        """What is to be zero by now."""
        done = (self.step / self.steps - BEGIN) / (END - BEGIN)
        return self.zeros * (1 - (1 - min(max(done, 0.0), 1.0)) ** 3)

    @torch.no_grad()
    def __call__(self, optimizer: Optimizer, *_: object) -> None:
        self.step += 1
        params = self.params or [p for group in optimizer.param_groups for p in group["params"]]
        pruned = self.share()
        due = self.step % self.every == 0 or self.step == self.steps
        if pruned and due and (self.step - self.every) / self.steps < END:
            sizes = torch.cat([(p * self.alive.get(p, 1)).abs().flatten() for p in params])
            order = sizes.argsort(stable=True)
            alive = torch.ones_like(sizes, dtype=torch.bool)
            alive[order[: round(pruned * len(sizes))]] = False
            masks = alive.split([p.numel() for p in params])
            self.alive = {p: m.view_as(p) for p, m in zip(params, masks, strict=True)}
        for p, mask in self.alive.items():
            p.mul_(mask)


@dataclass(frozen=True)
class Method:
    """A way to make zeros, and the levels at which it is recorded: c, or the share of zeros."""

    name: str
    levels: tuple[float, ...] = (ALONE,)

    @property
    def gradual(self) -> bool:
        return self.name.startswith("gradual")

    def make(self, level: float, steps: int) -> Make:
        """What makes its optimizer."""
        if self.name == "gRDA":
            return lambda params: GRDA(params, lr=LR, c=level, mu=MU)
        base = {"SGD": _SGD, "Adam": _ADAM, "AdamW": _ADAMW}[self.name.split()[-1]]
        if self.name.startswith("dual"):
            return lambda params: DualAveraging(base(params), c=level, mu=MU)

        def made(params: list[Parameter]) -> Optimizer:
            optimizer = base(params)
            if self.gradual:
                GradualMagnitude(optimizer, level, steps)
            return optimizer

        return made


def recipe_name(method: Method, level: float) -> str:
    """What a method at a level is called in the recording."""
    if level == ALONE:
        return method.name
    return (
        f"{method.name}, {level:.1%} zeros" if method.gradual else f"{method.name}, c = {level:g}"
    )


@dataclass(frozen=True)
class FrontierPlan:
    """Every method at every level, with every seed."""

    methods: tuple[Method, ...]
    epochs: int
    data: str
    model: str
    seeds: tuple[int, ...]
    batch_size: int = 32

    def recipes(self) -> dict[str, tuple[Method, float]]:
        """Name of a recipe -> its method and level."""
        return {
            recipe_name(method, level): (method, level)
            for method in self.methods
            for level in method.levels
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
        method, level = self.recipes()[name]
        data, epochs = DATA[self.data](), epochs or self.epochs
        steps = epochs * -(-len(data.y_train) // self.batch_size)
        run = train(
            MODELS[self.model](seed),
            data,
            method.make(level, steps),
            epochs=epochs,
            batch_size=self.batch_size,
            seed=seed,
            device="cpu",
        )
        run.configuration |= {"recipe": name, "method": method.name, "level": level}
        return run

    def slim(self, run: Run) -> Run:
        return run

    def arrays(self, runs: list[Run]) -> dict[str, Any]:
        firsts = [run.configuration for run in runs[:: len(self.seeds)]]
        configurations = [{k: v for k, v in made.items() if k != "seed"} for made in firsts]
        return {"about": {"recipes": list(self.recipes()), "configurations": configurations}}


def _methods(
    grda: tuple[float, ...], dual: tuple[float, ...], zeros: tuple[float, ...]
) -> tuple[Method, ...]:
    return (
        Method("SGD"),
        Method("Adam"),
        Method("AdamW"),
        Method("gRDA", grda),
        Method("dual averaging around Adam", dual),
        Method("dual averaging around AdamW", dual),
        Method("gradual magnitude, SGD", zeros),
        Method("gradual magnitude, Adam", zeros),
    )


FRONTIERS: dict[str, Plan] = {
    "digits_frontier": FrontierPlan(
        _methods((0.01, 0.02, 0.03), (2.0, 4.0, 8.0, 12.0), (0.6, 0.8, 0.9, 0.95)),
        epochs=60,
        data="digits",
        model="digits_cnn",
        seeds=(0, 1, 2, 3, 4),
    ),
    "mnist_frontier": FrontierPlan(
        _methods((0.002, 0.005, 0.01), (1.0, 2.0, 4.0), (0.8, 0.9, 0.95)),
        epochs=20,
        data="mnist5k",
        model="mnist_cnn",
        seeds=(0, 1, 2),
    ),
}
