"""Several networks of one architecture as one: weights and images with a leading dimension [K].

The matrix products of K small networks are done in one call each (``torch.bmm``). Gradients need
nothing special: the gradient of the sum of K losses holds each network's own.

Images are kept as [K, N, H, W, C], channels last: a convolution is then one matrix product with the
patches of the images, and pooling reads whole vectors of channels.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call, vmap
from torch.nn.functional import pad

Weights = dict[str, Tensor]  # name -> [K, …], the names of ``named_parameters``
Forward = Callable[[Weights, Tensor], Tensor]
"""Weights and images [K, N, …] give outputs [K, N, classes]."""

_ELEMENTWISE = (nn.Identity, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh)
_POOLING = (nn.MaxPool2d, nn.AvgPool2d)


def stack(models: list[nn.Module]) -> Weights:
    """The parameters of K models, copied to new tensors.

    Args:
        models: K of one architecture.

    Returns:
        name -> [K, …].

    Raises:
        ValueError: if their names or shapes differ.
    """
    named = [dict(model.named_parameters()) for model in models]
    shapes = [{name: tuple(p.shape) for name, p in own.items()} for own in named]
    other = next((own for own in shapes if own != shapes[0]), None)
    if other is not None:
        raise ValueError(
            f"models have parameters of shapes {shapes[0]} and {other}: accepted are the same ones"
        )
    return {name: torch.stack([own[name].detach() for own in named]) for name in named[0]}


def views(flat: Tensor, shapes: dict[str, torch.Size]) -> Weights:
    """Weights [K, …] that are pieces of ``flat`` [K, P], one after the other."""
    pieces = flat.split([shape.numel() for shape in shapes.values()], dim=1)
    return {
        name: piece.view(-1, *shape)
        for (name, shape), piece in zip(shapes.items(), pieces, strict=True)
    }


def forward_of(model: nn.Module) -> Forward:
    """The forward pass of K networks of ``model``'s architecture.

    Sequences of the layers known here (convolution, linear, pooling, elementwise) are done by
    batched matrix products, anything else by ``torch.vmap``.

    Args:
        model: it must have no state of its own beside its parameters (batch norm) and draw nothing
            at random (dropout).

    Returns:
        A function of weights and images [K, N, …] that gives outputs [K, N, classes].
    """
    layers = _known_layers(model)
    if layers is None:
        return _vmapped(model)

    def forward(weights: Weights, x: Tensor) -> Tensor:
        if x.ndim == 5:
            x = x.permute(0, 1, 3, 4, 2)
        for layer in layers:
            x = layer(weights, x)
        return x

    return forward


@torch.no_grad()
def grda_step(
    weights: Tensor, accumulators: Tensor, gradients: Tensor, thresholds: np.ndarray, lr: float
) -> None:
    """The step of ``GRDA`` in K networks at once, in place.

    Args:
        weights: [K, …], overwritten by w = S_g(v).
        accumulators: v, of that shape; they take the step v ← v - γ G.
        gradients: G, of that shape.
        thresholds: g of each network after this step, [K].
        lr: learning rate γ.
    """
    v = accumulators.add_(gradients, alpha=-lr)
    tau = torch.as_tensor(thresholds, dtype=v.dtype, device=v.device).view(-1, *[1] * (v.ndim - 1))
    torch.sub(v, v.clamp(-tau, tau), out=weights)


def _vmapped(model: nn.Module) -> Forward:
    def single(weights: Weights, x: Tensor) -> Tensor:
        outputs: Tensor = functional_call(model, weights, (x,))
        return outputs

    return vmap(single)


def _known_layers(model: nn.Module) -> list[Forward] | None:
    """One function for each layer; None if the model is not a sequence of layers known here."""
    if type(model) is not nn.Sequential or _has_hooks(model):
        return None
    layers: list[Forward] = []
    images = True  # until they are flattened
    for name, layer in _pooled_first(list(model.named_children())):
        kind = type(layer)
        if kind in _ELEMENTWISE:
            layers.append(_elementwise(layer))
        elif kind in _POOLING and images:
            layers.append(_pooling(layer))
        elif kind is nn.Flatten and images and (layer.start_dim, layer.end_dim) == (1, -1):
            layers.append(_flatten)
            images = False
        elif kind is nn.Linear and not images:
            layers.append(_linear(name))
        elif kind is nn.Conv2d and images and _is_plain(layer):
            layers.append(_convolution(name, layer))
        else:
            return None
    return layers


def _has_hooks(model: nn.Module) -> bool:
    return any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def _is_plain(layer: Any) -> bool:
    return (
        layer.groups == 1
        and layer.dilation == (1, 1)
        and layer.padding_mode == "zeros"
        and isinstance(layer.padding, tuple)
    )


def _pooled_first(layers: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """ReLU and max-pooling commute, in values and gradients; after it there is less to do."""
    layers = list(layers)
    for k in range(len(layers) - 1):
        if type(layers[k][1]) is nn.ReLU and type(layers[k + 1][1]) is nn.MaxPool2d:
            layers[k], layers[k + 1] = layers[k + 1], layers[k]
    return layers


def _elementwise(layer: Any) -> Forward:
    return lambda weights, x: layer(x)


def _flatten(weights: Weights, x: Tensor) -> Tensor:
    return x.permute(0, 1, 4, 2, 3).flatten(2)  # in the order of [C, H, W], as torch does


def _linear(name: str) -> Forward:
    def apply(weights: Weights, x: Tensor) -> Tensor:
        return _products(x, weights[f"{name}.weight"].mT, weights.get(f"{name}.bias"))

    return apply


def _pooling(layer: Any) -> Forward:
    def apply(weights: Weights, x: Tensor) -> Tensor:
        pooled: Tensor = layer(x.flatten(0, 1).permute(0, 3, 1, 2))
        images: Tensor = pooled.permute(0, 2, 3, 1).unflatten(0, x.shape[:2])
        return images

    return apply


def _convolution(name: str, layer: Any) -> Forward:
    def apply(weights: Weights, x: Tensor) -> Tensor:
        weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
        outputs: Tensor = _Convolution.apply(  # type: ignore[no-untyped-call]  # torch's own
            x, weight, bias, layer.stride, layer.padding
        )
        return outputs

    return apply


def _products(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
    """K products of matrices: [K, R, S] @ [K, S, T] + [K, T]."""
    return torch.bmm(a, b) if bias is None else torch.baddbmm(bias.unsqueeze(1), a, b)


class _Convolution(torch.autograd.Function):
    """K convolutions: x [K, N, H, W, C], weight [K, O, C, h, w], bias [K, O] or None."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any
    ) -> Tensor:
        networks, outputs, _, *kernel = weight.shape
        if not x.stride(0):  # all networks look at the same images
            x = x[:1]
        x = pad(x, (0, 0, padding[1], padding[1], padding[0], padding[0]))
        places = [(x.shape[2 + k] - kernel[k]) // stride[k] + 1 for k in (0, 1)]
        patches = _patches(x, kernel, stride, places).expand(networks, -1, -1)
        matrix = weight.permute(0, 3, 4, 2, 1).reshape(networks, -1, outputs)
        ctx.save_for_backward(patches, matrix)
        ctx.geometry = (networks, *x.shape[1:]), weight.shape, stride, padding, places
        ctx.has_bias = bias is not None
        return _products(patches, matrix, bias).view(networks, -1, *places, outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        patches, matrix = ctx.saved_tensors
        padded, (networks, outputs, channels, *kernel), stride, padding, places = ctx.geometry
        gradient = gradient.reshape(networks, -1, outputs)
        of_weight = torch.bmm(patches.mT, gradient).view(networks, *kernel, channels, outputs)
        of_bias = gradient.sum(dim=1) if ctx.has_bias else None
        of_x = None
        if ctx.needs_input_grad[0]:
            of_patches = torch.bmm(gradient, matrix.mT)
            of_patches = of_patches.view(-1, *places, kernel[0], kernel[1] * channels)
            of_x = _add_patches(of_patches, gradient.new_zeros(padded), stride)
            height, width = padded[2] - padding[0], padded[3] - padding[1]
            of_x = of_x[:, :, padding[0] : height, padding[1] : width]
        return of_x, of_weight.permute(0, 4, 3, 1, 2), of_bias, None, None


def _patches(x: Tensor, kernel: Any, stride: Any, places: Any) -> Tensor:
    """What the kernel sees at each place: [K, N·places, h·w·C] of padded images x."""
    networks, images, *_, channels = x.shape
    per_network, per_image, down, right, per_channel = x.stride()
    seen = x.as_strided(
        (networks, images, *places, *kernel, channels),
        (per_network, per_image, down * stride[0], right * stride[1], down, right, per_channel),
    )
    size = kernel[0] * kernel[1] * channels
    if channels < 4:  # copied along the places: a few channels make too short a vector
        return seen.permute(0, 4, 5, 6, 1, 2, 3).reshape(networks, size, -1).mT
    return seen.reshape(networks, -1, size)


def _add_patches(patches: Tensor, images: Tensor, stride: Any) -> Tensor:
    """The adjoint of ``_patches``: add to each pixel what every place says about it.

    patches: [K·N, places, places, h, w·C]; images: zeros [K, N, H, W, C], filled in place. What a
    row of the kernel saw at one place is one piece of memory in both; places that are ``apart``
    saw different pixels and are added at once.
    """
    _, per_image, down, right, _ = images.stride()
    apart = -(-patches.shape[-1] // (right * stride[1]))
    strides = per_image, down * stride[0], apart * right * stride[1], 1
    for x in range(min(apart, patches.shape[2])):
        for i, seen in enumerate(patches[:, :, x::apart].unbind(dim=3)):
            images.as_strided(seen.shape, strides, i * down + x * right * stride[1]).add_(seen)
    return images
