import contextlib
import signal
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from grda_edu.course import Case, Exercise, judge
from tests.course.checking import assert_exercise


def stub(x, tau):
    """S_tau."""
    return ...


def moves_by_tau(x, tau):
    return x - tau


def hard(x, tau):
    return x * (np.abs(x) > tau)


def scales(x, tau):
    return x / (1 + tau)


def loses_the_sign(x, tau):
    return np.maximum(np.abs(x) - tau, 0)


def wrong_shape(x, tau):
    return np.atleast_1d(right(x, tau))[None]


def as_a_list(x, tau):
    return np.asarray(right(x, tau)).tolist()


def not_a_number(x, tau):
    return right(x, tau) * np.where(np.abs(x) > tau, 1, np.nan)


def forgets_return(x, tau):
    right(x, tau)


def in_place(x, tau):
    result = right(x, tau)
    if isinstance(x, np.ndarray):
        x[:] = result
    return result


def right(x, tau):
    return x - np.clip(x, -tau, tau)


def by_cases(x, tau):
    return np.where(x > tau, x - tau, np.where(x < -tau, x + tau, 0.0))


def raises(x, tau):
    scaled = x / tau
    return scaled + missing  # noqa: F821


WRONG = (
    moves_by_tau,
    hard,
    scales,
    loses_the_sign,
    wrong_shape,
    as_a_list,
    not_a_number,
    forgets_return,
    in_place,
)


def test_the_four_outcomes(exercise):
    assert_exercise(exercise, stub=stub, wrong=WRONG, raising=raises, right=(right, by_cases))


def only_passes(x, tau):
    pass


def only_explains(x, tau):
    """S_tau."""


def half_done(x, tau):
    return np.sign(x) * ...


def in_a_tuple(x, tau):
    return x, ...


@pytest.mark.parametrize("attempt", [..., None, only_passes, only_explains, half_done, in_a_tuple])
def test_other_ways_not_to_have_begun(exercise, attempt):
    assert judge(exercise, attempt).kind == "unattempted"


def test_not_begun_says_the_task(exercise):
    assert judge(exercise, stub).why == exercise.task


@pytest.mark.parametrize(
    ("attempt", "kind", "words"),
    [
        (moves_by_tau, "wrong", "1 of 3 checks pass; then: -0.2 came out where 0 is expected"),
        (loses_the_sign, "wrong", "2 of 3 checks pass; then: at position 0"),
        (as_a_list, "wrong", "a list came out where an array is expected"),
        (wrong_shape, "wrong", "The first of 3 checks fails: an array came out where a number is"),
        (not_a_number, "wrong", "NaN"),
        (forgets_return, "wrong", "without a return"),
        (in_place, "wrong", "changed its argument x"),
        (raises, "raised", "NameError: name 'missing' is not defined"),
        (lambda x: x, "raised", "TypeError"),
        (3.5, "wrong", "it got a number"),
        (right, "right", "All 3 checks pass"),
    ],
)
def test_the_words(exercise, attempt, kind, words):
    outcome = judge(exercise, attempt)
    assert outcome.kind == kind
    assert words in outcome.sentence


def test_a_wrong_answer_is_located(exercise):
    outcome = judge(exercise, moves_by_tau)
    assert outcome.call == "shrink(x=0.3, tau=0.5)"
    assert (outcome.came_out, outcome.expected, outcome.why) == ("-0.2", "0", "Inside the band.")
    for part in (outcome.call, outcome.sentence, outcome.came_out, outcome.why):
        assert part in str(outcome)


def test_an_error_is_located_in_the_learners_code(exercise):
    line = raises.__code__.co_firstlineno + 2
    where = judge(exercise, raises).where
    assert where.startswith(f"line {line}: return scaled + missing")


def calls_numpy(x, tau):
    return np.zeros(3) @ np.zeros(4)


def test_an_error_inside_a_library_is_located_where_the_learner_called_it(exercise):
    assert "np.zeros(3) @ np.zeros(4)" in judge(exercise, calls_numpy).where


def test_a_wrong_number_of_arguments_points_to_the_definition(exercise):
    def takes_one(x):
        return x

    outcome = judge(exercise, takes_one)
    assert outcome.kind == "raised" and "def takes_one(x):" in outcome.where


def test_the_cases_stay_as_they_are(exercise):
    judge(exercise, in_place)
    assert judge(exercise, right).kind == "right"
    np.testing.assert_array_equal(exercise.all_cases()[2].args[0], [-2.0, -0.1, 3.0])


def endless(x, tau):
    while True:
        pass


def swallows_everything(x, tau):
    while True:
        try:
            sum(range(1000))
        except Exception:
            continue


def swallows_the_alarm_too(x, tau):
    while True:
        try:
            time.sleep(1)
        except:  # noqa: E722
            continue


def goes_on_in_finally(x, tau):
    while True:
        try:
            time.sleep(1)
        finally:
            continue  # noqa: B012


