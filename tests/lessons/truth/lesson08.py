"""Lesson 08: every number again from the recorded arrays, with formulas written out here."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson08
from grda_edu.lessons.lesson08.live import Measured, show_match
from grda_edu.models import small_digits_cnn
from grda_edu.studies.theorem import LOSSES, TheoremStudy
from grda_edu.studies.time_limit import FiniteTime
from lessons.truth import Case, hollow, look
from lessons.truth.lesson04 import CURVE_LOOKS, NAMES, keys_live, live_run, says_live

STUDY = TheoremStudy()
ARRAYS = {
    name: values.astype(float)
    for name, values in recordings.load_measurements("theorem").arrays.items()
}
SHAPES = [tuple(p.shape) for p in small_digits_cnn(0).parameters()]
D = sum(map(prod, SHAPES))
(FILTERS, _, SIDE, _), _, (DIGITS, FEATURES), _ = SHAPES
END = STUDY.times.index(STUDY.t)
MAIN = STUDY.cutoffs.index(STUDY.main_cutoff)
PAIRS = STUDY.pairs(STUDY.main_lr)
TEXT = STUDY.held  # the settings that the lesson's text talks about
P0 = ("P0", "ℓ1")  # names with a digit: P<sub>0</sub> and the norm
STRONGEST, MIDDLE = {"c": 0.02, "mu": 0.7}, {"c": 0.01, "mu": 0.6}


# ------------------------------------------------- the recording, and what is made of it


@dataclass
class Pair:
    """Where SGD and gRDA ended: vectors [D], scores of every cut-off [cut-offs, D]."""

    sgd: np.ndarray
    grda: np.ndarray
    lam: float
    s: np.ndarray
    random: np.ndarray
    seed: int

    def correlation(self, s: np.ndarray) -> float:
        """Pearson's, of the move against the sign with the scores, over the survivors."""
        alive = (self.grda != 0) & (self.sgd != 0)
        x, y = s[alive], (np.sign(self.sgd) * (self.sgd - self.grda))[alive]
        x, y = x - x.mean(), y - y.mean()
        length = sqrt((x @ x) * (y @ y))
        return x @ y / length if np.ptp(s[alive]) else np.nan

    def grew(self, chosen: np.ndarray) -> float:
        """The share of the chosen survivors that moved away from zero."""
        those = chosen & (self.grda != 0)
        away = self.sgd * (self.grda - self.sgd) > 0
        return away[those].sum() / those.sum() if those.any() else np.nan

    def predictions(self, factor: float = 1.0) -> dict[str, np.ndarray]:
        w, s, lam = self.sgd, self.s[MAIN], factor * self.lam
        dealt = np.random.default_rng([self.seed, 1]).permutation(s)
        zeros = (self.grda == 0).sum()
        smallest = np.partition(np.abs(w), zeros - 1)[zeros - 1]  # the largest of those that die
        scores = {"directional": s, "random": self.random, "shuffled": dealt, "constant": s.mean()}
        made = {name: moved(w, lam * score) for name, score in scores.items()}
        return made | {"identity": moved(w, lam), "soft": moved(w, smallest)}

    def cosine(self, predicted: np.ndarray) -> float:
        return angle(predicted - self.sgd, self.grda - self.sgd)

    def deviation(self, predicted: np.ndarray) -> float:
        plain = moved(self.sgd, self.lam)
        return angle(predicted - plain, self.grda - plain)


def moved(w: np.ndarray, by: np.ndarray | float) -> np.ndarray:
    """Towards zero by ``by`` and no further; away from it where ``by`` is negative."""
    size = np.abs(w) - by
    return np.where(size > 0, np.sign(w) * size, 0.0)


def angle(a: np.ndarray, b: np.ndarray) -> float:
    lengths = sqrt((a * a).sum() * (b * b).sum())
    return (a * b).sum() / lengths if lengths else np.nan


