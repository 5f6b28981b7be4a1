"""What stands in a figure's place until its script draws it, and for ever where no script runs."""

from __future__ import annotations

from html import escape


def still(state: dict, table: dict) -> str:
    """The figure's label and the sentence of its first state."""
    sentence = _at(table["sentence"], state["index"], table.get("at"))
    return (
        f'<div class="grda-still"><p class="grda-still-label">{escape(state["label"])}</p>'
        f'<p class="grda-sentence">{escape(sentence)}</p></div>'
    )


def _at(column: dict, index: list[int], at: list[int] | None) -> str:
    """A text of the table where the controls stand."""
    row = 0
    position = [0] * len(index) if at is not None else index
    for size, k in zip(column["grid"], position, strict=True):
        row = row * size + (0 if size == 1 else k)
    return column["strings"][row]
