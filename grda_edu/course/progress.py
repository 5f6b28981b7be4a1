"""What the learner has done, in one small JSON file in the user's data folder.

The file is read at every question and written whole at every answer, so that lessons open side by
side see each other's progress. A damaged, missing or read-only file never stops a lesson: the
progress then lives in memory, and one sentence says so.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_data_dir

FOLDER_VARIABLE = "GRDA_EDU_HOME"
FILE = "progress.json"


def folder() -> Path:
    """Where progress is kept: $GRDA_EDU_HOME, or the user's data folder."""
    return Path(os.environ.get(FOLDER_VARIABLE) or user_data_dir("grda-edu", appauthor=False))


class Progress:
    """Committed predictions and solved exercises, each under its full name such as "01.which_die"."""

    def __init__(self, path: Path | None = None) -> None:
        self._fixed_path = path
        self._memory: dict[str, dict] = _empty()
        self._in_memory = False
        self._notice = ""
        self._watchers: list[Callable[[], object]] = []

    @property
    def path(self) -> Path:
        return self._fixed_path or folder() / FILE

    def committed(self, name: str) -> str | float | None:
        """The answer committed to prediction ``name``, or None."""
        return self._read()["predictions"].get(name)

    def commit(self, name: str, answer: str | float) -> None:
        self._change(lambda all_of: all_of["predictions"].update({name: answer}))

    def forget(self, name: str) -> None:
        """Take back what was committed to prediction ``name``."""
        self._change(lambda all_of: all_of["predictions"].pop(name, None))

    def solved(self, name: str) -> bool:
        return name in self._read()["exercises"]

    def solve(self, name: str) -> None:
        if not self.solved(name):
            self._change(lambda all_of: all_of["exercises"].update({name: True}))

    def reset(self) -> None:
        """Forget everything."""
        self._change(lambda all_of: all_of.update(_empty()))

    def notice(self) -> str:
        """What went wrong with the file, told once; "" if nothing did or it has been told."""
        self._read()
        told, self._notice = self._notice, ""
        return told

    def watch(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call ``callback`` after every change made here; returns what ends it."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback) if callback in self._watchers else None

    def _read(self) -> dict[str, dict]:
        if self._in_memory:
            return self._memory
        try:
            return _checked(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return _empty()
        except ValueError:  # not JSON, not UTF-8, or not ours
            self._set_aside()
            return _empty()
        except OSError as error:
            self._stay_in_memory(error)
            return self._memory

    def _change(self, change: Callable[[dict[str, dict]], object]) -> None:
        everything = self._read()
        change(everything)
        if not self._in_memory:
            try:
                _write(self.path, everything)
            except OSError as error:
                self._memory = everything
                self._stay_in_memory(error)
        for callback in tuple(self._watchers):
            callback()

    def _set_aside(self) -> None:
        kept = self.path.with_name("progress-damaged.json")
        try:
            os.replace(self.path, kept)
            self._notice = (
                f"The progress file was damaged. It was kept as {kept}, and a new one begins."
            )
        except OSError as error:
            self._stay_in_memory(error)

    def _stay_in_memory(self, error: OSError) -> None:
        self._in_memory = True
        self._notice = (
            f"Progress cannot be kept in {self.path} ({error.strerror or error}). "
            "It is remembered until this kernel stops."
        )


def _empty() -> dict[str, dict]:
    return {"predictions": {}, "exercises": {}}


def _checked(found: object) -> dict[str, dict]:
    """The file's content; ValueError if it is not what this module writes."""
    if not isinstance(found, dict):
        raise ValueError("progress file: expected an object")
    parts = {part: found.get(part, {}) for part in _empty()}
    if not all(isinstance(entries, dict) for entries in parts.values()):
        raise ValueError("progress file: predictions and exercises must be objects")
    if not all(isinstance(answer, str | int | float) for answer in parts["predictions"].values()):
        raise ValueError("progress file: an answer must be a text or a number")
    return parts


def _write(path: Path, everything: dict[str, dict]) -> None:
    """Write beside the file and move over it: a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix="progress-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(everything, file, indent=1, ensure_ascii=False)
        os.replace(beside, path)
    except OSError:
        Path(beside).unlink(missing_ok=True)
        raise


progress = Progress()
"""The progress of whoever runs this kernel."""
