"""The harness itself: what it reads, what it refuses, and that a case that says too little is found out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Picture,
    Slider,
    axis,
    bars,
    dots,
    heading_key,
    key,
    keys,
    line,
    palette,
    panels,
    tiles,
    writing,
)
from grda_edu.explore.layout import box
from lessons.truth import Case, check, expected, hollow, look
from lessons.truth.mutants import mutants, survivors
from lessons.truth.written import changed, numbers, without_numbers
from tools import mutants as tool

# ------------------------------------------------- written numbers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("−1.4 points, +0.3 and 0.0", [-1.4, 0.3, 0.0]),
        ("13,706 weights, 1, 2 and 3", [13706, 1, 2, 3]),
        ("90.1% or 90.1 %", [0.901, 0.901]),
        ("10⁻³ and 3.1·10⁻⁵, −2·10⁴", [1e-3, 3.1e-5, -2e4]),
        ("0.2 to 0.5, 0.2–0.5, 2-3", [0.2, 0.5, 0.2, 0.5, 2, 3]),
        (".02 (.01 to .03).", [0.02, 0.01, 0.03]),
        ("c = 0.02: (−3 of 12).", [0.02, -3, 12]),
        ("1e-05 and 2e4", [1e-5, 2e4]),
        ("±0.1 and x² and S₁", [0.1]),
        ("conv1", [1]),
    ],
)
def test_numbers_are_read(text, values):
    assert [number.value for number in numbers(text)] == pytest.approx(values)


def test_names_are_no_numbers_but_what_is_like_a_name_is():
    assert numbers("ℓ1 of conv1", ["ℓ1", "conv1"]) == []
    assert [n.value for n in numbers("ℓ2 of conv1", ["ℓ1", "conv1"])] == [2]
    assert without_numbers("12 of 144 in ℓ1", ["ℓ1"]) == "# of # in ℓ1"


@pytest.mark.parametrize(
    ("text", "value", "agrees"),
    [
        ("90.1%", 0.90149, True),
        ("90.1%", 0.90151, False),
        ("0.02", 0.0249, True),
        ("0.02", 0.0251, False),
        ("10⁻³", 1.4e-3, True),
        ("10⁻³", 1.6e-3, False),
        ("62%", 0.625, True),  # as Python writes it
        ("63%", 0.625, False),
        ("−0.5", 0.5, False),
    ],
)
def test_half_a_unit_of_the_last_digit(text, value, agrees):
    assert numbers(text)[0].agrees(value) == agrees


@given(
    st.sampled_from([writing.decimal, writing.signed, writing.percent, writing.significant]),
    st.floats(-1e4, 1e4).filter(lambda x: abs(x) > 1e-6),
)
def test_whatever_is_written_agrees_and_its_changes_do_not(write, value):
    (number,) = numbers(write(value))
    assert number.agrees(number.value)
    assert write is writing.significant or number.agrees(value)
    for other in changed(number.text):
        (false,) = numbers(other)
        assert not false.agrees(number.value), other


# ------------------------------------------------- a figure that is true, and its mutants


def true_figure() -> Explorable:
    """Two curves, dots, bars and tiles; a is a slider, b a list."""
    figure = lambda: panels(  # noqa: E731
        Panel(
            line("ours", palette.GRDA, x=[0, 1]),
            dots("theirs", palette.SGD, hollow=True, x=[0, 1]),
            yaxis=axis(ticks={0.0: "0", 1.0: "1 or more"}),
            x=(0, 0.5),
        ),
        Panel(bars("zeros", palette.ZERO, x=["a", "b"]), tiles("field", 0, 1), x=(0.6, 1)),
        shapes=[box(palette.BAND, y=(0, 0.1))],
    )

    def compute(a: float, b: float) -> tuple[dict, str]:
        least = "more" if a > b else "fewer"
        row = {
            "ours.y": [0, a],
            "zeros.marker.color": [palette.ZERO.color, palette.OBS.color],
            "zeros.text": [writing.percent(a / 10), "none"],
            "layout.title.text": f"{a:g} against {b:g}",
            heading_key(0): keys(
                key(f"ours {a:.1f}", palette.GRDA), key("theirs", palette.SGD, "hollow")
            ),
            heading_key(1): key("zeros", palette.ZERO, "bar"),
        }
        return row, f"At a = {a:g} there are {1000 * a:,.0f}, {least} than {1000 * b:,.0f}."

    controls = {"a": Slider([1, 2, 5]), "b": Choice({"some": 2.0, "many": 4.0})}
    return Explorable(figure, compute, controls)


def says(a: float, b: float) -> dict:
    return {
        "sentence": [a, 1000 * a, "more" if a > b else "fewer", 1000 * b],
        "title": [a, b],
        "notes[0]": [a],
        "zeros.text": [a / 10, "none"],
        "yaxis.ticktext": [0, 1],
    }


LOOKS = {
    "ours": palette.GRDA,
    "theirs": hollow(palette.SGD),
    "zeros": look(palette.ZERO, **{"marker.color": [palette.ZERO.color, palette.OBS.color]}),
    "field": palette.FIELD,
    "shapes[0]": palette.BAND,
}
KEYS = {"notes[0]": {"ours #": "ours", "theirs": "theirs"}, "notes[1]": {"zeros": ("zeros[0]",)}}


def case(**changes) -> Case:
    return Case(
        "true_figure", true_figure, **{"says": says, "looks": LOOKS, "keys": KEYS, **changes}
    )


def test_a_true_figure_passes_and_no_mutant_lives():
    visited = case().visited()
    assert visited == [{"a": 1, "b": 2.0}, {"a": 5, "b": 4.0}]
    for position in visited:
        check(case().shown(position), expected(case(), position))
    count, alive = survivors(case())
    assert alive == [] and count > 200


def test_mutants_are_of_every_kind():
    it = case().shown({"a": 1, "b": 2.0})
    changes = [mutant.change for mutant in mutants(it)]
    for start in (
        "sentence: 1,000 became",
        "sentence: 'fewer' became",
        "title: 2 became",
        "notes[0]: 1.0 became",
        "zeros.text: 10.0% became",
        "yaxis.ticktext: 1 became",
        "ours.line.color",
        "ours.line.dash",
        "theirs.marker.symbol",
        "zeros.marker.color",
        "field.colorscale",
        "shapes[0].fillcolor",
        "notes[0]: the key 'theirs' became #",
        "notes[0]: □ of the key 'theirs' became",
        "notes[0]: the key 'theirs' became 'zeros'",
    ):
        assert any(change.startswith(start) for change in changes), start


def test_a_case_that_says_too_little_is_found_out():
    """One claim that it does not hold the figure to: "fewer"."""
    silent = case(says=lambda a, b: {**says(a, b), "sentence": [a, 1000 * a, 1000 * b]})
    _, alive = survivors(silent)
    assert alive and all("fewer" in line or "more" in line for line in alive)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"says": lambda a, b: {}}, "sentence.*has the numbers"),
        ({"says": lambda a, b: {**says(a, b), "title": [a, b + 1]}}, "title.*stands where"),
        ({"says": lambda a, b: {**says(a, b), "notes[7]": []}}, r"no text at 'notes\[7\]'"),
        ({"says": lambda a, b: {**says(a, b), "zeros.text": [a / 10, "some"]}}, "'some' is not in"),
        ({"looks": {**LOOKS, "ours": palette.SGD}}, "ours.line.color"),
        ({"looks": {**LOOKS, "other": palette.SGD}}, "not in the figure"),
        ({"looks": {k: v for k, v in LOOKS.items() if k != "field"}}, "undeclared.*field"),
        ({"keys": {**KEYS, "notes[0]": {"ours #": "ours"}}}, "coloured words"),
        ({"keys": {**KEYS, "notes[1]": {"zeros": "ours"}}}, "the key 'zeros' is #"),
        ({"keys": {**KEYS, "notes[1]": {"zeros": "zeros"}}}, "name one of its items"),
        ({"keys": {**KEYS, "notes[1]": {"zeros": ()}}}, "names no trace"),
    ],
)
def test_a_wrong_case_says_what_is_wrong(changes, words):
    wrong = case(**changes)
    position = wrong.visited()[0]
    with pytest.raises(AssertionError, match=words):
        check(wrong.shown(position), expected(wrong, position))


def test_a_mark_that_many_colours_share_is_keyed_in_its_own():
    """Its colour is held, and its glyph to the traces."""
    looks = {"SGD": hollow(palette.SGD), "gRDA": hollow(palette.GRDA._replace(symbol="square"))}
    ink = palette.Style(palette.INK, "solid", "square")
    entry = key("later", ink, "hollow")

    def marked() -> Explorable:
        drawn = [dots(name, style, x=[0]) for name, style in looks.items()]
        controls = {"a": Slider([1, 2])}
        return Explorable(
            lambda: panels(Panel(*drawn)),
            lambda a: ({"SGD.y": [a], "gRDA.y": [a], heading_key(0): entry}, "None."),
            controls,
        )

    keyed = Case(
        "marked", marked, lambda a: {}, looks, {"notes[0]": {"later": (palette.INK, "SGD", "gRDA")}}
    )
    _, alive = survivors(keyed)
    assert alive == []
    for false in (key("later", palette.GRDA, "both"), key("later", ink, "mark")):
        entry = false
        with pytest.raises(AssertionError, match="the key 'later'"):
            check(keyed.shown({"a": 1}), expected(keyed, {"a": 1}))


def test_what_is_filled_is_a_bar_in_a_key():
    """Its edge is a line too, and the key could not say which of the two it means."""
    band = line("band", palette.GRDA, fill="tozeroy", x=[0, 1], y=[1, 1])
    picture = Picture(lambda: panels(Panel(band, key=key("band", palette.GRDA, "bar"))))
    keyed = Case(
        "band", lambda: picture, lambda: {}, {"band": palette.GRDA}, {"notes[0]": {"band": "band"}}
    )
    assert survivors(keyed)[1] == []


def test_a_glyph_needs_coloured_words():
    picture = Picture(lambda: panels(Panel(line("a", palette.GRDA), title="━ ours")))
    loose = Case("loose", lambda: picture, lambda: {}, {"a": palette.GRDA})
    with pytest.raises(AssertionError, match="outside coloured words"):
        check(loose.shown({}), expected(loose, {}))


def test_a_picture_is_read_as_it_was_drawn_last():
    def make(n: int) -> Picture:
        picture = Picture(lambda: panels(Panel(line("a", palette.GRDA))))
        picture.show({"a.y": [1.0, 2.0], heading_key(0): f"{n} epochs"}, f"After {n}.")
        return picture

    drawn = Case(
        "drawn",
        make,
        lambda n: {"sentence": [n], "notes[0]": [n]},
        {"a": palette.GRDA},
        positions=[{"n": 1}, {"n": 20}],
    )
    assert survivors(drawn)[1] == []


# ------------------------------------------------- the command


def test_the_command_prints_survivors_and_fails(monkeypatch, capsys):
    monkeypatch.setattr(tool, "import_module", lambda _: type("Cases", (), {"CASES": [case()]}))
    assert tool.main(["04"]) == 0
    assert "true_figure" in capsys.readouterr().out
    silent = case(says=lambda a, b: {**says(a, b), "sentence": [a, 1000 * a, 1000 * b]})
    monkeypatch.setattr(tool, "import_module", lambda _: type("Cases", (), {"CASES": [silent]}))
    assert tool.main(["04"]) == 1
    assert "'fewer' became 'more'" in capsys.readouterr().out
    assert tool.main(["04", "--figure", "another"]) == 0


def test_an_unknown_lesson_is_named(capsys):
    with pytest.raises(SystemExit):
        tool.main(["77"])
    assert "'77': accepted are" in capsys.readouterr().err
