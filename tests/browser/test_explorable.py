"""Figures in a real JupyterLab: what is drawn is what Python computed, whatever happens to the kernel."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from playwright.sync_api import BrowserContext, Locator

from grda_edu.explore import Explorable, Handle, Slider, palette

from .lab import Figure, Lab, wait_for

# The same text is a notebook's cell and, executed here, the oracle of what the page must draw.
CURVES = '''
import numpy as np
import plotly.graph_objects as go
from grda_edu.explore import Choice, Explorable, Picture, Slider, palette

x = np.linspace(-3, 3, 161)

def curves(tau, number, kind):
    """Two curves, a point, colours and words that depend on three controls."""
    soft = np.sign(x) * np.maximum(np.abs(x) - tau, 0)
    hard = np.where(np.abs(x) > tau, x, 0)
    result = float(np.sign(number) * max(abs(number) - tau, 0))
    chosen = {"soft": soft, "hard": hard}[kind]
    row = {
        "soft.y": soft,
        "the other. one.y": chosen + 0.1,
        "point.x": [number],
        "point.y": [result],
        "point.marker.color": [palette.GRDA.color if result else palette.MUTED],
        "point.visible": bool(number > -3),
        "layout.title.text": f"S({number:.2f}) = {result:.2f}",
        "layout.annotations[0].text": f"threshold {tau:.2f}",
        "layout.annotations[0].x": tau,
        "layout.xaxis.range": [-3 - tau, 3 + tau],
    }
    return row, f"{kind}: with τ = {tau:.2f}, {number:.2f} becomes {result:.2f}."

def curves_figure():
    return palette.figure(
        go.Scatter(x=x, y=x, name="soft", line=palette.GRDA.line()),
        go.Scatter(x=x, y=x, name="the other. one", line=palette.SGD.line()),
        go.Scatter(x=[0], y=[0], name="point", mode="markers"),
        annotations=[{"text": "", "x": 0, "y": 2, "showarrow": False}],
    )

curves_controls = {
    "kind": Choice({"Soft": "soft", "Hard": "hard"}, label="Rule"),
    "tau": Slider.linear(0, 2, 21, label="threshold τ", start=0.5),
    "number": Slider.linear(-3, 3, 31, label="number x", unit="cm", play=True),
}
demo = Explorable(curves_figure, curves, curves_controls, label="Thresholding")
demo
'''
FIELD = """
from grda_edu.explore import Explorable, Slider, palette
import numpy as np, plotly.graph_objects as go
from plotly.subplots import make_subplots

def field(c):
    rows, columns = np.mgrid[0:5, 0:8]
    z = (rows + 10 * columns).astype(float) * c
    z[0, 0] = np.nan
    names = np.array([f"w{k} {c:.3f}" for k in range(4)])
    row = {"map.z": z, "bars.y": c * np.arange(4), "bars.text": names,
           "bars.marker.color": c * np.arange(4)}
    return row, f"The field at c = {c:.4f}."

def field_figure():
    both = make_subplots(rows=1, cols=2)
    both.add_trace(go.Heatmap(z=np.zeros((5, 8)), name="map", colorscale=palette.FIELD), 1, 1)
    both.add_trace(go.Bar(x=list("abcd"), y=[0] * 4, name="bars"), 1, 2)
    return both

field_demo = Explorable(
    field_figure, field, {"c": Slider.log(1e-3, 1e-1, 5, label="c")}, label="A field")
field_demo
"""
LIVE = """
import time
calls = []

def slow(n):
    calls.append(n)
    time.sleep(0.25)
    if n == 30:
        raise ArithmeticError("thirty cannot be computed")
    return {"line.y": [n, 2 * n, 3 * n]}, f"n is {n:.0f}."

live = Explorable(palette.figure(go.Scatter(x=[0, 1, 2], y=[0, 0, 0], name="line")), slow,
                  {"n": Slider.linear(0, 40, 41, label="n", format=".0f")}, label="Live", budget=1)
