"""One step on an NVIDIA GPU, as ratios within one run; says so where there is none.

The optimizers take turns. Each time is that of many steps in a row, so that it is the processor's
where starting kernels is what takes long, and the GPU's where moving the numbers does.
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch.nn import Parameter
from torch.optim import SGD, AdamW

from benchmarks.bench_step import SHAPES, parameters
from grda_edu.optim import GRDA, DualAveraging

Params = list[Parameter]
MAKE: dict[str, Callable[[Params], Any]] = {
    "SGD, momentum": lambda params: SGD(params, lr=0.1, momentum=0.9, foreach=True),
    "SGD": lambda params: SGD(params, lr=0.1, foreach=True),
    "GRDA": lambda params: GRDA(params, lr=0.1, c=0.005, mu=0.6),
    "GRDA, loop": lambda params: GRDA(params, lr=0.1, c=0.005, mu=0.6, foreach=False),
    "AdamW": lambda params: AdamW(params, lr=1e-3, foreach=True),
    "around AdamW": lambda params: DualAveraging(
        AdamW(params, lr=1e-3, foreach=True), c=1.0, mu=0.65
    ),
}
ROWS = {**SHAPES, "100 M in 25 tensors": [(2000, 2000)] * 25}
WARM_UP, ROUNDS = 20, 9


def on_gpu(shapes: list[tuple[int, ...]]) -> Params:
    params = []
    for p in parameters(shapes):
        moved = Parameter(p.detach().cuda())
        moved.grad = p.grad.cuda() if p.grad is not None else None
        params.append(moved)
    return params


def seconds(step: Callable[[], object], steps: int) -> float:
    torch.cuda.synchronize()
    start = perf_counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    return (perf_counter() - start) / steps


def graph_of(shapes: list[tuple[int, ...]], make: Callable[[Params], Any]) -> Callable[[], object]:
    """Replays a captured step."""
    optimizer = make(on_gpu(shapes))
    for _ in range(3):
        optimizer.step()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        optimizer.step()
    return graph.replay


def replays(shapes: list[tuple[int, ...]]) -> dict[str, Callable[[], object]]:
    def ours(params: Params) -> GRDA:
        lr = torch.tensor(0.1, device="cuda")
        return GRDA(params, lr=lr, c=0.005, mu=0.6, capturable=True)

    return {
        "SGD, momentum, replayed": graph_of(shapes, MAKE["SGD, momentum"]),
        "GRDA, replayed": graph_of(shapes, ours),
    }


def times(shapes: list[tuple[int, ...]]) -> dict[str, list[float]]:
    """Seconds a step of every optimizer in every round."""
    steps = {name: make(on_gpu(shapes)).step for name, make in MAKE.items()} | replays(shapes)
    for step in steps.values():
        seconds(step, WARM_UP)
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            spent[name].append(seconds(step, 100))
    return spent


def main() -> None:
    """Print the table."""
    if not torch.cuda.is_available():
        print("no NVIDIA GPU here")
        return
    print(f"One optimizer step on one {torch.cuda.get_device_name()}, torch {torch.__version__}")
    pairs = (
        ("GRDA", "SGD, momentum", "<= 1.1"),
        ("GRDA", "SGD", ""),
        ("GRDA, loop", "SGD, momentum", ""),
        ("around AdamW", "AdamW", ""),
        ("GRDA, replayed", "SGD, momentum", ""),
        ("GRDA, replayed", "SGD, momentum, replayed", ""),
    )
    for label, shapes in ROWS.items():
        spent = times(shapes)
        print(label)
        for ours, theirs, bar in pairs:
            ratio = median(a / b for a, b in zip(spent[ours], spent[theirs], strict=True))
            mine, other = (1e6 * median(spent[name]) for name in (ours, theirs))
            print(f"  {ours:<16}{theirs:<26}{ratio:>6.2f}  {bar:<8}{mine:>9.0f} µs{other:>9.0f} µs")


if __name__ == "__main__":
    main()
