"""An exercise: cases that locate a wrong answer, hints, and a real solution.

``judge`` runs the learner's function and says which of four things happened: it was not begun, it
answers wrongly, it raises, or it is right. No widgets here: ``checking`` shows the outcome.
"""

from __future__ import annotations

import ast
import copy
import dis
import inspect
import linecache
import signal
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from types import FrameType
from typing import Any, Literal

from .compare import describe, difference, type_in_words

_BY_ORACLE = object()


@dataclass(frozen=True)
class Case:
    """One call of the learner's function and what should come out.

    args: the arguments, copied before every call;
    expected: what should come out; left out, the exercise's oracle computes it from ``args``;
    why: a sentence shown when this case fails ("With τ = 0 nothing shrinks.").
    """

    args: tuple
    expected: Any = _BY_ORACLE
    why: str = ""


@dataclass(frozen=True)
class Exercise:
    """A few lines for the learner to write.

    title: names it in objectives and headings; task: one or two sentences (`code` in backticks);
    solution: the function whose source is shown in the end;
    cases: from the simplest to the most particular, as a sequence or a function that makes one;
    hints: from a nudge to almost the answer;
    oracle: another way to the right answer, by default the solution itself;
    done: said when the answer is right;
    rtol, atol: how far numbers may be off; seconds: when a call is taken for an endless loop.
    """

    title: str
    task: str
    solution: Callable[..., Any]
    cases: Sequence[Case] | Callable[[], Sequence[Case]]
    hints: tuple[str, ...]
    oracle: Callable[..., Any] | None = None
    done: str = ""
    rtol: float = 1e-6
    atol: float = 1e-9
    seconds: float = 10.0

    def all_cases(self) -> Sequence[Case]:
        """The cases, made now if a function makes them."""
        return self.cases() if callable(self.cases) else self.cases

    def expected(self, case: Case) -> Any:
        """What should come out of ``case``."""
        if case.expected is not _BY_ORACLE:
            return case.expected
        return (self.oracle or self.solution)(*copy.deepcopy(case.args))

    def solution_source(self) -> str:
        """The source of the solution, without its docstring (the stub has it already)."""
        return _without_docstring(self.solution)

    def call(self, args: tuple) -> str:
        """The call in words: ``soft_threshold(x=1.5, tau=0.5)``."""
        names = list(inspect.signature(self.solution).parameters)
        given = (f"{name}={describe(value)}" for name, value in zip(names, args, strict=False))
        return f"{self.solution.__name__}({', '.join(given)})"


Kind = Literal["unattempted", "wrong", "raised", "right"]


@dataclass(frozen=True)
class Outcome:
    """What came of a check, in words. Empty texts do not apply."""

    kind: Kind
    sentence: str
    call: str = ""  # the input at which it happened
    came_out: str = ""
    expected: str = ""
    where: str = ""  # the line of the learner's code that raised
    why: str = ""  # what the failing case is about, the task, or what follows from a right answer

    def __str__(self) -> str:
        facts = (("input", self.call), ("came out", self.came_out), ("expected", self.expected))
        lines = [self.sentence, self.where, *(f"{k}: {v}" for k, v in facts if v), self.why]
        return "\n  ".join(line for line in lines if line)


def judge(exercise: Exercise, attempt: object) -> Outcome:
    """Run ``attempt`` on the exercise's cases up to the first that fails."""
    if attempt is None or attempt is ...:
        return _unattempted(exercise)
    if not callable(attempt):
        return Outcome(
            "wrong",
            f"check needs the function itself, without brackets behind it; it got {type_in_words(attempt)}.",
            came_out=describe(attempt),
        )
    if _is_empty(attempt):
        return _unattempted(exercise)
    cases = exercise.all_cases()
    for passed, case in enumerate(cases):
        if outcome := _judge_case(exercise, attempt, case, passed, len(cases)):
            return outcome
    return Outcome("right", f"Right. All {len(cases)} checks pass.", why=exercise.done)


def _unattempted(exercise: Exercise) -> Outcome:
    return Outcome(
        "unattempted",
        "Not begun yet. Replace the ... and run the cell again.",
        why=exercise.task,
    )


def _judge_case(
    exercise: Exercise, attempt: Callable, case: Case, passed: int, total: int
) -> Outcome | None:
    """None if the case passes."""
    args = copy.deepcopy(case.args)
    try:
        result = _call(attempt, args, exercise.seconds)
    except _TooLong:
        return _endless(exercise, case, f"did not end within {exercise.seconds:g} seconds")
    except KeyboardInterrupt:
        return _endless(exercise, case, "was still running when you stopped it")
    except BaseException as error:  # whatever the learner's code may raise is an answer to report
        return _raised(exercise, attempt, case, error)
    if _holds_ellipsis(result):
        return _unattempted(exercise)
    expected = exercise.expected(case)
    try:
        words = difference(result, expected, exercise.rtol, exercise.atol)
        came_out = describe(result)
    except Exception as error:  # a type of the learner's own, or one that no array can hold
        came_out = type_in_words(result)
        words = f"{came_out} came out that cannot be compared ({_said(error)})"
    if result is None and expected is not None:
        words = "nothing (None) came out; is there a way through your function without a return"
    if not words and (changed := _changed_arguments(exercise, args, case.args)):
        words = (
            f"the result is right, but your function changed its argument {changed}, "
            "which the caller still needs; work on a copy"
        )
    if not words:
        return None
    return Outcome(
        "wrong",
        f"Not yet. {_progress(passed, total)}: {words}.",
        call=exercise.call(case.args),
        came_out=came_out,
        expected=describe(expected),
        why=case.why,
    )


