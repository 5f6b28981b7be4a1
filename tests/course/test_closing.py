"""The closing quiz: one card, first answers kept, rounds, and its line on the map."""

import json

import pytest

from grda_edu.course import Prediction, course_map, page, progress, quiz
from grda_edu.course import map as course_table
from grda_edu.course.closing import lesson_of


def question(right, *others):
    options = {right: f"{right} is {{what}}."} | {text: f"{text} is not." for text in others}
    return Prediction(
        title=right,
        question=f"Which is {right}?",
        answer=lambda: right,
        options=options,
        values=lambda: {"what": "it"},
    )


@pytest.fixture
def asked(lesson, monkeypatch):
    """Lesson 01 has a quiz of three questions; the first option is right."""
    lesson.QUIZ = {f"0{k}_{name}": question(name, "b", "c", "d") for k, name in enumerate("xyz")}
    return lesson


def labels(card):
    return [action["label"] for action in card.state["actions"]]


def play(card, *answers):
    for answer in answers:
        card.press("answer", answer)
        card.press("next")


def test_a_round_from_the_first_question_to_the_result(asked, cards):
    quiz("01")
    (card,) = cards
    assert "Question 1 of 3" in card.state["head"] and labels(card) == ["Answer", "Skip for now"]
    card.press("answer", 1)
    assert "The answer is “x”" in card.state["result"] and "b is not." in card.state["result"]
    for words in ("x</strong>: x is it.", "c</strong>: c is not.", "d</strong>: d is not."):
        assert words in card.state["more"]
    assert (
        card.state["locked"]
        and card.state["chosen"] == 1
        and "b</strong>" not in card.state["more"]
    )
    card.press("next")
    play(card, 0)
    card.press("answer", 0)
    assert labels(card) == ["Your result", "Next question", "Back"]
    card.press("result")
    assert "2 of 3 at the first try" in card.state["head"]
    assert "00 Start here" in card.state["more"] and "01 " not in card.state["more"]
    assert progress.quiz_results("01") == [2]


def test_the_first_answer_stays(asked, cards):
    quiz("01")
    (card,) = cards
    card.press("answer", 1)
    card.press("answer", 0)
    assert progress.quiz_answers("01") == {"00_x": "b"}
    card.press("answer", None)
    assert progress.quiz_answers("01") == {"00_x": "b"}


def test_it_goes_on_where_it_was_left_and_what_was_skipped_comes_again(asked, cards):
    quiz("01")
    cards[0].press("next")
    play(cards[0], 0)
    assert "Question 3" in cards[0].state["head"]
    quiz("01")
    assert "Question 1" in cards[1].state["head"]
    play(cards[1], 0)
    assert "Question 3" in cards[1].state["head"] and labels(cards[1]) == ["Answer", "Back"]
    cards[1].press("back")
    assert "Question 2" in cards[1].state["head"] and cards[1].state["locked"]


def test_another_round_keeps_the_result_of_the_first(asked, cards):
    quiz("01")
    (card,) = cards
    play(card, 1, 1, 1)
    card.press("result")
    assert "0 of 3" in card.state["head"]
    card.press("again")
    assert progress.quiz_answers("01") == {} and progress.quiz_results("01") == [0]
    play(card, 0, 0, 0)
    card.press("result")
    assert progress.quiz_results("01") == [0, 3]
    assert "Rounds before: 0 of 3." in card.state["result"] and card.state["more"] == ""
    card.press("look")
    assert "Question 1" in card.state["head"] and card.state["locked"]
    quiz("01")
    assert "3 of 3" in cards[1].state["head"]


def test_what_stands_where_no_card_is_drawn(asked, cards):
    quiz("01")
    assert "Closing quiz, 3 questions:\n1. Which is x?" in cards[0].text


def test_a_lesson_without_a_quiz(lesson, cards):
    with pytest.raises(ValueError, match="lesson 01 has no QUIZ"):
        quiz("01")


def test_the_map_has_its_result(asked, cards, home, monkeypatch):
    row = course_table.Lesson("01", "01_x", "X", "Why?", 5, False, ("a",), quiz=3)
    monkeypatch.setattr(course_table, "LESSONS", (row,))
    shown = []
    monkeypatch.setattr(page, "show_live_html", lambda html, text: shown.append((html, text)))
    course_map()
    (html, text), (table,) = shown[0], cards
    assert "0 of 1 prediction, 0 of 3 questions" in html() and "○○<" in html()
    quiz("01")
    card = cards[1]
    play(card, 0, 1)
    assert "2 of 3 questions" in text()
    card.press("answer", 0)
    progress.commit("01.a", "x")
    assert "quiz: 2 of 3 right at the first try" in text() and "✓ done" in html()
    card.press("result")
    card.press("again")
    play(card, 0, 0, 0)
    assert "quiz: 2 of 3 right at the first try, 3 in the last round" in text()
    table.press("reset")
    assert "0 goals and 2 rounds of the quiz" in table.state["result"]
    table.press("forget")
    assert progress.quiz_results("01") == [] and "0 of 3 questions" in text()


@pytest.mark.parametrize(
    "quizzes",
    [
        [],
        {"12": []},
        {"12": {"answers": {}}},
        {"12": {"answers": {"a": 3}, "results": []}},
        {"12": {"answers": {}, "results": ["all"]}},
        {"12": {"answers": {}, "results": [True]}},
    ],
)
def test_a_file_with_another_quiz_is_set_aside(home, quizzes):
    home.mkdir()
    (home / "progress.json").write_text(json.dumps({"quizzes": quizzes}), "utf-8")
    assert progress.quiz_results("12") == [] and "damaged" in progress.notice()
    progress.close_quiz("12", 17)
    assert progress.quiz_results("12") == [17]


def test_a_file_of_before_has_no_quiz(home):
    home.mkdir()
    (home / "progress.json").write_text('{"predictions": {"01.a": "x"}}', "utf-8")
    progress.answer_quiz("12", "00_x", "b")
    assert progress.quiz_answers("12") == {"00_x": "b"} and progress.committed("01.a") == "x"


def test_an_answer_that_is_none_any_more_is_asked_again(asked, cards, home):
    progress.answer_quiz("01", "00_x", "an option of an older edition")
    quiz("01")
    assert "Question 1" in cards[0].state["head"] and not cards[0].state["locked"]
    assert lesson_of("07_floor") == "07"
