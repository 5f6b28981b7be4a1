"""What one optimizer step costs on the CPU with one thread, as ratios within one run.

The optimizers take turns, so that a busy machine slows both of them alike; a ratio is the median
of the ratios within a turn.
"""

from collections.abc import Callable, Iterable
from statistics import median
from time import perf_counter

import torch
from torch import Tensor
from torch.nn import Parameter

from grda_edu.optim import GRDA


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


RIVALS: dict[str, Callable[[list[Parameter]], torch.optim.Optimizer]] = {
    "SGD with momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    "SGD": lambda params: torch.optim.SGD(params, lr=0.1),
    "GRDA out of place": lambda params: OutOfPlaceGRDA(params, lr=0.1, c=0.005, mu=0.6),
}


def parameters(size: int, tensors: int) -> list[Parameter]:
    """``tensors`` equal parameters of ``size`` numbers in all, with small gradients."""
    generator = torch.Generator().manual_seed(0)
    params = [Parameter(torch.randn(size // tensors, generator=generator)) for _ in range(tensors)]
    for p in params:
        p.grad = 1e-3 * torch.randn(p.shape, generator=generator)
    return params


def compare(rival: str, size: int, tensors: int, rounds: int) -> tuple[float, float, float]:
    """Median seconds of GRDA and of the rival, and the median ratio of the two in one round."""
    ours = GRDA(parameters(size, tensors), lr=0.1, c=0.005, mu=0.6)
    theirs = RIVALS[rival](parameters(size, tensors))
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
    print(f"{'parameters':<22}{'other':<20}{'ratio':>6}  {'bar':<8}{'GRDA':>12}{'other':>12}")
    for label, rival, bar, size, tensors, rounds in (
        ("10 M in one tensor", "SGD with momentum", "<= 1.0", 10_000_000, 1, 41),
        ("10 M in one tensor", "SGD", "<= 2.1", 10_000_000, 1, 41),
        ("10 M in one tensor", "GRDA out of place", "<= 0.14", 10_000_000, 1, 11),
        ("20 k in ten tensors", "SGD", "<= 2.0", 20_000, 10, 3000),
    ):
        ours, theirs, ratio = compare(rival, size, tensors, rounds)
        times = f"{1e3 * ours:>9.3f} ms{1e3 * theirs:>9.3f} ms"
        print(f"{label:<22}{rival:<20}{ratio:>6.2f}  {bar:<8}{times}")
    torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
