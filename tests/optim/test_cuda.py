"""On an NVIDIA GPU: graphs repeat what eager steps do, and the many-tensor path what the CPU does."""

import pytest
import torch
from torch import nn

from grda_edu import (
    GRDA,
    DualAveraging,
    compact,
    digits,
    digits_cnn,
    find_c,
    keep_zeros,
    sparsity,
    sweep,
    train,
)
from grda_edu.sparse.storage import load_sparse, save_sparse

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")

OPTIONS = {
    "plain": {},
    "decay": {"weight_decay": 0.02, "maximize": True},
    "Polyak": {"momentum": 0.9},
    "dampened": {"momentum": 0.9, "dampening": 0.5},
    "Nesterov": {"momentum": 0.9, "nesterov": True},
    "QHM": {"momentum": 0.9, "dampening": 0.9, "nu": 0.7},
    "by unit": {"by": "unit"},
}
SHAPES = [(60, 60), (700, 700), (800, 800), (3000, 700), (7,), (1,), (64, 3, 3, 3)]


def parameters(device, dtype=torch.float32, shapes=SHAPES):
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randn(shape, generator=generator) for shape in shapes]
    return [nn.Parameter(one.to(device, dtype)) for one in drawn]


def gradients(params, k):
    generator = torch.Generator().manual_seed(100 + k)
    return [torch.randn(p.shape, generator=generator).to(p) for p in params]


def set_gradients(params, k):
    for p, gradient in zip(params, gradients(params, k), strict=True):
        p.grad = gradient


def options_for(name, params):
    """The option's parameters and arguments; units of many sizes, so that some of them die."""
    if OPTIONS[name].get("by") != "unit":
        return params, {"c": 0.3, **OPTIONS[name]}
    params = [p for p in params if p.ndim > 1]
    for p in params:
        sizes = torch.linspace(0.02, 3, len(p)).to(p).view(-1, *[1] * (p.ndim - 1))
        p.data.mul_(sizes)
    return params, {"c": 2.0, **OPTIONS[name]}


def assert_same(some, others, atol=0.0):
    assert 0.02 < sum(float((p == 0).sum()) for p in some) / sum(p.numel() for p in some) < 0.98
    for p, q in zip(some, others, strict=True):
        torch.testing.assert_close(p.detach().cpu(), q.detach().cpu(), rtol=0, atol=atol)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("foreach", [None, False])
def test_it_steps_as_on_the_cpu(name, foreach):
    ends = []
    for device in ("cpu", "cuda"):
        params, options = options_for(name, parameters(device))
        optimizer = GRDA(params, lr=0.1, mu=0.7, foreach=foreach, **options)
        for k in range(12):
            set_gradients(params, k)
            optimizer.step()
        ends.append(params)
    assert_same(*ends, atol=2e-6)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_graph_repeats_what_eager_steps_do(name):
    """Clock and threshold move in the graph, and the learning rate is changed in place."""
    ends = []
    for graphed in (False, True):
        params, options = options_for(name, parameters("cuda"))
        lr = torch.tensor(0.1, device="cuda")
        optimizer = GRDA(params, lr=lr, mu=0.7, capturable=True, **options)
        set_gradients(params, 0)
        graph = None
        for k in range(20):
            lr.fill_(0.1 if k < 10 else 0.05)
            for p, gradient in zip(params, gradients(params, k), strict=True):
                p.grad.copy_(gradient)
            if graphed and k == 3:  # the first steps make the state
                graph = torch.cuda.CUDAGraph()
                torch.cuda.synchronize()
                with torch.cuda.graph(graph):
                    optimizer.step()
                torch.cuda.synchronize()
            graph.replay() if graph else optimizer.step()
        assert all(float(state["step"]) == 20 for state in optimizer.state.values())
        ends.append(params)
    assert_same(*ends)
    plain, options = options_for(name, parameters("cuda"))
    optimizer = GRDA(plain, lr=0.1, mu=0.7, **options)
    for k in range(20):
        optimizer.param_groups[0]["lr"] = 0.1 if k < 10 else 0.05
        set_gradients(plain, k)
        optimizer.step()
    assert_same(ends[1], plain, atol=5e-6)


