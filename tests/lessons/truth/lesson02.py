"""Lesson 02: every weight is followed step by step, and the formulas are read off the steps."""

from __future__ import annotations

from functools import cache
from math import erfc, sqrt

import numpy as np

from grda_edu.explore import palette
from grda_edu.explore.palette import Style
from grda_edu.lessons import lesson02
from grda_edu.lessons.lesson02.numbers import (
    BACK,
    END,
    FLAT,
    LOOKED_AT,
    SHARP,
    SITUATIONS,
    Situation,
)
from grda_edu.reference import grda as reference
from lessons.truth import Case, look

# ------------------------------------------------- two spaces


def states(here: Situation, a: float, c: float) -> list[tuple[float, float, float]]:
    """(weight, accumulator, threshold) at the start and after each step."""
    steps = round(END / here.lr)
    shocks = here.sigma * np.random.default_rng(here.seed).standard_normal(steps)
    found = [(here.w0, here.w0, 0.0)]

    def gradients():  # each is asked for when the weight of the step before is known
        for shock in shocks:
            yield a * (found[-1][0] - here.w_star) + shock

    for state in reference(here.w0, gradients(), [here.lr] * steps, c, here.mu):
        found.append(tuple(map(float, state)))
    return found


def lasting(steps: list[int], others: list[int], lr: float) -> list[float]:
    """The time of the first of ``steps`` that none of the ``others`` follows within two units."""
    times = [n * lr for n in steps if not any(n * lr < m * lr < n * lr + 2 for m in others)]
    return times[:1]


def says_two_spaces(situation: Situation, a: float, c: float, time: float) -> dict:
    path = states(situation, a, c)
    n = round(time / situation.lr)
    w, v, g = path[n]
    died = [k for k in range(1, len(path)) if path[k][0] == 0 != path[k - 1][0]]
    back = [k for k in range(1, len(path)) if path[k][0] != 0 == path[k - 1][0]]
    sentence: list[object] = [time, a, c]
    if c == 0:
        sentence += ["without a threshold", w, "This is SGD"]
    elif w == 0:
        last = max(k for k in died if k <= n)
        sentence += ["is inside", g, "exactly", 0, "since", last * situation.lr]
    else:
        sentence += [v, abs(w), "beyond the band"]
        if revived := [k for k in back if k <= n]:
            sentence += ["It came back", max(revived) * situation.lr]
    events = (
        ("dies", lasting(died[:8], back, situation.lr)),
        ("revives", lasting(back[:8], died, situation.lr)),
    )
    marked = [  # nothing is said before it happens
        word for verb, at in events for t in at if t < time + 1e-9 for word in (verb, t)
    ]
    edge = [v, "beyond", g if v > 0 else -g, w] if w else [v, "inside", g, 0]
    return {"sentence": sentence, "title": edge, "words.text": marked, "notes[1]": [0]}


DEATH_AND_REVIVAL = {
    "marker.color": [palette.ZERO.color] * 8 + [palette.GRDA.color] * 8,
    "marker.symbol": ["circle-open"] * 8 + ["star-diamond"] * 8,
}
STICK = look(
    palette.GRDA,
    **{
        "marker.color": [palette.GRDA.color, palette.GRDA.color, palette.ZERO.color],
        "marker.symbol": ["circle", "circle", "circle-open"],
        "marker.line.color": [palette.PAPER, palette.PAPER, palette.ZERO.color],
    },
)
FUTURE = look(palette.MUTED, fillcolor=palette.PAPER)
NOISY = next(here for here in SITUATIONS.values() if here.sigma)
WANTS_ZERO = next(here for here in SITUATIONS.values() if not here.w_star)
FAST = next(here for here in SITUATIONS.values() if here.mu == 0.9)


def first_zero(c: float) -> float:
    """When the flat weight of the first situation is zero for the first time; ∞ for never."""
    steps = (k for k, (w, _, _) in enumerate(states(FLAT, 0.0, c)) if w == 0)
    return next(steps, float("inf")) * FLAT.lr


