"""Lesson 02's two-space view in a real JupyterLab: situations move the sliders, words stay legible."""

from __future__ import annotations

import numpy as np

from grda_edu.lessons.lesson02.numbers import SITUATIONS, A, C
from grda_edu.lessons.lesson02.spaces import NOW

from .lab import Figure, Lab, wait_for

SPACES = """
from grda_edu.lessons import lesson02

spaces = lesson02.two_spaces()
spaces
"""


def choose(figure: Figure, number: int) -> None:
    """Choose a situation and wait until the sliders stand where it wants them."""
    figure.move("situation", number)
    a, c = list(SITUATIONS.values())[number].at
    wanted = A.index(a), C.index(c)
    wait_for(
        lambda: (figure.position("a"), figure.position("c")) == wanted,
        f"sliders at the places of situation {number}",
        60,
    )
    figure.settle()


def text_shown(figure: Figure) -> str:
    """What the drawing's text says, as the page holds it."""
    return figure.root.evaluate(
        "root => [...root.querySelectorAll('.textpoint')].map((n) => n.textContent).join(' ')"
    )


def test_situations_move_the_sliders_and_both_sides_agree(lab: Lab) -> None:
    lab.write("spaces.ipynb", [SPACES])
    lab.open("spaces.ipynb")
    lab.run_all()
    (figure,) = lab.figures(1)
    figure.settle()
    figure.move("time", len(NOW) - 1)
    for number in (2, 4, 0, 2):  # dies and revives, noise, flat, and back again
        choose(figure, number)
        data = figure.data()
        left, right = data["beyond"]["y"], data["weight"]["y"]
        if left[2] == "NaN":
            np.testing.assert_allclose(left[1] - left[0], right[1] - right[0], atol=1e-6)
        else:
            assert right[2] == 0
        words = [word for word in data["words"]["text"] if word.strip("\u00a0")]
        assert words
        for word in words:  # plotly has lost them before, from one situation to the next
            assert word.rpartition("<br>")[2] in text_shown(figure)
    figure.move("a", 0)
    figure.button("Reset").click()
    figure.settle()
    assert figure.readout("a") == "0.03" and figure.readout("time") == "12.0"
    told = "print(spaces.a, spaces.c)"  # the kernel hears of it at most five times a second
    wait_for(lambda: lab.run(told).strip() == "0.03 0.2", "the kernel knows the sliders' places")
    assert lab.errors() == []