def ended(c: float, mu: float, seed: int, lr: float = STUDY.main_lr, t: float = STUDY.t) -> Pair:
    """c is that at this rate."""
    k = STUDY.seeds.index(seed)
    place = next(i for i, p in enumerate(STUDY.pairs(lr)) if np.allclose(p, (c, mu)))
    if lr == STUDY.main_lr:
        sgd = ARRAYS["path"][k, STUDY.times.index(t)]
        names, here = ("grda", "s", "s_random"), (k,)
        if t != STUDY.t:
            names = tuple(f"{name}/later" for name in names)
    else:
        here = ([rate for rate in STUDY.lrs if rate != STUDY.main_lr].index(lr), k)
        names, sgd = ("rates/grda", "rates/s", "rates/s_random"), ARRAYS["rates/sgd"][here]
    grda, s, random = (ARRAYS[name][here] for name in names)
    return Pair(sgd, grda[place], c * lr**0.5 * t**mu, s, random, seed)


def all_seeds(c: float, mu: float, *more: float) -> list[Pair]:
    return [ended(c, mu, seed, *more) for seed in STUDY.seeds]


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)


def geometric(values) -> float:
    values = list(values)
    return prod(values) ** (1 / len(values))


def zeros(pair: Pair) -> float:
    return np.count_nonzero(pair.grda == 0) / D


def written(value: float) -> float | str:
    """A number, or the word that stands in its place."""
    return "undefined" if np.isnan(value) else value


def rank(seed: int, cutoff: float, t: float = STUDY.t) -> int:
    """How many eigenvalues are below a cut-off."""
    values = ARRAYS["values"][STUDY.seeds.index(seed), STUDY.times.index(t)]
    return sum(value < cutoff for value in values.tolist())


def around(looks: dict) -> dict:
    """The same for the seeds' dots."""
    return looks | {f"{name}, seeds": style for name, style in looks.items()}


# ------------------------------------------------- the spectrum

RANKS = [f"rank at t = {t:g}" for t in STUDY.times]


def says_spectrum(seed: int, cutoff: float, t: float) -> dict:
    k, n = STUDY.seeds.index(seed), STUDY.times.index(t)
    values, flat = ARRAYS["values"][k, n], rank(seed, cutoff, t)
    negative = np.count_nonzero(values < -1e-8)  # the rest is rounding
    dead, shifts = ARRAYS["symmetries"][k, n]
    end = {0: ["Nothing is flat"], D: ["Everything is flat"]}.get(flat, [])
    hover = {f"{name}.hovertemplate": [t] for name, t in zip(RANKS, STUDY.times, strict=True)}
    return hover | {
        "sentence": [
            *(flat, D, "below", negative, "negative", values.min()),
            *(dead, "dead weight", shifts, "shift", *end),
        ],
        "title": [flat, D, t],
        "yaxis.ticktext": [-0.1, -1e-3, -1e-5, 0, 1e-5, 1e-3, 0.1, 10],
        "xaxis2.ticktext": [1e-6, 1e-4, 0.01, 1],
    }


SPECTRUM = Case(
    "spectrum",
    lesson08.spectrum,
    says_spectrum,
    looks={
        "eigenvalues": palette.INK,
        **dict.fromkeys(RANKS, palette.MUTED),
        "rank now": palette.DIRECTIONAL.color,
        "here": palette.DIRECTIONAL,
        "shapes[0]": palette.DIRECTIONAL.color,
        "shapes[1]": palette.DIRECTIONAL,
    },
    keys={
        "notes[1]": {"at this t": "rank now", "at other times": RANKS},
        "notes[2]": {"flat: below the cut-off": "shapes[0]"},
    },
    names=P0,
    positions=[{"seed": 1, "cutoff": 0.01, "t": 22.5}, {"cutoff": 1.0, "t": 900.0}],
)


# ------------------------------------------------- scores over the weights


