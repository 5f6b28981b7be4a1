"""The web edition as readers open it: from a folder, from a server, by phone, with and without scripts.

The site is built first, which runs every lesson; minutes, so it has a target of its own, ``make test-site``.
"""

from __future__ import annotations

import filecmp
import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, expect
from playwright.sync_api import TimeoutError as TooLong

from grda_edu.explore import palette
from tools.site.__main__ import OUT

from .edition import Edition, cell_of, notebook_figures, served, words

pytestmark = pytest.mark.site
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9][0-9]_*.md"))
LESSONS = [path.stem for path in NOTEBOOKS]
COLD, WARM = 1_000_000, 400_000  # bytes to the first slider, gzipped as a static host sends them
WIDTHS = ((390, 844), (1280, 900))  # pixels: a phone, a laptop
LOOK = (Path(__file__).parent / "legible.js").read_text(encoding="utf-8")


def build(out: Path) -> None:
    """In a process of its own: a warning of Sphinx's packages is an error in this one."""
    command = [sys.executable, "-m", "tools.site", "--out", str(out)]
    subprocess.run(command, cwd=NOTEBOOKS[0].parents[1], check=True)


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site; $GRDA_EDU_SITE names one that has been built already, with its ".work" beside it."""
    if built := os.environ.get("GRDA_EDU_SITE"):
        return Path(built)
    build(OUT)
    return OUT


@pytest.fixture(scope="session")
def pages(site: Path) -> list[str]:
    return sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))


@pytest.fixture
def folder(context: BrowserContext, site: Path) -> Iterator[Edition]:
    """The site opened by double click, with no network at all."""
    assert context.browser is not None
    apart = context.browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    yield Edition(apart, site.as_uri())
    apart.close()


def page_of(lesson: str) -> str:
    return f"lesson{lesson[:2]}.html"


# ------------------------------------------------- figures


def visited(grids: list[int]) -> list[list[int]]:
    """Positions of the sliders: both ends, and one between that is each slider's own."""
    last = [size - 1 for size in grids]
    between = [(k + 1) * end // (k + 2) for k, end in enumerate(last)]
    return [[0] * len(last), last, between]


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_drawn_is_the_notebooks_table(folder: Edition, site: Path, lesson: str) -> None:
    """Every figure, every preset: what Plotly was given and what the page says, from a folder, offline."""
    folder.open(page_of(lesson))
    names = folder.figures()
    figures = notebook_figures(site.with_name(f"{site.name}.work") / "executed" / f"{lesson}.json")
    assert len(names) == len(figures) > 0
    for name, figure in zip(names, figures, strict=True):
        folder.wake(name)
        state = figure["state"]
        grids = [len(control["texts"]) for control in state["controls"]]
        for table in figure["tables"]:
            assert_drawn(folder, name, table, visited(grids) if grids else [[]])
    assert folder.outside == []
    assert folder.complaints == []


def assert_drawn(folder: Edition, name: str, table: dict, positions: list[list[int]]) -> None:
    spoken = re.compile(r"title\.text|annotations\[\d+\]\.text")
    columns = table["columns"]
    drawn = [c for c in columns if c["trace"] is not None or not spoken.fullmatch(c["path"])]
    wanted = [[c["trace"], re.findall(r"[^.\[\]]+", c["path"])] for c in drawn]
    for index in positions:
        at = index if table["at"] is None else []
        found = folder.read(name, table["option"], index, wanted)
        where = f"{name}, preset {table['option']}, at {index}"
        assert found["problem"] == "", where
        assert found["sentence"] == cell_of(table, table["sentence"], at), where
        for column, value in zip(drawn, found["values"], strict=True):
            expected = cell_of(table, column, at)
            what = f"{where}: {column['key']}"
            if "strings" in column:
                assert np.array_equal(np.asarray(value), np.asarray(expected)), what
            else:
                got = np.asarray(np.where(np.equal(value, None), np.nan, value), dtype=np.float32)
                assert np.array_equal(got.reshape(np.shape(expected)), expected, equal_nan=True), (
                    what
                )
        for column in columns:
            if column["trace"] is None and column["path"] == "title.text":
                assert words(found["title"]) == words(cell_of(table, column, at)), where


def test_under_a_path_of_a_server(context: BrowserContext, site: Path, pages: list[str]) -> None:
    """Every page opens under /some/sub/path/ without a complaint, and asks nobody else for anything."""
    assert context.browser is not None
    apart = context.browser.new_context(viewport={"width": 1280, "height": 900})
    with served(site) as address:
        edition = Edition(apart, address)
        for path in pages:
            edition.open(path)
            for name in edition.figures()[:2]:
                edition.wake(name)
        assert edition.outside == []
        assert edition.complaints == []
    apart.close()


def test_a_link_puts_the_controls_back(folder: Edition) -> None:
    folder.open("lesson04.html#all_runs?c=0.01")
    folder.wake("lesson04-all_runs")
    slider = folder.place("lesson04-all_runs").get_by_role("slider").first
    assert slider.get_attribute("aria-valuetext") == "0.01"
    slider.press("ArrowRight")
    folder.page.wait_for_function("location.hash === '#all_runs?c=0.015'")
    folder.page.reload()
    folder.wake("lesson04-all_runs")
    assert slider.get_attribute("aria-valuetext") == "0.015"


def top_of(edition: Edition, name: str) -> float:
    box = edition.place(name).bounding_box()
    assert box is not None
    return box["y"]


def scrolled(edition: Edition) -> float:
    return edition.page.evaluate("scrollY")


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_link_ends_at_its_figure(folder: Edition, width: int, height: int) -> None:
    """Far down, and with everything above it drawn."""
    name = "lesson04-all_runs"
    # As in a browser that does not keep a page in place while it grows.
    folder.page.add_init_script(
        "addEventListener('DOMContentLoaded', () => (document.documentElement.style.overflowAnchor = 'none'))"
    )
    folder.page.set_viewport_size({"width": width, "height": height})
    folder.open("lesson04.html#all_runs?c=0.01")
    folder.drawn(name)
    above = folder.page.evaluate(
        "[...document.querySelectorAll('[data-figure]')].find((one) => one.dataset.awake).dataset.figure"
    )
    folder.drawn(above)
    folder.page.wait_for_timeout(500)  # nothing moves it any more
    header = folder.page.evaluate(
        "document.elementFromPoint(innerWidth / 2, 10).closest('header')?.getBoundingClientRect().bottom ?? 0"
    )
    assert header <= top_of(folder, name) < height / 4


def test_a_section_is_where_its_link_leads(phone: Edition) -> None:
    """By address and by the page's menu, which closes; figures on the way wake and grow."""
    for lesson, section in (("lesson12", "closing-quiz"), ("lesson08", "recap")):
        for menu in (False, True):
            phone.open(f"{lesson}.html" if menu else f"{lesson}.html#{section}")
            if menu:
                phone.page.locator("label.toc-overlay-icon").first.tap()
                entry = phone.page.locator(f'.toc-tree a[href="#{section}"]')
                expect(entry).to_be_in_viewport()
                entry.tap()
                expect(entry).not_to_be_in_viewport()
            phone.page.wait_for_timeout(2500)
            top = phone.page.evaluate(
                "(id) => document.getElementById(id).getBoundingClientRect().top", section
            )
            assert -20 < top < 211, (lesson, menu)


def test_a_reload_stays_where_the_reader_was(folder: Edition) -> None:
    """Not at the figure that the address has named since she came, or moved it."""
    folder.open("lesson04.html#all_runs?c=0.01")
    folder.wake("lesson04-all_runs")
    folder.page.evaluate("scrollTo({ top: 1000, behavior: 'instant' })")
    folder.page.wait_for_timeout(500)
    folder.page.reload()
    folder.page.wait_for_timeout(1500)
    assert abs(scrolled(folder) - 1000) < 300


NONSENSE = (
    *("all_runs?c=abc", "all_runs?c=", "all_runs?c=%", "all_runs?c=%E4", "all_runs?C=0.01"),
    *("%", "nothing_here?c=0.01", "?c=0.01", "all_runs?c=0,01", "all_runs?c=1e999", "all_runs?&=&"),
)


def test_nonsense_in_the_address_moves_nothing(folder: Edition) -> None:
    name = "lesson04-all_runs"
    slider = folder.place(name).get_by_role("slider").first
    folder.open("lesson04.html")
    folder.wake(name)
    start = slider.get_attribute("aria-valuetext")
    for fragment in NONSENSE:
        folder.open(f"lesson04.html#{fragment}")
        folder.wake(name)
        assert slider.get_attribute("aria-valuetext") == start, fragment
        assert folder.complaints == [], fragment
    folder.open("lesson04.html#all_runs?c=999")  # a page of another grid: the nearest there is
    folder.wake(name)
    assert slider.get_attribute("aria-valuetext") == "0.05"


def test_every_preset_has_an_address(folder: Edition) -> None:
    """Names with signs that mean something in an address; and the table comes after the controls are set."""
    name = "lesson01-forty_coefficients"
    place = folder.place(name)
    folder.open("lesson01.html")
    folder.wake(name)
    labels = place.locator(".grda-choice option").all_inner_texts()
    assert any("+" in label for label in labels)
    slider = place.locator(".grda-control input[type=range]").first
    for k, label in enumerate(labels):
        folder.page.goto(f"{folder.base}/lesson01.html")
        folder.wake(name)
        place.get_by_role("combobox").select_option(label)
        slider.press("Home")
        slider.press("ArrowRight")
        folder.page.wait_for_function("location.hash.includes('forty_coefficients')")
        folder.drawn(name)
        said = place.locator(".grda-figure .grda-sentence").inner_text()
        at = slider.get_attribute("aria-valuetext")
        folder.page.reload()
        folder.wake(name)
        assert place.locator(".grda-choice select").input_value() == str(k), label
        assert slider.get_attribute("aria-valuetext") == at
        assert place.locator(".grda-figure .grda-sentence").inner_text() == said


def test_back_and_forward_take_figures_along(folder: Edition) -> None:
    name = "lesson04-all_runs"
    page, slider = folder.page, folder.place(name).get_by_role("slider").first
    folder.open("lesson04.html")
    page.evaluate("location.hash = '#all_runs?c=0.01'")
    folder.drawn(name)
    expect(slider).to_have_attribute("aria-valuetext", "0.01")
    assert 0 <= top_of(folder, name) < 300
    page.evaluate("location.hash = '#all_runs?c=%&'")  # nothing to decode, nothing to move
    page.evaluate("location.hash = '#all_runs?c=0.03'")
    expect(slider).to_have_attribute("aria-valuetext", "0.03")
    page.evaluate("location.hash = '#predict'")
    page.wait_for_function("scrollY < 2000")
    page.go_back()
    page.wait_for_function("location.hash === '#all_runs?c=0.03'")
    expect(slider).to_have_attribute("aria-valuetext", "0.03")
    page.go_back()
    page.go_back()
    expect(slider).to_have_attribute("aria-valuetext", "0.01")
    page.go_forward()
    page.go_forward()
    expect(slider).to_have_attribute("aria-valuetext", "0.03")
    assert folder.complaints == []


def test_a_figure_in_space_is_where_its_link_says(folder: Edition) -> None:
    """The figure waits for a click; what the link asked for is not forgotten over another figure's address."""
    folder.open("lesson07.html#three_weights?tilt=10&lam=0.5")
    offer = folder.place("lesson07-three_weights").locator(".grda-offer")
    expect(offer).to_be_in_viewport()
    folder.wake("lesson07-all_paths")
    other = folder.place("lesson07-all_paths")
    if (cover := other.locator(".grda-veil button")).is_visible():
        cover.click()
    other.get_by_role("slider").first.press("ArrowLeft")
    folder.page.wait_for_function("location.hash.startsWith('#all_paths?')")
    folder.wake("lesson07-three_weights")
    sliders = folder.place("lesson07-three_weights").locator("input[type=range]")
    found = [sliders.nth(k).get_attribute("aria-valuetext") for k in range(2)]
    assert found == ["10°", "0.50"]


def test_a_preset_that_does_not_come_is_left_again(context: BrowserContext, site: Path) -> None:
    assert context.browser is not None
    apart = context.browser.new_context(viewport={"width": 1280, "height": 900})
    with served(site) as address:
        edition = Edition(apart, address)
        edition.open("lesson00.html")
        edition.wake("lesson00-picture")
        edition.page.route("**/lesson00-picture.1.js", lambda route: route.abort())
        place = edition.place("lesson00-picture")
        place.get_by_role("combobox").select_option("1")
        expect(place.locator(".grda-problem")).to_contain_text("could not be loaded")
        place.get_by_role("combobox").select_option("0")
        expect(place.locator(".grda-problem")).to_be_hidden()
        expect(place.locator(".grda-stage")).to_be_visible()
    apart.close()


def test_a_link_is_given_where_no_clipboard_is(folder: Edition) -> None:
    folder.page.add_init_script(
        "delete Navigator.prototype.clipboard; history.replaceState = () => { throw new Error('forbidden'); };"
    )
    folder.open("lesson04.html")
    folder.wake("lesson04-all_runs")
    place = folder.place("lesson04-all_runs")
    place.get_by_role("slider").first.press("ArrowLeft")
    place.get_by_role("button", name="Copy link").click()
    link = place.get_by_role("link", name="this link").get_attribute("href")
    assert link == f"{folder.base}/lesson04.html#all_runs?c=0.015"
    place.get_by_role("slider").first.press("ArrowLeft")
    expect(place.locator(".grda-copied")).to_be_empty()  # it is another place's
    assert folder.complaints == []


# ------------------------------------------------- cards


def test_what_was_committed_is_remembered_and_opens_what_it_covered(folder: Edition) -> None:
    folder.open("lesson11.html")
    card = folder.page.locator("[id='11.file']")
    folder.wake("lesson11-written")
    veil = folder.place("lesson11-written").locator(".grda-veil")
    expect(veil).to_be_visible()
    card.get_by_role("radio").first.check()
    card.get_by_role("button", name="Commit").click()
    expect(card).to_contain_text("The answer is")
    expect(veil).to_be_hidden()
    expect(folder.page.locator(".grda-goals")).to_contain_text("committed")
    folder.open("index.html")
    expect(folder.page.locator("[data-lesson='11']")).to_contain_text("1 of 3 predictions")
    folder.open("lesson11.html")
    expect(card).to_contain_text("The answer is")
    card.get_by_role("button").click()
    expect(card.get_by_role("button", name="Commit")).to_be_visible()
    assert folder.complaints == []


STORE = "grda-edu progress"
GARBAGE = (
    *("{", "null", "5", '"abc"', "[1, 2]", '{"predictions": "abc", "goals": 5, "quizzes": [3]}'),
    *(
        '{"quizzes": {"12": null}}',
        '{"quizzes": {"12": 5}}',
        '{"quizzes": {"12": {"answers": null}}}',
    ),
    '{"quizzes": {"12": {"answers": "abc", "results": "x"}}}',
    '{"quizzes": {"12": {"answers": {"00_multiplications": 99}, "results": [null, {}]}}}',
    '{"quizzes": {"12": {"answers": {"00_multiplications": "map"}}}}',
    *(f'{{"predictions": {{"12.words_cost": {answer}}}}}' for answer in ("99", '"length"', "null")),
    '{"predictions": {"99.gone": 1}, "exercises": {"99.gone": true}, "goals": {"99.gone": true}}',
)


def test_what_was_kept_by_others_breaks_no_page(folder: Edition) -> None:
    """Every card asks its question; the map counts nothing that is not there."""
    page = folder.page
    cards = page.locator("[data-card=prediction], [data-card=quiz]")
    for text in GARBAGE:
        folder.open("index.html")
        page.evaluate("([key, text]) => localStorage.setItem(key, text)", [STORE, text])
        page.reload()
        for path in ("lesson12.html", "index.html"):
            folder.open(path)
            for k in range(cards.count()):
                asked = cards.nth(k).get_by_role("button", name=re.compile("^(Commit|Answer)$"))
                expect(asked).to_be_visible()
            assert folder.complaints == [], text
        status = page.locator("[data-lesson='12'] .grda-status")
        expect(status).to_contain_text(
            re.compile("[01] of 20 questions")
        )  # an answer is known where it is asked
        expect(status).to_contain_text("0 of 4 predictions")
        expect(page.get_by_role("button", name="Reset my progress")).to_be_visible()


def test_two_tabs_know_of_each_other(context: BrowserContext, site: Path) -> None:
    assert context.browser is not None
    apart = context.browser.new_context(viewport={"width": 1280, "height": 900})
    with served(site) as address:
        here, there = (Edition(apart, address) for _ in range(2))
        card, exercise, quiz = "[id='11.file']", "[data-card=exercise]", "[data-card=quiz]"
        for tab in (here, there):
            tab.open("lesson11.html")
        here.page.locator(card).get_by_role("radio").first.check()
        here.page.locator(card).get_by_role("button", name="Commit").click()
        expect(there.page.locator(card)).to_contain_text("The answer is")
        here.page.locator(exercise).first.get_by_role("button", name="I have solved").click()
        expect(there.page.locator(exercise).first).to_contain_text("Take the mark back")
        for tab in (here, there):
            tab.open("lesson12.html")
        here.page.locator(quiz).get_by_role("radio").first.check()
        here.page.locator(quiz).get_by_role("button", name="Answer").click()
        expect(there.page.locator(quiz).get_by_role("button", name="Answer")).to_have_count(0)
        assert here.complaints + there.complaints == []
    apart.close()


def test_without_storage_a_page_remembers_until_it_is_left(folder: Edition) -> None:
    folder.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('forbidden', 'SecurityError'); } });"
    )
    folder.open("lesson11.html")
    card = folder.page.locator("[id='11.file']")
    card.get_by_role("radio").first.check()
    card.get_by_role("button", name="Commit").click()
    expect(card).to_contain_text("The answer is")
    folder.wake("lesson11-written")
    expect(folder.place("lesson11-written").locator(".grda-veil")).to_be_hidden()
    folder.open("lesson11.html")
    expect(card.get_by_role("button", name="Commit")).to_be_visible()


