"""How lesson 03's figures draw what they have in common."""

from grda_edu.explore import palette

FLAT = palette.ZERO._replace(dash="dot")  # the size of a flat weight
FALSE = palette.Style(palette.INK, "dot", "x")  # a weight that lives and should be zero
