"""Lesson 05's figures: the rule from seed to seed, the whole map, when to stop, and flattery."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.explore.writing import percent
from grda_edu.recordings import RunGrid
from grda_edu.views.probes import SearchView

from .numbers import (
    FINAL_LOSS,
    MARGIN,
    MU,
    TIGHT,
    C,
    collapsed,
    curves,
    developed,
    differences,
    final_differences,
    flattered,
    frontier,
    gap,
    greatest_at_full_length,
    harder,
    held_out,
    in_points,
    means,
    nearest,
    points,
    probe_error,
    rule_picks,
    runs_tried,
    stops,
)

TOLERANCES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3)


_DEEPEST = -0.6  # differences beyond it are drawn at the lower edge


def rule_on_seeds() -> Explorable:
    """What the rule picks from each of ten seeds, beside what it should have picked."""
    where = "digits, ten seeds that no setting was chosen on"
    return _rule_on(held_out(), where, (1, 2, 3, 5), epochs=5, tolerance=TIGHT)


def rule_on_harder() -> Explorable:
    """The same on 5,000 images of MNIST."""
    where = "5,000 MNIST images, three seeds"
    return _rule_on(harder(), where, (1, 2), epochs=1, tolerance=0.15)


def _rule_on(
    runs: RunGrid, where: str, averages: tuple[int, ...], epochs: int, tolerance: float
) -> Explorable:
    mus = sorted((float(m) for m in runs.mu), key=lambda m: abs(m - MU))
    return Explorable(
        lambda: _rule_figure(runs),
        _RuleOnSeeds(runs),
        {
            "mu": Choice({f"{m:g}": m for m in mus}, label="μ"),
            "epochs": Slider(list(range(1, 6)), label="epochs", format=".0f", start=epochs),
            "tolerance": Slider(
                list(TOLERANCES), label="tolerance", format=in_points, start=tolerance
            ),
            "average": Slider(list(averages), label="seeds averaged", format=".0f"),
        },
        label=f"The rule on {where}: accuracy after short probes, its c, and the c of full length",
    )


def _rule_figure(runs: RunGrid) -> go.Figure:
    steps, seeds = np.arange(len(runs.c) - 1), [int(s) for s in runs.seeds]
    low = _lowest(runs)
    ticks_y = np.linspace(low, 0.1, round((0.1 - low) / (0.1 if low < -0.3 else 0.05)) + 1).round(2)
    ends = [-0.5, len(steps) - 0.5]
    lines = [
        go.Scatter(
            name=f"seed {seed}",
            x=steps,
            mode="lines",
            line={"color": palette.GRDA.color, "width": 1},
            opacity=0.55,
            hovertemplate=f"seed {seed}: %{{y:.1%}}<extra></extra>",
        )
        for seed in seeds
    ]
    rows = np.arange(len(seeds))
    picture = palette.figure(
        go.Scatter(
            name="tolerance",
            x=[*ends, *ends[::-1]],
            mode="none",
            fill="toself",
            fillcolor=palette.BAND,
            hoverinfo="skip",
        ),
        go.Scatter(
            name="SGD", x=ends, y=[0, 0], mode="lines", line=palette.SGD.line(1.5), hoverinfo="skip"
        ),
        *lines,
        go.Scatter(
            name="at full length",
            x=steps,
            mode="lines+markers",
            line=palette.TARGET.line(2),
            marker={"symbol": palette.TARGET.symbol, "size": 7, "color": palette.TARGET.color},
            hovertemplate="at full length: %{y:.1%}<extra></extra>",
        ),
        go.Scatter(
            name="one step",
            mode="lines",
            line={"color": palette.BAND, "width": 12},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="should pick",
            y=rows,
            mode="markers",
            marker={"symbol": "cross-thin", "size": 12, "color": palette.INK}
            | {"line": {"width": 2, "color": palette.INK}},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="picks",
            y=rows,
            mode="markers",
            marker={"symbol": "circle-open", "size": 13, "color": palette.GRDA.color}
            | {"line": {"width": 2.5}},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        height=340 + 22 * len(seeds) + 60,
        margin={"l": 72, "r": 20, "t": 40, "b": 48},
    )
    share = 22 * len(seeds) / (250 + 22 * len(seeds))
    ticks = {"range": [-1.5, ends[1]], "tickvals": [-1, *steps], "zeroline": False}
    labels = ["none", *(f"{c:g}" for c in runs.c[1:])]
    picture.update_layout(
        xaxis=ticks | {"ticktext": ["", *labels[1:]], "anchor": "y"},
        yaxis={"domain": [share + 0.13, 0.9], "range": [1.05 * low, 0.12], "zeroline": False}
        | {"tickvals": ticks_y, "ticktext": [points(tick, 0) for tick in ticks_y]}
        | {"title_text": "points from SGD"},
        xaxis2=ticks | {"ticktext": labels, "anchor": "y2", "title_text": "c"},
        yaxis2={"domain": [0, share], "anchor": "x2", "range": [len(seeds) - 0.5, -0.5]}
        | {"tickvals": rows, "ticktext": [f"seed {s}" for s in seeds], "zeroline": False},
        annotations=[_above(0.91), _above(share + 0.01)],
    )
    return palette.axes(picture)


def _lowest(runs: RunGrid) -> float:
    """Where the axis of differences after one to five epochs begins: full tens of points."""
    least = min(differences(runs, mu, epochs).min() for mu in runs.mu for epochs in range(1, 6))
    return max(_DEEPEST, np.floor(10 * least) / 10)


def _above(y: float, x: float = 0.0) -> dict:
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "showarrow": False}
    anchors = {"xanchor": "left", "yanchor": "bottom", "align": "left"}
    return place | anchors | {"text": "", "font": {"size": 13}}


class _RuleOnSeeds:
    """compute of ``rule_on_seeds``."""

    def __init__(self, runs: RunGrid) -> None:
        self.runs, self.low = runs, _lowest(runs)

    def __call__(
        self, mu: float, epochs: float, tolerance: float, average: float
    ) -> tuple[dict, str]:
        runs, k, n = self.runs, int(epochs), int(average)
        early, final = differences(runs, mu, k, average=n), final_differences(runs, mu, n)
        picks = rule_picks(runs, mu, k, tolerance, n)
        right = greatest_at_full_length(runs, mu, n)
        row: dict[str, object] = {
            f"seed {int(seed)}.y": np.maximum(early[:, s], self.low)
            for s, seed in enumerate(runs.seeds)
        }
        row["tolerance.y"] = [0, 0, -tolerance, -tolerance]
        row["at full length.y"] = np.maximum(final.mean(axis=1), self.low)
        row["picks.x"], row["should pick.x"] = picks, right
        row["one step.x"] = np.stack([right - 1, right + 1, np.full(len(right), np.nan)], 1).ravel()
        row["one step.y"] = np.repeat(np.arange(float(len(right))), 3)
        total = int(runs.epoch[-1])
        row["layout.annotations[0].text"] = (
            f"<b>Accuracy minus SGD's</b><br>{coloured('━ each seed', palette.GRDA)} after "
            f"{_epochs(k)}, validation   {coloured('━ ╍ mean', palette.TARGET)} after {total}, test   "
            f"{coloured('╌╌ SGD', palette.SGD)}"
        )
        row["layout.annotations[1].text"] = (
            f"<b>From each seed{'' if n == 1 else f' and the {n - 1} after it'}</b>   "
            f"{coloured('○ the rule picks', palette.GRDA)}   "
            f"+ greatest c within 1 point at epoch {total}   {coloured('▬ one step', palette.BAND_EDGE)}"
        )
        good = int((np.abs(picks - right) <= 1).sum())
        words = f"{good} of {len(right)} picks are within one step"
        row["layout.title.text"] = words
        return (
            row,
            f"{self._setting(mu, k, tolerance, n)}: {words}, {self._outcome(picks, right, mu, n)}",
        )

    def _setting(self, mu: float, epochs: int, tolerance: float, average: int) -> str:
        error = 100 * probe_error(self.runs, mu, epochs)
        seeds = f", {average} seeds averaged" if average > 1 else ""
        return (
            f"μ = {mu:g}, probes of {_epochs(epochs)}{seeds}, tolerance {in_points(tolerance)} (one seed's "
            f"difference has a standard error of {error:.1f})"
        )

    def _outcome(self, picks: np.ndarray, right: np.ndarray, mu: float, average: int) -> str:
        low, high = int((picks < right - 1).sum()), int((picks > right + 1).sum())
        runs, seeds = self.runs, np.arange(len(picks))
        zeros = runs.final("total_zeros")[:, nearest(runs.mu, mu)]
        lost = np.vstack([np.zeros(len(seeds)), final_differences(runs, mu)])[picks + 1, seeds]
        return (
            f"{low} too small, {high} too large. Trained to the end, each seed with its pick, they have "
            f"{percent(zeros[picks + 1, seeds].mean())} zeros and are {points(lost.mean())} points from SGD on "
            f"average; with the greatest c within one point, {percent(zeros[right + 1, seeds].mean())} zeros."
        )


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' * (count != 1)}"


_MOST_ZEROS, _MOST_LOST = 0.62, 0.12  # losses beyond them are drawn at the edge


_LOWEST = -0.06  # accuracy lost beyond it is drawn at the lower edge


def trade_off(search: SearchView | None = None) -> Explorable:
    """Every recorded (c, μ) with the seeds' spread; the sliders stand where ``search`` ended."""
    runs = developed()
    c, mu = chosen(search)
    return Explorable(
        _map_figure,
        _map_row,
        {
            "c": Slider(runs.c[1:].tolist(), label="c", format="g", start=c),
            "mu": Slider(runs.mu.tolist(), label="μ", format="g", start=mu),
        },
        label="All recorded pairs of c and μ: zeros and accuracy, the frontier, and one pair's seeds",
    )


