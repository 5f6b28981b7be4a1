"""Live views while things go wrong or are shown twice: kernels that end, prints, second tabs, second views."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from .lab import Lab, Server, wait_for
from .test_cards import CHECK, NUMBER, SETUP
from .test_explorable import CURVES
from .test_lesson04 import FAILING, PATIENCE, button, opened, status

SLOW = """
import threading, warnings
from grda_edu.views.runs import TrainingView

def job(progress, stop):
    print("the first line")
    warnings.warn("mu is small")
    for k in range(1, 10_000):
        if stop.wait(0.1):
            break
        progress({}, k / 10_000, f"Batch {k}")
    print("the last line")
    return {}

live = TrainingView(job, 600)
live
"""


def begin(lab: Lab) -> None:
    """Start by keyboard; wait until it is under way."""
    button(lab, "start").focus()
    lab.page.keyboard.press("Enter")
    wait_for(lambda: "Batch" in status(lab), "the work is under way", PATIENCE)


def restart(lab: Lab) -> None:
    lab.restart_kernel()


def shut_down(lab: Lab) -> None:
    lab.kill_kernel()


def kill(lab: Lab) -> None:
    lab.run("import os, signal, threading; threading.Timer(0.2, os.kill, (os.getpid(), 9)).start()")


@pytest.fixture
def second(server: Server, context: BrowserContext) -> Iterator[Lab]:
    """A second tab of the browser."""
    page = Lab(server, context)
    yield page
    page.close()


def output_view(lab: Lab) -> None:
    """The menu's "Create New View for Cell Output" of the last cell; the notebook stays in front."""
    lab.command("notebook:create-output-view")
    wait_for(lambda: lab.page.locator(".jp-LinkedOutputView").count() == 1, "the second view")


@pytest.mark.parametrize("end", [restart, shut_down, kill])
def test_a_view_knows_that_its_kernel_is_gone(lab: Lab, end) -> None:
    opened(lab, SLOW)
    begin(lab)
    end(lab)
    wait_for(lambda: "Run the cell again" in status(lab), "the page says so", PATIENCE)
    time.sleep(0.5)  # nothing that was on its way changes it
    assert "The kernel was restarted or has stopped" in status(lab) and "Batch" not in status(lab)
    assert button(lab, "start").is_disabled() and button(lab, "stop").is_disabled()
    button(lab, "stop").click(force=True)
    time.sleep(0.2)
    assert "The kernel was restarted or has stopped" in status(lab)
    assert lab.complaints == []


def test_after_a_restart_the_cell_runs_again(lab: Lab) -> None:
    opened(lab, SLOW)
    begin(lab)
    lab.restart_kernel()
    lab.run_all()
    lab.figures(1)[0].settle()
    assert "Press Start" in status(lab)
    begin(lab)
    button(lab, "stop").click()
    wait_for(lambda: "Finished" in status(lab), "the end", PATIENCE)


def test_the_keyboard_stays_and_the_bar_has_a_role_and_a_value(lab: Lab) -> None:
    opened(lab, SLOW)
    bar = lab.page.get_by_role("progressbar", name="How far it has come")
    assert bar.get_attribute("aria-valuenow") == "0"
    begin(lab)
    expect(button(lab, "start")).to_be_focused()
    lab.page.keyboard.press("Enter")  # Start cannot be pressed twice
    lab.page.keyboard.press("Tab")
    expect(button(lab, "stop")).to_be_focused()
    lab.page.keyboard.press("Space")
    wait_for(lambda: "Finished" in status(lab), "the end", PATIENCE)
    expect(button(lab, "stop")).to_be_focused()
    assert bar.get_attribute("aria-valuenow") == "100"
    assert lab.complaints == []


