"""Lesson 09: figures and claims against the recording, the recording against networks that ship."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction

from grda_edu import digits, digits_cnn, recordings
from grda_edu.explore import writing
from grda_edu.geometry.valley import bezier, measure_along, plane_through, straight_line
from grda_edu.lessons import lesson09
from grda_edu.lessons.lesson09 import EXERCISES, OBJECTIVES, PREDICTIONS, numbers, questions
from grda_edu.lessons.lesson09.looks import STYLES
from grda_edu.lessons.lesson09.numbers import GOAL, PATHS
from grda_edu.lessons.lesson09.worst_points import LABELS
from grda_edu.studies.paths import PAIRS

TEXT = (Path(__file__).parents[2] / "notebooks/09_same_valley.md").read_text("utf-8")


@pytest.fixture(scope="module")
def arrays():
    return recordings.load_measurements("paths").arrays


def ends_of(arrays, pair):
    return [arrays[f"first/weights/{name}"].astype(float) for name in PAIRS[pair]]


# ------------------------------------------------- the recording


def test_the_recording_holds_every_pair_and_five_seeds(arrays):
    assert PATHS.keys() == STYLES.keys() == PAIRS.keys() == LABELS.keys()
    assert len(arrays["seeds"]) >= 5
    assert arrays["t"][[0, 20, -1]].tolist() == [0, 0.5, 1]
    for pair in PATHS:
        for path in ("line", "curve"):
            for part in ("train", "test"):
                for what in ("loss", "accuracy"):
                    curves = arrays[f"{pair}/{path}_{part}_{what}"]
                    assert curves.shape == (len(arrays["seeds"]), len(arrays["t"]))
                    assert np.isfinite(curves).all()


@pytest.mark.parametrize("pair", PATHS)
def test_recorded_paths_are_measured_again(arrays, pair):
    """From the weights that ship: three points of the line, of the curve, of a bend, of the plane."""
    start, end = ends_of(arrays, pair)
    middle = arrays[f"first/{pair}/middle"].astype(float)
    halves = (start + end) / 2
    bend = 7
    own = (1 - arrays["bends"][bend]) * halves + arrays["bends"][bend] * middle
    steps, t = (9, 20, 33), arrays["t"]
    points = [straight_line(start, end, t[k]) for k in steps]
    points += [bezier(start, middle, end, t[k]) for k in steps]
    points += [bezier(start, own, end, t[k]) for k in steps]
    plane = plane_through(start, end, middle)
    a, b = (arrays[f"first/{pair}/{axis}"] for axis in "ab")
    cells = ((3, 20), (15, 9), (28, 28))
    points += [plane.point(a[i], b[j]) for i, j in cells]
    again = measure_along(digits_cnn(), points, digits(), ("train", "test"))
    for name in ("train_loss", "test_accuracy"):
        line, curve = (arrays[f"{pair}/{path}_{name}"][0] for path in ("line", "curve"))
        bent, field = (arrays[f"first/{pair}/{on}_{name}"] for on in ("bend", "plane"))
        recorded = [line[k] for k in steps] + [curve[k] for k in steps]
        recorded += [bent[bend, k] for k in steps] + [field[j, i] for i, j in cells]
        if name == "train_loss":
            np.testing.assert_allclose(again[name], recorded, rtol=2e-3)
        else:  # single images may change sides
            np.testing.assert_allclose(again[name], recorded, atol=2.1 / 360)
    np.testing.assert_allclose(plane.corners, arrays[f"first/{pair}/corners"], atol=1e-3)


def test_the_networks_are_what_their_names_say(arrays):
    weights = {name: arrays[f"first/weights/{name}"] for pair in PAIRS.values() for name in pair}
    sgd, grda = weights["sgd"], weights["grda"]
    assert all(w.shape == (13706,) for w in weights.values())
    zeros = {name: int((w == 0).sum()) for name, w in weights.items()}
    assert zeros["sgd"] == 0
    cut = weights["magnitude"]
    assert zeros["magnitude"] == zeros["grda"] == zeros["gradual"] == zeros["mask"]
    np.testing.assert_array_equal(cut[cut != 0], sgd[cut != 0])
    assert np.abs(sgd[cut == 0]).max() <= np.abs(sgd[cut != 0]).min()
    moved = grda.astype(float) - sgd
    by_chance = weights["signs"].astype(float) - sgd
    np.testing.assert_allclose(np.abs(by_chance), np.abs(moved), atol=1e-6)
    assert abs((by_chance * moved > 0).mean() - 0.5) < 0.02
    names = recordings.load_measurements("paths").configuration["networks"]
    assert arrays["zeros"][0].tolist() == [zeros[name] for name in names]


def parts_of(weights):
    sizes = [p.numel() for p in digits_cnn().parameters()]
    return np.split(weights, np.cumsum(sizes)[:-1])


def test_random_zeros_are_grdas_in_number_and_not_in_place(arrays):
    mask, grda = (parts_of(arrays[f"first/weights/{n}"] == 0) for n in ("mask", "grda"))
    assert [part.sum() for part in mask] == [part.sum() for part in grda]
    both, p = np.concatenate(mask) & np.concatenate(grda), (arrays["zeros"][0, 1] / 13706) ** 2
    assert abs(both.mean() - p) < 0.05  # as many in common as chance has


def test_matching_changes_the_order_of_units_and_no_output(arrays):
    found, given = (arrays[f"first/weights/sgd_other_start{suffix}"] for suffix in ("_matched", ""))
    assert (found != given).mean() > 0.5
    for one, other in zip(parts_of(found), parts_of(given), strict=True):
        np.testing.assert_array_equal(np.sort(one), np.sort(other))
    data, outputs = digits(), []
    for weights in (found, given):
        model = digits_cnn()
        torch.nn.utils.vector_to_parameters(torch.from_numpy(weights), model.parameters())
        with torch.no_grad():
            outputs.append(model(data.x_test))
    torch.testing.assert_close(*outputs, atol=1e-3, rtol=1e-4)


def test_the_ends_are_those_of_the_recorded_trainings(arrays):
    """The grid of lesson 04 trained the same networks: accuracies and zeros agree."""
    grid = recordings.load("digits_grid")
    grda = recordings.load_measurements("paths").configuration["networks"].index("grda")
    for k, seed in enumerate(arrays["seeds"]):
        if seed not in grid.seeds:
            continue
        runs = grid.run(0.0, 0.65, int(seed)), grid.run(0.02, 0.65, int(seed))
        for at, run in zip((0, -1), runs, strict=True):
            reached = arrays["grda/line_test_accuracy"][k, at]
            assert reached == pytest.approx(run.test_accuracy[-1], abs=0.04)
        assert arrays["zeros"][k, grda] / 13706 == pytest.approx(runs[1].total_zeros[-1], abs=0.01)


# ------------------------------------------------- the figures


@pytest.mark.parametrize("pair", PATHS)
def test_walking_straight_shows_the_recording(arrays, pair):
    demo = lesson09.straight()
    assert demo.tabulated and demo.table_bytes < 100_000
    for k in (0, 13, 40):
        row, sentence = demo._compute(path=pair, t=arrays["t"][k])
        loss, right = (arrays[f"{pair}/line_{n}"] for n in ("train_loss", "test_accuracy"))
        np.testing.assert_array_equal(row["loss here.y"], loss[:, k])
        np.testing.assert_array_equal(row["accuracy here.y"], right[:, k])
        for s, seed in enumerate(arrays["seeds"]):
            np.testing.assert_array_equal(row[f"loss, seed {seed}.y"], loss[s])
        assert f"{right[:, k].min():.1%}" in sentence and f"{right[:, k].max():.1%}" in sentence
        highest = loss.max(axis=1)
        assert writing.loss(highest.min()) in sentence
        assert writing.loss(highest.max()) in sentence


@pytest.mark.parametrize("pair", PATHS)
def test_the_bent_path_lies_where_it_is_drawn(arrays, pair):
    """In the plane, by projecting the weights of the path."""
    start, end = ends_of(arrays, pair)
    middle = arrays[f"first/{pair}/middle"].astype(float)
    plane = plane_through(start, end, middle)
    for bend in (0.0, 0.6, 1.5):
        own = (1 - bend) * (start + end) / 2 + bend * middle
        points = np.stack([bezier(start, own, end, t) for t in arrays["t"]])
        drawn = numbers.on_plane(pair, bend)
        np.testing.assert_allclose(drawn, plane.project(points), atol=1e-3)
        assert plane.distance(points).max() < 1e-9
        a, b = (arrays[f"first/{pair}/{axis}"] for axis in "ab")
        if bend <= 1:
            assert (drawn.min(axis=0) >= [a[0], b[0]]).all()
            assert (drawn.max(axis=0) <= [a[-1], b[-1]]).all()


def test_bending_shows_the_recording(arrays):
    demo = lesson09.around()
    assert demo.tabulated and demo.table_bytes < 1_000_000
    for pair in PATHS:
        for s, k in ((0, 20), (10, 7), (15, 40)):
            bend, t = arrays["bends"][s], arrays["t"][k]
            row, sentence = demo._compute(path=pair, bend=bend, t=t)
            losses = arrays[f"first/{pair}/bend_train_loss"].astype(float)
            np.testing.assert_allclose(row["loss bent.y"], losses[s])
            np.testing.assert_allclose(row["loss straight.y"], losses[0])
            assert row["loss here.y"] == [losses[s, k]]
            high = losses[s] >= GOAL
            np.testing.assert_array_equal(np.isnan(row["loss bent high.y"]), ~high)
            np.testing.assert_allclose(row["bent high.x"][high], row["bent.x"][high])
            np.testing.assert_allclose(
                10 ** row["plane.z"], arrays[f"first/{pair}/plane_train_loss"], rtol=1e-5
            )
            assert ("does not stay below" in sentence) == (losses[s].max() >= GOAL)


def test_every_hill_is_drawn(arrays):
    demo = lesson09.hills()
    assert demo.tabulated
    row, sentence = demo._compute(what="loss")
    expected = np.concatenate([arrays[f"{p}/line_train_loss"].max(axis=1) for p in PATHS])
    np.testing.assert_allclose(row["line.x"], expected)
    row, _ = demo._compute(what="accuracy")
    expected = np.concatenate([arrays[f"{p}/curve_test_accuracy"].min(axis=1) for p in PATHS])
    np.testing.assert_allclose(row["curve.x"], expected)
    assert all(label in sentence for label in PATHS.values())


# ------------------------------------------------- the text's claims, in every recorded seed


def highest(arrays, pair, path):
    return arrays[f"{pair}/{path}_train_loss"].max(axis=1)


def higher_end(arrays, pair):
    return arrays[f"{pair}/line_train_loss"][:, [0, -1]].max(axis=1)


def rise(arrays, pair, path="line"):
    return highest(arrays, pair, path) - higher_end(arrays, pair)


def test_the_moves_are_as_long_as_the_text_says(arrays):
    moved = arrays["grda/distance"] / arrays["grda/norm"]
    assert (np.abs(moved - 0.8) < 0.05).all()  # four fifths
    assert (arrays["grda/distance"] > 3 * arrays["batches/distance"]).all()
    start, end = ends_of(arrays, "grda")
    assert arrays["grda/distance"][0] == pytest.approx(np.linalg.norm(end - start), rel=1e-5)
    assert arrays["grda/norm"][0] == pytest.approx(np.linalg.norm(start), rel=1e-5)
    networks = recordings.load_measurements("paths").configuration["networks"]
    assert (np.abs(arrays["zeros"][:, networks.index("grda")] / 13706 - 0.9) < 0.02).all()


def test_between_two_starts_the_hill_is_fifty_times_that_to_grda(arrays):
    hump = rise(arrays, "grda")
    for pair in ("start", "grda_start"):
        assert (rise(arrays, pair) > 0.5).all()
    assert rise(arrays, "start").min() > 50 * hump.max()
    assert (rise(arrays, "batches") < 0.001).all()
    np.testing.assert_allclose(numbers.barrier("grda"), hump, rtol=1e-5)


def test_grda_ends_higher_than_sgd(arrays):
    sgd, grda = arrays["grda/line_train_loss"][:, [0, -1]].T
    assert (sgd < 0.001).all()
    assert (grda > 5 * sgd).all()


def test_cutting_and_chance_climb_eight_times_as_high_as_grda(arrays):
    for pair in ("magnitude", "signs"):
        assert (rise(arrays, pair) == 0).all()
        assert (higher_end(arrays, pair) > 8 * higher_end(arrays, "grda")).all()


def test_many_draws_end_high(arrays):
    """The table of chance, and "hardly a draw comes near": measured again from the weights."""
    end = arrays["grda/line_train_loss"][:, -1:]
    table = repr(lesson09.by_chance())
    for kind in ("signs", "direction"):
        times = arrays[f"chance/{kind}"] / end
        assert times.shape == (5, 200)
        medians = np.median(times, axis=1)
        assert f"{medians.min():.1f} to {medians.max():.1f}" in table
        assert re.search(rf"  {times.min():.1f}$", table, re.MULTILINE)
    signs, direction = (arrays[f"chance/{kind}"] / end for kind in ("signs", "direction"))
    assert (signs < 8).mean() < 0.01
    assert (np.median(direction, axis=1) < np.median(signs, axis=1)).all()  # "the weaker rival"
    sgd, grda = ends_of(arrays, "grda")
    random = np.random.RandomState(0)
    drawn = [sgd + np.abs(grda - sgd) * random.choice([-1, 1], len(sgd)) for _ in range(9)]
    again = np.median(measure_along(digits_cnn(), drawn, digits())["train_loss"])
    assert 0.5 < again / np.median(arrays["chance/signs"][0]) < 2


def test_the_hill_is_mostly_names(arrays):
    """Nine tenths are gone, what is left is more than four times gRDA's hump."""
    left = rise(arrays, "matched") / rise(arrays, "start")
    assert (np.abs(left - 0.1) < 0.025).all()
    assert rise(arrays, "matched").min() > 4 * rise(arrays, "grda").max()


