"""Training the digits CNN on the page, with several optimizers in turns, beside the recording."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from grda_edu.explore import TextTable
from grda_edu.explore.writing import decimal, percent
from grda_edu.training.run import CURVES, Run
from grda_edu.views.runs import STYLES, TrainingView

from .numbers import MU, C, grid

if TYPE_CHECKING:
    from grda_edu.training.turns import MakeOptimizer


def live_training(
    optimizers: Mapping[str, MakeOptimizer], *, epochs: int = 60, seed: int = 0
) -> TrainingView:
    """A view that trains the digits CNN once with each optimizer, in turns of one epoch.

    optimizers: "SGD" and "gRDA" -> what makes the optimizer from a list of parameters. All start
    at the same weights and see the same batches.
    """

    def job(progress: Callable, stop: threading.Event) -> dict[str, Run]:
        from grda_edu.data import digits
        from grda_edu.models import digits_cnn
        from grda_edu.training.turns import train_in_turns

        return train_in_turns(
            digits_cnn, digits(), optimizers, epochs=epochs, seed=seed, progress=progress, stop=stop
        )

    return TrainingView(job, epochs, label="Training the digits CNN live with SGD and gRDA")


class BesideTheRecording:
    """The live runs beside the recorded ones of the same settings; shown anew when a training ends."""

    def __init__(self, view: TrainingView) -> None:
        self._view = view

    @property
    def table(self) -> TextTable:
        """As things stand now."""
        return _beside(self._view)

    def _ipython_display_(self) -> None:
        self._view.show_again(lambda: self.table)

    def __repr__(self) -> str:
        return repr(self.table)


def beside_the_recording(view: TrainingView) -> BesideTheRecording:
    """The live runs beside the recorded ones of the same settings, as far as there are any."""
    return BesideTheRecording(view)


def _beside(view: TrainingView) -> TextTable:
    rows = []
    for name, live in view.runs.items():
        recorded = recorded_like(live)
        unknown = (f"{name}, recorded", "no run has these settings", "", "", "")
        rows += [
            _end(f"{name}, live on {live.device}", live),
            _end(f"{name}, recorded on {recorded.device}", recorded) if recorded else unknown,
        ]
    caption = ""
    if not rows:
        runs = grid()
        caption = "Nothing trained live yet: press Start above, and your runs will stand here too."
        rows = [
            _end(f"{name}, recorded on {runs.device}", runs.run(c, MU, int(runs.seeds[0])))
            for name, c in zip(STYLES, (0.0, C), strict=True)
        ]
    return TextTable(
        rows, ("run", "weights exactly zero", "read right", "after epoch", "seconds"), caption
    )


def _end(name: str, run: Run) -> tuple[str, ...]:
    accuracy = percent(run.test_accuracy[-1], 2)
    seconds = "not timed" if np.isnan(run.seconds[-1]) else decimal(run.seconds[-1], 0)
    return name, percent(run.total_zeros[-1], 2), accuracy, str(run.epoch[-1]), seconds


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
    for name in ("epoch", "zeros", "seconds", *CURVES):
        setattr(run, name, getattr(run, name)[: len(live.epoch)])
    return run
