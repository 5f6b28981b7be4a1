"""sweep() and find_c() in several processes against one, and taken up again."""

import math
import os
import pickle
import signal
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from grda_edu import GRDA, find_c, interrupted, sweep, train
from grda_edu.data import digits
from grda_edu.models import small_digits_cnn
from grda_edu.training import grids, interrupt
from grda_edu.training.interrupt import Interrupted
from grda_edu.training.run import CURVES

IMAGES, BATCH = 100, 24  # five batches an epoch
GRID = {"c": [0.0, 0.02], "mu": 0.6, "seeds": [0, 3]}
RECIPE = {"lr": 0.1, "epochs": 3, "batch_size": BATCH, "device": "cpu"}


@pytest.fixture(scope="module")
def data():
    whole = digits()
    return replace(whole, x_train=whole.x_train[:IMAGES], y_train=whole.y_train[:IMAGES])


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(interrupt, "_kept", None)
    monkeypatch.setattr("grda_edu.training.loop.SECONDS_BETWEEN_REPORTS", 0.0)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def with_dropout(seed):
    """No stack holds it, and it draws from the process's own generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.Dropout(0.3), nn.Linear(16, 10))


def assert_same(runs, others):
    assert list(runs) == list(others)
    for cell, run in runs.items():
        other = others[cell]
        for name in ("epoch", *CURVES, "zeros"):
            np.testing.assert_array_equal(getattr(run, name), getattr(other, name), err_msg=name)
        assert run.message == other.message
        for name, weights in run.checkpoint.model.items():
            assert_equal(weights, other.checkpoint.model[name])
        ours, theirs = (r.checkpoint.optimizer["state"] for r in (run, other))
        assert ours.keys() == theirs.keys()
        for k, state in ours.items():
            assert (state["step"], state["threshold"]) == (
                theirs[k]["step"],
                theirs[k]["threshold"],
            )
            assert_equal(state["accumulator"], theirs[k]["accumulator"])


assert_equal = partial(torch.testing.assert_close, rtol=0, atol=0, equal_nan=True)


class StopAfter:
    """A stop event that is set once it has been looked at so many times."""

    def __init__(self, looks):
        self.left = looks

    def is_set(self):
        self.left -= 1
        return self.left < 0


# ------------------------------------------------- learning rates


def test_learning_rates_are_an_axis(data):
    runs = sweep(small_digits_cnn, data, **GRID, **RECIPE | {"lr": [0.1, 0.05]})
    assert list(runs) == [(x, c, 0.6, s) for x in (0.1, 0.05) for c in (0.0, 0.02) for s in (0, 3)]
    for (lr, c, mu, seed), run in runs.items():
        make = partial(GRDA, lr=lr, c=c, mu=mu)
        alone = train(small_digits_cnn(seed), data, make, seed=seed, **without(RECIPE, "lr"))
        assert run.configuration["hyperparameters"]["lr"] == lr
        for name, weights in alone.checkpoint.model.items():
            torch.testing.assert_close(run.checkpoint.model[name], weights, rtol=0, atol=1e-4)
    for lr in (0.1, 0.05):
        of_one = sweep(small_digits_cnn, data, **GRID, **RECIPE | {"lr": lr})
        assert_same(of_one, {cell[1:]: run for cell, run in runs.items() if cell[0] == lr})


def without(options, *names):
    return {name: value for name, value in options.items() if name not in names}


def test_a_list_of_one_learning_rate_names_it(data):
    assert list(sweep(small_digits_cnn, data, c=0.0, mu=0.6, **RECIPE | {"lr": [0.1]})) == [
        (0.1, 0.0, 0.6, 0)
    ]


@pytest.mark.parametrize(
    ("lr", "message"),
    [
        ([], r"lr = \[\]: accepted is a list of at least one value"),
        ([0.1, 0.1], r"lr = \[0.1, 0.1\]: accepted is each value once"),
        ([0.1, -1.0], r"lr = -1.0: accepted is a finite number >= 0"),
    ],
)
def test_learning_rates_that_cannot_be_used_are_named(data, lr, message):
    with pytest.raises(ValueError, match=message):
        sweep(small_digits_cnn, data, **GRID, **RECIPE | {"lr": lr})


# ------------------------------------------------- several processes


@pytest.mark.parametrize("make_model", [small_digits_cnn, with_dropout])
def test_two_processes_give_the_bits_of_one(data, make_model):
    options = GRID | RECIPE | {"lr": [0.1, 0.05], "snapshot_epochs": [1]}
    told = []
    here = sweep(make_model, data, **options)
    there = sweep(make_model, data, **options, jobs=2, progress=lambda *now: told.append(now))
    assert_same(there, here)
    assert {run.finished for run in there.values()} == {True}
    for cell, run in there.items():
        method = here[cell].configuration["sweep"]["method"]
        assert run.configuration["sweep"]["method"] == method
        assert all((run.snapshots[1][k] == w).all() for k, w in here[cell].snapshots[1].items())
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1 and len(told) >= 3
    assert [len(runs) for runs, _ in told] == [round(8 * fraction) for fraction in fractions]


def test_a_backend_of_threads_gives_the_same_bits(data):
    """Whatever the caller chooses; threads would take one another's random numbers."""
    with joblib.parallel_config(backend="threading"):
        there = sweep(with_dropout, data, **GRID, **RECIPE, jobs=3)
    assert_same(there, sweep(with_dropout, data, **GRID, **RECIPE))


