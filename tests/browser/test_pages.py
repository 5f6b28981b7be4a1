"""Every figure of every lesson, looked at: whole and legible at any width, and still under the hand.

Each is opened once as a page of its own and visited at its first state, at its sliders' ends and in
each of its presets. Minutes, so it has a target of its own, ``make test-pages``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lessons.test_truth import WITH_CASES, cases
from playwright.sync_api import BrowserContext, Locator, Page

from grda_edu.explore import Explorable, Picture
from grda_edu.explore.standalone import standalone_page
from grda_edu.explore.widget import _STATE
from grda_edu.views.live import LiveView

from .lab import wait_for

pytestmark = pytest.mark.pages
LOOK = (Path(__file__).parent / "legible.js").read_text(encoding="utf-8")
WIDTHS = (1100, 800, 640, 568, 336)  # pixels of a figure: from a whole window to a phone
BESIDE = 32  # pixels of the page's own edges
FITS = (800, 700)  # a figure with its controls and its sentence, pixels


def page_of(case: Any) -> str:
    """The figure as a page, as it stands at the first position of its case."""
    if case.explorable is not None:
        return case.explorable.to_html()
    made = case.make(**case.visited()[-1])
    picture = made.picture if isinstance(made, LiveView) else made
    assert isinstance(picture, Picture) and not isinstance(picture, Explorable)
    return standalone_page({name: getattr(picture, name) for name in _STATE}, [picture.table])


@pytest.fixture(
    scope="module",
    params=[pytest.param(case, id=f"{n}-{case.name}") for n in WITH_CASES for case in cases(n)],
)
def figure(
    request: pytest.FixtureRequest,
    context: BrowserContext,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Locator]:
    """One figure, drawn, on a page of its own."""
    path = tmp_path_factory.mktemp("page") / "figure.html"
    path.write_text(page_of(request.param), encoding="utf-8")
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelector('.grda-plot')?.dataset.state === 'drawn'")
    yield page.locator(".grda-figure")
    page.close()


def widen(figure: Locator, width: int, height: int = 900) -> None:
    """Make the page so wide that the figure has this width, and wait until it is drawn so."""
    page: Page = figure.page
    page.set_viewport_size({"width": width + BESIDE, "height": height})
    page.wait_for_function(
        """width => {
          const drawn = document.querySelector(".main-svg").getBoundingClientRect();
          const { state } = document.querySelector(".grda-plot").dataset;
          return Math.abs(drawn.width - width) < 2 && state === "drawn";
        }""",
        arg=width,
    )


def look(figure: Locator, width: int, looks: str, positions: str = "all") -> dict:
    """What ``legible.js`` finds in a figure of this width."""
    widen(figure, width)
    return figure.evaluate(LOOK, {"looks": looks, "positions": positions})


@pytest.mark.parametrize("width", WIDTHS)
def test_a_figure_is_whole_and_holds_still(figure: Locator, width: int) -> None:
    """No words are cut off or lie over others, and no position of the controls changes its height."""
    found = look(figure, width, "cut")
    assert found["problems"] == []
    assert len(found["heights"]) == 1, found["heights"]


@pytest.mark.parametrize("colours", ["light", "dark", "forced"])
def test_its_words_stand_out_from_the_page(figure: Locator, colours: str) -> None:
    scheme: Any = "dark" if colours == "dark" else "light"
    forced: Any = "active" if colours == "forced" else "none"
    figure.page.emulate_media(color_scheme=scheme, forced_colors=forced)
    assert look(figure, WIDTHS[0], "contrast")["problems"] == []
    figure.page.emulate_media(forced_colors="none", color_scheme="light")


def test_it_fits_a_screen(figure: Locator) -> None:
    """With controls and sentence, as high as what a laptop's window shows."""
    width, height = FITS
    found = look(figure, width, "", "few")["heights"]
    assert max(shape["height"] for shape in found) <= height


def test_the_wheel_over_it_scrolls_the_page(figure: Locator) -> None:
    page: Page = figure.page
    widen(figure, FITS[0], 300)
    plot = figure.locator(".grda-plot")
    plot.scroll_into_view_if_needed()
    page.evaluate("document.body.style.paddingBottom = '2000px'")
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], max(box["y"], 0) + 100)
    before = page.evaluate("scrollY")
    cameras = _cameras(figure)
    page.mouse.wheel(0, 120)
    page.wait_for_function("before => scrollY >= before + 100", arg=before)
    assert _cameras(figure) == cameras


def test_reset_turns_a_scene_back(figure: Locator) -> None:
    first = _cameras(figure)
    if not first:
        pytest.skip("no scene")
    page: Page = figure.page
    widen(figure, WIDTHS[0])
    page.evaluate("scrollTo(0, 0)")
    box = figure.locator(".grda-plot").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"]

    def turned() -> bool:
        """Drag, no faster than the scene draws: it looks at the mouse once a picture."""
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 5):
            page.wait_for_timeout(50)
            page.mouse.move(x + 30 * step, y + 8 * step)
        page.wait_for_timeout(50)
        page.mouse.up()
        return _cameras(figure) != first

    wait_for(turned, "the scene is turned")
    figure.get_by_role("button", name="Reset").click()
    wait_for(lambda: _cameras(figure) == first, "the scene is as it was")


def _cameras(figure: Locator) -> list[list[float]]:
    """Where the eye is in each of the figure's scenes, as drawn."""
    return figure.evaluate(
        """root => {
          const { _fullLayout } = root.querySelector(".grda-plot");
          const scenes = Object.keys(_fullLayout).filter((name) => /^scene[0-9]*$/.test(name));
          const eyes = scenes.map((name) => _fullLayout[name]._scene?.getCamera().eye);
          return eyes.filter(Boolean).map(({ x, y, z }) => [x, y, z].map((v) => Number(v.toFixed(3))));
        }"""
    )
