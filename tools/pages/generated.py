"""The pages that are made from what stands elsewhere in the project."""

import re
from pathlib import Path
from typing import Any

import yaml

from tools.pages import teachers

ROOT = Path(__file__).parents[2]
OWN = "grda_edu"


def pages() -> dict[str, str]:
    """Path below docs -> Markdown."""
    return {
        "library/changelog.md": changelog((ROOT / "CHANGELOG.md").read_text("utf-8")),
        "library/citation.md": citation((ROOT / "CITATION.cff").read_text("utf-8")),
        **teachers.pages(),
    }


def write(folder: Path) -> None:
    """Write them into the folder that Sphinx reads."""
    for path, text in pages().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def changelog(text: str) -> str:
    """What CHANGELOG.md says; the brackets about a version belong to that file's form, and lead nowhere."""
    return re.sub(r"^## \[([^\]]+)\]", r"## \1", text, flags=re.MULTILINE)


def citation(cff: str) -> str:
    """What CITATION.cff says, in words and as BibTeX."""
    known = yaml.safe_load(cff)
    parts = ["# How to cite", known["message"], "## The papers"]
    for paper in known["references"]:
        where = paper.get("collection-title", "Preprint")
        parts.append(
            f"{_names(paper)} ({paper['year']}). *{paper['title']}*. {where}. <{paper['url']}>"
        )
    parts += ["## The course", f"{_names(known)}. *{known['title']}*, version {known['version']}."]
    entries = [_bibtex(paper) for paper in known["references"]]
    own = {**known, "year": "", "url": ""}
    parts += ["## BibTeX", "```bibtex\n" + "\n\n".join([*entries, _bibtex(own, OWN)]) + "\n```"]
    parts.append("The same stands in `CITATION.cff`, which programs read.")
    return "\n\n".join(parts) + "\n"


def _names(entry: dict[str, Any]) -> str:
    return ", ".join(
        one.get("name") or f"{one['given-names']} {one['family-names']}" for one in entry["authors"]
    )


def _bibtex(entry: dict[str, Any], key: str = "") -> str:
    first = entry["authors"][0]
    kind = {"conference-paper": "inproceedings", "article": "article"}.get(
        entry["type"], "software"
    )
    names = " and ".join(
        f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}"
        for one in entry["authors"]
    )
    fields = {
        "author": names,
        "title": f"{{{entry['title']}}}",
        "booktitle": entry.get("collection-title", ""),
        "year": str(entry["year"]),
        "version": str(entry.get("version", "")),
        "url": entry["url"],
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    named = key or f"{first['family-names'].lower()}{entry['year']}"
    return "\n".join([f"@{kind}{{{named},", *lines, "}"])
