"""What stops the build of the web edition, each by its name; and what pages are made of."""

from __future__ import annotations

import base64
import gzip
import re
import subprocess
import sys
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest

from grda_edu.explore import Choice, Explorable, Slider, line, palette, panels
from grda_edu.explore.panel import Panel
from grda_edu.lessons import lesson05
from tools.site import execute, films, library, pages, still
from tools.site.__main__ import ROOT, STRICT, main, mended
from tools.site.glossary import Glossary, GlossaryError, with_places
from tools.site.kinds import MIME
from tools.site.mathml import formula, sides

X = np.linspace(0, 1, 7)
WORDS = Glossary({"accumulator": "accumulator", "SGD": "SGD", "time": "time"}, {"c": "symbol-c"})


def demo(label: str = "A line", **more: object) -> Explorable:
    return Explorable(
        lambda: panels(Panel(line("line", palette.INK, x=X))),
        lambda a, kind: ({"line.y": a * X + kind}, f"slope {a:g}, {kind:g}"),
        {"a": Slider(range(5), start=2), "kind": Choice({"low": 0.0, "high": 1.0})},
        label=label,
        **more,  # type: ignore[arg-type]
    )


def shown(figure: Explorable, **more: object) -> dict:
    """What the kernel would leave of it."""
    state, tables = figure.page()
    packed = [{**t, "data": base64.b64encode(t["data"]).decode()} for t in tables]
    return {
        "kind": "figure",
        "state": state,
        "name": "lesson.demo()",
        "tables": packed,
        "veil": "",
        "waits_for": [],
        **more,
    }


def page(*outputs: dict, text: str = "# 00 · A lesson") -> pages.Page:
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("run()")]
    cells[1].outputs = [nbformat.v4.new_output("display_data", {MIME: left}) for left in outputs]
    return pages.page("00", nbformat.v4.new_notebook(cells=cells), WORDS)


# ------------------------------------------------- what stops it


def test_a_failing_cell_names_lesson_and_cell() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1 / 0")])
    with pytest.raises(
        execute.LessonError, match=r"lesson 03_x: cell 1 failed: ZeroDivisionError.*\n.*\nx = 1 / 0"
    ):
        execute.run(notebook, "03_x")


