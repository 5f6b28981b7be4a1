"""Goals: decided in Python, part of the table, refused where they ask for nothing or too much."""

import plotly.graph_objects as go
import pytest

from grda_edu.explore import Choice, Explorable, Goal, Slider, palette

CONTROLS = {
    "c": Slider.linear(0, 1, 11),
    "mu": Slider([0.5, 0.6, 0.9]),
    "kind": Choice({"one": 1, "two": 2}),
}


def made(*goals: Goal, **more) -> Explorable:
    return Explorable(
        palette.figure(go.Scatter(x=[0, 1], y=[0, 0], name="line")),
        lambda c, mu, kind: ({"line.y": [c, mu * kind]}, f"{c} {mu} {kind}"),
        CONTROLS,
        goals=goals,
        **more,
    )


def marks(demo: Explorable) -> list[bool]:
    """What the page reads off the table where the controls stand."""
    goals = demo.table["goals"]
    at = (0, 0) if demo.table["at"] is not None else demo.index
    row = 0
    for k, size in enumerate(goals["grid"]):
        row = row * size + (0 if size == 1 else at[k])
    return goals["strings"][row]


HIGH = Goal("a high c", lambda c, mu, kind: c > 0.75)
BOTH = Goal("the middle μ of two", lambda c, mu, kind: mu == 0.6 and kind == 2, "00.both")


@pytest.mark.parametrize("budget", [1_000_000, 1])
def test_the_table_says_where_each_goal_is_reached(budget):
    demo = made(HIGH, BOTH, budget=budget)
    assert demo.tabulated == (budget > 1)
    for kind in ("one", "two"):
        for c in (0.0, 0.7, 0.8, 1.0):
            for mu in (0.5, 0.6, 0.9):
                demo.c, demo.mu, demo.kind = c, mu, kind
                assert marks(demo) == [c > 0.75, (mu, kind) == (0.6, "two")]
    assert [goal["name"] for goal in demo.goals] == ["", "00.both"]
    assert demo.reached == [False, False]  # until a page says so


def test_marks_are_stored_only_along_the_controls_that_matter():
    assert made(HIGH).table["goals"]["grid"] == [11, 1]


@pytest.mark.parametrize(
    ("goal", "says"),
    [
        (Goal("the moon", lambda **_: False), "goal 'the moon' is reached at no position"),
        (
            Goal("a low c", lambda c, mu, kind: c < 0.5),
            r"goal 'a low c' is reached at the start already \(c = 0.0, mu = 0.5, kind = 1\)",
        ),
    ],
)
def test_a_goal_that_asks_for_nothing_or_too_much_is_refused(goal, says):
    with pytest.raises(ValueError, match=says):
        made(HIGH, goal)


def test_a_goal_may_wait_behind_another_option():
    made(Goal("the second kind", lambda c, mu, kind: kind == 2)).close()


def test_an_error_of_a_goal_is_on_the_page():
    demo = made(Goal("odd", lambda c, mu, kind: 1 / (c - 0.5) > 1.5), budget=1)
    demo.c = 0.5
    assert "goal: ZeroDivisionError at c = 0.5" in demo.error


def test_the_stand_alone_page_knows_the_goals():
    page = made(HIGH).to_html()
    assert "a high c" in page and "function goalBox" in page