TWO_SPACES = Case(
    "two_spaces",
    lesson02.two_spaces,
    says_two_spaces,
    looks={
        "upper": palette.BAND_EDGE,
        "lower": look(palette.BAND_EDGE, fillcolor=palette.BAND),
        "v": palette.INK,
        "marks of v": look(palette.GRDA, **DEATH_AND_REVIVAL),
        "future of v": FUTURE,
        "beyond": STICK,
        "target": palette.TARGET,
        "SGD": palette.SGD,
        "w": palette.GRDA,
        "zero": palette.ZERO,
        "marks of w": look(palette.GRDA, **DEATH_AND_REVIVAL),
        "words": look(palette.INK, **{"marker.color": None}),  # a marker that is not seen
        "future of w": FUTURE,
        "weight": STICK,
    },
    keys={
        "notes[0]": {"v": "v", "band ±g": "lower", "what is beyond it": "beyond[0]"},
        "notes[1]": {"w = Sg(v)": "w", "exactly #": "zero", "SGD": "SGD", "w*": "target"},
    },
    positions=[
        {"time": 31.2},
        {"time": 32.4},
        {"situation": SHARP, "a": 1.0, "time": 60.0},
        {"situation": BACK, "a": 0.03, "time": 24.0},
        {"situation": BACK, "a": 0.03, "time": 60.0},
        {"situation": WANTS_ZERO, "a": 0.3, "time": 36.0},
        {"situation": WANTS_ZERO, "a": 0.3, "c": 0.0, "time": 60.0},
        {"situation": NOISY, "time": 60.0},
        {"situation": NOISY, "c": 0.1, "time": 48.0},
        {"c": 0.225, "time": 28.8},
        {"situation": FAST, "a": 0.3, "c": 0.1, "time": 1.2},
    ],
    reaches=lambda situation, a, c, time: [
        (situation, a) == (FLAT, 0) and first_zero(c) < 30 <= first_zero(c - 0.025)
    ],
)


# ------------------------------------------------- five methods

METHODS = {
    "SGD": palette.SGD,
    "ℓ1 subgradient": Style(palette.MUTED, "solid", "cross"),
    "proximal SGD": Style(palette.INK, "dashdot", "square-open"),
    "RDA": palette.RDA,
    "gRDA": palette.GRDA,
}
FORMULA = Style(palette.INK, "dot", "circle")
LR, STEPS = 0.1, 10_000
THOUSAND = 1000  # the time that the figures' sentences tell of last


@cache
def strengths(mu: float, death: float) -> tuple[float, float]:
    """λ and c whose thresholds have reached 1 at the time of death."""
    steps = round(death / LR)
    *_, (_, _, threshold) = reference(1.0, [0.0] * steps, [LR] * steps, 1.0, mu)
    return 1 / (steps * LR), 1 / threshold


@cache
def followed(method: str, a: float, mu: float, death: float) -> list[float]:
    """The weight from its optimum, 1, over all steps."""
    lam, c = strengths(mu, death)
    v = w = 1.0
    path = [w]
    for n in range(1, STEPS + 1):
        force = a * (w - 1)
        if method in ("SGD", "ℓ1 subgradient"):
            w -= LR * (force + (lam * np.sign(w) if method != "SGD" else 0))
        else:
            v = (w if method == "proximal SGD" else v) - LR * force
            edge = {
                "proximal SGD": lam * LR,
                "RDA": lam * n * LR,
                "gRDA": c * sqrt(LR) * (n * LR) ** mu,
            }[method]
            beyond = abs(v) - edge
            w = (
                float(np.sign(v)) * beyond if beyond > 1e-12 else 0.0
            )  # on the edge, but for rounding
        path.append(float(w))
    return path


def says_five_methods(mu: float, death: float, a: float) -> dict:
    lam, c = strengths(mu, death)
    ends = {method: 1 - followed(method, a, mu, death)[-1] for method in METHODS}
    stays, left = ends["proximal SGD"], ends["gRDA"]
    headings = {}
    for k, method in enumerate(METHODS):
        flat = followed(method, 0.0, mu, death)
        dead = [round(flat.index(0.0) * LR)] if 0.0 in flat else ["never exactly zero"]
        headings[f"notes[{k}]"] = dead
    return {
        "sentence": [
            *(lam, c, "to zero at", death, "keeps a bias of", stays, "under the three"),
            *("under gRDA", left, THOUSAND),
        ],
        "title": [THOUSAND, stays, "under λ|w|", left, "under gRDA"],
        **headings,
        "notes[6]": ["lost for good"] if lam >= a else ["λ/a", stays],
        **{f"xaxis{k or ''}.ticktext": [1, 100] for k in (0, 2, 3, 4, 5)},
    }


