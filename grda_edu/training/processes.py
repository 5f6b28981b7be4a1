"""A program on several processes of this computer, started by torchrun; its lines as they come."""

from __future__ import annotations

import errno
import os
import queue
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from grda_edu.checks import whole

PACKAGE = Path(__file__).parents[1]
SECONDS_BETWEEN_LOOKS = 0.1  # at the caller's stop, as long as no line comes
LINES_OF_AN_ERROR = 15
LAUNCHER = ["-m", "torch.distributed.run"]  # what this Python starts


class ProcessesError(RuntimeError):
    """Several processes cannot run here, or one of them failed; the message says why."""


def example(name: str) -> Path:
    """Where an example lies: in an installed package's examples/, in a checkout in examples/.

    Args:
        name: of the file, as "train_distributed.py".

    Returns:
        The file.

    Raises:
        FileNotFoundError: if there is none of this name.
    """
    places = [folder / "examples" / name for folder in (PACKAGE, PACKAGE.parent)]
    for path in places:
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"there is no {places[0]} or {places[1]}: the installation is incomplete, install grda-edu again"
    )


def cores() -> int:
    """How many processors this program may use: those it is bound to, within a container's share."""
    import joblib

    return int(joblib.cpu_count())


def obstacle(processes: int = 2, port: int | None = None) -> str:
    """Why so many processes cannot be run and joined on this computer.

    Args:
        processes: how many.
        port: where they shall meet; None: a free one.

    Returns:
        A sentence without its full stop; "" if nothing is in the way.
    """
    there = cores()
    if there < processes:
        return f"this computer lends one program {there} of the {processes} cores that it takes"
    import torch.distributed as dist

    if not dist.is_available():
        return "this PyTorch was built without torch.distributed"
    if not dist.is_gloo_available():
        return "this PyTorch was built without gloo, which joins processes on CPUs"
    try:
        with socket.socket() as listening:
            listening.bind(("localhost", port or 0))
            listening.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {port} is in use by another program"
        return f"no port of this computer can be listened to ({error.strerror or error})"
    return ""


def torchrun(
    script: Path,
    options: Sequence[str] = (),
    *,
    processes: int = 2,
    port: int | None = None,
    stop: threading.Event | None = None,
) -> Iterator[str]:
    """Run a program on several processes of this computer, joined by torchrun.

    Whatever ends the iteration, an error and a ``stop`` too, ends all processes. They import this
    very package, and each has one thread.

    Args:
        script: the program.
        options: its command line.
        processes: how many.
        port: where they meet, on this computer; None: a free one.
        stop: setting it ends them within a second.

    Yields:
        The lines that they print, errors among them, as they come.

    Raises:
        ProcessesError: if they cannot be started, or end with an error; with the last lines.
    """
    whole("processes", processes, 1)
    if found := obstacle(processes, port):
        raise ProcessesError(found)
    command = [sys.executable, *LAUNCHER, f"--nproc-per-node={processes}"]
    meet = ["--rdzv-backend=c10d", f"--rdzv-endpoint=localhost:{port}"]
    command += meet if port else ["--standalone"]
    paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    try:
        process = subprocess.Popen(
            [*command, str(script), *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ProcessesError(
            f"no process can be started here ({error.strerror or error})"
        ) from error
    last = deque[str](maxlen=LINES_OF_AN_ERROR)
    try:
        for line in _lines(process, stop):
            last.append(line)
            yield line
        if stop is not None and stop.is_set():
            return
        if code := process.wait():
            raise ProcessesError("\n".join([f"torchrun ended with code {code}:", *last]))
    finally:
        _end(process)


def _lines(process: subprocess.Popen[str], stop: threading.Event | None) -> Iterator[str]:
    """What the processes print, until they have closed their output or ``stop`` is set."""
    heard: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        with process.stdout as printed:
            for line in printed:
                heard.put(line.rstrip("\n"))
        heard.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while stop is None or not stop.is_set():
        with suppress(queue.Empty):
            line = heard.get(timeout=SECONDS_BETWEEN_LOOKS)
            if line is None:
                return
            yield line


def _end(process: subprocess.Popen[str]) -> None:
    """Nothing of it is left running: torchrun's workers are children of its own."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid)
        for member in [family, *family.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                member.kill()
    process.wait()
