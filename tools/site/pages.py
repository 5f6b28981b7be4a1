"""A lesson's page: Markdown for Sphinx, and the scripts that hold its figures' tables."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import nbformat

from grda_edu.course import LESSONS
from grda_edu.course.aims import _rows as objectives
from tools.facts import PLACEHOLDER, public_address, settled

from . import still
from .glossary import Glossary
from .kinds import MIME

ROOT = Path(__file__).parents[2]
HEADING = re.compile(r"^(#+ )", re.MULTILINE)
WIDGET = "application/vnd.jupyter.widget-view+json"
FENCE = "``````"
LINK = re.compile(r"\((\d\d)_\w+\.(?:ipynb|md)(#[\w-]*)?\)")


@dataclass
class Page:
    """What a lesson becomes: its text, and name of each script -> the script."""

    name: str
    printed: bool = False
    text: str = ""
    scripts: dict[str, str] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)  # its name on the page -> its HTML


class PageError(Exception):
    """A lesson that makes no page; the message names the lesson and the figure."""


def page(
    number: str, notebook: nbformat.NotebookNode, glossary: Glossary, *, printed: bool = False
) -> Page:
    """The page of a lesson from its executed notebook.

    printed: without what only a script brings to life: its figures are their first pictures.
    """
    made = Page(f"lesson{number}", printed=printed)
    parts, used = [], set[str]()
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            glossary.check(cell.source, made.name)
            source = _as_said_here(cell.source, number)
            source = HEADING.sub(r"#\1", source) if printed else source
            text = glossary.linked(source, used)
            parts.append(LINK.sub(lambda found: f"(lesson{found[1]}.md{found[2] or ''})", text))
            continue
        if not cell.metadata.get("jupyter", {}).get("source_hidden"):
            parts.append(_block("code-block", "python", cell.source))
        parts += [shown for output in cell.outputs if (shown := _output(output, made))]
    made.text = "\n\n".join(parts) + "\n"
    return made


# What a lesson says of the notebook, and what is true of its page.
SAID_HERE = {
    "00": {
        "Run the cells with **Shift + Enter**, one by one, or all at once with **Run → Run All Cells**. ": (
            "In a notebook you run the cells with **Shift + Enter**; here all have been run. "
        ),
        " A cell that only brings up a card, a link or the line at the top of the page is folded to three dots; "
        "a click on the dots opens it.": "",
        ", also while the notebook computes": "",
        "You write a few lines and check them. Run the next cell as it is": (
            "In a notebook you write a few lines and check them. Run the next cell there as it is"
        ),
        "What you commit and solve is kept in one small file on this computer,": (
            "What you commit, and what you mark as solved, is kept in this browser alone,"
        ),
    }
}


def _as_said_here(text: str, number: str) -> str:
    for there, here in SAID_HERE.get(number, {}).items():
        text = text.replace(there, here)
    return text


PLACE = re.compile(r"<!-- (figure|map|install|address):? ?([\w -]*?) ?-->")
FIGURE = re.compile(r"`(lesson\d\d\.\w+)`")
LESSON = re.compile(
    r"^```(?!\{table\})\S.*?^```$|^#[^\n]*|`[^`\n]+(?:\n[^`\n]+)?`|\b[Ll]esson (\d\d)\b",
    re.DOTALL | re.MULTILINE,
)
IN_CODE = re.compile(r"^- In code: .*$", re.MULTILINE)


def filled(text: str, figures: dict[str, str]) -> str:
    """Markdown with ``<!-- figure: lesson00 opening_figure -->`` and other places replaced by what belongs there.

    The others are ``map``, ``install`` (the command) and ``address`` (that it is not settled, while it
    is not).

    figures: "lesson00 opening_figure" -> its HTML. One that is not built is left out.
    """
    made = {
        "figure": lambda name: _html(figures.get(name, "")),
        "map": lambda _: _html(course_map()),
        "install": lambda _: _block(
            "code-block", "console", f'$ pip install "grda-edu @ git+{public_address()}"'
        ),
        "address": lambda _: unsettled(),
    }
    return PLACE.sub(lambda found: made[found[1]](found[2]), text)


def unsettled() -> str:
    """A sentence that what leads to the repository leads nowhere yet; nothing where it does."""
    if settled(public_address()):
        return ""
    return (
        f"The repository's public address is not settled yet: {PLACEHOLDER} stands for its owner, "
        "and until then links and commands with it lead nowhere."
    )


def with_links(text: str, places: Mapping[str, str]) -> str:
    """A page of the library on which a figure's name leads to the figure, and a public name to its reference.

    places: "lesson00.opening_figure" -> "lesson00.html#opening_figure", as ``figure_places`` gives them.
    """

    def to_figure(found: re.Match[str]) -> str:
        if found[1] not in places:
            return found[0]
        return f'<a href="../{places[found[1]]}"><code class="literal">{found[1]}</code></a>'

    named = IN_CODE.sub(
        lambda line: re.sub(r"`(\w+)`", r"{py:obj}`\1 <grda_edu.\1>`", line[0]), text
    )
    return FIGURE.sub(to_figure, named)


def with_lessons(text: str) -> str:
    """A page of the library on which "lesson 05" leads there, but for code, headings and what leads there already."""

    def linked(found: re.Match[str]) -> str:
        return f"{{doc}}`{found[0]} </lesson{found[1]}>`" if found[1] else found[0]

    return LESSON.sub(linked, text)


def figure_places(
    name: str, notebook: nbformat.NotebookNode, figures: Collection[str]
) -> dict[str, str]:
    """Where on a lesson's page is what a call brings up: "lesson02.two_spaces" -> "lesson02.html#spaces".

    name: the page's; figures: the places' names on it. A table has none, and is somewhere on the page.
    """
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    calls = re.findall(rf"^(?:(\w+) = )?({name})\.(\w+)\(", code, re.MULTILINE)
    found = {f"{lesson}.{call}": variable or call for variable, lesson, call in calls}
    return {
        called: f"{name}.html" + (f"#{place}" if place in figures else "")
        for called, place in found.items()
    }


def _block(directive: str, argument: str, text: str) -> str:
    return f"{FENCE}{{{directive}}} {argument}\n{text.rstrip()}\n{FENCE}"


def _printed(text: str) -> str:
    """What a cell printed: sentences wrap, and code, which is indented, does not."""
    if not text.strip():
        return ""
    kind = "" if re.search(r"^ {4}", text, re.MULTILINE) else ":class: grda-said\n\n"
    return _block("code-block", "text", kind + text)


def _html(text: str) -> str:
    return _block("raw", "html", text)


def _output(output: nbformat.NotebookNode, made: Page) -> str:
    if output.output_type == "stream":
        text = output.text.replace(f"{ROOT}/", "")  # where it was built is nobody's business
        return _printed(text)
    data = output.data
    if MIME in data:
        left = dict(data[MIME])
        html = KINDS[left.pop("kind")](made, **left)
        return _html(html) if html else ""
    if WIDGET in data:
        raise PageError(
            f"{made.name}: a cell shows a widget ({data.get('text/plain', '')!r}) that no page can draw"
        )
    if "text/html" in data:
        return _html(_scrolled(re.sub(r"\bnan\b", "not timed", data["text/html"])))
    return _printed(data.get("text/plain", ""))


def _scrolled(html: str) -> str:
    return f'<div class="grda-scrolled" tabindex="0" role="region" aria-label="Table">{html}</div>'


def _data(data: Any) -> str:
    """JSON inside the page, for its script."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