def test_random_zeros_leave_the_valley_and_pruning_in_training_stays(arrays):
    hill = rise(arrays, "mask")
    assert (round(hill.min(), 2), round(hill.max(), 2)) == (0.33, 0.58)
    assert (rise(arrays, "gradual") < 1e-5).all()
    assert (higher_end(arrays, "gradual") < higher_end(arrays, "grda")).all()


@pytest.fixture(scope="module")
def masks():
    return recordings.load_measurements("masks")


def test_the_masks_are_those_of_the_paths_networks(arrays, masks):
    """The same trainings: gRDA's line is the paths', and the lines are measured again."""
    found, names = masks.arrays, masks.configuration["ends"]
    assert found["seeds"].tolist() == arrays["seeds"].tolist()
    np.testing.assert_allclose(
        found["line"][:, names.index("grda")], arrays["grda/line_train_loss"], rtol=1e-5
    )
    sgd, grda, drawn = (arrays[f"first/weights/{name}"] for name in ("sgd", "grda", "mask"))
    assert ((found["first/random"] == 0) != (drawn == 0)).any()  # "a second draw"
    np.testing.assert_array_equal(found["first/own"] == 0, grda == 0)
    for name in ("own", "size", "random"):
        end = found[f"first/{name}"].astype(float)
        assert (end == 0).sum() == (grda == 0).sum()
        points = [straight_line(sgd.astype(float), end, t) for t in (0.5, 0.9, 1.0)]
        again = measure_along(digits_cnn(), points, digits())["train_loss"]
        recorded = found["line"][0, names.index(name), [20, 36, 40]]
        np.testing.assert_allclose(again, recorded, rtol=2e-3)


