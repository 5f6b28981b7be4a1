"""A training kept in a folder: whatever ends it, it goes on to the same weights."""

import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from grda_edu import GRDA, digits, digits_cnn, files, train, train_kept
from grda_edu.images import RandomCropAndFlip
from grda_edu.training.interrupt import Interrupted
from grda_edu.training.kept import kept_run

EPOCHS, BATCH = 3, 24


@pytest.fixture(scope="module")
def data():
    whole = digits()
    return replace(whole, x_train=whole.x_train[:100], y_train=whole.y_train[:100])  # 5 batches


@pytest.fixture(autouse=True)
def every_batch_is_told(monkeypatch):
    monkeypatch.setattr("grda_edu.training.loop.SECONDS_BETWEEN_REPORTS", 0.0)


def optimizer(parameters, lr=0.1):
    return GRDA(parameters, lr=lr, c=0.02, mu=0.6)


def with_all_that_has_state(seed=0):
    """Chance, batch norm and dropout: whatever is not kept shows in the weights."""
    torch.manual_seed(seed)
    return nn.Sequential(
        RandomCropAndFlip(1),
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(256, 10),
    )


def go_on(data, folder, model=None, **options):
    model = model or with_all_that_has_state()
    options = {"epochs": EPOCHS, "batch_size": BATCH, "seed": 1, "device": "cpu"} | options
    return model, train_kept(model, data, options.pop("make", optimizer), folder, **options)


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def assert_equal(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name


@pytest.fixture(scope="module")
def uninterrupted(data):
    """By ``train`` itself, in one piece."""
    model = with_all_that_has_state()
    run = train(*(model, data, optimizer), epochs=EPOCHS, batch_size=BATCH, seed=1, device="cpu")
    return state(model), run


@pytest.mark.parametrize("every", [1, 2, 5, 1000])
def test_in_pieces_it_is_the_same_training(data, tmp_path, uninterrupted, every):
    model, run = go_on(data, tmp_path, every=every)
    assert_equal(state(model), uninterrupted[0])
    for curve in ("epoch", "train_loss", "test_accuracy", "zeros"):
        np.testing.assert_array_equal(getattr(run, curve), getattr(uninterrupted[1], curve))
    assert run.finished and run.configuration == uninterrupted[1].configuration
    assert len(list(tmp_path.iterdir())) == 2  # what was kept before is gone


@pytest.mark.parametrize("writes", range(1, 9))
def test_whichever_file_was_being_written(data, tmp_path, uninterrupted, monkeypatch, writes):
    """The process ends in the middle of the n-th file; what it left there half done is there too."""
    left = iter(range(writes, -1, -1))
    whole = files.replace

    def ends(path, content):
        if not next(left):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(path.name + ".0123.part").write_bytes(content[: len(content) // 2])
            raise SystemExit("no more power")
        whole(path, content)

    monkeypatch.setattr(files, "replace", ends)
    with pytest.raises(SystemExit):
        go_on(data, tmp_path, every=3)
    monkeypatch.setattr(files, "replace", whole)
    model, _ = go_on(data, tmp_path, every=3)
    assert_equal(state(model), uninterrupted[0])
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_an_interrupt_is_kept(data, tmp_path, uninterrupted):
    pressed = []

    def press(run, fraction):
        if fraction > 0.4 and not pressed:
            pressed.append(run)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="calling train_kept again with folder"):
        go_on(data, tmp_path, progress=press)
    assert kept_run(tmp_path).message.startswith("stopped in epoch 2")
    model, _ = go_on(data, tmp_path)
    assert_equal(state(model), uninterrupted[0])


def test_the_callers_stop_is_kept(data, tmp_path, uninterrupted):
    stop = threading.Event()
    _, run = go_on(data, tmp_path, stop=stop, progress=lambda *_: stop.set())
    assert run.message == "stopped in epoch 1, after batch 0 of 5"
    model, _ = go_on(data, tmp_path)
    assert_equal(state(model), uninterrupted[0])


def test_finished_it_gives_the_weights_and_can_be_made_longer(data, tmp_path, uninterrupted):
    go_on(data, tmp_path)
    other = with_all_that_has_state(5)
    model, run = go_on(data, tmp_path, model=other)
    assert run.finished
    assert_equal(state(model), uninterrupted[0])
    longer, run = go_on(data, tmp_path, epochs=EPOCHS + 1)
    once, _ = go_on(data, tmp_path / "once", epochs=EPOCHS + 1)
    assert_equal(state(longer), state(once))
    assert run.epoch[-1] == EPOCHS + 1


@pytest.mark.parametrize("epochs", [EPOCHS, EPOCHS + 1])
@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"seed": 2}, "seed = 2"),
        ({"batch_size": 20}, "batch_size = 20"),
        ({"make": lambda p: optimizer(p, lr=0.2)}, "hyperparameters"),
        ({"model": digits_cnn()}, "model = 'digits_cnn'"),
    ],
)
def test_another_training_is_refused(data, tmp_path, epochs, options, named):
    go_on(data, tmp_path)
    with pytest.raises(ValueError, match=named):
        go_on(data, tmp_path, epochs=epochs, **options)


def test_fewer_epochs_than_it_has_are_refused(data, tmp_path):
    go_on(data, tmp_path)
    with pytest.raises(ValueError, match="epochs = 2: accepted is an integer > 3"):
        go_on(data, tmp_path, epochs=2)


@pytest.mark.parametrize("ending", [".run.npz", ".checkpoint.npz"])
def test_a_damaged_file_is_named(data, tmp_path, ending):
    go_on(data, tmp_path)
    (path,) = tmp_path.glob(f"*{ending}")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=path.name):
        go_on(data, tmp_path)


@pytest.mark.parametrize("name", ["every", "batch_size"])
def test_no_steps_are_refused(data, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} = 0"):
        go_on(data, tmp_path, **{name: 0})


def test_a_training_that_diverges_says_so_and_ends(data, tmp_path):
    _, run = go_on(data, tmp_path, make=lambda p: torch.optim.SGD(p, lr=1e30))
    assert run.message.startswith("diverged")
    _, again = go_on(data, tmp_path, make=lambda p: torch.optim.SGD(p, lr=1e30))
    assert again.message == run.message


def test_an_empty_folder_has_nothing(tmp_path):
    assert kept_run(tmp_path) is None and kept_run(tmp_path / "none") is None


# ------------------------------------------------- what of the training images is measured


def test_the_training_loss_can_be_that_of_some(data):
    model = digits_cnn(0)
    run = train(*(model, data, optimizer), epochs=1, batch_size=BATCH, device="cpu", measured=30)
    with torch.no_grad():
        some = [k * 100 // 30 for k in range(30)]  # 0, 3, 6, 10, …
        outputs = model(data.x_train[some])
    loss = nn.functional.cross_entropy(outputs, data.y_train[some]).item()
    assert run.train_loss[-1] == pytest.approx(loss, rel=1e-5)
    with pytest.raises(ValueError, match="measured = 101: accepted is an integer from 1 to 100"):
        train(model, data, optimizer, epochs=1, measured=101)
