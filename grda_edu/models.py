"""The networks of the course: small enough to watch, real enough to prune.

None has batch norm or dropout, so that their loss is one fixed function of the weights.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from grda_edu.checks import whole


def small_digits_cnn(seed: int = 0) -> nn.Sequential:
    """The CNN of 1,370 parameters, small enough for its whole Hessian.

    Args:
        seed: what PyTorch's default initialisation is drawn from, an integer ≥ 0.

    Returns:
        A network [N, 1, 8, 8] -> [N, 10].

    Raises:
        ValueError: if ``seed`` is no such integer.
    """
    return _seeded(
        "small_digits_cnn",
        seed,
        lambda: OrderedDict(
            conv=nn.Conv2d(1, 8, 3, stride=2, padding=1),
            relu=nn.ReLU(),
            flatten=nn.Flatten(),
            fc=nn.Linear(128, 10),
        ),
    )


def digits_cnn(seed: int = 0) -> nn.Sequential:
    """The CNN of 13,706 parameters that grows sparse in lesson 04.

    Args:
        seed: what PyTorch's default initialisation is drawn from, an integer ≥ 0.

    Returns:
        A network [N, 1, 8, 8] -> [N, 10].

    Raises:
        ValueError: if ``seed`` is no such integer.
    """
    return _seeded(
        "digits_cnn",
        seed,
        lambda: OrderedDict(
            conv1=nn.Conv2d(1, 16, 3, padding=1),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(16, 32, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(128, 64),
            relu3=nn.ReLU(),
            fc2=nn.Linear(64, 10),
        ),
    )


def mnist_cnn(seed: int = 0) -> nn.Sequential:
    """The CNN of 52,266 parameters for the larger images.

    Its first convolution and pooling step down to 7x7 at once: an epoch of 3,488 images takes
    some .15 s on one thread.

    Args:
        seed: what PyTorch's default initialisation is drawn from, an integer ≥ 0.

    Returns:
        A network [N, 1, 28, 28] -> [N, 10].

    Raises:
        ValueError: if ``seed`` is no such integer.
    """
    return _seeded(
        "mnist_cnn",
        seed,
        lambda: OrderedDict(
            conv1=nn.Conv2d(1, 8, 5, stride=2, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(8, 16, 3, padding=1),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(784, 64),
            relu3=nn.ReLU(),
            fc2=nn.Linear(64, 10),
        ),
    )


def _seeded(
    name: str, seed: int, layers: Callable[[], "OrderedDict[str, nn.Module]"]
) -> nn.Sequential:
    seed = whole("seed", seed)
    # Only the CPU's generator draws initial weights, and fork_rng puts it back as it was.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = nn.Sequential(layers())
    model.name = name  # type: ignore[assignment]  # what a Run calls it
    return model
