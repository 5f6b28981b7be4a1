"""What the kernel and the pages agree on."""

MIME = "application/vnd.grda-edu.page+json"
"""An output for a page: a dict whose "kind" says what the rest is."""