def test_functions_of_a_notebook_are_sent_by_value(data):
    width = 12
    there = sweep(
        lambda seed: nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, 10)),
        data,
        c=0.0,
        mu=0.6,
        seeds=[0, 1],
        **RECIPE | {"epochs": 1},
        jobs=2,
    )
    assert [run.finished for run in there.values()] == [True, True]


def test_memory_bounds_the_networks_of_each_process(data):
    size = grids.bytes_per_network(small_digits_cnn(), data, BATCH)
    options = {"c": [0.0, 0.02], "mu": 0.6, "seeds": range(3), **RECIPE, "memory": 2 * size}
    there = sweep(small_digits_cnn, data, **options, jobs=2)
    assert {run.configuration["sweep"]["parts"] for run in there.values()} == {3}
    assert_same(there, sweep(small_digits_cnn, data, **options))


@pytest.mark.parametrize("jobs", [0, -2, 1.5, True, None, "2"])
def test_jobs_that_cannot_be_used_are_named(data, jobs):
    with pytest.raises(ValueError, match=rf"jobs = {jobs!r}: accepted is an integer >= 1, or -1"):
        sweep(small_digits_cnn, data, **GRID, **RECIPE, jobs=jobs)
    with pytest.raises(ValueError, match=rf"jobs = {jobs!r}: accepted is an integer >= 1, or -1"):
        find_c(small_digits_cnn, data, jobs=jobs)


