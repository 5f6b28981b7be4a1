"""What processes have in common: states made by hand, and the recording."""

import numpy as np
import pytest
import torch

from grda_edu import GRDA, recordings
from grda_edu.data import digits
from grda_edu.models import digits_cnn
from grda_edu.studies.two_processes import (
    WAYS,
    TwoProcesses,
    agreement,
    in_one_process,
    weights_in,
    zeros_of,
)

STATE = {
    "a": torch.tensor([[0.0, 1.0], [0.0, -2.0]]),
    "b": torch.tensor([0.0]),
    "threshold of a": torch.tensor(0.25, dtype=torch.float64),
    "threshold of b": torch.tensor(0.25, dtype=torch.float64),
}


def changed(**parts):
    return {**STATE, **{name.replace("_of_", " of "): value for name, value in parts.items()}}


def test_equal_states_agree():
    found = agreement([STATE, changed()], STATE)
    assert (found.apart, found.from_one, found.moved, found.thresholds) == (0, 0, 0, True)
    assert found.zeros.tolist() == [[2, 1], [2, 1]]
    assert weights_in(STATE) == ["a", "b"] and zeros_of(STATE).tolist() == [2, 1]


def test_every_difference_is_seen():
    other = changed(a=torch.tensor([[0.0, 1.5], [0.1, -2.0]]))
    found = agreement([STATE, other], STATE)
    assert found.apart == pytest.approx(0.5) == found.from_one
    assert found.moved == 1 and found.zeros.tolist() == [[2, 1], [1, 1]]
    found = agreement([other, other], STATE)
    assert (found.apart, found.moved) == (0, 1) and found.from_one == pytest.approx(0.5)
    later = changed(threshold_of_b=torch.tensor(0.26, dtype=torch.float64))
    assert not agreement([STATE, later], STATE).thresholds
    assert not agreement([later, later], STATE).thresholds


def test_one_process_is_a_plain_loop_over_whole_batches():
    """An epoch of 1,280 images has forty batches of 32: as many steps of a loop written here."""
    settings = TwoProcesses(epochs=1)
    state, data, model = in_one_process(settings), digits(), digits_cnn(0)
    optimizer = GRDA(model.parameters(), lr=settings.lr, c=settings.c, mu=settings.mu)
    order = torch.randperm(1280, generator=torch.Generator().manual_seed(0)).reshape(40, 32)
    for batch in order:
        optimizer.zero_grad()
        outputs = model(data.x_train[batch])
        torch.nn.functional.cross_entropy(outputs, data.y_train[batch]).backward()
        optimizer.step()
    for name, p in model.named_parameters():
        torch.testing.assert_close(state[name], p.detach(), rtol=0, atol=1e-6)
        assert float(state[f"threshold of {name}"]) == optimizer.state[p]["threshold"]


def test_the_recording_has_the_same_zeros_everywhere():
    made = recordings.load_measurements("two_processes")
    assert made.configuration["ways"] == list(WAYS)
    zeros, dead = made.arrays["zeros"], made.arrays["dead"]
    assert zeros.shape == (2, 3, 8) and (zeros == zeros[0, 0]).all() and zeros[0, 0].sum() > 3000
    assert dead.shape == (2, 3, 10, 64) and (dead == dead[0, 0]).all()
    np.testing.assert_array_equal(dead.sum(axis=(2, 3)), zeros[:, :, 6])  # fc2.weight
    assert (made.arrays["differences"] <= 1e-6).all() and made.arrays["moved"].tolist() == [0, 0]
    assert made.arrays["thresholds"].all()
