"""Sphinx, for the course's web edition: `make site`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tools.facts import version as read_version  # noqa: E402

language = "en"
project = "grda-edu"
author = "The grda-edu authors"
version = release = read_version()
extensions = ["myst_parser", "tools.site.mathml", "tools.pages"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
templates_path = [str(ROOT / "tools" / "site" / "templates")]
nitpicky = True

html_theme = "furo"
html_title = "grda-edu"
html_math_renderer = "mathml"
html_show_search_summary = False  # would fetch pages, which a folder opened by double click forbids
html_show_sourcelink = False
html_show_copyright = False
html_favicon = "favicon.svg"
html_copy_source = False
html_js_files = [("site.js", {"defer": "defer"})]
html_css_files = ["site.css"]
html_theme_options = {"source_repository": "", "navigation_with_keys": False}
