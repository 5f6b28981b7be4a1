"""Every lesson in a real JupyterLab: opened, run from top to bottom, all figures drawn.

Server and kernel share one core, as on Binder; the browser has the others, as on a learner's computer.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.browser.lab import Lab, Server, browser

LESSONS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def main(*numbers: str) -> None:
    """Measure the lessons with these numbers; without any, all of them."""
    print("seconds from the kernel's start; memory of server and kernel after the run, MB")
    for lesson in LESSONS:
        if not numbers or lesson.name[:2] in numbers:
            print(f"  {lesson.stem:32s} {_measured(lesson)}", flush=True)


@contextmanager
def _only(cores: set[int]) -> Iterator[None]:
    """What is started meanwhile runs on these cores (where a system can be told so)."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, (cores & before) or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _measured(lesson: Path) -> str:
    first = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    others = set(range(os.cpu_count() or 1)) - {first}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        with _only({first}):
            server = stack.enter_context(Server(Path(folder)))
        stack.enter_context(_only(others))
        context = stack.enter_context(browser())
        shutil.copy(lesson, server.root)
        lab = Lab(server, context)
        lab.open(lesson.name)
        kernel_started = max(process.create_time() for process in _of(server))
        lab.run_all(seconds=300)
        ran = time.time() - kernel_started
        figures = lab.figures()
        for figure in figures:
            figure.settle()
        drawn = time.time() - kernel_started
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
