"""Every lesson in a real JupyterLab: run, moved, reloaded, restarted, reopened without its kernel."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from .lab import Figure, Lab, Server, wait_for

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.ipynb"))
MEGABYTE = 1_000_000
WEBSOCKET_BYTES = 10 * MEGABYTE  # to open and run a lesson
TABLE_BYTES = 4 * MEGABYTE  # of all its figures

_TABLE_BYTES = """
from grda_edu.explore import Explorable
from ipywidgets.widgets.widget import _instances
print(sum(w.table_bytes for w in _instances.values() if isinstance(w, Explorable)))
"""
_WIDGETS = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"


def put(server: Server, lesson: Path) -> str:
    shutil.copy(lesson, server.root / lesson.name)
    return lesson.name


def assert_clean(lab: Lab) -> None:
    assert lab.errors() == []
    assert lab.complaints == []
    assert lab.outside == []


def assert_drawn(figure: Figure) -> None:
    figure.settle()
    assert figure.problem() == ""
    assert figure.sentence().strip(), f"{figure.label()}: no sentence under it"
    assert abs(figure.width() - figure.room()) < 2, f"{figure.label()}: not as wide as its place"
    assert figure.width() > 400


def picture(figure: Figure) -> dict:
    """What the learner sees of the drawing; its ranges follow from the data."""
    drawn = figure.drawn()
    words = [figure.title(), *figure.headings()]
    return {"data": drawn["data"], "layout": drawn["layout"], "words": words}


def assert_moves(figure: Figure, name: str) -> None:
    """A control's two ends draw different data and say different things, the others half-way."""
    where = f"{figure.label()}, control {name}"
    for other in figure.controls():
        if figure.is_slider(other):
            figure.move(other, figure.last(other) // 2)
    figure.move(name, 0)
    low, low_sentence = picture(figure), figure.sentence()
    figure.move(name, figure.last(name))
    high, high_sentence = picture(figure), figure.sentence()
    assert high["data"] != low["data"] or high["layout"] != low["layout"], (
        f"{where}: draws the same"
    )
    said = [(end["words"], words) for end, words in ((low, low_sentence), (high, high_sentence))]
    assert said[0] != said[1], f"{where}: both ends say the same"
    assert figure.problem() == ""


def assert_answers_keys(figure: Figure, name: str) -> None:
    last = figure.last(name)
    figure.press(name, "End")
    assert figure.position(name) == last
    at_end = picture(figure)
    figure.press(name, "ArrowLeft" if figure.is_slider(name) else "ArrowUp")
    assert figure.position(name) == last - 1
    figure.press(name, "Home")
    assert figure.position(name) == 0
    assert picture(figure) != at_end


def assert_reached_by_tab(figure: Figure) -> None:
    """Tab walks from the first control to the last without leaving the figure."""
    names = figure.controls()
    figure.control(names[0]).focus()
    for name in names[1:]:
        for _ in range(3):  # a play button may stand between two sliders
            figure.root.page.keyboard.press("Tab")
            if figure.control(name).evaluate("node => node === document.activeElement"):
                break
        assert figure.control(name).evaluate("node => node === document.activeElement"), name


# Each takes half a minute: `make test` has one in four, `make test-pages` the others.
_EACH = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.pages] if k % 4 else [])
    for k, path in enumerate(LESSONS)
]


@pytest.mark.parametrize("lesson", _EACH)
def test_lesson(lab: Lab, server: Server, context: BrowserContext, lesson: Path) -> None:
    name = put(server, lesson)
    lab.open(name)
    lab.run_all()
    assert_clean(lab)
    assert lab.jumps() == [], "the page jumps under who scrolls back to the beginning"
    count = lab.roots().count()
    assert count > 0, "a lesson without a figure"
    labels = []
    for figure in lab.figures(count):  # all but the first are drawn while scrolled away
        assert_drawn(figure)
        labels.append(figure.label())
    assert lab.websocket_bytes <= WEBSOCKET_BYTES
    assert lab.twice() == [] and lab.barriers() == []
    assert int(lab.run(_TABLE_BYTES)) <= TABLE_BYTES
    lab.lift_veils()
    for figure in lab.figures():
        for control in figure.controls():
            assert_moves(figure, control)
            assert_answers_keys(figure, control)
        if figure.controls():
            assert_reached_by_tab(figure)
    assert_clean(lab)

    widgets = int(lab.run(_WIDGETS))
    lab.run_all()
    assert [figure.label() for figure in lab.figures(count)] == labels
    assert int(lab.run(_WIDGETS)) == widgets, "widgets pile up when the cells run again"
    assert_clean(lab)

    lab.save()
    lab.reload()
    for figure in lab.figures(count):
        assert_drawn(figure)
    assert_clean(lab)

    lab.restart_kernel()
    lab.run_all()
    for figure in lab.figures(count):
        assert_drawn(figure)
    assert_clean(lab)

    lab.save()
    lab.close()
    server.stop_kernels()
    assert_reads_without_kernel(Lab(server, context), name, labels)


def assert_reads_without_kernel(lab: Lab, name: str, labels: list[str]) -> None:
    """The saved notebook, opened where its widgets live no more: a line stands for each figure."""
    lab.open(name)
    lines = lab.page.locator("p[class^=grda-fallback]", has_text="Figure: ")
    wait_for(lambda: lines.count() == len(labels), f"{len(labels)} lines", 60)
    for k, label in enumerate(labels):
        line, said = lines.nth(k), f"Figure: {label}."
        line.scroll_into_view_if_needed()
        assert line.is_visible()
        # A cell that has just been scrolled to has no text before the browser lays it out.
        wait_for(lambda line=line, said=said: said in line.inner_text(), said, 10)
    assert "Error displaying widget" not in lab.text()
    assert lab.roots().count() == 0
    assert lab.outside == []
    lab.close()


@pytest.mark.skipif(len(LESSONS) < 2, reason="there are no two lessons")
def test_two_lessons_in_one_page(lab: Lab, server: Server) -> None:
    first, second = put(server, LESSONS[0]), put(server, LESSONS[1])
    lab.open(first)
    lab.run_all()
    lab.open_beside(second)
    lab.run_all()
    assert_clean(lab)
    for name in (first, second):
        lab.open_beside(name)
        figures = [figure for figure in lab.figures() if figure.controls()]
        figure = figures[0].settle()
        assert_drawn(figure)
        assert_moves(figure, figure.controls()[0])
    assert_clean(lab)
