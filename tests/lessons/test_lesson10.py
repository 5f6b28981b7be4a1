"""Lesson 10: what its text says of the recording, its figures, its exercises, your own network."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction
from torch import nn

from grda_edu import (
    digits,
    digits_cnn,
    directional_pruning_in_steps,
    keep_zeros,
    recordings,
    sparsity,
    zeros_by_layer,
)
from grda_edu.lessons import lesson10
from grda_edu.lessons.lesson10 import EXERCISES, OBJECTIVES, PREDICTIONS, numbers
from grda_edu.lessons.lesson10.live import WAYS, cut_in_place

TEXT = next(Path(__file__).parents[2].glob("notebooks/10_*.md")).read_text("utf-8")


@pytest.fixture(scope="module")
def shipped():
    return recordings.load_measurements("pruning")


@pytest.fixture(scope="module")
def right(shipped):
    """(group, way, sparsity) -> share read right, [S], counted here."""

    def of(group, way, sparsity):
        place = shipped.configuration["groups"][group].index(way)
        k = shipped.configuration["sparsities"].index(sparsity)
        hits = shipped.arrays[f"{group}/test"][:, place, k]
        return (hits if group == "cut" else hits[:, -5:].mean(axis=1)) / 360

    return of


def paired(one, other):
    """Mean difference in points, and its standard error."""
    gaps = 100 * (one - other)
    return gaps.mean(), gaps.std(ddof=1) / np.sqrt(len(gaps))


# ------------------------------------------------- what the text says


def test_eight_seeds_and_their_error(shipped):
    assert len(shipped.configuration["seeds"]) == 8
    assert np.sqrt(0.98 * 0.02 / 360) == pytest.approx(0.007, abs=5e-4)
    assert np.sqrt(0.8 * 0.2 / 360) == pytest.approx(0.02, abs=2e-3)
    assert "eight seeds" in TEXT and "0.7 points near 98%, and 2 points near 80%" in TEXT


def test_not_retrained_the_rules_differ_by_tens_of_points(right, shipped):
    for way in ("magnitude", "magnitude by layer", "directional, one jump", "directional, steps"):
        assert right("cut", way, 0.5).mean() > 0.97
    for share in (0.8, 0.9, 0.95, 0.98):
        steps, jump, size = (
            right("cut", way, share)
            for way in ("directional, steps", "directional, one jump", "magnitude")
        )
        mean, error = paired(steps, size)
        assert mean > 2 * error and jump.mean() < size.mean()
    means = [right("cut", way, 0.9).mean() for way in ("directional, steps", "magnitude")]
    assert means[0] - means[1] > 0.1 and right("cut", "|w·g| of one batch", 0.9).mean() < 0.3
    assert means[0] == max(
        right("cut", way, 0.9).mean() for way in shipped.configuration["groups"]["cut"]
    )
    half = [right("cut", way, 0.5).mean() for way in ("directional, steps", "magnitude")]
    assert half[0] < half[1]  # so "from 80% on" and not sooner
    assert "From 80% on directional pruning in steps keeps most" in TEXT


def test_what_the_steps_cost(shipped):
    numbers_of_steps, products = shipped.configuration["steps"], shipped.configuration["products"]
    assert sum(numbers_of_steps[:3]) == 7 and products == 20
    assert "seven steps of 20 Hessian products each to reach 90%, where a jump takes 40" in TEXT
    assert "seven steps" in PREDICTIONS["cut_order"].question
    assert sum(numbers_of_steps) == 12 and sum(numbers_of_steps) * products == 240
    assert "Twelve steps of directional pruning, to 98%, take 240 Hessian products" in TEXT


def test_layer_counts_can_count_as_much_as_which_weights(right):
    by_layer, its_layers = "magnitude by layer", "random, magnitude's layers"
    for share in (0.5, 0.8, 0.9, 0.95, 0.98):
        mean, error = paired(right("cut", by_layer, share), right("cut", its_layers, share))
        assert mean > 2 * error
    gaps = {
        share: paired(right("retrained", its_layers, share), right("retrained", by_layer, share))
        for share in (0.9, 0.95, 0.98)
    }
    assert 2 < gaps[0.9][0] / gaps[0.9][1] < 2.5  # a hint, as the text calls it
    assert "the random weights end {:.1f} ± {:.2f} points ahead, a hint".format(*gaps[0.9]) in TEXT
    explained = PREDICTIONS["retrained_order"]
    said = explained.explanation.format(**explained.values())
    assert "they differ by +{:.1f} ± {:.1f} points".format(*gaps[0.9]) in said
    assert abs(gaps[0.95][0]) < 2 * gaps[0.95][1] and "At 95% neither is ahead" in TEXT
    assert f"at 98% magnitude by layer is, by {-gaps[0.98][0]:.0f} points" in TEXT


def test_gradual_ways_survive_the_highest_sparsity(right):
    by_size = ["magnitude", "magnitude, gradual", "magnitude, three rounds"]
    grda = ["gRDA", "gRDA, then its mask", "gRDAM"]
    means = [right("retrained", way, 0.95).mean() for way in by_size + grda]
    assert max(means) - min(means) < 0.01
    for way in ("magnitude, gradual", *grda):
        assert right("retrained", way, 0.98).mean() > 0.95
    once, rounds = (right("retrained", way, 0.98) for way in (by_size[0], by_size[2]))
    assert once.mean() < rounds.mean() < 0.95
    mean, error = paired(
        right("retrained", "gRDAM", 0.98), right("retrained", "magnitude, gradual", 0.98)
    )
    assert abs(mean) < 2 * error


def test_from_scratch_is_ahead_by_an_image_at_95_percent(right):
    """Nowhere by two errors up to 90%; at 95% by about three, which are one or two images."""
    ways, trained = ("gRDA", "magnitude, gradual"), ("magnitude", "magnitude, gradual")
    found = {
        share: [
            paired(right("scratch", one, share), right("retrained", other, share))
            for one in ways
            for other in trained
        ]
        for share in (0.5, 0.8, 0.9, 0.95)
    }
    for share in (0.5, 0.8, 0.9):
        assert all(abs(mean) < 2 * error for mean, error in found[share])
    assert all(2.5 < mean / error < 3.5 for mean, error in found[0.95])
    ahead = [mean for mean, _ in found[0.95]]
    assert all(0.5 < 3.6 * mean < 2.5 for mean in ahead)
    assert f"ends {min(ahead):.1f} to {max(ahead):.1f} points ahead of each of these" in TEXT


def test_at_equal_budget_nobody_is_ahead_by_a_point(right):
    for share in (0.5, 0.8, 0.9, 0.95):
        scratch = [right("scratch", way, share).mean() for way in ("gRDA", "magnitude, gradual")]
        detour = [
            right("retrained", way, share).mean()
            for way in ("magnitude", "magnitude, gradual", "magnitude, three rounds", "gRDA")
        ]
        detour += [
            right("retrained", way, share).mean() for way in ("gRDA, then its mask", "gRDAM")
        ]
        assert max(scratch + detour) - min(scratch + detour) < 0.01
    assert right("scratch", "magnitude, gradual", 0.98).mean() > 0.95
    assert np.isnan(numbers.right("scratch", "gRDA")[:, -1]).all()


def test_from_scratch_there_is_no_network_of_98_percent():
    """Recorded apart, with many c: nothing here is read from the lesson's own numbers."""
    made = recordings.load_measurements("collapse")
    zeros, right = made.arrays["zeros"], made.arrays["test"].mean(axis=2) / 360
    c = made.configuration["c"]
    assert c[0] == 0.0231 and np.allclose(np.diff(np.log(c)), np.log(1.03), atol=1e-3)
    assert ((zeros > 0.999) & (right < 0.15)).any(axis=1).sum() == 5
    assert "collapsed to chance (lesson 05) in five of the eight seeds" in TEXT
    assert "fifteen c, each 3% above the last" in TEXT and len(c) == 15
    assert right[zeros > 0.98].max() < 0.84
    assert f"none that read 95% right had more than {zeros[right > 0.95].max():.1%} zeros" in TEXT


