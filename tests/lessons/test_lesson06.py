"""Lesson 06: figures against the recordings, the text's claims, the exercises, and training live."""

import re
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction
from torch import nn
from torch.optim import AdamW

from grda_edu import GRDA, DualAveraging, PowerTuning, recordings, train, tuning_function
from grda_edu.data import digits
from grda_edu.explore.writing import percent
from grda_edu.lessons import lesson06
from grda_edu.lessons.lesson06 import (
    EXERCISES,
    OBJECTIVES,
    PREDICTIONS,
    at_equal_c,
    falling_rate,
    numbers,
    questions,
    your_own,
)
from grda_edu.lessons.lesson06.numbers import COMPARED, DIGITS, METHODS, MNIST, C
from grda_edu.models import digits_cnn, mnist_cnn
from grda_edu.studies.recipes import BETA, CONSTANT, MU, STEP, recipe_name

TEXT = (Path(__file__).parents[2] / "notebooks/06_momentum_decay_schedules.md").read_text("utf-8")


@pytest.fixture(scope="module")
def runs():
    return recordings.load_recipes(DIGITS)


def mean(runs, curve, *recipe, epoch=-1):
    name = recipe_name(*recipe)
    values = [getattr(runs.run(name, int(seed)), curve)[epoch] for seed in runs.seeds]
    return float(np.mean(values))


# ------------------------------------------------- two thresholds


def added_up(rates, c, mu):
    """The threshold after each step, by the definition: one increment after the other."""
    threshold, out = 0.0, []
    for n, lr in enumerate(rates, start=1):
        threshold += c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)
        out.append(threshold)
    return np.array(out)


@pytest.mark.parametrize(
    ("drop", "factor", "mu"), [(30, 0.1, 0.51), (1, 0.5, 0.7), (60, 0.01, 0.9)]
)
def test_both_thresholds_are_those_of_the_definition(drop, factor, mu):
    n = np.arange(1, 101)
    rates = np.where(n <= drop, 0.1, 0.1 * factor)
    accumulated, recomputed = numbers.accumulated_and_recomputed(n, drop, 0.1, factor, 0.3, mu)
    np.testing.assert_allclose(accumulated, added_up(rates, 0.3, mu), rtol=1e-12)
    np.testing.assert_allclose(recomputed, 0.3 * rates ** (0.5 + mu) * n**mu, rtol=1e-12)


def test_the_authors_schedule_is_the_figures_first_state():
    """.468 → .470 against .046, as the text says."""
    figure = lesson06.two_thresholds()
    assert figure.tabulated and figure.table_bytes < 500_000
    training = falling_rate.TRAININGS[figure.training]
    row, sentence = figure._compute(training=training, factor=figure.factor, share=figure.share)
    assert (training[0], training[1], figure.factor, 150 * figure.share) == (5005, 150, 0.1, 140)
    assert "goes from 0.468 to 0.470" in sentence and "from 0.468 to 0.046 at one step" in sentence
    for text in ("0.468 → 0.046", "0.468 → 0.470"):
        assert text in TEXT
    rates = np.where(np.arange(1, 150 * 5005 + 1) <= 140 * 5005, 0.1, 0.01)
    expected = added_up(rates, 0.005, 0.51)
    assert row["accumulated.y"][-1] == pytest.approx(expected[-1], rel=1e-9)
    at = list(row["accumulated.x"]).index(140)
    assert row["recomputed.y"][at] == pytest.approx(expected[140 * 5005 - 1], rel=1e-9)
    assert row["rate.y"][at] == 0.1 and row["rate.y"][at + 1] == pytest.approx(0.01)


