"""The scripts behind `make lab` and `make test`, played with commands that only write down what they are asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools import chromium, run_tests

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
def make_test(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run `make test`'s script with a given browser and given outcomes; its exit status and last line."""

    def run(
        *arguments: str, browser: str | None, ran: int = 0, failed: int = 0, clean: bool = True
    ):
        chosen: list[str] = []

        def pytest_main(arguments: list[str], plugins: list[run_tests.BrowserTests]) -> int:
            chosen.extend(arguments)
            plugins[0].ran = ran
            print("== 3 passed ==")
            return failed

        monkeypatch.setenv("CHROMIUM", "as before")  # put back after the test
        monkeypatch.setattr(run_tests, "lint", lambda: clean)
        monkeypatch.setattr(run_tests, "find_chromium", lambda: browser)
        monkeypatch.setattr(run_tests, "install_chromium", lambda: None)
        monkeypatch.setattr(run_tests.pytest, "main", pytest_main)
        status = run_tests.main(list(arguments))
        return status, capsys.readouterr().out.splitlines()[-1], chosen

    return run


def test_with_a_browser_pytest_has_the_last_word(make_test) -> None:
    assert make_test(browser="/chromium", ran=2) == (0, "== 3 passed ==", [])


def test_without_a_browser_the_last_line_says_so(make_test) -> None:
    status, last, chosen = make_test(browser=None)
    assert (status, chosen) == (0, ["-m", "not browser"])
    assert last.startswith("The browser tests did NOT run: no Chromium or Chrome was found")
    assert make_test("--require-browser", browser=None)[:2] == (1, last)


def test_a_browser_that_no_test_used_is_not_enough(make_test) -> None:
    assert make_test("--require-browser", browser="/chromium", ran=0)[0] == 1
    assert make_test("--require-browser", browser="/chromium", ran=1)[0] == 0


@pytest.mark.parametrize("trouble", [{"failed": 1}, {"clean": False}])
def test_trouble_is_never_hidden(make_test, trouble: dict[str, object]) -> None:
    assert make_test(browser="/chromium", ran=1, **trouble)[0] == 1
