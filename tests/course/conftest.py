"""A small lesson 01 in place of the real one, and a progress file of its own for each test."""

import sys
from types import ModuleType

import numpy as np
import pytest

from grda_edu.course import Case, Exercise, Prediction, checking, progress
from grda_edu.course.card import Card

DOTS = np.array([-1.4, -0.3, 0.2, 0.9])


def shrink(x, tau):
    """Towards zero by tau, not past it."""
    # the size shrinks, the sign stays
    return np.sign(x) * np.maximum(np.abs(x) - tau, 0)


@pytest.fixture
def exercise() -> Exercise:
    return Exercise(
        title="Shrink",
        task="Write `shrink`.",
        solution=shrink,
        oracle=lambda x, tau: x - np.clip(x, -tau, tau),
        cases=(
            Case((2.0, 0.5), 1.5, "Outside the band."),
            Case((0.3, 0.5), 0.0, "Inside the band."),
            Case((np.array([-2.0, -0.1, 3.0]), 1.0), why="Arrays too."),
        ),
        hints=("Size.", "Sign <b>", "`np.sign`"),
        done="That is it.",
    )


@pytest.fixture
def choice() -> Prediction:
    return Prediction(
        title="How many",
        question="How many become zero?",
        answer=lambda: f"{(np.abs(DOTS) <= 0.5).sum()} of them",
        options={"1 of them": "Both signs count.", "2 of them": "{dead} died.", "4 of them": "No."},
        values=lambda: {"dead": (np.abs(DOTS) <= 0.5).sum()},
    )


@pytest.fixture
def number() -> Prediction:
    return Prediction(
        title="How far",
        question="What becomes of 0.9?",
        answer=lambda: 0.9 - 0.5,
        tolerance=0.05,
        explanation="It is {answer:.1f}.",
    )


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder of the progress file."""
    monkeypatch.setenv("GRDA_EDU_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(progress, "_in_memory", False)
    monkeypatch.setattr(progress, "_notice", "")
    monkeypatch.setattr(checking, "_opened", {})
    return tmp_path / "home"


@pytest.fixture
def lesson(exercise, choice, number, home, monkeypatch) -> ModuleType:
    module = ModuleType("grda_edu.lessons.lesson01")
    module.EXERCISES = {"shrink": exercise}
    module.PREDICTIONS = {"how_many": choice, "how_far": number}
    module.OBJECTIVES = {"count zeros": "how_many", "shrink <numbers>": "shrink"}
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def cards(monkeypatch) -> list[Card]:
    """The cards that are shown, in order, each with its plain text as ``card.text``."""
    shown = []

    def show(card, text):
        card.text = text
        shown.append(card)

    monkeypatch.setattr(Card, "show", show)
    return shown
