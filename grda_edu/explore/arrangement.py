"""Where panels and their headings stand on a wide page and on a narrow one.

Headings are words of the page above the panels, not of the drawing: they wrap, and how high they
become is known to the browser alone. So what is fixed here are the stretches between the horizontal
edges of the panels; the browser adds the headings' heights and has the figure's height.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .panel import Panel

NARROW = 640  # pixels; a figure that has less stacks its panels, whatever they are
LEAST = 110  # pixels that a panel with ticks needs in a row
TALLEST = 300  # pixels of a panel on a narrow page
STACKED = 220  # pixels of one that others stand below: two of them fit a phone's screen with their controls
SHARE = 1.8  # how much wider a panel may be in a narrow figure before it takes a row of its own
BAR_ROOM = 64  # pixels of a colour bar with its ticks
BAR = 0.8  # where a stacked panel ends that has a colour bar
ABOVE = 8  # pixels between a heading and its panel: half a tick label
NO_TICKS = 12  # pixels on the left of a stacked panel without ticks
PLAIN = 90  # pixels that numbers and a title take there at most
LINE = 18  # letters of words at a tick in a line of a stacked panel
LINE_HEIGHT = 18  # pixels
LETTER = 6.8  # pixels
USUAL = 900  # pixels of all panels on the page that a figure is made for
BELOW = 10  # pixels between what hangs below a panel and the next heading

Margin = Mapping[str, Any]
Step = tuple[int, int, float, int | None]


def arrangements(panels: Sequence[Panel], height: float, margin: Margin) -> dict[str, object]:
    """What the page is told, as the ``meta`` of a figure's layout.

    panels: in the figure's order; height, margin: of the figure as it was written, in pixels.

    The answer has the name of each panel's axes and of its traces with a colour bar, the width
    (pixels) below which the narrow arrangement is taken, and ``wide`` and ``narrow``: the margin,
    for each panel its stretch of the width and its heading's, and the steps from edge to edge,
    ``(from, to, pixels, heading or None)``. In the narrow one the first panel of a row has an
    ``inset``, pixels for its ticks beyond the margin, the last an ``outset`` for words beside it, and
    long words at the ticks are broken. Edges are counted from the top, 0 is the figure's own,
    and the last is its lower end.
    """
    room = height - margin.get("t", 0) - margin.get("b", 0)
    boxes = [(p.y[1] - p.y[0]) * room for p in panels]
    least = max((_least(p) / (p.x[1] - p.x[0]) for p in panels), default=0)
    least = max(least, *(need / gap for need, gap in _gaps(panels)), 0)
    sides = {"l": margin.get("l", 0), "r": margin.get("r", 0)}
    spans = _spans([p.at[0] if p.at else p.x[0] for p in panels], [p.y for p in panels])
    wide = {
        "margin": sides,
        "panels": [
            {"x": list(p.x), "heading": list(span)} for p, span in zip(panels, spans, strict=True)
        ],
        **_steps(panels, [p.y for p in panels], [p.x for p in panels], spans, boxes),
    }
    return {
        "panels": [
            {"axes": axes, "bars": _bars(p)} for p, axes in zip(panels, names(panels), strict=True)
        ],
        "below": max(NARROW, round(least + sides["l"] + sides["r"])),
        "wide": wide,
        "narrow": _narrow(panels, boxes, sides),
    }


def names(panels: Sequence[Panel]) -> list[str]:
    """The axes of each panel: "", "2" and so on, or "scene", "scene2" and so on."""
    flat = scenes = 0
    found = []
    for panel in panels:
        if panel.scene is None:
            flat += 1
            found.append("" if flat == 1 else str(flat))
        else:
            scenes += 1
            found.append("scene" if scenes == 1 else f"scene{scenes}")
    return found


def _narrow(panels: Sequence[Panel], boxes: Sequence[float], sides: Margin) -> dict[str, object]:
    """Rows of as many panels as have room, from the top in the figure's order."""
    rows: list[list[int]] = []
    used = 2.0
    for k, panel in enumerate(panels):
        width = SHARE * (panel.x[1] - panel.x[0])
        new = used + width > 1 or panel.y[1] <= panels[rows[-1][0]].y[0]
        if new:
            rows.append([])
            used = 0.0
        rows[-1].append(k)
        used += width
    xs: list[tuple[float, float]] = []
    ys: list[tuple[float, float]] = []
    for r, row in enumerate(rows):
        gaps = [0.0, *(0.04 if _bare(panels[k]) else 0.14 for k in row[1:])]
        whole = sum(panels[k].x[1] - panels[k].x[0] for k in row)
        end, free = 0.0, 1 - sum(gaps)
        for gap, k in zip(gaps, row, strict=True):
            start = end + gap
            end = start + free * (panels[k].x[1] - panels[k].x[0]) / whole
            xs.append((start, end - (1 - BAR) * (end - start) if _bars(panels[k]) else end))
            ys.append((len(rows) - r - 1.0, len(rows) - r - 0.5))
    spans = _spans([0.0 if row[0] == k else xs[k][0] for row in rows for k in row], ys)
    first, last = [row[0] for row in rows], [row[-1] for row in rows]
    lefts = _aligned({k: _left(panels[k], alone=True) for k in first})
    heights = [
        max(_height(panels[k], boxes[k], alone=len(rows) == 1) for k in row)
        for row in rows
        for _ in row
    ]
    return {
        "margin": {"l": min(lefts.values(), default=0), "r": max(min(sides["r"], 32), 12)},
        "panels": [
            {"x": list(x), "heading": list(span)}
            | (
                {"inset": lefts[k] - min(lefts.values()), **_broken(panels[k])}
                if k in first
                else {}
            )
            | ({"outset": _right(panels[k])} if k in last else {})
            for k, (x, span) in enumerate(zip(xs, spans, strict=True))
        ],
        **_steps(panels, ys, xs, spans, heights),
    }


