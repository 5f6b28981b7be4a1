"""The reference: everything public and nothing else, and docstrings that read on a page as in a terminal."""

import inspect
import re
from pathlib import Path

import pytest

import grda_edu
from tools.pages import docstrings

REFERENCE = Path(__file__).parents[2] / "docs" / "library" / "reference"
_DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (\S+)$", re.MULTILINE)


def pages() -> dict[str, str]:
    return {p.stem: p.read_text("utf-8") for p in REFERENCE.glob("*.md") if p.stem != "index"}


def documented() -> list[tuple[str, str]]:
    return [found for text in pages().values() for found in _DIRECTIVE.findall(text)]


def test_everything_public_is_documented_once_and_nothing_else() -> None:
    assert sorted(name for _, name in documented()) == [f"grda_edu.{n}" for n in grda_edu.__all__]


def test_classes_are_documented_as_classes_with_their_members() -> None:
    for kind, name in documented():
        obj = getattr(grda_edu, name.removeprefix("grda_edu."))
        assert kind == ("class" if inspect.isclass(obj) else "function"), name
    for text in pages().values():
        assert text.count(".. autoclass::") == text.count("   :members:")


def test_every_page_is_in_the_index() -> None:
    listed = re.findall(r"^(\w+)$", (REFERENCE / "index.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(pages())


def test_a_name_stands_above_what_is_said_of_it() -> None:
    for text in pages().values():
        for heading, name in re.findall(
            r"^## (\w+)\n+```\{eval-rst\}\n\.\. auto\w+:: grda_edu\.(\w+)", text, re.M
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
