"""Recorded measurements: what lessons show that is more than the curves of runs."""

from grda_edu.recordings.plan import Study

STUDIES: dict[str, Study] = {}
