"""The training view: what it draws, and that no way of ending a training leaves anything behind."""

import threading
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from grda_edu.explore import palette
from grda_edu.training.run import Run
from grda_edu.views import live
from grda_edu.views.runs import (
    STYLES,
    TrainingView,
    percent,
    training_figure,
    training_row,
    training_sentence,
)

SECONDS = 20  # patience; nothing here takes that long


def run(epochs: int, *, accuracy: float = 0.95, message: str = "") -> Run:
    """A made-up run of two layers, 4 and 6 numbers, that gains a zero in each layer an epoch."""
    count = epochs + 1
    curve = np.linspace(0.1, accuracy, count)
    return Run(
        configuration={"epochs": 3},
        device="cpu",
        versions={},
        layers=("first", "second"),
        sizes=np.array([4, 6]),
        epoch=np.arange(count),
        train_loss=np.linspace(2.3, 0.01, count),
        train_accuracy=curve,
        val_loss=np.full(count, np.nan),
        val_accuracy=np.full(count, np.nan),
        test_loss=np.ones(count),
        test_accuracy=curve,
        zeros=np.stack([np.arange(count)] * 2, axis=1),
        seconds=np.arange(count, dtype=float),
        message=message,
    )


def finishing(progress, stop) -> dict[str, Run]:
    progress({"SGD": run(1)}, 0.3)
    return {"SGD": run(3), "gRDA": run(3, accuracy=0.94)}


def endless(progress, stop) -> Run:
    progress(run(1), 0.3)
    assert stop.wait(SECONDS)
    return run(2, message="stopped in epoch 3, after batch 1 of 2")


def failing(progress, stop) -> Run:
    progress(run(1), 0.3)
    raise ZeroDivisionError("no such batch")


def training_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "grda-training"]


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    assert training_threads() == []


def drawn(view: TrainingView) -> dict:
    """The keys and one-row values of the table that the page holds."""
    table, values = view.picture.table, {}
    for column in table["columns"]:
        if "strings" in column:
            values[column["key"]] = column["strings"][0]
        else:
            size = int(np.prod(column["shape"]))
            values[column["key"]] = np.frombuffer(
                table["data"], np.float32, size, column["offset"]
            ).reshape(column["shape"])
    return values


def test_nothing_trains_before_start():
    calls = []
    view = TrainingView(lambda progress, stop: calls.append(1) or run(1), 3)
    assert not view.running and calls == []
    assert not view.line.running
    assert "Start" in view.line.said
    view.close()


def test_a_finished_training_is_shown_whole():
    view = TrainingView(finishing, 3)
    view.start()
    runs = view.wait(SECONDS)
    assert list(runs) == ["SGD", "gRDA"] and runs is view.runs
    assert not view.running
    assert view.line.fraction == 1.0 and view.line.tone == "success"
    assert "Finished: 3 epochs" in view.line.said and "cpu" in view.line.said
    assert view.line.invitation == "Start again" and not view.line.running
    values = drawn(view)
    for name, expected in runs.items():
        np.testing.assert_allclose(values[f"{name} test_accuracy|y"], expected.test_accuracy)
        np.testing.assert_allclose(
            values[f"{name} train_loss|y"], expected.train_loss.astype(np.float32)
        )
        np.testing.assert_allclose(values[f"{name} total_zeros|y"], [0, 0.2, 0.4, 0.6], rtol=1e-6)
    np.testing.assert_allclose(values["zeros by layer|x"], [3 / 4, 3 / 6])


def test_the_page_keeps_room_for_the_words_of_the_end():
    view = TrainingView(finishing, 3)
    view.start()
    view.wait(SECONDS)
    row, room = training_row(view.runs, STYLES), view.picture.longest
    assert len(room["sentence"][0]) >= len(training_sentence(view.runs))
    for k in range(4):
        (heading,) = room[f"annotations[{k}].text"]
        assert len(heading) >= len(row[f"layout.annotations[{k}].text"])
    view.close()


def test_stop_ends_the_training_and_start_begins_afresh():
    view = TrainingView(endless, 3)
    view.start()
    assert view.running and view.line.running
    view.stop()
    stopped = view.wait(SECONDS)
    assert stopped["gRDA"].message and not view.running
    assert "stopped in epoch 3" in view.line.said
    assert view.line.tone == "warning" and view.line.fraction < 1
    view.start()
    assert view.running
    view.stop()
    view.wait(SECONDS)


