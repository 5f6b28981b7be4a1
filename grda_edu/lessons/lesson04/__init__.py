"""Lesson 04, a small CNN grows sparse: does it work on a real network?

All recorded numbers come from the recording "digits_grid"; nothing here is typed in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from grda_edu import recordings
from grda_edu.course import Case, Exercise, Prediction
from grda_edu.explore import (
    Choice,
    Explorable,
    Panel,
    Slider,
    TextTable,
    axis,
    bars,
    coloured,
    dots,
    heading,
    heading_key,
    key,
    keys,
    line,
    note,
    palette,
    panels,
    tiles,
    words,
    writing,
)
from grda_edu.explore.layout import box, rule
from grda_edu.explore.writing import count, percent, points
from grda_edu.recordings import RunGrid
from grda_edu.shrinkage import soft_threshold, tuning_function
from grda_edu.training.run import HISTOGRAM_EDGES, Run
from grda_edu.views.runs import (
    STYLES,
    TrainingView,
    layer_labels,
    training_figure,
)

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler

C, MU = 0.02, 0.65  # the pair that the text talks about
GOAL_ZEROS, GOAL_LOSS = 0.90, 0.01  # 90 % zeros for less than one point
TEST_IMAGES = 360

MakeOptimizer = Callable[["list[nn.Parameter]"], "Optimizer"]


@cache
def grid() -> RunGrid:
    """The recorded runs over c, μ and seeds. RecordingError names the command that repairs it."""
    return recordings.load("digits_grid")


def _at(values: np.ndarray, value: float) -> int:
    return int(np.abs(np.asarray(values) - value).argmin())


# ------------------------------------------------- first figure: scrubbing through a training


def scrub() -> Explorable:
    """Accuracy, loss and zeros of recorded runs; sliders for the epoch, c and μ, a list of seeds."""
    runs = grid()
    last = int(runs.epoch[-1])
    epochs = [*range(10), *range(10, last + 1, 2)]
    return Explorable(
        _scrub_figure,
        _Scrub(runs),
        {
            "seed": Choice({f"seed {s}": int(s) for s in runs.seeds}, label="random seed"),
            "epoch": Slider(epochs, label="epoch", format=".0f", start=last, play=True),
            "c": Slider(runs.c.tolist(), label="c", format="g", start=0.005),
            "mu": Slider(runs.mu.tolist(), label="μ", format="g", start=0.55),
        },
        label="Recorded trainings of SGD and gRDA: accuracy, loss, and zeros in total and by layer",
    )


_CURVES = ("test_accuracy", "train_loss", "total_zeros")


def _scrub_figure() -> go.Figure:
    picture = training_figure(STYLES, int(grid().epoch[-1]))
    legend = keys(*(key(name, style) for name, style in STYLES.items()))
    for annotation in picture.layout.annotations[:3]:
        annotation.text += f"<br>{legend}"
    picture.layout.annotations[3].text += f"<br>{coloured('gRDA', palette.GRDA)}"
    for k, curve in enumerate(_CURVES, start=1):
        axes = {"xaxis": f"x{k}", "yaxis": f"y{k}"}
        for name, style in STYLES.items():
            now = dots(f"{name} {curve} now", style, size=10, outline=1.5, cliponaxis=False)
            picture.add_trace(now.update(axes))
    runs = grid()
    labels = layer_labels(runs.run(0.0, runs.mu[0], runs.seeds[0]))
    picture.update_traces(x=runs.epoch, selector={"mode": "lines"})
    return picture.update_traces(y=labels, selector={"name": "zeros by layer"})


class _Scrub:
    """compute of ``scrub``; looks values up, so that thousands of positions take a second."""

    def __init__(self, runs: RunGrid) -> None:
        self.runs = runs
        self.curves = {curve: runs.curves(curve) for curve in _CURVES}
        self.shares = runs.curves("zeros") / runs.sizes

    def __call__(self, seed: int, epoch: float, c: float, mu: float) -> tuple[dict, str]:
        runs, k = self.runs, int(epoch)
        s, j = _at(runs.seeds, seed), _at(runs.mu, mu)
        cells = {"SGD": (0, j, s), "gRDA": (_at(runs.c, c), j, s)}
        row: dict[str, object] = {}
        for curve, values in self.curves.items():
            for name, cell in cells.items():
                row[f"{name} {curve}.y"] = values[cell]
                row[f"{name} {curve} now.x"] = [k]
                row[f"{name} {curve} now.y"] = [values[cell][k]]
        sgd, ours = (self.curves["test_accuracy"][cell] for cell in cells.values())
        zeros = self.curves["total_zeros"][cells["gRDA"]][k]
        shares = self.shares[cells["gRDA"]][k]
        row["zeros by layer.x"] = shares
        row["zeros by layer.text"] = [percent(share, 0) for share in shares]
        row["layout.yaxis.range"] = [_lowest(sgd, ours, k), 1.0]
        row["layout.title.text"] = (
            f"{percent(zeros)} zeros, {percent(ours[k])} right after epoch {k}"
        )
        where = f"Recorded on {runs.device}, after epoch {k}, c = {c:g}, μ = {mu:g}"
        return row, f"{where}: {_comparison(zeros, ours[k], sgd[k])}"


def _lowest(sgd: np.ndarray, ours: np.ndarray, k: int) -> float:
    """Where the accuracy axis begins: at 90 % once both curves have got there to stay."""
    both = np.minimum(sgd, ours)
    return 0.9 if both[-1] > 0.9 and both[: k + 1].max() > 0.9 else 0.0


def _comparison(zeros: float, ours: float, sgd: float) -> str:
    images = round((sgd - ours) * TEST_IMAGES)
    than = f"{count(abs(images), 'image')} {'fewer' if images > 0 else 'more'}"
    reached = "Goal reached." if _is_goal(zeros, ours - sgd) else "Goal not reached."
    return (
        f"gRDA has {percent(zeros)} exact zeros and reads {percent(ours)} of the {TEST_IMAGES} test images, "
        f"{than if images else 'as many'} {'than' if images else 'as'} SGD ({percent(sgd)}). {reached}"
    )


def _is_goal(zeros: float, difference: float) -> bool:
    return bool(zeros >= GOAL_ZEROS and difference > -GOAL_LOSS)


# ------------------------------------------------- second figure: what the zeros look like

_REACH = 0.8  # half the width of the histogram's axis
_CENTRES = (HISTOGRAM_EDGES[1:] + HISTOGRAM_EDGES[:-1]) / 2
_HIDDEN, _OUTPUTS = 64, 10  # the last layer's ends


def inside() -> Explorable:
    """Filters, weights and wires of recorded networks; sliders for the epoch and c, a list of μ."""
    runs = grid()
    return Explorable(
        _inside_figure,
        _inside,
        {
            "mu": Choice(
                {f"{m:g}": float(m) for m in sorted(runs.mu, key=lambda m: abs(m - MU))}, label="μ"
            ),
            "epoch": Slider(
                runs.picture_epochs.tolist(), label="epoch", format=".0f", start=20, play=True
            ),
            "c": Slider(runs.c.tolist(), label="c", format="g", start=C),
        },
        label="Inside a recorded network: first-layer filters, weights, and wires of the last layer",
    )


def _inside_figure() -> go.Figure:
    across, units = np.tile(np.arange(15), 15), np.arange(_HIDDEN)
    outputs = (np.arange(_OUTPUTS) + 0.5) * _HIDDEN / _OUTPUTS - 0.5
    filters = Panel(
        tiles("filters", -0.8, 0.8, gap=1, hovertemplate="weight %{z:.2f}<extra></extra>"),
        dots("filter zeros", palette.ZERO, size=6, x=across),
        x=(0, 0.34),
        y=(0.5, 0.88),
        at=(0, 1),
        xaxis=axis(range=(-0.6, 14.6), hidden=True),
        yaxis=axis(range=(14.6, -0.6), hidden=True),
    )
    near = "%{y} weights near %{x:.2f}<extra></extra>"
    weights = Panel(
        bars("weights", palette.GRDA, x=_CENTRES, width=0.02, hovertemplate=near),
        line("SGD's weights", palette.SGD, width=1.8, x=_CENTRES, line_shape="hvh"),
        x=(0.42, 0.84),
        y=(0.54, 0.86),
        at=(0.38, 1),
        xaxis=axis("value of a weight (a few lie further out)", (-_REACH, _REACH)),
        yaxis=axis(range=(-0.3, 3.7), log=True, tickformat="~s"),
    )
    spike = Panel(
        bars("spike", palette.ZERO, x=["= 0"], width=0.5, textposition="outside", cliponaxis=False),
        x=(0.9, 1),
        y=(0.54, 0.86),
        at=(0.86, 1),
        xaxis=axis(type="category"),
        yaxis=axis(range=(0, 1), hidden=True),
    )
    digits = [str(digit) for digit in range(_OUTPUTS)]
    wires = Panel(
        line("wires", palette.GRDA, width=1, opacity=0.45, x=_wires(units, outputs[:, None])),
        dots("units", palette.INK, size=6, x=units),
        dots("cut-off units", palette.ZERO, outline=2, x=units),
        words("digits", palette.INK, x=outputs, y=np.full(_OUTPUTS, -0.12), text=digits),
        y=(0, 0.33),
        at=(0, 0.42),
        xaxis=axis(range=(-1.5, _HIDDEN + 0.5), hidden=True),
        yaxis=axis(range=(-0.25, 1.1), hidden=True),
    )
    margin = {"l": 16, "r": 24, "t": 40, "b": 16}
    return panels(filters, weights, spike, wires, height=600, margin=margin)


def _wires(unit: np.ndarray | float, output: np.ndarray | float) -> np.ndarray:
    """A coordinate of every wire of the last layer: at its unit, at its output, then a gap."""
    ends = np.full((_OUTPUTS, _HIDDEN, 3), np.nan)
    ends[:, :, 0], ends[:, :, 1] = unit, output
    return ends.ravel()


def mosaic(filters: np.ndarray) -> np.ndarray:
    """Sixteen 3x3 filters [16, 1, 3, 3] in a square of 4 by 4 with gaps of NaN: [15, 15]."""
    padded = np.full((16, 4, 4), np.nan)
    padded[:, :3, :3] = filters[:, 0]
    return padded.reshape(4, 4, 4, 4).transpose(0, 2, 1, 3).reshape(16, 16)[:15, :15]


def _inside(mu: float, epoch: float, c: float) -> tuple[dict, str]:
    runs, k = grid(), int(epoch)
    seed = int(runs.seeds[0])
    run, sgd = runs.run(c, mu, seed), runs.run(0.0, mu, seed)
    filters = mosaic(run.snapshots[k]["conv1.weight"].astype(float))
    last = run.snapshots[k]["fc2.weight"]
    alive = last != 0
    units = alive.any(axis=0)
    zeros, total = run.total_zeros[k], int(run.zeros[k].sum())
    lost, count = int((filters == 0).sum()), int(np.isfinite(filters).sum())
    row = {
        "filters.z": np.where(filters == 0, np.nan, filters),
        "filter zeros.y": np.where(filters == 0, np.arange(15)[:, None], np.nan).ravel(),
        "weights.y": _positive(run.histograms[k].sum(axis=0)),
        "SGD's weights.y": _positive(sgd.histograms[k].sum(axis=0)),
        "spike.y": [zeros],
        "spike.text": [percent(zeros)],
        "wires.y": _wires(np.where(alive, 1.0, np.nan), np.where(alive, 0.0, np.nan)),
        "units.y": np.where(units, 1.0, np.nan),
        "cut-off units.y": np.where(units, np.nan, 1.0),
        heading_key(0): heading("First layer's 16 filters", _zeros_of(lost, count)),
        heading_key(1): heading(
            "Weights that are not zero",
            keys(key("gRDA", palette.GRDA, "bar"), key("SGD", palette.SGD)),
            beside="(log scale)",
        ),
        heading_key(2): heading("Zeros", coloured(f"{total:,}", palette.ZERO)),
        heading_key(3): heading(
            f"Last layer: {_HIDDEN} units to {_OUTPUTS} digits",
            beside=_zeros_of(int((~alive).sum()), alive.size),
        ),
        "layout.title.text": f"{percent(zeros)} of the weights are zero after epoch {k}",
    }
    return row, (
        f"Recorded on {run.device}, seed {seed}, after epoch {k}, c = {c:g}, μ = {mu:g}: {percent(zeros)} of "
        f"all weights are zero, {lost} of {count} in the first layer's filters; the highest bar holds "
        f"{run.histograms[k].sum(axis=0).max():,} weights (SGD's {sgd.histograms[k].sum(axis=0).max():,}); "
        f"{int(alive.sum())} "
        f"of {alive.size} wires of the last layer are left, {int((~units).sum())} of {_HIDDEN} "
        f"units have none. {percent(run.test_accuracy[k])} of the test images are read correctly."
    )


def _zeros_of(zeros: int, size: int) -> str:
    return key(f"{zeros} of {size} are zero", palette.ZERO, "mark")


def _positive(counts: np.ndarray) -> np.ndarray:
    """Counts for a logarithmic axis, where nothing has no place."""
    return np.where(counts > 0, counts, np.nan)


# ------------------------------------------------- third figure: all recorded runs at once

_DEEPEST = -0.06  # losses beyond it are drawn at the lower edge


def all_runs() -> Explorable:
    """Zeros against accuracy lost, one dot a run; a slider lights up the runs of one c."""
    runs = grid()
    return Explorable(
        _all_runs_figure,
        _all_runs,
        {"c": Slider(runs.c[1:].tolist(), label="c", format="g", start=C)},
        label="Every recorded run: zeros, and accuracy compared with SGD's from the same seed",
    )


def differences() -> np.ndarray:
    """Test accuracy minus SGD's with the same seed, after the last epoch: [C, M, S], fractions."""
    accuracy = grid().final("test_accuracy")
    return accuracy - accuracy[:1]


