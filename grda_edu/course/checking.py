"""Show what came of the learner's function, with hints and the solution one step away."""

from __future__ import annotations

from html import escape

from . import page
from .card import Card
from .exercise import Exercise, Outcome, judge
from .keeping import progress
from .lookup import find

_opened: dict[str, int] = {}
"""How many hints (and then the solution) are open for an exercise: they stay open while the
learner edits and runs the cell again."""


def check(name: str, attempt: object) -> None:
    """Check ``attempt``, the learner's function, for exercise ``name`` ("01.soft_threshold")."""
    exercise = find(name, Exercise)
    outcome = judge(exercise, attempt)
    right = outcome.kind == "right"
    if right:
        progress.solve(name)

    def open_up_to(steps: int) -> None:
        _opened[name] = steps
        _draw(card, name, exercise, right)

    card = Card()
    card.on_do("hint", lambda _: open_up_to(_opened.get(name, 0) + 1))
    card.on_do("solution", lambda _: open_up_to(len(exercise.hints) + 1))
    card.update(
        label=f"Exercise: {exercise.title}",
        head=f'<p class="grda-kicker">Exercise · {escape(exercise.title)}</p>',
        result=_result(outcome) + page.note(progress.notice()),
    )
    _draw(card, name, exercise, right)
    card.show(f"Exercise {name}: {outcome}")


def _result(outcome: Outcome) -> str:
    facts = {
        "in your code": outcome.where,
        "called as": outcome.call,
        "came out": outcome.came_out,
        "expected": outcome.expected,
    }
    return page.result(outcome.kind, outcome.sentence, outcome.why, facts)


def _draw(card: Card, name: str, exercise: Exercise, right: bool) -> None:
    """The hints that are open, and the button for the next step."""
    opened, hints = _opened.get(name, 0), exercise.hints
    shown = [
        f'<div class="grda-hint"><p class="grda-label">Hint {k} of {len(hints)}</p>{page.prose(hint)}</div>'
        for k, hint in enumerate(hints[:opened], start=1)
    ]
    actions = [{"do": "hint", "label": f"Hint {opened + 1} of {len(hints)}"}]
    if opened >= len(hints):
        actions = [{"do": "solution", "label": "Show the solution"}]
    if right:
        shown, actions = [], [{"do": "solution", "label": "Compare with our solution"}]
    if opened > len(hints):
        actions = []
        shown.append(
            '<div class="grda-solution"><p class="grda-label">One solution</p>'
            f'<pre tabindex="0"><code>{escape(exercise.solution_source())}</code></pre></div>'
        )
    card.update(actions=actions, more="".join(shown))
