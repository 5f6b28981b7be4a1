"""Lesson 05, choosing c and μ: how do I set them for my own network?"""

from .all_pairs import trade_off
from .best_of_many import flattery
from .by_seed import judges, rule_on_harder, rule_on_seeds
from .elsewhere import picks_elsewhere, rivals
from .questions import EXERCISES, OBJECTIVES, PREDICTIONS
from .searching import live_search, live_search_on_harder, verdict
from .when_to_stop import stopping

__all__ = [
    "EXERCISES",
    "OBJECTIVES",
    "PREDICTIONS",
    "flattery",
    "judges",
    "live_search",
    "live_search_on_harder",
    "picks_elsewhere",
    "rivals",
    "rule_on_harder",
    "rule_on_seeds",
    "stopping",
    "trade_off",
    "verdict",
]
