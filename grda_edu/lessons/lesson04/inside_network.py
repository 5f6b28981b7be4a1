"""Inside a recorded network: what the zeros look like in filters, weights and wires."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    axis,
    bars,
    coloured,
    dots,
    heading,
    heading_key,
    key,
    keys,
    line,
    palette,
    panels,
    tiles,
)
from grda_edu.explore.writing import percent
from grda_edu.training.run import HISTOGRAM_EDGES
from grda_edu.views.last_layer import HIDDEN, OUTPUTS, wires_panel, wires_row

from .numbers import MU, C, grid

_REACH = 0.8  # half the width of the histogram's axis
_CENTRES = (HISTOGRAM_EDGES[1:] + HISTOGRAM_EDGES[:-1]) / 2


def inside() -> Explorable:
    """Filters, weights and wires of recorded networks; sliders for the epoch and c, a list of μ."""
    runs = grid()
    return Explorable(
        _inside_figure,
        _inside,
        {
            "mu": Choice(
                {f"{m:g}": float(m) for m in sorted(runs.mu, key=lambda m: abs(m - MU))}, label="μ"
            ),
            "epoch": Slider(
                runs.picture_epochs.tolist(), label="epoch", format=".0f", start=20, play=True
            ),
            "c": Slider(runs.c.tolist(), label="c", format="g", start=C),
        },
        label="Inside a recorded network: first-layer filters, weights, and wires of the last layer",
    )


def _inside_figure() -> go.Figure:
    across = np.tile(np.arange(15), 15)
    filters = Panel(
        tiles("filters", -0.8, 0.8, gap=1, hovertemplate="weight %{z:.2f}<extra></extra>"),
        dots("filter zeros", palette.ZERO, size=6, x=across),
        x=(0, 0.34),
        y=(0.5, 0.86),
        at=(0, 1),
        xaxis=axis(range=(-0.6, 14.6), hidden=True, constrain="domain", constraintoward="left"),
        yaxis=axis(range=(14.6, -0.6), hidden=True, scaleanchor="x", constrain="domain"),
    )
    near = "%{y} weights near %{x:.2f}<extra></extra>"
    weights = Panel(
        # no bars: a logarithmic axis has no foot for them. The dots show a bin between empty ones
        dots("weights", palette.GRDA, size=5, x=_CENTRES, hovertemplate=near).update(
            mode="lines+markers", line=palette.GRDA.line(2) | {"shape": "hvh"}
        ),
        line("SGD's weights", palette.SGD, width=1.8, x=_CENTRES, line_shape="hvh"),
        x=(0.42, 0.84),
        y=(0.54, 0.86),
        at=(0.38, 1),
        xaxis=axis("value of a weight (a few lie further out)", (-_REACH, _REACH)),
        yaxis=axis(range=(-0.3, 3.7), log=True, tickformat="~s"),
    )
    spike = Panel(
        bars("spike", palette.ZERO, x=["= 0"], width=0.5, textposition="outside", cliponaxis=False),
        x=(0.9, 1),
        y=(0.54, 0.86),
        at=(0.86, 1),
        xaxis=axis(type="category"),
        yaxis=axis(range=(0, 1.15), hidden=True),
    )
    wires = wires_panel(y=(0, 0.33), at=(0, 0.42))
    margin = {"l": 16, "r": 24, "t": 40, "b": 16}
    return panels(filters, weights, spike, wires, height=600, margin=margin)


def mosaic(filters: np.ndarray) -> np.ndarray:
    """Sixteen 3x3 filters [16, 1, 3, 3] in a square of 4 by 4 with gaps of NaN: [15, 15]."""
    padded = np.full((16, 4, 4), np.nan)
    padded[:, :3, :3] = filters[:, 0]
    return padded.reshape(4, 4, 4, 4).transpose(0, 2, 1, 3).reshape(16, 16)[:15, :15]


def _inside(mu: float, epoch: float, c: float) -> tuple[dict, str]:
    runs, k = grid(), int(epoch)
    seed = int(runs.seeds[0])
    run, sgd = runs.run(c, mu, seed), runs.run(0.0, mu, seed)
    filters = mosaic(run.snapshots[k]["conv1.weight"].astype(float))
    last = run.snapshots[k]["fc2.weight"]
    alive = last != 0
    units = alive.any(axis=0)
    zeros, total = run.total_zeros[k], int(run.zeros[k].sum())
    lost, size = int((filters == 0).sum()), int(np.isfinite(filters).sum())
    row = {
        "filters.z": np.where(filters == 0, np.nan, filters),
        "filter zeros.y": np.where(filters == 0, np.arange(15)[:, None], np.nan).ravel(),
        "weights.y": _positive(run.histograms[k].sum(axis=0)),
        "SGD's weights.y": _positive(sgd.histograms[k].sum(axis=0)),
        "spike.y": [zeros],
        "spike.text": [percent(zeros)],
        **wires_row(last),
        heading_key(0): heading("First layer's 16 filters", _zeros_of(lost, size)),
        heading_key(1): heading(
            "Weights that are not zero",
            keys(key("gRDA", palette.GRDA, "both"), key("SGD", palette.SGD)),
            beside="(log scale)",
        ),
        heading_key(2): heading("Zeros", coloured(f"{total:,}", palette.ZERO)),
        heading_key(3): heading(
            f"Last layer: {HIDDEN} units to {OUTPUTS} digits",
            beside=_zeros_of(int((~alive).sum()), alive.size),
        ),
        "layout.title.text": (
            f"Seed {seed}, epoch {k}: {percent(zeros)} of the weights are zero, "
            f"{percent(run.test_accuracy[k])} of the test images read right"
        ),
    }
    fullest, of_sgd = (int(r.histograms[k].sum(axis=0).max()) for r in (run, sgd))
    return row, (
        f"Recorded on {run.device}: the fullest bin of weights that are not zero holds {fullest:,} "
        f"(SGD's {of_sgd:,}); {int(alive.sum())} of {alive.size} wires of the last layer are left, "
        f"{int((~units).sum())} of {HIDDEN} units have none."
    )


def _zeros_of(zeros: int, size: int) -> str:
    return key(f"{zeros} of {size} are zero", palette.ZERO, "mark")


def _positive(counts: np.ndarray) -> np.ndarray:
    """Counts for a logarithmic axis, where nothing has no place."""
    return np.where(counts > 0, counts, np.nan)
