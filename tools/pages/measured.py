"""``python -m tools.pages.measured [bench …]``: run benchmarks and write what they print for the page that includes it."""

import contextlib
import importlib
import io
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import torch

_ROW = re.compile(r"(\S.*?)\s{2,}(\S.*?)\s{2,}([\d.]+)(?:\s+(?:bar: |<= )([\d.]+))?\s")
PAGE = Path(__file__).parents[2] / "docs" / "library" / "measured.txt"
OPTIMIZER = ("step", "around")
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


def printed(work: Callable[[], object]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        work()
    return out.getvalue().strip()


def machine() -> str:
    """The machine in words, and how busy it is with other things before a run."""
    cores = os.cpu_count() or 1
    count = _WORDS[cores] if cores < len(_WORDS) else str(cores)
    words = f"{count} core{'s' * (cores > 1)}, {platform.system()} on {platform.machine()}"
    if hasattr(os, "getloadavg"):
        words += f"; in the five minutes before, {os.getloadavg()[1]:.1f} programs wanted them on average"
    return (
        f"{words}. Python {platform.python_version()}, torch {torch.__version__.partition('+')[0]}."
    )


def table(output: str) -> list[str]:
    """The rows of a benchmark's output as Markdown: ratios and bars, no milliseconds."""
    rows = [found.groups(default="") for line in output.splitlines() if (found := _ROW.match(line))]
    if not rows:
        raise ValueError(f"no ratio was printed:\n{output}")
    head = ("parameters", "compared with", "ratio", "at most")
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * 4, *rows)]


def written(on: str, outputs: Mapping[str, str], date: str) -> str:
    """What the page includes: Markdown."""
    parts = [f"Measured on {date} in one run. {on[0].upper()}{on[1:]}"]
    for name, output in outputs.items():
        title = output.partition("\n")[0]
        parts += [f"**{title}** (`benchmarks/bench_{name}.py`)", "\n".join(table(output))]
    return "\n\n".join(parts) + "\n"


def main(names: list[str]) -> None:
    on = machine()
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    outputs = {}
    for name in names or OPTIMIZER:
        bench = importlib.import_module(f"benchmarks.bench_{name}")
        outputs[name] = printed(bench.main)
        print(outputs[name], end="\n\n", flush=True)
    PAGE.write_text(written(on, outputs, date), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
