"""What a notebook cell makes belongs to that cell: running it again closes what it made before.

Widgets outlive the output that they were drawn in; without this a cell run twenty times leaves
twenty of them in the kernel and in the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_made: dict[str, tuple[str, list[Callable[[], object]]]] = {}
_watched: list[object] = []  # shells that call _close_former


def on_rerun(close: Callable[[], object]) -> None:
    """Call ``close`` when the cell that is running now is run again. Outside a notebook: nothing."""
    cell, run = _current()
    if not cell:
        return
    _watch()
    former, closers = _made.get(cell, ("", []))
    if former != run:
        closers = []
        _made[cell] = (run, closers)
    closers.append(close)


def _close_former(*_: object) -> None:
    cell, run = _current()
    former, closers = _made.get(cell, (run, []))
    if former != run:
        del _made[cell]
        for close in closers:
            close()


def _current() -> tuple[str, str]:
    """The running cell's identity and the identity of this execution of it ('' where unknown)."""
    shell = _shell()
    if shell is None or not hasattr(shell, "get_parent"):
        return "", ""
    parent = shell.get_parent() or {}
    cell = parent.get("metadata", {}).get("cellId") or parent.get("content", {}).get("code", "")
    return cell, parent.get("header", {}).get("msg_id", "")


def running_cell() -> tuple[str, dict[str, Any]]:
    """The running cell's source as plain Python, and the notebook's variables; empty where unknown."""
    shell = _shell()
    if shell is None or not hasattr(shell, "get_parent"):
        return "", {}
    code = (shell.get_parent() or {}).get("content", {}).get("code", "")
    return shell.transform_cell(code), shell.user_ns


def _shell() -> Any:
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def _watch() -> None:
    """Close before the cell's code runs, so that its new widgets meet none of the old ones."""
    shell = _shell()
    if shell is not None and shell not in _watched:
        _watched.append(shell)
        shell.events.register("pre_run_cell", _close_former)
