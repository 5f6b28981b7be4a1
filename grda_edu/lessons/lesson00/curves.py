"""Accuracy and zeros over the epochs, on the right of both figures."""

from __future__ import annotations

import numpy as np

from grda_edu.explore import Panel, axis, dots, key, keys, line, palette
from grda_edu.explore.palette import Style

from .numbers import runs

NAMES = {"sgd": "SGD", "grda": "gRDA"}
STYLES = {"sgd": palette.SGD, "grda": palette.GRDA}


def _curves() -> dict[str, tuple[Style, np.ndarray]]:
    """Trace -> its look and its values [E+1]."""
    sgd, grda = runs()["sgd"], runs()["grda"]
    return {
        "SGD accuracy": (palette.SGD, sgd.test_accuracy),
        "gRDA accuracy": (palette.GRDA, grda.test_accuracy),
        "gRDA zeros": (palette.ZERO, grda.total_zeros),
    }


def curves_panel(begin: float, zeros: str) -> Panel:
    """The panel from ``begin`` to the right edge; ``zeros`` names that curve in its key."""
    epoch = runs()["sgd"].epoch
    hover = "epoch %{{x}}: %{{y:.1%}}<extra>{}</extra>"
    return Panel(
        *(
            line(name, style, x=epoch, hovertemplate=hover.format(name))
            for name, (style, _) in _curves().items()
        ),
        dots("accuracy now", palette.GRDA, size=11, outline=2, cliponaxis=False),
        dots("zeros now", palette.ZERO.color, size=11, outline=2, cliponaxis=False),
        x=(begin, 1),
        key="accuracy: "
        + keys(key("gRDA", palette.GRDA), key("SGD", palette.SGD), key(zeros, palette.ZERO)),
        xaxis=axis("epoch", (0, epoch[-1] + 0.5)),
        yaxis=axis("share (test accuracy, zeros)", (0, 1.06), share=True),
    )


def curves_row(k: int, trained: str) -> dict[str, object]:
    """The curves up to epoch ``k``, and where the run "sgd" or "grda" stands on them."""
    run = runs()[trained]
    return {
        f"{name}.y": np.where(run.epoch <= k, values, np.nan)
        for name, (_, values) in _curves().items()
    } | {
        "accuracy now.x": [k],
        "accuracy now.y": [run.test_accuracy[k]],
        "accuracy now.marker.color": STYLES[trained].color,
        "zeros now.x": [k],
        "zeros now.y": [run.total_zeros[k]],
    }
