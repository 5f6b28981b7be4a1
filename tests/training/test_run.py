import subprocess
import sys

import numpy as np
import pytest

from grda_edu.training.run import ARRAYS, HISTOGRAM_EDGES, Run, weight_histogram


def make_run(epochs=2, message=""):
    rows = 3
    curve = np.linspace(0.5, 1, rows)
    return Run(
        configuration={"model": "digits_cnn", "epochs": epochs, "hyperparameters": {"c": 0.02}},
        device="cpu",
        versions={"torch": "2.13.0"},
        layers=("conv.weight", "conv.bias"),
        sizes=np.array([90, 10]),
        epoch=np.arange(rows),
        train_loss=curve,
        train_accuracy=curve + 1,
        val_loss=curve * np.nan,
        val_accuracy=curve + 2,
        test_loss=curve + 3,
        test_accuracy=curve + 4,
        zeros=np.array([[0, 0], [45, 5], [81, 0]]),
        seconds=np.array([0.0, 1.5, 3.0]),
        snapshots={2: {"conv.weight": np.array([[0.5, 0.0]], dtype=np.float16)}},
        histograms={2: np.ones((2, 120), dtype=np.int64)},
        message=message,
    )


def test_total_zeros_weighs_layers_by_their_size():
    np.testing.assert_array_equal(make_run().total_zeros, [0, 0.5, 0.81])


def test_finished_means_that_the_last_epoch_was_reached():
    assert make_run().finished
    assert not make_run(epochs=3).finished
    assert not make_run(message="stopped in epoch 3, after batch 0 of 5").finished


def test_what_is_saved_is_what_is_loaded(tmp_path):
    run = make_run(message="diverged: the loss became nan in epoch 3, batch 1 of 5")
    run.checkpoint = object()  # another file's business
    run.save(tmp_path / "run.npz")
    loaded = Run.load(tmp_path / "run.npz")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(run, name))
        assert getattr(loaded, name).dtype == getattr(run, name).dtype
    for name in ("configuration", "device", "versions", "layers", "message"):
        assert getattr(loaded, name) == getattr(run, name)
    assert loaded.snapshots[2]["conv.weight"].dtype == np.float16
    np.testing.assert_array_equal(loaded.snapshots[2]["conv.weight"], [[0.5, 0.0]])
    np.testing.assert_array_equal(loaded.histograms[2], run.histograms[2])
    assert loaded.checkpoint is None


def test_any_name_that_torch_accepts_is_kept(tmp_path):
    """torch forbids "." in a module's name, and nothing else."""
    run = make_run()
    names = ("block/1.weight", "/.bias", "a//b/.w", "histogram/2.w")
    run.snapshots = {2: {name: np.full(2, k) for k, name in enumerate(names)}}
    run.save(tmp_path / "run.npz")
    loaded = Run.load(tmp_path / "run.npz").snapshots[2]
    assert {name: int(w[0]) for name, w in loaded.items()} == {n: k for k, n in enumerate(names)}


def test_damaged_file_is_named(tmp_path):
    path = tmp_path / "run.npz"
    make_run().save(path)
    whole = path.read_bytes()
    for content in (b"", b"not a run", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"run\.npz is not a saved Run"):
            Run.load(path)


def test_a_changed_byte_never_surprises(tmp_path):
    """Either it does not matter to the reader, or the error is the one that names the file."""
    path = tmp_path / "run.npz"
    make_run().save(path)
    whole, errors = path.read_bytes(), 0
    random = np.random.default_rng(0)
    for at in random.integers(0, len(whole), 150):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            Run.load(path)
        except ValueError as error:
            assert "run.npz is not a saved Run" in str(error)
            errors += 1
    assert errors > 75


def test_another_npz_is_not_a_run(tmp_path):
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(ValueError, match=r"other\.npz is not a saved Run"):
        Run.load(tmp_path / "other.npz")


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_pickle_inside_is_refused_and_not_run(tmp_path):
    np.savez(tmp_path / "trap.npz", about=np.array([Trap()], dtype=object))
    with pytest.raises(ValueError, match=r"trap\.npz is not a saved Run"):
        Run.load(tmp_path / "trap.npz")


def test_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        Run.load(tmp_path / "gone.npz")


def test_histogram_counts_each_weight_in_its_bin_and_leaves_zeros_out():
    weights = [np.array([0.0, 0.0, 0.01, -0.01, 1.19, -5.0, 5.0]), np.zeros(4)]
    counts = weight_histogram(weights)
    assert counts.shape == (2, 120)
    assert counts[1].sum() == 0
    expected = {59: 1, 60: 1, 119: 2, 0: 1}  # (-.02, 0), (0, .02), the outermost two
    assert {int(k): int(counts[0, k]) for k in counts[0].nonzero()[0]} == expected
    assert HISTOGRAM_EDGES[60] == 0


@pytest.mark.parametrize("module", ["grda_edu.training.run", "grda_edu.recordings"])
def test_runs_are_read_without_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