def says_maps(mu: float, cutoff: float, c: float) -> dict:
    pair = ended(c, mu, STUDY.seeds[0])
    s, alive = pair.s[STUDY.cutoffs.index(cutoff)], pair.grda != 0
    correlation, negative = pair.correlation(s), np.count_nonzero(s < 0)
    wish = np.count_nonzero((s < 0) & alive)
    among = [pair.grew(s < 0), "survivors among them"] if wish else ["none survived"]
    return {
        "sentence": [zeros(pair), "s <", 0, negative, *among, "s >", 0, pair.grew(s > 0)],
        "title": [np.count_nonzero(alive), correlation],
        "notes[0]": [FILTERS, SIDE, SIDE],
        "notes[1]": ["below", 0],
        "notes[2]": [DIGITS, sqrt(FEATURES / FILTERS), sqrt(FEATURES / FILTERS)],
        "yaxis3.ticktext": [*range(DIGITS)],
    }


ARMS = [[0.0, palette.NEGATIVE], [0.25, palette.PAPER], [1.0, palette.POSITIVE]]  # from -0.5 to 1.5
MAPS = Case(
    "scores_on_weights",
    lesson08.scores_on_weights,
    says_maps,
    looks=dict.fromkeys(["s filters", "s outputs", "ŝ filters", "ŝ outputs"], ARMS)
    | dict.fromkeys(["ŝ filters zero", "ŝ outputs zero"], palette.ZERO.color),
    keys={"notes[1]": {"exactly zero": "ŝ filters zero"}},
    positions=[{"cutoff": 0.003}, MIDDLE, STRONGEST],
)


# ------------------------------------------------- predicted against actual

LABELS = {
    "directional": ("directional pruning", palette.DIRECTIONAL),
    "identity": ("P₀ = I, the same λ", palette.OBS),
    "soft": ("soft-thresholding, gRDA's zeros", palette.SOFT),
    "random": ("a random P₀ of equal rank", palette.TARGET),
    "shuffled": ("s shuffled", palette.MAGNITUDE),
    "constant": ("s constant, its mean", palette.SGD),
}


def says_match(prediction: str, c: float, mu: float, factor: float) -> dict:
    pair = ended(c, mu, STUDY.seeds[0])
    made = pair.predictions(factor)
    w = made[prediction]
    s = {
        "directional": pair.s[MAIN],
        "random": pair.random,
        "shuffled": np.random.default_rng([pair.seed, 1]).permutation(pair.s[MAIN]),
    }.get(prediction, np.ones(D))
    cosine, correlation = pair.cosine(w), written(pair.correlation(s))
    ours, soft = pair.cosine(made["directional"]), pair.cosine(made["soft"])
    label, died = LABELS[prediction][0], np.count_nonzero(w == 0) / D
    return {
        "sentence": [
            *(label, cosine, "deviations", written(pair.deviation(w)), "ŝ with s", correlation),
            *(died, "Directional pruning's", ours, "soft-thresholding", soft),
        ],
        "title": [label, "cosine", cosine, "correlation", correlation],
    }


def reaches_match(prediction: str, c: float, mu: float, factor: float) -> list[bool]:
    pair = ended(c, mu, STUDY.seeds[0])
    made = pair.predictions(1.0)
    return [factor == 1 and pair.cosine(made["soft"]) > pair.cosine(made["directional"])]


def looks_match(prediction: str, **_: float) -> dict:
    color = LABELS[prediction][1].color
    return {
        "equal": palette.TARGET,
        "same": palette.TARGET,
        "weights": color,
        "survivors": color,
        "cosine": palette.Style(palette.INK, "solid", "square"),
        "deviation": palette.Style(palette.INK, "solid", "triangle-up"),
        "correlation": palette.INK,
        "chosen": hollow(palette.Style(palette.INK, "solid", "line-ns")),
    }


