"""Lesson 07 once more: angles by hand, methods as the minima that they are, gRDA step by step."""

from __future__ import annotations

from functools import cache
from math import cos, radians, sin, sqrt

import numpy as np

from grda_edu.explore import palette
from grda_edu.lessons import lesson07
from lessons.truth import Case, hollow, look

CURVATURE, EPSILON = 4.0, 1e-3  # h, and what OBS adds to the Hessian
C, MU = 1.0, 0.51
RATES = (0.025, 0.05, 0.1, 0.2)
NAMES = ("w0", "w1", "w2", "w3", "w₁", "w₂", "s1", "s2", "P0")  # with an index, not a number

GREEN = palette.DIRECTIONAL
FLOOR = hollow(GREEN)._replace(dash="dot")
LOOKS = {
    "directional": GREEN,
    "floor": FLOOR,
    "soft": palette.SOFT,
    "magnitude": palette.MAGNITUDE,
    "obs": palette.OBS,
}
CALLED = {
    "directional": "directional pruning",
    "floor": "kept on the floor",
    "soft": "soft-thresholding",
    "magnitude": "magnitude",
    "obs": "OBS",
}


# ------------------------------------------------- the valley and its methods


def valley(angle: float) -> tuple[np.ndarray, np.ndarray]:
    """w_SGD and the direction across: [2] each."""
    across = np.round([-sin(radians(angle)), cos(radians(angle))], 15)
    return np.array([1.0, 0.4]), across


def space(tilt: float) -> tuple[np.ndarray, np.ndarray]:
    """The same for three weights: [3] each."""
    t = radians(tilt)
    return np.array([1.0, 0.55, 0.75]), np.array([0.8 * sin(t), -0.6 * sin(t), cos(t)])


def shrink(x: np.ndarray, by: float | np.ndarray) -> np.ndarray:
    return np.array([np.sign(v) * max(abs(v) - b, 0.0) for v, b in zip(x, by + 0 * x, strict=True)])


