"""The scripts behind `make lab` and `make test`, played with commands that only write down what they are asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import chromium

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="make and its scripts are for Linux and macOS"
)

CPU_INDEX = "https://download.pytorch.org/whl/cpu"


@pytest.fixture
def install_torch(root: Path, tmp_path: Path):
    """Run tools/install_torch.sh on a make-believe machine; the pip commands that it gave."""

    def install(
        system: str, *, gpu: bool, cpu_index: bool = True, installed: str = ""
    ) -> list[str]:
        programs = tmp_path / "bin"
        shutil.rmtree(programs, ignore_errors=True)
        programs.mkdir()
        asked = programs / "asked"
        asked.touch()
        scripts = {
            "uname": f"echo {system}",
            "nvidia-smi": f"exit {0 if gpu else 9}",
            "python": f'[ "$1" = -c ] && {{ [ -n "{installed}" ]; exit $?; }}\n'
            f'echo "$@" >> {asked}\n'
            f'case "$@" in *{CPU_INDEX}*) exit {0 if cpu_index else 1};; esac',
        }
        for name, script in scripts.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        command = ["sh", "tools/install_torch.sh", str(programs / "python")]
        subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
        return asked.read_text().splitlines()

    return install


PLAIN = "-m pip install --quiet torch==2.13.0"
CPU = f"-m pip install --quiet --retries 0 --timeout 15 --no-deps --index-url {CPU_INDEX} torch==2.13.0"


def test_linux_without_a_gpu_gets_the_cpu_build(install_torch) -> None:
    assert install_torch("Linux", gpu=False) == [CPU]


def test_the_cpu_index_is_asked_once_and_then_the_plain_pin(install_torch) -> None:
    assert install_torch("Linux", gpu=False, cpu_index=False) == [CPU, PLAIN]


@pytest.mark.parametrize(("system", "gpu"), [("Linux", True), ("Darwin", False)])
def test_others_get_the_plain_pin(install_torch, system: str, gpu: bool) -> None:
    assert install_torch(system, gpu=gpu) == [PLAIN]


def test_a_torch_that_is_there_is_left_alone(install_torch) -> None:
    assert install_torch("Linux", gpu=False, installed="2.13.0") == []


def test_a_python_that_is_too_old_is_explained(root: Path, tmp_path: Path) -> None:
    sh = shutil.which("sh")
    environment = {"PATH": str(tmp_path)}  # no python at all
    answer = subprocess.run(
        [sh, "tools/find_python.sh"], cwd=root, env=environment, capture_output=True, text=True
    )
    assert answer.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13" in answer.stderr


def test_the_chosen_browser_goes_before_all_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(mine))
    assert chromium.find_chromium() == str(mine)
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(ValueError, match="none' cannot be run"):
        chromium.find_chromium()


def test_browsers_are_looked_for_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "APPLICATIONS", ())
    assert chromium.find_chromium() is None
    chrome = tmp_path / "google-chrome"
    chrome.write_text("#!/bin/sh\n")
    chrome.chmod(0o755)
    assert chromium.find_chromium() == str(chrome)


@pytest.fixture
def make_test(root: Path, tmp_path: Path):
    """Run `make test` in a make-believe environment; its exit status and what was called."""

    def run(*, failing: str = "") -> tuple[int, list[str]]:
        programs = tmp_path / "bin"
        programs.mkdir()
        asked = tmp_path / "asked"
        for name in ("python", "ruff", "mypy"):
            fails = f'[ "{name} $*" != "{failing}" ]'
            (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {asked}\n{fails}\n')
            (programs / name).chmod(0o755)
        for stamp in (".torch", ".lab", ".test"):
            (tmp_path / stamp).touch()
        command = ["make", "test", f"VENV={tmp_path}", "ARGS=--require-browser"]
        done = subprocess.run(command, cwd=root, capture_output=True)
        return done.returncode, asked.read_text().splitlines()

    return run


LINT = ["ruff check", "ruff format --check", "mypy "]
ALL = [*LINT, "python -m tools.chromium", "python -m pytest --require-browser"]


def test_make_test_runs_linters_type_checker_and_tests(make_test) -> None:
    assert make_test() == (0, ALL)


@pytest.mark.parametrize("failing", [*LINT, ALL[-1]])
def test_trouble_is_never_hidden(make_test, failing: str) -> None:
    """A linter's in seconds, before the tests take their minutes."""
    status, asked = make_test(failing=failing)
    assert status != 0
    assert asked == ALL[: ALL.index(failing) + 1]


@pytest.fixture
def play(root: Path, tmp_path: Path):
    """Run pytest with our conftest on a few tests, one of them a browser's; exit status and what it printed."""
    tests = tmp_path / "tests"
    (tests / "browser").mkdir(parents=True)
    shutil.copy(root / "tests" / "conftest.py", tests)
    (tests / "browser" / "test_page.py").write_text("def test_page(): pass\n")
    (tests / "test_zoo.py").write_text("def test_zoo(): pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = browser\n")
    (tmp_path / "a-browser").write_text("#!/bin/sh\n")
    (tmp_path / "a-browser").chmod(0o755)

    def run(*arguments: str, browser: bool) -> tuple[int, str]:
        environment = {**os.environ, "PYTHONPATH": str(root), "PATH": str(tmp_path)}
        environment.pop("CHROMIUM", None)
        if browser:
            environment["CHROMIUM"] = str(tmp_path / "a-browser")
        command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout

    return run


NOT_RUN = "The browser tests did NOT run: "


def test_browser_tests_come_last(play) -> None:
    status, said = play("--require-browser", browser=True)
    assert status == 0 and NOT_RUN not in said
    assert said.index("::test_zoo") < said.index("::test_page")


@pytest.mark.skipif(sys.platform == "darwin", reason="a Chrome among the applications is found")
def test_without_a_browser_the_rest_runs_and_the_end_says_so(play) -> None:
    status, said = play(browser=False)
    assert status == 0 and "1 passed, 1 skipped" in said
    assert f"{NOT_RUN}no Chromium or Chrome was found" in said.splitlines()[-2]
    status, said = play("--require-browser", browser=False)
    assert status == 1 and f"{NOT_RUN}no Chromium or Chrome was found" in said


def test_a_browser_that_no_test_used_is_not_enough(play) -> None:
    status, said = play("--require-browser", "-m", "not browser", browser=True)
    assert status == 1 and f"{NOT_RUN}none was chosen" in said
    status, said = play("-m", "not browser", browser=True)
    assert status == 0 and NOT_RUN not in said
