"""Lesson 11: why a dead filter with a positive bias has to stay before zero padding."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import torch
from torch.nn.functional import conv2d

from grda_edu.explore import Explorable, Panel, Slider, axis, palette, panels, tiles, words
from grda_edu.explore.writing import decimal, significant
from grda_edu.studies.smaller import ALONE

from .numbers import network

SIDE = 4  # of the images that the second convolution sees
_MOST = 0.5  # of the bias
_PALE = 1.6  # times the largest sum: the ends of the colours, which would be too dark for the numbers on them
_TITLES = {"sent": "What it adds to the next filter", "moved": "As a constant in the bias"}
_TITLES |= {"difference": "Difference"}


def padding_trap() -> Explorable:
    """What a constant filter adds to the next one, with zeros around it, and what a bias adds."""
    return Explorable(
        _figure,
        _row,
        {
            "bias": Slider.linear(
                -0.2, _MOST, 15, label="bias of the dead filter", format=".2f", start=0.3
            )
        },
        label="What a dead filter adds to the next one, a constant in its place, and the difference",
    )


def next_filter() -> torch.Tensor:
    """Weights with which a filter of the second convolution hears one of the first: [3, 3]."""
    parameters = dict(network(ALONE, 0.0).named_parameters())
    return parameters["conv2.weight"].detach()[0, 0]


def sums(k: float) -> dict[str, np.ndarray]:
    """What the next filter adds up of the constant ``k`` [4, 4], what k ΣW in its bias adds, and the difference."""
    w = next_filter()
    sent = conv2d(torch.full((1, 1, SIDE, SIDE), k), w[None, None], padding=1)[0, 0].numpy()
    moved = np.full_like(sent, k * float(w.sum()))
    return {"sent": sent, "moved": moved, "difference": sent - moved}


def _figure() -> go.Figure:
    reach = _PALE * float(max(np.abs(field).max() for field in sums(_MOST).values()))
    square = {"hidden": True, "constrain": "domain"}
    down, across = (place.ravel() for place in np.indices((SIDE, SIDE)))
    return panels(
        *(
            Panel(
                tiles(name, -reach, reach, gap=2),
                words(f"{name} written", palette.INK, size=11, x=across, y=down),
                x=(0.34 * k, 0.34 * k + 0.3),
                title=title,
                xaxis=axis(range=(-0.5, SIDE - 0.5), **square),  # type: ignore[arg-type]
                yaxis=axis(
                    range=(SIDE - 0.5, -0.5),
                    scaleanchor="x" if k == 0 else f"x{k + 1}",
                    **square,  # type: ignore[arg-type]
                ),
            )
            for k, (name, title) in enumerate(_TITLES.items())
        ),
        height=300,
        margin={"l": 16, "r": 16, "t": 84, "b": 12},
    )


def _row(bias: float) -> tuple[dict[str, object], str]:
    k = max(bias, 0.0)  # after the ReLU
    fields = sums(k)
    gap = np.abs(fields["difference"])
    wrong = int((gap > 1e-6).sum())
    row: dict[str, object] = {}
    for name, field in fields.items():
        row[f"{name}.z"] = field
        row[f"{name} written.text"] = [decimal(value) for value in field.ravel().tolist()]
    row["layout.title.text"] = f"The filter gives {decimal(k)} everywhere"
    if not wrong:
        return row, (
            f"Bias {decimal(bias)}: the ReLU makes it zero. Nothing is added anywhere, and the filter can go."
        )
    return row, (
        f"Bias {decimal(bias)}: the constant is right at {gap.size - wrong} of {gap.size} places and wrong at "
        f"the border, by up to {significant(gap.max())}. The filter has to stay."
    )
