"""Lesson 03, the knobs c and μ: what do they change? (numpy only; Lasso from scikit-learn)"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.shrinkage import tuning_function, tuning_increment
from grda_edu.toy import regression

# ------------------------------------------------- first figure: the threshold on its own

STEPS_SHOWN = 100_000
WEIGHT = 0.1  # the size of the flat weight that waits for the threshold
SETTINGS = {  # what the sliders are compared with: (c, μ, γ)
    "lesson 04's CNN": (0.02, 0.65, 0.1),
    "VGG16, published": (0.0005, 0.51, 0.1),
    "ResNet50, published": (0.005, 0.55, 0.1),
}
_LOWEST, _HIGHEST = 1e-5, 10.0  # of the threshold's axis


def threshold() -> Explorable:
    """g over the step number on logarithmic axes, beside a setting to compare with."""
    return Explorable(
        _threshold_figure,
        _threshold,
        {
            "other": Choice(SETTINGS, label="compare with"),
            "c": Slider([0, *_spread(-4, 4)], label="c", format="g", start=0.02),
            "mu": Slider.linear(0.5, 0.95, 10, label="μ", format="g", start=0.5),
            "lr": Slider(_spread(-3, 3), label="learning rate γ", format="g", start=0.1),
        },
        label="The threshold g over the steps of a training, on logarithmic axes",
    )


def _spread(decade: int, count: int) -> list[float]:
    """1, 2, 5, 10, … from 10^decade over ``count`` decades, both ends included."""
    values = [m * 10.0**k for k in range(decade, decade + count) for m in (1, 2, 5)]
    return [float(f"{value:.0e}") for value in values] + [10.0 ** (decade + count)]


def death_step(size: float, c: float, mu: float, lr: float) -> float:
    """After how many steps (not rounded) the threshold has reached ``size``; infinite for c = 0.

    t* = (size / (c√γ))^(1/μ) is that moment in time, n* = t*/γ in steps.
    """
    return float((size / (c * lr**0.5)) ** (1 / mu) / lr) if c > 0 else np.inf


def _threshold_figure() -> go.Figure:
    quiet = {"hoverinfo": "skip", "x": [1, STEPS_SHOWN]}
    return palette.figure(
        go.Scatter(name="weight", y=[WEIGHT, WEIGHT], mode="lines", **quiet).update(
            line=palette.ZERO.line(1.5) | {"dash": "dot"}
        ),
        go.Scatter(name="other", mode="lines", line=palette.TARGET.line(2), **quiet),
        go.Scatter(name="mine", mode="lines", line=palette.BAND_EDGE.line(4), **quiet),
        _dot("one", palette.BAND_EDGE, 11, symbol="diamond"),
        _dot("other dies", palette.TARGET, 12, symbol="circle-open"),
        _dot("mine dies", palette.ZERO, 14, symbol="circle-open"),
        height=420,
        xaxis={"type": "log", "range": [0, 5.01], "dtick": 1, "title_text": "step n"}
        | {"tickformat": ",d"},
        yaxis={"type": "log", "range": [np.log10(_LOWEST), np.log10(_HIGHEST)], "dtick": 1}
        | {"title_text": "threshold g(n, γ)", "tickformat": "~g"},
        margin={"l": 72, "r": 32, "t": 60, "b": 52},
        annotations=[
            palette.legend(
                0.0,
                ("your sliders ━", palette.BAND_EDGE.color),
                ("compared with ─ ·", palette.TARGET.color),
                ("◆ time t = nγ = 1", palette.BAND_EDGE.color),
                ("○ reaches the weight", palette.ZERO.color),
            ),
            {"x": 0.02, "y": np.log10(WEIGHT), "text": f"a flat weight of size {WEIGHT:g}"}
            | {"xanchor": "left", "yanchor": "bottom", "showarrow": False}
            | {"font": {"size": 12, "color": palette.ZERO.color}},
        ],
    )


def _dot(name: str, style: palette.Style, size: int, **marker: object) -> go.Scatter:
    look = {"color": style.color, "size": size, "line": {"width": 2.5}} | marker
    if not str(look["symbol"]).endswith("open"):  # an outline parts a mark from what is below it
        look["line"] = {"color": palette.PAPER, "width": 0 if look["symbol"] == "x" else 1.5}
    return go.Scatter(name=name, mode="markers", marker=look, hoverinfo="skip")


def _threshold(
    other: tuple[float, float, float], c: float, mu: float, lr: float
) -> tuple[dict[str, object], str]:
    ends = np.array([1.0, STEPS_SHOWN])
    mine = death_step(WEIGHT, c, mu, lr)
    theirs = death_step(WEIGHT, other[0], other[1], other[2])
    g = tuning_function(ends, lr, c, mu)
    row = {
        "mine.y": g if c > 0 else [np.nan, np.nan],  # zero has no place on a logarithmic axis
        "other.y": tuning_function(ends, other[2], other[0], other[1]),
        "one.x": [1 / lr],
        "one.y": [c * lr**0.5 if c > 0 else np.nan],
        "mine dies.x": [_shown(mine)],
        "mine dies.y": [WEIGHT],
        "other dies.x": [_shown(theirs)],
        "other dies.y": [WEIGHT],
        "layout.title.text": _threshold_title(c, mu, lr),
    }
    compared = "the other setting (c = {:g}, μ = {:g}, γ = {:g})".format(*other)
    death = f"A flat weight of size {WEIGHT:g} {_fate(mine)}; with {compared} it {_fate(theirs)}."
    if c == 0:
        return row, f"c = 0: the threshold is zero at every step. This is SGD. {death}"
    return row, (
        f"c = {c:g}, μ = {mu:g}, γ = {lr:g}: the threshold is {_plain(g[0])} after step 1 and {_plain(g[1])} after step "
        f"{STEPS_SHOWN:,}. It passes c√γ = {_plain(c * lr**0.5)} at step {1 / lr:,g}, where t = 1. {death}"
    )


def _plain(value: float) -> str:
    """Two digits that count, without a power of ten: 0.000063."""
    return np.format_float_positional(value, precision=2, fractional=False, trim="-")


def _threshold_title(c: float, mu: float, lr: float) -> str:
    if c == 0:
        return "c = 0: no threshold, this is SGD"
    return f"g = {c:g} · {lr:g}<sup>½</sup> · (n · {lr:g})<sup>{mu:g}</sup>"


def _shown(step: float) -> float:
    return step if 1 <= step <= STEPS_SHOWN else np.nan


def _fate(step: float) -> str:
    """What the threshold does to the flat weight, with the first whole step at which it is there."""
    if np.isinf(step):
        return "never dies"
    if step > STEPS_SHOWN:
        return f"lives for more than {STEPS_SHOWN:,} steps"
    return f"dies at step {_first_step(step):,}"


def _first_step(step: float) -> int:
    """The first whole step not before ``step``, 1 at the earliest; a rounding error is no step."""
    return max(1, int(np.ceil(step * (1 - 1e-12))))


# ------------------------------------------------- the regression, over the whole grid

LR, STEPS = 0.02, 3000
C = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0)
MU = (0.51, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
RECORD = [1, 2, 4, 8, 15, 30, 60, 100, 150, 200, 300, 400, 600, 800, 1000, 1300, 1600, 2000, 2500]
RECORD += [STEPS]
DRAWS = {"data set A": 1, "data set B": 2, "data set C": 0}  # name -> seed
FIRST = DRAWS["data set A"]


@dataclass(frozen=True)
class Result:
    """gRDA on one draw of the data over the grid of C and MU, and Lasso on the same data."""

    problem: regression.Regression
    weights: np.ndarray  # [RECORD, C, MU, P]
    lasso: np.ndarray  # [λ, P], λ falling

    @cached_property
    def alive(self) -> tuple[np.ndarray, np.ndarray]:
        """True and false weights that are not zero: two arrays [RECORD, C, MU]."""
        return regression.alive(self.weights, self.problem.truth)

    @cached_property
    def distance(self) -> np.ndarray:
        """The estimation error, [RECORD, C, MU]."""
        return regression.distance(self.weights, self.problem.truth)

    @property
    def true(self) -> int:
        """How many weights are true."""
        return int((self.problem.truth != 0).sum())

    def fewest_false(self) -> tuple[int, int]:
        """Cell [i, j] with all true weights, the fewest false ones and then the least error."""
        found, false = (counts[-1] for counts in self.alive)
        score = np.where(found == self.true, false, np.inf) + 0.1 * self.distance[-1]
        return _cell(score)

    def closest(self) -> tuple[int, int]:
        """Cell [i, j] of the least estimation error."""
        return _cell(self.distance[-1])

    def lasso_fewest_false(self) -> int:
        """The same choice on Lasso's path: index of its λ."""
        found, false = regression.alive(self.lasso, self.problem.truth)
        score = np.where(found == self.true, false, np.inf)
        return int((score + 0.1 * regression.distance(self.lasso, self.problem.truth)).argmin())

    def lasso_closest(self) -> int:
        return int(regression.distance(self.lasso, self.problem.truth).argmin())