def chosen(search: SearchView | None) -> tuple[float, float]:
    """The recorded (c, μ) nearest to what a search found; (C, MU) as long as it found none."""
    answer = None if search is None else search.answer
    if search is None or answer is None or answer.c is None:
        return C, MU
    runs = developed()
    distance = np.abs(np.log(runs.c[1:] / answer.c))
    return float(runs.c[1:][distance.argmin()]), float(
        runs.mu[nearest(runs.mu, search.probes[0].mu)]
    )


def _map_figure() -> go.Figure:
    runs = developed()
    zeros, lost = means(runs)
    columns, rows = np.arange(len(runs.c) - 1), np.arange(len(runs.mu))
    dead = collapsed(runs)[1:].sum(axis=2)  # [C-1, M]
    text = [
        [("†" * int(dead[i, j]) or points(lost[i, j])) for i in range(len(columns))]
        for j in range(len(rows))
    ]
    best = frontier(runs)
    at = tuple(best.T)
    picture = palette.figure(
        go.Heatmap(
            name="map",
            x=columns,
            y=rows,
            z=zeros.T,
            zmin=0,
            zmax=1,
            colorscale=palette.FIELD,
            showscale=False,
            xgap=1,
            ygap=1,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 11},
            hovertemplate="%{z:.0%} zeros<extra></extra>",
        ),
        go.Scatter(
            name="here",
            mode="markers",
            marker={"symbol": "square-open", "size": 30, "color": palette.GRDA.color}
            | {"line": {"width": 3}},
            hoverinfo="skip",
        ),
        go.Scatter(
            name="all",
            x=zeros.ravel(),
            y=np.maximum(lost, _LOWEST).ravel(),
            mode="markers",
            marker={"color": palette.MUTED, "size": 5},
            opacity=0.5,
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="frontier",
            x=zeros[at],
            y=np.maximum(lost[at], _LOWEST),
            mode="lines",
            line={"color": palette.INK, "width": 1.5, "shape": "vh", "dash": "solid"},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="seeds",
            mode="markers",
            marker={"symbol": "circle-open", "size": 9, "color": palette.GRDA.color},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        go.Scatter(
            name="mean",
            mode="markers",
            marker={"symbol": "circle", "size": 12, "color": palette.GRDA.color}
            | {"line": {"color": palette.PAPER, "width": 1.5}},
            xaxis="x2",
            yaxis="y2",
            hoverinfo="skip",
        ),
        height=420,
        margin={"l": 52, "r": 16, "t": 40, "b": 48},
        xaxis={
            "domain": [0, 0.52],
            "range": [-0.5, len(columns) - 0.5],
            "tickvals": columns,
            "showgrid": False,
            "zeroline": False,
        }
        | {"ticktext": [f"{c:g}" for c in runs.c[1:]], "title_text": "c", "tickangle": 0}
        | {"tickfont": {"size": 11}},
        yaxis={
            "domain": [0, 0.84],
            "range": [-0.5, len(rows) - 0.5],
            "tickvals": rows,
            "showgrid": False,
            "zeroline": False,
        }
        | {"ticktext": [f"{m:g}" for m in runs.mu], "title_text": "μ"},
        xaxis2={"domain": [0.64, 1], "anchor": "y2", "range": [-0.04, 1.04], "tickformat": ".0%"}
        | {"title_text": "weights exactly zero", "zeroline": False, "dtick": 0.25},
        yaxis2={"domain": [0, 0.84], "anchor": "x2", "range": [_LOWEST - 0.006, 0.015]}
        | {"title_text": "points from SGD", "tickvals": [*np.arange(-5, 2) / 100, _LOWEST]}
        | {"ticktext": [*(points(k / 100, 0) for k in range(-5, 2)), "≤ −6"]},
        annotations=[_above(0.85), _above(0.85, 0.58)],
    )
    first, second = picture.layout.annotations
    first.text = (
        "<b>Zeros</b> (brighter is more); in each field<br>points from SGD, one † a collapsed seed"
    )
    second.text = f"━ frontier   {coloured('● mean, ○ seeds of □', palette.GRDA)}"
    return picture


