"""Lesson 10's live view: one way at one sparsity, from the initial weights to the retrained network."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grda_edu.checks import number, one_of, whole
from grda_edu.explore import palette
from grda_edu.training.run import Run
from grda_edu.views.runs import TrainingView

if TYPE_CHECKING:
    from torch import nn

WAYS = ("magnitude", "magnitude by layer", "random", "random, magnitude's layers", "gRDA")
_BEFORE, _AFTER = "SGD, dense", "pruned"


def live_pruning(
    way: str = "magnitude",
    zeros: float = 0.95,
    *,
    c: float = 0.042,
    epochs: int = 60,
    seed: int = 0,
) -> TrainingView:
    """A view that trains the digits CNN with SGD, prunes it, and retrains it for as many epochs.

    way: "gRDA" goes on from SGD's weights with strength ``c``, makes its own zeros and ignores ``zeros``;
    all others cut ``zeros`` of the weights at once and keep them at zero. ValueError names what cannot
    be used.
    """
    one_of("way", way, WAYS)
    number("zeros", zeros, "[0, 1)")
    number("c", c, ">= 0")
    whole("epochs", epochs, 1)

    def job(progress: Callable, stop: threading.Event) -> dict[str, Run]:
        import torch

        from grda_edu.data import digits
        from grda_edu.models import digits_cnn
        from grda_edu.optim import GRDA
        from grda_edu.sparse.masks import keep_zeros
        from grda_edu.training.device import choose_device
        from grda_edu.training.loop import train

        data, model = digits(choose_device()), digits_cnn(seed)
        runs: dict[str, Run] = {}

        def trained(name: str, make: Any, order: int, begin: float) -> bool:
            def watch(run: Run, fraction: float) -> None:
                progress(runs | {name: run}, begin + fraction / 2, f"{name}: epoch {run.epoch[-1]}")

            runs[name] = train(
                model, data, make, epochs=epochs, seed=order, progress=watch, stop=stop
            )
            return not runs[name].message

        if trained(_BEFORE, lambda p: torch.optim.SGD(p, lr=0.1), seed, 0.0):
            if way == "gRDA":
                trained(_AFTER, lambda p: GRDA(p, lr=0.1, c=c, mu=0.65), seed + 1000, 0.5)
            else:
                cut_in_place(model, way, zeros, seed)
                with keep_zeros(model):
                    trained(_AFTER, lambda p: torch.optim.SGD(p, lr=0.1), seed + 1000, 0.5)
        return runs

    styles = {_BEFORE: palette.SGD, _AFTER: palette.GRDA if way == "gRDA" else palette.MAGNITUDE}
    return TrainingView(
        job, epochs, label=f"Live: SGD, then pruned ({way}) and retrained", styles=styles
    )


def cut_in_place(model: nn.Module, way: str, zeros: float, seed: int = 0) -> None:
    """Set a share of a model's weights to zero, by one of the ``WAYS`` that cut.

    "random, magnitude's layers" takes as many weights of each tensor as "magnitude" does there.
    """
    import numpy as np

    from grda_edu.geometry.pruning import magnitude_pruning
    from grda_edu.geometry.valley import put_weights, weights_of

    if way == "random":
        w = weights_of(model).cpu().numpy()
        gone = np.random.default_rng([seed, 0]).permutation(len(w))[: round(zeros * len(w))]
        w[gone] = 0.0
        put_weights(model, w)
        return
    cut = magnitude_pruning(model, zeros, by_layer=way == "magnitude by layer")
    if way != "random, magnitude's layers":
        put_weights(model, weights_of(cut))
        return
    random = np.random.default_rng([seed, 0])
    parts = []
    for own, its in zip(model.parameters(), cut.parameters(), strict=True):
        part = own.detach().cpu().numpy().ravel().copy()
        dead = int((its == 0).sum())
        part[random.permutation(len(part))[:dead]] = 0.0
        parts.append(part)
    put_weights(model, np.concatenate(parts))
