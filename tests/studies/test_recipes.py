"""The recorded recipes: what they are, that they are what they say, and that they ship."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.optim import GRDA
from grda_edu.recordings import load, load_recipes
from grda_edu.shrinkage import PowerTuning, tuning_function
from grda_edu.studies.recipes import (
    CONSTANT,
    METHODS,
    MU,
    RECIPES,
    STEP,
    RecipePlan,
    RecomputedGRDA,
    recipe_name,
)
from grda_edu.training.run import CURVES

SHIPPED = list(RECIPES)
SMALL = RecipePlan(METHODS, (0.02,), 3, "digits", "digits_cnn", seeds=(0,))


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request):
    return RECIPES[request.param], load_recipes(request.param)


def method(name):
    return next(m for m in METHODS if m.name == name)


# ---- what ships


def test_recording_is_the_one_that_is_asked_for(shipped):
    plan, runs = shipped
    assert runs.recipes == tuple(plan.recipes())
    assert tuple(runs.seeds) == plan.seeds and len(plan.seeds) == 3
    assert runs.epoch.tolist() == list(range(plan.epochs + 1))
    shape = len(runs.recipes), len(plan.seeds), plan.epochs + 1
    for name in (*CURVES, "total_zeros"):
        assert runs.curves(name).shape == shape
        assert np.isfinite(runs.curves(name)).all()


def test_everybody_of_the_response_is_there():
    """Item 2: momentum, weight decay, the schedule, Nesterov and QHM; each with and without a drop."""
    runs = load_recipes("digits_recipes")
    for name in (
        "SGD",
        "SGD with momentum",
        "gRDA",
        "gRDAM",
        "gRDAM, effective step",
        "Nesterov gRDA, effective step",
        "QHM gRDA",
        "gRDA with weight decay",
    ):
        for schedule in (CONSTANT, STEP):
            assert recipe_name(name, 0.02, schedule) in runs.recipes
    assert recipe_name("gRDA, recomputed threshold", 0.02, STEP) in runs.recipes


def test_configurations_say_how_each_was_made(shipped):
    plan, runs = shipped
    for made, (name, (m, c, schedule)) in zip(
        runs.configurations, plan.recipes().items(), strict=True
    ):
        assert made["recipe"] == name
        assert made["optimizer"] == m.optimizer
        assert made["epochs"] == plan.epochs and made["drop_after"] == plan.epochs * 2 // 3
        assert ("scheduler" in made) == (schedule == STEP)
        given = made["hyperparameters"]
        assert given["lr"] == m.lr
        assert {key: given[key] for key, _ in m.options} == dict(m.options)
        if m.effective_step:
            assert given["tuning"] == repr(PowerTuning(c, MU, 0.9)) and given["c"] is None
        elif m.penalised:
            assert (given["c"], given["mu"]) == (c, MU) and "tuning" not in given


def test_both_schedules_are_one_training_until_the_drop(shipped):
    plan, runs = shipped
    for m, c, schedule in plan.recipes().values():
        if schedule == CONSTANT or recipe_name(m.name, c, CONSTANT) not in runs.recipes:
            continue
        for seed in plan.seeds:
            one, other = (runs.run(recipe_name(m.name, c, s), seed) for s in (CONSTANT, STEP))
            shared = slice(0, plan.drop_after + 1)
            for curve in (*CURVES, "zeros"):
                np.testing.assert_array_equal(
                    getattr(one, curve)[shared], getattr(other, curve)[shared]
                )
            assert not np.array_equal(one.train_loss, other.train_loss)


def test_the_recomputed_threshold_is_the_accumulated_one_until_the_drop():
    plan, runs = RECIPES["digits_recipes"], load_recipes("digits_recipes")
    shared = slice(0, plan.drop_after + 1)
    for c in plan.c:
        right = runs.run(recipe_name("gRDA", c, STEP), 0)
        wrong = runs.run(recipe_name("gRDA, recomputed threshold", c, STEP), 0)
        np.testing.assert_allclose(wrong.total_zeros[shared], right.total_zeros[shared], atol=0.02)
        assert wrong.total_zeros[-1] < 0.5 * right.total_zeros[-1]


def test_only_a_penalty_makes_zeros(shipped):
    plan, runs = shipped
    for name, (m, _, _) in plan.recipes().items():
        zeros = runs.curves("zeros")[runs.recipes.index(name)]
        assert (zeros == 0).all() == (not m.penalised)


def test_plain_recipes_are_those_of_the_grid():
    """gRDA and SGD with a constant rate were recorded before, with the same seeds."""
    grid, runs = load("digits_grid"), load_recipes("digits_recipes")
    for c in (0.0, 0.005, 0.02):
        name = recipe_name("gRDA", c, CONSTANT) if c else recipe_name("SGD", c, CONSTANT)
        for seed in (0, 1, 2):
            one, other = runs.run(name, seed), grid.run(c, MU, seed)
            np.testing.assert_allclose(one.total_zeros[:3], other.total_zeros[:3], atol=0.01)
            np.testing.assert_allclose(one.test_accuracy[:3], other.test_accuracy[:3], atol=0.03)


def test_c_and_mu_cost_less_than_a_point_on_the_validation_images():
    """How the text's (c, mu) was chosen, not on the test images."""
    grid = load("digits_grid")
    i, j = list(grid.c).index(0.02), list(grid.mu).index(MU)
    validation = grid.final("val_accuracy")
    assert (validation[0, j] - validation[i, j]).mean() < 0.01


