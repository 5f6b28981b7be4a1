"""Lesson 12 against wrong answers."""

import socket

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction
from torch.nn.functional import softshrink

from grda_edu.lessons import lesson12
from grda_edu.lessons.lesson12 import (
    EXERCISES,
    OBJECTIVES,
    PREDICTIONS,
    frontier_numbers,
    numbers,
    questions_adamw,
    side_by_side,
)
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


def test_the_two_spaces():
    def stub(begin, loss, thresholds):
        return ...

    def begun(begin):
        v, optimizer = begin()
        return v, optimizer, v.detach().clone().requires_grad_()

    def gradient_at_v(begin, loss, thresholds):
        v, optimizer, w = begun(begin)
        for g in thresholds:
            optimizer.zero_grad()
            loss(v).backward()
            optimizer.step()
            w = softshrink(v.detach(), g)
        return w.detach()

    def one_space(begin, loss, thresholds):
        v, optimizer = begin()
        for g in thresholds:
            optimizer.zero_grad()
            loss(v).backward()
            optimizer.step()
            with torch.no_grad():
                v.copy_(softshrink(v, g))
        return v.detach()

    def cut_instead_of_shrunk(begin, loss, thresholds):
        v, optimizer, w = begun(begin)
        for g in thresholds:
            (v.grad,) = torch.autograd.grad(loss(w), w)
            optimizer.step()
            w = torch.where(v.abs() > g, v, 0.0).detach().requires_grad_()
        return w.detach()

    def only_at_the_end(begin, loss, thresholds):
        v, optimizer, w = begun(begin)
        for _ in thresholds:
            (v.grad,) = torch.autograd.grad(loss(w), w)
            optimizer.step()
            w = v.detach().clone().requires_grad_()
        return softshrink(w.detach(), thresholds[-1]) if thresholds else w.detach()

    def returns_the_accumulator(begin, loss, thresholds):
        v, optimizer, w = begun(begin)
        for g in thresholds:
            (v.grad,) = torch.autograd.grad(loss(w), w)
            optimizer.step()
            w = softshrink(v.detach(), g).requires_grad_()
        return v.detach()

    def raising(begin, loss, thresholds):
        return begin(loss)

    def by_backward(begin, loss, thresholds):
        v, optimizer, w = begun(begin)
        for g in thresholds:
            loss(w).backward()
            v.grad = w.grad
            optimizer.step()
            w = (v.sign() * (v.abs() - g).clamp(min=0)).detach().requires_grad_()
        return w.detach()

    def by_swapping(begin, loss, thresholds):
        w, optimizer = begin()
        v = w.detach().clone()
        for g in thresholds:
            optimizer.zero_grad()
            loss(w).backward()
            w.data.copy_(v)
            optimizer.step()
            v = w.detach().clone()
            w.data.copy_(softshrink(v, g))
        return w.detach()

    assert_exercise(
        EXERCISES["two_spaces"],
        stub=stub,
        wrong=[
            gradient_at_v,
            one_space,
            cut_instead_of_shrunk,
            only_at_the_end,
            returns_the_accumulator,
        ],
        raising=raising,
        right=[by_backward, by_swapping],
    )


def test_without_thresholds_the_two_spaces_are_adamw_bit_for_bit():
    begin = questions_adamw.Started("AdamW", [0.5, -1.0, 0.02], lr=0.1, weight_decay=0.1)
    w, optimizer = begin()
    for _ in range(30):
        optimizer.zero_grad()
        questions_adamw.tied(w).backward()
        optimizer.step()
    found = questions_adamw.two_spaces(begin, questions_adamw.tied, [0.0] * 30)
    assert torch.equal(found, w.detach())


def gap(data, ahead, behind):
    """Points between two ways near 90% zeros, in pairs, with the standard error."""
    one, other = (
        frontier_numbers.right(data, frontier_numbers.nearest(data, way, 0.9))
        for way in (ahead, behind)
    )
    gaps = 100 * (one - other)
    return gaps.mean(), gaps.std(ddof=1) / len(gaps) ** 0.5


def test_what_the_text_says_of_adamw():
    digits, mnist = frontier_numbers.DIGITS, frontier_numbers.MNIST
    gradual, dual = "gradual magnitude, SGD", frontier_numbers.DUAL
    for data, behind, told in (
        (digits, "gRDA", (0.6, 0.2)),
        (mnist, "gRDA", (0.7, 0.1)),
        (digits, dual, (0.6, 0.2)),
        (mnist, dual, (1.4, 0.4)),
    ):
        assert tuple(np.round(gap(data, gradual, behind), 1)) == told
    mean, error = gap(digits, "gRDA", dual)
    assert abs(mean) < 2 * error
    share = {
        way: frontier_numbers.zeros(digits, frontier_numbers.nearest(digits, way, 0.9)).mean()
        for way in ("gRDA", dual)
    }
    assert share[dual] < share["gRDA"]
    for data in (digits, mnist):  # SGD alone reads as many
        alone = frontier_numbers.from_base(data, "SGD")
        assert alone.mean() > -2 * alone.std(ddof=1) / len(alone) ** 0.5


def test_every_objective_has_its_check():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}
