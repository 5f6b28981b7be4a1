"""by="unit": rows along dimension 0 die whole."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from grda_edu.optim import GRDA

PATHS = {"loop": {}, "foreach": {"foreach": True}, "capturable": {"capturable": True}}


def by_the_formula(w, gradients, lr, c, mu):
    """Group soft-thresholding written out: one row after the other, in numpy's float64."""
    v = np.array(w, dtype=np.float64)
    for n, gradient in enumerate(gradients, start=1):
        v = v - lr * gradient
        tau = c * math.sqrt(lr) * (n * lr) ** mu
        w = np.zeros_like(v)
        for i, row in enumerate(v):
            length, limit = math.sqrt((row**2).sum()), tau * math.sqrt(row.size)
            if length > limit:
                w[i] = row * (1 - limit / length)
    return w


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("shape", [(6, 5), (7, 3, 2, 2), (9, 1)])
def test_it_is_the_formula(path, shape):
    rng = np.random.default_rng(0)
    start = rng.normal(size=shape) * np.linspace(0.01, 1, shape[0]).reshape(
        -1, *[1] * (len(shape) - 1)
    )
    gradients = [0.1 * rng.normal(size=shape) for _ in range(20)]
    p = nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = GRDA([p], lr=0.1, c=0.8, mu=0.7, by="unit", **PATHS[path])
    for gradient in gradients:
        p.grad = torch.from_numpy(gradient)
        optimizer.step()
    expected = by_the_formula(start, gradients, 0.1, 0.8, 0.7)
    np.testing.assert_allclose(p.detach().numpy(), expected, rtol=0, atol=1e-13)
    dead = (expected.reshape(shape[0], -1) == 0).all(axis=1)
    assert 0 < dead.sum() < shape[0]
    assert (
        (p.detach().numpy().reshape(shape[0], -1) == 0).sum(axis=1) > 0
    ).tolist() == dead.tolist()


@pytest.mark.parametrize("path", PATHS)
def test_a_row_of_one_number_is_a_weight(path):
    start = torch.linspace(-1, 1, 9, dtype=torch.float64)
    ends = []
    for by, shape in (("unit", (9, 1)), ("weight", (9,))):
        p = nn.Parameter(start.clone().reshape(shape))
        optimizer = GRDA([p], lr=0.1, c=0.5, mu=0.7, momentum=0.9, by=by, **PATHS[path])
        for k in range(10):
            p.grad = torch.full_like(p, 0.01 * k)
            optimizer.step()
        ends.append(p.detach().flatten())
    torch.testing.assert_close(*ends, rtol=0, atol=1e-14)
    assert torch.equal(ends[0] == 0, ends[1] == 0) and (ends[0] == 0).any()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_nan_and_rows_of_zeros(path, dtype):
    p = nn.Parameter(torch.tensor([[1.0, 2.0], [torch.nan, 1.0], [0.0, 0.0]], dtype=dtype))
    optimizer = GRDA([p], lr=0.1, c=0.0, mu=0.7, by="unit", **PATHS[path])
    for _ in range(2):
        p.grad = torch.zeros_like(p)
        optimizer.step()
    assert p[0].tolist() == [1.0, 2.0] and p[1].isnan().all() and p[2].tolist() == [0.0, 0.0]


def test_a_group_of_its_own():
    """Neurons die whole, biases one by one."""
    torch.manual_seed(0)
    layer = nn.Linear(5, 8)
    groups = [{"params": [layer.weight], "by": "unit"}, {"params": [layer.bias]}]
    optimizer = GRDA(groups, lr=0.1, c=0.5, mu=0.7)
    for _ in range(16):
        for p in layer.parameters():
            p.grad = torch.zeros_like(p)
        optimizer.step()
    dead = (layer.weight == 0).all(dim=1)
    assert torch.equal(dead, (layer.weight == 0).any(dim=1))
    assert 0 < dead.sum() < 8 and (layer.bias == 0).sum() > 0


@pytest.mark.parametrize("named", [True, False])
def test_vectors_are_refused_by_name(named):
    layer = nn.Linear(5, 8)
    params = layer.named_parameters() if named else layer.parameters()
    name = "'bias'" if named else "1 of its group"
    with pytest.raises(
        ValueError, match=rf"parameter {name}.* shape \(8,\), by = 'unit': accepted"
    ):
        GRDA(params, lr=0.1, c=0.5, mu=0.7, by="unit")
    with pytest.raises(ValueError, match="by = 'row': accepted is one of 'weight', 'unit'"):
        GRDA(layer.parameters(), lr=0.1, c=0.5, mu=0.7, by="row")
