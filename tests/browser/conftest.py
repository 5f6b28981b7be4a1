"""One JupyterLab and one Chromium for all browser tests; a fresh page for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from .lab import Lab, Server, browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def context() -> Iterator[BrowserContext]:
    with browser() as opened:
        yield opened


@pytest.fixture
def lab(server: Server, context: BrowserContext) -> Iterator[Lab]:
    """A fresh page of JupyterLab; its kernels end with the test."""
    page = Lab(server, context)
    yield page
    page.close()
    server.stop_kernels()
