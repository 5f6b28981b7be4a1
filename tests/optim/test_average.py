"""Averages of the accumulator: against sums written out, and against averages of weights."""

import io

import pytest
import torch
from torch import nn
from torch.optim import AdamW

from grda_edu.optim import GRDA, AccumulatorAverage, DualAveraging
from grda_edu.shrinkage import soft_threshold
from tests.optim.test_bench import do_steps, parameters

MAKERS = {
    "GRDA": lambda params: GRDA(params, lr=0.1, c=0.2, mu=0.7),
    "around AdamW": lambda params: DualAveraging(AdamW(params, lr=0.03), c=2.0, mu=0.7),
}


def trained(make, steps, decay=None, every=1):
    """Parameters, average, and what was to be averaged: [step][parameter] -> (v, g, w)."""
    params = parameters(torch.float64)
    optimizer = MAKERS[make](params)
    average = AccumulatorAverage(optimizer, decay)
    seen = []
    for n in range(steps):
        do_steps(params, optimizer, [n])
        if (n + 1) % every == 0:
            average.update()
            states = [optimizer.state[p] for p in params]
            seen.append(
                [
                    (s["accumulator"].clone(), s["threshold"], p.detach().clone())
                    for p, s in zip(params, states, strict=True)
                ]
            )
    return params, average, seen


def shares(n, decay):
    """The weight of each of n updates, written out: the plain mean first, then the EMA's."""
    weights = [1.0]
    for k in range(2, n + 1):
        a = 1 / k if decay is None else max(1 / k, 1 - decay)
        weights = [(1 - a) * weight for weight in weights] + [a]
    return weights


class Holder(nn.Module):
    """A model of given parameters."""

    def __init__(self, params):
        super().__init__()
        self.params = nn.ParameterList(params)