# ---------------------------------------------------------------- figures


def _figure(
    made: Page,
    *,
    state: dict,
    name: str,
    tables: list[dict],
    veil: str,
    waits_for: list[str],
    live: str = "",
) -> str:
    name = _unused(_short(name or state["label"]), made.figures)
    script = f"{made.name}-{name}"
    if state["error"]:
        raise PageError(f"{made.name}: figure {name!r} shows an error: {state['error']}")
    if not state["label"] or state["label"] == "figure":
        raise PageError(f"{made.name}: figure {name!r} has no label, which screen readers need")
    packed = [{**table, "data": _packed(table["data"])} for table in tables]
    first = state["option"]
    made.scripts[f"{script}.js"] = _call("figure", script, state, first, packed[first])
    for option, table in enumerate(packed):
        if option != first:
            made.scripts[f"{script}.{option}.js"] = _call("table", script, option, table)
    in_space = any(trace["type"].endswith("3d") for trace in state["figure"]["data"])
    attributes = {
        "id": name,
        "data-figure": script,
        "data-veil": veil,
        "data-waits-for": " ".join(waits_for),
        "data-space": "yes" if in_space else "",
    }
    told = "".join(f' {key}="{escape(value)}"' for key, value in attributes.items() if value)
    note = f'<p class="grda-recorded">{escape(live)}</p>' if live else ""
    told = "" if made.printed else told
    first_picture = still.still(state, tables[first], script)
    made.figures[name] = f'<div class="grda-shown"{told}>{note}{first_picture}</div>'
    return made.figures[name]


