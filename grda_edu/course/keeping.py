"""What the learner has done, in one small JSON file in the user's data folder.

The file is read at every question, and read and written whole at every answer by one kernel at a
time, so that lessons open side by side keep each other's progress. A damaged, missing or read-only file never stops a lesson: the
progress then lives in memory, and one sentence says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_data_dir

from grda_edu import files

FOLDER_VARIABLE = "GRDA_EDU_HOME"
FILE = "progress.json"


def folder() -> Path:
    """Where progress is kept: $GRDA_EDU_HOME, or the user's data folder."""
    chosen = os.environ.get(FOLDER_VARIABLE) or user_data_dir("grda-edu", appauthor=False)
    return Path(os.path.expanduser(chosen))


class Progress:
    """Committed predictions, solved exercises and reached goals, each under its full name ("01.which_die"); quizzes."""

    def __init__(self, path: Path | None = None) -> None:
        self._fixed_path = path
        self._memory: dict[str, dict] = _empty()
        self._in_memory = False
        self._notice = ""
        self._watchers: list[Callable[[], object]] = []

    @property
    def path(self) -> Path:
        """The file of the progress."""
        return self._fixed_path or folder() / FILE

    def committed(self, name: str) -> str | float | None:
        """The answer committed to prediction ``name``, or None."""
        return self._read()["predictions"].get(name)

    def commit(self, name: str, answer: str | float) -> None:
        """Commit an answer to prediction ``name``."""
        self._change(lambda all_of: all_of["predictions"].update({name: answer}))

    def forget(self, name: str) -> None:
        """Take back what was committed to prediction ``name``."""
        self._change(lambda all_of: all_of["predictions"].pop(name, None))

    def solved(self, name: str) -> bool:
        """Whether exercise ``name`` was solved."""
        return name in self._read()["exercises"]

    def solve(self, name: str) -> None:
        """Note that exercise ``name`` is solved."""
        if not self.solved(name):
            self._change(lambda all_of: all_of["exercises"].update({name: True}))

    def reached(self, name: str) -> bool:
        """Whether goal ``name`` was reached."""
        return name in self._read()["goals"]

    def reach(self, name: str) -> None:
        """Note that goal ``name`` is reached."""
        if not self.reached(name):
            self._change(lambda all_of: all_of["goals"].update({name: True}))

    def quiz_answers(self, number: str) -> dict[str, str]:
        """First answers of the round of lesson ``number``'s quiz that is under way or ended last."""
        return dict(self._read()["quizzes"].get(number, {}).get("answers", {}))

    def quiz_results(self, number: str) -> list[int]:
        """How many were right at the first try, of each round that was ended."""
        return list(self._read()["quizzes"].get(number, {}).get("results", []))

    def answer_quiz(self, number: str, name: str, option: str) -> None:
        """Keep the first answer to question ``name``."""
        self._change(lambda kept: _quiz(kept, number)["answers"].setdefault(name, option))

    def close_quiz(self, number: str, right: int) -> None:
        """Keep the result of the round that has just been answered."""
        self._change(lambda kept: _quiz(kept, number)["results"].append(right))

    def begin_quiz(self, number: str) -> None:
        """Begin another round; results stay."""
        self._change(lambda kept: _quiz(kept, number)["answers"].clear())

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
        try:
            return self._load()
        except ValueError:
            with files.alone(self.path):  # another kernel may be putting it right
                return self._load_or_set_aside()

    def _load(self) -> dict[str, dict]:
        """What is kept; ValueError if the file is damaged."""
        if self._in_memory:
            return self._memory
        try:
            return _checked(files.read_json(self.path))
        except FileNotFoundError:
            return _empty()
        except OSError as error:
            self._stay_in_memory(error)
            return self._memory

    def _load_or_set_aside(self) -> dict[str, dict]:
        try:
            return self._load()
        except ValueError:  # not JSON, or not ours
            self._set_aside()
            return _empty()

    def _change(self, change: Callable[[dict[str, dict]], object]) -> None:
        with files.alone(self.path):
            everything = self._load_or_set_aside()
            change(everything)
            self._keep(everything)
        for callback in tuple(self._watchers):
            callback()

    def _keep(self, everything: dict[str, dict]) -> None:
        if self._in_memory:
            return
        content = json.dumps(everything, indent=1, ensure_ascii=False)
        try:
            files.replace(self.path, content.encode())
        except OSError as error:
            self._memory = everything
            self._stay_in_memory(error)

    def _set_aside(self) -> None:
        found = Path(os.path.realpath(self.path))  # a link to it stays
        kept = found.with_name("progress-damaged.json")
        try:
            os.replace(found, kept)
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
    return {"predictions": {}, "exercises": {}, "goals": {}, "quizzes": {}}


def _quiz(everything: dict[str, dict], number: str) -> dict[str, Any]:
    """A quiz's part of what is kept, made if it lacks."""
    made: dict[str, Any] = everything["quizzes"].setdefault(number, {"answers": {}, "results": []})
    return made


def _checked(found: object) -> dict[str, dict]:
    """The file's content; ValueError if it is not what this module writes."""
    if not isinstance(found, dict):
        raise ValueError("progress file: expected an object")
    parts = {part: found.get(part, {}) for part in _empty()}
    if not all(isinstance(entries, dict) for entries in parts.values()):
        raise ValueError("progress file: each of its parts must be an object")
    if not all(isinstance(answer, str | int | float) for answer in parts["predictions"].values()):
        raise ValueError("progress file: an answer must be a text or a number")
    if not all(map(_is_quiz, parts["quizzes"].values())):
        raise ValueError("progress file: a quiz has answers and results")
    return parts


def _is_quiz(found: object) -> bool:
    if not isinstance(found, dict) or found.keys() != {"answers", "results"}:
        return False
    answers, results = found["answers"], found["results"]
    return (
        isinstance(answers, dict)
        and isinstance(results, list)
        and all(isinstance(option, str) for option in answers.values())
        and all(type(right) is int for right in results)
    )


progress = Progress()
"""The progress of whoever runs this kernel."""