def test_the_buttons_do_what_they_say():
    view = TrainingView(endless, 3)
    view.line.press("start")
    assert view.running
    view.line.press("stop")
    view.wait(SECONDS)
    assert not view.running


def test_a_button_that_cannot_be_pressed_does_nothing():
    calls = []
    view = TrainingView(lambda progress, stop: calls.append(1) or endless(progress, stop), 3)
    view.line.press("stop")
    assert "Press Start" in view.line.said
    for _ in range(3):
        view.line.press("start")
    view.line.press("stop")
    view.wait(SECONDS)
    assert calls == [1]


def test_start_twice_trains_once():
    calls = []

    def job(progress, stop):
        calls.append(1)
        return endless(progress, stop)

    view = TrainingView(job, 3)
    view.start()
    view.start()
    view.stop()
    view.wait(SECONDS)
    assert calls == [1]


def test_an_exception_reaches_the_page_and_whoever_waits():
    view = TrainingView(failing, 3)
    view.start()
    with pytest.raises(ZeroDivisionError, match="no such batch"):
        view.wait(SECONDS)
    problem = view.printed.problem
    assert "ZeroDivisionError: no such batch" in problem and "failing" in problem
    assert "ZeroDivisionError" in view.line.said
    assert view.line.tone == "danger" and not view.line.running
    view._job = finishing
    view.start()
    view.wait(SECONDS)
    assert view.printed.problem == "" and view.line.tone == "success"


def test_what_the_job_prints_is_on_the_page():
    def wordy(progress, stop):
        print("first line")
        progress(run(1), 0.3)
        print("last line")
        return run(3)

    view = TrainingView(wordy, 3)
    view.start()
    view.wait(SECONDS)
    assert view.printed.printed == "first line\nlast line"
    assert "what it printed stands below the figure" in view.line.said
    view._job = finishing
    view.start()
    view.wait(SECONDS)
    assert view.printed.printed == "" and "printed" not in view.line.said


def test_what_was_printed_before_an_error_stands_above_it():
    def wordy(progress, stop):
        print("so far so good")
        return failing(progress, stop)

    view = TrainingView(wordy, 3)
    view.start()
    with pytest.raises(ZeroDivisionError):
        view.wait(SECONDS)
    assert view.printed.printed == "so far so good"


def test_a_job_says_what_it_does(monkeypatch):
    monkeypatch.setattr(live, "SECONDS_BETWEEN_UPDATES", 1000.0)
    said = []

    def job(progress, stop):
        for doing in ("", "the first half", "the first half", "the second half"):
            progress(run(1), 0.1, doing)
            said.append(view.line.said.partition(",")[0])
        return run(3)

    view = TrainingView(job, 3)
    view.start()
    view.wait(SECONDS)
    # A new phase is said at once, however soon it comes.
    assert said == ["Epoch 1 of 3", "the first half", "the first half", "the second half"]


def test_a_run_under_an_unknown_name_is_an_error_that_names_it():
    view = TrainingView(lambda progress, stop: {"Adam": run(1)}, 3)
    view.start()
    with pytest.raises(ValueError, match="'Adam' is none of SGD, gRDA"):
        view.wait(SECONDS)


def test_a_lone_run_takes_the_last_style():
    view = TrainingView(lambda progress, stop: run(1), 1, styles={"OBS": palette.OBS})
    view.start()
    assert list(view.wait(SECONDS)) == ["OBS"]
    assert "Finished: 1 epoch," in view.line.said


def test_wait_gives_up_after_its_timeout():
    view = TrainingView(endless, 3)
    view.start()
    with pytest.raises(TimeoutError, match=r"timeout = 0\.01"):
        view.wait(0.01)
    view.close()


def test_closing_stops_the_training():
    view = TrainingView(endless, 3)
    view.start()
    view.close()
    assert not view.running


def test_the_page_hears_of_few_of_many_reports(monkeypatch):
    monkeypatch.setattr(live, "SECONDS_BETWEEN_UPDATES", 1000.0)

    def chatty(progress, stop):
        for k in range(500):
            progress(run(1), k / 500)
        return run(3)

    view = TrainingView(chatty, 3)
    updates = []
    view.picture.observe(lambda change: updates.append(change), "table")
    view.start()
    view.wait(SECONDS)
    assert len(updates) == 2  # the first report, and the end


