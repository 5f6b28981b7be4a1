"""What `make test` runs of tests/stacks: the shortest on two processes, and checkpoints of one."""

import copy

import pytest
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_state_dict,
    set_state_dict,
)

from grda_edu.optim import GRDA
from tests.stacks import test_spread as spread
from tests.stacks.processes import on_processes
from tests.stacks.test_checkpoints import (
    CASES,
    KINDS,
    SHAPES,
    assert_bitwise,
    go,
    make,
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


def test_into_another_number_of_groups(tmp_path):
    """Flat, each parameter has hyperparameters of its own, and groups may be cut anew."""
    model, optimizer = make("plain", spread=False)
    go(model, optimizer, range(3))
    options = StateDictOptions(flatten_optimizer_state_dict=True)
    saved = get_state_dict(model, optimizer, options=options)
    weights, state = copy.deepcopy(saved)

    other = Side(SHAPES).float()
    params = [p for name, p in other.named_parameters() if "unused" not in name]
    cut = GRDA([{"params": params[:2]}, {"params": params[2:]}], lr=0.1, **CASES["plain"])
    set_state_dict(other, cut, model_state_dict=weights, optim_state_dict=state, options=options)
    go(other, cut, range(3, 6))
    go(model, optimizer, range(3, 6))
    assert_bitwise(whole(other, cut), whole(model, optimizer))
