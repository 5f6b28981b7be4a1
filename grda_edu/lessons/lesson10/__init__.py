"""Lesson 10, pruning a trained network: what if I already have a trained network?"""

from .best_epoch import over_epochs
from .live import live_pruning
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .ranking import budget, cut, retrained
from .tables import batch_norm, in_pairs, surgeon_beside
from .whose_mask import mask_or_weights
from .your_own import prune_four_ways

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "batch_norm",
    "budget",
    "cut",
    "in_pairs",
    "live_pruning",
    "mask_or_weights",
    "over_epochs",
    "prune_four_ways",
    "retrained",
    "surgeon_beside",
]
