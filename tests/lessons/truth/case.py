"""A figure with what it must say and how it must look, and the check that holds it to that."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from grda_edu.explore import Choice, Explorable, palette
from lessons.truth import shown as s
from lessons.truth.shown import Shown
from lessons.truth.written import NUMBER, numbers, without_numbers

Position = Mapping[str, Any]
Says = Mapping[str, Sequence[object]]
Keys = Mapping[str, Mapping[str, str | Sequence[str]]]


@dataclass
class Case:
    """One figure of a lesson; the package's docstring says what each part means."""

    name: str
    make: Callable[..., Any]
    says: Callable[..., Says]
    looks: Any  # trace or "shapes[k]" -> look, or a function of the position
    keys: Any = field(default_factory=dict)  # place -> words -> trace or traces, or a function
    names: Any = ()  # or a function
    positions: Sequence[Position] = ()
    reaches: Callable[..., Sequence[bool]] | None = None

    @property
    def function(self) -> str:
        """The lesson's function that makes the figure."""
        return self.name.partition(" ")[0]

    @cached_property
    def explorable(self) -> Explorable | None:
        """The figure where it has controls; else ``make`` is called for each position."""
        wanted = inspect.signature(self.make).parameters.values()
        if any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in wanted):
            return None
        made = self.make()
        return made if isinstance(made, Explorable) else None

    def visited(self) -> list[dict[str, Any]]:
        """All positions: first state, lowest, highest, and the case's own; each once."""
        demo = self.explorable
        if demo is None:
            return [dict(p) for p in self.positions or [{}]]
        first = {**demo._values(), **demo._fixed(demo.option)}
        ends = [{name: slider.values[k] for name, slider in demo._sliders.items()} for k in (0, -1)]
        if demo._choice:
            name, choice = demo._choice
            assert isinstance(choice, Choice)
            ends[1][name] = list(choice.options.values())[-1]
        found = [first, *({**first, **p} for p in (*ends, *self.positions))]
        return [p for k, p in enumerate(found) if p not in found[:k]]

    def shown(self, position: Position) -> Shown:
        """The figure with its sentence at a position."""
        made = self.explorable
        return s.shown(self.make(**position) if made is None else made, position)


@dataclass(frozen=True)
class Expected:
    """What a figure must say and look like at one position."""

    says: Says
    looks: Mapping[str, s.Look]
    keys: Keys
    names: Sequence[str]


def expected(case: Case, position: Position) -> Expected:
    """Compute it, once for all checks at this position."""
    looks, keys, names = (
        part(**position) if callable(part) else part for part in (case.looks, case.keys, case.names)
    )
    return Expected(case.says(**position), looks, keys, tuple(names))


def check(it: Shown, must: Expected) -> None:
    """Raise AssertionError, saying where, unless texts, looks and keys are as they must be. Pure."""
    _check_texts(it, must)
    _check_looks(it, must)
    _check_keys(it, must)


def _check_texts(it: Shown, must: Expected) -> None:
    places: dict[str, list[str]] = {}
    for text in s.texts(it):
        places.setdefault(text.place, []).append(s.bare(text.html))
    missing = [place for place in must.says if place not in places]
    assert not missing, f"there is no text at {missing[0]!r}, but at {', '.join(places)}"
    for place, found in places.items():
        _check_text(place, " | ".join(found), must.says.get(place, ()), must.names)


def _check_text(place: str, text: str, items: Sequence[object], names: Sequence[str]) -> None:
    where = f"{place}: {text!r}"
    written = numbers(text, names)
    wanted = [item for item in items if not _is_phrase(item)]
    assert len(written) == len(wanted), (
        f"{where} has the numbers {[n.text for n in written]}, expected are {wanted}"
    )
    end, coming = 0, iter(written)
    ahead = next(coming, None)
    for item in items:
        if _is_phrase(item):
            limit = ahead.start if ahead else len(text)
            at = text.find(str(item), end, limit)
            assert at >= 0, f"{where}: {item!r} is not in {text[end:limit]!r}"
            end = at + len(str(item))
            continue
        assert ahead is not None
        right = ahead.text == item if isinstance(item, str) else ahead.agrees(float(item))  # type: ignore[arg-type]
        assert right, f"{where}: {ahead.text} stands where {item} is expected"
        end, ahead = ahead.end, next(coming, None)


