from dataclasses import replace

import pytest

from grda_edu.course import aims, predict, progress
from tests.course.checking import assert_prediction


def actions(card):
    return [action["do"] for action in card.state["actions"]]


def test_answers_are_computed(choice, number):
    assert assert_prediction(choice) == "2 of them"
    assert assert_prediction(number) == pytest.approx(0.4)


def test_an_answer_that_is_no_option_is_an_error(choice):
    with pytest.raises(ValueError, match=r"'3 of them'.*1 of them"):
        replace(choice, answer=lambda: "3 of them").right()


def test_an_answer_that_is_no_number_is_an_error(number):
    with pytest.raises(ValueError, match="nan"):
        replace(number, answer=lambda: float("nan")).right()


@pytest.mark.parametrize(("guess", "right"), [(0.4, True), (0.45, True), (0.46, False), (0, False)])
def test_a_number_is_right_within_its_tolerance(number, guess, right):
    assert number.is_right(guess) is right


def test_the_explanation_is_that_of_the_chosen_option(lesson, cards):
    predict("01.how_many")
    (card,) = cards
    assert card.state["result"] == "" and actions(card) == ["commit", "skip"]
    card.press("commit", 0)
    result = card.state["result"]
    assert "Both signs count." in result and 'data-kind="wrong"' in result and "2 of them" in result
    assert card.state["locked"] and card.state["chosen"] == 0 and actions(card) == ["again"]


def test_a_right_choice(lesson, cards):
    predict("01.how_many")
    cards[0].press("commit", 1)
    assert "2 died." in cards[0].state["result"]
    assert 'data-kind="right"' in cards[0].state["result"]


def test_a_committed_answer_is_shown_again_and_can_be_taken_back(lesson, cards):
    predict("01.how_many")
    cards[0].press("commit", 2)
    predict("01.how_many")
    again = cards[1]
    assert again.state["chosen"] == 2 and again.state["locked"] and "No." in again.state["result"]
    again.press("again")
    assert progress.committed("01.how_many") is None
    assert actions(again) == ["commit", "skip"] and not again.state["locked"]
    assert again.state["chosen"] is None and again.state["result"] == ""


@pytest.mark.parametrize("kind", ["how_many", "how_far"])
def test_skipping_tells_the_answer_and_commits_nothing(lesson, cards, kind):
    predict(f"01.{kind}")
    cards[0].press("skip")
    assert 'data-kind="told"' in cards[0].state["result"]
    assert progress.committed(f"01.{kind}") is None
    predict(f"01.{kind}")
    assert actions(cards[1]) == ["commit", "skip"]


@pytest.mark.parametrize(
    ("guess", "kind", "words"),
    [(0.4, "right", "You predicted it."), (0.42, "right", "Close enough to 0.4"),
     (0.9, "wrong", "Too high. The answer is 0.4"), (-1, "wrong", "Too low")],
)  # fmt: skip
def test_a_number(lesson, cards, guess, kind, words):
    predict("01.how_far")
    cards[0].press("commit", guess)
    result = cards[0].state["result"]
    assert f'data-kind="{kind}"' in result and words in result and "It is 0.4." in result
    assert cards[0].state["number"]["value"] == f"{guess:g}"


@pytest.mark.parametrize("nonsense", [None, float("nan"), float("inf"), "0.4", True])
def test_what_is_no_number_is_not_committed(lesson, cards, nonsense):
    predict("01.how_far")
    cards[0].press("commit", nonsense)
    assert progress.committed("01.how_far") is None and not cards[0].state["locked"]


def test_committing_nothing_changes_nothing(lesson, cards):
    predict("01.how_many")
    cards[0].press("commit", None)
    assert actions(cards[0]) == ["commit", "skip"] and progress.committed("01.how_many") is None


def test_a_button_that_is_not_there_does_nothing(lesson, cards):
    predict("01.how_many")
    cards[0].press("again")
    cards[0].press("no such thing")
    assert actions(cards[0]) == ["commit", "skip"]


def test_an_answer_of_an_older_edition_is_asked_again(lesson, cards):
    progress.commit("01.how_many", "an option that is gone")
    progress.commit("01.how_far", "a text")
    predict("01.how_many")
    predict("01.how_far")
    assert [card.state["locked"] for card in cards] == [False, False]


def test_texts_are_escaped_and_code_is_code(lesson, choice, cards):
    lesson.PREDICTIONS["how_many"] = replace(choice, question="Is `a < b`, *really*? 2 * 3 * 4")
    predict("01.how_many")
    assert "<code>a &lt; b</code>, <em>really</em>? 2 * 3 * 4" in cards[0].state["head"]


def test_the_plain_text_asks_the_question(lesson, cards):
    predict("01.how_many")
    assert "How many become zero?" in cards[0].text and "4 of them" in cards[0].text


@pytest.mark.parametrize("name", ["01.unknown", "01", "01.shrink"])
def test_an_unknown_name(lesson, name):
    with pytest.raises(
        ValueError, match=f"prediction = '{name}': accepted is one of '01.how_many', '01.how_far'"
    ):
        predict(name)


def test_the_heading_can_be_another(lesson, choice, cards):
    predict("01.how_many")
    assert ">Predict<" in cards[-1].state["head"]
    lesson.PREDICTIONS["how_many"] = replace(choice, heading="Report")
    predict("01.how_many")
    assert ">Report<" in cards[-1].state["head"]
    assert cards[-1].text.startswith("Report: ")


def labels(card):
    return [action["label"] for action in card.state["actions"]]


def test_what_is_found_is_not_called_a_prediction(lesson, choice, number, cards):
    lesson.PREDICTIONS["how_many"] = replace(choice, heading="Report")
    lesson.PREDICTIONS["how_far"] = replace(number, heading="Report")
    for name, right, wrong in (("how_many", 1, 0), ("how_far", 0.4, 0.9)):
        for answer in (right, wrong):
            progress.forget(f"01.{name}")
            predict(f"01.{name}")
            card = cards[-1]
            assert card.state["label"].startswith("Report: ")
            if name == "how_far":
                assert card.state["number"]["label"] == "Your report"
            card.press("commit", answer)
            said = card.state["label"] + card.state["result"]
            assert "predict" not in said.lower() and "not what happens" not in said.lower()
            assert ("You found it." in said) == (answer == right)
    texts = [words for _, words, _ in aims._rows("01")]
    assert texts[0] == "report “How many”: committed"


@pytest.mark.parametrize(
    ("press", "label"),
    [(("commit", 1), "Ask me afresh"), (("commit", 0), "Try again"), (("skip", None), "Answer it after all")],
)  # fmt: skip
def test_only_a_wrong_answer_is_asked_to_try_again(lesson, cards, press, label):
    predict("01.how_many")
    cards[0].press(*press)
    assert labels(cards[0]) == [label]
