"""Lesson 08: every number again from the recorded arrays, with formulas written out here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import prod, sqrt

import numpy as np

from grda_edu import recordings
from grda_edu.explore import palette
from grda_edu.lessons import lesson08
from grda_edu.lessons.lesson08.live import NETWORKS, show_match
from grda_edu.lessons.lesson08.moves import Ended
from grda_edu.models import digits_cnn, small_digits_cnn
from grda_edu.studies.equal_budget import WAYS, EqualBudget
from grda_edu.studies.in_steps import InSteps
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
PAIRS = STUDY.pairs
TEXT = FiniteTime().pairs  # the settings that the lesson's text talks about
P0 = ("P0", "ℓ1")  # names with a digit: P<sub>0</sub> and the norm
RING = palette.Style(palette.INK, "solid", "circle")


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


def moved(w: np.ndarray, by: np.ndarray | float) -> np.ndarray:
    """Towards zero by ``by`` and no further; away from it where ``by`` is negative."""
    size = np.abs(w) - by
    return np.where(size > 0, np.sign(w) * size, 0.0)


def angle(a: np.ndarray, b: np.ndarray) -> float:
    lengths = sqrt((a * a).sum() * (b * b).sum())
    return (a * b).sum() / lengths if lengths else np.nan


def ended(c: float, mu: float, seed: int) -> Pair:
    k, place = STUDY.seeds.index(seed), PAIRS.index((c, mu))
    sgd, s, random = ARRAYS["path"][k, END], ARRAYS["s"][k], ARRAYS["s_random"][k]
    return Pair(sgd, ARRAYS["grda"][k, place], c * STUDY.lr**0.5 * STUDY.t**mu, s, random, seed)


def all_seeds(c: float, mu: float) -> list[Pair]:
    return [ended(c, mu, seed) for seed in STUDY.seeds]


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)


def geometric(values) -> float:
    values = list(values)
    return prod(values) ** (1 / len(values))


def zeros(pair: Pair) -> float:
    return np.count_nonzero(pair.grda == 0) / len(pair.grda)


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


# ------------------------------------------------- finite time

FINITE = FiniteTime()
FOUND = {
    name: values.astype(float)
    for name, values in recordings.load_measurements("finite_time").arrays.items()
}
TIME_CURVES = {
    "correlation": palette.DIRECTIONAL,
    "partial": palette.DIRECTIONAL._replace(dash="dash", symbol="diamond-open"),
    "size": palette.TARGET,
    "cut-off": palette.Style(palette.INK, "dash", "square"),
    "moving cut-off": palette.Style(palette.INK, "dot", "square-open"),
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


def without_size_and_layer(pair: Pair, s: np.ndarray, shapes=SHAPES) -> float:
    """Correlation of what least squares on |w| and the layer leave."""
    alive = pair.grda != 0
    layer = np.repeat(np.arange(len(shapes)), [prod(shape) for shape in shapes])[alive]
    size = np.abs(pair.sgd[alive])
    left = []
    for y in (s[alive], (np.sign(pair.sgd) * (pair.sgd - pair.grda))[alive]):
        # Least squares with a level for each layer: all is measured from the layer's own mean.
        centred = [np.array(v) for v in (size, y)]
        for k in range(len(shapes)):
            for v in centred:
                if (layer == k).any():
                    v[layer == k] -= v[layer == k].mean()
        x, rest = centred
        left.append(rest - x * (x @ rest) / (x @ x))
    nothing = np.abs(s + np.abs(pair.sgd)).max() == 0  # the size itself
    return np.nan if nothing else angle(*left)


def slope_of(pair: Pair, s: np.ndarray) -> float:
    alive = pair.grda != 0
    x, y = s[alive], (np.sign(pair.sgd) * (pair.sgd - pair.grda))[alive] / pair.lam
    x = x - x.mean()
    return x @ y / (x @ x)


def growers_below(pair: Pair, s: np.ndarray) -> float:
    """Of all pairs of a survivor that grew and one that did not, where the first has the lower score."""
    alive = pair.grda != 0
    away = (pair.sgd * (pair.grda - pair.sgd) > 0)[alive]
    low, others = s[alive][away][:, None], s[alive][~away]
    return float(((low < others) + 0.5 * (low == others)).mean())


# ------------------------------------------------- the spectrum


def says_spectrum(setting: tuple[float, float], cutoff: float) -> dict:
    values, flat, k = ARRAYS["values"][0, END], rank(0, cutoff), STUDY.cutoffs.index(cutoff)
    negative = np.count_nonzero(values < -1e-8)  # the rest is rounding
    found = mean(one.correlation(one.s[k]) for one in all_seeds(*setting))
    return {
        "sentence": [
            *(flat, D, "below", cutoff, negative, "below zero"),
            *("correlation", found, len(STUDY.seeds), "seeds"),
        ],
        "title": [cutoff, flat / D, "flat", found],
        "yaxis.ticktext": [-0.1, -1e-3, -1e-5, 0, 1e-5, 1e-3, 0.1, 10],
        "xaxis2.ticktext": [1e-5, 1e-3, 0.1],
    }


SPECTRUM = Case(
    "spectrum",
    lesson08.spectrum,
    says_spectrum,
    looks=around({"correlation": palette.DIRECTIONAL})
    | {
        "eigenvalues": palette.INK,
        "here": hollow(RING),
        "shapes[0]": palette.DIRECTIONAL.color,
        "shapes[1]": palette.DIRECTIONAL,
    },
    keys={
        "notes[1]": {"mean; small dots: seeds": "correlation"},
        "notes[2]": {"flat: below the cut-off": "shapes[0]"},
    },
    positions=[{"cutoff": 0.003}, {"setting": TEXT[1], "cutoff": 0.01}],
)


# ------------------------------------------------- scores over the weights


def says_maps(setting: tuple[float, float], seed: int) -> dict:
    pair = over_time(setting, FINITE.times[0])[FINITE.seeds.index(seed)]
    s, alive = pair.random, pair.grda != 0
    return {
        "sentence": [
            *(
                zeros(pair),
                np.count_nonzero((s < 0) & alive),
                "survivor",
                "s <",
                0,
                pair.grew(s < 0),
            ),
            *("s >", 0, pair.grew(s > 0)),
        ],
        "title": [np.count_nonzero(alive), pair.correlation(s)],
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
    positions=[{"setting": TEXT[1], "seed": 3}],
)


# ------------------------------------------------- scores and controls

LABELS = {
    "finite": "finite time, F(tH)",
    "decay": "finite time, e⁻ᵗᴴ",
    "cut-off": "P₀, cut-off 0.001",
    "size": "size alone, −|w|",
    "symmetries": "exact symmetries",
    "random": "random subspace",
    "in layers": "s shuffled within layers",
    "soft": "soft-thresholding",
}
HESSIAN = ("finite", "decay", "cut-off")
STORED = {
    "finite": "time/s",
    "decay": "time/s/decay",
    "cut-off": "time/s/cutoff",
    "symmetries": "time/s/symmetries",
    "random": "time/s/random",
}
WORDS = (
    "cosine of the moves",
    "correlation",
    "slope",
    "AUC",
    "partial correlation",
)
COSINE, CORRELATION, SLOPE, AUC, LEFT = range(5)


def of_scores(name: str, setting: tuple[float, float]) -> list[tuple[Pair, np.ndarray | None]]:
    pairs = over_time(setting, FINITE.times[0], STORED.get(name, "time/s"))
    own = {"size": lambda p: -np.abs(p.sgd), "in layers": within_layers, "soft": lambda _: None}
    return [(pair, own.get(name, lambda p: p.random)(pair)) for pair in pairs]


@cache
def measured(name: str, setting: tuple[float, float], measure: int) -> list[float]:
    """One number a seed; NaN where the measure says nothing of it."""
    found = []
    for pair, s in of_scores(name, setting):
        if s is None:
            smallest = np.sort(np.abs(pair.sgd))[(pair.grda == 0).sum() - 1]
            value = pair.cosine(moved(pair.sgd, smallest)) if measure == COSINE else np.nan
        elif name == "size" and measure == COSINE:
            value = np.nan
        else:
            by = {
                COSINE: lambda p, s: p.cosine(moved(p.sgd, p.lam * s)),
                CORRELATION: Pair.correlation,
                SLOPE: slope_of,
                AUC: growers_below,
                LEFT: without_size_and_layer,
            }
            value = by[measure](pair, s)
        found.append(value)
    return found


def best_possible(setting: tuple[float, float]) -> float:
    """The root of the correlation of two orders' moves."""
    k, found = FINITE.pairs.index(setting), []
    for seed, pair in enumerate(over_time(setting, FINITE.times[0])):
        sgd, grda = FOUND["order/sgd"][seed], FOUND["order/grda"][seed, k]
        both = (pair.grda != 0) & (grda != 0)
        one, other = ((np.sign(w) * (w - v))[both] for w, v in ((pair.sgd, pair.grda), (sgd, grda)))
        found.append(sqrt(angle(one - one.mean(), other - other.mean())))
    return mean(found)


