"""Binder builds the tested set, lands on lesson 00, and runs with one thread."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="Binder is Linux: other systems need other packages"
)

CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"


def lines(path: Path) -> list[str]:
    text = path.read_text("utf-8").splitlines()
    return [line for line in text if line and not line.startswith("#")]


def needed_by_the_course() -> set[str]:
    """The names of grda-edu's dependencies and of theirs, without extras."""
    found: set[str] = set()
    todo = ["grda-edu"]
    while todo:
        for text in distribution(todo.pop()).requires or []:
            requirement = Requirement(text)
            name = canonicalize_name(requirement.name)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted and name not in found:
                found.add(name)
                todo.append(name)
    return found


def test_requirements_are_the_tested_set(root: Path) -> None:
    index, *pins = lines(root / "binder" / "requirements.txt")
    assert index == CPU_INDEX
    tested = {pin.partition(" ;")[0] for pin in lines(root / "constraints.txt")}
    assert {pin.partition(" ;")[0] for pin in pins} <= tested
    assert all(
        "/" not in pin for pin in pins
    )  # no local path: Binder keeps this layer between builds


def test_requirements_are_complete(root: Path) -> None:
    """postBuild installs the course with --no-deps: what is not pinned here is not there."""
    pins = {
        canonicalize_name(pin.split("==")[0])
        for pin in lines(root / "binder" / "requirements.txt")[1:]
    }
    needed = needed_by_the_course()
    needed -= {name for name in needed if name.startswith(("nvidia", "cuda", "triton"))}
    assert needed - {"setuptools"} <= pins  # Binder's base has that, and takes torch's CPU build


def test_dockerfile(root: Path, tmp_path: Path) -> None:
    """repo2docker's dry run: Python 3.11, the pins, then postBuild, and start as the entry point."""
    shutil.copytree(root / "binder", tmp_path / "binder")
    repo2docker = Path(sys.executable).with_name("jupyter-repo2docker")
    options = ["--no-build", "--no-run", "--debug", "--user-id", "1000", "--user-name", "jovyan"]
    dry_run = subprocess.run([repo2docker, *options, tmp_path], capture_output=True, text=True)
    dockerfile = dry_run.stderr + dry_run.stdout
    assert dry_run.returncode == 0, dockerfile
    print(dockerfile)
    assert "Building conda environment for python=3.11" in dockerfile
    steps = [
        'pip install --no-cache-dir -r "binder/requirements.txt"',
        "RUN ./binder/postBuild",
        'ENV R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
    ]
    assert [dockerfile.count(step) for step in steps] == [1, 1, 1]
    assert [dockerfile.index(step) for step in steps] == sorted(map(dockerfile.index, steps))


def test_post_build_installs_the_course_alone(root: Path, tmp_path: Path) -> None:
    """Played with a python that only writes down what it is asked."""
    (tmp_path / "python").write_text('#!/bin/sh\necho "$@" >> "$ASKED"\n')
    (tmp_path / "python").chmod(0o755)
    asked = tmp_path / "asked"
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "ASKED": str(asked)}
    subprocess.run([root / "binder" / "postBuild"], env=environment, check=True)
    assert asked.read_text().splitlines() == ["-m pip install --no-deps ."]


def test_start_sets_one_thread_and_hands_over(root: Path) -> None:
    start = root / "binder" / "start"
    script = (
        'echo "threads: $OMP_NUM_THREADS $1"; cat "$JUPYTER_CONFIG_PATH"/labconfig/page_config.json'
    )
    command = ["sh", "-c", script, "-", "an argument"]
    environment = {**os.environ, "OMP_NUM_THREADS": "64"}
    answer = subprocess.run(
        [start, *command], env=environment, capture_output=True, text=True, check=True
    )
    first, _, page = answer.stdout.partition("\n")
    assert first == "threads: 1 an argument"
    assert json.loads(page)["disabledExtensions"] == {
        "@jupyterlab/apputils-extension:announcements": True
    }
    assert start.read_text().rstrip().endswith('exec "$@"')


def test_badge_lands_on_lesson_00(root: Path) -> None:
    (landing,) = re.findall(
        r"mybinder\.org/v2/gh/[^)]*\?urlpath=([^)\s]+)", (root / "README.md").read_text("utf-8")
    )
    assert landing == "lab%2Ftree%2Fnotebooks%2F00_start_here.ipynb"
    assert (root / "notebooks" / "00_start_here.ipynb").exists()