def keys_match(prediction: str, **_: float) -> dict:
    marks = {
        "cosine of the moves": (palette.INK, "cosine"),
        "cosine of the deviations": (palette.INK, "deviation"),
        "correlation of ŝ with s": (palette.INK, "correlation"),
    }
    return {"title": {LABELS[prediction][0]: "weights"}, "notes[2]": marks} | {
        "notes[0]": {"both alike": "equal"},
        "notes[1]": {"ŝ = s": "same"},
    }


MATCH = Case(
    "predicted_and_actual",
    lesson08.predicted_and_actual,
    says_match,
    looks=looks_match,
    keys=keys_match,
    positions=[
        STRONGEST,
        {"prediction": "soft", **MIDDLE, "factor": 0.5},
        {"prediction": "identity"},
        {"prediction": "random", "factor": 1.5},
        {"prediction": "shuffled", **STRONGEST},
    ],
    reaches=reaches_match,
)


# ------------------------------------------------- γ falls

CURVES = {
    "correlation, c fixed": palette.DIRECTIONAL,
    "correlation, λ held": palette.Style(palette.INK, "dash", "square"),
    "correlation, s shuffled": palette.TARGET,
    "cosine, directional": palette.DIRECTIONAL,
    "cosine, soft": palette.SOFT,
    "grew, s < 0": palette.DIRECTIONAL,
    "grew, s > 0": palette.MAGNITUDE,
}
DOUBLED = [f"{name}, t doubled" for name in CURVES]


def says_gamma(setting: tuple[float, float], cutoff: float) -> dict:
    (c, mu), k = setting, STUDY.cutoffs.index(cutoff)
    at_rates = [all_seeds(c, mu, lr) for lr in STUDY.lrs]
    found = [mean(one.correlation(one.s[k]) for one in pairs) for pairs in at_rates]
    held = []
    if setting in STUDY.held:
        ends = (STUDY.lrs[0], STUDY.lrs[-1])
        with_it = [all_seeds(c * (STUDY.main_lr / lr) ** 0.5, mu, lr) for lr in ends]
        held = [
            "with λ held",
            *(mean(one.correlation(one.s[k]) for one in pairs) for pairs in with_it),
        ]
    told = [found[0], STUDY.lrs[0], found[-1], STUDY.lrs[-1]]
    rates = {f"xaxis{n}.ticktext": STUDY.lrs for n in ("", 2, 3)}
    return rates | {
        "sentence": [*told, *held],
        "title": [c, mu, STUDY.t, len(STUDY.seeds)],
        "notes[2]": ["s <", 0, "s >", 0],
        "grew, s < 0.hovertemplate": [0],
        "grew, s > 0.hovertemplate": [0],
    }


GAMMA = Case(
    "falling_gamma",
    lesson08.falling_gamma,
    says_gamma,
    looks=around(CURVES)
    | {
        f"{name}, t doubled": hollow(style._replace(symbol="star"))
        for name, style in CURVES.items()
    },
    keys={
        "notes[0]": {
            "c fixed, so λ falls": "correlation, c fixed",
            "λ held": "correlation, λ held",
            "s shuffled": "correlation, s shuffled",
        },
        "notes[1]": {
            "directional pruning": "cosine, directional",
            "soft-thresholding, gRDA's zeros": "cosine, soft",
        },
        "notes[2]": {
            "where s < #": "grew, s < 0",
            "where s > #": "grew, s > 0",
            "t doubled": (palette.INK, *DOUBLED),
        },
    },
    positions=[
        {"setting": (0.02, 0.7)},
        {"setting": (0.02, 0.51), "cutoff": 0.003},
        {"setting": (0.02, 0.6), "cutoff": 1e-4},
    ],
)


# ------------------------------------------------- time goes on

FINITE = FiniteTime()
FOUND = {
    name: values.astype(float)
    for name, values in recordings.load_measurements("finite_time").arrays.items()
}
TIME_CURVES = {
    "correlation": palette.DIRECTIONAL,
    "cut-off": palette.MAGNITUDE,
    "shuffled": palette.TARGET,
    "correlation by γ": palette.DIRECTIONAL,
}