def says_match(scores: str, setting: float, measure: float) -> dict:
    pair, words = FINITE.pairs[int(setting)], WORDS[int(measure)]
    its, ours = (measured(name, pair, int(measure)) for name in (scores, "finite"))
    spread = ["undefined"] if np.isnan(its).all() else [min(its), max(its), "over the seeds"]
    label = [LABELS[scores]] if scores != "cut-off" else ["P₀, cut-off", FINITE.cutoff]
    # A range whose ends are written alike is written once.
    ends = sorted({f"{end:.2f}": end for end in (min(ours), max(ours))}.values())
    besides = ["Finite time has", *ends] if scores != "finite" else []
    top = ["Two orders", best_possible(pair)] if measure == CORRELATION else []
    cut = FINITE.cutoff  # stands in a row's name
    return {
        "sentence": [*label, words, *spread, *besides, *top],
        "title": [*label, words, written(mean(its))],
        "measured.y": [cut],
        "measured, seeds.y": [cut] * len(FINITE.seeds),
        "chosen.y": [cut] if scores == "cut-off" else [],
    }


def reaches_match(scores: str, setting: float, measure: float) -> list[bool]:
    pair = FINITE.pairs[int(setting)]
    its, ours = (measured(name, pair, int(measure)) for name in (scores, "finite"))
    controls = [measured(name, pair, int(measure)) for name in LABELS if name not in HESSIAN]
    best = max(max(values) for values in controls if not np.isnan(values).all())
    against = scores not in HESSIAN and mean(its) > mean(ours) - 0.05
    return [against, min(ours) > best + 0.3]


