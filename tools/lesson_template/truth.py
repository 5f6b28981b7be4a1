"""Lesson __NN__: heights and slopes by finite differences."""

from __future__ import annotations

from grda_edu.explore import palette
from grda_edu.lessons import lesson__NN__
from lessons.truth import Case

AT, STEP = 2.0, 1e-3


def says_parabola(a: float) -> dict:
    low, here, high = (a * x * x / 2 for x in (AT - STEP, AT, AT + STEP))
    rise = (high - low) / (2 * STEP)
    return {"title": [AT, rise], "sentence": [a, AT, here, "high", rise], "notes[0]": []}


CASES = [
    Case(
        "parabola",
        lesson__NN__.parabola,
        says_parabola,
        looks={"curve": palette.INK, "tangent": palette.TARGET, "point": palette.INK},
        keys={"notes[0]": {"½ a x²": "curve", "tangent": "tangent"}},
        positions=[{"a": 1.3}, {"a": 1.5}],
        reaches=lambda a: [a * AT == 3],
    )
]
