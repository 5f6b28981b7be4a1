"""What the page shows: a figure with a row applied to it, its texts, its looks and its keys."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from grda_edu.explore import Explorable, Picture, palette
from grda_edu.explore.legend import BAR, LINES, MARKS
from grda_edu.explore.table import split_key
from grda_edu.views.live import LiveView

Path = tuple[str | int, ...]


@dataclass
class Shown:
    """A plotly figure as a dict, after the row, and the sentence below it."""

    figure: dict
    sentence: str

    def get(self, path: Path) -> Any:
        if path == ("sentence",):
            return self.sentence
        return _get(self.figure, path)

    def altered(self, *changes: tuple[Path, object]) -> Shown:
        """A copy in which other values stand at the paths."""
        other = Shown(copy.deepcopy(self.figure), self.sentence)
        for path, value in changes:
            if path == ("sentence",):
                other.sentence = str(value)
            else:
                _set(other.figure, path, value)
        return other


def shown(picture: Picture | LiveView, position: Mapping[str, object]) -> Shown:
    """The figure at a position: of an Explorable what it computes there, of others as it stands."""
    if isinstance(picture, LiveView):
        picture = picture.picture
    figure = _without_arrays(copy.deepcopy(picture.figure))
    if isinstance(picture, Explorable):
        row, sentence = picture._compute(**position)
    else:
        row, sentence = _last_row(picture)
    names = tuple(trace["name"] for trace in figure["data"])
    for key, value in row.items():
        trace, _, path = split_key(key, names).partition("|")
        where: Path = ("data", names.index(trace)) if trace else ("layout",)
        _set(figure, where + _parts(path), _plain(value))
    return Shown(figure, sentence)


def _last_row(picture: Picture) -> tuple[dict[str, object], str]:
    """The row that ``Picture.show`` sent last, and its sentence."""
    if not picture.table:
        return {}, ""
    message, row = picture.table, {}
    for column in message["columns"]:
        key = f"{column['trace'] or 'layout'}.{column['path']}"
        if "strings" in column:
            row[key] = column["strings"][0]
        else:
            size, shape = prod(column["shape"]), column["shape"]
            flat = np.frombuffer(message["data"], np.float32, size, column["offset"])
            row[key] = flat.reshape(shape)
    return row, message["sentence"]["strings"][0]


def _plain(value: object) -> object:
    """Texts and short lists stay what they are; arrays of numbers are not looked at."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "OU" else None
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value


def _without_arrays(figure: dict) -> dict:
    for trace in figure["data"]:
        for key, value in list(trace.items()):
            if isinstance(value, dict) and "bdata" in value:
                del trace[key]
    figure["layout"].pop("template", None)
    return figure


def _parts(path: str) -> Path:
    """ "annotations[0].text" -> ("annotations", 0, "text")."""
    found = re.findall(r"[^.\[\]]+", path)
    return tuple(int(part) if part.isdigit() else part for part in found)


def _get(tree: Any, path: Path) -> Any:
    for part in path:
        if isinstance(tree, list):
            tree = tree[part] if isinstance(part, int) and part < len(tree) else None
        else:
            tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _set(tree: Any, path: Path, value: object) -> None:
    for part, following in pairwise(path):
        if isinstance(part, int):
            while len(tree) <= part:
                tree.append({})
        elif tree.get(part) is None:
            tree[part] = [] if isinstance(following, int) else {}
        tree = tree[part]
    tree[path[-1]] = value


# ------------------------------------------------- texts


class Text(NamedTuple):
    """A text, where it stands in words ("notes[0]") and in the figure."""

    place: str
    path: Path
    html: str


def texts(it: Shown) -> Iterator[Text]:
    """Every text that is drawn or spoken."""
    yield Text("sentence", ("sentence",), it.sentence)
    layout = it.figure["layout"]
    title = ("layout", "title", "text")
    yield from _text("title", title, it.get(title))
    for k, note in enumerate(layout.get("annotations", [])):
        yield from _text(f"notes[{k}]", ("layout", "annotations", k, "text"), note.get("text"))
    for k, shape in enumerate(layout.get("shapes", [])):
        path = ("layout", "shapes", k, "label", "text")
        yield from _text(f"shapes[{k}]", path, (shape.get("label") or {}).get("text"))
    for base, name in _axes(layout):
        drawn = _get(layout, (*base, name))
        if drawn.get("visible") is False:
            continue
        place, path = ".".join([*base, name]), ("layout", *base, name)
        yield from _text(f"{place}.title", (*path, "title", "text"), _get(drawn, ("title", "text")))
        for key in ("ticktext", "tickprefix", "ticksuffix"):
            yield from _text(f"{place}.{key}", (*path, key), drawn.get(key))
    for k, trace in enumerate(it.figure["data"]):
        for key in ("text", "texttemplate", "hovertemplate", "hovertext", "x", "y"):
            place = f"{trace['name']}.{key}"
            yield from _text(place, ("data", k, key), trace.get(key))
        path = ("data", k, "colorbar", "title", "text")
        yield from _text(f"{trace['name']}.colorbar", path, it.get(path))


