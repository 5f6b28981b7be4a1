"""Lesson 04: figures against the recording, the recording against training, and the exercise."""

import base64
from pathlib import Path

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction

from grda_edu import GRDA, digits_cnn, recordings, tuning_function, zeros_by_layer
from grda_edu.data import digits
from grda_edu.explore.writing import percent
from grda_edu.lessons import lesson04
from grda_edu.lessons.lesson04 import EXERCISES, OBJECTIVES, PREDICTIONS, inside_network, numbers
from grda_edu.lessons.lesson04.live import recorded_like
from grda_edu.lessons.lesson04.numbers import LARGE_C, MU, WEIGHTS, C
from grda_edu.lessons.lesson04.questions import count_zeros
from grda_edu.lessons.lesson04.recorded_trainings import _comparison

TEXT = (Path(__file__).parents[2] / "notebooks/04_small_cnn_grows_sparse.md").read_text("utf-8")


@pytest.fixture(scope="module")
def runs():
    return recordings.load("digits_grid")


def cells(runs, count, seed=0):
    """Some (c, mu, seed) of the grid, chosen at random, and the corners."""
    rng = np.random.default_rng(seed)
    some = [
        (float(rng.choice(runs.c)), float(rng.choice(runs.mu)), int(rng.choice(runs.seeds)))
        for _ in range(count)
    ]
    return [*some, (0.0, runs.mu[0], 0), (runs.c[-1], runs.mu[-1], int(runs.seeds[-1]))]


# ------------------------------------------------- the figures


def test_scrubbing_shows_the_recorded_runs(runs):
    scrub = lesson04.scrub()
    assert scrub.tabulated and scrub.table_bytes < 1_000_000
    for c, mu, seed in cells(runs, 12):
        for epoch in (0, 7, int(runs.epoch[-1])):
            row, sentence = scrub._compute(seed=seed, epoch=epoch, c=c, mu=mu)
            ours, sgd = runs.run(c, mu, seed), runs.run(0.0, mu, seed)
            for name, run in (("gRDA", ours), ("SGD", sgd)):
                for curve in ("test_accuracy", "train_loss", "total_zeros"):
                    drawn = np.array(getattr(run, curve))
                    if curve == "test_accuracy":
                        drawn[drawn < 0.8] = 0.8  # on the axis's edge, whose tick says so
                    np.testing.assert_array_equal(row[f"{name} {curve}.y"], drawn)
                    assert row[f"{name} {curve} now.y"] == [drawn[epoch]]
            np.testing.assert_allclose(row["zeros by layer.x"] * runs.sizes, ours.zeros[epoch])
            assert f"{percent(ours.total_zeros[epoch])} exact zeros" in sentence
            assert runs.device in sentence
            lost = sgd.test_accuracy[epoch] - ours.test_accuracy[epoch]
            goal = epoch == 60 and ours.total_zeros[epoch] >= 0.9 and lost < 0.01
            (asked,) = scrub._goals
            assert asked.reached(seed=seed, epoch=epoch, c=c, mu=mu) == goal


def test_no_axis_moves_while_epochs_play(runs):
    row, _ = lesson04.scrub()._compute(seed=0, epoch=7, c=0.02, mu=0.65)
    assert not [name for name in row if "range" in name]


def test_a_layer_dies_as_the_text_says(runs):
    run = runs.run(0.05, MU, int(runs.seeds[0]))
    left = {k: int((run.snapshots[k]["fc2.weight"] != 0).sum()) for k in (5, 10)}
    assert left == {5: 82, 10: 0} and MU == 0.65
    assert "At epoch 5 the last layer has 82 of its 640 wires left, at epoch 10 none" in TEXT
    assert run.test_accuracy[10] < 0.15  # "only guesses"


