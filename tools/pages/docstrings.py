"""Docstrings are written to be read in a terminal; here they are made into what Sphinx takes for the same."""

import dataclasses
import inspect
import re
from typing import Any

import grda_edu

_SECTION = re.compile(r"[A-Z]\w+:$")  # Args:, Returns:, Examples:
_LITERAL = re.compile(r"(``.+?``)")
_PUBLIC = re.compile(rf"``({'|'.join(grda_edu.__all__)})(\.\w+)?``")
_FIELD = re.compile(r"^    (\w+): .*?  # (.+)$", re.MULTILINE)


def prepared(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """The handler of `autodoc-process-docstring`: changes the lines in place."""
    told = fields(obj) if what == "class" else {}
    # Of a property napoleon takes "a: b" in the first line for its type, and skips empty lines before it.
    first = ["..", ""] if what in ("property", "attribute") else []
    lines[:] = [*first, *readable(lines), *_as_attributes(told)]


def signature(app: Any, what: str, name: str, obj: Any, *_: Any) -> tuple[str, str] | None:
    """The handler of `autodoc-process-signature`: a class takes what its own `__init__` does.

    Sphinx asks the metaclass first, and that of widgets knows nothing.
    """
    if what != "class" or "__init__" not in vars(obj) or dataclasses.is_dataclass(obj):
        return None
    from sphinx.util.inspect import stringify_signature  # the rest is tested without Sphinx

    known = inspect.signature(obj.__init__)
    own = known.replace(parameters=list(known.parameters.values())[1:])
    return stringify_signature(
        own, show_return_annotation=False, unqualified_typehints=True, short_literals=True
    ), ""


def readable(lines: list[str]) -> list[str]:
    """The lines with formulas set off as they stand, bars and stars meaning themselves, names linked."""
    made: list[str] = []
    section = formula = False
    for k, line in enumerate(lines):
        indented = line.startswith("    ")
        if line and not indented:
            section, formula = bool(_SECTION.match(line)), False
        if indented and not formula and not section and k and not lines[k - 1]:
            formula = True
            if not made[-2].endswith("::"):
                made += ["::", ""]
        if indented and not (formula or section):
            line = line.strip()  # a sentence that hangs: RST would see a quotation
        made.append(line if formula or ">>>" in line else _escaped(line))
    return made


def fields(obj: Any) -> dict[str, str]:
    """Name -> what the comment behind a field says, of a dataclass that tells its fields so."""
    if not dataclasses.is_dataclass(obj):
        return {}
    return dict(_FIELD.findall(inspect.getsource(obj).partition("\n    def ")[0]))  # type: ignore[arg-type]


def _as_attributes(told: dict[str, str]) -> list[str]:
    rows = [f"* **{name}**: {_escaped(text)}" for name, text in told.items()]
    return ["", ".. rubric:: Fields", "", *rows, ""] if rows else []


def _escaped(line: str) -> str:
    if line.lstrip().startswith((".. ", "=====")):  # a directive, the rule of a table
        return line
    parts = _LITERAL.split(line)
    parts[::2] = [re.sub(r"([|*]|_(?=[\s,.)]|$))", r"\\\1", part) for part in parts[::2]]
    parts[1::2] = [_linked(part) for part in parts[1::2]]
    return "".join(parts)


def _linked(literal: str) -> str:
    found = _PUBLIC.fullmatch(literal)
    if not found:
        return literal
    name, member = found[1], found[2] or ""
    return f":py:obj:`{name}{member} <grda_edu.{name}{member}>`"
