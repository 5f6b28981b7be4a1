"""train() against a bare loop, and everything that may interrupt it."""

import math
import time
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from grda_edu import GRDA, Run, train
from grda_edu.data import digits
from grda_edu.models import small_digits_cnn
from grda_edu.training import loop
from grda_edu.training.checkpoint import Checkpoint
from grda_edu.training.device import choose_device, one_thread
from grda_edu.training.loop import evaluate
from grda_edu.training.run import CURVES

SGD = partial(torch.optim.SGD, lr=0.1)
IMAGES, BATCH = 100, 24  # five batches an epoch, the last one of four images


@pytest.fixture(scope="module")
def data():
    whole = digits()
    parts = {f"{xy}_train": getattr(whole, f"{xy}_train")[:IMAGES] for xy in "xy"}
    return replace(whole, **parts)


@pytest.fixture
def two_threads():
    """torch with two threads, whatever the machine and the environment say."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def vector(model):
    return nn.utils.parameters_to_vector(model.parameters()).detach()


class StopAfter:
    """A stop event that is set once it has been looked at ``batches`` times."""

    def __init__(self, batches):
        self.left = batches

    def is_set(self):
        self.left -= 1
        return self.left < 0


def assert_same_history(one, other):
    for name in ("epoch", *CURVES, "zeros"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def assert_same_state(one, other):
    """Checkpoints, or anything made of dictionaries, lists, tensors and numbers."""
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same_state(one[key], other[key])
    elif isinstance(one, list | tuple):
        for a, b in zip(one, other, strict=True):
            assert_same_state(a, b)
    else:
        assert one == other


# What it computes


def bare_loop(model, data, optimizer, epochs, seed):
    """The training that is meant, in the fewest lines."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        order = torch.randperm(len(data.y_train), generator=generator)
        for batch in order.split(BATCH):
            optimizer.zero_grad()
            cross_entropy(model(data.x_train[batch]), data.y_train[batch]).backward()
            optimizer.step()


@pytest.mark.parametrize("make_optimizer", [SGD, partial(GRDA, lr=0.1, c=0.02, mu=0.6)])
def test_trains_as_a_bare_loop_does(data, make_optimizer):
    model, expected = small_digits_cnn(1), small_digits_cnn(1)
    run = train(model, data, make_optimizer, epochs=3, batch_size=BATCH, seed=5)
    bare_loop(expected, data, make_optimizer(expected.parameters()), epochs=3, seed=5)
    assert torch.equal(vector(model), vector(expected))
    assert run.finished
    assert run.message == ""


def test_history_is_what_the_network_does(data):
    model = small_digits_cnn(1)
    make = partial(GRDA, lr=0.1, c=0.05, mu=0.6)
    run = train(model, data, make, epochs=2, batch_size=BATCH, snapshot_epochs=[0, 2])
    assert run.epoch.tolist() == [0, 1, 2]
    assert run.layers == ("conv.weight", "conv.bias", "fc.weight", "fc.bias")
    assert run.sizes.tolist() == [72, 8, 1280, 10]
    assert run.zeros[-1].tolist() == [int((p == 0).sum()) for p in model.parameters()]
    assert run.total_zeros[-1] == (vector(model) == 0).sum().item() / 1370 > 0
    assert (np.diff(run.seconds) > 0).all()
    for row, network in ((0, small_digits_cnn(1)), (-1, model)):
        for part in ("train", "val", "test"):
            x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
            outputs = network(x).double()
            chosen = outputs.exp() / outputs.exp().sum(dim=1, keepdim=True)
            loss = -chosen[range(len(y)), y].log().mean().item()
            assert getattr(run, f"{part}_loss")[row] == pytest.approx(loss, rel=1e-5)
            right = (outputs.argmax(dim=1) == y).double().mean().item()
            assert getattr(run, f"{part}_accuracy")[row] == right
    for epoch, network in ((0, small_digits_cnn(1)), (2, model)):
        for k, (name, weights) in enumerate(network.named_parameters()):
            np.testing.assert_array_equal(run.snapshots[epoch][name], weights.detach().numpy())
            counted = run.histograms[epoch][k].sum() + (weights == 0).sum().item()
            assert counted == weights.numel()


