"""The web edition: every lesson as a page that lives without a kernel. ``python -m tools.site`` builds it.

execute   runs the lessons' notebooks once, with ``kernel`` in each of them, and keeps what they showed
kernel    what a figure, a card or a live view leaves on a page, instead of a widget
films     live work, recorded picture by picture
pages     a lesson's page in Markdown for Sphinx, and the scripts that hold its figures' tables
still     a figure's first picture as SVG
glossary  links from the first use of a term or symbol, and what has no entry
mathml    formulas, rendered at the build
library   plotly.js, whole and flat, pinned
assets    the page's own script and style: site.js, site.css
measure   how soon a built site lives (``alive``) and how often its figures redraw
"""