def _axes(layout: dict) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path, name) of all axes, those of 3-D scenes too."""
    for name, value in layout.items():
        if re.fullmatch(r"[xy]axis\d*", name):
            yield (), name
        elif re.fullmatch(r"scene\d*", name):
            yield from (((name,), axis) for axis in ("xaxis", "yaxis", "zaxis") if axis in value)


def _text(place: str, path: Path, value: object) -> Iterator[Text]:
    if isinstance(value, str):
        template = path[-1] in ("texttemplate", "hovertemplate")
        yield Text(place, path, re.sub(r"%\{[^}]*\}", "", value) if template else value)
    elif isinstance(value, list) and not place.endswith((".x", ".y")):
        for k, item in enumerate(value):
            yield from _text(place, (*path, k), item if isinstance(item, list) else str(item))
    elif isinstance(value, list):  # of the data only the names of categories
        for k, item in enumerate(value):
            if isinstance(item, str):
                yield Text(place, (*path, k), item)


_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def bare(html: str) -> str:
    """A text without its tags, each line break a space; ^ before what is raised."""
    return unescape(_TAG.sub("", re.sub(r"<br ?/?>", " ", html).replace("<sup>", "^")))


# ------------------------------------------------- looks


Look = str | palette.Style | Mapping[str, object]
_SAME = "*"  # in a look that is a mapping: the style of everything else


def hollow(style: palette.Style) -> palette.Style:
    """The style with open markers."""
    return style._replace(symbol=style.symbol.removesuffix("-open") + "-open")


def look(style: palette.Style | str, **attributes: object) -> Mapping[str, object]:
    """A style of which some attributes are different: ``look(GRDA, **{"marker.color": [...]})``."""
    return {_SAME: style, **attributes}


def parts(it: Shown) -> dict[str, Path]:
    """Name -> path of everything that has a look: traces, and shapes as "shapes[k]"."""
    found: dict[str, Path] = {t["name"]: ("data", k) for k, t in enumerate(it.figure["data"])}
    count = len(it.figure["layout"].get("shapes", []))
    return found | {f"shapes[{k}]": ("layout", "shapes", k) for k in range(count)}


def attributes(part: dict, *, is_shape: bool) -> dict[str, object]:
    """Attribute -> value of all colours, dashes and symbols with which a trace or shape is drawn."""
    line, marker = part.get("line") or {}, part.get("marker") or {}
    found: dict[str, object] = {}
    if is_shape:
        if line.get("width", 2) != 0:
            found |= {
                "line.color": line.get("color", "#444"),
                "line.dash": line.get("dash", "solid"),
            }
        if part.get("type") != "line" and part.get("fillcolor"):
            found["fillcolor"] = part["fillcolor"]
        return found
    kind = part.get("type", "scatter")
    if kind in ("scatter", "scatter3d", "scattergl"):
        mode = part.get("mode", "lines")
        if "lines" in mode and line.get("width", 2) != 0:
            found["line.color"] = line.get("color", marker.get("color"))
            found["line.dash"] = line.get("dash", "solid")
        if "markers" in mode:
            found["marker.color"] = marker.get("color", line.get("color"))
            found["marker.symbol"] = marker.get("symbol", "circle")
            if (marker.get("line") or {}).get("color"):
                found["marker.line.color"] = marker["line"]["color"]
        if "text" in mode:
            found["textfont.color"] = (part.get("textfont") or {}).get("color", palette.INK)
        if part.get("fill", "none") != "none":
            found["fillcolor"] = part.get("fillcolor", line.get("color"))
    elif kind in ("bar", "histogram"):
        found["marker.color"] = marker.get("color")
    elif kind == "mesh3d":
        found["color"] = part.get("color")
    else:  # fields
        if part.get("colorscale") or not line.get("color"):
            found["colorscale"] = part.get("colorscale")
        if kind == "contour" and line.get("width", 0.5) and line.get("color"):
            found |= {"line.color": line["color"], "line.dash": line.get("dash", "solid")}
    for bar in ("error_x", "error_y"):
        if (part.get(bar) or {}).get("color"):
            found[f"{bar}.color"] = part[bar]["color"]
    return found


def demanded(look_: Look, attribute: str) -> object:
    """What the look says of an attribute; a marker's rim has the paper's colour if it says nothing."""
    if isinstance(look_, Mapping):
        if attribute in look_:
            return look_[attribute]
        look_ = look_[_SAME]  # type: ignore[assignment]
    if attribute == "colorscale":
        return look_
    if attribute == "marker.line.color":
        return palette.PAPER
    style = palette.style_of(look_)  # type: ignore[arg-type]
    if attribute == "textfont.color":
        return palette.tint(style.color)
    last = attribute.rpartition(".")[2]
    return {"dash": style.dash, "symbol": style.symbol}.get(last, style.color)


def hexed(color: object) -> object:
    """A colour as #rrggbb, whatever its opacity; lists item by item."""
    if isinstance(color, list | tuple | np.ndarray):
        return [hexed(c) for c in color]
    match = re.fullmatch(r"rgba?\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+).*\)", str(color))
    return "#{:02x}{:02x}{:02x}".format(*map(int, match.groups())) if match else str(color).lower()