def _height(panel: Panel, box: float, *, alone: bool) -> float:
    """Pixels of a panel on a narrow page: as on a wide one, within bounds, and what its words in lines need.

    alone: no other stands above or below it.
    """
    labels = list(map(_break, _labels(panel.yaxis)))
    lines = max((text.count("<br>") + 1 for text in labels), default=0)
    to_scale = panel.scene is not None or "scaleanchor" in {*panel.xaxis, *panel.yaxis}
    tallest = TALLEST if alone or to_scale else STACKED  # to scale it is as wide as it is high
    return max(
        min(box, tallest),
        LINE_HEIGHT * lines * len(labels) if lines > 1 else 0,
    )


def _aligned(lefts: Mapping[int, float]) -> dict[int, float]:
    """The same for all panels with plain ticks, so that they begin one below the other."""
    plain = [left for left in lefts.values() if NO_TICKS < left <= PLAIN]
    return {k: max(plain) if NO_TICKS < left <= PLAIN else left for k, left in lefts.items()}


def _steps(
    panels: Sequence[Panel],
    ys: Sequence[tuple[float, float]],
    xs: Sequence[tuple[float, float]],
    spans: Sequence[tuple[float, float]],
    boxes: Sequence[float],
) -> dict[str, object]:
    """The edges of each panel, and the steps in the order of the edges that they lead to."""
    levels = sorted({round(y, 6) for pair in ys for y in pair}, reverse=True)
    edge = {level: k + 1 for k, level in enumerate(levels)}
    end = len(levels) + 1
    steps: list[Step] = []
    edges = []
    for k, (low, high) in enumerate(ys):
        top, bottom = edge[round(high, 6)], edge[round(low, 6)]
        edges.append([top, bottom])
        steps.append((top, bottom, boxes[k], None))
        steps.append((0, top, ABOVE, k))
        steps.append((bottom, end, _foot(panels[k]), None))
        for j, (lower, _) in enumerate(ys):
            if lower >= high and (_meet(spans[k], xs[j]) or _meet(xs[k], xs[j])):
                gap = _foot(panels[j]) + BELOW + ABOVE
                steps.append((edge[round(lower, 6)], top, gap, k))
    return {"edges": edges, "steps": [list(s) for s in sorted(steps, key=lambda step: step[1])]}


