"""The card: a question or a verdict with native controls below it, all of it one small widget.

Python holds the whole state; the page draws it and sends back which button was pressed, with the
answer that stood in the form.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import traitlets as t
from IPython.display import display

from grda_edu.explore import fallback, rerun
from grda_edu.explore.whole import Whole

_HERE = Path(__file__).parent


class Card(Whole):
    """A form on the page, whose state Python sets and reads.

    ``state`` has these keys, all optional (``update`` changes some of them):
    label: the card's name for screen readers; head: HTML above the form;
    options: texts to choose from; chosen: index or None; number: {"label", "unit", "value"} or None;
    locked: the form takes no input;
    actions: buttons, dicts with "do" and "label", optionally "primary" and "needs" (an answer);
    result: HTML, spoken when it changes; more: HTML below the buttons, spoken too.
    """

    _esm = _HERE / "card.js"
    _css = _HERE / "card.css"

    state = t.Dict().tag(sync=True)
    fallback = t.Unicode().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(fallback=fallback.new_name())
        self._handlers: dict[str, Callable[[Any], object]] = {}
        self.on_msg(lambda _, content, __: self.press(content.get("do", ""), content.get("answer")))

    def update(self, **parts: object) -> None:
        """Change parts of the state in one message."""
        self.state = {**self.state, **parts}

    def on_do(self, do: str, handler: Callable[[Any], object]) -> None:
        """Call ``handler(answer)`` when the button ``do`` is pressed."""
        self._handlers[do] = handler

    def press(self, do: str, answer: Any = None) -> None:
        """Press a button, as the page does; a button that is not shown now does nothing."""
        if any(action["do"] == do for action in self.state.get("actions", ())):
            self._handlers[do](answer)

    def show(self, text: str) -> None:
        """Display the card over ``text``, which stands where no widget can be drawn."""
        rerun.on_rerun(self.close)
        display(fallback.line(self.fallback, text), raw=True)
        drawn = self._repr_mimebundle_()[0]  # type: ignore[index]
        display({**drawn, "text/plain": ""}, raw=True)

    def close(self) -> None:
        """Leave nothing behind: a widget's layout is a widget too, and outlives it otherwise."""
        if self.layout is not None:
            self.layout.close()
        super().close()

    def __repr__(self) -> str:
        return f"<Card: {self.state.get('label', '')}>"