def test_without_joblib_one_process_works_and_two_say_what_is_missing(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    options = GRID | RECIPE | {"epochs": 1}
    assert len(sweep(small_digits_cnn, data, **options)) == 4
    with pytest.raises(ModuleNotFoundError, match=r"jobs = 2 needs .* pip install joblib"):
        sweep(small_digits_cnn, data, **options, jobs=2)


def dying(seed, home, folder):
    """Seed 3 ends its worker as a lack of memory would, once the other has come back."""
    if seed == 3 and os.getpid() != home:
        until((Path(folder) / "first").exists)
        os._exit(9)
    return with_dropout(seed)


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_a_worker_that_dies_is_named_and_nothing_is_half_kept(data, tmp_path):
    options = {"c": 0.02, "mu": 0.6, "seeds": [0, 3], **RECIPE}
    make_model = partial(dying, home=os.getpid(), folder=str(tmp_path))

    def first_is_back(runs, _):
        if runs:
            (tmp_path / "first").touch()

    with pytest.raises(RuntimeError, match=r"a worker died in lr=0.1 c=0.02 mu=0.6 seed=3") as seen:
        sweep(make_model, data, **options, jobs=2, progress=first_is_back)
    assert "accepted are as many jobs as the memory holds" in str(seen.value)
    kept = interrupted()
    assert [(cell, run.finished) for cell, run in kept.items()] == [((0.02, 0.6, 0), True)]
    whole = sweep(with_dropout, data, **options)
    assert_same(sweep(with_dropout, data, **options, resume=kept, jobs=2), whole)


def failing(seed, home):
    if seed == 3 and os.getpid() != home:
        raise KeyError("no weights for this seed")
    return with_dropout(seed)


def test_what_a_model_raises_in_a_worker_is_raised_here(data):
    make_model = partial(failing, home=os.getpid())
    with pytest.raises(KeyError, match="no weights for this seed") as seen:
        sweep(make_model, data, **GRID, **RECIPE, jobs=2)
    (note,) = seen.value.__notes__
    assert note.startswith("raised in lr=0.1 c=0 mu=0.6 seed=3; there:") and "in failing" in note
    kept = interrupted()  # the others, wherever they had come
    whole = sweep(with_dropout, data, **GRID, **RECIPE)
    assert (0.0, 0.6, 0) in kept and {seed for _, _, seed in kept} == {0}
    assert_same(sweep(with_dropout, data, **GRID, **RECIPE, resume=kept), whole)


class Unsendable(Exception):
    def __init__(self, one, two):
        super().__init__("two were given")


def failing_oddly(seed, home):
    if os.getpid() != home:
        raise Unsendable(1, 2)
    return with_dropout(seed)


def test_an_error_that_cannot_travel_is_told(data):
    make_model = partial(failing_oddly, home=os.getpid())
    with pytest.raises(RuntimeError, match="Unsendable: two were given"):
        sweep(make_model, data, **GRID, **RECIPE, jobs=2)


def test_what_cannot_be_sent_is_refused(data):
    lock = threading.Lock()

    def make_model(seed):
        with lock:
            return small_digits_cnn(seed)

    with pytest.raises(ValueError, match=r"make_model, data or a run cannot be sent .* jobs = 1"):
        sweep(make_model, data, **GRID, **RECIPE, jobs=2)


# ------------------------------------------------- taken up again


@pytest.mark.parametrize("make_model", [small_digits_cnn, with_dropout])
@pytest.mark.parametrize("looks", [0, 7, 12])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stopped_sweep_goes_on_to_the_same_bits(data, make_model, looks, jobs):
    options = GRID | RECIPE | {"lr": [0.1, 0.05]}
    stopped = sweep(make_model, data, **options, stop=StopAfter(looks))
    assert not all(run.finished for run in stopped.values())
    again = sweep(make_model, data, **options, resume=stopped, jobs=jobs)
    assert_same(again, sweep(make_model, data, **options))


class Slow(nn.Module):
    """A network that says when it has begun, and then trains until the file ``go`` is there."""

    def __init__(self, seed, folder, home):
        super().__init__()
        self.inner, self.seed, self.folder = with_dropout(seed), seed, Path(folder)
        self.home, self.calls = home, 0

    def forward(self, x):
        self.calls += self.training
        if os.getpid() != self.home and self.calls == 3:
            (self.folder / f"begun{self.seed}").touch()
            until((self.folder / "go").exists)
        return self.inner(x)


def slow(seed, folder, home):
    return Slow(seed, folder, home)


@pytest.mark.parametrize("way", ["interrupt", "stop"])
def test_an_interrupt_reaches_the_workers(data, tmp_path, way):
    """In the middle of an epoch: both networks end before their next batch, and go on exactly."""
    options = {"c": 0.02, "mu": 0.6, "seeds": [0, 3, 4], **RECIPE}
    stop = threading.Event()

    def press():
        until(lambda: all((tmp_path / f"begun{seed}").exists() for seed in (0, 3)))
        if way == "interrupt":
            signal.raise_signal(signal.SIGINT)
        else:
            stop.set()
        time.sleep(0.5)  # ten looks of who passes it on
        (tmp_path / "go").touch()

    thread = threading.Thread(target=press)
    thread.start()
    make_model = partial(slow, folder=str(tmp_path), home=os.getpid())
    if way == "interrupt":
        with pytest.raises(Interrupted, match=r"sweep\(…, resume=runs\) goes on") as seen:
            sweep(make_model, data, **options, jobs=2, stop=stop)
        kept = interrupted()
        assert seen.value.kept is kept
    else:
        kept = sweep(make_model, data, **options, jobs=2, stop=stop)
    thread.join()
    assert set(kept) == {(0.02, 0.6, 0), (0.02, 0.6, 3)}  # the third was not begun
    for run in kept.values():
        assert run.message == "stopped in epoch 1, after batch 3 of 5"
    whole = sweep(make_model, data, **options)
    assert_same(sweep(make_model, data, **options, resume=kept, jobs=2), whole)


def test_an_interrupted_sweep_goes_on(data):
    def press(_, fraction):
        if fraction > 0.4 and not pressed:
            pressed.append(fraction)
            signal.raise_signal(signal.SIGINT)

    pressed = []
    with pytest.raises(Interrupted):
        sweep(small_digits_cnn, data, **GRID, **RECIPE, progress=press)
    kept = interrupted()
    assert not any(run.finished for run in kept.values())
    again = sweep(small_digits_cnn, data, **GRID, **RECIPE, resume=kept)
    assert_same(again, sweep(small_digits_cnn, data, **GRID, **RECIPE))


def test_finished_networks_are_not_trained_again(data):
    made = []

    def make_model(seed):
        made.append(seed)
        return small_digits_cnn(seed)

    done = sweep(make_model, data, **GRID, **RECIPE)
    larger = GRID | {"seeds": [0, 1, 3]}
    made.clear()
    more = sweep(make_model, data, **larger, **RECIPE, resume=done)
    assert made.count(1) == 2 + 1 and made.count(3) == 0  # two networks, and one for the threads
    assert_same(more, sweep(make_model, data, **larger, **RECIPE))
    assert all(more[cell] is run for cell, run in done.items())


def test_more_epochs_go_on_from_the_end(data):
    done = sweep(small_digits_cnn, data, **GRID, **RECIPE)
    options = GRID | RECIPE | {"epochs": 5}
    again = sweep(small_digits_cnn, data, **options, resume=done)
    assert_same(again, sweep(small_digits_cnn, data, **options))


def bad_after(seed):
    model = small_digits_cnn(seed)
    if seed == 3:
        nn.init.constant_(model.fc.bias, math.nan)
    return model


def test_what_diverged_is_left_as_it_is(data):
    stopped = sweep(bad_after, data, **GRID, **RECIPE, stop=StopAfter(8))
    assert stopped[0.02, 0.6, 3].message.startswith("diverged")
    again = sweep(bad_after, data, **GRID, **RECIPE, resume=stopped)
    assert again[0.02, 0.6, 3] is stopped[0.02, 0.6, 3]
    assert_same(again, sweep(bad_after, data, **GRID, **RECIPE))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"seeds": [0]},
            r"resume has a run of \(0.0, 0.6, 3\): accepted are runs of this grid's 2",
        ),
        ({"lr": [0.1]}, r"resume has a run of \(0.0, 0.6, 0\): .* such as \(0.1, 0.0, 0.6, 0\)"),
        (
            {"batch_size": 25},
            r"resume\[\(0.0, 0.6, 0\)\] does not fit: batch_size = 25: accepted is 24, with which",
        ),
        ({"epochs": 2}, r"does not fit: epochs = 2: accepted is an integer >= 3, which a run has"),
        ({"resume": [1]}, r"resume is a list: accepted is what sweep gave, cell -> Run"),
    ],
)
def test_runs_that_do_not_fit_are_named(data, change, message):
    done = sweep(small_digits_cnn, data, **GRID, **RECIPE)
    with pytest.raises(ValueError, match=message):
        sweep(small_digits_cnn, data, **GRID | RECIPE | {"resume": done} | change)


