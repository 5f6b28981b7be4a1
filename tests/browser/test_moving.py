"""What a canvas draws while a hand moves is what Plotly draws where it rests, and both are the table's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lessons.test_truth import WITH_CASES, cases
from playwright.sync_api import BrowserContext

from grda_edu.explore import Explorable, Slider, dots, line, palette

from .moving import Moved, difference, drawn_traces, inside, spots

PLACES = (0.3, 0.55, 0.9)  # of each slider's way
pytestmark = pytest.mark.pages
ALIKE = 90  # of 255, over a block of pixels: the dashes of a line that enters a panel may begin elsewhere
ALIKE_IN_SPACE = 130  # a line on the floor shows through it here or there, as the pixels fall
SAME_COLOR = 60  # of 255: a line of 1.5 pixels has its own colour nowhere

FIGURES = [
    pytest.param(case, id=f"{n}-{case.name}")
    for n in WITH_CASES
    for case in cases(n)
    if case.explorable is not None and case.explorable._sliders
]


@pytest.fixture(scope="module", params=FIGURES)
def figure(
    request: pytest.FixtureRequest,
    context: BrowserContext,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Explorable, Moved]]:
    demo = request.param.explorable
    assert context.browser is not None
    apart = context.browser.new_context(viewport={"width": 1180, "height": 1000})
    yield demo, Moved(apart.new_page(), demo.to_html(), tmp_path_factory.mktemp("page"))
    apart.close()


def positions(demo: Explorable, share: float) -> list[int]:
    """Each slider a share of its way along, and nowhere where it stands at first."""
    ends = [len(slider.values) - 1 for slider in demo._sliders.values()]
    at = [round(share * end) for end in ends]
    return [k - 1 if k == first and k else k for k, first in zip(at, demo.start, strict=True)]


def colors(trace: dict[str, Any]) -> list[str]:
    """All colours in which a trace draws its points or its line."""
    marker = trace.get("marker", {})
    found = [trace.get("line", {}).get("color"), *np.ravel(marker.get("color", []))]
    found += list(np.ravel(marker.get("line", {}).get("color", [])))
    return [str(color) for color in found if isinstance(color, str) and color.startswith("#")]


def rgb(color: str) -> np.ndarray:
    return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)], dtype=float)


def is_faded(trace: dict[str, Any]) -> bool:
    marker = trace.get("marker", {})
    return trace.get("opacity", 1) < 1 or bool(np.any(np.less(marker.get("opacity", 1), 1)))


def seen(pixels: np.ndarray, spot: np.ndarray, allowed: np.ndarray) -> bool:
    """Does one of nine pixels around a spot have one of the colours?"""
    x, y = (int(v) for v in np.floor(spot))
    patch = pixels[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].reshape(-1, 1, 3)
    return bool((np.abs(patch - allowed).max(axis=2) <= SAME_COLOR).any())


def marks_and_lines(trace: dict[str, Any], axes: dict[str, Any]) -> tuple[np.ndarray, float]:
    """Where a scatter trace must be seen, and at what share of these spots at least."""
    points = spots(trace, axes)
    mode, marker = trace.get("mode", ""), trace.get("marker", {})
    if "markers" not in mode:
        look = trace["line"]
        if look.get("width", 2) < 1.4 or look.get("shape", "linear") != "linear":
            return points[:0], 0.0  # too thin to have its own colour anywhere, or with corners
        steps = np.linspace(0, 1, 33 if len(points) < 20 else 9)[:-1, None, None]
        points = (points[:-1] + steps * np.diff(points, axis=0)).reshape(-1, 2)
        return points, 0.9 if look.get("dash", "solid") == "solid" else 0.3
    if np.ndim(marker.get("size", 1)) or np.ndim(marker.get("symbol", "")):
        return points[:0], 0.0  # marks of several looks, some of them of no size
    if marker.get("symbol") in ("circle-open", "square-open", "diamond-open"):
        return points + np.array([marker["size"] / 2, 0.0]), 0.4  # on the thin rim of most shapes
    if marker.get("symbol") == "star-open":
        return points - np.array([0.0, 0.7 * marker["size"] - 1]), 0.75  # at its upper tip
    return points, 0.75


def veiled(points: np.ndarray, later: list[dict[str, Any]], axes: dict[str, Any]) -> np.ndarray:
    """Which points a veil drawn later may lie over: [n], true or false."""
    covered = np.zeros(len(points), dtype=bool)
    for trace in later:
        if trace.get("fill") == "toself":
            veil = spots(trace, axes)
            covered |= ((points >= np.nanmin(veil, 0)) & (points <= np.nanmax(veil, 0))).all(axis=1)
    return covered


def assert_scatter(k: int, traces: list[dict], axes: dict, pixels: np.ndarray) -> int:
    trace = traces[k]
    if is_faded(trace) or not {"lines", "markers"} & set(trace.get("mode", "").split("+")):
        return 0
    points, share = marks_and_lines(trace, axes)
    # What is drawn later on the same axes may lie over it.
    over = [t for t in traces[k:] if t.get("xaxis") == trace.get("xaxis")]
    allowed = np.array([rgb(color) for t in over for color in colors(t)])
    points = points[inside(points, trace, axes, 2)]
    points = points[~veiled(points, over[1:], axes)][:600]
    if len(points) == 0 or len(allowed) == 0:
        return 0
    found = np.mean([seen(pixels, spot, allowed) for spot in points])
    assert found >= share, f"{trace['name']} is seen at {found:.0%} of {len(points)} spots"
    return len(points)


def assert_bars(trace: dict[str, Any], axes: dict, pixels: np.ndarray) -> int:
    """Each bar has its colour before its end and not behind it, at least where it is long."""
    level = trace.get("orientation") == "h"
    tips = spots(trace, axes)
    foot = spots({**trace, "x" if level else "y": np.zeros(len(tips))}, axes)
    color, looked = rgb(trace["marker"]["color"])[None], 0
    for tip, base in zip(tips, foot, strict=True):
        length = np.abs(tip - base).sum()
        if not np.isfinite(length) or length < 12 or not inside(tip[None], trace, axes, 4).all():
            continue
        back = (base - tip) / length
        assert seen(pixels, tip + 4 * back, color), f"{trace['name']}: no bar up to {tip}"
        behind = pixels[tuple(int(v) for v in np.floor(tip - 3 * back)[::-1])]
        assert np.abs(behind - color[0]).max() > SAME_COLOR, f"{trace['name']}: a bar beyond {tip}"
        looked += 1
    return looked


def assert_tiles(k: int, traces: list[dict], axes: dict, pixels: np.ndarray) -> int:
    """In the middle of a tile is the colour of its value, by the scale's definition, or a mark."""
    trace = traces[k]
    z = np.asarray(trace["z"], dtype=float)
    rows, columns = np.indices(z.shape)
    points = spots({**trace, "x": np.ravel(columns), "y": np.ravel(rows)}, axes)
    at, stops = zip(*trace["colorscale"], strict=True)
    share = np.clip((np.ravel(z) - trace["zmin"]) / (trace["zmax"] - trace["zmin"]), 0, 1)
    wanted = np.stack([np.interp(share, at, [rgb(c)[j] for c in stops]) for j in range(3)], axis=1)
    over = [t for t in traces[k + 1 :] if t.get("xaxis") == trace.get("xaxis")]
    marks = [rgb(color) for t in over for color in colors(t)]
    there = np.isfinite(wanted).all(axis=1)
    pairs = list(zip(points[there], wanted[there], strict=True))
    found = np.mean([seen(pixels, spot, np.array([color, *marks])) for spot, color in pairs])
    assert found >= 0.95, f"{trace['name']} is seen at {found:.0%} of {len(pairs)} tiles"
    return len(pairs)


