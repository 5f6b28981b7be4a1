"""torch.distributed.checkpoint: saved here, loaded there, and on as if nothing had been, bit for bit."""

import itertools
import warnings
from pathlib import Path

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import distribute_tensor

from grda_edu.optim import GRDA
from tests.stacks.processes import on_processes
from tests.stacks.training import OPTIONS, Side

FORMS = {"nested": False, "flat": True}
CASES = {
    **{name: OPTIONS[name] for name in ("plain", "momentum", "tuning")},
    "two groups": {"c": 0.02, "mu": 0.6, "momentum": 0.9},
    "accumulator": {**OPTIONS["momentum"], "accumulator_dtype": torch.float64},
    "captured": OPTIONS["captured"],
}
KINDS = [f"{case}, {form}" for case, form in itertools.product(CASES, FORMS)]
SHAPES = {"small": (60, 60), "above": (800, 800)}


def make(case, spread):
    model = Side(SHAPES).float()
    if spread:
        fully_shard(model)
    params = list(model.parameters())
    groups = [{"params": params}]
    if case == "two groups":
        groups = [{"params": params[:2], "c": 0.05}, {"params": params[2:]}]
    return model, GRDA(groups, lr=0.1, **CASES[case])


def go(model, optimizer, steps):
    """Gradients are handed in, so that they are the same bits on any number of processes."""
    for step in steps:
        for k, (name, p) in enumerate(model.named_parameters()):
            generator = torch.Generator().manual_seed(100 * step + k)
            gradient = torch.randn(p.shape, generator=generator)
            if hasattr(p, "to_local"):
                gradient = distribute_tensor(gradient, p.device_mesh, p.placements)
            p.grad = None if "unused" in name else gradient
        optimizer.step()


def states(model, optimizer, form):
    options = StateDictOptions(flatten_optimizer_state_dict=FORMS[form])
    weights, state = get_state_dict(model, optimizer, options=options)
    return {"model": weights, "optimizer": state}


def save(folder, kind, spread):
    case, form = kind.split(", ")
    model, optimizer = make(case, spread)
    go(model, optimizer, range(3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is one process
        dcp.save(states(model, optimizer, form), checkpoint_id=folder / kind)


def resume(folder, kind, spread):
    """Whole weights after three more steps."""
    case, form = kind.split(", ")
    model, optimizer = make(case, spread)
    saved = states(model, optimizer, form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # the parameter that never had a gradient has no state in the file
        planner = dcp.DefaultLoadPlanner(allow_partial_load=True)
        dcp.load(saved, checkpoint_id=folder / kind, planner=planner)
    options = StateDictOptions(flatten_optimizer_state_dict=FORMS[form])
    set_state_dict(
        model,
        optimizer,
        model_state_dict=saved["model"],
        optim_state_dict=saved["optimizer"],
        options=options,
    )
    go(model, optimizer, range(3, 6))
    return whole(model, optimizer)


def whole(model, optimizer):
    def all_of(t):
        return (t.full_tensor() if hasattr(t, "full_tensor") else t).detach().clone()

    return {
        name: [
            all_of(p),
            *(all_of(v) if torch.is_tensor(v) else v for v in sorted_state(optimizer, p)),
        ]
        for name, p in model.named_parameters()
        if "unused" not in name
    }


def sorted_state(optimizer, p):
    return [value for _, value in sorted(optimizer.state[p].items())]


def uninterrupted(kind):
    model, optimizer = make(kind.split(", ")[0], spread=False)
    go(model, optimizer, range(6))
    return whole(model, optimizer)


def save_all(rank, folder):
    for kind in KINDS:
        save(Path(folder), kind, spread=True)


def resume_all(rank, *folders):
    return [{kind: resume(Path(folder), kind, spread=True) for kind in KINDS} for folder in folders]


def assert_bitwise(got, expected):
    for name, values in expected.items():
        for one, other in zip(got[name], values, strict=True):
            assert torch.equal(one, other) if torch.is_tensor(other) else one == other


@pytest.mark.stacks
def test_from_two_processes_and_from_one_to_two_and_to_one(tmp_path):
    by_one, by_two = tmp_path / "one", tmp_path / "two"
    for kind in KINDS:
        save(by_one, kind, spread=False)
    on_processes(2, save_all, str(by_two))
    on_two = on_processes(2, resume_all, str(by_one), str(by_two))
    for kind in KINDS:
        expected = uninterrupted(kind)
        assert_bitwise(resume(by_two, kind, spread=False), expected)
        for from_one, from_two in on_two:
            assert_bitwise(from_one[kind], expected)
            assert_bitwise(from_two[kind], expected)
