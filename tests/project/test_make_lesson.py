"""`make lesson`: what it makes passes every test that a lesson has to pass, and it overwrites nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from grda_edu.explore import palette
from tools import make_lesson
from tools.make_lesson import Refused, make

KEPT = ("grda_edu", "notebooks", "tests", "tools", "README.md", "pyproject.toml", "CITATION.cff")
OF_A_LESSON = (  # the tests that look at every lesson, or at this one
    *("tests/course/test_map.py", "tests/project/test_rooms.py"),
    *("tests/project/test_notebooks_paired.py", "tests/lessons/test_headless.py"),
    *("tests/lessons/test_truth.py", "tests/lessons/test_lesson13.py"),
)


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A copy of the project in which a lesson can be made."""
    for name in KEPT:
        source, target = root / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )


def test_a_new_lesson_passes_every_test(checkout: Path) -> None:
    made = run(checkout, "tools.make_lesson", "13", "my_topic")
    assert made.returncode == 0, made.stderr
    assert (checkout / "notebooks/13_my_topic.ipynb").is_file()
    for command in (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        (
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *OF_A_LESSON,
            "-k",
            "13 or not lesson and not 0",
        ),
        ("tools.mutants", "13"),
    ):
        done = run(checkout, *command)
        assert done.returncode == 0, (
            f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
        )


def test_its_rows_stand_where_its_number_belongs(checkout: Path) -> None:
    make("98", "late", checkout)
    make("97", "earlier", checkout)
    table = (checkout / "grda_edu/course/map.py").read_text("utf-8")
    readme = (checkout / "README.md").read_text("utf-8")
    for text in (table.split("LESSONS = (")[1], readme.split("| lesson |")[1]):
        places = [text.index(word) for word in ("09", "97", "98")]
        assert places == sorted(places)
    compile(table, "map.py", "exec")


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        ("1", "topic", "N = '1': accepted are two digits"),
        ("", "topic", "N = '': accepted are two digits"),
        ("١٣", "topic", "N = '١٣': accepted are two digits"),
        ("13", "x" * 300, "of at most 60 characters"),
        ("13", "My topic", "NAME = 'My topic': accepted are lower-case words"),
        ("13", "../x", "NAME = '../x': accepted are lower-case words"),
        ("01", "again", "lesson 01 exists"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_written(
    checkout: Path, number: str, name: str, words: str
) -> None:
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    with pytest.raises(Refused, match=words):
        make(number, name, checkout)
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before


def test_the_command_says_why_it_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert make_lesson.main(["00", "start"]) == 2
    assert "lesson 00 exists: grda_edu/lessons/lesson00/__init__.py" in capsys.readouterr().err


def test_the_example_of_the_manual_is_a_figure_that_moves(root: Path) -> None:
    """CONTRIBUTING's ten lines: drawn in the palette, fixed axes, another curve at each end."""
    text = (root / "CONTRIBUTING.md").read_text("utf-8")
    (block,) = re.findall(r"^   ```python\n(.*?)^   ```", text, re.MULTILINE | re.DOTALL)
    space: dict[str, Any] = {}
    exec(textwrap.dedent(block), space)
    demo = space["parabola"]()
    assert demo.tabulated and demo.error == ""
    assert palette.INK in str(demo.figure["data"]) and palette.INK in palette.DARK
    assert "range" in demo.figure["layout"]["xaxis"] and "range" in demo.figure["layout"]["yaxis"]
    for a in (0.0, 2.0):
        row, sentence = demo._compute(a)
        assert row["curve.y"][-1] == 4.5 * a and f"{4.5 * a:.1f} high" in sentence
