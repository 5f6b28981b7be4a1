"""``python -m tools.site``: build the web edition into build/site."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

from nbformat import NotebookNode
from sphinx.cmd.build import build_main

from grda_edu.explore.assets import figure_style, page_module

from . import execute, pages, still
from .glossary import Glossary, GlossaryError, with_places
from .library import libraries

ROOT = execute.ROOT
ASSETS = Path(__file__).parent / "assets"
COURSE = ROOT / "grda_edu" / "course"
OUT, WORK = ROOT / "build" / "site", ROOT / "build" / "site.work"
STRICT = ("-n", "-W", "--keep-going")  # a reference to nothing, or any other warning, fails
WHOLE = """---
nosearch: true
---
# The whole course on one page

For printing, or for reading without a script: every figure is its first picture, and answers, hints and solutions
stand open. The pages of the single lessons have the figures that move, and ask before they answer.
"""
LEAF = '<div class="grda-leaf"></div>'  # a lesson begins on a page of its own


def build(out: Path = OUT, work: Path = WORK, only: list[str] | None = None) -> int:
    """Build the site into ``out``; 0 where all is well. What was there stays until all is.

    work: where what was executed is kept, and the pages for Sphinx are laid; only: numbers of
    lessons, all where there are none.
    """
    sources = [one for one in execute.lessons() if not only or one.name[:2] in only]
    notebooks = execute.executed(sources, work / "executed")
    laid, static, built = work / "source", work / "static", work / "built"
    for folder in (laid, static, built):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", laid)
    lay_assets(static)
    lay_pages(notebooks, laid, static / "figures")
    conf = ["-c", str(ROOT / "docs"), "-D", f"html_static_path={static}"]
    cache = ["-d", str(work / "doctrees"), "-E"]
    if failed := build_main(["-b", "html", "-q", *conf, *cache, *STRICT, str(laid), str(built)]):
        return failed
    for page in built.rglob("*.html"):
        page.write_text(mended(page.read_text("utf-8")), "utf-8")
    (built / ".buildinfo").unlink(missing_ok=True)  # of the folders that it was built in
    (built / ".nojekyll").touch()  # or GitHub's own builder would leave out _static
    shutil.rmtree(out, ignore_errors=True)
    shutil.move(built, out)
    return 0


FORMULA = re.compile(
    r'([(\[“]?)((?:<span class="math-long">|<a [^>]*>)?<math\b[^>]*>(?:(?!</math>).)*</math>(?:</span>|</a>)?)([.,;:?!)\]’”]*)',
    re.DOTALL,
)
PARAMETERS = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n?)+)</dl>')


def mended(html: str) -> str:
    """A page of Sphinx's without what readers and their screen readers trip over.

    A table of contents' caption is a heading of no level, and a long signature a list of definitions
    without anything defined. And a browser would break the line between a formula and the stop behind
    it, or the bracket before it.
    """

    def whole(found: re.Match) -> str:
        return f'<span class="grda-whole">{found[0]}</span>' if found[1] or found[3] else found[0]

    def spans(found: re.Match) -> str:
        lines = (
            found[1].replace("<dd>", '<span class="grda-parameter">').replace("</dd>", "</span>")
        )
        return f"<span>\n{lines}</span>"

    html = html.replace(
        'class="caption" role="heading">', 'class="caption" role="heading" aria-level="2">'
    )
    return FORMULA.sub(whole, PARAMETERS.sub(spans, html))


def lay_pages(notebooks: dict[str, NotebookNode], laid: Path, figures: Path) -> None:
    """The lessons' pages and their figures' scripts, the page for printing and the front page."""
    figures.mkdir(parents=True)
    glossary = Glossary.read()
    shown: dict[str, str] = {}
    places: dict[str, str] = {}
    whole = [WHOLE]
    for number, notebook in notebooks.items():
        made = pages.page(number, notebook, glossary)
        (laid / f"{made.name}.md").write_text(made.text, "utf-8")
        for name, text in made.scripts.items():
            (figures / name).write_text(text, "utf-8")
        shown |= {f"{made.name} {name}": html for name, html in made.figures.items()}
        places |= pages.figure_places(made.name, notebook, made.figures)
        whole += [LEAF, pages.page(number, notebook, glossary, printed=True).text]
    (laid / "whole.md").write_text("\n\n".join(whole), "utf-8")
    words = laid / "glossary.md"
    words.write_text(with_places(words.read_text("utf-8")), "utf-8")
    for front in (laid / "index.md", laid / "library" / "index.md"):
        front.write_text(pages.filled(front.read_text("utf-8"), shown), "utf-8")
    for text in (laid / "library").rglob("*.md"):
        text.write_text(pages.with_lessons(text.read_text("utf-8")), "utf-8")
    response = laid / "library" / "response.md"
    response.write_text(pages.with_links(response.read_text("utf-8"), places), "utf-8")


def lay_assets(folder: Path) -> None:
    """The page's own script and style, and plotly.js."""
    folder.mkdir(parents=True)
    figures = f"{page_module()}\nreturn {{ render, pageModel }};"
    cards = (COURSE / "card.js").read_text("utf-8")
    cards = cards.replace("export default { render };", "return { render };")
    site = (ASSETS / "site.js").read_text("utf-8")
    parts = {"figures": figures, "cards": cards}
    closed = "".join(f"const {name} = (() => {{\n{text}\n}})();\n" for name, text in parts.items())
    (folder / "site.js").write_text(f"(() => {{\n{closed}{site}\n}})();\n", "utf-8")
    cards_style = (COURSE / "card.css").read_text("utf-8")
    own_style = (ASSETS / "site.css").read_text("utf-8")
    style = "\n".join([figure_style(), still.style(), cards_style, own_style])
    (folder / "site.css").write_text(style, "utf-8")
    for name, text in libraries().items():
        (folder / name).write_text(text, "utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--only", nargs="*", default=[], metavar="NN", help="these lessons alone")
    given = parser.parse_args(arguments)
    try:
        return build(given.out, given.work, given.only)
    except (execute.LessonError, pages.PageError, GlossaryError) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
