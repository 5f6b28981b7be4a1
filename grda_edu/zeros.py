"""How many weights are exactly zero: by layer, in total, and which ones."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import Module


def zeros_by_layer(model: Module) -> dict[str, tuple[int, int]]:
    """Count the zeros of every parameter tensor, biases included.

    Args:
        model: its parameters are counted, trainable or not, in dense and sparse layouts. Of a tensor
            that is spread over processes (DTensor) the whole is counted, on each of them the
            same: all of them have to call this.

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
    params = dict(model.named_parameters())
    alive = {name: int(_dense(p).count_nonzero()) for name, p in params.items()}
    _sum_over_processes(alive, params)
    return {name: (p.numel() - alive[name], p.numel()) for name, p in params.items()}


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
        dense and whole, whatever the layout of its parameter and however it is spread.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(3, 1, bias=False)
        >>> layer.weight.data = torch.tensor([[0.0, 2.0, -0.0]])
        >>> masks(layer)
        {'weight': tensor([[False,  True, False]])}
    """
    return {name: _dense(p, whole=True) != 0 for name, p in model.named_parameters()}


def _dense(p: Any, whole: bool = False) -> Any:
    """What torch can count: a sparse layout leaves zeros out, and may store some all the same.

    Of a DTensor what this process holds, or the whole.
    """
    p = p.detach()
    if _is_spread(p):
        return p.full_tensor() if whole else p.to_local()
    return p.to_dense()


def _is_spread(p: Any) -> bool:
    return hasattr(p, "to_local")


def _sum_over_processes(counts: dict[str, int], params: dict[str, Any]) -> None:
    """Add up in place what was counted of DTensors: one sum for all that are spread alike."""
    alike: dict[Any, list[str]] = {}
    for name, p in params.items():
        if _is_spread(p):
            alike.setdefault((p.device_mesh, p.placements), []).append(name)
    for (mesh, placements), names in alike.items():
        from torch.distributed.tensor import DTensor, Partial, Replicate  # slow to import

        summed = [Replicate() if at.is_replicate() else Partial() for at in placements]
        here = torch.tensor([counts[name] for name in names], device=mesh.device_type)
        whole = DTensor.from_local(here, mesh, summed, run_check=False).full_tensor()
        counts.update(zip(names, whole.tolist(), strict=True))
