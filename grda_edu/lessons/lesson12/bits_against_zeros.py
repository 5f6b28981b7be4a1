"""Lesson 12: a transformer trained in seven ways, bits against zeros, and the trials behind them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    dots,
    heading,
    heading_key,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import decimal, percent

from .word_numbers import (
    ADAMW,
    DENSE,
    DUAL,
    GRADUAL,
    PRUNING,
    SGD,
    Trial,
    base_rates,
    bits,
    chosen,
    dense,
    frontier,
    levels,
    recorded,
    trials,
    tried,
    zeros,
)

LOOKS = {
    "gRDA": palette.GRDA,
    "gRDAM": palette.GRDA._replace(dash="dot", symbol="triangle-up"),
    DUAL: palette.RDA._replace(symbol="diamond"),
    GRADUAL: palette.MAGNITUDE._replace(dash="dash", symbol="triangle-down"),
    SGD: palette.SGD,
    "SGD with momentum": palette.SGD._replace(dash="dot", symbol="triangle-up"),
    ADAMW: palette.Style(palette.INK, "dash", "star"),
}
_RATES = {
    "uniform": palette.TARGET._replace(dash="longdash"),
    "single characters": palette.TARGET._replace(dash="dot"),
    "pairs": palette.TARGET._replace(dash="dash"),
}
_STRENGTHS = ("solid", "dash", "dot")  # the weakest first
_BITS = {b: f"{b:g}" for b in (2, 2.5, 3, 4, 5, 6)}
_WORST = 7.0  # trials that diverged are drawn there


@veiled("12.words_cost")
def reading() -> Explorable:
    """Bits per character against zeros, and one way's nine trials."""
    return Explorable(
        _figure,
        _row,
        {
            "way": Choice({way: way for way in (*PRUNING, *DENSE)}, label="way"),
            "level": Slider(levels(), label="zeros, at least", format=".0%", start=0.8),
        },
        label="Transformers on Python's documentation: bits per character against zeros, and one way's trials",
    )


def _figure() -> go.Figure:
    ends = [-0.03, 1.0]
    rates = [
        line(name, look, width=1.5, x=ends, y=[base_rates()[name]] * 2)
        for name, look in _RATES.items()
    ]
    pruning = [
        dots(way, LOOKS[way], size=8).update(mode="lines+markers", line=LOOKS[way].line(2))
        for way in PRUNING
    ]
    alone = [dots(way, LOOKS[way], size=10, outline=1.5, cliponaxis=False) for way in DENSE]
    found = [
        dots(f"{way}, {part}", look, size=size, hollow=part == "seeds", outline=1.5)
        for way, look in LOOKS.items()
        for part, size in (("seeds", 8), ("mean", 15))
    ]
    tried_ones = [
        dots(f"{way}, trials {k}", look._replace(dash=dash), size=7).update(
            mode="lines+markers", line=look._replace(dash=dash).line(2)
        )
        for way, look in LOOKS.items()
        for k, dash in enumerate(_STRENGTHS)
    ]
    picked = [
        dots(f"{way}, picked", look, size=15, hollow=True, outline=2.5)
        for way, look in LOOKS.items()
    ]
    return panels(
        Panel(
            *rates,
            *pruning,
            *alone,
            *found,
            x=(0, 0.56),
            title="Bits per character, test",
            key=keys(
                *(key(way, LOOKS[way], "both") for way in PRUNING),
                *(key(way, LOOKS[way], "mark") for way in DENSE),
                *(key(name, look) for name, look in _RATES.items()),
            ),
            xaxis=axis("weights exactly zero", ends, share=True, ticks=0.25, zeroline=False),
            yaxis=_bits_axis(_BITS),
        ),
        Panel(
            *tried_ones,
            *picked,
            x=(0.68, 1),
            xaxis=axis("learning rate", log=True, ticks={}),
            yaxis=_bits_axis(_BITS | {_WORST: "∞"}),
        ),
        height=470,
        margin={"l": 44, "r": 16, "t": 84, "b": 48},
    )


def _bits_axis(ticks: dict[float, str]) -> dict[str, object]:
    return axis(range=(0.28, 0.86), log=True, ticks=ticks)


