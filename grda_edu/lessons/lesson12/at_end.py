"""Lesson 12: what is to be done once a training has ended, done where the lesson asks for it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from .your_own import OwnTraining


class Told:
    """A line on the page."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_html_(self) -> str:
        return f'<p role="status">{escape(self.text)}</p>'

    def __repr__(self) -> str:
        return self.text


def when_trained(view: OwnTraining, finish: Callable[[], object]) -> None:
    """Show what ``finish()`` gives, here, whenever the training of ``view`` has ended.

    What keeps it from being done is said in its place, and nothing is lost: the network stays in
    ``view.model``.
    """
    view.show_again(lambda: finished(view, finish))


def finished(view: OwnTraining, finish: Callable[[], object]) -> object:
    """What ``finish()`` gives, or a line that says why there is nothing."""
    run = view.run
    if run is None:
        return Told("Nothing is trained yet: press Start above, and the report will stand here.")
    if run.message.startswith("diverged"):
        return Told(f"The training {run.message}. Take a smaller lr or c, and press Start again.")
    try:
        return finish()
    except (OSError, ValueError, RuntimeError, TypeError) as error:
        return Told(f"{type(error).__name__}: {error}. Nothing is lost: the network is live.model.")
