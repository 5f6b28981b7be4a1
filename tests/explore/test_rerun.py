"""What a cell made is closed when it runs again; with IPython's own shell, without a browser."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from grda_edu.explore import rerun


@pytest.fixture
def run(monkeypatch):
    """Runs a cell (its id) with code, as ipykernel's shell does."""
    shell = InteractiveShell()
    parent = {}
    shell.get_parent = lambda: parent
    monkeypatch.setattr(rerun, "_shell", lambda: shell)
    monkeypatch.setattr(rerun, "_made", {})
    monkeypatch.setattr(rerun, "_watched", [])
    count = iter(range(100))

    def execute(identity: str, action) -> None:
        parent.update(metadata={"cellId": identity}, header={"msg_id": f"run {next(count)}"})
        shell.push({"action": action})
        assert shell.run_cell("action()").success

    yield execute
    shell.history_manager.end_session()


def test_running_again_closes_what_the_former_run_made(run):
    closed = []

    def make(name):
        return lambda: rerun.on_rerun(lambda: closed.append(name))

    run("A", make("first"))
    run("B", make("other"))
    assert closed == []
    run("A", make("second"))
    assert closed == ["first"]
    run("A", lambda: None)
    assert closed == ["first", "second"]
    run("A", lambda: None)
    assert closed == ["first", "second"]


def test_all_that_one_run_made_is_closed(run):
    closed = []
    run("A", lambda: [rerun.on_rerun(lambda k=k: closed.append(k)) for k in range(3)])
    run("A", lambda: None)
    assert closed == [0, 1, 2]


def test_closing_happens_before_the_cell_runs(run):
    order = []
    run("A", lambda: rerun.on_rerun(lambda: order.append("closed")))
    run("A", lambda: order.append("ran"))
    assert order == ["closed", "ran"]


def test_outside_a_notebook_nothing_is_kept(monkeypatch):
    monkeypatch.setattr(rerun, "_shell", lambda: None)
    monkeypatch.setattr(rerun, "_made", {})
    rerun.on_rerun(lambda: None)
    assert rerun._made == {}