def test_the_mask_needs_no_weights_and_belongs_to_its_start(right):
    same = [right("parts", "its mask, same start", share) for share in (0.5, 0.8, 0.9, 0.95)]

    def against(part):
        rows = [right("parts", part, share) for share in (0.5, 0.8, 0.9, 0.95)]
        return [paired(one, other) for one, other in zip(same, rows, strict=True)]

    assert against("gRDA")[-1][0] > 2 * against("gRDA")[-1][1] and against("gRDA")[-1][0] < 1.5
    lost = [mean for mean, _ in against("its mask, another start")]
    assert lost == sorted(lost) and lost[-1] > 2 * against("its mask, another start")[-1][1]
    assert all(abs(mean) < 2 * error for mean, error in against("magnitude's mask, same start"))
    assert against("random mask, its layers")[-1][0] > 10
    itself, levels = against("gRDA"), [f"{share:.0%}" for share in numbers.part_levels()]
    clear = [name for name, (mean, error) in zip(levels, itself, strict=True) if mean > 2 * error]
    assert clear == ["51%", "94%"] and "by two errors only at 51% and 94%" in TEXT
    ahead = [mean for mean, _ in itself]
    assert f"ahead by {min(ahead):.1f} to {max(ahead):.1f} points" in TEXT
    mean, error = against("magnitude's mask, same start")[-1]
    assert f"at 94% −{mean:.2f} ± {error:.2f} points" in TEXT


