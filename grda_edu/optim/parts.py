"""Two passes over a tensor that is larger than the cache."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter

PART = 2**19  # elements


def cache_sized(*tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """The tensors in parts of 2 MB: the second pass over a part finds it still in the cache.

    Only on the CPU, and where a part is certain to be a view, so that what is written into it is kept: of a
    subclass of Tensor nobody knows.
    """
    first = tensors[0]
    if first.numel() <= PART or not first.is_cpu or not all(_has_views(t) for t in tensors):
        return [tensors]
    return zip(*(torch.split(t.view(-1), PART) for t in tensors), strict=True)


def _has_views(t: Tensor) -> bool:
    return type(t) in (Tensor, Parameter) and t.is_contiguous()
