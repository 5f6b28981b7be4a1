"""What a figure is called: its variable, the call that made it, or nothing."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from grda_edu.explore import naming, rerun

FIGURE, OTHER = object(), object()


@pytest.fixture
def called(monkeypatch):
    shell = InteractiveShell()

    def name(source: str, **variables: object) -> str:
        shell.get_parent = lambda: {"content": {"code": source}}
        shell.user_ns = variables
        return naming.name_of(FIGURE)

    monkeypatch.setattr(rerun, "_shell", lambda: shell)
    yield name
    shell.history_manager.end_session()


@pytest.mark.parametrize(
    ("source", "variables", "name"),
    [
        ("demo = make()\ndemo", {"demo": FIGURE, "other": OTHER}, "demo"),
        (
            "lesson.make( 'a',n = 2 )",
            {"_": FIGURE, "_12": FIGURE, "x": OTHER},
            "lesson.make('a', n=2)",
        ),
        ("from a import lesson\n\nlesson.make()", {}, "lesson.make()"),
        ("%time x = 1\nlesson.make()  # a comment", {}, "lesson.make()"),
        ("display(lesson.make())", {}, ""),
        ("VBox([lesson.make()]).children[0]", {}, ""),
        ("x = lesson.make()", {}, ""),
        ("", {}, ""),
        ("this is no Python", {}, ""),
    ],
)
def test_variable_call_or_nothing(called, source, variables, name):
    assert called(source, **variables) == name


def test_outside_a_notebook(monkeypatch):
    monkeypatch.setattr(rerun, "_shell", lambda: None)
    assert naming.name_of(FIGURE) == ""