def test_the_best_epoch_turns_a_ranking_and_validation_images_add_nothing(shipped, right):
    def hits(way, k, part="test"):
        place = shipped.configuration["groups"]["retrained"].index(way)
        return shipped.arrays[f"retrained/{part}"][:, place, k, 1:]

    last = [right("retrained", way, 0.5).mean() for way in ("magnitude", "magnitude by layer")]
    best = [hits(way, 0).max(axis=1).mean() for way in ("magnitude", "magnitude by layer")]
    assert last[0] > last[1] and best[0] < best[1] and "At 50% zeros it turns a ranking" in TEXT
    chosen = hits("magnitude", 3, "val").argmax(axis=1)
    reads = hits("magnitude", 3)[np.arange(8), chosen] / 360
    assert reads.mean() <= right("retrained", "magnitude", 0.95).mean()
    assert "at 95% magnitude gains nothing" in TEXT


def test_what_the_best_epoch_adds(shipped):
    added = {}
    for way in ("magnitude", "magnitude by layer", "random, magnitude's layers"):
        place = shipped.configuration["groups"]["retrained"].index(way)
        hits = shipped.arrays["retrained/test"][:, place, 3] / 3.6
        added[way] = (hits[:, 1:].max(axis=1) - hits[:, -5:].mean(axis=1)).mean()
        zeros = numbers.flattered("retrained", way)[:, 3].mean()
        assert 100 * zeros == pytest.approx(added[way])
    assert min(added.values()) > 0


def test_renewed_statistics_help_a_cut_network(shipped):
    old, new = shipped.arrays["batch_norm/test"].T / 360
    assert (new >= old).all() and new[2] - old[2] > 0.2
    assert f"{new[2]:.1%}" in repr(lesson10.batch_norm())


def test_the_table_of_pairs_is_the_recording(right):
    text = repr(lesson10.in_pairs())
    mean, error = paired(
        right("retrained", "magnitude by layer", 0.95), right("retrained", "magnitude", 0.95)
    )
    (row,) = re.findall(r"^magnitude by layer .*", text, re.MULTILINE)
    assert f"−{-mean:.1f} ± {error:.1f}" in row
    assert "gRDA from scratch" in text and len(re.findall(r"\bnone\b", text)) == 1


def test_the_surgeon_stands_beside_the_steps():
    small = recordings.load_measurements("in_steps").arrays
    at = np.abs(small["small/zeros"][0] - 0.8).argmin()
    assert f"{small['small/obs/test_accuracy'][:, at].mean():.1%}" in repr(
        lesson10.surgeon_beside()
    )
    losses = {
        share: {
            way: np.log(numbers.surgeon(way, "train_loss", share)).mean()
            for way in ("obs", "steps", "magnitude")
        }
        for share in (0.7, 0.8, 0.9)
    }
    lowest = [min(row, key=row.get) for row in losses.values()]
    assert lowest == ["obs", "obs", "steps"]
    assert "Up to 80% the surgeon has the lowest loss, at 90% the steps" in TEXT


