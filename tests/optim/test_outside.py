"""Weights changed by something else than the optimizer: seen once, followed on request."""

import copy
import warnings
from functools import partial

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

from grda_edu.optim import GRDA, AccumulatorAverage, DualAveraging
from grda_edu.shrinkage import soft_threshold
from grda_edu.sparse.masks import keep_zeros

PATHS = {"loop": {}, "foreach": {"foreach": True}}
AROUND = {
    "around SGD": partial(torch.optim.SGD, lr=0.1),
    "around AdamW": partial(torch.optim.AdamW, lr=0.01),
}
everywhere = pytest.mark.parametrize("path", [*PATHS, *AROUND])
with_grda = pytest.mark.parametrize("path", PATHS)


def make(path="loop", **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3))
    return model, made(path, model.named_parameters(), **options)


def made(path, named, c=None, momentum=0.0, **options):
    if path == "around AdamW":
        base = AROUND[path](named, betas=(momentum, 0.999))
        return DualAveraging(base, 6.0 if c is None else c, 0.7, **options)
    c = 0.15 if c is None else c
    if path == "around SGD":
        return DualAveraging(AROUND[path](named, momentum=momentum), c, 0.7, **options)
    return GRDA(named, 0.1, c, 0.7, momentum, **PATHS[path], **options)


def go(model, optimizer, steps):
    for step in steps:
        optimizer.zero_grad()
        x = torch.randn(8, 6, generator=torch.Generator().manual_seed(step))
        (model(x) - 1).square().sum().div(20).backward()
        optimizer.step()


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


def assert_thresholded(model, optimizer):
    for p in model.parameters():
        state = optimizer.state[p]
        image = soft_threshold(state["accumulator"], state["threshold"])
        torch.testing.assert_close(p.detach(), image, rtol=0, atol=1e-6)
        assert torch.equal(p == 0, image == 0)


# ---- it is seen -----------------------------------------------------------------------------------


def restored(model):
    return copy.deepcopy(model.state_dict())


CHANGES = {
    "best epoch": lambda model, best: model.load_state_dict(best),
    "clipped": lambda model, best: [p.detach().clamp_(-0.05, 0.05) for p in model.parameters()],
    "Lookahead": lambda model, best: [
        p.detach().lerp_(q, 0.5) for p, q in zip(model.parameters(), best.values(), strict=True)
    ],
    "one number": lambda model, best: model[0].weight.detach()[0, 0].add_(1),
}


