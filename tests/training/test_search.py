"""find_c against trainings made by hand, and everything that may end a search."""

import math
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from grda_edu import GRDA, digits, find_c, small_digits_cnn, train
from grda_edu.training.search import Search, check_settings

IMAGES = 320  # ten batches of 32


@pytest.fixture(scope="module")
def data():
    whole = digits()
    return replace(whole, x_train=whole.x_train[:IMAGES], y_train=whole.y_train[:IMAGES])


def search(data, make_model=small_digits_cnn, **settings):
    settings = {"grid": [0.001, 0.01, 0.1, 1.0], "tolerance": 0.1, "epochs": 2} | settings
    return find_c(make_model, data, **settings)


def alone(data, make_optimizer, seed, epochs=2):
    return train(small_digits_cnn(seed), data, make_optimizer, epochs=epochs, seed=seed)


def test_probes_are_trainings_with_the_same_seeds_and_batches(data):
    probes = list(search(data, mu=0.6, lr=0.05, seeds=(1, 2)))
    sgd = [alone(data, lambda p: torch.optim.SGD(p, lr=0.05), seed) for seed in (1, 2)]
    assert probes[0].c == 0 and probes[0].comparable and probes[0].difference == 0
    assert probes[0].accuracies == tuple(run.val_accuracy[-1] for run in sgd)
    assert probes[0].zeros == 0
    for probe in probes[1:]:
        runs = [
            alone(data, lambda p, c=probe.c: GRDA(p, lr=0.05, c=c, mu=0.6), seed) for seed in (1, 2)
        ]
        assert probe.accuracies == tuple(run.val_accuracy[-1] for run in runs)
        assert probe.zeros == pytest.approx(np.mean([run.total_zeros[-1] for run in runs]))
        difference = np.mean(
            [a - b for a, b in zip(probe.accuracies, probes[0].accuracies, strict=True)]
        )
        assert probe.difference == pytest.approx(difference)
        assert probe.comparable == (difference >= -0.1)
        assert (probe.epochs, probe.mu, probe.seeds, probe.device) == (2, 0.6, (1, 2), "cpu")


def test_the_answer_is_the_greatest_comparable_of_the_probes(data):
    found = search(data)
    answer = found.run()
    comparable = [probe.c for probe in found.probes[1:] if probe.comparable]
    assert answer.c == max(comparable) and answer.ended == "edge"
    beyond = min(probe.c for probe in found.probes if not probe.comparable)
    assert f"is {answer.c:g}" in answer.sentence and f"{beyond:g}, the next step" in answer.sentence
    assert answer.epochs_spent == 2 * len(found.probes) <= found.longest


def test_nothing_is_trained_before_it_is_asked_for(data):
    made = []

    def make_model(seed):
        made.append(seed)
        return small_digits_cnn(seed)

    found = search(data, make_model, seeds=(3,))
    assert made == [] and found.answer is None
    assert next(found).c == 0 and made == [3]
    assert next(found).c == 0.001 and made == [3, 3]
    assert found.answer is None


def test_the_test_images_are_never_shown_to_a_network(data):
    marked = replace(data, x_test=torch.full_like(data.x_test, 1e6))
    seen = []

    def make_model(seed):
        model = small_digits_cnn(seed)
        model.register_forward_pre_hook(lambda _, inputs: seen.append(float(inputs[0].max())))
        return model

    assert search(marked, make_model).run().c is not None
    assert max(seen) < 1e3
    train(make_model(0), marked, lambda p: torch.optim.SGD(p, lr=0.1), epochs=1)
    assert max(seen) == 1e6  # what the hook would have seen


def test_even_the_smallest_is_too_large(data):
    found = search(data, grid=[10.0, 20.0])
    answer = found.run()
    assert answer.c is None and answer.ended == "smallest" and len(found.probes) == 2
    assert "Even the smallest c, 10, is not within 10 points of SGD" in answer.sentence


def test_the_largest_tried_is_still_comparable(data):
    answer = search(data, grid=[1e-7, 1e-6, 1e-5]).run()
    assert answer.c == 1e-5 and answer.ended == "largest"
    assert "The largest c tried, 1e-05, is still" in answer.sentence


def broken_at(calls):
    """A maker of models of which those with these numbers give NaN."""
    made = []

    def make_model(seed):
        model = small_digits_cnn(seed)
        made.append(seed)
        if len(made) in calls:
            nn.init.constant_(model.fc.bias, math.nan)
        return model

    return make_model


def test_a_probe_that_diverges_is_not_comparable_and_the_search_goes_on(data):
    probes = list(search(data, broken_at({3}), grid=[1e-5, 2e-5, 3e-5, 4e-5, 1e-4, 1e-3]))
    bad = probes[2]
    assert bad.message.startswith("diverged: ") and not bad.comparable
    assert math.isnan(bad.accuracy) and math.isnan(bad.difference)
    assert all(probe.comparable for probe in probes if probe is not bad)
    assert max(probe.c for probe in probes[3:]) < bad.c


