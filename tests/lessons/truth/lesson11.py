"""Lesson 11: files are counted field by field, dead units are switched off, choices are made by a loop."""

from __future__ import annotations

import gzip
import io
import math
from functools import cache

import numpy as np
import torch
from torch.nn.functional import conv2d, linear, max_pool2d, relu

from grda_edu import recordings
from grda_edu.data import digits
from grda_edu.explore import palette
from grda_edu.lessons import lesson11
from grda_edu.lessons.lesson11.live import Timed
from grda_edu.models import digits_cnn
from lessons.truth import Case, hollow, look

TRAINED = recordings.load_measurements("smaller")
TIMED = recordings.load_measurements("timing")
HERE = palette.Style(palette.INK, "dot", "line-ns")
RECIPES = [(way, s) for way, ss in TRAINED.configuration["strengths"].items() for s in ss]
LAYERS = {name: p.shape for name, p in digits_cnn(0).named_parameters()}
SIZE = sum(math.prod(shape) for shape in LAYERS.values())


def state(weights: np.ndarray) -> dict[str, torch.Tensor]:
    """A vector of weights by layer."""
    parts = torch.from_numpy(weights.copy()).split([math.prod(s) for s in LAYERS.values()])
    return {n: part.view(s).clone() for (n, s), part in zip(LAYERS.items(), parts, strict=True)}


def trained(way: str, strength: float, seed: int = 0) -> np.ndarray:
    return TRAINED.arrays["weights"][RECIPES.index((way, strength)), seed]


# ------------------------------------------------- bytes

FORMATS = {
    "torch's CSR": palette.MAGNITUDE,
    "CSR, 32-bit places": palette.OBS,
    "torch.save": palette.SGD,
    "torch.save, gzip": palette.SOFT,
    "bitmask + values": palette.RDA,
    "save_sparse": palette.GRDA,
    "limit": palette.TARGET,
}


@cache
def sizes(zeros: float) -> dict[str, float]:
    """kB, each counted or written here."""
    w = trained("SGD", 0.0).copy()
    w[np.argsort(np.abs(w), kind="stable")[: round(zeros * SIZE)]] = 0.0
    layers, alive = state(w), int((w != 0).sum())
    plain, rows = io.BytesIO(), io.BytesIO()
    model = digits_cnn(0)
    model.load_state_dict(layers)
    torch.save(model.state_dict(), plain)
    torch.save(
        {n: t.flatten(1).to_sparse_csr() if t.ndim > 1 else t for n, t in layers.items()}, rows
    )
    # Of a numpy archive: a local header and a central one with the name, an array's header of 128.
    places = 0
    for name, t in layers.items():
        parts = {f"{name}": 4 * t.numel()}
        if t.ndim > 1:
            here = int((t != 0).sum())
            parts = {"data": 4 * here, "indices": 4 * here, "indptr": 4 * (len(t) + 1)}
            parts = {f"{name}.{part}": n for part, n in parts.items()}
        places += sum(n + 128 + 30 + 20 + 46 + 2 * len(f"{k}.npy") for k, n in parts.items())
    p = alive / SIZE
    bits = -sum(q * math.log2(q) for q in (p, 1 - p) if q)
    return {
        "torch's CSR": len(rows.getvalue()) / 1000,
        "CSR, 32-bit places": (places + 22) / 1000,
        "torch.save": len(plain.getvalue()) / 1000,
        "torch.save, gzip": len(gzip.compress(plain.getvalue())) / 1000,
        "bitmask + values": (math.ceil(SIZE / 8) + 4 * alive) / 1000,
        "save_sparse": packed(layers) / 1000,
        "limit": (SIZE * bits / 8 + 4 * alive) / 1000,
    }


