"""Every figure says and shows what a second calculation says, at every position of its case."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from math import prod
from pathlib import Path

import jupytext
import pytest

import grda_edu.lessons
from grda_edu.explore import Explorable
from grda_edu.explore.goal import met
from lessons.truth import check, expected
from lessons.truth.written import numbers

HERE = Path(__file__).parent
NOTEBOOKS = {p.name[:2]: p for p in sorted(HERE.parents[1].glob("notebooks/[0-9]*.md"))}
WITH_CASES = [p.stem.removeprefix("lesson") for p in sorted((HERE / "truth").glob("lesson*.py"))]


def cases(number: str) -> list:
    return import_module(f"lessons.truth.lesson{number}").CASES


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{n}-{case.name}") for n in WITH_CASES for case in cases(n)],
)
def test_figures_are_true(case):
    positions = case.visited()
    if case.explorable is not None:
        assert len(positions) >= min(3, states(case.explorable))
    for position in positions:
        try:
            check(case.shown(position), expected(case, position))
        except AssertionError as problem:
            raise AssertionError(f"at {position}: {problem}") from None


@pytest.mark.parametrize(
    ("number", "case"),
    [
        pytest.param(n, case, id=f"{n}-{case.name}")
        for n in WITH_CASES
        for case in cases(n)
        if case.explorable is not None and (case.reaches or case.explorable.goals)
    ],
)
def test_goals_are_reached_where_they_say(number, case):
    """Not at the start, somewhere, and nowhere that a second calculation denies."""
    demo, positions = case.explorable, case.visited()
    there = [position for position in positions if any(case.reaches(**position))]
    # what one slider alone does to a goal that is reached
    for name, slider in demo._sliders.items():
        positions += [{**position, name: value} for position in there for value in slider.values]
    found = [tuple(map(bool, case.reaches(**position))) for position in positions]
    assert found == [met(demo._goals, position) for position in positions]
    assert not any(found[0])
    for k, goal in enumerate(demo.goals):
        assert any(marks[k] for marks in found), f"no position of the case reaches {goal['text']!r}"
        assert goal["name"].startswith(f"{number}.")


def states(demo: Explorable) -> int:
    """In how many states its controls can be."""
    options = len(demo._choice[1].options) if demo._choice else 1
    return options * prod(len(slider.values) for slider in demo._sliders.values())


MOST_NUMBERS = 6  # in what stands below a figure: more repeat the plot


def sentences(case) -> Iterator[str]:
    """What a figure says at every position of its controls; where it has none, at those of its case."""
    demo = case.explorable
    if demo is None:
        yield from (case.shown(position).sentence for position in case.visited())
        return
    options = len(demo._choice[1].options) if demo._choice else 1
    grids = [slider.values for slider in demo._sliders.values()]
    for option, position in product(range(options), product(*grids)):
        values = dict(zip(demo._sliders, position, strict=True)) | demo._fixed(option)
        yield demo._compute(**values)[1]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=f"{n}-{case.name}") for n in WITH_CASES for case in cases(n)],
)
def test_no_sentence_has_more_than_six_numbers(case):
    for sentence in set(sentences(case)):
        names = expected(case, case.visited()[0]).names
        found = [number.text for number in numbers(sentence, names)]
        assert len(found) <= MOST_NUMBERS, f"{found} in {sentence!r}"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{n}-{case.name}")
        for n in WITH_CASES
        for case in cases(n)
        if case.explorable is not None
    ],
)
def test_controls_say_what_they_set(case):
    """A list's words have the numbers of what they stand for; no two of a slider's texts are alike."""
    demo = case.explorable
    if demo._choice is not None:
        for words, value in demo._choice[1].options.items():
            if re.fullmatch(r"(\w = [\d.]+(, )?)+|(seed )?[\d.]+", words):  # others are names
                wanted = value if isinstance(value, tuple | list) else [value]
                said = [number.value for number in numbers(words)]
                assert said == pytest.approx([float(x) for x in wanted]), words
    for slider in demo.controls:
        texts = slider["texts"]
        assert len(set(texts)) == len(texts), f"{slider['label']}: two positions read alike"


def figures(number: str) -> dict[str, str]:
    """What a lesson hands on that returns a figure, or is a class of them: name -> what it makes."""
    found = {}
    handed_on = vars(import_module(f"grda_edu.lessons.lesson{number}"))
    folder = grda_edu.lessons.__path__
    for module in pkgutil.walk_packages(folder, "grda_edu.lessons."):
        if not module.name.startswith(f"grda_edu.lessons.lesson{number}"):
            continue
        for name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            returned = str(function.__annotations__.get("return", ""))
            if (
                name in handed_on
                and not name.startswith("_")
                and re.match(r"(Explorable|Picture|\w*View)\b", returned)
            ):
                found[name] = returned
        for name, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if (
                name in handed_on
                and kind.__module__ == module.name
                and hasattr(kind, "_ipython_display_")
            ):
                found[name] = name
    return found


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_every_figure_has_a_case(number):
    there = {case.function for case in cases(number)} if number in WITH_CASES else set()
    missing = set(figures(number)) - there
    assert not missing, f"write cases in tests/lessons/truth/lesson{number}.py"


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_what_a_notebook_calls_says_whether_it_is_a_figure(number):
    """A function without a return annotation could hide a figure from the test above."""
    lesson = import_module(f"grda_edu.lessons.lesson{number}")
    notebook = jupytext.read(NOTEBOOKS[number])
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    code = re.sub(r"^( *)%.*", r"\1pass", code, flags=re.MULTILINE)  # magics
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == f"lesson{number}"
    }
    assert called
    for name in called:
        made = getattr(lesson, name)
        assert inspect.isclass(made) or "return" in made.__annotations__, name