def test_the_surgeon_ends_lower_up_to_87_percent():
    """As the docstring of the steps says."""
    small = recordings.load_measurements("in_steps").arrays
    lower = np.log(small["small/obs/train_loss"] / small["small/steps/train_loss"]).mean(axis=0) < 0
    assert small["small/zeros"][0][lower].max() == pytest.approx(0.87, abs=0.006)
    assert "up to about 87% zeros" in " ".join(directional_pruning_in_steps.__doc__.split())


def test_the_c_that_the_live_view_is_told_make_the_zeros(shipped):
    (said,) = re.findall(r"c=(.*) make about (.*)%$", TEXT, re.MULTILINE)
    c, shares = ([float(x) for x in re.findall(r"[\d.]+", part)] for part in said)
    np.testing.assert_allclose(c, shipped.configuration["c_retrained"][1:], rtol=0.02)
    found = 100 * numbers.zeros("retrained", "gRDA").mean(axis=0)[1:]
    np.testing.assert_allclose(found, shares, atol=0.5)


def test_zeros_come_back_and_can_be_kept():
    """What the cell on prune.remove prints."""
    for kept in (True, False):
        model, data = digits_cnn(), digits()
        cut_in_place(model, "magnitude", 0.9)
        before = sparsity(model)
        optimizer = torch.optim.Adam(model.parameters())
        loss = nn.functional.cross_entropy(model(data.x_train[:32]), data.y_train[:32])
        handle = keep_zeros(model) if kept else None
        loss.backward()
        optimizer.step()
        assert (sparsity(model) >= before) if kept else (sparsity(model) < 0.5 * before)
        if handle:
            handle.undo()


# ------------------------------------------------- predictions and exercises


def test_predictions_are_recomputed(right):
    answers = {name: assert_prediction(prediction) for name, prediction in PREDICTIONS.items()}
    assert answers["cut_order"] == "directional in steps > smallest overall > smallest |w·g|"
    cut = [
        right("cut", way, 0.9).mean()
        for way in ("directional, steps", "magnitude", "|w·g| of one batch")
    ]
    assert cut == sorted(cut, reverse=True)
    assert answers["retrained_order"] == (
        "smallest overall > random, same layer counts > smallest of each layer"
    )
    after = [
        right("retrained", way, 0.9).mean()
        for way in ("magnitude", "random, magnitude's layers", "magnitude by layer")
    ]
    assert after == sorted(after, reverse=True)
    assert answers["budget"] == "within one point of each other"
    assert answers["mask_order"] == "its mask, same start > gRDA itself > its mask, another start"


def test_exactly_k():
    def stub(layers, k):
        return ...

    def by_threshold(layers, k):
        return [np.where(np.abs(w) >= np.sort(np.abs(w), axis=None)[-k], w, 0.0) for w in layers]

    def signed(layers, k):
        return [np.where(w >= np.sort(w, axis=None)[-max(k, 1)], w, 0.0) for w in layers]

    def over_all(layers, k):
        every = np.sort(np.abs(np.concatenate([w.ravel() for w in layers])))
        edge = every[-min(k * len(layers), len(every))] if k else np.inf
        return [np.where(np.abs(w) >= edge, w, 0.0) for w in layers]

    def flat(layers, k):
        return [w.ravel() for w in lesson10.EXERCISES["keep_k"].solution(layers, k)]

    def in_place(layers, k):
        for w in layers:
            order = np.argsort(np.abs(w), axis=None, kind="stable")
            w.ravel()[order[: max(w.size - k, 0)]] = 0.0
        return layers

    def raising(layers, k):
        return layers[k + 99]

    def one_by_one(layers, k):
        out = []
        for w in layers:
            kept = sorted(range(w.size), key=lambda j: (abs(w.flat[j]), j))[::-1][:k]
            mask = np.isin(np.arange(w.size), kept).reshape(w.shape)
            out.append(w * mask)
        return out

    def by_rank(layers, k):
        out = []
        for w in layers:
            rank = np.abs(w).argsort(axis=None, kind="stable").argsort().reshape(w.shape)
            out.append(np.where(rank >= w.size - k, w, 0.0))
        return out

    assert_exercise(
        EXERCISES["keep_k"],
        stub=stub,
        wrong=[by_threshold, signed, over_all, flat, in_place],
        raising=raising,
        right=[one_by_one, by_rank],
    )