def test_hints_come_one_by_one_and_then_the_solution(folder: Edition) -> None:
    folder.open("lesson04.html")
    card = folder.page.locator("[id='04.count_zeros']")
    for k in range(1, 4):
        card.get_by_role("button", name=f"Hint {k} of").click()
        expect(card.locator(".grda-hint")).to_have_count(k)
    card.get_by_role("button", name="Show the solution").click()
    expect(card.locator(".grda-solution")).to_contain_text("def count_zeros")
    expect(card.get_by_role("link", name="Binder")).to_be_visible()


# ------------------------------------------------- phones

FINGER = 44  # pixels, that a finger hits
SMALL = """(finger) => [...document.querySelectorAll(
  "article :is(button, select, input[type=range], .grda-option, summary), header :is(label, button)")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true, checkVisibilityCSS: true }) && one.offsetParent)
  .map((one) => [one.textContent.trim() || one.className, one.getBoundingClientRect()])
  .filter(([, box]) => box.height && box.height < finger - 0.5)
  .map(([name, box]) => `${name}: ${box.height}`)"""

ROOM = """(veil) => {
  const box = veil.getBoundingClientRect(), button = veil.querySelector("button").getBoundingClientRect();
  return [box.height, button.top - box.top, box.bottom - button.bottom];
}"""


