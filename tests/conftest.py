"""What all tests share."""

import os

# Two torch threads on busy cores are fifty times slower than one. Set before anything imports numpy or torch, and
# for every kernel that a test starts.
os.environ["OMP_NUM_THREADS"] = "1"

from pathlib import Path

import pytest

from tools.chromium import find_chromium

TESTS = Path(__file__).parent
APART = ("stacks", "pages", "site")  # marks of tests that `make test` leaves out
NO_BROWSER = "no Chromium or Chrome was found; install one, or set CHROMIUM to its path"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-browser",
        action="store_true",
        help="fail if no browser test was run (continuous integration)",
    )
    for mark in APART:
        parser.addoption(
            f"--{mark}", action="store_true", help=f"run the tests marked `{mark}` and no others"
        )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(BrowserTests(config.getoption("--require-browser")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes minutes is marked and has a target of its own, `make test-stacks` and so on."""
    chosen = [mark for mark in APART if config.getoption(f"--{mark}")]
    marks = [[mark for mark in APART if item.get_closest_marker(mark)] for item in items]
    out = [item for item, own in zip(items, marks, strict=True) if own != chosen]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


class BrowserTests:
    """Browser tests are marked, come last, are left out where there is no browser, and the end says so."""

    def __init__(self, required: bool) -> None:
        self.required = required
        self.ran = self.left_out = 0

    @pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        browser = [item for item in items if TESTS / "browser" in item.path.parents]
        reasons = [] if not browser or find_chromium() else [pytest.mark.skip(reason=NO_BROWSER)]
        for item in browser:
            for mark in (pytest.mark.browser, *reasons):
                item.add_marker(mark)
        # They are slow, and Playwright's event loop stays open under what follows.
        items.sort(key=lambda item: item.get_closest_marker("browser") is not None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "browser" in report.keywords:
            self.ran += report.when == "call" and not report.skipped
            self.left_out += report.when == "setup" and report.skipped

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.required and not self.ran:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.ran and (self.required or self.left_out):
            why = NO_BROWSER if self.left_out else "none was chosen"
            terminalreporter.write_line(f"The browser tests did NOT run: {why}.", red=True)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return TESTS.parent
