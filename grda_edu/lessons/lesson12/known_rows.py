"""Lesson 12: what the authors and others have published, accuracy against zeros."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import keep_goals
from grda_edu.explore import (
    Choice,
    Explorable,
    Goal,
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
from grda_edu.explore.writing import decimal, percent, signed

MOMENTUM = palette.Style(palette.INK, "dot", "line-ew")
_TITLE = "Right, % of the test images, all published"
WANTED = (0.0, 0.25, 0.5, 0.6, 0.8, 0.88, 0.9, 0.95, 0.97, 0.98)


@dataclass(frozen=True)
class Published:
    """A network's rows, in per cent as they were published."""

    about: str
    sgd: float  # the authors'
    grda: tuple[tuple[float, float, float], ...]  # μ, zeros, test accuracy; c and μ chosen on test
    shown: tuple[float, float]  # accuracies at which the axis ends
    momentum: float | None = None  # SGD with momentum and weight decay, no zeros
    magnitude: tuple[float, float] | None = None  # zeros, accuracy


NETWORKS = {
    # The authors' logs, means over ten seeds at the last epoch; momentum: Zagoruyko and Komodakis 2016.
    "VGG16, CIFAR-10": Published(
        "c = 0.0005, 600 epochs",
        sgd=90.82,
        grda=((0.4, 24.5, 90.87), (0.51, 61.4, 91.02), (0.6, 90.5, 90.86), (0.7, 97.1, 90.47)),
        shown=(90.2, 91.3),
    ),
    "WRN28x10, CIFAR-10": Published(
        "c = 0.001, 200 epochs",
        sgd=94.17,
        grda=((0.501, 90.2, 94.46), (0.55, 94.7, 94.43), (0.6, 97.1, 94.50), (0.65, 98.3, 94.53)),
        shown=(93.8, 96.3),
        momentum=96.00,
    ),
    "WRN28x10, CIFAR-100": Published(
        "c = 0.001, 200 epochs",
        sgd=76.53,
        grda=((0.501, 82.7, 76.92), (0.55, 90.2, 77.00), (0.6, 94.2, 77.00), (0.65, 96.3, 76.85)),
        shown=(75.5, 81.5),
        momentum=80.75,
    ),
    # SGD under the PyTorch schedule: item 2 of the response; momentum: the weights of torchvision;
    # magnitude: Gale, Elsen, Hooker 2019.
    "ResNet50, ImageNet": Published(
        "c = 0.005, rate 0.1, 0.01 after epoch 140",
        sgd=68.76,
        grda=(
            (0.501, 86.1, 73.13),
            (0.55, 91.6, 73.24),
            (0.6, 95.0, 72.16),
            (0.65, 97.1, 70.04),
            (0.7, 98.2, 65.51),
        ),
        shown=(64, 78),
        momentum=76.13,
        magnitude=(90.0, 75.16),
    ),
    # Item 9 of the response; momentum: He, Zhang, Ren, Sun 2015.
    "ResNet20, CIFAR-10": Published(
        "c = 0.01", sgd=89.12, grda=((0.7, 90.46, 90.19),), shown=(88.5, 92), momentum=91.25
    ),
}


def best(network: str, wanted: float) -> tuple[float, float, float] | None:
    """The row (μ, zeros, accuracy) of gRDA with the highest accuracy among those with so many zeros."""
    rows = [row for row in NETWORKS[network].grda if row[1] >= 100 * wanted]
    return max(rows, key=lambda row: row[2], default=None)


def behind(network: str, wanted: float) -> bool:
    """Is gRDA's best row below another method's with as many zeros as are wanted?"""
    found, other = best(network, wanted), NETWORKS[network].magnitude
    return bool(found and other and other[0] >= 100 * wanted and other[1] > found[2])


def published() -> Explorable:
    """Accuracy against zeros of a network, every row as it was published; a slider for the zeros wanted."""
    demo = Explorable(
        _figure,
        _row,
        {
            "network": Choice({name: name for name in NETWORKS}, label="network"),
            "wanted": Slider(WANTED, label="at least so many zeros", format=".0%", start=0.0),
        },
        label="Published accuracies against zeros",
        goals=[
            Goal(
                "a network, and 90% zeros or more, where another way of pruning is ahead of gRDA.",
                lambda network, wanted: wanted >= 0.9 and behind(network, wanted),
                name="12.behind",
            )
        ],
    )
    return keep_goals(demo)


def _figure() -> go.Figure:
    ends = [0, 102]
    return panels(
        Panel(
            line("SGD", palette.SGD, width=2, x=ends),
            line("momentum", MOMENTUM, width=2, x=ends),
            line("gRDA", palette.GRDA, width=1.5).update(
                mode="lines+markers", marker={"symbol": palette.GRDA.symbol, "size": 8}
            ),
            dots("magnitude", palette.MAGNITUDE, size=11),
            dots("chosen", palette.GRDA, size=17, hollow=True, outline=2, cliponaxis=False),
            title=_TITLE,
            key=_keys(NETWORKS["VGG16, CIFAR-10"]),
            xaxis=axis("weights exactly zero, %", (-2, 104), ticks=20),
            yaxis=axis(range=(64, 78)),
        ),
        height=420,
    )


def _keys(of: Published) -> str:
    """Of what the network has."""
    shown = [
        key("gRDA, chosen on test", palette.GRDA, "both"),
        key("the authors' SGD", palette.SGD),
        *([key("SGD, momentum and weight decay", MOMENTUM)] if of.momentum else []),
        *([key("gradual magnitude", palette.MAGNITUDE, "mark")] if of.magnitude else []),
    ]
    return keys(*shown)


def _row(network: str, wanted: float) -> tuple[dict[str, object], str]:
    of, found = NETWORKS[network], best(network, wanted)
    _, zeros, right = (np.array(column) for column in zip(*of.grda, strict=True))
    row: dict[str, object] = {
        "SGD.y": [of.sgd] * 2,
        "momentum.y": [np.nan if of.momentum is None else of.momentum] * 2,
        "gRDA.x": zeros,
        "gRDA.y": right,
        "magnitude.x": [of.magnitude[0] if of.magnitude else np.nan],
        "magnitude.y": [of.magnitude[1] if of.magnitude else np.nan],
        "chosen.x": [found[1] if found else np.nan],
        "chosen.y": [found[2] if found else np.nan],
        "layout.yaxis.range": list(of.shown),
        heading_key(0): heading(_TITLE, _keys(of)),
        "layout.title.text": f"{network}, {of.about}",
    }
    if not found:
        return row, f"No published row of gRDA has {percent(wanted, 0)} zeros or more."
    mu, share, accuracy = found
    told = (
        f"Published, chosen on test: gRDA with μ = {mu:g} has {percent(accuracy / 100, 2)} at "
        f"{percent(share / 100)} zeros, {signed(accuracy - of.sgd, 2)} points against their SGD."
    )
    if of.momentum is not None:
        told += f" With momentum and weight decay SGD has {decimal(of.momentum)}%, and no zeros."
    if behind(network, wanted):
        assert of.magnitude
        told += f" Gradual magnitude pruning: {decimal(of.magnitude[1])}%."
    return row, told
