"""In a real kernel: nothing piles up, nothing blocks, everything is readable without a page."""

import ast

import nbformat.v4 as nb
import pytest
from nbclient import NotebookClient

SETUP = """
import sys, types
from ipywidgets import Widget
from grda_edu import course
def double(x):
    return 2 * x
lesson = types.ModuleType("grda_edu.lessons.lesson01")
lesson.PREDICTIONS = {
    "sum": course.Prediction(
        title="Sum", question="1 + 1?", answer=lambda: str(1 + 1), options={"2": "Yes.", "3": "No."}
    )
}
lesson.EXERCISES = {
    "double": course.Exercise(
        title="Double", task="Write it.", solution=double, hints=("2",),
        cases=(course.Case((3.0,), 6.0), course.Case((-1.0,), -2.0)),
    )
}
lesson.OBJECTIVES = {"add": "sum", "double": "double"}
sys.modules[lesson.__name__] = lesson
"""
LESSON = """
course.begin("01")
course.navigation("01")
course.objectives("01")
course.predict("01.sum")
course.check("01.double", lambda x: x + 3)
course.course_map()
"""
COUNT = "print((len(Widget.widgets), len(course.progress._watchers), len(course.page._live)))"


@pytest.fixture
def kernel(home, monkeypatch):
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    cells = [nb.new_code_cell(source) for source in (SETUP, LESSON, COUNT)]
    client = NotebookClient(nb.new_notebook(cells=cells), timeout=300, startup_timeout=300)
    with client.setup_kernel():
        yield client


def run(client, index):
    cell = client.execute_cell(client.nb.cells[index], index)
    return "\n".join(
        out.get("text") or out.get("data", {}).get("text/plain", "") for out in cell.outputs
    )


def test_running_a_cell_twenty_times_leaves_one_of_each(kernel):
    run(kernel, 0)
    run(kernel, 1)
    once = ast.literal_eval(run(kernel, 2))
    for _ in range(19):
        run(kernel, 1)
    assert ast.literal_eval(run(kernel, 2)) == once
    assert once[1:] == (2, 2)


def test_a_run_without_a_page_reads_well(kernel):
    run(kernel, 0)
    text = run(kernel, 1)
    for words in (
        "grda-edu ",
        "next: ",
        "○ add (prediction “Sum”: open)",
        "Predict: 1 + 1?",
        "Exercise 01.double: Not yet. 1 of 2 checks pass; then: 2 came out where -2 is expected.",
        "input: double(x=-1)",
        "01 Soft-thresholding",
    ):
        assert words in text
    assert "Card" not in text and "<" not in text


GUARDED = """
import sys, time
from dataclasses import replace
lesson.EXERCISES["double"] = replace(lesson.EXERCISES["double"], seconds=0.3)

def swallows(x):
    while True:
        try:
            time.sleep(0.01)
        except:
            pass

def leaves(x):
    sys.exit()

for attempt in (swallows, leaves):
    course.check("01.double", attempt)
"""


def test_what_the_guard_ended_leaves_nothing_in_the_kernel(kernel):
    """A bare except does not hold the kernel, exit() leaves a card, and the next error stands alone."""
    kernel.nb.cells += [nb.new_code_cell(source) for source in (GUARDED, "1 / 0")]
    run(kernel, 0)
    text = run(kernel, 3)
    assert "did not end within 0.3 seconds" in text and "stopped with SystemExit" in text
    kernel.allow_errors = True
    (error,) = kernel.execute_cell(kernel.nb.cells[4], 4).outputs
    told = "\n".join(error["traceback"])
    assert error["ename"] == "ZeroDivisionError" and "During handling" not in told
