"""Every lesson in a real JupyterLab on one core: opened, run from top to bottom, all figures drawn."""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.browser.lab import Lab, Server, browser

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def main(*numbers: str) -> None:
    """Measure the lessons with these numbers; without any, all of them."""
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if affinity:
        os.sched_setaffinity(
            0, {min(affinity)}
        )  # server, kernel and browser share it, as on Binder
    try:
        print("seconds from the kernel's start; memory of server and kernel after the run, MB")
        for lesson in LESSONS:
            if not numbers or lesson.name[:2] in numbers:
                print(f"  {lesson.stem:32s} {_measured(lesson)}", flush=True)
    finally:
        if affinity:
            os.sched_setaffinity(0, affinity)


def _measured(lesson: Path) -> str:
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(Path(folder)) as server,
        browser() as context,
    ):
        shutil.copy(lesson, server.root)
        lab = Lab(server, context)
        began = time.monotonic()
        lab.open(lesson.name)
        lab.run_all(seconds=300)
        ran = time.monotonic() - began
        figures = lab.figures()
        for figure in figures:
            figure.settle()
        drawn = time.monotonic() - began
        errors = [*lab.errors(), *lab.complaints]
        memory = [int(process.memory_info().rss / 1e6) for process in _of(server)]
        return (
            f"all cells {ran:5.1f} s, all {len(figures)} figures scrolled to and drawn {drawn:5.1f} s, "
            f"memory {' + '.join(map(str, memory))}, websocket {lab.websocket_bytes / 1e6:.1f} MB"
            + (f"  ERRORS {errors}" if errors else "")
        )


def _of(server: Server) -> list[psutil.Process]:
    """The server's process, and its kernels'."""
    assert server._process is not None
    process = psutil.Process(server._process.pid)
    return [process, *process.children(recursive=True)]


if __name__ == "__main__":
    main(*sys.argv[1:])
