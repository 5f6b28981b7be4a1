"""`make lesson N=13 NAME=my_topic`: a new lesson that passes all tests, to be filled with its topic.

It gets a text, a folder with questions, numbers and a figure, tests, and its rows on the map and in README.
Nothing that exists is overwritten.
"""

import argparse
import re
import sys
from pathlib import Path

from tools import make_notebooks
from tools.facts import public_address

ROOT = Path(__file__).parents[1]
TEMPLATE = Path(__file__).parent / "lesson_template"
LONGEST = 60  # characters of a name: it becomes part of a file's
QUESTION = "What does this lesson answer?"


class Refused(Exception):
    """What was asked for cannot be made; the message says why, and nothing has been written."""


def places(number: str, name: str) -> dict[Path, Path]:
    """File of the template -> where it goes, below the project's root."""
    folder = Path("grda_edu/lessons") / f"lesson{number}"
    modules = {
        path.relative_to(TEMPLATE): folder / path.name
        for path in sorted((TEMPLATE / "lesson").glob("*.py"))
    }
    return {
        Path("lesson.md"): Path("notebooks") / f"{number}_{name}.md",
        **modules,
        Path("test_lesson.py"): Path("tests/lessons") / f"test_lesson{number}.py",
        Path("truth.py"): Path("tests/lessons/truth") / f"lesson{number}.py",
    }


def make(number: str, name: str, root: Path = ROOT) -> list[Path]:
    """Write the lesson's files and rows; returns the files, the text first.

    number: two digits, as in "13"; name: lower case, words joined by underscores.

    Raises Refused where a name is not of this kind or the lesson exists.
    """
    if not re.fullmatch(r"[0-9]{2}", number):
        raise Refused(f"N = {number!r}: accepted are two digits, such as 13")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > LONGEST:
        raise Refused(
            f"NAME = {name!r}: accepted are lower-case words joined by _, such as my_topic, "
            f"of at most {LONGEST} characters"
        )
    title = name.replace("_", " ").capitalize()
    facts = {"__NN__": number, "__TITLE__": title, "__QUESTION__": QUESTION}
    facts["__ADDRESS__"] = public_address()
    targets = {root / to: TEMPLATE / source for source, to in places(number, name).items()}
    there = [path for path in targets if path.exists()]
    there += list((root / "notebooks").glob(f"{number}_*.md"))
    if there:
        raise Refused(f"lesson {number} exists: {there[0].relative_to(root)}")
    rows = {
        root / "grda_edu/course/map.py": _with_row_on_the_map(root, number, name, title),
        root / "README.md": _with_row_in_readme(root, number, title),
    }
    for path, source in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(source.read_text("utf-8"), facts), "utf-8", newline="\n")
    for path, text in rows.items():
        path.write_text(text, "utf-8", newline="\n")
    return list(targets)


def _filled(text: str, facts: dict[str, str]) -> str:
    for placeholder, fact in facts.items():
        text = text.replace(placeholder, fact)
    return text


def _with_row_on_the_map(root: Path, number: str, name: str, title: str) -> str:
    """course/map.py with the lesson's row, where its number belongs."""
    text = (root / "grda_edu/course/map.py").read_text("utf-8")
    row = f"""    Lesson(
        "{number}",
        "{number}_{name}",
        "{title}",
        "{QUESTION}",
        7,
        torch=False,
        predictions=("twice",),
        exercises=("slope",),
        goals=("rises_by_three",),
    ),
"""
    rows = list(re.finditer(r'^    Lesson\(\n        "(\d\d)",\n', text, re.MULTILINE))
    later = [found.start() for found in rows if found[1] > number]
    at = later[0] if later else text.index("\n)\n", rows[-1].start()) + 1
    return text[:at] + row + text[at:]


def _with_row_in_readme(root: Path, number: str, title: str) -> str:
    """README with the lesson's row, where its number belongs."""
    text = (root / "README.md").read_text("utf-8")
    rows = list(re.finditer(r"^\| (\d\d) .*\|\n", text, re.MULTILINE))
    before = [found for found in rows if found[1] < number]
    at = before[-1].end() if before else rows[0].start()
    return text[:at] + f"| {number} {title} | {QUESTION} |\n" + text[at:]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make lesson", usage="make lesson N=13 NAME=my_topic")
    parser.add_argument("number")
    parser.add_argument("name")
    options = parser.parse_args(arguments)
    try:
        made = make(options.number, options.name)
    except Refused as why:
        print(why, file=sys.stderr)
        return 2
    make_notebooks.main([])
    print("Made, and passing all tests as it stands:")
    for path in made:
        print(f"  {path.relative_to(ROOT)}")
    print(
        "and its rows in grda_edu/course/map.py and README.md. Begin with its text; CONTRIBUTING.md says how."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