@everywhere
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_at_the_next_step_once_for_each_parameter(path, change):
    model, optimizer = make(path)
    go(model, optimizer, range(3))
    best = restored(model)
    go(model, optimizer, range(3, 6))
    CHANGES[change](model, best)
    with pytest.warns(
        UserWarning, match=r"parameter '\S+' was changed .* optimizer.sync_\(\)"
    ) as seen:
        go(model, optimizer, [6])
    assert len(seen) == (1 if change == "one number" else 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CHANGES[change](model, best)
        go(model, optimizer, [7])


@everywhere
def test_what_is_done_through_data_again_and_again_is_seen(path):
    model, optimizer = make(path)
    with pytest.warns(UserWarning, match=r"parameter '0.weight' was changed"):
        for step in range(6):
            go(model, optimizer, [step])
            model[0].weight.data.clamp_(-0.05, 0.05)


@everywhere
def test_an_embedding_that_renews_its_norms(path):
    table = nn.Embedding(5, 4, max_norm=0.5)
    one = made(path, table.named_parameters(), c=0.01)
    with pytest.warns(UserWarning, match="parameter 'weight' was changed"):
        for _ in range(3):
            one.zero_grad()
            table(torch.tensor([0, 1])).square().sum().neg().backward()
            one.step()


@everywhere
def test_what_leaves_the_weights_as_they_were_is_silent_and_changes_nothing(path):
    """Swaps for evaluation, SAM's step aside and back, a state_dict loaded, a hidden step."""
    disturbed, plain = make(path), make(path)
    get_optimizer_state_dict(*disturbed)
    if path == "around AdamW":  # whose own clock the hidden step moves
        get_optimizer_state_dict(*plain)
    average = AccumulatorAverage(disturbed[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step in range(9):
            go(*disturbed, [step])
            model, optimizer = disturbed
            average.update()
            with average.applied(model), torch.no_grad():
                model(torch.ones(1, 6))
            aside = [torch.randn_like(p) for p in model.parameters()]
            for p, e in zip(model.parameters(), aside, strict=True):
                p.detach().add_(e)
                p.detach().sub_(e)
            if step == 5:  # resumed, optimizer first
                file = copy.deepcopy((optimizer.state_dict(), model.state_dict()))
                go(*disturbed, [99])
                optimizer.load_state_dict(file[0])
                model.load_state_dict(file[1])
            go(*plain, [step])
    # steps aside rounded the weights, not the accumulator: the runs are the same bits
    for p, q in zip(disturbed[0].parameters(), plain[0].parameters(), strict=True):
        v, u = disturbed[1].state[p]["accumulator"], plain[1].state[q]["accumulator"]
        torch.testing.assert_close(v, u, rtol=0, atol=1e-5)


@everywhere
def test_weights_held_at_zero_are_silent_and_pruned_ones_are_not(path):
    model, optimizer = make(path)
    go(model, optimizer, range(3))
    dead = torch.rand(9, 6, generator=torch.Generator().manual_seed(0)) < 0.5
    with torch.no_grad():
        model[0].weight.masked_fill_(dead, 0)
    with keep_zeros(model):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            go(model, optimizer, range(3, 9))
        assert (model[0].weight[dead] == 0).all()
        with torch.no_grad():
            model[2].weight[0].zero_()
        with pytest.warns(UserWarning, match=r"parameter '2.weight' was changed") as seen:
            go(model, optimizer, [9])
        assert len(seen) == 1


@everywhere
@pytest.mark.parametrize("scheduled", [False, True])
def test_the_warning_names_the_line_that_asked_for_the_step(path, scheduled):
    model, optimizer = make(path)
    if scheduled:
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    go(model, optimizer, [0])
    model[0].weight.detach().mul_(2)
    with pytest.warns(UserWarning, match=r"parameter '0.weight' was changed") as seen:
        go(model, optimizer, [1])
    assert seen[0].filename == __file__
    with open(__file__) as lines:
        assert "optimizer.step()" in lines.readlines()[seen[0].lineno - 1]


# ---- it is followed -------------------------------------------------------------------------------


@everywhere
@pytest.mark.parametrize("change", CHANGES)
def test_after_sync_training_goes_on_from_the_weights(path, change):
    model, optimizer = make(path)
    go(model, optimizer, range(5))
    best = restored(model)
    go(model, optimizer, range(5, 12))
    before = {p: optimizer.state[p]["accumulator"].clone() for p in model.parameters()}
    old = weights(model)
    CHANGES[change](model, best)
    new = weights(model)
    optimizer.sync_()
    assert all(torch.equal(p, q) for p, q in zip(weights(model), new, strict=True))
    assert_thresholded(model, optimizer)
    for p, was, now in zip(model.parameters(), old, new, strict=True):
        same = was == now
        assert torch.equal(optimizer.state[p]["accumulator"][same], before[p][same])
    assert any((p == 0).any() for p in new)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        go(model, optimizer, [12])


@everywhere
def test_without_a_change_sync_changes_no_bit(path):
    synced, plain = make(path, momentum=0.9), make(path, momentum=0.9)
    for step in range(12):
        go(*synced, [step])
        synced[1].sync_()
        go(*plain, [step])
    for p, q in zip(synced[0].parameters(), plain[0].parameters(), strict=True):
        assert torch.equal(p, q)
        assert torch.equal(synced[1].state[p]["accumulator"], plain[1].state[q]["accumulator"])
    assert any((p == 0).any() for p in synced[0].parameters())


@everywhere
def test_a_weight_set_to_zero_starts_from_zero(path):
    model, optimizer = make(path)
    go(model, optimizer, range(3))
    model[0].weight.detach().zero_()
    optimizer.sync_()
    state = optimizer.state[model[0].weight]
    assert (state["accumulator"].abs() <= state["threshold"]).all()


@pytest.mark.parametrize(
    ("path", "options"),
    [
        *[(path, {"capturable": True}) for path in (*PATHS, *AROUND)],
        *[(path, {"accumulator_dtype": torch.float64}) for path in PATHS],
    ],
    ids=str,
)
def test_sync_of_other_states(path, options):
    model, optimizer = make(path, **options)
    go(model, optimizer, range(5))
    model[0].weight.detach().mul_(0.5)
    half = model[0].weight.detach().clone()
    optimizer.sync_()
    state = optimizer.state[model[0].weight]
    v, g = state["accumulator"], float(state["threshold"])
    torch.testing.assert_close((v - v.clamp(-g, g)).float(), half, rtol=0, atol=1e-6)


@with_grda
def test_sync_of_units(path):
    torch.manual_seed(0)
    layer = nn.Linear(4, 30, bias=False)
    optimizer = GRDA(layer.parameters(), lr=0.1, c=1.2, mu=0.7, by="unit", **PATHS[path])
    for _ in range(5):
        layer.weight.grad = 0.1 * torch.randn(30, 4)
        optimizer.step()
    dead = (layer.weight == 0).all(dim=1)
    assert 0 < dead.sum() < 30
    before = optimizer.state[layer.weight]["accumulator"].clone()
    layer.weight.detach()[~dead] *= 2
    doubled = layer.weight.detach().clone()
    optimizer.sync_()
    assert torch.equal(optimizer.state[layer.weight]["accumulator"][dead], before[dead])
    optimizer.param_groups[0]["c"] = 0.0
    layer.weight.grad = torch.zeros_like(layer.weight)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), doubled, rtol=0, atol=1e-6)


@everywhere
def test_training_goes_on_from_an_average(path):
    """Its weights, zeros included, become the training's; an average of before is of other weights."""
    model, optimizer = make(path)
    average = AccumulatorAverage(optimizer)
    for step in range(12):
        go(model, optimizer, [step])
        average.update()
    averaged = average.export(model)
    assert any((p == 0).any() for p in averaged.parameters())
    model.load_state_dict(averaged.state_dict())
    optimizer.sync_()
    assert_thresholded(model, optimizer)
    for p, q in zip(model.parameters(), averaged.parameters(), strict=True):
        assert torch.equal(p, q)
    anew = AccumulatorAverage(optimizer)
    anew.update()
    with anew.applied(model):
        for p, q in zip(model.parameters(), averaged.parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=0, atol=1e-6)
            assert torch.equal(p == 0, q == 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        go(model, optimizer, [12])


@everywhere
def test_before_the_first_step_there_is_nothing_to_follow(path):
    _, optimizer = make(path)
    optimizer.sync_()
    assert not any(optimizer.state.values())


# ---- another dtype --------------------------------------------------------------------------------


@with_grda
@pytest.mark.parametrize("momentum", [0, 0.9])
def test_the_state_goes_with_the_model_to_another_dtype(path, momentum):
    model, optimizer = make(path, momentum=momentum)
    go(model, optimizer, range(5))
    model.double()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for p in model.parameters():
            p.grad = torch.ones_like(p)
        optimizer.step()
    for p in model.parameters():
        tensors = [v for v in optimizer.state[p].values() if torch.is_tensor(v)]
        assert {t.dtype for t in tensors} == {torch.float64}
    assert_thresholded(model, optimizer)


def test_the_accumulator_goes_along_around_sgd_too():
    model, optimizer = make("around SGD")
    go(model, optimizer, range(5))
    model.double()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for p in model.parameters():
            p.grad = torch.ones_like(p)
        optimizer.step()
    assert {s["accumulator"].dtype for s in optimizer.state.values()} == {torch.float64}
    assert_thresholded(model, optimizer)
