"""A figure's first picture as SVG, with its title and sentence.

It stands in the figure's place until its script draws it, for ever where no script runs, and on the page
for printing. It is drawn from what Plotly would draw from, plainly: lines, marks, bars, fields and words.
"""

from __future__ import annotations

import base64
import html
import itertools
import math
import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import numpy as np

from grda_edu.explore.palette import DARK, GRID, INK, MUTED

WIDTH = 760
POINTS = 160  # of a line or a cloud, at most
TILES = 28  # of a field along one side, at most
DASHES = {
    "dash": "9 6",
    "dot": "2 4",
    "dashdot": "9 4 2 4",
    "longdash": "14 6",
    "longdashdot": "14 4 2 4",
}
FONT = 'font-family="system-ui, sans-serif"'


def still(state: dict, table: dict, name: str) -> str:
    """HTML: the title, the picture where it can be drawn, and the sentence of the first state.

    name: the figure's own among all pages, for the picture's parts.
    """
    position = [0] * len(state["index"]) if table.get("at") is not None else state["index"]
    figure = _placed(state["figure"], table, position)
    title = figure["layout"].get("title", {}).get("text", "")
    sentence = at(table["sentence"], position)
    picture = _svg(figure, state["label"], name)
    return (
        f'<div class="grda-still"><p class="grda-title">{_words(title) or escape(state["label"])}</p>'
        f'{picture}<p class="grda-sentence">{escape(sentence)}</p></div>'
    )


def at(column: dict, position: list[int]) -> Any:
    """A text or truth value of a table's column at a position of the controls."""
    return column["strings"][row_of(column, position)]


def row_of(column: dict, position: list[int]) -> int:
    """Which row of a column belongs to a position of the controls."""
    row = 0
    for size, k in zip(column["grid"], position, strict=True):
        row = row * size + (0 if size == 1 else k)
    return row


def values_at(table: dict, column: dict, position: list[int]) -> Any:
    """What a column sets at a position: texts, or numbers in their shape."""
    if "strings" in column:
        return at(column, position)
    size = math.prod(column["shape"])
    numbers = np.frombuffer(base64.b64decode(table["data"]), dtype="<f4")
    begin = column["offset"] // 4 + size * row_of(column, position)
    return numbers[begin : begin + size].reshape(column["shape"])


def _placed(figure: dict, table: dict, position: list[int]) -> dict:
    """The figure with the table's row in its place."""
    placed = {"data": [dict(trace) for trace in figure["data"]], "layout": dict(figure["layout"])}
    traces = {trace["name"]: trace for trace in placed["data"]}
    for column in table["columns"]:
        home = placed["layout"] if column["trace"] is None else traces[column["trace"]]
        _set(home, re.findall(r"[^.\[\]]+", column["path"]), values_at(table, column, position))
    return placed


def _set(home: Any, path: list[str], value: Any) -> None:
    """Set what a path of names and numbers leads to, in copies of what lies on the way."""
    *way, last = path
    for name in way:
        key: Any = int(name) if isinstance(home, list) else name
        below = home[key] if isinstance(home, list) else home.get(key, {})
        home[key] = list(below) if isinstance(below, list) else dict(below)
        home = home[key]
    home[int(last) if isinstance(home, list) else last] = value


# ---------------------------------------------------------------- the picture