def test_every_position_of_the_thresholds_agrees_with_its_sentence():
    for training in falling_rate.TRAININGS.values():
        for factor in (0.01, 0.2, 1.0):
            for share in falling_rate.SHARES:
                row, sentence = falling_rate._two_thresholds(training, factor, share)
                _, epochs, *_ = training
                assert f"after epoch {round(share * epochs)} of {epochs}" in sentence
                assert (np.diff(row["accumulated.y"]) >= 0).all()
                if factor == 1:
                    np.testing.assert_allclose(row["accumulated.y"], row["recomputed.y"])


def test_the_powers_of_a_tenth_in_the_text():
    for mu, words in ((0.51, "0.1^{1.01} = 0.098"), (0.65, "0.1^{1.15} = 0.071")):
        assert words in TEXT
        assert round(numbers.share_left(0.1, mu), 3) == float(words[-5:])
        ratio = tuning_function(700, 0.01, 1.0, mu) / tuning_function(700, 0.1, 1.0, mu)
        assert numbers.share_left(0.1, mu) == pytest.approx(ratio)
    assert 1 / numbers.share_left(0.1, MU) == pytest.approx(14.1, abs=0.1)  # "fourteen times"


# ------------------------------------------------- the recorded figures


def test_the_zeros_are_undone_as_recorded(runs):
    figure = lesson06.undone()
    assert figure.tabulated
    for c in numbers.strengths():
        row, sentence = figure._compute(c=c)
        for label, method in (
            ("accumulated", "gRDA"),
            ("recomputed", "gRDA, recomputed threshold"),
        ):
            for curve in ("total_zeros", "test_accuracy"):
                by_seed = [
                    getattr(runs.run(recipe_name(method, c, STEP), int(s)), curve)
                    for s in runs.seeds
                ]
                np.testing.assert_allclose(row[f"{label} {curve}.y"], np.mean(by_seed, axis=0))
                band = row[f"{label} {curve} band.y"]
                np.testing.assert_array_equal(band[:61], np.max(by_seed, axis=0))
                np.testing.assert_array_equal(band[:60:-1], np.min(by_seed, axis=0))
            assert percent(mean(runs, "total_zeros", method, c, STEP)) in sentence


@pytest.mark.parametrize("name", [DIGITS, MNIST])
def test_the_recipes_are_the_recorded_ones(name):
    runs = recordings.load_recipes(name)
    figure = lesson06.recipes() if name == DIGITS else lesson06.recipes(name)
    assert figure.tabulated and figure.table_bytes < 200_000
    methods = list(figure._choice[1].options.values())
    assert methods == [m for m in COMPARED if any(r.startswith(f"{m}, c") for r in runs.recipes)]
    for method in methods:
        for c in numbers.strengths(name, method):
            for step, schedule in ((0, CONSTANT), (1, STEP)):
                recipe = method, c, schedule
                if recipe_name(*recipe) not in runs.recipes:
                    assert (name, schedule) == (
                        MNIST,
                        CONSTANT,
                    ) and "step" not in figure.trait_names()
                    continue
                assert_shows(figure, runs, recipe, step)


def assert_shows(figure, runs, recipe, step):
    """Curves, title, marks and the goal of one position, against the recorded runs."""
    method, c, schedule = recipe
    given = {"step": step} if "step" in figure.trait_names() else {}
    row, _ = figure._compute(method=method, c=c, **given)
    for label, of in (("this", recipe), ("plain gRDA", ("gRDA", c, schedule))):
        for curve in ("test_accuracy", "total_zeros"):
            values = [getattr(runs.run(recipe_name(*of), int(s)), curve) for s in runs.seeds]
            np.testing.assert_allclose(row[f"{label} {curve}.y"], np.mean(values, axis=0))
    zeros, right = (mean(runs, q, *recipe) for q in ("total_zeros", "test_accuracy"))
    momentum = "momentum" in dict(METHODS[method].options)
    sgd = "SGD with momentum" if momentum else "SGD"
    partner = mean(runs, "test_accuracy", sgd, 0.0, schedule)
    assert f"{percent(zeros)} zeros, {right:.1%} right" in row["layout.title.text"]
    for goal in figure._goals:
        reached = bool(step) and zeros >= 0.85 and partner - right < 0.01
        assert goal.reached(method=method, c=c, **given) == reached
    assert row["this end.x"] == pytest.approx([zeros])
    assert row["layout.shapes[0].x0"] == (runs.configurations[0]["drop_after"] if step else -1)