def looks_match(scores: str, **_: float) -> dict:
    colors = [palette.DIRECTIONAL.color if n in HESSIAN else palette.TARGET.color for n in LABELS]
    symbols = ["diamond" if n in HESSIAN else "cross" for n in LABELS]
    seeds = np.repeat(colors, len(FINITE.seeds)).tolist()
    return {
        "same": palette.TARGET,
        "survivors": palette.DIRECTIONAL.color if scores in HESSIAN else palette.TARGET.color,
        "ceiling": palette.INK,
        "measured": look(palette.INK, **{"marker.color": colors, "marker.symbol": symbols}),
        "measured, seeds": look(palette.INK, **{"marker.color": seeds}),
        "chosen": hollow(RING),
    }


def keys_match(scores: str, setting: float, measure: float) -> dict:
    noise = {"all that noise leaves": "ceiling"} if measure == CORRELATION else {}
    k = list(LABELS).index(scores)
    words = LABELS[scores].replace("0.001", "#")
    return {
        "title": {words: f"measured[{k}]"},
        "notes[0]": {"ŝ = s": "same"},
        "notes[1]": {"knows the Hessian": "measured[0]", "a control": "measured[3]"} | noise,
    }


MATCH = Case(
    "scores_and_moves",
    lesson08.scores_and_moves,
    says_match,
    looks=looks_match,
    keys=keys_match,
    names=("P₀",),
    positions=[
        {"scores": "size", "measure": CORRELATION},
        {"scores": "size", "setting": 2, "measure": AUC},
        {"scores": "size", "setting": 1, "measure": SLOPE},
        {"scores": "soft", "setting": 2},
        {"scores": "cut-off", "setting": 1, "measure": SLOPE},
        {"scores": "symmetries", "setting": 2, "measure": LEFT},
        {"scores": "in layers", "measure": LEFT},
        {"scores": "random", "setting": 1, "measure": CORRELATION},
        {"scores": "decay", "measure": LEFT},
    ],
    reaches=reaches_match,
)


# ------------------------------------------------- time goes on