class _Axis:
    """Numbers or names along one side of a panel, in pixels."""

    def __init__(self, options: dict, low: float, high: float, data: list[np.ndarray]) -> None:
        self.options, self.low, self.high = options, low, high
        self.log = options.get("type") == "log"
        self.names = _categories(data) if options.get("type") == "category" else None
        ends = options.get("range")
        if ends is None:
            ends = self._reach(data)
        self.first, self.last = (float(end) for end in ends)

    def _reach(self, data: list[np.ndarray]) -> tuple[float, float]:
        if self.names is not None:
            ends = (-0.5, len(self.names) - 0.5)
        else:
            numbers = [self._scaled(one[np.isfinite(one)]) for one in map(_numbers, data)]
            finite = np.concatenate([one[np.isfinite(one)] for one in numbers] or [np.zeros(1)])
            low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
            room = 0.05 * (high - low) or 0.5
            ends = (low - room, high + room)
        return ends[::-1] if self.options.get("autorange") == "reversed" else ends

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        if not self.log:
            return values
        return np.log10(np.where(values > 0, values, np.nan))

    def pixels(self, values: Any) -> np.ndarray:
        """Where values lie; far outside is as good as outside."""
        if self.names is not None:
            scaled = np.array([self.names.get(str(v), np.nan) for v in np.ravel(values)])
        else:
            scaled = self._scaled(_numbers(values))
        share = (scaled - self.first) / ((self.last - self.first) or 1.0)
        return self.low + np.clip(share, -3, 4) * (self.high - self.low)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Place in pixels and text of each tick."""
        shown = self.options.get("ticktext")
        places = self.options.get("tickvals")
        if self.names is not None and places is None:
            places, shown = list(self.names), list(self.names)
        if places is None:
            places = list(self._even())
        places = list(np.ravel(places))
        texts = list(shown) if shown is not None else [self._written(v) for v in places]
        low, high = sorted((self.low, self.high))
        for pixel, text in zip(self.pixels(places), texts, strict=False):
            if low - 1 <= pixel <= high + 1:
                yield float(pixel), str(text)

    def _even(self) -> np.ndarray:
        low, high = sorted((self.first, self.last))
        if self.log:
            step = max(1, math.ceil((high - low) / 6))
            return 10.0 ** np.arange(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1, step)
        step = self.options.get("dtick")
        if not isinstance(step, int | float):
            rough = (high - low) / 5 or 1.0
            power = 10.0 ** math.floor(math.log10(rough))
            step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * 0.999)
        return np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step

    def _written(self, value: float) -> str:
        form = str(self.options.get("tickformat") or "")
        if form.endswith("%"):
            return f"{100 * value:.{form[-2] if form[-2:-1].isdigit() else 0}f}%"
        return f"{value:.6g}".replace("-", "−")


def _numbers(values: Any) -> np.ndarray:
    if isinstance(values, dict):  # plotly's own packing
        values = np.frombuffer(base64.b64decode(values["bdata"]), dtype=np.dtype(values["dtype"]))
    try:
        return np.asarray([np.nan if v is None else v for v in np.ravel(values)], dtype=float)
    except (TypeError, ValueError):
        return np.arange(len(np.ravel(values)), dtype=float)


def _matrix(values: Any) -> np.ndarray:
    if isinstance(values, dict):
        shape = tuple(int(n) for n in str(values["shape"]).split(","))
        return _numbers(values).reshape(shape)
    return np.asarray([[np.nan if v is None else v for v in row] for row in values], dtype=float)


def _categories(data: list[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for values in data:
        for value in np.ravel(values):
            found.setdefault(str(value), len(found))
    return found


def _svg(figure: dict, label: str, name: str) -> str:
    """The picture, or "" where it is one in space."""
    layout, data = figure["layout"], figure["data"]
    if any(trace["type"].endswith("3d") for trace in data):
        return '<p class="grda-still-note">A picture in space: it opens on a click where scripts run.</p>'
    height = int(layout.get("height") or 380)
    margin = {"l": 60, "r": 20, "t": 40, "b": 50, **layout.get("margin", {})}
    inner = (WIDTH - margin["l"] - margin["r"], height - margin["t"] - margin["b"])

    def across(share: float) -> float:
        return margin["l"] + share * inner[0]

    def up(share: float) -> float:
        return margin["t"] + (1 - share) * inner[1]

    axes: dict[str, _Axis] = {}
    for option, options in layout.items():
        if found := re.fullmatch(r"([xy])axis(\d*)", option):
            letter = found[1]
            data_on_it = [
                trace[letter]
                for trace in data
                if trace.get(f"{letter}axis", letter) == letter + found[2]
                and _some(trace.get(letter))
            ]
            low, high = options.get("domain", (0, 1))
            place = across if letter == "x" else up
            axes[letter + found[2]] = _Axis(options, place(low), place(high), data_on_it)

    parts: list[str] = []
    drawn = [one for one in axes if one.startswith("x")]
    for across_axis in drawn:
        parts += _frame(axes[across_axis], axes["y" + across_axis[1:]])
    clips = []
    for k, own in enumerate(drawn):
        x, y = axes[own], axes["y" + own[1:]]
        left, top = min(x.low, x.high), min(y.low, y.high)
        size = f'width="{_n(abs(x.high - x.low))}" height="{_n(abs(y.high - y.low))}"'
        clip = f"{name}-panel-{k}"
        clips.append(
            f'<clipPath id="{clip}"><rect x="{_n(left)}" y="{_n(top)}" {size}/></clipPath>'
        )
        inside = [p for shape in layout.get("shapes", ()) for p in _shape(shape, own, axes)]
        words: list[str] = []
        for trace in data:
            if trace.get("xaxis", "x") == own and trace.get("visible", True) is True:
                inside += DRAW[trace["type"]](trace, x, y)
                words += _texts(trace, x, y)
        parts.append(f'<g clip-path="url(#{clip})">{"".join(inside)}</g>{"".join(words)}')
    for note in layout.get("annotations", ()):
        parts += _note(note, axes, across, up)
    return (
        f'<svg class="grda-picture" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}" '
        f'{FONT} font-size="12">{"".join(clips)}{"".join(parts)}</svg>'
    )


def _some(values: Any) -> bool:
    return values is not None and (isinstance(values, dict) or np.size(values) > 0)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def colour(value: Any) -> str:
    """A colour that follows the page: those of the palette are variables of the style sheet."""
    text = str(value)
    if text.lower() in DARK:
        return f"var(--grda-{text[1:].lower()},{text})"
    return text


def style() -> str:
    """The style sheet's variables: what a colour of the palette is on a dark page."""
    dark = "".join(f"--grda-{light[1:]}:{value};" for light, value in sorted(DARK.items()))
    return (
        f'body[data-theme="dark"] .grda-still {{{dark}}}\n'
        f'@media (prefers-color-scheme: dark) {{ body:not([data-theme="light"]) .grda-still {{{dark}}} }}\n'
        "@media print { body .grda-still.grda-still { "
        + "".join(f"--grda-{light[1:]}:{light};" for light in sorted(DARK))
        + " } }\n"
    )


