"""``python -m tools.site``: build the web edition into build/site."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from grda_edu.explore.assets import figure_style, page_module

from . import execute, pages
from .library import libraries

ROOT = execute.ROOT
ASSETS = Path(__file__).parent / "assets"
COURSE = ROOT / "grda_edu" / "course"


def build(out: Path, work: Path, only: list[str]) -> int:
    """Build the site into ``out``; 0 where all is well.

    work: where what was executed is kept, and the pages for Sphinx are laid; only: numbers of
    lessons, all where empty.
    """
    sources = [one for one in execute.lessons() if not only or one.name[:2] in only]
    notebooks = execute.executed(sources, work / "executed")
    laid, scripts = work / "source", work / "scripts"
    for folder in (laid, scripts, out):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", laid)
    (scripts / "_static" / "figures").mkdir(parents=True)
    for number, notebook in notebooks.items():
        made = pages.page(number, notebook)
        (laid / f"{made.name}.md").write_text(made.text, "utf-8")
        for name, text in made.scripts.items():
            (scripts / "_static" / "figures" / name).write_text(text, "utf-8")
    lay_assets(scripts / "_static")
    options = [
        "-b",
        "html",
        "-c",
        str(ROOT / "docs"),
        "-d",
        str(work / "doctrees"),
        "-E",
        "-q",
        "-n",
        "-W",
        "--keep-going",
    ]
    failed = build_main(
        [*options, "-D", f"html_static_path={scripts / '_static'}", str(laid), str(out)]
    )
    return failed


def lay_assets(folder: Path) -> None:
    """The page's own script and style, and plotly.js."""
    cards = module_text_of_cards()
    figures = f"{page_module()}\nreturn {{ render, pageModel }};"
    site = (ASSETS / "site.js").read_text("utf-8")
    text = (
        f"(() => {{\nconst figures = (() => {{\n{figures}\n}})();\n"
        f"const cards = (() => {{\n{cards}\n}})();\n{site}\n}})();\n"
    )
    (folder / "site.js").write_text(text, "utf-8")
    style = [
        figure_style(),
        (COURSE / "card.css").read_text("utf-8"),
        (ASSETS / "site.css").read_text("utf-8"),
    ]
    (folder / "site.css").write_text("\n".join(style), "utf-8")
    for name, text in libraries().items():
        (folder / name).write_text(text, "utf-8")


def module_text_of_cards() -> str:
    """The cards' module with nothing exported."""
    text = (COURSE / "card.js").read_text("utf-8")
    return text.replace("export default { render };", "return { render };")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "site.work")
    parser.add_argument("--only", nargs="*", default=[], metavar="NN", help="these lessons alone")
    given = parser.parse_args(arguments)
    try:
        return build(given.out, given.work, given.only)
    except execute.LessonError as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
