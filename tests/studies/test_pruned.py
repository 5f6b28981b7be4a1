"""The study behind lesson 10, made small, against trainings one at a time; and what ships."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim import SGD

from grda_edu import GRDA, PowerTuning, keep_zeros, train
from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.recordings import load_measurements
from grda_edu.studies.frontier import GradualMagnitude
from grda_edu.studies.lanes import Lane, Recipe, gradual, iterative
from grda_edu.studies.pruned import (
    BATCH_NORM,
    CUTS,
    GROUPS,
    NOT_MADE,
    PARTS,
    RETRAINED,
    SCRATCH,
    Pruning,
    by_layer,
    smallest,
    with_batch_norm,
)

EPOCHS, ORDER, LR, MU = 2, 3, 0.1, 0.65
P = 13_706


@pytest.fixture(scope="module")
def start():
    """Weights that are no fresh ones, so that a start is not a model's own."""
    return parameters_to_vector(digits_cnn(5).parameters()).detach().numpy() * 1.1


@pytest.fixture(scope="module")
def mask():
    return np.random.default_rng(0).random(P) < 0.6


def recipe(**options):
    return Recipe(digits_cnn(0), digits(), LR, MU, 32, **options)


def alone(start, make_optimizer, mask=None, epochs=EPOCHS):
    """The same by ``train``, one network at a time: the model and its run."""
    model = digits_cnn(0)
    w = start if mask is None else start * mask
    vector_to_parameters(torch.from_numpy(w.astype(np.float32)), model.parameters())
    kept = keep_zeros(model) if mask is not None else None
    run = train(model, digits(), make_optimizer, epochs=epochs, seed=ORDER, device="cpu")
    if kept:
        kept.undo()
    return parameters_to_vector(model.parameters()).detach().numpy(), run


CASES = {
    "SGD": ({}, lambda p: SGD(p, lr=LR)),
    "gRDA": ({"c": 0.1}, lambda p: GRDA(p, lr=LR, c=0.1, mu=MU)),
    "gRDAM": (
        {"c": 0.1, "momentum": 0.9},
        lambda p: GRDA(p, lr=LR / 10, momentum=0.9, tuning=PowerTuning(0.1, MU, 0.9)),
    ),
    "masked": ({"alive": True}, lambda p: SGD(p, lr=LR)),
    "gradual": ({"prune": gradual(0.8)}, None),
}


def test_each_lane_of_a_stack_is_a_training_of_its_own(start, mask):
    lanes = [
        Lane(start, **(options | ({"alive": mask} if "alive" in options else {})))
        for options, _ in CASES.values()
    ]
    together = recipe(late=1).train(lanes, ORDER, EPOCHS)
    for k, (name, (_, make)) in enumerate(CASES.items()):
        if name == "gradual":

            def make(p):
                optimizer = SGD(p, lr=LR)
                GradualMagnitude(optimizer, 0.8, EPOCHS * 40)
                return optimizer

        w, run = alone(start, make, mask if name == "masked" else None)
        zeros = (together.weights[k] == 0).mean()
        assert zeros == pytest.approx((w == 0).mean(), abs=2e-3), name
        assert (zeros == 0) == (name == "SGD")
        both = (together.weights[k] != 0) & (w != 0)
        np.testing.assert_allclose(together.weights[k][both], w[both], atol=5e-3, err_msg=name)
        np.testing.assert_allclose(together.test[k] / 360, run.test_accuracy, atol=0.009)
        np.testing.assert_allclose(together.val[k] / 157, run.val_accuracy, atol=0.013)
        assert together.loss[k] == pytest.approx(run.train_loss[-1], rel=0.02), name


def test_iterative_pruning_takes_the_same_share_of_what_is_left():
    share = iterative(0.875, 3)
    assert [share(done) for done in (0, 0.33, 0.34, 0.5, 0.67, 1.0)] == pytest.approx(
        [0.5, 0.5, 0.75, 0.75, 0.875, 0.875]
    )


