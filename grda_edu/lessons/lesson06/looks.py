"""How lesson 06's figures draw what they have in common."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import around, band, line, palette

OTHER = palette.Style(palette.INK, "dot", "x")  # what stands beside gRDA in a figure
DROP = palette.Style(palette.MUTED, "dot", "line-ns")  # where the learning rate falls


def line_and_band(name: str, style: palette.Style, epochs: np.ndarray) -> list[go.Scatter]:
    """A mean over seeds, "NAME", and the stretch from the lowest to the highest, "NAME band"."""
    red, green, blue = (int(style.color[k : k + 2], 16) for k in (1, 3, 5))
    faint = f"rgba({red}, {green}, {blue}, 0.18)"
    return [band(f"{name} band", faint, x=around(epochs, epochs)), line(name, style, x=epochs)]


def line_and_band_row(name: str, by_seed: np.ndarray) -> dict[str, object]:
    """What ``line_and_band`` draws of values [S, E+1]."""
    lowest, highest = by_seed.min(axis=0), by_seed.max(axis=0)
    return {f"{name}.y": by_seed.mean(axis=0), f"{name} band.y": around(highest, lowest)}
