"""A goal that the page reports is remembered, and the next figure begins with it."""

import plotly.graph_objects as go
import pytest

from grda_edu.course import keep_goals, progress
from grda_edu.explore import Explorable, Goal, Slider, palette

GOALS = [
    Goal("much", lambda c: c == 2, "01.much"),
    Goal("some", lambda c: c == 1, "01.some"),
    Goal("forgotten", lambda c: c > 0),
]


@pytest.fixture
def figure(home):
    def make():
        return keep_goals(
            Explorable(
                palette.figure(go.Scatter(x=[0], y=[0], name="line")),
                lambda c: ({"line.y": [c]}, ""),
                {"c": Slider([0, 1, 2])},
                goals=GOALS,
            )
        )

    return make


def test_what_is_reached_is_kept_until_the_progress_is_reset(figure):
    first = figure()
    assert first.reached == [False, False, False]
    first.reached = [True, False, True]  # as the page does
    assert progress.reached("01.much") and not progress.reached("01.some")
    assert figure().reached == [True, False, False]
    progress.reset()
    assert figure().reached == [False, False, False]
