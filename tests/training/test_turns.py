"""train_in_turns() against train() alone, and what ends one of two."""

import threading

import numpy as np
import torch

from grda_edu import GRDA, digits_cnn, train
from grda_edu.data import digits
from grda_edu.training.turns import train_in_turns

OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "gRDA": lambda parameters: GRDA(parameters, lr=0.1, c=0.02, mu=0.65),
}


def in_turns(optimizers=OPTIMIZERS, *, epochs, seed=0, progress=lambda *_: None, stop=None, **more):
    stop = stop or threading.Event()
    return train_in_turns(
        digits_cnn,
        digits(),
        optimizers,
        epochs=epochs,
        seed=seed,
        progress=progress,
        stop=stop,
        **more,
    )


def test_training_in_turns_is_training_each_alone():
    together = in_turns(epochs=3, seed=1)
    for name, make in OPTIMIZERS.items():
        alone = train(digits_cnn(1), digits(), make, epochs=3, seed=1, device="cpu")
        for curve in ("train_loss", "test_accuracy", "zeros"):
            np.testing.assert_array_equal(getattr(together[name], curve), getattr(alone, curve))
        assert together[name].finished


def test_one_that_diverges_drops_out_and_the_other_goes_on():
    wild = OPTIMIZERS | {"SGD": lambda parameters: torch.optim.SGD(parameters, lr=1e6)}
    ended = in_turns(wild, epochs=2)
    assert "diverged" in ended["SGD"].message and not ended["SGD"].finished
    assert ended["gRDA"].finished


def test_stop_leaves_two_unfinished_runs():
    stop = threading.Event()

    def stop_early(runs, fraction):
        if len(runs) == 2:
            stop.set()

    stopped = in_turns(epochs=50, progress=stop_early, stop=stop)
    assert not any(run.finished for run in stopped.values())
    assert all(run.message.startswith("stopped ") for run in stopped.values())


def test_stop_between_two_epochs_is_told_too():
    """Stop may come while an epoch is being measured: train() has then nothing to break off."""
    stop = threading.Event()

    def stop_at_the_end_of_an_epoch(runs, fraction):
        if len(runs) == 2 and all(run.epoch[-1] == 1 for run in runs.values()):
            stop.set()

    stopped = in_turns(epochs=50, progress=stop_at_the_end_of_an_epoch, stop=stop)
    assert [run.message for run in stopped.values()] == ["stopped after epoch 1"] * 2


def test_a_schedule_is_each_optimizers_own():
    """The rate drops after the first epoch: each run is the one that train() makes with it."""

    def schedule(optimizer):
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, [1], gamma=0.1)

    together = in_turns(epochs=2, make_scheduler=schedule)
    for name, make in OPTIMIZERS.items():
        alone = train(digits_cnn(0), digits(), make, epochs=2, make_scheduler=schedule)
        np.testing.assert_array_equal(together[name].train_loss, alone.train_loss)
        assert together[name].configuration["epochs"] == 2


def test_progress_counts_the_epochs_of_all():
    seen = []
    in_turns(epochs=2, progress=lambda runs, fraction: seen.append((list(runs), fraction)))
    assert seen[-1] == (["SGD", "gRDA"], 1.0)
    assert [fraction for _, fraction in seen] == sorted(fraction for _, fraction in seen)
    assert {0.25, 0.5, 0.75} <= {fraction for _, fraction in seen}
