"""A point of the plot itself that the learner drags, and sliders that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .table import Table


@dataclass(frozen=True, init=False)
class Handle:
    """A point of a trace that can be dragged; the sliders that move it follow the hand.

    trace: its name; controls: the slider, or the two, that move the point;
    point: which of the trace's points; line: taken hold of on the whole line across the panel, not at
        the point alone; field: a click anywhere in the panel brings the point there.

    Where it lies for every position of its sliders stands in the figure's table already, so there is
    nothing else to declare. A figure that is not tabulated draws no handles.
    """

    trace: str
    controls: tuple[str, ...]
    point: int
    line: bool
    field: bool

    def __init__(
        self,
        trace: str,
        *controls: str,
        point: int = 0,
        line: bool = False,
        field: bool = False,
    ) -> None:
        for name, value in (
            *(("trace", trace), ("controls", controls), ("point", point)),
            *(("line", line), ("field", field)),
        ):
            object.__setattr__(self, name, value)

    def check(self, traces: Sequence[str], sliders: Sequence[str]) -> None:
        """Raise ValueError, naming the handle, unless it is a trace's and moves one or two sliders."""
        where = f"handle on {self.trace!r}"
        if self.trace not in traces:
            raise ValueError(f"{where}: no such trace; the figure's are {', '.join(traces)}")
        if len(self.controls) not in (1, 2) or not set(self.controls) <= set(sliders):
            raise ValueError(
                f"{where}: it moves {list(self.controls)}; accepted are one or two of the sliders "
                f"{list(sliders)}"
            )

    def describe(self, sliders: Sequence[str], table: Table) -> dict[str, object]:
        """What the page is told of it: the sliders' numbers, and along which axes the point moves.

        Raises ValueError, naming the handle and the control, where a control does not move it.
        """
        axes = [sliders.index(name) for name in self.controls]
        moved = {axis: set[str]() for axis in axes}
        for along in "xy":
            column = next((c for c in table.columns if c.key == f"{self.trace}|{along}"), None)
            if column is None:
                continue
            if not column.shape or column.shape[0] <= self.point:
                raise ValueError(
                    f"handle on {self.trace!r}: it has no point {self.point} in {along}"
                )
            at = column.values[..., self.point]
            for axis in axes:
                # NaN is where the point is not
                ends = np.fmin.reduce(at, axis=axis), np.fmax.reduce(at, axis=axis)
                if (ends[0] < ends[1]).any():
                    moved[axis].add(along)
        for name, axis in zip(self.controls, axes, strict=True):
            if not moved[axis]:
                raise ValueError(f"handle on {self.trace!r}: control {name!r} does not move it")
        return {
            "trace": self.trace,
            "controls": axes,
            "point": self.point,
            "along": "".join(sorted(set().union(*moved.values()))),
            "line": self.line,
            "field": self.field,
        }
