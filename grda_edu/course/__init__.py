'''What every lesson uses: predictions, exercises, objectives, the way through the course.

In a notebook::

    from grda_edu import course

    course.begin("01")                    # what this runs on, in one line
    course.navigation("01")               # previous lesson, map, next lesson
    course.objectives("01")               # what you will be able to do, and what shows it
    course.predict("01.which_die")        # commit, then read why
    course.check("01.soft_threshold", soft_threshold)   # below the learner's stub
    course.quiz("12")                     # the closing quiz: the lesson's QUIZ
    course.course_map()                   # lesson 00: all lessons with progress, and a reset

In ``grda_edu/lessons/lesson01.py``::

    from grda_edu.course import Case, Exercise, Prediction

    DOTS, TAU = np.array([-1.4, -0.3, 0.2, 0.9]), 0.5

    def deaths() -> int:
        return int((soft_threshold(DOTS, TAU) == 0).sum())

    PREDICTIONS = {
        "which_die": Prediction(
            title="Which become zero",
            question="τ = 0.5. How many of the four numbers -1.4, -0.3, 0.2 and 0.9 become zero?",
            answer=lambda: f"{deaths()} of them",           # computed, the text of an option
            options={                                        # option -> explanation
                "1 of them": "Size matters, not sign: |-0.3| is below τ as well.",
                "2 of them": "Both lie within τ of zero. {dead} became zero.",
                "all of them": "-1.4 and 0.9 lie outside the band; they only move by τ.",
            },
            values=lambda: {"dead": DOTS[soft_threshold(DOTS, TAU) == 0]},
        ),
        "how_far": Prediction(                               # no options: a number is asked
            title="How far it moves",
            question="What becomes of 0.9?",
            answer=lambda: soft_threshold(0.9, TAU),
            tolerance=0.01,
            explanation="0.9 - 0.5 = {answer:.1f}: what survives pays τ too.",
        ),
    }

    EXERCISES = {
        "soft_threshold": Exercise(
            title="Soft-thresholding",
            task="Write S_τ(x) in one line.",
            solution=soft_threshold,                         # its source is what is shown
            oracle=lambda x, tau: x - np.clip(x, -tau, tau),  # another way to the same answer
            cases=(                                          # simple first; `why` when it fails
                Case((2.0, 0.5), 1.5, "A number outside the band moves by τ towards zero."),
                Case((0.3, 0.5), 0.0, "A number inside the band becomes zero."),
                Case((np.array([-2.0, -0.1, 3.0]), 1.0), why="Signs are kept, in arrays too."),
            ),
            hints=("What happens to |x|?", "`np.sign(x)` keeps the sign.", "`np.maximum(…, 0)`"),
            done="This line runs at every step of gRDA.",
        ),
    }

    OBJECTIVES = {                                           # objective -> name of its check
        "say which numbers soft-thresholding makes zero": "which_die",
        "write soft-thresholding": "soft_threshold",
    }

The notebook's stub returns ``...``, which counts as "not begun"::

    def soft_threshold(x, tau):
        """S_tau(x)."""
        return ...

Then add the names to the lesson's row in ``course/map.py`` (the map counts them without importing
the lesson), and test them with ``tests/course/checking.py``.
'''

from .aims import objectives
from .checking import check
from .closing import quiz
from .environment import begin
from .exercise import Case, Exercise, Outcome, judge
from .goals import keep_goals
from .keeping import progress
from .map import LESSONS, course_map, navigation
from .prediction import Prediction, predict
from .veil import veiled

__all__ = [
    "LESSONS",
    "Case",
    "Exercise",
    "Outcome",
    "Prediction",
    "begin",
    "check",
    "course_map",
    "judge",
    "keep_goals",
    "navigation",
    "objectives",
    "predict",
    "progress",
    "quiz",
    "veiled",
]
