"""Lesson 00: the figures are the recordings, and its question and exercise work."""

from pathlib import Path

import numpy as np
import pytest
from course.checking import assert_exercise, assert_prediction

from grda_edu import recordings
from grda_edu.lessons import lesson00
from grda_edu.lessons.lesson00 import EXERCISES, OBJECTIVES, PREDICTIONS
from grda_edu.lessons.lesson00.numbers import revived
from grda_edu.views.last_layer import wires_panel, wires_row

TEXT = (Path(__file__).parents[2] / "notebooks" / "00_start_here.md").read_text("utf-8")


@pytest.fixture(scope="module")
def recorded():
    grid = recordings.load("opening")
    return {
        name: grid.run(c, grid.mu[0], grid.seeds[0])
        for name, c in zip(("sgd", "grda"), grid.c, strict=True)
    }


def drawn_wires(row):
    """How many wires of the last layer the row draws."""
    pieces = np.asarray(row["wires.y"]).reshape(-1, 3)
    assert np.isnan(pieces[:, 2]).all()  # a gap after every wire
    return int(np.isfinite(pieces[:, 0]).sum())


@pytest.mark.parametrize("trained", ["sgd", "grda"])
def test_the_wires_are_those_of_the_recording(recorded, trained):
    run, figure = recorded[trained], lesson00.wires_figure()
    assert figure.tabulated
    assert figure.error == ""
    for epoch in figure._sliders["epoch"].values:
        row, sentence = figure._compute(trained=trained, epoch=epoch)
        weights = run.snapshots[epoch]["fc2.weight"]
        assert drawn_wires(row) == np.count_nonzero(weights)
        zeros = run.zeros[epoch].sum() / run.sizes.sum()
        assert row["zeros now.y"] == pytest.approx([zeros])
        assert row["accuracy now.y"] == pytest.approx([run.test_accuracy[epoch]])
        assert f"{zeros:.1%}" in sentence
        assert f"{run.test_accuracy[epoch]:.1%}" in sentence
        shown = np.isfinite(row["gRDA zeros.y"])
        np.testing.assert_array_equal(shown, run.epoch <= epoch)  # nothing of what is to come


def test_the_valley_shows_the_recorded_cut(recorded):
    figure, cut = lesson00.opening_figure(), recordings.load_measurements("opening_valley").arrays
    assert figure.tabulated
    assert figure.error == ""
    valley = next(trace for trace in figure.figure["data"] if trace["name"] == "valley")
    assert valley["colorscale"]
    epochs = figure._sliders["epoch"].values
    assert epochs == list(range(61))
    for epoch in epochs:
        row, sentence = figure._compute(epoch=epoch)
        for name, key in (("SGD", "sgd"), ("gRDA", "grda")):
            way = cut[f"{key}/place"]
            shown = np.stack([row[f"{name} path.x"], row[f"{name} path.y"]], axis=1)
            np.testing.assert_allclose(shown[: epoch + 1], way[: epoch + 1])
            assert np.isnan(shown[epoch + 1 :]).all()  # nothing of what is to come
            here = row[f"{name} here.x"][0], row[f"{name} here.y"][0]
            assert here == pytest.approx(tuple(way[epoch]))
            assert f"{name}: training loss {cut[f'{key}/train_loss'][epoch]:#.2g}," in sentence
            assert f"{recorded[key].test_accuracy[epoch]:.1%} of the test images" in sentence
        zeros = int(recorded["grda"].zeros[epoch].sum())
        assert f"{zeros:,} zeros" in row["layout.title.text"]
        assert row["zeros now.y"] == pytest.approx([zeros / 13706])
        assert np.isfinite(row["gRDA zeros.y"]).sum() == epoch + 1


def test_the_cut_is_of_the_same_two_runs(recorded):
    """Both recordings are made of the same trainings, up to rounding."""
    cut = recordings.load_measurements("opening_valley").arrays
    for name, run in recorded.items():
        for curve in ("train_loss", "test_accuracy"):
            np.testing.assert_allclose(cut[f"{name}/{curve}"], getattr(run, curve), atol=0.02)
        np.testing.assert_allclose(cut[f"{name}/zeros"] / 13706, run.total_zeros, atol=0.01)


