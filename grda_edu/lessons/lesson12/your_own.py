"""Lesson 12: a network of the learner's own, trained on the page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from grda_edu.checks import whole
from grda_edu.explore import palette
from grda_edu.training.run import Run
from grda_edu.views.runs import TrainingView

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from grda_edu.data import Data


def your_training(
    model: nn.Module,
    data: Data,
    make_optimizer: Callable[[list[nn.Parameter]], Optimizer],
    *,
    epochs: int = 10,
    batch_size: int = 32,
) -> TrainingView:
    """A view that trains ``model`` in place, with zeros by layer.

    make_optimizer: gets the model's trainable parameters, gives the optimizer.
    """
    whole("epochs", epochs, 1)

    def job(progress: Callable, stop: threading.Event) -> Run:
        from grda_edu.training.loop import train

        return train(
            *(model, data, make_optimizer),
            epochs=epochs,
            batch_size=batch_size,
            progress=progress,
            stop=stop,
        )

    return TrainingView(
        job, epochs, label="Your network, live", styles={"your network": palette.GRDA}
    )
