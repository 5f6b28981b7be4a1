"""The closing quiz: many questions on one card, the first answers kept, the result on the map.

A lesson's module declares ``QUIZ``: name -> Prediction with options. ``course.quiz("12")`` shows it.
A round is answered in any order, and goes on where it was left; when all are answered its result
stands on the map, and another round may begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from . import page
from .card import Card
from .keeping import progress
from .lookup import module
from .map import LESSONS
from .prediction import Prediction


def quiz(number: str) -> None:
    """Show the quiz of a lesson, where its round was left; ValueError for a lesson that has none."""
    questions: Mapping[str, Prediction] = getattr(module(number), "QUIZ", {})
    if not questions:
        raise ValueError(f"lesson {number} has no QUIZ: accepted is a lesson that has one")
    _Round(number, questions).show()


class _Round:
    """One card for all questions: which is shown, and what has been answered."""

    def __init__(self, number: str, questions: Mapping[str, Prediction]) -> None:
        self._number, self._questions = number, dict(questions)
        self._names = list(questions)
        self._card = Card()
        self._card.on_do("answer", self._answer)
        self._card.on_do("next", lambda _: self._ask(self._after()))
        self._card.on_do("back", lambda _: self._ask((self._at - 1) % len(self._names)))
        self._card.on_do("result", lambda _: self._tell_result())
        self._card.on_do("look", lambda _: self._ask(0))
        self._card.on_do("again", lambda _: self._begin())
        self._at = 0

    def show(self) -> None:
        """Display the card."""
        if self._open():
            self._ask(self._names.index(self._open()[0]))
        else:
            self._tell_result()
        texts = (f"{k}. {q.question}" for k, q in enumerate(self._questions.values(), start=1))
        self._card.show("\n".join([f"Closing quiz, {len(self._names)} questions:", *texts]))

    def _answers(self) -> dict[str, str]:
        """Name -> option, of the questions that there are."""
        kept = progress.quiz_answers(self._number)
        return {n: kept[n] for n in self._names if self._questions[n].accepts(kept.get(n))}

    def _open(self) -> list[str]:
        answers = self._answers()
        return [name for name in self._names if name not in answers]

    def _after(self) -> int:
        """The next question that is open; where none is, the next."""
        turn = [(self._at + k) % len(self._names) for k in range(1, len(self._names) + 1)]
        still = self._open()
        return next((k for k in turn if self._names[k] in still), turn[0])

    # --- what the card shows

    def _ask(self, at: int) -> None:
        self._at = at
        name = self._names[at]
        question, chosen = self._questions[name], self._answers().get(name)
        options = list(question.options)
        where = f"Question {at + 1} of {len(self._names)}"
        open_ones = len(self._open())
        actions: list[dict[str, Any]] = []
        if chosen is None:
            actions.append({"do": "answer", "label": "Answer", "primary": True, "needs": True})
            if open_ones > 1:
                actions.append({"do": "next", "label": "Skip for now"})
        elif open_ones:
            actions.append({"do": "next", "label": "Next question", "primary": True})
        else:
            actions.append({"do": "result", "label": "Your result", "primary": True})
            actions.append({"do": "next", "label": "Next question"})
        if at:
            actions.append({"do": "back", "label": "Back"})
        self._card.update(
            label=f"{where}: {question.title}",
            head=f'<p class="grda-kicker">{where}</p><div class="grda-question">{page.prose(question.question)}</div>',
            options=[page.inline(text) for text in options],
            chosen=None if chosen is None else options.index(chosen),
            number=None,
            locked=chosen is not None,
            actions=actions,
            result=("" if chosen is None else _verdict(question, chosen))
            + page.note(progress.notice()),
            more="" if chosen is None else _others(question, chosen),
        )

    def _answer(self, sent: Any) -> None:
        """``sent`` by the page: an option's index. The first answer stays."""
        name, options = self._names[self._at], list(self._questions[self._names[self._at]].options)
        if sent is None or name in self._answers():
            return
        progress.answer_quiz(self._number, name, options[int(sent)])
        if not self._open():
            progress.close_quiz(self._number, self._right())
        self._ask(self._at)

    def _right(self) -> int:
        return sum(self._questions[n].is_right(a) for n, a in self._answers().items())

    def _tell_result(self) -> None:
        answers, total = self._answers(), len(self._names)
        missed = [n for n in self._names if not self._questions[n].is_right(answers[n])]
        results = progress.quiz_results(self._number)
        before = ", ".join(f"{right} of {total}" for right in results[:-1])
        self._card.update(
            label="Closing quiz: your result",
            head=f'<p class="grda-kicker">Closing quiz</p><div class="grda-question">{total - len(missed)} of {total} at the first try</div>',
            options=[],
            chosen=None,
            locked=False,
            actions=[
                {"do": "look", "label": "Look through the answers", "primary": True},
                {"do": "again", "label": "Do it again"},
            ],
            result=page.note(f"Rounds before: {before}." if before else ""),
            more=_to_read(missed),
        )

    def _begin(self) -> None:
        progress.begin_quiz(self._number)
        self._ask(0)


def lesson_of(name: str) -> str:
    """The lesson that a question is about: its first two digits."""
    return name[:2]


def _verdict(question: Prediction, chosen: str) -> str:
    if question.is_right(chosen):
        return page.result("right", "Right.", question.explain(chosen))
    heading = f"Not so. The answer is “{question.right()}”."
    return page.result("wrong", heading, question.explain(chosen))


def _others(question: Prediction, chosen: str) -> str:
    """Why each of the other options is right or wrong."""
    rows = "".join(
        f"<li><strong>{page.inline(text)}</strong>: {page.inline(question.explain_option(text))}</li>"
        for text in question.options
        if text != chosen
    )
    return f'<p class="grda-label">The other answers</p><ul>{rows}</ul>'


def _to_read(missed: list[str]) -> str:
    numbers = {lesson_of(name) for name in missed}
    links = "".join(
        f'<li><a href="{row.link}">{row.number} {escape(row.title)}</a></li>'
        for row in LESSONS
        if row.number in numbers
    )
    if not links:
        return ""
    return f'<p class="grda-label">What you missed stands in</p><ul>{links}</ul>'


__all__ = ["lesson_of", "quiz"]
