"""A widget that comes to the page in one piece."""

from __future__ import annotations

import anywidget


class Whole(anywidget.AnyWidget):
    """A widget of which the page hears when it is first shown, with all that it has become by then.

    A page that is busy for two seconds drops what follows a widget's first message: a figure without
    its table, a card without its question. So there is nothing to follow.
    """

    _asked_for = False

    def open(self) -> None:
        """Tell the page of the widget, unless nobody has asked for it yet."""
        if self._asked_for:
            super().open()

    @property
    def model_id(self) -> str | None:
        """The address on the page. Who asks for it is about to show the widget."""
        if not self._asked_for:
            self._asked_for = True
            self.open()
        return super().model_id
