"""Recorded measurements: what lessons show that is more than the curves of runs."""

from grda_edu.recordings.opening_valley import OpeningValley
from grda_edu.recordings.paths import Paths
from grda_edu.recordings.plan import Study
from grda_edu.recordings.theorem import TheoremStudy

STUDIES: dict[str, Study] = {
    "opening_valley": OpeningValley(),
    "paths": Paths(),
    "theorem": TheoremStudy(),
}