def test_an_unfinished_run_without_its_checkpoint_is_named(data):
    stopped = sweep(small_digits_cnn, data, **GRID, **RECIPE, stop=StopAfter(7))
    for run in stopped.values():
        run.checkpoint = None
    with pytest.raises(ValueError, match="resume has checkpoint = None"):
        sweep(small_digits_cnn, data, **GRID, **RECIPE, resume=stopped)


# ------------------------------------------------- the search for c


SEARCH = {"grid": [0.001, 0.01, 0.1, 1.0], "tolerance": 0.1, "epochs": 2, "device": "cpu"}


def test_a_search_in_two_processes_is_that_of_one(data):
    here = find_c(small_digits_cnn, data, **SEARCH, seeds=(0, 1, 2))
    shares = []
    there = find_c(
        small_digits_cnn, data, **SEARCH, seeds=(0, 1, 2), jobs=2, progress=shares.append
    )
    assert there.run() == here.run()
    assert there.probes == here.probes
    assert shares == sorted(shares) and len(shares) >= 4 * len(there.probes) and shares[-1] <= 1


def third_is_broken(seed):
    model = small_digits_cnn(seed)
    if seed == 1:
        nn.init.constant_(model.fc.bias, math.nan)
    return model


def test_a_seed_that_diverges_ends_its_probe_there_too(data):
    here, there = (
        find_c(third_is_broken, data, **SEARCH, seeds=(0, 1, 2), jobs=jobs) for jobs in (1, 2)
    )
    assert there.run() == here.run()
    assert there.probes[0].seeds == here.probes[0].seeds == (0, 1)


