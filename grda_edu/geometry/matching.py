"""Units of a network: names that carry no meaning, and sizes that two layers share.

Two networks can compute the same and look different in every weight: hidden units have no order, a
ReLU unit may be scaled up where it comes in and down where it goes out, softmax does not see one
number added to all outputs, and dead units have weights that reach nothing. ``matched_units`` takes
out the order; ``symmetry_scores`` tells what the rest, which is flat exactly, does to direction scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import orth
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csc_array
from torch import Tensor, nn
from torch.func import grad

from grda_edu import checks
from grda_edu.geometry import Floats
from grda_edu.geometry.curvature import FixedLoss, softmax_shift

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_BETWEEN = (  # each gives positive multiples of its input on, unit by unit
    *(nn.ReLU, nn.Identity, nn.Flatten),
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
)
ACCEPTED = (
    "ReLU, linear layers, convolutions without groups, pooling and Flatten, one after the other"
)


# ------------------------------------------------- the layers of a network


@dataclass(frozen=True, eq=False)
class Hidden:
    """A layer whose units only the next layer hears."""

    name: str
    layer: Any  # linear or convolution, weight [units, …]
    reader: Any  # the next such layer

    @property
    def units(self) -> int:
        """How many."""
        return len(self.layer.weight)

    def columns(self, weight: Tensor) -> Tensor:
        """The reader's weight, [outputs, …], as a view [outputs, units, what it has for each]."""
        return weight.view(len(weight), self.units, -1)


def hidden_layers(network: nn.Module, name: str = "network") -> list[Hidden]:
    """The hidden layers of a Sequential of ReLU, convolutions and linear layers.

    Args:
        network: nested Sequentials are gone into.
        name: what errors call it.

    Returns:
        All but the last of its layers with weights, in order.

    Raises:
        ValueError: names the first module that is of another kind.
    """
    owners: list[tuple[str, Any]] = []
    for key, module in _leaves(network, name):
        if isinstance(module, (nn.Linear, *_CONVOLUTIONS)) and getattr(module, "groups", 1) == 1:
            if any(module is other for _, other in owners):
                raise ValueError(f"{key} is used twice: accepted are {ACCEPTED}")
            owners.append((key, module))
        elif not isinstance(module, _BETWEEN):
            raise ValueError(f"{key} is {module}: accepted are {ACCEPTED}")
    return [Hidden(key, layer, reader) for (key, layer), (_, reader) in pairwise(owners)]


def _leaves(network: nn.Module, name: str) -> Iterator[tuple[str, nn.Module]]:
    if not isinstance(network, nn.Sequential):
        raise ValueError(f"{name} is a {type(network).__name__}: accepted is a Sequential")
    for key, module in network._modules.items():
        assert module is not None
        if isinstance(module, nn.Sequential):
            yield from _leaves(module, f"{name}.{key}")
        else:
            yield f"{name}.{key}", module


# ------------------------------------------------- the order of units


@dataclass(frozen=True, eq=False)
class Matched:
    """A network whose units stand in another's order."""

    network: nn.Module  # a copy; it computes what the given one does, up to rounding
    orders: list[NDArray[np.intp]] = field(
        repr=False
    )  # of each hidden layer [units]: which unit stands there
    correlations: list[float]  # of the activations, mean over each hidden layer's pairs