def swallows_in_a_function_of_its_own(x, tau):
    def tries():
        try:
            time.sleep(1)
        except:  # noqa: E722
            return 0

    while True:
        tries()


def swallows_twice(x, tau):
    while True:
        try:
            while True:
                try:
                    time.sleep(1)
                except BaseException:
                    continue
        except BaseException:
            continue


def suppresses(x, tau):
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(1)


ENDLESS = (
    endless,
    swallows_everything,
    swallows_the_alarm_too,
    goes_on_in_finally,
    swallows_in_a_function_of_its_own,
    swallows_twice,
    suppresses,
)
alarm = pytest.mark.skipif(
    sys.platform == "win32", reason="no alarm there: Interrupt ends the loop"
)


@alarm
@pytest.mark.parametrize("attempt", ENDLESS)
def test_an_endless_loop_ends(exercise, attempt):
    outcome = judge(replace(exercise, seconds=0.2), attempt)
    assert outcome.kind == "raised" and "loop without an end" in outcome.sentence


@alarm
def test_a_loop_that_was_ended_leaves_no_trace(exercise):
    traced = sys.gettrace()
    judge(replace(exercise, seconds=0.05), swallows_the_alarm_too)
    assert sys.gettrace() is traced
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert judge(exercise, right).kind == "right"


@alarm
@pytest.mark.parametrize("delay", [60.0, 0.05])
def test_a_timer_of_the_learners_own_still_rings(exercise, delay):
    rung = []
    former = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, delay, 7)
    try:
        judge(replace(exercise, seconds=0.2), endless)
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert interval == 7
        assert (delay - 10 < left < delay - 0.2 and not rung) if delay == 60 else rung == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


class Unreadable:
    def __repr__(self):
        raise RuntimeError("no words for this")


@pytest.mark.parametrize(
    ("raises", "words"),
    [
        (SystemExit(3), "stopped with SystemExit: 3. A function gives its result back with return"),
        (SystemExit(), "stopped with SystemExit. A function"),
        (GeneratorExit(), "stopped with GeneratorExit"),
        (ValueError(), "stopped with ValueError"),
        (Unprintable(), "stopped with Unprintable"),
        (BaseException("own"), "stopped with BaseException: own"),
    ],
)
def test_whatever_is_raised_is_reported(exercise, raises, words):
    def attempt(x, tau):
        raise raises

    outcome = judge(exercise, attempt)
    assert outcome.kind == "raised" and words in outcome.sentence
    assert outcome.where.endswith("raise raises")


def test_what_cannot_be_compared_is_a_wrong_answer(exercise):
    array = replace(exercise, cases=exercise.all_cases()[2:])
    outcome = judge(array, lambda x, tau: [Unreadable()])
    assert (outcome.kind, outcome.came_out) == ("wrong", "a list")
    assert "cannot be compared (RuntimeError: no words for this)" in outcome.sentence


def test_an_interrupt_ends_the_call_and_not_the_check(exercise):
    def interrupted(x, tau):
        raise KeyboardInterrupt

    outcome = judge(exercise, interrupted)
    assert outcome.kind == "raised" and "when you stopped it" in outcome.sentence


def test_the_solution_is_shown_with_comments_and_without_docstring(exercise):
    assert exercise.solution_source() == (
        "def shrink(x, tau):\n"
        "    # the size shrinks, the sign stays\n"
        "    return np.sign(x) * np.maximum(np.abs(x) - tau, 0)"
    )


def count_zeros(model):
    return {name: int((p == 0).sum()) for name, p in model.named_parameters()}


def test_networks_as_arguments():
    def network():
        model = torch.nn.Linear(2, 2)
        torch.nn.init.zeros_(model.bias)
        return model

    zeros = Exercise(
        title="Zeros",
        task="Count.",
        solution=count_zeros,
        cases=lambda: [Case((network(),), {"weight": 0, "bias": 2})],
        hints=("Count.",),
    )

    def prunes(model):
        counts = count_zeros(model)
        torch.nn.init.zeros_(model.weight)
        return counts

    assert judge(zeros, count_zeros).kind == "right"
    assert "changed its argument model" in judge(zeros, prunes).sentence
    assert "for 'bias': 0 came out" in judge(zeros, lambda m: {"weight": 0, "bias": 0}).sentence


def test_a_checker_that_accepts_a_wrong_answer_is_caught(exercise):
    lax = replace(exercise, cases=exercise.all_cases()[:1])
    with pytest.raises(AssertionError, match="wrong answer moves_by_tau"):
        assert_exercise(lax, stub=stub, wrong=WRONG, raising=raises, right=(right, by_cases))


def test_one_truth_value_for_an_array_gets_advice(exercise):
    def with_builtin_max(x, tau):
        return np.sign(x) * max(np.abs(x) - tau, 0)

    outcome = judge(exercise, with_builtin_max)
    assert outcome.kind == "raised"
    assert "ValueError" in outcome.sentence
    assert "np.maximum" in outcome.sentence
