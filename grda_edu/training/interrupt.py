"""The notebook's stop button and the terminal's Ctrl-C: what was trained is kept.

A KeyboardInterrupt in the middle of a step would leave weights and clocks that do not fit together.
So the first interrupt only asks: the training ends before its next batch, in a state that resumes
exactly, and then raises. A second interrupt raises at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_kept: Any = None


class Interrupted(KeyboardInterrupt):
    """A training was interrupted; ``kept`` is the Run, the Runs of a sweep or the Search up to then."""

    def __init__(self, kept: Any, where: str, resume: str) -> None:
        super().__init__(
            f"{where}. It is kept: {resume} goes on from there; a second interrupt would have "
            "ended it at once"
        )
        self.kept, self.where, self.resume = kept, where, resume

    def __reduce__(self) -> tuple[Any, ...]:
        """What another process is handed: an exception that cannot be read there hangs a pool."""
        return type(self), (self.kept, self.where, self.resume)


def interrupted() -> Any:
    """What the last interrupted ``train``, ``sweep`` or ``find_c`` had done.

    Returns:
        The Run with its checkpoint; of a sweep its runs, finished ones and others, also where an
        error or a worker that died ended it; of ``find_c`` the search. Each goes on exactly:
        ``train(…, resume=run)``, ``sweep(…, resume=runs)``, ``search.run()``.

    Raises:
        ValueError: if nothing was interrupted in this process.
    """
    if _kept is None:
        raise ValueError(
            "no training was interrupted in this process: there is nothing to go on with"
        )
    return _kept


class Stop:
    """Asks for the end of a training: the caller's event, or an interrupt."""

    def __init__(self, event: threading.Event | Stop | None) -> None:
        self.event, self.interrupted = event, False

    def is_set(self) -> bool:
        """Is the training to end before its next batch?"""
        return self.interrupted or (self.event is not None and self.event.is_set())

    def conclude(self, kept: Any, where: str, resume: str) -> None:
        """Raise Interrupted with what was done, if an interrupt was the reason for the end.

        Args:
            kept: what was done.
            where: the training ended, in words.
            resume: the code that goes on.
        """
        if self.interrupted:
            keep(kept)
            raise Interrupted(kept, where, resume)


def keep(kept: Any) -> None:
    """Let ``interrupted`` give it from now on."""
    global _kept
    _kept = kept


@contextmanager
def gentle(event: threading.Event | Stop | None) -> Iterator[Stop]:
    """Let the first interrupt inside the block set ``Stop`` instead of raising.

    Only where Python's own handler would have raised: in the main thread, and not inside another
    such block, whose Stop is the inner one's event.
    """
    stop = Stop(event)
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield stop
        return

    def ask(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop.interrupted = True

    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        if signal.getsignal(signal.SIGINT) is ask:
            signal.signal(signal.SIGINT, signal.default_int_handler)
