"""A live view's controls, and what its work printed: two small widgets whose state Python holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import traitlets as t

from grda_edu.explore.whole import Whole

_HERE = Path(__file__).parent


class _Told(Whole):
    """A widget whose state several threads change."""

    def __init__(self) -> None:
        super().__init__()
        self._telling = threading.RLock()

    def set(self, **state: object) -> None:
        """Change several parts of the state in one message."""
        with self._telling, self.hold_sync():  # which would lose what another thread sets meanwhile
            for name, value in state.items():
                setattr(self, name, value)


class Line(_Told):
    """Start, Stop, how far the work has come, and one sentence.

    running: is work under way (Stop can be pressed), or not (Start can)?
    invitation: what the button Start says; said: the sentence;
    fraction: of the bar, 0 to 1; tone: "", "info", "success", "warning" or "danger".

    The page says by itself when the kernel is gone or does not answer.
    """

    _esm = _HERE / "line.js"
    _css = _HERE / "line.css"

    running = t.Bool(False).tag(sync=True)
    invitation = t.Unicode("Start").tag(sync=True)
    said = t.Unicode().tag(sync=True)
    fraction = t.Float(0.0, min=0.0, max=1.0).tag(sync=True)
    tone = t.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self._handlers: dict[str, Callable[[], object]] = {}
        self.on_msg(lambda _, content, __: self.press(content.get("do", "")))

    def on_do(self, do: str, handler: Callable[[], object]) -> None:
        """Call ``handler()`` when the button ``do`` ("start" or "stop") is pressed."""
        self._handlers[do] = handler

    def press(self, do: str) -> None:
        """Press a button, as the page does; one that cannot be pressed now does nothing."""
        if do in self._handlers and self.running == (do == "stop"):
            self._handlers[do]()


class Printed(_Told):
    """What the work printed, and the traceback of the error that ended it; nothing as long as there is none."""

    _esm = _HERE / "printed.js"
    _css = _HERE / "line.css"

    printed = t.Unicode().tag(sync=True)
    problem = t.Unicode().tag(sync=True)