def packed(layers: dict[str, torch.Tensor]) -> int:
    """The bytes that the layers take in the shorter of two ways, and what save_sparse adds to them."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from grda_edu import save_sparse

    with TemporaryDirectory() as folder:
        written = save_sparse(layers, Path(folder) / "w")
    least = 0
    for t in layers.values():
        (at,) = np.nonzero(t.flatten().numpy())
        gaps = np.diff([-1, *at, t.numel()]) - 1
        where = min(math.ceil(t.numel() / 8), int((gaps // 255 + 1).sum()))
        least += min(4 * t.numel(), where + 4 * len(at))
    assert 0 < written - least < 1000, (written, least)  # its header
    return written


def says_written(zeros: float) -> dict:
    kilo = sizes(zeros)
    listed: list[object] = []
    for name in FORMATS:
        listed += [name, kilo[name]]
    return {
        "sentence": [
            *(zeros, "torch.save", kilo["torch.save"], "bitmask", kilo["bitmask + values"]),
            *("save_sparse", kilo["save_sparse"], "limit", kilo["limit"]),
        ],
        "title": [zeros, kilo["torch.save"] / sizes(0.0)["torch.save"]],
        "notes[0]": [*listed, "kB"],
    }


WRITTEN = Case(
    "written",
    lesson11.written,
    says_written,
    looks={"here": HERE, **FORMATS},
    keys={"notes[0]": {f"{name} #": name for name in FORMATS}},
    names=["32-bit"],
    positions=[{"zeros": k / 20} for k in (10, 11, 12, 18)],
    reaches=lambda zeros: [
        sizes(zeros)["CSR, 32-bit places"] < sizes(zeros)["torch.save"]
        and not sizes(zeros - 0.05)["CSR, 32-bit places"] < sizes(zeros - 0.05)["torch.save"]
        if 0.05 < zeros <= 0.9
        else False
    ],
)


# ------------------------------------------------- time

TIMES = {"CSR": palette.OBS, "units removed": palette.DIRECTIONAL}
TICKS = [0.1, 0.5, 1, 2, 5, 10, 50, 200]
PROCESSOR = TIMED.configuration["processor"]


def ratio(size: float, batch: float, zeros: float, way: str) -> float:
    """How many times as fast as dense a way was recorded."""
    made = TIMED.configuration
    i, j = made["sizes"].index(size), made["batches"].index(batch)
    k = made["zeros"].index(zeros)
    dense, own = (TIMED.arrays["times"][i, j, made["ways"].index(w), k] for w in ("dense", way))
    return dense / own


def two_digits(value: float) -> float:
    return float(f"{value:.2g}")


def says_times(size: float, batch: float, zeros: float) -> dict:
    csr, removed = (ratio(size, batch, zeros, way) for way in TIMES)
    words = ["faster" if value > 1 else "slower" for value in (csr, removed)]
    return {
        "sentence": [size, batch, zeros, f"CSR is {words[0]}", f"removed are {words[1]}"],
        "title": [zeros, "CSR", two_digits(csr), "units removed", two_digits(removed)],
        "yaxis.ticktext": TICKS,
    }


def breaks_even(size: float, batch: float, zeros: float) -> list[bool]:
    shares = TIMED.configuration["zeros"]
    later = [ratio(1024, 1, share, "CSR") > 1 for share in shares if share >= zeros]
    before = [share for share in shares if share < zeros]
    just = not before or ratio(1024, 1, before[-1], "CSR") <= 1
    return [(size, batch) == (1024, 1) and all(later) and just]


TIME = Case(
    "layer_times",
    lesson11.layer_times,
    says_times,
    looks={"dense": palette.SGD, "here": HERE}
    | TIMES
    | {f"{way} here": style for way, style in TIMES.items()},
    keys={"notes[0]": {way: way for way in (*TIMES, "dense")}},
    names=[PROCESSOR],
    positions=[
        {"size": 1024, "batch": 1, "zeros": share} for share in TIMED.configuration["zeros"]
    ],
    reaches=breaks_even,
)


def live_view(batches: tuple[int, ...], shares: int):
    view = lesson11.live_timing(size=1024, batches=batches)
    view._take(told(batches, shares))
    view._draw()
    return view


def told(batches: tuple[int, ...], shares: int) -> list[Timed]:
    """The recording of the same layer, as if it had been measured here."""
    made, found = TIMED.configuration, []
    for batch in batches:
        for share in made["zeros"][:shares]:
            ratios = {way: ratio(1024, batch, share, way) for way in TIMES}
            found.append(
                Timed(batch, share, {"dense": 1.0} | {w: 1 / r for w, r in ratios.items()})
            )
    return found


def says_live(batches: tuple[int, ...], shares: int) -> dict:
    zeros = TIMED.configuration["zeros"]
    said: list[object] = []
    for batch in batches if shares == len(zeros) else ():
        slower = [s for s in zeros if ratio(1024, batch, s, "CSR") <= 1]
        first = [s for s in zeros if s > max(slower, default=0)]
        said += [batch, "CSR is faster", *(["from", first[0]] if first else ["at no share"])]
    sentence = {"sentence": ["On this computer", *said] if said else ["Dotted lines"]}
    titles = {f"notes[{k}]": ["Batch", batch] for k, batch in enumerate(batches)}
    ticks = {f"yaxis{k + 1 if k else ''}.ticktext": TICKS for k in range(len(batches))}
    return {"title": [1024], **sentence, **titles, **ticks}


def looks_live(batches: tuple[int, ...], shares: int) -> dict:
    looks: dict = {}
    for b in batches:
        looks |= {f"dense {b}": palette.SGD}
        looks |= {f"recorded {way} {b}": style._replace(dash="dot") for way, style in TIMES.items()}
        looks |= {f"{way} {b}": style for way, style in TIMES.items()}
    return looks


LIVE = Case(
    "live_timing",
    live_view,
    says_live,
    looks=looks_live,
    keys=lambda batches, shares: {
        f"notes[{k}]": {way: f"{way} {b}" for way in (*TIMES, "dense")}
        | {"recorded": (palette.MUTED, *(f"recorded {way} {b}" for way in TIMES))}
        for k, b in enumerate(batches)
    },
    names=[PROCESSOR],
    positions=[
        {"batches": (1, 32), "shares": 0},
        {"batches": (1, 32), "shares": 4},
        {"batches": (1, 32), "shares": 9},
        {"batches": (8,), "shares": 9},
    ],
)


# ------------------------------------------------- dead units

UNITS = ("conv1", "conv2", "fc1")


def answers(w: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The digits CNN, written out."""
    x = max_pool2d(relu(conv2d(x, w["conv1.weight"], w["conv1.bias"], padding=1)), 2)
    x = max_pool2d(relu(conv2d(x, w["conv2.weight"], w["conv2.bias"], padding=1)), 2)
    x = relu(linear(x.flatten(1), w["fc1.weight"], w["fc1.bias"]))
    return linear(x, w["fc2.weight"], w["fc2.bias"])


