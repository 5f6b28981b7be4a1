"""What a figure is called in the notebook that shows it."""

from __future__ import annotations

import ast

from . import rerun


def name_of(figure: object) -> str:
    """The variable that holds ``figure``, or the call that made it in the running cell, or ""."""
    source, variables = rerun.running_cell()
    for name, value in variables.items():
        if value is figure and not name.startswith("_"):
            return name
    try:
        *_, last = ast.parse(source).body
    except (SyntaxError, ValueError):  # ValueError: an empty cell
        return ""
    made = last.value if isinstance(last, ast.Expr) else None
    is_call = isinstance(made, ast.Call) and ast.unparse(made.func) != "display"
    return ast.unparse(made) if made and is_call else ""