FIVE_METHODS = Case(
    "five_methods",
    lesson02.five_methods,
    says_five_methods,
    looks={
        **{f"{name} sharp": style.color for name, style in METHODS.items()},
        **{f"{name} flat": style.color for name, style in METHODS.items()},
        **{f"{name} zero": palette.ZERO for name in METHODS},
        **{f"{name} bias": style for name, style in METHODS.items() if name != "SGD"},
        "ℓ1 formula": FORMULA,
        "gRDA formula": FORMULA,
    },
    keys={
        **{
            f"notes[{k}]": {m.replace("subg", "sub\u00adg"): (f"{m} sharp", f"{m} flat")}
            for k, m in enumerate(METHODS)
        },  # a heading may break the word there
        "notes[5]": {method: f"{method} bias" for method in METHODS if method != "SGD"},
    },
    names=["ℓ1", "μ−1"],
    positions=[
        {"death": 5.0, "a": 0.2},  # λ = a: on the brink
        {"death": 5.0, "a": 1.0, "mu": 0.51},
        {"death": 10.0, "a": 0.5, "mu": 0.75},
    ],
)


# ------------------------------------------------- noise

SIZE = 0.3  # of the noise, and c
LOOKED = set(LOOKED_AT.tolist())
DRAWN = sorted({round(10 ** (k / 6)) for k in range(25)})  # steps, six for each power of ten


@cache
def alive(mu: float) -> dict[int, float]:
    """Share of 4,000 random walks that are beyond the band, after the steps that are drawn."""
    random, sums, before, shares = np.random.default_rng(0), np.zeros(4000), 0, {}
    for n in DRAWN:
        sums += sqrt(n - before) * random.standard_normal(4000)  # n - before steps in one
        inside = np.abs(LR * SIZE * sums) <= SIZE * sqrt(LR) * (n * LR) ** mu
        before, shares[n] = n, 1 - np.count_nonzero(inside) / 4000
    return shares


@cache
def shocks() -> np.ndarray:
    return SIZE * np.random.default_rng(1).standard_normal((STEPS, 300))


@cache
def noisy_bias(mu: float) -> dict[int, float]:
    """Bias of 300 sharp weights, mean over those looked at and over the steps since the last drawn."""
    v, w, gathered, means = np.ones(300), np.ones(300), [], {}
    for n, shock in enumerate(shocks(), 1):
        v = v - LR * (w - 1 + shock)
        edge = SIZE * sqrt(LR) * (n * LR) ** mu
        w = np.where(np.abs(v) > edge, v - np.sign(v) * edge, 0)
        if n in LOOKED:
            gathered.append(1 - w.mean())
        if n in DRAWN:
            means[n], gathered = float(np.mean(gathered)), []
    return means


def verdict(mu: float) -> str:
    """What becomes of share and bias in the end; slowly where t = 1000 has more than two thirds."""

    def share(log_t: float) -> float:  # outside a band that is t^(mu - 1/2) noises wide
        return erfc(10 ** min(log_t * (mu - 0.5), 6) / sqrt(2))

    if share(1e5) > 0.01:
        return "come alive" if share(1e5) > 0.99 else "nothing changes"
    slowly = ", very slowly"
    dying = "die out" + slowly * (share(3) > 2 / 3 * share(0))
    kept = 100 ** (mu - 1)  # of the bias at t = 10, at t = 1000
    if kept < 1:
        return f"{dying}, and the bias vanishes" + slowly * (kept > 2 / 3)
    return f"{dying}, but the bias {'stays' if kept == 1 else 'grows'}"


def says_why_between(mu: float) -> dict:
    bias = [
        [b] if (b := noisy_bias(mu)[n]) >= 0.002 else ["less than", 0.002] for n in (100, STEPS)
    ]
    return {
        "sentence": [
            *(alive(mu)[10], "alive at", 1, alive(mu)[STEPS], "at the end"),
            *(*bias[0], 10, *bias[1], "at the end"),
        ],
        "title": [mu, verdict(mu)],
        "notes[0]": [60, 4000],
    }


WHY_BETWEEN = Case(
    "why_between",
    lesson02.why_between,
    says_why_between,
    looks={
        "floor": palette.BAND_EDGE,
        "band": look(palette.BAND_EDGE, fillcolor=palette.BAND),
        "dead": palette.ZERO,
        "alive": palette.GRDA,
        "size": palette.INK,
        "share formula": FORMULA,
        "share": palette.GRDA,
        "bias formula": FORMULA,
        "bias": palette.GRDA,
    },
    keys={
        "notes[0]": {"alive": "alive", "zero": "dead", "band": "band", "noise σ√γ√t": "size"},
        "notes[1]": {"all of them": "share", "formula": "share formula"},
        "notes[2]": {"under noise": "bias", "formula": "bias formula"},
    },
    positions=[{"mu": mu} for mu in (0.5, 0.51, 0.55, 0.9, 0.95, 1.0, 1.05)],
)

CASES = [TWO_SPACES, FIVE_METHODS, WHY_BETWEEN]