@pytest.fixture
def phone(context: BrowserContext, site: Path) -> Iterator[Edition]:
    assert context.browser is not None
    apart = context.browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, offline=True
    )
    yield Edition(apart, site.as_uri())
    apart.close()


@pytest.mark.parametrize("lesson", [LESSONS[2], LESSONS[5], LESSONS[11]])
def test_a_phone_shows_covered_figures_in_low_boxes_and_fingers_hit_everything(
    phone: Edition, lesson: str
) -> None:
    phone.open(page_of(lesson))
    covers = {}
    for name in phone.figures():
        phone.wake(name)
        veil = phone.place(name).locator(".grda-veil")
        if veil.is_visible():
            high, above, below = veil.evaluate(ROOM)
            assert high < 250 and above > 0 and below > 0, name
            covers[name] = high
    assert covers
    assert phone.page.evaluate(SMALL, FINGER) == []
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for name, low in covers.items():
        phone.place(name).get_by_role("button", name="Show it without an answer").tap()
        opened = phone.place(name).bounding_box()
        assert opened is not None and opened["height"] > low + 100, name
        assert phone.place(name).locator(".grda-figure .grda-sentence").is_visible()
    assert phone.complaints == []


def test_what_goes_on_to_the_right_says_so_until_its_end_is_reached(phone: Edition) -> None:
    phone.open("lesson02.html")
    block = phone.page.locator("pre.grda-more").first
    expect(block).to_be_visible()
    block.evaluate("(one) => { one.id = 'seen'; one.scrollLeft = one.scrollWidth; }")
    expect(phone.page.locator("#seen")).not_to_have_class(re.compile("grda-more"))
    said = phone.page.locator(".grda-said pre")
    assert said.count()
    assert said.evaluate_all("(all) => all.every((one) => one.scrollWidth <= one.clientWidth)")


