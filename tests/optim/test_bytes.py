"""Bytes that an optimizer keeps for each weight, as its docstring says: 4 for GRDA."""

import io

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adagrad, AdamW

from grda_edu.optim import GRDA, AccumulatorAverage, DualAveraging

COUNT = 100_000
LAW = {"lr": 0.1, "c": 0.1, "mu": 0.7}
HALF = torch.bfloat16


def grda(**options):
    return lambda params: GRDA(params, **LAW, **options)


def around(base, **options):
    return lambda params: DualAveraging(base(params, lr=0.1, **options), 0.1, 0.7)


def captured(base, **options):
    return lambda params: DualAveraging(base(params, lr=0.1, **options), 0.1, 0.7, capturable=True)


FLOAT32 = {"accumulator_dtype": torch.float32}
CASES = {
    "GRDA": (grda(), torch.float32, 4),
    "GRDA, foreach": (grda(foreach=True), torch.float32, 4),
    "GRDA, capturable": (grda(capturable=True), torch.float32, 4),
    "GRDA, tuning": (lambda p: GRDA(p, 0.1, tuning=lambda n, lr: n * lr), torch.float32, 4),
    "GRDA, momentum": (grda(momentum=0.9), torch.float32, 8),
    "GRDA, capturable, momentum": (grda(capturable=True, momentum=0.9), torch.float32, 8),
    "GRDA by unit": (grda(by="unit"), torch.float32, 4),
    "GRDA, half": (grda(), HALF, 2),
    "GRDA, half, momentum": (grda(momentum=0.9), HALF, 4),
    "GRDA, half, float32": (grda(**FLOAT32), HALF, 4),
    "GRDA, half, float32, momentum": (grda(momentum=0.9, **FLOAT32), HALF, 8),
    "around SGD": (around(SGD), torch.float32, 4),
    "around SGD, momentum": (around(SGD, momentum=0.9), torch.float32, 8),
    "around AdamW": (around(AdamW), torch.float32, 12),
    "around AdamW, capturable": (captured(AdamW), torch.float32, 12),
    "around Adagrad": (around(Adagrad), torch.float32, 8),
    "around SGD, half": (around(SGD), HALF, 2),
    "around AdamW, half": (around(AdamW), HALF, 6),
}


def stepped(make, dtype):
    w = nn.Parameter(torch.linspace(-1, 1, COUNT).to(dtype).reshape(100, -1))
    optimizer = make([w])
    for _ in range(3):
        w.grad = torch.ones_like(w)
        optimizer.step()
    return w, optimizer


def in_file(state):
    """By what a file takes, which holds all of a storage of which a tensor is but a part."""
    file = io.BytesIO()
    torch.save(state, file)
    return file.tell()


def reachable(optimizer):
    """Distinct storages of all tensors that the optimizer holds on to, but for weight and gradient."""
    found, todo, seen = {}, [optimizer.__dict__], set()
    for group in optimizer.param_groups:
        for p in group["params"]:
            seen |= {id(p), id(p.grad)}
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if torch.is_tensor(one):
            found[one.untyped_storage().data_ptr()] = one.untyped_storage().nbytes()
        elif isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, list | tuple | set):
            todo.extend(one)
        elif isinstance(one, torch.optim.Optimizer):
            todo.append(one.__dict__)
    return sum(found.values())


@pytest.mark.parametrize("case", CASES)
def test_bytes_a_weight(case):
    make, dtype, expected = CASES[case]
    w, optimizer = stepped(make, dtype)
    assert w.untyped_storage().nbytes() == COUNT * dtype.itemsize
    for count in (reachable(optimizer), in_file(optimizer.state_dict())):
        assert count / COUNT == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("dtype", "expected"), [(torch.float32, 4), (HALF, 4)])
@pytest.mark.parametrize("case", ["GRDA", "around AdamW"])
def test_bytes_of_an_average(case, dtype, expected):
    """In float32 also of half weights."""
    _, optimizer = stepped(CASES[case][0], dtype)
    average = AccumulatorAverage(optimizer, 0.9)
    average.update()
    optimizer.step()
    average.update()
    assert in_file(average.state_dict()) / COUNT == pytest.approx(expected, abs=0.1)
