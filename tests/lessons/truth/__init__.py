"""Sentences, titles, keys and colours that cannot lie.

Each lesson has a file here, ``lessonNN.py``, with ``CASES``: one ``Case`` for every figure that the
lesson can show. ``tests/lessons/test_truth.py`` checks each case at each of its positions, and
``make mutants ARGS=NN`` falsifies one number, colour, dash, symbol or key at a time and prints what
no case notices. There must be no survivor.

    from grda_edu.explore import palette
    from lessons.truth import Case

    def says(seed, epoch, c):
        run = recorded(c, seed)                      # by another route than the figure's own
        return {
            "sentence": [epoch, c, run.share, "fewer", run.images],
            "title": [run.share, epoch],
            "notes[0]": [len(run.sizes)],            # annotation 0, the heading of panel 0
            "spike.text": [run.share],               # words that a trace draws
        }

    CASES = [
        Case(
            "inside",                                # the lesson's function, or "inside (variant)"
            lesson04.inside,
            says,
            looks={"gRDA": palette.GRDA, "zeros": hollow(palette.ZERO), "shapes[0]": palette.BAND},
            keys={"notes[0]": {"gRDA": "gRDA", "# of # are zero": "zeros"}},
        )
    ]

**says** returns place -> what must stand there, in order. A number is compared with the written one
to half a unit of its last digit ("90.1%" is 0.901), as Python rounds; for a number that is rounded to
tens give the rounded one. A string is a phrase that must stand between its neighbours ("fewer", "Goal reached");
a string that is a number ("2") must stand there letter by letter. Every number of every text has to
be accounted for; a place that is not mentioned must have none. Places are "sentence", "title",
"notes[k]", "xaxis.title", "yaxis2.ticktext", "TRACE.text", "TRACE.y" (categories).
**looks** maps every trace, and every shape ("shapes[k]"), to the palette's Style, to a colour (a solid
line, round dots), to ``palette.FIELD``, or to ``look(style, **{"marker.color": [...]})`` where one
attribute is different. A trace may differ in dash: ``GRDA._replace(dash="dot")``.
**keys** maps a place to its coloured words, in their order, and each to the trace (or traces) that
it names: colour and glyph must be that trace's ("TRACE[k]" is item k of one with many colours). A
mark that traces of many colours share has a colour of its own, which is named first:
``{"t doubled": (palette.INK, "a later", "b later")}``. Numbers in the words are written #. Words in
ink or muted ink may name nothing: ``()``. A glyph outside coloured words is refused.
**names** are words with digits that say no number ("conv1", "ℓ1", a device): compute them too.
says, looks, keys and names may be functions of the position, keys and names plain values as well.

**reaches** returns which of the figure's goals are reached at a position; a figure with goals needs it.

**positions**: the first state, all sliders at their lowest and all at their highest are visited
anyway; ``positions`` adds others (what is not named stays as at first). For a ``Picture`` or a live
view ``make`` takes the position's values and returns the figure as it then stands, and ``positions``
names them all.
"""

from .case import Case, check, expected
from .shown import Shown, hollow, look

__all__ = ["Case", "Shown", "check", "expected", "hollow", "look"]
