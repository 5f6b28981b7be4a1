"""Who may import whom: data flows one way, from lessons down to formulas, and never in a circle."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = "grda_edu"
ROOT = Path(__file__).parents[2]

# What stands right under the package: formulas, counts, and how files are written.
FORMULAS = {"shrinkage", "zeros", "data", "cifar", "images", "models", "checks", "files"}
CORE = FORMULAS | {"sparse", "optim", "training", "geometry", "toy", "recordings", "studies"}
# Room -> the rooms that it may import. What stands beside no room here may import nothing.
MAY_IMPORT = {
    **dict.fromkeys(FORMULAS, FORMULAS),
    "optim": FORMULAS,
    "training": FORMULAS | {"optim"},
    "geometry": FORMULAS | {"training"},
    "sparse": FORMULAS | {"training"},
    "toy": FORMULAS | {"geometry"},
    "recordings": FORMULAS | {"training"},
    "studies": FORMULAS | {"optim", "training", "geometry", "recordings", "sparse"},
    "explore": set(),  # the browser side knows nothing of the science
    "views": FORMULAS | {"training", "geometry", "explore"},
    "course": {"checks", "files", "explore", "training"},
    "lessons": CORE | {"explore", "views", "course"},
    "app": CORE | {"course", "lessons"},
    "reference": set(),
}
WIDGETS = {"anywidget", "ipywidgets", "IPython", "plotly", "traitlets"}


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Dotted name -> file, of all modules of the package."""
    found = {}
    for path in (root / PACKAGE).rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """What a module imports: modules of the package by their dotted names, others by their first name.

    Imports inside functions and for type checkers count too.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            targets = [
                f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base
                for alias in node.names
            ]
        else:
            continue
        found |= {t if t in known else t.partition(".")[0] for t in targets}
    return found


def room(name: str) -> str:
    """The folder or file right under the package; the package itself is "" (its names only)."""
    return name.split(".")[1] if "." in name else ""


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The circles that a walk from each node in turn comes upon first."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> None:
        if node in way:
            found.append([*way[way.index(node) :], node])
            return
        if node in done:
            return
        for after in sorted(graph.get(node, ())):
            walk(after, [*way, node])
        done.add(node)

    for node in sorted(graph):
        walk(node, [])
    return found


def test_every_room_is_known() -> None:
    rooms = {room(name) for name in modules()} - {""}
    assert rooms <= MAY_IMPORT.keys(), f"say what may be imported by {rooms - MAY_IMPORT.keys()}"


def test_imports_go_one_way() -> None:
    known = modules()
    wrong = [
        f"{name} imports {target}"
        for name, path in known.items()
        if room(name)
        for target in imports(name, path, known)
        if target.startswith(f"{PACKAGE}.")
        and room(target) not in MAY_IMPORT[room(name)] | {room(name)}
    ]
    assert wrong == []


def test_the_core_imports_no_widget() -> None:
    known = modules()
    wrong = [
        f"{name} imports {target}"
        for name, path in known.items()
        if room(name) in CORE
        for target in imports(name, path, known) & WIDGETS
    ]
    assert wrong == []


def test_nothing_imports_the_reference() -> None:
    known = modules()
    assert [
        name for name, path in known.items() if f"{PACKAGE}.reference" in imports(name, path, known)
    ] == []


def test_no_circle() -> None:
    known = modules()
    graph = {
        name: {t for t in imports(name, path, known) if t in known and t != PACKAGE}
        for name, path in known.items()
    }
    # A package's __init__ hands on what its modules have; they may name it, not wait for it.
    for name in graph:
        graph[name] = {t for t in graph[name] if not name.startswith(f"{t}.")}
    assert circles(graph) == []


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, [["b", "c", "b"]]),
        ({"a": {"a"}}, [["a", "a"]]),
    ],
)
def test_a_circle_is_found(graph: dict[str, set[str]], found: list[list[str]]) -> None:
    assert circles(graph) == found


def test_imports_are_seen_wherever_they_stand(tmp_path: Path) -> None:
    package = tmp_path / PACKAGE / "explore"
    package.mkdir(parents=True)
    (package / "a.py").write_text(
        "from . import b\nimport numpy as np\nfrom .b import x\n"
        "def late():\n    from ..course import page\n    from grda_edu.course.page import y\n"
    )
    for other in ("b.py", "__init__.py", "../__init__.py"):
        (package / other).write_text("")
    (tmp_path / PACKAGE / "course").mkdir()
    (tmp_path / PACKAGE / "course" / "page.py").write_text("")
    known = modules(tmp_path)
    found = imports("grda_edu.explore.a", package / "a.py", known)
    assert found == {"grda_edu.explore.b", "numpy", "grda_edu.course.page"}


def test_no_module_has_the_name_of_something_public_in_it() -> None:
    """Importing such a module would put it where its function is expected."""
    wrong = []
    for name, path in modules().items():
        own = name.rpartition(".")[2]
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == own:
                wrong.append(name)
    assert wrong == []


def test_no_two_modules_of_one_name_in_sight_of_each_other() -> None:
    """Between the rooms of the package and the modules right under it, and inside each room."""
    names: dict[str, list[str]] = {}
    for name in modules():
        if name.count(".") in (1, 2) and not name.startswith(f"{PACKAGE}.lessons."):
            names.setdefault(name.rpartition(".")[2], []).append(name)
    assert {own: found for own, found in names.items() if len(found) > 1} == {}
