"""How long a lesson takes, from its text: what the map promises is held to this."""

from __future__ import annotations

import re

WORDS_A_MINUTE = 180  # read slowly, formulas among them
MINUTES_A_TASK = 3  # a prediction or an exercise, with the figure that it asks about
_CODE = re.compile(r"```\{code-cell\}.*?```", re.DOTALL)
_TASK = re.compile(r"\bcourse\.(?:predict|check)\(")
_FURTHER = re.compile(r"^#+ Going further", re.MULTILINE)


def minutes(text: str) -> tuple[float, float]:
    """Minutes of a lesson's main line, and of what stands from its "Going further" on.

    text: the lesson's MyST Markdown. Words are those of its text cells; what code cells and cards say
    is in the time of their task.
    """
    body = text.split("\n---\n", 1)[-1]  # without the notebook's own header
    found = _FURTHER.search(body)
    at = found.start() if found else len(body)
    return _of(body[:at]), _of(body[at:])


def _of(part: str) -> float:
    words, tasks = len(_CODE.sub("", part).split()), len(_TASK.findall(part))
    return words / WORDS_A_MINUTE + MINUTES_A_TASK * tasks