def test_a_link_leads_below_the_bar_and_copying_one_moves_nothing(phone: Edition) -> None:
    phone.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    phone.open("lesson04.html#all_runs?c=0.02")
    place = phone.place("lesson04-all_runs")
    phone.drawn("lesson04-all_runs")
    bar = phone.page.locator("header").first.bounding_box()
    before = place.bounding_box()
    assert bar is not None and before is not None
    assert bar["y"] + bar["height"] <= before["y"] < 200
    button = place.get_by_role("button", name="Copy link")
    button.tap()
    expect(place.get_by_role("button", name="Copied")).to_be_visible()
    assert place.bounding_box() == before
    assert phone.page.evaluate("navigator.clipboard.readText()").endswith("#all_runs?c=0.02")


def test_a_solution_that_goes_on_to_the_right_is_reached_by_keys(phone: Edition) -> None:
    """It stands in the page only when it is asked for."""
    phone.open("lesson02.html")
    card = phone.page.locator("[id='02.grda_step']")
    for _ in range(3):
        card.get_by_role("button", name="Hint").tap()
    card.get_by_role("button", name="Show the solution").tap()
    expect(card.locator("pre.grda-more")).to_have_attribute("tabindex", "0")


def test_what_is_covered_is_not_given_away_while_it_loads(phone: Edition) -> None:
    """Its first picture stands in the page, for readers without scripts."""
    phone.page.route("**/figures/*.js", lambda route: None)  # never comes
    phone.open("lesson11.html")
    place = phone.place("lesson11-written")
    place.scroll_into_view_if_needed()
    expect(place).to_have_class(re.compile("grda-waits"))
    expect(place.locator(".grda-still")).to_be_hidden()