def test_which_zeros_and_not_when(arrays, masks):
    table, hills = repr(lesson09.which_zeros()), {}
    for k, name in enumerate(masks.configuration["ends"]):
        line, chance = (masks.arrays[what][:, k].astype(float) for what in ("line", "chance"))
        hills[name] = line.max(axis=1) - line[:, [0, -1]].max(axis=1)
        row = next(row for row in table.splitlines() if row.startswith(numbers.MASKED[name]))
        assert f"  {hills[name].min():.3f} to {hills[name].max():.3f}  " in row
        medians = np.median(chance, axis=1)
        assert row.rstrip().endswith(f"{medians.min():.1f} to {medians.max():.1f}")
        assert (chance > 5 * line[:, -1:]).all()  # "far below its own random signs"
    assert hills["own"].max() < hills["grda"].max() < 0.02  # "the hump is like gRDA's"
    assert hills["size"].max() < 0.005 and hills["random"].min() > 0.3
    ends = masks.arrays["line"][:, :, -1]
    assert (ends[:, 1] < ends[:, 0]).all()  # "and the end lower"
    lowest, end = rise(arrays, "grda").argmin(), higher_end(arrays, "grda")
    assert rise(arrays, "grda")[lowest] == 0 and end.argmax() == lowest  # "ends highest"


