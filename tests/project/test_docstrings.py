"""Docstrings of the public names: each argument is told, and each example is run."""

import doctest
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import grda_edu

PACKAGE = Path(__file__).parents[2] / "grda_edu"
WITH_EXAMPLE = {
    *("GRDA", "penalty_groups", "soft_threshold", "hard_threshold", "tuning_function"),
    *("tuning_increment", "PowerTuning", "zeros_by_layer", "sparsity", "masks"),
    *("direction_scores", "directional_pruning", "flat_l1", "quadratic_twin", "obs_pruning"),
    *("magnitude_pruning", "straight_line", "bezier", "plane_through", "FixedLoss"),
    *("spectrum", "flat_subspace", "share_in_subspace", "stopping_epoch", "finite_time_scores"),
}
# Records of what happened: a comment beside each field says what it is.
RECORDS = {"Run", "Checkpoint"}


def public(of: Any, name: str) -> Iterator[tuple[str, Any, str]]:
    """(name, signature's owner, docstring) of a function, or of a class and its own methods."""
    if not inspect.isclass(of):
        yield name, of, inspect.getdoc(of) or ""
        return
    if name not in RECORDS and not issubclass(of, BaseException):
        yield name, of.__init__, inspect.getdoc(of) or ""
    for key, member in vars(of).items():
        member = member.__func__ if isinstance(member, classmethod) else member
        if not key.startswith("_") and inspect.isfunction(member):
            yield f"{name}.{key}", member, inspect.getdoc(member) or ""


def told(doc: str, section: str) -> str:
    """What stands in a section, whose lines are indented."""
    found = re.search(rf"^{section}:\n((?:[ ].*\n|\n)+)", doc + "\n", re.MULTILINE)
    return found[1] if found else ""


CASES = [case for name in grda_edu.__all__ for case in public(getattr(grda_edu, name), name)]


@pytest.mark.parametrize(("name", "function", "doc"), CASES, ids=[case[0] for case in CASES])
def test_each_argument_and_the_result_are_told(name: str, function: Any, doc: str) -> None:
    signature = inspect.signature(function)
    arguments = [p for p in signature.parameters if p not in ("self", "cls")]
    named = re.findall(r"^    \*{0,2}(\w+):", told(doc, "Args"), re.MULTILINE)
    assert sorted(named) == sorted(arguments)
    gives = signature.return_annotation not in (None, "None", inspect.Signature.empty)
    assert bool(told(doc, "Returns") or told(doc, "Yields")) == gives
    if re.search(r"\braise[sd]? \w*Error", doc, re.IGNORECASE):
        assert told(doc, "Raises")


def with_examples() -> list[str]:
    """Modules that have an example; only these are imported for the examples' sake."""
    return [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(PACKAGE.rglob("*.py"))
        if ">>> " in path.read_text("utf-8")
    ]


@pytest.mark.parametrize("name", with_examples())
def test_examples_give_what_they_say(name: str) -> None:
    ran = doctest.testmod(import_module(name))
    assert ran.attempted and not ran.failed


def test_closed_forms_have_an_example() -> None:
    without = {
        n for n in WITH_EXAMPLE if not told(inspect.getdoc(getattr(grda_edu, n)), "Examples")
    }
    assert without == set()


def test_a_section_is_read_to_its_end() -> None:
    doc = "One.\n\nArgs:\n    a: one,\n        and more.\n\n    b: two.\n\nReturns:\n    It."
    assert re.findall(r"\w+:", told(doc, "Args")) == ["a:", "b:"]
    assert told(doc, "Returns").strip() == "It." and told(doc, "Raises") == ""
