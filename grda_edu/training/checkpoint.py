"""The state that continues a training: tensors and plain values, saved without pickle."""

import io
import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grda_edu import files
from grda_edu.training.run import DAMAGE


@dataclass(eq=False)
class Checkpoint:
    """Everything that a training needs, beside its ``Run``, to go on as if never interrupted."""

    model: dict[str, Tensor]  # state_dict of the model
    optimizer: dict[str, Any]  # state_dict: accumulators, buffers, steps, thresholds
    scheduler: dict[str, Any] | None  # state_dict, if there is a learning-rate schedule
    epoch: int  # whole epochs done
    batch: int  # batches done in the epoch after them
    order: Tensor  # the batch order's generator, as it was when that epoch began
    random: dict[str, Tensor]  # global generators by device, if the model draws from them
    seconds: float  # spent so far

    def save(self, path: str | PathLike[str]) -> None:
        """Write one .npz file: the tensors' bytes, and the tree that holds them as JSON.

        Args:
            path: of the file; one that exists is written over.

        Raises:
            TypeError: for a value that is neither a tensor nor plain (number, text, list, …).
        """
        arrays: list[np.ndarray] = []
        tree = _pack({name: getattr(self, name) for name in self.__dataclass_fields__}, arrays)
        named: dict[str, Any] = {f"tensor{k}": array for k, array in enumerate(arrays)}
        content = io.BytesIO()
        np.savez_compressed(content, tree=np.array(json.dumps(tree)), **named)
        files.replace(Path(path), content.getvalue())

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Checkpoint":
        """Read what ``save`` wrote.

        Args:
            path: of the file.

        Returns:
            The checkpoint, its tensors on the CPU.

        Raises:
            ValueError: if the file is anything else.
        """
        try:
            with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            return cls(**_unpack(json.loads(str(arrays["tree"])), arrays))
        except DAMAGE as error:
            raise ValueError(
                f"{path} is not a saved Checkpoint, or it is damaged ({error})"
            ) from error


def _pack(value: Any, arrays: list[np.ndarray]) -> Any:
    """``value`` as JSON; every tensor in it becomes bytes in ``arrays`` (numpy has no bfloat16)."""
    if isinstance(value, Tensor):
        arrays.append(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        dtype = str(value.dtype).removeprefix("torch.")
        return {"tensor": len(arrays) - 1, "dtype": dtype, "shape": list(value.shape)}
    if isinstance(value, dict):  # keys may be numbers, which JSON would turn into text
        return {"dict": [[key, _pack(item, arrays)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_pack(item, arrays) for item in value]}
    if isinstance(value, list):
        return [_pack(item, arrays) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint holds tensors and plain values, not {type(value).__name__}")


def _unpack(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {key: _unpack(item, arrays) for key, item in value["dict"]}
    if "tuple" in value:
        return tuple(_unpack(item, arrays) for item in value["tuple"])
    tensor = torch.empty(value["shape"], dtype=getattr(torch, value["dtype"]))
    stored = torch.from_numpy(arrays[f"tensor{value['tensor']}"])
    tensor.reshape(-1).view(torch.uint8).copy_(stored)
    return tensor