@torch.no_grad()
def matched_units(network: nn.Module, reference: nn.Module, images: Tensor) -> Matched:
    """Put the units of one network into the order in which they resemble another's.

    For each hidden layer the one-to-one pairing with the greatest sum of correlations, over images
    and places, of what the next layer hears; rows of the layer and columns of the next are exchanged
    together. Units that are constant correlate with none and take the places left over.

    Args:
        network: a Sequential of ReLU, linear layers, convolutions, pooling and Flatten.
        reference: another one of the same shape.
        images: [N, …], what both are shown.

    Returns:
        A copy of ``network`` with its units exchanged, and how.

    Raises:
        ValueError: for other kinds of modules, and for networks of different shape; both are named.

    Source: Entezari et al. 2021 (arXiv:2110.06296); Ainsworth et al. 2022 (arXiv:2209.04836).
    """
    hidden_layers(network, "network")
    hidden_layers(reference, "reference")
    ours, theirs = ([p for p in model.named_parameters()] for model in (network, reference))
    for (name, p), (other, q) in zip(ours, theirs, strict=False):
        if p.shape != q.shape:
            raise ValueError(
                f"network has {name} of shape {tuple(p.shape)}, reference {other} of {tuple(q.shape)}: "
                "accepted are two networks of one shape"
            )
    if len(ours) != len(theirs):
        raise ValueError(
            f"network has {len(ours)} tensors of weights, reference {len(theirs)}: accepted are two "
            "networks of one shape"
        )
    if not len(images):
        checks.refuse("images", tuple(images.shape), "at least one image")
    found = deepcopy(network)
    orders, correlations = [], []
    seen = zip(_heard(network, images), _heard(reference, images), strict=True)
    for hidden, (mine, wanted) in zip(hidden_layers(found), seen, strict=True):
        alike = _standardised(wanted).T @ _standardised(mine)
        rows, order = linear_sum_assignment(alike, maximize=True)
        orders.append(order)
        correlations.append(float(alike[rows, order].mean()))
        index = torch.from_numpy(order).to(hidden.layer.weight.device)
        for p in hidden.layer.parameters(recurse=False):
            p.copy_(p[index])
        columns = hidden.columns(hidden.reader.weight)
        columns.copy_(columns[:, index])
    return Matched(found, orders, correlations)


def _heard(network: nn.Module, images: Tensor) -> Iterator[Floats]:
    """What each hidden layer's reader hears of its units: float64 [images·places, units]."""
    x, hidden = images.to(next(network.parameters())), False
    for _, module in _leaves(network, "network"):
        owner = isinstance(module, (nn.Linear, *_CONVOLUTIONS))
        if hidden and (owner or isinstance(module, nn.Flatten)):
            yield x.transpose(0, 1).flatten(1).T.double().cpu().numpy()
            hidden = False
        x = module(x)
        hidden = hidden or owner


def _standardised(activations: Floats) -> Floats:
    """Columns whose products are correlations; zero for what is constant."""
    away = activations - activations.mean(axis=0)
    length = np.linalg.norm(away, axis=0)
    constant = length <= 1e-6 * np.linalg.norm(activations, axis=0)
    return np.where(constant, 0.0, away / np.where(constant, 1.0, length))


# ------------------------------------------------- what is flat exactly


def rescalings(network: nn.Module) -> Floats:
    """Directions along which a ReLU unit grows where it comes in and shrinks where it goes out.

    Args:
        network: as of ``hidden_layers``, of D trainable weights, none of them frozen.

    Returns:
        float64 [D, k], a unit column for each hidden unit that has a weight; the loss does not change
        along them.

    Raises:
        ValueError: as of ``hidden_layers``.
    """
    parameters = dict(network.named_parameters())
    columns = []
    for hidden in hidden_layers(network):
        for unit in range(hidden.units):
            move = {id(p): torch.zeros_like(p) for p in parameters.values()}
            for p in hidden.layer.parameters(recurse=False):
                move[id(p)][unit] = p.detach()[unit]
            outgoing = hidden.reader.weight
            hidden.columns(move[id(outgoing)])[:, unit] = -hidden.columns(outgoing.detach())[
                :, unit
            ]
            flat = torch.cat([move[id(p)].flatten() for p in parameters.values()])
            columns.append(flat.double().cpu().numpy())
    kept = [column / np.linalg.norm(column) for column in columns if column.any()]
    return (
        np.stack(kept, axis=1)
        if kept
        else np.zeros((sum(map(torch.numel, parameters.values())), 0))
    )


def unheard(loss: FixedLoss) -> NDArray[np.bool_]:
    """Which weights reach the loss on no image, as those of a unit that is never active: bool [D]."""
    reached = torch.zeros(loss.size, dtype=torch.bool, device=loss.weights.device)
    for x, y in loss.batches:
        reached |= grad(loss.share)(loss.weights, x, y) != 0
    unreached: NDArray[np.bool_] = ~reached.cpu().numpy()
    return unreached


