"""What dual averaging costs around another optimizer, one thread, as ratios within one run.

The two take turns; a ratio is the median of the ratios within a turn.
"""

from collections.abc import Callable
from statistics import median

from torch.nn import Parameter
from torch.optim import SGD, AdamW, Optimizer

from benchmarks.bench_step import parameters, resnet18, seconds
from grda_edu.optim import DualAveraging
from grda_edu.training.device import one_thread

BASES: dict[str, Callable[[list[Parameter]], Optimizer]] = {
    "AdamW": lambda params: AdamW(params, lr=1e-3),
    "AdamW, fused": lambda params: AdamW(params, lr=1e-3, fused=True),
    "SGD": lambda params: SGD(params, lr=0.1),
}

SIZES: dict[str, tuple[Callable[[], list[Parameter]], int]] = {
    "10 M in one tensor": (lambda: parameters([(10_000_000,)]), 15),
    "11.7 M in 62 tensors": (lambda: parameters(resnet18()), 15),
    "20 k in ten tensors": (lambda: parameters([(2000,)] * 10), 600),
    "400 small tensors": (lambda: parameters([(50,)] * 400), 100),
}


def compare(base: str, size: str) -> tuple[float, float]:
    """Median ratio of the two in one turn, and the base's median seconds."""
    make, rounds = SIZES[size]
    around = DualAveraging(BASES[base](make()), c=1.0, mu=0.65)
    alone = BASES[base](make())
    pairs = [(seconds(around.step), seconds(alone.step)) for _ in range(rounds + 3)][3:]
    return median(a / b for a, b in pairs), median(b for _, b in pairs)


def main() -> None:
    print("One step of DualAveraging around an optimizer / one of that optimizer, one thread")
    with one_thread():
        for size in SIZES:
            for base in BASES:
                ratio, time = compare(base, size)
                bar = "bar: 1.35" if base == "AdamW" else ""
                print(f"{size:<22}{base:<14}{ratio:>6.2f}  {bar:<10}{1e3 * time:>9.3f} ms alone")


if __name__ == "__main__":
    main()