# ------------------------------------------------- paper, and readers who asked for less motion

SHEETS = (446, 680)  # pixels: the 118 mm between the margins of an A5 sheet, the 180 mm of A4
_ON_PAPER = """() => {
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const named = (node) => `${node.localName}.${node.getAttribute("class") ?? ""}: ${node.textContent.slice(0, 40)}`;
  const all = [...document.body.querySelectorAll("*")].filter(seen);
  const told = (node) => node.matches(
    "button, select, input[type=range], nav, .sidebar-drawer, .toc-drawer, .mobile-header, .related-pages, " +
    ".skip-to-content, .headerlink, .content-icon-container");
  const hides = (node) => getComputedStyle(node).overflowX !== "visible" && node.scrollWidth > node.clientWidth + 1;
  const beyond = (node) => node.getBoundingClientRect().right > innerWidth + 1 && !node.closest("svg, math");
  const places = [...document.querySelectorAll(".grda-shown")];
  const whole = (place) => {
    const pictures = [...place.querySelectorAll(".grda-picture, .grda-still-note")].filter(seen);
    const sentences = [...place.querySelectorAll(".grda-sentence")].filter(seen);
    return pictures.length === 1 && sentences.length === 1 && pictures[0].getBoundingClientRect().width > 200
      && getComputedStyle(place).breakInside === "avoid";
  };
  const drawn = all.filter((node) => node.closest(".grda-picture"));
  const inks = drawn.flatMap((node) => [getComputedStyle(node).fill, getComputedStyle(node).stroke]);
  const words = all.filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
  return {
    pressed: all.filter(told).map(named),
    cut: all.filter((node) => hides(node) || beyond(node)).map(named),
    incomplete: places.filter((place) => !whole(place)).map(named),
    folded: [...document.querySelectorAll(".grda-veiled-table table")].filter((table) => !seen(table)).map(named),
    inks: [...new Set(inks)],
    words: [...new Set(words.filter((node) => !node.closest("svg")).map((node) => getComputedStyle(node).color))],
    paper: getComputedStyle(document.body).backgroundColor,
  };
}"""


