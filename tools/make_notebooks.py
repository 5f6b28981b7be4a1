"""Make notebooks/NN_name.ipynb from notebooks/NN_name.md, the source that people edit.

Metadata and cell ids depend on the source alone, so making a notebook twice gives the same bytes. There is no
jupytext `formats` entry: a learner who saves the .ipynb changes no .md.
"""

import hashlib
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


def main() -> None:
    sources = sorted(FOLDER.glob("*.md"))
    for source in sources:
        source.with_suffix(".ipynb").write_text(
            notebook(source.read_text("utf-8")), "utf-8", newline="\n"
        )
    print(f"{len(sources)} notebooks made from their sources.")


if __name__ == "__main__":
    main()