def standard_error() -> float:
    """Of one accuracy on the test images, at SGD's mean accuracy: √(p(1-p)/360)."""
    p = float(grid().final("test_accuracy")[0].mean())
    return float(np.sqrt(p * (1 - p) / TEST_IMAGES))


def _all_runs_figure() -> go.Figure:
    runs, error = grid(), standard_error()
    zeros = runs.final("total_zeros")[1:].ravel()
    drawn = np.maximum(differences()[1:], _DEEPEST).ravel()
    between = len(runs.mu) - 2
    labels: dict[str, Any] = {
        "text": [f"μ {runs.mu[0]:g}", *[""] * between, f"μ {runs.mu[-1]:g}"],
        "textposition": ["bottom left", *["middle center"] * between, "bottom left"],
        "textfont": {"color": palette.GRDA.color, "size": 11},
    }
    joined: dict[str, Any] = {"mode": "lines+markers+text", "line": palette.GRDA.line(2)}
    depths = {k / 100: writing.signed(k, 0) for k in range(-5, 2)} | {_DEEPEST: "−6 or less"}
    return panels(
        Panel(
            dots("all", palette.MUTED, size=5, opacity=0.45, x=zeros, y=drawn),
            dots("this c", palette.GRDA, hollow=True),
            dots("mean", palette.GRDA, size=11, outline=1.5, **joined, **labels),
            xaxis=axis("weights exactly zero", (-0.06, 1.02), share=True, zeroline=False),
            yaxis=axis("accuracy minus SGD's, in points", (_DEEPEST - 0.006, 0.02), ticks=depths),
        ),
        height=420,
        margin={"l": 72, "r": 24, "t": 40, "b": 52},
        shapes=[
            box("rgba(0,158,115,0.16)", (GOAL_ZEROS, 1.02), (-GOAL_LOSS, 0.02)),
            box(palette.BAND, y=(-error, error)),
            rule(palette.SGD, y=0),
        ],
        notes=[
            note(-0.055, 0.0, key("SGD", palette.SGD)),
            note(1.01, 0.018, key("the goal", palette.DIRECTIONAL, "bar"), "right", "top"),
            note(0.12, error, f"± one standard error, {writing.decimal(100 * error, 1)} points"),
        ],
    )


