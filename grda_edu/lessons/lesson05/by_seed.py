"""Lesson 05: what the rule picks from seed to seed, beside what it should have picked."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Choice, Explorable, Slider, palette
from grda_edu.explore.legend import coloured
from grda_edu.explore.writing import percent
from grda_edu.recordings import RunGrid

from .numbers import (
    MU,
    TIGHT,
    developed,
    differences,
    final_differences,
    greatest_at_full_length,
    harder,
    held_out,
    hits,
    in_points,
    nearest,
    points,
    probe_error,
    rule_picks,
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


SETTINGS = ((5, 0.01, 1), (5, 0.15, 1), (1, 0.15, 1), (5, 0.15, 3), (1, 0.15, 3))
"""Epochs, tolerance and number of seeds averaged, as ``judges`` lists them."""


def judges() -> None:
    """Show how often the rule's c is at most one step off: on the three seeds, and on ten others."""
    from IPython.display import HTML, display

    mus = [float(mu) for mu in held_out().mu]
    head = ("probes", *(f"μ = {mu:g}" for mu in mus))
    rows = [
        (_setting_in_words(*setting), *(_score(mu, *setting) for mu in mus)) for setting in SETTINGS
    ]
    caption = (
        f"Picks within one step, seeds {held_out().seeds[0]} to {held_out().seeds[-1]}"
        f" (in brackets: seeds 0 to {developed().seeds[-1]}, on which the settings were chosen)"
    )
    text = "\n".join([caption, *("  ".join(row) for row in (head, *rows))])
    cells = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows)
    table = f"<table><caption>{caption}</caption><tr><th>{'</th><th>'.join(head)}</th></tr>{cells}"
    display({"text/html": HTML(f"{table}</table>").data, "text/plain": text}, raw=True)


def _setting_in_words(epochs: int, tolerance: float, average: int) -> str:
    seeds = "one seed" if average == 1 else f"{average} seeds averaged"
    return f"{epochs} epoch{'s' * (epochs != 1)}, {in_points(tolerance)}, {seeds}"


def _score(mu: float, epochs: int, tolerance: float, average: int) -> str:
    judged = f"{hits(held_out(), mu, epochs, tolerance, average)} of {len(held_out().seeds)}"
    if average > 1:
        return judged
    chosen_on = hits(developed(), mu, epochs, tolerance, average)
    return f"{judged} ({chosen_on} of {len(developed().seeds)})"
