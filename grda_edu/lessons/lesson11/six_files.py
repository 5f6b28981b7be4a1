"""Lesson 11's first figure: one network as a file, in six ways, as its zeros become more."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from torch import nn

from grda_edu.course import keep_goals, veiled
from grda_edu.explore import (
    Explorable,
    Goal,
    Handle,
    Panel,
    Slider,
    axis,
    heading_key,
    key,
    keys,
    line,
    panels,
)
from grda_edu.explore.writing import decimal, percent
from grda_edu.studies.smaller import ALONE

from .looks import FORMATS, HERE
from .numbers import BOUND, MASKED, PACKED, SAVED, SCIPY_CSR, network, pruned_bytes

SHARES = [*(k / 20 for k in range(19)), 0.92, 0.94, 0.95, 0.96, 0.98, 0.99]
_LOWEST, _HIGHEST = 0.3, 320.0  # kB


@veiled("11.file")
def written(model: nn.Module | None = None) -> Explorable:
    """Bytes of six files and their limit against zeros; the network is cut by magnitude.

    model: yours; the recorded SGD network if left out. ValueError names what has no dense weights.
    """
    given = network(ALONE, 0.0) if model is None else model
    sizes = [pruned_bytes(given, share) for share in SHARES]
    kilo = {name: np.array([row[name] for row in sizes]) / 1000 for name in FORMATS}
    least = next((s for s, row in zip(SHARES, sizes, strict=True) if _is_smaller(row)), None)
    goal = Goal(
        f"the least share of zeros at which the file “{SCIPY_CSR}” is smaller than torch.save's.",
        lambda zeros: zeros == least,
        name="11.csr_pays",
    )
    demo = Explorable(
        lambda: _figure(kilo),
        lambda zeros: _row(kilo, SHARES.index(zeros)),
        {"zeros": Slider(SHARES, label="weights exactly zero", format=".0%", start=0.2)},
        label="Bytes of one network in six kinds of file against its share of zeros",
        handles=[Handle("here", "zeros", line=True)],
        goals=[goal] if model is None and least is not None else [],
    )
    return keep_goals(demo) if model is None else demo


def _is_smaller(row: dict[str, float]) -> bool:
    return row[SCIPY_CSR] < row[SAVED]


def _figure(kilo: dict[str, np.ndarray]) -> go.Figure:
    edges = np.log10([_LOWEST, _HIGHEST])
    if max(map(max, kilo.values())) > _HIGHEST:  # a network of the reader's
        edges = edges + np.log10(max(map(max, kilo.values())) / _HIGHEST)
    return panels(
        Panel(
            line("here", HERE, width=1.5, y=10**edges),
            *(
                line(name, look, width=3 if name == PACKED else 2, x=SHARES, y=kilo[name])
                for name, look in FORMATS.items()
            ),
            y=(0, 0.9),
            key="?",
            xaxis=axis("weights exactly zero", (0, 1), share=True),
            yaxis=axis("size of the file in kB", edges.tolist(), log=True),
        ),
        height=460,
    )


def _row(kilo: dict[str, np.ndarray], k: int) -> tuple[dict[str, object], str]:
    now = {name: decimal(sizes[k], 1) for name, sizes in kilo.items()}
    saved = kilo[SAVED][k] / kilo[SAVED][0]
    row: dict[str, object] = {
        "here.x": [SHARES[k]] * 2,
        heading_key(0): keys(
            *(key(f"{name} {now[name]}", look) for name, look in FORMATS.items()), "kB"
        ),
        "layout.title.text": (
            f"{percent(SHARES[k], 0)} zeros: torch.save writes {percent(saved, 0)} of the dense file"
        ),
    }
    return row, (
        f"With {percent(SHARES[k], 0)} zeros torch.save takes {now[SAVED]} kB, a bitmask with the values "
        f"{now[MASKED]}, save_sparse {now[PACKED]}; the limit for places at random is {now[BOUND]}."
    )