def _frame(x: _Axis, y: _Axis) -> list[str]:
    """Grid, axes, ticks and their titles."""
    parts: list[str] = []
    left, bottom = min(x.low, x.high), max(y.low, y.high)
    right, top = max(x.low, x.high), min(y.low, y.high)
    for axis, upright in ((x, True), (y, False)):
        if axis.options.get("visible") is False:
            continue
        texts = axis.options.get("showticklabels", True)
        for pixel, text in axis.ticks():
            if axis.options.get("showgrid", True):
                ends = (pixel, bottom, pixel, top) if upright else (left, pixel, right, pixel)
                parts.append(_line(ends, GRID, 1))
            if texts and upright:
                parts.append(_text(pixel, bottom + 15, text, "middle"))
            elif texts:
                parts.append(_text(left - 5, pixel + 4, text, "end"))
        ends = (left, bottom, right, bottom) if upright else (left, bottom, left, top)
        parts.append(_line(ends, MUTED, 1))
        title = _title_of(axis.options)
        middle = (left + right) / 2 if upright else (top + bottom) / 2
        if title and upright:
            parts.append(_text(middle, bottom + 34, title, "middle"))
        elif title:
            at = f"{_n(left - 42)} {_n(middle)}"
            parts.append(
                f'<g transform="translate({at}) rotate(-90)">{_text(0, 0, title, "middle")}</g>'
            )
    return parts


def _title_of(options: dict) -> str:
    title = options.get("title", {})
    return title.get("text", "") if isinstance(title, dict) else str(title)


