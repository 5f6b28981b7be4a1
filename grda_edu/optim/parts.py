"""Two passes over a tensor that is larger than the cache."""

from collections.abc import Iterable

import torch
from torch import Tensor

PART = 2**19  # elements


def cache_sized(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """The tensors in parts of 2 MB: the second pass over a part finds it still in the cache."""
    if tensors[0].numel() <= PART or not all(t.is_contiguous() for t in tensors):
        return [tensors]
    return zip(*(torch.split(t.view(-1), PART) for t in tensors), strict=True)