def says_time(setting: tuple[float, float], t: float) -> dict:
    (c, mu), pairs = setting, over_time(setting, t)
    found = [pair.correlation(pair.random) for pair in pairs]
    rates = sorted({FINITE.lr, *FINITE.rates}, reverse=True)
    return {
        "sentence": [
            *(t, mean(found), mean(without_size_and_layer(pair, pair.random) for pair in pairs)),
            *("given size", "Size alone", mean(p.correlation(-np.abs(p.sgd)) for p in pairs)),
            *("slope", mean(slope_of(pair, pair.random) for pair in pairs)),
            *(mean(map(zeros, pairs)), "zeros"),
        ],
        "title": [c, mu, t, mean(found)],
        "notes[1]": [1],  # over t
        "moving cut-off.hovertemplate": [1],
        "xaxis2.ticktext": FINITE.times,
        "xaxis3.ticktext": rates,
        "xaxis3.title": [FINITE.times[0]],
    }


TIME = Case(
    "time_counts",
    lesson08.time_counts,
    says_time,
    looks=around(TIME_CURVES)
    | {"survivors": palette.DIRECTIONAL.color, "same": palette.TARGET, "now": palette.INK},
    keys={
        "notes[0]": {"ŝ = s": "same"},
        "notes[1]": {
            "finite time": "correlation",
            "finite time, partial": "partial",
            "size alone": "size",
            "a fixed cut-off": "cut-off",
            "a cut-off like #/t": "moving cut-off",
        },
    },
    positions=[{"setting": FINITE.pairs[1], "t": 900.0}, {"setting": FINITE.pairs[2], "t": 1800.0}],
)


# ------------------------------------------------- equal zeros and equal training

BUDGET, STEPS = EqualBudget(), InSteps()
SPENT, CUT = (
    {
        name: values.astype(float)
        for name, values in recordings.load_measurements(file).arrays.items()
    }
    for file in ("equal_budget", "in_steps")
)
TRAINED = {  # in their order: how each is drawn
    "gRDA": palette.GRDA,
    "gRDA, then its mask": palette.GRDA,
    "gRDA's mask": palette.GRDA,
    "magnitude mask": palette.MAGNITUDE,
    "random mask": palette.TARGET,
    "gradual magnitude": palette.MAGNITUDE,
    "magnitude": palette.MAGNITUDE,
}


def says_budget(setting: tuple[float, float]) -> dict:
    place = BUDGET.pairs.index(setting)

    def of(what: str, way: str) -> np.ndarray:
        return SPENT[what][:, place, WAYS.index(way)]

    loss = {way: geometric(of("loss", way)) for way in WAYS}
    apart = 100 * (mean(of("accuracy", "gRDA's mask")) - mean(of("accuracy", "gRDA")))
    return {
        "sentence": [
            *("gRDA", loss["gRDA"], "its mask", loss["gRDA's mask"]),
            *("magnitude's", loss["magnitude mask"], "random", loss["random mask"]),
            *("gradual magnitude", loss["gradual magnitude"]),
            *("accuracy", apart, "points"),
        ],
        "title": [*setting, mean(of("zeros", "gRDA")), "zeros"],
    }


OF_WAYS = [style.color for style in TRAINED.values()]
EQUAL = Case(
    "equal_budget",
    lesson08.equal_budget,
    says_budget,
    looks={
        name: look(
            palette.INK,
            **{
                "marker.color": OF_WAYS,
                "marker.symbol": [style.symbol for style in TRAINED.values()],
            },
        )
        for name in ("loss", "accuracy")
    }
    | {
        f"{name}, seeds": look(
            palette.INK, **{"marker.color": np.repeat(OF_WAYS, len(BUDGET.seeds)).tolist()}
        )
        for name in ("loss", "accuracy")
    }
    | {"shapes[0]": palette.SGD, "shapes[1]": palette.SGD},
    keys={"notes[0]": {"SGD, no zeros": "shapes[0]"}},
    positions=[{"setting": setting} for setting in TEXT],
)


# ------------------------------------------------- in steps

NOT_TRAINED = {
    "steps": ("directional pruning in steps", palette.DIRECTIONAL),
    "jump": ("in one jump", palette.DIRECTIONAL._replace(dash="dot", symbol="diamond-open")),
    "magnitude": ("magnitude", palette.MAGNITUDE),
    "obs": ("OBS, one Hessian", palette.OBS),
    "grda": ("gRDA, trained", palette.GRDA),
}
SEEN = ("train_loss", "test_accuracy")