def scale_directions(network: nn.Module, *, fixed: bool) -> csc_array:
    """Directions along which batch norm undoes what a filter in front of it does.

    With the statistics of the batch the output stays the same when the filter is scaled by any α > 0.
    With fixed statistics, mean m and deviation σ, it does when batch norm's own weight g becomes g/α and
    its bias b becomes b + (1 - α)·g·m/(α·σ): the direction (w, -g, -g·m/σ).

    Args:
        network: whose convolutions and linear layers in front of a batch norm are followed by it in the
            order of the modules, and have no bias; of D trainable weights, none of them frozen.
        fixed: whether batch norm's statistics are fixed, as in evaluation.

    Returns:
        Sparse [D, filters], orthonormal columns; a filter of zeros has none.

    Raises:
        ValueError: for a bias in front of a batch norm and for a batch norm without weight or bias.
    """
    places, size = {}, 0
    for p in network.parameters():
        places[id(p)], size = size, size + p.numel()
    rows, values = [np.zeros(0, int)], [np.zeros(0)]
    for layer, norm in _before_batch_norm(network):
        filters = layer.weight.detach().double().flatten(1).cpu().numpy()
        for unit, filter in enumerate(filters):
            if not filter.any():
                continue
            index = places[id(layer.weight)] + unit * len(filter) + np.arange(len(filter))
            if fixed:
                gain = float(norm.weight.detach()[unit])
                shift = gain * float(
                    norm.running_mean[unit] / (norm.running_var[unit] + norm.eps).sqrt()
                )
                index = np.append(index, [places[id(p)] + unit for p in (norm.weight, norm.bias)])
                filter = np.append(filter, [-gain, -shift])
            rows.append(index)
            values.append(filter / np.linalg.norm(filter))
    columns = np.repeat(np.arange(-1, len(rows) - 1), [len(row) for row in rows])
    found = np.concatenate(values), (np.concatenate(rows), columns)
    return csc_array(found, shape=(size, len(rows) - 1))


def _before_batch_norm(network: nn.Module) -> Iterator[tuple[Any, Any]]:
    """Each layer whose filters a batch norm follows, and that batch norm."""
    for (name, layer), (_, norm) in pairwise(network.named_modules()):
        if not isinstance(norm, _NORMS) or not isinstance(layer, (nn.Linear, *_CONVOLUTIONS)):
            continue
        if layer.bias is not None:
            checks.refuse(f"{name}.bias", "a tensor", "None in front of a batch norm")
        if norm.weight is None or norm.bias is None:
            checks.refuse(f"the batch norm behind {name}", norm, "one with weight and bias")
        yield layer, norm


def with_batch_statistics(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose batch norms divide by the statistics of what they are given.

    Its loss on images put together in a fixed way is a fixed function of the weights: what training
    sees, without the chance in the order.

    Args:
        network: of the same weights.

    Returns:
        The copy.
    """
    copy = deepcopy(network).eval()
    for module in copy.modules():
        if isinstance(module, _NORMS):
            module.track_running_stats = False
            module.running_mean = module.running_var = None
    return copy


def symmetry_scores(loss: FixedLoss) -> Floats:
    """Direction scores of what is flat exactly and for a known reason, at the model's weights.

    The subspace of the softmax shift, of dead units and of the rescalings of ReLU units takes the
    place of P0. What s explains beyond these, the theorem cannot owe to them.

    Args:
        loss: of a network as of ``hidden_layers``, of D trainable weights.

    Returns:
        float64 [D].

    Raises:
        ValueError: as of ``hidden_layers``.
    """
    sign = np.sign(loss.weights.double().cpu().numpy())
    dead = unheard(loss)
    others = np.hstack([softmax_shift(loss.model), rescalings(loss.model)])
    others[dead] = 0.0  # what of them dead weights span is flat already
    basis = orth(others) if others.any() else others
    scores: Floats = sign * np.where(dead, sign, basis @ (basis.T @ sign))
    return scores