def _progress(passed: int, total: int) -> str:
    if passed == 0:
        return f"The first of {total} checks fails"
    return f"{passed} of {total} checks pass; then"


def _endless(exercise: Exercise, case: Case, words: str) -> Outcome:
    return Outcome(
        "raised",
        f"Your function {words}. Is there a loop without an end?",
        call=exercise.call(case.args),
        why=case.why,
    )


def _raised(exercise: Exercise, attempt: Callable, case: Case, error: BaseException) -> Outcome:
    said = _said(error)
    if isinstance(error, TypeError) and "ellipsis" in said.lower():
        return Outcome("unattempted", "Not finished yet. There is still a ... in your function.")
    advice = ""
    if isinstance(error, SystemExit):
        advice = ". A function gives its result back with return; exit would end the whole program"
    if "truth value of an array" in said:  # max(), if and and/or want one number
        advice = ". Compare or combine whole arrays instead: np.maximum, np.where, x == 0"
    return Outcome(
        "raised",
        f"Your function stopped with {said}".rstrip(".") + advice,
        call=exercise.call(case.args),
        where=_where(attempt, error),
        why=case.why,
    )


def _said(error: BaseException) -> str:
    """The type of an exception and what it says; the type alone where it says nothing."""
    try:
        text = str(error)
    except Exception:  # an exception of the learner's own, whose __str__ fails
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _where(attempt: Callable, error: BaseException) -> str:
    """The last line of the learner's own code on the way to the error."""
    code = getattr(inspect.unwrap(attempt), "__code__", None)
    if code is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == code.co_filename]
    # A wrong number of arguments raises at the call, before any line of the function runs.
    in_function = [n for n in lines if n is not None and n >= code.co_firstlineno]
    number = in_function[-1] if in_function else code.co_firstlineno
    source = linecache.getline(code.co_filename, number).strip()
    return f"line {number}: {source}" if source else f"line {number}"


def _changed_arguments(exercise: Exercise, after: tuple, before: tuple) -> str:
    """The name of an argument that the call changed, or ""."""
    names = list(inspect.signature(exercise.solution).parameters)
    for k, (now, then) in enumerate(zip(after, before, strict=True)):
        now, then = _weights(now), _weights(then)
        comparable = isinstance(then, list | dict) or hasattr(then, "__array__")
        if comparable and difference(now, then, rtol=0, atol=0):
            return names[k] if k < len(names) else f"number {k + 1}"
    return ""


def _weights(value: Any) -> Any:
    """A network's weights stand for the network; anything else for itself."""
    return dict(value.state_dict()) if hasattr(value, "state_dict") else value


def _holds_ellipsis(result: object) -> bool:
    parts = result if isinstance(result, tuple | list) else [result]
    return any(part is ... for part in parts)


def _is_empty(attempt: Callable) -> bool:
    """A function whose body is ``pass``, ``...`` or a docstring alone."""

    def nothing() -> None:
        pass

    code = getattr(attempt, "__code__", None)
    return code is not None and _operations(code) == _operations(nothing.__code__)


def _operations(code: Any) -> list[str]:
    return [step.opname for step in dis.get_instructions(code)]


def _without_docstring(function: Callable) -> str:
    source = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    first = definition.body[0]  # type: ignore[attr-defined]
    lines = source.rstrip().splitlines()
    if ast.get_docstring(definition) is not None and len(definition.body) > 1:  # type: ignore
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines)


class _TooLong(BaseException):
    """Not an Exception, so that a learner's ``except Exception`` does not swallow it."""


AGAIN = (1e-5, 2e-5, 4e-5, 8e-5)  # seconds to the next alarm, in turn: no loop keeps step with them
LATER = 0.05  # seconds to the one after, should that one strike before the learner's code goes on


def _call(attempt: Callable, args: tuple, seconds: float) -> Any:
    """``attempt(*args)``, interrupted after ``seconds`` where the system can; elsewhere Interrupt stops it.

    A bare ``except:`` swallows the interruption, wherever it strikes. Therefore every further line
    of the learner's code raises it again, the first line of that very ``except`` too, and from
    there it leaves. Raising ends Python's tracing, so that an ``except:`` around the ``except:``
    needs another alarm. A timer that runs already is late at most, and not lost.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer") or signal.getsignal(signal.SIGALRM) is None:
        return attempt(*args)
    here, traced, again = sys._getframe(), sys.gettrace(), cycle(AGAIN)

    def ring(signum: int, frame: FrameType | None) -> None:
        inside = []
        while frame is not None and frame is not here:
            inside.append(frame)
            frame = frame.f_back
        if not inside:
            return  # the call has just ended
        sys.settrace(stop)
        for learners in inside:
            learners.f_trace = stop
        raise _TooLong

    def stop(frame: FrameType, event: str, arg: Any) -> Any:
        if event != "line":
            return stop
        signal.setitimer(signal.ITIMER_REAL, next(again), LATER)
        raise _TooLong

    delay, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    start, former = time.monotonic(), signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, LATER)
        return attempt(*args)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.settrace(traced)
        signal.signal(signal.SIGALRM, former)
        if delay:
            left = delay - (time.monotonic() - start)
            signal.setitimer(signal.ITIMER_REAL, max(left, 1e-6), interval)
