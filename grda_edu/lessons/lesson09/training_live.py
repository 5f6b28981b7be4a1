"""Lesson 09's live view: a curve between two recorded networks, trained on this computer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from grda_edu.views.curve import CurveView

from .numbers import PATHS, ends, positions, values

if TYPE_CHECKING:
    from grda_edu.geometry.valley import Curve


def live_curve(pair: str = "start", *, epochs: int = 40) -> CurveView:
    """A view that trains the Bézier curve between two recorded networks on this computer."""
    start, end = ends(pair)

    def job(progress: Callable[[Curve, float], object], stop: threading.Event) -> Curve:
        from grda_edu.data import digits
        from grda_edu.geometry.valley import train_curve
        from grda_edu.models import digits_cnn
        from grda_edu.training.device import choose_device

        return train_curve(
            digits_cnn(0),
            digits(choose_device()),
            start,
            end,
            epochs=epochs,
            check_every=2,
            progress=progress,
            stop=stop,
        )

    line, curve = (values(pair, f"{path}_train_loss")[0] for path in ("line", "curve"))
    return CurveView(job, epochs, PATHS[pair], positions(), line, curve)
