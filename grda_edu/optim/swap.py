"""Parameters that hold their accumulators while another optimizer takes its step."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.nn import Parameter

from grda_edu.optim.shards import local


@contextmanager
def held_by_parameters(pairs: Iterable[tuple[Tensor, Tensor]]) -> Iterator[None]:
    """While it lasts each parameter holds its accumulator, which an optimizer so moves.

    Storage changes hands, and nothing is copied, but for DTensors and other tensors of many parts.
    At the end, also by an error, the parameters hold their weights again.

    Args:
        pairs: parameters, each with its accumulator.
    """
    held: list[tuple[Tensor, Tensor, Tensor, bool]] = []
    for p, v in pairs:
        if is_swapped := has_one_storage(p):
            held.append((p, v, p.data, is_swapped))
            p.data = v
        else:
            held.append((p, v, local(p).clone(), is_swapped))
            local(p).copy_(local(v))
    try:
        yield
    finally:
        for p, v, w, is_swapped in held:
            if is_swapped:
                if p.data_ptr() != v.data_ptr():  # the base puts in tensors of its own
                    v.copy_(p)
                p.data = w
            else:
                local(v).copy_(local(p))
                local(p).copy_(w)


def has_one_storage(p: Tensor) -> bool:
    """Whether its numbers are in one storage, that another tensor's can be swapped for."""
    return type(p) in (Tensor, Parameter)


def here(t: Tensor) -> Tensor:
    """``local``, at once where the tensor is plain."""
    return t if has_one_storage(t) else local(t)