def _cell(score: np.ndarray) -> tuple[int, int]:
    i, j = np.unravel_index(score.argmin(), score.shape)
    return int(i), int(j)


@cache
def result(draw: int) -> Result:
    """All trainings on one draw of the data (half a second), and Lasso's path."""
    problem = regression.sparse_regression(draw)
    weights = regression.grda(problem, C, MU, lr=LR, record=RECORD, seed=draw)
    return Result(problem, weights, regression.lasso(problem))


# ------------------------------------------------- second figure: one training over time

_C_SHOWN = (0.0, 0.1, 0.3, 0.7, 1.5, 3.0, 5.0, 10.0, 20.0, 50.0)
_MU_SHOWN = (0.51, 0.6, 0.7, 0.9)


def training() -> Explorable:
    """Two hundred weights, true and false ones, and their errors; sliders for the step, c and μ."""
    result(FIRST)  # outside the table, whose making is timed
    return Explorable(
        _training_figure,
        _training,
        {
            "step": Slider(RECORD, label="step", format=",.0f", start=STEPS, play=True),
            "c": Slider(_C_SHOWN, label="c", format="g", start=0.7),
            "mu": Slider(_MU_SHOWN, label="μ", format="g", start=0.51),
        },
        label="Two hundred weights of a regression in training: ten are true, the others should be zero",
    )


