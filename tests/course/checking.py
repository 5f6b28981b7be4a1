"""What every lesson's test asks of its exercises and predictions."""

import string
from collections.abc import Callable, Sequence

from grda_edu.course import Exercise, Prediction, judge


def assert_exercise(
    exercise: Exercise,
    *,
    stub: Callable,
    wrong: Sequence[Callable],
    raising: Callable,
    right: Sequence[Callable],
) -> None:
    """The checker tells the untouched stub, wrong answers, an error and right answers apart.

    wrong: at least four; right: at least two that are written differently from each other.
    """
    assert len(wrong) >= 4, f"give at least four wrong answers, not {len(wrong)}"
    assert len(right) >= 2, f"give at least two right answers, not {len(right)}"
    outcome = judge(exercise, stub)
    assert outcome.kind == "unattempted", f"the stub: {outcome}"
    for attempt in wrong:
        outcome = judge(exercise, attempt)
        assert outcome.kind == "wrong", f"wrong answer {attempt.__name__}: {outcome}"
        assert outcome.call and outcome.came_out and outcome.expected
    outcome = judge(exercise, raising)
    assert outcome.kind == "raised", f"the raising answer: {outcome}"
    assert outcome.call and outcome.where
    for attempt in (*right, exercise.solution):
        outcome = judge(exercise, attempt)
        assert outcome.kind == "right", f"right answer {attempt.__name__}: {outcome}"
    assert 1 <= len(exercise.hints) == len(set(exercise.hints))
    assert exercise.solution_source().startswith("def ")


def assert_prediction(prediction: Prediction) -> str | float:
    """Its answer is computed and can be chosen, its explanations can be filled in; returns it."""
    right = prediction.right()
    assert prediction.accepts(right)
    choices = list(prediction.options) or [right]
    explanations = [prediction.explain(choice) for choice in choices]
    assert all(explanations) and len(set(explanations)) == len(choices)
    for text in (prediction.question, *prediction.options):
        assert not [part for part in string.Formatter().parse(text) if part[1]], f"unfilled: {text}"
    if not prediction.options:
        assert prediction.explain(None) and prediction.tolerance > 0
    return right
