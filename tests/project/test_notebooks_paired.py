"""notebooks/*.ipynb are what notebooks/*.md make, and a learner who saves one leaves the sources alone."""

import asyncio
import json
import re
from pathlib import Path

import nbformat
import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupytext.async_contentsmanager import build_async_jupytext_contents_manager_class
from nbformat.sign import NotebookNotary

from tools import make_notebooks
from tools.facts import public_address
from tools.make_notebooks import notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted(NOTEBOOKS.glob("*.md"))
EXAMPLE = """---
jupytext:
  formats: md:myst,ipynb
kernelspec:
  display_name: Other
  name: other
---

# Title

```{code-cell} ipython3
x = 1
```

```{code-cell} ipython3
x = 1
```
"""

each_lesson = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


def test_there_is_a_notebook_for_every_source_and_no_other() -> None:
    assert SOURCES
    assert [source.with_suffix(".ipynb") for source in SOURCES] == sorted(NOTEBOOKS.glob("*.ipynb"))


@each_lesson
def test_pair_agrees(source: Path) -> None:
    made = notebook(source.read_text("utf-8"))
    assert source.with_suffix(".ipynb").read_text("utf-8") == made, "run: make notebooks"


def test_the_check_says_which_pair_differs_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_notebooks, "FOLDER", tmp_path)
    for name in ("01_one", "02_two", "03_three"):
        (tmp_path / f"{name}.md").write_text(EXAMPLE, "utf-8")
    assert make_notebooks.main([]) == 0
    assert make_notebooks.main(["--check"]) == 0
    (tmp_path / "01_one.ipynb").unlink()
    (tmp_path / "02_two.md").write_text(EXAMPLE.replace("x = 1", "x = 2"), "utf-8")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    assert make_notebooks.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert "01_one.ipynb, 02_two.ipynb;" in said and "03_three" not in said
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@each_lesson
def test_notebook_is_valid_and_bare(source: Path) -> None:
    """No outputs, no widgets, no pairing; a kernel that every JupyterLab has, so that none is asked for."""
    text = source.with_suffix(".ipynb").read_text("utf-8")
    nbformat.validate(nbformat.reads(text, as_version=4))
    plain = json.loads(text)
    assert set(plain["metadata"]) == {"kernelspec", "language_info"}
    assert plain["metadata"]["kernelspec"]["name"] == "python3"
    code = [cell for cell in plain["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert len({cell["id"] for cell in plain["cells"]}) == len(plain["cells"])


@each_lesson
def test_first_code_cell_can_install_the_course_on_colab(source: Path) -> None:
    cells = json.loads(source.with_suffix(".ipynb").read_text("utf-8"))["cells"]
    first = "".join(next(cell["source"] for cell in cells if cell["cell_type"] == "code"))
    assert f"git+{public_address()}" in first


def test_made_notebook_depends_on_the_source_alone() -> None:
    made = notebook(EXAMPLE)
    assert made == notebook(EXAMPLE)
    assert "formats" not in made
    assert json.loads(made)["metadata"]["kernelspec"]["name"] == "python3"


def test_a_changed_cell_changes_its_own_id_only() -> None:
    def ids(text: str) -> list[str]:
        return [cell["id"] for cell in json.loads(notebook(text))["cells"]]

    before, after = ids(EXAMPLE), ids(EXAMPLE.replace("# Title", "# Other"))
    assert len(set(before)) == 3  # equal cells too have their own
    assert before[0] != after[0]
    assert before[1:] == after[1:]


@each_lesson
def test_saving_the_notebook_changes_no_source(source: Path, tmp_path: Path) -> None:
    """Saved as JupyterLab saves it, through jupytext's contents manager, beside a source."""
    for path in (source, source.with_suffix(".ipynb")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    name = source.with_suffix(".ipynb").name
    notary = NotebookNotary(db_file=":memory:")  # signs no notebook for the user of this computer
    manager = build_async_jupytext_contents_manager_class(AsyncLargeFileManager)(
        root_dir=str(tmp_path), notary=notary
    )

    async def save() -> None:
        model = await manager.get(name, content=True)
        model["content"]["cells"][0]["source"] = "changed by the learner"
        await manager.save(model, name)

    asyncio.run(save())
    notary.store.close()
    assert "changed by the learner" in (tmp_path / name).read_text("utf-8")
    assert (tmp_path / source.name).read_bytes() == source.read_bytes()
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {source.name, name}


SET_UP = re.compile(
    r"try:  # on Colab[^\n]*\n    from grda_edu import course\nexcept ModuleNotFoundError:\n"
    r"    %pip install --quiet [^\n]*\n    from grda_edu import course\n\n(course\.\w+\(\"\d\d\"\)\n?){1,3}"
)
CALLS_UP = re.compile(r"(course\.(navigation|predict|quiz|course_map)\([^\n]*\)\n?)+")


@each_lesson
def test_folded_are_the_cells_that_only_call_up_a_card_or_a_line(source: Path) -> None:
    """And no other: what a learner should read or change stands open."""
    cells = [
        cell
        for cell in nbformat.reads(notebook(source.read_text("utf-8")), as_version=4).cells
        if cell.cell_type == "code"
    ]
    folded = [cell.metadata.get("jupyter", {}).get("source_hidden", False) for cell in cells]
    assert folded == [
        bool(SET_UP.fullmatch(cell.source) or CALLS_UP.fullmatch(cell.source)) for cell in cells
    ]
    assert SET_UP.fullmatch(cells[0].source) and sum(folded) >= 3