def scores(w: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The sign's part across taken away, weight by weight."""
    signs = np.sign(w)
    across = float(sum(signs * n))
    return np.array([s * (s - across * k) for s, k in zip(signs, n, strict=True)])


def on_floor(w: np.ndarray, n: np.ndarray, lam: float) -> np.ndarray:
    """The least of ½‖x - w‖² + λ‖x‖₁ with n·(x - w) = 0, by bisection for the multiplier."""
    low, high = -100.0, 100.0
    for _ in range(200):
        middle = (low + high) / 2
        if n @ (shrink(w + middle * n, lam) - w) < 0:
            low = middle
        else:
            high = middle
    return shrink(w + high * n, lam)


def surgeon(w: np.ndarray, n: np.ndarray) -> tuple[list[np.ndarray], list[float], list[int]]:
    """Where OBS is after 0, 1, … removals, at which λ it makes them, and of which weights.

    Each place is the least of ½(x - w)ᵀ(H + εI)(x - w) with the removed weights held at zero.
    """
    A = CURVATURE * np.outer(n, n) + EPSILON * np.eye(w.size)

    def least(gone: list[int]) -> tuple[float, np.ndarray]:
        free = [j for j in range(w.size) if j not in gone]
        x = np.zeros(w.size)
        x[free] = w[free] + np.linalg.solve(A[np.ix_(free, free)], A[np.ix_(free, gone)] @ w[gone])
        return 0.5 * float((x - w) @ A @ (x - w)), x

    places, prices, gone, cost = [w], [], [], 0.0
    while len(gone) < w.size:
        found = {j: least([*gone, j]) for j in range(w.size) if j not in gone}
        j = min(found, key=lambda j: found[j][0])
        prices.append(max([*prices, sqrt(2 * max(found[j][0] - cost, 0.0) / EPSILON)]))
        cost = found[j][0]
        gone.append(j)
        places.append(found[j][1])
    return places, prices, gone


def reached(method: str, w: np.ndarray, n: np.ndarray, lam: float) -> np.ndarray:
    """Where a method is at λ."""
    if method == "directional":
        return shrink(w, lam * scores(w, n))
    if method == "floor":
        return on_floor(w, n, lam)
    if method == "soft":
        return shrink(w, lam)
    if method == "magnitude":
        return np.array([0.0 if abs(v) <= lam else v for v in w])
    places, prices, _ = surgeon(w, n)
    return places[sum(price <= lam for price in prices)]


def loss_there(x: np.ndarray, w: np.ndarray, n: np.ndarray) -> float:
    return 0.5 * CURVATURE * float(n @ (x - w)) ** 2


def paid(methods: tuple[str, ...], w: np.ndarray, n: np.ndarray, lam: float) -> list:
    """λ, and each method's name and loss."""
    told: list = ["Loss at", lam]
    for method in methods:
        x = reached(method, w, n, lam)
        told += [CALLED[method], loss_there(x, w, n)]
    return told


def first_dead(w: np.ndarray, n: np.ndarray) -> tuple[int, float] | None:
    """Which weight (from 1) directional pruning brings to zero first, and at which λ."""
    pairs = enumerate(zip(w, scores(w, n), strict=True), 1)
    times = {k: abs(v) / s for k, (v, s) in pairs if s > 1e-9}
    return min(times.items(), key=lambda item: item[1]) if times else None


def title_of_scores(w: np.ndarray, n: np.ndarray) -> list:
    first = first_dead(w, n) if w.all() else None
    told = (
        ["none reaches zero"]
        if first is None
        else [f"w{first[0]} reaches zero first, at λ =", first[1]]
    )
    return [*scores(w, n), *told]


# ------------------------------------------------- the valley in the hand

PLANE = {f"band {k}": palette.PAPER for k in range(1, 8)} | {
    "walls": palette.MUTED,
    "ground": palette.MUTED,
    "sgd": palette.SGD,
}
AXES = {"xaxis.title": ["w1"], "yaxis.title": ["w2"]}


def of_many(*styles: palette.Style) -> dict:
    """Points of several looks; hollow ones have a rim of their own colour."""
    colors = [style.color for style in styles]
    rims = [s.color if s.symbol.endswith("-open") else palette.PAPER for s in styles]
    symbols = [style.symbol for style in styles]
    return look(
        palette.INK,
        **{"marker.color": colors, "marker.symbol": symbols, "marker.line.color": rims},
    )


def says_in_hand(angle: float, lam: float) -> dict:
    w, n = valley(angle)
    s = scores(w, n)
    now, wish = shrink(w, lam * s), w - lam * np.sign(w)
    first = first_dead(w, n)
    if first is not None and lam >= first[1]:
        title: list = [f"w{first[0]} died first, at λ =", first[1]]
    else:
        title = ["Both weights are alive"] if lam else ["At the start", "as SGD left them"]
    return AXES | {
        "sentence": [
            *("At λ =", lam, "along the floor", *now, "at a loss of", loss_there(now, w, n)),
            *("along the wish", loss_there(wish, w, n)),
        ],
        "title": title,
        "notes[2]": ["What is left", *s],
        "gauges.y": ["w1", "w2"],
        "full.y": ["w1", "w2"],
        "dead.y": ["w1", "w2"],
        "left.y": ["w1", "w2"],
        "left.text": ["zero" if x == 0 else f"{abs(x):.2f}" for x in now],
    }


def reaches_in_hand(angle: float, lam: float) -> list[bool]:
    """How far the deaths of the two weights lie apart at each angle; whether a weight has grown."""
    apart = {}
    for other in range(-87, 93, 3):
        w, n = valley(other)
        s = scores(w, n)
        if min(s) > 1e-9:
            apart[other] = abs(abs(w[0]) / s[0] - abs(w[1]) / s[1])
    w, n = valley(angle)
    grown = np.abs(shrink(w, lam * scores(w, n))) - np.abs(w)
    return [angle == min(apart, key=apart.__getitem__), bool(grown.max() > 0.005)]


IN_HAND = Case(
    "valley_in_hand",
    lesson07.valley_in_hand,
    says_in_hand,
    looks=PLANE
    | {
        "route": GREEN,
        "wish": look(palette.INK, **{"marker.symbol": "arrow"}),
        "drop": palette.Style(palette.MUTED, "dot", "square"),
        "shadow": look(GREEN.color, **{"marker.symbol": "arrow"}),
        "turn": palette.MUTED,
        "balls": of_many(palette.style_of(palette.INK), GREEN),
        "loss of the wish": palette.INK,
        "loss of the shadow": GREEN,
        "losses": of_many(palette.style_of(palette.INK), GREEN),
        "gauges": GREEN,
        "full": look(
            palette.Style(palette.INK, "solid", "line-ns"), **{"marker.line.color": palette.INK}
        ),
        "dead": palette.ZERO,
        "left": palette.INK,
        "shapes[0]": palette.MUTED,
    },
    keys={
        "notes[0]": {
            "the wish, −sign(w)": ["wish", "balls[0]"],
            "its shadow on the floor": ["route", "balls[1]"],
        },
    },
    names=NAMES,
    positions=[
        {"angle": 90.0, "lam": 0.3},
        {"angle": -45.0, "lam": 1.0},
        {"angle": -27.0, "lam": 0.8},
        {"angle": 21.0, "lam": 0.9},
        {"lam": 0.9},
    ],
    reaches=reaches_in_hand,
)


# ------------------------------------------------- five ways to prune


def says_paths(angle: float, lam: float) -> dict:
    w, n = valley(angle)
    _, prices, gone = surgeon(w, n)
    first = first_dead(w, n)
    title = [f"OBS removes w{gone[0] + 1} in one jump", prices[0], "directional pruning"]
    title += ["makes no zero"] if first is None else [f"glides towards w{first[0]}", 0]
    return AXES | {"sentence": paid(tuple(CALLED), w, n, lam), "title": title}


PATHS = Case(
    "all_paths",
    lesson07.all_paths,
    says_paths,
    looks=PLANE
    | LOOKS
    | {f"{what} of {name}": style for what in ("move", "loss") for name, style in LOOKS.items()}
    | {"now": of_many(*LOOKS.values()), **dict.fromkeys(("shapes[0]", "shapes[1]"), palette.MUTED)},
    keys={
        "notes[0]": {
            words: [method, f"now[{k}]"] for k, (method, words) in enumerate(CALLED.items())
        }
    },
    names=NAMES,
    positions=[
        {"angle": 90.0, "lam": 1.0},
        {"angle": -45.0, "lam": 0.4},
        {"angle": 40.0, "lam": 1.0},
        {"lam": 0.94},
        {"lam": 0.96},
        {"angle": 20.0, "lam": 2.0},
    ],
)


# ------------------------------------------------- gRDA's own way


@cache
def walk(lr: float, angle: float, lam: float) -> tuple[int, float, np.ndarray]:
    """gRDA from up the side until its threshold would pass λ: steps, the threshold, the weights."""
    at, n = valley(angle)
    v = w = at + 0.9 * n
    k, g = 0, 0.0
    while C * sqrt(lr) * ((k + 1) * lr) ** MU <= lam + 1e-12:
        k += 1
        v = v - lr * CURVATURE * float(n @ (w - at)) * n
        g = C * sqrt(lr) * (k * lr) ** MU
        w = np.sign(v) * np.maximum(np.abs(v) - g, 0.0)
    return k, g, w


def says_landing(lr: float, angle: float, lam: float) -> dict:
    w, n = valley(angle)
    steps, g, grda = walk(lr, angle, lam)
    kept = on_floor(w, n, g)
    far = float(np.hypot(*(grda - kept)))
    return AXES | {
        "sentence": [
            *("After", steps, "step", steps * lr, "gRDA", *grda, "hollow diamond", *kept),
        ],
        "title": [f"{lr:g}", g, "gRDA is", far, "from the hollow diamond"],
        **{f"notes[{k}]": [f"{rate:g}"] for k, rate in enumerate(RATES, 2)},
        "start.text": ["w0"],
    }


LANDING = Case(
    "grda_lands",
    lesson07.grda_lands,
    says_landing,
    looks=PLANE
    | {f"gap {rate}": palette.GRDA for rate in RATES}
    | {
        "directional": GREEN,
        "descent": palette.SGD,
        "grda": palette.GRDA,
        "start": palette.INK,
        "now": of_many(FLOOR, GREEN, palette.GRDA),
        "gap": palette.GRDA,
        "closed gap": GREEN,
        "gap now": palette.GRDA,
    },
    keys={
        "notes[0]": {
            "gRDA": ["grda", "now[2]"],
            "SGD": ["descent", "sgd"],
            "wDP": ["directional", "now[1]"],
            "kept on the floor": "now[0]",
        },
        "notes[1]": {"… the hollow diamond": "gap", "… wDP": "closed gap"},
        **{f"notes[{k}]": {"γ #": f"gap {rate}"} for k, rate in enumerate(RATES, 2)},
    },
    names=NAMES,
    positions=[{"lr": 0.025, "lam": 2.0}, {"lr": 0.05, "angle": -75.0, "lam": 1.0}, {"lam": 0.1}],
)


# ------------------------------------------------- three weights

IN_SPACE = {name: LOOKS[name] for name in ("directional", "floor")} | {
    "obs": palette.OBS._replace(symbol="circle")
}


def says_space(tilt: float, lam: float) -> dict:
    w, n = space(tilt)
    return {
        "sentence": paid(tuple(IN_SPACE), w, n, lam),
        "title": title_of_scores(w, n),
        **{f"scene.{letter}axis.title": [f"w{j}"] for j, letter in enumerate("xyz", 1)},
        **{f"notes[{1 + j}]": [f"w{j}"] for j in (1, 2, 3)},
    }


SPACE = Case(
    "three_weights",
    lesson07.three_weights,
    says_space,
    looks=IN_SPACE
    | {f"{name} now": style for name, style in IN_SPACE.items()}
    | {f"{name} {j}": LOOKS[name] for name in ("directional", "floor") for j in (1, 2, 3)}
    | {"plane": palette.MUTED, "sgd": palette.SGD, "shapes[0]": palette.MUTED},
    keys={"notes[0]": {CALLED[name]: [name, f"{name} now"] for name in IN_SPACE}},
    names=NAMES,
    positions=[{"tilt": 0.0, "lam": 1.5}, {"tilt": 20.0, "lam": 1.6}],
)

CASES = [IN_HAND, PATHS, LANDING, SPACE]