def test_gradual_pruning_begins_late_and_ends_early():
    share = gradual(0.8)
    assert share(0.2) is None
    assert share(0.45) == pytest.approx(0.8 * (1 - 0.5**3))
    assert share(0.7) == share(1.0) == pytest.approx(0.8)


def test_an_order_can_be_taken_up_in_its_middle(start):
    first = recipe().train([Lane(start)], ORDER, 1)
    then = recipe().train([Lane(row) for row in first.weights], ORDER, 1, skipped=1)
    plain = recipe().train([Lane(start)], ORDER, 2)
    np.testing.assert_array_equal(then.weights, plain.weights)
    again = recipe().train([Lane(row) for row in first.weights], ORDER, 1)
    assert not np.array_equal(again.weights, plain.weights)


def test_more_lanes_than_a_stack_holds_stay_in_their_order(start):
    starts = [start * k for k in range(14)]
    found = recipe().ways(
        {"a": [Lane(s) for s in starts[:3]], "b": [Lane(s) for s in starts[3:]]}, 0, 0
    )
    np.testing.assert_array_equal(found["a"].weights, np.array(starts[:3], np.float32))
    np.testing.assert_array_equal(found["b"].weights, np.array(starts[3:], np.float32))
    assert found["b"].test.shape == (11, 1)


def test_scores_are_cut_from_below_and_layer_by_layer():
    scores = np.array([3.0, 1.0, 2.0, 0.0, 5.0, 1.0])
    assert smallest(scores, 0.5).tolist() == [True, False, True, False, True, False]
    kept = by_layer(scores, [2, 4], [1, 2])
    assert kept.tolist() == [True, False, True, False, True, False]


@pytest.fixture(scope="module")
def piece():
    """Two epochs of one seed, two sparsities."""
    study = Pruning(
        sparsities=(0.5, 0.9),
        seeds=(3,),
        epochs=2,
        until=1,
        c_retrained=(0.05, 0.3),
        c_until=(0.05, 0.3),
        c_momentum=(0.05, 0.3),
        c_scratch=(0.05,),
        c_parts=(0.05,),
        steps=(1, 1),
        products=3,
    )
    return study, study.measure(3)


def alive_of(piece, group, ways):
    """Weights that live at the end, in each way and at each sparsity."""
    return P - piece[f"{group}/zeros"].sum(axis=-1)[[GROUPS[group].index(way) for way in ways]]


def test_every_way_has_the_zeros_that_it_is_named_for(piece):
    _, piece = piece
    wanted = [P - round(share * P) for share in (0.5, 0.9)]
    masked = ["magnitude", "random, magnitude's layers", "random", "magnitude, gradual"]
    for group, ways in (
        ("cut", [*masked[:3], "|w·g| of one batch", "directional, steps"]),
        ("retrained", [*masked, "magnitude, three rounds"]),
        ("scratch", ["magnitude, gradual"]),
    ):
        assert (np.abs(alive_of(piece, group, ways) - wanted) <= 1).all(), group
    by_layer = alive_of(piece, "cut", ["magnitude by layer"])
    np.testing.assert_allclose(by_layer, [wanted], atol=4)  # rounded in each of eight tensors
    layers = piece["cut/zeros"][CUTS.index("random, magnitude's layers")]
    np.testing.assert_array_equal(layers, piece["cut/zeros"][CUTS.index("magnitude")])
    for way in ("gRDA", "gRDA, then its mask", "gRDAM"):
        few, many = alive_of(piece, "retrained", [way])[0]
        assert 0 < many < few < P


def test_the_masks_that_are_compared_are_as_sparse_as_grda(piece):
    _, piece = piece
    zeros = piece["parts/zeros"].astype(int)
    grda = zeros[PARTS.index("gRDA"), 0]
    assert 0 < grda.sum() < P
    for way in PARTS:
        own = zeros[PARTS.index(way), 0]
        assert own.sum() == grda.sum()
        if way != "magnitude's mask, same start":
            np.testing.assert_array_equal(own, grda)


