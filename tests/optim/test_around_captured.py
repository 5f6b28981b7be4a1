"""DualAveraging(capturable=True): clock and threshold in tensors do what the numbers do."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict
from torch.optim import SGD, AdamW

from grda_edu.optim import GRDA, DualAveraging
from grda_edu.shrinkage import PowerTuning, tuning_function
from tests.optim.test_around import BASES, MU, C, ReplacesStorage
from tests.optim.test_bench import parameters
from tests.optim.test_captured import LRS, double, go


def make(name, capturable, dtype=torch.float64):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 3)).to(dtype)
    return model, DualAveraging(BASES[name](model.parameters()), C, MU, capturable=capturable)


def assert_same(one, other, atol=1e-12):
    assert any((p == 0).any() for p in one[0].parameters())
    for p, q in zip(one[0].parameters(), other[0].parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=atol)
        assert torch.equal(p == 0, q == 0)
        state, twin = one[1].state[p], other[1].state[q]
        assert state.keys() == twin.keys()
        assert state["clock"] == twin["clock"]
        assert float(state["threshold"]) == pytest.approx(float(twin["threshold"]), rel=1e-12)
        torch.testing.assert_close(state["accumulator"], twin["accumulator"], rtol=0, atol=atol)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_it_is_the_plain_path(name, dtype):
    """Under a schedule with zeros in it, one parameter beginning late."""
    plain, captured = make(name, False, dtype), make(name, True, dtype)
    for one in (plain, captured):
        go(*one, LRS + [0.03] * 6)
    assert_same(plain, captured, 1e-12 if dtype == torch.float64 else 1e-6)
    for state in captured[1].state.values():
        assert all(torch.is_tensor(state[key]) for key in ("clock", "threshold"))


def test_around_sgd_it_is_grda():
    params, expected = parameters(torch.float64), parameters(torch.float64)
    around = DualAveraging(SGD(params, lr=double(0.1)), 0.3, 0.6, capturable=True)
    grda = GRDA(expected, lr=double(0.1), c=0.3, mu=0.6, capturable=True)
    for n in range(100):
        for optimizer, own in ((around, params), (grda, expected)):
            optimizer.param_groups[0]["lr"].fill_(0.1 * 0.99**n)
            for k, p in enumerate(own):
                generator = torch.Generator().manual_seed(10 * n + k)
                p.grad = torch.randn(p.shape, generator=generator, dtype=torch.float64)
            optimizer.step()
    for p, q in zip(params, expected, strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-12)
        assert torch.equal(p == 0, q == 0)
        assert around.state[p]["threshold"] == grda.state[q]["threshold"]
    assert any((p == 0).any() for p in params)


@pytest.mark.parametrize("name", ["AdamW", "RMSprop", "SGD"])
def test_everything_moves_in_place(name):
    """What a CUDA graph repeats is what was done to memory."""
    model, optimizer = make(name, True)
    go(model, optimizer)

    def places():
        tensors = [t for s in optimizer.state.values() for t in s.values() if torch.is_tensor(t)]
        return [t.data_ptr() for t in (*model.parameters(), *tensors)]

    before = places()
    go(model, optimizer, first=6)
    assert places() == before and len(before) >= 4 * 5


@pytest.mark.parametrize("was", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_either_form_is_loaded_into_either(was, dtype):
    """torch casts what it loads to the weights' dtype, in which 300 is no number and thresholds round."""
    model, optimizer = make("AdamW", was, dtype)
    go(model, optimizer, [0.001] * 300)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    twin, other = make("AdamW", not was, dtype)
    twin.load_state_dict(saved["model"])
    other.load_state_dict(saved["optimizer"])
    expected = tuning_function(300, 0.001, C, MU)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        for state in (optimizer.state[p], other.state[q]):
            assert state["clock"] in (300, 298)  # one began late
        assert float(other.state[q]["threshold"]) == float(optimizer.state[p]["threshold"])
        assert torch.is_tensor(other.state[q]["clock"]) == (not was)
    first = next(model.parameters())
    assert float(optimizer.state[first]["threshold"]) == pytest.approx(expected, rel=1e-9)
    for one in ((model, optimizer), (twin, other)):
        go(*one, [0.001, 0.002], first=300)
    assert_same((model, optimizer), (twin, other), 1e-12 if dtype == torch.float64 else 1e-2)


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_goes_on_by_itself(how):
    one = make("AdamW", True)
    go(*one)
    other = copy.deepcopy(one) if how == "deepcopy" else pickle.loads(pickle.dumps(one))
    assert other[1].capturable
    for model, optimizer in (one, other):
        go(model, optimizer, [0.03] * 6, first=6)
    assert_same(one, other)


@pytest.mark.parametrize(
    "make_optimizer",
    [
        lambda params: DualAveraging(SGD(params, lr=0.1), C, MU, capturable=True),
        lambda params: DualAveraging(AdamW(params, lr=0.1), C, MU, capturable=True),
        lambda params: GRDA(params, lr=0.1, c=C, mu=MU, capturable=True),
        lambda params: GRDA(params, lr=0.1, c=C, mu=MU, momentum=0.9, capturable=True),
    ],
)
def test_weights_loaded_after_the_getters_step_are_the_ones_that_are_trained(make_optimizer):
    model = nn.Linear(6, 4)
    optimizer = make_optimizer(model.parameters())
    get_optimizer_state_dict(model, optimizer)
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(10.0)
            p.grad = torch.zeros_like(p)
    optimizer.step()
    for p in model.parameters():
        state = optimizer.state[p]
        rate = 0.001 if "exp_avg" in state else 0.0  # of AdamW's decay
        torch.testing.assert_close(state["accumulator"], torch.full_like(p, 10 * (1 - rate)))
        assert (p == state["accumulator"] - state["threshold"].float()).all() and p[0].min() > 1


def test_a_graph_cannot_call_a_tuning_function():
    rule = PowerTuning(0.1, 0.6)
    message = r"capturable = True with tuning = PowerTuning.*accepted is capturable with c and mu"
    with pytest.raises(ValueError, match=message):
        DualAveraging(SGD(parameters(), lr=0.1), tuning=rule, capturable=True)
    with pytest.raises(ValueError, match=message):
        base = SGD([{"params": parameters(), "tuning": rule}], lr=0.1)
        DualAveraging(base, C, MU, capturable=True)
    one, *others = parameters()
    optimizer = DualAveraging(SGD([one], lr=0.1), C, MU, capturable=True)
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": others, "tuning": rule})
    assert len(optimizer.param_groups) == 1


def test_a_base_that_begins_inside_of_its_step_is_refused():
    with pytest.raises(
        ValueError, match=r"capturable = True around ReplacesStorage.*accepted is capturable around"
    ):
        DualAveraging(ReplacesStorage(parameters(), 0.1), C, MU, capturable=True)


def test_an_error_of_the_base_leaves_weights_and_clock():
    params = parameters(torch.float64)
    base = AdamW(params, lr=0.01)
    optimizer = DualAveraging(base, C, MU, capturable=True)

    def fails(*_):
        raise RuntimeError("in mid-step")

    for first in (True, False):
        before = [p.detach().clone() for p in params]
        for p in params:
            p.grad = torch.ones_like(p)
        handle = base.register_step_post_hook(fails)
        with pytest.raises(RuntimeError, match="in mid-step"):
            optimizer.step()
        handle.remove()
        assert all(torch.equal(p, q) for p, q in zip(params, before, strict=True))
        optimizer.step()
        assert {float(optimizer.state[p]["clock"]) for p in params} == {1.0 if first else 2.0}
