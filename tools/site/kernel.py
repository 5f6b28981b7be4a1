"""In the kernel that runs a lesson for the web edition: what it shows becomes data of a page.

The notebook runs as it is. Only what it shows differs: a figure leaves its tables instead of a widget,
and the cards of the course leave every state that they can have, so that the page needs no Python.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import ipywidgets
from IPython import get_ipython
from IPython.display import display

from grda_edu import course
from grda_edu.course import card as cards
from grda_edu.course import checking, closing, environment, exercise, page, prediction, veil
from grda_edu.course.lookup import find, module
from grda_edu.course.map import lesson
from grda_edu.explore import Picture
from grda_edu.explore.naming import name_of
from grda_edu.views.line import Line, Printed
from grda_edu.views.live import LiveView

from . import films
from .kinds import MIME

PRESETS = 16  # of a figure, at most


ROOT = Path(__file__).parents[2]
OURS = (ROOT / "grda_edu", ROOT / "tools")
_opened: set[str] = set()


def begin(number: str, budget: int) -> None:
    """Show things as data of a page from here on. budget: bytes of one preset of a figure."""
    sys.addaudithook(_note_opened)
    get_ipython().events.register("pre_run_cell", _seed)
    if lesson(number).torch:
        _leave_untimed()
    printers = get_ipython().display_formatter.ipython_display_formatter
    printers.for_type(Picture, lambda picture: _show_picture(picture, budget))
    printers.for_type(LiveView, _show_live)
    printers.for_type(ipywidgets.Box, lambda box: [display(child) for child in box.children])
    for silent in (Line, Printed):
        printers.for_type(silent, lambda _: None)
    printers.for_type(veil.VeiledTable, _show_veiled_table)
    course.begin = lambda number: _leave("line", text=environment.environment_line(number))
    course.navigation = lambda number: _leave("navigation", number=number)
    course.objectives = lambda number: _leave("objectives", number=number)
    course.course_map = lambda: _leave("map")
    course.predict, course.check, course.quiz = _predict, _check, _quiz
    films.begin()


def read() -> str:
    """The project's files that were read since ``begin``, and its modules: a list in JSON, from the root."""
    modules = {str(getattr(module, "__file__", None)) for module in tuple(sys.modules.values())}
    files = {Path(name) for name in _opened | modules if name.endswith((".py", ".npz", ".json"))}
    ours = [path for path in files for room in OURS if path.is_relative_to(room)]
    ours = [path for path in ours if path.name != "manifest.json"]  # of recordings not read, too
    return json.dumps(sorted(path.relative_to(ROOT).as_posix() for path in ours))


def _seed(*_: object) -> None:
    """A network that a cell makes without a seed is the same one at every build."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def _leave_untimed() -> None:
    """What a cell times is another number at every build: a page says that it was not timed."""
    from grda_edu.sparse import clock

    clock.seconds_of = lambda calls, budget=0.0: dict.fromkeys(calls, float("nan"))


def _note_opened(event: str, arguments: tuple) -> None:
    if event == "open" and isinstance(arguments[0], str):
        _opened.add(arguments[0])


def _leave(kind: str, **data: Any) -> None:
    display({MIME: {"kind": kind, **data}, "text/plain": f"<{kind}>"}, raw=True)


# ---------------------------------------------------------------- figures


def _show_picture(picture: Picture, budget: int, *, name: str = "", **more: Any) -> None:
    picture.code = name or name_of(picture) or picture.code
    state, tables = picture.page(budget=PRESETS * budget)
    for table in tables:
        if len(table["data"]) > budget:
            raise ValueError(
                f"the table of {picture.label!r} has {len(table['data']):,} bytes in preset "
                f"{table['option']}: accepted are {budget:,}; use coarser grids"
            )
    packed = [{**table, "data": base64.b64encode(table["data"]).decode()} for table in tables]
    waits_for = list(veil.covering(picture))
    _leave(
        "figure",
        state=state | ({"code": None} if name else {}),  # no cell can set where a film stands
        name=picture.code,
        tables=packed,
        veil=picture.veil,
        waits_for=waits_for,
        **more,
    )


def _show_live(view: LiveView) -> None:
    """Its recorded twin: every picture that the work showed, as a figure that plays."""
    note = films.invitation(view)
    for k, picture in enumerate(films.film(view)):
        name = f"{name_of(view) or 'live'}{k + 1 if k else ''}"
        _show_picture(picture, films.BUDGET, live="" if k else note, name=name)


def _show_veiled_table(table: veil.VeiledTable) -> None:
    said = veil._until_settled(table.names, lambda: None)
    _leave("table", html=table._repr_html_(), veil=said, waits_for=list(table.names))


# ---------------------------------------------------------------- cards


class _Recorder(cards.Card):
    """A card that nobody sees: its states are what a page is given."""

    def states(self, *actions: Any) -> list[dict]:
        found = []
        for act in actions:
            act()
            found.append(dict(self.state))
        return found


def _predict(name: str) -> None:
    asked = find(name, prediction.Prediction)
    veil.ask(name)
    card = _Recorder()
    right = asked.right()
    number = None
    if asked.options:
        answers = list(asked.options)
    else:
        number = {"answer": right, "tolerance": asked.tolerance}
        # Exact, close enough, too high, too low: what is said depends on nothing else.
        step = max(2 * asked.tolerance, 1.0)
        close = right + asked.tolerance / 2 if asked.tolerance else right
        answers = [right, close, right + step, right - step]
    states = card.states(
        lambda: prediction._ask(card, asked),
        lambda: prediction._tell(card, asked, None),
        *(lambda a=answer: prediction._tell(card, asked, a) for answer in answers),
    )
    _leave(
        "prediction", name=name, ask=states[0], told=states[1], answered=states[2:], number=number
    )


def _check(name: str, attempt: object) -> None:
    task = find(name, exercise.Exercise)
    card = _Recorder()
    steps = len(task.hints) + 2
    states = []
    for opened in range(steps):
        checking._opened[name] = opened
        checking._draw(card, name, task, right=False)
        states.append(dict(card.state))
    checking._opened.pop(name)
    card.close()
    whys = [case.why for case in task.all_cases() if case.why]
    _leave(
        "exercise",
        name=name,
        title=task.title,
        task=page.prose(task.task),
        checks=[page.inline(why) for why in dict.fromkeys(whys)],
        count=len(task.all_cases()),
        states=states,
    )


def _quiz(number: str) -> None:
    asked = module(number).QUIZ
    turn = closing._Round(number, asked)
    questions = []
    for k, (name, question) in enumerate(asked.items()):
        turn._ask(k)
        told = turn._card.state
        options = list(question.options)
        questions.append(
            {
                "name": name,
                "lesson": closing.lesson_of(name),
                "right": options.index(str(question.right())),
                **{part: told[part] for part in ("label", "head", "options")},
                "answered": [
                    [closing._verdict(question, option), closing._others(question, option)]
                    for option in options
                ],
            }
        )
    turn._card.close()
    _leave("quiz", number=number, questions=questions)
