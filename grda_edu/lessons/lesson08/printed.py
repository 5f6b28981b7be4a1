"""What the lesson prints: a worked number, the table of evidence, the learner's measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.lessons.lesson08.numbers import (
    SETTINGS,
    about,
    array,
    ended,
    evidence_rows,
    mean_and_range,
    power,
    seeds,
    worked_weight,
)

C, MU = SETTINGS[0]


_HEADS = {  # key of evidence_rows -> words
    "found": "the scores s",
    "outgoing": "outgoing weights alone",
    "shuffled": "s shuffled",
    "in layers": "s shuffled within each layer",
}


def table_of_evidence() -> None:
    """Show what the controls lack: correlation, and growth where s < 0, beside shuffled scores."""
    from IPython.display import display

    lines = []
    for entry in evidence_rows():
        for key, words in _HEADS.items():
            group = entry[key]
            growth = (
                f"{np.mean([getattr(e, name) for e in group]):.0%}"
                for name in ("grew_where_negative", "grew_where_positive")
            )
            where = f"c = {entry['c']:g}, μ = {entry['mu']:g} ({entry['zeros']:.0%} zeros)"
            correlation = mean_and_range([e.correlation for e in group])
            lines.append((where if key == "found" else "", words, correlation, *growth))
    head = ("", "", "correlation of ŝ with it", "grew where it is negative", "where positive")
    caption = (
        f"γ = {about('main_lr'):g}, t = {about('t'):g}, cut-off {power(about('main_cutoff'))}; "
        f"means of {len(seeds())} seeds (least to greatest)"
    )
    text = "\n".join([caption, *("  |  ".join(line) for line in (head, *lines))])
    cells = "".join(f"<tr><td>{'</td><td>'.join(line)}</td></tr>" for line in lines)
    table = f"<table><caption>{caption}</caption><tr><th>{'</th><th>'.join(head)}</th></tr>{cells}"
    display({"text/html": f"{table}</table>", "text/plain": text}, raw=True)


def worked_number() -> None:
    """Print λ and one weight's prediction in digits: a survivor whose score is negative."""
    one = ended(C, MU, seeds()[0])
    s, lr, t = one.score(), about("main_lr"), about("t")
    j = worked_weight()
    print(f"λ = c √γ t^μ = {C:g} · √{lr:g} · {t:g}^{MU:g} = {one.lam:.4f}")
    print(f"weight {j} of {len(s)}: w_SGD = {one.sgd[j]:+.4f}, s = {s[j]:+.3f}")
    size = abs(one.sgd[j]) - one.lam * s[j]
    print(
        f"predicted: sign(w)·(|w| - λ s) = {np.sign(one.sgd[j]):+.0f}·({abs(one.sgd[j]):.4f} - {one.lam:.4f}·({s[j]:+.3f})) "
        f"= {np.sign(one.sgd[j]) * size:+.4f}"
    )
    print(f"gRDA's weight: {one.grda[j]:+.4f}")


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
            f"c = {c:g}, μ = {mu:g}: gRDA's move {my_share(one.grda - one.sgd, top):.3f}, "
            f"magnitude pruning's {my_share(magnitude - one.sgd, top):.3f}"
        )
    chance = np.random.default_rng(0).standard_normal((100, len(top)))
    mean = np.mean([my_share(direction, top) for direction in chance])
    print(
        f"a random direction: {mean:.3f}, about √(10/{len(top):,}) = {(10 / len(top)) ** 0.5:.3f}"
    )
