"""gRDA as a PyTorch optimizer.

``grda`` is the algorithm, written to be read; ``together`` the same for many tensors at once;
``parts`` for very large ones; ``arguments`` checks what a user hands in, ``state`` what a file does.
``around`` puts the same two spaces around any other optimizer; ``average`` averages the dual one.
"""

from grda_edu.optim.arguments import Tuning
from grda_edu.optim.around import DualAveraging
from grda_edu.optim.average import AccumulatorAverage
from grda_edu.optim.grda import GRDA
from grda_edu.optim.groups import penalty_groups

__all__ = ["GRDA", "AccumulatorAverage", "DualAveraging", "Tuning", "penalty_groups"]