live
"""
BROKEN = """
def broken(n):
    raise ArithmeticError("nothing can be computed")

Explorable(palette.figure(go.Scatter(x=[0], y=[0], name="line")), broken,
           {"n": Slider.linear(0, 3, 4)}, label="Broken")
"""
PICTURE = """
picture = Picture(palette.figure(go.Scatter(x=[0, 1], y=[0, 0], name="loss")), label="Training")
picture.show({"loss.x": [0, 1], "loss.y": [4.0, 2.0]}, "Epoch 1.")
import ipywidgets
ipywidgets.VBox([ipywidgets.HTML("above"), picture])
"""


@pytest.fixture(scope="module")
def python() -> dict:
    """The names of CURVES and FIELD, executed here."""
    names: dict = {}
    exec(CURVES, names)
    exec(FIELD, names)
    return names


def run(lab: Lab, sources: list[str]) -> None:
    """Open a notebook of these cells and run them; none may fail."""
    lab.write("figures.ipynb", sources)
    lab.open("figures.ipynb")
    lab.run_all()
    assert lab.errors() == []


def numbers(values: object) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def assert_plays(figure: Figure, python: dict, tau: int, number: int, kind: str) -> None:
    """The drawing is what ``curves`` computes where the controls stand."""
    sliders = python["curves_controls"]
    values = {"tau": sliders["tau"].values[tau], "number": sliders["number"].values[number]}
    row, sentence = python["curves"](**values, kind=kind)
    assert figure.problem() == ""
    drawn, layout = figure.data(), figure.layout()
    for name in ("soft", "the other. one"):
        np.testing.assert_array_equal(numbers(drawn[name]["y"]), numbers(row[f"{name}.y"]))
    for axis in "xy":
        np.testing.assert_array_equal(numbers(drawn["point"][axis]), numbers(row[f"point.{axis}"]))
    assert drawn["point"]["visible"] is row["point.visible"]
    assert figure.title() == row["layout.title.text"] and "title" not in layout
    assert layout["annotations"][0]["text"] == row["layout.annotations[0].text"]
    np.testing.assert_allclose(layout["annotations"][0]["x"], values["tau"], rtol=1e-6)
    np.testing.assert_allclose(layout["xaxis"]["range"], row["layout.xaxis.range"], rtol=1e-6)
    assert figure.sentence() == sentence


def assert_same_everywhere(figure: Figure, python: dict) -> None:
    """Mouse, keys, presets, reset and play in a notebook and in a stand-alone page alike."""
    assert figure.controls() == ["kind", "tau", "number"]
    assert_plays(figure, python, 5, 0, "soft")
    figure.move("tau", 13).move("number", 22)
    assert_plays(figure, python, 13, 22, "soft")
    assert figure.readout("number") == "1.4 cm"
    figure.press("tau", "End")
    assert_plays(figure, python, 20, 22, "soft")
    figure.press("tau", "ArrowLeft", "ArrowDown", "PageDown", "ArrowUp")
    assert_plays(figure, python, 17, 22, "soft")
    figure.press("number", "Home", "ArrowLeft")
    assert_plays(figure, python, 17, 0, "soft")
    figure.move("kind", 1)
    assert_plays(figure, python, 17, 0, "hard")
    figure.press("kind", "Home")
    assert_plays(figure, python, 17, 0, "soft")
    figure.button("Reset").click()
    assert_plays(figure.settle(), python, 5, 0, "soft")
    figure.button("Play number x").click()
    wait_for(lambda: figure.position("number") >= 2, "the slider moves by itself")
    figure.move("tau", 3)  # a hand on a control stops what plays
    stopped = figure.position("number")
    figure.root.page.wait_for_timeout(700)
    assert figure.position("number") == stopped
    assert_plays(figure.settle(), python, 3, stopped, "soft")
    figure.button("Reset").click()
    figure.settle()


def test_table_is_played(lab: Lab, python: dict) -> None:
    run(lab, [CURVES, FIELD, "assert demo.tabulated and field_demo.tabulated"])
    curves, field = lab.figures(2)
    assert_same_everywhere(curves.settle(), python)

    lab.run("demo.tau = 1.2; demo.kind = 'Hard'")
    wait_for(lambda: curves.position("tau") == 12 and curves.position("kind") == 1, "it moves")
    assert_plays(curves.settle(), python, 12, 0, "hard")
    curves.move("number", 30)
    wait_for(
        lambda: lab.run("print(demo.tau, demo.number, demo.kind)").strip() == "1.2 3.0 Hard", ""
    )
    assert "accepted is 0 to 2" in lab.run("demo.tau = 5")
    assert lab.run("print(demo.tau)").strip() == "1.2"

    field.settle()
    for k, c in enumerate(python["field_demo"]._sliders["c"].values):
        field.move("c", k)
        row, sentence = python["field"](c)
        assert field.problem() == ""
        drawn = field.data()
        np.testing.assert_array_equal(
            numbers([[float(v) for v in line] for line in drawn["map"]["z"]]),
            numbers(row["map.z"]),
        )
        assert drawn["bars"]["text"] == row["bars.text"].tolist()
        np.testing.assert_array_equal(
            numbers(drawn["bars"]["marker"]["color"]), numbers(row["bars.marker.color"])
        )
        assert field.sentence() == sentence
    assert_theme_and_size(lab, curves)
    assert_quiet(lab, curves)
    assert lab.complaints == [] and lab.outside == [] and lab.errors() == []

    lab.kill_kernel()
    sent = lab.messages_sent
    curves.move("tau", 20)
    assert_plays(curves, python, 20, curves.position("number"), "hard")
    curves.press("number", "Home")
    assert_plays(curves, python, 20, 0, "hard")
    lab.page.wait_for_timeout(500)
    assert lab.messages_sent == sent
    assert lab.complaints == []


def assert_theme_and_size(lab: Lab, figure: Figure) -> None:
    """Colours follow the theme while the figure stands; its width follows the window."""
    color = palette.GRDA.color
    assert figure.data()["soft"]["line"]["color"] == color
    lab.theme("dark")
    wait_for(lambda: figure.data()["soft"]["line"]["color"] == palette.DARK[color], "dark colours")
    figure.settle()
    assert figure.layout()["font"]["color"] == palette.DARK[palette.INK]
    lab.theme("light")
    wait_for(lambda: figure.data()["soft"]["line"]["color"] == color, "light colours")
    before = figure.settle().width()
    lab.page.set_viewport_size({"width": 1000, "height": 900})
    wait_for(lambda: before - 300 < figure.width() < before - 250, "a narrower figure")
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
    wait_for(lambda: abs(figure.width() - before) < 2, "the former width")


_SWEEP = """async (input) => {
  const root = input.closest(".grda-figure");
  const spoken = root.querySelector(".grda-spoken");
  const changes = [];
  const watch = new MutationObserver(() => changes.push(performance.now()));
  watch.observe(spoken, { childList: true, characterData: true, subtree: true });
  const start = performance.now();
  let last = start;
  let jumps = 0;  // the kernel's echo of an earlier position must not pull the slider back
  for (let k = 0; k < 60; k++) {
    jumps += k > 0 && Number(input.value) !== (k - 1) % 20;
    input.value = k % 20;
    input.dispatchEvent(new Event("input"));
    last = performance.now();
    await new Promise((done) => setTimeout(done, 25));
  }
  await new Promise((done) => setTimeout(done, 1200));
  watch.disconnect();
  const seconds = (performance.now() - start) / 1000;
  return { waits: changes.map((at) => at - last), seconds, jumps };
}"""


def assert_quiet(lab: Lab, figure: Figure) -> None:
    """While a slider is swept the screen reader waits, and the kernel hears five times a second."""
    sent = lab.messages_sent
    heard = figure.control("tau").evaluate(_SWEEP)
    spoken = [wait for wait in heard["waits"] if wait > 0]
    assert heard["jumps"] == 0 and figure.position("tau") == 59 % 20
    assert len(spoken) == 1 and spoken[0] >= 290
    assert figure.spoken() == figure.sentence()
    assert 1 <= lab.messages_sent - sent <= math.ceil(5 * heard["seconds"]) + 1
    figure.settle()


GOALS = """
from grda_edu.explore import Explorable, Goal, Slider, palette
import plotly.graph_objects as go

