"""Predictions and checks in a real JupyterLab, by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.course.test_notebook import SETUP

from .lab import Lab

NUMBER = """
lesson.PREDICTIONS["half"] = course.Prediction(
    title="Half", question="1 / 2?", answer=lambda: 0.5, tolerance=0.1, explanation="{answer}."
)
course.objectives("01")
course.predict("01.sum")
course.predict("01.half")
"""
CHECK = 'course.check("01.double", lambda x: x + 3)'


@pytest.fixture
def cards(lab: Lab, tmp_path) -> Locator:
    """Two predictions and a check; the progress file is new."""
    home = f"import os; os.environ['GRDA_EDU_HOME'] = {str(tmp_path)!r}"
    lab.write("cards.ipynb", [f"{home}\n{SETUP}", NUMBER, CHECK])
    lab.open("cards.ipynb")
    lab.run_all()
    found = lab.page.locator(".grda-card")
    expect(found).to_have_count(3)
    return found


def focused(lab: Lab) -> str:
    return lab.page.evaluate("document.activeElement.textContent")


def press(lab: Lab, *keys: str) -> None:
    for key in keys:
        lab.page.keyboard.press(key)


def test_a_choice_by_keyboard(lab: Lab, cards: Locator) -> None:
    card = cards.nth(0)
    options = card.get_by_role("radio")
    options.first.focus()
    press(lab, "Space", "ArrowDown")
    expect(options.nth(1)).to_be_checked()
    press(lab, "ArrowUp", "Tab")
    expect(options.nth(0)).to_be_checked()
    assert focused(lab) == "Commit"
    press(lab, "Enter")
    expect(card.get_by_role("status").first).to_contain_text("You predicted it.")
    expect(lab.page.locator(".grda-goals")).to_contain_text("committed")
    assert focused(lab) == "Ask me afresh"
    press(lab, "Enter")
    expect(card.get_by_role("status").first).to_be_empty()
    expect(lab.page.locator(".grda-goals")).not_to_contain_text("committed")
    assert lab.complaints == []


@pytest.mark.parametrize(("typed", "words"), [("0,55", "Close enough"), ("-3", "Too low")])
def test_a_number_by_keyboard(lab: Lab, cards: Locator, typed: str, words: str) -> None:
    card = cards.nth(1)
    card.get_by_label("Your prediction").focus()
    press(lab, *"abc", "Enter")
    expect(card).to_contain_text("Answer first, or skip.")
    press(lab, *["Backspace"] * 3, *typed, "Enter")
    expect(card.get_by_role("status").first).to_contain_text(words)
    expect(card.get_by_label("Your prediction")).to_be_disabled()
    assert focused(lab) in ("Ask me afresh", "Try again")  # the field that had the focus is locked


def test_hints_then_the_solution_by_keyboard(lab: Lab, cards: Locator) -> None:
    card = cards.nth(2)
    expect(card).to_contain_text("double(x=-1)")
    card.get_by_role("button").focus()
    press(lab, "Enter")
    expect(card.get_by_role("button")).to_have_text("Show the solution")
    assert focused(lab) == "Show the solution"
    press(lab, "Enter")
    expect(card.locator("pre")).to_contain_text("return 2 * x")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(card.locator("pre")).to_be_focused()


def test_what_is_shown_survives_a_second_run_and_a_reload(lab: Lab, cards: Locator) -> None:
    cards.nth(0).get_by_label("3").check()
    cards.nth(0).get_by_role("button", name="Commit").click()
    for again in (lab.run_all, lab.reload):
        lab.save()
        again()
        expect(cards).to_have_count(3)
        expect(cards.nth(0)).to_contain_text("Not what happens. The answer is “2”.")
        expect(cards.nth(0).get_by_label("3")).to_be_checked()
        expect(cards.nth(1).get_by_role("button", name="Commit")).to_be_visible()


def test_without_a_kernel_a_button_says_so(lab: Lab, cards: Locator) -> None:
    lab.kill_kernel()
    cards.nth(2).get_by_role("button").click()
    expect(cards.nth(2)).to_contain_text("Python is busy or has stopped")