# ------------------------------------------------- keys


class Key(NamedTuple):
    """Coloured words: what is said (glyphs apart), in which colour, with which glyphs."""

    words: str
    color: str  # the idea's: of the glyphs, or that of which the words have the shade
    glyphs: tuple[str, ...]
    inner: str  # the HTML of glyphs and words, without the tags of the colour
    span: tuple[int, int]  # of all of it in the text, with these tags
    color_path: Path | None  # where the colour stands if not in the text

    def written(self, inner: str = "", color: str = "") -> str:
        """Its HTML with another inside, or in another colour."""
        glyphs, words = _MARKS.match(inner or self.inner).groups()  # type: ignore[union-attr]
        if self.color_path:
            return inner
        own = color or self.color
        shade = palette.tint(own)
        if not glyphs or shade == own:
            return f'<span style="color:{shade}">{glyphs}{words}</span>'
        marks = f'<span style="color:{own}">{glyphs.strip()}</span>'
        return f'{marks} <span style="color:{shade}">{words}</span>'


_OF = {shade: color for color, shade in palette.TINTS.items()}


def untinted(color: object) -> object:
    """The idea's colour of which this is the shade for words; any other as it is."""
    return _OF.get(str(color), color)


GLYPHS = sorted([*LINES.values(), *MARKS.values(), BAR], key=len, reverse=True)
_GLYPH = re.compile("|".join(map(re.escape, GLYPHS)))
_MARKS = re.compile(rf"((?:(?:{_GLYPH.pattern}) ?)*)(.*)", re.DOTALL)
_KEY = re.compile(  # the glyphs in a span of their own, where words need another shade
    rf'(?:<span style="color:(?P<own>[^";]+)">(?P<marks>(?:(?:{_GLYPH.pattern}) ?)+)</span> )?'
    r'<span style="color:(?P<color>[^";]+)">(?P<inner>.*?)</span>'
)
_ODD = re.compile(r"[\u2500-\u25ff\u2715\u2716\u271a\u2b1f\u2605]")  # would-be glyphs


def keys(it: Shown, text: Text) -> list[Key]:
    """All coloured words of a text. AssertionError for a glyph outside them or one of no style."""
    found, end, outside = [], 0, []
    for match in _KEY.finditer(text.html):
        outside.append(text.html[end : match.start()])
        marks = f"{match['marks']} " if match["marks"] else ""
        found.append(_key(marks + match["inner"], match["color"], match.span(), None))
        shade = palette.tint(match["own"] or found[-1].color)
        assert match["color"] == shade, f"{text.place}: {match[0]!r} has words not in {shade}"
        end = match.end()
    outside.append(text.html[end:])
    font = (*text.path[:-1], "font", "color")
    color = (
        it.get(font) if text.path[:2] in (("layout", "annotations"), ("layout", "title")) else None
    )
    if color and hexed(color) not in (palette.INK, palette.MUTED) and not found:
        assert color not in palette.TINTS, f"{text.place}: {color} is too pale for words"
        return [_key(text.html, color, (0, len(text.html)), font)]
    if text.path[0] == "layout":
        stray = _GLYPH.search("".join(outside)) or _ODD.search("".join(outside))
        assert not stray, f"{text.place}: {stray[0]!r} stands outside coloured words: use key(...)"
    return found


def _key(inner: str, color: str, span: tuple[int, int], font: Path | None) -> Key:
    glyphs = tuple(_GLYPH.findall(inner))
    words = " ".join(bare(_GLYPH.sub("", inner)).split())
    odd = _ODD.search(words)
    assert not odd, f"{words!r}: {odd[0]!r} is no glyph of the legend: use key(...)"
    return Key(words, str(untinted(color)), glyphs, inner, span, font)


def glyphs_of(drawn: Mapping[str, object], kind: str) -> set[str]:
    """The glyphs that may stand for a trace or shape in a key; what is filled is a bar, edge or not."""
    filled = "fillcolor" in drawn or kind in ("bar", "histogram", "heatmap")
    drawn_as = BAR if filled else LINES.get(str(drawn.get("line.dash")))
    mark = MARKS.get(str(drawn.get("marker.symbol")))
    return {glyph for glyph in (drawn_as, mark) if glyph}
