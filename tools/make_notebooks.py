"""Make notebooks/NN_name.ipynb from notebooks/NN_name.md, the source that people edit.

Metadata and cell ids depend on the source alone, so making a notebook twice gives the same bytes. There is no
jupytext `formats` entry: a learner who saves the .ipynb changes no .md.
"""

import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat

FOLDER = Path(__file__).parents[1] / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebook(source: str) -> str:
    """The .ipynb text of a MyST Markdown source: no outputs, and cell ids made from each cell's text."""
    made = jupytext.reads(source, fmt="md:myst")
    made.metadata = nbformat.from_dict(METADATA)
    made.nbformat, made.nbformat_minor = 4, 5
    seen: dict[str, int] = {}
    for cell in made.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(made) + "\n"


def main(arguments: list[str]) -> int:
    """Make all notebooks; with --check only say which differ from their source, and fail if one does."""
    sources = sorted(FOLDER.glob("*.md"))
    made = {source.with_suffix(".ipynb"): notebook(source.read_text("utf-8")) for source in sources}
    if arguments == ["--check"]:
        differing = [
            path.name
            for path, text in made.items()
            if not path.exists() or path.read_text("utf-8") != text
        ]
        if differing:
            print(f"differ from their sources: {', '.join(differing)}; run: make notebooks")
        return int(bool(differing))
    for path, text in made.items():
        path.write_text(text, "utf-8", newline="\n")
    print(f"{len(made)} notebooks made from their sources.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
