import ast
from importlib import import_module
from pathlib import Path

import pytest

from grda_edu.course import LESSONS, course_map, navigation, objectives, page, progress
from grda_edu.course import map as course_table
from tools.minutes import minutes

LONGEST = 25  # minutes of a main line, one sitting


@pytest.fixture
def shown(monkeypatch):
    """(HTML, plain text) of what is shown; a live output appears again at every change."""
    outputs = []
    monkeypatch.setattr(page, "show_html", lambda html, text: outputs.append((html, text)))

    def show_live(html, text):
        outputs.append((html(), text()))
        progress.watch(lambda: outputs.append((html(), text())))

    monkeypatch.setattr(page, "show_live_html", show_live)
    monkeypatch.setattr(progress, "_watchers", [])
    return outputs


def test_the_table_is_what_ships(root):
    assert [row.file for row in LESSONS] == sorted(
        path.stem for path in (root / "notebooks").glob("*.md")
    )
    assert all(row.file.startswith(f"{row.number}_") for row in LESSONS)


def goals_of(number: str) -> list[str]:
    """Names of the goals that the lesson's sources declare."""
    folder = Path(import_module(f"grda_edu.lessons.lesson{number}").__file__).parent
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    goals = [call for call in calls if ast.unparse(call.func) == "Goal"]
    named = [
        [*call.args[2:], *(k.value for k in call.keywords if k.arg == "name")] for call in goals
    ]
    return [ast.literal_eval(name) for (name,) in named]


@pytest.mark.parametrize("row", LESSONS, ids=lambda row: row.number)
def test_the_table_counts_what_the_lesson_declares(row):
    module = import_module(f"grda_edu.lessons.lesson{row.number}")
    assert row.predictions == tuple(getattr(module, "PREDICTIONS", {}))
    assert row.exercises == tuple(getattr(module, "EXERCISES", {}))
    assert sorted(row.names("goals")) == sorted(goals_of(row.number))
    for check in getattr(module, "OBJECTIVES", {}).values():
        assert check in row.predictions + row.exercises


@pytest.mark.parametrize("row", LESSONS, ids=lambda row: row.number)
def test_the_minutes_are_those_of_the_text(root, row):
    """To a fifth, or to a minute where there are few; change the row when this fails."""
    text = (root / f"notebooks/{row.file}.md").read_text(encoding="utf-8")
    main, further = minutes(text)
    assert row.minutes == pytest.approx(main, rel=0.2)
    assert max(row.minutes, main) <= LONGEST
    assert row.further == pytest.approx(further, rel=0.2, abs=1)


def test_minutes_count_words_and_tasks_before_and_after_going_further():
    header = "---\nkernelspec:\n  name: python3\n---\n"
    cell = '```{{code-cell}} ipython3\nmany words that are code\ncourse.{}("01.x")\n```\n'
    main = "word " * 360 + cell.format("predict") + cell.format("check")
    further = "\n### Going further\n\n" + "word " * 177 + cell.format("check")
    assert minutes(header + main) == (2 + 6, 0)
    assert minutes(header + main + further) == (8, 1 + 3)


@pytest.mark.parametrize("row", LESSONS, ids=lambda row: row.number)
def test_every_lesson_has_its_folder_its_tests_and_its_row_in_the_readme(root, row):
    assert (root / f"grda_edu/lessons/lesson{row.number}/__init__.py").is_file()
    assert (root / f"tests/lessons/test_lesson{row.number}.py").is_file()
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert f"| {row.number} {row.title} | {row.question} |" in readme


@pytest.mark.parametrize("here", range(len(LESSONS)))
def test_navigation_leads_to_the_neighbours(shown, here):
    navigation(LESSONS[here].number)
    ((html, text),) = shown
    neighbours = [LESSONS[k] for k in (here - 1, here + 1) if 0 <= k < len(LESSONS)]
    wanted = {row.link for row in neighbours} | ({LESSONS[0].link} if here else set())
    assert {link for link in (row.link for row in LESSONS) if f'href="{link}"' in html} == wanted
    assert all(row.link in text for row in neighbours)


def test_an_unknown_lesson():
    with pytest.raises(ValueError, match=r"lesson = '1': accepted is one of '00', '01'"):
        navigation("1")


def test_the_map_counts_and_resets_after_a_confirmation(shown, cards, home, monkeypatch):
    row = course_table.Lesson("07", "07_x", "X", "Why?", 5, False, ("a", "b"), ("c",), ("d",))
    monkeypatch.setattr(course_table, "LESSONS", (row,))
    course_map()
    assert "0 of 2 predictions, 0 of 1 exercise" in shown[-1][0]
    progress.commit("07.a", "x")
    progress.solve("07.c")
    assert "1 of 2 predictions, 1 of 1 exercise" in shown[-1][0] and "done" not in shown[-1][0]
    progress.commit("07.b", 1)
    assert "0 of 1 goal" in shown[-1][0] and "done" not in shown[-1][0]
    progress.reach("07.d")
    html, text = shown[-1]
    assert "✓ done" in html and 'href="07_x.ipynb"' in html
    assert "2 of 2 predictions, 1 of 1 exercise, 1 of 1 goal" in text
    (card,) = cards
    card.press("forget")  # not offered yet
    card.press("reset")
    assert "2 predictions, 1 exercise and 1 goal" in card.state["result"]
    card.press("keep")
    assert progress.solved("07.c") and card.state["result"] == ""
    card.press("reset")
    card.press("forget")
    assert not progress.solved("07.c") and progress.committed("07.a") is None
    assert "reset" in card.state["result"] and "0 of 2 predictions" in shown[-1][0]


def test_objectives_name_their_check_and_whether_it_is_passed(shown, lesson):
    objectives("01")
    html, text = shown[-1]
    assert "shrink &lt;numbers&gt;" in html and html.count("○") == 2
    assert "exercise “Shrink”: open" in text and "prediction “How many”: open" in text
    progress.solve("01.shrink")
    progress.commit("01.how_many", "1 of them")
    assert shown[-1][0].count("✓") == 2
    assert "exercise “Shrink”: solved" in shown[-1][1] and "committed" in shown[-1][1]
