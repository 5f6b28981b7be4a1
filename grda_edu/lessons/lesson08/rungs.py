"""The ladder from the closed form to gRDA itself."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Explorable, axis, palette, panels, writing
from grda_edu.geometry.evidence import CONTROLS

from .curves import named, setting_choice
from .dotted import dot_rows
from .numbers import RUNGS, ended, ladder_of, seeds

_CLOSER = axis("larger is closer", (0.45, 1.03), ticks=0.25)
_MEASURES = {  # of ``ladder_of`` -> title, where, axis
    "cosine": ("Cosine of the moves", (0.3, 0.52), _CLOSER),
    "overlap": ("Overlap of the zeros", (0.57, 0.77), _CLOSER),
    "loss": ("Training loss", (0.82, 1), axis("smaller is better", (-2.6, 1.2), log=True)),
}


def ladder() -> Explorable:
    """Every rung and control for a setting (c, μ): cosine, overlap of zeros, training loss."""
    return Explorable(
        _ladder_figure,
        _ladder,
        {"setting": setting_choice()},
        label="The ladder from the closed form to gRDA: cosine, overlap of zeros, training loss",
    )


def _look(rung: str) -> palette.Style:
    if rung == "gRDA":
        return palette.GRDA
    return palette.TARGET if rung in CONTROLS else palette.DIRECTIONAL


def _ladder_figure() -> go.Figure:
    rungs = {label: _look(rung) for rung, label in RUNGS.items()}
    parts = dot_rows(_MEASURES, rungs, len(seeds()))
    return panels(*parts, height=430, margin={"l": 16, "r": 24, "t": 76, "b": 52})


def _ladder(setting: tuple[float, float]) -> tuple[dict, str]:
    values = ladder_of(*setting)
    mean = {name: found.mean(axis=1) for name, found in values.items()}
    mean["loss"] = np.exp(np.log(values["loss"]).mean(axis=1))
    row: dict[str, object] = {f"{name}, seeds.x": found.ravel() for name, found in values.items()}
    row |= {f"{name}.x": found for name, found in mean.items()}
    zeros = writing.percent(float(np.mean([ended(*setting, s).zeros for s in seeds()])), 0)
    cosine = dict(zip(RUNGS, map(writing.decimal, mean["cosine"]), strict=True))
    loss = dict(zip(RUNGS, map(writing.loss, mean["loss"]), strict=True))
    climb = " → ".join(cosine[name] for name in ("directional", "flat", "finite", "twin", "path"))
    row["layout.title.text"] = f"{named(*setting)}, {zeros} zeros: cosine {climb}"
    return row, (
        f"Beside the rungs the cosine of soft-thresholding at gRDA's zeros is {cosine['soft']}. Training loss: closed form "
        f"{loss['directional']}, ℓ1 on the floor {loss['flat']}, finite time {loss['finite']}, twin along the path "
        f"{loss['path']}, gRDA {loss['gRDA']}."
    )