def test_without_validation_images_its_curves_are_nan():
    run = train(small_digits_cnn(), digits(validation=0), SGD, epochs=1, batch_size=1437)
    assert np.isnan(run.val_loss).all()
    assert np.isnan(run.val_accuracy).all()
    assert np.isfinite(run.test_loss).all()


def test_configuration_says_how_it_was_made(data):
    make = partial(GRDA, lr=torch.tensor(0.1), c=0.02, mu=0.6)
    run = train(small_digits_cnn(), data, make, epochs=1, batch_size=BATCH, seed=9, device="cpu")
    said = run.configuration
    assert said["model"] == "small_digits_cnn"
    assert said["data"] == "digits"
    assert said["optimizer"] == "GRDA"
    assert {k: said[k] for k in ("epochs", "batch_size", "seed")} == {
        "epochs": 1,
        "batch_size": BATCH,
        "seed": 9,
    }
    hyperparameters = said["hyperparameters"]
    assert hyperparameters["lr"] == pytest.approx(0.1)
    assert (hyperparameters["c"], hyperparameters["mu"]) == (0.02, 0.6)
    assert run.device == "cpu"
    assert run.versions["torch"] == torch.__version__


def test_live_run_can_be_saved_and_loaded(data, tmp_path):
    run = train(small_digits_cnn(), data, SGD, epochs=1, batch_size=BATCH, snapshot_epochs=[1])
    run.save(tmp_path / "run.npz")
    loaded = Run.load(tmp_path / "run.npz")
    assert_same_history(loaded, run)
    assert loaded.configuration == run.configuration


def images_seen(data, make_optimizer, seed):
    model, seen = small_digits_cnn(), []
    model.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].clone()) if module.training else None
    )
    train(model, data, make_optimizer, epochs=2, batch_size=BATCH, seed=seed)
    return seen


def test_two_optimizers_see_the_same_batches(data):
    one = images_seen(data, SGD, seed=3)
    other = images_seen(data, partial(GRDA, lr=0.1, c=0.02, mu=0.7), seed=3)
    assert [len(batch) for batch in one] == [24, 24, 24, 24, 4] * 2
    assert_same_state(one, other)
    assert not torch.equal(one[0], images_seen(data, SGD, seed=4)[0])
    assert not torch.equal(one[0], one[5])  # a new order every epoch


def test_each_epoch_uses_every_image_once(data):
    seen = torch.cat(images_seen(data, SGD, seed=0)[:5]).reshape(IMAGES, -1)
    expected = data.x_train.reshape(IMAGES, -1)
    assert sorted(map(tuple, seen.tolist())) == sorted(map(tuple, expected.tolist()))


def test_evaluation_takes_no_gradients_and_gives_the_mode_back(data):
    model, modes = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 10)), []
    model.register_forward_pre_hook(
        lambda module, _: modes.append((module.training, torch.is_grad_enabled()))
    )
    train(model, data, SGD, epochs=1, batch_size=BATCH)
    assert set(modes) == {(True, True), (False, False)}
    for mode in (True, False):
        model.train(mode)
        first = evaluate(model, data.x_test, data.y_test)
        assert first == evaluate(model, data.x_test, data.y_test)  # no dropout
        assert all(module.training == mode for module in model.modules())


# Stop and resume


def with_dropout():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Dropout(0.3), nn.Linear(20, 10))


def with_batch_norm():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.BatchNorm1d(20), nn.Linear(20, 10))