def over_time(setting: tuple[float, float], t: float, scores: str = "time/s") -> list[Pair]:
    """For every seed, with the scores of one kind as the only ones."""
    k, (c, mu) = FINITE.pairs.index(setting), setting
    lam = c * FINITE.lr**0.5 * FINITE.times[0] ** mu
    n = FINITE.times.index(t)
    found = []
    for seed in range(len(FINITE.seeds)):
        s = FOUND[scores][seed, n]
        s = s if s.ndim == 1 else s[FINITE.mus.index(mu)]
        sgd, grda = (FOUND[f"time/{name}"][seed, n] for name in ("sgd", "grda"))
        found.append(Pair(sgd, grda[k], lam, s[None], s, FINITE.seeds[seed]))
    return found


def by_rate(setting: tuple[float, float], lr: float) -> list[Pair]:
    if lr == FINITE.lr:
        return over_time(setting, FINITE.times[0])
    k, n, mu = FINITE.pairs.index(setting), FINITE.rates.index(lr), FINITE.mus.index(setting[1])
    rows = zip(*(FOUND[f"rate/{name}"] for name in ("sgd", "grda", "s")), strict=True)
    return [Pair(sgd[n], grda[n, k], 1.0, s[n, [mu]], s[n, mu], 0) for sgd, grda, s in rows]


def within_layers(pair: Pair) -> np.ndarray:
    deal = np.random.default_rng([pair.seed, 1])
    ends = np.cumsum([prod(shape) for shape in SHAPES])[:-1]
    return np.concatenate([deal.permutation(part) for part in np.split(pair.random, ends)])


def without_size_and_layer(pair: Pair, s: np.ndarray) -> float:
    """Correlation of what least squares on |w| and the layer leave."""
    alive = pair.grda != 0
    layer = np.repeat(np.arange(len(SHAPES)), [prod(shape) for shape in SHAPES])[alive]
    size = np.abs(pair.sgd[alive])
    left = []
    for y in (s[alive], (np.sign(pair.sgd) * (pair.sgd - pair.grda))[alive]):
        # Least squares with a level for each layer: all is measured from the layer's own mean.
        centred = [np.array(v) for v in (size, y)]
        for k in range(len(SHAPES)):
            for v in centred:
                if (layer == k).any():
                    v[layer == k] -= v[layer == k].mean()
        x, rest = centred
        left.append(rest - x * (x @ rest) / (x @ x))
    return angle(*left)


def slope_of(pair: Pair) -> float:
    alive = pair.grda != 0
    x, y = pair.random[alive], (np.sign(pair.sgd) * (pair.sgd - pair.grda))[alive] / pair.lam
    x = x - x.mean()
    return x @ y / (x @ x)


def says_time(setting: tuple[float, float], t: float) -> dict:
    (c, mu), pairs = setting, over_time(setting, t)
    found = [pair.correlation(pair.random) for pair in pairs]
    rates = sorted({FINITE.lr, *FINITE.rates}, reverse=True)
    fixed = [pair.correlation(pair.random) for pair in over_time(setting, t, "time/s/cutoff")]
    return {
        "sentence": [
            *(t, mean(found), "seeds"),
            mean(without_size_and_layer(pair, pair.random) for pair in pairs),
            "shuffled",
            mean(without_size_and_layer(pair, within_layers(pair)) for pair in pairs),
            *(FINITE.cutoff, mean(fixed)),
        ],
        "title": [c, mu, t, mean(found)],
        "xaxis2.ticktext": FINITE.times,
        "xaxis3.ticktext": rates,
        "xaxis3.title": [FINITE.times[0]],
    }


TIME = Case(
    "time_counts",
    lesson08.time_counts,
    says_time,
    looks=around(TIME_CURVES)
    | {"survivors": palette.DIRECTIONAL.color, "equal": palette.TARGET, "now": palette.INK},
    keys={
        "notes[0]": {"ŝ = s": "equal"},
        "notes[1]": {
            "finite time": "correlation",
            "a fixed cut-off": "cut-off",
            "shuffled within layers": "shuffled",
        },
    },
    positions=[{"setting": FINITE.pairs[1], "t": 900.0}, {"setting": FINITE.pairs[2], "t": 1800.0}],
)