@cache
def silenced() -> list[int]:
    """Parameters left after each unit that is silenced, in the whole network's own shapes."""
    w = state(trained("gRDA", 0.02))
    x, units = digits().x_test, {n: len(w[f"{n}.bias"]) for n in UNITS}
    before, gone = answers(w, x), {name: set[int]() for name in UNITS}
    left = [count(units, gone)]
    while True:
        found = [
            (n, k) for n in UNITS for k in range(units[n]) if k not in gone[n] and dead(w, n, k)
        ]
        if not found:
            return left
        layer, unit = found[0]
        gone[layer].add(unit)
        after = {"conv1": "conv2", "conv2": "fc1", "fc1": "fc2"}[layer]
        width = 4 if layer == "conv2" else 1
        heard = w[f"{after}.weight"][:, width * unit : width * (unit + 1)]
        constant = w[f"{layer}.bias"][unit].clamp(min=0) * (w[f"{layer}.weight"][unit] == 0).all()
        if after != "conv2":
            w[f"{after}.bias"] = w[f"{after}.bias"] + constant * heard.sum(dim=1)
        heard.zero_()
        w[f"{layer}.weight"][unit], w[f"{layer}.bias"][unit] = 0.0, 0.0
        assert (answers(w, x) - before).abs().max() < 1e-4
        left.append(count(units, gone))


