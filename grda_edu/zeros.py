"""How many weights are exactly zero: by layer, in total, and which ones."""

from torch import Tensor
from torch.nn import Module


def zeros_by_layer(model: Module) -> dict[str, tuple[int, int]]:
    """Count the zeros of every parameter tensor, biases included.

    Args:
        model: its parameters are counted, trainable or not, in dense and sparse layouts.

    Returns:
        name -> (number of entries that are exactly zero, number of entries), in the model's
        order. A tensor shared by two layers is counted once.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> layer.weight.data = torch.tensor([[0.0, 3.0]])
        >>> layer.bias.data = torch.tensor([0.0])
        >>> zeros_by_layer(layer)
        {'weight': (1, 2), 'bias': (1, 1)}
    """
    return {
        name: (p.numel() - int(_dense(p).count_nonzero()), p.numel())
        for name, p in model.named_parameters()
    }


def sparsity(model: Module) -> float:
    """The fraction of all parameters, biases included, that are exactly zero.

    Args:
        model: as of ``zeros_by_layer``.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: if the model has no parameters.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(3, 1)
        >>> layer.weight.data = torch.tensor([[0.0, 2.0, 0.0]])
        >>> layer.bias.data = torch.tensor([1.0])
        >>> sparsity(layer)
        0.5
    """
    counts = list(zeros_by_layer(model).values())
    size = sum(size for _, size in counts)
    if size == 0:
        raise ValueError("model has no parameters: its sparsity is undefined")
    return sum(zeros for zeros, _ in counts) / size


def masks(model: Module) -> dict[str, Tensor]:
    """Which weights are alive.

    Args:
        model: as of ``zeros_by_layer``.

    Returns:
        Name -> bool tensor of the parameter's shape, True where the weight is not zero. It is
        dense, whatever the layout of its parameter.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(3, 1, bias=False)
        >>> layer.weight.data = torch.tensor([[0.0, 2.0, -0.0]])
        >>> masks(layer)
        {'weight': tensor([[False,  True, False]])}
    """
    return {name: _dense(p) != 0 for name, p in model.named_parameters()}


def _dense(p: Tensor) -> Tensor:
    """What torch can count: a sparse layout leaves zeros out, and may store some all the same."""
    return p.detach().to_dense()