@pytest.mark.parametrize("decay", [None, 0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("make", MAKERS)
def test_it_is_the_thresholded_average(make, decay):
    params, average, seen = trained(make, 40, decay, every=2)
    weights = shares(20, decay)
    assert sum(weights) == pytest.approx(1)
    with average.applied(Holder(params)):
        for k, p in enumerate(params):
            v = sum(a * row[k][0] for a, row in zip(weights, seen, strict=True))
            g = sum(a * row[k][1] for a, row in zip(weights, seen, strict=True))
            torch.testing.assert_close(p.detach(), soft_threshold(v, g), rtol=0, atol=1e-12)


def test_the_shares_are_those_of_the_textbook():
    assert shares(4, None) == pytest.approx([0.25] * 4)
    assert shares(4, 0.0) == [0, 0, 0, 1]
    assert shares(3, 0.5) == pytest.approx([0.25, 0.25, 0.5])


@pytest.mark.parametrize("make", MAKERS)
def test_alive_throughout_it_is_the_average_of_weights_and_it_keeps_zeros(make):
    params, average, seen = trained(make, 60)
    mean_of_weights = [sum(row[k][2] for row in seen) / 60 for k in range(3)]
    kept = lost = alive = 0
    with average.applied(Holder(params)):
        for k, p in enumerate(params):
            signs = torch.stack([row[k][2].sign() for row in seen])
            always = (signs == signs[0]).all(dim=0) & (signs[0] != 0)
            torch.testing.assert_close(p[always], mean_of_weights[k][always])
            alive += int(always.sum())
            kept += int((p == 0).sum())
            lost += int((mean_of_weights[k] == 0).sum())
    assert alive > 2 and kept > 2 * lost


def test_the_training_goes_on_as_without_it():
    params, average, _ = trained("GRDA", 30)
    with average.applied(Holder(params)):
        pass
    average.export(Holder(params))
    do_steps(params, average.optimizer, range(30, 40))
    alone, _, _ = trained("GRDA", 40)
    assert all(torch.equal(p, q) for p, q in zip(params, alone, strict=True))


def test_half_precision_is_averaged_in_single():
    (p,) = [nn.Parameter(torch.ones(3, dtype=torch.bfloat16))]
    optimizer = GRDA([p], lr=0.0, c=0.0, mu=0.7)
    average = AccumulatorAverage(optimizer, 0.999)
    for n in range(1, 1001):
        p.grad = torch.zeros_like(p)
        optimizer.step()
        optimizer.state[p]["accumulator"].fill_(n % 2)
        average.update()
    with average.applied(Holder([p])):
        torch.testing.assert_close(p.detach(), torch.full_like(p, 0.5))
    assert p.dtype == torch.bfloat16 and (p == 1).all()


def test_a_parameter_without_a_step_stays_and_starts_late():
    params = parameters()
    optimizer = GRDA(params, lr=0.1, c=0.1, mu=0.7)
    average = AccumulatorAverage(optimizer)
    params[0].grad = torch.ones_like(params[0])
    optimizer.step()
    average.update()
    start = params[1].detach().clone()
    with average.applied(Holder(params)):
        assert torch.equal(params[1], start)
    do_steps(params, optimizer, range(2))
    average.update()
    assert [average.means[p]["updates"] for p in params] == [2, 1, 1]


# ---- batch norm -------------------------------------------------------------------------------


def with_norm():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = GRDA(model.parameters(), lr=0.1, c=0.05, mu=0.7)
    average = AccumulatorAverage(optimizer, 0.9)
    x, y = torch.randn(64, 5), torch.randint(3, (64,))
    for _ in range(10):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        average.update()
    return model, average, x, y


def test_statistics_are_renewed_inside_and_restored_outside():
    model, average, x, y = with_norm()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with average.applied(model, [(x, y)]):
        inside = model[0](x)
        torch.testing.assert_close(model[1].running_mean, inside.mean(dim=0))
        torch.testing.assert_close(model[1].running_var, inside.var(dim=0))
        assert model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_an_error_inside_restores_too():
    model, average, x, _ = with_norm()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(KeyError), average.applied(model, [x]):
        raise KeyError
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_an_export_is_a_model_of_its_own():
    model, average, x, _ = with_norm()
    exported = average.export(model, [x])
    with average.applied(model, [x]):
        model.eval()
        inside = model(x)
    assert torch.equal(exported.eval()(x), inside)
    assert not torch.equal(exported[0].weight, model[0].weight)
    exported[0].weight.data.zero_()
    assert model[0].weight.abs().sum() > 0


# ---- saved ------------------------------------------------------------------------------------


def test_saved_and_continued_it_is_the_uninterrupted_average():
    params, average, _ = trained("around AdamW", 10, 0.9)
    file = io.BytesIO()
    torch.save(average.state_dict(), file)
    file.seek(0)
    continued = AccumulatorAverage(average.optimizer, 0.9)
    continued.load_state_dict(torch.load(file, weights_only=True))
    for n in range(10, 15):
        do_steps(params, average.optimizer, [n])
        average.update()
        continued.update()
    for p in params:
        one, other = average.means[p], continued.means[p]
        assert torch.equal(one.pop("accumulator"), other.pop("accumulator")) and one == other


def test_averages_of_other_parameters_are_refused():
    _, average, _ = trained("GRDA", 3)
    other = AccumulatorAverage(GRDA(parameters()[:2], lr=0.1, c=0.1, mu=0.7))
    with pytest.raises(
        ValueError, match=r"averages of 3 parameters.*accepted are .* 2, \[\(4, 3\)"
    ):
        other.load_state_dict(average.state_dict())


# ---- bad input --------------------------------------------------------------------------------


def test_before_the_first_step_it_is_refused():
    params = parameters()
    average = AccumulatorAverage(GRDA(params, lr=0.1, c=0.1, mu=0.7))
    with pytest.raises(
        RuntimeError, match=r"average.*before its first update: accepted is after opt"
    ):
        average.export(Holder(params))
    with pytest.raises(
        RuntimeError, match=r"update\(\) before the optimizer's first step.*accepted"
    ):
        average.update()
    assert not average.optimizer.state


@pytest.mark.parametrize("decay", [1.0, -0.1, float("nan"), "slow"])
def test_a_bad_decay_is_named(decay):
    with pytest.raises(ValueError, match=rf"decay = .*{decay}.*: accepted is a number in \[0, 1\)"):
        AccumulatorAverage(GRDA(parameters(), lr=0.1, c=0.1, mu=0.7), decay)


def test_an_optimizer_without_accumulator_is_named():
    with pytest.raises(
        TypeError, match="optimizer = AdamW, which keeps no accumulator: accepted is"
    ):
        AccumulatorAverage(AdamW(parameters()))


def test_a_model_of_others_or_without_its_batches_is_refused():
    model, average, _, _ = with_norm()
    with pytest.raises(ValueError, match=r"batches = None: accepted is .*the statistics of 1 are"):
        average.export(model)
    with pytest.raises(ValueError, match="model has none of the parameters"):
        average.export(nn.Linear(2, 2))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match="batches = 'an empty iterable': accepted is at least one"):
        average.export(model, [])
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_units_die_whole_in_the_average_too():
    torch.manual_seed(0)
    layer = nn.Linear(5, 40, bias=False)
    optimizer = GRDA(layer.parameters(), lr=0.1, c=1.0, mu=0.7, by="unit")
    average = AccumulatorAverage(optimizer)
    means = []
    for _ in range(8):
        layer.weight.grad = 0.1 * torch.randn(40, 5)
        optimizer.step()
        average.update()
        state = optimizer.state[layer.weight]
        means.append((state["accumulator"].double().clone(), state["threshold"]))
    v = sum(v for v, _ in means) / 8
    limit = sum(g for _, g in means) / 8 * 5**0.5
    lengths = v.norm(dim=1, keepdim=True)
    expected = v * (1 - limit / lengths).clamp(min=0)
    dead = (expected == 0).all(dim=1)
    assert 0 < dead.sum() < 40
    with average.applied(layer):
        torch.testing.assert_close(layer.weight.detach().double(), expected, rtol=0, atol=1e-6)
        assert torch.equal((layer.weight == 0).all(dim=1), dead)
