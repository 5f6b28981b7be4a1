"""``make mutants``: falsify one number, colour, dash, symbol or key at a time, and print what no case notices.

    python -m tools.mutants [LESSON ...] [--figure NAME]

Exit code 1 if anything survived or a figure fails its own check.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))


def lessons() -> list[str]:
    """Numbers of the lessons that have cases."""
    files = sorted((TESTS / "lessons" / "truth").glob("lesson[0-9]*.py"))
    return [file.stem.removeprefix("lesson") for file in files]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("lesson", nargs="*", help="number of a lesson, such as 04; all by default")
    parser.add_argument("--figure", default="", help="only the case of this name")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.lesson) - set(lessons()))
    if unknown:
        parser.error(f"lesson {unknown[0]!r}: accepted are {', '.join(lessons())}")
    return int(sum(_lesson(number, chosen.figure) for number in chosen.lesson or lessons()) > 0)


def _lesson(number: str, figure: str) -> int:
    """Print the survivors of a lesson; how many there are, a figure that fails counted as one."""
    from lessons.truth.mutants import survivors

    bad = 0
    for case in import_module(f"lessons.truth.lesson{number}").CASES:
        if figure not in ("", case.name, case.function):
            continue
        start = time.perf_counter()
        try:
            count, alive = survivors(case)
        except AssertionError as problem:
            print(f"lesson {number}, {case.name}: fails as it is. {problem}")
            bad += 1
            continue
        seconds = time.perf_counter() - start
        print(f"lesson {number}, {case.name}: {count} mutants, {len(alive)} alive, {seconds:.1f} s")
        for line in alive:
            print(f"    {line}")
        bad += len(alive)
    return bad


if __name__ == "__main__":
    sys.exit(main())