def test_a_c_that_was_not_recorded_is_answered_by_the_nearest_and_says_so():
    figure = lesson06.recipes()
    for asked, shown in ((0.005, 0.01), (0.01, 0.01), (0.02, 0.02), (0.03, 0.02)):
        row, sentence = figure._compute(method="QHM gRDA", c=asked, step=1)
        assert f"c = {shown:g}:" in row["layout.title.text"]
        said = "QHM gRDA was not recorded with this c: the nearest is shown." in sentence
        assert said == (asked != shown)


def test_methods_with_momentum_are_compared_with_sgd_with_momentum():
    for method, made in METHODS.items():
        momentum = "momentum" in dict(made.options)
        expected = "SGD with momentum, step" if momentum else "SGD, step"
        assert numbers.partner(method, STEP) == expected


def test_the_goal_can_be_reached_by_some_and_not_at_the_start(runs):
    figure = lesson06.recipes()
    (goal,) = figure._goals
    assert not goal.reached(method=figure.method, c=figure.c, step=figure.step)
    reached = [
        (m, c)
        for m in COMPARED
        for c in numbers.strengths(DIGITS, m)
        if numbers.is_goal(DIGITS, m, c, STEP)
    ]
    assert 0 < len(reached) < sum(len(numbers.strengths(DIGITS, m)) for m in COMPARED) / 2


def test_every_recipe_stands_where_it_ended(runs):
    """From the table that the page gets: means, ranges, and what lies beyond the edge."""
    row, _ = at_equal_c._row()
    for k, name in enumerate(METHODS):
        penalised = name.startswith(("gRDA", "Nesterov", "QHM"))
        for word, schedule in (("constant", CONSTANT), ("falling", STEP)):
            recipe = recipe_name(name, C if penalised else 0.0, schedule)
            for what, curve in (("zeros", "total_zeros"), ("right", "test_accuracy")):
                drawn = row[f"{what}, {word}.x"][k]
                low, high, gap = row[f"{what}, {word}, seeds.x"][3 * k : 3 * k + 3]
                assert np.isnan(gap)
                if recipe not in runs.recipes:
                    assert np.isnan([drawn, low, high]).all()
                    continue
                ends = [getattr(runs.run(recipe, int(seed)), curve)[-1] for seed in runs.seeds]
                if what == "right" and np.mean(ends) < 0.95:
                    assert np.isnan(drawn) and low == high == 0.95
                    assert (row["beyond.x"], row["beyond.y"]) == ([0.95], [len(METHODS) - k - 0.83])
                    continue
                assert [drawn, low, high] == pytest.approx([np.mean(ends), min(ends), max(ends)])


def test_one_gradient_is_drawn_as_an_optimizer_moves():
    """SGD with momentum, one gradient and then none."""
    figure = lesson06.one_gradient()
    assert figure.tabulated and (figure.beta, figure.step) == (0.9, 10)
    p = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([p], lr=1.0, momentum=0.9)
    held, moved = [], []
    for n in range(41):
        p.grad = torch.ones(1, dtype=torch.float64) * (n == 0)
        optimizer.step()
        held.append(optimizer.state[p]["momentum_buffer"].item())
        moved.append(-p.item())
    row, _ = figure._compute(beta=0.9, step=40)
    np.testing.assert_allclose(row["buffer.y"], held)
    np.testing.assert_allclose(row["moved.y"], moved)
    row, _ = figure._compute(beta=0.9, step=5)
    assert (row["buffer.y"][6:] == 0).all() and np.isnan(row["moved.y"][6:]).all()
    assert row["here.y"] == [pytest.approx(moved[5])]