# ------------------------------------------------- losses at equal zeros

WAYS = {
    "gRDA": ("gRDA", palette.GRDA),
    "directional at zeros": ("directional pruning", palette.DIRECTIONAL),
    "magnitude": ("magnitude", palette.MAGNITUDE),
    "soft": ("soft-thresholding", palette.SOFT),
}


def says_losses(seed: int) -> dict:
    chosen = STUDY.seeds if seed < 0 else [seed]
    rows = sorted(
        (
            mean(zeros(ended(*pair, k)) for k in chosen),
            [geometric(ARRAYS["losses"][k, n, LOSSES.index(way)] for k in chosen) for way in WAYS],
        )
        for n, pair in enumerate(PAIRS)
    )
    wins = []  # shares of zeros from which on gRDA's loss is below magnitude pruning's, the last first
    for share, (ours, _, magnitude, _) in reversed(rows):
        if ours >= magnitude:
            break
        wins.append(share)
    verdict = ["From", wins[-1], "below"] if wins else ["At no number"]
    words = [label for label, _ in WAYS.values()]
    share, losses = rows[-1]
    told = [share, "zeros", *(x for pair in zip(words, losses, strict=True) for x in pair)]
    who = ["geometric means"] if seed < 0 else []
    plain = geometric(ARRAYS["sgd_loss"][k] for k in chosen)
    return {"sentence": [*who, *told, "SGD without zeros", plain], "title": verdict}


LOSSES_AT_ZEROS = Case(
    "losses_at_equal_zeros",
    lesson08.losses_at_equal_zeros,
    says_losses,
    looks={name: style for name, (_, style) in WAYS.items()} | {"shapes[0]": palette.SGD},
    keys={
        "notes[0]": {label: name for name, (label, _) in WAYS.items()}
        | {"SGD, no zeros": "shapes[0]"}
    },
    positions=[{"seed": 0}, {"seed": 1}],
)


# ------------------------------------------------- the ladder

CONTROL, RUNG = palette.TARGET, palette.DIRECTIONAL
ROWS = {  # in their order: how each is drawn
    **dict.fromkeys(["identity", "constant", "shuffled", "random", "soft"], CONTROL),
    **dict.fromkeys(["directional", "flat", "twin", "path"], RUNG),
    "gRDA": palette.GRDA,
}
MEASURES = ("cosine", "overlap", "loss")


def says_ladder(setting: tuple[float, float]) -> dict:
    place, pairs = PAIRS.index(setting), all_seeds(*setting)

    def cosine(name: str) -> float:
        recorded = ARRAYS.get({"path": "along"}.get(name, name))
        if recorded is not None:
            return mean(one.cosine(w) for one, w in zip(pairs, recorded[:, place], strict=True))
        return mean(one.cosine(one.predictions()[name]) for one in pairs)

    def loss(name: str) -> float:
        return geometric(ARRAYS["losses"][:, place, LOSSES.index(name)])

    steps = list(range(1, 5))
    categories = {f"{name}.y": steps for name in MEASURES}
    categories |= {f"{name}, seeds.y": np.repeat(steps, len(pairs)).tolist() for name in MEASURES}
    rungs = ("directional", "flat", "twin", "path")
    return categories | {
        "sentence": [
            *("soft-thresholding", cosine("soft"), "random", cosine("random")),
            *("closed form", loss("directional"), "on the floor", loss("flat")),
            *("along the path", loss("path"), "gRDA", loss("gRDA")),
        ],
        "title": [*setting, mean(map(zeros, pairs)), "zeros", *map(cosine, rungs)],
    }