def top(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box is not None
    return box["y"]


def test_what_the_thread_prints_is_below_the_figure_and_moves_nothing(lab: Lab) -> None:
    opened(lab, SLOW)
    figure = lab.page.locator(".grda-figure")
    before = top(figure) - top(button(lab, "start"))
    begin(lab)
    printed = lab.page.locator(".grda-training-printed pre").first
    expect(printed).to_contain_text("the first line")
    expect(printed).to_contain_text("UserWarning: mu is small")
    assert top(figure) - top(button(lab, "start")) == before
    assert top(printed) > top(figure)
    button(lab, "stop").click()
    expect(printed).to_contain_text("the last line")
    assert "stands below the figure" in status(lab)


def test_an_error_leaves_the_figure_where_it_is(lab: Lab) -> None:
    opened(lab, FAILING)
    figure = lab.page.locator(".grda-figure")
    before = top(figure) - top(button(lab, "start"))
    button(lab, "start").click()
    expect(lab.page.get_by_role("alert").last).to_contain_text("ZeroDivisionError: no such batch")
    assert top(figure) - top(button(lab, "start")) == before


def test_two_tabs_show_one_training(lab: Lab, second: Lab) -> None:
    opened(lab, SLOW)
    lab.save()
    second.open("live.ipynb", reset=False)
    second.figures(1)[0].settle()
    begin(lab)
    wait_for(lambda: "Batch" in status(second), "the second tab follows", PATIENCE)
    assert button(second, "start").is_disabled() and button(second, "stop").is_enabled()
    button(second, "stop").click()
    wait_for(lambda: "Finished" in status(lab), "Stop in one ends it in both", PATIENCE)
    wait_for(lambda: status(second) == status(lab), "both say the same")


# ---------------------------------------------------------------- figures shown twice


def test_two_tabs_agree_on_every_control(lab: Lab, second: Lab) -> None:
    lab.write("figures.ipynb", [CURVES])
    lab.open("figures.ipynb")
    lab.run_all()
    lab.figures(1)[0].settle()
    lab.save()
    second.open("figures.ipynb", reset=False)
    pair = [page.figures(1)[0].settle() for page in (lab, second)]

    def agree() -> bool:
        one, other = (
            ([f.position(name) for name in ("kind", "tau", "number")], f.sentence(), f.status())
            for f in pair
        )
        return one == other and one[2] == ""

    for k, (name, position) in enumerate([("tau", 3), ("kind", 1), ("number", 20), ("kind", 0)]):
        mover = pair[k % 2]
        mover.move(name, position)
        wait_for(agree, f"both tabs agree on {name}")
        assert mover.position(name) == position
    pair[1].button("Reset").click()
    wait_for(agree, "both tabs are reset")
    assert pair[0].position("tau") == 5
    lab.run("demo.tau = 2")
    wait_for(lambda: agree() and pair[0].position("tau") == 20, "Python moves both")
    # Both tabs move at once: neither slider jumps back under the hand, and in the end they agree.
    drag = """(node, from) => new Promise((done) => {
      const seen = [];
      let k = 0;
      const timer = setInterval(() => {
        if (k) seen.push(Number(node.value) - (from + k - 1));
        if (k === 15) { clearInterval(timer); return done(seen); }
        node.value = String(from + k++);
        node.dispatchEvent(new Event("input", { bubbles: true }));
      }, 40);
    })"""
    assert set(pair[0].control("number").evaluate(drag, 3)) == {0}
    put = "(node, to) => { node.value = to; node.dispatchEvent(new Event('input')); }"
    pair[1].control("number").evaluate(put, "25")
    pair[0].control("number").evaluate(put, "7")
    time.sleep(1)  # whatever is on its way arrives
    assert agree() and f"{pair[0].position('number')}" in lab.run("print(demo.index[1])")
    assert lab.complaints == [] and second.complaints == []


def test_two_views_of_a_figure_move_together(lab: Lab) -> None:
    lab.write("figures.ipynb", [CURVES])
    lab.open("figures.ipynb")
    lab.run_all()
    lab.select(0)
    output_view(lab)
    roots = lab.page.locator(".grda-figure")
    expect(roots).to_have_count(2)
    sliders = roots.locator('.grda-control[data-control="tau"] input')
    sliders.nth(0).evaluate(
        "node => { node.value = '9'; node.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(sliders.nth(1)).to_have_value("9")
    texts = roots.locator(".grda-sentence")
    wait_for(lambda: len(set(texts.all_text_contents())) == 1, "one sentence")


def test_two_views_of_a_prediction_agree(lab: Lab, tmp_path) -> None:
    home = f"import os; os.environ['GRDA_EDU_HOME'] = {str(tmp_path)!r}"
    lab.write("cards.ipynb", [f"{home}\n{SETUP}", NUMBER, CHECK])
    lab.open("cards.ipynb")
    lab.run_all()
    lab.select(1)
    output_view(lab)
    cards = lab.page.locator(".grda-card", has_text="1 + 1?")
    expect(cards).to_have_count(2)
    one, other = cards.nth(0), cards.nth(1)
    one.get_by_label("2").check()
    other.get_by_label("3").check()  # a choice not yet committed is each view's own
    expect(one.get_by_label("2")).to_be_checked()
    one.get_by_role("button", name="Commit").click()
    for card in (one, other):
        expect(card).to_contain_text("You predicted it.")
        expect(card.get_by_label("2")).to_be_checked()
        expect(card.get_by_label("3")).not_to_be_checked()
    ids = lab.page.evaluate("[...document.querySelectorAll('.grda-card [id]')].map((n) => n.id)")
    assert len(set(ids)) == len(ids)


# ---------------------------------------------------------------- a figure whose table never came


def test_a_figure_without_a_table_says_what_to_do(lab: Lab) -> None:
    cell = "from grda_edu.explore import Panel, Picture, line, palette, panels\n"
    cell += "p = Picture(lambda: panels(Panel(line('a', palette.INK))), label='Waits')\np"
    lab.write("empty.ipynb", [cell])
    lab.open("empty.ipynb")
    lab.run_all()
    (figure,) = lab.figures(1)
    said = figure.root.locator(".grda-status")
    expect(said).to_have_text("Computing …")
    expect(said).to_contain_text("Nothing has come from the kernel yet", timeout=15_000)
    assert "run the cell again" in figure.status()
    lab.run("p.show({'a.y': [1.0, 2.0]}, 'Two points.')")
    figure.settle()
    expect(said).to_be_hidden()
    assert figure.sentence() == "Two points."