def test_a_table_over_its_budget_names_the_figure() -> None:
    source = (
        "import numpy as np\n"
        "from grda_edu.explore import Explorable, Panel, Slider, line, palette, panels\n"
        "x = np.linspace(0, 1, 400)\n"
        "Explorable(lambda: panels(Panel(line('l', palette.INK, x=x))), lambda a: ({'l.y': a * x}, ''),"
        " {'a': Slider(range(4000))}, label='Too large')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(execute.LessonError, match=r"'Too large' .*accepted are 4,000,000"):
        execute.run(notebook, "03_x")


def test_a_figure_without_a_label_is_named() -> None:
    with pytest.raises(pages.PageError, match="lesson00: figure 'demo' has no label"):
        page(shown(demo("")))


def test_a_figure_that_shows_an_error_is_named() -> None:
    left = shown(demo())
    left["state"]["error"] = "This figure could not be computed. Recording paths is missing."
    with pytest.raises(pages.PageError, match=r"figure 'demo' shows an error: .*paths is missing"):
        page(left)


@pytest.mark.parametrize("term", ["lobster", "Bezier path"])
def test_a_term_without_an_entry_is_named(term: str) -> None:
    with pytest.raises(GlossaryError, match=f"lesson00: the term '{term}' has no entry"):
        page(text=f"# 00\n\nThis is a **{term}**.")


@pytest.mark.parametrize("said", ["**accumulator**", "**Honest limits.**", "**Start**", "**SGD**"])
def test_what_is_explained_or_no_term_passes(said: str) -> None:
    page(text=f"# 00\n\nThis is {said} here.")


LESSONS = sorted((execute.ROOT / "notebooks").glob("[0-9][0-9]_*.md"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_term_of_a_lesson_has_an_entry(path) -> None:
    Glossary.read().check(path.read_text("utf-8"), path.stem)


LINKS = {
    "[x](nowhere.md)": "target not found: 'nowhere.md'",
    "[x](#no-heading)": "target not found: 'no-heading'",
    "[x](lesson00.md#no-heading)": "local id not found in doc 'lesson00': 'no-heading'",
    "{term}`nonsense`": "term not in glossary: 'nonsense'",
    "{py:func}`grda_edu.nonsense`": "reference target not found: grda_edu.nonsense",
}


def test_links_that_lead_nowhere_stop_the_build(tmp_path) -> None:
    """The pages are laid and Sphinx is called as the build does it; in a process of its own, since here a
    warning of Sphinx's packages is an error.
    """
    laid = tmp_path / "laid"
    laid.mkdir()
    (laid / "index.md").write_text("# Front\n\n" + "\n\n".join(LINKS), "utf-8")
    (laid / "lesson00.md").write_text("# A lesson", "utf-8")
    options = ["-b", "dummy", "-q", "-c", str(ROOT / "docs"), *STRICT]
    command = [sys.executable, "-m", "sphinx", *options, str(laid), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    for k, said in enumerate(LINKS.values()):
        assert f"index.md:{3 + 2 * k}: WARNING: " in done.stderr
        assert said in done.stderr


def test_a_build_that_fails_leaves_the_site_that_was_there(tmp_path, monkeypatch) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "index.html").write_text("as it was", "utf-8")

    def fails(*_: object) -> None:
        raise pages.PageError("lesson00: figure 'demo' has no label, which screen readers need")

    monkeypatch.setattr(execute, "executed", lambda *_: {"00": nbformat.v4.new_notebook()})
    monkeypatch.setattr(pages, "page", fails)
    assert main(["--out", str(out), "--work", str(tmp_path / "work")]) == 1
    assert (out / "index.html").read_text("utf-8") == "as it was"


def test_a_recording_that_is_missing_names_it_with_lesson_and_cell() -> None:
    source = "from grda_edu.recordings import load\nload('nonsense')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(execute.LessonError, match=r"lesson 03_x: cell 1 failed: .*nonsense"):
        execute.run(notebook, "03_x")


def test_another_plotly_js_is_refused(tmp_path, monkeypatch) -> None:
    other = tmp_path / library.FLAT.name
    other.write_text(library.FLAT.read_text("utf-8") + " ", "utf-8")
    monkeypatch.setattr(library, "FLAT", other)
    with pytest.raises(ValueError, match=f"SHA-256 .*accepted is {library.FLAT_SHA256}"):
        library.libraries()


def test_both_parts_of_plotly_js_are_of_one_version() -> None:
    found = library.libraries()
    assert len({library.version(text) for text in found.values()} - {""}) == 1


# ------------------------------------------------- terms and symbols


def test_the_first_use_of_a_term_is_linked_and_no_other() -> None:
    used: set[str] = set()
    text = WORDS.linked("# Accumulator\n`accumulator` An Accumulator, and an accumulator.", used)
    assert text == (
        "# Accumulator\n`accumulator` An {term}`Accumulator <accumulator>`, and an accumulator."
    )
    assert WORDS.linked("an accumulator", used) == "an accumulator"


def test_an_everyday_word_is_a_term_in_bold_alone() -> None:
    text = WORDS.linked("In time, **time** comes.", set())
    assert text == "In time, **{term}`time <time>`** comes."


def test_a_symbol_is_linked_where_it_stands_alone_or_has_a_value() -> None:
    text = WORDS.linked("With $c\\gamma$, $c = 0.02$ and $c$.", set())
    assert re.fullmatch(
        r"With \$c\\gamma\$, <a [^>]*glossary.html#symbol-c\"[^>]*>\$c = 0.02\$</a> and \$c\$\.",
        text,
    )


def test_nothing_is_linked_inside_links_and_formulas() -> None:
    text = "[the accumulator](x.md) and $accumulator$ and ![SGD](y.png)"
    assert WORDS.linked(text, set()) == text


def test_the_glossary_is_read_with_its_short_forms() -> None:
    found = Glossary.read()
    assert found.terms["OBS"] == "optimal brain surgeon (OBS)"
    assert found.terms["accumulators"] == "accumulator"
    assert found.symbols[r"\gamma"] == "symbol-gamma"
    assert 'id="symbol-gamma"' in with_places(r"| $\gamma$ | The learning rate. | x |")


# ------------------------------------------------- pages


def test_a_figure_leaves_a_place_and_a_script_for_each_preset() -> None:
    made = page(shown(demo(), veil="Commit first.", waits_for=["00.one"]))
    assert sorted(made.scripts) == ["lesson00-demo.1.js", "lesson00-demo.js"]
    assert 'data-figure="lesson00-demo"' in made.text and 'id="demo"' in made.text
    assert 'data-waits-for="00.one"' in made.text and "slope 2, 0" in made.text
    assert made.scripts["lesson00-demo.js"].startswith('grdaPage.figure("lesson00-demo",{')
    assert made.scripts["lesson00-demo.1.js"].startswith('grdaPage.table("lesson00-demo",1,{')


def test_a_table_keeps_every_number() -> None:
    """Unpacked by hand: the first bytes of all numbers, then the second ones, and so on."""
    figure = demo()
    made = page(shown(figure))
    packed = re.search(r'"data":"([^"]+)"', made.scripts["lesson00-demo.js"])
    assert packed is not None
    parted = np.frombuffer(gzip.decompress(base64.b64decode(packed[1])), np.uint8).reshape(4, -1)
    assert parted.T.tobytes() == figure.page()[1][0]["data"]


def test_two_figures_of_one_name_have_places_of_their_own() -> None:
    made = page(shown(demo()), shown(demo()))
    assert list(made.figures) == ["demo", "demo-2"]


def test_links_between_notebooks_are_links_between_pages() -> None:
    made = page(
        text="# 00\n\n[next](01_soft_thresholding.ipynb) and [this](02_two_spaces.md#recap)"
    )
    assert "[next](lesson01.md)" in made.text and "[this](lesson02.md#recap)" in made.text


def test_a_figures_name_leads_to_it_and_a_public_name_to_its_reference() -> None:
    """By the variable that holds it, where there is one; a table is somewhere on the page."""
    code = "spaces = lesson02.two_spaces()\nspaces\nlesson02.rows(3)\nlesson03.other()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    places = pages.figure_places("lesson02", notebook, {"spaces"})
    assert places == {
        "lesson02.two_spaces": "lesson02.html#spaces",
        "lesson02.rows": "lesson02.html",
    }
    text = "- Figures: `lesson02.two_spaces`, `lesson02.nowhere`\n- In code: `GRDA`\n- Else: `GRDA`"
    assert pages.with_links(text, places).splitlines() == [
        '- Figures: <a href="../lesson02.html#spaces"><code class="literal">lesson02.two_spaces</code></a>, '
        "`lesson02.nowhere`",
        "- In code: {py:obj}`GRDA <grda_edu.GRDA>`",
        "- Else: `GRDA`",
    ]


def test_a_lesson_that_is_named_is_led_to() -> None:
    text = "\n".join(
        [
            "# Lesson 01",
            "Lesson 11 has it (lesson 05), and lessons 04, `lesson 06`.",
            "{doc}`lesson 02 </lesson02>`",
            "```python",
            "print('lesson 03')",
            "```",
            "```{table}",
            "| lesson 07 |",
            "```",
            "lesson 08",
        ]
    )
    made = pages.with_lessons(text)
    assert re.findall(r"\{doc\}`[Ll]esson (\d\d) </lesson\1>`", made) == [
        "11",
        "05",
        "02",
        "07",
        "08",
    ]
    assert re.sub(r"\{doc\}`([Ll]esson \d\d) </lesson\d\d>`", r"\1", made) == text.replace(
        "{doc}`lesson 02 </lesson02>`", "lesson 02"
    )


def test_an_address_that_leads_nowhere_says_so(monkeypatch) -> None:
    text = "<!-- install -->\n\n<!-- address -->"
    monkeypatch.setattr(pages, "public_address", lambda: "https://github.com/OWNER/grda-edu")
    assert "lead nowhere" in pages.filled(text, {})
    assert "lead nowhere" in pages.unsettled()
    monkeypatch.setattr(pages, "public_address", lambda: "https://github.com/someone/course")
    made = pages.filled(text, {})
    assert 'pip install "grda-edu @ git+https://github.com/someone/course"' in made
    assert "OWNER" not in made and "nowhere" not in made


def test_a_printed_page_has_nothing_that_waits_for_a_script() -> None:
    cells = [nbformat.v4.new_code_cell("run()")]
    cells[0].outputs = [nbformat.v4.new_output("display_data", {MIME: shown(demo())})]
    made = pages.page("00", nbformat.v4.new_notebook(cells=cells), WORDS, printed=True)
    assert "data-figure" not in made.text and "<svg" in made.text


def test_the_still_picture_has_the_line_where_its_values_are() -> None:
    state, tables = demo().page()
    table = {**tables[0], "data": base64.b64encode(tables[0]["data"]).decode()}
    html = still.still(state, table, "demo")
    path = re.search(r'<path d="M([^"]+)" fill="none" stroke="var\(--grda-24292f', html)
    assert path is not None
    points = [tuple(map(float, pair.split())) for pair in path[1].split("L")]
    assert len(points) == len(X)
    across = np.diff([x for x, _ in points])
    assert np.allclose(across, across[0], atol=0.11)  # x is even, and so is the picture
    up = -np.diff([y for _, y in points])
    assert np.allclose(up, up[0], atol=0.11) and up[0] > 0  # a line that rises


def test_a_formula_is_mathml() -> None:
    found = formula(r"w_n = S_{g(n,\gamma)}(v_n)", "block")
    assert found.startswith("<math") and 'display="block"' in found and "&#x003B3;" in found


def test_a_command_that_no_formula_knows_is_named() -> None:
    with pytest.raises(ValueError, match=r"\\lobster is not known"):
        formula(r"\lobster x", "inline")


SPACES = {  # formula -> text and (form, left, right) of the operators that browsers would guess wrongly
    r"\arg\min_w f": {"arg": ("prefix", "0", "0.167em"), "min": ("prefix", "0.167em", "0.167em")},
    r"a \log t": {"log": ("prefix", "0.167em", "0.167em")},
    r"\operatorname{sign}(w)": {"sign": ("prefix", "0", "0")},
    r"(1, -2)": {"−": ("prefix", None, None)},
    r"(1,\ -2)": {"−": ("prefix", None, None)},
    r"|w| - 1": {"−": (None, None, None)},
    r"w^\top - 1": {"−": (None, None, None)},
}


@pytest.mark.parametrize("latex", SPACES)
def test_operators_have_their_spaces(latex: str) -> None:
    made = ElementTree.fromstring(formula(latex, "inline"))
    found = {one.text: tuple(map(one.get, ("form", "lspace", "rspace"))) for one in made.iter()}
    assert {text: found[text] for text in SPACES[latex]} == SPACES[latex]


def test_formulas_beside_each_other_can_stand_below_each_other() -> None:
    assert sides(r"a = \frac{b \qquad c}{d}, \qquad e") == [r"a = \frac{b \qquad c}{d}, ", " e"]
    matrix = r"\begin{matrix} a \qquad b \end{matrix}"
    assert sides(matrix) == [matrix]


def test_no_line_is_broken_between_a_formula_and_its_stop() -> None:
    made = mended("with (<math><mi>a</mi></math>, and <math><mi>b</mi></math> there")
    assert made == (
        'with <span class="grda-whole">(<math><mi>a</mi></math>,</span> and <math><mi>b</mi></math> there'
    )


# ------------------------------------------------- what is said on a page alone


def test_what_is_said_otherwise_on_a_page_is_what_the_lesson_says() -> None:
    for number, told in pages.SAID_HERE.items():
        lesson = next(path for path in LESSONS if path.name.startswith(number))
        source = lesson.read_text("utf-8")
        assert [there for there in told if there not in source] == []
    made = page(
        text="Run the cells with **Shift + Enter**, one by one, or all at once with **Run → Run All Cells**. X"
    )
    assert "here all have been run. X" in made.text


def test_printed_sentences_wrap_and_printed_code_does_not() -> None:
    assert ":class: grda-said" in pages._printed("A sentence that is long.")
    assert ":class:" not in pages._printed("def f():\n    return 1")
    assert pages._printed(" \n") == ""


# ------------------------------------------------- films


def test_above_a_film_stands_the_goal_that_only_a_notebook_can_reach() -> None:
    view = lesson05.live_search()
    said = films.invitation(view)
    assert "Recorded when this page was built" in said
    assert "The goal there: choose c with at most 10 epochs of probing" in said
    assert view.picture.goals[0]["text"] in said


def test_a_film_has_a_picture_for_everything_that_was_shown() -> None:
    rows = [
        {"line.y": [], "layout.title.text": "a"},
        {"line.y": [1.0], "layout.title.text": "b"},
        {"line.y": [1.0, 2.0], "layout.title.text": "c"},
    ]
    even = films._even(rows)
    assert [row["layout.title.text"] for row in even] == ["a", "b", "c"]
    expected = [[np.nan, np.nan], [1, np.nan], [1, 2]]
    assert np.array_equal([row["line.y"] for row in even], expected, equal_nan=True)