def _short(code: str) -> str:
    """A figure's name on its page, from the call or variable that made it."""
    called = re.sub(r"\(.*", "", code.splitlines()[0], flags=re.DOTALL).rpartition(".")[2]
    return re.sub(r"\W+", "-", called.lower()).strip("-") or "figure"


def _unused(name: str, taken: dict) -> str:
    found = (name if k == 1 else f"{name}-{k}" for k in range(1, len(taken) + 2))
    return next(one for one in found if one not in taken)


def _call(function: str, *arguments: Any) -> str:
    told = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in arguments)
    return f"grdaPage.{function}({','.join(told)});\n"


def _packed(data: str) -> str:
    """A table's numbers, smaller: the first bytes of all of them, then the second ones, gzipped."""
    numbers = base64.b64decode(data)
    parted = b"".join(numbers[k::4] for k in range(4))
    return base64.b64encode(gzip.compress(parted, compresslevel=9, mtime=0)).decode()


# ---------------------------------------------------------------- cards


def _line(made: Page, *, text: str) -> str:
    if made.printed:
        return ""
    where = _where(made.name.removeprefix("lesson"))
    note = f'<p class="grda-computed">{unsettled()}</p>' if unsettled() else ""
    return (
        '<aside class="grda-edition" aria-label="About this page"><p>On this page the figures play without Python. '
        f"Its code runs in the notebook: {where}</p>{note}"
        "<noscript><p>Scripts are off: each figure is its first picture, and nothing moves.</p></noscript>"
        f'<p class="grda-computed">The numbers were computed with {escape(text)}.</p></aside>'
    )


def _navigation(made: Page, *, number: str) -> str:
    return ""  # the theme has links of its own to the lessons beside this one


def _objectives(made: Page, *, number: str) -> str:
    from grda_edu.course.lookup import module

    shorts = list(module(number).OBJECTIVES.values())
    items = "".join(
        f'<li data-check="{number}.{short}"><span class="grda-mark" aria-hidden="true">○</span>'
        f'<span>{escape(text)} <span class="grda-check">({escape(words)})</span></span></li>'
        for short, (text, words, _) in zip(shorts, objectives(number), strict=True)
    )
    return (
        '<div class="grda-course"><div class="grda-goals"><p>After this lesson you can</p>'
        f"<ul>{items}</ul></div></div>"
    )


def _map(made: Page) -> str:
    return course_map()


