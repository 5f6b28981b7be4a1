"""What gRDA's zeros cost: beside others with as many zeros and as much training, and without any."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    key,
    keys,
    palette,
    panels,
    writing,
)
from grda_edu.explore.layout import rule

from .curves import along, curve, named
from .dotted import dot_rows
from .numbers import BUDGET, SETTINGS, at
from .recorded import Recording

STEPS = Recording("in_steps")

# ------------------------------------------------- equal zeros and equal training

_WAYS = {  # recorded way -> words, style
    "gRDA": ("gRDA", palette.GRDA),
    "gRDA, then its mask": ("gRDA, then its mask", palette.GRDA),
    "gRDA's mask": ("gRDA's mask", palette.GRDA),
    "magnitude mask": ("magnitude's mask", palette.MAGNITUDE),
    "random mask": ("random mask", palette.TARGET),
    "gradual magnitude": ("magnitude, gradually", palette.MAGNITUDE),
    "magnitude": ("cut, not retrained", palette.MAGNITUDE),
}
_BARS = {  # recorded quantity -> title, where, axis
    "loss": ("Training loss", (0.36, 0.66), axis(range=(-2.6, -0.6), log=True)),
    "accuracy": ("Test accuracy", (0.74, 1), axis(share=True, range=(0.9, 1), ticks=0.05)),
}


def equal_budget() -> Explorable:
    """gRDA beside networks with its zeros that were trained as long, at a setting (c, μ)."""
    strongest_first = {named(*pair): pair for pair in reversed(SETTINGS)}
    return Explorable(
        _budget_figure,
        _budget,
        {"setting": Choice(strongest_first, label="c and μ")},
        label="Training loss and test accuracy at equal zeros and equal training",
    )


def _budget_figure() -> go.Figure:
    parts = dot_rows(
        *(_BARS, dict(_WAYS.values()), len(BUDGET.about("seeds"))),
        key=key("SGD, no zeros", palette.SGD),
    )
    sgd = [_sgd(name) for name in _BARS]
    lines = [rule(palette.SGD, x=value, panel=k) for k, value in enumerate(sgd)]
    margin = {"l": 16, "r": 24, "t": 76, "b": 52}
    return panels(*parts, height=360, margin=margin, shapes=lines)


def budget(c: float, mu: float) -> dict[str, np.ndarray]:
    """Zeros, training loss and test accuracy: [ways, seeds], in the order of ``_WAYS``."""
    place = [tuple(pair) for pair in BUDGET.about("pairs")].index((c, mu))
    order = [BUDGET.about("ways").index(way) for way in _WAYS]
    return {name: BUDGET.array(name)[:, place, order].T for name in ("zeros", *_BARS)}


def _sgd(name: str) -> float:
    values = BUDGET.array(f"sgd/{name}")
    return float(_geometric(values[None]) if name == "loss" else values.mean())


def _geometric(values: np.ndarray) -> Any:
    """Over all but the first axis's entries."""
    return np.exp(np.log(values).reshape(len(values), -1).mean(axis=1)).squeeze()


def _budget(setting: tuple[float, float]) -> tuple[dict, str]:
    values = budget(*setting)
    loss, accuracy = _geometric(values["loss"]), values["accuracy"].mean(axis=1)
    row: dict[str, object] = {"loss.x": loss, "accuracy.x": accuracy}
    row |= {f"{name}, seeds.x": values[name].ravel() for name in _BARS}
    zeros = writing.percent(float(values["zeros"][0].mean()), 0)
    row["layout.title.text"] = f"{named(*setting)}, {zeros} zeros, every training as long"
    names = "gRDA", "gRDA's mask", "magnitude mask", "random mask", "gradual magnitude"
    ours, mask, its, random, gradual = (writing.loss(loss[list(_WAYS).index(n)]) for n in names)
    apart = writing.points(float(accuracy[list(_WAYS).index("gRDA's mask")] - accuracy[0]))
    return row, (
        f"Training loss: gRDA {ours}, SGD on its mask {mask}, on magnitude's {its}, on a random one {random}; gradual "
        f"magnitude {gradual}. In test accuracy SGD on gRDA's mask is {apart} points from gRDA."
    )


# ------------------------------------------------- in steps, no training at all

