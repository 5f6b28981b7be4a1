"""Formulas as MathML, made at the build: no script and no font is fetched for them."""

from __future__ import annotations

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
    body = formula(node.astext(), "block")
    translator.body.append(
        f'<div class="math-block" tabindex="0" role="group" aria-label="Formula">{shown}{body}</div>'
    )
    raise nodes.SkipNode


def formula(latex: str, display: str) -> str:
    """A formula in LaTeX as MathML, with the LaTeX as its annotation."""
    return convert(latex.strip(), display=display)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
