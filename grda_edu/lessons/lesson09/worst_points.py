"""Lesson 09's third figure: the worst point of every path, for all pairs and seeds."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Panel, axis, dots, key, keys, palette, panels
from grda_edu.explore.writing import percent

from .numbers import GOAL, PATHS, seeds, worst

LABELS = {
    "grda": "SGD →<br>gRDA",
    "gradual": "SGD → SGD,<br>pruned in training",
    "batches": "SGD → SGD,<br>same start, other batches",
    "start": "SGD → SGD,<br>another start",
    "matched": "SGD → SGD,<br>units matched",
    "grda_start": "gRDA → gRDA,<br>another start",
    "mask": "SGD → SGD,<br>random zeros",
    "magnitude": "SGD → SGD,<br>smallest weights cut",
    "signs": "SGD →<br>random signs",
}
_LOOKS = {  # path -> its look, its size, how far it is drawn above its pair's line, its name
    "ends": (palette.Style(palette.MUTED, "solid", "line-ns"), 13, 0.0, "the two ends"),
    "line": (palette.Style(palette.INK, "solid", "diamond-open"), 10, 0.26, "the straight line"),
    "curve": (palette.Style(palette.INK, "solid", "circle"), 9, -0.26, "the trained curve"),
}
_READ_RIGHT = 0.95  # a lower accuracy on the way is a hill
_SHOWN = {  # what is shown -> its words, and what its axis needs
    "loss": ("highest training loss", axis(log=True, range=(-3.4, 0.7))),
    "accuracy": ("lowest test accuracy", axis(range=(0.0, 1.02), share=True, ticks=0.2)),
}


def hills() -> Explorable:
    """The worst point of every path, straight and trained, beside the worse of its two ends."""
    return Explorable(
        _figure,
        _hills,
        {"what": Choice({words: what for what, (words, _) in _SHOWN.items()}, label="show")},
        label="The worst point of straight lines and of trained curves, for all pairs and seeds",
    )


def _figure() -> go.Figure:
    heights = np.arange(len(PATHS))[::-1]
    traces = [
        dots(
            path,
            style,
            size=size,
            y=np.repeat(heights + above, len(seeds())),
            opacity=0.8,
            marker_line={"width": 0 if path == "curve" else 2, "color": style.color},
            hovertemplate=name + ": %{x:.3g}<extra></extra>",
        )
        for path, (style, size, above, name) in _LOOKS.items()
    ]
    words, _ = _SHOWN["loss"]
    everything = Panel(
        *traces,
        title="Worst point of",
        key=keys(*(key(name, style, "mark") for style, _, _, name in _LOOKS.values())),
        xaxis=axis(f"{words} on the path"),
        yaxis=axis(
            range=(-0.6, len(PATHS) - 0.4),
            ticks={h: f"{label} " for h, label in zip(heights, LABELS.values(), strict=True)},
            showgrid=False,
            zeroline=False,
        ),
    )
    return panels(everything, height=540, margin={"l": 190, "r": 24, "t": 76, "b": 52})


def _hills(what: str) -> tuple[dict[str, object], str]:
    words, place = _SHOWN[what]
    row: dict[str, object] = {
        f"{path}.x": np.concatenate([worst(pair, path, what) for pair in PATHS]) for path in _LOOKS
    }
    row |= {f"layout.xaxis.{name}": value for name, value in ({"type": "linear"} | place).items()}
    row |= {
        "layout.xaxis.title.text": f"{words} on the path",
        "layout.title.text": f"{words.capitalize()}, {len(seeds())} seeds each",
    }
    good = {
        path: [pair for pair in PATHS if _stays(pair, path, what)] for path in ("line", "curve")
    }
    level = f"below {GOAL:g}" if what == "loss" else f"above {percent(_READ_RIGHT, 0)}"
    return row, (
        f"The {words.split(maxsplit=1)[1]} stays {level} in every seed on the straight line: "
        f"{_listed(good['line'])}. On the trained curve also: "
        f"{_listed([pair for pair in good['curve'] if pair not in good['line']])}. On neither: "
        f"{_listed([pair for pair in PATHS if pair not in good['line'] + good['curve']])}."
    )


def _stays(pair: str, path: str, what: str) -> bool:
    """Does a pair's path stay on the low ground in every seed, by its loss or its accuracy?"""
    found = worst(pair, path, what)
    return bool((found < GOAL).all() if what == "loss" else (found > _READ_RIGHT).all())


def _listed(pairs: list[str]) -> str:
    return "; ".join(PATHS[pair] for pair in pairs) or "none"
