"""Figures falsified in one thing at a time, to see whether a case notices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from grda_edu.explore import palette
from grda_edu.explore.legend import BAR, LINES, MARKS
from lessons.truth import shown as s
from lessons.truth.case import Case, Expected, check, expected
from lessons.truth.shown import Shown
from lessons.truth.written import NUMBER, changed

STYLES = [style for style in vars(palette).values() if isinstance(style, palette.Style)]
_OPPOSITES = [("more", "fewer"), ("higher", "lower"), ("above", "below"), ("not ", "")]


class Mutant(NamedTuple):
    """What was changed, in words, and the figure that came of it."""

    change: str
    it: Shown


def survivors(case: Case) -> tuple[int, list[str]]:
    """How many mutants there were at all positions, and what was changed in those that lived.

    Raises AssertionError where the figure itself fails its check.
    """
    count, alive = 0, []
    for position in case.visited():
        it, must = case.shown(position), expected(case, position)
        check(it, must)
        for mutant in mutants(it):
            count += 1
            if _lives(mutant.it, must):
                where = ", ".join(f"{name} = {value}" for name, value in position.items())
                alive.append(f"{case.name} at {where or 'its only state'}: {mutant.change}")
    return count, alive


def _lives(it: Shown, must: Expected) -> bool:
    try:
        check(it, must)
    except AssertionError:
        return False
    return True


def mutants(it: Shown) -> Iterator[Mutant]:
    """All of them."""
    yield from _false_numbers(it)
    yield from _false_words(it)
    yield from _false_looks(it)
    yield from _false_keys(it)


def _false_numbers(it: Shown) -> Iterator[Mutant]:
    for text in s.texts(it):
        html = it.get(text.path)
        for match in _numbers_outside_tags(str(html)):
            for other in changed(match[0]):
                new = html[: match.start()] + other + html[match.end() :]
                yield Mutant(
                    f"{text.place}: {match[0]} became {other} in {s.bare(str(html))!r}",
                    it.altered((text.path, new)),
                )


def _numbers_outside_tags(html: str) -> Iterator[re.Match]:
    hidden = [m.span() for m in re.finditer(r"<[^<>]*>|%\{[^}]*\}|&#?\w+;", html)]
    for match in NUMBER.finditer(html):
        if not any(start < match.end() and match.start() < end for start, end in hidden):
            yield match


def _false_words(it: Shown) -> Iterator[Mutant]:
    """A claim turned round, in sentence and title."""
    for text in s.texts(it):
        if text.place not in ("sentence", "title"):
            continue
        for pair in _OPPOSITES:
            for old, new in (pair, pair[::-1]):
                for match in re.finditer(rf"\b{old}\b", text.html) if old.strip() else ():
                    html = text.html[: match.start()] + new + text.html[match.end() :]
                    change = f"{text.place}: {old!r} became {new!r} in {s.bare(text.html)!r}"
                    yield Mutant(change, it.altered((text.path, html)))


def _false_looks(it: Shown) -> Iterator[Mutant]:
    for name, path in s.parts(it).items():
        drawn = s.attributes(it.get(path), is_shape=path[0] == "layout")
        for attribute, value in drawn.items():
            where = (*path, *attribute.split("."))
            for other in _others(attribute, value):
                change = f"{name}.{attribute}: {str(value)[:60]} became {other}"
                yield Mutant(change, it.altered((where, other)))


def _others(attribute: str, value: object) -> Iterator[object]:
    """Another of the palette for an attribute; for a list also one item of it."""
    if attribute == "colorscale":
        yield [[0.0, palette.SGD.color], [1.0, palette.GRDA.color]]
        return
    last = attribute.rpartition(".")[2]
    kind = last if last in ("dash", "symbol") else "color"
    choices = list(dict.fromkeys(getattr(style, kind) for style in STYLES))
    old = s.hexed(value)
    if isinstance(old, list):
        for item in dict.fromkeys(map(str, old)):
            k = old.index(item)
            other = next(choice for choice in choices if s.hexed(choice) != item)
            yield [*value[:k], other, *value[k + 1 :]]  # type: ignore[index]
        return
    yield from (choice for choice in choices if s.hexed(choice) != old)


def _false_keys(it: Shown) -> Iterator[Mutant]:
    all_keys = [(text, key) for text in s.texts(it) for key in s.keys(it, text)]
    for text, key in all_keys:
        start, end = key.span
        for color in dict.fromkeys(style.color for style in STYLES):
            if color == s.hexed(key.color):
                continue
            change = f"{text.place}: the key {key.words!r} became {color}"
            if key.color_path:
                yield Mutant(change, it.altered((key.color_path, palette.tint(color))))
            else:
                new = text.html[:start] + key.written(color=color) + text.html[end:]
                yield Mutant(change, it.altered((text.path, new)))
        for glyph in dict.fromkeys(key.glyphs):
            for other in {*LINES.values(), *MARKS.values(), BAR} - {glyph}:
                inner = key.written(key.inner.replace(glyph, other, 1))
                change = f"{text.place}: {glyph} of the key {key.words!r} became {other}"
                yield Mutant(
                    change, it.altered((text.path, text.html[:start] + inner + text.html[end:]))
                )
        yield from _false_names(it, text, key, [other.words for _, other in all_keys])


def _false_names(it: Shown, text: s.Text, key: s.Key, others: list[str]) -> Iterator[Mutant]:
    """The key's words replaced by those of each other key."""
    start, end = key.span
    mark = "".join(f"{glyph} " for glyph in key.glyphs)
    for words in dict.fromkeys(others):
        if words != key.words:
            new = text.html[:start] + key.written(mark + words) + text.html[end:]
            change = f"{text.place}: the key {key.words!r} became {words!r}"
            yield Mutant(change, it.altered((text.path, new)))