# ---- the plan


def test_cells_are_recipes_and_seeds_with_names_of_their_own(shipped):
    plan, _ = shipped
    cells = list(plan.cells())
    assert len(set(map(plan.label, cells))) == len(cells) == len(plan.recipes()) * 3


def test_a_recipe_is_a_plain_training_with_its_optimizer():
    """The schedule's drop included: 3 epochs, the drop after 2."""
    m = method("QHM gRDA")
    run = SMALL.train((recipe_name(m.name, 0.02, STEP), 0))
    model, data = digits_cnn(0), digits()
    optimizer = GRDA(
        model.parameters(), 0.1, 0.02, MU, 0.9, dampening=0.9, nu=0.7, weight_decay=5e-4
    )
    generator = torch.Generator().manual_seed(0)
    for epoch in range(3):
        optimizer.param_groups[0]["lr"] = 0.1 if epoch < 2 else 0.01
        for batch in torch.randperm(1280, generator=generator).split(32):
            optimizer.zero_grad()
            output = model(data.x_train[batch])
            torch.nn.functional.cross_entropy(output, data.y_train[batch]).backward()
            optimizer.step()
    assert run.zeros[-1].tolist() == [int((p == 0).sum()) for p in model.parameters()]
    right = (model(data.x_test).argmax(dim=1) == data.y_test).double().mean().item()
    assert run.test_accuracy[-1] == pytest.approx(right)


def test_the_effective_step_is_a_larger_c():
    """(1 - β)^-(½+μ) times as large: with β = .9 and μ = .65 fourteen times."""
    factor = 0.1 ** -(0.5 + MU)
    assert factor == pytest.approx(14.1, abs=0.05)
    weights = []
    for m, c in ((method("gRDAM"), 0.02 * factor), (method("gRDAM, effective step"), 0.02)):
        torch.manual_seed(0)
        p = nn.Parameter(torch.randn(200, dtype=torch.float64))
        optimizer = m.make([p], c)
        for _ in range(50):
            p.grad = torch.randn(200, dtype=torch.float64)
            optimizer.step()
        weights.append(p.detach())
    assert 0 < (weights[0] == 0).sum() < 200
    torch.testing.assert_close(*weights, rtol=0, atol=1e-12)


def test_recomputed_is_the_formula_of_now():
    p = nn.Parameter(torch.ones(1))
    optimizer = RecomputedGRDA([p], lr=0.1, c=0.02, mu=0.6)
    for n in range(1, 31):
        lr = 0.1 if n <= 20 else 0.01
        optimizer.param_groups[0]["lr"] = lr
        p.grad = torch.zeros(1)
        optimizer.step()
        assert optimizer.state[p]["threshold"] == tuning_function(n, lr, 0.02, 0.6)


def test_an_unknown_recipe_is_refused():
    with pytest.raises(ValueError, match=r"recipe = 'Adam': accepted is one of 'SGD, constant'"):
        load_recipes("digits_recipes").run("Adam", 0)


def test_another_plan_is_another_recording():
    assert repr(SMALL) != repr(replace(SMALL, c=(0.01,)))
