"""How lesson 11's figures draw what they have in common."""

from __future__ import annotations

from grda_edu.explore import palette
from grda_edu.sparse.clock import CSR, REMOVED
from grda_edu.studies.smaller import BY_UNIT, BY_WEIGHT, GRADUAL, PROXIMAL

from .numbers import BOUND, MASKED, PACKED, SAVED, SCIPY_CSR, TORCH_CSR, ZIPPED

FORMATS = {
    TORCH_CSR: palette.MAGNITUDE,
    SCIPY_CSR: palette.OBS,
    SAVED: palette.SGD,
    ZIPPED: palette.SOFT,
    MASKED: palette.RDA,
    PACKED: palette.GRDA,
    BOUND: palette.TARGET,
}
LAYERS = {CSR: palette.OBS, REMOVED: palette.DIRECTIONAL}
WAYS = {
    BY_WEIGHT: palette.GRDA,
    BY_UNIT: palette.DIRECTIONAL._replace(dash="solid"),
    PROXIMAL: palette.RDA._replace(symbol="diamond"),
    GRADUAL: palette.MAGNITUDE,
}
HERE = palette.Style(palette.INK, "dot", "line-ns")  # the line that the hand moves