def test_retraining_begins_where_cutting_ends(piece):
    _, piece = piece
    for way in ("magnitude", "magnitude by layer", "random", "random, magnitude's layers"):
        begun = piece["retrained/test"][RETRAINED.index(way), :, 0]
        np.testing.assert_array_equal(begun, piece["cut/test"][CUTS.index(way)])
    for way in ("gRDA", "gRDAM", "gRDA, then its mask"):
        begun = piece["retrained/test"][RETRAINED.index(way), :, 0]
        np.testing.assert_array_equal(begun, np.repeat(piece["sgd/test"][-1], 2))


def test_magnitude_is_cut_and_retrained_as_one_network_alone_would_be(piece):
    """From SGD's weights that ``train`` finds, cut by sorting, retrained under ``keep_zeros``."""
    _, piece = piece
    model, data = digits_cnn(3), digits()
    options = {"batch_size": 32, "device": "cpu", "epochs": 2}
    run = train(model, data, lambda p: SGD(p, lr=LR), seed=3, **options)
    np.testing.assert_allclose(piece["sgd/test"] / 360, run.test_accuracy, atol=0.009)
    assert piece["sgd/loss"] == pytest.approx(run.train_loss[1:].mean(), rel=0.02)
    flat = parameters_to_vector(model.parameters()).detach()
    edge = flat.abs().sort().values[round(0.9 * P)]
    vector_to_parameters(torch.where(flat.abs() < edge, 0.0, flat), model.parameters())
    with keep_zeros(model):
        run = train(model, data, lambda p: SGD(p, lr=LR), seed=1003, **options)
    test = piece["retrained/test"][RETRAINED.index("magnitude"), 1] / 360
    np.testing.assert_allclose(test, run.test_accuracy, atol=0.012)
    loss = piece["retrained/loss"][RETRAINED.index("magnitude"), 1]
    assert loss == pytest.approx(run.train_loss[1:].mean(), rel=0.02)


def test_what_is_not_made_is_marked(piece):
    study, piece = piece
    grda = SCRATCH.index("gRDA")
    assert (piece["scratch/test"][grda, 1] == NOT_MADE).all()
    assert np.isnan(piece["scratch/loss"][grda, 1])
    assert (piece["scratch/test"][SCRATCH.index("magnitude, gradual")] >= 0).all()
    norm = {"batch_norm/test": np.zeros((3, 2), np.int16)}
    arrays = study.arrays([norm, piece])
    assert list(study.cells()) == [BATCH_NORM, 3]
    for group, ways in GROUPS.items():
        epochs = () if group == "cut" else (3,)
        assert arrays[f"{group}/test"].shape == (1, len(ways), 2, *epochs)
        assert arrays[f"{group}/zeros"].shape == (1, len(ways), 2, 8)
    about = arrays["about"]["configuration"]
    assert about["images"] == {"test": 360, "val": 157} and sum(about["sizes"]) == P


