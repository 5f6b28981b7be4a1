"""`make bench`: run every benchmark beside this file and print what it measured as ratios."""

import importlib
import pkgutil
from pathlib import Path


def main() -> None:
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    for name in names:
        if name.startswith("bench_"):
            print(f"\n== {name.removeprefix('bench_')}", flush=True)
            importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