def dead(w: dict[str, torch.Tensor], layer: str, unit: int) -> bool:
    """Unheard, or a constant that may move: this network has no constant before zero padding."""
    after = {"conv1": "conv2", "conv2": "fc1", "fc1": "fc2"}[layer]
    width = 4 if layer == "conv2" else 1
    heard = w[f"{after}.weight"][:, width * unit : width * (unit + 1)].any()
    makes = w[f"{layer}.weight"][unit].any()
    trapped = layer == "conv1" and heard and not makes and w[f"{layer}.bias"][unit] > 0
    return not trapped and not (heard and makes)


def count(units: dict[str, int], gone: dict[str, set[int]]) -> int:
    a, b, c = (units[name] - len(gone[name]) for name in UNITS)
    return a * 10 + b * (9 * a + 1) + c * (4 * b + 1) + 10 * (c + 1)


@cache
def differences() -> list[float]:
    """Of the figure's own small networks, each asked as torch runs it."""
    from grda_edu.lessons.lesson11.units import removals

    x = digits().x_test
    with torch.no_grad():
        before = answers(state(trained("gRDA", 0.02)), x)
        found = [float((step.model(x) - before).abs().max()) for step in removals()]
    assert max(found) < 1e-4
    return [two_digits(value) for value in found]


def says_leaving(removed: float) -> dict:
    k = int(removed)
    said = differences()[k]
    return {
        "sentence": [
            k,
            360,
            "no output differs by more than",
            said,
            "and every image gets the answer",
        ],
        "title": [silenced()[k], SIZE, silenced()[k] / SIZE],
        "names.text": [16, "filters", 32, "filters", 64, "neurons", 10, "digits"],
    }


DOTS = {
    f"{what} {layer}": style
    for layer in UNITS
    for what, style in (
        ("gone", palette.MUTED),
        ("dead", hollow(palette.ZERO)),
        ("alive", palette.INK),
    )
}
LEAVING = Case(
    "leaving",
    lesson11.leaving,
    says_leaving,
    looks={f"from {layer}": palette.GRDA for layer in UNITS}
    | DOTS
    | {"digits": palette.INK, "names": palette.INK},
    keys={
        "notes[0]": {
            "alive": tuple(f"alive {layer}" for layer in UNITS),
            "dead": tuple(f"dead {layer}" for layer in UNITS),
            "removed": tuple(f"gone {layer}" for layer in UNITS),
            "weights": tuple(f"from {layer}" for layer in UNITS),
        }
    },
    positions=[{"removed": k} for k in (1, 5, 20)],
)


# ------------------------------------------------- the border


def added(bias: float) -> dict[str, list[float]]:
    """Sums over the nine neighbours, those outside left out."""
    w = state(trained("SGD", 0.0))["conv2.weight"][0, 0].numpy().astype(float)
    k = max(bias, 0.0)
    sent = [
        sum(
            k * w[1 + dy, 1 + dx]
            for dy in (-1, 0, 1)
            for dx in (-1, 0, 1)
            if 0 <= y + dy < 4 and 0 <= x + dx < 4
        )
        for y in range(4)
        for x in range(4)
    ]
    moved = [k * w.sum()] * 16
    gap = [a - b for a, b in zip(sent, moved, strict=True)]
    return {"sent": sent, "moved": moved, "difference": gap}