def _strengths(way: str) -> list[float]:
    return sorted({strength for _, _, strength in trials(way)})


def _drawn(values: list[float]) -> np.ndarray:
    return np.minimum(np.nan_to_num(values, nan=_WORST), _WORST)


def _row(way: str, level: float) -> tuple[dict[str, object], str]:
    row: dict[str, object] = {}
    for one in PRUNING:
        row[f"{one}.x"] = [zeros(trial).mean() for trial in frontier(one)]
        row[f"{one}.y"] = [bits(trial).mean() for trial in frontier(one)]
    for one in DENSE:
        row[f"{one}.x"], row[f"{one}.y"] = [0.0], [dense(one)]
    trial, missing = chosen(way, level), np.full(1, np.nan)  # every level fills as many points
    for one in LOOKS:
        here = trial if one == way else None
        seeds = [of(here) if here else missing for of in (zeros, bits)]
        means = [values.mean(keepdims=True) for values in seeds]
        picked = [[here[1]], _drawn([tried(here)])] if here else [missing, missing]
        for part, points in (("seeds", seeds), ("mean", means), ("picked", picked)):
            size = len(recorded().configuration["seeds"]) if part == "seeds" else 1
            for letter, values in zip("xy", points, strict=True):
                row[f"{one}, {part}.{letter}"] = np.resize(values, size)
        for k in range(len(_STRENGTHS)):
            those = [t for t in trials(one) if one == way and _strengths(one).index(t[2]) == k]
            row[f"{one}, trials {k}.x"] = [t[1] for t in those]
            row[f"{one}, trials {k}.y"] = _drawn([tried(t) for t in those])
    row[heading_key(1)] = heading(f"Its {len(trials(way))} trials, validation", _trial_keys(way))
    rates = sorted({t[1] for t in trials(way)})
    row["layout.xaxis2.tickvals"] = some = [rates[0], rates[len(rates) // 2], rates[-1]]
    row["layout.xaxis2.ticktext"] = [f"{lr:g}" for lr in some]
    row["layout.xaxis2.range"] = [np.log10(min(rates)) - 0.12, np.log10(max(rates)) + 0.12]
    return row | {"layout.title.text": _title(way, level, trial)}, _sentence(way, level, trial)


def _trial_keys(way: str) -> str:
    look = LOOKS[way]
    if way in DENSE:
        return key("no zeros", look._replace(dash=_STRENGTHS[0]), "both")
    if way == GRADUAL:
        told = "share " + ", ".join(percent(share, 0) for share in _strengths(way))
    else:
        told = "threshold " + ", ".join(decimal(g, 2) for g in _strengths(way))
    words = zip(("low", "middle", "high"), _STRENGTHS, strict=True)
    return f"{told}: " + keys(
        *(key(word, look._replace(dash=dash), "both") for word, dash in words)
    )


def _title(way: str, level: float, trial: Trial | None) -> str:
    if trial is None:
        return f"{way}: no trial had {percent(level, 0)} zeros"
    return f"{way}: {percent(zeros(trial).mean())} zeros, {decimal(bits(trial).mean())} bits"


# Way -> the dense ways that its sentence names; of the others SGD and AdamW, but itself.
_CONTROLS = {"gRDA": (SGD, ADAMW), "gRDAM": ("SGD with momentum", ADAMW)}


def _sentence(way: str, level: float, trial: Trial | None) -> str:
    others = _CONTROLS.get(way) or [one for one in (SGD, ADAMW) if one != way]
    control = "Without zeros: " + ", ".join(f"{one} {decimal(dense(one))}" for one in others) + "."
    if trial is None:
        most = max(tried(t, "zeros") for t in trials(way))
        return (
            f"{way}: none of its trials had {percent(level, 0)} zeros, the most were {percent(most)}. "
            f"{control}"
        )
    which = "" if way in DENSE else f" with at least {percent(level, 0)} zeros"
    return (
        f"{way}: the best of its trials{which} had the learning rate {trial[1]:g}. Trained anew with other seeds "
        f"it has {percent(zeros(trial).mean())} zeros and {decimal(bits(trial).mean())} bits per character on test. "
        f"{control}"
    )
