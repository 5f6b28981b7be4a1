"""A page for teachers of each lesson, from what the course has: aims, minutes, questions, misconceptions."""

import re
from collections.abc import Iterator

from grda_edu.course import LESSONS, Exercise, Prediction
from grda_edu.course.aims import _rows as aims
from grda_edu.course.lookup import module
from grda_edu.course.map import Lesson

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>$|#~])")
_EMPHASIS = re.compile(r"(?<!\w)\*(\S(?:[^*]*\S)?)\*(?!\w)")


def pages() -> dict[str, str]:
    """Path below docs -> Markdown, of the index and every lesson."""
    made = {f"library/teachers/lesson{row.number}.md": page(row) for row in LESSONS}
    return {"library/teachers/index.md": index(), **made}


def index() -> str:
    """How long the course takes, and its pages."""
    minutes, further = (
        sum(getattr(row, kind) for row in LESSONS) for kind in ("minutes", "further")
    )
    return "\n".join(
        [
            "# For teachers",
            "",
            f"A page for each of the {len(LESSONS)} lessons: what learners can do after it and how they show it, how long it",
            "takes, what to ask before anything is shown, and what is usually believed instead. **These pages have the answers.**",
            "They are made from the lessons' own questions, and every answer is computed when the page is built.",
            "",
            f"All main lines together take about {minutes / 60:.0f} hours ({minutes} minutes), and what goes further",
            f"another {further} (behind the plus). Minutes are reckoned as words / 180 and three for each task; a class that",
            f"discusses takes longer. Lessons {', '.join(row.number for row in LESSONS if not row.torch)} need numpy only, the others torch.",
            "",
            "| lesson | question | minutes |",
            "| --- | --- | --- |",
            *(
                f"| {{doc}}`{row.number} {row.title} <lesson{row.number}>` | {row.question} "
                f"| {row.minutes}{f' + {row.further}' if row.further else ''} |"
                for row in LESSONS
            ),
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *(f"lesson{row.number}" for row in LESSONS),
            "```",
            "",
        ]
    )


def page(row: Lesson) -> str:
    """The Markdown of a lesson's page."""
    here = module(row.number)
    predictions: dict[str, Prediction] = getattr(here, "PREDICTIONS", {})
    exercises: dict[str, Exercise] = getattr(here, "EXERCISES", {})
    further = f", and {row.further} more for what goes further" if row.further else ""
    parts = [
        f"# {row.number} {markdown(row.title)}: for teachers",
        f"*{markdown(row.question)}* The main line of {{doc}}`the lesson </lesson{row.number}>` takes about "
        f"{row.minutes} minutes{further}.",
        "## Aims",
        "After the lesson the learner can",
        "\n".join(f"- {markdown(aim)} ({_shown(words)})" for aim, words, _ in aims(row.number)),
    ]
    if predictions:
        parts += ["## Questions for the board", *_board(list(predictions.values()))]
        parts += ["## Answers, and what is believed instead", *_answers(list(predictions.values()))]
    if exercises:
        parts += ["## Exercises", *(part for one in exercises.values() for part in _exercise(one))]
    return "\n\n".join(part for part in parts if part) + "\n"


def quantity(number: float, unit: str) -> str:
    """A number with its unit, four digits at most: a percent sign stands close to its number."""
    return f"{number:.4g}{'' if unit == '%' else ' '}{unit}".strip()


def markdown(text: str) -> str:
    """A text of the course, in which `backticks` are code and *stars* emphasis, as Markdown."""
    parts = re.split(r"(`[^`]+`)", text.strip())
    for k in range(0, len(parts), 2):
        pieces = _EMPHASIS.split(parts[k])
        pieces = [_SPECIAL.sub(r"\\\1", piece) for piece in pieces]
        pieces[1::2] = [f"*{piece}*" for piece in pieces[1::2]]
        parts[k] = "".join(pieces)
    return re.sub(r"^(\d+)([.)])|^([-+])(?= )", r"\1\\\2\3", "".join(parts)) if parts else ""


def _shown(words: str) -> str:
    """The check of an aim without what this reader has done: `exercise “…”`."""
    return markdown(words.rpartition(":")[0])


def _board(predictions: list[Prediction]) -> Iterator[str]:
    yield (
        "Each stands in the lesson above a figure that stays covered until one has committed. On the board: read it, let everybody "
        "write an answer down, count hands, and only then open the figure. Where it says *find*, the answer is looked for with "
        "the figure's controls."
    )
    for k, one in enumerate(predictions, start=1):
        found = "*Find.* " if one.kind == "report" else ""
        yield f"**{k}.** {found}{_paragraphs(one.question)}"
        if one.options:
            yield "\n".join(f"- {markdown(text)}" for text in one.options)
        else:
            yield f"(a number{f' in {markdown(one.unit)}' if one.unit else ''})"


def _answers(predictions: list[Prediction]) -> Iterator[str]:
    for k, one in enumerate(predictions, start=1):
        right = one.right()
        filled = {**one.values(), "answer": right}
        said = markdown(str(right)) if one.options else quantity(right, one.unit)
        why = one.options[str(right)].format(**filled) if one.options else ""
        yield f"### {k}. {_capital(markdown(one.title))}"
        yield f"**{said}**" + (f": {_paragraphs(why)}" if why else "")
        wrong = {text: why for text, why in one.options.items() if text != right}
        if wrong:
            yield "\n".join(
                f"- *{markdown(text)}*: {_paragraphs(why.format(**filled))}"
                for text, why in wrong.items()
            )
        yield _paragraphs(one.explanation.format(**filled))


def _exercise(one: Exercise) -> Iterator[str]:
    yield f"**{_capital(markdown(one.title))}.** {_paragraphs(one.task)}"
    yield "\n".join(["Hints, one by one:", "", *(f"1. {_paragraphs(hint)}" for hint in one.hints)])
    yield f"Who has solved it reads: “{_paragraphs(one.done)}”" if one.done else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _paragraphs(text: str) -> str:
    """On one line: what is a paragraph of its own in a card is a sentence here."""
    return " ".join(markdown(part) for part in re.split(r"\s*\n\s*", text.strip()) if part)
