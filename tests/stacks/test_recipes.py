"""What users of recommender models and of learning-rate schedules do with GRDA, in torch alone."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.optim.lr_scheduler import OneCycleLR

from grda_edu import GRDA, digits, small_digits_cnn, soft_threshold

pytestmark = pytest.mark.stacks

# ------------------------------------------------- gates beside Adam, as AutoFIS has them

FIELDS, ROWS, WIDTH, TRUE = 24, 8, 4, 6
PAIRS = list(zip(*np.triu_indices(FIELDS, 1), strict=True))  # 276 interactions


class Gated(nn.Module):
    """A factorization machine whose every interaction of two fields has a gate."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.tables = nn.Parameter(torch.randn(FIELDS, ROWS, WIDTH) * 0.3)
        self.linear = nn.Parameter(torch.zeros(FIELDS, ROWS))
        self.norm = nn.BatchNorm1d(
            len(PAIRS), affine=False
        )  # so that a gate's size means something
        self.gates = nn.Parameter(torch.full((len(PAIRS),), 0.3))

    def forward(self, x):
        fields = torch.arange(FIELDS)
        vectors = self.tables[fields, x]  # rows, fields, width
        first, second = np.transpose(PAIRS)
        products = (vectors[:, first] * vectors[:, second]).sum(dim=2)
        return self.linear[fields, x].sum(dim=1) + self.norm(products) @ self.gates


def clicks(rows, seed):
    """Whether the hidden vectors of six pairs of fields agree decides; the other pairs are noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(ROWS, (rows, FIELDS), generator=generator)
    hidden = torch.randn(FIELDS, ROWS, WIDTH, generator=torch.Generator().manual_seed(99))
    vectors = hidden[torch.arange(FIELDS), x]
    true = PAIRS[:: len(PAIRS) // TRUE][:TRUE]
    logits = sum((vectors[:, i] * vectors[:, j]).sum(dim=1) for i, j in true)
    return x, (torch.rand(rows, generator=generator) < torch.sigmoid(2 * logits)).float(), true


def train_gates(c, steps=600, start=0, model=None, optimizers=None):
    model = model or Gated()
    others = [p for p in model.parameters() if p is not model.gates]
    adam, grda = optimizers or (
        torch.optim.Adam(others, lr=0.01),
        GRDA([model.gates], lr=1.0, c=c, mu=0.6),
    )
    x, y, true = clicks(20_000, seed=1)
    order = torch.Generator().manual_seed(2)
    for step in range(steps):
        rows = torch.randint(len(y), (512,), generator=order)
        if step < start:
            continue
        adam.zero_grad()
        grda.zero_grad()
        binary_cross_entropy_with_logits(model(x[rows]), y[rows]).backward()
        adam.step()
        grda.step()
    return model, (adam, grda), true


def quality(model):
    x, y, _ = clicks(4000, seed=3)
    model.eval()
    with torch.no_grad():
        return float(binary_cross_entropy_with_logits(model(x), y))


def test_gates_of_true_interactions_survive():
    model, _, true = train_gates(c=0.03)
    alive = {PAIRS[k] for k in model.gates.detach().nonzero().flatten().tolist()}
    assert set(true) <= alive and len(alive) < len(PAIRS) / 6, (len(alive), set(true) - alive)
    open_gates, _, _ = train_gates(c=0.0)
    assert bool((open_gates.gates != 0).all())
    assert quality(model) < quality(open_gates)  # what is left out was noise


def test_gates_and_their_adam_go_on_exactly():
    whole, *_ = train_gates(c=0.03, steps=60)
    half, optimizers, _ = train_gates(c=0.03, steps=30)
    model = Gated()
    model.load_state_dict(half.state_dict())
    fresh = (
        torch.optim.Adam([p for p in model.parameters() if p is not model.gates], lr=0.01),
        GRDA([model.gates], lr=1.0, c=0.03, mu=0.6),
    )
    for new, old in zip(fresh, optimizers, strict=True):
        new.load_state_dict(old.state_dict())
    train_gates(c=0.03, steps=60, start=30, model=model, optimizers=fresh)
    for ours, theirs in zip(model.state_dict().values(), whole.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


# ------------------------------------------------- OneCycle


def one_cycle(steps=40, start=0, state=None, momentum=0.0, cycle=False):
    data, model = digits(), small_digits_cnn(0)
    c, mu = 0.02, 0.6
    optimizer = GRDA(model.parameters(), lr=0.1, c=c, mu=mu, momentum=momentum)
    scheduler = OneCycleLR(optimizer, max_lr=0.2, total_steps=40, cycle_momentum=cycle)
    if state:
        for part, saved in zip((model, optimizer, scheduler), state, strict=True):
            part.load_state_dict(saved)
    rates = []
    for step in range(start, steps):
        rows = slice(32 * step, 32 * step + 32)
        optimizer.zero_grad()
        cross_entropy(model(data.x_train[rows]), data.y_train[rows]).backward()
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return model, optimizer, scheduler, rates


def test_one_cycle_is_the_sum_of_the_increments_at_its_learning_rates():
    model, optimizer, _, rates = one_cycle()
    n, lr = np.arange(1, len(rates) + 1), np.array(rates)
    threshold = (0.02 * lr**1.1 * (n**0.6 - (n - 1) ** 0.6)).sum()
    for p in model.parameters():
        state = optimizer.state[p]
        assert state["threshold"] == pytest.approx(threshold, rel=1e-12)
        assert torch.equal(p, soft_threshold(state["accumulator"], state["threshold"]))


def test_one_cycle_goes_on_exactly():
    whole, *_ = one_cycle()
    model, optimizer, scheduler, _ = one_cycle(steps=17)
    state = [part.state_dict() for part in (model, optimizer, scheduler)]
    again, *_ = one_cycle(start=17, state=state)
    assert all(
        torch.equal(p, q) for p, q in zip(again.parameters(), whole.parameters(), strict=True)
    )


def test_the_momentum_that_one_cycle_sets_by_default_is_unknown_to_the_threshold():
    """It writes .85 to .95 into every group: an optimizer made without momentum gets one."""
    plain, cycled = one_cycle(), one_cycle(cycle=True)
    group = cycled[1].param_groups[0]
    assert plain[1].param_groups[0]["momentum"] == 0 and 0.85 <= group["momentum"] <= 0.95
    for p, q in zip(plain[0].parameters(), cycled[0].parameters(), strict=True):
        assert plain[1].state[p]["threshold"] == cycled[1].state[q]["threshold"]
        assert "momentum_buffer" in cycled[1].state[q] and not torch.equal(p, q)