def _map_row(c: float, mu: float) -> tuple[dict, str]:
    runs = developed()
    i, j = nearest(runs.c, c), nearest(runs.mu, mu)
    accuracy = runs.final("test_accuracy")
    lost, zeros = (accuracy - accuracy[:1])[i, j], runs.final("total_zeros")[i, j]
    more = gap(runs, c, mu)
    row = {
        "here.x": [i - 1],
        "here.y": [j],
        "seeds.x": zeros,
        "seeds.y": np.maximum(lost, _LOWEST),
        "mean.x": [zeros.mean()],
        "mean.y": [max(lost.mean(), _LOWEST)],
        "layout.title.text": f"c = {c:g}, μ = {mu:g}: {percent(zeros.mean())} zeros, "
        f"{points(lost.mean())} points from SGD",
    }
    dead = int(collapsed(runs)[i, j].sum())
    words = f"{dead} of {len(lost)} seeds collapsed. " if dead else ""
    if lost.mean() < -FINAL_LOSS:
        where = "This loses more than one point."
    elif more == 0:
        where = "This is on the frontier: no recorded pair has more zeros and is as accurate."
    else:
        where = f"Another recorded pair is as accurate with {100 * more:.1f} points more zeros"
        where += ": on the frontier, give or take." if more <= MARGIN else "."
    return row, (
        f"c = {c:g}, μ = {mu:g} after {int(runs.epoch[-1])} epochs: {percent(zeros.mean())} zeros; the seeds end "
        f"{', '.join(points(x) for x in lost)} points from SGD. {words}{where}"
    )


