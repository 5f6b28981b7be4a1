"""capturable: clock and threshold in tensors do what the numbers do."""

import copy

import pytest
import torch
from torch import nn

from grda_edu.optim import GRDA, captured

OPTIONS = {
    "plain": {"weight_decay": 0.02, "maximize": True},
    "Polyak": {"momentum": 0.9},
    "dampened": {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.02},
    "Nesterov": {"momentum": 0.9, "nesterov": True},
    "QHM": {"momentum": 0.9, "dampening": 0.9, "nu": 0.7},
}
LRS = [0.0, 0.1, 0.1, 0.0, 0.05, 0.02]


def make(dtype=torch.float64, number=float, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 3)).to(dtype)
    return model, GRDA(model.parameters(), lr=number(0.1), c=0.6, mu=0.7, **options)


def go(model, optimizer, lrs=LRS, first=0):
    for k, lr in enumerate(lrs, start=first):
        if torch.is_tensor(optimizer.param_groups[0]["lr"]):
            optimizer.param_groups[0]["lr"].fill_(lr)
        else:
            optimizer.param_groups[0]["lr"] = lr
        for i, p in enumerate(model.parameters()):
            late = i == 1 and k < 2
            generator = torch.Generator().manual_seed(10 * k + i)
            p.grad = None if late else torch.randn(p.shape, generator=generator).to(p.dtype)
        optimizer.step()


def assert_close(one, other, atol=1e-12):
    assert any((p == 0).any() for p in one[0].parameters())
    for p, q in zip(one[0].parameters(), other[0].parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=atol)
        assert torch.equal(p == 0, q == 0)
        state, twin = one[1].state[p], other[1].state[q]
        assert state.keys() == twin.keys()
        assert state["step"] == twin["step"]
        assert float(state["threshold"]) == pytest.approx(float(twin["threshold"]), rel=1e-12)


def double(x):
    return torch.tensor(x, dtype=torch.float64)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("number", [float, double])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_it_is_the_plain_path(name, number, dtype):
    plain = make(dtype, number, **OPTIONS[name])
    captured = make(dtype, number, capturable=True, **OPTIONS[name])
    go(*plain)
    go(*captured)
    assert_close(plain, captured, 1e-12 if dtype == torch.float64 else 1e-6)
    for state in captured[1].state.values():
        assert all(torch.is_tensor(state[key]) for key in ("step", "threshold"))


def test_everything_moves_in_place():
    """What a CUDA graph repeats is what was done to memory."""
    model, optimizer = make(capturable=True, momentum=0.9, number=double)
    go(model, optimizer)
    tensors = [*model.parameters(), *(t for s in optimizer.state.values() for t in s.values())]
    places = [t.data_ptr() for t in tensors]
    go(model, optimizer, first=6)
    assert [t.data_ptr() for t in tensors] == places
    assert len(places) == 4 * 5


@pytest.mark.parametrize("was", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_either_form_is_loaded_into_either(was, dtype):
    """With a threshold that is not rounded to the weights' dtype on its way."""
    model, optimizer = saved = make(dtype, capturable=was, momentum=0.9)
    go(*saved)
    other = GRDA(model.parameters(), lr=1.0, c=1.0, mu=1.0 - 1e-9, capturable=not was)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["capturable"] == (not was)
    twin = copy.deepcopy((model, other))
    go(*saved, [0.1, 0.05], first=6)
    go(*twin, [0.1, 0.05], first=6)
    assert_close(saved, twin, 1e-12 if dtype == torch.float64 else 1e-2)


def test_a_graph_cannot_call_a_tuning_function():
    with pytest.raises(ValueError, match=r"capturable = True with tuning = <lambda>.*accepted is"):
        GRDA([nn.Parameter(torch.ones(2))], lr=0.1, tuning=lambda n, lr: n * lr, capturable=True)


def test_what_a_graph_reads_stays_where_it_is():
    """However many other optimizers step in between."""
    cpu = torch.device("cpu")
    first = captured._owners((2, 1), cpu)
    assert first.tolist() == [0, 0, 1]
    for size in range(1, 200):
        captured._owners((1, size), cpu)
    assert captured._owners((2, 1), cpu) is first
