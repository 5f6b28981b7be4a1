"""torch.compile of the step: one graph, compiled once or twice for twenty steps under a schedule."""

import copy
import shutil

import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor
from torch.optim import SGD, Adagrad, AdamW, RMSprop

from grda_edu.optim import GRDA, DualAveraging
from tests.optim.test_captured import OPTIONS, assert_close, double, make
from tests.stacks.processes import on_processes

pytestmark = [
    pytest.mark.stacks,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's own use of torch.jit
]
INDUCTOR = pytest.param(
    "inductor", marks=pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler")
)
BASES = {
    "SGD": lambda groups, lr: SGD(groups, lr),
    "SGD, momentum": lambda groups, lr: SGD(groups, lr, momentum=0.9),
    "AdamW": lambda groups, lr: AdamW(groups, lr, weight_decay=0.1),
    "RMSprop": lambda groups, lr: RMSprop(groups, lr, momentum=0.9, centered=True),
    "Adagrad": lambda groups, lr: Adagrad(groups, lr),
}


def compiled(step, backend):
    """The step, and what counts how often it was compiled; a break of its graph is an error."""
    from torch._dynamo.testing import CompileCounterWithBackend

    torch._dynamo.reset()
    counter = CompileCounterWithBackend(backend)
    return torch.compile(step, backend=counter, fullgraph=True), counter


def give_gradients(model, k):
    for i, p in enumerate(model.parameters()):
        generator = torch.Generator().manual_seed(9 * k + i)
        p.grad = torch.randn(p.shape, generator=generator).double()


def set_rate(optimizer, lr):
    for group in optimizer.param_groups:
        if torch.is_tensor(group["lr"]):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def go(pairs, steps):
    """The same steps, gradients and rates for each of (model, optimizer, its step)."""
    for k in steps:
        for model, optimizer, step in pairs:
            give_gradients(model, k)
            set_rate(optimizer, 0.0 if k == 1 else 0.1 * 0.9**k)
            step()


@pytest.mark.parametrize("backend", ["eager", INDUCTOR])
@pytest.mark.parametrize("name", OPTIONS)
def test_without_a_break_and_equal(backend, name):
    model, optimizer = make(number=double, capturable=True, **OPTIONS[name])
    plain, twin = make(**OPTIONS[name])
    step, counter = compiled(optimizer.step, backend)
    go([(model, optimizer, step), (plain, twin, twin.step)], range(20))
    assert_close((plain, twin), (model, optimizer))
    assert 1 <= counter.frame_count <= 2


