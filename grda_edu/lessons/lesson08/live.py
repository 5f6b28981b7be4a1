"""Lesson 08, live: both trainings, the scores and the match, on the learner's own computer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from grda_edu.checks import one_of
from grda_edu.explore import Picture, coloured, dots, palette, panels, writing
from grda_edu.geometry.evidence import strength
from grda_edu.training.run import Run
from grda_edu.views.runs import TrainingView

from . import finite
from .moves import LARGE, SIZES, Ended
from .scatter import survivors_panel, weights_panel

TRAINING = 0.7  # share of the bar at which the trainings have ended


@dataclass(frozen=True)
class Network:
    """A network that can be measured live, and how."""

    words: str
    model: str  # the function in grda_edu.models
    epochs: int  # as recorded
    sizes: tuple[int, ...]


NETWORKS = {
    "small": Network("1,370 weights, the whole Hessian", "small_digits_cnn", 100, SIZES),
    "large": Network("13,706 weights, 40 products", "digits_cnn", 60, LARGE),
}


class LiveTheorem:
    """Trains SGD and gRDA, takes the scores where SGD stopped, and shows the match.

    c, mu: of gRDA; seed: of start and order; size: "small", 1,370 weights and the whole Hessian, or
    "large", 13,706 weights and forty products with it; epochs: as recorded if 0.

    The match stands right below Start, where the recorded one of the same settings waits for it, pale.
    Nothing starts before Start is pressed (or ``start()`` is called); Stop ends it within a batch,
    a block of the Hessian or a product. ``wait()`` waits and returns what was measured, or None.
    Raises ValueError for another size.
    """

    def __init__(
        self, c: float, mu: float, seed: int = 0, *, size: str = "small", epochs: int = 0
    ) -> None:
        one_of("size", size, NETWORKS)
        self.c, self.mu, self.seed, self.size = c, mu, seed, size
        self.epochs = epochs or NETWORKS[size].epochs
        self.measured: Ended | None = None
        self.view = TrainingView(
            self._job, self.epochs, label="Training a small CNN live with SGD and gRDA"
        )
        label = "The live match: finite-time scores against gRDA's move"
        self.picture = Picture(_figure, label=label, longest={"sentence": [_long_sentence()]})
        self._await()
        line, *below = self.view.box.children
        self.view.box.children = (line, self.picture, *below)

    def start(self) -> None:
        self.view.start()

    def stop(self) -> None:
        self.view.stop()

    def wait(self, timeout: float | None = None) -> Ended | None:
        """Wait for the end; errors and timeout are those of ``TrainingView.wait``."""
        self.view.wait(timeout)
        return self.measured

    def close(self) -> None:
        self.view.close()

    @property
    def recorded(self) -> Ended | None:
        """The recorded pair of trainings with these settings; None where there is none."""
        name = "pairs" if self.size == "small" else "large_pairs"
        there = [self.c, self.mu] in finite.about(name) and self.seed in finite.seeds()
        if not there or self.epochs != NETWORKS[self.size].epochs:
            return None
        if self.size == "large":
            return finite.ended_large(self.c, self.mu, self.seed)
        return finite.ended(self.c, self.mu, finite.first(), self.seed)

    def _await(self) -> None:
        """What stands there until something is measured."""
        self.measured = None
        self.picture.show(*show_match(None, self.recorded, NETWORKS[self.size].words))

    def _job(self, progress: Callable, stop: threading.Event) -> dict[str, Run]:
        self._await()
        runs, models = self._train_both(progress, stop)
        if any(run.message for run in runs.values()):
            return runs
        try:
            self.measured = self._measure(models, lambda f, doing: progress(runs, f, doing), stop)
        except _Stopped:
            for run in runs.values():
                run.message = "trained; stopped before the scores were there"
            return runs
        words = NETWORKS[self.size].words
        self.picture.show(*show_match(self.measured, self.recorded, words))
        return runs

    def _train_both(
        self, progress: Callable, stop: threading.Event
    ) -> tuple[dict[str, Run], dict[str, Any]]:
        """SGD, then gRDA, from the same weights on the same batches."""
        import torch

        from grda_edu import models as networks
        from grda_edu.data import digits
        from grda_edu.optim import GRDA
        from grda_edu.training.loop import train

        data, lr = digits(validation=0), finite.about("lr")
        makers = {
            "SGD": lambda parameters: torch.optim.SGD(parameters, lr=lr),
            "gRDA": lambda parameters: GRDA(parameters, lr=lr, c=self.c, mu=self.mu),
        }
        make_model = getattr(networks, NETWORKS[self.size].model)
        models = {name: make_model(self.seed) for name in makers}
        runs: dict[str, Run] = {}
        for k, (name, make) in enumerate(makers.items()):

            def report(run: Run, fraction: float, k: int = k, name: str = name) -> None:
                doing = f"Training {name}, epoch {int(run.epoch[-1])} of {self.epochs}"
                progress(runs | {name: run}, TRAINING * (k + fraction) / len(makers), doing)

            runs[name] = train(
                models[name],
                data,
                make,
                epochs=self.epochs,
                seed=self.seed,
                device="cpu",
                progress=report,
                stop=stop,
            )
            if runs[name].message:
                break
        return runs, models

    def _measure(
        self,
        models: dict[str, Any],
        report: Callable[[float, str], object],
        stop: threading.Event,
    ) -> Ended:
        """The finite-time scores at SGD's weights. report: gets the share of the bar, and what is done.

        Raises _Stopped after ``stop`` is set.
        """
        from grda_edu.data import digits
        from grda_edu.geometry.curvature import FixedLoss

        data, lr = digits(validation=0), finite.about("lr")
        loss = FixedLoss(models["SGD"], (data.x_train, data.y_train))
        t = lr * self.epochs * -(-len(data.y_train) // 32)

        def watch(share: float, doing: str) -> None:
            if stop.is_set():
                raise _Stopped
            report(TRAINING + (1 - TRAINING) * share, doing)

        scores = _exact if self.size == "small" else _by_products
        ends = {
            name: FixedLoss(model, loss.batches).weights.double().numpy()
            for name, model in models.items()
        }
        return Ended(
            sgd=ends["SGD"],
            grda=ends["gRDA"],
            s=scores(loss, t, self.mu, watch),
            lam=strength(lr, self.c, self.mu, t),
            seed=self.seed,
            sizes=NETWORKS[self.size].sizes,
        )

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.view)

    def __repr__(self) -> str:
        return f"<LiveTheorem: c = {self.c:g}, μ = {self.mu:g}, seed {self.seed}, {self.size}>"


class _Stopped(Exception):
    """Stop was pressed between two blocks of the Hessian, or two products."""


def _exact(loss: Any, t: float, mu: float, watch: Callable[[float, str], None]) -> np.ndarray:
    """The scores from all eigenvectors of the whole Hessian."""
    from grda_edu.geometry.curvature import hessian, spectrum
    from grda_edu.geometry.finite_time import response
    from grda_edu.training.device import one_thread

    def rows(share: float) -> None:
        done = f"{round(share * loss.size):,} of {loss.size:,} rows"
        watch(0.85 * share, f"The Hessian where SGD stopped, {done}")

    with one_thread():
        matrix = hessian(loss, progress=rows)
        watch(0.85, "The Hessian's eigenvectors, and the scores")
        of = spectrum(matrix)
    sign = np.sign(loss.weights.double().numpy())
    left = response(t * np.maximum(of.values, 0.0), mu)
    return sign * (of.vectors @ (left * (of.vectors.T @ sign)))


def _by_products(loss: Any, t: float, mu: float, watch: Callable[[float, str], None]) -> np.ndarray:
    """The scores from forty products with the Hessian."""
    from grda_edu.geometry.finite_time import finite_time_scores

    products = finite.about("products")

    def product(share: float) -> None:
        watch(share, f"Products with the Hessian, {round(share * products)} of {products}")

    return finite_time_scores(loss, t, mu, products=products, progress=product).s


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


def show_match(found: Ended | None, recorded: Ended | None, words: str) -> tuple[dict, str]:
    """The picture's row and sentence: what was measured, if anything, over what was recorded."""
    row: dict[str, object] = {**_dots("", found), **_dots(" recorded", recorded)}
    beside = f"Recorded: {_told(recorded)}." if recorded else "No recorded run has these settings."
    if found is None:
        row["layout.title.text"] = f"Not measured yet: {words}"
        waits = "Press Start: the match appears here when the scores are there"
        waits += ", over the recorded one, which stands pale." if recorded else "."
        return row, f"{waits} {beside}"
    correlation = writing.decimal(found.evidence().correlation)
    title = f"Live, {words}: correlation {correlation}"
    row["layout.title.text"] = coloured(title, palette.DIRECTIONAL)
    return row, f"Live: {_told(found)}. {beside}"


def _dots(suffix: str, one: Ended | None) -> dict[str, np.ndarray]:
    """The dots of both panels, of the live match or ("recorded") of the pale one."""
    nothing = np.zeros(0)
    survivors = (one.s[one.alive], one.estimates()[one.alive]) if one else (nothing, nothing)
    weights = (one.grda, one.directional()) if one else (nothing, nothing)
    return {
        f"{name}{suffix}.{axis}": values
        for name, both in {"survivors": survivors, "weights": weights}.items()
        for axis, values in zip("xy", both, strict=True)
    }


def _told(one: Ended) -> str:
    found = one.evidence()
    return (
        f"correlation {writing.decimal(found.correlation)}, AUC {writing.decimal(found.auc)}, given size and layer "
        f"{writing.decimal(one.partial())}"
    )


def _long_sentence() -> str:
    """What is said after a run that equals a recorded one: the page keeps room for it."""
    one = finite.ended(*finite.settings()[0], finite.first(), finite.seeds()[0])
    return show_match(one, one, "")[1]