# ------------------------------------------------- the text's claims


def test_the_drop_undoes_most_zeros_only_where_it_is_recomputed(runs):
    """ "Few weights change sides" where it is accumulated."""
    for c in numbers.strengths():
        at = runs.configurations[0]["drop_after"]
        before, after = (mean(runs, "total_zeros", "gRDA", c, STEP, epoch=k) for k in (at, at + 1))
        assert abs(after - before) < 0.01
        wrong = "gRDA, recomputed threshold"
        before, after = (mean(runs, "total_zeros", wrong, c, STEP, epoch=k) for k in (at, at + 1))
        assert after < 0.5 * before


def test_the_weights_that_came_back_bought_nothing(runs):
    behind = []
    for c in numbers.strengths():
        wrong, right = ("gRDA, recomputed threshold", c, STEP), ("gRDA", c, STEP)
        a, b = (100 * mean(runs, "test_accuracy", *recipe) for recipe in (right, wrong))
        behind.append(a - b)
        assert mean(runs, "train_loss", *wrong) < 0.001 < mean(runs, "train_loss", *right)
    error = 100 * numbers.standard_error()
    assert min(behind) > 0
    assert max(behind) < error
    assert f"{min(behind):.1f} to {max(behind):.1f} points below that of the accumulated" in TEXT
    assert f"less than the standard error of {error:.1f}" in TEXT
    assert len(numbers.strengths()) == 4  # "the four recorded c"


def test_the_drop_freezes_the_sparsity(runs):
    at = runs.configurations[0]["drop_after"]
    for method in COMPARED:
        for c in numbers.strengths(DIGITS, method):
            growth = {
                schedule: mean(runs, "total_zeros", method, c, schedule)
                - mean(runs, "total_zeros", method, c, schedule, epoch=at)
                for schedule in (CONSTANT, STEP)
            }
            assert growth[STEP] < 0.5 * growth[CONSTANT] and growth[STEP] < 0.011


def test_the_same_c_makes_fewer_zeros_with_momentum_and_as_many_with_the_effective_step(runs):
    for c in (0.005, 0.01, 0.02):
        plain, original, effective = (
            mean(runs, "total_zeros", m, c, CONSTANT)
            for m in ("gRDA", "gRDAM", "gRDAM, effective step")
        )
        assert original < 0.2 * plain
        assert abs(effective - plain) < 0.015


def test_the_edge_comes_earlier_with_momentum(runs):
    """c = .03: gRDA trains with every seed, gRDAM with the effective step collapses with two."""
    for schedule in (CONSTANT, STEP):
        dead = {
            m: sum(
                runs.run(recipe_name(m, 0.03, schedule), int(s)).test_accuracy[-1] < 0.2
                for s in runs.seeds
            )
            for m in ("gRDA", "gRDAM, effective step")
        }
        assert dead == {"gRDA": 0, "gRDAM, effective step": 2}


def test_at_equal_c_the_recipes_end_with_nearly_the_same_zeros(runs):
    """But for the original g with momentum, which the text excepts."""
    for schedule in (CONSTANT, STEP):
        ends = [mean(runs, "total_zeros", m, C, schedule) for m in COMPARED if m != "gRDAM"]
        assert max(ends) - min(ends) < 0.03


def test_weight_decay_alone_changes_little(runs):
    for schedule in (CONSTANT, STEP):
        decayed, plain = (("gRDA with weight decay", C, schedule), ("gRDA", C, schedule))
        assert abs(mean(runs, "total_zeros", *decayed) - mean(runs, "total_zeros", *plain)) < 0.01
        gap = mean(runs, "test_accuracy", *decayed) - mean(runs, "test_accuracy", *plain)
        assert abs(gap) < numbers.standard_error()
    assert dict(METHODS["gRDA with weight decay"].options) == {"weight_decay": 0.0005}


