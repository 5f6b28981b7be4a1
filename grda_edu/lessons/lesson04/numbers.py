"""What lesson 04 says in numbers, from the recording "digits_grid"; nothing here is typed in."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from grda_edu import recordings
from grda_edu.recordings import RunGrid
from grda_edu.shrinkage import tuning_function

C, MU = 0.02, 0.65  # the pair that the text talks about
LARGE_C = 0.05  # the largest recorded
GOAL_ZEROS, GOAL_LOSS = 0.90, 0.01  # 90% zeros for less than one point
TEST_IMAGES = 360
WEIGHTS = ("conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight")


@cache
def grid() -> RunGrid:
    """The recorded runs over c, μ and seeds. RecordingError names the command that repairs it."""
    return recordings.load("digits_grid")


def goal_cells() -> dict[int, list[tuple[float, float]]]:
    """Seed -> the recorded pairs (c, μ) that reach the goal with it."""
    runs = grid()
    reached = runs.goal_reached(GOAL_ZEROS, GOAL_LOSS)[..., -1]
    return {
        int(seed): [(float(runs.c[i]), float(runs.mu[j])) for i, j in np.argwhere(reached[:, :, k])]
        for k, seed in enumerate(runs.seeds)
    }


# ------------------------------------------------- threshold and initial weights


def final_threshold(c: float = C, mu: float = MU) -> float:
    """The threshold at the end of a recorded training, g(n, γ) of all its steps n."""
    return float(tuning_function(steps(), _setting("lr"), c, mu))


def _setting(name: str) -> Any:
    return grid().configuration["hyperparameters"][name]


def steps() -> int:
    """How many steps a recorded training has."""
    made = grid().configuration
    return int(grid().epoch[-1]) * -(-made["training_images"] // made["batch_size"])


@cache
def initial_sizes() -> dict[str, np.ndarray]:
    """Layer -> absolute initial weights of the recorded network with seed 0, sorted."""
    from grda_edu.models import digits_cnn

    parameters = digits_cnn(0).named_parameters()
    return {name: np.sort(p.detach().abs().flatten().numpy()) for name, p in parameters}


def above_at_start(threshold: float) -> dict[str, float]:
    """Layer -> share of its initial weights that are larger than ``threshold``."""
    return {name: float((sizes > threshold).mean()) for name, sizes in initial_sizes().items()}


# ------------------------------------------------- what the predictions ask


def early_share() -> float:
    """Of the zeros after the last epoch, how many percent are there after epoch 10."""
    zeros = grid().curves("total_zeros")[grid().cell(C, MU)].mean(axis=0)
    return float(100 * zeros[10] / zeros[-1])


def early_threshold() -> dict[str, float]:
    """Height of the threshold at epoch 10 and the initial weights below it (seed 0), as shares."""
    height = (10 / float(grid().epoch[-1])) ** MU
    sizes = np.concatenate(list(initial_sizes().values()))
    return {"height": height, "met": float((sizes <= final_threshold() * height).mean())}


def layer_shares() -> dict[str, float]:
    """Weight tensor -> share of zeros at (C, MU) after the last epoch, mean over seeds."""
    runs = grid()
    shares = runs.final("zeros")[runs.cell(C, MU)].mean(axis=0) / runs.sizes
    return {name: float(shares[runs.layers.index(name)]) for name in WEIGHTS}


def large_c_accuracies() -> np.ndarray:
    """Test accuracy of the runs at (LARGE_C, MU) after the last epoch, by seed: [S]."""
    return grid().final("test_accuracy")[grid().cell(LARGE_C, MU)]


def fate_of_large_c() -> str:
    """Which of the prediction's options the recorded runs at (LARGE_C, MU) show."""
    cell = grid().cell(LARGE_C, MU)
    if np.median(grid().collapsed()[cell]):
        return "it dies: nearly every weight becomes zero"
    if grid().minus_sgd()[cell][:, -1].mean() > -GOAL_LOSS:
        return "more zeros, as accurate as before"
    return "more zeros, some accuracy lost"
