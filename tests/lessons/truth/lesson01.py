"""Lesson 01: lowest points are looked for among all candidates, zeros are counted one by one."""

from __future__ import annotations

import numpy as np

from grda_edu.explore import palette
from grda_edu.lessons import lesson01
from lessons.truth import Case, look

TENTHS = [k / 10 for k in range(-30, 31)]  # all that the sliders can make of each other
FORTY = np.random.default_rng(7).laplace(scale=0.7, size=40).tolist()


def says_rule(tau: float, x: float) -> dict:
    lowest = min(TENTHS, key=lambda w: (w - x) ** 2 / 2 + tau * abs(w))
    if not tau:
        verdict = ["without a threshold", lowest]
    else:
        verdict = ["outside the band", lowest] if lowest else ["in the band", "in the kink", 0]
    return {"sentence": [tau, x, *verdict], "title": ["S", x, lowest]}


RULE = Case(
    "rule_and_objective",
    lesson01.rule_and_objective,
    says_rule,
    looks={
        "kept": palette.TARGET,
        "soft": palette.GRDA,
        "point": palette.GRDA,
        "square": palette.Style(palette.INK, "dot", "circle"),
        "penalty": palette.BAND_EDGE,
        "sum": palette.INK,
        "lowest": palette.GRDA,
        "shapes[0]": look(palette.BAND_EDGE, fillcolor=palette.BAND),
    },
    keys={
        "notes[0]": {"Sτ(x)": "soft", "x unchanged": "kept", "becomes zero": "shapes[0]"},
        "notes[1]": {"½(w − x)² + τ|w|": "sum", "½(w − x)²": "square", "τ|w|": "penalty"},
    },
    names=lambda tau, x: [f"S{tau:.1f}"],  # so that no sign can stand between the two
    positions=[
        {"tau": 0.5, "x": 0.3},
        {"tau": 0.5, "x": -0.5},  # at the band's very edge
        {"tau": 0.5, "x": -0.6},
        {"tau": 0.0, "x": 0.0},
        {"tau": 2.0, "x": -1.9},
    ],
)


def says_forty(rule: str, tau: float) -> dict:
    largest = max(FORTY, key=abs)
    moved = {
        "soft": largest - np.sign(largest) * tau,
        "hard": largest,
        "scale": largest / (1 + tau),
    }
    zeros = 0 if rule == "scale" else sum(abs(value) <= tau for value in FORTY)
    found = [zeros, len(FORTY), "is exactly" if zeros == 1 else "are exactly"]
    return {"sentence": [rule, tau, *found, largest, moved[rule]], "title": found}


FEWEST = sorted(map(abs, FORTY))[:2]  # between their sizes exactly one is zero
FORTY_COEFFICIENTS = Case(
    "forty_coefficients",
    lesson01.forty_coefficients,
    says_forty,
    looks={
        "before": palette.MUTED,
        "after": palette.GRDA,
        "zero": palette.ZERO,
        "shapes[0]": palette.BAND,
    },
    keys={"notes[0]": {"before": "before", "after": "after", "exactly zero": "zero"}},
    positions=[
        {"rule": "soft", "tau": float(np.mean(FEWEST))},
        {"rule": "soft", "tau": 2.0},
        {"rule": "soft", "tau": float(np.ceil(100 * sorted(map(abs, FORTY))[29]) / 100)},
        {"rule": "hard", "tau": 0.6},
        {"rule": "scale", "tau": 0.01},
    ],
    reaches=lambda rule, tau: [
        # thirty lie in the band, and with a hundredth less not yet
        rule == "soft" and [sum(abs(v) <= t for v in FORTY) for t in (tau, tau - 0.01)] == [30, 29]
    ],
)

CASES = [RULE, FORTY_COEFFICIENTS]