def test_the_claims_about_the_valley_hold(recorded):
    """13,706 dimensions; below 0.03 on the straight line, 2.3 at the start; SGD's end lies lower."""
    cut = recordings.load_measurements("opening_valley").arrays
    assert int(cut["size"]) == recorded["sgd"].sizes.sum() == 13706
    assert cut["line_loss"].max() < 0.03
    for name in ("sgd", "grda"):
        assert round(float(cut[f"{name}/train_loss"][0]), 1) == 2.3
        away = cut[f"{name}/distance"]
        assert away[[0, -1]] == pytest.approx([0, 0], abs=0.01)  # the cut contains start and ends
        assert (away[1:-1] > 0.001).all()
    assert cut["line_loss"][[0, -1]] == pytest.approx(
        [cut["sgd/train_loss"][-1], cut["grda/train_loss"][-1]], rel=1e-3
    )
    assert cut["sgd/train_loss"][-1] < cut["grda/train_loss"][-1]
    start, end, _ = cut["corners"]
    assert round(float(np.linalg.norm(end - start)), 1) == 7.1 and "lie 7.1 apart" in TEXT
    farthest = max(cut[f"{name}/distance"].max() for name in ("sgd", "grda"))
    assert round(float(farthest), 1) == 3.1 and "says, 3.1 at most" in TEXT


def test_a_wire_runs_from_its_hidden_cell_to_its_digit():
    weights = np.zeros((10, 64))
    weights[3, 0] = -0.5
    row, panel = wires_row(weights), wires_panel()
    x, y = np.asarray(panel.traces[0].x), np.asarray(row["wires.y"])
    drawn = np.isfinite(y)
    assert y[drawn].tolist() == [1.0, 0.0]
    assert x[drawn].tolist() == [panel.traces[1].x[0], panel.traces[3].x[3]]
    assert np.isfinite(row["units.y"]).tolist() == [True] + [False] * 63
    assert np.isnan(row["cut-off units.y"]).tolist() == [True] + [False] * 63


def test_wires_that_came_back_from_zero_are_counted_one_by_one(recorded):
    run = recorded["grda"]
    epochs = sorted(run.snapshots)
    count = 0
    for i in range(10):
        for j in range(64):
            path = [run.snapshots[k]["fc2.weight"][i, j] for k in epochs]
            count += path[-1] != 0 and any(w == 0 for w in path[:-1])
    assert revived(run, epochs[-1]) == count > 0
    assert revived(run, 0) == 0
    assert revived(recorded["sgd"], epochs[-1]) == 0


def test_both_runs_start_from_the_same_weights(recorded):
    sgd, grda = recorded["sgd"], recorded["grda"]
    for name in sgd.snapshots[0]:
        np.testing.assert_array_equal(sgd.snapshots[0][name], grda.snapshots[0][name])
    assert sgd.configuration["seed"] == grda.configuration["seed"]


def test_the_claim_of_the_title_holds(recorded):
    """Nine of ten weights are zero and it still reads digits."""
    run = recorded["grda"]
    assert run.total_zeros[-1] >= 0.9
    assert recorded["sgd"].test_accuracy[-1] - run.test_accuracy[-1] <= 0.02
    assert recorded["sgd"].total_zeros[-1] == 0


def test_the_prediction_is_computed(recorded):
    answer = assert_prediction(PREDICTIONS["how_many"])
    assert answer == pytest.approx(100 * recorded["grda"].total_zeros[-1])
    assert not PREDICTIONS["how_many"].is_right(50.0)


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_the_exercise_tells_answers_apart():
    def stub(w):
        return ...

    def counts(w):
        return int((w == 0).sum())

    def percent(w):
        return 100 * np.mean(w == 0)

    def tolerant(w):
        return np.mean(np.abs(w) < 0.01)

    def alive(w):
        return np.mean(w != 0)

    def first_axis_only(w):
        return (w == 0).sum() / len(w)

    def misspelt(w):
        return np.maen(w == 0)

    def counted(w):
        return (w.size - np.count_nonzero(w)) / w.size

    def looped(w):
        return sum(value == 0 for value in w.ravel().tolist()) / w.size

    assert_exercise(
        EXERCISES["share_of_zeros"],
        stub=stub,
        wrong=[counts, percent, tolerant, alive, first_axis_only],
        raising=misspelt,
        right=[counted, looped],
    )
