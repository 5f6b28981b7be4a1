"""Panels side by side with the same rows: in each row a dot for every seed, and a large one for their mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from grda_edu.explore import Panel, axis, dots, palette


def dot_rows(
    columns: Mapping[str, tuple[str, tuple[float, float], dict]],
    rows: Mapping[str, palette.Style],
    seeds: int,
    key: str = "",
) -> list[Panel]:
    """Traces "NAME" and "NAME, seeds" for every column.

    columns: name -> title, where from left to right, horizontal axis.
    rows: label -> style of its dots, from top to bottom.
    key: of the first panel.
    """
    colors, _, symbols = map(list, zip(*rows.values(), strict=True))
    labels = list(rows)
    large: dict[str, Any] = {"y": labels, "marker_color": colors, "marker_symbol": symbols}
    small: dict[str, Any] = {
        "y": np.repeat(labels, seeds),
        "marker_color": np.repeat(colors, seeds),
    }
    yaxis = axis(type="category", categoryarray=labels, autorange="reversed") | {"ticks": ""}
    panels: list[Panel] = []
    for name, (title, x, xaxis) in columns.items():
        large["hovertemplate"] = title + " %{x:.3g}<extra></extra>"
        shown = {"automargin": False, "showticklabels": not panels}
        panels.append(
            Panel(
                dots(f"{name}, seeds", palette.INK, size=5, opacity=0.6, cliponaxis=False, **small),
                dots(name, palette.INK, size=11, outline=1.5, cliponaxis=False, **large),
                x=x,
                title=title,
                key=key if not panels else "",
                xaxis=xaxis,
                yaxis=yaxis | shown,
            )
        )
    return panels
