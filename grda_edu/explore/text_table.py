"""A table of words and numbers, for the page and for where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


class TextTable:
    """Rows of text under a header: HTML on the page, aligned columns in plain text.

    rows: one sequence of strings a row, the first of which names the row;
    header: one string a column; caption: what the table shows, with its settings.

    The last expression of a cell shows it, and so does ``IPython.display.display``. Raises
    ValueError, naming the row, where a row has more or fewer entries than the header.
    """

    def __init__(
        self, rows: Iterable[Sequence[str]], header: Sequence[str], caption: str = ""
    ) -> None:
        self.rows, self.header, self.caption = [tuple(row) for row in rows], tuple(header), caption
        for k, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise ValueError(
                    f"rows[{k}] has {len(row)} entries; accepted are {len(self.header)}, "
                    f"as many as the header"
                )

    def _repr_html_(self) -> str:
        caption = f"<caption>{escape(self.caption)}</caption>" if self.caption else ""
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in self.header)
        body = "".join(
            f'<tr><th scope="row">{escape(name)}</th>'
            + "".join(f"<td>{escape(text)}</td>" for text in rest)
            + "</tr>"
            for name, *rest in self.rows
        )
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def __repr__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.caption, *text] if self.caption else text)