def test_the_goal_can_be_reached(runs):
    """By seed 0, which the figure shows first, and in the mean of the seeds at the text's (C, MU)."""
    zeros, loss = runs.final("total_zeros"), runs.minus_sgd()[..., -1]
    reached = (zeros >= 0.9) & (loss > -0.01)
    assert reached[:, :, 0].any()
    assert not reached.all(axis=2).any()  # "Is the goal still reached?" No: seeds disagree
    text = lesson04.all_runs()._compute(C)[1]
    i, j = list(runs.c).index(C), list(runs.mu).index(MU)
    assert zeros[i, j].mean() >= 0.9 and loss[i, j].mean() > -0.01
    assert f"the goal is reached with μ = {MU:g}." in text


def test_the_first_state_leaves_something_to_find(runs):
    scrub = lesson04.scrub()
    assert not scrub._goals[0].reached(seed=0, epoch=scrub.epoch, c=scrub.c, mu=scrub.mu)


@pytest.mark.parametrize(
    ("ours", "words"),
    [(0.97, "as many as SGD"), (0.975, "2 images more"), (0.9675, "1 image fewer")],
)
def test_the_comparison_counts_images(ours, words):
    assert words in _comparison(round(ours * 360) / 360, round(0.97 * 360) / 360)


def test_tiles_put_every_filter_in_a_place_of_its_own():
    filters = np.arange(144.0).reshape(16, 1, 3, 3)
    square = inside_network.mosaic(filters)
    for k in range(16):
        top, left = 4 * (k // 4), 4 * (k % 4)
        np.testing.assert_array_equal(square[top : top + 3, left : left + 3], filters[k, 0])
    assert np.isnan(square).sum() == 15 * 15 - 144


def test_the_inside_is_the_recorded_inside(runs):
    inside = lesson04.inside()
    assert inside.tabulated and inside.table_bytes < 1_000_000
    for c, mu, _ in cells(runs, 4):
        for epoch in runs.picture_epochs[[0, 3, -1]]:
            row, sentence = inside._compute(mu=mu, epoch=epoch, c=c)
            run = runs.run(c, mu, int(runs.seeds[0]))
            filters, last = (run.snapshots[epoch][k] for k in ("conv1.weight", "fc2.weight"))
            drawn = row["filters.z"][np.isfinite(row["filters.z"])]
            np.testing.assert_array_equal(np.sort(drawn), np.sort(filters[filters != 0]))
            assert np.isfinite(row["filter zeros.y"]).sum() == (filters == 0).sum()
            assert np.isfinite(row["wires.y"]).sum() == 2 * (last != 0).sum()
            assert np.nansum(row["weights.y"]) == run.histograms[epoch].sum()
            np.testing.assert_array_equal(
                np.isfinite(row["cut-off units.y"]), (last == 0).all(axis=0)
            )
            assert row["spike.y"][0] == run.total_zeros[epoch]
            assert f"{(last != 0).sum()} of 640 wires" in sentence


def test_bars_and_spike_make_up_the_whole_network(runs):
    row, _ = lesson04.inside()._compute(MU, int(runs.epoch[-1]), C)
    alive = np.nansum(row["weights.y"]) / runs.sizes.sum()
    assert alive + row["spike.y"][0] == pytest.approx(1)


def test_all_runs_are_drawn_once(runs):
    figure = lesson04.all_runs().figure
    dots = next(trace for trace in figure["data"] if trace["name"] == "all")
    expected = [
        runs.run(c, mu, s).total_zeros[-1] for c in runs.c[1:] for mu in runs.mu for s in runs.seeds
    ]
    x = np.frombuffer(base64.b64decode(dots["x"]["bdata"]), dots["x"]["dtype"])
    np.testing.assert_allclose(x, expected)


def test_the_chosen_c_lights_up_with_its_spread(runs):
    every_run = lesson04.all_runs()
    for c in runs.c[1:]:
        row, sentence = every_run._compute(float(c))
        pairs = [
            [
                runs.run(c, mu, s).test_accuracy[-1] - runs.run(0, mu, s).test_accuracy[-1]
                for s in runs.seeds
            ]
            for mu in runs.mu
        ]
        np.testing.assert_allclose(row["this c.y"], np.maximum(np.ravel(pairs), -0.06))
        np.testing.assert_allclose(row["mean.y"], np.maximum(np.mean(pairs, axis=1), -0.06))
        dead = sum(runs.run(c, mu, s).test_accuracy[-1] < 0.2 for mu in runs.mu for s in runs.seeds)
        assert f"{abs(100 * np.min(pairs)):.1f} and " in sentence
        assert f"{dead} of {np.size(pairs)} collapsed" in sentence


# ------------------------------------------------- the text's claims


def test_the_threshold_outgrows_the_initial_weights_of_all_layers_but_the_first():
    """What the table says: PyTorch draws from ±1/√k, the first layer from ±1/3."""
    threshold, above = (
        numbers.final_threshold(),
        numbers.above_at_start(numbers.final_threshold()),
    )
    bounds = {"conv1.weight": 9, "conv2.weight": 144, "fc1.weight": 128, "fc2.weight": 64}
    for name, inputs in bounds.items():
        largest = numbers.initial_sizes()[name][-1]
        assert 0.98 / np.sqrt(inputs) < largest <= 1 / np.sqrt(inputs)
        assert (above[name] > 0) == (largest > threshold) == (name == "conv1.weight")


def test_more_of_the_first_layer_lives_than_could_unpushed(runs):
    above = numbers.above_at_start(numbers.final_threshold())
    for seed in runs.seeds:
        alive = 1 - runs.run(C, MU, int(seed)).zeros[-1] / runs.sizes
        assert alive[runs.layers.index("conv1.weight")] > above["conv1.weight"] > 0.2
        assert alive[runs.layers.index("conv1.weight")] > 0.5  # "keeps most of its weights"
        # and initial sizes do not explain why fc2 keeps more than fc1 and conv2
        shares = {name: alive[runs.layers.index(name)] for name in WEIGHTS}
        assert shares["fc2.weight"] > 2 * max(shares["fc1.weight"], shares["conv2.weight"])


def test_seeds_disagree_about_the_goal(runs):
    cells = numbers.goal_cells()
    for seed, reached in cells.items():
        for c in runs.c:
            for mu in runs.mu:
                run, sgd = runs.run(c, mu, seed), runs.run(0.0, mu, seed)
                good = run.total_zeros[-1] >= 0.9
                good &= sgd.test_accuracy[-1] - run.test_accuracy[-1] < 0.01
                assert good == ((c, mu) in reached)
    assert not set.intersection(*map(set, cells.values()))  # no pair serves every seed


def test_the_early_zeros_are_explained_by_small_initial_weights(runs):
    values = numbers.early_threshold()
    at_10, at_60 = (tuning_function(40 * epochs, 0.1, C, MU) for epochs in (10, 60))
    assert values["height"] == pytest.approx(at_10 / at_60)
    sizes = torch.cat([p.detach().abs().flatten() for p in digits_cnn(0).parameters()])
    assert values["met"] == pytest.approx((sizes <= at_10).float().mean().item(), abs=1e-5)
    assert values["met"] > 0.7


def test_the_hill_is_cut_down(runs):
    """At epoch 60 SGD's highest bar is at least ten times gRDA's."""
    ours = runs.run(C, MU, int(runs.seeds[0])).histograms[60].sum(axis=0)
    sgd = runs.run(0.0, MU, int(runs.seeds[0])).histograms[60].sum(axis=0)
    assert sgd.max() > 10 * ours.max()


def test_the_final_threshold_is_the_optimizers(runs):
    """The sum of a training's steps, as the optimizer accumulates them."""
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = GRDA([weight], lr=0.1, c=C, mu=MU)
    steps = int(runs.epoch[-1]) * len(digits().y_train.split(32))
    for _ in range(steps):
        weight.grad = torch.zeros(1)
        optimizer.step()
    assert numbers.final_threshold() == pytest.approx(optimizer.state[weight]["threshold"])


def test_zeros_come_first_where_weights_start_small(runs):
    initial = {name: sizes[-1] for name, sizes in numbers.initial_sizes().items()}
    at = [runs.layers.index(name) for name in WEIGHTS]
    for seed in runs.seeds:
        shares = (runs.run(C, MU, int(seed)).zeros[1] / runs.sizes)[at]
        sizes = [initial[name] for name in WEIGHTS]
        assert shares[0] == shares.min() and sizes[0] == max(sizes)
        assert max(shares[1], shares[2]) > shares[3]  # 0.083 and 0.088 before 0.125


def test_sgd_has_no_zeros_and_thousands_of_weights_near_zero(runs):
    for seed in runs.seeds:
        assert (runs.run(0.0, MU, int(seed)).zeros == 0).all()
    near = runs.run(0.0, MU, int(runs.seeds[0])).histograms[int(runs.epoch[-1])].sum(axis=0)
    assert near[np.abs(inside_network._CENTRES) < 0.1].sum() > 2000


def test_a_layer_of_zeros_before_a_relu_never_comes_back():
    model = digits_cnn(0)
    with torch.no_grad():
        for parameter in model.fc1.parameters():
            parameter.zero_()
    data = digits()
    torch.nn.functional.cross_entropy(model(data.x_train[:32]), data.y_train[:32]).backward()
    for layer in (model.conv1, model.conv2, model.fc1):
        assert all((parameter.grad == 0).all() for parameter in layer.parameters())


def test_without_the_relu_or_with_a_positive_bias_a_layer_of_zeros_gets_gradients():
    """ "Every condition counts": and the layers before it get none either way."""
    names = ["conv1", "conv2", "fc1", "fc2"]
    data = digits()
    for name, bias in (("fc2", 0.0), ("fc1", 0.1)):
        model = digits_cnn(0)
        with torch.no_grad():
            getattr(model, name).weight.zero_()
            getattr(model, name).bias.fill_(bias)
        if name == "fc1":  # behind it all is as at the start: the gradient passes the ReLU
            assert (model.fc2.weight != 0).any()
        loss = torch.nn.functional.cross_entropy(model(data.x_train[:32]), data.y_train[:32])
        loss.backward()
        assert (getattr(model, name).weight.grad != 0).any()
        for before in names[: names.index(name)]:
            assert (getattr(model, before).weight.grad == 0).all()


def test_predictions_are_recomputed(runs):
    at_c_mu = [runs.run(C, MU, int(s)) for s in runs.seeds]
    share = 100 * sum(r.total_zeros[10] for r in at_c_mu) / sum(r.total_zeros[-1] for r in at_c_mu)
    assert assert_prediction(PREDICTIONS["early"]) == pytest.approx(share)
    assert (
        share > 100 * 10 / 60 + PREDICTIONS["early"].tolerance
    )  # "early" is true, and not a sixth
    kept = {
        name: sum(r.zeros[-1][runs.layers.index(name)] for r in at_c_mu)
        / runs.sizes[runs.layers.index(name)]
        for name in WEIGHTS
    }
    assert assert_prediction(PREDICTIONS["which_layer"]) == min(kept, key=kept.get)
    large = [runs.run(LARGE_C, MU, int(s)) for s in runs.seeds]
    dead = sorted(r.test_accuracy[-1] < 0.2 for r in large)[len(large) // 2]
    assert assert_prediction(PREDICTIONS["too_large"]).startswith("it dies") == dead
    assert runs.c[-1] == LARGE_C


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_the_text_names_the_networks_size_and_the_test_images():
    assert sum(size for _, size in zeros_by_layer(digits_cnn(0)).values()) == 13_706
    assert len(digits().y_test) == numbers.TEST_IMAGES == 360


# ------------------------------------------------- live

OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "gRDA": lambda parameters: GRDA(parameters, lr=0.1, c=C, mu=MU),
}


def test_live_equals_recorded(runs):
    """The first epochs of a live run are those of the recording, on the same kind of processor."""
    view = lesson04.live_training(OPTIMIZERS, epochs=3)
    view.start()
    live = view.wait(60)
    view.close()
    assert set(live) == set(OPTIMIZERS)
    for run in live.values():
        recorded = recorded_like(run)
        assert len(recorded.epoch) == 4
        np.testing.assert_allclose(run.total_zeros, recorded.total_zeros, atol=0.01)
        np.testing.assert_allclose(run.test_accuracy, recorded.test_accuracy, atol=0.03)


def test_only_like_is_compared_with_like():
    def run_with(**changes):
        run = numbers.grid().run(C, MU, 0)
        settings = run.configuration["hyperparameters"] | changes.pop("settings", {})
        run.configuration = run.configuration | {"hyperparameters": settings} | changes
        return run

    assert recorded_like(run_with()) is not None
    for changes in (
        {"batch_size": 64},
        {"seed": 77},
        {"settings": {"lr": 0.05}},
        {"settings": {"momentum": 0.9}},
        {"settings": {"weight_decay": 1e-4}},
        {"settings": {"c": 0.0123}},
        {"settings": {"mu": 0.52}},
    ):
        assert recorded_like(run_with(**changes)) is None, changes


def test_the_live_view_trains_both_and_stands_beside_the_recording():
    view = lesson04.live_training(OPTIMIZERS, epochs=1)
    before = lesson04.beside_the_recording(view).table
    assert "press Start" in before.caption
    assert [row[0] for row in before.rows] == ["SGD, recorded on cpu", "gRDA, recorded on cpu"]
    view.start()
    assert set(view.wait(60)) == {"SGD", "gRDA"}
    rows = lesson04.beside_the_recording(view).table.rows
    assert len(rows) == 4
    for live, (name, zeros, right, epoch, _) in zip(("live", "recorded") * 2, rows, strict=True):
        method = name.partition(",")[0]
        assert f", {live} on " in name and epoch == "1"
        run = view.runs[method]
        if live == "recorded":
            run = numbers.grid().run(C if method == "gRDA" else 0.0, MU, 0)
        assert zeros == f"{100 * run.zeros[1].sum() / 13_706:.2f}%"
        assert right == f"{100 * run.test_accuracy[1]:.2f}%"
    view.close()


# ------------------------------------------------- the exercise


def test_the_exercise_tells_answers_apart():
    def stub(model):
        return ...

    def nearly_zero(model):
        return {n: (int((p.abs() < 1e-6).sum()), p.numel()) for n, p in model.named_parameters()}

    def no_biases(model):
        return {
            n: (int((p == 0).sum()), p.numel())
            for n, p in model.named_parameters()
            if not n.endswith("bias")
        }

    def fractions(model):
        return {n: float((p == 0).float().mean()) for n, p in model.named_parameters()}

    def swapped(model):
        return {n: (p.numel(), int((p == 0).sum())) for n, p in model.named_parameters()}

    def alive(model):
        return {n: (int((p != 0).sum()), p.numel()) for n, p in model.named_parameters()}

    def not_positive(model):
        return {n: (int((p <= 0).sum()), p.numel()) for n, p in model.named_parameters()}

    def only_trained(model):
        return {
            n: (int((p == 0).sum()), p.numel())
            for n, p in model.named_parameters()
            if p.requires_grad
        }

    def one_total(model):
        ps = list(model.parameters())
        return sum(int((p == 0).sum()) for p in ps), sum(p.numel() for p in ps)

    def rounds_the_weights(model):
        with torch.no_grad():
            for p in model.parameters():
                p[p.abs() < 1e-20] = 0
                p.mul_(2)
        return {n: (int((p == 0).sum()), p.numel()) for n, p in model.named_parameters()}

    def raises(model):
        return {n: p.count_zero() for n, p in model.named_parameters()}

    def by_state(model):
        return {n: (int((t == 0).sum()), t.numel()) for n, t in model.state_dict().items()}

    assert_exercise(
        EXERCISES["count_zeros"],
        stub=stub,
        wrong=[
            nearly_zero,
            no_biases,
            fractions,
            swapped,
            alive,
            not_positive,
            only_trained,
            one_total,
            rounds_the_weights,
        ],
        raising=raises,
        right=[count_zeros, zeros_by_layer, by_state],
    )
