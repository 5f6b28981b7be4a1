"""Lesson 10's second figure: is it gRDA's mask that counts, or its weights?"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import Explorable, Panel, Slider, axis, dots, line, panels
from grda_edu.explore.writing import percent, points, signed

from .looks import PARTS, with_error, wrong, wrong_axis
from .numbers import minus, part_levels, parts, right

BASE = "its mask, same start"
LABELS = {
    "gRDA": "gRDA itself",
    BASE: "its mask,<br>same start",
    "its mask, another start": "its mask,<br>another start",
    "magnitude's mask, same start": "magnitude's,<br>same start",
    "random mask, its layers": "random mask,<br>its layers",
}
LOWEST, HIGHEST = -0.06, 0.03  # differences beyond are drawn at the edge


@veiled("10.mask_order")
def mask_or_weights() -> Explorable:
    """gRDA beside networks with its mask or another one; a slider sets the sparsity."""
    levels = part_levels()
    return Explorable(
        _figure,
        _row,
        {
            "zeros": Slider(
                levels, label="zeros", format=lambda share: percent(share, 0), start=levels[1]
            )
        },
        label="gRDA, its mask from two starts, and two other masks: accuracy and paired differences",
    )


def _figure() -> go.Figure:
    heights = np.arange(len(parts()), dtype=float)
    seeds, means = [], []
    pairs = []
    for height, part in zip(heights, parts(), strict=True):
        style = PARTS[part]
        seeds.append(dots(f"{part}, seeds", style, size=6, opacity=0.5))
        means.append(dots(part, style, size=13, outline=1.5, y=[height]))
        if part != BASE:
            pairs += [
                dots(f"{part}, differences", style, size=6, opacity=0.5),
                line(f"{part}, error", style._replace(dash="solid"), width=4, y=[height, height]),
                dots(f"{part}, difference", style, size=11, outline=1.5, y=[height]),
            ]
    rows = axis(
        range=(len(parts()) - 0.5, -0.5),
        ticks={k: f"{LABELS[part]} " for k, part in enumerate(parts())},
        showgrid=False,
        zeroline=False,
    )
    ticks = {share / 100: signed(share, 0) for share in (-4, -2, 0, 2)} | {
        LOWEST: f"≤ {points(LOWEST, 0)}"
    }
    return panels(
        Panel(
            *seeds,
            *means,
            x=(0, 0.42),
            title="Test images read wrong",
            beside="small: each seed",
            xaxis=wrong_axis("test images read wrong", (0.02, -2.44)),
            yaxis=rows,
        ),
        Panel(
            *pairs,
            x=(0.5, 1),
            title=f"Minus “{BASE}”",
            beside="seed by seed, mean ± standard error",
            xaxis=axis("points of accuracy", (LOWEST - 0.004, HIGHEST), ticks=ticks),
            yaxis=rows | {"showticklabels": False},
        ),
        height=330,
        margin={"l": 128, "r": 20, "t": 40, "b": 52},
    )


def _row(zeros: float) -> tuple[dict, str]:
    k = int(np.abs(np.array(part_levels()) - zeros).argmin())
    base = right("parts", BASE)[:, k]
    row: dict[str, object] = {}
    differences = {}
    for height, part in enumerate(parts()):
        found = right("parts", part)[:, k]
        row[f"{part}, seeds.x"] = wrong(found)
        row[f"{part}, seeds.y"] = np.full(len(found), float(height))
        row[f"{part}.x"] = [float(wrong(found.mean()))]
        if part == BASE:
            continue
        mean, error = differences[part] = minus(found, base)
        row[f"{part}, differences.x"] = np.clip(found - base, LOWEST, HIGHEST)
        row[f"{part}, differences.y"] = np.full(len(found), height + 0.25)
        row[f"{part}, error.x"] = np.clip([mean - error, mean + error], LOWEST, HIGHEST)
        row[f"{part}, difference.x"] = [float(np.clip(mean, LOWEST, HIGHEST))]
    other = parts()[2]
    row["layout.title.text"] = (
        f"{percent(zeros, 0)} zeros: gRDA's mask from another start loses {points(-differences[other][0]).lstrip('+')} points"
    )
    return row, (
        f"At {percent(zeros, 0)} zeros, against gRDA's mask trained by SGD from the same start: gRDA itself "
        f"{with_error(differences['gRDA'])} points, the mask from another start {with_error(differences[other])}, "
        f"a random mask with its layers {points(differences[parts()[4]][0])}."
    )
