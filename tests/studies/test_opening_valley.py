"""The recorded valley of lesson 00 is the plane it says, and the losses on it are the network's."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.studies.opening_valley import OpeningValley, path_of


@pytest.fixture(scope="module")
def small():
    study = OpeningValley(epochs=2, grid=3, points=3)
    (cell,) = study.cells()
    return study, study.measure(cell)


@pytest.fixture(scope="module")
def ends(small):
    """Start, SGD's end and gRDA's end: float64 [3, d]."""
    study, _ = small
    sgd, grda = (path_of(study.run(c)).astype(float) for c in (0.0, study.c))
    np.testing.assert_array_equal(sgd[0], grda[0])
    return np.stack([sgd[0], sgd[-1], grda[-1]])


def training_loss(weights):
    model, data = digits_cnn(), digits()
    vector = torch.from_numpy(weights.astype(np.float32))
    torch.nn.utils.vector_to_parameters(vector, model.parameters())
    with torch.no_grad():
        return cross_entropy(model(data.x_train), data.y_train).item()


def test_the_paths_begin_at_the_start_and_end_at_the_corners(small, ends):
    study, piece = small
    start, sgd, grda = ends
    for name, end in (("sgd", sgd), ("grda", grda)):
        place = piece[f"{name}/place"]
        assert place.shape == (study.epochs + 1, 2)
        assert np.linalg.norm(place[-1]) == pytest.approx(np.linalg.norm(end - start), rel=1e-4)
        assert piece[f"{name}/distance"][[0, -1]] == pytest.approx([0, 0], abs=1e-3)
        assert piece[f"{name}/distance"][1] > 0.01  # in between a path is somewhere else
    between = piece["sgd/place"][-1] - piece["grda/place"][-1]
    assert np.linalg.norm(between) == pytest.approx(np.linalg.norm(sgd - grda), rel=1e-4)
    np.testing.assert_allclose(piece["corners"][0], [0, 0], atol=1e-6)


def test_the_losses_are_those_of_the_network_there(small, ends):
    _, piece = small
    start, sgd, grda = ends
    axes, _ = np.linalg.qr((ends[1:] - start).T)  # [d, 2], up to signs
    first, second = (axes * np.sign(((ends[1:] - start).T * axes).sum(axis=0))).T
    for j, b in enumerate(piece["b"]):
        for i, a in enumerate(piece["a"]):
            expected = training_loss(start + a * first + b * second)
            assert piece["loss"][j, i] == pytest.approx(expected, rel=1e-3)
    for k, t in enumerate((0.0, 0.5, 1.0)):
        expected = training_loss((1 - t) * sgd + t * grda)
        assert piece["line_loss"][k] == pytest.approx(expected, rel=1e-3)


def test_what_is_kept_says_how_it_was_made(small):
    study, piece = small
    arrays = study.arrays([piece])
    said = arrays["about"]["configuration"]
    assert (said["c"], said["mu"], said["epochs"]) == (study.c, study.mu, 2)
    assert arrays["loss"].dtype == np.float32
