"""Lesson 02's third figure: why ½ < μ < 1, with noise in the gradients."""

from __future__ import annotations

from functools import cache

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Explorable, Slider, palette
from grda_edu.shrinkage import tuning_function
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA

from .methods import LONG, LR, TIME, W0
from .spaces import HOLLOW, LINES, heading

EXPONENTS: tuple[float, ...] = (0.3, 0.35, 0.4, 0.45, 0.5, 0.51, 0.55, 0.6, 0.65, 0.7)
EXPONENTS += (0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)
SIGMA = C_NOISE = 0.3  # with c = σ the threshold equals the noise's size at t = 1
WALKERS, SHOWN, SHAKEN = 4000, 60, 300
AT = np.unique(np.geomspace(1, LONG, 25).round().astype(int))  # steps at which they are looked at
SHARP_A = 1.0
RESOLVED = 0.002  # a smaller bias is lost in the noise of the mean


@cache
def walks() -> np.ndarray:
    """Accumulators of flat weights that start at 0 and feel only noise: [steps ``AT``, WALKERS]."""
    return quadratic.random_walks(AT, SIGMA, LR, WALKERS, seed=0)


def alive_shares(mu: float) -> np.ndarray:
    """Share of the walkers outside the band at the steps ``AT``: [len(AT)]."""
    return (np.abs(walks()) > tuning_function(AT, LR, C_NOISE, mu)[:, None]).mean(axis=1)


@cache
def noisy_bias() -> np.ndarray:
    """Bias of a sharp weight under noise, mean over SHAKEN of them: [len(AT), exponents].

    Each point is also a mean over the steps since the point before, so that noise averages out.
    """
    noise = SIGMA * np.random.default_rng(1).standard_normal((LONG, 1, SHAKEN))
    path = quadratic.simulate(
        GRDA,
        a=SHARP_A,
        w_star=W0,
        w0=W0,
        lr=LR,
        c=C_NOISE,
        mu=np.array(EXPONENTS)[:, None],
        noise=noise,
        steps=LONG,
        keep=np.unique(np.rint([*AT, *np.geomspace(1, LONG, 200), *range(20, LONG, 20)])).astype(
            int
        ),
    )
    steps = np.rint(path.t / LR).astype(int)
    bias = W0 - path.w.mean(axis=2)
    starts = np.searchsorted(steps, [0, *AT[:-1]], side="right")
    return np.add.reduceat(bias, starts) / np.diff([*starts, len(steps)])[:, None]


def why_between() -> Explorable:
    """Flat weights that feel only noise, and the bias of a sharp one, for every μ."""
    walks(), noisy_bias()  # made once, before the table's rows are timed
    return Explorable(
        _between_figure,
        _why_between,
        {"mu": Slider(EXPONENTS, label="μ", format="g", start=0.6, play=True)},
        label="Flat weights under noise against the band, the share alive, and a sharp one's bias",
    )


def _between_figure() -> go.Figure:
    t = AT * LR
    cloud = {"mode": "markers", "hoverinfo": "skip", "x": np.repeat(t, SHOWN)}
    top, low = {"xaxis": "x2", "yaxis": "y2"}, {"xaxis": "x3", "yaxis": "y3"}
    formula = {"x": t, "line": {"color": palette.INK, "dash": "dot", "width": 1.4}, **LINES}
    dots = {"mode": "markers", "hoverinfo": "skip", "x": t, "cliponaxis": False}
    dots["marker"] = {"color": palette.GRDA.color, "size": 7}
    size = SIGMA * np.sqrt(LR * t)
    log = {"type": "log"}
    return palette.figure(
        go.Scatter(name="floor", x=t, y=np.full(t.size, 1e-6), line={"width": 0}, **LINES),
        go.Scatter(
            name="band",
            x=t,
            fill="tonexty",
            fillcolor=palette.BAND,
            line=palette.BAND_EDGE.line(2.5),
            **LINES,
        ),
        go.Scatter(name="dead", marker=HOLLOW | {"size": 5, "line": {"width": 1}}, **cloud),
        go.Scatter(name="alive", marker={"color": palette.GRDA.color, "size": 5}, **cloud),
        go.Scatter(name="size", x=t, y=size, line={"color": palette.INK, "width": 1.6}, **LINES),
        go.Scatter(name="share formula", **formula, **top),
        go.Scatter(name="share", **dots, **top),
        go.Scatter(name="bias formula", **formula, **low),
        go.Scatter(name="bias", **dots, **low),
        height=500,
        margin={"t": 84},
        xaxis={"domain": [0, 0.46], "title_text": "time t", **TIME},
        yaxis={"range": [-2.6, 1.2], **log, "title_text": "size of the accumulator, |v|"}
        | {"tickvals": [0.01, 0.1, 1, 10]},
        xaxis2={"domain": [0.58, 1], "anchor": "y2", **TIME},
        yaxis2={"domain": [0.6, 1], "anchor": "x2", "range": [0, 1.02], "tickformat": ".0%"},
        xaxis3={"domain": [0.58, 1], "anchor": "y3", "title_text": "time t", **TIME},
        yaxis3={"domain": [0, 0.4], "anchor": "x3", **log, "range": [-3, 0.2]}
        | {"tickvals": [0.001, 0.01, 0.1, 1]},
        annotations=[
            heading(
                0.0,
                f"{SHOWN} of {WALKERS:,} flat weights, noise only",
                ("● alive", palette.GRDA.color),
                ("○ zero", palette.ZERO.color),
                ("▮ band", palette.BAND_EDGE.color),
                ("noise σ√γ√t ━", palette.INK),
            ),
            heading(
                0.58,
                "Share of the flat weights alive",
                ("● all of them", palette.GRDA.color),
                ("formula ┈", palette.INK),
            ),
            heading(
                0.58,
                "Bias of a sharp weight",
                ("● under noise", palette.GRDA.color),
                ("formula ┈", palette.INK),
            )
            | {"y": 0.4},
        ],
    )


def _why_between(mu: float) -> tuple[dict, str]:
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
    early = at_time(1.0)
    formula = quadratic.grda_bias(1000.0, SHARP_A, LR, C_NOISE, mu)
    return row, (
        f"μ = {mu:g}: of the flat weights {share[early]:.0%} are alive at t = 1 and {share[-1]:.0%} at "
        f"t = 1000; the sharp weight's bias is {bias[early]:.2g} at t = 1 and {_bias_words(bias[-1])} "
        f"at t = 1000 (formula {formula:.2g})."
    )


def _bias_words(bias: float) -> str:
    return f"{bias:.2g}" if bias >= RESOLVED else f"less than {RESOLVED:g}"


def at_time(t: float) -> int:
    """The index in ``AT`` of the step nearest to time ``t``."""
    return int(np.abs(AT * LR - t).argmin())


def _verdict(mu: float) -> str:
    """What the exponents say; a test holds it against the simulation."""
    if mu < 0.5:
        return "noise outgrows the band, flat weights come alive"
    if mu == 0.5:
        return "band and noise grow alike, nothing changes"
    if mu < 0.55:
        return "flat weights die out, very slowly, and the bias vanishes"
    if mu < 1:
        return "flat weights die out, and the bias vanishes"
    return (
        "flat weights die out, but the bias stays"
        if mu == 1
        else "flat weights die out, but the bias grows"
    )