@pytest.mark.parametrize("base", ["SGD", "AdamW"])
def test_a_graph_around_another_optimizer_repeats_what_eager_steps_do(base):
    """SGD reads a learning rate that is a tensor, which no capture allows: its own stays a number."""
    ends = []
    for graphed in (False, True):
        params = parameters("cuda")
        lr = torch.tensor(0.01, device="cuda")
        inner = (
            torch.optim.SGD(params, lr=0.1)
            if base == "SGD"
            else torch.optim.AdamW(params, lr=lr, capturable=True)
        )
        optimizer = DualAveraging(inner, c=0.3 if base == "SGD" else 3.0, mu=0.7, capturable=True)
        set_gradients(params, 0)
        graph = None
        for k in range(20):
            lr.fill_(0.01 if k < 10 else 0.005)
            for p, gradient in zip(params, gradients(params, k), strict=True):
                p.grad.copy_(gradient)
            if graphed and k == 3:
                graph = torch.cuda.CUDAGraph()
                torch.cuda.synchronize()
                with torch.cuda.graph(graph):
                    optimizer.step()
                torch.cuda.synchronize()
            graph.replay() if graph else optimizer.step()
        ends.append(params)
    assert_same(*ends)


def test_a_whole_training_step_in_a_graph():
    """Forward, backward and step captured at once, as torch's notes on CUDA graphs do it."""
    data = digits("cuda")
    ends = []
    for graphed in (False, True):
        model = digits_cnn(0).cuda()
        optimizer = GRDA(model.parameters(), lr=0.1, c=0.05, mu=0.65, capturable=True)
        x, y = data.x_train[:64].clone(), data.y_train[:64].clone()

        def step(model=model, optimizer=optimizer, x=x, y=y):
            optimizer.zero_grad(set_to_none=False)
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        replay = step
        if graphed:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                step()
            replay = graph.replay
        for k in range(100):
            batch = slice(64 * (k % 20), 64 * (k % 20) + 64)
            x.copy_(data.x_train[batch])
            y.copy_(data.y_train[batch])
            replay()
        ends.append(list(model.parameters()))
    assert_same(*ends, atol=1e-4)


def test_a_capture_without_capturable_is_refused():
    params = parameters("cuda")
    plain = GRDA(params, lr=0.1, c=0.3, mu=0.7)
    around = DualAveraging(torch.optim.SGD(params, lr=0.1), c=0.3, mu=0.7)
    set_gradients(params, 0)
    for optimizer in (plain, around):
        optimizer.step()
        with pytest.raises(RuntimeError, match="graph"), torch.cuda.graph(torch.cuda.CUDAGraph()):
            params[0].grad.mul_(1)  # torch warns of an empty graph
            optimizer.step()
        torch.cuda.synchronize()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("capturable", [False, True])
def test_a_precise_accumulator_of_coarse_weights(dtype, capturable):
    """The weights are the rounded image of what the CPU's accumulator has in 32 bits."""
    params, twins = parameters("cuda", dtype), parameters("cpu", dtype)
    options = {"lr": 0.01, "c": 0.3, "mu": 0.7, "accumulator_dtype": torch.float32}
    ours = GRDA(params, **options, capturable=capturable)
    theirs = GRDA(twins, **options)
    for k in range(12):
        set_gradients(params, k)
        set_gradients(twins, k)
        ours.step()
        theirs.step()
    for p, q in zip(params, twins, strict=True):
        assert ours.state[p]["accumulator"].dtype == torch.float32
        v, w = ours.state[p]["accumulator"].cpu(), theirs.state[q]["accumulator"]
        torch.testing.assert_close(v, w, rtol=0, atol=1e-6)
        assert (p.cpu() == 0).eq(q == 0).float().mean() > 0.9999


@pytest.mark.parametrize("foreach", [None, False])
def test_nan_stays_nan(foreach):
    params = parameters("cuda")
    optimizer = GRDA(params, lr=0.1, c=0.3, mu=0.7, foreach=foreach)
    set_gradients(params, 0)
    for p in params:
        p.grad.view(-1)[0] = torch.nan
    optimizer.step()
    assert all(p.view(-1)[0].isnan() for p in params)
    assert all(p.view(-1)[1:].isfinite().all() for p in params)