def test_a_mask_that_survives_adam():
    def stub(begin, mask, loss, steps):
        return ...

    def steps_of(begin, mask, loss, steps, before=True, gradient=False, after=True, end=False):
        w, optimizer = begin()
        with torch.no_grad():
            if before:
                w.mul_(mask)
            for _ in range(steps):
                optimizer.zero_grad()
                with torch.enable_grad():
                    loss(w).backward()
                if gradient:
                    w.grad.mul_(mask)
                optimizer.step()
                if after:
                    w.mul_(mask)
            if end:
                w.mul_(mask)
        return w.detach()

    def unmasked(*args):
        return steps_of(*args, before=False, after=False)

    def gradients_only(*args):
        return steps_of(*args, gradient=True, after=False)

    def at_the_end_only(*args):
        return steps_of(*args, before=False, after=False, end=True)

    def too_late_at_first(*args):
        return steps_of(*args, before=False)

    def raising(begin, mask, loss, steps):
        return begin.w

    def gradients_too(*args):
        return steps_of(*args, gradient=True)

    def masked_forward(begin, mask, loss, steps):
        w, optimizer = begin()
        for _ in range(steps):
            w.data *= mask
            optimizer.zero_grad()
            loss(w).backward()
            optimizer.step()
        return w.detach() * mask

    assert_exercise(
        EXERCISES["masked_training"],
        stub=stub,
        wrong=[unmasked, gradients_only, at_the_end_only, too_late_at_first],
        raising=raising,
        right=[gradients_too, masked_forward],
    )


def test_every_objective_has_its_check():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


# ------------------------------------------------- live


@pytest.mark.parametrize("way", WAYS[:-1])
def test_cutting_in_place_leaves_the_share_asked_for(way):
    model = digits_cnn(1)
    kept = [p.detach().clone() for p in model.parameters()]
    cut_in_place(model, way, 0.8)
    assert sparsity(model) == pytest.approx(0.8, abs=2e-4)
    for p, before in zip(model.parameters(), kept, strict=True):
        assert ((p == before) | (p == 0)).all()
    shares = [dead / size for dead, size in zeros_by_layer(model).values()]
    assert (max(shares) - min(shares) < 0.06) == (way == "magnitude by layer")


def test_random_weights_in_the_layers_of_magnitude():
    models = {way: digits_cnn(1) for way in ("magnitude", "random, magnitude's layers")}
    for way, model in models.items():
        cut_in_place(model, way, 0.8)
    counts = [list(zeros_by_layer(model).values()) for model in models.values()]
    assert counts[0] == counts[1]
    one, other = (model.fc1.weight == 0 for model in models.values())
    assert (one != other).any()


def test_live_the_zeros_are_kept_while_it_is_retrained():
    view = lesson10.live_pruning("magnitude", 0.9, epochs=2)
    view.start()
    runs = view.wait(120)
    assert list(runs) == ["SGD, dense", "pruned"] and all(run.finished for run in runs.values())
    assert runs["SGD, dense"].total_zeros[-1] == 0
    np.testing.assert_allclose(runs["pruned"].total_zeros, 0.9, atol=1e-4)
    assert runs["pruned"].test_accuracy[-1] > runs["pruned"].test_accuracy[0]
    view.close()


def test_live_grda_begins_where_sgd_ended():
    view = lesson10.live_pruning("gRDA", c=0.2, epochs=2)
    view.start()
    runs = view.wait(120)
    assert runs["pruned"].total_zeros[0] == 0 < runs["pruned"].total_zeros[-1]
    assert runs["pruned"].test_accuracy[0] == runs["SGD, dense"].test_accuracy[-1]
    view.close()


