"""Lesson 05: each recorded run is read on its own; the search, the stop and the best of many are
written a second time."""

from __future__ import annotations

import inspect
import math
from functools import cache
from itertools import islice

import numpy as np

from grda_edu import recordings
from grda_edu.data import digits, mnist5k
from grda_edu.explore import palette
from grda_edu.lessons import lesson05
from grda_edu.training.search import Probe, Search
from lessons.truth import Case, hollow, look

DEVELOPED, HELD_OUT, HARDER = (
    recordings.load(name) for name in ("digits_grid", "digits_held_out", "mnist_grid")
)
VALIDATION = {  # images
    "digits": len(digits().y_val),
    "mnist5k": inspect.signature(mnist5k).parameters["validation"].default,
}
GUESSING = 0.1  # the share of images that a dead network reads
SLACK = 1e-9  # a tolerance of whole images is kept to
CROSS = palette.Style(palette.INK, "solid", "cross")


@cache
def run_of(runs, c: float, mu: float, seed: int):
    return runs.run(c, mu, int(seed))


@cache
def differences(runs, mu: float, epoch: int, part: str, average: int = 1) -> np.ndarray:
    """Accuracy minus SGD's: a row a seed, a column a c; averaged with the seeds after it, in a circle."""
    own = [
        [
            getattr(run_of(runs, c, mu, seed), part)[epoch]
            - getattr(run_of(runs, 0.0, mu, seed), part)[epoch]
            for c in runs.c[1:]
        ]
        for seed in runs.seeds
    ]
    n = len(own)
    return np.array([np.mean([own[(s + k) % n] for k in range(average)], axis=0) for s in range(n)])


def zeros_of(runs, c: float, mu: float, epoch: int = -1) -> list[float]:
    """Share of zeros, by seed."""
    return [run_of(runs, c, mu, seed).zeros[epoch].sum() / runs.sizes.sum() for seed in runs.seeds]


