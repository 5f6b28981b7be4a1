"""The stop button and Ctrl-C: what was trained is kept, and goes on as if nothing had happened."""

import os
import pickle
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from grda_edu import GRDA, Run, interrupted, sweep, train
from grda_edu.data import digits
from grda_edu.models import small_digits_cnn
from grda_edu.training import interrupt
from grda_edu.training.interrupt import Interrupted

EPOCHS, BATCH = 3, 24


@pytest.fixture(scope="module")
def data():
    whole = digits()
    return replace(whole, x_train=whole.x_train[:120], y_train=whole.y_train[:120])


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(interrupt, "_kept", None)
    monkeypatch.setattr("grda_edu.training.loop.SECONDS_BETWEEN_REPORTS", 0.0)
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def make(parameters):
    return GRDA(parameters, lr=0.1, c=0.02, mu=0.6)


def press_at(fraction):
    """A progress function that presses the stop button once the training is so far."""
    pressed = []

    def progress(_, now):
        if now >= fraction and not pressed:
            pressed.append(now)
            signal.raise_signal(signal.SIGINT)

    return progress


def trained(data, **options):
    model = small_digits_cnn(0)
    run = train(model, data, make, epochs=EPOCHS, batch_size=BATCH, device="cpu", **options)
    return model, run


@pytest.mark.parametrize("fraction", [0.0, 0.4, 0.9])
def test_a_training_is_kept_and_goes_on_exactly(data, fraction):
    whole, through = trained(data)
    with pytest.raises(Interrupted, match=r"run = grda_edu\.interrupted\(\)"):
        trained(data, progress=press_at(fraction))
    kept = interrupted()
    assert isinstance(kept, Run) and kept.checkpoint is not None
    assert not kept.finished and kept.message.startswith("stopped in epoch")
    model, run = trained(data, resume=kept)
    assert run.finished
    for ours, theirs in zip(model.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    np.testing.assert_array_equal(run.train_loss, through.train_loss)


def test_an_interrupt_at_the_very_end_loses_nothing(data):
    with pytest.raises(Interrupted, match="the training came to its end"):
        trained(data, progress=press_at(1.0))
    assert interrupted().finished


def test_it_is_a_keyboard_interrupt_with_what_was_done(data):
    with pytest.raises(KeyboardInterrupt) as caught:
        trained(data, progress=press_at(0.5))
    assert caught.value.kept is interrupted()


def test_it_can_be_handed_to_another_process():
    """A pool's worker hands on what it raised, and the pool waits for ever if that cannot be read."""
    raised = Interrupted({"a": 1}, "the training stopped", "train(…, resume=run)")
    read = pickle.loads(pickle.dumps(raised))
    assert type(read) is Interrupted and read.kept == {"a": 1} and str(read) == str(raised)


def test_a_second_interrupt_ends_it_at_once(data):
    def progress(_, fraction):
        if fraction > 0.3:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        trained(data, progress=progress)
    assert not isinstance(caught.value, Interrupted)
    with pytest.raises(ValueError, match="no training was interrupted"):
        interrupted()


@pytest.mark.parametrize("batch", [BATCH, 130], ids=["stacked", "one by one"])
def test_a_sweep_keeps_all_that_was_begun(data, batch):
    big = data if batch == BATCH else replace(digits(), x_val=data.x_val)
    options = {"c": [0.0, 0.02], "mu": 0.6, "lr": 0.1, "epochs": 2, "batch_size": batch}
    with pytest.raises(Interrupted, match=r"the sweep was stopped, \d of 2 networks have finished"):
        sweep(small_digits_cnn, big, **options, device="cpu", progress=press_at(0.6))
    kept = interrupted()
    assert set(kept) == {(0.0, 0.6, 0), (0.02, 0.6, 0)}
    through = sweep(small_digits_cnn, big, **options, device="cpu")
    for cell, run in kept.items():
        if run.finished:
            continue
        whole = train(
            small_digits_cnn(0),
            big,
            lambda p, c=cell[0]: GRDA(p, lr=0.1, c=c, mu=0.6),
            epochs=2,
            batch_size=batch,
            device="cpu",
            resume=run,
        )
        np.testing.assert_allclose(whole.train_loss, through[cell].train_loss, rtol=1e-4)


def test_a_program_with_a_handler_of_its_own_is_left_alone(data):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        _, run = trained(data, progress=press_at(0.4))
    finally:
        signal.signal(signal.SIGINT, before)
    assert run.finished and heard == [1]


def test_a_training_in_a_thread_leaves_the_handler_alone(data):
    seen = []

    def work():
        trained(data, progress=lambda *_: seen.append(signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert set(seen) == {signal.default_int_handler}


# ------------------------------------------------- files


def test_a_run_that_cannot_be_saved_leaves_the_old_file(data, tmp_path, monkeypatch):
    _, run = trained(data)
    for path, thing in ((tmp_path / "run.npz", run), (tmp_path / "point.npz", run.checkpoint)):
        thing.save(path)
        before = path.read_bytes()

        def full(*_):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full)
            with pytest.raises(OSError, match="No space left"):
                thing.save(path)
        assert path.read_bytes() == before
    run.configuration["note"] = np.float32(1)
    with pytest.raises(TypeError):
        run.save(tmp_path / "run.npz")
    run.checkpoint.optimizer["note"] = object()
    with pytest.raises(TypeError, match="tensors and plain values"):
        run.checkpoint.save(tmp_path / "point.npz")
    assert Run.load(tmp_path / "run.npz").finished
    assert sorted(path.name for path in tmp_path.iterdir()) == ["point.npz", "run.npz"]
