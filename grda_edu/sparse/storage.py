"""A file of weights that skips the zeros. No pickle is written or read.

A tensor is stored in whichever of three ways takes the fewest bytes:

    dense   every value
    mask    one bit an entry, alive or not, then the values of the living
    gaps    for each living entry the number of zeros before it (a byte; 255 means "255 more, and
            no value yet"), then the values: smaller than the mask above some 87 % zeros

At 90 % zeros a float32 weight takes 0.50 to 0.53 bytes instead of 4. The container is safetensors;
three flat tensors hold the bytes of all weights, a JSON text says what they are.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Mapping
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grda_edu import files

FORMAT = "grda-edu sparse weights"
VERSION = 1
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn),
        *(torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.bool),
        *(torch.uint64, torch.uint32, torch.uint16, torch.uint8),
    )
}
_FAR = 255  # a gap's byte that stands for as many zeros and no value


class SparseFileError(ValueError):
    """A file is not what ``save_sparse`` writes, or it is damaged; the message says where."""


def save_sparse(model: nn.Module | Mapping[str, Tensor], path: str | PathLike[str]) -> int:
    """Write the weights of a network, buffers included, into a file that skips zeros.

    The file is written beside ``path`` and moved there: a crash leaves the old one.

    Args:
        model: a module, or a state dict: name -> tensor of any real dtype. Tied weights are
            stored once.
        path: the file; its folder is made if it lacks.

    Returns:
        The file's size in bytes.

    Raises:
        ValueError: names the entry that is not a dense real tensor.
        OSError: if the file cannot be written.
    """
    content = _packed(_state_of(model))
    files.replace(Path(path), content)
    return len(content)


def load_sparse(path: str | PathLike[str]) -> dict[str, Tensor]:
    """Read what ``save_sparse`` wrote: a state dict on the CPU, equal to the saved one.

    Lengths and checksum are compared with what the file declares before memory is taken for it.

    Args:
        path: the file.

    Returns:
        Name -> tensor, for ``model.load_state_dict``. Tied weights share their memory. A negative
        zero comes back as zero, which it equals.

    Raises:
        SparseFileError: if the file is another or damaged.
        OSError: if it cannot be read.
    """
    content = Path(path).read_bytes()
    try:
        return _unpacked(content)
    except SparseFileError as error:
        raise SparseFileError(
            f"{path}: {error}. Accepted are files that save_sparse has written"
        ) from error


def file_sizes(model: nn.Module | Mapping[str, Tensor]) -> dict[str, int]:
    """What the weights take in three files, in bytes.

    Args:
        model: a module or a state dict.

    Returns:
        "torch.save", "torch.save, gzip" and "save_sparse" -> bytes. torch.save writes zeros like
        any number; gzip finds them again.
    """
    state = _state_of(model)
    plain = io.BytesIO()
    torch.save(state, plain)
    return {
        "torch.save": len(plain.getvalue()),
        "torch.save, gzip": len(gzip.compress(plain.getvalue())),
        "save_sparse": len(_packed(state)),
    }


# ------------------------------------------------- from tensors to bytes


def _state_of(model: nn.Module | Mapping[str, Tensor]) -> dict[str, Tensor]:
    given = model.state_dict() if isinstance(model, nn.Module) else model
    return {name: _plain(name, value) for name, value in given.items()}


def _plain(name: Any, value: Any) -> Tensor:
    if not isinstance(name, str) or name.encode(errors="ignore").decode() != name:
        raise ValueError(f"{name!r} is no name: accepted are strings of Unicode characters")
    if not isinstance(value, Tensor) or hasattr(value, "__tensor_flatten__"):
        raise ValueError(
            f"{name} is of type {type(value).__name__}: accepted are tensors, plain and whole"
        )
    if value.layout != torch.strided or value.dtype not in _DTYPES.values():
        kind = f"dtype {value.dtype} and layout {value.layout}"
        raise ValueError(f"{name} has {kind}: accepted are real, dense tensors")
    if value.is_meta:
        raise ValueError(f"{name} is on the meta device: it has no values to save")
    return value.detach().resolve_neg()


def _packed(state: Mapping[str, Tensor]) -> bytes:
    """The file's content."""
    from safetensors.numpy import save

    entries: list[list[Any]] = []
    wheres, values = bytearray(), bytearray()
    first: dict[tuple[Any, ...], int] = {}
    for name, tensor in state.items():
        same = (tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride(), str(tensor.device))
        if tensor.numel() and same in first:
            entries.append([name, "tied", first[same]])
            continue
        first[same] = len(entries)
        way, where, kept = _stored(tensor.cpu().contiguous())
        dtype = str(tensor.dtype).removeprefix("torch.")
        entries.append([name, way, dtype, list(tensor.shape), len(where), len(kept)])
        wheres += where
        values += kept
    digest = hashlib.sha256(bytes(wheres + values)).hexdigest()
    about = {"version": VERSION, "sha256": digest, "entries": entries}
    arrays = {"where": _bytes(bytes(wheres)), "values": _bytes(bytes(values))}
    text = json.dumps(about, separators=(",", ":"), ensure_ascii=False)
    return bytes(save(arrays, metadata={FORMAT: text}))


def _stored(tensor: Tensor) -> tuple[str, bytes, bytes]:
    """The way that takes the fewest bytes, where the living entries are, and their values."""
    raw = _raw(tensor)
    alive = _is_alive(tensor)
    kept = raw[alive].tobytes()
    gaps, mask = _gaps(alive), np.packbits(alive).tobytes()
    shortest = min((gaps, mask), key=len)
    if len(shortest) + len(kept) >= raw.size:
        return "dense", b"", raw.tobytes()
    return ("gaps" if shortest is gaps else "mask"), shortest, kept


