"""The lesson's recordings: each is read when something of it is first asked for (numpy only)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from grda_edu import recordings


@dataclass(frozen=True)
class Recording:
    """A recording that ships. RecordingError names the command that repairs it."""

    name: str

    def array(self, name: str) -> np.ndarray:
        """One of its arrays, in double precision."""
        return _array(self.name, name)

    def about(self, name: str) -> Any:
        """One of its study's settings."""
        return _read(self.name).configuration[name]


@cache
def _read(name: str) -> recordings.Measurements:
    return recordings.load_measurements(name)


@cache
def _array(recording: str, name: str) -> np.ndarray:
    stored = _read(recording).arrays[name]
    return stored.astype(np.float64) if stored.dtype.kind == "f" else stored