def says_steps(network: str, zeros: float) -> dict:
    share = CUT[f"{network}/zeros"][0]
    k = int(np.abs(share - zeros).argmin())

    def of(way: str, what: str = "train_loss") -> np.ndarray:
        return CUT[f"{network}/{way}/{what}"][:, k]

    ways = ["steps", "jump", "magnitude", *(["obs"] if network == "small" else [])]
    told = [item for way in ways for item in (NOT_TRAINED[way][0], mean(of(way)))]
    won = sum(of("steps") < of("magnitude"))
    return {
        "sentence": [
            *told,
            *("accuracy", mean(of("steps", SEEN[1])), "magnitude", mean(of("magnitude", SEEN[1]))),
        ],
        "title": [share[k], "zeros: steps below magnitude", won, len(STEPS.seeds)],
    }


IN_STEPS = Case(
    "in_steps",
    lesson08.in_steps,
    says_steps,
    looks=around(
        {f"{name} {what}": style for name, (_, style) in NOT_TRAINED.items() for what in SEEN}
    )
    | {"shapes[0]": palette.INK, "shapes[1]": palette.INK},
    keys={"notes[0]": {label: f"{name} train_loss" for name, (label, _) in NOT_TRAINED.items()}},
    positions=[{"network": "large", "zeros": 0.6}, {"network": "large", "zeros": 0.8}],
)


# ------------------------------------------------- the ladder

CONTROL, RUNG = palette.TARGET, palette.DIRECTIONAL
ROWS = {  # in their order: how each is drawn
    **dict.fromkeys(["identity", "constant", "shuffled", "random", "soft"], CONTROL),
    **dict.fromkeys(["directional", "flat", "finite", "twin", "path"], RUNG),
    "gRDA": palette.GRDA,
}
MEASURES = ("cosine", "overlap", "loss")


