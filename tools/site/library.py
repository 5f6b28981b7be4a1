"""plotly.js for the pages: whole from the Python package, and its flat part, a third as large, kept here.

The part without figures in space (npm's plotly.js-cartesian-dist-min, MIT licence beside it) is on npm
alone, and a build needs no network beyond the installed packages; so a copy is pinned here.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from plotly.offline import get_plotlyjs

FLAT = Path(__file__).parent / "assets" / "plotly-cartesian.min.js"
FLAT_SHA256 = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"


def version(source: str) -> str:
    """The version that plotly.js's first lines name."""
    found = re.search(r"v(\d+\.\d+\.\d+)", source[:300])
    return found[1] if found else ""


def libraries() -> dict[str, str]:
    """File name -> plotly.js: "plotly.min.js" whole, "plotly-cartesian.min.js" without figures in space.

    Raises ValueError where the copy kept here is not what was pinned, or of another version than the
    installed package's.
    """
    whole, flat = get_plotlyjs(), FLAT.read_text("utf-8")
    found = hashlib.sha256(flat.encode()).hexdigest()
    if found != FLAT_SHA256:
        raise ValueError(f"{FLAT.name} has the SHA-256 {found}: accepted is {FLAT_SHA256}")
    if version(whole) != version(flat):
        raise ValueError(
            f"{FLAT.name} is of plotly.js {version(flat)}, the installed package brings "
            f"{version(whole)}: put npm's plotly.js-cartesian-dist-min {version(whole)} in its place, "
            "and its SHA-256 into tools/site/library.py"
        )
    return {"plotly.min.js": whole, FLAT.name: flat}