def assert_pixels(demo: Explorable, at: list[int], axes: dict, pixels: np.ndarray) -> None:
    """At the table's coordinates the screen has the traces' colours."""
    traces = list(drawn_traces(demo, at).values())
    looked = 0
    for k, trace in enumerate(traces):
        if trace["type"] == "scatter":
            looked += assert_scatter(k, traces, axes, pixels)
        elif trace["type"] == "bar" and not is_faded(trace):
            looked += assert_bars(trace, axes, pixels)
        elif trace["type"] == "heatmap" and "x" not in trace:
            looked += assert_tiles(k, traces, axes, pixels)
    assert looked > 0, "no spot was looked at"


def assert_elements(demo: Explorable, at: list[int], axes: dict, drawn: dict[str, dict]) -> None:
    """Plotly's own elements stand where the table's numbers lie, in its colours."""
    for name, trace in drawn_traces(demo, at).items():
        if trace["type"] != "scatter" or name not in drawn:
            continue
        points = spots(trace, axes)
        there = np.isfinite(points).all(axis=1)
        if "markers" in trace.get("mode", ""):
            marks = np.array([mark["at"] for mark in drawn[name]["marks"]]).reshape(-1, 2)
            np.testing.assert_allclose(marks, points[there], atol=0.02, err_msg=name)
            wanted = np.broadcast_to(
                np.array(trace["marker"].get("color", ""), dtype=object), len(points)
            )[there]
            symbols = np.broadcast_to(
                np.array(trace["marker"].get("symbol", ""), dtype=object), len(points)
            )[there]
            for mark, color, symbol in zip(drawn[name]["marks"], wanted, symbols, strict=True):
                if str(color).startswith("#"):
                    part = "stroke" if str(symbol).endswith("-open") else "fill"
                    assert mark[part] == f"rgb({', '.join(str(int(c)) for c in rgb(color))})", name
        elif trace["mode"] == "lines" and trace["line"].get("shape", "linear") == "linear":
            for corner in drawn[name]["corners"]:
                assert nearest(points, np.array(corner)) < 0.6, f"{name}: the line goes to {corner}"


