"""Everything `make test` runs: ruff, mypy, then pytest with a browser if one can be had.

Where there is no Chromium or Chrome and none can be installed, the rest runs and the last line says so;
`--require-browser` makes that a failure (continuous integration). Other arguments go to pytest.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path.home() / "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
APT = (
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
)
LINTERS = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome; the variable CHROMIUM goes before all others."""
    if chosen := os.environ.get("CHROMIUM"):
        if shutil.which(chosen):
            return chosen
        sys.exit(
            f"CHROMIUM={chosen!r} is no program that can be run; unset it or name a Chromium or Chrome."
        )
    found = (shutil.which(command) for command in COMMANDS)
    applications = (str(path) for path in APPLICATIONS if path.exists())
    return next(filter(None, (*found, *applications)), None)


def install_chromium() -> str | None:
    """Install Debian's Chromium if this is Debian and we are root; its path, or None."""
    if not (Path("/etc/debian_version").exists() and shutil.which("apt-get") and os.geteuid() == 0):
        return None
    print("No Chromium found: installing Debian's by apt-get.", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in APT:
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode:
            break
    return find_chromium()


class BrowserTests:
    """A pytest plugin that counts the browser tests that were really run."""

    def __init__(self) -> None:
        self.ran = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran += report.when == "call" and not report.skipped and "browser" in report.keywords


def lint() -> bool:
    """Run the linters and the type checker, all of them even if one complains; True if none did."""
    tools = Path(sys.executable).parent
    return not any([subprocess.run([tools / name, *rest]).returncode for name, *rest in LINTERS])


def main(arguments: list[str]) -> int:
    require_browser = "--require-browser" in arguments
    arguments = [argument for argument in arguments if argument != "--require-browser"]
    clean = lint()

    chromium = find_chromium() or install_chromium()
    if chromium:
        os.environ["CHROMIUM"] = chromium
    browser = BrowserTests()
    selection = [] if chromium else ["-m", "not browser"]
    failed = pytest.main([*selection, *arguments], plugins=[browser])

    if not clean:
        print("ruff or mypy complained: see above, before the tests.")
    if not browser.ran:
        why = (
            "none was selected"
            if chromium
            else "no Chromium or Chrome was found; install one or set CHROMIUM"
        )
        print(f"The browser tests did NOT run: {why}.")
    return int(bool(failed) or not clean or (require_browser and not browser.ran))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
