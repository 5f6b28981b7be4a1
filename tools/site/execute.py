"""Run the lessons' notebooks once, and keep what they showed as long as nothing changes."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.make_notebooks import FOLDER, notebook

ROOT = Path(__file__).parents[2]
TABLE_BYTES = 4_000_000  # of one preset of a figure
BEFORE = f"from tools.site import kernel as _kernel; _kernel.begin({TABLE_BYTES})"
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "plotly", "anywidget", "ipywidgets")


class LessonError(Exception):
    """A lesson whose notebook cannot be run; the message names the lesson and the cell."""


def lessons() -> list[Path]:
    """The lessons' sources, in order."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.md"))


def executed(sources: list[Path], cache: Path) -> dict[str, nbformat.NotebookNode]:
    """Number of each lesson -> its notebook with what it showed, from the cache or run now."""
    cache.mkdir(parents=True, exist_ok=True)
    state = _state()
    with ThreadPoolExecutor(max(1, min(2, os.cpu_count() or 1))) as pool:
        made = list(pool.map(lambda source: _kept(source, cache, state), sources))
    return {source.name[:2]: one for source, one in zip(sources, made, strict=True)}


def _state() -> str:
    """What every lesson's outputs depend on besides its own text."""
    digest = hashlib.sha256()
    here = [
        Path(__file__).with_name(f"{name}.py") for name in ("execute", "kernel", "films", "kinds")
    ]
    files = [*(ROOT / "grda_edu").rglob("*"), *here]
    for path in sorted(files):
        if path.suffix in (".py", ".npz", ".json"):
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    for name in PACKAGES:
        digest.update(f"{name} {version(name)}\n".encode())
    digest.update(f"{platform.python_version()} {platform.machine()}\n".encode())
    return digest.hexdigest()


def _kept(source: Path, cache: Path, state: str) -> nbformat.NotebookNode:
    text = source.read_text("utf-8")
    key = hashlib.sha256(f"{state}\n{text}".encode()).hexdigest()
    kept = cache / f"{source.stem}.json"
    if kept.exists():
        found = json.loads(kept.read_text("utf-8"))
        if found["key"] == key:
            return nbformat.from_dict(found["notebook"])
    made = run(nbformat.reads(notebook(text), as_version=4), source.stem)
    kept.write_text(json.dumps({"key": key, "notebook": made}), "utf-8")
    return made


def run(made: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """The notebook with what its cells showed. Raises LessonError, naming lesson and cell."""
    before = nbformat.v4.new_code_cell(BEFORE)
    made.cells.insert(0, before)
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "GRDA_EDU_HOME": folder,
        }
        client = NotebookClient(
            made,
            timeout=600,
            startup_timeout=300,
            kernel_name="python3",
            store_widget_state=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            where = next(k for k, cell in enumerate(made.cells) if _failed(cell))
            raise LessonError(
                f"lesson {name}: cell {where} failed: {error.ename}: {error.evalue}\n\n{made.cells[where].source}"
            ) from None
    made.cells.remove(before)
    return made


def _failed(cell: nbformat.NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))
