"""Lesson 12 at scale: its text says what was recorded, and CIFAR-10 is fetched only when it is asked for."""

import numpy as np
import pytest

from grda_edu import cifar, recordings, resnet20
from grda_edu.geometry.evidence import correlation
from grda_edu.lessons import lesson12
from grda_edu.lessons.lesson12 import PREDICTIONS, at_scale
from grda_edu.lessons.lesson12.at_scale import near_one
from grda_edu.studies.resnet import AMONG, MEASURES, ROWS


@pytest.fixture(scope="module")
def text(root):
    return (root / "notebooks/12_at_scale_and_your_own.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made():
    return recordings.load_measurements("resnet20")


def over_seeds(made, row, measure, among="survivors"):
    table = made.arrays["evidence"].astype(float)
    return table[
        :, :, AMONG.index(among), ROWS.index(row), MEASURES.index(measure)
    ]  # [seeds, pairs]


def minus(value):
    return f"{value:.2f}".replace("-", "−")


def test_the_network_is_as_large_as_the_text_says(text, made):
    weights = sum(p.numel() for p in resnet20().parameters())
    assert weights == sum(made.configuration["sizes"]) and f"{weights:,} weights" in text
    assert f"{4 * weights**2 / 1e9:.0f} GB" in text
    filters = sum(s[0] for s in (p.shape for p in resnet20().parameters()) if len(s) == 4)
    assert f"{filters} filters, {filters} directions" in text
    about = made.configuration
    assert f"{about['training_images']:,} MNIST images for twenty epochs" in text
    assert about["epochs"] == 20
    assert about["products"] == 40 and "forty products" in text
    assert f"the same {about['images']} images" in text and "two seeds" in text
    assert len(about["seeds"]) == 2 and about["clear"] == 2


def test_zeros_and_accuracies_are_the_recorded_ones(text, made):
    zeros = made.arrays["zeros"].mean(axis=0)[1:, -1]
    assert f"gRDA has {zeros[0]:.0%} zeros at $c = 0.005$ and {zeros[1]:.0%} at $c = 0.01$" in text
    (sgd, weak, strong), (sgd1, weak1, strong1) = made.arrays["renewed"].astype(float)
    assert f"SGD reads {sgd:.1%} and {sgd1:.1%}, with the two seeds" in text
    assert (
        f"gRDA {weak:.1%} and {weak1:.1%} at $c = 0.005$, {strong:.1%} and {strong1:.1%} at"
    ) in text


def test_the_moves_have_the_length_that_the_text_says(text, made):
    spread = made.arrays["spread"].mean(axis=0)
    clear = spread[:, AMONG.index("clear"), 0, 0]
    assert f"by {clear[0]:.2f} λ at $c = 0.005$ and by {clear[1]:.2f} λ at $c = 0.01$" in text
    assert made.arrays["died"][:, :, AMONG.index("clear")].max() < 0.006  # hardly one
    (a, s), (b, s1) = ((x[0, 0, 1], x[0, 2, 1]) for x in spread)
    assert f"Scores vary by {s:.2f} and {s1:.2f}, $\\hat s$ by {a:.2f} and {b:.2f}" in text
    assert f"the ratio of the two, {s / a:.2f} and {s1 / b:.2f}" in text


def test_the_evidence_is_as_small_as_the_text_says(text, made):
    correlations = over_seeds(made, "batch", "correlation").mean(axis=0)
    partial = over_seeds(made, "batch", "partial")
    said = "It is {:.2f} and {:.2f}, and the partial one {:.2f} and {:.2f}"
    assert said.format(*correlations, *partial.mean(axis=0)) in text
    assert np.ptp(partial, axis=0).max() < 0.01  # nearly the same in both seeds
    dealt = np.abs(over_seeds(made, "batch, shuffled in layers", "partial")).max()
    assert f"has at most {dealt:.3f}" in text
    fixed, batch = (over_seeds(made, kind, "slope").mean(axis=0) for kind in ("fixed", "batch"))
    assert f"With the batch's statistics the slope is {batch[0]:.2f} and {batch[1]:.2f}" in text
    assert f"With fixed statistics it is {minus(fixed[0])} and {minus(fixed[1])}" in text
    dealt = over_seeds(made, "batch, shuffled in layers", "slope").mean(axis=0)
    assert f"shuffled within layers {dealt[0]:.2f} and {dealt[1]:.2f}" in text
    clear = over_seeds(made, "batch", "slope", "clear").mean(axis=0)
    assert f"the slopes are {clear[0]:.2f} and {clear[1]:.2f}" in text


def test_scale_directions_hold_what_the_text_says(text, made):
    assert f"hold {made.arrays['batch/share of signs'].mean():.0%} of" in text
    alone, clear = (over_seeds(made, "scale, batch", "correlation", n).mean(axis=0) for n in AMONG)
    assert f"by {alone[0]:.2f} and {alone[1]:.2f}, more than the Hessian's" in text
    assert f"2\\lambda$, {clear[0]:.2f} and {clear[1]:.2f} are left" in text
    ours = over_seeds(made, "batch", "correlation").mean(axis=0)
    assert (alone > ours).all() and clear[0] < 0.3 * alone[0]
    assert clear[1] > alone[1] / 2  # less than half is selection


def test_noise_is_as_large_as_the_text_says(text, made):
    a = made.arrays
    ends = [(a[f"{what}/sgd"][0], a[f"{what}/grda"][0, 0]) for what in ("sample", "order")]
    both = np.logical_and(*((w != 0) & (g != 0) for w, g in ends))
    one, other = ((np.sign(w) * (w - g))[both].astype(float) for w, g in ends)
    assert f"more than {correlation(one, other) ** 0.5:.2f}" in text
    assert "In lesson 08 it could by 0.97" in text  # as lesson 08's own text says


def test_nearly_all_scores_are_close_to_one(made):
    ours, small = near_one()
    s = made.arrays["sample/batch"][:, 0].astype(float)
    assert ours == pytest.approx(((s > 0.8) & (s < 1.2)).mean()) and ours > 0.99
    assert 0.4 < small < 0.7
    assert PREDICTIONS["scores"].right() == "nearly all close to 1"


def test_every_dot_lies_on_its_axis(made):
    """The axis is fixed: nothing that was recorded may lie beyond its ends."""
    figure = at_scale._figure()
    low, high = figure.layout.xaxis2.range
    for row in at_scale.LABELS:
        for measure in at_scale.WORDS:
            for among in AMONG:
                found = over_seeds(made, row, measure, among)
                assert low < np.nanmin(found, initial=0) and np.nanmax(found, initial=0) < high


# ------------------------------------------------- what was published


def test_nine_zeros_in_ten_are_at_or_above_the_authors_sgd(text):
    from grda_edu.lessons.lesson12.known_rows import NETWORKS

    assert "at or above the authors' own SGD in each network" in text
    for of in NETWORKS.values():
        near = min(of.grda, key=lambda row: abs(row[1] - 90))
        assert 90 <= near[1] < 92 and near[2] >= of.sgd
        if of.momentum is not None:
            assert of.momentum > max(right for *_, right in of.grda)  # the stronger reference
    assert sum(of.momentum is None for of in NETWORKS.values()) == 1
    assert (
        NETWORKS["ResNet50, ImageNet"].magnitude[1]
        > 75
        > max(right for *_, right in NETWORKS["ResNet50, ImageNet"].grda)
    )


# ------------------------------------------------- CIFAR-10


@pytest.fixture
def said(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "cifar10_folder", lambda: tmp_path)
    return []


def test_nothing_is_fetched_unasked(said, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar, "download_cifar10", lambda **_: pytest.fail("fetched"))
    lesson12.photographs(say=said.append)
    (line,) = said
    assert "Nothing was fetched" in line and "170,052,171 bytes" in line
    assert cifar.CIFAR10.sha256 in line and not list(tmp_path.iterdir())


def test_asked_it_is_fetched_and_the_command_is_said(said, monkeypatch):
    monkeypatch.setattr(cifar, "download_cifar10", lambda *, say: say("fetched"))
    lesson12.photographs(fetch=True, say=said.append)
    assert said[0] == "fetched" and "train_resnet20_cifar10.py" in said[1]


@pytest.mark.parametrize(
    "error", [ConnectionError("no line"), cifar.DamagedArchive("cut"), OSError(28, "No space left")]
)
def test_what_goes_wrong_is_a_line(said, monkeypatch, error):
    def fails(**_):
        raise error

    monkeypatch.setattr(cifar, "download_cifar10", fails)
    lesson12.photographs(fetch=True, say=said.append)
    (line,) = said
    assert line.startswith(type(error).__name__)


def test_a_damaged_file_is_said(said, tmp_path):
    (tmp_path / cifar.CIFAR10.name).write_bytes(b"x")
    lesson12.photographs(say=said.append)
    assert said[0].startswith("DamagedArchive") and len(said) == 1