def test_trained_curves_have_no_hill_to_speak_of(arrays):
    for pair in ("grda", "batches", "start", "grda_start"):
        assert (rise(arrays, pair, "curve") < 0.01).all()
    assert (highest(arrays, "start", "curve") < 0.01 * highest(arrays, "start", "line")).all()
    for pair in ("magnitude", "signs"):  # a curve has to arrive at its end
        np.testing.assert_array_equal(highest(arrays, pair, "curve"), higher_end(arrays, pair))


def test_only_the_end_of_the_way_has_zeros(arrays):
    start, end = ends_of(arrays, "grda")
    for t in (0.25, 0.5, 0.75):
        point = straight_line(start, end, t)
        assert (point != 0).all()
        np.testing.assert_allclose(point[end == 0], (1 - t) * start[end == 0])


def test_no_curve_is_worse_than_its_line_where_it_was_checked(arrays):
    for pair in PATHS:
        checks, chosen = arrays[f"{pair}/check_loss"], arrays[f"{pair}/chosen"]
        best = checks.max(axis=2)[np.arange(len(chosen)), chosen]
        assert (best <= checks[:, 0].max(axis=1)).all()


def test_predictions_are_recomputed(arrays):
    half = list(arrays["t"]).index(0.5)
    right = {pair: arrays[f"{pair}/line_test_accuracy"].astype(float) for pair in PATHS}
    at = list(arrays["t"]).index(0.75)
    signs, grda = (arrays[f"{pair}/line_train_loss"][:, at] for pair in ("signs", "grda"))
    answer = assert_prediction(PREDICTIONS["three_quarters"])
    assert (answer == "more than five times as high") == ((signs / grda).min() > 5)
    signs, grda = (arrays[f"{pair}/line_train_loss"][:, half] for pair in ("signs", "grda"))
    times, card = signs / grda, PREDICTIONS["three_quarters"]
    assert "in most seeds" in card.options["two to five times as high"]
    assert 2 * ((times > 2) & (times < 5)).sum() > len(times)
    assert 2 * (times > 5).sum() < len(times)  # "mostly it is the second half"
    said = card.values()
    assert said["half"] == f"{times.min():.1f} to {times.max():.1f}"
    assert said["early"] == (times > 5).sum() and said["count"] == len(times)
    answer = assert_prediction(PREDICTIONS["other_start"])
    assert answer == pytest.approx(100 * right["start"][:, half].mean())
    assert (right["start"][:, [0, -1]] > 0.96).all()  # "each reads more than 96 %"
    assert assert_prediction(PREDICTIONS["around"]).startswith("yes")
    bends = arrays["first/start/bend_train_loss"].max(axis=1)
    least = assert_prediction(PREDICTIONS["least_bend"])
    k = list(arrays["bends"]).index(least)
    assert bends[k] < GOAL <= bends[:k].min()
    assert arrays["first/grda/bend_train_loss"].max() < GOAL  # no bend is needed there


