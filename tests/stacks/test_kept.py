"""Zeros stay zero where a training is spread over processes, and the processes stay alike."""

import warnings

import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from grda_edu.sparse.masks import keep_zeros
from tests.stacks.processes import on_processes

pytestmark = pytest.mark.stacks


def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Linear(12, 3))
    with torch.no_grad():
        for p in model.parameters():
            p.masked_fill_(torch.rand(p.shape) < 0.7, 0.0)
    return model


def whole(p):
    return p.full_tensor() if hasattr(p, "full_tensor") else p


def kept(rank, how):
    model = network()
    if how == "kept, then DDP":
        keep_zeros(model)
    if how == "fully_shard":
        fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
    spread = DistributedDataParallel(model) if "DDP" in how else model
    if how != "kept, then DDP":
        keep_zeros(spread)
    optimizer = torch.optim.SGD(spread.parameters(), lr=0.1, momentum=0.9)
    torch.manual_seed(rank)
    for _ in range(5):
        optimizer.zero_grad()
        spread(torch.randn(8, 6)).square().mean().backward()
        optimizer.step()
    return [[whole(p.detach()), whole(p.grad)] for p in model.parameters()]


@pytest.mark.parametrize("how", ["kept, then DDP", "DDP, then kept", "fully_shard"])
def test_zeros_stay(how):
    first, second = on_processes(2, kept, how)
    for (w, gradient), (other, _), before in zip(
        first, second, network().parameters(), strict=True
    ):
        assert torch.equal(w, other) and torch.equal(w == 0, before == 0)
        assert (gradient[before == 0] == 0).all()


def sharded_afterwards(rank):
    model = network()
    keep_zeros(model)
    fully_shard(model, mesh=init_device_mesh("cpu", (2,)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.randn(8, 6)).square().mean().backward()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        optimizer.step()
    return ["keep_zeros after it" in str(w.message) for w in told]


def test_parameters_that_are_sharded_afterwards_are_others():
    assert on_processes(2, sharded_afterwards) == [[True], [True]]
