"""The networks of the course: small enough to watch, real enough to prune.

None has dropout, and but for ``resnet20`` none has batch norm, so that their loss is one fixed function
of the weights.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

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


class BasicBlock(nn.Module):
    """Two convolutions beside a shortcut that has no weights.

    Where the block has more channels than it is given, the shortcut takes every second pixel and adds
    channels of zeros, half of them in front: option A of He et al. 2015.

    Args:
        given: channels of its input.
        channels: of its output.
    """

    def __init__(self, given: int, channels: int) -> None:
        super().__init__()
        self.added = channels - given
        self.conv1 = nn.Conv2d(given, channels, 3, 2 if self.added else 1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """[N, given, H, W] -> [N, channels, H, W], or half of H and W, rounded up."""
        inner = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if self.added:
            front = self.added // 2
            x = pad(x[:, :, ::2, ::2], (0, 0, 0, 0, front, self.added - front))
        return torch.relu(inner + x)


def resnet20(seed: int = 0, *, channels: int = 1, classes: int = 10) -> nn.Sequential:
    """The ResNet-20 that was made for CIFAR: 269,434 weights for one colour, 269,722 for three.

    Args:
        seed: what the convolutions' weights are drawn from, normal of variance 2 / fan-in.
        channels: colours of an image.
        classes: outputs.

    Returns:
        A network [N, channels, H, W] -> [N, classes], with batch norm after each convolution.

    Raises:
        ValueError: unless all are integers, the seed ≥ 0 and the others ≥ 1.

    Source: He, Zhang, Ren, Sun 2015, Deep residual learning for image recognition (arXiv:1512.03385),
    section 4.2; its initialisation is that of arXiv:1502.01852.
    """
    channels, classes = whole("channels", channels, 1), whole("classes", classes, 1)

    def layers() -> "OrderedDict[str, nn.Module]":
        blocks = [(16, 16)] * 3 + [(16, 32)] + [(32, 32)] * 2 + [(32, 64)] + [(64, 64)] * 2
        made: OrderedDict[str, nn.Module] = OrderedDict(
            conv=nn.Conv2d(channels, 16, 3, padding=1, bias=False),
            bn=nn.BatchNorm2d(16),
            relu=nn.ReLU(),
        )
        made |= {f"block{k}": BasicBlock(*sizes) for k, sizes in enumerate(blocks, start=1)}
        made |= {
            "pool": nn.AdaptiveAvgPool2d(1),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(64, classes),
        }
        for layer in made.values():
            for module in layer.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        return made

    return _seeded("resnet20", seed, layers)


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
