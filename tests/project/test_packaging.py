"""What ships: the wheel holds the lessons and all data, dependencies are complete, one address and version everywhere."""

import ast
import inspect
import os
import re
import subprocess
import sys
import sysconfig
import textwrap
import tomllib
import zipfile
from importlib.metadata import distributions, packages_distributions, version
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import grda_edu
from grda_edu.optim import GRDA
from tools import facts

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


def test_wheel_holds_everything_and_nothing_else(wheel: Path) -> None:
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "grda_edu").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".part"
    }
    lessons = {
        f"grda_edu/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    examples = {
        f"grda_edu/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "examples").glob("*.py")
    }
    assert lessons and examples
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == package | lessons | examples


def test_installed_wheel_puts_the_lessons_into_a_folder(wheel: Path, tmp_path: Path) -> None:
    """Away from the checkout, from the installed files alone."""
    site, course = tmp_path / "site", tmp_path / "course"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # what installing a pure wheel is
    code = "import sys, grda_edu.app.cli as c; print(c.__file__); sys.exit(c.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "lab", str(course), "--no-start"],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site))
    shipped = {path.name: path.read_bytes() for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {path.name: path.read_bytes() for path in course.glob("*.ipynb")} == shipped


def imported_by(folder: Path) -> set[str]:
    """The top-level names that the Python files under `folder` import."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"grda_edu"}


def test_dependencies_are_named_completely() -> None:
    """What the package imports it also asks for (torch brings no numpy, plotly no anywidget)."""
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["mnist"], *extras["cifar"]]
    named = {canonicalize_name(Requirement(text).name) for text in wanted}
    homes = packages_distributions()
    imported = imported_by(ROOT / "grda_edu")
    assert {"torch", "numpy", "plotly"} <= imported
    needed = {canonicalize_name(homes[name][0]) for name in imported - {"google"}}  # Colab's own
    assert needed <= named


SYSTEMS = {
    "linux": {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux"},
    "macos": {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin"},
    "windows": {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows"},
}


def pins(**environment: str) -> dict[str, str]:
    """Name -> pinned version, for this Python and system or another."""
    found: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} is pinned twice"
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found[name] = pin.version
    return found


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", ["3.11.0", "3.12.1", "3.13.0"])
def test_constraints_are_plain_pins_of_all_that_is_asked_for(python: str, system: str) -> None:
    short = python.rpartition(".")[0]
    environment = SYSTEMS[system] | {"python_version": short, "python_full_version": python}
    there = pins(**environment)
    extras = PROJECT["optional-dependencies"]
    asked = [*PROJECT["dependencies"], *extras["test"], *extras["mnist"], *extras["cifar"]]
    for requirement in map(Requirement, asked):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            pin = there[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(pin), requirement
    assert there["torch"] == "2.13.0"
    # No local version (2.13.0+cpu); sphinx-basic-ng, which furo asks for, has only ever been a beta.
    assert all(re.fullmatch(r"[\d.]+(b\d+|post\d+)?", pin) for pin in there.values())


def test_the_tests_run_on_the_pinned_set() -> None:
    # Of this environment alone: once imported, setuptools puts copies of its own on the path.
    there = {
        canonicalize_name(found.metadata["Name"]): found.version.partition("+")[0]
        for found in distributions(path=[sysconfig.get_path("purelib")])
    }
    assert len(there.keys() & pins().keys()) > 50
    differing = {
        name: f"{there[name]} is installed, {pin} is pinned"
        for name, pin in pins().items()
        if there.get(name, pin) != pin  # what is not there is another system's
    }
    assert not differing


def test_address_is_the_same_everywhere() -> None:
    ours = facts.public_address()
    for path in facts.files():
        text = path.read_text("utf-8")
        assert facts.with_address(text, ours) == text, f"{path.name}: run make notebooks"


def test_address_can_be_changed_in_one_place() -> None:
    """Renewing the address leaves the old one nowhere: not in a badge, a command, or a Colab cell."""
    other = "https://github.com/someone/course"
    owner, name = facts.public_address().removeprefix("https://github.com/").split("/")
    mentions = 0
    for path in facts.files():
        renewed = facts.with_address(path.read_text("utf-8"), other)
        assert f"{owner}/{name}" not in renewed, path.name
        mentions += renewed.count("someone/course")
    assert mentions >= 5 + len(list((ROOT / "notebooks").glob("*.md")))
    elsewhere = [*(ROOT / "grda_edu").rglob("*.py"), ROOT / "CONTRIBUTING.md", ROOT / "Makefile"]
    assert not [path for path in elsewhere if f"{owner}/{name}" in path.read_text("utf-8")]


def test_the_placeholder_is_explained_while_it_is_one() -> None:
    assert "stands for it" in facts.badges("https://github.com/OWNER/grda-edu")
    assert "stands for it" not in facts.badges("https://github.com/someone/grda-edu")


def test_readme_names_the_two_commands_first() -> None:
    commands = re.findall(r"^    (\S.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert [command.split("#")[0].strip() for command in commands[:2]] == ["make lab", "make test"]


def test_links_to_files_lead_somewhere() -> None:
    for page in ("README.md", "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text("utf-8"))
        assert not [link for link in links if not (ROOT / link).exists()], page


def test_readme_says_what_grda_needs_to_know_of_a_model() -> None:
    """What its docstring warns of, by names that there are."""
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("### What GRDA needs to know of your model")[2].partition("\n## ")[0]
    docstring = GRDA.__doc__.partition("What GRDA needs to know")[2].partition("On several")[0]
    for name in ("LoRA's B", "weight_norm", "max_norm", "OneCycleLR", "cycle_momentum=False"):
        assert name in section and name in docstring, name
    for name in ("penalty_groups", "PowerTuning", "AccumulatorAverage"):
        assert name in section and name in docstring and hasattr(grda_edu, name), name
    for name in ("sync_", "accumulator_dtype", "tuning"):
        assert name in section, name
        assert hasattr(GRDA, name) or name in inspect.signature(GRDA).parameters, name


def test_readme_script_runs_and_finds_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len([line for line in script.splitlines() if line]) == 10
    names: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(script, names)
    zeros = re.match(r"(\d+)% of the weights", capsys.readouterr().out)
    promised = re.search(
        r"prints about (\d+) %.* names (\d+) to (\d+) % of the test images", readme
    )
    assert zeros and promised
    about, low, high = map(int, promised.groups())
    assert abs(int(zeros[1]) - about) <= 2
    model, data = names["model"], names["data"]
    accuracy = (model(data.x_test).argmax(1) == data.y_test).float().mean().item()
    assert low <= 100 * accuracy <= high


def test_contributing_example_is_a_figure() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(textwrap.dedent(script), names)
    assert "Curvature 1.0" in names["parabola"]().to_html()


def test_the_version_is_the_same_everywhere() -> None:
    """pyproject.toml has it; the installed package and CITATION.cff follow."""
    assert version("grda-edu") == facts.version(), "install the package again"
    assert grda_edu.__version__ == facts.version()
    citation = facts.CITATION.read_text("utf-8")
    assert yaml.safe_load(citation)["version"] == facts.version(), "run: make notebooks"
    renewed = yaml.safe_load(facts.with_version(citation, "7.8.9"))
    assert renewed == yaml.safe_load(citation) | {"version": "7.8.9"}


def sections() -> dict[str, tuple[str, str]]:
    """CHANGELOG's sections: version -> its date (or nothing) and what it says."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    heads = r"^## \[(.+?)\](?: - (\S+))?$"
    _, *parts = re.split(heads, text, flags=re.MULTILINE)
    return {
        name: (date or "", said.strip())
        for name, date, said in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def missing_in_changelog(version: str, sections: dict[str, tuple[str, str]]) -> str:
    """What the changelog lacks for a version, in words; nothing if it is complete.

    Between releases the version is X.Y.Z.dev0 and what is new stands under "Unreleased". A release has a section of
    its own with its date, and nothing is left unreleased. Every section but the first is a release, in falling order.
    """
    names = list(sections)
    if names[:1] != ["Unreleased"]:
        return "the first section is Unreleased"
    releases = [Version(name) for name in names[1:]]
    if releases != sorted(releases, reverse=True):
        return "the newest release comes first"
    for name in names[1:]:
        date, said = sections[name]
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", date) or not said:
            return f"{name} needs its date and what it brings"
    if Version(version).is_devrelease:
        newer = not releases or releases[0] < Version(version)
        return "" if newer else f"{version} comes before {names[1]}, which is released"
    if version != (names[1] if releases else None):
        return f"the first release is {version}"
    return "nothing may be unreleased at a release" if sections["Unreleased"][1] else ""


def test_changelog_knows_this_version() -> None:
    assert not missing_in_changelog(facts.version(), sections())


@pytest.mark.parametrize(
    ("version", "sections", "missing"),
    [
        ("0.2.0.dev0", {"Unreleased": ("", "more"), "0.1.0": ("2026-01-02", "all")}, ""),
        ("0.1.0", {"Unreleased": ("", ""), "0.1.0": ("2026-01-02", "all")}, ""),
        ("0.1.0", {"Unreleased": ("", "all")}, "the first release is 0.1.0"),
        ("0.1.0", {"Unreleased": ("", "x"), "0.1.0": ("2026-01-02", "all")}, "nothing may be"),
        ("0.1.0", {"0.1.0": ("2026-01-02", "all")}, "the first section"),
        ("0.1.0", {"Unreleased": ("", ""), "0.1.0": ("soon", "all")}, "0.1.0 needs its date"),
        (
            "0.1.0.dev0",
            {"Unreleased": ("", ""), "0.1.0": ("2026-01-02", "all")},
            "0.1.0.dev0 comes",
        ),
    ],
)
def test_an_incomplete_changelog_is_noticed(
    version: str, sections: dict[str, tuple[str, str]], missing: str
) -> None:
    found = missing_in_changelog(version, sections)
    assert found.startswith(missing) and bool(found) == bool(missing)
