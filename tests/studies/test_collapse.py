"""The study of where training collapses, made small, against networks trained alone."""

import numpy as np

from grda_edu import GRDA, digits, digits_cnn, train
from grda_edu.studies.collapse import Collapse
from grda_edu.studies.pruned import Pruning


def test_each_c_is_trained_as_one_network_alone_would_be():
    study = Collapse(c=(0.02, 0.5), late=2, pruning=Pruning(epochs=1, seeds=(3,)))
    arrays = study.arrays([study.measure(cell) for cell in study.cells()])
    assert arrays["test"].shape == (1, 2, 2)
    for k, c in enumerate(study.c):
        model = digits_cnn(3)
        run = train(
            *(model, digits(), lambda p, c=c: GRDA(p, lr=0.1, c=c, mu=0.65)),
            epochs=2,
            batch_size=32,
            seed=3,
            device="cpu",
        )
        np.testing.assert_allclose(arrays["zeros"][0, k], run.total_zeros[-1], atol=0.01)
        np.testing.assert_allclose(arrays["test"][0, k] / 360, run.test_accuracy[1:], atol=0.012)
    assert arrays["zeros"][0, 1] > 0.99 and (arrays["test"][0, 1] < 72).all(), "c = .5 is too much"


def test_the_strengths_rise_by_three_percent_from_that_of_95_percent():
    study = Collapse()
    assert study.c[0] == Pruning().c_scratch[-1]
    np.testing.assert_allclose(np.diff(np.log(study.c)), np.log(1.03), atol=1e-3)