def _spans(lefts: Sequence[float], ys: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """How far each heading reaches: to the next one beside it, or to the right edge."""
    found = []
    for left, y in zip(lefts, ys, strict=True):
        others = [x for x, z in zip(lefts, ys, strict=True) if x > left and _meet(y, z)]
        found.append((left, min(others, default=1.0)))
    return found


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _bars(panel: Panel) -> list[str]:
    """The traces that draw a colour bar."""
    return [t.name for t in panel.traces if getattr(t, "showscale", False) or _has_bar(t)]


def _bar_places(panel: Panel) -> list[float]:
    return [t.colorbar.x or panel.x[1] for t in panel.traces if t.name in _bars(panel)]


def _has_bar(trace: Any) -> bool:
    fields = trace.type in ("contour", "heatmap")
    return fields and trace.showscale is not False and trace.colorbar.thickness is not None


def _hidden(axis: Mapping[str, object]) -> bool:
    return axis.get("visible") is False


def _bare(panel: Panel) -> bool:
    """Has the panel neither ticks nor a title on its left?"""
    if panel.scene is not None:
        return True
    return _hidden(panel.yaxis) or (
        panel.yaxis.get("showticklabels") is False and not _title(panel.yaxis)
    )


def _title(axis: Mapping[str, object]) -> str:
    return str(axis.get("title_text", ""))


def _labels(axis: Mapping[str, object]) -> list[str]:
    """The texts of the ticks, where they are words of the figure's own."""
    found = axis.get("ticktext") or axis.get("categoryarray") or ()
    return [str(text) for text in found]  # type: ignore[attr-defined]


def _gaps(panels: Sequence[Panel]) -> list[tuple[float, float]]:
    """Pixels that stand between panels side by side, and the share of the width that they have."""
    found = []
    for one in panels:
        for other in panels:
            gap = other.x[0] - one.x[1]
            if 0 < gap < 0.5 and _meet(one.y, other.y) and one.scene is None:
                bar = BAR_ROOM if any(at < other.x[0] for at in _bar_places(one)) else 0
                found.append((bar + _left(other) - NO_TICKS, gap))
    return found


def _least(panel: Panel) -> int:
    return 40 if _bare(panel) else LEAST


def _foot(panel: Panel) -> float:
    """Pixels for ticks and title below the panel."""
    axis = panel.xaxis
    if panel.scene is not None or _hidden(axis):
        return 4
    lines = max((text.count("<br>") for text in _labels(axis)), default=0)
    ticks = 8 if axis.get("showticklabels") is False else 24 + 16 * lines
    return ticks + (24 if _title(axis) else 0)


def _left(panel: Panel, *, alone: bool = False) -> float:
    """Pixels for ticks and title on the left; ``alone`` a panel has ticks that others showed for it."""
    if panel.scene is not None or _hidden(panel.yaxis) or (_bare(panel) and not alone):
        return NO_TICKS
    labels = _labels(panel.yaxis) or list(map(str, panel.yaxis.get("tickvals", ())))  # type: ignore[call-overload]
    lines = [line for text in labels for line in _break(text).split("<br>")]
    words = LETTER * max(map(len, lines), default=6.2)
    if (
        not lines and panel.at and panel.at[0] < panel.x[0]
    ):  # words that rows bring: what the figure leaves them
        words = (panel.x[0] - panel.at[0]) * USUAL
    return NO_TICKS + words + (22 if _title(panel.yaxis) else 0)


def _right(panel: Panel) -> float:
    """Pixels on the right of a stacked panel, for words beside it: what the figure leaves them."""
    left = 1 - panel.x[1]
    return left * USUAL if left < 0.1 and not _bars(panel) else 0.0


def _broken(panel: Panel) -> dict[str, object]:
    """Long words at the ticks of a stacked panel, in lines."""
    labels = _labels(panel.yaxis)
    if all(_break(text) == text for text in labels):
        return {}
    places = panel.yaxis.get("tickvals", labels)
    return {"ticks": {"tickvals": list(places), "ticktext": [_break(text) for text in labels]}}  # type: ignore[call-overload]


def _break(text: str) -> str:
    parts = text.split("<br>")
    if all(len(part.strip()) <= LINE for part in parts):
        return text
    return "<br>".join(line for part in parts for line in textwrap.wrap(part, LINE))