SCHEDULE = partial(torch.optim.lr_scheduler.MultiStepLR, milestones=[1, 2], gamma=0.5)
RECIPES = {
    "SGD": (small_digits_cnn, SGD, None),
    "momentum": (small_digits_cnn, partial(SGD, momentum=0.9), None),
    "gRDA": (small_digits_cnn, partial(GRDA, lr=0.1, c=0.03, mu=0.7), None),
    "gRDAM": (
        small_digits_cnn,
        partial(GRDA, lr=0.05, c=0.03, mu=0.7, momentum=0.9, weight_decay=1e-3),
        SCHEDULE,
    ),
    "Adam": (small_digits_cnn, partial(torch.optim.Adam, lr=1e-3), SCHEDULE),
    "cosine": (
        small_digits_cnn,
        SGD,
        partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=3),
    ),
    "dropout": (with_dropout, SGD, None),
    "batch norm": (with_batch_norm, SGD, None),
}


def begin(recipe):
    make_model, make_optimizer, make_scheduler = RECIPES[recipe]
    torch.manual_seed(0)
    options = {"epochs": 3, "batch_size": BATCH, "make_scheduler": make_scheduler, "seed": 2}
    return make_model(), make_optimizer, options | {"snapshot_epochs": [0, 1, 3]}


@pytest.mark.parametrize("stopped_after", [0, 3, 5, 9])
@pytest.mark.parametrize("recipe", RECIPES)
def test_resumed_training_equals_an_uninterrupted_one(recipe, stopped_after, data, tmp_path):
    """Stopped before the first batch, in mid-epoch, between epochs, before a ragged batch."""
    model, make_optimizer, options = begin(recipe)
    expected = train(model, data, make_optimizer, **options)

    other, make_optimizer, options = begin(recipe)
    stopped = train(other, data, make_optimizer, **options, stop=StopAfter(stopped_after))
    assert not stopped.finished
    epoch, batch = divmod(stopped_after, 5)
    assert stopped.message == f"stopped in epoch {epoch + 1}, after batch {batch} of 5"
    assert len(stopped.epoch) == epoch + 1
    stopped.save(tmp_path / "run.npz")
    stopped.checkpoint.save(tmp_path / "checkpoint.npz")

    loaded = Run.load(tmp_path / "run.npz")
    loaded.checkpoint = Checkpoint.load(tmp_path / "checkpoint.npz")
    torch.manual_seed(99)
    fresh = RECIPES[recipe][0]()
    resumed = train(fresh, data, make_optimizer, **options, resume=loaded)

    assert resumed.finished
    assert_same_history(resumed, expected)
    assert_same_state(fresh.state_dict(), model.state_dict())
    for part in ("model", "optimizer", "scheduler", "order", "random", "epoch", "batch"):
        one, two = getattr(resumed.checkpoint, part), getattr(expected.checkpoint, part)
        assert_same_state(one, two)
    assert resumed.snapshots.keys() == expected.snapshots.keys()
    assert resumed.seconds[-1] > stopped.checkpoint.seconds
    assert (np.diff(resumed.seconds) > 0).all()


def test_state_matters_for_the_test_above(data):
    """Without the accumulator's state the same resume ends elsewhere: the test can fail."""
    model, make_optimizer, options = begin("gRDA")
    train(model, data, make_optimizer, **options)
    other, make_optimizer, options = begin("gRDA")
    stopped = train(other, data, make_optimizer, **options, stop=StopAfter(7))
    forgetful = make_optimizer(list(other.parameters())).state_dict()
    stopped.checkpoint.optimizer = forgetful
    train(other, data, make_optimizer, **options, resume=stopped)
    assert not torch.equal(vector(model), vector(other))