def _line(ends: tuple, ink: str, width: float) -> str:
    x1, y1, x2, y2 = map(_n, ends)
    return f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{colour(ink)}" stroke-width="{_n(width)}"/>'


def _text(x: float, y: float, text: str, anchor: str, ink: str = INK, size: float = 12) -> str:
    lines = re.split(r"<br ?/?>", text)
    spans = "".join(
        f'<tspan x="{_n(x)}" dy="{0 if k == 0 else "1.25em"}">{_words(line, svg=True)}</tspan>'
        for k, line in enumerate(lines)
    )
    sized = f' font-size="{_n(size)}"' if size != 12 else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" fill="{colour(ink)}"{sized}>{spans}</text>'


def _words(text: str, *, svg: bool = False) -> str:
    """Plotly's few tags in HTML or SVG: colours and bold stay, the rest is text."""
    tag = "tspan" if svg else "span"
    found = []
    for part in re.split(r"(<[^>]*>)", text):
        if not part.startswith("<"):
            found.append(escape(html.unescape(part), quote=False).replace("   ", "\u2003"))
        elif part in ("<b>", "<i>", "<sub>", "<sup>"):
            looks = {"<b>": "font-weight:600", "<i>": "font-style:italic"}.get(
                part, "font-size:75%"
            )
            found.append(f'<{tag} style="{looks}">')
        elif ink := re.match(r"<span[^>]*?(#[0-9a-fA-F]{6})", part):
            look = "fill" if svg else "color"
            found.append(f'<{tag} style="{look}:{colour(ink[1])}">')
        elif part.startswith("<span"):
            found.append(f"<{tag}>")
        elif part in ("</b>", "</i>", "</sub>", "</sup>", "</span>"):
            found.append(f"</{tag}>")
        elif part.startswith("<br"):
            found.append("<br>")
    return "".join(found)


def _note(note: dict, axes: dict[str, _Axis], across: Callable, up: Callable) -> list[str]:
    if not note.get("text") or note.get("visible") is False:
        return []
    xref, yref = note.get("xref", "x"), note.get("yref", "y")
    x = across(note["x"]) if xref == "paper" else float(axes[xref].pixels([note["x"]])[0])
    y = up(note["y"]) if yref == "paper" else float(axes[yref].pixels([note["y"]])[0])
    if not math.isfinite(x + y):
        return []
    size = note.get("font", {}).get("size", 12)
    anchor = {"left": "start", "right": "end"}.get(note.get("xanchor", "left"), "middle")
    lines = len(re.split(r"<br ?/?>", note["text"]))
    drop = {"top": size, "middle": 0.35 * size}.get(
        note.get("yanchor", ""), -3 - (lines - 1) * 1.25 * size
    )
    return [
        _text(
            x,
            y + drop - note.get("yshift", 0),
            note["text"],
            anchor,
            note.get("font", {}).get("color", INK),
            size,
        )
    ]


def _shape(shape: dict, name: str, axes: dict[str, _Axis]) -> list[str]:
    refs = [shape.get(f"{letter}ref", letter) for letter in "xy"]
    if refs[0].split()[0] != name and refs[1].split()[0] != "y" + name[1:]:
        return []
    places = []
    for letter, ref in zip("xy", refs, strict=True):
        ref = f"{letter} domain" if ref == "paper" else ref
        axis = axes[ref.split()[0]]
        for end in "01":
            value = shape[f"{letter}{end}"]
            places.append(
                axis.low + value * (axis.high - axis.low)
                if ref.endswith("domain")
                else float(axis.pixels([value])[0])
            )
    x0, x1, y0, y1 = places
    if shape["type"] == "line":
        line = shape.get("line", {})
        return [_stroke(f"M{_n(x0)} {_n(y0)}L{_n(x1)} {_n(y1)}", line)]
    return [_rectangle(x0, y0, x1, y1, shape.get("fillcolor", "none"), shape.get("opacity", 1))]


