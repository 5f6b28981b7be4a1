"""Numbers as they stand in a text: where, how large, and how precise."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

_RAISED = "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_DOWN = str.maketrans(_RAISED, "-0123456789")
_UP = str.maketrans("-0123456789", _RAISED)

NUMBER = re.compile(
    rf"""
    (?P<sign>(?<![\w.%)\]])[-+−])?               # a sign, not a hyphen or a dash between words
    (?:
        (?P<base>(?:\d+(?:\.\d+)?·)?10)(?P<power>[{_RAISED}]+)
      | (?P<plain>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?|(?<!\d)\.\d+)(?:e(?P<e>[-+]?\d+))?
    )
    (?P<percent>[\s\u00a0\u202f]?%)?
    """,
    re.VERBOSE,
)


class Number(NamedTuple):
    """A written number: its text and where it begins, its value, and how precisely it is written."""

    text: str
    start: int
    mantissa: Decimal  # of the value, or of the value in percent
    scale: Decimal  # by which it is multiplied
    percent: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def value(self) -> float:
        return float(self.mantissa * self.scale) / (100 if self.percent else 1)

    def agrees(self, value: float) -> bool:
        """Is it ``value``, to the precision written? Between two numbers the even one is, as in Python."""
        if not math.isfinite(value):
            return False
        exact = Decimal(100 * value if self.percent else value) / self.scale
        unit = Decimal(1).scaleb(int(self.mantissa.as_tuple().exponent))
        return (exact / unit).to_integral_value(ROUND_HALF_EVEN) * unit == self.mantissa


def numbers(text: str, names: Sequence[str] = ()) -> list[Number]:
    """All numbers of a text without tags, those within ``names`` excepted."""
    return [_read(match) for match in _matches(text, names)]


def _matches(text: str, names: Sequence[str]) -> Iterator[re.Match]:
    known = [m.span() for name in names for m in re.finditer(re.escape(name), text)]
    for match in NUMBER.finditer(text):
        if not any(start <= match.start() and match.end() <= end for start, end in known):
            yield match


def _read(match: re.Match) -> Number:
    plain, ten = _mantissa(match)
    sign = -1 if match["sign"] in ("-", "−") else 1
    percent = match["percent"] is not None
    return Number(match[0], match.start(), sign * plain, Decimal(10) ** ten, percent)


def _mantissa(match: re.Match) -> tuple[Decimal, int]:
    if match["power"]:
        mantissa = match["base"].rpartition("10")[0].removesuffix("·")
        return Decimal(mantissa or "1"), int(match["power"].translate(_DOWN))
    return Decimal(match["plain"].replace(",", "")), int(match["e"] or 0)


def changed(written: str) -> Iterator[str]:
    """The same number written falsely: one unit more, one less, far more, another sign or power."""
    match = NUMBER.fullmatch(written)
    assert match is not None, written
    plain, ten = _mantissa(match)
    unit = Decimal(1).scaleb(int(plain.as_tuple().exponent))
    sign, percent = match["sign"] or "", match["percent"] or ""

    def write(mantissa: Decimal, power: int = ten) -> str:
        comma = "," in written
        text = f"{mantissa:,f}" if comma else f"{mantissa:f}"
        if match["power"]:
            text = f"{text}·10{str(power).translate(_UP)}"
        elif match["e"]:
            text = f"{text}e{power}"
        return f"{sign}{text}{percent}"

    yield write(plain + unit)
    if plain >= unit:
        yield write(plain - unit)
    yield write(3 * plain + 7 * unit)
    if plain:
        other = "−" if sign not in ("-", "−") else ""
        yield other + written.removeprefix(sign)
    if match["power"]:
        yield write(plain, ten + 1)


def without_numbers(text: str, names: Sequence[str] = ()) -> str:
    """The text with # in place of each number."""
    parts, end = [], 0
    for match in _matches(text, names):
        parts += [text[end : match.start()], "#"]
        end = match.end()
    return "".join([*parts, text[end:]])