@pytest.mark.parametrize("base", ["SGD", "AdamW"])
def test_around_another_optimizer_as_on_the_cpu(base):
    ends = []
    for device in ("cpu", "cuda"):
        params = parameters(device)
        inner = getattr(torch.optim, base)(params, lr=0.1 if base == "SGD" else 0.01)
        optimizer = DualAveraging(inner, c=0.3 if base == "SGD" else 3.0, mu=0.7)
        for k in range(12):
            set_gradients(params, k)
            optimizer.step()
        ends.append(params)
    assert_same(*ends, atol=2e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own imports
def test_compiled_by_inductor():
    params, twins = parameters("cuda"), parameters("cuda")
    lr = torch.tensor(0.1, device="cuda")
    ours = GRDA(params, lr=lr, c=0.3, mu=0.7, capturable=True)
    theirs = GRDA(twins, lr=lr, c=0.3, mu=0.7, capturable=True)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    compiled = torch.compile(ours.step)
    for k in range(20):
        lr.fill_(0.1 * (1 + torch.cos(torch.tensor(torch.pi * k / 20))) / 2)
        set_gradients(params, k)
        set_gradients(twins, k)
        compiled()
        theirs.step()
    assert_same(params, twins, atol=2e-6)
    counters = torch._dynamo.utils.counters
    assert not counters["graph_break"]
    assert counters["stats"]["unique_graphs"] <= 2


def test_training_reaches_what_the_course_promises(tmp_path):
    """90 % zeros within a point of SGD on the GPU; then kept, saved, made smaller."""
    data = digits("cuda")
    runs = {}
    for c in (0.0, 0.02):
        model = digits_cnn(0)
        runs[c] = train(
            model,
            data,
            lambda params, c=c: GRDA(params, lr=0.1, c=c, mu=0.65),
            epochs=60,
            seed=0,
            device="cuda",
        )
    assert "cuda" in runs[0.02].device or "NVIDIA" in runs[0.02].device
    assert all(p.is_cuda for p in model.parameters())
    assert sparsity(model) > 0.88
    accuracy = {c: accuracy_of(run) for c, run in runs.items()}
    assert accuracy[0.02] > accuracy[0.0] - 0.015
    size = save_sparse(model, tmp_path / "net.safetensors")
    assert size < 0.6 * 13_706
    saved = load_sparse(tmp_path / "net.safetensors")
    assert all(torch.equal(saved[name], value.cpu()) for name, value in model.state_dict().items())
    model.eval()
    smaller = compact(model)
    assert smaller.parameters[1] < 0.7 * smaller.parameters[0]
    with torch.no_grad():
        torch.testing.assert_close(
            smaller.model(data.x_test), model(data.x_test), rtol=0, atol=1e-4
        )
    dead = [p == 0 for p in model.parameters()]
    kept = keep_zeros(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(5):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(data.x_train), data.y_train).backward()
        optimizer.step()
    assert all((p[z] == 0).all() for p, z in zip(model.parameters(), dead, strict=True))
    kept.undo()


def test_trainings_side_by_side():
    """The stacked trainings of a sweep, and the search for c, end on the GPU as on the CPU."""
    zeros, found = [], []
    for device in ("cpu", "cuda"):
        runs = sweep(
            digits_cnn,
            digits(),
            c=[0.005, 0.02],
            mu=0.65,
            seeds=2,
            lr=0.1,
            epochs=10,
            device=device,
        )
        assert all(device in run.device for run in runs.values())
        zeros.append([run.zeros[-1].sum() / run.sizes.sum() for run in runs.values()])
        search = find_c(digits_cnn, digits(), grid=[0.005, 0.1], epochs=3, device=device)
        found.append([probe.comparable for probe in search])
    assert zeros[0] == pytest.approx(zeros[1], abs=0.03)
    assert found[0] == found[1]


def accuracy_of(run):
    return run.test_accuracy[-1]
