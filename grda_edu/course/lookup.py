"""From a name such as "01.soft_threshold" to what the lesson's module declares under it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TypeVar

from grda_edu.checks import one_of

from .map import lesson

T = TypeVar("T")
TABLES = {"Exercise": "EXERCISES", "Prediction": "PREDICTIONS"}


def module(number: str) -> ModuleType:
    """The lesson's module, imported when it is first needed."""
    return import_module(f"grda_edu.lessons.lesson{lesson(number).number}")


def find(name: str, kind: type[T]) -> T:
    """The Exercise or Prediction ``name``; ValueError names what the lesson has."""
    number, _, short = name.partition(".")
    table = getattr(module(number), TABLES[kind.__name__], {})
    one_of(kind.__name__.lower(), name, [f"{number}.{key}" for key in table])
    return table[short]