def test_live_stops_before_the_cut():
    view = lesson10.live_pruning("magnitude", 0.9, epochs=200)
    view.start()
    view.stop()
    runs = view.wait(60)
    assert list(runs) == ["SGD, dense"] and "stopped" in runs["SGD, dense"].message
    view.close()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"way": "nobody"}, r"way = 'nobody': accepted is one of 'magnitude', "),
        ({"zeros": 1.0}, r"zeros = 1\.0: accepted is a number in \[0, 1\)"),
        ({"epochs": 0}, r"epochs = 0: accepted is an integer >= 1"),
        ({"c": -1}, r"c = -1: accepted is a finite number >= 0"),
    ],
)
def test_live_what_cannot_be_used_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        lesson10.live_pruning(**options)


# ------------------------------------------------- your own


@pytest.fixture(scope="module")
def blobs():
    """Three round clouds in five dimensions."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(3), 40)
    x = random.normal(size=(120, 5)) + 3 * np.eye(3, 5)[y]
    return x, y


def net(outputs=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, outputs))


def cells(table):
    return {row[0]: row[1:] for row in table.rows}


def test_any_network_is_pruned_four_ways(blobs):
    model = net()
    before = [p.detach().clone() for p in model.parameters()]
    rows = cells(lesson10.prune_four_ways(model, *blobs, zeros=0.5, epochs=5))
    assert list(rows) == ["no zeros", *lesson10.your_own.WAYS]
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert float(rows["no zeros"][0][:-1]) > 70
    for way in lesson10.your_own.WAYS:
        cut, after, zeros, died = rows[way]
        assert 45 <= float(zeros[:-1]) <= 55 and died == "nothing"
        assert 0 <= float(cut[:-1]) <= 100 and float(after[:-1]) > 60


def test_a_network_with_batch_norm_and_tensors_are_taken(blobs):
    x, y = map(torch.as_tensor, blobs)
    model = nn.Sequential(nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    rows = cells(lesson10.prune_four_ways(model, x, y, zeros=0.5, epochs=3))
    assert all(float(row[1][:-1]) > 40 for way, row in rows.items() if way != "no zeros")


def test_a_layer_that_dies_is_named(blobs):
    model = net()
    with torch.no_grad():
        model[2].weight.mul_(1e-4)  # the smallest of all, and too far away to grow in one epoch
    rows = cells(lesson10.prune_four_ways(model, *blobs, zeros=0.9, epochs=1, lr=1e-4))
    assert rows["magnitude"][3] == "2.weight: nothing gets through"


def test_a_network_that_answers_everything_alike_is_named(blobs):
    """One weight is left, and it lies in a bias or leads nowhere."""
    rows = cells(lesson10.prune_four_ways(net(), *blobs, zeros=0.99, epochs=1, lr=1e-4))
    random = rows["random, magnitude's layers"]
    assert "get one answer" in random[3] or "2.weight: nothing gets through" in random[3]
    assert random[0] == "33.3%"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "net"}, r"model is a str: accepted is a torch\.nn\.Module"),
        ({"model": nn.ReLU()}, r"model has no trainable parameters: there is nothing to prune"),
        ({"model": net(2)}, r"data has labels 0 to 2: accepted are 0 to 1, as model has 2 outputs"),
        ({"model": nn.Linear(7, 3)}, r"model cannot take examples of shape \(5,\)"),
        ({"x": "nan"}, r"x has NaN or infinity among its numbers"),
        ({"y": "one"}, r"data has one class to train on, label 0"),
        ({"y": "float"}, r"y is torch\.float64 of shape \(120,\): accepted are integer labels"),
        ({"y": "short"}, r"x has 120 examples and y 50 labels"),
        ({"zeros": 1.0}, r"zeros = 1\.0: accepted is a number in \[0, 1\)"),
        ({"lr": 1e9}, r"lr = 1000000000\.0: the training .*diverged"),
    ],
)
def test_bad_input_is_named(blobs, change, words):
    x, y = blobs
    made = {
        "nan": np.where(np.arange(5) == 2, np.nan, x),
        "one": np.zeros(120, int),
        "float": y.astype(float),
        "short": y[:50],
    }
    options = {"model": net(), "x": x, "y": y, "epochs": 2}
    options |= {k: made.get(v, v) if isinstance(v, str) else v for k, v in change.items()}
    with pytest.raises(ValueError, match=words):
        lesson10.prune_four_ways(**options)
