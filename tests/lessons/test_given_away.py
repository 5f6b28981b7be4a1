"""No prediction is answered by what stands on the page before the learner commits.

Each notebook is run cell by cell. What is visible before a prediction's answer is all text above it,
and the text and figures of the same section below it, as they stand at first; what is covered by its
veil is not. An answer is looked for in words, as a number, and in the numbers of its explanation: half
of those that the question has not are as good as the answer. Curves cannot be read here.
"""

from __future__ import annotations

import ast
import contextlib
import html
import io
import re
from importlib import import_module
from pathlib import Path

import jupytext
import pytest
from IPython.core.interactiveshell import InteractiveShell

from grda_edu.course import Prediction, veil
from grda_edu.explore import Picture, TextTable

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.md"))
END = re.compile(r"^#+ (Explain|Predict|Exercise|Recap|Search)|^## ", re.MULTILINE)
NUMBER = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?%?")
LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

TOLD = {  # these are answered before, and the text says so
    "00.how_many": "the first of the course is practice: the figure above has told it",
}


def plain(text: str) -> str:
    """Words without markup; an index is written as a digit behind its letter."""
    bare = html.unescape(re.sub(r"<br>", " ", text))
    bare = re.sub(r"<[^>]*>|[*$`\\]|_(?=\d)", "", bare)
    return re.sub(r"\s+", " ", bare.translate(LOWERED)).lower()


def numbers(text: str) -> set[str]:
    """Numbers that can be recognised: of two digits or more."""
    found = (m[0].strip(",") for m in NUMBER.finditer(plain(text)))
    return {n for n in found if sum(c.isdigit() for c in n.lstrip("0.−-")) >= 2}


def texts_of(shown: object) -> str:
    """What can be read of an output."""
    if isinstance(shown, Picture):
        table, index = shown.table, shown.index
        parts = [str(annotation.get("text", "")) for annotation in annotations(shown)]
        parts.append(str(shown.figure["layout"].get("title", {}).get("text", "")))
        for column in [
            *table.get("columns", []),
            *([table["sentence"]] if "sentence" in table else []),
        ]:
            if "strings" in column and not column["key"].endswith(("color", "symbol", "visible")):
                row = 0
                for k, size in enumerate(column["grid"]):
                    row = row * size + (0 if size == 1 else index[k])
                value = column["strings"][row]
                parts += [str(v) for v in (value if isinstance(value, list) else [value])]
        return "\n".join(parts)
    return repr(shown) if isinstance(shown, TextTable | str | int | float | list | tuple) else ""


def annotations(picture: Picture) -> list[dict]:
    return picture.figure["layout"].get("annotations", [])


class Page:
    """A notebook that is run from top to bottom: (kind, text, covered by) in their order."""

    def __init__(self, path: Path) -> None:
        self.parts: list[tuple[str, str, tuple[str, ...]]] = []
        names: dict[str, object] = {}
        for cell in jupytext.read(path, fmt="md:myst").cells:
            if cell.cell_type == "markdown":
                self.parts.append(("text", cell.source, ()))
            elif found := re.findall(r'course\.predict\("([\w.]+)"\)', cell.source):
                for name in found:
                    veil.ask(name)
                    self.parts.append(("predict", name, ()))
            elif "import course" not in cell.source:
                self.run(re.sub(r"^course\..*", "", cell.source, flags=re.MULTILINE), names)

    def run(self, source: str, names: dict[str, object]) -> None:
        if not (body := ast.parse(InteractiveShell.instance().transform_cell(source)).body):
            return
        *before, last = body
        said, shown = io.StringIO(), None
        with contextlib.redirect_stdout(said):
            exec(compile(ast.Module(before, []), "cell", "exec"), names)
            if isinstance(last, ast.Expr):
                shown = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            else:
                exec(compile(ast.Module([last], []), "cell", "exec"), names)
        picture = getattr(shown, "picture", shown)
        covers = veil.covering(picture)
        self.parts.append(("output", said.getvalue() + texts_of(picture), covers))

    def visible(self, name: str) -> str:
        """All that can be read before the answer to prediction ``name``."""
        at = self.parts.index(("predict", name, ()))
        above = [
            text
            for kind, text, covers in self.parts[:at]
            if kind != "predict" and name not in covers
        ]
        below = []
        for kind, text, covers in self.parts[at:]:
            if kind == "text" and (end := END.search(text)):
                below.append(text[: end.start()])
                break
            if kind != "predict" and name not in covers:
                below.append(text)
        return "\n".join([*above, *below])


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def page(request):
    return request.param.name[:2], Page(request.param)


def tells(prediction: Prediction, visible: str) -> list[str]:
    """What in ``visible`` answers the prediction."""
    right, asked = prediction.right(), prediction.question + " ".join(prediction.options)
    found = []
    if isinstance(right, str):
        others = [plain(option) for option in prediction.options if option != right]
        if (
            len(right.split()) > 2
            and plain(right) in plain(visible)
            and not any(other in plain(visible) for other in others)
        ):
            found.append(right)
    else:
        percent = prediction.unit == "%"
        written = {f"{right:.{digits}f}%" for digits in (0, 1)} if percent else {f"{right:.3g}"}
        found += sorted(written & numbers(visible))
    # Numbers that the explanation has and the question has not are the answer's evidence.
    explained = numbers(prediction.explain(None)) - numbers(asked)
    seen = explained & numbers(visible)
    return found + sorted(seen if 2 * len(seen) >= len(explained) else ())


def given_away(number: str, page: Page) -> dict[str, list[str]]:
    """Prediction -> what tells its answer, for those that something tells."""
    predictions = import_module(f"grda_edu.lessons.lesson{number}").PREDICTIONS
    told = {
        f"{number}.{short}": tells(prediction, page.visible(f"{number}.{short}"))
        for short, prediction in predictions.items()
    }
    return {name: found for name, found in told.items() if found and name not in TOLD}


OPEN = {  # what the page would tell without its veils
    "02.bias",
    "05.zeros_at_stop",
    "06.recomputed",
    "06.worth_it",
    "07.surgeon",
    "12.words_cost",
}


def test_no_answer_is_visible_before_the_commit(page):
    number, shown = page
    assert given_away(number, shown) == {}
    shown.parts = [
        (kind, text, ()) for kind, text, _ in shown.parts
    ]  # and the search can find some
    assert set(given_away(number, shown)) == {name for name in OPEN if name.startswith(number)}
