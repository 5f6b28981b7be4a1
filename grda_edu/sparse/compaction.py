"""Remove what is dead from a network: a smaller dense network with the same outputs.

A unit (a neuron, a filter) whose incoming weights are all zero gives a constant, and one whose
outgoing weights are all zero is never heard. Both can go: a constant k of a unit moves into the
next layer's bias, b ← b + W[:, unit] k. Where a convolution pads with zeros that is not exact, since
at the border it sees the padding and not k: such a unit stays, unless k = 0.

How it works: the network is traced (torch.fx). Every channel of every value is a *slot*; what goes
through a ReLU, a pooling or a batch norm keeps its slot, and a sum ties the slots of its two sides
together. For each slot we know whether its value is a constant, who makes it and who reads it. It
can be removed if all its makers are layers and each reader either ignores it (weights zero) or can
take its constant. Removing some may free others, so this is repeated until nothing changes.
"""

from __future__ import annotations

import copy
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.graph import inplace_methods
from torch.nn.parameter import is_lazy

from grda_edu.zeros import refuse_computed

_CONVOLUTIONS: dict[Any, int] = {
    nn.Conv1d: 1,
    nn.Conv2d: 2,
    nn.Conv3d: 3,
}  # kind -> dimensions of its places
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_ELEMENTWISE = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish),
    *(nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid),
)
_AS_IT_IS = (*(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout),)
_AVERAGES = {nn.AvgPool1d: 1, nn.AvgPool2d: 2, nn.AvgPool3d: 3}
_POOLS: dict[Any, int] = {  # they give a constant back: maxima pad with -inf
    **{nn.MaxPool1d: 1, nn.MaxPool2d: 2, nn.MaxPool3d: 3},
    **{nn.AdaptiveAvgPool1d: 1, nn.AdaptiveAvgPool2d: 2, nn.AdaptiveAvgPool3d: 3},
    **{nn.AdaptiveMaxPool1d: 1, nn.AdaptiveMaxPool2d: 2, nn.AdaptiveMaxPool3d: 3},
    **{F.max_pool1d: 1, F.max_pool2d: 2, F.max_pool3d: 3},
    **{F.adaptive_avg_pool1d: 1, F.adaptive_avg_pool2d: 2, F.adaptive_avg_pool3d: 3},
    **_AVERAGES,
}
_KNOWN = {
    nn.Linear,
    nn.Flatten,
    nn.Upsample,
    *_CONVOLUTIONS,
    *_NORMS,
    *_ELEMENTWISE,
    *_AS_IT_IS,
    *_POOLS,
}
_ELEMENTWISE_FUNCTIONS: dict[Any, Callable[[Tensor], Tensor]] = {
    torch.relu: torch.relu,
    F.relu: torch.relu,
    torch.tanh: torch.tanh,
    torch.sigmoid: torch.sigmoid,
    F.silu: F.silu,
    F.gelu: F.gelu,
    "relu": torch.relu,
    "relu_": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
_DROPOUTS = (F.dropout, F.dropout1d, F.dropout2d, F.dropout3d)
_SUMS = (operator.add, operator.iadd, torch.add, "add", "add_")


@dataclass(frozen=True)
class Compacted:
    """What ``compact`` made, and what it left."""

    model: nn.Module  # smaller, in evaluation mode; the given one stays as it was
    parameters: tuple[int, int]  # before, after
    removed: dict[str, int]  # layer -> how many of its units are gone
    left: dict[str, dict[str, int]]  # layer -> why -> how many of its constant units had to stay

    def __str__(self) -> str:
        before, after = self.parameters
        lines = [f"{before:,} parameters, now {after:,}"]
        lines += [f"{layer}: {count} units removed" for layer, count in self.removed.items()]
        for layer, reasons in self.left.items():
            lines += [f"{layer}: {count} dead units stay, {why}" for why, count in reasons.items()]
        return "\n".join(lines)


@torch.no_grad()
def compact(model: nn.Module) -> Compacted:
    """Remove dead units, exactly: in evaluation mode the outputs are those of ``model``, to rounding.

    Layers keep their names; only their shapes change. Convolutions, linear layers, batch norm,
    element-wise activations, pooling, flattening, residual sums and concatenations are understood.
    What meets anything else keeps all its units. Two things cannot be seen in a network and are
    taken for granted: that it is given batches, and that a ``BatchNorm1d`` behind a linear layer
    is given vectors [N, features].

    Args:
        model: traceable by ``torch.fx`` (no Python branches that depend on the data). It is not
            changed.

    Returns:
        The smaller network, its size before and after, and what could not be removed, with the
        reason.

    Raises:
        ValueError: names the layer whose parameters are not its own numbers (pruned with
            ``torch.nn.utils.prune``, parametrized, sparse, on the meta device) or not finite.
        TypeError: if the module cannot be copied or traced; the message has torch's own.
    """
    _check_plain(model)
    small = _copied(model)
    flow = _Flow(small)
    gone = flow.removable()
    flow.fold(gone)
    flow.cut(gone)
    if gone and not flow.still_runs():
        small, gone = _copied(model), set()
        flow = _Flow(small)
        flow.pin_all("the network computes with the sizes of its layers")
    sizes = tuple(sum(p.numel() for p in m.parameters()) for m in (model, small))
    return Compacted(small, (sizes[0], sizes[1]), flow.count_removed(gone), flow.why_left(gone))


def _copied(model: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(model).eval()
    except Exception as error:
        raise TypeError(f"{type(model).__name__} cannot be copied ({error})") from error


def _check_plain(model: nn.Module) -> None:
    refuse_computed(model)
    for name, module in model.named_modules():
        where = name or type(module).__name__
        for own, p in module.named_parameters(recurse=False):
            if is_lazy(p) or p.layout != torch.strided or p.is_meta or p.is_complex():
                kind = f"dtype {p.dtype}, layout {p.layout} and device {p.device}"
                kind = "no shape yet" if is_lazy(p) else kind
                raise ValueError(f"{where}.{own} has {kind}: accepted are real, dense parameters")
        statistics = module.named_buffers(recurse=False) if isinstance(module, _NORMS) else ()
        for own, value in (*module.named_parameters(recurse=False), *statistics):
            if not value.isfinite().all():  # 0 · NaN is NaN: no unit goes unheard
                raise ValueError(
                    f"{where}.{own} has entries that are NaN or infinite: accepted are finite ones"
                )


# ------------------------------------------------- values, slots, layers


@dataclass
class _Value:
    """What a node of the graph gives, channel by channel; ``slots`` None: nothing is known."""

    slots: list[int] | None = None
    constant: Tensor = field(default_factory=lambda: torch.empty(0))  # float64 [C], NaN: none
    layout: str = ""  # "channels" (dimension 1), "features" (the last), "flat" (channels unrolled)
    places: int = 0  # how many dimensions follow the channels
    memory: list[Tensor] = field(default_factory=list)  # constants of all that may share its memory

    def __post_init__(self) -> None:
        self.memory = self.memory or [self.constant]

    def becomes(self, made: _Value | None) -> None:
        """It is written to: what else lies in its memory is no longer what it was."""
        new = made.constant if made else torch.full_like(self.constant, torch.nan)
        for constant in self.memory:
            constant[constant != new] = torch.nan
        if made:
            self.memory.append(new)
            made.memory = self.memory


@dataclass
class _Layer:
    """A layer with weights, between the slots that it reads and those that it makes."""

    name: str
    module: Any
    inputs: list[int] | None  # slots of its input columns; None where they have to stay
    constants: Tensor  # of the inputs, float64 [columns]
    outputs: list[int]

    @property
    def is_norm(self) -> bool:
        return isinstance(self.module, _NORMS)

    @cached_property
    def hears(self) -> Tensor:
        """Which outputs hear which columns: bool [outputs, columns], on the CPU."""
        alive: Tensor = (self.module.weight != 0).cpu()
        return alive.flatten(2).any(2) if alive.ndim > 2 else alive

    def pads(self) -> bool:
        """Does it see zeros that no unit has sent?"""
        module = self.module
        if getattr(module, "padding_mode", "") != "zeros":
            return False
        if isinstance(module.padding, str):
            return module.padding != "valid" and any(k > 1 for k in module.kernel_size)
        return any(module.padding)


class _Proxy(fx.Proxy):
    """torch.fx takes ``a += b`` for ``a = a + b``, but whoever else holds a sees it changed."""


def _written(name: str) -> Callable[..., fx.Proxy]:
    target = getattr(operator, name)
    return lambda self, *others: self.tracer.create_proxy(
        "call_function", target, (self, *others), {}
    )


for _name in inplace_methods:  # iadd, imul, setitem, …
    setattr(_Proxy, f"__{_name}__", _written(_name))


class _Tracer(fx.Tracer):
    """torch's own modules are leaves, and so is every module that holds no other."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        alone = not list(m.children()) and type(m) is not nn.Sequential  # an empty one is x -> x
        return alone or super().is_leaf_module(m, module_qualified_name)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)


def _traced(model: nn.Module) -> fx.Graph:
    try:
        return _Tracer().trace(model)
    except Exception as error:  # whatever a forward may raise when it meets a proxy
        raise TypeError(
            f"{type(model).__name__} cannot be traced by torch.fx ({error}): accepted are "
            "modules whose forward does not branch on its data"
        ) from error


class _Flow:
    """How channels run through a network."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.parent: list[int] = []  # union-find over slots
        self.pinned: dict[int, str] = {}  # slot -> why it has to stay
        self.layers: list[_Layer] = []
        self.dead: list[tuple[int, str]] = []  # slots made constant by zeros, and their layer
        self.kept: set[int] = set()  # roots of units that stay so that their layer has one
        self.graph = _traced(model)
        self.modules = dict(model.named_modules())
        self.fixed = self._fixed()
        values: dict[fx.Node, _Value] = {}
        for node in self.graph.nodes:
            values[node] = self._visit(node, values)

    def _fixed(self) -> dict[str, str]:
        """Modules whose shapes must stay, and why."""
        nodes = self.graph.nodes
        calls = Counter(node.target for node in nodes if node.op == "call_module")
        named = {str(n.target).rpartition(".")[0] for n in nodes if n.op == "get_attr"}
        owners = Counter(id(p) for _, p in self.model.named_parameters(remove_duplicate=False))
        fixed = {}
        for name, module in self.modules.items():
            own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
            if own and (calls[name] > 1 or any(owners[id(p)] > 1 for p in own)):
                fixed[name] = "their layer is used more than once or shares its weights"
            elif name in named:
                fixed[name] = "the network reads their layer's weights by name"
            elif _is_altered(module):
                fixed[name] = "a hook or a forward of its own may alter what their layer does"
        return fixed

    # --- slots

    def _new(self, count: int) -> list[int]:
        slots = list(range(len(self.parent), len(self.parent) + count))
        self.parent += slots
        return slots

    def _root(self, slot: int) -> int:
        while self.parent[slot] != slot:
            self.parent[slot] = self.parent[self.parent[slot]]
            slot = self.parent[slot]
        return slot

    def _pin(self, value: _Value | None, why: str) -> None:
        for slot in (value.slots if value else None) or ():
            self.pinned.setdefault(slot, why)

    def pin_all(self, why: str) -> None:
        self._pin(_Value(list(range(len(self.parent)))), why)

    # --- the walk through the graph

    def _visit(self, node: fx.Node, values: dict[fx.Node, _Value]) -> _Value:
        made = self._known(node, values)
        if made is not None:
            if self._is_in_place(node):
                values[node.all_input_nodes[0]].becomes(made)
            return made
        for other in node.all_input_nodes:
            given_out = node.op == "output"
            self._pin(values[other], "the network gives them out" if given_out else _words(node))
            values[other].becomes(None)  # who knows what it writes, or gives a view of
        return _Value()

    def _is_in_place(self, node: fx.Node) -> bool:
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        if getattr(module, "inplace", False) or node.kwargs.get("inplace", False):
            return True
        return node.target is operator.iadd or node.target in ("relu_", "add_")

    def _known(self, node: fx.Node, values: dict[fx.Node, _Value]) -> _Value | None:
        """What the node gives; None for what is not understood."""
        inputs = [values[other] for other in node.all_input_nodes]
        if node.op == "call_module":
            return self._module(str(node.target), inputs)
        if node.op not in ("call_function", "call_method") or not inputs:
            return None
        if (batch := _batch_size(node, inputs[0])) is not None:
            return batch
        if node.target in _SUMS and len(inputs) == 2 and not node.kwargs:
            return self._sum(*inputs)
        if node.target is torch.cat and _argument(node, "dim", 0) == 1:
            parts: Any = _argument(node, "tensors", None, 0)
            listed = isinstance(parts, list | tuple)
            return self._joined([values[part] for part in parts]) if listed else None
        if node.target in ("view", "reshape") and len(inputs) == 2 and node.args[2:] == (-1,):
            return self._flat(inputs[0]) if inputs[1].layout == "batch" else None
        (value, *more) = inputs
        if more or value.slots is None:
            return None
        if node.target in _ELEMENTWISE_FUNCTIONS:
            plain = len(node.args) == 1 and not node.kwargs.keys() - {"inplace"}
            return self._mapped(value, _ELEMENTWISE_FUNCTIONS[node.target]) if plain else None
        if node.target in ("contiguous", "clone") or _POOLS.get(node.target) == value.places > 0:
            return value
        if node.target in _DROPOUTS and node.kwargs.get("training") is False:
            return value
        if node.target in (torch.flatten, "flatten"):
            whole = _argument(node, "start_dim", 0) == 1 and _argument(node, "end_dim", -1, 2) == -1
            return self._flat(value) if whole else None
        if node.target in (torch.mean, "mean") and value.layout == "channels":
            over, kept = _argument(node, "dim", ()), _argument(node, "keepdim", False, 2)
            dims = over if isinstance(over, tuple | list) else (over,)
            every = range(2, 2 + value.places)
            if {d % every.stop for d in dims if isinstance(d, int)} == set(every):
                layout, places = ("channels", value.places) if kept else ("features", 0)
                return _Value(value.slots, value.constant.clone(), layout, places)
        return None

    def _module(self, name: str, inputs: list[_Value]) -> _Value | None:
        module, (value, *more) = self.modules[name], inputs or [_Value()]
        kind = _kind(module)
        if more or kind is None:
            return None
        if kind is nn.Linear or kind in _CONVOLUTIONS:
            return self._weights(name, module, value, _CONVOLUTIONS.get(kind, 0))
        if value.slots is None or name in self.fixed:
            return None
        if kind in _NORMS:
            return self._norm(name, module, value)
        if kind in _ELEMENTWISE:
            return self._mapped(value, module)
        if kind in _AS_IT_IS or (kind is nn.Upsample and value.places):
            return value
        if _POOLS.get(kind) == value.places > 0:
            padded = kind in _AVERAGES and any(_tuple(module.padding)) and module.count_include_pad
            if padded or getattr(module, "divisor_override", None):
                return self._mapped(value, lambda k: torch.where(k == 0, k, torch.nan))
            return value
        if kind is nn.Flatten and (module.start_dim, module.end_dim) == (1, -1):
            return self._flat(value)
        return None

    def _weights(self, name: str, module: Any, value: _Value, places: int) -> _Value:
        outputs = self._new(len(module.weight))
        linear = places == 0
        wanted = ("features", "flat") if linear else ("channels",)
        columns = module.weight.shape[1]
        grouped = not linear and module.groups > 1
        constants = torch.full((columns,), torch.nan, dtype=torch.float64)
        inputs = None
        if why := self.fixed.get(name):
            self._pin(value, why)
            self._pin(_Value(outputs), why)
        elif grouped:
            self._pin(value, "a grouped convolution reads them")
            self._pin(_Value(outputs), "a grouped convolution makes them")
        elif (
            value.slots is not None
            and value.layout in wanted
            and (linear or value.places == places)
            and columns % len(value.slots) == 0
        ):
            times = columns // len(value.slots)
            if times == 1 or value.layout == "flat":
                inputs = [slot for slot in value.slots for _ in range(times)]
                constants = value.constant.repeat_interleave(times)
        if inputs is None:
            self._pin(value, f"{name} reads them in an order that is not known")
        layer = _Layer(name, module, inputs, constants, outputs)
        self.layers.append(layer)
        constant = self._constant_outputs(layer)
        self.dead += [(s, name) for s, k in zip(outputs, constant.tolist(), strict=True) if k == k]
        if why:  # used twice, or altered: not all that it gives is computed here
            constant.fill_(torch.nan)
        return _Value(outputs, constant, "features" if linear else "channels", places)

    def _constant_outputs(self, layer: _Layer) -> Tensor:
        """b + Σ W k where all that is heard is constant; NaN elsewhere: float64 [outputs]."""
        module = layer.module
        bias = module.bias
        constant = torch.zeros(len(module.weight), dtype=torch.float64)
        constant = constant if bias is None else bias.double().cpu().clone()
        heard = layer.hears
        known = layer.constants.isfinite()
        usable = known & (layer.constants == 0) if layer.pads() else known
        if getattr(module, "groups", 1) > 1:
            usable = torch.zeros_like(usable)
        constant += _over_places(module.weight) @ layer.constants.where(
            usable, torch.zeros(()).double()
        )
        constant[(heard & ~usable).any(1)] = torch.nan
        return constant

    def _norm(self, name: str, module: Any, value: _Value) -> _Value | None:
        assert value.slots is not None
        flat = value.layout == "flat"
        if flat or len(value.slots) != module.num_features or module.running_mean is None:
            return None
        scale = 1 / (module.running_var.double().cpu() + module.eps).sqrt()
        shift = torch.zeros_like(scale)
        if module.weight is not None:
            scale, shift = scale * module.weight.double().cpu(), module.bias.double().cpu()
        moved = (value.constant - module.running_mean.double().cpu()) * scale + shift
        constant = torch.where(scale == 0, shift, moved)  # 0 times what is unknown is 0
        self.layers.append(_Layer(name, module, value.slots, value.constant, value.slots))
        new = (scale == 0) & value.constant.isnan()
        self.dead += [(s, name) for s, d in zip(value.slots, new.tolist(), strict=True) if d]
        return _Value(value.slots, constant, value.layout, value.places)

    def _mapped(self, value: _Value, function: Callable[[Tensor], Tensor]) -> _Value:
        return _Value(value.slots, function(value.constant.clone()), value.layout, value.places)

    def _flat(self, value: _Value) -> _Value | None:
        if value.layout != "channels":
            return value if value.layout == "flat" else None
        return replace(value, layout="flat", places=0)

    def _sum(self, a: _Value, b: _Value) -> _Value | None:
        if a.slots is None or b.slots is None or len(a.slots) != len(b.slots):
            return None
        if (a.layout, a.places) != (b.layout, b.places):
            return None
        for one, other in zip(a.slots, b.slots, strict=True):
            self.parent[self._root(one)] = self._root(other)
        return _Value(a.slots, a.constant + b.constant, a.layout, a.places)

    def _joined(self, parts: list[_Value]) -> _Value | None:
        if any(part.slots is None or part.layout != "channels" for part in parts):
            return None
        slots = [slot for part in parts for slot in part.slots or ()]
        constant = torch.cat([part.constant for part in parts])
        return _Value(slots, constant, "channels", parts[0].places)

    # --- what can go

    def removable(self) -> set[int]:
        """Roots of the slots that can be removed."""
        roots = {self._root(slot) for layer in self.layers for slot in layer.outputs}
        roots -= {self._root(slot) for slot in self.pinned}
        gone: set[int] = set()
        while True:
            heard = self._heard(gone)
            found = {root for root in roots if root not in heard}
            for layer in self.layers:  # a layer of no units cannot be run: one stays
                outputs = [self._root(slot) for slot in layer.outputs]
                if found.issuperset(outputs):
                    found.discard(outputs[0])
                    roots.discard(outputs[0])
                    self.kept.add(outputs[0])
            if found == gone:
                return gone
            gone = found

    def _readers(self) -> Iterator[_Layer]:
        return (layer for layer in self.layers if not layer.is_norm)

    def _heard(self, gone: set[int]) -> set[int]:
        """Roots that some reader needs as long as ``gone`` is gone."""
        heard: set[int] = set()
        for layer in self._readers():
            if layer.inputs is None:
                continue
            staying = torch.tensor([self._root(slot) not in gone for slot in layer.outputs])
            weights = layer.hears[staying]
            takes = layer.constants.isfinite()
            if layer.pads():
                takes = takes & (layer.constants == 0)
            needed = weights.any(0) & ~takes
            for slot, need in zip(layer.inputs, needed.tolist(), strict=True):
                if need:
                    heard.add(self._root(slot))
        return heard

    # --- doing it

    def fold(self, gone: set[int]) -> None:
        """Move the constants of what goes into the biases of its readers."""
        for layer in self._readers():
            if layer.inputs is None:
                continue
            going = torch.tensor([self._root(slot) in gone for slot in layer.inputs])
            constants = layer.constants.where(
                going & layer.constants.isfinite(), torch.zeros(()).double()
            )
            if not constants.any():
                continue
            module = layer.module
            push = (_over_places(module.weight) @ constants).to(module.weight)
            if module.bias is None:
                module.bias = nn.Parameter(push, requires_grad=module.weight.requires_grad)
            else:
                module.bias.add_(push)

    def cut(self, gone: set[int]) -> None:
        """Take rows, columns and channels out of the layers."""
        for layer in self.layers:
            module = layer.module
            rows = self._staying(layer.outputs, gone)
            if layer.is_norm:
                for name in ("weight", "bias", "running_mean", "running_var"):
                    _take(module, name, rows)
                module.num_features = len(rows)
                continue
            columns = None if layer.inputs is None else self._staying(layer.inputs, gone)
            _take(module, "weight", rows, columns)
            _take(module, "bias", rows)
            outputs, inputs = module.weight.shape[:2]
            if isinstance(module, nn.Linear):
                module.out_features, module.in_features = outputs, inputs
            else:
                module.out_channels = outputs
                module.in_channels = inputs * module.groups

    def _staying(self, slots: list[int], gone: set[int]) -> Tensor:
        return torch.tensor([k for k, slot in enumerate(slots) if self._root(slot) not in gone])

    def still_runs(self) -> bool:
        """Does the forward do the same now that the layers are smaller?"""
        try:
            return str(_traced(self.model)) == str(self.graph)
        except TypeError:
            return False

    # --- the report

    def count_removed(self, gone: set[int]) -> dict[str, int]:
        counts = {
            layer.name: sum(self._root(slot) in gone for slot in layer.outputs)
            for layer in self._readers()
        }
        return {name: count for name, count in counts.items() if count}

    def why_left(self, gone: set[int]) -> dict[str, dict[str, int]]:
        """Of the units whose own weights make them constant: those that stay, by layer and reason."""
        reasons: dict[str, dict[str, int]] = {}
        pinned = {self._root(slot): why for slot, why in self.pinned.items()}
        sizes = Counter(self._root(slot) for slot in range(len(self.parent)))
        padded = {
            self._root(slot)
            for layer in self._readers()
            if layer.inputs is not None and layer.pads()
            for slot, k in zip(layer.inputs, layer.constants.tolist(), strict=True)
            if k == k and k != 0
        }
        for slot, name in self.dead:
            root = self._root(slot)
            if root in gone:
                continue
            if root in pinned:
                why = pinned[root]
            elif root in padded:
                why = "zero padding would be seen in place of their constant"
            elif root in self.kept:
                why = "a layer keeps one unit"
            elif sizes[root] > 1:
                why = "they are added to units that live"
            else:
                why = "where they are read they are no longer constant"
            found = reasons.setdefault(name, {})
            found[why] = found.get(why, 0) + 1
        return reasons


def _over_places(weight: Tensor) -> Tensor:
    """A layer's weights added up over the places of its kernel: float64 [outputs, columns]."""
    plain: Tensor = weight.detach().double().cpu()
    return plain.flatten(2).sum(2) if plain.ndim > 2 else plain


def _words(node: fx.Node) -> str:
    target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "?")
    return f"{target} reads them, which is not understood"


def _batch_size(node: fx.Node, of: _Value) -> _Value | None:
    """x.size(0) or x.shape[0] of a batch x: it reads no channel."""
    batch = _Value(
        layout="batch" if of.slots or node.all_input_nodes[0].op == "placeholder" else ""
    )
    if node.target == "size" and _argument(node, "dim", None) == 0:
        return batch
    if node.target is operator.getitem and of.layout == "shape":
        return _Value(layout="batch")
    first_alone = all(u.target is operator.getitem and u.args[1] == 0 for u in node.users)
    if node.target is getattr and node.args[1:] == ("shape",) and first_alone:
        return _Value(layout="shape" if batch.layout else "")
    return None


def _kind(module: nn.Module) -> type | None:
    """torch's class whose forward it runs, if it is one that is understood."""
    kind: type | None = next((k for k in type(module).__mro__ if k in _KNOWN), None)
    methods = ("forward", "_conv_forward", "__call__")
    same = all(getattr(type(module), m, None) is getattr(kind, m, None) for m in methods)
    return kind if same and not module.training else None


def _is_altered(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks)
    return any(hooks) or "forward" in vars(module)


def _argument(node: fx.Node, name: str, default: object, place: int = 1) -> object:
    """A function's argument, given by name or in its place."""
    if name in node.kwargs:
        return node.kwargs[name]
    return node.args[place] if len(node.args) > place else default


def _tuple(padding: Any) -> tuple[int, ...]:
    return padding if isinstance(padding, tuple) else (padding,)


def _take(module: nn.Module, name: str, rows: Tensor, columns: Tensor | None = None) -> None:
    """Keep only these rows (and columns) of a parameter or buffer, if there is one."""
    whole = getattr(module, name)
    wanted = (len(rows), *(() if columns is None else (len(columns),)))
    if whole is None or whole.shape[: len(wanted)] == wanted:
        return  # nothing goes: what is tied stays tied
    part = whole.detach().index_select(0, rows.to(whole.device))
    if columns is not None:
        part = part.index_select(1, columns.to(whole.device))
    if isinstance(whole, nn.Parameter):
        setattr(module, name, nn.Parameter(part, requires_grad=whole.requires_grad))
    else:
        setattr(module, name, part)