def test_the_curves_are_drawn_again_only_when_they_changed(monkeypatch):
    monkeypatch.setattr(live, "SECONDS_BETWEEN_UPDATES", 0.0)
    bars = []

    def job(progress, stop):
        for k in range(6):
            progress(run(1 + k // 3), k / 6)
            bars.append(view.line.fraction)
        return run(3)

    view = TrainingView(job, 3)
    updates = []
    view.picture.observe(lambda change: updates.append(change), "table")
    view.start()
    view.wait(SECONDS)
    assert len(updates) == 3  # after epochs 1, 2 and 3
    assert bars == [k / 6 for k in range(6)]


def test_every_key_of_a_row_is_a_place_in_the_figure():
    names = {trace.name for trace in training_figure(STYLES, 3).data}
    row = training_row({"SGD": run(2), "gRDA": run(2)}, STYLES)
    traces = {key.rpartition(".")[0] for key in row if not key.startswith("layout.")}
    assert traces == names


def test_accuracy_is_drawn_from_ninety_percent_only_when_all_are_above():
    good, bad = run(3, accuracy=0.97), run(3, accuracy=0.5)
    assert training_row({"SGD": good}, STYLES)["layout.yaxis.range"] == [0.9, 1.0]
    assert training_row({"SGD": good, "gRDA": bad}, STYLES)["layout.yaxis.range"] == [0.0, 1.0]


def test_the_sentence_names_each_run_with_its_numbers():
    text = training_sentence({"SGD": run(3), "gRDA": run(2, accuracy=0.94)})
    assert text == (
        "SGD after epoch 3: 60.0% of the weights are exactly zero, 95.0% of the test images are read right; "
        "gRDA after epoch 2: 40.0% of the weights are exactly zero, 94.0% of the test images are read right."
    )


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0%"), (0.9014, "90.1%"), (0.9994, "99.9%"), (13_705 / 13_706, "99.99%"), (1, "100.0%")],
)
def test_all_but_one_is_not_all(share, text):
    assert percent(share) == text


# ------------------------------------------------- in a real kernel, without a page

VIEW = """
import threading
from grda_edu.views.runs import TrainingView

def job(progress, stop):
    stop.wait(60)
    return {}

view = TrainingView(job, 3)
view.start()
print(sum(thread.name == "grda-training" for thread in threading.enumerate()))
"""


def execute(folder: Path, *sources: str) -> list[str]:
    """What each cell printed, in a kernel without a front end."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources]
    )
    NotebookClient(
        notebook, timeout=300, startup_timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute()
    texts = [[o.text for o in cell.outputs if "text" in o] for cell in notebook.cells]
    return ["".join(parts).strip() for parts in texts]


def test_running_the_cell_again_stops_the_former_training(tmp_path):
    count = 'view.close(); print(sum(t.name == "grda-training" for t in threading.enumerate()))'
    assert execute(tmp_path, VIEW, VIEW, VIEW, count) == ["1", "1", "1", "0"]


def test_a_headless_run_waits_for_the_end_and_an_interrupt_stops_it(tmp_path):
    interrupted = """
import _thread
threading.Timer(0.3, _thread.interrupt_main).start()
try:
    view.wait()
except KeyboardInterrupt:
    print("interrupted", view.running)
"""
    ended = "view._job = lambda progress, stop: {}; view.start(); print(view.wait(), view.running)"
    assert execute(tmp_path, VIEW, interrupted, ended)[1:] == ["interrupted False", "{} False"]


WARNING = """
import torch
from grda_edu import GRDA
from grda_edu.views.runs import TrainingView

def job(progress, stop):
    print("begun")
    GRDA([torch.nn.Parameter(torch.ones(2))], lr=0.1, c=0.01, mu=0.4)
    return {}

view = TrainingView(job, 3)
for _ in range(2):
    view.start()
    view.wait()
    shown = view.printed.printed
    print([word in shown for word in ("begun", "UserWarning", "mu")], shown.count("Warning: "))
"""


def test_a_warning_in_the_thread_is_on_the_page_at_each_start(tmp_path):
    """Python warns once a place; a second Start is a new training."""
    assert execute(tmp_path, WARNING) == ["\n".join(["[True, True, True] 1"] * 2)]