def test_a_search_pickles_between_probes(data):
    whole = find_c(small_digits_cnn, data, **SEARCH)
    answer = whole.run()
    stop = threading.Event()
    search = find_c(small_digits_cnn, data, **SEARCH, stop=stop, progress=lambda _: None)
    for done in range(len(whole.probes) + 1):
        again = pickle.loads(pickle.dumps(search))
        assert again.probes == whole.probes[:done]
        assert again.run() == answer and again.probes == whole.probes
        next(search, None)
    assert search.answer == pickle.loads(pickle.dumps(search)).answer == answer


def test_a_search_of_a_lambda_names_it(data):
    search = find_c(lambda seed: small_digits_cnn(seed), data, **SEARCH)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(search)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_search_goes_on(data, jobs):
    whole = find_c(small_digits_cnn, data, **SEARCH, seeds=(0, 1)).run()

    def press(share):
        if share > 0.4 and not pressed:
            pressed.append(share)
            signal.raise_signal(signal.SIGINT)

    pressed = []
    search = find_c(small_digits_cnn, data, **SEARCH, seeds=(0, 1), progress=press, jobs=jobs)
    with pytest.raises(Interrupted, match=r"the search was stopped after \d probes"):
        search.run()
    assert interrupted() is search and search.answer is None
    assert search.run() == whole


def test_a_data_loader_is_refused_by_name(data):
    loader = DataLoader(TensorDataset(data.x_train, data.y_train), batch_size=8)
    message = r"data is a DataLoader: accepted is a grda_edu.data.Data, .* torch.cat"
    with pytest.raises(ValueError, match=message):
        find_c(small_digits_cnn, loader)
    with pytest.raises(ValueError, match=message):
        sweep(small_digits_cnn, loader, **GRID, **RECIPE)
    with pytest.raises(ValueError, match=message):
        train(small_digits_cnn(), loader, partial(GRDA, lr=0.1, c=0.0), epochs=1)
