"""How numbers are written, in every sentence, title, table and label: one spelling for each kind.

A minus is a real minus (−), a zero has no sign, a decimal begins with its digit (0.92), a share is a
percentage without a space (90.1%), and a share that is not quite everything is not written as 100%.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimal(value: float, digits: int = 2) -> str:
    """A number with ``digits`` after its point: 0.92, −1.40, 13,706.00; "undefined" for NaN.

    >>> decimal(-0.921), decimal(-0.001), decimal(13706, 0)
    ('−0.92', '0.00', '13,706')
    """
    if math.isnan(value):
        return "undefined"
    rounded = round(float(value), digits)
    return f"{rounded or 0.0:,.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, which a zero has not.

    >>> signed(0.28), signed(-1.39), signed(-0.01)
    ('+0.3', '−1.4', '0.0')
    """
    text = decimal(value, digits)
    return f"+{text}" if round(float(value), digits) > 0 else text


def points(difference: float, digits: int = 1) -> str:
    """A difference of two shares, in points with a sign.

    >>> points(-0.0139), points(0.01, 0)
    ('−1.4', '+1')
    """
    return signed(100 * difference, digits)


def percent(share: float, digits: int = 1) -> str:
    """A share, with more digits where ``digits`` would make nearly all of it all, or some of it none.

    >>> percent(0.9014), percent(0.9997), percent(0.00004), percent(1.0), percent(0.0)
    ('90.1%', '99.97%', '0.004%', '100.0%', '0.0%')
    """
    text = f"{share:.{digits}%}"
    while 0 < share < 1 and float(text[:-1]) in (0, 100) and digits < 15:
        digits += 1
        text = f"{share:.{digits}%}"
    return text.replace("-", "−")


def loss(value: float) -> str:
    """A loss, or another positive size, with two significant digits: 0.026, 1.4, 14, 3.1·10⁻⁵.

    >>> loss(0.0261), loss(0.1), loss(0.000651), loss(123.4), loss(3.1e-5)
    ('0.026', '0.10', '0.00065', '120', '3.1·10⁻⁵')
    """
    return significant(value, 2)


def significant(value: float, digits: int = 2) -> str:
    """``digits`` significant digits; a power of ten below 0.0001 and from a million on."""
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else decimal(value, 0)
    exponent = int(f"{value:.{digits - 1}e}".split("e")[1])
    if not -4 <= exponent < 6:
        return power(value, digits)
    return decimal(round(float(value), digits - 1 - exponent), max(0, digits - 1 - exponent))


def power(value: float, digits: int = 2) -> str:
    """A number as a power of ten, with up to ``digits`` significant digits before it.

    >>> power(1e-3), power(3.14e-5), power(-20000)
    ('10⁻³', '3.1·10⁻⁵', '−2·10⁴')
    """
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    ten = f"10{str(int(exponent)).translate(_RAISED)}"
    text = ten if mantissa == "1" else f"{mantissa}·{ten}"
    return text.replace("-", "−").replace("−1·", "−")


def count(n: int, noun: str, plural: str = "") -> str:
    """How many of something: the plural is ``noun`` with an s unless it is given.

    >>> count(1, "image"), count(13706, "weight"), count(2, "axis", "axes")
    ('1 image', '13,706 weights', '2 axes')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def span(low: float, high: float, write: Callable[[float], str] = decimal) -> str:
    """A range, written with ``write``; one number where its two ends are written alike.

    >>> span(0.2, 0.5), span(0.9, 0.931, percent), span(0.2, 0.2001)
    ('0.20 to 0.50', '90.0% to 93.1%', '0.20')
    """
    least, most = write(low), write(high)
    return least if least == most else f"{least} to {most}"
