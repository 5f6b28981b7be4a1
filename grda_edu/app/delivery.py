"""The learner's folder: where the lessons come from, and how they get there without touching the learner's work."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grda_edu import files

SHIPPED = ".grda-edu.json"  # in the learner's folder: file name -> digest of what was put there
FIRST_LESSON = "00_start_here.ipynb"


@dataclass(frozen=True)
class Delivery:
    """What happened to one lesson: the file it is in now, and the notebook of the learner's that was left alone."""

    name: str
    written: bool = False
    kept: str = ""  # the learner's changed notebook, when the new edition went beside it


def lessons() -> list[Path]:
    """The course's notebooks, in order: in an installed package's notebooks/, in a checkout in notebooks/.

    Raises FileNotFoundError if neither has any.
    """
    here = Path(__file__).parents[1]
    for folder in (here / "notebooks", here.parent / "notebooks"):
        if found := sorted(folder.glob("[0-9][0-9]_*.ipynb")):
            return found
    raise FileNotFoundError(
        f"no lessons in {here / 'notebooks'} or {here.parent / 'notebooks'}: "
        "the installation is incomplete, install grda-edu again"
    )


def deliver(sources: Iterable[Path], folder: Path) -> list[Delivery]:
    """Put the lessons `sources` into `folder`, which is made if needed.

    A notebook that is still as it was put there is brought up to date. One that the learner changed (running it
    counts, outputs are work too) is never overwritten: a new edition is written beside it, once.

    Raises OSError if the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shipped = _read_shipped(folder)
    before = dict(shipped)
    deliveries = [_deliver_one(source, folder, shipped) for source in sources]
    if shipped != before:
        files.replace(folder / SHIPPED, json.dumps(shipped, indent=1, sort_keys=True).encode())
    return deliveries


def _deliver_one(source: Path, folder: Path, shipped: dict[str, str]) -> Delivery:
    digest = _digest(source)
    if shipped.get(source.name) == digest and (folder / source.name).exists():
        return Delivery(source.name)  # nothing new, whatever the learner made of it

    name = next(
        name for name in _names(source) if _free(folder / name, {digest, shipped.get(name)})
    )
    written = not (folder / name).exists() or _digest(folder / name) != digest
    if written:
        files.replace(folder / name, source.read_bytes())
    shipped[source.name] = shipped[name] = digest
    return Delivery(name, written, kept="" if name == source.name else source.name)


def _names(source: Path) -> Iterator[str]:
    """Where a notebook may be written: 01_x.ipynb, 01_x.new.ipynb, 01_x.new2.ipynb and so on."""
    yield source.name
    yield f"{source.stem}.new.ipynb"
    number = 2
    while True:
        yield f"{source.stem}.new{number}.ipynb"
        number += 1


def _free(path: Path, ours: set[str | None]) -> bool:
    """Whether nothing of the learner's lies at `path`: no file, or one whose digest is one of `ours`."""
    return not path.exists() or _digest(path) in ours


def _digest(path: Path) -> str:
    """SHA-256 of what a learner can change: every cell's kind, text and outputs.

    Metadata is left out: JupyterLab rewrites it when a notebook is only opened. A file that is no notebook (any
    more) counts by its bytes.
    """
    content = path.read_bytes()
    try:
        cells = json.loads(content)["cells"]
        work = [
            (cell["cell_type"], "".join(cell["source"]), cell.get("outputs", [])) for cell in cells
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha256(json.dumps(work, sort_keys=True).encode()).hexdigest()


def _read_shipped(folder: Path) -> dict[str, str]:
    """What was put here before. Missing or damaged: nothing, and every notebook that differs counts as changed."""
    try:
        table = files.read_json(folder / SHIPPED)
    except (FileNotFoundError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}
