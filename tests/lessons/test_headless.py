"""Every notebook from top to bottom without a browser and without a network, as it ships and solved."""

import json
import re
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from grda_edu.course.map import lesson

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))
MEMORY_MB = 850  # of the kernel; JupyterLab's server takes 150 MB of the gigabyte
TABLE_BYTES = 4_000_000  # of all figures of a lesson

# Python code cannot reach the network from here on; the kernel's own channels are native.
BEFORE = """
import socket
def _refuse(*_, **__):
    raise OSError("this test runs without a network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = _refuse
"""

AFTER = """
import json, sys
import psutil
from ipywidgets.widgets.widget import _instances
from grda_edu.explore import Explorable, Picture
_pictures = [w for w in _instances.values() if isinstance(w, Picture)]
_report = {
    "figures": len(_pictures),
    "broken": [f"{p.label}: {p.error}" for p in _pictures if p.error],
    "tables": sum(p.table_bytes for p in _pictures if isinstance(p, Explorable)),
    "live": [p.label for p in _pictures if isinstance(p, Explorable) and not p.tabulated],
    "torch": "torch" in sys.modules,
    "memory": psutil.Process().memory_info().rss / 1e6,
}
"REPORT" + json.dumps(_report)
"""


def execute(notebook, folder, monkeypatch):
    """Run the notebook; returns all text it showed, and the report of the last cell."""
    monkeypatch.setenv("GRDA_EDU_HOME", str(folder / "progress"))
    before, after = nbformat.v4.new_code_cell(BEFORE), nbformat.v4.new_code_cell(AFTER)
    notebook.cells = [before, *notebook.cells, after]
    NotebookClient(
        notebook,
        timeout=300,
        startup_timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    texts = [
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    ]
    report = json.loads(texts.pop().strip("'").removeprefix("REPORT"))
    return "\n".join(texts), report


def checks(notebook):
    """(cell, full name, function's name) of every exercise in the notebook."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for name, function in re.findall(r'course\.check\("([\w.]+)", (\w+)\)', cell.source):
                yield cell, name, function


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_as_it_ships(path, tmp_path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    exercises = len(list(checks(notebook)))
    text, report = execute(notebook, tmp_path, monkeypatch)
    assert text.count("Not begun yet") == exercises > 0
    assert report["broken"] == []
    assert report["figures"] > 0
    assert report["live"] == []
    assert report["tables"] <= TABLE_BYTES
    assert report["memory"] <= MEMORY_MB
    assert report["torch"] == lesson(path.name[:2]).torch


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solved(path, tmp_path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    number = path.name[:2]
    lesson = f"grda_edu.lessons.lesson{number}"
    exercises = list(checks(notebook))
    for cell, name, function in exercises:
        solution = import_module(lesson).EXERCISES[name[3:]]
        # The source as a learner is shown it has to work in the learner's notebook.
        answer = f"{solution.solution_source()}\n{function} = {solution.solution.__name__}\n"
        call = f'course.check("{name}", {function})'
        cell.source = cell.source.replace(call, answer + call)
    predictions = 0
    for cell in notebook.cells:
        if cell.cell_type == "code" and (
            found := re.search(r'course\.predict\("(.+)"\)', cell.source)
        ):
            name = found[1]
            predictions += 1
            cell.source = (
                f"from {lesson} import PREDICTIONS\n"
                f'course.progress.commit("{name}", PREDICTIONS["{name[3:]}"].right())\n'
                + cell.source
            )
    text, report = execute(notebook, tmp_path, monkeypatch)
    assert text.count("Right. All ") == len(exercises)
    assert "Not begun yet" not in text
    assert report["broken"] == []
    kept = json.loads(next((tmp_path / "progress").glob("*.json")).read_text("utf-8"))
    assert len(kept["exercises"]) == len(exercises)
    assert len(kept["predictions"]) == predictions
