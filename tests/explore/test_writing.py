"""Numbers as they are written: closed forms, and what must hold for any number."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grda_edu.explore import writing

SOME = st.floats(-1e6, 1e6, allow_nan=False)


def read(text):
    """The value of a number as it is written, as a learner reads it."""
    up = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    text = text.replace("−", "-").replace(",", "").removeprefix("+")
    if "10" in text and re.search("[⁰¹²³⁴⁵⁶⁷⁸⁹]", text):
        mantissa, exponent = text.rsplit("10", 1)
        sign = {"": 1.0, "-": -1.0}.get(mantissa)
        factor = float(mantissa.removesuffix("·")) if sign is None else sign
        return factor * 10.0 ** int(exponent.translate(up))
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (writing.decimal(0.92), "0.92"),
        (writing.decimal(-0.004), "0.00"),
        (writing.decimal(-13706.25, 1), "−13,706.2"),
        (writing.decimal(math.nan), "undefined"),
        (writing.signed(-1.39), "−1.4"),
        (writing.signed(0.28), "+0.3"),
        (writing.signed(0.0), "0.0"),
        (writing.signed(-0.01), "0.0"),
        (writing.signed(0.04), "0.0"),
        (writing.points(-0.0139), "−1.4"),
        (writing.points(0.01, 0), "+1"),
        (writing.percent(0.901), "90.1%"),
        (writing.percent(0.9997), "99.97%"),
        (writing.percent(0.999997), "99.9997%"),
        (writing.percent(0.996, 0), "99.6%"),
        (writing.percent(0.0004), "0.04%"),
        (writing.percent(0), "0.0%"),
        (writing.percent(1, 0), "100%"),
        (writing.percent(-0.02), "−2.0%"),
        (writing.loss(0.1), "0.10"),
        (writing.loss(0.00065), "0.00065"),
        (writing.loss(0.096), "0.096"),
        (writing.loss(0.0996), "0.10"),
        (writing.loss(0.0284), "0.028"),
        (writing.loss(1.43), "1.4"),
        (writing.loss(12.0), "12"),
        (writing.loss(13.7), "14"),
        (writing.loss(137.0), "140"),
        (writing.loss(0), "0"),
        (writing.loss(3.14e-5), "3.1·10⁻⁵"),
        (writing.loss(2.5e7), "2.5·10⁷"),
        (writing.power(0.001), "10⁻³"),
        (writing.power(-0.001), "−10⁻³"),
        (writing.power(2e12), "2·10¹²"),
        (writing.power(-1.5e-4), "−1.5·10⁻⁴"),
        (writing.power(100, 1), "10²"),
        (writing.count(1, "image"), "1 image"),
        (writing.count(0, "image"), "0 images"),
        (writing.count(13706, "weight"), "13,706 weights"),
        (writing.count(2, "axis", "axes"), "2 axes"),
        (writing.span(0.2, 0.5), "0.20 to 0.50"),
        (writing.span(0.9, 0.931, writing.percent), "90.0% to 93.1%"),
        (writing.span(0.5, 0.5), "0.50"),
    ],
)
def test_one_spelling(written, text):
    assert written == text


@given(SOME, st.integers(0, 4))
def test_a_decimal_is_its_number_to_half_a_unit(value, digits):
    text = writing.decimal(value, digits)
    assert abs(read(text) - value) <= 0.5000001 * 10.0**-digits
    assert re.fullmatch(r"−?\d{1,3}(,\d{3})*(\.\d+)?", text)
    assert "−" not in text or read(text) < 0


@given(SOME)
def test_a_sign_says_which_side_of_zero_is_read(value):
    text = writing.signed(value)
    assert {"+": 1, "−": -1}.get(text[0], 0) == np.sign(read(text))


@given(st.floats(0, 1), st.integers(0, 2))
def test_a_share_is_all_or_nothing_only_if_it_is(share, digits):
    text = writing.percent(share, digits)
    assert abs(read(text) - share) <= 0.5000001 * 10.0 ** -(digits + 2)
    if 1e-12 < share < 1 - 1e-12:
        assert 0 < read(text) < 1


@given(st.floats(1e-9, 1e9), st.integers(1, 4))
def test_significant_digits_and_powers_are_as_near_as_they_say(value, digits):
    for text in (writing.significant(value, digits), writing.power(value, digits)):
        assert abs(read(text) - value) <= 0.5000001 * 10 ** (1 - digits) * value
        assert "e" not in text