COLORS, _, SYMBOLS = map(list, zip(*ROWS.values(), strict=True))
LADDER = Case(
    "ladder",
    lesson08.ladder,
    says_ladder,
    looks={
        name: look(palette.INK, **{"marker.color": COLORS, "marker.symbol": SYMBOLS})
        for name in MEASURES
    }
    | {
        f"{name}, seeds": look(
            palette.INK, **{"marker.color": np.repeat(COLORS, len(STUDY.seeds)).tolist()}
        )
        for name in MEASURES
    },
    names=P0,
    positions=[{"setting": setting} for setting in TEXT],
)


# ------------------------------------------------- the cut-off


def says_cutoff(setting: tuple[float, float]) -> dict:
    pairs, cuts = all_seeds(*setting), STUDY.cutoffs
    found = [mean(one.correlation(one.s[k]) for one in pairs) for k in range(len(cuts))]
    falls = min(range(len(cuts) - 1), key=lambda k: found[k + 1] - found[k])
    low, high = cuts[falls], cuts[falls + 1]
    grows = mean(rank(seed, high) - rank(seed, low) for seed in STUDY.seeds) / D
    # The scores' sum is the squared length of P0 sign(w), and that of sign(w) is D.
    flat = mean((one.s[falls + 1].sum() - one.s[falls].sum()) / D for one in pairs)
    most = [max(found), cuts[found.index(max(found))]]
    return {
        "sentence": [*most, "between", low, high, "grows", grows, 100 * flat, "points"],
        "title": [*setting, cuts[found.index(max(found))]],
        "notes[1]": [1],
        "xaxis.ticktext": cuts,
    }


CUTOFF_CURVES = {
    "correlation": ("correlation of ŝ with s", palette.DIRECTIONAL),
    "cosine": ("cosine of the moves", palette.Style(palette.INK, "dash", "square")),
    "share": ("share of sign(w) that is flat", palette.OBS),
    "rank": ("rank, as a share", palette.TARGET),
}
CUTOFF = Case(
    "cutoff_matters",
    lesson08.cutoff_matters,
    says_cutoff,
    looks=around({name: style for name, (_, style) in CUTOFF_CURVES.items()})
    | {"shapes[0]": palette.Style(palette.MUTED, "dot", "circle")},
    keys={"notes[0]": {label: name for name, (label, _) in CUTOFF_CURVES.items()}},
    positions=[{"setting": setting} for setting in TEXT],
)


# ------------------------------------------------- the steep directions


def says_steep(mu: float, k: int, c: float) -> dict:
    place, times = PAIRS.index((c, mu)), STUDY.times[1:]
    ours, magnitude = (
        {t: mean(ARRAYS[f"shares/{name}"][:, n, place, k - 1]) for n, t in enumerate(times)}
        for name in ("grda", "magnitude")
    )
    t = STUDY.t
    sentence = [ours[times[0]], times[0], ours[t], t]
    return {
        "sentence": [*sentence, "magnitude", magnitude[t], "random", sqrt(k / D)],
        "title": [t, *([k] if k > 1 else []), "steepest", ours[t]],
        "xaxis.ticktext": times,
    }


STEEP = Case(
    "steep_share",
    lesson08.steep_share,
    says_steep,
    looks=around({"grda": palette.GRDA, "magnitude": palette.MAGNITUDE})
    | {"random": palette.TARGET},
    keys={
        "notes[0]": {
            "gRDA's move": "grda",
            "magnitude pruning of SGD, gRDA's zeros": "magnitude",
            "a random direction, √(k/D)": "random",
        }
    },
    positions=[{"mu": 0.6, "k": 2, "c": 0.01}],
)


# ------------------------------------------------- live


