"""A figure's goals, remembered on the map."""

from __future__ import annotations

from typing import TypeVar

from grda_edu.explore import Picture

from .keeping import progress

P = TypeVar("P", bound=Picture)


def keep_goals(figure: P) -> P:
    """Note in the progress which of the figure's goals are reached; begin with those that were.

    Returns the figure, for the end of a function that makes one.
    """
    names = [goal["name"] for goal in figure.goals]
    figure.reached = [progress.reached(name) for name in names]

    def note(_: object) -> None:
        for name, reached in zip(names, figure.reached, strict=True):
            if reached and name:
                progress.reach(name)

    figure.observe(note, "reached")
    return figure