def _order(problem: regression.Regression) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the true weights, from the largest to the smallest, and of all others."""
    true = np.flatnonzero(problem.truth)
    return true[np.argsort(-problem.truth[true])], np.flatnonzero(problem.truth == 0)


def _training_figure() -> go.Figure:
    r = result(FIRST)
    true, others = _order(r.problem)
    at, rest = np.arange(1, true.size + 1), np.arange(1, others.size + 1)
    second, third, fourth = ({"xaxis": f"x{k}", "yaxis": f"y{k}"} for k in (2, 3, 4))
    lines = {"mode": "lines", "hoverinfo": "skip", "x": RECORD}
    hollow = {"color": palette.ZERO.color, "symbol": palette.ZERO.symbol}
    sgd = regression.prediction_error(r.problem, r.weights[:, 0, 0])
    lasso = regression.prediction_error(r.problem, r.lasso[r.lasso_closest()])
    picture = palette.figure(
        go.Scatter(name="truth", x=at, y=r.problem.truth[true], mode="markers", hoverinfo="skip")
        .update(marker={"symbol": "line-ew", "size": 13})
        .update(marker_line={"color": palette.INK, "width": 2}),
        _dot("found", palette.GRDA, 9, symbol="circle").update(x=at),
        _dot("lost", palette.ZERO, 10, **hollow).update(x=at),
        _dot("false", palette.GRDA, 7, symbol="x").update(x=rest, **second),
        _dot("zero", palette.ZERO, 4, **hollow).update(x=rest, **second, marker_line_width=1),
        go.Scatter(name="true alive", line=palette.GRDA.line(3), **lines, **third),
        go.Scatter(
            name="others alive", line=palette.GRDA.line(2) | {"dash": "dot"}, **lines
        ).update(**third),
        _dot("true now", palette.GRDA, 10, symbol="circle").update(**third),
        _dot("others now", palette.GRDA, 9, symbol="x").update(**third),
        go.Scatter(name="SGD", y=sgd, line=palette.SGD.line(2), **lines, **fourth),
        go.Scatter(
            name="Lasso", y=[lasso] * len(RECORD), line=palette.TARGET.line(1.6), **lines
        ).update(**fourth),
        go.Scatter(name="new", line=palette.GRDA.line(3), **lines, **fourth),
        go.Scatter(name="old", line=palette.GRDA.line(1.5) | {"dash": "dot"}, **lines, **fourth),
        _dot("new now", palette.GRDA, 10, symbol="circle").update(**fourth),
        height=600,
        margin={"l": 60, "r": 20, "t": 64, "b": 52},
        xaxis={"domain": [0, 0.3], "range": [0.2, 10.8], "dtick": 1, "title_text": "true weights"},
        yaxis={"domain": [0.6, 1], "range": [-1.7, 1.7], "title_text": "value"},
        xaxis2={"domain": [0.37, 1], "range": [-2, 193], "anchor": "y2"}
        | {"title_text": f"the other {others.size} weights"},
        yaxis2={"domain": [0.6, 1], "range": [-1.7, 1.7], "anchor": "x2"},
        xaxis3=_steps_axis([0, 0.45]) | {"anchor": "y3"},
        yaxis3={"domain": [0, 0.38], "range": [-0.04, 1.04], "anchor": "x3", "tickformat": ".0%"}
        | {"title_text": "share not zero"},
        xaxis4=_steps_axis([0.55, 1]) | {"anchor": "y4"},
        yaxis4={"domain": [0, 0.38], "range": [0, 4.2], "anchor": "x4"}
        | {"title_text": "error of a prediction"},
        annotations=[
            palette.legend(0.0, ("━ truth", palette.INK), ("● found", palette.GRDA.color)),
            palette.legend(
                0.37,
                ("× false: should be zero", palette.GRDA.color),
                ("○ zero", palette.ZERO.color),
            ),
            palette.legend(0.0, ("true ━", palette.GRDA.color), ("others ┄", palette.GRDA.color)),
            palette.legend(
                0.55,
                ("new data ━", palette.GRDA.color),
                ("training data ┄", palette.GRDA.color),
                ("SGD ╌", palette.SGD.color),
                ("Lasso’s best ─ ·", palette.TARGET.color),
            ),
        ],
    )
    for annotation in picture.layout.annotations[2:]:
        annotation.y = 0.385
    return picture


def _steps_axis(domain: list[float]) -> dict:
    return {"domain": domain, "type": "log", "range": [0, np.log10(STEPS * 1.1)], "dtick": 1} | {
        "title_text": "step",
        "tickformat": ",d",
    }


def _training(step: float, c: float, mu: float) -> tuple[dict[str, object], str]:
    r = result(FIRST)
    k, i, j = RECORD.index(int(step)), C.index(c), MU.index(mu)
    true, others = _order(r.problem)
    w = r.weights[k, i, j]
    found, false = (counts[:, i, j] for counts in r.alive)
    curves = r.weights[:, i, j]
    new = regression.prediction_error(r.problem, curves)
    shares = found / true.size, false / others.size
    zeros = int((w == 0).sum())
    row = {
        "found.y": _where(w[true] != 0, w[true]),
        "lost.y": _where(w[true] == 0, 0.0),
        "false.y": _where(w[others] != 0, w[others]),
        "zero.y": _where(w[others] == 0, 0.0),
        "true alive.y": shares[0],
        "others alive.y": shares[1],
        "true now.x": [step],
        "true now.y": [shares[0][k]],
        "others now.x": [step],
        "others now.y": [shares[1][k]],
        "new.y": new,
        "old.y": regression.training_error(r.problem, curves),
        "new now.x": [step],
        "new now.y": [new[k]],
        "layout.title.text": f"{found[k]} of {true.size} true weights found, {false[k]} false ones, {zeros} zeros",
    }
    return row, (
        f"{_setting(c, mu)}, step {int(step):,}: {zeros} of {w.size} weights are exactly zero. {found[k]} of the "
        f"{true.size} true weights are alive and {false[k]} of the {others.size} others. A prediction for new data is off by "
        f"{new[k]:.2f}, where {r.problem.noise:g} is noise that nobody can predict."
    )


def _where(condition: np.ndarray, values: np.ndarray | float) -> np.ndarray:
    return np.where(condition, values, np.nan)


def _setting(c: float, mu: float) -> str:
    return f"c = {c:g}, μ = {mu:g}" if c else "c = 0 (SGD)"


# ------------------------------------------------- third figure: the map of c and μ

_MAP_C = C[1:]  # SGD has no place on a logarithmic axis
_MOST_FALSE = 60  # more are drawn at the lower panel's right edge


def knob_map() -> Explorable:
    """False weights and error over c and μ, with Lasso's path for comparison; a list of draws."""
    for draw in DRAWS.values():
        result(draw)  # outside the tables, whose making is timed
    return Explorable(
        _map_figure,
        _map,
        {
            "draw": Choice(DRAWS, label="data"),
            "c": Slider(_MAP_C, label="c", format="g", start=0.7),
            "mu": Slider(MU, label="μ", format="g", start=0.7),
        },
        label="False weights and estimation error after the training, for every c and μ",
    )


