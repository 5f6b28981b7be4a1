"""What the lesson prints: a worked number, the table of evidence, the learner's measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grda_edu.explore import TextTable, writing
from grda_edu.geometry.pruning import magnitude_pruning

from .curves import cut, means, named
from .numbers import (
    SETTINGS,
    about,
    array,
    ended,
    evidence_rows,
    seeds,
    worked_weight,
)

C, MU = SETTINGS[0]

_ROWS = {  # key of evidence_rows -> words
    "found": "the scores s",
    "outgoing": "outgoing weights alone",
    "shuffled": "s shuffled",
    "in layers": "s shuffled within each layer",
}


def table_of_evidence() -> TextTable:
    """What the controls lack: correlation, and growth where s < 0, beside shuffled scores."""
    rows = []
    for entry in evidence_rows():
        where = f"{named(entry['c'], entry['mu'])} ({writing.percent(entry['zeros'], 0)} zeros)"
        for name, words in _ROWS.items():
            group = entry[name]
            found = [one.correlation for one in group]
            correlation = (
                f"{writing.decimal(float(np.mean(found)))} ({writing.span(min(found), max(found))})"
            )
            negative = _mean_share([one.grew_where_negative for one in group])
            positive = _mean_share([one.grew_where_positive for one in group])
            rows.append((where, words, correlation, negative, positive))
    header = (
        "setting",
        "scores",
        "correlation of ŝ with them",
        "grew where negative",
        "where positive",
    )
    settings = f"γ = {about('main_lr'):g}, t = {about('t'):g}, cut-off {cut(about('main_cutoff'))}"
    return TextTable(rows, header, f"{settings}; {means()} (least to greatest)")


def _mean_share(shares: list[float]) -> str:
    return writing.percent(float(np.mean(shares)), 0)


def worked_number() -> None:
    """Print λ and one weight's prediction in digits: a survivor whose score is negative."""
    one = ended(C, MU, seeds()[0])
    s, lr, t = one.score(), about("main_lr"), about("t")
    j = worked_weight()
    size, score = writing.decimal(abs(one.sgd[j]), 4), writing.signed(s[j], 3)
    predicted = one.directional()[j]
    print(f"λ = c √γ t^μ = {C:g} · √{lr:g} · {t:g}^{MU:g} = {writing.decimal(one.lam, 4)}")
    print(f"weight {j} of {len(s):,}: w_SGD = {writing.signed(one.sgd[j], 4)}, s = {score}")
    print(
        f"predicted: sign(w)·(|w| − λ s) = {writing.signed(np.sign(one.sgd[j]), 0)}·"
        f"({size} − {writing.decimal(one.lam, 4)}·({score})) = {writing.signed(predicted, 4)}"
    )
    print(f"gRDA's weight: {writing.signed(one.grda[j], 4)}")


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
