"""Every number of the tuning guide is computed here from the recordings, or is a definition of the lessons."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from grda_edu import tuning_function
from grda_edu.lessons.lesson05 import numbers as choosing
from grda_edu.lessons.lesson06 import numbers as recipes
from grda_edu.models import digits_cnn
from grda_edu.training import rules, search
from grda_edu.training.rules import difference_error

PAGE = Path(__file__).parents[2] / "docs" / "library" / "tuning.md"
TEXT = " ".join(PAGE.read_text("utf-8").split())
AUTHORS = (0.501, 0.51, 0.55)


def listed(values: list[int]) -> str:
    return f"{', '.join(map(str, values[:-1]))} and {values[-1]}"


def hits(epochs: int, tolerance: float) -> list[int]:
    return [choosing.hits(choosing.held_out(), mu, epochs, tolerance) for mu in AUTHORS]


def most_zeros() -> list[str]:
    """Within one point, by mu."""
    zeros, lost = choosing.means(choosing.developed())
    mus = choosing.developed().mu.tolist()
    best = {mu: zeros[lost[:, j] > -0.01, j].max() for j, mu in enumerate(mus)}
    assert max(best, key=best.__getitem__) == 0.65 and min(best, key=best.__getitem__) == 0.501
    return [f"from {best[0.501]:.0%} at 0.501 to {best[0.65]:.0%} at 0.65"]


def the_rule() -> list[str]:
    assert (search.EPOCHS, search.TOLERANCE) == (5, 0.15)
    steep = choosing.hits(choosing.held_out(), 0.65, 5, 0.15)
    tight = hits(5, 0.01)
    picks = choosing.off_by(choosing.held_out(), 0.51, 5, 0.01)
    assert np.median(picks) < -1  # "too small"
    assert choosing.developed().seeds.size == 3 and choosing.held_out().seeds.size == 10
    return [
        "15 points after five epochs, chosen on three seeds",
        f"in {listed(hits(5, 0.15))} of 10 for `mu` = 0.501, 0.51 and 0.55, and in {steep} for 0.65",
        f"right in {listed(tight)} of 10: too small",
        f"With one epoch a probe, in {listed(hits(1, 0.15))}.",
    ]


def elsewhere() -> list[str]:
    grids = choosing.elsewhere().values()
    seeds = sum(len(runs.seeds) for runs in grids)
    rule = sum(choosing.hits(runs, 0.55, 5, 0.15) for runs in grids)
    constant = sum(choosing.hits_of_constant(runs) for runs in grids)
    chance = sum(choosing.hits_by_chance(runs) for runs in grids)
    best = max(
        sum(choosing.hits(runs, 0.55, epochs, points / 100) for runs in grids)
        for epochs in range(1, 6)
        for points in np.arange(0.5, 30.5, 0.5)
    )
    assert len(grids) == 4 and choosing.RIVAL_C == 0.02
    return [
        f"good in {rule} of {seeds} seeds; always taking `c` = 0.02 did as well, in {constant}",
        f"by chance in {chance:.1f} on average",
        f"No pair of epochs and tolerance did better than {best} of {seeds}.",
    ]


def stopping() -> list[str]:
    rows = []
    for patience in (5, 10, 20):
        accuracy, zeros = choosing.regrets(choosing.held_out(), 0.02, 0.51, patience, 0.005)
        rows.append(f"| {patience} | {100 * accuracy.mean():.1f} | {100 * zeros.mean():.1f} |")
    late, early = (tuning_function(40 * k, 0.1, 0.02, 0.51) for k in (60, 20))
    return [
        *rows,
        f"from epoch 20 to epoch 60 by the factor {late / early:.2f} for `mu` = 0.51",
        "with `c` = 0.02 and `mu` = 0.51, stopping",
    ]


def collapse() -> list[str]:
    """A network that names one class of ten is dead."""
    runs = choosing.developed()
    dead = (choosing.curves(runs, "test_accuracy")[..., -1] < 0.2).sum(axis=2)
    at = dict(zip(runs.c.tolist(), dead, strict=True))
    assert set(at[0.05].tolist()) == {2, 3}
    assert at[0.03].tolist() == [0, 0, 0, 0, 0, 2] and runs.mu[-1] == 0.7
    assert all(not at[c].any() for c in at if c < 0.03)
    return [
        "With `c` = 0.05 of three seeds 2 or 3 collapsed for every recorded `mu`, with 0.03 2 at `mu` = 0.7 and none"
    ]


def growth() -> list[str]:
    first, last = (tuning_function(40 * k, 0.1, 0.02, 0.51) for k in (1, 60))
    left = recipes.share_left(1 - 0.9, 0.65)
    before, after = recipes.zeros_around_drop()
    return [
        f"after one of 60 epochs the threshold has {first / last:.0%} of its final height for `mu` = 0.51",
        f"at β = 0.9 and `mu` = 0.65 it is {left:.3f} of the matched one",
        f"recorded, zeros fell from {before:.0%} to {after:.0%}",
        "counts 1/(1 − β) times",
    ]


def errors() -> list[str]:
    sgd = choosing.curves(choosing.developed(), "val_accuracy")[0, 0, 0, 1]
    assert round(float(sgd), 2) == 0.52
    one, both = math.sqrt(0.52 * 0.48 / 157), difference_error(0.52, 0.52, 157)
    error = math.sqrt(0.98 * 0.02 / 360)
    return [
        f"With 157 validation images and $p = 0.52$, where SGD stands after one epoch, that is {100 * one:.1f} points, "
        f"and {100 * both:.1f} for a difference",
        "standard error of $\\sqrt{p\\,(1-p)/n}$",
        f"360 test images have a standard error of {100 * error:.1f} points at 98%",
    ]


def setting() -> list[str]:
    runs = choosing.developed()
    weights = sum(p.numel() for p in digits_cnn(0).parameters())
    made = runs.configuration
    steps = made["training_images"] // made["batch_size"] if "training_images" in made else 40
    trainings = len(runs.c[1:]) * len(runs.mu) * len(runs.seeds) + len(runs.seeds)
    ladder = ", ".join(f"{step:g}" for step in (*rules.STEPS, 10))
    return [
        f"a CNN of {weights:,} weights on 8×8 digits, {runs.epoch[-1]} epochs of {steps} steps",
        f"took {trainings} trainings",
        f"by {ladder}.",
        "Take 0.501, 0.51 or 0.55, the authors'",
    ]


# What is a formula or a call, and no measurement.
FORMULAS = [
    "$c\\,\\gamma^{1/2+\\mu}\\,n^\\mu$",
    "`c = 0`",
    "`find_c(…, seeds=(0, 1, 2))`",
]
HELD = [most_zeros, the_rule, elsewhere, stopping, collapse, growth, errors, setting]


@pytest.mark.parametrize("held", HELD, ids=lambda held: held.__name__)
def test_the_guide_says_what_was_recorded(held) -> None:
    for sentence in held():
        assert sentence in TEXT, sentence


def test_no_number_of_the_guide_goes_unheld() -> None:
    left = TEXT
    for sentence in (*FORMULAS, *(s for held in HELD for s in held())):
        assert sentence in left or sentence in TEXT
        left = left.replace(sentence, " ")
    left = re.sub(r"lessons? \d\d(, \d\d| and \d\d| to \d\d)*", " ", left)
    left = re.sub(r"item \d|8×8|\{doc\}`[^`]*`|(?<= )\d\. \*\*", " ", left)
    assert re.findall(r"\S*\d\S*", left) == []