def _map_figure() -> go.Figure:
    columns, rows = np.arange(len(_MAP_C)), np.arange(len(MU))
    field = {"x": columns, "y": rows, "colorscale": palette.FIELD, "xgap": 1, "ygap": 1}
    bar = {"thickness": 10, "len": 0.44, "y": 1.0, "yanchor": "top", "xpad": 4, "outlinewidth": 0}
    second, third = ({"xaxis": f"x{k}", "yaxis": f"y{k}"} for k in (2, 3))
    lines = {"mode": "lines", "hoverinfo": "skip"}
    edge, level = {"color": "white", "width": 3}, palette.GRDA.line(2.5) | {"dash": "dash"}
    c_axis = {"tickvals": columns[::4], "ticktext": [f"{c:g}" for c in _MAP_C[::4]]}
    c_axis |= {"title_text": "c", "range": [-0.5, columns.size - 0.5], "showgrid": False}
    mu_axis = {"tickvals": rows, "ticktext": [f"{mu:g}" for mu in MU], "showgrid": False}
    mu_axis |= {"title_text": "μ", "range": [-0.5, rows.size - 0.5], "domain": [0.55, 1]}
    return palette.figure(
        go.Heatmap(
            name="false weights", zmin=0, zmax=60, colorbar=bar | {"x": 0.42}, **field
        ).update(hovertemplate="%{z} false weights<extra></extra>"),
        go.Heatmap(name="error", zmin=0.1, zmax=1, colorbar=bar | {"x": 1.0}, **field).update(
            **second, hovertemplate="error %{z:.2f}<extra></extra>"
        ),
        go.Scatter(name="edge", line=edge, **lines),
        go.Scatter(name="edge 2", line=edge, **lines, **second),
        go.Scatter(name="level", y=rows, line=level, **lines),
        go.Scatter(name="level 2", y=rows, line=level, **lines, **second),
        _dot("here", palette.GRDA, 15, symbol="circle-open"),
        _dot("here 2", palette.GRDA, 15, symbol="circle-open").update(**second),
        _dot("runs", palette.GRDA, 7, symbol="circle", opacity=0.6).update(**third),
        _dot("runs that lost", palette.ZERO, 7, symbol="x", opacity=0.8).update(**third),
        go.Scatter(name="Lasso", line=palette.TARGET.line(2), **lines, **third),
        _dot("Lasso's best", palette.TARGET, 11, symbol="cross").update(**third),
        _dot("here 3", palette.GRDA, 15, symbol="circle-open").update(**third),
        height=620,
        margin={"l": 60, "r": 56, "t": 60, "b": 52},
        xaxis=c_axis | {"domain": [0, 0.41]},
        yaxis=mu_axis,
        xaxis2=c_axis | {"domain": [0.57, 0.98], "anchor": "y2"},
        yaxis2=mu_axis | {"anchor": "x2"},
        xaxis3={
            "range": [-2, _MOST_FALSE + 1],
            "anchor": "y3",
            "title_text": f"false weights ({_MOST_FALSE} and more at the edge)",
        },
        yaxis3={"domain": [0, 0.38], "type": "log", "range": [-1.1, 0.05], "anchor": "x3"}
        | {"title_text": "error", "tickvals": [0.1, 0.2, 0.3, 0.5, 1]},
        annotations=[
            palette.legend(0.0, ("<b>false weights</b> (dark: few)", palette.INK)),
            palette.legend(0.57, ("<b>error</b> (dark: small)", palette.INK)),
            palette.legend(
                0.0,
                ("● gRDA, all ten found", palette.GRDA.color),
                ("× some lost", palette.ZERO.color),
                ("Lasso ─ · and its two best ✚", palette.TARGET.color),
                ("○ your c and μ", palette.GRDA.color),
            ),
        ],
    ).update_layout(annotations=[{}, {}, {"y": 0.385}])


