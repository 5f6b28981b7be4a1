"""What a thread prints, heard where it can be shown.

Jupyter shows a print beside the cell that is running; when a button started the work no cell is,
and its prints, warnings and log records are lost.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Hear = Callable[[str], object]

_STREAMS = ("stdout", "stderr")
_listening: dict[
    int, tuple[Hear, bool]
] = {}  # a thread's identity -> who hears it, and: through too?
_lock = threading.Lock()


class _Stream:
    """In place of a standard stream: what a listened-to thread writes goes to its listener, the rest through."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        hear, through = _listening.get(threading.get_ident(), (None, True))
        if through:
            self.stream.write(text)
        if hear is not None:
            hear(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def overheard(hear: Hear, *, through: bool) -> Iterator[None]:
    """What this thread writes to ``sys.stdout`` and ``sys.stderr`` goes to ``hear(text)``.

    through: and to where it would have gone, too.
    """
    with _lock:
        for name in _STREAMS:
            if not isinstance(getattr(sys, name), _Stream):
                setattr(sys, name, _Stream(getattr(sys, name)))
        _listening[threading.get_ident()] = hear, through
    try:
        yield
    finally:
        with _lock:
            del _listening[threading.get_ident()]
            for name in _STREAMS if not _listening else ():
                now = getattr(sys, name)
                if isinstance(now, _Stream):  # else somebody has put another stream there since
                    setattr(sys, name, now.stream)


class Transcript:
    """Text as a terminal would show it, its last lines only.

    lines: how many are kept.
    """

    def __init__(self, lines: int = 200) -> None:
        self._lines, self._kept, self._left_out = lines, [""], 0

    def write(self, text: str) -> None:
        """Add text: a carriage return writes the line anew, colours are left out."""
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).replace("\r\n", "\n")
        first, *rest = text.split("\n")
        self._kept[-1] += first
        self._kept += rest
        # A progress bar ends in "\r" and comes again: what stood before the last one is gone.
        start = max(0, len(self._kept) - len(rest) - 1)
        self._kept[start:] = [_overwritten(line) for line in self._kept[start:]]
        more = len(self._kept) - 1 - self._lines
        if more > 0:
            self._left_out += more
            del self._kept[:more]

    def __str__(self) -> str:
        text = "\n".join(line.rstrip("\r") for line in self._kept).rstrip("\n")
        return f"… {self._left_out:,} lines before this\n{text}" if self._left_out else text


def _overwritten(line: str) -> str:
    """What is left of a line whose carriage returns went back to its beginning."""
    end = "\r" if line.endswith("\r") else ""
    return line.rstrip("\r").rpartition("\r")[2] + end


def in_a_kernel() -> bool:
    """Is this a notebook's kernel, where what a thread prints has no place of its own?"""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return hasattr(get_ipython(), "kernel")


__all__ = ["Transcript", "in_a_kernel", "overheard"]
