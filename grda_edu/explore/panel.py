"""One panel of a figure: traces on axes of their own, with a heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import plotly.graph_objects as go

from .legend import heading

Axis = Mapping[str, object]
Ends = tuple[float, float]


@dataclass(init=False)
class Panel:
    """Traces on axes of their own.

    x, y: the stretch of the figure's width (from the left) and height (from below) that it takes;
    title, key: bold words above it and the line below them, as ``legend.heading`` joins them;
    beside: plain words beside the title;
    at: where the heading begins, on the same scale as x, if not above the panel's left edge;
    xaxis, yaxis: what ``axis`` makes;
    scene: a panel in space has these options of a plotly scene in place of axes.
    """

    def __init__(
        self,
        *traces: go.Scatter | go.Bar | go.Heatmap | go.Contour | go.Mesh3d | go.Scatter3d,
        x: Ends = (0, 1),
        y: Ends = (0, 1),
        title: str = "",
        key: str = "",
        beside: str = "",
        at: Ends | None = None,
        xaxis: Axis | None = None,
        yaxis: Axis | None = None,
        scene: Mapping[str, object] | None = None,
    ) -> None:
        for name, ends in (("x", x), ("y", y)):
            if not 0 <= ends[0] < ends[1] <= 1:
                raise ValueError(
                    f"{name} = {ends!r}: accepted are two ends with 0 <= first < second <= 1"
                )
        self.traces, self.x, self.y, self.at = traces, x, y, at
        self.heading = heading(title, key, beside=beside)
        self.xaxis, self.yaxis = dict(xaxis or {}), dict(yaxis or {})
        self.scene = None if scene is None else dict(scene)

    def note(self) -> dict[str, object]:
        """The annotation that is the heading."""
        left, top = self.at or (self.x[0], self.y[1])
        return {
            "text": self.heading,
            "x": left,
            "y": top,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "top" if self.at else "bottom",
            "align": "left",
            "showarrow": False,
            "font": {"size": 13},
        }