def course_map() -> str:
    """Every lesson of the course, with what has been done in it."""
    rows = [
        {
            "number": row.number,
            "quiz": row.quiz,
            "names": {kind: row.names(kind) for kind in ("predictions", "exercises", "goals")},
        }
        for row in LESSONS
    ]
    items = "".join(
        f'<li data-lesson="{row.number}"><span class="grda-number">{row.number}</span><span class="grda-what">'
        f'<a href="lesson{row.number}.html">{escape(row.title)}</a><span>{escape(row.question)}</span>'
        f'<span class="grda-status">about {row.minutes} minutes</span></span></li>'
        for row in LESSONS
    )
    return (
        f'<div class="grda-course" data-card="map"><ol class="grda-map" aria-label="Lessons">{items}</ol>'
        f"{_data(rows)}</div>"
    )


def _prediction(
    made: Page, *, name: str, ask: dict, told: dict, answered: list, number: Any
) -> str:
    options = "".join(f"<li>{text}</li>" for text in ask["options"])
    choices = f"<ul>{options}</ul>" if options else ""
    data = [name, ask, told, answered, number]
    return _card(made, "prediction", name, ask["head"] + choices, told["result"], data)


def _exercise(
    made: Page, *, name: str, title: str, task: str, checks: list, count: int, states: list
) -> str:
    kicker = f'<p class="grda-kicker">Exercise · {escape(title)}</p>'
    items = "".join(f"<li>{why}</li>" for why in checks)
    head = (
        f"{kicker}{task}<p>A notebook checks it at once, on {count} cases:</p><ul>{items}</ul>"
        f'<p class="grda-where">Where it runs: {_where(made.name.removeprefix("lesson"))}</p>'
    )
    return _card(made, "exercise", name, head, states[-1]["more"], [name, head, title, states])


def _quiz(made: Page, *, number: str, questions: list[dict]) -> str:
    titles = {row.number: f"{row.number} {row.title}" for row in LESSONS}
    items = "".join(
        f"<li>{one['head']}<ul>{''.join(f'<li>{text}</li>' for text in one['options'])}</ul></li>"
        for one in questions
    )
    answers = "".join(f"<li>{one['answered'][one['right']][0]}</li>" for one in questions)
    head = f'<p class="grda-kicker">Closing quiz</p><ol>{items}</ol>'
    return _card(
        made, "quiz", f"{number}.quiz", head, f"<ol>{answers}</ol>", [number, questions, titles]
    )


def _where(number: str) -> str:
    row = next(row for row in LESSONS if row.number == number)
    address = public_address()
    owner_name = address.removeprefix("https://github.com/")
    path = f"notebooks/{row.link}"
    landing = f"lab/tree/{path}".replace("/", "%2F")
    return (
        f'<a href="https://mybinder.org/v2/gh/{owner_name}/main?urlpath={landing}">Binder</a> (starts in a few minutes), '
        f'<a href="https://colab.research.google.com/github/{owner_name}/blob/main/{path}">Colab</a>, '
        f"or your own computer: <code>git clone {address}</code>, then <code>make lab</code>."
    )


def _table(made: Page, *, html: str, veil: str, waits_for: list[str]) -> str:
    if not veil:
        return _scrolled(html)
    return (
        f'<details class="grda-veiled-table" data-waits-for="{" ".join(waits_for)}">'
        f"<summary>{escape(veil)} Or open it now.</summary>{_scrolled(html)}</details>"
    )


def _card(made: Page, kind: str, name: str, head: str, answer: str, data: Any) -> str:
    """A card: what a reader without JavaScript sees, and the data with which the script draws it."""
    folded = "<details open>" if made.printed else "<details>"
    drawn = (
        f'<div class="grda-course grda-card"><div class="grda-head">{head}</div>'
        f"{folded}<summary>The answer</summary>{answer}</details></div>"
    )
    if made.printed:
        return f'<div class="grda-course-card">{drawn}</div>'
    return (
        f'<div class="grda-course-card" data-card="{kind}" id="{name}">{drawn}{_data(data)}</div>'
    )


KINDS = {
    "figure": _figure,
    "line": _line,
    "navigation": _navigation,
    "objectives": _objectives,
    "map": _map,
    "prediction": _prediction,
    "exercise": _exercise,
    "quiz": _quiz,
    "table": _table,
}