def test_shares_in_the_steep_directions_are_all_small(arrays):
    """None stands out from chance: the text says so."""
    shares = numbers.steep_shares()
    chance = np.sqrt(10 / 13706)
    assert all(0 < share < 2 * chance for share in shares.values())
    assert min(shares.values()) < shares["grda"] < max(shares.values())
    assert f"{shares['grda']:.4f}" in repr(lesson09.steep_part())
    assert chance == pytest.approx(0.027, abs=5e-4)


def test_the_published_shares_lie_above_those_of_chance():
    """The networks' sizes by their definitions: 3 by 3 convolutions, batch norm in WRN only."""
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    vgg = sum(9 * a * b + b for a, b in itertools.pairwise(widths))
    vgg += 2 * (512 * 512 + 512) + 512 * 10 + 10
    wide, inputs = 9 * 3 * 16, 16
    for width in (160, 320, 640):
        for _ in range(4):
            wide += 9 * inputs * width + 9 * width * width + 2 * inputs + 2 * width
            wide += inputs * width * (inputs != width)  # the shortcut
            inputs = width
    wide += 2 * 640 + 640 * 10 + 10
    vgg_chance, wide_chance = (np.sqrt(10 / size) for size in (vgg, wide))
    assert f"{vgg_chance:.4f} for VGG16 with its {vgg / 1e6:.1f} million weights" in TEXT
    assert f"{wide_chance:.4f} for WRN28x10 with {wide / 1e6:.1f} million" in TEXT
    published = [
        float(share) for share in re.findall(r"(?:and) (0\.00\d\d) after epoch (?:600|200)", TEXT)
    ]
    vgg_times, wide_times = np.divide(published, [vgg_chance, wide_chance])
    assert f"{vgg_times:.1f} and {wide_times:.1f} times the share of a random direction" in TEXT