def stopping() -> Explorable:
    """Recorded traces, the epochs at which the rule stops, and what that loses against the end."""
    runs = held_out()
    cells = [(C, MU), (0.005, MU), (0.03, MU), (C, 0.65)]
    return Explorable(
        lambda: _stopping_figure(runs),
        _Stopping(runs),
        {
            "cell": Choice({f"c = {c:g}, μ = {m:g}": (c, m) for c, m in cells}, label="run with"),
            "patience": Slider(
                list(range(1, 21)), label="patience", format=".0f", unit="epochs", start=5
            ),
            "tolerance": Slider(
                [0.0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05],
                label="tolerance",
                format=in_points,
                start=0.005,
            ),
        },
        label="When to stop: validation accuracy and zeros of ten seeds, and what stopping loses",
    )


def _stopping_figure(runs: RunGrid) -> go.Figure:
    lines, dots = [], []
    for curve, (axis, style) in {
        "accuracy": ("", palette.GRDA),
        "zeros": ("2", palette.ZERO),
    }.items():
        for seed in runs.seeds:
            lines.append(
                go.Scatter(
                    name=f"{curve} {seed}",
                    x=runs.epoch,
                    mode="lines",
                    line={"color": style.color, "width": 1},
                    opacity=0.5,
                    xaxis=f"x{axis}",
                    yaxis=f"y{axis}",
                    hovertemplate=f"seed {seed}, epoch %{{x}}: %{{y:.1%}}<extra></extra>",
                )
            )
        dots.append(
            go.Scatter(
                name=f"{curve} at the stop",
                mode="markers",
                marker={"color": style.color, "symbol": style.symbol, "size": 8},
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                cliponaxis=False,
                hoverinfo="skip",
            )
        )
    regret = {"mode": "markers", "xaxis": "x3", "yaxis": "y3", "cliponaxis": False}
    dots += [
        go.Scatter(
            name="regret",
            marker={"color": palette.GRDA.color, "symbol": "circle-open", "size": 9},
            hoverinfo="skip",
            **regret,
        ),
        go.Scatter(
            name="mean regret",
            marker={"color": palette.INK, "symbol": "cross", "size": 11},
            hoverinfo="skip",
            **regret,
        ),
    ]
    epochs = {"range": [0, int(runs.epoch[-1])]}
    share = {"tickformat": ".0%", "range": [0, 1]}
    return palette.figure(
        *lines,
        *dots,
        height=460,
        margin={"l": 52, "r": 20, "t": 40, "b": 48},
        xaxis=epochs | {"domain": [0, 0.52], "anchor": "y"},
        yaxis={"tickformat": ".0%", "range": [0.8, 1]} | {"domain": [0.53, 0.88], "anchor": "x"},
        xaxis2=epochs | {"domain": [0, 0.52], "anchor": "y2", "title_text": "epoch"},
        yaxis2=share | {"domain": [0, 0.35], "anchor": "x2"},
        xaxis3={"domain": [0.66, 1], "anchor": "y3", "range": [-0.04, _MOST_ZEROS + 0.02]}
        | {"title_text": "points of zeros lost", "dtick": 0.2}
        | {"tickvals": np.arange(0, 7, 2) / 10, "ticktext": [f"{k}" for k in range(0, 70, 20)]},
        yaxis3={"domain": [0, 0.88], "anchor": "x3", "range": [-0.04, _MOST_LOST + 0.005]}
        | {"title_text": "points of test accuracy lost"}
        | {
            "tickvals": np.arange(-2, 13, 2) / 100,
            "ticktext": [f"{k}".replace("-", "−") for k in range(-2, 13, 2)],
        },
        annotations=[_above(0.885), _above(0.355), _above(0.885, 0.6)],
    )


