"""Training spread over processes ends where one process does: weights, zeros, counts, clocks."""

import copy
import functools
import itertools
import warnings

import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import CosineAnnealingLR

from grda_edu.optim import GRDA
from tests.stacks.processes import on_processes
from tests.stacks.training import (
    BATCH,
    OPTIONS,
    SHAPES,
    Side,
    alone,
    assert_same,
    groups,
    outcome,
    train,
)

CASES = [f"{name}, {how}" for name, how in itertools.product(OPTIONS, ("loop", "foreach"))]
CASES.remove("captured, foreach")  # it is always that


def options(case):
    name, how = case.split(", ")
    return {**OPTIONS[name], "foreach": how == "foreach"}


def rows_of(rank, count):
    size = BATCH // count
    return slice(rank * size, (rank + 1) * size)


def replicated(rank, count, **kwargs):
    model = DistributedDataParallel(Side(), find_unused_parameters=True)
    optimizer = GRDA(groups(model.named_parameters(), kwargs), lr=0.1, **kwargs)
    train(model, optimizer, rows_of(rank, count))
    return outcome(model, optimizer, prefix="module.")


def zero_one(rank, count, **kwargs):
    """Each process has the state of some parameters, and of the first group one has nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own use of torch.jit
        from torch.distributed.optim import ZeroRedundancyOptimizer
    model = DistributedDataParallel(Side(), find_unused_parameters=True)
    tuning = {"tuning": kwargs.pop("tuning")} if "tuning" in kwargs else {}
    first = model.module.one_row.bias  # fewer parameters than processes
    named = [(name, p) for name, p in model.named_parameters() if p is not first]
    own = [{"params": [first], "by": "weight"}, *groups(named, kwargs)]
    own = [{**group, **tuning} for group in own]
    optimizer = ZeroRedundancyOptimizer(own, GRDA, lr=0.1, **kwargs, **tuning)
    train(model, optimizer, rows_of(rank, count))
    return outcome(model, optimizer.optim, prefix="module.")


def sharded(rank, count, mesh=None, **kwargs):
    model = Side()
    for layer in model.layers.values():
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = GRDA(groups(model.named_parameters(), kwargs), lr=0.1, **kwargs)
    train(model, optimizer, rows_of(rank, count))
    return outcome(model, optimizer)


def hybrid(rank, count, **kwargs):
    mesh = init_device_mesh("cpu", (2, count // 2), mesh_dim_names=("replicate", "shard"))
    return sharded(rank, count, mesh=mesh, **kwargs)


def tensor_parallel(rank, count, **kwargs):
    model = Side()
    mesh = init_device_mesh("cpu", (count,))
    columns = functools.partial(ColwiseParallel, output_layouts=Replicate())
    rows = functools.partial(RowwiseParallel, input_layouts=Replicate())
    plan = {
        f"layers.{name}": style()
        for name, style in zip(SHAPES, (columns, rows, columns, rows), strict=True)
    }
    parallelize_module(model, mesh, plan)
    optimizer = GRDA(groups(model.named_parameters(), kwargs), lr=0.1, **kwargs)
    train(model, optimizer)
    return outcome(model, optimizer)


def all_cases(rank, count, stacks, cases):
    return {f"{s.__name__}, {c}": s(rank, count, **options(c)) for s in stacks for c in cases}


def assert_all_same(ranks, stack, case, expected):
    for got in ranks:
        assert_same(got[f"{stack.__name__}, {case}"], expected, clocks=stack is not zero_one)


@functools.cache
def by_one(case):
    return alone(options(case))


TWO = [replicated, zero_one, sharded, tensor_parallel]


@pytest.fixture(scope="module")
def by_two():
    return on_processes(2, all_cases, 2, TWO, CASES)


@pytest.fixture(scope="module")
def by_four():
    return on_processes(4, all_cases, 4, [hybrid, sharded], CASES[:4])


@pytest.mark.stacks
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stack", TWO)
def test_two_processes_are_one(stack, case, by_two):
    assert 0.02 < by_one(case)["sparsity"] < 0.9
    assert_all_same(by_two, stack, case, by_one(case))


@pytest.mark.stacks
@pytest.mark.parametrize("case", CASES[:4])
@pytest.mark.parametrize("stack", [hybrid, sharded])
def test_four_processes_are_one(stack, case, by_four):
    assert_all_same(by_four, stack, case, by_one(case))


def one_rank_has_no_gradient(rank):
    """A layer that the first process alone uses, and a norm whose gradient is still to be summed."""
    torch.manual_seed(0)
    layers = nn.ModuleList([nn.Linear(4, 4, dtype=torch.float64) for _ in range(2)])

    class First(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = layers

        def forward(self, x, both):
            return (self.layers[0](x) + (self.layers[1](x) if both else 0)).square().mean()

    expected = copy.deepcopy(First())
    model = DistributedDataParallel(First(), find_unused_parameters=True)
    twin = GRDA(expected.parameters(), lr=0.1, c=0.05, mu=0.7)
    optimizer = GRDA(model.parameters(), lr=0.1, c=0.05, mu=0.7)
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for _ in range(5):
        optimizer.zero_grad()
        model(x, both=rank == 0).backward()
        optimizer.step()
        twin.zero_grad()
        ((expected(x, True) + expected(x, False)) / 2).backward()
        twin.step()
    pairs = zip(model.parameters(), expected.parameters(), strict=True)
    return max(float((p - q).abs().max()) for p, q in pairs)


def gradient_to_be_summed(rank, foreach, momentum):
    """What tensor parallel leaves at a parameter that is whole everywhere: each process its share."""
    mesh = init_device_mesh("cpu", (2,))
    start = torch.linspace(-1, 1, 9, dtype=torch.float64)
    p = nn.Parameter(distribute_tensor(start, mesh, [Replicate()]))
    options = {"lr": 0.1, "c": 0.1, "mu": 0.7, "momentum": momentum, "foreach": foreach}
    optimizer = GRDA([p], **options)
    q = nn.Parameter(start.clone())
    twin = GRDA([q], **options)
    for _ in range(4):
        p.grad = DTensor.from_local(torch.full_like(start, rank + 1.0), mesh, [Partial()])
        q.grad = torch.full_like(start, 3.0)
        optimizer.step()
        twin.step()
    return [p.full_tensor().detach(), q.detach()]


def thousand_steps(rank):
    """Clock and threshold of this process, and of a twin alone, under a schedule."""
    mesh = init_device_mesh("cpu", (2,))
    p = nn.Parameter(distribute_tensor(torch.ones(5), mesh, [Shard(0)]))
    q = nn.Parameter(torch.ones(5))
    pair = [(p, GRDA([p], lr=0.1, c=0.01, mu=0.7)), (q, GRDA([q], lr=0.1, c=0.01, mu=0.7))]
    schedules = [CosineAnnealingLR(optimizer, 1000) for _, optimizer in pair]
    for _ in range(1000):
        for (w, optimizer), schedule in zip(pair, schedules, strict=True):
            w.grad = torch.zeros_like(w)
            optimizer.step()
            schedule.step()
    return [[one.state[w]["step"], one.state[w]["threshold"]] for w, one in pair]


def synced(rank, by):
    """Weights set from outside and followed, on this process's part and alone."""
    mesh = init_device_mesh("cpu", (2,))
    start = torch.linspace(-1, 1, 35, dtype=torch.float64).reshape(7, 5)
    p = nn.Parameter(distribute_tensor(start, mesh, [Shard(0)]))
    q = nn.Parameter(start.clone())
    pair = [(w, GRDA([w], lr=0.1, c=0.5, mu=0.7, by=by)) for w in (p, q)]
    for w, optimizer in pair:
        for step in range(6):
            w.grad = torch.full_like(w, 0.1)
            if step == 4:
                w.detach().mul_(0.5)
                optimizer.sync_()
            optimizer.step()
    return [p.full_tensor().detach(), q.detach()]


def odd_cases(rank):
    return {
        **{f"synced by {by}": synced(rank, by) for by in ("weight", "unit")},
        "clocks": thousand_steps(rank),
        "no gradient": one_rank_has_no_gradient(rank),
        **{
            f"{foreach}, {momentum}": gradient_to_be_summed(rank, foreach, momentum)
            for foreach in (False, True)
            for momentum in (0, 0.9)
        },
    }


@pytest.mark.stacks
def test_gradients_that_are_missing_or_still_to_be_summed():
    for got in on_processes(2, odd_cases):  # of both processes
        assert got.pop("no gradient") < 1e-12
        spread, alone = got.pop("clocks")
        assert spread == alone and spread[0] == 1000
        assert len(got) == 6 and all(torch.equal(p, q) for p, q in got.values())
