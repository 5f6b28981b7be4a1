"""The step of gRDA in several networks at once against the reference, one network at a time."""

import numpy as np
import torch

from grda_edu.reference import grda
from grda_edu.shrinkage import tuning_increment
from grda_edu.training.stacked import grda_step


def test_a_stacked_step_is_the_reference():
    rng = np.random.default_rng(0)
    lr, steps, c, mu = 0.1, 50, np.array([0.0, 0.1, 0.4]), np.array([0.6, 0.7, 0.51])
    start, gradients = rng.normal(size=(3, 4, 5)), rng.normal(size=(steps, 3, 4, 5))
    weights, accumulators = torch.tensor(start), torch.tensor(start)
    thresholds = np.zeros(3)
    alone = [grda(start[k], gradients[:, k], [lr] * steps, c[k], mu[k]) for k in range(3)]
    for n, (gradient, *expected) in enumerate(zip(gradients, *alone, strict=True), start=1):
        thresholds += tuning_increment(n, lr, c, mu)
        grda_step(weights, accumulators, torch.tensor(gradient), thresholds, lr)
        for k, (w, v, _) in enumerate(expected):
            np.testing.assert_allclose(weights[k], w, atol=1e-13)
            np.testing.assert_allclose(accumulators[k], v, atol=1e-13)
    assert (weights[0] != 0).all() and 0 < (weights[2] == 0).sum() < 20