def around(name, capturable):
    """Two groups, one with its own c."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(9, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    first, *others = model.parameters()
    groups = [{"params": [first], "c": 0.9}, {"params": others}]
    base = BASES[name](groups, double(0.1) if capturable else 0.1)
    return model, DualAveraging(base, 0.6, 0.7, capturable=capturable)


def assert_close_around(one, other):
    """To the rounding of torch's own compiled steps, which correct Adam's bias in float32."""
    assert any((p == 0).any() for p in one[0].parameters())
    for p, q in zip(one[0].parameters(), other[0].parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=0, atol=1e-5)
        assert torch.equal(p == 0, q == 0)
        state, twin = one[1].state[p], other[1].state[q]
        assert state["clock"] == twin["clock"]
        assert float(state["threshold"]) == pytest.approx(float(twin["threshold"]), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        *[(name, "eager") for name in BASES],
        *[pytest.param("AdamW", *INDUCTOR.values, marks=INDUCTOR.marks)],
    ],
)
def test_around_another_optimizer_without_a_break_and_equal(name, backend):
    model, optimizer = around(name, True)
    plain, twin = around(name, False)
    step, counter = compiled(optimizer.step, backend)
    go([(model, optimizer, step), (plain, twin, twin.step)], range(20))
    assert_close_around((plain, twin), (model, optimizer))
    assert 1 <= counter.frame_count <= 2


def test_around_a_fused_step_the_graph_breaks_and_the_steps_are_equal():
    """torch does not trace its fused steps."""
    pairs = []
    for capturable in (True, False):
        torch.manual_seed(0)
        model = nn.Linear(9, 8).double()
        base = AdamW(model.parameters(), lr=double(0.01) if capturable else 0.01, fused=True)
        optimizer = DualAveraging(base, 3.0, 0.7, capturable=capturable)
        step = torch.compile(optimizer.step, backend="eager") if capturable else optimizer.step
        pairs.append((model, optimizer, step))
    torch._dynamo.reset()
    go(pairs, range(6))
    assert_close_around(pairs[0], pairs[1])


@pytest.mark.parametrize("name", ["GRDA", "AdamW"])
def test_a_state_loaded_after_compiling_is_the_one_that_moves(name):
    def new(capturable=True):
        if name == "GRDA":
            number = double if capturable else float
            return make(number=number, capturable=capturable, momentum=0.9)
        return around(name, capturable)

    model, optimizer = new()
    step, _ = compiled(optimizer.step, "eager")
    go([(model, optimizer, step)], range(4))
    saved = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    go([(model, optimizer, step)], range(4, 9))
    model.load_state_dict(saved[0])
    optimizer.load_state_dict(saved[1])
    set_rate(optimizer, 0.1)
    go([(model, optimizer, step)], range(4, 9))
    plain, twin = new(capturable=False)
    go([(plain, twin, twin.step)], range(9))
    same = assert_close if name == "GRDA" else assert_close_around
    same((plain, twin), (model, optimizer))


# ---- spread over processes ------------------------------------------------------------------------


def spread(rank, name, backend):
    """A matrix cut in two and a vector that is whole everywhere, by a compiled step and by a plain one."""
    mesh = init_device_mesh("cpu", (2,))
    generator = torch.Generator().manual_seed(0)
    starts = [torch.randn(shape, generator=generator).double() for shape in ((7, 5), (5,))]
    places = [[Shard(0)], [Replicate()]]
    options = {"around AdamW": {}, "plain": {}, **OPTIONS}[name]

    def made(params, capturable):
        lr = double(0.1) if capturable else 0.1
        if name == "around AdamW":
            return DualAveraging(AdamW(params, lr), 0.6, 0.7, capturable=capturable)
        return GRDA(params, lr=lr, c=0.6, mu=0.7, capturable=capturable, **options)

    ps = [
        nn.Parameter(distribute_tensor(w, mesh, place))
        for w, place in zip(starts, places, strict=True)
    ]
    qs = [nn.Parameter(w.clone()) for w in starts]
    optimizer, twin = made(ps, True), made(qs, False)
    step, counter = compiled(optimizer.step, backend)
    for k in range(20):
        for i, (p, q) in enumerate(zip(ps, qs, strict=True)):
            generator = torch.Generator().manual_seed(9 * k + i)
            q.grad = torch.randn(q.shape, generator=generator).double()
            p.grad = distribute_tensor(q.grad, mesh, p.placements)
        for one in (optimizer, twin):
            set_rate(one, 0.1 * 0.9**k)
        step()
        twin.step()
    wholes = [p.full_tensor().detach() for p in ps]
    return [counter.frame_count, wholes, [q.detach() for q in qs]]


def spread_all(rank, names):
    return {name: spread(rank, name, "eager") for name in names}


def test_shards_are_compiled_without_a_break():
    names = [*OPTIONS, "around AdamW"]
    for got in on_processes(2, spread_all, names):
        for name in names:
            compilations, ps, qs = got[name]
            assert compilations <= 2
            for p, q in zip(ps, qs, strict=True):
                torch.testing.assert_close(p, q, rtol=0, atol=1e-5 if "AdamW" in name else 1e-12)
                assert torch.equal(p == 0, q == 0)
            assert any((p == 0).any() for p in ps)