def _map(draw: int, c: float, mu: float) -> tuple[dict[str, object], str]:
    r = result(draw)
    i, j = _MAP_C.index(c), MU.index(mu)
    found, false = (counts[-1, 1:] for counts in r.alive)
    error = r.distance[-1, 1:]
    edge, level = _edge(found == r.true), _same_height(c, mu)
    kept, off = (
        regression.alive(r.lasso, r.problem.truth)[1],
        regression.distance(r.lasso, r.problem.truth),
    )
    best = [r.lasso_fewest_false(), r.lasso_closest()]
    all_found = (found == r.true).ravel()
    height = tuning_function(STEPS, LR, c, mu)
    row = {
        "false weights.z": false.T,
        "error.z": error.T,
        "edge.x": edge[0],
        "edge.y": edge[1],
        "edge 2.x": edge[0],
        "edge 2.y": edge[1],
        "level.x": level,
        "level 2.x": level,
        "here.x": [i],
        "here.y": [j],
        "here 2.x": [i],
        "here 2.y": [j],
        "here 3.x": [min(false[i, j], _MOST_FALSE)],
        "here 3.y": [error[i, j]],
        "runs.x": np.minimum(false, _MOST_FALSE).ravel(),
        "runs.y": _where(all_found, error.ravel()),
        "runs that lost.x": np.minimum(false, _MOST_FALSE).ravel(),
        "runs that lost.y": _where(~all_found, error.ravel()),
        "Lasso.x": kept,
        "Lasso.y": off,
        "Lasso's best.x": kept[best],
        "Lasso's best.y": off[best],
        "layout.title.text": f"{false[i, j]} false weights, {found[i, j]} of {r.true} true ones, error {error[i, j]:.2f}",
    }
    return row, (
        f"{_setting(c, mu)}, after {STEPS:,} steps: {found[i, j]} of {r.true} true weights found, {false[i, j]} false ones, "
        f"error {error[i, j]:.2f}. The threshold is {height:.3g}, and as high along the dashed line. "
        f"Lasso with the fewest false weights: {kept[best[0]]}, error {off[best[0]]:.2f}; with the least error: "
        f"{kept[best[1]]} false, error {off[best[1]]:.2f}."
    )


