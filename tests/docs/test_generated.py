"""The pages made from the course's own data: nothing is left out, and Markdown shows what a card shows."""

import re
from html import unescape

import pytest
from markdown_it import MarkdownIt

from grda_edu.course import LESSONS, page
from grda_edu.course.lookup import module
from tools.pages import generated, teachers

ROWS = {row.number: row for row in LESSONS}


def shown(html: str) -> str:
    """The letters that a reader sees, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rendered(markdown: str) -> str:
    return shown(MarkdownIt().enable("table").render(markdown))


def flat(text: str) -> str:
    """As a card shows it."""
    return shown(page.prose(text))


@pytest.mark.parametrize("number", ROWS)
def test_a_lessons_page_has_all_that_the_lesson_asks(number: str) -> None:
    row, here = ROWS[number], module(number)
    text = rendered(teachers.page(row))
    assert f"{row.number} {row.title}: for teachers" in text
    assert f"takes about {row.minutes} minutes" in text
    for aim in here.OBJECTIVES:
        assert flat(aim) in text
    for one in here.PREDICTIONS.values():
        filled = {**one.values(), "answer": one.right()}
        assert flat(one.question) in text
        for option, why in one.options.items():
            assert flat(option) in text and flat(why.format(**filled)) in text
        assert flat(one.explanation.format(**filled)) in text
    for exercise in here.EXERCISES.values():
        assert flat(exercise.task) in text and flat(exercise.done) in text
        assert all(flat(hint) in text for hint in exercise.hints)
    assert not re.search(r"\{\w+(:[^}]*)?\}", text.replace("{doc}", ""))  # nothing unfilled


def test_the_right_answer_is_bold_and_the_wrong_ones_are_misconceptions() -> None:
    one = module("02").PREDICTIONS["which_dies"]
    (right,) = (text for text in one.options if text == one.right())
    made = teachers.page(ROWS["02"]).partition("## Answers")[2]
    assert f"**{right}**" in made and f"- *{right}*" not in made
    assert all(f"- *{text}*: " in made for text in one.options if text != right)


@pytest.mark.parametrize(
    "text",
    [
        "|w| < 2 and a_b * c",
        "`np.abs(w)` of *all*",
        "a(0 − w*) = −a w*",
        "# 1. [x](y) $z$",
        "1. one",
        "- two",
    ],
)
def test_markdown_shows_what_a_card_shows(text: str) -> None:
    html = MarkdownIt().render(teachers.markdown(text))
    assert shown(html) == flat(text)
    assert html.count("<em>") == page.prose(text).count("<em>")
    assert html.startswith("<p>")  # no heading, no list


def test_the_index_adds_up() -> None:
    made = teachers.index()
    assert f"({sum(row.minutes for row in LESSONS)} minutes)" in made
    for row in LESSONS:
        further = f" + {row.further}" if row.further else ""
        assert re.search(
            rf"<lesson{row.number}>` .*\| {re.escape(f'{row.minutes}{further}')} \|", made
        )


def test_nothing_of_who_reads_it_is_on_the_page() -> None:
    """A page is made on a machine where somebody may have solved exercises."""
    assert not re.search(
        r"solved|committed\)|: open", teachers.page(ROWS["02"]).partition("## Q")[0]
    )


def test_the_citation_is_the_files() -> None:
    made = generated.citation((generated.ROOT / "CITATION.cff").read_text("utf-8"))
    assert "@inproceedings{chao2020," in made and "@article{chao2019," in made
    assert "author = {Chao, Shih-Kang and Wang, Zhanyu and Xing, Yue and Cheng, Guang}" in made
    assert "url = {https://arxiv.org/abs/1909.10072}" in made and "@software{grda_edu," in made
    assert made.count("{") == made.count("}")


def test_a_version_stands_without_the_files_brackets() -> None:
    text = "## [0.2.0] - 2027-01-01\n- A [link](x) and `a[0]`.\n## [Unreleased]\n"
    assert generated.changelog(text) == (
        "## 0.2.0 - 2027-01-01\n- A [link](x) and `a[0]`.\n## Unreleased\n"
    )


def test_a_percent_sign_stands_at_its_number() -> None:
    assert teachers.quantity(90.123, "%") == "90.12%"
    assert teachers.quantity(2.0, "epochs") == "2 epochs" and teachers.quantity(0.5, "") == "0.5"


def test_all_are_written(tmp_path) -> None:
    generated.write(tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.md")}
    assert written == set(generated.pages()) and len(written) == len(LESSONS) + 3
    assert (tmp_path / "library/changelog.md").read_text("utf-8").startswith("# Changelog")
