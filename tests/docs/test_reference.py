"""The reference: everything public and nothing else, and docstrings that read on a page as in a terminal."""

import dataclasses
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import grda_edu
from grda_edu.explore.table import Table
from grda_edu.training.interrupt import Stop
from tools.pages import docstrings

REFERENCE = Path(__file__).parents[2] / "docs" / "library" / "reference"
_DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (\S+)$", re.MULTILINE)


def pages() -> dict[str, str]:
    return {p.stem: p.read_text("utf-8") for p in REFERENCE.glob("*.md") if p.stem != "index"}


def documented() -> list[tuple[str, str]]:
    return [found for text in pages().values() for found in _DIRECTIVE.findall(text)]


def found(name: str) -> Any:
    """What a dotted name stands for."""
    home, _, last = name.rpartition(".")
    return getattr(import_module(home), last)


def test_everything_public_is_documented_once_and_nothing_else() -> None:
    names = [name for _, name in documented()]
    assert len(set(names)) == len(names)
    public = {f"grda_edu.{name}" for name in grda_edu.__all__}
    assert public <= set(names)
    assert {found(name) for name in set(names) - public} == in_signatures()


def in_signatures() -> set[type]:
    """The project's classes in signatures of what is public, and in the fields of those; no others."""
    todo = [getattr(grda_edu, name) for name in grda_edu.__all__]
    seen = {obj for obj in todo if inspect.isclass(obj)}
    public = set(seen)
    while todo:
        obj = todo.pop()
        hints = [get_type_hints(function) for function in functions(obj)]
        if dataclasses.is_dataclass(obj):
            hints.append({k: h for k, h in get_type_hints(obj).items() if not k.startswith("_")})
        hints.append({str(base): base for base in getattr(obj, "__orig_bases__", ())})
        for hint in (hint for of_one in hints for hint in of_one.values()):
            new = {c for c in classes(hint) if not c.__name__.startswith("_")} - seen - INTERNAL
            seen |= new
            todo += new
    return seen - public


# What `sweep` hands to `train` in the place of a threading.Event; what a goal and a handle look their places up in.
INTERNAL = {Stop, Table}


def functions(obj: Any) -> Iterator[Any]:
    if not inspect.isclass(obj):
        yield obj
        return
    for name, member in vars(obj).items():
        member = member.__func__ if isinstance(member, classmethod) else member
        member = member.fget if isinstance(member, property) else member
        own = name == "__init__" and obj.__name__ in grda_edu.__all__
        if inspect.isfunction(member) and (own or not name.startswith("_")):
            yield member


def classes(hint: Any) -> Iterator[type]:
    parts = hint if isinstance(hint, list) else get_args(hint)
    for part in parts:
        yield from classes(part)
    if inspect.isclass(hint) and not parts and hint.__module__.startswith("grda_edu"):
        yield hint


def test_classes_are_documented_as_classes_with_their_members() -> None:
    for kind, name in documented():
        obj = found(name)
        assert kind == ("class" if inspect.isclass(obj) else "function"), name
    for text in pages().values():
        assert text.count(".. autoclass::") == text.count("   :members:")


def test_every_page_is_in_the_index() -> None:
    listed = re.findall(r"^(\w+)$", (REFERENCE / "index.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(pages())


def test_a_name_stands_above_what_is_said_of_it() -> None:
    for text in pages().values():
        for heading, name in re.findall(
            r"^## (\w+)\n+```\{eval-rst\}\n\.\. auto\w+:: grda_edu\.(?:\w+\.)*(\w+)$", text, re.M
        ):
            assert heading == name
        assert len(re.findall(r"^## ", text, re.M)) == text.count(".. auto")


def test_a_formula_stands_as_it_is_and_a_bar_is_a_bar() -> None:
    lines = ["Size |x|.", "", "    |x|·2 * y", "", "Args:", "    x: of *any* kind, or a_."]
    assert docstrings.readable(lines) == [
        *("Size \\|x\\|.", "", "::", "", "    |x|·2 * y", ""),
        *("Args:", "    x: of \\*any\\* kind, or a\\_."),
    ]


def test_an_example_stays_and_a_public_name_is_a_link() -> None:
    lines = ["``GRDA`` and ``x * y``; ``Run.load``.", "", "Examples:", "    >>> 2 * 3", "    6"]
    assert docstrings.readable(lines) == [
        ":py:obj:`GRDA <grda_edu.GRDA>` and ``x * y``; :py:obj:`Run.load <grda_edu.Run.load>`.",
        *lines[1:],
    ]


def test_a_sentence_that_hangs_is_one() -> None:
    assert docstrings.readable(["a: one", "    and more."]) == ["a: one", "and more."]


def test_a_property_that_begins_with_a_word_and_a_colon_keeps_it() -> None:
    """Napoleon would take the word for the property's type."""
    napoleon = pytest.importorskip("sphinx.ext.napoleon", reason="it reads the docstring")
    lines = ["The weights now: a vector [D].", "", "More."]
    docstrings.prepared(None, "property", "w", property(), None, lines)
    made = str(napoleon.GoogleDocstring(lines, what="property", name="w"))
    assert "The weights now: a vector [D]." in made and ":type:" not in made


def test_a_record_tells_its_fields() -> None:
    told = docstrings.fields(grda_edu.Run)
    assert told["zeros"] == "int [E+1, L], exact zeros in each parameter"
    assert set(told) <= {f for f in grda_edu.Run.__dataclass_fields__}
    assert set(docstrings.fields(grda_edu.Checkpoint)) == set(
        grda_edu.Checkpoint.__dataclass_fields__
    )
    assert docstrings.fields(grda_edu.GRDA) == {}


def test_a_widgets_signature_is_its_own() -> None:
    pytest.importorskip("sphinx", reason="it writes the signature")
    own, result = docstrings.signature(None, "class", "", grda_edu.Explorable) or ("", "")
    assert own.startswith("(figure:") and "compute" in own and "self" not in own and result == ""
    assert docstrings.signature(None, "function", "", grda_edu.train) is None
