"""The stand-alone page's text; what it does is tested in the browser."""

import base64
import json
import re

import plotly.graph_objects as go
import pytest

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.assets import packed_plotly
from grda_edu.explore.table import ComputeError

EVIL = "</script><!-- <script>alert('evil')</script>"


def figure():
    return palette.figure(go.Scatter(x=[0, 1], y=[0, 0], name="line"))


@pytest.fixture(scope="module")
def page():
    def compute(c, kind):
        return {"line.y": [c, kind], "layout.title.text": EVIL}, f"{EVIL} {c}"

    controls = {"c": Slider([1, 2], label=EVIL), "kind": Choice({"a": 1, "b": 2, "c": 3})}
    return Explorable(figure, compute, controls, label=EVIL).to_html()


def script(page: str, pattern: str) -> str:
    return re.search(rf"<script{pattern}>(.*?)</script>", page, re.S)[1]


def test_it_loads_nothing_from_elsewhere(page):
    without_library = page.replace(base64.b64encode(packed_plotly()).decode(), "")
    assert "http://" not in without_library and "https://" not in without_library
    assert not re.search(r"<(link|img|iframe|script)[^>]*(src|href)=(?!\"data:)", without_library)
    assert "@import" not in without_library and "url(" not in without_library


def test_no_text_ends_a_script_or_becomes_one(page):
    assert page.lower().count("<script") == page.lower().count("</script") == 3
    assert "<!--" not in page.removeprefix("<!doctype html>")
    assert "<title>&lt;/script&gt;" in page
    state = json.loads(script(page, ' type="application/json" id="state"'))
    assert state["label"] == EVIL and state["controls"][0]["label"] == EVIL


def test_it_holds_every_preset_and_the_library_once(page):
    state = json.loads(script(page, ' type="application/json" id="state"'))
    assert [table["option"] for table in state["tables"]] == [0, 1, 2]
    assert state["tables"][2]["sentence"]["strings"] == [f"{EVIL} 1", f"{EVIL} 2"]
    library = script(page, ' type="text/plain" id="library"')
    assert base64.b64decode(library) == packed_plotly()


def test_a_table_over_the_budget_is_refused():
    def compute(c):
        return {"line.y": [c] * 1000}, ""

    demo = Explorable(figure, compute, {"c": Slider.linear(0, 1, 50)}, label="Wide")
    with pytest.raises(ValueError, match="table of 'Wide' is larger than budget = 1000 bytes"):
        demo.to_html(budget=1000)


def test_an_error_of_compute_is_raised():
    def broken(c):
        raise OverflowError("too much")

    with pytest.raises(ComputeError, match="OverflowError at c = 1: too much"):
        Explorable(figure, broken, {"c": Slider([1, 2])}).to_html()