def _all_runs(c: float) -> tuple[dict, str]:
    runs = grid()
    i = _at(runs.c, c)
    zeros, loss = runs.final("total_zeros")[i], differences()[i]
    mean_zeros, mean_loss = zeros.mean(axis=1), loss.mean(axis=1)
    reached = [f"μ = {runs.mu[j]:g}" for j in range(len(runs.mu)) if _in_goal(i, j)]
    row = {
        "this c.x": zeros.ravel(),
        "this c.y": np.maximum(loss, _DEEPEST).ravel(),
        "mean.x": mean_zeros,
        "mean.y": np.maximum(mean_loss, _DEEPEST),
        "layout.title.text": f"c = {c:g}:   "
        + keys(
            key("single runs", palette.GRDA, "hollow"),
            key(f"mean of {count(len(runs.seeds), 'seed')} at each μ", palette.GRDA, "both"),
            key("other c", palette.MUTED, "mark"),
        ),
    }
    sgd = runs.final("test_accuracy")[0, 0]
    worst, best = loss.min(), loss.max()
    return row, (
        f"c = {c:g}: {zeros.min():.0%} to {zeros.max():.0%} zeros. Single runs end between {points(worst)} and {points(best)} points of SGD; "
        f"{int(collapsed()[i].sum())} of {loss.size} collapsed. In the mean of {len(runs.seeds)} "
        f"seeds the goal is reached {'with ' + ', '.join(reached) if reached else 'with no μ'}. "
        f"SGD itself ends between {sgd.min():.1%} and {sgd.max():.1%}, by seed."
    )


