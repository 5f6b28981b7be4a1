"""Zeros that stay zero: under every optimizer, with buffers from before, and undone without a trace."""

import copy
import gc
import warnings
import weakref

import pytest
import torch
from torch import nn

from grda_edu import GRDA
from grda_edu.sparse.masks import keep_zeros

OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.9),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
    "LBFGS": lambda p: torch.optim.LBFGS(p, lr=0.1, max_iter=3),
    "gRDA": lambda p: GRDA(p, lr=0.1, c=0.01, mu=0.6),
    "gRDA, SGD after": lambda p: GRDA(p, lr=0.1, c=0.0, mu=0.6),
}


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))


def prune(model, share=0.7, seed=1):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.masked_fill_(torch.rand(p.shape, generator=generator) < share, 0.0)


def steps(model, optimizer, count, seed=2):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        x, y = torch.randn(16, 6, generator=generator), torch.randn(16, 3, generator=generator)

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = (model(x) - y).square().mean()
            loss.backward()
            return loss

        optimizer.step(closure)


def zeros(model):
    return [p == 0 for p in model.parameters()]


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_they_stay_with_a_new_optimizer_and_the_rest_learns(make):
    model = network()
    prune(model)
    before, started = zeros(model), copy.deepcopy(model.state_dict())
    with keep_zeros(model) as kept:
        steps(model, make(model.parameters()), 20)
    for p, dead, name in zip(model.parameters(), before, started, strict=True):
        assert (p[dead] == 0).all() and torch.equal(kept.masks[name], ~dead)
        assert (p[~dead] != started[name][~dead]).any()


@pytest.mark.parametrize("name", ["momentum", "Adam", "gRDA", "gRDA, SGD after"])
def test_they_stay_where_the_optimizer_remembers_the_dense_network(name):
    """Momentum, moments and accumulators from before the pruning would bring them back."""
    model = network()
    optimizer = OPTIMIZERS[name](model.parameters())
    steps(model, optimizer, 10)
    prune(model)
    free = copy.deepcopy(model)
    free_optimizer = OPTIMIZERS[name](free.parameters())
    free_optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    before = zeros(model)
    kept = keep_zeros(model)
    for _ in range(5):
        steps(model, optimizer, 1)
        assert all((p[dead] == 0).all() for p, dead in zip(model.parameters(), before, strict=True))
    kept.undo()
    steps(free, free_optimizer, 1)
    assert any((p[dead] != 0).any() for p, dead in zip(free.parameters(), before, strict=True))


def test_survivors_train_as_if_the_dead_were_not_there():
    """The same as a network whose pruned inputs are cut out by hand."""
    torch.manual_seed(0)
    layer, small = nn.Linear(6, 3), nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight[:, :2] = 0
        small.weight.copy_(layer.weight[:, 2:])
        small.bias.copy_(layer.bias)
    optimizers = [torch.optim.Adam(m.parameters(), lr=0.05) for m in (layer, small)]
    generator = torch.Generator().manual_seed(1)
    with keep_zeros(layer):
        for _ in range(30):
            x = torch.randn(8, 6, generator=generator)
            for model, inputs, optimizer in zip(
                (layer, small), (x, x[:, 2:]), optimizers, strict=True
            ):
                optimizer.zero_grad()
                model(inputs).square().mean().backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.3)
                optimizer.step()
    torch.testing.assert_close(layer.weight[:, 2:], small.weight)
    torch.testing.assert_close(layer.bias, small.bias)


def test_undone_it_leaves_no_trace():
    model = network()
    prune(model)
    untouched = copy.deepcopy(model)
    names = list(model.state_dict())
    keep_zeros(model).undo()
    with pytest.raises(RuntimeError, match="inside"), keep_zeros(model):
        raise RuntimeError("inside")
    assert list(model.state_dict()) == names
    for twin in (model, untouched):
        steps(twin, torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9), 5)
    for ours, theirs in zip(model.parameters(), untouched.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert not ours._backward_hooks and not ours._post_accumulate_grad_hooks


def test_other_models_and_frozen_parameters_are_left_alone():
    model, other = network(), network(1)
    prune(model)
    prune(other)
    model[0].weight.requires_grad_(False)
    with keep_zeros(model):
        steps(model, torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1), 3)
        before = zeros(other)
        steps(other, torch.optim.SGD(other.parameters(), lr=0.1), 3)
    assert any((p[dead] != 0).any() for p, dead in zip(other.parameters(), before, strict=True))


