"""Trainings of several settings at once against the optimizer, one setting at a time."""

import itertools

import numpy as np
import torch

from grda_edu import GRDA, digits, small_digits_cnn, train
from grda_edu.training.pairs import trainings


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()]).numpy()


def test_trainings_are_what_train_does_with_each_setting():
    data = digits(validation=0)
    c, mu = (0.0, 0.005, 0.02), (0.6, 0.51, 0.7)
    model = small_digits_cnn(1)
    start, steps = flat(model), 2 * 45  # 1,437 images make 44 batches of 32 and one of 29
    found = list(itertools.islice(trainings(model, data, 0.1, c, mu, seed=1), steps + 1))
    assert found[0].shape == (3, 1370) and (found[0] == start).all()
    np.testing.assert_array_equal(flat(model), start)
    for k in range(3):
        alone = small_digits_cnn(1)

        def make(parameters, k=k):
            if c[k] == 0:
                return torch.optim.SGD(parameters, lr=0.1)
            return GRDA(parameters, lr=0.1, c=c[k], mu=mu[k])

        train(alone, data, make, epochs=2, seed=1, device="cpu")
        np.testing.assert_allclose(found[-1][k], flat(alone), atol=2e-5)
        assert ((found[-1][k] == 0) == (flat(alone) == 0)).all()
