"""Lesson 05: what the rule picks from seed to seed, beside what it should have picked."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from grda_edu.course import veiled
from grda_edu.explore import (
    Choice,
    Explorable,
    Handle,
    Panel,
    Slider,
    TextTable,
    around,
    axis,
    band,
    dots,
    heading,
    heading_key,
    key,
    keys,
    line,
    palette,
    panels,
)
from grda_edu.explore.writing import count, decimal, percent, points
from grda_edu.recordings import RunGrid
from grda_edu.training.rules import in_points

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
    outcome,
    probe_error,
    rule_picks,
)

TOLERANCES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3)
RIGHT = palette.Style(palette.INK, "solid", "cross")  # what the rule should pick
_FULL = "at full length: %{y:.1%}<extra></extra>"
_DEEPEST = -0.6  # differences beyond it are drawn at the lower edge


@veiled("05.early_cost", "05.tight")
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
        handles=[Handle("tolerance", "tolerance", point=2, line=True)],
    )


def _rule_figure(runs: RunGrid) -> go.Figure:
    seeds, steps, low = runs.seeds.tolist(), np.arange(len(runs.c) - 1), _lowest(runs)
    rows, names = np.arange(len(seeds)), [f"{c:g}" for c in runs.c[1:]]
    share = len(seeds) / (len(seeds) + 11)  # of the height: a row a seed
    ends = [-0.5, len(steps) - 0.5]
    lost = Panel(
        band("tolerance", x=around(ends, ends)),
        line("SGD", palette.SGD, width=1.5, x=ends, y=[0, 0]),
        *(
            line(f"seed {seed}", palette.GRDA, width=1, opacity=0.55, x=steps).update(
                hovertemplate=f"seed {seed}: %{{y:.1%}}<extra></extra>"
            )
            for seed in seeds
        ),
        dots("at full length", palette.TARGET, size=7, x=steps, hovertemplate=_FULL).update(
            mode="lines+markers", line=palette.TARGET.line(2)
        ),
        y=(share + 0.13, 0.9),
        xaxis=_by_c(["", *names]),
        yaxis=axis("points from SGD", (1.05 * low, 0.12), ticks=_depths(low), zeroline=False),
    )
    picked = Panel(
        line("one step", palette.BAND_EDGE, width=12, opacity=0.25),
        dots("should pick", RIGHT, size=10, y=rows),
        dots("picks", palette.GRDA, hollow=True, size=13, outline=2.5, y=rows),
        y=(0, share),
        xaxis=_by_c(["none", *names], "c"),
        yaxis=axis(
            range=(len(seeds) - 0.5, -0.5),
            ticks={k: f"seed {s}" for k, s in enumerate(seeds)},
            zeroline=False,
        ),
    )
    margin = {"l": 72, "r": 20, "t": 40, "b": 48}
    return panels(lost, picked, height=360 + 18 * len(seeds), margin=margin)


def _by_c(names: list[str], title: str = "") -> dict[str, object]:
    """An axis of the recorded c, the first of which is none."""
    ticks: dict[float, str] = dict(enumerate(names, start=-1))
    return axis(title, (-1.5, len(names) - 1.5), ticks=ticks, zeroline=False)


def _lowest(runs: RunGrid) -> float:
    """Where the axis of differences after one to five epochs begins: full tens of points."""
    least = min(differences(runs, mu, epochs).min() for mu in runs.mu for epochs in range(1, 6))
    return max(_DEEPEST, np.floor(10 * least) / 10)


def _depths(low: float) -> dict[float, str]:
    """Ticks of the axis of differences; what lies below the deepest is drawn there."""
    step = 10 if low < -0.3 else 5
    ticks = {k / 100: points(k / 100, 0) for k in range(round(100 * low), 11, step)}
    return ticks | ({low: f"≤ {points(low, 0)}"} if low == _DEEPEST else {})


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
        row[heading_key(0)] = heading(
            "Accuracy minus SGD's",
            keys(
                f"{key('each seed', palette.GRDA)} after {count(k, 'epoch')}, validation "
                f"(standard error {decimal(100 * probe_error(runs, mu, k), 1)} points)",
                f"{key('mean', palette.TARGET, 'both')} after {total}, test",
                key("SGD", palette.SGD),
            ),
        )
        row[heading_key(1)] = heading(
            f"From each seed{'' if n == 1 else f' and the {n - 1} after it'}",
            beside=keys(
                key("the rule picks", palette.GRDA, "hollow"),
                key(f"greatest c within 1 point at epoch {total}", RIGHT, "mark"),
                key("one step", palette.BAND_EDGE),
            ),
        )
        good = int((np.abs(picks - right) <= 1).sum())
        words = f"{good} of {len(right)} picks are within one step"
        row["layout.title.text"] = words
        return row, f"{words}, {self._outcome(picks, right, mu)}"

    def _outcome(self, picks: np.ndarray, right: np.ndarray, mu: float) -> str:
        low, high = int((picks < right - 1).sum()), int((picks > right + 1).sum())
        zeros, lost = outcome(self.runs, picks, mu)
        return (
            f"{low} too small, {high} too large. Trained to the end, each seed with its pick, they have "
            f"{percent(zeros)} zeros and are {points(lost)} points from SGD on average."
        )


SETTINGS = ((5, 0.01, 1), (5, 0.15, 1), (1, 0.15, 1), (5, 0.15, 3), (1, 0.15, 3))
"""Epochs, tolerance and number of seeds averaged, as ``judges`` lists them."""


def judges() -> TextTable:
    """How often the rule's c is at most one step off: on the three seeds, and on ten others."""
    mus = held_out().mu.tolist()
    return TextTable(
        [
            (_setting_in_words(*setting), *(_score(mu, *setting) for mu in mus))
            for setting in SETTINGS
        ],
        ("probes", *(f"μ = {mu:g}" for mu in mus)),
        f"Picks within one step, seeds {held_out().seeds[0]} to {held_out().seeds[-1]}"
        f" (in brackets: seeds 0 to {developed().seeds[-1]}, on which the settings were chosen)",
    )


def _setting_in_words(epochs: int, tolerance: float, average: int) -> str:
    seeds = "one seed" if average == 1 else f"{average} seeds averaged"
    return f"{count(epochs, 'epoch')}, {in_points(tolerance)}, {seeds}"


def _score(mu: float, epochs: int, tolerance: float, average: int) -> str:
    judged = f"{hits(held_out(), mu, epochs, tolerance, average)} of {len(held_out().seeds)}"
    if average > 1:
        return judged
    chosen_on = hits(developed(), mu, epochs, tolerance, average)
    return f"{judged} ({chosen_on} of {len(developed().seeds)})"
