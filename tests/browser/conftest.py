"""One JupyterLab and one Chromium for all browser tests; a fresh page for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from .lab import Lab, Server, browser


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
