"""The study behind the recorded masks, made small: which weights may live, and what is measured."""

from dataclasses import replace

import numpy as np
import pytest

from grda_edu.data import digits
from grda_edu.geometry.valley import measure_along
from grda_edu.models import digits_cnn
from grda_edu.studies.paths import DATA, Paths
from grda_edu.studies.which_zeros import ENDS, MASKS, Masks


@pytest.fixture
def data(monkeypatch):
    whole = digits()
    some = {f"{axis}_train": getattr(whole, f"{axis}_train")[:160] for axis in "xy"}
    small = replace(whole, **some)
    monkeypatch.setitem(DATA, "digits", lambda: small)
    return small


def test_a_small_study_measures_what_it_says(data):
    study = Masks(seeds=(3,), points=3, draws=4, paths=Paths(epochs=2, c=0.1))
    arrays = study.arrays([study.measure(cell) for cell in study.cells()])
    assert arrays["about"]["configuration"]["ends"] == list(ENDS)
    assert len(set(arrays["zeros"][0].tolist())) == 1 and arrays["zeros"][0, 0] > 0
    sgd, grda = (study.paths.network(c, 3, 3) for c in (0.0, 0.1))
    weights = {"grda": grda, **{name: arrays[f"first/{name}"] for name in MASKS}}
    zero = {name: weights[name] == 0 for name in ENDS}
    np.testing.assert_array_equal(zero["own"], zero["grda"])
    assert np.abs(sgd[zero["size"]]).max() <= np.abs(sgd[~zero["size"]]).min()
    sizes = [p.numel() for p in digits_cnn(0).parameters()]
    drawn, own = (np.split(zero[name], np.cumsum(sizes)[:-1]) for name in ("random", "own"))
    assert [part.sum() for part in drawn] == [part.sum() for part in own]
    assert (zero["random"] != zero["own"]).any()
    for k, name in enumerate(ENDS):
        points = [sgd, (sgd.astype(float) + weights[name]) / 2, weights[name]]
        again = measure_along(digits_cnn(), points, data)["train_loss"]
        np.testing.assert_allclose(arrays["line"][0, k], again, rtol=1e-4)
        far = np.linalg.norm(weights[name].astype(float) - sgd)
        assert arrays["distance"][0, k] == pytest.approx(far, rel=1e-5)
        assert len(set(arrays["chance"][0, k].tolist())) == 4