def test_batch_norm_is_measured_with_old_and_renewed_statistics():
    study = replace(Pruning(), epochs=1, sparsities=(0.0, 0.8))
    seen = study.measure(BATCH_NORM)["batch_norm/test"] / 360
    model, data = with_batch_norm(0), digits()
    assert [type(layer) for layer in model][:3] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    train(model, data, lambda p: SGD(p, lr=LR), epochs=1, seed=0, device="cpu")
    model.eval()

    def right():
        return (model(data.x_test).argmax(dim=1) == data.y_test).double().mean().item()

    assert seen[0, 0] == seen[1, 0] == pytest.approx(right())
    flat = parameters_to_vector(model.parameters()).detach()
    edge = flat.abs().sort().values[round(0.8 * len(flat))]
    vector_to_parameters(torch.where(flat.abs() < edge, 0.0, flat), model.parameters())
    assert seen[2, 0] == pytest.approx(right(), abs=0.003)
    norms = [layer for layer in model if isinstance(layer, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for images in data.x_train.split(512):
            model(images)
    model.eval()
    assert seen[2, 1] == pytest.approx(right(), abs=0.006)
    assert seen[2, 1] != seen[2, 0]


def test_the_gradient_of_the_scores_is_that_of_the_first_batch(piece):
    """|w·g|: removing a weight of small score changes that batch's loss little, to first order."""
    study, _ = piece
    from grda_edu.studies.pruned import _Piece

    small = _Piece(study, 3)
    small.sgd = small.start
    slope = small._gradient()
    data, order = digits(), torch.randperm(1280, generator=torch.Generator().manual_seed(1003))
    batch, model = order[:32], digits_cnn(3)

    def loss():
        return cross_entropy(model(data.x_train[batch]), data.y_train[batch]).item()

    before, bias = loss(), model.fc2.bias
    with torch.no_grad():
        bias[2] += 1e-2
    at = P - 10 + 2
    assert (loss() - before) / 1e-2 == pytest.approx(slope[at], rel=0.05, abs=1e-3)


# ---- what ships


@pytest.fixture(scope="module")
def shipped():
    return load_measurements("pruning")


def last_five(shipped, group, way):
    """Percent of the test images: [S, levels]."""
    hits = shipped.arrays[f"{group}/test"][:, GROUPS[group].index(way)]
    return (hits if group == "cut" else hits[..., -5:].mean(axis=-1)) / 3.6


def test_the_recording_is_the_plan(shipped):
    plan = Pruning()
    for name in ("sparsities", "seeds", "epochs", "c_retrained", "c_scratch", "c_parts"):
        asked = getattr(plan, name)
        assert shipped.configuration[name] == (list(asked) if isinstance(asked, tuple) else asked)
    assert len(plan.seeds) == 8 and plan.epochs == 60
    for group, ways in GROUPS.items():
        shape = 8, len(ways), 5
        assert shipped.arrays[f"{group}/loss"].shape == shape
        assert shipped.arrays[f"{group}/zeros"].shape == (*shape, 8)
        made = shipped.arrays[f"{group}/test"].reshape(*shape, -1)[..., 0] >= 0
        assert made[:, :, :4].all() and np.isfinite(shipped.arrays[f"{group}/loss"][made]).all()


def test_grda_has_the_zeros_that_its_c_was_placed_for(shipped):
    wanted = np.array(Pruning().sparsities)
    for group, way in [("retrained", w) for w in RETRAINED if "gRDA" in w] + [("scratch", "gRDA")]:
        zeros = shipped.arrays[f"{group}/zeros"][:, GROUPS[group].index(way)].sum(axis=-1) / P
        made = zeros[0] > 0
        assert np.abs(zeros.mean(axis=0) - wanted)[made].max() < 0.012, (group, way)


@pytest.mark.parametrize(
    ("group", "way", "sparsity", "percent"),
    [  # prototypes of other code on seeds 0 to 2
        ("cut", "magnitude", 0.8, 96.0),
        ("retrained", "magnitude", 0.9, 97.9),
        ("retrained", "magnitude, gradual", 0.95, 97.4),
        ("retrained", "magnitude by layer", 0.95, 89.0),
        ("retrained", "random, magnitude's layers", 0.9, 96.9),
        ("retrained", "random", 0.9, 91.2),
        ("retrained", "gRDA", 0.9, 97.9),
        ("retrained", "gRDA, then its mask", 0.95, 97.9),
        ("retrained", "gRDAM", 0.95, 97.6),
        ("scratch", "gRDA", 0.9, 97.9),
    ],
)
def test_the_recording_agrees_with_the_prototypes(shipped, group, way, sparsity, percent):
    """Within two standard errors of the difference, each seed's own and that of 360 images."""
    found = last_five(shipped, group, way)[:, Pruning().sparsities.index(sparsity)]
    spread = max(found.std(ddof=1), 0.7)
    assert abs(found.mean() - percent) < 2 * spread * np.sqrt(1 / 8 + 1 / 3) + 0.05


def test_one_recorded_seed_is_trained_again(shipped):
    """SGD of the last seed for two epochs, by ``train``."""
    run = train(digits_cnn(7), digits(), lambda p: SGD(p, lr=LR), epochs=2, seed=7, device="cpu")
    np.testing.assert_allclose(
        shipped.arrays["sgd/test"][7, :3] / 360, run.test_accuracy, atol=0.03
    )