def test_the_drop_lifts_nobody_by_more_than_a_standard_error(runs):
    """The mean of the five epochs up to the drop against that of the last five."""
    at = runs.configurations[0]["drop_after"]
    for k, recipe in enumerate(runs.recipes):
        if recipe.endswith(STEP):
            accuracy = runs.curves("test_accuracy")[k].mean(axis=0)
            lift = accuracy[-5:].mean() - accuracy[at - 4 : at + 1].mean()
            assert lift < numbers.standard_error(), recipe
    assert round(100 * mean(runs, "test_accuracy", "SGD", 0.0, STEP)) == 98


def test_a_full_step_with_momentum_does_not_train(runs):
    """ "With γ = 0.1 and β = 0.9 this network does not train": no seed does better than guessing."""
    for seed in runs.seeds:
        full = runs.run("SGD with momentum, full step, constant", int(seed))
        assert full.test_accuracy[-1] < 0.2
        assert runs.run("SGD with momentum, constant", int(seed)).test_accuracy[-1] > 0.95


def test_one_gradient_moves_the_accumulator_by_the_effective_step():
    p = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = GRDA([p], lr=0.01, c=0.0, mu=MU, momentum=BETA)
    for n in range(400):
        p.grad = torch.ones(1, dtype=torch.float64) * (n == 0)
        optimizer.step()
    assert p.item() == pytest.approx(-0.01 / (1 - 0.9))


def test_noise_moves_a_flat_accumulator_by_the_effective_step():
    """σ γ/(1-β) √n, the walk that the text measures a threshold against."""
    generator = torch.Generator().manual_seed(0)
    p = nn.Parameter(torch.zeros(20_000, dtype=torch.float64))
    optimizer = GRDA([p], lr=0.01, c=0.0, mu=MU, momentum=0.9)
    for _ in range(1000):
        p.grad = torch.randn(20_000, generator=generator, dtype=torch.float64)
        optimizer.step()
    assert p.std().item() == pytest.approx(0.01 / 0.1 * np.sqrt(1000), rel=0.03)


def test_sizes_that_the_text_names():
    assert sum(p.numel() for p in mnist_cnn(0).parameters()) == 52_266
    assert recordings.load_recipes(MNIST).epoch[-1] == 30
    assert recordings.load_recipes(DIGITS).configurations[0]["drop_after"] == 40
    assert len(digits().y_train) / 32 * 20 == 800  # "after epoch 20 (step 800)"


def test_the_harder_data_say_the_same():
    runs = recordings.load_recipes(MNIST)
    p = mean(runs, "test_accuracy", "SGD", 0.0, STEP)
    error = np.sqrt(p * (1 - p) / 1000)
    assert round(100 * error, 1) == 0.6
    assert runs.configurations[0]["drop_after"] == 20 and len(mnist_methods(runs)) == 4
    for c in numbers.strengths(MNIST):
        for curve, most in (("total_zeros", 0.01), ("test_accuracy", error)):
            plain, ours = (mean(runs, curve, m, c, STEP) for m in ("gRDA", "gRDAM, effective step"))
            assert abs(ours - plain) < most


def mnist_methods(runs):
    return {recipe.removesuffix(f", {STEP}").split(", c =")[0] for recipe in runs.recipes}


def test_published_figures_are_cited_as_published():
    """Item 2 of the response, the authors' logs, and Gale et al."""
    rows = re.findall(r"^\| (.*?) \| ([\d.]+)% \| (.*?) \|$", TEXT, re.MULTILINE)
    said = {name.split(",")[0]: (float(zeros), right) for name, zeros, right in rows}
    assert said["SGD without momentum"] == (0, "68.76%")
    assert said["gRDA"] == (91.6, "73.24%")
    assert said["gRDAM with the original g"] == (88, "no figure given")
    assert said["gRDAM"] == (14.25, "above SGD's")
    assert said["magnitude pruning"] == (90, "75.16%")