def test_the_tables_are_the_recording(arrays):
    moves = repr(lesson09.how_far())
    assert f"{arrays['grda/distance'].min():.1f} to {arrays['grda/distance'].max():.1f}" in moves
    low, high = rise(arrays, "start").min(), rise(arrays, "start").max()
    assert f"{low:.3f} to {high:.3f}" in repr(lesson09.barriers())
    assert re.search(r"zeros in SGD's network +0\.0%", moves)


# ------------------------------------------------- the exercise


def test_the_exercise_tells_answers_apart():
    def stub(loss, start, middle, end, ts):
        return ...

    def straight(loss, start, middle, end, ts):
        return np.array([loss((1 - t) * start + t * end) for t in ts])

    def without_two(loss, start, middle, end, ts):
        points = [(1 - t) ** 2 * start + t * (1 - t) * middle + t**2 * end for t in ts]
        return np.array([loss(w) for w in points])

    def through_the_middle(loss, start, middle, end, ts):
        """Passes through the middle point at ½."""
        points = [
            (1 - t) * (1 - 2 * t) * start + 4 * t * (1 - t) * middle + t * (2 * t - 1) * end
            for t in ts
        ]
        return np.array([loss(w) for w in points])

    def backwards(loss, start, middle, end, ts):
        points = [t**2 * start + 2 * t * (1 - t) * middle + (1 - t) ** 2 * end for t in ts]
        return np.array([loss(w) for w in points])

    def mixed_losses(loss, start, middle, end, ts):
        a, b, c = loss(start), loss(middle), loss(end)
        return np.array([(1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c for t in ts])

    def points_only(loss, start, middle, end, ts):
        return np.array([(1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end for t in ts])

    def a_list(loss, start, middle, end, ts):
        return [loss(bezier(start, middle, end, t)) for t in ts]

    def worst_only(loss, start, middle, end, ts):
        return max(loss(bezier(start, middle, end, t)) for t in ts)

    def raises(loss, start, middle, end, ts):
        return loss((1 - ts) ** 2 * start + 2 * ts * (1 - ts) * middle + ts**2 * ends)  # noqa: F821

    def by_library(loss, start, middle, end, ts):
        return np.array([loss(bezier(start, middle, end, t)) for t in ts])

    def all_at_once(loss, start, middle, end, ts):
        weights = np.stack([(1 - ts) ** 2, 2 * ts * (1 - ts), ts**2], axis=1)
        return np.apply_along_axis(loss, 1, weights @ np.stack([start, middle, end]))

    assert_exercise(
        EXERCISES["loss_on_curve"],
        stub=stub,
        wrong=[
            straight,
            without_two,
            through_the_middle,
            backwards,
            mixed_losses,
            points_only,
            a_list,
            worst_only,
        ],
        raising=raises,
        right=[by_library, all_at_once, questions._by_two_lines],
    )


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


# ------------------------------------------------- live


def test_a_live_curve_goes_around_the_hill():
    view = lesson09.live_curve("start", epochs=2)
    view.start()
    curve = view.wait(120)
    line = measure_along(
        digits_cnn(), [straight_line(*lesson09.ends("start"), 0.5)], digits(curve.start.device)
    )["train_loss"]
    assert curve.losses[0, 5] == pytest.approx(line[0], rel=1e-3)
    assert curve.losses[curve.chosen].max() < 0.5 * curve.losses[0].max()
    assert isinstance(curve.middle, torch.Tensor)
    view.close()


def test_an_unknown_pair_is_named():
    with pytest.raises(ValueError, match=r"pair = 'nobody': accepted is one of 'grda', "):
        lesson09.live_curve("nobody")