def _in_goal(i: int, j: int) -> bool:
    """Does the mean over seeds of the recorded cell (c[i], mu[j]) reach the goal?"""
    zeros = grid().final("total_zeros")[i, j].mean()
    return _is_goal(zeros, differences()[i, j].mean())


def collapsed() -> np.ndarray:
    """Which runs read no more than two digits' share of the test images: bool [C, M, S]."""
    return grid().final("test_accuracy") < 0.2


# ------------------------------------------------- training live


def live_training(
    optimizers: Mapping[str, MakeOptimizer], *, epochs: int = 60, seed: int = 0
) -> TrainingView:
    """A view that trains the digits CNN once with each optimizer, in turns of one epoch.

    optimizers: "SGD" and "gRDA" -> what makes the optimizer from a list of parameters. All start
    at the same weights and see the same batches.
    """

    def job(progress: Callable, stop: threading.Event) -> dict[str, Run]:
        return train_in_turns(optimizers, epochs, seed, progress, stop)

    return TrainingView(job, epochs, label="Training the digits CNN live with SGD and gRDA")


def train_in_turns(
    optimizers: Mapping[str, MakeOptimizer],
    epochs: int,
    seed: int,
    progress: Callable[[dict[str, Run], float], object],
    stop: threading.Event,
    make_scheduler: Callable[[Optimizer], LRScheduler] | None = None,
) -> dict[str, Run]:
    """Train a copy of the digits CNN with each optimizer, one epoch each in turn; name -> Run.

    make_scheduler: a learning-rate schedule for each, as ``train`` takes it.
    One that diverges drops out, the others go on. Resuming continues a run exactly.
    """
    from grda_edu.data import digits
    from grda_edu.models import digits_cnn
    from grda_edu.training.loop import train

    data = digits()
    models = {name: digits_cnn(seed) for name in optimizers}
    runs: dict[str, Run] = {}

    def report_of(name: str) -> Callable[[Run, float], object]:
        def report(run: Run, _: float) -> None:
            now = runs | {name: run}
            done = sum(int(r.epoch[-1]) for r in now.values())
            progress(now, done / (epochs * len(optimizers)))

        return report

    for epoch in range(1, epochs + 1):
        for name, make in optimizers.items():
            former = runs.get(name)
            if stop.is_set() or (former is not None and former.message):
                continue
            runs[name] = train(
                models[name],
                data,
                make,
                epochs=epoch,
                seed=seed,
                make_scheduler=make_scheduler,
                progress=report_of(name),
                stop=stop,
                resume=former,
            )
            runs[name].configuration["epochs"] = epochs  # of which this was a part
    for run in runs.values():
        if not run.finished and not run.message:  # Stop came between two of its epochs
            run.message = f"stopped after epoch {run.epoch[-1]}"
    return runs


