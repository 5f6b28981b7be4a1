"""What a public project shows on GitHub: it cannot run here, so what can be read from the files is held here."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text("utf-8"))


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """A tag can be moved by whoever owns the action; a commit cannot. The comment says which version it is."""
    used = re.findall(r"uses: *(.*)", path.read_text("utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"\./\S+|[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_job_may_do_no_more_than_it_needs(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    granted = [set(job.get("permissions", {}).items()) for job in workflow["jobs"].values()]
    writing = {item for items in granted for item in items if item[1] == "write"}
    assert writing <= {("id-token", "write"), ("pages", "write")}
    checkouts = [step for step in steps(workflow) if "actions/checkout" in step.get("uses", "")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_the_gate_runs_on_every_python_that_the_package_allows() -> None:
    job = load(ROOT / ".github/workflows/gate.yml")["jobs"]["linux"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    allowed = SpecifierSet(project["requires-python"])
    ours = [f"3.{minor}" for minor in range(100) if f"3.{minor}" in allowed]
    assert job["strategy"]["matrix"]["python"] == ours
    assert job["steps"][-1]["run"] == "bash .ci/run"


def test_the_pip_path_is_readmes() -> None:
    """What README tells a learner without make is what is tried on macOS and Windows."""
    job = load(ROOT / ".github/workflows/gate.yml")["jobs"]["pip"]
    commands = [step["run"].removeprefix("$BIN/") for step in job["steps"] if "run" in step]
    readme = (ROOT / "README.md").read_text("utf-8").partition("plain pip")[2]
    assert commands[1].removeprefix("python -m ") in readme
    assert f"    {commands[2].removesuffix(' --no-start')}\n" in readme
    assert commands[-1] == 'python -m pytest -m "not browser"'


def test_nothing_is_published_without_the_gate_and_the_right_tag() -> None:
    workflow = load(ROOT / ".github/workflows/publish.yml")
    assert workflow[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key `on` as true
    jobs = workflow["jobs"]
    assert jobs["gate"]["uses"] == "./.github/workflows/gate.yml"
    assert set(jobs["pypi"]["needs"]) == {"gate", "build"}
    assert jobs["pypi"]["permissions"] == {"id-token": "write"}  # of this job alone
    assert jobs["pypi"]["environment"]["name"] == "pypi"
    assert all("id-token" not in jobs[name].get("permissions", {}) for name in ("gate", "build"))
    tag = next(step["run"] for step in jobs["build"]["steps"] if "GITHUB_REF_NAME" in str(step))
    assert tag == 'test "$GITHUB_REF_NAME" = "v$(python -m hatchling version)"'


FORMS = [p for p in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")) if p.stem != "config"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_what_is_needed_and_little_else(path: Path) -> None:
    form = load(path)
    assert {"name", "description", "body"} <= set(form)
    assert form["body"][0]["validations"]["required"]
    assert len(form["body"]) <= 3
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert all(field["attributes"]["label"] for field in form["body"])


HOOKS = load(ROOT / ".pre-commit-config.yaml")["repos"]


def test_the_hooks_fetch_nothing() -> None:
    assert [repository["repo"] for repository in HOOKS] == ["local"]
    assert {hook["language"] for hook in HOOKS[0]["hooks"]} == {"system"}


@pytest.mark.skipif(sys.platform == "win32", reason=".venv/bin is elsewhere there")
@pytest.mark.parametrize("hook", HOOKS[0]["hooks"], ids=lambda hook: hook["id"])
def test_a_hook_passes_on_what_is_committed(hook: dict[str, Any]) -> None:
    """Its command exists and is content: with one file for ruff, with all notebooks for their check."""
    program, *options = shlex.split(hook["entry"])
    folder, name = program.rsplit("/", 1)
    assert folder == ".venv/bin"
    files = ["tests/project/test_github.py"] if hook.get("pass_filenames", True) else []
    command = [Path(sys.executable).with_name(name), *options, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
