"""The study behind the recorded frontier: that its methods are what they say, with equal budgets."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import SGD, Adam

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import DualAveraging
from grda_edu.recordings import load_recipes
from grda_edu.studies import recorder
from grda_edu.studies.frontier import (
    ADAM_LR,
    BEGIN,
    END,
    FRONTIERS,
    MU,
    FrontierPlan,
    GradualMagnitude,
    Method,
    recipe_name,
)

SMALL = FrontierPlan(
    (
        Method("Adam"),
        Method("gRDA", (0.1,)),
        Method("dual averaging around Adam", (8.0,)),
        Method("dual averaging around AdamW", (8.0,)),
        Method("gradual magnitude, SGD", (0.7,)),
    ),
    epochs=2,
    data="digits",
    model="digits_cnn",
    seeds=(3,),
)


@pytest.mark.parametrize("plan", FRONTIERS.values(), ids=FRONTIERS)
def test_cells_have_names_of_their_own_and_every_method_its_levels(plan):
    cells = list(plan.cells())
    assert len(set(map(plan.label, cells))) == len(cells) == len(plan.recipes()) * len(plan.seeds)
    methods = {method.name for method, _ in plan.recipes().values()}
    assert {"Adam", "AdamW", "SGD", "gRDA", "dual averaging around Adam"} < methods
    for method in plan.methods:
        assert len(method.levels) >= 3 or method.name in ("SGD", "Adam", "AdamW")
    sizes = {"digits_frontier": (5, 60), "mnist_frontier": (3, 20)}
    assert (len(plan.seeds), plan.epochs) in sizes.values()


def test_a_cell_is_a_plain_training_with_its_optimizer():
    name = recipe_name(SMALL.methods[2], 8.0)
    assert name == "dual averaging around Adam, c = 8"
    run = SMALL.train((name, 3))
    model, data = digits_cnn(3), digits()
    optimizer = DualAveraging(Adam(model.parameters(), lr=ADAM_LR), c=8.0, mu=MU)
    generator = torch.Generator().manual_seed(3)
    for _ in range(2):
        for batch in torch.randperm(1280, generator=generator).split(32):
            optimizer.zero_grad()
            cross_entropy(model(data.x_train[batch]), data.y_train[batch]).backward()
            optimizer.step()
    zeros = [int((p == 0).sum()) for p in model.parameters()]
    assert run.zeros[-1].tolist() == zeros and 0 < sum(zeros) < 13706
    right = (model(data.x_test).argmax(dim=1) == data.y_test).double().mean().item()
    assert run.test_accuracy[-1] == pytest.approx(right)
    assert run.configuration["recipe"] == name and run.configuration["level"] == 8.0


def test_budgets_are_equal_and_only_pruning_makes_zeros(tmp_path):
    runs = {name: SMALL.train((name, 3)) for name in SMALL.recipes()}
    assert {len(run.epoch) for run in runs.values()} == {3}
    assert len({run.train_loss[0] for run in runs.values()}) == 1  # one start
    assert len({run.train_loss[-1] for run in runs.values()}) == len(runs)
    for name, run in runs.items():
        assert (run.total_zeros[-1] > 0.1) == (name != "Adam"), name
    gradual = runs["gradual magnitude, SGD, 70.0% zeros"].total_zeros[-1]
    assert gradual == pytest.approx(0.7, abs=1e-3)
    recorder._write("small", *recorder._run_contents(SMALL, list(runs.values())), tmp_path)
    recorded = load_recipes("small", tmp_path)
    assert list(recorded.recipes) == list(runs)
    assert [made["recipe"] for made in recorded.configurations] == list(runs)
    for name, run in runs.items():
        np.testing.assert_array_equal(recorded.run(name, 3).zeros, run.zeros)


def test_gradual_magnitude_is_its_schedule_and_dead_weights_stay_dead():
    torch.manual_seed(0)
    params = [nn.Parameter(torch.randn(40, 10)), nn.Parameter(torch.randn(100))]
    optimizer = SGD(params, lr=1e-3, momentum=0.9)
    GradualMagnitude(optimizer, zeros=0.8, steps=100, every=5)
    dead = torch.zeros(500, dtype=torch.bool)
    for n in range(1, 101):
        for p in params:
            p.grad = torch.randn_like(p)
        before = torch.cat([p.detach().flatten() for p in params])
        optimizer.step()
        now = torch.cat([p.detach().flatten() for p in params])
        assert (now[dead] == 0).all()
        u = min(max((n / 100 - BEGIN) / (END - BEGIN), 0), 1)
        if n % 5 == 0:
            assert (now == 0).sum() == round(500 * 0.8 * (1 - (1 - u) ** 3))
            died = (now == 0) & ~dead
            smallest = now[now != 0].abs().min()  # but for the step that all have just made
            assert not died.any() or before[died].abs().max() < smallest + 0.05
        dead = now == 0
    np.testing.assert_allclose(dead.double().mean(), 0.8)