def live_match(c: float, mu: float, seed: int, epochs: int, cutoff: float):
    """The picture after a run that ended where the recorded one did; epochs < 0: before one of so many."""
    live = lesson08.LiveTheorem(c, mu, seed, epochs=abs(epochs))
    if epochs > 0:
        pair = ended(c, mu, seed)
        k = STUDY.seeds.index(seed)
        found = Measured(
            sgd=pair.sgd,
            grda=pair.grda,
            s=pair.s[STUDY.cutoffs.index(cutoff)],
            rank=rank(seed, cutoff),
            lam=pair.lam,
            twin=ARRAYS["twin"][k, PAIRS.index((c, mu))],
        )
        live.picture.show(*show_match(found, c, mu, seed, epochs))
    return live.picture


def says_live_match(c: float, mu: float, seed: int, epochs: int, cutoff: float) -> dict:
    pair = ended(c, mu, seed)
    best = pair.s[MAIN]
    recorded = ["Recorded", pair.correlation(best), pair.cosine(moved(pair.sgd, pair.lam * best))]
    if abs(epochs) != 100:
        recorded = ["No recorded run"]
    if epochs < 0:
        pale = ["which stands pale"] if epochs == -100 else []
        return {"sentence": ["Press Start", *pale, *recorded], "title": ["Not measured yet"]}
    s = pair.s[STUDY.cutoffs.index(cutoff)]
    correlation, cosine = written(pair.correlation(s)), pair.cosine(moved(pair.sgd, pair.lam * s))
    twin = pair.cosine(ARRAYS["twin"][STUDY.seeds.index(seed), PAIRS.index((c, mu))])
    grew = [pair.grew(s < 0)] if (s[pair.grda != 0] < 0).any() else ["none"]
    return {
        "sentence": [*grew, "where s <", 0, pair.grew(s > 0), "where s >", 0, *recorded],
        "title": ["correlation", correlation, "cosine", cosine, "twin", twin],
    }


def keys_live_match(epochs: int, **_: object) -> dict:
    live = {"Live: correlation #, cosine #, of the quadratic twin #": "survivors"}
    lines = {"notes[0]": {"ŝ = s": "same"}, "notes[1]": {"both alike": "equal"}}
    return lines | ({"title": live} if epochs > 0 else {})


LIVE = Case(
    "LiveTheorem (match)",
    live_match,
    says_live_match,
    looks={
        "survivors recorded": palette.DIRECTIONAL.color,
        "survivors": palette.DIRECTIONAL.color,
        "equal": palette.TARGET,
        "same": palette.TARGET,
        "weights recorded": palette.GRDA,
        "weights": palette.GRDA,
    },
    keys=keys_live_match,
    positions=[
        {"c": 0.005, "mu": 0.51, "seed": 0, "epochs": -100, "cutoff": 1e-3},
        {"c": 0.005, "mu": 0.51, "seed": 0, "epochs": -1, "cutoff": 1e-3},
        {"c": 0.005, "mu": 0.51, "seed": 0, "epochs": 100, "cutoff": 1e-3},
        {"c": 0.02, "mu": 0.7, "seed": 2, "epochs": 100, "cutoff": 1e-3},
        {"c": 0.01, "mu": 0.6, "seed": 1, "epochs": 1, "cutoff": 0.1},
    ],
)


def live_trainings(names: tuple[str, ...], epoch: int):
    """The trainings' view, told by lesson 04's recorded runs."""
    view = lesson08.LiveTheorem(0.005, 0.51, epochs=60).view
    view._take({name: live_run(name, epoch) for name in names})
    view._draw()
    return view


TRAININGS = Case(
    "LiveTheorem (trainings)",
    live_trainings,
    says_live,
    looks=CURVE_LOOKS | {"zeros by layer": palette.ZERO},
    keys=keys_live,
    names=NAMES,
    positions=[
        {"names": (), "epoch": 0},
        {"names": ("SGD",), "epoch": 12},
        {"names": ("SGD", "gRDA"), "epoch": 60},
    ],
)

CASES = [
    SPECTRUM,
    MAPS,
    MATCH,
    GAMMA,
    TIME,
    LOSSES_AT_ZEROS,
    LADDER,
    CUTOFF,
    STEEP,
    LIVE,
    TRAININGS,
]
