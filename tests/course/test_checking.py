import numpy as np
import pytest

from grda_edu.course import check, progress


def right(x, tau):
    return x - np.clip(x, -tau, tau)


def wrong(x, tau):
    return x - tau


def labels(card):
    return [action["label"] for action in card.state["actions"]]


@pytest.mark.parametrize(
    ("attempt", "kind", "words"),
    [
        (..., "unattempted", "Not begun yet"),
        (wrong, "wrong", "<code>shrink(x=0.3, tau=0.5)</code>"),
        (lambda x, tau: x / 0, "raised", "ZeroDivisionError"),
        (right, "right", "Right. All 3 checks pass."),
    ],
)
def test_each_outcome_has_a_symbol_and_words(lesson, cards, attempt, kind, words):
    check("01.shrink", attempt)
    result = cards[0].state["result"]
    assert f'data-kind="{kind}"' in result and words in result
    assert progress.solved("01.shrink") is (kind == "right")


def test_a_later_wrong_answer_takes_nothing_away(lesson, cards):
    check("01.shrink", right)
    check("01.shrink", wrong)
    assert progress.solved("01.shrink")


def test_hints_come_one_at_a_time_and_then_the_solution(lesson, cards):
    check("01.shrink", wrong)
    (card,) = cards
    seen = []
    for do in ("hint", "hint", "hint", "solution"):
        seen += labels(card)
        assert "np.maximum" not in card.state["more"]
        card.press(do)
    assert seen == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3", "Show the solution"]
    assert labels(card) == []
    more = card.state["more"]
    assert more.index("Size.") < more.index("Sign &lt;b&gt;") < more.index("<code>np.sign</code>")
    assert "# the size shrinks, the sign stays" in more and "Towards zero" not in more


def test_the_solution_cannot_be_had_before_the_hints(lesson, cards):
    check("01.shrink", wrong)
    cards[0].press("solution")
    assert cards[0].state["more"] == ""


def test_open_hints_stay_open_when_the_cell_runs_again(lesson, cards):
    check("01.shrink", ...)
    cards[0].press("hint")
    check("01.shrink", wrong)
    assert "Hint 1 of 3" in cards[1].state["more"] and labels(cards[1]) == ["Hint 2 of 3"]


def test_a_right_answer_can_be_compared(lesson, cards):
    check("01.shrink", right)
    assert labels(cards[0]) == ["Compare with our solution"] and cards[0].state["more"] == ""
    cards[0].press("solution")
    assert "np.maximum" in cards[0].state["more"] and "Hint" not in cards[0].state["more"]


def test_the_plain_text_says_all(lesson, cards):
    check("01.shrink", wrong)
    for words in ("01.shrink", "Not yet", "shrink(x=0.3, tau=0.5)", "-0.2", "Inside the band."):
        assert words in cards[0].text


def test_a_file_that_cannot_be_written_is_said(lesson, cards, home, monkeypatch):
    home.write_text("a file where the folder should be")
    check("01.shrink", right)
    check("01.shrink", right)
    said = ["cannot be kept" in card.state["result"] for card in cards]
    assert said == [True, False] and progress.solved("01.shrink")


def test_an_unknown_exercise(lesson):
    with pytest.raises(ValueError, match=r"exercise = '01.tau': accepted is one of '01.shrink'"):
        check("01.tau", right)