goal_demo = Explorable(
    palette.figure(go.Scatter(x=[0, 1], y=[0, 0], name="line")),
    lambda c: ({"line.y": [c, c]}, f"c is {c:g}."),
    {"c": Slider([0, 1, 2, 3], label="c")},
    goals=[Goal("make c two.", lambda c: c == 2), Goal("make c three.", lambda c: c == 3)],
    label="Goals")
goal_demo
"""


def assert_goals_light(figure: Figure) -> None:
    """Lit at once, remembered where the controls rest, not where they pass by, and said once."""
    assert figure.goals() == ["open", "open"]
    spoken = figure.root.locator(".grda-goal-box [role=status]")
    assert spoken.count() == 1
    figure.control("c").evaluate(
        "(node) => { for (const value of [2, 3]) {"
        " node.value = value; node.dispatchEvent(new Event('input')); } }"
    )
    assert figure.settle().goals() == ["open", "here"]
    wait_for(lambda: spoken.text_content() == "Goal reached: make c three.", "it is said")
    assert "reached" in (figure.root.locator(".grda-goal").nth(1).text_content() or "")
    figure.move("c", 1)
    assert figure.goals() == ["open", "before"]
    figure.move("c", 2)
    assert figure.goals() == ["here", "before"]
    wait_for(lambda: spoken.text_content() == "Goal reached: make c two.", "it is said")


def test_goals_light_where_the_table_says_so(lab: Lab) -> None:
    run(lab, [GOALS, "goal_demo"])
    first, second = lab.figures(2)
    assert_goals_light(first.settle())
    assert second.settle().goals() == ["here", "before"]
    wait_for(lambda: lab.run("print(goal_demo.reached)").strip() == "[True, True]", "Python knows")
    lab.kill_kernel()
    first.move("c", 0)
    assert first.goals() == ["before", "before"]
    first.move("c", 3)
    assert first.goals() == ["before", "here"]
    assert lab.complaints == []


def copied(figure: Figure) -> str:
    """What "Copy as Python" gives, by the keyboard; it closes and the focus returns."""
    button = figure.button("Copy as Python")
    button.focus()
    page = figure.root.page
    page.keyboard.press("Enter")
    text = figure.root.locator("textarea")
    wait_for(lambda: figure.root.locator(".grda-code-said").text_content(), "it says what happened")
    assert text.evaluate("node => node === document.activeElement")
    chosen = text.evaluate("node => node.value.slice(node.selectionStart, node.selectionEnd)")
    page.keyboard.press("Escape")
    assert not text.is_visible() and button.evaluate("node => node === document.activeElement")
    return chosen


def test_copy_as_python(lab: Lab) -> None:
    """The lines, run in another cell, put another figure where the first one stands."""
    lab.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    make = "make = lambda: Explorable(curves_figure, curves, curves_controls, label='Made')"
    run(lab, [CURVES, make + "\nmake()"])
    first, second = lab.figures(2)
    for figure in (first.settle(), second.settle()):
        figure.move("kind", 1).move("tau", 7).move("number", 11)
    assert copied(first).splitlines() == [
        'demo.kind = "Hard"',
        "demo.tau = 0.7",
        "demo.number = -0.8",
    ]
    lab.run("demo.tau, demo.number, demo.kind = 0, 0, 'Soft'")
    code = copied(second)
    assert code.splitlines()[0] == "figure = make()" and code.splitlines()[-1] == "figure"
    lab.run(code)
    assert lab.run("print(figure.tau, figure.number, figure.kind)").strip() == "0.7 -0.8 Hard"
    first.button("Copy as Python").click()
    first.move("tau", 3)
    assert "demo.tau = 0.3" in first.root.locator("textarea").input_value()
    said = first.root.locator(".grda-code-said").text_content() or ""
    assert "selected" in said and "Copied" not in said
    assert lab.complaints == []


def test_a_link_from_the_web_edition_moves_the_page(lab: Lab) -> None:
    run(lab, [CURVES])
    (figure,) = lab.figures(1)
    figure.settle()
    lab.run("demo.follow('https://a.host/lesson99.html#demo?kind=Hard&tau=0.7&number=-0.8')")
    wait_for(
        lambda: (
            copied(figure).splitlines()
            == ['demo.kind = "Hard"', "demo.tau = 0.7", "demo.number = -0.8"]
        ),
        "it moves",
    )
    assert figure.settle().sentence() == "hard: with τ = 0.70, -0.80 becomes -0.10."
    assert lab.complaints == []


VEILED = """
from types import ModuleType
import sys
from grda_edu import course
lesson = ModuleType("grda_edu.lessons.lesson01")
lesson.PREDICTIONS = {"sum": course.Prediction(title="Sum", question="1 + 1?", answer=lambda: 2.0)}
sys.modules[lesson.__name__] = lesson
figure = course.veiled("01.sum")(lambda: Explorable(
    curves_figure, curves, curves_controls, label="Covered"))
