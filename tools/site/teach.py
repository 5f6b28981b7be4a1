"""A page for teachers of each lesson, from what the lesson itself declares."""

from __future__ import annotations

from grda_edu.course import LESSONS
from grda_edu.course.aims import _rows as aims
from grda_edu.course.lookup import module
from grda_edu.course.map import Lesson
from grda_edu.course.prediction import Prediction


def pages(numbers: list[str]) -> dict[str, str]:
    """Name of each page -> its Markdown; "teach" is their table of contents."""
    rows = [row for row in LESSONS if row.number in numbers]
    made = {f"teach{row.number}": _page(row) for row in rows}
    entries = "\n".join(made)
    total = sum(row.minutes for row in rows)
    made["teach"] = f"""# For teachers

One page for each lesson: what your students will be able to do, how long it takes, what people usually think before
they look, and questions for the board. The main line of all lessons together takes about {total / 60:.0f} hours.

Everything here is made from the lessons themselves. A wrong option of a prediction is a misconception that its author
expects, and the text beside it is what a student who chose it reads.

```{{toctree}}
:maxdepth: 1

{entries}
```
"""
    return made


def _page(row: Lesson) -> str:
    declared = module(row.number)
    predictions = list(getattr(declared, "PREDICTIONS", {}).values())
    exercises = getattr(declared, "EXERCISES", {}).values()
    further = f", and {row.further} more for what goes further" if row.further else ""
    goals = "\n".join(
        f"- {text} ({words.partition(':')[0]})" for text, words, _ in aims(row.number)
    )
    asked = "\n\n".join(map(_prediction, predictions))
    board = "\n".join(
        f"{k}. {_plain(one.question)}"
        for k, one in enumerate([p for p in predictions if p.options], 1)
    )
    tasks = "\n".join(f"- *{_plain(one.title)}.* {_plain(one.task)}" for one in exercises)
    return f"""# Teaching {row.number} · {row.title}

*{row.question}* The lesson itself: [{row.number} · {row.title}](lesson{row.number}.md).

## Time

About {row.minutes} minutes{further}. {"It needs PyTorch." if row.torch else "It needs numpy alone."}

## After it they can

{goals}

## What people think before they look

{asked}

## Questions for the board

Ask them without the options, and collect answers before anybody opens a figure.

{board}

## What they write

{tasks}
"""


def _prediction(asked: Prediction) -> str:
    right = asked.right()
    if not asked.options:
        said = f"{right:.4g} {asked.unit}".strip()
        within = f" (within {asked.tolerance:g})" if asked.tolerance else ""
        return f"**{_plain(asked.question)}**\n\nThe answer: {said}{within}. {_plain(asked.explain(right))}"
    lines = [
        f"- {'**Right:**' if option == right else 'Wrong:'} {_plain(option)}. {_plain(asked.explain(option))}"
        for option in sorted(asked.options, key=lambda option: option != right)
    ]
    return "\n".join([f"**{_plain(asked.question)}**\n", *lines])


def _plain(text: str) -> str:
    """Text of a card as Markdown on one line: what Markdown would take for markup is text."""
    flat = " ".join(text.split())
    return (
        flat.replace("$", "\\$").replace("<", "&lt;").replace("_", "\\_")
        if "`" not in flat
        else flat
    )
