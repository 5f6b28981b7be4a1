"""The public names: found by Python when they are first used, and by editors and type checkers before."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import jedi
import pytest

import grda_edu

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "grda_edu"


def stub_says() -> dict[str, str]:
    """Name -> the module that __init__.pyi takes it from."""
    homes = {}
    for node in ast.parse((PACKAGE / "__init__.pyi").read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name  # else a type checker keeps it private
                homes[alias.name] = node.module or ""
    return homes


def test_the_stub_is_the_table() -> None:
    table = {name: f"grda_edu.{home}" for name, home in grda_edu._HOME_OF.items()}
    assert stub_says() == table
    assert sorted(table) == grda_edu.__all__


@pytest.mark.parametrize("name", grda_edu.__all__)
def test_a_public_name_is_what_its_home_has(name: str) -> None:
    home = import_module(stub_says()[name])
    assert getattr(grda_edu, name) is getattr(home, name)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="'grda_edu' has no attribute 'GRAD'"):
        grda_edu.GRAD  # noqa: B018


def test_an_editor_finds_signature_and_definition() -> None:
    code = "from grda_edu import GRDA, train\nGRDA(\ntrain("
    script = jedi.Script(code, project=jedi.Project(ROOT))
    for name, line, wanted in (("GRDA", 2, {"params", "lr", "c", "mu"}), ("train", 3, {"epochs"})):
        (signature,) = script.get_signatures(line, len(name) + 1)
        assert wanted <= {parameter.name for parameter in signature.params}
        (definition,) = script.goto(line, 1, follow_imports=True)
        path = Path(import_module(stub_says()[name]).__file__ or "")
        assert definition.module_path and definition.module_path.is_relative_to(path.parent)
        assert definition.line and definition.docstring()


def test_a_type_checker_finds_them(tmp_path: Path) -> None:
    """A right call passes, a wrong one is told, and no name is an Any or an object."""
    lines = [
        "from torch.nn import Linear",
        "from grda_edu import *",
        "weights = Linear(2, 2).parameters()",
        "reveal_type(GRDA(weights, lr=0.1, c=0.01, mu=0.6))",
        'GRDA(weights, lr=0.1, c="much", mu=0.6)',
        *(f"reveal_type({name})" for name in grda_edu.__all__),
    ]
    script = tmp_path / "own.py"
    script.write_text("\n".join(lines))
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    said = [line.removeprefix(f"{script}:") for line in done.stdout.splitlines()]
    assert said[0] == '4: note: Revealed type is "grda_edu.optim.grda.GRDA"'
    assert said[1].startswith('5: error: Argument "c" to "GRDA" has incompatible type "str"')
    assert len(said) == 2 + len(grda_edu.__all__)
    assert all('Revealed type is "def (' in line for line in said[2:]), said


def test_the_package_says_that_it_is_typed() -> None:
    """Without this file type checkers ignore the annotations of an installed package."""
    assert (PACKAGE / "py.typed").exists()
