"""Lesson 08, live: both trainings, the Hessian and the match, on the learner's own computer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from grda_edu.explore import Picture, coloured, dots, palette, panels, writing
from grda_edu.geometry import evidence
from grda_edu.geometry.pruning import direction_scores, directional_pruning, quadratic_twin
from grda_edu.training.run import Run
from grda_edu.views.runs import TrainingView

from .numbers import Ended, about, cutoffs, ended, pairs, rung, seeds
from .scatter import survivors_panel, weights_panel

Floats = np.ndarray

EPOCHS = 100  # t = 450 at γ = 0.1: 45 batches of 32 an epoch
TRAINING, CURVATURE, FLAT = (
    0.55,
    0.9,
    0.95,
)  # shares of the bar: the trainings end, the Hessian, its spectrum


@dataclass(frozen=True, eq=False)
class Measured:
    """What the live run found: weights [D], scores [D], λ."""

    sgd: np.ndarray
    grda: np.ndarray
    s: np.ndarray
    rank: int
    lam: float
    twin: np.ndarray


class LiveTheorem:
    """Trains SGD and gRDA, takes the Hessian where SGD stopped, and shows the match.

    The match stands right below Start, where the recorded one of the same settings waits for it, pale.
    Nothing starts before Start is pressed (or ``start()`` is called); Stop ends it within a batch,
    or within a block of the Hessian. ``wait()`` waits and returns what was measured, or None.
    """

    def __init__(self, c: float, mu: float, seed: int = 0, *, epochs: int = EPOCHS) -> None:
        self.c, self.mu, self.seed, self.epochs = c, mu, seed, epochs
        self.measured: Measured | None = None
        self.view = TrainingView(
            self._job, epochs, label="Training the small CNN live with SGD and gRDA"
        )
        label = "The live match: scores from the Hessian against gRDA's move"
        self.picture = Picture(_figure, label=label, longest={"sentence": [_long_sentence()]})
        self._await()
        line, *below = self.view.box.children
        self.view.box.children = (line, self.picture, *below)

    def start(self) -> None:
        self.view.start()

    def stop(self) -> None:
        self.view.stop()

    def wait(self, timeout: float | None = None) -> Measured | None:
        """Wait for the end; errors and timeout are those of ``TrainingView.wait``."""
        self.view.wait(timeout)
        return self.measured

    def close(self) -> None:
        self.view.close()

    def _await(self) -> None:
        """What stands there until something is measured."""
        self.measured = None
        self.picture.show(*_before(self.c, self.mu, self.seed, self.epochs))

    def _job(self, progress: Callable, stop: threading.Event) -> dict[str, Run]:
        self._await()
        runs, models = _train_both(self.c, self.mu, self.seed, self.epochs, progress, stop)
        if any(run.message for run in runs.values()):
            return runs
        found = measure(
            models, self.c, self.mu, self.epochs, lambda f, doing: progress(runs, f, doing), stop
        )
        if found is None:
            for run in runs.values():
                run.message = "trained; stopped before the Hessian was done"
            return runs
        self.measured = found
        self.picture.show(*show_match(found, self.c, self.mu, self.seed, self.epochs))
        return runs

    def _ipython_display_(self) -> None:
        self.view._ipython_display_()

    def __repr__(self) -> str:
        return f"<LiveTheorem: c = {self.c:g}, μ = {self.mu:g}, seed {self.seed}>"


def _train_both(
    c: float, mu: float, seed: int, epochs: int, progress: Callable, stop: threading.Event
) -> tuple[dict[str, Run], dict]:
    """SGD, then gRDA, from the same weights on the same batches."""
    import torch

    from grda_edu.data import digits
    from grda_edu.models import small_digits_cnn
    from grda_edu.optim import GRDA
    from grda_edu.training.loop import train

    data, lr = digits(validation=0), about("main_lr")
    makers = {
        "SGD": lambda parameters: torch.optim.SGD(parameters, lr=lr),
        "gRDA": lambda parameters: GRDA(parameters, lr=lr, c=c, mu=mu),
    }
    models = {name: small_digits_cnn(seed) for name in makers}
    runs: dict[str, Run] = {}
    for k, (name, make) in enumerate(makers.items()):

        def report(run: Run, fraction: float, k: int = k, name: str = name) -> None:
            doing = f"Training {name}, epoch {int(run.epoch[-1])} of {epochs}"
            progress(runs | {name: run}, TRAINING * (k + fraction) / len(makers), doing)

        runs[name] = train(
            models[name],
            data,
            make,
            epochs=epochs,
            seed=seed,
            device="cpu",
            progress=report,
            stop=stop,
        )
        if runs[name].message:
            break
    return runs, models


class _Stopped(Exception):
    """Stop was pressed between two blocks of the Hessian."""


def measure(
    models: dict,
    c: float,
    mu: float,
    epochs: int,
    report: Callable[[float, str], object],
    stop: threading.Event,
) -> Measured | None:
    """The Hessian at SGD's weights, the scores, and the quadratic twin; None if stopped.

    report: called with the share of the whole that is done, and with what is being done.
    """
    from grda_edu.data import digits
    from grda_edu.geometry.curvature import FixedLoss, flat_subspace, hessian, spectrum
    from grda_edu.training.device import one_thread

    data, lr = digits(validation=0), about("main_lr")
    loss = FixedLoss(models["SGD"], (data.x_train, data.y_train))
    steps = epochs * -(-len(data.y_train) // 32)

    def watch(share: float) -> None:
        if stop.is_set():
            raise _Stopped
        rows = f"{round(share * loss.size):,} of {loss.size:,} rows"
        report(TRAINING + (CURVATURE - TRAINING) * share, f"The Hessian where SGD stopped, {rows}")

    try:
        with one_thread():
            matrix = hessian(loss, progress=watch)
    except _Stopped:
        return None
    report(CURVATURE, "The Hessian's eigenvectors, and what is flat")
    flat = flat_subspace(spectrum(matrix), about("main_cutoff"))
    report(FLAT, "Directional pruning, and gRDA on SGD's quadratic")
    ends = {name: FixedLoss(model, loss.batches).weights.numpy() for name, model in models.items()}
    w = ends["SGD"].astype(float)
    return Measured(
        sgd=w,
        grda=ends["gRDA"].astype(float),
        s=direction_scores(w, flat.projection),
        rank=flat.rank,
        lam=evidence.strength(lr, c, mu, steps * lr),
        twin=quadratic_twin(w, matrix, lr, c, mu, steps).w,
    )


# ------------------------------------------------- the picture of the match


_PALE = 0.25  # opacity of the recorded match under the live one


def _figure() -> go.Figure:
    survivors = dots("survivors recorded", palette.DIRECTIONAL.color, size=4, opacity=_PALE)
    weights = dots("weights recorded", palette.GRDA, size=4, opacity=_PALE)
    return panels(
        survivors_panel("Survivors", (0, 0.45), under=[survivors]),
        weights_panel("All weights, by directional pruning", (0.57, 1), under=[weights]),
        height=360,
        margin={"l": 56, "r": 20, "t": 76, "b": 52},
    )


def _before(c: float, mu: float, seed: int, epochs: int) -> tuple[dict, str]:
    """What is shown before something is measured."""
    nothing = _dots("", np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
    one = _like(c, mu, seed, epochs)
    waits = "Press Start: the match appears here when the Hessian is done"
    waits += " too, over the recorded one, which stands pale." if one else "."
    row = {**nothing, **_under(one), "layout.title.text": "Not measured yet"}
    return row, f"{waits} {_recorded(one)}"


def _like(c: float, mu: float, seed: int, epochs: int) -> Ended | None:
    """The recorded pair of trainings with these settings; None where there is none."""
    if (c, mu) not in pairs() or seed not in seeds() or epochs != EPOCHS:
        return None
    return ended(c, mu, seed)


def _dots(suffix: str, s: Floats, estimates: Floats, grda: Floats, predicted: Floats) -> dict:
    """The dots of both panels, of the live match or ("recorded") of the pale one."""
    arrays = {"survivors": (s, estimates), "weights": (grda, predicted)}
    return {
        f"{name}{suffix}.{axis}": values
        for name, both in arrays.items()
        for axis, values in zip("xy", both, strict=True)
    }


def _under(one: Ended | None) -> dict:
    """The recorded match, pale."""
    if one is None:
        return _dots(" recorded", np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
    alive = (one.grda != 0) & (one.sgd != 0)
    estimates = evidence.score_estimates(one.sgd, one.grda, one.lam)
    return _dots(" recorded", one.score()[alive], estimates[alive], one.grda, one.directional())


def show_match(found: Measured, c: float, mu: float, seed: int, epochs: int) -> tuple[dict, str]:
    alive = (found.grda != 0) & (found.sgd != 0)
    estimates = evidence.score_estimates(found.sgd, found.grda, found.lam)
    predicted = directional_pruning(found.sgd, found.s, found.lam)
    cosine, twin = (
        writing.decimal(evidence.match(w, found.sgd, found.grda, found.lam).cosine)
        for w in (predicted, found.twin)
    )
    weighed = evidence.evidence_of(found.s, found.sgd, found.grda, found.lam)
    correlation = writing.decimal(weighed.correlation)
    title = f"Live: correlation {correlation}, cosine {cosine}, of the quadratic twin {twin}"
    recorded = _like(c, mu, seed, epochs)
    row: dict[str, object] = {
        **_dots("", found.s[alive], estimates[alive], found.grda, predicted),
        **_under(recorded),
        "layout.title.text": coloured(title, palette.DIRECTIONAL),
    }
    return row, (
        f"Live: of the survivors grew {_grew(weighed.grew_where_negative)} where s < 0, "
        f"{_grew(weighed.grew_where_positive)} where s > 0. {_recorded(recorded)}"
    )


def _long_sentence() -> str:
    """What is said after a run that equals a recorded one: the page keeps room for it."""
    (c, mu), seed = pairs()[0], seeds()[0]
    one = ended(c, mu, seed)
    rank = int(one.rank[cutoffs().index(about("main_cutoff"))])
    found = Measured(one.sgd, one.grda, one.score(), rank, one.lam, rung("twin", c, mu, seed))
    return show_match(found, c, mu, seed, EPOCHS)[1]


def _grew(share: float) -> str:
    return "none (there are none)" if np.isnan(share) else writing.percent(share, 0)


def _recorded(one: Ended | None) -> str:
    if one is None:
        return "No recorded run has these settings."
    cosine = writing.decimal(one.match(one.directional()).cosine)
    return f"Recorded: correlation {writing.decimal(one.evidence().correlation)}, cosine {cosine}."