def brightness(color: str) -> float:
    """Of what a browser says of a colour, from 0 to 1 by WCAG's weights: enough to tell ink from paper."""
    parts = [float(x) for x in re.findall(r"[\d.]+", color)[:3]]
    return float(np.dot(parts, [0.2126, 0.7152, 0.0722])) / (255 if color.startswith("rgb") else 1)


def css(color: str) -> str:
    """ "#0072b2" as a browser says it."""
    return f"rgb({', '.join(str(int(color[k : k + 2], 16)) for k in (1, 3, 5))})"


ON_PAPER = (
    *("index.html", "lesson04.html", "lesson07.html", "lesson10.html", "whole.html"),
    *("library/tuning.html", "library/citation.html", "library/reference/optimizers.html"),
)


@pytest.mark.parametrize("path", ON_PAPER)
def test_on_paper_are_text_and_pictures_alone(folder: Edition, path: str) -> None:
    """From a dark screen with its figures drawn: nothing to press, nothing cut off, light colours."""
    folder.page.emulate_media(color_scheme="dark")
    folder.open(path)
    flat = "[...document.querySelectorAll('[data-figure]:not([data-space])')].map((one) => one.dataset.figure)"
    for name in folder.page.evaluate(flat):
        folder.wake(name)
    folder.page.emulate_media(media="print", color_scheme="dark")
    for width in SHEETS:
        folder.page.set_viewport_size({"width": width, "height": 1000})
        found = folder.page.evaluate(_ON_PAPER)
        unwanted = {key: found[key] for key in ("pressed", "cut", "incomplete", "folded")}
        assert unwanted == {key: [] for key in unwanted}, width
    on_dark = {css(color) for color in palette.DARK.values()} - {
        css(color) for color in palette.DARK
    }
    assert not on_dark & set(found["inks"])
    assert brightness(found["paper"]) > 0.99
    assert max(map(brightness, found["words"])) < 0.6


_MOVING = """() => ({
  running: document.getAnimations().map((one) => one.effect.target?.className ?? ""),
  smooth: [document.documentElement, ...document.querySelectorAll("*")]
    .filter((node) => getComputedStyle(node).scrollBehavior === "smooth").map((node) => node.className),
  slow: [...document.querySelectorAll("*")]
    .filter((node) => /[1-9]/.test(getComputedStyle(node).transitionDuration + getComputedStyle(node).animationDuration))
    .map((node) => `${node.className}`),
})"""
_WHERE = "[...document.querySelectorAll('.grda-control input, .grda-control select')].map((one) => one.value)"
_PICTURES = """async (slider) => {
  const seen = [slider.value];
  const until = performance.now() + 2500;
  while (performance.now() < until) {
    await new Promise(requestAnimationFrame);
    if (seen.at(-1) !== slider.value) seen.push(slider.value);
  }
  return seen.length;
}"""


@pytest.mark.parametrize("path", ["index.html", "lesson04.html", "library/tuning.html"])
def test_nothing_moves_by_itself_for_who_asked_for_less_motion(folder: Edition, path: str) -> None:
    """No film begins, no page glides; what is asked for with ▶ comes in single pictures."""
    folder.page.emulate_media(reduced_motion="reduce")
    folder.open(path)
    for name in folder.figures():
        folder.wake(name)
    before = folder.page.evaluate(_WHERE)
    folder.page.wait_for_timeout(1500)
    assert folder.page.evaluate(_WHERE) == before
    assert folder.page.evaluate(_MOVING) == {"running": [], "smooth": [], "slow": []}
    play = folder.page.locator(".grda-play:visible")
    if play.count():
        play.first.click()
        slider = play.first.locator("xpath=..").get_by_role("slider")
        assert 2 <= slider.evaluate(_PICTURES) <= 4


# ------------------------------------------------- pages


def test_a_finger_moves_a_slider_by_one(phone: Edition) -> None:
    phone.open("lesson01.html")
    name = "lesson01-forty_coefficients"
    phone.wake(name)
    place = phone.place(name)
    slider = place.get_by_role("slider")
    begun = int(slider.input_value())
    for word, moved in (("More", 1), ("More", 2), ("Less", 1)):
        place.get_by_role("button", name=word).first.tap()
        assert int(slider.input_value()) == begun + moved
    assert slider.bounding_box()["width"] > 150  # type: ignore[index]


def test_scrolling_from_a_slider_leaves_it_where_it_was(phone: Edition) -> None:
    phone.open("lesson01.html")
    name = "lesson01-forty_coefficients"
    phone.wake(name)
    slider = phone.place(name).get_by_role("slider")
    slider.evaluate("node => node.scrollIntoView({ block: 'center', behavior: 'instant' })")
    phone.page.wait_for_timeout(500)
    begun, top = slider.input_value(), scrolled(phone)
    box = slider.bounding_box()
    assert box is not None
    touch = phone.page.context.new_cdp_session(phone.page)
    x, y = box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2
    moves = [("touchMove", [{"x": x, "y": y - 12 * k}]) for k in range(1, 16)]
    for kind, points in [("touchStart", [{"x": x, "y": y}]), *moves, ("touchEnd", [])]:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        phone.page.wait_for_timeout(20)
    phone.page.wait_for_timeout(300)
    assert scrolled(phone) > top + 100
    assert slider.input_value() == begun
    slider.tap(position={"x": 0.8 * box["width"], "y": 20})  # a touch alone still moves it
    assert slider.input_value() != begun


