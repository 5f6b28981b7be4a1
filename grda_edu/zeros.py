"""How many weights are exactly zero: by layer, in total, and which ones."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm


def zeros_by_layer(model: Module) -> dict[str, tuple[int, int]]:
    """Count the zeros of every parameter tensor, biases included.

    Args:
        model: its parameters are counted, trainable or not, in dense and sparse layouts. Where
            a layer computes a weight (pruned with ``torch.nn.utils.prune``, parametrized), that
            weight is counted, by its own name, and not what it is computed from. Buffers are no
            weights. Of a tensor that is spread over processes (DTensor) the whole is counted, on
            each of them the same: all of them have to call this.

    Returns:
        name -> (number of entries that are exactly zero, number of entries), in the model's
        order. A tensor shared by two layers is counted once.

    Raises:
        ValueError: names what cannot be counted: layers of ``torch.ao``'s quantisation or under
            the old ``torch.nn.utils.weight_norm``, parameters without values (lazy, on the meta
            device).

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(2, 1)
        >>> layer.weight.data = torch.tensor([[0.0, 3.0]])
        >>> layer.bias.data = torch.tensor([0.0])
        >>> zeros_by_layer(layer)
        {'weight': (1, 2), 'bias': (1, 1)}
    """
    weights = dict(_weights(model))
    alive = {name: int((_dense(w) != 0).sum()) for name, w in weights.items()}
    _sum_over_processes(alive, weights)
    return {name: (w.numel() - alive[name], w.numel()) for name, w in weights.items()}


def sparsity(model: Module) -> float:
    """The fraction of all parameters, biases included, that are exactly zero.

    Args:
        model: as of ``zeros_by_layer``.

    Returns:
        A number from 0 to 1.

    Raises:
        ValueError: if the model has no parameters, and as ``zeros_by_layer``.

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

    Raises:
        ValueError: as ``zeros_by_layer``.

    Examples:
        >>> import torch
        >>> layer = torch.nn.Linear(3, 1, bias=False)
        >>> layer.weight.data = torch.tensor([[0.0, 2.0, -0.0]])
        >>> masks(layer)
        {'weight': tensor([[False,  True, False]])}
    """
    return {name: _dense(w, whole=True) != 0 for name, w in _weights(model)}


def refuse_computed(model: Module) -> None:
    """Refuse a model whose layers compute weights: the parameters are not what they multiply by.

    Raises:
        ValueError: names the layer, and what makes its parameters plain.
    """
    for name, module in model.named_modules():
        hooks = module._forward_pre_hooks.values()
        if parametrize.is_parametrized(module):
            state, how = "parametrized", "torch.nn.utils.parametrize.remove_parametrizations"
        elif any(isinstance(hook, prune.BasePruningMethod) for hook in hooks):
            state, how = "pruned with torch.nn.utils.prune", "torch.nn.utils.prune.remove"
        elif any(isinstance(hook, WeightNorm | SpectralNorm) for hook in hooks):
            state = "under torch.nn.utils.weight_norm or spectral_norm"
            how = "remove_weight_norm or remove_spectral_norm"
        else:
            continue
        raise ValueError(
            f"{name or type(module).__name__} is {state}: accepted are plain parameters; "
            f"{how} makes them so"
        )


@torch.no_grad()
def _weights(model: Module) -> Iterator[tuple[str, Tensor]]:
    """Name -> weights as the layers use them."""
    seen: set[Tensor] = set()
    for path, module in model.named_modules():
        _refuse_hidden(path or type(module).__name__, module)
        prefix = f"{path}." if path else ""
        if parametrize.is_parametrized(module):
            for own, computed in module.parametrizations.items():
                seen.update(computed.parameters())
                # a copy: a spectral norm in training moves on whenever it is asked
                yield prefix + own, copy.deepcopy(computed).eval()()
        for own, p in module.named_parameters(recurse=False):
            if p in seen:
                continue
            seen.add(p)
            if is_lazy(p) or p.is_meta:
                raise ValueError(
                    f"{prefix}{own} is lazy or on the meta device: accepted are parameters with values"
                )
            plain = own.removesuffix("_orig")
            mask = module._buffers.get(f"{plain}_mask") if plain != own else None
            yield (prefix + own, p) if mask is None else (prefix + plain, p * mask)


def _refuse_hidden(where: str, module: Module) -> None:
    """Layers whose weights are no parameters, and those whose parameters are other than they seem."""
    if ".quantized" in type(module).__module__ and (
        callable(getattr(module, "weight", None)) or hasattr(module, "_all_weight_values")
    ):
        raise ValueError(
            f"{where} is a quantised {type(module).__name__}, whose weights are no parameters: "
            "accepted is the model before torch.ao.quantization"
        )
    if any(isinstance(hook, WeightNorm) for hook in module._forward_pre_hooks.values()):
        raise ValueError(
            f"{where} is under torch.nn.utils.weight_norm: accepted is "
            "torch.nn.utils.parametrizations.weight_norm"
        )


def _dense(p: Any, whole: bool = False) -> Any:
    """What torch can compare: a sparse layout leaves zeros out, and may store some all the same.

    Of a DTensor what this process holds, or the whole.
    """
    p = p.detach()
    if _is_spread(p):
        return p.full_tensor() if whole else p.to_local()
    return p.dequantize() if p.is_quantized else p.to_dense()


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
