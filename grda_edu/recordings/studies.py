"""Recorded measurements: what lessons show that is more than the curves of runs."""

from grda_edu.recordings.paths import Paths
from grda_edu.recordings.plan import Study

STUDIES: dict[str, Study] = {"paths": Paths()}
