"""What the learner will be able to do, each with the check that shows it."""

from __future__ import annotations

from html import escape

from . import page
from .exercise import Exercise
from .keeping import progress
from .lookup import find, module
from .prediction import Prediction


def objectives(number: str) -> None:
    """Show the lesson's OBJECTIVES (text -> name of its check) and which of them are reached."""
    page.show_live_html(lambda: _html(number), lambda: _text(number))


def _rows(number: str) -> list[tuple[str, str, bool]]:
    """Text of the objective, its check in words, whether it is passed."""
    here, rows = module(number), []
    for text, short in here.OBJECTIVES.items():
        name = f"{number}.{short}"
        if short in getattr(here, "EXERCISES", {}):
            title, done = f"exercise “{find(name, Exercise).title}”", progress.solved(name)
            words = f"{title}: {'solved' if done else 'open'}"
        else:
            question = find(name, Prediction)
            title = f"{question.kind} “{question.title}”"
            done = progress.committed(name) is not None
            words = f"{title}: {'committed' if done else 'open'}"
        rows.append((text, words, done))
    return rows


def _html(number: str) -> str:
    items = "".join(
        f'<li><span class="grda-mark" aria-hidden="true">{"✓" if done else "○"}</span>'
        f'<span>{escape(text)} <span class="grda-check">({escape(words)})</span></span></li>'
        for text, words, done in _rows(number)
    )
    return f'<div class="grda-goals"><p>After this lesson you can</p><ul>{items}</ul></div>'


def _text(number: str) -> str:
    rows = (f"  {'✓' if done else '○'} {text} ({words})" for text, words, done in _rows(number))
    return "\n".join(["After this lesson you can", *rows])
