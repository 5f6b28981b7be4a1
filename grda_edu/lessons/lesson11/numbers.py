"""Lesson 11's numbers: recorded networks, what they take as files, what is left without dead units.

All come from the recordings "smaller" (weights of trained networks) and "timing", or are computed
from them here: sizes by writing the bytes, outputs by asking the networks. Nothing is typed in.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from grda_edu import recordings
from grda_edu.checks import one_of
from grda_edu.data import Data, digits
from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.geometry.valley import put_weights
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.recordings import Measurements
from grda_edu.sparse.clock import CSR, DENSE, REMOVED, compressed_rows
from grda_edu.sparse.compaction import compact
from grda_edu.sparse.storage import save_sparse
from grda_edu.studies.smaller import ALONE, BY_WEIGHT

C = 0.02  # of the gRDA network that the text talks about
NINE_TENTHS = 0.9


@cache
def recorded() -> Measurements:
    """The recorded networks. RecordingError names the command that makes them again."""
    return recordings.load_measurements("smaller")


def recipes() -> list[tuple[str, float]]:
    """Way and strength of each recorded recipe, in the recording's order."""
    strengths = recorded().configuration["strengths"]
    return [(way, float(s)) for way, levels in strengths.items() for s in levels]


def seeds() -> list[int]:
    """The recorded seeds."""
    return list(recorded().configuration["seeds"])


def accuracy(way: str, strength: float, part: str = "test") -> np.ndarray:
    """Mean over the last epochs, by seed: [S]."""
    return recorded().arrays[part][recipes().index((way, strength))].astype(float)


def network(way: str = BY_WEIGHT, strength: float = C, seed: int = 0) -> nn.Sequential:
    """A recorded network; ValueError names the way, strength or seed that was not recorded."""
    one_of("way and strength", (way, strength), recipes())
    one_of("seed", seed, seeds())
    model = digits_cnn(seed)
    weights = recorded().arrays["weights"][recipes().index((way, strength)), seeds().index(seed)]
    put_weights(model, weights)
    return model


@cache
def images() -> Data:
    """The digits."""
    return digits()


@torch.no_grad()
def outputs(model: nn.Module) -> Tensor:
    """Of every test image: [N, 10]."""
    given: Tensor = model(images().x_test)
    return given


