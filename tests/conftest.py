"""What all tests share."""

import os

# Two torch threads on busy cores are fifty times slower than one. Set before anything imports numpy or torch, and
# for every kernel that a test starts.
os.environ["OMP_NUM_THREADS"] = "1"

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: they are slow, and Playwright's event loop stays open under what follows."""
    items.sort(key=lambda item: TESTS / "browser" in item.path.parents)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return TESTS.parent