def says_trap(bias: float) -> dict:
    fields = added(bias)
    said = {f"{name} written.text": values for name, values in fields.items()}
    if bias <= 0:
        sentence: list[object] = [bias, "the filter can go"]
    else:
        sentence = [
            bias,
            4,
            16,
            "wrong at the border",
            two_digits(max(map(abs, fields["difference"]))),
        ]
        sentence.append("has to stay")
    return {"sentence": sentence, "title": [max(bias, 0.0)], **said}


TRAP = Case(
    "padding_trap",
    lesson11.padding_trap,
    says_trap,
    looks={name: look(palette.INK, colorscale=palette.SIGNED) for name in added(0.0)}
    | {f"{name} written": palette.INK for name in added(0.0)},
    positions=[{"bias": 0.1}],
)


# ------------------------------------------------- the smallest network

WAYS = {
    "gRDA": palette.GRDA,
    "gRDA by unit": palette.DIRECTIONAL._replace(dash="solid"),
    "proximal ℓ1": palette.RDA._replace(symbol="diamond"),
    "magnitude, gradual": palette.MAGNITUDE,
}


SIZES = [2_000, 3_000, 5_000, 10_000]


@cache
def left(way: str, strength: float) -> float:
    """Parameters that still count, mean of the seeds: units that hear something and are heard."""
    found = []
    for seed in range(len(TRAINED.configuration["seeds"])):
        w = state(trained(way, strength, seed))
        units = {n: len(w[f"{n}.bias"]) for n in UNITS}
        gone = {name: set[int]() for name in UNITS}
        while True:
            more = [
                (n, k) for n in UNITS for k in range(units[n]) if k not in gone[n] and dead(w, n, k)
            ]
            if not more:
                break
            for layer, unit in more:
                gone[layer].add(unit)
                after = {"conv1": "conv2", "conv2": "fc1", "fc1": "fc2"}[layer]
                width = 4 if layer == "conv2" else 1
                w[f"{after}.weight"][:, width * unit : width * (unit + 1)] = 0.0
                w[f"{layer}.weight"][unit] = 0.0
        found.append(count(units, gone))
    return float(np.mean(found))


def offered(way: str, given_up: float) -> float | None:
    """The fewest parameters among those that are accurate enough on validation images."""
    val = {
        recipe: float(np.mean(row.astype(float)))
        for recipe, row in zip(RECIPES, TRAINED.arrays["val"], strict=True)
    }
    fits = [r for r in RECIPES if r[0] == way and val["SGD", 0.0] - val[r] <= given_up + 1e-9]
    return min((left(*recipe) for recipe in fits), default=None)


def says_smallest(given_up: float) -> dict:
    found = {way: offered(way, given_up) for way in WAYS}
    said: list[object] = []
    for way, size in found.items():
        said += [way, "none" if size is None else size]
    best = min((size, way) for way, size in found.items() if size is not None)
    return {
        "sentence": ["three seeds", *said],
        "title": [100 * given_up, f"{best[1]} leaves", best[0]],
        "yaxis.ticktext": SIZES,
        "xaxis2.ticktext": SIZES,
    }


def is_fifth(given_up: float) -> list[bool]:
    def small(allowed: float) -> bool:
        return min(size for way in WAYS if (size := offered(way, allowed))) < SIZE / 5

    return [small(given_up) and not any(small(k / 500) for k in range(round(500 * given_up)))]


SMALLEST = Case(
    "smallest",
    lesson11.smallest,
    says_smallest,
    looks={
        f"{way} {side}{end}": style
        for way, style in WAYS.items()
        for side in ("left", "right")
        for end in ("", " chosen")
    }
    | {"SGD": palette.SGD},
    keys={"notes[0]": {way: f"{way} left" for way in WAYS}, "notes[1]": {"SGD": "SGD"}},
    names=["ℓ1"],
    positions=[{"given_up": k / 500} for k in (1, 2, 3, 4)],
    reaches=is_fifth,
)

CASES = [WRITTEN, TIME, LIVE, LEAVING, TRAP, SMALLEST]
