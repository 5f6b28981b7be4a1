"""What the figures of lesson 07 share: the valley seen from above, arrows, and words for numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import palette
from grda_edu.toy.flat_valley import (
    METHODS,
    Valley,
    direction,
    first_zero,
    line_valley,
    pruning_paths,
)

PIVOT = (1.0, 0.4)  # w_SGD at the middle place: the first weight is the larger
LEVELS = (1.0, 0.4, 0.1, 0.02)  # of the loss, the edges of the shaded bands
X_RANGE, Y_RANGE = (-0.55, 2.15), (-0.95, 1.55)

FLOOR = palette.Style(palette.DIRECTIONAL.color, "dot", "diamond-open")
SOFT = palette.Style(palette.BAND_EDGE.color, "solid", "pentagon")
STYLES = {
    "directional": palette.DIRECTIONAL,
    "floor": FLOOR,
    "soft": SOFT,
    "magnitude": palette.MAGNITUDE,
    "obs": palette.OBS,
}
NAMES = {
    "directional": "directional pruning",
    "floor": "kept on the floor",
    "soft": "soft-thresholding",
    "magnitude": "magnitude",
    "obs": "OBS",
}
OUTLINED = {"size": 13, "line": {"color": palette.PAPER, "width": 2}}


def cross(angle: float) -> np.ndarray:
    """The floor's line through ``PIVOT``, far beyond the axes: [2, 2] (ends, coordinates)."""
    return np.array(PIVOT) + np.array([[-6.0], [6.0]]) * direction(angle)


@cache
def band(angle: float, level: float, curvature: float) -> np.ndarray:
    """Corners of the strip around the floor where the loss is below ``level``: [4, 2]."""
    u = direction(angle)
    aside = np.sqrt(2 * level / curvature) * np.array([-u[1], u[0]])
    ends = cross(angle)
    return np.array([ends[0] + aside, ends[1] + aside, ends[1] - aside, ends[0] - aside])


def valley_traces() -> list[go.Scatter]:
    """Four shaded bands, from wide to narrow, and the line of the floor; they lie on x and y."""
    shaded = [
        go.Scatter(
            name=f"band {level}",
            mode="lines",
            fill="toself",
            fillcolor="rgba(110,119,129,0.13)",
            line={"width": 0},
            hoverinfo="skip",
        )
        for level in LEVELS
    ]
    return [
        *shaded,
        go.Scatter(
            name="ground",
            mode="lines",
            line={"color": palette.MUTED, "width": 1.2},
            hoverinfo="skip",
        ),
    ]


@cache
def valley_rows(angle: float) -> dict[str, object]:
    """Where ``valley_traces`` lie at this angle."""
    rows: dict[str, object] = {}
    for level in LEVELS:
        corners = band(angle, level, 4.0)
        rows[f"band {level}.x"], rows[f"band {level}.y"] = corners.T
    rows["ground.x"], rows["ground.y"] = cross(angle).T
    return rows


def plane_axes(right: float = 0.53) -> dict[str, dict]:
    """Axes of equal units for the two weights, from the left edge to ``right`` (paper)."""
    return {
        "xaxis": {
            "domain": [0, right],
            "range": X_RANGE,
            "constrain": "domain",
            "constraintoward": "left",
            "title_text": "weight w<sub>1</sub>",
            "dtick": 0.5,
        },
        "yaxis": {
            "range": Y_RANGE,
            "scaleanchor": "x",
            "constrain": "domain",
            "constraintoward": "top",
            "title_text": "weight w<sub>2</sub>",
            "dtick": 0.5,
        },
    }


def marker(name: str, style: palette.Style, text: str = "", **more: object) -> go.Scatter:
    """A point that a slider moves, with words beside it."""
    return go.Scatter(
        name=name,
        mode="markers+text" if text else "markers",
        text=[text],
        textfont={"color": style.color, "size": 13},
        hoverinfo="skip",
        marker={**OUTLINED, "color": style.color, "symbol": style.symbol},
        **{"textposition": "top right", **more},
    )


def markers(name: str, styles: list[palette.Style], **more: object) -> go.Scatter:
    """Several points that one slider moves together; the hollow ones are larger."""
    return go.Scatter(
        name=name,
        mode="markers",
        hoverinfo="skip",
        marker={
            "opacity": 1,
            "color": [style.color for style in styles],
            "symbol": [style.symbol for style in styles],
            "size": [17 if style.symbol.endswith("open") else 12 for style in styles],
            "line": {
                "color": [
                    style.color if style.symbol.endswith("open") else palette.PAPER
                    for style in styles
                ],
                "width": 2,
            },
        },
        **more,
    )


def path(name: str, style: palette.Style, width: float = 2.5, **more: object) -> go.Scatter:
    """A line that a slider bends."""
    return go.Scatter(
        name=name, mode="lines", line=style.line(width), **{"hoverinfo": "skip", **more}
    )


def arrow(name: str, color: str, dash: str = "solid") -> go.Scatter:
    """A line with a head at its second point."""
    return go.Scatter(
        name=name,
        mode="lines+markers",
        line={"color": color, "width": 2, "dash": dash},
        marker={"symbol": "arrow", "angleref": "previous", "size": [0, 13], "color": color},
        hoverinfo="skip",
    )


@cache
def valley_at(angle: float, place: float) -> Valley:
    return line_valley(PIVOT, angle, place)


def corners(sizes: np.ndarray, speeds: np.ndarray, last: float) -> np.ndarray:
    """Where weights that shrink at these speeds per λ reach zero, between 0 and ``last``: [4]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.where(speeds > 0, sizes / speeds, last)
    return np.sort([0.0, *reached.clip(0, last), last])


@cache
def paths_at(angle: float, place: float, lams: tuple[float, ...]) -> dict[str, np.ndarray]:
    """``pruning_paths`` and their losses ("loss of …") and moves ("move of …"): [Λ, 2] and [Λ]."""
    valley = valley_at(angle, place)
    found = pruning_paths(valley, np.array(lams))
    for name in METHODS:
        found[f"loss of {name}"] = valley.loss(found[name])
        found[f"move of {name}"] = np.linalg.norm(found[name] - valley.w, axis=1)
    return found


def number(value: float, digits: int = 2) -> str:
    """With a true minus sign, and none before a zero."""
    return f"{round(float(value), digits) + 0.0:.{digits}f}".replace("-", "−")


def pair(values: np.ndarray, digits: int = 2) -> str:
    """ "(1.00, −0.40)"; a weight that is exactly zero is written 0."""
    return "(" + ", ".join("0" if v == 0 else number(v, digits) for v in values) + ")"


def degrees(angle: float) -> str:
    return f"{angle:.0f}°".replace("-", "−")


def scores_title(w: np.ndarray, s: np.ndarray) -> str:
    """The scores, and which weight directional pruning brings to zero first."""
    j, lam = first_zero(w, s)
    dies = (
        "none reaches zero"
        if j < 0
        else f"w<sub>{j + 1}</sub> reaches zero first, at λ = {lam:.2f}"
    )
    return f"s = {pair(s)}: {dies}"
