"""The study of equal budgets, made small, against trainings of its own."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from grda_edu.data import digits
from grda_edu.models import small_digits_cnn
from grda_edu.optim import GRDA
from grda_edu.recordings import load_measurements
from grda_edu.studies.equal_budget import WAYS, EqualBudget

STUDY = EqualBudget(pairs=((0.05, 0.7),), epochs=2, mask_at=0.5, seeds=(3,))


def vector(model):
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach()


def trained(model, make, mask, orders):
    """One epoch for each seed of an order, with the weights outside the mask put back to zero."""
    data, optimizer = digits(validation=0), make(model.parameters())
    for order in orders:
        for batch in order.split(STUDY.batch_size):
            optimizer.zero_grad()
            cross_entropy(model(data.x_train[batch]), data.y_train[batch]).backward()
            optimizer.step()
            torch.nn.utils.vector_to_parameters(vector(model) * mask, model.parameters())
    return vector(model)


def orders(seed, epochs):
    generator, count = torch.Generator().manual_seed(seed), len(digits(validation=0).y_train)
    return [torch.randperm(count, generator=generator) for _ in range(epochs)]


def loss_of(weights):
    data, model = digits(validation=0), small_digits_cnn(0)
    torch.nn.utils.vector_to_parameters(weights, model.parameters())
    return cross_entropy(model(data.x_train), data.y_train).item()


def masked(mask):
    model = small_digits_cnn(3)
    torch.nn.utils.vector_to_parameters(vector(model) * mask, model.parameters())
    return model


def test_a_small_study_measures_what_it_says():
    found = STUDY.arrays([STUDY.measure(3)])
    zeros, loss = (dict(zip(WAYS, found[name][0, 0], strict=True)) for name in ("zeros", "loss"))
    everything = torch.ones(1370)

    def sgd(parameters):
        return torch.optim.SGD(parameters, lr=0.1)

    def grda(c):
        return lambda parameters: GRDA(parameters, lr=0.1, c=c, mu=0.7)

    dense = trained(small_digits_cnn(3), sgd, everything, orders(3, 2))
    ours = trained(small_digits_cnn(3), grda(0.05), everything, orders(3, 2))
    share = (ours == 0).double().mean().item()
    assert zeros["gRDA"] == pytest.approx(share, abs=0.005) and 0.3 < share < 0.9
    smallest = torch.argsort(dense.abs())[: int((ours == 0).sum())]
    kept = everything.clone()
    kept[smallest] = 0
    early = trained(small_digits_cnn(3), grda(0.05 * 2**0.7), everything, orders(3, 1))
    network = small_digits_cnn(3)
    torch.nn.utils.vector_to_parameters(early, network.parameters())
    expected = {
        "gRDA": ours,
        "gRDA's mask": trained(masked(ours != 0), sgd, ours != 0, orders(3, 2)),
        "magnitude mask": trained(masked(kept), sgd, kept, orders(3, 2)),
        "magnitude": dense * kept,
        "gRDA, then its mask": trained(network, sgd, early != 0, orders(1003, 1)),
    }
    for way, weights in expected.items():
        assert loss[way] == pytest.approx(loss_of(weights), rel=0.02), way
        assert zeros[way] == pytest.approx((weights == 0).double().mean().item(), abs=0.005), way
    for way in ("gradual magnitude", "random mask"):
        assert zeros[way] == zeros["gRDA"]
    assert found["sgd/loss"].item() == pytest.approx(loss_of(dense), rel=0.01)


def test_what_ships_is_the_studys():
    shipped, study = load_measurements("equal_budget"), EqualBudget()
    assert shipped.configuration["seeds"] == list(study.seeds)
    assert [tuple(pair) for pair in shipped.configuration["pairs"]] == list(study.pairs)
    shape = len(study.seeds), len(study.pairs)
    assert shipped.arrays["loss"].shape == (*shape, len(WAYS))
    assert shipped.arrays["rung/loss"].shape == shape
    assert all(np.isfinite(values).all() for values in shipped.arrays.values())