def test_finished_run_can_be_continued_and_its_checkpoint_used_again(data):
    expected = small_digits_cnn()
    make = partial(GRDA, lr=0.1, c=0.02, mu=0.6)
    train(expected, data, make, epochs=4, batch_size=BATCH)
    first = train(small_digits_cnn(), data, make, epochs=2, batch_size=BATCH)
    for _ in range(2):
        model = small_digits_cnn(8)
        run = train(model, data, make, epochs=4, batch_size=BATCH, resume=first)
        assert torch.equal(vector(model), vector(expected))
        assert run.epoch.tolist() == [0, 1, 2, 3, 4]
    assert len(first.epoch) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 20}, r"batch_size = 20: accepted is 24, with which"),
        ({"seed": 1}, r"seed = 1: accepted is 0, with which"),
        ({"epochs": 1}, r"epochs = 1: accepted is an integer > 1, the epochs that the run"),
        ({"make_scheduler": SCHEDULE}, r"scheduler = 'MultiStepLR': accepted is None"),
        (
            {"make_optimizer": partial(SGD, momentum=0.9)},
            r"hyperparameters = .*'momentum': 0.9.*: accepted is .*'momentum': 0,",
        ),
        (
            {"make_optimizer": partial(GRDA, lr=0.1, c=0, mu=0.6)},
            r"optimizer = 'GRDA': accepted is 'SGD'",
        ),
    ],
)
def test_resuming_another_training_is_refused(data, change, message):
    options = {"make_optimizer": SGD, "batch_size": BATCH, "epochs": 1, "seed": 0}
    run = train(small_digits_cnn(), data, **options)
    with pytest.raises(ValueError, match=message):
        train(small_digits_cnn(), data, **options | {"epochs": 2} | change, resume=run)


def test_resume_needs_the_checkpoint(data):
    run = train(small_digits_cnn(), data, SGD, batch_size=BATCH, epochs=1)
    later = run.checkpoint
    run.checkpoint = None
    with pytest.raises(ValueError, match=r"Checkpoint\.load"):
        train(small_digits_cnn(), data, SGD, batch_size=BATCH, epochs=2, resume=run)
    run.checkpoint = later
    run.epoch = run.epoch[:1]
    with pytest.raises(ValueError, match=r"checkpoint of epoch 1: accepted is one of epoch 0"):
        train(small_digits_cnn(), data, SGD, batch_size=BATCH, epochs=2, resume=run)


def test_checkpoint_keeps_every_kind_of_value(tmp_path):
    state = {
        "state": {0: {"step": 3, "v": torch.randn(3, 2).bfloat16(), "threshold": 0.1 + 0.2}},
        "groups": [{"betas": (0.9, 0.999), "foreach": None, "on": True, "name": "a"}],
        "scalar": torch.tensor(2.5, dtype=torch.float64),
        "empty": torch.zeros(0, 4),
        "infinite": math.inf,
    }
    generator = torch.Generator().get_state()
    saved = Checkpoint({"w": torch.randn(2, 3).t()}, state, None, 2, 1, generator, {}, 1.25)
    saved.save(tmp_path / "c.npz")
    loaded = Checkpoint.load(tmp_path / "c.npz")
    assert_same_state(vars(loaded), vars(saved))
    assert isinstance(loaded.optimizer["groups"][0]["betas"], tuple)


def test_checkpoint_refuses_what_is_not_one(tmp_path):
    path = tmp_path / "c.npz"
    for content in (b"", b"nonsense"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"c\.npz is not a saved Checkpoint"):
            Checkpoint.load(path)
    np.savez(path, tree=np.array({"a": 1}, dtype=object))
    with pytest.raises(ValueError, match=r"c\.npz is not a saved Checkpoint"):
        Checkpoint.load(path)
    odd = Checkpoint({}, {"f": print}, None, 0, 0, torch.zeros(1), {}, 0.0)
    with pytest.raises(TypeError, match=r"plain values, not builtin_function_or_method"):
        odd.save(path)


# Divergence and exceptions


class TurnsBad(nn.Module):
    """Outputs ``value`` from the ``at``-th training batch on."""

    def __init__(self, at, value):
        super().__init__()
        self.network, self.at, self.value, self.calls = small_digits_cnn(), at, value, 0

    def forward(self, x):
        self.calls += self.training
        outputs = self.network(x)
        return outputs * self.value if self.training and self.calls >= self.at else outputs


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_divergence_says_where_and_keeps_the_history(data, value):
    model = TurnsBad(at=8, value=value)
    run = train(model, data, SGD, epochs=4, batch_size=BATCH)
    assert run.message == "diverged: the loss became nan in epoch 2, batch 3 of 5"
    assert not run.finished
    assert run.epoch.tolist() == [0, 1]
    assert np.isfinite(run.train_loss).all()
    assert torch.isfinite(vector(model)).all()  # the bad step was not taken


