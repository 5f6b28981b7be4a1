"""Texts of the course as HTML."""

from grda_edu.course.page import inline


def test_a_star_in_code_is_a_star_and_outside_of_it_emphasis() -> None:
    assert inline("Write `n**mu - (n - 1) ** mu`.") == "Write <code>n**mu - (n - 1) ** mu</code>."
    assert (
        inline("*all* of `x * y` and *more*")
        == "<em>all</em> of <code>x * y</code> and <em>more</em>"
    )
    assert inline("a(0 − w*) < w*") == "a(0 − w*) &lt; w*"
