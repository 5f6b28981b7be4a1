"""What one optimizer step costs on the CPU with one thread, as ratios within one run.

The optimizers take turns, so that a busy machine slows both of them alike; a ratio is the median
of the ratios within a turn.
"""

from collections.abc import Callable, Iterable
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from grda_edu.optim import GRDA
from grda_edu.shrinkage import PowerTuning


class OutOfPlaceGRDA(torch.optim.Optimizer):
    """The update as one writes it down first: the new weights are made of new tensors."""

    def __init__(self, params: Iterable[Tensor], lr: float, c: float, mu: float) -> None:
        super().__init__(params, {"lr": lr, "c": c, "mu": mu, "step": 0, "threshold": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            lr, c, mu = group["lr"], group["c"], group["mu"]
            group["step"] += 1
            n = group["step"]
            group["threshold"] += c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)
            for p in group["params"]:
                state = self.state[p]
                if not state:
                    state["accumulator"] = p.clone()
                v = state["accumulator"]
                v.sub_(lr * p.grad)
                p.data = v.sign() * (v.abs() - group["threshold"]).clamp(min=0)


class BlindGRDA(GRDA):
    """Does not look whether somebody else has changed a weight."""

    def _warn_of_changes(self, index: int, group: dict[str, Any]) -> None:
        pass

    def _note_versions(self, index: int, group: dict[str, Any]) -> None:
        pass


RIVALS: dict[str, Callable[[list[Parameter]], torch.optim.Optimizer]] = {
    "SGD with momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    "SGD": lambda params: torch.optim.SGD(params, lr=0.1),
    "without the watch": lambda params: BlindGRDA(params, lr=0.1, c=0.005, mu=0.6),
    "GRDA out of place": lambda params: OutOfPlaceGRDA(params, lr=0.1, c=0.005, mu=0.6),
}


def resnet18() -> list[tuple[int, ...]]:
    """The shapes of a ResNet-18: 62 tensors, 11.7 M numbers."""
    shapes: list[tuple[int, ...]] = [(64, 3, 7, 7), (64,), (64,)]
    inputs = 64
    for outputs in (64, 64, 128, 128, 256, 256, 512, 512):
        shapes += [(outputs, inputs, 3, 3), (outputs,), (outputs,)]
        shapes += [(outputs, outputs, 3, 3), (outputs,), (outputs,)]
        if inputs != outputs:
            shapes += [(outputs, inputs, 1, 1), (outputs,), (outputs,)]
        inputs = outputs
    return [*shapes, (1000, 512), (1000,)]


SHAPES: dict[str, list[tuple[int, ...]]] = {
    "10 M in one tensor": [(10_000_000,)],
    "20 k in ten tensors": [(2000,)] * 10,
    "11 M in ResNet-18's 62": resnet18(),
    "400 of 128 numbers": [(16, 8)] * 400,
}


def parameters(shapes: list[tuple[int, ...]]) -> list[Parameter]:
    """Parameters of these shapes, with small gradients."""
    generator = torch.Generator().manual_seed(0)
    params = [Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
    for p in params:
        p.grad = 1e-3 * torch.randn(p.shape, generator=generator)
    return params


def compare(
    rival: str, shapes: list[tuple[int, ...]], rounds: int, **law: Any
) -> tuple[float, float, float]:
    """Median seconds of GRDA and of the rival, and the median ratio of the two in one round."""
    ours = GRDA(parameters(shapes), lr=0.1, **(law or {"c": 0.005, "mu": 0.6}))
    theirs = RIVALS[rival](parameters(shapes))
    pairs = [(seconds(ours.step), seconds(theirs.step)) for _ in range(rounds + 3)]
    pairs = pairs[3:]  # the first rounds make the state
    return median(a for a, _ in pairs), median(b for _, b in pairs), median(a / b for a, b in pairs)


def seconds(step: Callable[[], object]) -> float:
    start = perf_counter()
    step()
    return perf_counter() - start


def main() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    print("One optimizer step on one thread; ratio = time of GRDA / time of the other")
    print(f"{'parameters':<30}{'other':<20}{'ratio':>6}  {'bar':<8}{'GRDA':>12}{'other':>12}")
    own: dict[str, Any] = {"tuning": PowerTuning(0.005, 0.6)}
    for label, rival, bar, rounds, law in (
        ("10 M in one tensor", "SGD with momentum", "<= 1.0", 41, {}),
        ("10 M in one tensor", "SGD", "<= 2.1", 41, {}),
        ("10 M in one tensor", "GRDA out of place", "<= 0.14", 11, {}),
        ("20 k in ten tensors", "SGD with momentum", "<= 1.0", 3000, {}),
        ("20 k in ten tensors", "SGD", "<= 2.0", 3000, {}),
        ("11 M in ResNet-18's 62", "SGD with momentum", "<= 1.0", 41, {}),
        ("400 of 128 numbers", "SGD with momentum", "<= 1.0", 400, {}),
        ("400 of 128 numbers", "SGD with momentum", "<= 1.0", 400, own),
        ("400 of 128 numbers", "without the watch", "<= 1.05", 400, {}),
    ):
        ours, theirs, ratio = compare(rival, SHAPES[label], rounds, **law)
        times = f"{1e3 * ours:>9.3f} ms{1e3 * theirs:>9.3f} ms"
        name = label + (", tuning" if law else "")
        print(f"{name:<30}{rival:<20}{ratio:>6.2f}  {bar:<8}{times}")
    torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
