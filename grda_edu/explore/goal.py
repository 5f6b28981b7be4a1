"""What the learner is to reach with a figure's controls."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A place of the controls to find; the figure says when the learner is there.

    text: what to find, in one sentence, plain text;
    reached: ``reached(**controls) -> bool``, a pure function of what compute receives. It is part of
        the figure's table, so the page knows the answer without the kernel;
    name: under which it is remembered, "04.sparse"; "" is not remembered.
    """

    text: str
    reached: Callable[..., bool]
    name: str = ""

    def describe(self) -> dict[str, str]:
        """What the page is told of it."""
        return {"text": self.text, "name": self.name}


def met(goals: Sequence[Goal], values: Mapping[str, object]) -> tuple[bool, ...]:
    """Which goals are reached where the controls have these values."""
    return tuple(bool(goal.reached(**values)) for goal in goals)


def check(
    goals: Sequence[Goal],
    start: Mapping[str, object],
    controls: Mapping[str, Iterable[object]],
) -> None:
    """Refuse goals that ask for nothing, or for what cannot be had.

    start: the controls' values at first; controls: name -> all values that it can have.

    Raises ValueError, naming the goal, where it is reached at the start or at no position.
    """
    for goal, there in zip(goals, met(goals, start), strict=True):
        if there:
            where = ", ".join(f"{name} = {value!r}" for name, value in start.items())
            raise ValueError(f"goal {goal.text!r} is reached at the start already ({where})")
        positions = itertools.product(*controls.values())
        if not any(
            goal.reached(**dict(zip(controls, position, strict=True))) for position in positions
        ):
            raise ValueError(f"goal {goal.text!r} is reached at no position of the controls")
