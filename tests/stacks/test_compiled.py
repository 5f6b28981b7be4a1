"""torch.compile of the step: one graph, compiled once or twice for twenty steps under a schedule."""

import shutil

import pytest
import torch

from tests.optim.test_captured import OPTIONS, assert_close, double, make

pytestmark = [
    pytest.mark.stacks,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's own use of torch.jit
]
INDUCTOR = pytest.param(
    "inductor", marks=pytest.mark.skipif(not shutil.which("c++"), reason="no C++ compiler")
)


@pytest.mark.parametrize("backend", ["eager", INDUCTOR])
@pytest.mark.parametrize("name", OPTIONS)
def test_without_a_break_and_equal(backend, name):
    from torch._dynamo.testing import CompileCounterWithBackend

    torch._dynamo.reset()
    counter = CompileCounterWithBackend(backend)
    compiled = make(number=double, capturable=True, **OPTIONS[name])
    step = torch.compile(compiled[1].step, backend=counter, fullgraph=True)
    plain = make(**OPTIONS[name])
    lr = 0.1
    for k in range(20):
        for model in (plain[0], compiled[0]):
            for i, p in enumerate(model.parameters()):
                generator = torch.Generator().manual_seed(9 * k + i)
                p.grad = torch.randn(p.shape, generator=generator).double()
        plain[1].param_groups[0]["lr"] = lr
        compiled[1].param_groups[0]["lr"].fill_(lr)
        plain[1].step()
        step()
        lr *= 0.9
    assert_close(plain, compiled)
    assert 1 <= counter.frame_count <= 2