def _rectangle(x0: float, y0: float, x1: float, y1: float, fill: str, opacity: float = 1) -> str:
    faint = f' opacity="{opacity:g}"' if opacity != 1 else ""
    return (
        f'<rect x="{_n(min(x0, x1))}" y="{_n(min(y0, y1))}" width="{_n(abs(x1 - x0))}" '
        f'height="{_n(abs(y1 - y0))}" fill="{colour(fill)}"{faint}/>'
    )


def _stroke(path: str, line: dict) -> str:
    dash = DASHES.get(line.get("dash", "solid"))
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    ink = colour(line.get("color") or INK)
    return f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{_n(line.get("width", 2))}"{dashed}/>'


# ---------------------------------------------------------------- traces


def _points(trace: dict, x: _Axis, y: _Axis) -> tuple[np.ndarray, np.ndarray]:
    ys, xs = trace.get("y"), trace.get("x")
    if not _some(ys) or not _some(xs):
        return np.zeros(0), np.zeros(0)
    across, up = x.pixels(xs), y.pixels(ys)
    n = min(len(across), len(up))
    return across[:n], up[:n]


def _path(xs: np.ndarray, ys: np.ndarray, shape: str = "linear") -> str:
    """A line through the points, with gaps where one is missing."""
    parts, before = [], None
    for x, y in zip(xs, ys, strict=True):
        if not math.isfinite(x + y):
            before = None
        elif before is None:
            parts.append(f"M{_n(x)} {_n(y)}")
            before = (x, y)
        else:
            step = f"L{_n(x)} {_n(before[1])}" if shape.startswith("hv") else ""
            parts.append(f"{step}L{_n(x)} {_n(y)}")
            before = (x, y)
    return "".join(parts)


def _thinned(count: int, gaps: np.ndarray) -> np.ndarray:
    """Which points of a line to keep: enough for the eye, and every gap."""
    if count <= POINTS:
        return np.arange(count)
    if gaps.sum() > POINTS / 4:  # many short lines: whole ones or none
        ends = np.flatnonzero(gaps)
        every = max(1, math.ceil(count / (4 * POINTS)))
        runs = np.split(np.arange(count), ends + 1)
        return np.concatenate(runs[::every])
    kept = np.linspace(0, count - 1, POINTS).astype(int)
    return np.unique(np.concatenate([kept, np.flatnonzero(gaps)]))


def _scatter(trace: dict, x: _Axis, y: _Axis) -> list[str]:
    xs, ys = _points(trace, x, y)
    mode, parts = trace.get("mode", "lines"), []
    if trace.get("fill") in ("toself", "tozeroy", "tonexty") and len(xs):
        keep = _thinned(len(xs), ~np.isfinite(xs + ys))
        path = _path(xs[keep], ys[keep])
        if trace["fill"] == "toself":
            parts.append(f'<path d="{path}" fill="{colour(trace.get("fillcolor", "none"))}"/>')
    if "lines" in mode and len(xs):
        keep = _thinned(len(xs), ~np.isfinite(xs + ys))
        line = trace.get("line", {})
        parts.append(_stroke(_path(xs[keep], ys[keep], line.get("shape", "linear")), line))
    if "markers" in mode:
        parts += _marks(trace.get("marker", {}), xs, ys)
    faint = trace.get("opacity", 1)
    return [f'<g opacity="{faint:g}">{"".join(parts)}</g>'] if parts and faint != 1 else parts