def test_a_model_that_changes_its_dtype_keeps_them():
    model = network()
    prune(model)
    before = zeros(model)
    with keep_zeros(model):
        model.double()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        x = torch.randn(8, 6, dtype=torch.float64)
        for _ in range(3):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    assert all((p[dead] == 0).all() for p, dead in zip(model.parameters(), before, strict=True))


def test_a_model_without_weights_or_with_sparse_layouts_is_refused():
    with pytest.raises(ValueError, match="no parameters"):
        keep_zeros(nn.ReLU())
    model = nn.Linear(2, 2, bias=False)
    model.weight = nn.Parameter(torch.eye(2).to_sparse_coo())
    with pytest.raises(ValueError, match=r"weight has layout torch.sparse_coo: accepted are dense"):
        keep_zeros(model)


# ------------------------------------------------- gradients and parameters of other kinds


def test_sparse_gradients_of_an_embedding():
    model = nn.Sequential(nn.Embedding(6, 2, sparse=True))
    with torch.no_grad():
        model[0].weight[:2] = 0
        model[0].weight[2, 0] = 0
    before = zeros(model)
    with keep_zeros(model):
        optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.tensor([0, 2, 2, 5])).square().sum().backward()
            assert (model[0].weight.grad.to_dense()[before[0]] == 0).all()
            optimizer.step()
    assert torch.equal(model[0].weight == 0, before[0])


def test_gradients_from_before_and_of_what_was_frozen_are_silenced():
    model = network()
    prune(model)
    before = zeros(model)
    x = torch.randn(16, 6, generator=torch.Generator().manual_seed(0))
    model(x).square().sum().backward()
    model[0].weight.requires_grad_(False)
    with keep_zeros(model):
        assert not model[0].weight.requires_grad
        for p, dead in zip(model.parameters(), before, strict=True):
            assert (p.grad[dead] == 0).all()
        model[0].weight.requires_grad_(True)
        model.zero_grad()
        model(x).square().sum().backward()
        assert (model[0].weight.grad != 0).any()
        for p, dead in zip(model.parameters(), before, strict=True):
            assert (p.grad[dead] == 0).all()


def test_a_network_that_nobody_holds_is_freed():
    from torch.optim.optimizer import _global_optimizer_post_hooks as hooks

    gc.collect()
    count = len(hooks)
    model = network()
    keep_zeros(model)  # lasts without its handle
    assert len(hooks) == count + 1
    weight, before = weakref.ref(model[0].weight), zeros(model)
    steps(model, torch.optim.SGD(model.parameters(), lr=0.1), 1)
    assert all((p[dead] == 0).all() for p, dead in zip(model.parameters(), before, strict=True))
    del model, before
    gc.collect()
    assert weight() is None and len(hooks) == count


def test_parameters_put_in_place_of_others_are_told():
    model = network()
    prune(model)
    with keep_zeros(model):
        model.load_state_dict(copy.deepcopy(model.state_dict()), assign=True)
        gc.collect()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with pytest.warns(UserWarning, match="parameters of the model were replaced"):
            steps(model, optimizer, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # once
            steps(model, optimizer, 1)


def test_two_at_once_end_one_by_one():
    model = network()
    prune(model)
    before = zeros(model)
    first = keep_zeros(model)
    prune(model, 0.5, seed=3)
    more = zeros(model)
    second = keep_zeros(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for undo, held in ((None, more), (first, more), (second, None)):
        if undo:
            undo.undo()
            undo.undo()  # a second time does nothing
        steps(model, optimizer, 3)
        if held:
            assert all(
                (p[dead] == 0).all() for p, dead in zip(model.parameters(), held, strict=True)
            )
    assert any((p[dead] != 0).any() for p, dead in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_an_accumulator_goes_on_from_the_zeros(momentum):
    """GRDA is told of zeros that it has not made: no warning, and none comes back when they are let go."""
    model = network()
    optimizer = GRDA(model.parameters(), lr=0.1, c=0.05, mu=0.6, momentum=momentum)
    steps(model, optimizer, 10)
    prune(model)
    dead = [p == 0 for p in model.parameters()]
    with keep_zeros(model):
        steps(model, optimizer, 3)
        assert all((p[d] == 0).all() for p, d in zip(model.parameters(), dead, strict=True))
    for p, d in zip(model.parameters(), dead, strict=True):
        assert (optimizer.state[p]["accumulator"][d].abs() <= optimizer.state[p]["threshold"]).all()