def test_the_two_spaces_fit_around_adamw():
    """The text's numbers, from another recording than the lesson's."""
    frontier = recordings.load_recipes("digits_frontier")
    (sentence,) = re.findall(r"Recorded on the digits CNN, means of five seeds: (.*)", TEXT)
    written = [float(x) for x in re.findall(r"([\d.]+)%", sentence)]
    around = "dual averaging around AdamW, c = 8"
    ends = {
        (recipe, curve): 100 * frontier.of(recipe, curve)[:, -1].mean()
        for recipe in ("AdamW", around)
        for curve in ("test_accuracy", "total_zeros")
    }
    assert len(frontier.seeds) == 5 and "$c = 8$ around it" in sentence
    assert written == [
        round(ends["AdamW", "test_accuracy"], 1),
        round(ends[around, "test_accuracy"], 1),
        round(ends[around, "total_zeros"]),
    ]
    (call,) = re.findall(r"`(DualAveraging\(.*?)` does that", TEXT)
    parameters = [nn.Parameter(torch.ones(2))]
    made = eval(call, {"DualAveraging": DualAveraging, "AdamW": AdamW, "parameters": parameters})
    made_as_recorded = made.param_groups[0]
    assert (made_as_recorded["lr"], made_as_recorded["c"]) == (1e-3, 8)
    assert made_as_recorded["mu"] == MU


def test_predictions_are_recomputed(runs):
    at = runs.configurations[0]["drop_after"]
    wrong = ("gRDA, recomputed threshold", C, STEP)
    kept = mean(runs, "total_zeros", *wrong, epoch=at + 1) / mean(
        runs, "total_zeros", *wrong, epoch=at
    )
    assert assert_prediction(PREDICTIONS["recomputed"]).startswith("most") == (kept < 0.5)
    zeros = [mean(runs, "total_zeros", m, C, CONSTANT) for m in ("gRDAM", "gRDA")]
    assert assert_prediction(PREDICTIONS["same_c"]).startswith("far fewer") == (
        zeros[0] < 0.5 * zeros[1]
    )
    ours, plain = (
        mean(runs, "test_accuracy", m, C, STEP) for m in ("gRDAM, effective step", "gRDA")
    )
    p = mean(runs, "test_accuracy", "SGD", 0.0, CONSTANT)
    error = np.sqrt(p * (1 - p) / len(digits().y_test))
    answer = assert_prediction(PREDICTIONS["worth_it"])
    assert answer.startswith("a difference within") == (abs(ours - plain) <= error)
    assert round(100 * error, 1) == 0.7  # as the question says


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


# ------------------------------------------------- the exercises


def stub(n, lr, c, mu, beta):
    """The original formula with lr / (1 - beta) in the place of lr."""
    return ...


def without_momentum(n, lr, c, mu, beta):
    return c * lr ** (0.5 + mu) * n**mu


def only_outside(n, lr, c, mu, beta):
    return c * (lr / (1 - beta)) ** 0.5 * (n * lr) ** mu


def divides_by_beta(n, lr, c, mu, beta):
    return c * (lr / (beta or 1)) ** (0.5 + mu) * n**mu


def divides_the_whole(n, lr, c, mu, beta):
    return c * lr ** (0.5 + mu) * n**mu / (1 - beta)


def raising(n, lr, c, mu, beta):
    step = [lr][1]
    return c * step


def in_one_line(n, lr, c, mu, beta):
    return c * (lr / (1 - beta)) ** (0.5 + mu) * n**mu


def by_the_library(n, lr, c, mu, beta):
    return tuning_function(n, lr / (1 - beta), c, mu)


def test_effective_g():
    assert_exercise(
        EXERCISES["effective_g"],
        stub=stub,
        wrong=[without_momentum, only_outside, divides_by_beta, divides_the_whole],
        raising=raising,
        right=[in_one_line, by_the_library],
    )