def _marks(marker: dict, xs: np.ndarray, ys: np.ndarray) -> list[str]:
    there = np.flatnonzero(np.isfinite(xs + ys))
    there = there[:: max(1, math.ceil(len(there) / POINTS))]
    scale = marker.get("colorscale")
    groups: dict[tuple[str, str], list[str]] = {}
    for k in there:
        ink = _pick(marker.get("color", INK), k)
        if not isinstance(ink, str):
            ink = (
                _shade(scale, float(ink), marker.get("cmin", 0), marker.get("cmax", 1))
                if scale
                else INK
            )
        symbol = str(_pick(marker.get("symbol", "circle"), k))
        size = float(_pick(marker.get("size", 6), k)) / 2
        rim = _pick(marker.get("line", {}).get("width", 1.5), k) if "open" in symbol else 0
        look = (
            f'fill="none" stroke="{colour(ink)}" stroke-width="{_n(rim or 1.5)}"'
            if symbol.endswith("-open") or symbol.startswith(("line", "x-thin"))
            else f'fill="{colour(ink)}"'
        )
        groups.setdefault((look, ""), []).append(_mark(symbol, xs[k], ys[k], size))
    faint = marker.get("opacity", 1)
    opacity = f' opacity="{faint:g}"' if isinstance(faint, int | float) and faint != 1 else ""
    return [f'<path {look}{opacity} d="{"".join(marks)}"/>' for (look, _), marks in groups.items()]


def _pick(value: Any, k: int) -> Any:
    if isinstance(value, dict):
        value = _numbers(value)
    return value[k] if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) else value


def _mark(symbol: str, x: float, y: float, r: float) -> str:
    if symbol.startswith("square"):
        return f"M{_n(x - r)} {_n(y - r)}h{_n(2 * r)}v{_n(2 * r)}h{_n(-2 * r)}z"
    if symbol.startswith("diamond"):
        return f"M{_n(x)} {_n(y - 1.3 * r)}l{_n(r)} {_n(1.3 * r)}l{_n(-r)} {_n(1.3 * r)}l{_n(-r)} {_n(-1.3 * r)}z"
    if symbol.startswith("triangle"):
        up = -1 if "up" in symbol else 1
        return f"M{_n(x - r)} {_n(y - up * 0.7 * r)}h{_n(2 * r)}l{_n(-r)} {_n(up * 1.7 * r)}z"
    if symbol.startswith(("x", "cross", "star")):
        t = 0.35 * r
        turn = math.pi / 4 if symbol.startswith("x") else 0
        corners = [
            (-t, -r),
            (t, -r),
            (t, -t),
            (r, -t),
            (r, t),
            (t, t),
            (t, r),
            (-t, r),
            (-t, t),
            (-r, t),
            (-r, -t),
            (-t, -t),
        ]
        turned = [
            (a * math.cos(turn) - b * math.sin(turn), a * math.sin(turn) + b * math.cos(turn))
            for a, b in corners
        ]
        return "M" + "L".join(f"{_n(x + a)} {_n(y + b)}" for a, b in turned) + "z"
    if symbol.startswith("line-ns"):
        return f"M{_n(x)} {_n(y - r)}v{_n(2 * r)}"
    if symbol.startswith("line-ew"):
        return f"M{_n(x - r)} {_n(y)}h{_n(2 * r)}"
    return f"M{_n(x - r)} {_n(y)}a{_n(r)} {_n(r)} 0 1 0 {_n(2 * r)} 0a{_n(r)} {_n(r)} 0 1 0 {_n(-2 * r)} 0"


def _texts(trace: dict, x: _Axis, y: _Axis) -> list[str]:
    if "text" not in trace.get("mode", "") and trace["type"] != "bar":
        return []
    texts = trace.get("text")
    if not _some(texts):
        return []
    xs, ys = _points(trace, x, y)
    font = trace.get("textfont", {})
    side = str(trace.get("textposition", "middle center"))
    if trace["type"] == "bar":
        side = "middle right" if trace.get("orientation") == "h" else "top center"
    found = []
    for k in range(len(xs)):
        text = str(_pick(texts, k))
        if not text or not math.isfinite(xs[k] + ys[k]):
            continue
        anchor = "start" if "right" in side else "end" if "left" in side else "middle"
        dx = 6 if "right" in side else -6 if "left" in side else 0
        dy = -6 if "top" in side else 14 if "bottom" in side else 4
        found.append(
            _text(
                xs[k] + dx,
                ys[k] + dy,
                text,
                anchor,
                _pick(font.get("color", INK), k),
                font.get("size", 12),
            )
        )
    return found


