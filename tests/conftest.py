"""What all tests share. One thread: two torch threads on busy cores are fifty times slower than one."""

import os

os.environ["OMP_NUM_THREADS"] = (
    "1"  # before anything imports numpy or torch, and for every kernel started here
)

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root folder."""
    return Path(__file__).parents[1]