def _edge(fine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line on the map right of which some true weight is lost: x, y for ``fine`` [C, MU]."""
    first = np.where(fine.all(axis=0), len(fine), fine.argmin(axis=0)) - 0.5
    y = np.arange(fine.shape[1])
    return np.repeat(first, 2), np.column_stack([y - 0.5, y + 0.5]).ravel()


def _same_height(c: float, mu: float) -> np.ndarray:
    """For each μ the place on the c axis where the threshold ends as high; NaN beyond the map."""
    height = tuning_function(STEPS, LR, c, mu)
    wanted = np.log(height / tuning_function(STEPS, LR, 1.0, np.array(MU)))
    at = np.arange(len(_MAP_C))
    return np.interp(wanted, np.log(_MAP_C), at, left=np.nan, right=np.nan)


def beside_lasso() -> None:
    """Print gRDA's and Lasso's best on each draw of the data: false weights and error."""
    print(f"{'':<12}{'':<18}{'fewest false weights':>24}{'least error':>24}")
    for name, draw in DRAWS.items():
        for who, (few, close) in best_of(draw).items():
            cells = "".join(
                f"{f'{false} false, error {error:.2f}':>24}" for false, error in (few, close)
            )
            print(f"{name:<12}{who:<18}{cells}")


def best_of(draw: int) -> dict[str, tuple[tuple[int, float], tuple[int, float]]]:
    """Method -> (false, error) where it has the fewest false weights, and where its error is least.

    The true weights are known here, so each is chosen with hindsight, for both methods alike. The
    refitted rows keep the chosen weights' zeros and fit the others anew by least squares.
    """
    r = result(draw)
    ours = [r.weights[-1, i, j] for i, j in (r.fewest_false(), r.closest())]
    theirs = [r.lasso[k] for k in (r.lasso_fewest_false(), r.lasso_closest())]
    rows = {}
    for who, chosen in (("gRDA", ours), ("Lasso", theirs)):
        rows[who] = chosen
        rows[f"{who}, refitted"] = [regression.refit(r.problem, w) for w in chosen]
    return {who: (_score(r, first), _score(r, second)) for who, (first, second) in rows.items()}


def _score(r: Result, w: np.ndarray) -> tuple[int, float]:
    truth = r.problem.truth
    return int(regression.alive(w, truth)[1]), float(regression.distance(w, truth))


# ------------------------------------------------- asleep: what becomes of too large a c

SLEEPER = (50.0, 0.51)
ASLEEP = 600  # the step at which all weights are zero with the c and μ of SLEEPER


def wake_step(c: float = SLEEPER[0], mu: float = SLEEPER[1], draw: int = FIRST) -> float:
    """When the strongest pull overtakes the threshold: t·G = c√γ t^μ, so t = (c√γ/G)^(1/(1-μ)).

    G is the largest |∇L| at w = 0: as long as all weights are zero, that weight's accumulator moves
    by γG a step, up to the noise of the batches and its small start.
    """
    pull = regression.largest_lambda(result(draw).problem)
    return float((c * LR**0.5 / pull) ** (1 / (1 - mu)) / LR)


def sleeping() -> dict[int, tuple[int, int]]:
    """Step -> true and false weights alive with the c and μ of SLEEPER, at each recorded step."""
    i, j = C.index(SLEEPER[0]), MU.index(SLEEPER[1])
    true, false = (counts[:, i, j].tolist() for counts in result(FIRST).alive)
    return dict(zip(RECORD, zip(true, false, strict=True), strict=True))


def _after_sleep() -> str:
    asleep, (true, false) = sleeping()[ASLEEP], sleeping()[STEPS]
    assert asleep == (0, 0)
    if true + false == 0:
        return "They stay zero"
    return "Some come back, true ones first" if true > false else "All come back together"


# ------------------------------------------------- fourth figure: a learning rate that drops

_CNN = SETTINGS["lesson 04's CNN"]
_CNN_STEPS = 2400  # 60 epochs of 40
_N = np.arange(0, _CNN_STEPS + 1, 20)


def schedule() -> Explorable:
    """The threshold of lesson 04's training, added up and recomputed, when γ changes on the way."""
    return Explorable(
        _schedule_figure,
        _schedule,
        {
            "lr": Slider(_spread(-3, 2), label="new learning rate", format="g", start=0.01),
            "at": Slider(_N[10:-9:5].tolist(), label="from step", format=",.0f", start=1200),
        },
        label="The threshold when the learning rate changes: added up, and recomputed",
    )


def _schedule_figure() -> go.Figure:
    lines = {"mode": "lines", "hoverinfo": "skip"}
    return palette.figure(
        go.Scatter(name="weight", x=[0, _CNN_STEPS], y=[WEIGHT, WEIGHT], **lines).update(
            line=palette.ZERO.line(1.5) | {"dash": "dot"}
        ),
        go.Scatter(name="recomputed", x=_N, line=palette.TARGET.line(2), **lines),
        go.Scatter(name="added up", x=_N, line=palette.BAND_EDGE.line(4), **lines),
        height=340,
        xaxis={"range": [0, _CNN_STEPS], "title_text": "step n", "tickformat": ",d"},
        yaxis={"range": [0, 0.34], "title_text": "threshold"},
        margin={"l": 64, "r": 24, "t": 60, "b": 52},
        annotations=[
            palette.legend(
                0.0,
                ("added up ━", palette.BAND_EDGE.color),
                ("recomputed ─ ·", palette.TARGET.color),
            ),
            {"x": 30, "y": WEIGHT, "text": f"a flat weight of size {WEIGHT:g}"}
            | {"xanchor": "left", "yanchor": "bottom", "showarrow": False}
            | {"font": {"size": 12, "color": palette.ZERO.color}},
        ],
    )


def _schedule(lr: float, at: int) -> tuple[dict[str, object], str]:
    c, mu, first = _CNN
    rates = np.where(np.arange(1, _CNN_STEPS + 1) <= at, first, lr)
    added = np.concatenate([[0.0], accumulated(rates, c, mu)])[_N]
    recomputed = tuning_function(_N, np.where(at >= _N, first, lr), c, mu)
    before = float(tuning_function(at, first, c, mu))
    jump = float(tuning_function(at + 1, lr, c, mu))
    row = {
        "added up.y": added,
        "recomputed.y": recomputed,
        "layout.title.text": f"γ = {first:g} up to step {at:,.0f}, then {lr:g}",
    }
    if lr == first:
        return row, (
            f"The learning rate stays at {first:g}: both are the same, and end at {added[-1]:.3f}."
        )
    fate = ""
    if before >= WEIGHT > jump:
        fate = f" A flat weight of size {WEIGHT:g}, dead by then, would be alive again."
    return row, (
        f"The learning rate goes from {first:g} to {lr:g} at step {at:,.0f}, where the threshold is {before:.3f}. Added up, it "
        f"ends at {added[-1]:.3f}. Recomputed, it would be {jump:.3f} a step later.{fate}"
    )


# ------------------------------------------------- questions and exercises


def dropped() -> dict[str, float]:
    """The threshold around a tenfold drop of the learning rate, accumulated and recomputed.

    5,005 steps an epoch; the drop comes after epoch 140, ``after`` is the end of epoch 150.
    """
    c, mu, (high, low) = 0.005, 0.51, (0.1, 0.01)
    n, last = (5005 * epochs for epochs in (140, 150))
    before = float(tuning_function(n, high, c, mu))
    later = np.arange(n + 1, last + 1)
    return {
        "before": before,
        "after": before + float(tuning_increment(later, low, c, mu).sum()),
        "recomputed": float(tuning_function(n + 1, low, c, mu)),
    }


def _knob_that_wins(n: int) -> str:
    """Which raises g at step n more, γ = 0.1: doubling c, or μ from 0.51 to 0.7?"""
    before = tuning_function(n, 0.1, 0.02, 0.51)
    c, mu = tuning_function(n, 0.1, 0.04, 0.51), tuning_function(n, 0.1, 0.02, 0.7)
    assert min(c, mu) > before
    return "c" if c > mu else "μ"


def _late_answer() -> str:
    early, late = _knob_that_wins(100), _knob_that_wins(10_000)
    return f"{early} at both" if early == late else f"{early} at step 100, {late} at step 10,000"


def _gain(n: int) -> float:
    """By what raising μ from 0.51 to 0.7 multiplies g at step n, γ = 0.1."""
    return float(tuning_function(n, 0.1, 1, 0.7) / tuning_function(n, 0.1, 1, 0.51))


def _death_words() -> str:
    ratio = death_step(WEIGHT, 0.02, 0.51, 0.1) / death_step(WEIGHT, 0.04, 0.51, 0.1)
    words = {1.0: "The same", 2.0: "About half", 4.0: "About a quarter"}
    return words[min(words, key=lambda known: abs(np.log(ratio / known)))]


def _drop_words() -> str:
    d = dropped()
    if d["after"] >= d["before"]:
        return "It stays, and grows on slowly"
    return "It falls to a tenth" if d["after"] < 0.2 * d["before"] else "It falls to a third"


def _fewest() -> int:
    """False weights in the best cell of the map on the first draw, all true weights found."""
    i, j = result(FIRST).fewest_false()
    return int(result(FIRST).alive[1][-1, i, j])


PREDICTIONS = {
    "doubled_c": Prediction(
        title="what doubling c does to a death",
        question=(
            "A flat weight of size 0.1 waits for the threshold; μ = 0.51, γ = 0.1. You double c from 0.02 to 0.04. "
            "How many of the steps does it still live?"
        ),
        answer=_death_words,
        options={
            "The same": "The threshold is twice as high at every step, so it reaches the weight earlier.",
            "About half": (
                "It would be half if the threshold grew in proportion to n. With μ = 0.51 it grows about as √n: "
                "half the height is reached in a quarter of the steps."
            ),
            "About a quarter": (
                "Twice the threshold at every step; and since it grows about as √n, half the height takes a quarter of the "
                "steps."
            ),
        },
        explanation=(
            "t* = (|w₀| / (c√γ))^(1/μ): doubling c divides it by 2^(1/μ), that is {at_51:.2f} for μ = 0.51 and {at_70:.2f} for "
            "μ = 0.7. Here the weight dies at step {before:,} and at step {after:,}."
        ),
        values=lambda: {
            "at_51": 2 ** (1 / 0.51),
            "at_70": 2 ** (1 / 0.7),
            "before": _first_step(death_step(WEIGHT, 0.02, 0.51, 0.1)),
            "after": _first_step(death_step(WEIGHT, 0.04, 0.51, 0.1)),
        },
    ),
    "which_late": Prediction(
        title="which knob acts early and which late",
        question=(
            "γ = 0.1. You may double c, or raise μ from 0.51 to 0.7. Which of the two raises the threshold more, at step 100 and "
            "at step 10,000?"
        ),
        answer=_late_answer,
        options={
            "c at both": "At step 100 it does. But what μ does grows with time, and 10,000 steps are long.",
            "c at step 100, μ at step 10,000": "c acts from the first step on, μ needs time.",
            "μ at step 100, c at step 10,000": "The other way round: an exponent needs time to show.",
            "μ at both": "At step 10,000 it does. At step 100 the exponent has had little time.",
        },
        explanation=(
            "Doubling c doubles g at every step. Raising μ multiplies it by t^0.19, with t = nγ: {early:.2f} at step 100, "
            "{late:.1f} at step 10,000."
        ),
        values=lambda: {"early": _gain(100), "late": _gain(10_000)},
    ),
    "asleep": Prediction(
        title="what becomes of a model that is all zeros",
        question=(
            "With c = 50 and μ = 0.51, all two hundred weights are exactly zero after 600 steps. You train on, to step 3,000. "
            "What becomes of them?"
        ),
        answer=_after_sleep,
        options={
            "They stay zero": (
                "A weight at zero keeps its accumulator, and the gradients still push that. Lesson 02 called it revival."
            ),
            "Some come back, true ones first": (
                "The gradients push on while the weights are zero, and those of true weights push hardest."
            ),
            "All come back together": (
                "Each has its own accumulator with its own push. Only a strong push outruns the threshold."
            ),
        },
        explanation="At step 600 none is alive, at step 3,000 there are {true} true and {false} false ones.",
        values=lambda: dict(zip(("true", "false"), sleeping()[STEPS], strict=True)),
    ),
    "fewest_false": Prediction(
        title="the fewest false weights",
        heading="Report",
        question=(
            "Data set A: with all ten true weights found, how few false weights did you reach?"
        ),
        answer=_fewest,
        tolerance=1.0,
        explanation=(
            "The fewest on this map is {answer:.0f}, with the least error at c = {c:g}, μ = {mu:g}. {cells} places reach it."
        ),
        values=lambda: _fewest_facts(),
    ),
    "rate_drops": Prediction(
        title="what a drop of the learning rate does",
        question=(
            "c = 0.005, μ = 0.51. After 140 epochs of 5,005 steps the learning rate drops from 0.1 to 0.01. "
            "What becomes of the accumulated threshold in the next ten epochs?"
        ),
        answer=_drop_words,
        options={
            "It falls to a tenth": (
                "That is nearly what recomputing g(n, γ) with the new γ would do. A sum of positive steps cannot fall."
            ),
            "It falls to a third": "√γ falls to a third, but what was added earlier was added with the old γ.",
            "It stays, and grows on slowly": "It is a sum of positive steps. They are smaller now.",
        },
        explanation=(
            "It goes from {before:.3f} to {after:.3f}. Recomputed with the new γ, it would drop to {recomputed:.3f} at once, and "
            "most zeros would be undone."
        ),
        values=dropped,
    ),
}


def _fewest_facts() -> dict[str, float]:
    r = result(FIRST)
    i, j = r.fewest_false()
    found, false = (counts[-1] for counts in r.alive)
    return {
        "c": C[i],
        "mu": MU[j],
        "cells": int(((found == r.true) & (false == false[i, j])).sum()),
    }


def my_threshold(n: float, lr: float, c: float, mu: float) -> float:
    """The solution that the learner may compare with."""
    return c * lr**0.5 * (n * lr) ** mu


def accumulated(lrs: np.ndarray, c: float, mu: float) -> np.ndarray:
    """The solution that the learner may compare with."""
    n = np.arange(1, len(lrs) + 1)
    return np.cumsum(c * lrs ** (0.5 + mu) * (n**mu - (n - 1) ** mu))


def _one_after_the_other(lrs: np.ndarray, c: float, mu: float) -> np.ndarray:
    """``accumulated`` step by step."""
    heights, g = np.zeros(len(lrs)), 0.0
    for k, lr in enumerate(lrs):
        g += tuning_increment(k + 1, float(lr), c, mu)
        heights[k] = g
    return heights


_DROPS = np.array([0.1] * 4 + [0.01] * 3)

EXERCISES = {
    "threshold": Exercise(
        title="the threshold of one learning rate",
        task="Write `my_threshold(n, lr, c, mu)`, gRDA's threshold after `n` steps of learning rate `lr`.",
        solution=my_threshold,
        oracle=tuning_function,
        cases=(
            Case(
                (1, 1.0, 0.5, 0.7), 0.5, "At n = 1 and γ = 1 both powers are 1: the threshold is c."
            ),
            Case((100, 1.0, 0.02, 0.5), 0.2, "With γ = 1 and μ = ½ the threshold is c·√n."),
            Case(
                (1, 0.01, 1.0, 0.5),
                0.01,
                "The learning rate comes in twice: as √γ, and in the time nγ.",
            ),
            Case((0, 0.1, 0.02, 0.65), 0.0, "Before the first step there is no threshold."),
            Case((400, 0.1, 0.0, 0.65), 0.0, "With c = 0 there is never a threshold."),
            Case((2400, 0.1, 0.02, 0.65), why="Lesson 04's network after 60 epochs."),
            Case((np.arange(5), 0.1, 0.02, 0.65), why="n may be an array of step numbers."),
        ),
        hints=(
            "Time first: after n steps of size γ it is `n * lr`.",
            "g = c · √γ · (time to the power μ). In Python `x**0.5` is a square root.",
            "`c * lr**0.5 * (n * lr) ** mu`",
        ),
        done="Every gRDA run with a constant learning rate uses this number at every step.",
    ),
    "accumulated": Exercise(
        title="the threshold of a changing learning rate",
        task=(
            "Write `my_accumulated(lrs, c, mu)`: `lrs` is an array with the learning rate of step 1, 2, …; return an array with the "
            "threshold after each step."
        ),
        solution=accumulated,
        oracle=_one_after_the_other,
        cases=(
            Case((np.array([1.0]), 0.5, 0.7), np.array([0.5]), "Step 1 adds c·γ^(½+μ)·(1 − 0)."),
            Case(
                (np.array([1.0, 1.0, 1.0, 1.0]), 1.0, 0.5),
                np.sqrt([1.0, 2.0, 3.0, 4.0]),
                "At one learning rate the sum is g(n, γ) itself: here √n.",
            ),
            Case(
                (_DROPS, 0.02, 0.65),
                why="After a drop the threshold must go on from where it was; each step uses its own γ.",
            ),
            Case(
                (_DROPS[::-1].copy(), 0.02, 0.65),
                why="A learning rate that rises (a warm-up) makes larger steps from then on.",
            ),
            Case(
                (np.array([0.1, 0.0, 0.1]), 0.02, 0.6),
                why="A step of learning rate 0 adds nothing, but it counts as a step.",
            ),
            Case((_DROPS, 0.0, 0.65), np.zeros(7), "With c = 0 there is never a threshold."),
        ),
        hints=(
            "The step numbers: `n = np.arange(1, len(lrs) + 1)`.",
            "Step n adds `c * lrs ** (0.5 + mu) * (n**mu - (n - 1) ** mu)`, for all steps at once.",
            "`np.cumsum` of an array gives the sum up to each entry.",
        ),
        done="This is what `GRDA` does inside: each parameter carries its own accumulated threshold.",
    ),
}

OBJECTIVES = {
    "say how c moves the death of a flat weight": "doubled_c",
    "say which knob acts early and which late": "which_late",
    "say what becomes of a model that a large c turned to zero": "asleep",
    "choose c and μ that find the true weights with few false ones": "fewest_false",
    "write the threshold g(n, γ)": "threshold",
    "say what a drop of the learning rate does to the threshold": "rate_drops",
    "write the threshold under a changing learning rate": "accumulated",
}
