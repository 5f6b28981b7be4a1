"""GRDA, training and geometry need torch, numpy and scipy, and none of what the course needs.

Held by hiding everything else from an interpreter of its own; `make core-check` does the same in a real environment.
"""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
HIDE = """
import sys
from importlib.machinery import PathFinder

class Visible(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in {hidden}:
            return super().find_spec(name, path, target)

sys.meta_path = [Visible if finder is PathFinder else finder for finder in sys.meta_path]
"""
RUN = "import runpy; runpy.run_path('tools/core_alone.py', run_name='__main__')"


def with_what_they_need(*names: str) -> set[str]:
    """The distributions of these names and all that they ask for, without extras."""
    found, todo = set(), list(names)
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in found:
            found.add(name)
            try:
                asked = [Requirement(text) for text in requires(name) or []]
            except PackageNotFoundError:  # of another system
                continue
            todo += [a.name for a in asked if not a.marker or a.marker.evaluate({"extra": ""})]
    return found


def hidden() -> set[str]:
    """The top-level names of all that is installed here and not asked for by torch, numpy or scipy."""
    there = with_what_they_need("torch", "numpy", "scipy") | {"grda-edu"}
    return {
        name
        for name, homes in packages_distributions().items()
        if not there & {canonicalize_name(home) for home in homes}
    }


def run(code: str) -> subprocess.CompletedProcess[str]:
    script = HIDE.format(hidden=sorted(hidden())) + code
    return subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)


def test_training_and_geometry_work_beside_torch_numpy_and_scipy() -> None:
    assert {"plotly", "ipywidgets", "sklearn", "psutil", "platformdirs", "IPython"} <= hidden()
    done = run(RUN)
    assert done.returncode == 0, done.stderr
    assert "work by themselves" in done.stdout


def test_what_is_hidden_is_not_there() -> None:
    """The test above can fail: the digits, which come with scikit-learn, say what they lack."""
    done = run("from grda_edu import digits; digits()")
    assert done.returncode == 1
    assert "pip install scikit-learn" in done.stderr.splitlines()[-1]


def test_readme_says_how() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (line,) = [line for line in readme.splitlines() if "pip install --no-deps" in line]
    assert all(name in line for name in ("torch", "numpy", "scipy"))