class _Stopping:
    """compute of ``stopping``."""

    def __init__(self, runs: RunGrid) -> None:
        self.runs = runs
        self.accuracy, self.test = curves(runs, "val_accuracy"), curves(runs, "test_accuracy")
        self.zeros = curves(runs, "total_zeros")

    def __call__(
        self, cell: tuple[float, float], patience: float, tolerance: float
    ) -> tuple[dict, str]:
        (c, mu), runs = cell, self.runs
        at = nearest(runs.c, c), nearest(runs.mu, mu)
        epochs = stops(runs, c, mu, int(patience), tolerance)
        seeds = np.arange(len(epochs))
        lost = self.test[at][:, -1] - self.test[at][seeds, epochs]
        fewer = self.zeros[at][:, -1] - self.zeros[at][seeds, epochs]
        row: dict[str, object] = {}
        for k, seed in enumerate(runs.seeds):
            row[f"accuracy {seed}.y"] = np.maximum(self.accuracy[at][k], 0.8)
            row[f"zeros {seed}.y"] = self.zeros[at][k]
        row["accuracy at the stop.x"] = row["zeros at the stop.x"] = epochs
        row["accuracy at the stop.y"] = np.maximum(self.accuracy[at][seeds, epochs], 0.8)
        row["zeros at the stop.y"] = self.zeros[at][seeds, epochs]
        row["regret.x"], row["regret.y"] = (
            np.minimum(fewer, _MOST_ZEROS),
            np.minimum(lost, _MOST_LOST),
        )
        row["mean regret.x"] = [min(fewer.mean(), _MOST_ZEROS)]
        row["mean regret.y"] = [min(lost.mean(), _MOST_LOST)]
        row["layout.annotations[0].text"] = "<b>Validation accuracy</b>   " + coloured(
            "━ ten seeds, ● the stop", palette.GRDA
        )
        row["layout.annotations[1].text"] = "<b>Zeros</b>   " + coloured(
            "━ ○ the same", palette.ZERO
        )
        row["layout.annotations[2].text"] = (
            "<b>Lost by stopping</b>   " + coloured("○ a seed", palette.GRDA) + "   ✚ mean"
        )
        mean = epochs.mean()
        row["layout.title.text"] = f"Stopped after {mean:.0f} of {runs.epoch[-1]} epochs on average"
        return row, (
            f"c = {c:g}, μ = {mu:g}, patience {patience:.0f} epochs, tolerance {in_points(tolerance)}: the rule "
            f"stops between epochs {epochs.min()} and {epochs.max()}, after {mean:.1f} on average. Going on to epoch "
            f"{runs.epoch[-1]} would have brought {points(lost.mean())} points of test accuracy "
            f"(worst seed {points(lost.max())}) and {points(fewer.mean())} points of zeros."
        )


