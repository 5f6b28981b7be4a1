"""Covered until committed or skipped: figures and tables, one prediction or several, and nothing else."""

import plotly.graph_objects as go
import pytest

from grda_edu.course import predict, progress, veil, veiled
from grda_edu.explore import Explorable, Slider, TextTable, palette


@pytest.fixture(autouse=True)
def apart(monkeypatch):
    for name, empty in (("_asked", set()), ("_skipped", set()), ("_covered", [])):
        monkeypatch.setattr(veil, name, empty)


def figure(label="A figure") -> Explorable:
    return Explorable(
        palette.figure(go.Scatter(x=[0], y=[0], name="line")),
        lambda c: ({"line.y": [c]}, "c"),
        {"c": Slider([0, 1])},
        label=label,
    )


covered = veiled("01.how_many")(figure)


@pytest.mark.parametrize("press", [("commit", 1), ("commit", 0), ("skip", None)])
def test_commit_right_or_wrong_and_skip_uncover(lesson, cards, press):
    predict("01.how_many")
    demo = covered(label="Covered")
    assert demo.veil == "Commit to the prediction above, or skip it: then this opens."
    assert demo.label == "Covered" and demo.tabulated  # it is drawn, and its controls work
    cards[0].press(*press)
    assert demo.veil == "" and not veil._covered
    assert covered().veil == ""  # another of its kind, or the cell run again
    predict("01.how_many")
    assert covered().veil == ""


def test_nothing_is_covered_where_nothing_was_asked_or_all_is_answered(lesson, cards):
    assert covered().veil == ""
    progress.commit("01.how_many", "2 of them")
    predict("01.how_many")
    assert covered().veil == ""


def test_several_predictions_are_all_waited_for(lesson, cards):
    predict("01.how_many")
    predict("01.how_far")
    both = veiled("01.how_many", "01.how_far")(figure)()
    assert both.veil.startswith("Commit to the predictions above, or skip them")
    cards[1].press("skip")
    assert both.veil
    cards[0].press("commit", 0)
    assert both.veil == ""


def test_the_page_may_lift_it_by_itself(lesson, cards):
    predict("01.how_many")
    demo = covered()
    demo.veil = ""  # as the page does
    cards[0].press("commit", 0)
    assert demo.veil == ""


def test_a_page_of_its_own_is_never_covered(lesson, cards):
    predict("01.how_many")
    page = covered().to_html()
    assert "Commit to the prediction" not in page


def test_a_table_is_folded_and_opens_by_itself(lesson, cards, monkeypatch):
    shown = []
    monkeypatch.setattr(
        veil.DisplayHandle, "display", lambda self, bundle, raw: shown.append(bundle)
    )
    monkeypatch.setattr(
        veil.DisplayHandle, "update", lambda self, bundle, raw: shown.append(bundle)
    )
    table = veiled("01.how_many")(lambda: TextTable([("a", "1")], ("name", "value")))
    table()._ipython_display_()
    predict("01.how_many")
    table()._ipython_display_()
    cards[0].press("skip")
    folded = ["<details>" in bundle["text/html"] for bundle in shown]
    assert folded == [False, True, False]
    assert all(
        "<td>1</td>" in bundle["text/html"] for bundle in shown
    )  # no kernel is needed to open it
    assert table().rows == [("a", "1")]