def says_ladder(setting: tuple[float, float]) -> dict:
    place, pairs = PAIRS.index(setting), all_seeds(*setting)

    def cosine(name: str) -> float:
        if name == "finite":
            again = over_time(setting, STUDY.t)[: len(pairs)]
            return mean(one.cosine(moved(one.sgd, one.lam * one.random)) for one in again)
        recorded = ARRAYS.get({"path": "along"}.get(name, name))
        if recorded is not None:
            return mean(one.cosine(w) for one, w in zip(pairs, recorded[:, place], strict=True))
        return mean(one.cosine(one.predictions()[name]) for one in pairs)

    def loss(name: str) -> float:
        if name == "finite":
            place_here = BUDGET.pairs.index(setting)
            return geometric(SPENT["rung/loss"][: len(pairs), place_here])
        return geometric(ARRAYS["losses"][:, place, LOSSES.index(name)])

    steps = list(range(1, 6))
    categories = {f"{name}.y": steps for name in MEASURES}
    categories |= {f"{name}, seeds.y": np.repeat(steps, len(pairs)).tolist() for name in MEASURES}
    rungs = ("directional", "flat", "finite", "twin", "path")
    return categories | {
        "sentence": [
            *("soft-thresholding", cosine("soft")),
            *("closed form", loss("directional"), "on the floor", loss("flat")),
            *("finite time", loss("finite")),
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


RANKS = [f"rank at t = {t:g}" for t in STUDY.times]


def says_cutoff(setting: tuple[float, float], t: float) -> dict:
    pairs, cuts = all_seeds(*setting), STUDY.cutoffs
    found = [mean(one.correlation(one.s[k]) for one in pairs) for k in range(len(cuts))]
    falls = min(range(len(cuts) - 1), key=lambda k: found[k + 1] - found[k])
    low, high = cuts[falls], cuts[falls + 1]
    grows = mean(rank(seed, high) - rank(seed, low) for seed in STUDY.seeds) / D
    # The scores' sum is the squared length of P0 sign(w), and that of sign(w) is D.
    flat = mean((one.s[falls + 1].sum() - one.s[falls].sum()) / D for one in pairs)
    hover = {f"{name}.hovertemplate": [t] for name, t in zip(RANKS, STUDY.times, strict=True)}
    return hover | {
        "sentence": [
            *("between", low, high, "grows", grows, 100 * flat, "points"),
            *(t, rank(0, STUDY.main_cutoff, t), "below"),
        ],
        "title": [*setting, cuts[found.index(max(found))]],
        "notes[0]": [STUDY.t],
        "notes[2]": [1],
        "xaxis.ticktext": cuts,
        "xaxis2.ticktext": [1e-6, 1e-4, 0.01, 1],
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
    | dict.fromkeys(RANKS, palette.MUTED)
    | {
        "rank now": palette.DIRECTIONAL.color,
        "shapes[0]": palette.Style(palette.MUTED, "dot", "circle"),
    },
    keys={
        "notes[0]": {label: name for name, (label, _) in CUTOFF_CURVES.items()},
        "notes[1]": {"at time t": "rank now", "at other times": RANKS},
    },
    names=P0,
    positions=[
        {"setting": setting, "t": t} for setting, t in zip(TEXT, (9.0, 180.0, 900.0), strict=True)
    ],
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


LARGE_SHAPES = [tuple(p.shape) for p in digits_cnn(0).parameters()]


def recorded_live(c: float, mu: float, seed: int, size: str) -> Pair:
    """The pair that a run with these settings has a twin in."""
    k = FINITE.seeds.index(seed)
    if size == "small":
        return over_time((c, mu), FINITE.times[0])[k]
    place, s = FINITE.large_pairs.index((c, mu)), FOUND["large/s"][k, FINITE.large_mus.index(mu)]
    lam = c * FINITE.lr**0.5 * FINITE.large_t**mu
    return Pair(FOUND["large/sgd"][k], FOUND["large/grda"][k, place], lam, s[None], s, seed)


def live_match(c: float, mu: float, seed: int, size: str, epochs: int, shuffled: bool):
    """The picture after a run that ended where the recorded one did; epochs < 0: before one of so many."""
    live = lesson08.LiveTheorem(c, mu, seed, size=size, epochs=abs(epochs))
    if epochs > 0:
        pair = recorded_live(c, mu, seed, size)
        s = np.random.default_rng(5).permutation(pair.random) if shuffled else pair.random
        found = Ended(pair.sgd, pair.grda, s, pair.lam, seed, NETWORKS[size].sizes)
        live.picture.show(*show_match(found, live.recorded, NETWORKS[size].words))
    return live.picture


def says_live_match(c: float, mu: float, seed: int, size: str, epochs: int, shuffled: bool) -> dict:
    pair = recorded_live(c, mu, seed, size)
    shapes = SHAPES if size == "small" else LARGE_SHAPES
    how = [sum(map(prod, shapes)), "weights", *([] if size == "small" else [FINITE.products])]

    def told(s: np.ndarray) -> list:
        left = without_size_and_layer(pair, s, shapes)
        return ["correlation", pair.correlation(s), "AUC", growers_below(pair, s), "layer", left]

    full = {"small": 100, "large": 60}[size]
    twin = ["Recorded", *told(pair.random)] if abs(epochs) == full else ["No recorded run"]
    if epochs < 0:
        pale = ["which stands pale"] if epochs == -full else []
        return {"sentence": ["Press Start", *pale, *twin], "title": ["Not measured yet", *how]}
    s = np.random.default_rng(5).permutation(pair.random) if shuffled else pair.random
    return {
        "sentence": ["Live", *told(s), *twin],
        "title": ["Live", *how, "correlation", pair.correlation(s)],
    }


def keys_live_match(size: str, epochs: int, **_: object) -> dict:
    how = "# weights, the whole Hessian" if size == "small" else "# weights, # products"
    live = {f"Live, {how}: correlation #": "survivors"}
    lines = {"notes[0]": {"ŝ = s": "same"}, "notes[1]": {"both alike": "equal"}}
    return lines | ({"title": live} if epochs > 0 else {})


WEAK = {"c": 0.005, "mu": 0.51, "seed": 0}
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
        at | {"epochs": epochs, "shuffled": shuffled}
        for at, epochs, shuffled in (
            (WEAK | {"size": "small"}, -100, False),
            (WEAK | {"size": "small"}, -1, False),
            (WEAK | {"size": "large"}, -60, False),
            (WEAK | {"size": "small"}, 100, False),
            ({"c": 0.02, "mu": 0.7, "seed": 4, "size": "small"}, 100, True),
            ({"c": 0.02, "mu": 0.65, "seed": 2, "size": "large"}, 60, False),
            (WEAK | {"size": "large"}, 2, True),
        )
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
    TIME,
    EQUAL,
    IN_STEPS,
    LADDER,
    CUTOFF,
    STEEP,
    LIVE,
    TRAININGS,
]