def beside_the_recording(view: TrainingView) -> None:
    """Print the live runs beside the recorded ones of the same settings, as far as there are any."""
    for name, live in view.runs.items():
        print(f"{name}, live on {live.device}: {_end(live)}, {live.seconds[-1]:.0f} s")
        recorded = recorded_like(live)
        print(
            f"{' ' * len(name)}  recorded on {recorded.device}: {_end(recorded)}"
            if recorded
            else f"{' ' * len(name)}  no recorded run has these settings"
        )
    if not view.runs:
        runs = grid()
        print("Nothing trained live yet: press Start above, then run this cell again.")
        print(f"The recording says: {_end(runs.run(C, MU, int(runs.seeds[0])))}")


def _end(run: Run) -> str:
    return (
        f"{run.total_zeros[-1]:.2%} zeros, {run.test_accuracy[-1]:.2%} right "
        f"after epoch {run.epoch[-1]}"
    )


def recorded_like(live: Run) -> Run | None:
    """The recorded run with the settings of ``live``, cut to its number of epochs, or None."""
    settings = live.configuration["hyperparameters"]
    runs = grid()
    common = ("model", "data", "training_images", "batch_size")
    c, mu = settings.get("c", 0.0), settings.get("mu", float(runs.mu[0]))
    known = (
        all(live.configuration[key] == runs.configuration[key] for key in common)
        and settings["lr"] == runs.configuration["hyperparameters"]["lr"]
        and not settings.get("momentum")
        and not settings.get("weight_decay")
        and np.isclose(runs.c, c).any()
        and np.isclose(runs.mu, mu).any()
        and live.configuration["seed"] in runs.seeds
        and live.epoch[-1] <= runs.epoch[-1]
    )
    if not known:
        return None
    run = runs.run(c, mu, live.configuration["seed"])
    end = len(live.epoch)
    for name in ("epoch", "zeros", "seconds", "train_loss", "train_accuracy"):
        setattr(run, name, getattr(run, name)[:end])
    for name in ("val_loss", "val_accuracy", "test_loss", "test_accuracy"):
        setattr(run, name, getattr(run, name)[:end])
    return run