def untouched(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
    """The new w, v, b and g after step n."""
    return ...


def grdam(
    *, decayed="w", buffer=True, threshold="accumulated", at="v", order="wvbg", in_place=False
):
    """A step of gRDAM in other words, with a mistake if asked for."""

    def step(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
        direction = gradient + decay * {"w": w, "v": v, "nothing": 0 * w}[decayed]
        if in_place:
            b *= beta
            b += direction
        else:
            b = beta * b + direction if buffer else direction
        start = v if at == "v" else w
        v = start - lr * b
        if threshold == "accumulated":
            g = g + tuning_function(n, lr, c, mu) - tuning_function(n - 1, lr, c, mu)
        elif threshold == "recomputed":
            g = tuning_function(n, lr, c, mu)
        new = {"w": v - np.clip(v, -g, g), "v": v, "b": b, "g": g}
        return tuple(new[letter] for letter in order)

    return step


def raising_step(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
    learning_rate = {}["lr"]
    return w - learning_rate * b, v, b, g


def entry_by_entry(w, v, b, g, n, gradient, lr, c, mu, beta, decay):
    g = g + c * lr ** (0.5 + mu) * (n**mu - (n - 1) ** mu)
    rows = []
    for wi, vi, bi, di in zip(w, v, b, gradient, strict=True):
        bi = beta * bi + di + decay * wi
        vi = vi - lr * bi
        wi = 0.0 if abs(vi) <= g else vi - g if vi > 0 else vi + g
        rows.append((wi, vi, bi))
    w, v, b = (np.array(column) for column in zip(*rows, strict=True))
    return w, v, b, g


def named(function, name):
    function.__name__ = name
    return function


def test_grdam_step():
    mistakes = {
        "decays_the_accumulator": grdam(decayed="v"),
        "forgets_weight_decay": grdam(decayed="nothing"),
        "forgets_the_buffer": grdam(buffer=False),
        "recomputes_the_threshold": grdam(threshold="recomputed"),
        "leaves_the_threshold": grdam(threshold="kept"),
        "steps_from_the_weights": grdam(at="w"),
        "returns_another_order": grdam(order="vwbg"),
        "changes_the_buffer_of_the_caller": grdam(in_place=True),
    }
    assert_exercise(
        EXERCISES["grdam_step"],
        stub=untouched,
        wrong=[named(f, name) for name, f in mistakes.items() if "caller" not in name],
        raising=raising_step,
        right=[named(grdam(), "in_other_words"), entry_by_entry],
    )
    assert lesson06_judges(mistakes["changes_the_buffer_of_the_caller"]).kind == "wrong"


def test_what_is_said_of_a_wrong_step_fits_it():
    for mistake, words in (
        (grdam(threshold="recomputed"), "the threshold stays what it was"),
        (grdam(threshold="kept"), "The threshold grows"),
        (grdam(order="vwbg"), "w, v, b, g"),
        (grdam(at="w"), "SGD on v"),
        (grdam(buffer=False), "The buffer"),
        (grdam(decayed="v"), "Weight decay"),
        (grdam(decayed="nothing"), "Weight decay"),
    ):
        assert words in lesson06_judges(mistake).why


def lesson06_judges(attempt):
    from grda_edu.course import judge

    return judge(EXERCISES["grdam_step"], attempt)


def test_the_solution_is_what_the_optimizer_does():
    """Step by step under a drop, with momentum and weight decay."""
    rng = np.random.default_rng(0)
    start = rng.normal(size=30)
    p = nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = GRDA([p], lr=0.1, c=1.0, mu=MU, momentum=0.9, weight_decay=0.01)
    w, v, b, g = start, start, 0 * start, 0.0
    for n in range(1, 61):
        lr = 0.1 if n <= 40 else 0.01
        optimizer.param_groups[0]["lr"] = lr
        gradient = rng.normal(size=30)
        p.grad = torch.from_numpy(gradient)
        optimizer.step()
        w, v, b, g = questions.grdam_step(w, v, b, g, n, gradient, lr, 1.0, MU, 0.9, 0.01)
        np.testing.assert_allclose(p.detach().numpy(), w, atol=1e-12)
    assert 0 < (w == 0).sum() < 30


# ------------------------------------------------- live


def optimizers(tuning):
    return {
        "the original g": lambda p: GRDA(
            p, lr=0.01, c=0.02, mu=MU, momentum=0.9, weight_decay=5e-4
        ),
        "your g": lambda p: GRDA(p, lr=0.01, momentum=0.9, weight_decay=5e-4, tuning=tuning),
    }


def test_the_notebooks_own_function_is_accepted():
    (source,) = re.findall(r"(def my_g.*?)\n\n", TEXT, flags=re.S)
    space = {"PowerTuning": PowerTuning}
    exec(source, space)
    optimizer = GRDA([nn.Parameter(torch.ones(1))], lr=0.01, tuning=space["my_g"])
    assert optimizer.state_dict()["param_groups"][0]["tuning"] == "my_g"
    assert space["my_g"](800, 0.01) == space["my_g"](5000, 0.01) > space["my_g"](400, 0.01)


def test_the_drawn_threshold_is_the_optimizers():
    """At lr .01, and .001 from epoch 40 on; an oracle of increments."""
    tuning = PowerTuning(0.02, MU, 0.9)
    picture = lesson06.threshold_of(tuning)
    rates = np.where(np.arange(1, 2401) <= 1600, 0.01, 0.001)
    ours, original = added_up(10 * rates, 0.02, MU), added_up(rates, 0.02, MU)
    rows = your_own._threshold_row(tuning)[0]
    np.testing.assert_allclose(rows["yours.y"][1:], ours[39::40], rtol=1e-9)
    np.testing.assert_allclose(rows["original.y"][1:], original[39::40], rtol=1e-9)
    np.testing.assert_allclose(
        rows["plain.y"][1:], ours[39::40], rtol=1e-9
    )  # the same effective step
    assert f"{ours[-1]:.3f}" in your_own._threshold_row(tuning)[1]
    picture.close()
    with pytest.raises(ValueError, match="<lambda>: it returned nan"):
        lesson06.threshold_of(lambda n, lr: float("nan"))


def test_the_live_view_trains_under_the_schedule():
    """Three epochs, the drop after two: as train does it alone."""
    tuning = PowerTuning(0.02, MU, 0.9)
    view = lesson06.live_training(optimizers(tuning), epochs=3, seed=1)
    view.start()
    runs = view.wait(120)
    assert set(runs) == {"the original g", "your g"}
    alone = train(
        digits_cnn(1),
        digits(),
        optimizers(tuning)["your g"],
        epochs=3,
        seed=1,
        device="cpu",
        make_scheduler=lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [2], gamma=0.1),
    )
    np.testing.assert_array_equal(runs["your g"].zeros, alone.zeros)
    np.testing.assert_array_equal(runs["your g"].train_loss, alone.train_loss)
    view.close()


def test_without_a_drop_the_rate_stays():
    jobs = lesson06.live_training(optimizers(PowerTuning(0.02, MU)), epochs=1, step=False)
    run = jobs._job(lambda *_: None, threading.Event())["the original g"]
    assert run.finished and run.configuration["hyperparameters"]["lr"] == 0.01
    jobs.close()


def test_a_bad_function_of_the_learner_is_shown_by_name():
    view = lesson06.live_training(optimizers(lambda n, lr: -1.0), epochs=1)
    view.start()
    with pytest.raises(ValueError, match="it returned -1"):
        view.wait(60)
    assert "Ended by an error, ValueError" in view.line.said
    view.close()