def flattery() -> Explorable:
    """The best of N runs chosen on the test images, beside a choice on the validation images."""
    return Explorable(
        _flattery_figure,
        _flattery_row,
        {
            "what": Choice(
                {"c, μ and when to stop": True, "c and μ, at full length": False}, label="chosen"
            ),
            "tried": Slider(
                list(range(2, runs_tried() + 1)), label="runs tried", format=".0f", start=12
            ),
        },
        label="The best of many runs: accuracy when chosen on the test images, and on validation images",
    )


def _flattery_figure() -> go.Figure:
    sgd = float(held_out().final("test_accuracy")[0, 0].mean())
    counts = np.arange(1, runs_tried() + 1)
    curves = {"on test": palette.MAGNITUDE, "on validation": palette.GRDA}
    return palette.figure(
        *(
            go.Scatter(
                name=name,
                x=counts,
                mode="lines",
                line=style.line(),
                hovertemplate=f"best of %{{x}} {name}: %{{y:.2%}}<extra></extra>",
            )
            for name, style in curves.items()
        ),
        go.Scatter(
            name="SGD",
            x=[1, len(counts)],
            y=[sgd, sgd],
            mode="lines",
            line=palette.SGD.line(1.5),
            hoverinfo="skip",
        ),
        go.Scatter(
            name="between",
            mode="lines+markers",
            line={"color": palette.INK, "width": 1.5},
            marker={"size": 9, "color": palette.INK},
            hoverinfo="skip",
        ),
        height=360,
        margin={"l": 64, "r": 24, "t": 40, "b": 48},
        xaxis={
            "range": [1.5, len(counts) + 0.8],
            "title_text": "runs tried, drawn from all c and μ",
        },
        yaxis={
            "range": [0.96, 1.0],
            "tickformat": ".0%",
            "title_text": "test accuracy",
            "dtick": 0.01,
        }
        | {"domain": [0, 0.88]},
        annotations=[_above(0.9)],
    )


def _flattery_row(what: bool, tried: float) -> tuple[dict, str]:
    on_test, on_val = flattered(what)
    test, val = on_test[int(tried) - 1], on_val[int(tried) - 1]
    row = {
        "on test.y": on_test,
        "on validation.y": on_val,
        "between.x": [tried, tried],
        "between.y": [test, val],
        "layout.title.text": f"Best of {tried:.0f}: {points(test - val, 2)} points of flattery",
        "layout.annotations[0].text": "   ".join(
            [
                coloured("┄ chosen on test", palette.MAGNITUDE),
                coloured("━ chosen on validation", palette.GRDA),
                coloured("╌╌ SGD, untuned", palette.SGD),
            ]
        ),
    }
    return row, (
        f"The best of {tried:.0f} runs of a seed, mean over ten seeds: {test:.2%} of the test images if these choose "
        f"{'c, μ and the epoch' if what else 'c and μ'}, {val:.2%} if the validation images choose. The difference, "
        f"{points(test - val, 2)} points, is flattery."
    )
