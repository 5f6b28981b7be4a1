"""Lesson 12 in a real JupyterLab: the closing quiz by keyboard, and two processes from the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from grda_edu.lessons.lesson12 import QUIZ
from grda_edu.training.processes import obstacle

from .lab import Lab, wait_for
from .test_cards import focused, press
from .test_lesson04 import PATIENCE, button, live_figure, opened, status

WRONG = {"03_half_rate", "11_even"}  # which this learner gets wrong
CARD = """
import os; os.environ["GRDA_EDU_HOME"] = %r
from grda_edu import course
course.quiz("12")
"""


@pytest.fixture
def card(lab: Lab, tmp_path) -> Locator:
    lab.write("quiz.ipynb", [CARD % str(tmp_path), "course.course_map()"])
    lab.open("quiz.ipynb")
    lab.run_all()
    found = lab.page.locator(".grda-card").first
    expect(found).to_contain_text("Question 1 of 20")
    return found


def choose(lab: Lab, card: Locator, at: int) -> None:
    """An option by arrow keys, and Enter for the main button."""
    card.get_by_role("radio").first.focus()
    press(lab, "Space", *["ArrowDown"] * at)
    expect(card.get_by_role("radio").nth(at)).to_be_checked()
    press(lab, "Enter")


def test_the_quiz_is_answered_by_keyboard_and_its_result_stands_on_the_map(
    lab: Lab, card: Locator
) -> None:
    for k, (name, question) in enumerate(QUIZ.items(), start=1):
        expect(card).to_contain_text(f"Question {k} of 20")
        expect(card.locator(".grda-question")).to_be_in_viewport(ratio=1)
        options = list(question.options)
        right = options.index(str(question.right()))
        choose(lab, card, (right + 1) % 4 if name in WRONG else right)
        said = "Not so." if name in WRONG else "Right."
        # The last one imports torch, on a machine that may have much else to do.
        expect(card.get_by_role("status").first).to_contain_text(said, timeout=1000 * PATIENCE)
        expect(card.get_by_role("status").last).to_contain_text("The other answers")
        assert focused(lab) == ("Next question" if k < 20 else "Your result")
        press(lab, "Enter")
    expect(card).to_contain_text("18 of 20 at the first try")
    missed = card.get_by_role("link")
    assert [link.inner_text()[:2] for link in missed.all()] == ["03", "11"]
    expect(lab.page.locator(".grda-map")).to_contain_text("quiz: 18 of 20 right at the first try")
    press(lab, "Tab", "Tab", "Enter")  # Do it again
    expect(card).to_contain_text("Question 1 of 20")
    assert lab.complaints == [] and lab.outside == []


def test_two_processes_train_and_are_compared_on_the_page(lab: Lab) -> None:
    cell = "from grda_edu.lessons import lesson12\nseveral = lesson12.two_processes()\nseveral"
    opened(lab, cell)
    figure = live_figure(lab)
    assert "Recorded: one process has" in figure.sentence()
    button(lab, "start").click()
    if found := obstacle():
        wait_for(lambda: f"Not run: {found}" in status(lab), "it says why not", PATIENCE)
        return
    wait_for(lambda: "Finished: compared" in status(lab), "they have ended", 2 * PATIENCE)
    assert "On this computer: one process has" in figure.sentence()
    printed = lab.page.locator(".grda-training-printed").first.inner_text()
    for way in ("DDP", "fully_shard"):
        assert f"{way}: weights that are zero on one and not on another: none" in printed
        assert f"{way}: thresholds are the same" in printed
    assert lab.complaints == [] and lab.outside == []
