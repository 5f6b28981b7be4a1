"""Predict before you look: commit to an answer, then see why it is right or wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from . import page, veil
from .card import Card
from .keeping import progress
from .lookup import find


@dataclass(frozen=True)
class Prediction:
    """A question to commit to. With ``options`` one of them is chosen, without a number is asked.

    title: names it in objectives; question: plain text (`code` in backticks);
    heading: stands above the question: "Predict", or "Report" where the answer is found and not predicted;
    answer: computes the right answer, the text of an option or a number;
    options: text of each option -> what is explained to who chose it;
    explanation: said to everybody afterwards (the only explanation where a number is asked);
    values: computes what the texts mention: "{zeros} of 40" is filled from {"zeros": …}, and
        "{answer}" from the answer. A literal brace is written twice;
    unit, tolerance: of a number; a guess that is off by at most ``tolerance`` is right.
    """

    title: str
    question: str
    answer: Callable[[], str | float]
    options: Mapping[str, str] = field(default_factory=dict)
    explanation: str = ""
    values: Callable[[], Mapping[str, Any]] = dict
    unit: str = ""
    tolerance: float = 0.0
    heading: Literal["Predict", "Report"] = "Predict"

    @property
    def kind(self) -> str:
        """What the learner hands in: "prediction", or "report" of something found."""
        return "report" if self.heading == "Report" else "prediction"

    def accepts(self, answer: object) -> bool:
        """Whether ``answer`` is one that can be committed."""
        if self.options:
            return answer in self.options
        return (
            isinstance(answer, int | float)
            and not isinstance(answer, bool)
            and math.isfinite(answer)
        )

    def right(self) -> str | float:
        """The right answer, computed once; ValueError where it is not one of the options."""
        return self._right

    @cached_property
    def _right(self) -> str | float:
        answer = self.answer()
        if not self.options:
            answer = float(answer)
        if not self.accepts(answer):
            raise ValueError(
                f"prediction {self.title!r}: the answer is {answer!r}, "
                f"accepted are {list(self.options) or 'finite numbers'}"
            )
        return answer

    def is_right(self, answer: str | float) -> bool:
        """Whether ``answer`` is the right one, within the tolerance for a number."""
        right = self.right()
        if self.options:
            return answer == right
        return abs(float(answer) - float(right)) <= self.tolerance * (1 + 1e-9)

    def explain(self, answer: str | float | None) -> str:
        """What is said to who chose ``answer`` (None: who skipped, who is told the right one's)."""
        chosen = self.right() if answer is None else answer
        texts = [self.explain_option(str(chosen)), self._filled(self.explanation)]
        return "\n\n".join(text for text in texts if text)

    def explain_option(self, option: str) -> str:
        """What is said of one option alone; "" where a number is asked."""
        return self._filled(self.options[option]) if self.options else ""

    def _filled(self, text: str) -> str:
        return text.format(**{**self.values(), "answer": self.right()})


def predict(name: str) -> None:
    """Show prediction ``name`` ("01.which_die"): commit, skip, try again."""
    prediction = find(name, Prediction)
    card = Card()
    card.on_do("commit", lambda answer: _commit(card, name, prediction, answer))
    card.on_do("skip", lambda _: _skip(card, name, prediction))
    card.on_do("again", lambda _: _again(card, name, prediction))
    former = progress.committed(name)
    if former is not None and prediction.accepts(former):
        _tell(card, prediction, former)
    else:
        veil.ask(name)
        _ask(card, prediction)
    card.show(_text(prediction))


def _ask(card: Card, prediction: Prediction) -> None:
    number = None
    if not prediction.options:
        number = {"label": f"Your {prediction.kind}", "unit": prediction.unit, "value": ""}
    card.update(
        label=f"{prediction.kind.title()}: {prediction.title}",
        head=f'<p class="grda-kicker">{prediction.heading}</p><div class="grda-question">{page.prose(prediction.question)}</div>',
        options=[page.inline(text) for text in prediction.options],
        chosen=None,
        number=number,
        locked=False,
        actions=[
            {"do": "commit", "label": "Commit", "primary": True, "needs": True},
            {"do": "skip", "label": "Skip"},
        ],
        result=page.note(progress.notice()),
    )


def _commit(card: Card, name: str, prediction: Prediction, sent: Any) -> None:
    """``sent`` by the page: an option's index or a number."""
    texts = list(prediction.options)
    answer = texts[int(sent)] if texts and sent is not None else sent
    if prediction.accepts(answer):
        progress.commit(name, answer)
        _tell(card, prediction, answer)
        veil.settle(name)


def _skip(card: Card, name: str, prediction: Prediction) -> None:
    _tell(card, prediction, None)
    veil.settle(name, skipped=True)


def _again(card: Card, name: str, prediction: Prediction) -> None:
    progress.forget(name)
    _ask(card, prediction)


def _tell(card: Card, prediction: Prediction, answer: str | float | None) -> None:
    """Show the verdict on ``answer``, or the right answer to who skipped."""
    _ask(card, prediction)
    kind, heading = _verdict(prediction, answer)
    shown = prediction.right() if answer is None else answer
    texts = list(prediction.options)
    number = card.state["number"]
    card.update(
        chosen=texts.index(str(shown)) if texts else None,
        number=number and {**number, "value": f"{shown:g}"},
        locked=True,
        actions=[{"do": "again", "label": _AGAIN[kind]}],
        result=page.result(kind, heading, prediction.explain(answer)) + card.state["result"],
    )


_AGAIN = {"right": "Ask me afresh", "wrong": "Try again", "told": "Answer it after all"}


def _verdict(prediction: Prediction, answer: str | float | None) -> tuple[str, str]:
    right = prediction.right()
    named = f"{right:.4g} {prediction.unit}".strip() if not prediction.options else f"“{right}”"
    if answer is None:
        return "told", f"The answer is {named}."
    if prediction.is_right(answer):
        close = "" if prediction.options or answer == right else f" Close enough to {named}."
        said = "You predicted it." if prediction.kind == "prediction" else "You found it."
        return "right", f"{said}{close}"
    if prediction.options:
        said = "Not what happens." if prediction.kind == "prediction" else "Not so."
        return "wrong", f"{said} The answer is {named}."
    side = "high" if float(answer) > float(right) else "low"
    return "wrong", f"Too {side}. The answer is {named}."


def _text(prediction: Prediction) -> str:
    """The question where no widget is drawn."""
    options = "".join(f"\n  ○ {text}" for text in prediction.options)
    return f"{prediction.heading}: {prediction.question}{options}"


__all__ = ["Prediction", "predict"]
