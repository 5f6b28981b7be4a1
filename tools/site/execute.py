"""Run the lessons' notebooks once, and keep what they showed as long as nothing changes."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.make_notebooks import FOLDER, notebook

ROOT = Path(__file__).parents[2]
TABLE_BYTES = 4_000_000  # of one preset of a figure
BEFORE = "from tools.site import kernel as _kernel; _kernel.begin({number!r}, {budget})"
AFTER = "print(_kernel.read())"
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "plotly", "anywidget", "ipywidgets")


class LessonError(Exception):
    """A lesson whose notebook cannot be run; the message names the lesson and the cell."""


def lessons() -> list[Path]:
    """The lessons' sources, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.md"))


def executed(sources: list[Path], cache: Path) -> dict[str, nbformat.NotebookNode]:
    """Number of each lesson -> its notebook with what it showed, from the cache or run now."""
    cache.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max(1, min(2, os.cpu_count() or 1))) as pool:
        made = list(pool.map(lambda source: _kept(source, cache), sources))
    return {source.name[:2]: one for source, one in zip(sources, made, strict=True)}


def _kept(source: Path, cache: Path) -> nbformat.NotebookNode:
    text = source.read_text("utf-8")
    kept = cache / f"{source.stem}.json"
    if kept.exists():
        found = json.loads(kept.read_text("utf-8"))
        if found["key"] == _key(text, found.get("read", [])):
            return nbformat.from_dict(found["notebook"])
    print(f"Running lesson {source.stem} …", flush=True)
    made, read = run(nbformat.reads(notebook(text), as_version=4), source.stem)
    state = {"key": _key(text, read), "read": read, "notebook": made}
    kept.write_text(json.dumps(state), "utf-8")
    return made


def _key(text: str, read: list[str]) -> str:
    """Of everything that a lesson's outputs follow from: its text, the project's files that it read, the packages."""
    where = f"{platform.python_version()} {platform.machine()}"
    digest = hashlib.sha256(f"{where}\n{BEFORE}{TABLE_BYTES}\n{text}".encode())
    for name in PACKAGES:
        digest.update(f"{name} {version(name)}\n".encode())
    for name in read:
        path = ROOT / name
        digest.update(f"{name}\n".encode() + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()


def run(made: nbformat.NotebookNode, name: str) -> tuple[nbformat.NotebookNode, list[str]]:
    """The notebook with what its cells showed, and the project's files that were read meanwhile.

    Raises LessonError, naming lesson and cell.
    """
    begin = BEFORE.format(number=name[:2], budget=TABLE_BYTES)
    before, after = (nbformat.v4.new_code_cell(source) for source in (begin, AFTER))
    made.cells = [before, *made.cells, after]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",  # the order of a set's members is seen here and there
            "GRDA_EDU_HOME": folder,
        }
        client = NotebookClient(
            made,
            timeout=600,
            startup_timeout=300,
            kernel_name="python3",
            store_widget_state=False,
            coalesce_streams=True,
            extra_arguments=[
                "--Application.log_level=40"
            ],  # it warns of what is not ours to change
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=environment)
        except CellExecutionError:
            where, error = next(_errors(made))
            raise LessonError(
                f"lesson {name}: cell {where} failed: {error.ename}: {error.evalue}\n\n{made.cells[where].source}"
            ) from None
    made.cells = made.cells[1:-1]
    return made, json.loads(after.outputs[0].text)


def _errors(made: nbformat.NotebookNode) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    """Number of each cell that failed, and its error, the first one that it told of."""
    for k, cell in enumerate(made.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield k, output
