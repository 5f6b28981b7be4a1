"""Write the repository's public address and the version, which stand in pyproject.toml, everywhere else.

`make notebooks` calls this: README's badges and commands, the notebooks' Colab cell and CITATION.cff follow pyproject.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CITATION = ROOT / "CITATION.cff"
PLACEHOLDER = "OWNER"
LESSON = "notebooks/00_start_here.ipynb"
BADGES = re.compile(r"<!-- address -->\n.*?<!-- /address -->", re.DOTALL)
ADDRESSES = (
    re.compile(r"(?<=git\+)https://[^\s\"'@)]+"),
    re.compile(r"(?<=git clone )https://\S+"),
    re.compile(r"(?<=repository-code: \")https://[^\"]+"),
)
VERSION = re.compile(r"(?<=^version: )\S+", re.MULTILINE)


def project() -> dict[str, Any]:
    """pyproject.toml's own section."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def public_address() -> str:
    """Where the repository is, as https://github.com/OWNER/NAME: the one entry that all others follow."""
    return project()["urls"]["Repository"]


def version() -> str:
    """What the next release will be, with ".dev0" behind it, or at a release what it is."""
    return project()["version"]


def settled(address: str) -> bool:
    """Whether the address names an owner; until it does, what leads there leads nowhere."""
    return f"/{PLACEHOLDER}/" not in address


def pages_address(address: str) -> str:
    """Where the web edition is published: GitHub's pages of the repository."""
    owner, name = address.removeprefix("https://github.com/").split("/")
    return f"https://{owner}.github.io/{name}/"


def badges(address: str) -> str:
    """README's lines that open the web edition, and the course on Colab and on Binder, at lesson 00."""
    owner, name = address.removeprefix("https://github.com/").split("/")
    colab = f"https://colab.research.google.com/github/{owner}/{name}/blob/main/{LESSON}"
    landing = f"lab/tree/{LESSON}".replace("/", "%2F")
    binder = f"https://mybinder.org/v2/gh/{owner}/{name}/main?urlpath={landing}"
    lines = [
        "<!-- address -->",
        f"**[Read it in your browser]({pages_address(address)})**: every figure moves there, on a phone too.",
        "",
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab})",
        f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({binder})",
    ]
    if not settled(address):
        lines += [
            "",
            f"The repository's public address is not settled: `{PLACEHOLDER}` in the links stands for it.",
        ]
    return "\n".join([*lines, "<!-- /address -->"])


def with_address(text: str, address: str) -> str:
    """The text with every mention of the repository's address renewed."""
    text = BADGES.sub(lambda _: badges(address), text)
    for pattern in ADDRESSES:
        text = pattern.sub(address, text)
    return text


def with_version(citation: str, version: str) -> str:
    """The text of CITATION.cff with its version renewed."""
    return VERSION.sub(version, citation)


def files() -> list[Path]:
    """The files that mention the address."""
    return [ROOT / "README.md", CITATION, *sorted((ROOT / "notebooks").glob("*.md"))]


def main() -> None:
    for path in files():
        text = with_address(path.read_text("utf-8"), public_address())
        if path == CITATION:
            text = with_version(text, version())
        path.write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    main()
