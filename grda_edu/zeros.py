"""How many weights are exactly zero: by layer, in total, and which ones."""

from torch import Tensor
from torch.nn import Module


def zeros_by_layer(model: Module) -> dict[str, tuple[int, int]]:
    """Count the zeros of every parameter tensor, biases included.

    Returns:
        name -> (number of entries that are exactly zero, number of entries), in the model's
        order. A tensor shared by two layers is counted once.
    """
    return {
        name: (p.numel() - int(_dense(p).count_nonzero()), p.numel())
        for name, p in model.named_parameters()
    }


def sparsity(model: Module) -> float:
    """The fraction of all parameters, biases included, that are exactly zero: 0 to 1.

    Raises:
        ValueError: if the model has no parameters.
    """
    counts = list(zeros_by_layer(model).values())
    size = sum(size for _, size in counts)
    if size == 0:
        raise ValueError("model has no parameters: its sparsity is undefined")
    return sum(zeros for zeros, _ in counts) / size


def masks(model: Module) -> dict[str, Tensor]:
    """Name -> bool tensor of the parameter's shape: True where the weight is alive (not zero).

    A mask is dense, whatever the layout of its parameter.
    """
    return {name: _dense(p) != 0 for name, p in model.named_parameters()}


def _dense(p: Tensor) -> Tensor:
    """What torch can count: a sparse layout leaves zeros out, and may store some all the same."""
    return p.detach().to_dense()