def test_too_large_a_learning_rate_diverges_in_words(data):
    run = train(small_digits_cnn(), data, partial(SGD, lr=1e20), epochs=5, batch_size=BATCH)
    assert run.message.startswith("diverged: the loss became ")
    assert not run.finished


def test_divergence_in_the_very_last_step_is_seen(data):
    huge = partial(torch.optim.SGD, lr=1e38)
    run = train(small_digits_cnn(), data, huge, epochs=1, batch_size=IMAGES)
    assert run.message.startswith("diverged: the training loss is ")
    assert run.message.endswith(" after epoch 1")
    assert not run.finished


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_exceptions_are_passed_on_and_threads_given_back(data, two_threads, error):
    def fail(run, fraction):
        raise error("from progress")

    with pytest.raises(error, match="from progress"):
        train(small_digits_cnn(), data, SGD, epochs=1, progress=fail)
    assert torch.get_num_threads() == 2


def test_error_of_the_optimizer_is_passed_on(data):
    class Broken(torch.optim.SGD):
        def step(self, closure=None):
            raise ArithmeticError("no step today")

    with pytest.raises(ArithmeticError, match="no step today"):
        train(small_digits_cnn(), data, partial(Broken, lr=0.1), epochs=1)


# Progress


def test_progress_comes_at_most_five_times_a_second_and_at_the_end(data, monkeypatch):
    clock = SimpleNamespace(now=0.0)

    def monotonic():
        clock.now += 0.03
        return clock.now

    fake = SimpleNamespace(monotonic=monotonic, perf_counter=time.perf_counter)
    monkeypatch.setattr(loop, "time", fake)
    calls = []
    run = train(
        small_digits_cnn(),
        data,
        SGD,
        epochs=20,
        batch_size=BATCH,
        progress=lambda run, fraction: calls.append((clock.now, run, fraction)),
    )
    times = np.array([now for now, _, _ in calls[:-1]])
    assert np.diff(times).min() >= 0.2
    assert len(calls) > 10
    fractions = [fraction for _, _, fraction in calls]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert calls[-1][1] is run
    lengths = [len(seen.epoch) for _, seen, _ in calls]
    assert lengths[0] == 1  # what was handed out is not changed afterwards
    assert lengths == sorted(lengths)
    assert not calls[0][1].finished
    assert run.finished


def test_fraction_goes_on_where_a_resumed_run_was(data):
    options = {"epochs": 4, "batch_size": BATCH}
    fractions = []
    stopped = train(small_digits_cnn(), data, SGD, **options, stop=StopAfter(10))
    train(
        small_digits_cnn(),
        data,
        SGD,
        **options,
        resume=stopped,
        progress=lambda run, fraction: fractions.append(fraction),
    )
    assert fractions[0] == 0.5
    assert fractions[-1] == 1


# Threads, devices, generators


def test_small_models_train_on_one_thread_and_give_the_others_back(data, two_threads):
    seen = []
    options = {"epochs": 1, "batch_size": BATCH}
    note = lambda run, fraction: seen.append(torch.get_num_threads())  # noqa: E731
    train(small_digits_cnn(), data, SGD, **options, device="cpu", progress=note)
    assert seen[0] == 1
    assert torch.get_num_threads() == 2
    seen.clear()
    large = nn.Sequential(nn.Flatten(), nn.Linear(64, 2000), nn.Linear(2000, 10))
    train(large, data, SGD, **options, device="cpu", progress=note)
    assert seen[0] == 2


def test_overlapping_trainings_give_the_threads_back_with_the_last(two_threads):
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert torch.get_num_threads() == 1
    second.__exit__(None, None, None)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("make_model", [small_digits_cnn, with_dropout])
def test_global_generator_is_left_as_it_was(data, make_model):
    model = make_model()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(model, data, SGD, epochs=1, batch_size=BATCH)
    assert torch.equal(torch.rand(3), expected)


