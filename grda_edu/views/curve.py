"""A Bézier curve between two networks, live on the page while its middle is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Panel, Picture, axis, key, keys, line, palette, panels, writing

from .live import Job, LiveView

if TYPE_CHECKING:
    from grda_edu.geometry.valley import Curve

LOSS_AXIS = axis(log=True, range=(-3.6, 1.3))
"""Cross-entropy in nats, as far as digits networks go."""


class CurveView(LiveView["Curve | None"]):
    """The loss along the best curve so far, and the highest loss at each check.

    job: ``job(progress, stop)`` trains and returns a Curve, as ``valley.train_curve`` does.
    epochs: how far the axis reaches; path: what the curve joins, in words;
    t, line, recorded: the loss along the straight line and along a recorded curve: float [T] each.
    """

    def __init__(
        self,
        job: Job,
        epochs: int,
        path: str,
        t: np.ndarray,
        line: np.ndarray,
        recorded: np.ndarray,
    ) -> None:
        self._epochs, self._path = epochs, path
        label = f"Training a Bézier curve live, {path}: the loss along it"
        room = [_sentence(path, epochs, 0.0123, 12.3)]
        picture = Picture(
            lambda: _figure(epochs, t, line, recorded), label=label, longest={"sentence": room}
        )
        super().__init__(job, picture, "Press Start to train the curve on this computer.")

    def _forget(self) -> None:
        self.curve: Curve | None = None
        self._drawn = -1

    def _take(self, result: Curve) -> None:
        self.curve = result

    def _result(self) -> Curve | None:
        return self.curve

    def _checks(self) -> int:
        return 0 if self.curve is None else len(self.curve.epoch)

    def _is_drawn(self) -> bool:
        return self._drawn == self._checks()

    def _draw(self) -> None:
        self._drawn = self._checks()
        self.picture.show(*_row(self.curve, self._path))

    def _position(self) -> str:
        epoch = 0 if self.curve is None else int(self.curve.epoch[-1])
        return f"Checked after epoch {epoch} of {self._epochs}"

    def _verdict(self) -> tuple[bool, str]:
        message = "" if self.curve is None else self.curve.message
        return not message, message or f"Finished: {writing.count(self._epochs, 'epoch')}"

    def _devices(self) -> str:
        return "" if self.curve is None else str(self.curve.start.device)


def _figure(epochs: int, t: np.ndarray, straight: np.ndarray, recorded: np.ndarray) -> go.Figure:
    dotted: dict[str, Any] = {"width": 3, "mode": "lines+markers", "marker_size": 6}
    along = Panel(
        line("line", palette.TARGET, width=2, x=t, y=straight),
        line("recorded", palette.OBS, width=2, x=t, y=recorded),
        line("curve", palette.INK, **dotted),
        x=(0, 0.44),
        title="Loss",
        key=keys(
            key("best curve", palette.INK, "both"),
            key("line", palette.TARGET),
            key("recorded", palette.OBS),
        ),
        xaxis=axis("way t", (0, 1)),
        yaxis=LOSS_AXIS,
    )
    highest = Panel(
        line("highest", palette.INK, **dotted),
        x=(0.56, 1),
        title="Highest loss on the curve",
        xaxis=axis("epoch", (0, epochs)),
        yaxis=LOSS_AXIS,
    )
    return panels(along, highest, height=360, margin_t=66)


def _row(curve: Curve | None, path: str) -> tuple[dict[str, object], str]:
    nothing = np.zeros(0)
    row: dict[str, object] = {"layout.title.text": f"Live: {path}"}
    if curve is None or not len(curve.epoch):
        row |= {f"{trace}.{axis}": nothing for trace in ("curve", "highest") for axis in "xy"}
        return row, "Nothing has been trained yet."
    best, highest = curve.losses[curve.chosen], curve.losses.max(axis=1)
    row |= {
        "curve.x": curve.t,
        "curve.y": best,
        "highest.x": curve.epoch,
        "highest.y": highest,
    }
    return row, _sentence(path, int(curve.epoch[curve.chosen]), best.max(), highest[0])


def _sentence(path: str, epoch: int, curved: float, straight: float) -> str:
    return (
        f"{path}: the highest loss on the best curve so far (epoch {epoch}) is {writing.loss(curved)}, on the "
        f"straight line {writing.loss(straight)}."
    )
