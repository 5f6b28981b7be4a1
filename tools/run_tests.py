"""Everything `make test` runs: ruff, mypy, then pytest with a browser if one can be had.

Where there is no Chromium or Chrome and none can be installed, the rest runs and the last line says so;
`--require-browser` makes that a failure (continuous integration). Other arguments go to pytest.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.chromium import find_chromium, install_chromium

LINTERS = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"])


class BrowserTests:
    """A pytest plugin that counts the browser tests that were really run."""

    def __init__(self) -> None:
        self.ran = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.ran += report.when == "call" and not report.skipped and "browser" in report.keywords


def lint() -> bool:
    """Run the linters and the type checker, all of them even if one complains; True if none did."""
    tools = Path(sys.executable).parent
    codes = [subprocess.run([tools / name, *rest]).returncode for name, *rest in LINTERS]
    return not any(codes)


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
        missing = "no Chromium or Chrome was found; install one, or set CHROMIUM to its path"
        print(f"The browser tests did NOT run: {'none was chosen' if chromium else missing}.")
    return int(bool(failed) or not clean or (require_browser and not browser.ran))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