def test_the_next_question_begins_on_a_phones_screen(folder: Edition) -> None:
    folder.page.set_viewport_size({"width": 390, "height": 844})
    folder.open("lesson12.html")
    card = folder.page.locator('[data-card="quiz"]')
    for k in (1, 2, 3):
        expect(card).to_contain_text(f"Question {k} of 20")
        card.get_by_role("radio").last.check()
        card.get_by_role("button", name="Answer").click()
        onward = card.get_by_role("button", name="Next question")
        # Who has read the verdict has the question above the screen.
        onward.evaluate("node => scrollBy(0, node.getBoundingClientRect().top - 200)")
        onward.click()
        expect(card.locator(".grda-question")).to_be_in_viewport(ratio=1)
        folder.page.wait_for_function(
            """() => {
              const node = document.querySelector('[data-card="quiz"] .grda-kicker');
              const { left, top } = node.getBoundingClientRect();
              return node.contains(document.elementFromPoint(left + 5, top + 5));
            }""",
            timeout=5_000,
        )  # the page's header does not lie over it


# The theme's column scrolls sideways by itself, and a page that is too wide would hide there.
_TOO_WIDE = """() => [document.documentElement, document.querySelector(".content")]
  .some((node) => node.scrollWidth > node.clientWidth)"""


def test_every_page_is_open_to_all(folder: Edition, pages: list[str]) -> None:
    """By axe-core in light and dark, with every figure drawn, whose words it cannot judge; and no page is
    wider than a phone or a laptop."""
    found: dict[str, list[str]] = {}
    for path in pages:
        folder.open(path)
        names = folder.figures()
        for name in names:
            folder.wake(name)
        problems = folder.barriers()
        folder.page.emulate_media(color_scheme="dark")
        for name in names:
            folder.drawn(name)
            figure = folder.place(name).locator(".grda-figure")
            problems += figure.evaluate(LOOK, {"looks": "contrast", "positions": "few"})["problems"]
        problems += folder.barriers()
        folder.page.emulate_media(color_scheme="light")
        for width, height in WIDTHS:
            folder.page.set_viewport_size({"width": width, "height": height})
            try:  # a figure's handles follow a new width with the next picture
                folder.page.wait_for_function(f"() => !({_TOO_WIDE})()", timeout=5_000)
            except TooLong:
                problems.append(f"wider than {width} px")
        if problems:
            found[path] = problems
    assert found == {}


def test_the_keyboard_reaches_everything(folder: Edition) -> None:
    """Tab stops at every control that is seen, and what it stops at is marked."""
    for path in ("index.html", "lesson04.html", "glossary.html"):
        folder.open(path)
        for name in folder.figures():
            folder.wake(name)
        assert folder.missed_by_tab() == [], path


def test_a_phones_navigation_opens_leads_on_and_closes(folder: Edition) -> None:
    folder.page.set_viewport_size({"width": 390, "height": 844})
    folder.open("library/tuning.html")
    drawer = folder.page.locator(".sidebar-drawer")
    expect(drawer).not_to_be_in_viewport()
    folder.page.locator(".nav-overlay-icon").first.click()
    expect(drawer).to_be_in_viewport(ratio=0.9)
    folder.page.mouse.click(370, 600)  # beside it
    expect(drawer).not_to_be_in_viewport()
    folder.page.locator(".nav-overlay-icon").first.click()
    drawer.get_by_role("link", name="Glossary").click()
    expect(folder.page.get_by_role("heading", level=1)).to_contain_text("Glossary")
    expect(drawer).not_to_be_in_viewport()


def test_next_and_previous_are_one_way_through_all_pages(site: Path, pages: list[str]) -> None:
    def leads(path: Path, way: str) -> Path | None:
        found = re.search(rf'<a class="{way}-page" href="([^"]+)"', path.read_text("utf-8"))
        return (path.parent / found[1]).resolve() if found else None

    walked = [(site / "index.html").resolve()]
    while following := leads(walked[-1], "next"):
        assert leads(following, "prev") == walked[-1], following.name
        walked.append(following)
        assert len(walked) <= len(pages), "in a circle"
    names = [str(path.relative_to(site.resolve())) for path in walked]
    assert names[1 : 1 + len(LESSONS)] == [page_of(lesson) for lesson in LESSONS]
    assert set(pages) - set(names) == {"genindex.html", "search.html"}