def searched(fine: list[bool], cs: list[float]) -> list[int]:
    """Which positions the search tries, in order: times ten while fine, then halving the gap."""
    good, bad, tried = -1, len(cs), [0]
    while True:
        good, bad = (tried[-1], bad) if fine[tried[-1]] else (good, tried[-1])
        if bad == good + 1:
            return tried
        if bad < len(cs):
            tried.append((good + bad) // 2)
        else:
            leap = [k for k, c in enumerate(cs) if k > good and c < 10.001 * cs[good]]
            tried.append(max(leap, default=good + 1))


def picked(fine: list[bool], cs: list[float]) -> int:
    """Where the search ends: the greatest position that it found fine, or -1."""
    return max((k for k in searched(fine, cs) if fine[k]), default=-1)


def in_points(share: float, end: str = "") -> list[object]:
    """A tolerance: "1 point", "15 points"."""
    return [100 * share, ("point" if share == 0.01 else "points") + end]


def epochs_in_words(count: int, end: str) -> list[object]:
    return [count, f"epoch{end}" if count == 1 else f"epochs{end}"]


# ------------------------------------------------- the rule from seed to seed


def says_rule(runs, mu: float, epochs: int, tolerance: float, average: int) -> dict:
    cs, last = runs.c[1:].tolist(), int(runs.epoch[-1])
    early = differences(runs, mu, epochs, "val_accuracy", average) >= -tolerance - SLACK
    late = differences(runs, mu, last, "test_accuracy", average) >= -0.01 - SLACK
    picks = [picked(row.tolist(), cs) for row in early]
    right = [max((k for k, fine in enumerate(row) if fine), default=-1) for row in late]
    off = [p - r for p, r in zip(picks, right, strict=True)]
    good = [sum(abs(k) <= 1 for k in off), len(off), "within one step"]
    error = standard_error(runs, mu, epochs)
    seeds, grid = list(enumerate(runs.seeds)), [0.0, *cs]
    at_end = [run_of(runs, grid[picks[s] + 1], mu, seed) for s, seed in seeds]
    sgd = [run_of(runs, 0.0, mu, seed) for seed in runs.seeds]
    lost = np.mean(
        [a.test_accuracy[-1] - b.test_accuracy[-1] for a, b in zip(at_end, sgd, strict=True)]
    )
    deepest = min(
        differences(runs, float(m), k, "val_accuracy").min() for m in runs.mu for k in range(1, 6)
    )
    lowest = max(-60, 10 * math.floor(10 * deepest))
    beyond = ["≤"] if 100 * deepest < lowest else []
    return {
        "sentence": [
            *good,
            *(sum(k < -1 for k in off), "too small", sum(k > 1 for k in off), "too large"),
            *(np.mean([r.total_zeros[-1] for r in at_end]), "zeros", 100 * lost, "points from SGD"),
        ],
        "title": good,
        "notes[0]": [*epochs_in_words(epochs, ", validation"), 100 * error, last, ", test"],
        "notes[1]": [*([average - 1, "after it"] if average > 1 else []), 1, last],
        "xaxis.ticktext": cs,
        "xaxis2.ticktext": ["none", *cs],
        "yaxis.ticktext": [*beyond, *range(lowest, 11, 10 if lowest < -30 else 5)],
        "yaxis2.ticktext": runs.seeds.tolist(),
        **{f"seed {seed}.hovertemplate": [seed] for seed in runs.seeds},
    }


def standard_error(runs, mu: float, epoch: int) -> float:
    """Of the difference of two accuracies like SGD's, on different validation images."""
    p = np.mean([run_of(runs, 0.0, mu, seed).val_accuracy[epoch] for seed in runs.seeds])
    return math.sqrt(2 * p * (1 - p) / VALIDATION[runs.configuration["data"]])


def rule_case(name: str, make, runs, positions: list) -> Case:
    return Case(
        name,
        make,
        lambda **position: says_rule(runs, **position),
        looks={
            "tolerance": palette.BAND,
            "SGD": palette.SGD,
            **{f"seed {seed}": palette.GRDA for seed in runs.seeds},
            "at full length": palette.TARGET,
            "one step": palette.BAND_EDGE,
            "should pick": CROSS,
            "picks": hollow(palette.GRDA),
        },
        keys={
            "notes[0]": {
                "each seed": [f"seed {seed}" for seed in runs.seeds],
                "mean": "at full length",
                "SGD": "SGD",
            },
            "notes[1]": {
                "the rule picks": "picks",
                "greatest c within # point at epoch #": "should pick",
                "one step": "one step",
            },
        },
        positions=positions,
    )


RULE = rule_case(
    "rule_on_seeds",
    lesson05.rule_on_seeds,
    HELD_OUT,
    [
        {"epochs": 5, "tolerance": 0.15},
        {"epochs": 1, "tolerance": 0.15},
        {"epochs": 1, "tolerance": 0.15, "average": 3},
        {"mu": 0.65, "epochs": 3, "tolerance": 0.05, "average": 2},
    ],
)
RULE_ON_HARDER = rule_case(
    "rule_on_harder",
    lesson05.rule_on_harder,
    HARDER,
    [{"mu": 0.55}, {"mu": 0.65, "epochs": 3, "tolerance": 0.05}, {"tolerance": 0.01, "average": 2}],
)


# ------------------------------------------------- four other trainings

OTHERS = {name: recordings.load(name) for name in ("digits_slow", "digits_fast", "digits_small")}
OTHERS["mnist_grid"] = HARDER


def good_picks(runs, epochs: int, tolerance: float, constant: float | None = None) -> int:
    """How many picks for μ = .55, or one c for all, are at most one step from the right c."""
    cs = runs.c[1:].tolist()
    early = differences(runs, 0.55, epochs, "val_accuracy") >= -tolerance - SLACK
    late = differences(runs, 0.55, int(runs.epoch[-1]), "test_accuracy") >= -0.01 - SLACK
    right = [max((k for k, fine in enumerate(row) if fine), default=-1) for row in late]
    picks = [picked(row.tolist(), cs) for row in early]
    if constant is not None:
        picks = [cs.index(constant)] * len(right)
    return sum(abs(p - r) <= 1 for p, r in zip(picks, right, strict=True))


def says_elsewhere(epochs: int, tolerance: float) -> dict:
    good = [good_picks(runs, epochs, tolerance) for runs in OTHERS.values()]
    seeds = sum(len(runs.seeds) for runs in OTHERS.values())
    one = sum(good_picks(runs, epochs, tolerance, 0.02) for runs in OTHERS.values())
    return {
        "sentence": [
            *("low learning rate", good[0], "high one", good[1]),
            *("small network", good[2], "on MNIST", good[3]),
        ],
        "title": ["The rule", sum(good), seeds, "one c for all", one],
        "notes[0]": [0.02],
        "yaxis.ticktext": [0.03, 0.3, 1370],
    }


ELSEWHERE = Case(
    "picks_elsewhere",
    lesson05.picks_elsewhere,
    says_elsewhere,
    looks={
        "constant": palette.TARGET,
        "one step": palette.BAND_EDGE,
        "right": CROSS,
        "rule": hollow(palette.GRDA),
    },
    keys={
        "notes[0]": {
            "the rule picks": "rule",
            "the right c": "right",
            "one step": "one step",
            "always c = #": "constant",
        }
    },
    positions=[{"epochs": 5, "tolerance": 0.05}, {"epochs": 2, "tolerance": 0.15}],
)


# ------------------------------------------------- all pairs


@cache
def ends() -> dict[tuple[float, float], tuple[float, float]]:
    """(c, mu) -> zeros and test accuracy minus SGD's, means over the seeds, after the last epoch."""
    return {
        (c, mu): (np.mean(zeros_of(DEVELOPED, c, mu)), np.mean(lost_at_end(c, mu)))
        for c in DEVELOPED.c[1:].tolist()
        for mu in DEVELOPED.mu.tolist()
    }


def lost_at_end(c: float, mu: float) -> list[float]:
    pairs = [(run_of(DEVELOPED, c, mu, s), run_of(DEVELOPED, 0.0, mu, s)) for s in DEVELOPED.seeds]
    return [ours.test_accuracy[-1] - sgd.test_accuracy[-1] for ours, sgd in pairs]


def dead(c: float, mu: float) -> int:
    """How many seeds collapsed."""
    return sum(run_of(DEVELOPED, c, mu, s).test_accuracy[-1] < 0.2 for s in DEVELOPED.seeds)


def says_map(c: float, mu: float) -> dict:
    zeros, lost = ends()[c, mu]
    by_seed = lost_at_end(c, mu)
    more = max(z for z, a in ends().values() if a >= lost - SLACK) - zeros
    if lost < -0.01:
        where: list[object] = ["loses more than one point"]
    elif more <= 0:
        where = ["on the frontier: no recorded pair has more zeros"]
    else:
        near = ": on the frontier, give or take." if more <= 0.05 else "."
        where = ["Another recorded pair is as accurate", 100 * more, f"points more zeros{near}"]
    collapsed = [dead(c, mu), "of", len(by_seed), "seeds collapsed"] if dead(c, mu) else []
    written = [
        "†" * dead(*pair) or 100 * ends()[pair][1]
        for pair in ((float(a), float(b)) for b in DEVELOPED.mu for a in DEVELOPED.c[1:])
    ]
    return {
        "sentence": [
            *(*(100 * x for x in by_seed), "points from SGD", *collapsed, *where),
        ],
        "title": [c, mu, zeros, "zeros", 100 * lost, "points from SGD"],
        "map.text": written,
        "xaxis.ticktext": DEVELOPED.c[1:].tolist(),
        "yaxis.ticktext": DEVELOPED.mu.tolist(),
        "yaxis2.ticktext": ["≤", *range(-6, 2)],
    }


MAP = Case(
    "trade_off",
    lesson05.trade_off,
    says_map,
    looks={
        "map": palette.FIELD,
        "here": palette.Style(palette.GRDA.color, "solid", "square-open"),
        "all": palette.MUTED,
        "frontier": palette.INK,
        "seeds": hollow(palette.GRDA),
        "mean": palette.GRDA,
    },
    keys={
        "notes[0]": {"chosen": "here"},
        "notes[1]": {"frontier": "frontier", "its mean": "mean", "its seeds": "seeds"},
    },
    positions=[
        {"c": 0.05, "mu": 0.51},
        {"c": 0.03, "mu": 0.55},
        {"c": 0.03, "mu": 0.65},
        {"c": 0.005, "mu": 0.501},
    ],
)


# ------------------------------------------------- when to stop


def stopped(trace: np.ndarray, patience: int, tolerance: float) -> int:
    """The first epoch by which ``patience`` epochs in a row brought no rise above the tolerance."""
    best, waited = trace[0], 0
    for epoch, accuracy in enumerate(trace[1:], start=1):
        rises = accuracy > best + tolerance + SLACK
        best, waited = (accuracy, 0) if rises else (best, waited + 1)
        if waited == patience:
            return epoch
    return len(trace) - 1


def says_stopping(cell: tuple[float, float], patience: int, tolerance: float) -> dict:
    runs = [run_of(HELD_OUT, *cell, seed) for seed in HELD_OUT.seeds]
    epochs = [stopped(run.val_accuracy, patience, tolerance) for run in runs]
    lost = [r.test_accuracy[-1] - r.test_accuracy[e] for r, e in zip(runs, epochs, strict=True)]
    fewer = [r.total_zeros[-1] - r.total_zeros[e] for r, e in zip(runs, epochs, strict=True)]
    last = int(HELD_OUT.epoch[-1])
    assert len(runs) == 10  # "ten seeds"
    hovers = {
        f"{what} {seed}.hovertemplate": [seed]
        for what in ("accuracy", "zeros")
        for seed in HELD_OUT.seeds
    }
    return hovers | {
        "sentence": [
            *("between", min(epochs), max(epochs)),
            *(last, 100 * np.mean(lost), "points of test accuracy"),
            *("worst seed", 100 * max(lost), 100 * np.mean(fewer), "points of zeros"),
        ],
        "title": [np.mean(epochs), last],
        "yaxis.ticktext": ["≤", 0.8, 0.85, 0.9, 0.95, 1.0],
        "xaxis3.ticktext": [0, 20, 40, "≥", 60],
        "yaxis3.ticktext": [*range(-2, 12, 2), "≥", 12],
    }


STOPPING = Case(
    "stopping",
    lesson05.stopping,
    says_stopping,
    looks={
        **{f"accuracy {seed}": palette.GRDA for seed in HELD_OUT.seeds},
        **{f"zeros {seed}": palette.ZERO for seed in HELD_OUT.seeds},
        "accuracy at the stop": palette.GRDA,
        "zeros at the stop": palette.ZERO,
        "regret": hollow(palette.GRDA),
        "mean regret": CROSS,
        "regret beyond": hollow(palette.GRDA._replace(symbol="triangle-up")),
        "mean regret beyond": hollow(CROSS._replace(symbol="triangle-up")),
    },
    keys={
        "notes[0]": {"ten seeds": "accuracy 10", "the stop": "accuracy at the stop"},
        "notes[1]": {"ten seeds": "zeros 10", "the stop": "zeros at the stop"},
        "notes[2]": {
            "a seed": "regret",
            "mean": "mean regret",
            "beyond the edge": (palette.INK, "regret beyond", "mean regret beyond"),
        },
    },
    positions=[
        {"cell": (0.03, 0.51), "patience": 10, "tolerance": 0.01},
        {"cell": (0.02, 0.65), "patience": 15, "tolerance": 0.005},
    ],
)


# ------------------------------------------------- the best of many


@cache
def accuracies(what: bool, seed: int, by: str) -> tuple[np.ndarray, np.ndarray]:
    """Of all runs of a seed: what the images ``by`` say at the best epoch, and the test accuracy there."""
    seen, read = [], []
    for c in HELD_OUT.c[1:]:
        for mu in HELD_OUT.mu:
            run = run_of(HELD_OUT, float(c), float(mu), seed)
            judged = getattr(run, by)
            epoch = 1 + max(range(len(judged) - 1), key=lambda k: judged[k + 1]) if what else -1
            seen.append(judged[epoch])
            read.append(run.test_accuracy[epoch])
    return np.array(seen), np.array(read)


def best_of(what: bool, tried: int, by: str) -> float:
    """Expected test accuracy of the best of ``tried`` runs, level by level of what is judged.

    The best lies at or below a level in C(runs at or below, tried) of all C(runs, tried) choices.
    """
    expected = []
    for seed in HELD_OUT.seeds.tolist():
        seen, read = accuracies(what, seed, by)
        total, below = 0.0, 0
        for level in sorted(set(seen.tolist())):
            upto = math.comb(int((seen <= level).sum()), tried)
            total += (upto - below) * read[seen == level].mean()
            below = upto
        expected.append(total / math.comb(len(seen), tried))
    return float(np.mean(expected))


def says_flattery(what: bool, tried: int) -> dict:
    test, val = (best_of(what, tried, by) for by in ("test_accuracy", "val_accuracy"))
    return {
        "sentence": [
            *(tried, test, "the epoch" if what else "choose c and μ,", val),
            *("if the validation images choose", 100 * (test - val), "points"),
        ],
        "title": [tried, 100 * (test - val), "points of flattery"],
    }


FLATTERY = Case(
    "flattery",
    lesson05.flattery,
    says_flattery,
    looks={
        "on test": palette.MAGNITUDE,
        "on validation": palette.GRDA,
        "SGD": palette.SGD,
        "between": palette.INK,
    },
    keys={
        "notes[0]": {
            "chosen on test": "on test",
            "chosen on validation": "on validation",
            "SGD, untuned": "SGD",
        }
    },
    positions=[{"what": False, "tried": 5}, {"what": False, "tried": 2}],
)


# ------------------------------------------------- the search, live


class Recorded:
    """What a search asks for, answered by recorded runs; one c may diverge."""

    def __init__(self, runs, mu: float, epochs: int, tolerance: float, seeds=(), diverging=None):
        self.runs, self.mu, self.epochs, self.tolerance = runs, mu, epochs, tolerance
        self.seeds, self.diverging = seeds, diverging
        self.spent, self.cost, self.guessing = 0, epochs * len(seeds), GUESSING
        self.stop = None

    def probe(self, c: float, reference: Probe | None, report: object, stop: object) -> Probe:
        self.spent += self.cost
        runs = [run_of(self.runs, c, self.mu, seed) for seed in self.seeds]
        accuracies = tuple(run.val_accuracy[self.epochs] for run in runs)
        message = "diverged: the loss became nan" if c == self.diverging else ""
        return Probe(
            c=c,
            mu=self.mu,
            epochs=self.epochs,
            seeds=self.seeds,
            accuracies=accuracies,
            difference=np.mean(accuracies)
            - (reference.accuracy if reference else np.mean(accuracies)),
            standard_error=error_of(self.runs, c, self.mu, self.epochs, self.seeds),
            tolerance=self.tolerance,
            zeros=float(np.mean([run.total_zeros[self.epochs] for run in runs])),
            message=message,
            device="cpu",
        )


def error_of(runs, c: float, mu: float, epoch: int, seeds) -> float:
    p, q = (np.mean([run_of(runs, x, mu, s).val_accuracy[epoch] for s in seeds]) for x in (c, 0.0))
    return math.sqrt((p * (1 - p) + q * (1 - q)) / VALIDATION[runs.configuration["data"]])


def live(runs, data: str):
    """Makes the live view as it stands after some probes, told by recorded runs."""

    def make(probes: int | None, **settings):
        view = lesson05.live_search(data=data)
        if probes != 0:
            view._take(Search(Recorded(runs, **settings), tuple(runs.c[1:].tolist()), None, None))
            for _ in islice(view.search, probes):
                pass
        view._draw()
        return view

    return make


def says_live(runs):
    """The sentence and title after so many probes, SGD's counted; None is to the end."""

    def says(probes: int | None, mu: float, epochs: int, tolerance: float, seeds, diverging=None):
        cs = runs.c[1:].tolist()
        right = {
            c: np.mean([run_of(runs, c, mu, s).val_accuracy[epochs] for s in seeds])
            for c in [0.0, *cs]
        }
        fine = [right[c] - right[0.0] >= -tolerance - SLACK and c != diverging for c in cs]
        hopeless = right[0.0] - tolerance <= GUESSING
        order = [] if hopeless else searched(fine, cs)
        tried = order if probes is None else order[: max(probes - 1, 0)]
        best = max((cs[k] for k in tried if fine[k]), default=None)
        kinds = {"comparable": [], "not comparable": [], "diverged": []}
        for number, k in enumerate(tried, start=1):
            kind = "comparable" if fine[k] else "not comparable"
            kinds["diverged" if cs[k] == diverging else kind].append(number)
        sentence: list[object] = [
            "Nothing has been tried",
            "above, what it reads",
            "below, its zeros",
        ]
        title: list[object] = ["Nothing tried"]
        if probes != 0:
            sentence = [right[0.0], *epochs_in_words(epochs, ".")]
            title = [best, "greatest comparable c"] if best else ["No comparable c"]
        within = [*in_points(tolerance), *epochs_in_words(epochs, "")]
        if probes is None and hopeless:
            sentence += [right[0.0], *within[2:], GUESSING, *within[:2], "a dead network"]
        elif probes is None:
            sentence += end_of_search(fine, cs, best, within)
        elif tried and cs[tried[-1]] == diverging:
            sentence = [len(tried), diverging, "diverged: the loss became nan", "is not comparable"]
        elif tried:
            c = cs[tried[-1]]
            zeros = np.mean([run_of(runs, c, mu, s).total_zeros[epochs] for s in seeds])
            verdict = "zeros, comparable" if fine[tried[-1]] else "zeros, not comparable"
            sentence += [len(tried), c, right[c], zeros, verdict]
        band = [right[0.0], *in_points(tolerance)] if probes != 0 else []
        return {
            "sentence": sentence,
            "title": title,
            "notes[0]": band,
            "xaxis.ticktext": DECADES,
            "xaxis2.ticktext": DECADES,
            **{f"{kind}.text": numbers for kind, numbers in kinds.items() if numbers},
        }

    return says


DECADES = [1e-4, 1e-3, 1e-2, 1e-1]


def end_of_search(fine: list[bool], cs: list[float], best: float | None, within: list) -> list:
    """Of the answer's sentence: c, the tolerance, and the step beyond."""
    if best is None:
        return [
            "Even the smallest c",
            cs[0],
            "is not",
            *within[:-1],
            f"{within[-1]}: start lower, allow a larger",
        ]
    if best == cs[-1]:
        return ["The largest c tried", best, "is still within", *within]
    beyond = min(cs[k] for k in searched(fine, cs) if not fine[k])
    return ["greatest c within", *within, best, beyond, "is too large"]


def keys_live(probes: int | None, tolerance: float, **_) -> dict:
    kinds = {kind: kind for kind in ("comparable", "not comparable", "diverged")}
    below = " ".join(["#", *in_points(tolerance)[1:], "below"])
    reference = {f"SGD #, band: {below}": "SGD"} if probes != 0 else {}
    return {"notes[0]": reference | kinds, "notes[1]": {"after the same epochs": "zeros"}}


def live_case(name: str, runs, data: str, positions: list) -> Case:
    muted = {"textfont.color": palette.MUTED}
    return Case(
        name,
        live(runs, data),
        says_live(runs),
        looks={
            "tolerance": palette.BAND,
            "SGD": palette.SGD,
            "comparable": look(palette.GRDA, **muted),
            "not comparable": look(palette.GRDA._replace(symbol="x"), **muted),
            "diverged": look(palette.Style(palette.MUTED, "solid", "triangle-down"), **muted),
            "zeros": palette.ZERO,
            "choice": palette.TARGET,
            "choice2": palette.TARGET,
        },
        keys=keys_live,
        positions=positions,
    )


FIRST = {"mu": 0.51, "epochs": 1, "tolerance": 0.15, "seeds": (10,)}
LIVE = live_case(
    "live_search",
    HELD_OUT,
    "digits",
    [
        *({"probes": n, **FIRST} for n in (0, 1, 2, 4, None)),
        {"probes": None, **FIRST, "diverging": 0.05},
        {"probes": 3, **FIRST, "diverging": 0.01},
        {"probes": None, **FIRST, "tolerance": 0.01},
        {"probes": None, **FIRST, "tolerance": 0.4},
        {"probes": None, **FIRST, "tolerance": 0.9},
        {"probes": None, "mu": 0.65, "epochs": 5, "tolerance": 0.02, "seeds": (10, 11, 12)},
        {"probes": None, "mu": 0.65, "epochs": 1, "tolerance": 0.0, "seeds": (13,)},
    ],
)
SETTINGS = {"mu": 0.55, "epochs": 1, "tolerance": 0.05, "seeds": (0,)}
LIVE_ON_HARDER = live_case(
    "live_search_on_harder",
    HARDER,
    "mnist5k",
    [{"probes": n, **SETTINGS} for n in (0, 1, 3, None)],
)

CASES = [RULE, RULE_ON_HARDER, ELSEWHERE, MAP, STOPPING, FLATTERY, LIVE, LIVE_ON_HARDER]
