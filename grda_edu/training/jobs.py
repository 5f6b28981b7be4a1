"""Trainings in several processes, on joblib: here its own, Dask's or Ray's where there is a cluster.

Which it is says the caller, with ``joblib.parallel_config(backend="dask")`` around the call.
joblib is imported only where more than one job is asked for.
"""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from grda_edu.checks import refuse, whole
from grda_edu.training.interrupt import Stop

R = TypeVar("R")
SECONDS_BETWEEN_LOOKS = 0.05  # at the caller's stop, on behalf of the workers

# Initial weights are drawn from torch's global generator: threads of one process would take each
# other's numbers. A backend of threads is right too, and no faster.
_one_at_a_time = threading.Lock()


def check_jobs(jobs: Any) -> int:
    """How many at once: the value as an int, if it is -1, all that there are, or at least 1."""
    if jobs == -1:
        return -1
    if jobs is None or isinstance(jobs, bool) or jobs == 0:
        refuse("jobs", jobs, "an integer >= 1, or -1 for as many as there are processors")
    return whole("jobs", jobs, 1, why="or -1 for as many as there are processors")


def spread(
    tasks: Sequence[Callable[[Stop], R]], names: Sequence[str], jobs: int, stop: Stop
) -> Iterator[tuple[int, R]]:
    """Do the tasks in several processes.

    Once ``stop`` is set no task is begun, and those in hand are told to end. A worker on another
    machine cannot be told: it ends what it has in hand.

    Args:
        tasks: what to do. Each is sent to a worker and called there with what says when to end.
        names: of the tasks, for messages.
        jobs: tasks at once; -1: as many as the backend has workers.
        stop: asks for the end.

    Yields:
        The number of a task and what it returned, in the order in which they finish.

    Raises:
        ModuleNotFoundError: without joblib.
        ValueError: if a task or its result cannot be sent to another process.
        RuntimeError: if a worker dies, naming the tasks in hand.
        Exception: whatever a task raises, with a note that names it.
    """
    joblib = _joblib(jobs)
    waiting = set[int]()  # given out, and not back yet
    failed: Exception | None = None

    def given_out() -> Iterator[Any]:
        for k, task in enumerate(tasks):
            if failed or stop.is_set():
                return
            waiting.add(k)
            yield joblib.delayed(_do)(k, task, str(told), os.getpid())

    with tempfile.TemporaryDirectory(prefix="grda-edu-") as folder:
        told = Path(folder) / "stop"
        pool = joblib.Parallel(
            n_jobs=min(jobs, len(tasks)),
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch="n_jobs",  # what waits in a worker's queue would be lost with it
        )
        with _watching(stop, told, pool):
            finished = pool(given_out())
            try:
                while (answer := _next(finished, names, waiting)) is not None:
                    k, result = answer
                    waiting.discard(k)
                    if not isinstance(result, _Failure):
                        yield k, result
                    elif failed is None:
                        failed = result.error
                        failed.add_note(f"raised in {names[k]}; there:\n{result.traceback}")
                        told.touch()  # the others end in a state that goes on, and come back
            finally:
                with warnings.catch_warnings():  # of work that is lost: we know
                    warnings.simplefilter("ignore", UserWarning)
                    finished.close()  # whoever looks no longer leaves no process at work
    if failed is not None:
        raise failed


def _next(
    finished: Iterator[tuple[int, Any]], names: Sequence[str], waiting: set[int]
) -> tuple[int, Any] | None:
    """What comes back next; what is raised here is joblib's or its backend's, never a task's."""
    try:
        return next(finished, None)
    except Exception as error:
        kind, what = type(error).__name__, str(error).strip().partition("\n")[0]
        if isinstance(error, pickle.PicklingError) or "pickle" in what:
            raise ValueError(
                f"make_model, data or a run cannot be sent to another process ({kind}: {what}): "
                "accepted with jobs > 1 is what cloudpickle can send, jobs = 1 sends nothing"
            ) from error
        inside = ", ".join(names[k] for k in sorted(waiting))
        raise RuntimeError(
            f"a worker died in {inside} ({kind}: {what}): accepted are as many jobs as the memory "
            "holds; with jobs = 1 it would happen in this process"
        ) from error


@dataclass(frozen=True)
class _Failure:
    """What a task raised, brought home as a value: what else is raised is a worker's own end."""

    error: Exception
    traceback: str


class _Told(Stop):
    """Is the file there that says so? Processes that share nothing else share a folder."""

    def __init__(self, path: str) -> None:
        super().__init__(None)
        self.path = path

    def is_set(self) -> bool:
        """Is the training to end before its next batch?"""
        return os.path.exists(self.path)


def _do(k: int, task: Callable[[Stop], Any], path: str, home: int) -> tuple[int, Any]:
    """One task in a worker of the process ``home``, which may be this one."""
    if os.getpid() != home and threading.current_thread() is threading.main_thread():
        # Ctrl-C reaches all processes of a terminal; a worker that died of it would take the others'
        # work along. The parent tells them by the file.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with _one_at_a_time:
            return k, task(_Told(path))
    except Exception as error:
        return k, _Failure(_that_travels(error), traceback.format_exc())


def _that_travels(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # our own bytes, of a moment ago
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


@contextmanager
def _watching(stop: Stop, told: Path, pool: Any) -> Iterator[None]:
    """Make the file ``told`` as soon as ``stop`` is set, and tell the pool of workers that died."""
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            with suppress(RuntimeError):  # the set changed while it was read: next time
                _tell_of_the_dead(pool)
            if stop.is_set() and not told.exists():
                told.touch()

    watcher = threading.Thread(target=look, daemon=True, name="grda-edu jobs")
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _tell_of_the_dead(pool: Any) -> None:
    """joblib's Dask backend writes a worker's death into a future that nobody reads, and waits for ever.

    What joblib has of its own for this, registering an outcome, it does once: whoever comes second
    is ignored. Nothing of it is public; where it is named otherwise, nothing is done.
    """
    for batch in tuple(getattr(pool, "_jobs_set", ())):
        future = getattr(batch, "job", None)
        if isinstance(future, Future) and future.done() and not future.cancelled():
            error, register = future.exception(), getattr(batch, "_register_outcome", None)
            if error is not None and register is not None:
                register({"status": "Error", "result": error})


def _joblib(jobs: int) -> Any:
    try:
        import joblib
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"jobs = {jobs} needs a package that is not installed. Install it with: "
            "pip install joblib"
        ) from error
    return joblib
