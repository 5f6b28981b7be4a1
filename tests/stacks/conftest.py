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
            importlib.metadata.Distribution.from_name = classmethod(without_it)


REAL = importlib.metadata.Distribution.from_name.__func__


def without_it(cls, name):
    """Whatever finder of distributions comes later (importlib_metadata brings one) is asked through this."""
    if name == "torchvision":
        raise importlib.metadata.PackageNotFoundError(name)
    return REAL(cls, name)


class WithoutIt(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] != "torchvision":
            return super().find_spec(name, path, target)
        return None
