"""Where a training runs: the device, its threads, and the streams of random numbers there."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn

from grda_edu.checks import refuse

SMALL_MODEL = 100_000  # parameters; below it one thread is faster than several


def choose_device(device: str | torch.device = "auto") -> torch.device:
    """The device to train on; "auto" takes CUDA, then MPS, then the CPU.

    Args:
        device: "auto", a name such as "cpu" or "cuda:1", or torch's own.

    Returns:
        The device.

    Raises:
        ValueError: for a device that does not exist here.
    """
    usable = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return torch.device(next((name for name, there in usable.items() if there), "cpu"))
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        refuse("device", device, "'auto', 'cpu', 'cuda' or 'mps'")
    if not usable.get(chosen.type, chosen.type == "cpu"):
        refuse("device", device, "'auto' or 'cpu', that one is not available here")
    return chosen


def versions() -> dict[str, str]:
    """What a run was made with."""
    from grda_edu import __version__

    return {
        "grda_edu": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


_thread_lock = Lock()
_thread_users = 0
_threads_before = 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread, for the whole process, until the last such block ends.

    The steps of a small network take a millisecond or two. Shared among threads, each piece is
    so short that the threads mostly wait for one another, and they wait by spinning: two threads
    on two busy cores made such a loop about 50 times slower than one. Hosted notebooks are
    exactly that place, a slice of a machine whose every core torch sees.
    """
    global _thread_users, _threads_before
    with _thread_lock:
        if _thread_users == 0:
            _threads_before = torch.get_num_threads()
            torch.set_num_threads(1)
        _thread_users += 1
    try:
        yield
    finally:
        with _thread_lock:
            _thread_users -= 1
            if _thread_users == 0:
                torch.set_num_threads(_threads_before)


@contextmanager
def threads_for(model: nn.Module, device: torch.device) -> Iterator[None]:
    """One thread while a small model computes on the CPU, torch's own choice otherwise."""
    if device.type == "cpu" and sum(p.numel() for p in model.parameters()) < SMALL_MODEL:
        with one_thread():
            yield
    else:
        yield


def draws_at_random(model: nn.Module) -> bool:
    """Whether a module of the model, dropout or the like, draws random numbers in training."""
    kinds = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.RReLU)
    return any(
        isinstance(module, kinds) or getattr(module, "draws_at_random", False)
        for module in model.modules()
    )


@contextmanager
def random_stream(model: nn.Module, device: torch.device, seed: int) -> Iterator[None]:
    """Seed the global generators while a model that draws from them (dropout) trains."""
    if not draws_at_random(model):
        yield
        return
    on_cpu = device.type == "cpu"
    with torch.random.fork_rng(
        devices=[] if on_cpu else [device.index or 0],
        device_type="cuda" if on_cpu else device.type,
    ):
        torch.manual_seed(seed)
        yield


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The state of the CPU's global generator, and of the device's own: device type -> bytes."""
    state = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        state[device.type] = torch.get_device_module(device).get_rng_state()
    return state


def set_random_state(state: dict[str, Tensor]) -> None:
    """Put the generators back to what ``random_state`` gave."""
    for name, value in state.items():
        if name == "cpu":
            torch.set_rng_state(value)
        else:
            torch.get_device_module(name).set_rng_state(value)
