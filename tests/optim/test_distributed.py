"""What `make test` runs of tests/stacks: the shortest on two processes, and checkpoints of one."""

import copy
import itertools
import warnings

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)

from grda_edu.optim import GRDA, DualAveraging
from tests.stacks import test_spread as spread
from tests.stacks.processes import on_processes
from tests.stacks.test_checkpoints import (
    KINDS,
    assert_bitwise,
    go,
    resume,
    save,
    uninterrupted,
    whole,
)
from tests.stacks.training import Side


def test_shards_are_trained_in_both_paths():
    cases = spread.CASES[:2]
    ranks = on_processes(2, spread.all_cases, 2, [spread.sharded], cases)
    for case in cases:
        spread.assert_all_same(ranks, spread.sharded, case, spread.by_one(case))


@pytest.mark.parametrize("kind", KINDS)
def test_one_process(tmp_path, kind):
    save(tmp_path, kind, spread=False)
    assert_bitwise(resume(tmp_path, kind, spread=False), uninterrupted(kind))


# ---- groups that are cut otherwise --------------------------------------------------------------

MAKERS = {
    "GRDA": lambda groups: GRDA(groups, lr=0.1, c=0.02, mu=0.6, momentum=0.9),
    "around AdamW": lambda groups: DualAveraging(torch.optim.AdamW(groups, lr=0.01), 0.5, 0.6),
}
CUTS = [([6], [2, 4]), ([2, 4], [6]), ([2, 4], [4, 2]), ([2, 4], [1, 5]), ([2, 4], [2, 2, 2])]


def cut(maker, sizes, named, cs=None):
    """A model whose parameters are divided into groups of these sizes, each with its own c."""
    model = Side({"one": (5, 4), "other": (6, 4)}).float()
    kept = [(name, p) for name, p in model.named_parameters() if "unused" not in name]
    assert sum(sizes) == len(kept)
    ends = list(itertools.accumulate(sizes))
    groups = [
        {"params": kept[end - n : end] if named else [p for _, p in kept[end - n : end]]}
        for n, end in zip(sizes, ends, strict=True)
    ]
    for group, c in zip(groups, cs or (), strict=False):
        group["c"] = c
    return model, MAKERS[maker](groups)


def states(model, optimizer, flat):
    options = StateDictOptions(flatten_optimizer_state_dict=flat, strict=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights, state = get_state_dict(model, optimizer, options=options)
    return {"model": weights, "optimizer": state}


def put(model, optimizer, saved, flat):
    options = StateDictOptions(flatten_optimizer_state_dict=flat, strict=False)
    set_state_dict(
        model,
        optimizer,
        model_state_dict=saved["model"],
        optim_state_dict=saved["optimizer"],
        options=options,
    )


@pytest.mark.parametrize("cuts", CUTS, ids=str)
@pytest.mark.parametrize("maker", MAKERS)
def test_flat_state_goes_into_groups_that_are_cut_otherwise(maker, cuts):
    """Each parameter has hyperparameters of its own there."""
    one, other = cut(maker, cuts[0], named=False), cut(maker, cuts[1], named=False)
    go(*one, range(3))
    put(*other, copy.deepcopy(states(*one, flat=True)), flat=True)
    for pair in (one, other):
        go(*pair, range(3, 6))
    assert_bitwise(whole(*other), whole(*one))


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("cuts", CUTS, ids=str)
@pytest.mark.parametrize("maker", MAKERS)
def test_nested_state_is_refused_there_by_name(tmp_path, maker, cuts, named):
    """torch gives a group that was saved to one of the new ones, the last that has a part of it."""
    saved, new = cut(maker, cuts[0], named, cs=(0.1, 0.3)), cut(maker, cuts[1], named)
    go(*saved, range(3))
    with pytest.raises(ValueError, match=r"other groups than were saved: group \d.*flatten_optimi"):
        put(*new, copy.deepcopy(states(*saved, flat=False)), flat=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is one process
        dcp.save(states(*saved, flat=False), checkpoint_id=tmp_path)
        loaded = states(*new, flat=False)
        if len(cuts[1]) > len(cuts[0]):  # torch misses the groups in the file
            with pytest.raises(dcp.api.CheckpointException, match=r"optimizer.param_groups.\d"):
                dcp.load(loaded, checkpoint_id=tmp_path)
            return
        dcp.load(loaded, checkpoint_id=tmp_path)
    with pytest.raises(ValueError, match=r"other groups than were saved: group \d.*flatten_optimi"):
        put(*new, loaded, flat=False)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("maker", MAKERS)
def test_the_groups_that_were_saved_are_loaded(maker, named, flat):
    one, other = (cut(maker, [2, 4], named, cs=(0.1, 0.3)) for _ in "ab")
    go(*one, range(3))
    put(*other, copy.deepcopy(states(*one, flat)), flat)
    assert [group["c"] for group in other[1].param_groups] == [0.1, 0.3]
    assert one[1].param_groups[0].keys() == other[1].param_groups[0].keys()
    for pair in (one, other):
        go(*pair, range(3, 6))
    assert_bitwise(whole(*other), whole(*one))
