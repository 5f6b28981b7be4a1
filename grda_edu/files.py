"""Small files that several programs read and write: read whole, written whole, by one at a time."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 5.0  # seconds that one writer waits for another
OPEN_FILES_STAY = os.name == "nt"  # Windows replaces no file while another program has it open


def read_json(path: Path) -> Any:
    """What the JSON file holds: UTF-8, -16 or -32, with or without a byte order mark.

    Raises:
        ValueError: if it holds no JSON.
        OSError: if it cannot be read.
    """
    try:
        return json.loads(_patiently(path.read_bytes))
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply") from error


def replace(path: Path, content: bytes) -> None:
    """Write beside the file and move over it: a crash, a full disk or a lost power line leaves the old one.

    Folders that lack are made. A link is followed: what it leads to is replaced, not the link.
    Raises OSError if it cannot be written.
    """
    path = _followed(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(beside, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(path, beside)
        _patiently(lambda: os.replace(beside, path))
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # a full disk does not say of which file
        raise


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Run the body while no other program is in such a body for ``path``.

    The lock is the system's, on a file of its own beside ``path``, and ends with its process. Where
    it cannot be had (a network folder without locks, a folder that cannot be written, another
    program that hangs), the body runs all the same after ``PATIENCE`` seconds at most: better one
    entry at risk than none kept.
    """
    from filelock import FileLock  # here: most programs that import this module never write

    path = _followed(path)
    with ExitStack() as held:
        with suppress(OSError, NotImplementedError):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(f"{path}.lock")
            held.enter_context(lock.acquire(timeout=PATIENCE, poll_interval=0.005))
        yield


def _followed(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _patiently(action: Callable[[], T]) -> T:
    """Do ``action``; on Windows again for a second while another program has the file open."""
    end = time.monotonic() + 1
    while True:
        try:
            return action()
        except PermissionError:
            if not OPEN_FILES_STAY or time.monotonic() > end:
                raise
        time.sleep(0.01)
