"""Dual averaging on two and four processes (gloo): DDP, shards, tensor parallel, distributed checkpoints.

The oracle is one process on the whole batch, in float64: Adam makes much of a gradient's rounding.
"""

import copy

import pytest
import torch
from torch import nn
from torch.distributed import checkpoint
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.nn.parallel import DistributedDataParallel
from torch.optim import SGD, AdamW

from grda_edu.optim import AccumulatorAverage, DualAveraging
from tests.stacks.processes import on_processes

pytestmark = pytest.mark.stacks

STEPS = 6
BASES = {
    "AdamW": lambda params: AdamW(params, lr=0.01, weight_decay=0.1),
    "AdamW, foreach": lambda params: AdamW(params, lr=0.01, foreach=True),
    "SGD": lambda params: SGD(params, lr=0.01, momentum=0.9),
    "SGD, foreach": lambda params: SGD(params, lr=0.01, weight_decay=0.1, foreach=True),
}
WIDTH = 800  # a weight of more than 2^19 numbers: larger than any part that is worked on at a time


def network():
    """With a layer that has fewer rows than there are processes: one has nothing of it."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1)).double()


def batch(step, rank=None):
    """Four rows, or those of one process of two, or of (rank, of how many)."""
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(4, WIDTH, generator=generator, dtype=torch.float64)
    y = 10 * x.mean(dim=1, keepdim=True)
    rank, count = (0, 1) if rank is None else rank if isinstance(rank, tuple) else (rank, 2)
    return x[rank::count], y[rank::count]


def make(name, model):
    return DualAveraging(BASES[name](model.parameters()), c=1.0, mu=0.7)


def train(model, optimizer, steps, rank=None):
    for step in steps:
        x, y = batch(step, rank)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()


def whole(tensor):
    tensor = tensor.detach()
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def assert_as_in_one_process(model, name, steps):
    expected = network()
    optimizer = make(name, expected)
    train(expected, optimizer, steps)
    for p, q in zip(model.parameters(), expected.parameters(), strict=True):
        p = whole(p)
        torch.testing.assert_close(p, q.detach(), rtol=0, atol=1e-9)
        assert torch.equal(p == 0, q == 0)
    zeros = float((expected[0].weight == 0).double().mean())
    assert 0.2 < zeros < 1


# ---- what the processes do --------------------------------------------------------------------


def ddp(rank, name):
    model = DistributedDataParallel(network())
    train(model, make(name, model), range(STEPS), rank)
    assert_as_in_one_process(model, name, range(STEPS))


def sharded(rank, name, mesh=None):
    model = fully_shard(network(), mesh=mesh)
    optimizer = make(name, model)
    places = [p.to_local().data_ptr() for p in model.parameters()]
    train(model, optimizer, range(STEPS), rank)
    assert_as_in_one_process(model, name, range(STEPS))
    assert [p.to_local().data_ptr() for p in model.parameters()] == places
    assert {optimizer.state[p]["clock"] for p in model.parameters()} == {STEPS}
    average = AccumulatorAverage(optimizer)
    average.update()
    with average.applied(model):  # of one update: the weights themselves
        assert_as_in_one_process(model, name, range(STEPS))


def hybrid(rank, name):
    """Two by two: the weights are cut in two, and each half is on two processes."""
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("replicate", "shard"))
    sharded((rank, 4), name, mesh)


def tensor_parallel(rank, name, mesh=None):
    """Columns, then rows of the two layers on each process, which all see the whole batch."""
    if mesh is None:
        mesh = init_device_mesh("cpu", (2,))
    plan = {"0": ColwiseParallel(), "2": RowwiseParallel()}
    model = parallelize_module(network(), mesh, plan)
    optimizer = make(name, model)
    train(model, optimizer, range(STEPS))
    assert_as_in_one_process(model, name, range(STEPS))
    assert {optimizer.state[p]["clock"] for p in model.parameters()} == {STEPS}


def both(rank, name):
    """Two by two: each layer cut in two, and the halves once more by rows."""
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "tensor"))
    plan = {"0": ColwiseParallel(), "2": RowwiseParallel()}
    model = parallelize_module(network(), mesh["tensor"], plan)
    fully_shard(model, mesh=mesh["data"])
    optimizer = make(name, model)
    train(model, optimizer, range(STEPS), (rank // 2, 2))
    assert_as_in_one_process(model, name, range(STEPS))


def checkpointed(rank, folder, name, flat):
    """Saved, and loaded into another network, whose getter makes the hidden step: goes on alike."""
    model = fully_shard(network())
    optimizer = make(name, model)
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    train(model, optimizer, range(3), rank)
    weights, state = get_state_dict(model, optimizer, options=options)
    checkpoint.save({"model": weights, "optimizer": state}, checkpoint_id=folder / "saved")

    other = fully_shard(network())
    continued = make(name, other)
    weights, state = get_state_dict(other, continued, options=options)
    loaded = {"model": weights, "optimizer": state}
    checkpoint.load(loaded, checkpoint_id=folder / "saved")
    set_state_dict(
        other,
        continued,
        model_state_dict=loaded["model"],
        optim_state_dict=loaded["optimizer"],
        options=options,
    )
    for m, o in ((model, optimizer), (other, continued)):
        train(m, o, range(3, STEPS), rank)
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(whole(p), whole(q))
        one, two = optimizer.state[p], continued.state[q]
        assert (one["clock"], one["threshold"]) == (two["clock"], two["threshold"])
        assert two["clock"] == STEPS
    # the getter before the first step: its hidden step leaves no trace on clock and threshold
    fresh = fully_shard(copy.deepcopy(network()))
    optimizer = make("SGD", fresh)
    get_state_dict(fresh, optimizer)
    assert {state["clock"] for state in optimizer.state.values()} == {0}


def trainings(rank, folder):
    ddp(rank, "AdamW")
    for name in BASES:
        sharded(rank, name)
        tensor_parallel(rank, name)


def on_four(rank, folder):
    for name in BASES:
        hybrid(rank, name)
        both(rank, name)


def checkpoints(rank, folder):
    for flat in (False, True):
        checkpointed(rank, folder / f"flat_{flat}", "AdamW", flat)


# ---- the tests, each with processes of its own, which take seconds to start -------------------


@pytest.mark.parametrize("job", [trainings, checkpoints], ids=lambda job: job.__name__)
def test_two_processes_are_one(tmp_path, job):
    on_processes(2, job, tmp_path)


def test_four_processes_are_one(tmp_path):
    on_processes(4, on_four, tmp_path)