def test_a_seed_that_diverges_ends_its_probe(data):
    found = search(data, broken_at({2}), seeds=(0, 1, 2))
    probe = next(found)
    assert probe.message.startswith("diverged") and probe.seeds == (0, 1)
    assert math.isnan(probe.accuracies[1]) and not math.isnan(probe.accuracies[0])


def test_sgd_that_diverges_is_the_answer(data):
    found = search(data, lr=1e6)
    answer = found.run()
    assert answer.c is None and answer.ended == "reference" and len(found.probes) == 1
    assert "SGD itself diverged" in answer.sentence and "smaller lr" in answer.sentence


def test_where_a_dead_network_would_pass_there_is_no_answer(data):
    found = search(data, tolerance=0.95)
    answer = found.run()
    assert answer.c is None and answer.ended == "reference"
    share = float((data.y_val == data.y_val.mode().values).float().mean())
    assert f"guessing {share:.1%}" in answer.sentence and "dead" in answer.sentence


def test_a_budget_ends_the_search(data):
    found = search(data, budget=7, grid=[1e-6, 1e-5, 1e-4, 1e-3])
    answer = found.run()
    assert answer.ended == "budget" and answer.epochs_spent == 6 == 2 * len(found.probes)
    assert answer.c == found.probes[-1].c and found.longest == 7
    assert "budget of 7 epochs" in answer.sentence


def test_stop_ends_the_search_with_what_it_has(data):
    stop = threading.Event()
    found = search(data, stop=stop)
    for probe in found:
        if probe.c == 0.001:
            stop.set()
    assert found.answer.ended == "stopped" and found.answer.c == 0.001
    assert "Stopped: so far, the greatest c" in found.answer.sentence


def test_stopped_at_once(data):
    stop = threading.Event()
    stop.set()
    found = search(data, stop=stop)
    answer = found.run()
    assert answer.c is None and answer.ended == "stopped" and found.probes == []
    assert list(found) == []


def test_progress_rises_to_at_most_one(data):
    shares = []
    found = search(data, progress=shares.append, epochs=1)
    found.run()
    assert shares == sorted(shares) and shares[0] >= 0 and shares[-1] <= 1
    assert len(shares) >= 2 * len(found.probes)  # at the beginning and the end of each


def test_the_defaults_start_at_1e_4(data):
    found = find_c(small_digits_cnn, data)
    assert isinstance(found, Search)
    assert found.steps[0] == 1e-4 and found.steps[-1] == 0.1
    assert found.longest == 8 * 5  # SGD, seven probes
    assert find_c(small_digits_cnn, data, epochs=1).longest <= 10  # a frugal search


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mu": math.nan}, "mu = nan"),
        ({"mu": math.inf}, "mu = inf"),
        ({"mu": -0.5}, "mu = -0.5"),
        ({"lr": math.nan}, "lr = nan"),
        ({"lr": -0.1}, "lr = -0.1"),
        ({"epochs": 0}, "epochs = 0"),
        ({"epochs": 1.5}, "epochs = 1.5"),
        ({"tolerance": -0.01}, "tolerance = -0.01"),
        ({"tolerance": math.nan}, "tolerance = nan"),
        ({"tolerance": 15}, "tolerance = 15"),
        ({"grid": [0.1, math.nan]}, "c = nan: accepted is a finite number > 0"),
        (
            {"grid": [0.1, 0.2, 0.1]},
            "grid = \\[0.1, 0.2, 0.1\\]: accepted is each value once, 0.1 is there twice",
        ),
        ({"grid": [0.1, 0.0]}, "c = 0.0: accepted is a finite number > 0"),
        ({"grid": []}, "grid = \\[\\]: accepted is a list of at least one"),
        ({"grid": None, "start": 0.0}, "start = 0.0"),
        ({"grid": None, "largest": math.nan}, "largest = nan"),
        ({"seeds": ()}, r"seeds = \[\]: accepted is a list of at least one value"),
        ({"seeds": (1, 1)}, r"seeds = \[1, 1\]: accepted is each value once"),
        ({"seeds": (-1,)}, "seed = -1: accepted is an integer >= 0"),
        ({"budget": 3}, "budget = 3: accepted is an integer >= 4, what SGD and one c take"),
    ],
)
def test_what_cannot_be_used_is_named_at_once(data, settings, words):
    with pytest.raises(ValueError, match=words):
        search(data, **settings)


def test_data_without_a_validation_part_is_refused():
    with pytest.raises(ValueError, match="data has no validation part"):
        search(digits(validation=0))


def test_a_model_that_does_not_fit_the_labels_is_named(data):
    with pytest.raises(
        ValueError, match="data has labels 0 to 9: accepted are 0 to 3, as model has 4 outputs"
    ):
        next(search(data, lambda seed: nn.Sequential(nn.Flatten(), nn.Linear(64, 4))))


def test_data_with_one_class_is_named(data):
    one = replace(data, y_train=torch.zeros_like(data.y_train))
    with pytest.raises(ValueError, match="data has one class"):
        next(search(one))


def test_settings_that_can_be_used_are_not_refused():
    check_settings(0.51, 0.1, 1, 0.15, (0, 1), 4)
