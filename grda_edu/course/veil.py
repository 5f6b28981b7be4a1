"""What would answer a prediction stays covered until the learner has committed, or skipped it.

Nothing waits for it: cells run through as ever, and everything covered can be uncovered on the page,
with or without a kernel. What is shown where its prediction was not asked is not covered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from html import escape
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from IPython.display import DisplayHandle

from grda_edu.explore import Picture, TextTable, rerun

P = ParamSpec("P")
R = TypeVar("R", bound=Picture | TextTable)

_asked: set[str] = set()  # predictions on the page without an answer
_skipped: set[str] = set()  # they are asked again with their card, but cover nothing any more
_covers: WeakKeyDictionary[Picture, tuple[str, ...]] = WeakKeyDictionary()
_covered: list[Callable[[], None]] = []


def ask(name: str) -> None:
    """Note that prediction ``name`` is on the page without an answer."""
    if name not in _skipped:
        _asked.add(name)


def settle(name: str, *, skipped: bool = False) -> None:
    """Note that prediction ``name`` is answered or skipped; what it covered comes to light."""
    _asked.discard(name)
    if skipped:
        _skipped.add(name)
    for look in tuple(_covered):
        look()


def veiled(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have what a function makes covered until each of the predictions ``names`` that are asked is settled.

    ::

        @veiled("07.turning")
        def floor_and_scores() -> Explorable:
    """

    def cover(make: Callable[P, R]) -> Callable[P, R]:
        @wraps(make)
        def made(*args: P.args, **kwargs: P.kwargs) -> R:
            thing = make(*args, **kwargs)
            if isinstance(thing, TextTable):
                return VeiledTable(thing, names)  # type: ignore[return-value]
            _covers[thing] = names
            thing.veil = _until_settled(names, lambda: thing.set_trait("veil", ""))
            return thing

        return made

    return cover


def covering(thing: object) -> tuple[str, ...]:
    """The predictions that ``thing`` is covered for; none where it is not."""
    if isinstance(thing, VeiledTable):
        return thing.names
    return _covers.get(thing, ()) if isinstance(thing, Picture) else ()


def _until_settled(names: Sequence[str], lift: Callable[[], object]) -> str:
    """What a cover says that ``lift`` takes away later; "" where there is nothing to wait for."""

    def waiting() -> int:
        return sum(name in _asked for name in names)

    def look() -> None:
        if not waiting() and look in _covered:
            _covered.remove(look)
            lift()

    if not waiting():
        return ""
    _covered.append(look)

    def forget() -> None:
        if look in _covered:
            _covered.remove(look)

    rerun.on_rerun(forget)
    what, it = ("prediction", "it") if waiting() == 1 else ("predictions", "them")
    return f"Commit to the {what} above, or skip {it}: then this opens."


class VeiledTable(TextTable):
    """A table that is folded until the predictions are settled; a click opens it before."""

    def __init__(self, table: TextTable, names: tuple[str, ...]) -> None:
        super().__init__(table.rows, table.header, table.caption)
        self.names = names

    def _ipython_display_(self) -> None:
        handle = DisplayHandle()
        said = _until_settled(self.names, lambda: handle.update(self._bundle(""), raw=True))
        handle.display(self._bundle(said), raw=True)

    def _bundle(self, text: str) -> dict[str, str]:
        html = self._repr_html_()
        if text:
            html = f"<details><summary>{escape(text)} Or open it now.</summary>{html}</details>"
        return {"text/html": html, "text/plain": repr(self)}
