"""Lesson 02's third figure: why ½ < μ < 1, with noise in the gradients."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Explorable,
    Panel,
    Slider,
    axis,
    dots,
    key,
    keys,
    line,
    palette,
    panels,
    writing,
)
from grda_edu.shrinkage import tuning_function
from grda_edu.toy import quadratic

from .methods import FORMULA, TIME
from .numbers import (
    AT,
    C_NOISE,
    EXPONENTS,
    LR,
    SHARP_A,
    SIGMA,
    WALKERS,
    alive_shares,
    at_time,
    noisy_bias,
    walks,
)

SHOWN = 60  # of the walkers
RESOLVED = 0.002  # a smaller bias is lost in the noise of the mean


@veiled("02.noise")
def why_between() -> Explorable:
    """Flat weights that feel only noise, and the bias of a sharp one, for every μ."""
    walks(), noisy_bias()  # made once, before the table's rows are timed
    return Explorable(
        _figure,
        _why_between,
        {"mu": Slider(EXPONENTS, label="μ", format="g", start=0.6, play=True)},
        label="Flat weights under noise against the band, the share alive, and a sharp one's bias",
    )


def _figure() -> go.Figure:
    t, many = AT * LR, np.repeat(AT * LR, SHOWN)
    accumulators = Panel(
        line("floor", palette.BAND_EDGE, width=0, x=t, y=np.full(t.size, 1e-6)),
        line("band", palette.BAND_EDGE, x=t, fill="tonexty", fillcolor=palette.BAND),
        dots("dead", palette.ZERO, size=5, outline=1, x=many),
        dots("alive", palette.GRDA, size=5, x=many),
        line("size", palette.INK, width=1.6, x=t, y=SIGMA * np.sqrt(LR * t)),
        x=(0, 0.46),
        title=f"{SHOWN} of {WALKERS:,} flat weights, noise only",
        key=keys(
            key("alive", palette.GRDA, "mark"),
            key("zero", palette.ZERO, "mark"),
            key("band", palette.BAND_EDGE, "bar"),
            key("noise σ√γ√t", palette.INK),
        ),
        xaxis=axis("time t", **TIME),
        yaxis=axis("size of the accumulator, |v|", (-2.6, 1.2), log=True, ticks=(0.01, 0.1, 1, 10)),
    )
    share = _beside("share", "Share of the flat weights alive", "all of them", (0.6, 1))
    share.yaxis |= axis(range=(0, 1.02), share=True)
    bias = _beside("bias", "Bias of a sharp weight", "under noise", (0, 0.4))
    bias.xaxis |= axis("time t")
    bias.yaxis |= axis(range=(-3, 0.2), log=True, ticks=(0.001, 0.01, 0.1, 1))
    return panels(accumulators, share, bias, height=500, margin={"t": 84})


def _beside(name: str, title: str, simulated: str, y: tuple[float, float]) -> Panel:
    """What is simulated, over the formula for it."""
    t = AT * LR
    return Panel(
        line(f"{name} formula", FORMULA, width=1.4, x=t),
        dots(name, palette.GRDA, size=7, x=t, cliponaxis=False),
        x=(0.58, 1),
        y=y,
        title=title,
        key=keys(key(simulated, palette.GRDA, "mark"), key("formula", FORMULA)),
        xaxis=axis(**TIME),
    )


def _why_between(mu: float) -> tuple[dict[str, object], str]:
    t = AT * LR
    g = tuning_function(AT, LR, C_NOISE, mu)
    v = np.abs(walks()[:, :SHOWN])
    alive = v > g[:, None]
    share, bias = alive_shares(mu), noisy_bias()[:, EXPONENTS.index(mu)]
    row = {
        "band.y": g,
        "dead.y": np.where(alive, np.nan, v).ravel(),
        "alive.y": np.where(alive, v, np.nan).ravel(),
        "share.y": share,
        "share formula.y": quadratic.alive_share(t, SIGMA, LR, C_NOISE, mu),
        "bias.y": np.where(bias > 0, bias, np.nan),
        "bias formula.y": quadratic.grda_bias(t, SHARP_A, LR, C_NOISE, mu),
        "layout.title.text": f"μ = {mu:g}: {_verdict(mu)}",
    }
    return row, (
        f"Of the flat weights {writing.percent(share[at_time(1.0)], 0)} are alive at t = 1 and "
        f"{writing.percent(share[-1], 0)} at the end; the sharp weight's bias is "
        f"{_bias_words(bias[at_time(10.0)])} at t = 10 and {_bias_words(bias[-1])} at the end."
    )


def _bias_words(bias: float) -> str:
    if bias < RESOLVED:
        return f"less than {RESOLVED:g}"
    return writing.significant(bias)


def _verdict(mu: float) -> str:
    """What the exponents say; a test holds it against the simulation."""
    if mu < 0.5:
        return "noise outgrows the band, flat weights come alive"
    if mu == 0.5:
        return "band and noise grow alike, nothing changes"
    dying = "flat weights die out, very slowly" if mu < 0.55 else "flat weights die out"
    if mu < 1:
        return f"{dying}, and the bias vanishes{', very slowly' if mu > 0.9 else ''}"
    return f"{dying}, but the bias {'stays' if mu == 1 else 'grows'}"
