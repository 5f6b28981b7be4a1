"""Finished pages without what bars readers."""

from pathlib import Path

from tools.pages.mended import mend, mended

SIGNATURE = '<dt class="sig">f(\n\n<dl>\n<dd><em>a</em>,</dd>\n<dd><em>b</em></dd>\n</dl>\n\n)</dt>'
FIELDS = "<dl>\n<dt>Parameters</dt>\n<dd><p>a</p></dd>\n</dl>"


def test_a_signature_is_no_list_of_definitions_and_what_is_one_stays() -> None:
    made = mended(SIGNATURE)
    assert "<dl>" not in made and "<dd>" not in made
    assert made.count('class="grda-parameter"') == 2 and made.count("<span") == made.count(
        "</span>"
    )
    assert mended(FIELDS) == FIELDS
    nested = f"<dl>\n<dd>{FIELDS}</dd>\n</dl>"
    assert mended(nested) == nested


def test_only_code_that_a_phone_cuts_off_is_reached_by_the_keyboard() -> None:
    short, long = f"<pre>{'&lt;' * 38}\nb</pre>", f"<pre><span>{'x' * 39}</span></pre>"
    assert mended(short) == short
    assert mended(long) == long.replace("<pre>", '<pre tabindex="0">')


def test_a_long_name_breaks_between_its_words_and_a_short_one_stays() -> None:
    code = '<span class="pre">{}</span>'
    path = code.format("tests/optim/test_grda.py::test_it_is")
    assert mended(path) == code.format(
        "tests/<wbr>optim/<wbr>test_<wbr>grda.py::<wbr>test_<wbr>it_<wbr>is"
    )
    assert mended(mended(path)) == mended(path)
    short = code.format("grda_edu/reference.py")
    assert mended(short) == short


def test_a_caption_has_a_level() -> None:
    assert (
        mended('<p class="caption" role="heading">')
        == '<p class="caption" role="heading" aria-level="2">'
    )


def test_done_twice_is_done_once(tmp_path: Path) -> None:
    page = tmp_path / "a" / "b.html"
    page.parent.mkdir()
    page.write_text(
        SIGNATURE + '<p class="caption" role="heading">x</p><pre>' + "y" * 50 + "</pre>"
    )
    mend(tmp_path)
    once = page.read_text()
    mend(tmp_path)
    assert page.read_text() == once != SIGNATURE
