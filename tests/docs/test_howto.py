"""Every block of code on the how-to pages runs and prints what the page says."""

import re
from pathlib import Path

import pytest

from tests.docs.running import HOWTO, STACKS, as_shown, blocks, run

PAGES = sorted(path.stem for path in HOWTO.glob("*.md") if path.stem != "index")


@pytest.mark.parametrize("name", [name for name in PAGES if name not in STACKS])
def test_the_page_does_what_it_says(name: str, tmp_path: Path) -> None:
    run(HOWTO / f"{name}.md", tmp_path)


def test_every_page_is_in_the_index_and_has_code() -> None:
    index = (HOWTO / "index.md").read_text("utf-8")
    assert sorted(re.findall(r"^(\w+)$", index.split("```{toctree}")[1], re.MULTILINE)) == PAGES
    assert set(STACKS) <= set(PAGES)
    assert all(
        any(block.kind in ("python", "file") for block in blocks(HOWTO / f"{n}.md")) for n in PAGES
    )


@pytest.mark.parametrize("name", PAGES)
def test_no_code_goes_untested(name: str) -> None:
    kinds = {block.kind for block in blocks(HOWTO / f"{name}.md")}
    assert kinds <= {"python", "file", "sh", "text"}
    assert "sh" not in kinds or name in STACKS  # commands are run there only


def test_a_page_that_lies_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n")
    with pytest.raises(AssertionError, match=r"line 6: it printed\s2"):
        run(page, tmp_path)
    page.write_text("# A\n\n```python\nassert 1 + 1 == 3\n```\n")
    with pytest.raises(AssertionError) as told:
        run(page, tmp_path)
    assert told.traceback[-1].lineno + 1 == 4  # the page's own line


def test_what_varies_is_left_out_of_a_line_only() -> None:
    assert as_shown("a … c\n").fullmatch("a 7 c\n")
    assert not as_shown("a … c\n").fullmatch("a 7\n c\n")
