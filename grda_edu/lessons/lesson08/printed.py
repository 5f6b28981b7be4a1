"""What the lesson prints: whose weights die, and the learner's measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grda_edu.explore import writing
from grda_edu.geometry.pruning import magnitude_pruning

from . import finite
from .curves import named
from .numbers import SETTINGS, array, ended, seeds

_WHO_DIES = {
    "finite": "finite-time scores",
    "size": "size alone",
    "in layers": "s shuffled within layers",
}


def who_dies() -> None:
    """Print how well scores and size tell gRDA's zeros, with as many zeros: means of the seeds."""
    for setting in SETTINGS:
        zeros = np.mean([finite.ended(*setting, finite.first(), k).zeros for k in finite.seeds()])
        found = (
            f"{words} {writing.percent(float(finite.overlap_of_zeros(name, *setting).mean()))}"
            for name, words in _WHO_DIES.items()
        )
        print(f"{named(*setting)}, {writing.percent(float(zeros), 0)} zeros: {', '.join(found)}")


def use_share(my_share: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """Print the learner's measure of recorded moves in the ten steepest directions, and of chance."""
    top = array("top")[0]
    if my_share(np.ones(len(top)), top) is ...:
        print("Write my_share above, then run this cell again.")
        return
    for c, mu in SETTINGS:
        one = ended(c, mu, seeds()[0])
        magnitude = magnitude_pruning(one.sgd, one.zeros)
        print(
            f"{named(c, mu)}: gRDA's move {my_share(one.grda - one.sgd, top):.3f}, "
            f"magnitude pruning's {my_share(magnitude - one.sgd, top):.3f}"
        )
    chance = np.random.default_rng(0).standard_normal((100, len(top)))
    mean = np.mean([my_share(direction, top) for direction in chance])
    print(
        f"a random direction: {mean:.3f}, about √(10/{len(top):,}) = {(10 / len(top)) ** 0.5:.3f}"
    )
