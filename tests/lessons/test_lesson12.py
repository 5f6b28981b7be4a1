"""Lesson 12 against wrong answers."""

import socket

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction

from grda_edu.lessons import lesson12
from grda_edu.lessons.lesson12 import EXERCISES, OBJECTIVES, PREDICTIONS, numbers, side_by_side
from grda_edu.training import processes
from grda_edu.training.processes import ProcessesError


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=list(PREDICTIONS))
def test_predictions(prediction):
    assert_prediction(prediction)


def test_gradients_are_enough():
    zeros, others, apart = numbers.sent_only_gradients()
    assert zeros == others > 100 and apart == 0
    assert PREDICTIONS["sent"].right() == "the gradients"


def test_one_gradient_for_all_processes():
    def stub(gradients, sizes):
        return ...

    def mean_of_means(gradients, sizes):
        return np.mean(gradients, axis=0)

    def sum_of_means(gradients, sizes):
        return sum(gradients)

    def sum_of_all(gradients, sizes):
        return sum(n * g for n, g in zip(sizes, gradients, strict=True))

    def by_the_number_of_processes(gradients, sizes):
        return sum(n * g for n, g in zip(sizes, gradients, strict=True)) / len(sizes)

    def the_first(gradients, sizes):
        return gradients[0]

    def raising(gradients, sizes):
        return gradients @ sizes

    def by_numpy(gradients, sizes):
        return np.average(np.stack(gradients), axis=0, weights=sizes)

    def by_shares(gradients, sizes):
        shares = np.asarray(sizes) / np.sum(sizes)
        return shares @ np.stack(gradients)

    assert_exercise(
        EXERCISES["shared_gradient"],
        stub=stub,
        wrong=[mean_of_means, sum_of_means, sum_of_all, by_the_number_of_processes, the_first],
        raising=raising,
        right=[by_numpy, by_shares],
    )


# ------------------------------------------------- two processes


@pytest.fixture
def spread(monkeypatch):
    """The view, with trainings that take no time."""
    recorded = {name: torch.ones(10, 64) for name in ("fc2.weight",)}
    recorded["threshold of fc2.weight"] = torch.tensor(0.5)
    monkeypatch.setattr(side_by_side, "in_one_process", lambda settings, stop: recorded)
    view = lesson12.two_processes()
    yield view, recorded
    view.close()


def test_what_stands_in_the_way_is_named_and_the_recording_stays(spread, monkeypatch):
    view, _ = spread
    for why in (
        "this computer lends one program 1 of the 2 cores that it takes",
        "no process can be started here (Operation not permitted)",
        "this PyTorch was built without gloo, which joins processes on CPUs",
    ):

        def cannot(*_, why=why, **__):
            raise ProcessesError(why)

        monkeypatch.setattr(side_by_side, "in_several", cannot)
        view.start()
        assert list(view.wait(30)) == ["one process"] and view.error is None
        said = view.line.said
        assert said.startswith(f"Not run: {why}. What is marked as recorded stays")
        assert view.line.tone == "warning" and not view.line.running


def test_a_port_in_use_is_named(spread, monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 2)
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        view = lesson12.two_processes(port=port)
        view.start()
        view.wait(30)
    assert f"port {port} is in use by another program" in view.line.said
    view.close()
    with pytest.raises(ValueError, match="port = 70000: accepted is an integer from 1 to 65535"):
        lesson12.two_processes(port=70000)


def test_processes_that_end_with_an_error_say_it_below(spread, monkeypatch):
    def fails(*_, hear, **__):
        hear("Traceback")
        raise ProcessesError("torchrun ended with code 1:\nTraceback")

    monkeypatch.setattr(side_by_side, "in_several", fails)
    view, _ = spread
    view.start()
    view.wait(30)
    assert "torchrun ended with code 1: (below the figure)" in view.line.said
    assert "Traceback" in view.printed.printed


def test_lines_are_streamed_and_agreement_is_said(spread, monkeypatch):
    view, state = spread

    def runs(settings, way, *, hear, port, stop):
        hear(f"{way} says")
        return [state, state]

    monkeypatch.setattr(side_by_side, "in_several", runs)
    view.start()
    assert list(view.wait(30)) == ["one process", "DDP", "fully_shard"]
    assert view.line.said.startswith("Finished: compared")
    for words in (
        "DDP says",
        "fully_shard: thresholds are the same",
        "another: none",
        "processes 0",
    ):
        assert words in view.printed.printed


def test_stop_ends_it_between_two_lines(spread, monkeypatch):
    view, _ = spread

    def stopped(settings, way, *, hear, port, stop):
        stop.wait(30)
        return []

    monkeypatch.setattr(side_by_side, "in_several", stopped)
    view.start()
    view.stop()
    assert list(view.wait(30)) in ([], ["one process"])
    assert view.line.said.startswith("Stopped")


def test_every_objective_has_its_check():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}
