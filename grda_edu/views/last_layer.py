"""The wires of the digits network's last layer: one for every weight that is not zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from grda_edu.explore import Panel, axis, dots, line, palette, words

HIDDEN, OUTPUTS = 64, 10  # units above, digits below
_OUTPUT_AT = (np.arange(OUTPUTS) + 0.5) * HIDDEN / OUTPUTS - 0.5


def wires_panel(size: float = 6, **place: Any) -> Panel:
    """Units, digits and the wires between them, which ``wires_row`` draws.

    size: of a unit, in pixels; place: everything else of a ``Panel``. A unit whose wires are all zero
    is hollow.
    """
    units, digits = np.arange(HIDDEN), [str(digit) for digit in range(OUTPUTS)]
    return Panel(
        line("wires", palette.INK, width=0.8, opacity=0.5, x=_by_wire(units, _OUTPUT_AT[:, None])),
        dots("units", palette.INK, size=size, x=units),
        dots("cut-off units", palette.ZERO, size=size + 1, outline=1.5, x=units),
        words("digits", palette.INK, x=_OUTPUT_AT, y=np.full(OUTPUTS, -0.12), text=digits),
        xaxis=axis(range=(-1.5, HIDDEN + 0.5), hidden=True),
        yaxis=axis(range=(-0.25, 1.1), hidden=True),
        **place,
    )


def wires_row(weights: np.ndarray) -> dict[str, object]:
    """What ``wires_panel`` draws for weights [outputs, hidden]; zeros are gaps."""
    alive = weights != 0
    some = alive.any(axis=0)
    return {
        "wires.y": _by_wire(np.where(alive, 1.0, np.nan), np.where(alive, 0.0, np.nan)),
        "units.y": np.where(some, 1.0, np.nan),
        "cut-off units.y": np.where(some, np.nan, 1.0),
    }


def _by_wire(unit: np.ndarray, output: np.ndarray) -> np.ndarray:
    """A coordinate of every wire: at its unit, at its output, then a gap: [3·outputs·hidden]."""
    ends = np.full((OUTPUTS, HIDDEN, 3), np.nan)
    ends[:, :, 0], ends[:, :, 1] = unit, output
    return ends.ravel()