def _is_alive(tensor: Tensor) -> np.ndarray:
    """Which entries are not zero: bool [N]. A negative zero is one; NaN is none."""
    flat = tensor.reshape(-1)
    if flat.element_size() == 1 and flat.is_floating_point():
        flat = flat.float()  # eight-bit floats cannot be compared
    alive: np.ndarray = (flat != 0).numpy()
    return alive


def _raw(tensor: Tensor) -> np.ndarray:
    """The bytes of every entry: uint8 [N, bytes an entry]. numpy has no bfloat16; bytes it has."""
    flat = tensor.reshape(-1).view(torch.uint8).numpy()
    return flat.reshape(tensor.numel(), tensor.element_size())


def _gaps(alive: np.ndarray) -> bytes:
    """How many dead entries lie before each living one, and after the last: see the module."""
    places = np.append(np.flatnonzero(alive), len(alive))
    before = np.diff(places, prepend=-1) - 1
    far, rest = np.divmod(before, _FAR)
    ends = np.cumsum(far + 1) - 1  # where each gap's last byte stands
    made = np.full(int((far + 1).sum()), _FAR, np.uint8)
    made[ends] = rest
    return made.tobytes()


def _bytes(content: bytes | memoryview) -> np.ndarray:
    return np.frombuffer(content, np.uint8)


# ------------------------------------------------- and back


def _unpacked(content: bytes) -> dict[str, Tensor]:
    about, *both = _opened(content)
    where, values = memoryview(both[0]), memoryview(both[1])  # cutting copies nothing
    state: dict[str, Tensor] = {}
    tensors: list[Tensor] = []
    for entry in _checked(about.get("entries"), len(where), len(values)):
        if entry[1] == "tied":
            tensor = tensors[entry[2]]
        else:
            name, way, dtype, shape, here, kept = entry
            part, where = where[:here], where[here:]
            own, values = values[:kept], values[kept:]
            try:
                tensor = _rebuilt(way, _DTYPES[dtype], shape, part, own)
            except (SparseFileError, RuntimeError, TypeError) as error:  # torch's for a mad shape
                raise SparseFileError(f"{name}: {error}") from error
        tensors.append(tensor)
        state[entry[0]] = tensor
    return state


def _opened(content: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """The description and the two stretches of bytes, once their checksum is right."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)  # compares the declared lengths with the file's own
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        about = json.loads(header["__metadata__"][FORMAT])
        where, values = arrays["where"].tobytes(), arrays["values"].tobytes()
        digest, version = about["sha256"], about["version"]
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise SparseFileError(f"not a file of sparse weights, or cut off ({error!r})") from error
    if version != VERSION:
        raise SparseFileError(f"its version is {version!r}, this program reads {VERSION}")
    if hashlib.sha256(where + values).hexdigest() != digest:
        raise SparseFileError("damaged: its checksum is wrong")
    return about, where, values


def _checked(entries: Any, wheres: int, values: int) -> list[list[Any]]:
    """The entries, if what they declare adds up to the bytes that are there."""
    try:
        for k, (name, way, *rest) in enumerate(entries):
            if not isinstance(name, str):
                raise SparseFileError(f"entry {k} has no name")
            if way == "tied":
                (other,) = rest
                sound = isinstance(other, int) and 0 <= other < k
            else:
                dtype, shape, here, kept = rest
                counts = [*shape, here, kept]
                sound = all(type(n) is int and n >= 0 for n in counts)
                sound = sound and dtype in _DTYPES
                wheres, values = wheres - here, values - kept
            if not sound:
                raise SparseFileError(f"{name}: what it declares makes no sense")
    except (TypeError, ValueError) as error:
        if isinstance(error, SparseFileError):
            raise
        raise SparseFileError(f"its list of weights makes no sense ({error})") from error
    if wheres or values:
        raise SparseFileError("its weights need another number of bytes than it has")
    return entries  # type: ignore[no-any-return]


def _rebuilt(
    way: str, dtype: torch.dtype, shape: list[int], where: memoryview, kept: memoryview
) -> Tensor:
    size, width = prod(shape), dtype.itemsize
    alive = _alive(way, size, where)
    count = size if alive is None else len(alive)
    if count * width != len(kept):
        raise SparseFileError(f"{len(kept)} bytes of values where {count * width} belong")
    tensor = torch.zeros(shape, dtype=dtype)  # as large as the file says, and it was checked
    if size:
        raw = tensor.reshape(-1).view(torch.uint8).numpy().reshape(size, width)
        raw[slice(None) if alive is None else alive] = _bytes(kept).reshape(count, width)
    return tensor


def _alive(way: str, size: int, where: bytes | memoryview) -> np.ndarray | None:
    """Places of the living entries; None for all. ``size`` is believed only where bytes bear it out."""
    if way == "dense":
        return None
    if way == "mask":
        if len(where) != -(-size // 8):
            raise SparseFileError(f"a mask of {len(where)} bytes for {size} entries")
        return np.flatnonzero(np.unpackbits(_bytes(where), count=size))
    if way == "gaps":
        steps = _bytes(where)
        ends = steps != _FAR
        places: np.ndarray = (np.cumsum(steps, dtype=np.int64) + np.cumsum(ends) - 1)[ends]
        if not len(places) or places[-1] != size:
            raise SparseFileError(f"gaps that end elsewhere than at {size} entries")
        return places[:-1]
    raise SparseFileError(f"stored in a way {way!r} that is not known")
