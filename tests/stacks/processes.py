"""Several processes on this machine, joined by gloo, that do a piece of work each."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def on_processes(count: int, work: Callable[..., Any], *args: Any, timeout: float = 300) -> list:
    """What ``work(rank, *args)`` returned in each of them: tensors, numbers, and lists and dicts of these.

    A process that raises ends them all, with its traceback; so does the time.
    """
    with tempfile.TemporaryDirectory() as folder:
        context = mp.start_processes(
            _enter, args=(count, folder, work, args), nprocs=count, join=False, start_method="spawn"
        )
        end = time.monotonic() + timeout
        while not context.join(timeout=max(0.0, end - time.monotonic())):
            if time.monotonic() >= end:
                for process in context.processes:
                    process.kill()
                raise TimeoutError(f"{count} processes were not done after {timeout} s")
        return [torch.load(Path(folder, f"{rank}.pt"), weights_only=True) for rank in range(count)]


def _enter(rank: int, count: int, folder: str, work: Callable[..., Any], args: Any) -> None:
    torch.set_num_threads(1)
    store = dist.FileStore(str(Path(folder, "store")), count)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=count)
    try:
        torch.save(work(rank, *args), Path(folder, f"{rank}.pt"))
        dist.barrier()
    finally:
        dist.destroy_process_group()
