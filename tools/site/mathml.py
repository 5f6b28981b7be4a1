"""Formulas as MathML, made at the build: no script and no font is fetched for them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

LONG = 30  # letters of LaTeX: no browser breaks a formula's line, so a phone scrolls longer ones


def _inline(translator: HTML5Translator, node: nodes.math) -> None:
    made = formula(node.astext(), "inline")
    is_long = len(node.astext()) > LONG
    translator.body.append(f'<span class="math-long">{made}</span>' if is_long else made)
    raise nodes.SkipNode


def _block(translator: HTML5Translator, node: nodes.math_block) -> None:
    number = get_node_equation_number(translator, node) if node.get("label") else ""
    shown = f'<span class="eqno">({escape(number)})</span>' if number else ""
    parts = sides(node.astext())
    body = formula(parts[0], "block") if len(parts) == 1 else " ".join(map(_beside, parts))
    translator.body.append(
        f'<div class="math-block" tabindex="0" role="group" aria-label="Formula">{shown}{body}</div>'
    )
    raise nodes.SkipNode


def sides(latex: str) -> list[str]:
    """The formulas that stand beside each other in one line, with wide spaces between; a phone breaks there."""
    if r"\begin" in latex:
        return [latex]
    found, depth = [""], 0
    for part in re.split(r"(\\qquad(?![a-zA-Z])|(?<!\\)[{}])", latex):
        depth += {"{": 1, "}": -1}.get(part, 0)
        if part == r"\qquad" and not depth:
            found.append("")
        else:
            found[-1] += part
    return [one for one in found if one.strip()]


def _beside(latex: str) -> str:
    made = formula(latex, "inline")
    return made.replace('display="inline"', 'display="inline" displaystyle="true"', 1)


MATHML = "http://www.w3.org/1998/Math/MathML"
ET.register_namespace("", MATHML)
OPERATORS = {r"\arg": r"\operatorname{arg}"}  # that latex2mathml does not know
SPACE = "0.167em"  # beside a function's name, as in LaTeX
SCRIPTED = {"msub", "msup", "msubsup", "munder", "mover", "munderover"}
BARS = {"|", "‖", "∥"}


def formula(latex: str, display: str) -> str:
    """A formula in LaTeX as MathML.

    Raises ValueError if a command in it is not known.
    """
    for name, known in OPERATORS.items():
        latex = re.sub(re.escape(name) + r"(?![a-zA-Z])", lambda _, known=known: known, latex)
    made = ET.fromstring(convert(latex.strip(), display=display))
    for part in made.iter():
        if "\\" in (part.text or ""):
            raise ValueError(f"formula {latex!r}: {part.text} is not known; write it otherwise")
        if _kind(part) in ("mrow", "math", "mtd", "mstyle"):
            _spaced(list(part))
    text = ET.tostring(made, encoding="unicode")
    return "".join(one if one.isascii() else f"&#x{ord(one):05X};" for one in text)


def _kind(part: ET.Element) -> str:
    return part.tag.removeprefix(f"{{{MATHML}}}")


def _core(part: ET.Element) -> ET.Element:
    """What scripts hang on: of the letter with an index the letter."""
    while _kind(part) in SCRIPTED:
        part = part[0]
    return part


def _spaced(row: list[ET.Element]) -> None:
    """Tell a row's operators their spaces, where a browser could only guess.

    A function's name stands apart from a letter and not from a bracket, a sign belongs to its number,
    and a bar to what it encloses.
    """
    before, bars = "(", 0  # at the start of a row a sign is a sign
    for k, part in enumerate(row):
        core = _core(part)
        text = core.text or ""
        is_name = _kind(core) in ("mi", "mo") and text.isalpha() and text.isascii()
        if is_name and len(text) > 1 and not core.get("mathvariant"):
            core.tag = f"{{{MATHML}}}mo"
            follows = (_core(row[k + 1]).text or "") if k + 1 < len(row) else ")"
            core.set("form", "prefix")
            core.set("lspace", "0" if before in ("(", ",", "") else SPACE)
            core.set("rspace", "0" if follows and follows in "()|,;" else SPACE)
        elif _kind(core) == "mo" and text in BARS:
            bars += 1
            core.set("form", "prefix" if bars % 2 else "postfix")
            core.set("lspace", "0")
            core.set("rspace", "0")
            text = "(" if bars % 2 else ")"
        elif _kind(core) == "mo" and text in ("−", "-", "+", "±") and before in ("(", ",", ""):
            core.set("form", "prefix")
        is_space = _kind(part) == "mspace" or (_kind(part) == "mtext" and not text.strip())
        if not is_space:
            is_operator = (
                _kind(core) == "mo" and not is_name and text not in (")", "]", "!", "⊤", "′")
            )
            before = text if text in ("(", ",") else "" if is_operator else "x"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
