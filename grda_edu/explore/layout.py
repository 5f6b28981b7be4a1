"""Panels side by side and one below the other, as one figure.

    panels(
        Panel(
            line("gRDA loss", palette.GRDA),
            line("SGD loss", palette.SGD),
            x=(0, 0.44),
            title="Loss",
            key=keys(key("gRDA", palette.GRDA), key("SGD", palette.SGD)),
            xaxis=axis("epoch", (0, 60)),
            yaxis=axis(log=True, range=(-3, 0.5)),
        ),
        Panel(bars("zeros", palette.ZERO, horizontal=True), x=(0.56, 1), xaxis=axis(share=True)),
        height=320,
    )

Panel k's axes are numbered and anchored to each other, and its heading is annotation k, empty or
not: a row changes it under ``heading_key(k)``. The page takes title and headings out of the drawing
and lets them wrap above it; where the figure is narrow it stacks the panels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from . import palette
from .arrangement import arrangements, names
from .panel import Ends, Panel


def axis(
    title: str = "",
    range: Sequence[float] | None = None,
    *,
    share: bool = False,
    log: bool = False,
    ticks: float | Mapping[float, str] | Mapping[int, str] | Sequence[float] | None = None,
    hidden: bool = False,
    **more: object,
) -> dict[str, object]:
    """Options of one axis, for a ``Panel``.

    title: what the axis shows, with its unit; range: its ends, powers of ten where ``log``;
    share: fractions written as percent, from 0 to 1 unless ``range`` says else;
    log: logarithmic, a tick each power of ten; hidden: neither line nor ticks nor title;
    ticks: the distance of ticks, their places, or place -> text;
    more: any other attribute of a plotly axis, which wins.
    """
    options: dict[str, object] = {"title_text": title} if title else {}
    if share:
        options |= {"tickformat": ".0%", "range": [0, 1]}
    if log:
        options |= {"type": "log", "dtick": 1, "tickformat": "~g"}
    if range is not None:
        options["range"] = list(range)
    if isinstance(ticks, Mapping):
        options |= {"tickvals": list(ticks), "ticktext": list(ticks.values())}
    elif isinstance(ticks, Sequence):
        options["tickvals"] = list(ticks)
    elif ticks is not None:
        options["dtick"] = ticks
    if hidden:
        options["visible"] = False
    return options | more


def panels(
    *parts: Panel,
    height: int = 380,
    notes: Sequence[Mapping[str, object]] = (),
    **layout: object,
) -> go.Figure:
    """One figure of all panels, in their order.

    notes: annotations besides the headings, numbered after them (``note`` makes one);
    layout: any other attribute of a plotly layout, which wins.
    """
    traces: list[object] = []
    axes: dict[str, Any] = {}
    for n, part in zip(names(parts), parts, strict=True):
        if part.scene is not None:
            axes[n] = {"domain": {"x": list(part.x), "y": list(part.y)}, **part.scene}
            traces += [trace.update(scene=n) for trace in part.traces]
            continue
        axes[f"xaxis{n}"] = {"domain": list(part.x), "anchor": f"y{n}", **part.xaxis}
        axes[f"yaxis{n}"] = {"domain": list(part.y), "anchor": f"x{n}", **part.yaxis}
        traces += [trace.update(xaxis=f"x{n}", yaxis=f"y{n}") for trace in part.traces]
    annotations = [*(part.note() for part in parts), *notes]
    drawn = palette.figure(*traces, height=height, **{**axes, "annotations": annotations, **layout})
    margin = drawn.layout.margin.to_plotly_json()
    return drawn.update_layout(meta=arrangements(parts, height, margin))


def heading_key(k: int) -> str:
    """The row's key of panel ``k``'s heading, counted from 0."""
    return f"layout.annotations[{k}].text"


def note(
    x: float,
    y: float,
    text: str,
    xanchor: str = "left",
    yanchor: str = "bottom",
    *,
    panel: int | None = 0,
    **more: object,
) -> dict[str, object]:
    """Words at a point of a panel (counted from 0), or of the whole figure where ``panel`` is None."""
    n = "" if not panel else str(panel + 1)
    place = (
        {"xref": "paper", "yref": "paper"} if panel is None else {"xref": f"x{n}", "yref": f"y{n}"}
    )
    anchors = {"xanchor": xanchor, "yanchor": yanchor, "showarrow": False, "font": {"size": 12}}
    return {"x": x, "y": y, "text": text, **place, **anchors, **more}


def box(
    color: str, x: Ends | None = None, y: Ends | None = None, *, panel: int = 0, **more: object
) -> dict[str, object]:
    """A filled rectangle behind a panel's traces, for the layout's ``shapes``.

    x, y: its ends on the panel's axes; None is the panel's whole width or height.
    """
    fill = {"type": "rect", "fillcolor": color, "line": {"width": 0}, "layer": "below"}
    return fill | _stretch("x", x, panel) | _stretch("y", y, panel) | more


def rule(
    look: palette.Look,
    x: float | None = None,
    y: float | None = None,
    *,
    width: float = 1.5,
    panel: int = 0,
    **more: object,
) -> dict[str, object]:
    """A line across a panel behind its traces: upright at ``x`` or level at ``y``.

    Raises ValueError unless exactly one of the two is given.
    """
    if (x is None) == (y is None):
        raise ValueError(f"x = {x}, y = {y}: accepted is exactly one of the two")
    drawn = {"type": "line", "line": palette.style_of(look).line(width), "layer": "below"}
    ends = [None if at is None else (at, at) for at in (x, y)]
    return drawn | _stretch("x", ends[0], panel) | _stretch("y", ends[1], panel) | more


def _stretch(letter: str, ends: Ends | None, panel: int) -> dict[str, object]:
    axis_name = letter + ("" if panel == 0 else str(panel + 1))
    low, high = ends or (0, 1)
    place = axis_name if ends else f"{axis_name} domain"
    return {f"{letter}ref": place, f"{letter}0": low, f"{letter}1": high}
