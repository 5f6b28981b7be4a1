"""What the page on the nine items names exists: headings, figures, tests, public names."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import grda_edu

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "library" / "response.md").read_text("utf-8")
ITEMS = dict(re.findall(r"^## (\d)\. (.*?)(?=^## |^\(references\)=)", PAGE, re.M | re.S))
REFERENCES = PAGE.partition("(references)=")[2]


def notebook(number: str) -> str:
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.md")
    return path.read_text("utf-8")


def test_there_are_nine_and_each_says_where_by_what_and_held_by_what() -> None:
    assert list(ITEMS) == list("123456789")
    for item in ITEMS.values():
        assert all(f"\n- {what}: " in item for what in ("Taught", "Figures", "Held by"))


def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("number", ITEMS)
def test_every_heading_figure_and_test_exists(number: str) -> None:
    item = ITEMS[number]
    for lesson, headings in re.findall(r"lesson (\d\d) </lesson\1>`((?:, \*[^*]+\*)+)", item):
        known = re.findall(r"^#+ (.*)$", notebook(lesson), re.MULTILINE)
        assert set(re.findall(r"\*([^*]+)\*", headings)) <= set(known), lesson
    figures = re.findall(r"`lesson(\d\d)\.(\w+)`", item)
    for lesson, figure in figures:
        assert callable(
            getattr(importlib.import_module(f"grda_edu.lessons.lesson{lesson}"), figure)
        )
        assert f"lesson{lesson}.{figure}(" in notebook(lesson)
    held = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", item)
    for path, test in held:
        assert test in named_in(path) and test.startswith("test_")
    assert figures and held and "</lesson" in item


def test_what_is_in_code_is_public() -> None:
    for line in re.findall(r"^- In code: (.*)$", PAGE, re.MULTILINE):
        assert set(re.findall(r"`(\w+)`", line)) <= set(grda_edu.__all__)


def test_references_are_those_that_item_6_asks_for() -> None:
    """And lessons cite them so: Papyan for the spectrum, Izmailov for averages, Chao and Cheng for gRDA."""
    assert "Papyan 2018" in REFERENCES and "arXiv:1811.07062" in REFERENCES
    assert re.search(r"Izmailov.* 2018, \*Averaging weights.*UAI", REFERENCES)
    assert "Chao, Cheng 2019" in REFERENCES and "arXiv:1909.10072" in REFERENCES
    assert "Papyan 2018" in notebook("08") and "arXiv:1811.07062" in notebook("08")
    lessons = [path.read_text("utf-8") for path in sorted((ROOT / "notebooks").glob("*.md"))]
    assert any("Chao, Cheng 2019" in text for text in lessons)
    for text in lessons:
        if "Izmailov" in text:
            assert re.search(r"Izmailov[^*]*2018", text)


def test_published_numbers_are_those_of_the_response() -> None:
    numbers = {"2": ("68.76%", "88%", "14.25%"), "9": ("90.19%", "90.46%", "89.12%", "(0.01, 0.7)")}
    for number, said in numbers.items():
        assert all(one in ITEMS[number] for one in said)
    assert all(f"{mu}" in ITEMS["1"] for mu in (0.501, 0.51, 0.55))
