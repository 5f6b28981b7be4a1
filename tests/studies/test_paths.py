"""The study behind the recorded paths, made small: what it measures and how it is stored."""

from dataclasses import replace

import numpy as np
import pytest

from grda_edu.data import digits
from grda_edu.geometry.valley import Curve, measure_along
from grda_edu.models import digits_cnn
from grda_edu.studies.paths import CHANCE, DATA, NETWORKS, PAIRS, Paths, by_chance


def test_a_small_study_measures_what_it_says(monkeypatch):
    whole = digits()
    some = {f"{axis}_train": getattr(whole, f"{axis}_train")[:160] for axis in "xy"}
    data = replace(whole, **some)
    monkeypatch.setitem(DATA, "digits", lambda: data)
    study = Paths(seeds=(3,), epochs=1, curve_epochs=1, points=3, grid=2, bends=(0.0, 1.0), draws=4)
    arrays = study.arrays([study.measure(cell) for cell in study.cells()])
    assert arrays["about"]["configuration"]["pairs"].keys() == PAIRS.keys()
    weights = {name: arrays[f"first/weights/{name}"] for name in NETWORKS}
    for pair, (first, last) in PAIRS.items():
        start, end = weights[first], weights[last]
        length = np.linalg.norm(end.astype(float) - start)
        np.testing.assert_allclose(arrays[f"{pair}/distance"], [length], rtol=1e-6)
        line, curve = (arrays[f"{pair}/{path}_train_loss"] for path in ("line", "curve"))
        bent = arrays[f"first/{pair}/bend_train_loss"]
        # bend 0 is the straight line, bend 1 the trained curve; both have the networks as ends
        np.testing.assert_allclose(bent[0], line[0], rtol=1e-4)
        np.testing.assert_allclose(bent[1], curve[0], rtol=1e-4)
        np.testing.assert_array_equal(line[:, [0, -1]], curve[:, [0, -1]])
        assert curve.max() <= line.max() or arrays[f"{pair}/chosen"] > 0
        assert arrays[f"{pair}/check_loss"].shape == (1, 2, 11)
    start, middle = weights["sgd"], arrays["first/grda/middle"]
    again = measure_along(digits_cnn(), [Curve(start, middle, weights["grda"])(0.5)], data)
    np.testing.assert_allclose(
        again["train_loss"], arrays["grda/curve_train_loss"][0, 1], rtol=1e-4
    )
    assert (weights["sgd"] != weights["sgd_other_batches"]).mean() > 0.5
    cut = weights["magnitude"] == 0
    assert cut.sum() == (weights["grda"] == 0).sum() > 0
    assert (weights["mask"] == 0).sum() == (weights["gradual"] == 0).sum() == cut.sum()
    for kind in CHANCE:
        drawn = arrays[f"chance/{kind}"]
        assert drawn.shape == (1, 4) and len(set(drawn[0].tolist())) == 4


@pytest.mark.parametrize("kind", CHANCE)
def test_an_end_by_chance_is_as_far_away(kind):
    random = np.random.RandomState(0)
    sgd, grda = random.standard_normal((2, 4000))
    ends = [by_chance(kind, sgd, grda, random) for _ in range(2)]
    move, far = ends[0] - sgd, np.linalg.norm(grda - sgd)
    assert np.linalg.norm(move) == pytest.approx(far, rel=1e-5)
    assert abs(move @ (ends[1] - sgd)) / far**2 < 0.1  # two draws have nothing in common
    if kind == "signs":
        np.testing.assert_allclose(np.abs(move), np.abs(grda - sgd), atol=1e-5)