def test_seed_decides_dropout_too(data):
    def weights(seed, disturb):
        torch.manual_seed(0)
        model = with_dropout()
        torch.manual_seed(disturb)
        train(model, data, SGD, epochs=1, batch_size=IMAGES, seed=seed)
        return vector(model)

    # A whole batch: the order of the images matters to nothing but rounding.
    assert torch.equal(weights(1, disturb=1), weights(1, disturb=2))
    assert not torch.allclose(weights(1, disturb=1), weights(2, disturb=1), atol=1e-4)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest_device_there_is(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == expected
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("device", ["gpu", "", None, 3.5, "meta"])
def test_unknown_device_is_refused(device):
    with pytest.raises(ValueError, match=r"device .*'auto'"):
        choose_device(device)


def test_absent_device_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        ValueError,
        match=r"device = 'cuda': accepted is 'auto' or 'cpu', that one is not available here",
    ):
        choose_device("cuda")


# Bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, r"epochs = 0: accepted is an integer >= 1"),
        ({"epochs": 2.5}, r"epochs = 2\.5: accepted is an integer >= 1"),
        ({"epochs": True}, r"epochs = True: accepted is an integer >= 1"),
        ({"epochs": math.nan}, r"epochs = nan: accepted is an integer >= 1"),
        ({"batch_size": 0}, r"batch_size = 0: accepted is an integer from 1 to 100"),
        ({"batch_size": 101}, r"batch_size = 101: accepted is an integer from 1 to 100"),
        ({"batch_size": "32"}, r"batch_size = '32': accepted is an integer from 1 to 100"),
        ({"seed": -1}, r"seed = -1: accepted is an integer >= 0"),
        ({"seed": None}, r"seed = None: accepted is an integer >= 0"),
        ({"snapshot_epochs": [0, 3]}, r"snapshot_epochs = 3: accepted is an integer from 0 to 2"),
        ({"device": "abacus"}, r"device = 'abacus': accepted is 'auto', 'cpu', 'cuda' or 'mps'"),
    ],
)
def test_bad_arguments_are_named(data, change, message):
    options = {"epochs": 2, "batch_size": BATCH} | change
    with pytest.raises(ValueError, match=message):
        train(small_digits_cnn(), data, SGD, **options)


def linear(outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))


def test_labels_must_fit_the_outputs(data):
    message = r"data has labels 0 to 9: accepted are 0 to 4, as model has 5 outputs"
    with pytest.raises(ValueError, match=message):
        train(linear(5), data, SGD, epochs=1)
    negative = replace(data, y_test=data.y_test - 1)
    with pytest.raises(
        ValueError, match=r"data has labels -1 to 9: accepted are 0 to 9, as model has 10 outputs"
    ):
        train(linear(10), negative, SGD, epochs=1)
    train(linear(11), data, SGD, epochs=1)  # more outputs than labels are nobody's mistake


def test_outputs_must_be_one_row_an_image(data):
    with pytest.raises(
        ValueError, match=r"shape \(1, 1, 8, 10\) for one image: accepted is \[1, classes\]"
    ):
        train(nn.Linear(8, 10), data, SGD, epochs=1)


def test_make_optimizer_must_make_one_of_these_parameters(data):
    with pytest.raises(
        TypeError, match=r"make_optimizer returned a list: accepted is a torch.optim.Optimizer"
    ):
        train(small_digits_cnn(), data, list, epochs=1)
    other = SGD(small_digits_cnn().parameters())
    with pytest.raises(ValueError, match=r"another model's parameters"):
        train(small_digits_cnn(), data, lambda parameters: other, epochs=1)


def test_frozen_parameters_are_left_out(data):
    model = small_digits_cnn()
    model.conv.requires_grad_(False)
    before = model.conv.weight.clone()
    train(model, data, partial(GRDA, lr=0.1, c=0.02, mu=0.6), epochs=1, batch_size=BATCH)
    assert torch.equal(model.conv.weight, before)
