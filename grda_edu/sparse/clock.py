"""How long a layer takes: dense, with its zeros left out, or with units removed. One thread.

Times are medians over repeats. What is compared is timed in turns, so that whatever else the computer
does meanwhile meets all of it alike; and it is processor time that is read, where its clock is fine
enough, which does not run while others have the processor.
"""

from __future__ import annotations

import math
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import linear

from grda_edu.checks import refuse, whole
from grda_edu.training.device import one_thread

DENSE, CSR, REMOVED = "dense", "CSR", "units removed"
BLOCK = 1e-3  # seconds that one reading of the clock has to span
LEAST, MOST = 3, 99  # readings
_FINE = time.get_clock_info("thread_time").resolution <= 1e-6
_now = time.thread_time if _FINE else time.perf_counter


def seconds_of(calls: Mapping[str, Callable[[], object]], budget: float = 0.3) -> dict[str, float]:
    """Median seconds of one call of each, taken in turns.

    Args:
        calls: name -> what is timed. Each is called twice before.
        budget: seconds that may be spent, after three rounds.

    Returns:
        Name -> the median over 3 to 99 rounds, in each of which it is called for a millisecond.
    """
    numbers = {}
    for name, call in calls.items():
        call()
        numbers[name] = max(1, math.ceil(BLOCK / max(_elapsed(call, 1), 1e-7)))
    readings: dict[str, list[float]] = {name: [] for name in calls}
    end, rounds = time.perf_counter() + budget, 0
    while rounds < LEAST or (rounds < MOST and time.perf_counter() < end):
        rounds += 1
        for name, call in calls.items():
            readings[name].append(_elapsed(call, numbers[name]) / numbers[name])
    return {name: statistics.median(times) for name, times in readings.items()}


def _elapsed(call: Callable[[], object], number: int) -> float:
    start = _now()
    for _ in range(number):
        call()
    return _now() - start


def layer_seconds(
    size: int, batch: int, zeros: Sequence[float], budget: float = 0.3
) -> Iterator[tuple[float, dict[str, float]]]:
    """Time one layer of ``size`` inputs and outputs for ``batch`` inputs, on the CPU.

    Each in the order that suits it. "dense" is what ``nn.Linear`` calls, with inputs as rows: some
    processors take several times as long for W x with few columns x, which would flatter CSR. "CSR"
    leaves the zeros out: torch's compressed rows with random places, with inputs as columns. "units
    removed" is a smaller dense layer with as many weights as CSR has, inputs and outputs removed alike.

    Args:
        size: of W, [size, size].
        batch: inputs at once.
        zeros: shares of W that are zero, each from 0 to below 1.
        budget: seconds for each of them.

    Yields:
        Share of zeros, and median seconds of "dense", "CSR" and "units removed".

    Raises:
        ValueError: names the argument that is not of this kind.
    """
    size, batch = whole("size", size, 1), whole("batch", batch, 1)
    for k, share in enumerate(zeros):
        if not 0 <= share < 1:
            refuse(f"zeros[{k}]", share, "a share from 0 to below 1")
    generator = torch.Generator().manual_seed(0)
    w, x = (torch.randn(size, n, generator=generator) for n in (size, batch))
    inputs = x.T.contiguous()
    order = torch.rand(size, size, generator=generator)
    for share in zeros:
        rows, left = compressed_rows(w * (order >= share)), units_left(size, share)
        small, its_inputs = w[:left, :left].clone(), inputs[:, :left].contiguous()
        calls = {
            DENSE: lambda: linear(inputs, w),
            CSR: lambda rows=rows: rows @ x,  # type: ignore[misc]
            REMOVED: lambda small=small, its=its_inputs: linear(its, small),  # type: ignore[misc]
        }
        with one_thread(), torch.inference_mode():
            found = seconds_of(calls, budget)
        yield share, found


def units_left(size: int, zeros: float) -> int:
    """Units on either side of a dense layer that has a share 1 - ``zeros`` of its weights left."""
    return max(1, round(size * math.sqrt(1 - zeros)))


def compressed_rows(w: Tensor) -> Tensor:
    """A matrix as torch's CSR, without the warning that torch gives once."""
    with warnings.catch_warnings():  # that the layout is in beta
        warnings.simplefilter("ignore")
        return w.to_sparse_csr()


def processor() -> str:
    """What this computer calls its processor; its architecture where it has no name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
