"""What the library's pages are made of beside their text: a Sphinx extension, and what it calls."""

from pathlib import Path
from typing import Any

from tools.pages import docstrings, generated, mended


def setup(app: Any) -> dict[str, bool]:
    """`extensions = ["tools.pages"]` in conf.py."""
    for name in ("sphinx.ext.autodoc", "sphinx.ext.napoleon"):
        app.setup_extension(name)
    app.connect("config-inited", _configured)
    app.connect("builder-inited", lambda app: generated.write(Path(app.srcdir)))
    app.connect("build-finished", _mended)
    app.connect("autodoc-process-docstring", docstrings.prepared, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", docstrings.signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mended(app: Any, problem: Exception | None) -> None:
    if problem is None and app.builder.format == "html":
        mended.mend(Path(app.outdir))


def _configured(app: Any, config: Any) -> None:
    config.autodoc_preserve_defaults = True  # `lr=0.1`, not what it is at run time
    config.autodoc_typehints_format = "short"
    config.autodoc_class_signature = "mixed"
    config.python_maximum_signature_line_length = 72
    config.python_use_unqualified_type_names = True
    config.add_module_names = False
    config.napoleon_numpy_docstring = False
    config.napoleon_use_rtype = False
    # Of other people's names no page says anything; of the project's own each has to be found.
    config.nitpick_ignore_regex = [
        *config.nitpick_ignore_regex,
        ("py:.*", r"(?!grda_edu\.).*"),
        ("py:.*", r"grda_edu\.(training\.interrupt\.Stop|explore\.table\.Table)"),  # internal
    ]
