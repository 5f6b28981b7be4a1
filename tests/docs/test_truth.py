"""The page on oracles names files and tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "library" / "truth.md").read_text("utf-8")


def test_every_file_and_test_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 40
    for path, test in named:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not test or test in functions, f"{path}::{test}"
    for path in re.findall(r"`(grda_edu/[\w/]+\.py)`", PAGE):
        assert (ROOT / path).exists()


def test_every_entry_says_how_and_names_its_test() -> None:
    entries = [entry for entry in PAGE.split("\n\n") if "\n: " in entry]
    assert len(entries) > 25
    for entry in entries:
        _, how, tests = entry.strip().split("\n")
        assert how.startswith(": ") and tests.startswith(": `tests/")