def _bar(trace: dict, x: _Axis, y: _Axis) -> list[str]:
    level = trace.get("orientation") == "h"
    xs, ys = _points(trace, x, y)
    if not len(xs):
        return []
    along, across = (ys, x) if level else (xs, y)
    ends = xs if level else ys
    zero = float(across.pixels([1e-30 if across.log else 0])[0])
    apart = np.diff(np.unique(along[np.isfinite(along)]))
    width = trace.get("width")
    if width is not None and np.ndim(width) == 0:
        axis = y if level else x
        thick = abs(float(np.diff(axis.pixels([0, width]))[0])) if axis.names is None else 0
    else:
        thick = 0
    thick = thick or 0.8 * (float(apart.min()) if apart.size else 24)
    found = []
    for k, (place, end) in enumerate(zip(along, ends, strict=True)):
        if math.isfinite(place + end):
            ink = _pick(trace.get("marker", {}).get("color", INK), k)
            sides = (place - thick / 2, place + thick / 2)
            box = (zero, sides[0], end, sides[1]) if level else (sides[0], zero, sides[1], end)
            found.append(_rectangle(*box, ink if isinstance(ink, str) else INK))
    faint = trace.get("opacity", 1)
    return [f'<g opacity="{faint:g}">{"".join(found)}</g>'] if faint != 1 else found


def _shade(scale: Any, value: float, low: float, high: float) -> str:
    """A colour of a colour scale."""
    share = min(1.0, max(0.0, (value - low) / ((high - low) or 1)))
    stops = [(float(at), str(ink)) for at, ink in scale]
    for (a, first), (b, second) in itertools.pairwise(stops):
        if share <= b:
            mix = (share - a) / ((b - a) or 1)
            return "#" + "".join(
                f"{round(p + mix * (q - p)):02x}"
                for p, q in zip(_rgb(first), _rgb(second), strict=True)
            )
    return stops[-1][1]


def _rgb(ink: str) -> list[int]:
    if ink.startswith("#"):
        return [int(ink[k : k + 2], 16) for k in (1, 3, 5)]
    return [int(float(n)) for n in re.findall(r"[\d.]+", ink)[:3]]


def _field(trace: dict, x: _Axis, y: _Axis) -> list[str]:
    if trace.get("contours", {}).get("coloring") == "none" or not _some(trace.get("z")):
        return []
    z = _matrix(trace["z"]) if isinstance(trace["z"], dict | list) else np.asarray(trace["z"])
    rows, columns = z.shape
    edges = []
    for letter, axis, count in (("x", x, columns), ("y", y, rows)):
        centres = (
            axis.pixels(trace[letter]) if _some(trace.get(letter)) else axis.pixels(range(count))
        )
        if len(centres) == 1:
            edges.append(np.array([axis.low, axis.high]))
            continue
        middle = (centres[1:] + centres[:-1]) / 2
        edges.append(
            np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])
        )
    steps = [max(1, math.ceil(n / TILES)) for n in (columns, rows)]
    low, high, scale = trace.get("zmin"), trace.get("zmax"), trace.get("colorscale")
    low = np.nanmin(z) if low is None else low
    high = np.nanmax(z) if high is None else high
    found = []
    for j in range(0, rows, steps[1]):
        for i in range(0, columns, steps[0]):
            if math.isfinite(z[j, i]) and scale:
                right, top = min(i + steps[0], columns), min(j + steps[1], rows)
                ink = _shade(scale, float(z[j, i]), float(low), float(high))
                found.append(
                    _rectangle(edges[0][i], edges[1][j], edges[0][right], edges[1][top], ink)
                )
    return [f'<g shape-rendering="crispEdges">{"".join(found)}</g>']


DRAW: dict[str, Callable[[dict, _Axis, _Axis], list[str]]] = {
    "scatter": _scatter,
    "bar": _bar,
    "heatmap": _field,
    "contour": _field,
}
