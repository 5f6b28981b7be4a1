"""Lesson 01, soft-thresholding: what turns small numbers into exact zeros? (numpy only)"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.shrinkage import hard_threshold, soft_threshold

X = np.linspace(-3, 3, 241)
W = np.linspace(-3, 3, 121)
HIGHEST = 7.0  # top of the objective's axis
FOUR = np.array([-1.4, -0.3, 0.2, 0.9])  # the numbers of the first prediction
FOUR_TAU = 0.5


def objective(w: np.ndarray, x: float, tau: float) -> np.ndarray:
    """½(w - x)² + τ|w| at every ``w``."""
    return 0.5 * (w - x) ** 2 + tau * np.abs(w)


# ------------------------------------------------- first figure: a rule and what it minimises


def rule_and_objective() -> Explorable:
    """S_τ over x on the left, the objective that it minimises on the right, linked."""
    return Explorable(
        _rule_figure,
        _rule_and_objective,
        {
            "tau": Slider.linear(0, 2, 21, label="threshold τ", format=".1f", start=0.5),
            "x": Slider.linear(-3, 3, 61, label="input x", format=".1f", start=1.2),
        },
        label="Soft-thresholding of x, and the objective whose lowest point it finds",
    )


def _rule_figure() -> go.Figure:
    left, right = {"xaxis": "x", "yaxis": "y"}, {"xaxis": "x2", "yaxis": "y2"}
    lines = {"mode": "lines", "hoverinfo": "skip"}
    big = {"size": 13, "line": {"color": palette.PAPER, "width": 2}}
    picture = palette.figure(
        go.Scatter(name="kept", x=X, y=X, line=palette.TARGET.line(1.2), **lines, **left),
        go.Scatter(name="soft", x=X, line=palette.GRDA.line(3.5), **lines, **left),
        go.Scatter(
            name="point",
            mode="markers",
            hoverinfo="skip",
            cliponaxis=False,
            marker={**big, "color": palette.GRDA.color},
            **left,
        ),
        go.Scatter(name="square", x=W, line=palette.SGD.line(1.8), **lines, **right),
        go.Scatter(name="penalty", x=W, line=palette.BAND_EDGE.line(1.8), **lines, **right),
        go.Scatter(name="sum", x=W, line={"color": palette.INK, "width": 3}, **lines, **right),
        go.Scatter(
            name="lowest",
            mode="markers",
            hoverinfo="skip",
            cliponaxis=False,
            marker={**big, "color": palette.GRDA.color},
            **right,
        ),
        height=400,
        xaxis={"domain": [0, 0.45], "range": [-3, 3], "title_text": "input x"},
        yaxis={"range": [-3, 3], "title_text": "output w"},
        xaxis2={"domain": [0.56, 1], "range": [-3, 3], "title_text": "candidate w"},
        yaxis2={"range": [-0.5, HIGHEST], "anchor": "x2", "title_text": "objective"},
        shapes=[{"type": "rect", "x0": -1, "x1": 1, "y0": -3, "y1": 3, "layer": "below"}],
        annotations=[
            palette.legend(
                0.0,
                ("S<sub>τ</sub>(x) ━", palette.GRDA.color),
                ("x unchanged ╌", palette.TARGET.color),
                ("▮ becomes zero", palette.BAND_EDGE.color),
            ),
            palette.legend(
                0.56,
                ("½(w − x)² + τ|w| ━", palette.INK),
                ("½(w − x)² ╌", palette.SGD.color),
                ("τ|w| ─", palette.BAND_EDGE.color),
            ),
        ],
    )
    picture.layout.shapes[0].update(fillcolor=palette.BAND, line_width=0)
    return picture


def _label(x: float, y: float, text: str, color: str, anchor: str = "center") -> dict:
    """Words at a point of the first axes."""
    font = {"color": color, "size": 13}
    return {"x": x, "y": y, "text": text, "showarrow": False, "xanchor": anchor, "font": font}


def _rule_and_objective(tau: float, x: float) -> tuple[dict[str, object], str]:
    w = soft_threshold(x, tau)
    low = float(objective(np.array(w), x, tau))
    row = {
        "soft.y": soft_threshold(X, tau),
        "point.x": [x],
        "point.y": [w],
        "square.y": np.minimum(objective(W, x, 0.0), 2 * HIGHEST),
        "penalty.y": tau * np.abs(W),
        "sum.y": np.minimum(objective(W, x, tau), 2 * HIGHEST),
        "lowest.x": [w],
        "lowest.y": [low],
        "layout.shapes[0].x0": -tau,
        "layout.shapes[0].x1": tau,
        "layout.title.text": f"S<sub>{tau:.1f}</sub>({x:.1f}) = {w:.1f}",
    }
    return row, _rule_sentence(tau, x, w)


def _rule_sentence(tau: float, x: float, w: float) -> str:
    if w == 0:
        verdict = "x lies in the band, so the lowest point sits in the kink: w is exactly 0"
    else:
        verdict = f"x lies outside the band and moves towards zero by τ: w = {w:.1f}"
    return f"τ = {tau:.1f}, x = {x:.1f}: {verdict}."


# ------------------------------------------------- second figure: forty numbers at once


def coefficients() -> np.ndarray:
    """Forty made-up coefficients, a few large and many small, sorted by size: float [40]."""
    rng = np.random.default_rng(7)
    values = rng.laplace(scale=0.7, size=40)
    return values[np.argsort(-np.abs(values))]


RULES = {
    "soft: survivors move by τ": "soft",
    "hard: survivors stay put": "hard",
    "scale: divide by 1 + τ": "scale",
}


def apply_rule(x: np.ndarray, tau: float, rule: str) -> np.ndarray:
    """``x`` after soft-thresholding, hard-thresholding, or division by 1 + τ (an ℓ2 penalty).

    x / (1 + τ) is argmin_w ½(w - x)² + ½τw²: what weight decay does in one step.
    """
    if rule == "scale":
        return x / (1 + tau)
    return {"soft": soft_threshold, "hard": hard_threshold}[rule](x, tau)


def forty_coefficients() -> Explorable:
    """Forty coefficients under three rules, with the number of exact zeros."""
    return Explorable(
        _forty_figure,
        _forty,
        {
            "rule": Choice(RULES, label="rule"),
            "tau": Slider.linear(0, 2, 201, label="threshold τ", format=".2f", play=True),
        },
        label="Forty coefficients before and after a rule, zeros drawn hollow on the line",
    )


def _forty_figure() -> go.Figure:
    x = coefficients()
    at = np.arange(1, x.size + 1)
    return palette.figure(
        go.Bar(
            name="before",
            x=at,
            y=x,
            width=0.75,
            marker={"color": palette.MUTED, "line": {"width": 0}},
            opacity=0.35,
            hovertemplate="before: %{y:.2f}<extra></extra>",
        ),
        go.Bar(
            name="after",
            x=at,
            width=0.75,
            marker={"color": palette.GRDA.color, "line": {"width": 0}},
            hovertemplate="after: %{y:.2f}<extra></extra>",
        ),
        go.Scatter(
            name="zero",
            x=at,
            mode="markers",
            hoverinfo="skip",
            marker={
                "symbol": palette.ZERO.symbol,
                "color": palette.ZERO.color,
                "size": 9,
                "line": {"width": 2},
            },
        ),
        height=360,
        barmode="overlay",
        xaxis={"title_text": "coefficient, in order of size", "range": [0.2, 40.8]},
        yaxis={"title_text": "value", "range": [-3.8, 3.8]},
        shapes=[{"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "layer": "below"}],
        annotations=[
            _label(40.5, 3.4, "grey: before", palette.MUTED, "right"),
            _label(40.5, 2.85, "solid: after", palette.GRDA.color, "right"),
            _label(40.5, 2.3, "○ exactly zero", palette.ZERO.color, "right"),
        ],
    ).update_shapes(fillcolor=palette.BAND, line_width=0)


def _forty(rule: str, tau: float) -> tuple[dict[str, object], str]:
    before = coefficients()
    after = apply_rule(before, tau, rule)
    zeros = int((after == 0).sum())
    band = 0.0 if rule == "scale" else tau
    row = {
        "after.y": after,
        "zero.y": np.where(after == 0, 0.0, np.nan),
        "layout.title.text": f"{zeros} of {after.size} are exactly zero",
        "layout.shapes[0].y0": -band,
        "layout.shapes[0].y1": band,
    }
    largest = f"the largest goes from {before[0]:.2f} to {after[0]:.2f}"
    return row, f"{rule}, τ = {tau:.2f}: {zeros} of {after.size} are exactly zero; {largest}."


def tau_for_zeros(count: int) -> float:
    """The smallest τ at which soft-thresholding makes ``count`` of the forty exactly zero."""
    return float(np.sort(np.abs(coefficients()))[count - 1])


# ------------------------------------------------- questions and exercise


def _in_words(values: np.ndarray) -> str:
    """The numbers as an option writes them: "-0.3 and 0.2"."""
    if values.size == 0:
        return "none of them"
    *first, last = [f"{value:g}" for value in values]
    return f"{', '.join(first)} and {last}" if first else last


def _survivors() -> dict[str, object]:
    scaled = apply_rule(coefficients(), 2.0, "scale")
    return {
        "smallest": float(np.abs(scaled).min()),
        "soft_zeros": int((apply_rule(coefficients(), 2.0, "soft") == 0).sum()),
    }


PREDICTIONS = {
    "which_zero": Prediction(
        title="which numbers become zero",
        question="With τ = 0.5: which of −1.4, −0.3, 0.2 and 0.9 become exactly zero?",
        answer=lambda: _in_words(FOUR[soft_threshold(FOUR, FOUR_TAU) == 0]).replace("-", "−"),
        options={
            "−1.4 and −0.3": "A threshold is about size, not about sign: −1.4 is far from zero.",
            "0.2": "0.2 does, but −0.3 is no further from zero than τ either.",
            "−0.3 and 0.2": "Both lie within τ of zero, so both stop there.",
            "all of them": "−1.4 and 0.9 are further than τ from zero: they move and survive.",
        },
        explanation="The four become {after}.",
        values=lambda: {
            "after": ", ".join(f"{w + 0:.1f}" for w in soft_threshold(FOUR, FOUR_TAU)).replace(
                "-", "−"
            )
        },
    ),
    "scaling": Prediction(
        title="whether scaling makes zeros",
        question="Divide all forty by 1 + τ, with τ = 2. How many become exactly zero?",
        answer=lambda: (
            "none" if (apply_rule(coefficients(), 2.0, "scale") != 0).all() else "about half"
        ),
        options={
            "none": "A number divided by three is smaller, and still not zero.",
            "about half": "They all become smaller, but a third of a small number is not zero.",
            "as many as with the soft rule": (
                "The soft rule makes {soft_zeros} zeros at τ = 2. Scaling is another matter."
            ),
        },
        explanation="The smallest of the forty is {smallest:.4f} after scaling. Small is not zero.",
        values=_survivors,
    ),
    "thirty_zeros": Prediction(
        title="the threshold for 30 zeros of 40",
        heading="Report",
        question="With the soft rule: which τ did you find for 30 zeros of 40?",
        answer=lambda: tau_for_zeros(30),
        tolerance=0.011,
        explanation=(
            "The 30th smallest of the forty has size {answer:.3f}. As soon as τ reaches it, 30 of them lie in "
            "the band."
        ),
    ),
}


def my_soft_threshold(x: np.ndarray, tau: float) -> np.ndarray:
    """The solution that the learner may compare with."""
    return np.sign(x) * np.maximum(np.abs(x) - tau, 0)


EXERCISES = {
    "soft_threshold": Exercise(
        title="soft-thresholding",
        task="Write `my_soft_threshold(x, tau)` for a numpy array `x` and a number `tau ≥ 0`.",
        solution=my_soft_threshold,
        oracle=lambda x, tau: x - np.clip(x, -tau, tau),
        cases=(
            Case(
                (np.array([2.0]), 0.5),
                np.array([1.5]),
                "A number outside the band moves towards zero by τ.",
            ),
            Case((np.array([0.3]), 0.5), np.array([0.0]), "A number inside the band becomes zero."),
            Case(
                (np.array([-2.0]), 0.5),
                np.array([-1.5]),
                "A negative number moves up, towards zero, and keeps its sign.",
            ),
            Case(
                (np.array([-0.3]), 0.5),
                np.array([0.0]),
                "The band lies on both sides of zero.",
            ),
            Case(
                (np.array([0.5, -0.5]), 0.5),
                np.array([0.0, 0.0]),
                "At the very edge of the band, the result is zero.",
            ),
            Case(
                (np.array([1.0, -0.2, 0.0]), 0.0),
                np.array([1.0, -0.2, 0.0]),
                "With τ = 0 nothing shrinks.",
            ),
            Case((np.linspace(-3, 3, 12).reshape(3, 4), 1.1), why="Arrays of any shape work."),
        ),
        hints=(
            "Look at the size |x| and at the sign of x separately. What happens to the size?",
            "The size becomes |x| − τ, but never less than zero: `np.maximum(np.abs(x) - tau, 0)`.",
            "Give the size its sign back: multiply by `np.sign(x)`.",
        ),
        done="This one line, applied to every weight at every step, is where gRDA's zeros come from.",
    ),
}

OBJECTIVES = {
    "say which numbers soft-thresholding turns into zero": "which_zero",
    "say why an absolute value makes zeros and a square does not": "scaling",
    "read off the threshold that leaves a given number of weights": "thirty_zeros",
    "write soft-thresholding yourself": "soft_threshold",
}