def test_the_search_finds_lessons_in_a_folder(folder: Edition) -> None:
    folder.open("search.html?q=accumulator")
    results = folder.page.locator("#search-results li a")
    expect(folder.page.locator(".search-summary")).to_contain_text("found", timeout=20_000)
    found = results.evaluate_all("(links) => links.map((link) => link.getAttribute('href'))")
    lessons = [k for k, link in enumerate(found) if link.startswith("lesson")]
    answers = [k for k, link in enumerate(found) if link.startswith("library/teachers/")]
    assert any("lesson02.html" in link for link in found[:3])
    assert lessons and answers and max(lessons) < min(answers)
    assert not any("whole.html" in link for link in found)
    assert folder.complaints == []


def test_the_search_can_be_asked_on_its_own_page_and_says_what_it_has_not(folder: Edition) -> None:
    folder.page.set_viewport_size({"width": 390, "height": 844})
    folder.open("search.html")
    field = folder.page.locator(".grda-search").get_by_role("searchbox")
    field.fill("xyzzy")
    field.press("Enter")
    expect(folder.page.locator("#search-results")).to_contain_text(
        "Nothing was found", timeout=20_000
    )
    expect(folder.page.locator(".grda-search").get_by_role("searchbox")).to_have_value("xyzzy")
    # A name of the library is found by its own letters, not by those before its dot.
    folder.open("search.html?q=grda")
    summary = folder.page.locator(".search-summary")
    expect(summary).to_contain_text("found", timeout=20_000)
    names = folder.page.locator("#search-results li.kind-object a").all_inner_texts()
    assert names and all("grda" in name.removeprefix("grda_edu").lower() for name in names)


def test_without_scripts_there_are_text_formulas_pictures_and_sentences(
    context: BrowserContext, site: Path
) -> None:
    assert context.browser is not None
    apart = context.browser.new_context(java_script_enabled=False, offline=True)
    page = apart.new_page()
    for lesson in LESSONS:
        page.goto(f"{site.as_uri()}/{page_of(lesson)}")
        shown = page.locator("[data-figure]")
        for k in range(shown.count()):
            assert shown.nth(k).locator(".grda-sentence").inner_text().strip()
            in_space = shown.nth(k).locator(".grda-still-note").count()
            picture = shown.nth(k).locator("svg.grda-picture")
            assert in_space or picture.bounding_box()["height"] > 100  # type: ignore[index]
    page.goto(f"{site.as_uri()}/lesson02.html")
    assert page.locator("math").first.bounding_box()["width"] > 4  # type: ignore[index]
    apart.close()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.asked: set[str] = set()  # what the page itself fetches

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = dict(attributes)
        self.ids |= {told[name] or "" for name in ("id", "name") if name in told}
        if tag == "a" and told.get("href"):
            self.links.add(told["href"] or "")
        elif told.get("src") or (tag == "link" and told.get("rel") != "canonical"):
            self.asked.add(told.get("src") or told.get("href") or "")


def test_every_link_leads_somewhere(site: Path, pages: list[str]) -> None:
    read = {}
    for path in pages:
        read[(site / path).resolve()] = parsed = _Links()
        parsed.feed((site / path).read_text("utf-8"))
    astray = []
    for path, parsed in read.items():
        assert not [url for url in parsed.asked if urlsplit(url).netloc], path
        for link in parsed.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            to = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            fragment = unquote(parts.fragment)
            if not to.exists() or (fragment and to in read and fragment not in read[to].ids):
                astray.append(f"{path.name}: {link}")
    assert astray == []


def test_what_is_not_timed_for_a_page_says_so(site: Path) -> None:
    """A build measures no times, which would be others at every build; and no table has a number that is none."""
    cells = {
        lesson: re.findall(r"<t[dh][^>]*>([^<]*)", (site / page_of(lesson)).read_text("utf-8"))
        for lesson in LESSONS
    }
    holes = re.compile(r"\b(nan|undefined)\b")
    assert {
        k: found for k, all_ in cells.items() if (found := [c for c in all_ if holes.search(c)])
    } == {}
    assert cells[LESSONS[11]].count("not timed") >= 5


def packed(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 6))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_small(site: Path, lesson: str) -> None:
    """What a browser fetches up to the first slider, and what of it is new on a second lesson."""
    path = site / page_of(lesson)
    text = path.read_text("utf-8")
    parsed = _Links()
    parsed.feed(text)
    shared = {url.partition("?")[0] for url in parsed.asked if "_static" in url}
    first = re.search(r'data-figure="([^"]+)"', text)
    assert first is not None
    own = packed(path) + packed(site / "_static" / "figures" / f"{first[1]}.js")
    library = packed(site / "_static" / "plotly-cartesian.min.js")
    assert own <= WARM
    assert own + library + sum(packed(site / url) for url in shared) <= COLD


def test_a_second_build_gives_the_same_bytes(site: Path, tmp_path: Path) -> None:
    again = tmp_path / "site"
    build(again)
    files = sorted(str(p.relative_to(site)) for p in site.rglob("*") if p.is_file())
    assert files == sorted(str(p.relative_to(again)) for p in again.rglob("*") if p.is_file())
    assert filecmp.cmpfiles(site, again, files, shallow=False)[1:] == ([], [])
