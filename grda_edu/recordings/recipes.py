"""Recorded training recipes: momentum, weight decay, schedules."""

from grda_edu.recordings.plan import Plan

RECIPES: dict[str, Plan] = {}