course.predict("01.sum")
"""


def test_a_veil_covers_until_the_prediction_is_settled_or_by_its_button(lab: Lab) -> None:
    run(lab, [CURVES, VEILED, "figure()", "figure()"])
    _, covered, other = lab.figures(3)
    for figure in (covered.settle(), other.settle()):
        assert figure.root.locator(".grda-veil").is_visible() and figure.sentence()
        assert not figure.control("tau").is_visible()
        assert not figure.root.locator(".grda-sentence").is_visible()
        assert not figure.root.locator(".main-svg").first.is_visible()
    high = covered.root.evaluate("root => root.offsetHeight")
    card = lab.page.locator(".grda-card")
    card.get_by_role("button", name="Skip").click()
    wait_for(covered.control("tau").is_visible, "it opens")
    wait_for(other.control("tau").is_visible, "the other one opens")
    assert covered.root.evaluate("root => root.offsetHeight") == high
    covered.move("tau", 3)

    lab.run("import grda_edu.course.veil as v; v._skipped.clear()")
    for cell in (1, 2, 3):
        lab.run_cell(cell)
    _, covered, other = lab.figures(3)
    wait_for(covered.settle().root.locator(".grda-veil").is_visible, "it is covered again")
    lab.kill_kernel()
    covered.root.get_by_role("button", name="Show it without an answer").click()
    assert covered.control("tau").is_visible() and not other.control("tau").is_visible()
    assert lab.page.evaluate("document.activeElement.closest('.grda-control') !== null")
    assert lab.complaints == []


def handle_figure() -> Explorable:
    """A point on a parabola, a level line, and a point anywhere in a field."""
    u = np.linspace(-1, 1, 9).round(3).tolist()
    place = palette.figure(
        go.Scatter(x=[0], y=[0], name="arc", mode="markers"),
        go.Scatter(x=np.array([-1.0, 1.0]), y=[0, 0], name="level"),
        go.Scatter(x=[0], y=[0], name="spot", mode="markers", xaxis="x2", yaxis="y2"),
        height=400,
        xaxis={"range": [-1.2, 1.2], "domain": [0, 0.45]},
        yaxis={"range": [-1.2, 1.2]},
        xaxis2={"range": [-1.2, 1.2], "domain": [0.55, 1]},
        yaxis2={"range": [-1, 1], "type": "log", "anchor": "x2"},
    )
    return Explorable(
        place,
        lambda a, b, c: (
            {"arc.x": [a], "arc.y": [a * a], "level.y": [b, b], "spot.x": [b], "spot.y": [c]},
            f"{a} {b} {c}",
        ),
        {"a": Slider(u), "b": Slider(u, start=-0.5), "c": Slider.log(0.1, 10, 9, start=1)},
        handles=[
            Handle("arc", "a"),
            Handle("level", "b", line=True),
            Handle("spot", "b", "c", field=True),
        ],
        label="Handles",
    )


class Grip:
    """A handle on the page."""

    def __init__(self, figure: Figure, trace: str) -> None:
        self.figure, self.page = figure, figure.root.page
        self.node = figure.root.locator(f'.grda-handle[data-trace="{trace}"]')

    def place(self) -> tuple[float, float]:
        box = self.node.bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, right: float, down: float) -> None:
        x, y = self.place()
        self.page.mouse.move(x + 3, y + 2)  # taken beside its middle: it must not jump
        self.page.mouse.down()
        for k in range(1, 6):
            self.page.mouse.move(x + 3 + right * k / 5, y + 2 + down * k / 5)
        self.page.mouse.up()
        self.figure.settle()

    def spoken(self) -> str:
        return self.node.get_attribute("aria-valuetext") or ""


def test_handles_are_dragged_and_sliders_follow(context: BrowserContext, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(handle_figure().to_html(), encoding="utf-8")
    page = context.new_page()
    page.set_viewport_size({"width": 1000, "height": 800})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    figure = Figure(page.locator(".grda-figure")).settle()
    at = lambda: [figure.position(name) for name in "abc"]  # noqa: E731
    arc, level, spot = (Grip(figure, name) for name in ("arc", "level", "spot"))
    wait_for(arc.node.is_visible, "the handles stand")
    unit = figure.root.evaluate(
        "root => { const { xaxis, yaxis, xaxis2, yaxis2 } = root.querySelector('.grda-plot')._fullLayout;"
        " return [xaxis._length / 2.4, yaxis._length / 2.4, xaxis2._length / 2.4, yaxis2._length / 2]; }"
    )
    assert at() == [0, 2, 4]
    # From (−1, 1) to (0, 0) on the parabola; beyond its ends it stays at the last value.
    arc.drag(unit[0], unit[1])
    assert at() == [4, 2, 4] and arc.spoken() == "a = 0"
    arc.drag(9 * unit[0], -unit[1])
    assert at() == [8, 2, 4]
    level.drag(-30, -0.75 * unit[1])  # up by three quarters, whatever the hand does sideways
    assert at() == [8, 5, 4] and level.node.get_attribute("aria-orientation") == "vertical"
    spot.drag(0.5 * unit[2], -unit[3] / 2)
    assert at() == [8, 7, 6] and spot.spoken() == "b = 0.75, c = 3.16"
    # A click in the field brings the point there; one in the other panel does nothing.
    x, y = spot.place()
    page.mouse.click(x - 1.5 * unit[2], y + unit[3])
    assert at() == [8, 1, 2]
    x, y = arc.place()
    page.mouse.click(x - unit[0], y + unit[1])
    assert at() == [8, 1, 2]
    # Arrows go to the next place on their side, also where that is a lower value.
    spot.node.focus()
    for key in ("ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    assert at() == [8, 2, 1]
    arc.node.focus()
    page.keyboard.press("ArrowDown")
    assert at() == [7, 2, 1]
    for key in ("Home", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    assert at() == [1, 2, 1]
    assert page.evaluate("document.activeElement.dataset.trace") == "arc"  # the focus stays
    # A finger.
    wire = page.context.new_cdp_session(page)
    x, y = arc.place()
    for kind, dx in (("touchStart", 0.0), ("touchMove", 0.4), ("touchMove", 0.75)):
        point = {"x": x + dx * unit[0], "y": y + 0.5 * unit[1] * (dx > 0)}
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    figure.settle()
    assert at() == [4, 2, 1]
    # Another width, another place: the point and its handle stay together.
    page.set_viewport_size({"width": 760, "height": 800})
    wait_for(lambda: abs(figure.width() - figure.room()) < 2, "the new width")
    drawn = figure.root.locator(".scatterlayer .trace .point").first
    wait_for(lambda: abs(center(drawn)[0] - arc.place()[0]) < 1, "the handle stands on its point")
    assert abs(center(drawn)[1] - arc.place()[1]) < 1
    assert complaints == []
    page.close()


def center(node: Locator) -> tuple[float, float]:
    box = node.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_kernel_computes_what_is_too_large_to_tabulate(lab: Lab) -> None:
    run(lab, [CURVES, LIVE, BROKEN, PICTURE, "assert not live.tabulated"])
    _, live, broken, picture = lab.figures(4)
    assert live.settle().data()["line"]["y"] == [0, 0, 0]

    seen = live.control("n").evaluate(
        """(input) => {
          for (const value of [3, 9, 14, 20]) {
            input.value = value;
            input.dispatchEvent(new Event("input"));
          }
          const root = input.closest(".grda-figure");
          return root.querySelector(".grda-status").textContent;
        }"""
    )
    assert "Computing" in seen
    assert live.settle().data()["line"]["y"] == [20, 40, 60]
    assert live.sentence() == "n is 20."
    calls = lab.run("print(calls)")
    assert "14.0" not in calls and "9.0" not in calls  # only the latest counts
    live.move("n", 21).move("n", 20)
    assert live.data()["line"]["y"] == [20, 40, 60]
    assert lab.run("print(calls.count(20.0))").strip() == "1"  # the second time from the cache

    live.move("n", 30)
    wait_for(live.problem, "the error is on the page")
    assert "ArithmeticError at n = 30.0: thirty cannot be computed" in live.problem()
    wait_for(lambda: live.root.locator(".grda-status").is_hidden(), "it computes no more")
    assert live.sentence() == ""
    live.move("n", 8)
    wait_for(lambda: not live.problem(), "the figure is back")
    assert live.settle().data()["line"]["y"] == [8, 16, 24]
    assert live.width() > 400

    assert "nothing can be computed" in broken.settle().problem()
    broken.press("n", "End")
    assert "nothing can be computed" in broken.problem()

    assert picture.settle().data()["loss"]["y"] == [4, 2]
    lab.run("picture.show({'loss.x': [0, 1, 2], 'loss.y': [4, 2, 1.5]}, 'Epoch 2.')")
    wait_for(lambda: picture.sentence() == "Epoch 2.", "the second epoch")
    assert picture.settle().data()["loss"]["y"] == [4, 2, 1.5]
    assert abs(picture.width() - picture.room()) < 2

    lab.kill_kernel()
    live.control("n").evaluate(
        "input => { input.value = 31; input.dispatchEvent(new Event('input')); }"
    )
    wait_for(lambda: "no longer running" in live.status(), "it says that nobody computes")
    assert lab.complaints == [] and lab.outside == []


_COUNT_LIBRARIES = """
globalThis.libraries = 0;  // how often a text as large as plotly.js was made a module
const make = URL.createObjectURL.bind(URL);
URL.createObjectURL = (blob) => { libraries += blob.size > 1e6; return make(blob); };
"""


def test_ten_figures_share_one_library(lab: Lab) -> None:
    """plotly.js comes once a page, and a cell that runs twenty times leaves one figure behind."""
    one = "Explorable(curves_figure, curves, curves_controls, label='Copy {}')"
    copies = [one.format(k) for k in range(9)]
    lab.page.add_init_script(_COUNT_LIBRARIES)
    run(lab, [CURVES, *copies])
    for figure in lab.figures(10):
        figure.settle()
    tables = 10 * int(lab.run("print(demo.table_bytes)"))
    assert lab.page.evaluate("libraries") == 1
    # One packed library is 1.6 MB; a second one would break the bound.
    assert lab.websocket_bytes < tables + 2_800_000
    assert lab.complaints == []

    count = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"
    widgets = lab.run(count)
    models = "jupyterapp.shell.currentWidget.node.querySelectorAll('.grda-figure').length"
    for _ in range(20):
        lab.run_cell(1)
    assert lab.run(count) == widgets
    assert lab.page.evaluate(models) == 10
    assert lab.figures(10)[1].settle().problem() == ""
    assert lab.complaints == [] and lab.errors() == []


def test_page_from_a_file_without_network(
    context: BrowserContext, python: dict, tmp_path: Path
) -> None:
    demo: Explorable = python["demo"]
    (tmp_path / "page.html").write_text(demo.to_html(), encoding="utf-8")
    assert context.browser is not None
    apart = context.browser.new_context(viewport={"width": 1000, "height": 800}, offline=True)
    page = apart.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    address = (tmp_path / "page.html").as_uri()
    page.goto(address)
    figure = Figure(page.locator(".grda-figure")).settle()
    assert_same_everywhere(figure, python)
    page.emulate_media(color_scheme="dark")
    dark = palette.DARK[palette.GRDA.color]
    wait_for(lambda: figure.data()["soft"]["line"]["color"] == dark, "dark colours")
    assert [url for url in requests if not url.startswith((address, "data:", "blob:"))] == []
    assert complaints == []
    apart.close()


def test_two_views_of_one_figure(lab: Lab) -> None:
    """A figure shown by two cells is one figure: both move."""
    run(lab, [CURVES, "demo"])
    first, second = lab.figures(2)
    first.settle()
    first.move("tau", 9)
    second.settle()
    assert second.position("tau") == 9 and second.sentence() == first.sentence()
    lab.run_cell(1)  # showing it again does not close it
    first, second = lab.figures(2)
    second.settle()
    first.settle().move("tau", 2)
    assert second.position("tau") == 2
    assert lab.complaints == []


_RERUNS = 20  # in each of two rounds
_WIDGETS = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"


def test_the_page_does_not_grow_when_a_figure_cell_runs_again(
    lab: Lab, context: BrowserContext
) -> None:
    """Twenty more runs, twice: no widget, listener, figure or table stays; the host's own traces are small.

    JupyterLab keeps an empty element and a closed model of every widget that it ever drew, for a
    widget that draws nothing at all too: about 0.06 MB and two nodes a run.
    """
    run(lab, [CURVES])
    tools = context.new_cdp_session(lab.page)
    tools.send("Performance.enable")

    def again(times: int) -> dict[str, float]:
        for _ in range(times):
            lab.run_cell(0)
            lab.figures(1)[0].settle()
        for _ in range(3):  # what only waits to be thrown away is no growth
            tools.send("HeapProfiler.collectGarbage")
            time.sleep(1)
        found = {m["name"]: m["value"] for m in tools.send("Performance.getMetrics")["metrics"]}
        found |= tools.send("Runtime.getHeapUsage")
        return found | {"widgets": int(lab.run(_WIDGETS)), "figures": lab.roots().count()}

    table = int(lab.run("print(demo.table_bytes)"))
    ends = [again(3), again(_RERUNS), again(_RERUNS)]
    rounds = [
        {name: after[name] - before[name] for name in after} for before, after in pairwise(ends)
    ]
    # What the host makes once, late (a part of its window has 130 listeners), is in one round only.
    grown = {name: min(one[name] for one in rounds) for name in rounds[0]}
    assert all(one["widgets"] == one["figures"] == 0 for one in rounds)
    assert grown["JSEventListeners"] <= _RERUNS, grown
    assert grown["Nodes"] <= 5 * _RERUNS, grown
    assert grown["usedSize"] <= 0.2e6 * _RERUNS, grown
    assert grown["backingStorageSize"] <= 2 * table, grown