def nearest(points: np.ndarray, spot: np.ndarray) -> float:
    """Distance of a spot from the broken line through points, in pixels."""
    start, way = points[:-1], np.diff(points, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = ((spot - start) * way).sum(axis=1) / (way**2).sum(axis=1)
    closest = start + np.clip(np.nan_to_num(along), 0, 1)[:, None] * way
    return float(np.nanmin(np.hypot(*(spot - closest).T)))


@pytest.mark.parametrize("share", PLACES)
def test_a_picture_is_the_tables_while_it_moves_and_at_rest(
    figure: tuple[Explorable, Moved], share: float
) -> None:
    demo, page = figure
    at = positions(demo, share)
    counts = page.move(at)
    assert counts["slow"] == "", f"Plotly draws every picture: {counts['slow']} moves"
    assert int(counts["moved"]) > 0
    axes, moving = page.axes(), page.pixels()
    page.rest()
    resting = page.pixels()
    assert difference(moving, resting) < (
        ALIKE_IN_SPACE if "scene" in demo.figure["layout"] else ALIKE
    )
    assert_pixels(demo, at, axes, moving)
    assert_pixels(demo, at, page.axes(), resting)
    assert_elements(demo, at, page.axes(), page.elements())


def two_lines(**layout: object) -> Explorable:
    """A curve that moves under one that stands, and a mark on it."""
    x = np.linspace(0, 1, 30)
    return Explorable(
        lambda: palette.figure(
            line("curve", palette.GRDA, x=x),
            line("still", palette.SGD, x=x, y=x),
            dots("mark", palette.OBS),
            **layout,
        ),
        lambda a: ({"curve.y": a * x**2, "mark.x": [0.5], "mark.y": [a / 4]}, f"a is {a:g}."),
        {"a": Slider.linear(0, 2, 21, label="a", start=1)},
    )


FIXED = {"xaxis_range": [0, 1], "yaxis_range": [-1, 3]}


def test_a_range_that_follows_the_data_is_plotlys(context: BrowserContext, tmp_path: Path) -> None:
    """Where the canvas cannot draw what moves, Plotly draws every picture, and the page says why."""
    page = Moved(context.new_page(), two_lines().to_html(), tmp_path)
    counts = page.move([20])
    assert counts["slow"] == "the range of yaxis, which follows the data"
    page.rest()
    assert "moved" not in counts
    assert max(page.axes()["yaxis"]["range"]) > 2
    page.page.close()


def test_a_dark_page_on_a_fine_screen(context: BrowserContext, tmp_path: Path) -> None:
    assert context.browser is not None
    apart = context.browser.new_context(device_scale_factor=2, color_scheme="dark")
    page = Moved(apart.new_page(), two_lines(**FIXED).to_html(), tmp_path)
    assert page.move([17])["slow"] == ""
    moving = page.pixels()
    dark = rgb(palette.DARK[palette.GRDA.color])
    axes = page.axes()
    x, y = 2 * spots({"x": [0.9], "y": [1.7 * 0.81]}, axes)[0]
    assert seen(moving, np.array([x, y]), dark[None])
    page.rest()
    assert difference(moving, page.pixels(), block=8) < ALIKE
    apart.close()


def test_a_movement_leaves_nothing_behind(context: BrowserContext, tmp_path: Path) -> None:
    """Twenty movements, each with its rest: no canvas and no hidden element stays."""
    page = Moved(context.new_page(), two_lines(**FIXED).to_html(), tmp_path)
    count = "document.querySelectorAll('*').length"
    page.move([3])
    page.rest()
    before = page.page.evaluate(count)
    for k in range(20):
        page.move([k])
        assert page.page.locator(".grda-moving").count() == 1
        page.rest()
    assert page.page.locator(".grda-moving, .trace[style*=visibility]").count() == 0
    assert page.page.evaluate(count) == before
    page.page.close()