@torch.no_grad()
def multiplications(model: nn.Module) -> int:
    """Of one image: every weight of a convolution or a linear layer, once for each of its places.

    model: [N, 1, 8, 8] -> [N, 10]. Zeros count, as dense code multiplies by them too.
    """
    counts: list[int] = []

    def count(layer: nn.Module, _: object, given: Tensor) -> None:
        counts.append(layer.weight[0].numel() * given.numel())  # type: ignore[index]

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        model(images().x_test[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


# ------------------------------------------------- bytes

SAVED, ZIPPED = "torch.save", "torch.save, gzip"
TORCH_CSR, SCIPY_CSR = "torch's CSR", "CSR, 32-bit places"
MASKED, PACKED, BOUND = "bitmask + values", "save_sparse", "limit"


def file_bytes(model: nn.Module | Mapping[str, Tensor]) -> dict[str, float]:
    """What a network takes, in bytes, each file written to memory or into a folder and measured.

    model: a module or a state dict of dense tensors. The last entry, the limit, is computed.
    """
    state = model.state_dict() if isinstance(model, nn.Module) else dict(model)
    with TemporaryDirectory() as folder:  # first: it refuses what is no dense tensor by its name
        packed = save_sparse(state, Path(folder) / "weights")
    saved = _saved(state)
    rows = {name: compressed_rows(t.flatten(1)) if t.ndim > 1 else t for name, t in state.items()}
    return {
        SAVED: len(saved),
        ZIPPED: len(gzip.compress(saved)),
        TORCH_CSR: len(_saved(rows)),
        SCIPY_CSR: len(_npz(state)),
        MASKED: len(_masked(state)),
        PACKED: packed,
        BOUND: least_bytes(state),
    }


def _saved(what: object) -> bytes:
    file = io.BytesIO()
    torch.save(what, file)
    return file.getvalue()


def _npz(state: Mapping[str, Tensor]) -> bytes:
    """Matrices as compressed rows with places of 32 bits, what has one dimension as it is."""
    from scipy.sparse import csr_array

    arrays: dict[str, np.ndarray] = {}
    for name, tensor in state.items():
        if tensor.ndim < 2:
            arrays[name] = tensor.numpy()
            continue
        made = csr_array(tensor.flatten(1).numpy())
        arrays |= {f"{name}.{part}": getattr(made, part) for part in ("data", "indices", "indptr")}
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _masked(state: Mapping[str, Tensor]) -> bytes:
    """One bit an entry, alive or not, then the values of the living, and nothing else."""
    flat = torch.cat([t.flatten() for t in state.values()]).numpy()
    return np.packbits(flat != 0).tobytes() + flat[flat != 0].tobytes()


def least_bytes(state: Mapping[str, Tensor]) -> float:
    """Values as they are, and places at random with this share of zeros: the entropy bound."""
    sizes = sum(t.numel() for t in state.values())
    alive = sum(int((t != 0).sum()) for t in state.values())
    width = next(iter(state.values())).element_size()
    return width * alive + sizes * entropy(alive / sizes) / 8


def entropy(p: float) -> float:
    """Bits that it takes to say whether something of probability ``p`` happened."""
    return float(-sum(q * np.log2(q) for q in (p, 1 - p) if q > 0))


def pruned_bytes(model: nn.Module, zeros: float) -> dict[str, float]:
    """``file_bytes`` of a network whose smallest weights are zero, to this share."""
    return file_bytes(magnitude_pruning(model, zeros))


def checkpoint_bytes() -> dict[str, int]:
    """The recorded gRDA network in files as people write them, and SGD's: bytes."""
    model = network()
    optimizer = GRDA(model.parameters(), lr=0.1, c=0.0, mu=0.65)
    for p in model.parameters():  # one step that moves nothing makes the accumulators
        p.grad = torch.zeros_like(p)
    optimizer.step()
    both = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    with TemporaryDirectory() as folder:
        packed = save_sparse(model, Path(folder) / "weights")
    return {
        "dense": len(_saved(network(ALONE, 0.0).state_dict())),
        "sparse": len(_saved(model.state_dict())),
        "checkpoint": len(_saved(both)),
        "packed": packed,
    }


# ------------------------------------------------- time


@cache
def timing() -> Measurements:
    """The recorded times. RecordingError names the command that makes them again."""
    return recordings.load_measurements("timing")


def shares() -> list[float]:
    """The shares of zeros at which times were recorded."""
    return list(timing().configuration["zeros"])


def processor_name() -> str:
    """What the computer that recorded them calls its processor."""
    return str(timing().configuration["processor"])


def was_timed(size: int, batch: int) -> bool:
    """Is there a recording of this layer?"""
    made = timing().configuration
    return size in made["sizes"] and batch in made["batches"]


def speedups(size: int, batch: int) -> dict[str, np.ndarray]:
    """Way -> how many times as fast as dense, at each share of zeros: [Z]."""
    made = timing().configuration
    i, j = made["sizes"].index(size), made["batches"].index(batch)
    rows = dict(zip(made["ways"], timing().arrays["times"][i, j], strict=True))
    return {way: rows[DENSE] / seconds for way, seconds in rows.items() if way != DENSE}


def break_even(zeros: list[float], ratios: np.ndarray) -> float | None:
    """The least share from which on every ratio is above 1; None if the last is not."""
    slower = np.flatnonzero(~(np.asarray(ratios) > 1))
    first = int(slower[-1]) + 1 if len(slower) else 0
    return zeros[first] if first < len(zeros) else None


PREDICTED_LAYER = (1024, 1)
"""The layer and batch of the prediction and of the goal."""


def single_speedup() -> float:
    """Of CSR with nine tenths zeros for a single input."""
    return float(speedups(*PREDICTED_LAYER)[CSR][shares().index(NINE_TENTHS)])


def speedup_of_many() -> float:
    """Of CSR with nine tenths zeros for 128 inputs at a time."""
    return float(speedups(PREDICTED_LAYER[0], 128)[CSR][shares().index(NINE_TENTHS)])


def removed_speedup() -> float:
    """Of the layer with as many weights, units removed."""
    return float(speedups(*PREDICTED_LAYER)[REMOVED][shares().index(NINE_TENTHS)])


# ------------------------------------------------- the smallest network


@cache
def sizes_left() -> np.ndarray:
    """Parameters of every recorded network without its dead units: int [recipes, seeds]."""
    rows = [[compact(network(*r, seed)).parameters[1] for seed in seeds()] for r in recipes()]
    return np.array(rows)


@cache
def zeros_of_networks() -> np.ndarray:
    """Share of zeros of every recorded network: [recipes, seeds]."""
    shares_: np.ndarray = (recorded().arrays["weights"] == 0).mean(axis=-1)
    return shares_


def rows_of(way: str) -> list[int]:
    """Positions of a way's recipes, from the weakest."""
    return [k for k, (name, _) in enumerate(recipes()) if name == way]


def ways() -> list[str]:
    """The ways that make zeros."""
    return [way for way in recorded().configuration["ways"] if way != ALONE]


def chosen(way: str, given_up: float) -> int | None:
    """The recipe with the fewest parameters left whose validation accuracy is near enough to SGD's.

    given_up: how far it may lie below, in the mean over the seeds. None if no recipe is.
    """
    means = recorded().arrays["val"].astype(float).mean(axis=1)
    sgd = means[rows_of(ALONE)[0]]
    near = [k for k in rows_of(way) if means[k] >= sgd - given_up - 1e-9]
    return min(near, key=lambda k: sizes_left()[k].mean(), default=None)
