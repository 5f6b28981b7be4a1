"""What the tests in other people's stacks share; they are looked at only for `make test-stacks`."""

import importlib.metadata
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Their packages need not be there for `make test`."""
    return True if collection_path.suffix == ".py" and not config.getoption("--stacks") else None


def pytest_configure(config: pytest.Config) -> None:
    """A torchvision built for CUDA cannot be imported beside a torch without, and Lightning's metrics
    and transformers import whatever torchvision there is: as if it were not installed.
    """
    if config.getoption("--stacks"):
        try:
            import torchvision  # noqa: F401
        except ModuleNotFoundError:
            pass
        except RuntimeError:
            sys.meta_path = [
                WithoutIt if finder is PathFinder else finder for finder in sys.meta_path
            ]


class WithoutIt(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] != "torchvision":
            return super().find_spec(name, path, target)
        return None

    @classmethod
    def find_distributions(cls, context=None):
        context = context or importlib.metadata.DistributionFinder.Context()
        for found in super().find_distributions(context):
            if found.metadata["Name"] != "torchvision":
                yield found