def _is_phrase(item: object) -> bool:
    return isinstance(item, str) and not NUMBER.fullmatch(item)


def _check_looks(it: Shown, must: Expected) -> None:
    parts = s.parts(it)
    assert set(parts) == set(must.looks), (
        f"looks: undeclared {sorted(set(parts) - set(must.looks))}, "
        f"not in the figure {sorted(set(must.looks) - set(parts))}"
    )
    for name, path in parts.items():
        drawn = s.attributes(it.get(path), is_shape=path[0] == "layout")
        for attribute, value in drawn.items():
            wanted = s.demanded(must.looks[name], attribute)
            where = f"{name}.{attribute} is {value!r}, expected is {wanted!r}"
            if attribute == "colorscale":
                assert value == _colorscale(wanted), where
            else:
                assert s.hexed(value) == s.hexed(wanted), where


def _colorscale(wanted: object) -> object:
    """A colour scale as the figure's JSON has it."""
    import plotly.graph_objects as go

    if not isinstance(wanted, str):
        return wanted
    return [list(stop) for stop in go.Heatmap(colorscale=wanted).colorscale]


def _check_keys(it: Shown, must: Expected) -> None:
    found: dict[str, list[s.Key]] = {}
    for text in s.texts(it):
        found.setdefault(text.place, []).extend(s.keys(it, text))
    for place in {*found, *must.keys}:
        here, declared = found.get(place, []), must.keys.get(place, {})
        words = [without_numbers(key.words, must.names) for key in here]
        assert words == list(declared), (
            f"{place}: coloured words are {words}, declared are {list(declared)}"
        )
        for key, named in zip(here, declared.values(), strict=True):
            _check_key(it, place, key, [named] if isinstance(named, str) else list(named))


def _check_key(it: Shown, place: str, key: s.Key, named: list[str]) -> None:
    where = f"{place}: the key {key.words!r}"
    if not named:
        neutral = (palette.INK, palette.MUTED)
        assert s.hexed(key.color) in neutral, f"{where} is {key.color} but names no trace"
        assert not key.glyphs, f"{where} has the glyph {key.glyphs[0]!r} but names no trace"
        return
    inks = [name for name in named if name.startswith("#")]
    assert not inks or key.color in inks, f"{where} is {key.color}, expected is {inks[0]}"
    glyphs: set[str] = set()
    for name in [name for name in named if name not in inks]:
        drawn, kind = _named(it, where, name)
        colors = {
            str(s.untinted(s.hexed(value)))
            for attribute, value in drawn.items()
            if attribute.endswith("color")
            and attribute != "marker.line.color"
            # words beside a marker may be muted: a key has the marker's colour
            and not (attribute == "textfont.color" and "marker.color" in drawn)
        }
        assert inks or s.hexed(key.color) in colors, f"{where} is {key.color}, {name!r} is {colors}"
        glyphs |= s.glyphs_of(drawn, kind)
    assert len(set(key.glyphs)) == len(key.glyphs), f"{where} has a glyph twice"
    wrong = set(key.glyphs) - glyphs
    assert not wrong, f"{where} has the glyph {wrong}, {named} are drawn as {glyphs}"


def _named(it: Shown, where: str, name: str) -> tuple[dict[str, object], str]:
    """How the trace or shape of this name is drawn, and its type; "TRACE[k]" is item k of a trace."""
    parts = s.parts(it)
    trace, _, item = name.rpartition("[")
    k = None
    if name not in parts and trace in parts:
        name, k = trace, int(item.removesuffix("]"))
    assert name in parts, f"{where} names {name!r}; the figure has {', '.join(parts)}"
    part, is_shape = it.get(parts[name]), parts[name][0] == "layout"
    drawn = s.attributes(part, is_shape=is_shape)
    for attribute, value in drawn.items():
        if isinstance(value, list) and attribute != "colorscale":
            assert k is not None, f"{where}: {name!r} has several looks: name one of its items"
            drawn[attribute] = value[k]
    return drawn, part.get("type", "scatter")