# ------------------------------------------------- who has to be pushed


def final_threshold(c: float = C, mu: float = MU) -> float:
    """The threshold at the end of a recorded training, g(n, γ) of all its steps n."""
    return float(tuning_function(_steps(), _setting("lr"), c, mu))


def _setting(name: str) -> Any:
    return grid().configuration["hyperparameters"][name]


def _steps() -> int:
    made = grid().configuration
    return int(grid().epoch[-1]) * -(-made["training_images"] // made["batch_size"])


@cache
def initial_sizes() -> dict[str, np.ndarray]:
    """Layer -> absolute initial weights of the recorded network with seed 0, sorted."""
    from grda_edu.models import digits_cnn

    parameters = digits_cnn(0).named_parameters()
    return {name: np.sort(p.detach().abs().flatten().numpy()) for name, p in parameters}


def above_at_start(threshold: float) -> dict[str, float]:
    """Layer -> share of its initial weights that are larger than ``threshold``."""
    return {name: float((sizes > threshold).mean()) for name, sizes in initial_sizes().items()}


def who_must_be_pushed() -> None:
    """Show, by layer, how many initial weights exceed the final threshold, and how many live."""
    from IPython.display import display

    runs, threshold = grid(), final_threshold()
    seed = int(runs.seeds[0])
    alive = 1 - runs.run(C, MU, seed).zeros[-1] / runs.sizes
    rows = [
        (name, writing.decimal(initial_sizes()[name][-1], 3), percent(above, 0), percent(share, 0))
        for (name, above), share in zip(above_at_start(threshold).items(), alive, strict=True)
        if name.endswith("weight")
    ]
    head = (
        "layer",
        "largest at the start",
        "above the final threshold at the start",
        f"alive after epoch {int(runs.epoch[-1])}",
    )
    ends = f"the threshold ends at {writing.decimal(threshold, 3)} after {count(_steps(), 'step')}"
    display(TextTable(rows, head, f"c = {C:g}, μ = {MU:g}, seed {seed}: {ends}"))


def goal_cells() -> dict[int, list[tuple[float, float]]]:
    """Seed -> the recorded pairs (c, μ) that reach the goal with it."""
    runs = grid()
    zeros, difference = runs.final("total_zeros"), differences()
    return {
        int(seed): [
            (float(c), float(mu))
            for i, c in enumerate(runs.c)
            for j, mu in enumerate(runs.mu)
            if _is_goal(zeros[i, j, k], difference[i, j, k])
        ]
        for k, seed in enumerate(runs.seeds)
    }


def who_reaches_the_goal() -> None:
    """Print which recorded pairs (c, μ) reach the goal, seed by seed."""
    for seed, cells in goal_cells().items():
        pairs = ", ".join(f"({c:g}, {mu:g})" for c, mu in cells) or "none"
        print(f"seed {seed}, pairs (c, μ) that reach the goal: {pairs}")


# ------------------------------------------------- predictions, exercise, objectives

LARGE_C = 0.05  # the largest recorded
WEIGHTS = ("conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight")


def early_share() -> float:
    """Of the zeros after the last epoch, how many percent are there after epoch 10."""
    zeros = grid().curves("total_zeros")[_at(grid().c, C), _at(grid().mu, MU)].mean(axis=0)
    return float(100 * zeros[10] / zeros[-1])


def _early_values() -> dict[str, float]:
    """Height of the threshold at epoch 10 and the initial weights below it (seed 0), in percent."""
    height = 100 * (10 / float(grid().epoch[-1])) ** MU
    sizes = np.concatenate([sizes for sizes in initial_sizes().values()])
    return {
        "height": height,
        "met": 100 * float((sizes <= final_threshold() * height / 100).mean()),
    }


def layer_shares() -> dict[str, float]:
    """Weight tensor -> percent of zeros at (C, MU) after the last epoch, mean over seeds."""
    runs = grid()
    shares = runs.final("zeros")[_at(runs.c, C), _at(runs.mu, MU)].mean(axis=0) / runs.sizes
    return {name: 100 * float(shares[runs.layers.index(name)]) for name in WEIGHTS}


def _fullest() -> str:
    shares = layer_shares()
    return min(shares, key=shares.__getitem__)


def _share_words() -> dict[str, str]:
    shares = layer_shares()
    return {"shares": ", ".join(f"{name} {share:.0f} %" for name, share in shares.items())}


def _large() -> tuple[np.ndarray, np.ndarray]:
    """Accuracy and difference to SGD of the runs at (LARGE_C, MU), by seed."""
    cell = _at(grid().c, LARGE_C), _at(grid().mu, MU)
    return grid().final("test_accuracy")[cell], differences()[cell]


def fate_of_large_c() -> str:
    """Which of the prediction's options the recorded runs at (LARGE_C, MU) show."""
    accuracy, difference = _large()
    if np.median(accuracy) < 0.2:
        return "it dies: nearly every weight becomes zero"
    if difference.mean() > -GOAL_LOSS:
        return "more zeros, as accurate as before"
    return "more zeros, some accuracy lost"


PREDICTIONS = {
    "early": Prediction(
        title="how early the zeros come",
        question=(
            f"gRDA trains for 60 epochs with c = {C:g} and μ = {MU:g}. After 10 of them: how many percent "
            "of its final zeros are there already? (Within 10 points counts.)"
        ),
        answer=early_share,
        unit="%",
        tolerance=10.0,
        explanation=(
            "After a sixth of the steps, {answer:.0f} % of the final zeros are there. The threshold has "
            "only {height:.0f} % of its final height by then. But the weights start small: {met:.0f} % of them "
            "began below that height already, so the threshold meets most of them early."
        ),
        values=_early_values,
    ),
    "which_layer": Prediction(
        title="which layer keeps its weights",
        question=(
            "The same training. Which layer has the smallest share of zeros at the end? (`conv1` sees the "
            "pixels, `fc2` gives the ten answers.)"
        ),
        answer=_fullest,
        options={
            "conv1.weight": "conv1 has 144 weights, and every pixel passes through them.",
            "conv2.weight": "conv2 has 4,608 weights, and can do without most of them.",
            "fc1.weight": "fc1 has 8,192 weights, more than all other layers together, and loses most.",
            "fc2.weight": "fc2 loses many too: each digit's answer needs only some of the 64 units.",
        },
        explanation="Shares of zeros at the end, mean over the recorded seeds: {shares}.",
        values=_share_words,
    ),
    "too_large": Prediction(
        title="what too large a c does",
        question=(
            f"Now c = {LARGE_C:g}, two and a half times as much, with μ = {MU:g}. What becomes of the "
            "network within 60 epochs?"
        ),
        answer=fate_of_large_c,
        options={
            "more zeros, as accurate as before": "That would make the largest c the best one.",
            "more zeros, some accuracy lost": "Between too small and too large there is such a stretch.",
            "it dies: nearly every weight becomes zero": (
                "Once a layer is all zero, no signal passes, and no gradient either."
            ),
        },
        explanation="Recorded accuracies of the seeds: {accuracies}. Guessing gives about 10 %.",
        values=lambda: {"accuracies": ", ".join(f"{a:.1%}" for a in _large()[0])},
    ),
}


def count_zeros(model):  # without types: its source is shown, and runs in the learner's notebook
    """The solution that the learner may compare with."""
    counts = {}
    for name, parameter in model.named_parameters():
        counts[name] = (int((parameter == 0).sum()), parameter.numel())
    return counts


def _network(weight: list[list[float]], bias: list[float]) -> nn.Module:
    """One linear layer with the given numbers."""
    import torch

    layer = torch.nn.Linear(len(weight[0]), len(weight))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    return layer


def _sparse_cnn() -> nn.Module:
    """The digits CNN, soft-thresholded so that every layer has zeros, with its first layer frozen."""
    import torch

    from grda_edu.models import digits_cnn

    model = digits_cnn(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(soft_threshold(parameter, 0.06))
    model.conv1.requires_grad_(False)
    return model


def _cases() -> list[Case]:
    one, tiny = [[0.0, 1.0], [2.0, 3.0]], [[1e-9, 0.0], [-1e-30, 3.0]]
    return [
        Case((_network(one, [1.0, 2.0]),), {"weight": (1, 4), "bias": (0, 2)}, "One of four."),
        Case((_network(one, [0.0, 2.0]),), {"weight": (1, 4), "bias": (1, 2)}, "Biases count too."),
        Case(
            (_network(tiny, [1.0, 1e-7]),),
            {"weight": (1, 4), "bias": (0, 2)},
            "Small is not zero: only numbers that are exactly zero count.",
        ),
        Case(
            (_network([[-0.0, 1.0], [-2.0, -3.0]], [0.0, -1.0]),),
            {"weight": (1, 4), "bias": (1, 2)},
            "Minus zero is zero as well, and negative numbers are not.",
        ),
        Case(
            (_sparse_cnn(),), why="A whole network, its first layer frozen: every parameter counts."
        ),
    ]


def _by_nonzero(model: nn.Module) -> dict[str, tuple[int, int]]:
    return {
        name: (weights.size - int(np.count_nonzero(weights)), weights.size)
        for name, weights in ((n, p.detach().numpy()) for n, p in model.named_parameters())
    }


EXERCISES = {
    "count_zeros": Exercise(
        title="count the zeros by layer",
        task=(
            "Write `count_zeros(model)`: a dictionary from each parameter's name to a pair, "
            "how many of its numbers are exactly zero, and how many there are."
        ),
        solution=count_zeros,
        oracle=_by_nonzero,
        cases=_cases,
        hints=(
            "`model.named_parameters()` gives pairs of a name and a tensor, biases included.",
            "`parameter == 0` is a tensor of True and False. Its `.sum()` counts the Trues; "
            "`parameter.numel()` is the number of entries.",
            "In the loop: `counts[name] = (int((parameter == 0).sum()), parameter.numel())`.",
        ),
        done="It works for any PyTorch model. In your own scripts: `from grda_edu import zeros_by_layer`.",
    ),
}

OBJECTIVES = {
    "follow a training by its zeros, and say when they come": "early",
    "say which layers keep their weights": "which_layer",
    "say what too large a c does": "too_large",
    "count the zeros of any PyTorch model, layer by layer": "count_zeros",
}