_ONE_JUMP = palette.DIRECTIONAL._replace(dash="dot", symbol="diamond-open")
_CUT = {  # recorded network -> words, style
    "steps": ("directional pruning in steps", palette.DIRECTIONAL),
    "jump": ("in one jump", _ONE_JUMP),
    "magnitude": ("magnitude", palette.MAGNITUDE),
    "obs": ("OBS, one Hessian", palette.OBS),
    "grda": ("gRDA, trained", palette.GRDA),
}
_SEEN = {"train_loss": "Training loss", "test_accuracy": "Test accuracy"}


def in_steps() -> Explorable:
    """Directional pruning in steps beside magnitude, one jump, OBS and gRDA, on both networks."""
    zeros = STEPS.array("small/zeros")[0]
    return Explorable(
        _steps_figure,
        _steps,
        {
            "network": Choice(
                {"1,370 weights": "small", "13,706 weights": "large"}, label="network"
            ),
            "zeros": Slider(
                zeros.tolist(), label="zeros", format=lambda z: writing.percent(z, 0), start=0.8
            ),
        },
        label="Training loss and accuracy of networks that were cut and not retrained",
    )


def _steps_figure() -> go.Figure:
    zeros, count = STEPS.array("small/zeros")[0], len(STEPS.about("seeds"))
    axes = {
        "train_loss": axis(range=(-3.4, 0.5), log=True),
        "test_accuracy": axis(share=True, range=(0.3, 1.01), ticks=0.2),
    }
    entries = [key(words, style, "both") for words, style in _CUT.values()]
    parts = []
    for k, (what, title) in enumerate(_SEEN.items()):
        traces = [
            trace
            for name, (words, style) in _CUT.items()
            for trace in curve(
                f"{name} {what}", style, zeros, words + ": %{y:.3g}<extra></extra>", count=count
            )
        ]
        parts.append(
            Panel(
                *traces,
                x=((0, 0.44), (0.56, 1))[k],
                title=title,
                key=keys(*entries) if k == 0 else "",
                xaxis=axis("weights exactly zero", share=True, range=(0.05, 0.95), ticks=0.2),
                yaxis=axes[what],
            )
        )
    now = [rule(palette.INK, x=0.8, width=1.2, panel=k) for k in range(len(parts))]
    margin = {"l": 64, "r": 16, "t": 128, "b": 52}
    return panels(*parts, height=420, margin=margin, shapes=now)


def _steps(network: str, zeros: float) -> tuple[dict, str]:
    levels = STEPS.array(f"{network}/zeros")[0]
    k = at(levels.tolist(), zeros)
    row: dict[str, object] = {}
    for name in _CUT:
        for what in _SEEN:
            values = _cut(network, name, what)
            row |= along(f"{name} {what}", values)
            if name == "grda":
                own = STEPS.array(f"{network}/zeros/grda").T
                row |= {f"grda {what}.x": own.mean(axis=1), f"grda {what}, seeds.x": own.ravel()}
    for n in range(len(_SEEN)):
        row |= {f"layout.shapes[{n}].x0": levels[k], f"layout.shapes[{n}].x1": levels[k]}
    loss = {name: _cut(network, name, "train_loss")[k] for name in _CUT if name != "grda"}
    won, of = int((loss["steps"] < loss["magnitude"]).sum()), len(STEPS.about("seeds"))
    row["layout.title.text"] = (
        f"{writing.percent(levels[k], 0)} zeros: steps below magnitude in {won} of {of} seeds"
    )
    told = [
        f"{_CUT[name][0]} {writing.loss(float(values.mean()))}"
        for name, values in loss.items()
        if np.isfinite(values).all()
    ]
    accuracy = (
        writing.percent(_cut(network, name, "test_accuracy")[k].mean())
        for name in ("steps", "magnitude")
    )
    return row, (
        f"Mean training loss: {', '.join(told)}. Test accuracy of the steps {next(accuracy)}, of magnitude {next(accuracy)}."
    )


def _cut(network: str, name: str, what: str) -> np.ndarray:
    """[levels, seeds]; NaN where it was not measured."""
    if name == "obs" and network == "large":  # its Hessian does not fit
        return np.full_like(_cut(network, "steps", what), np.nan)
    return STEPS.array(f"{network}/{name}/{what}").T
