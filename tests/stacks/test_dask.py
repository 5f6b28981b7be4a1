"""Sweeps and searches on a cluster, which joblib is told by the caller: Dask's on this machine."""

import os
from dataclasses import replace
from functools import partial

import dask
import joblib
import pytest
import torch
from dask.distributed import Client, LocalCluster

from grda_edu import digits, find_c, interrupted, small_digits_cnn, sweep

pytestmark = [pytest.mark.stacks, pytest.mark.filterwarnings("default")]
GRID = {"c": [0.0, 0.02], "mu": 0.6, "seeds": [0, 3], "lr": [0.1, 0.05]}
RECIPE = {"epochs": 2, "batch_size": 24, "device": "cpu"}


@pytest.fixture(scope="module")
def data():
    whole = digits()
    return replace(whole, x_train=whole.x_train[:100], y_train=whole.y_train[:100])


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        # Two threads each: a worker trains one network at a time all the same
        LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as here,
        Client(here),
    ):
        yield


def test_a_sweep_is_that_of_this_process(data, cluster):
    with joblib.parallel_config(backend="dask"):
        there = sweep(small_digits_cnn, data, **GRID, **RECIPE, jobs=4)
    here = sweep(small_digits_cnn, data, **GRID, **RECIPE)
    assert list(there) == list(here)
    for cell, run in there.items():
        assert run.finished and run.train_loss.tolist() == here[cell].train_loss.tolist()
        for name, weights in run.checkpoint.model.items():
            assert torch.equal(weights, here[cell].checkpoint.model[name])


def test_a_search_is_that_of_this_process(data, cluster):
    options = {"grid": [0.001, 0.1], "tolerance": 0.1, "epochs": 1, "seeds": (0, 1)}
    with joblib.parallel_config(backend="dask"):
        there = find_c(small_digits_cnn, data, **options, jobs=2)
        answer = there.run()
    here = find_c(small_digits_cnn, data, **options)
    assert here.run() == answer and here.probes == there.probes


def dying(seed, home):
    if seed == 3 and os.getpid() != home:
        os._exit(9)
    return small_digits_cnn(seed)


def test_a_worker_that_dies_is_named_and_what_was_done_goes_on(data, cluster):
    options = {"c": 0.02, "mu": 0.6, "seeds": [0, 3], "lr": 0.1, **RECIPE}
    make_model = partial(dying, home=os.getpid())
    with (
        joblib.parallel_config(backend="dask"),
        pytest.raises(RuntimeError, match=r"a worker died in .*seed=3 \(KilledWorker"),
    ):
        sweep(make_model, data, **options, jobs=2)
    try:
        kept = interrupted()
    except ValueError:  # the other had not come back
        kept = None
    whole = sweep(small_digits_cnn, data, **options)
    again = sweep(small_digits_cnn, data, **options, resume=kept)
    for cell, run in again.items():
        assert run.train_loss.tolist() == whole[cell].train_loss.tolist()
