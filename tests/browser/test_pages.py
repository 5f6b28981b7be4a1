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


def look(figure: Locator, width: int, looks: str, positions: str = "all") -> dict:
    """What ``legible.js`` finds in a figure of this width."""
    page: Page = figure.page
    page.set_viewport_size({"width": width + BESIDE, "height": 900})
    page.wait_for_function(
        "width => Math.abs(document.querySelector('.main-svg').getBoundingClientRect().width - width) < 2",
        arg=width,
    )
    return figure.evaluate(LOOK, {"looks": looks, "positions": positions})


@pytest.mark.parametrize("width", WIDTHS)
def test_a_figure_is_whole_and_holds_still(figure: Locator, width: int) -> None:
    """No words are cut off or lie over others, and no position of the controls changes its height."""
    found = look(figure, width, "cut")
    assert found["problems"] == []
    assert len(found["heights"]) == 1, found["heights"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_words_stand_out_from_the_page(figure: Locator, scheme: Any) -> None:
    figure.page.emulate_media(color_scheme=scheme)
    assert look(figure, WIDTHS[0], "contrast")["problems"] == []


def test_it_fits_a_screen(figure: Locator) -> None:
    """With controls and sentence, as high as what a laptop's window shows."""
    width, height = FITS
    found = look(figure, width, "", "few")["heights"]
    assert max(shape["height"] for shape in found) <= height
