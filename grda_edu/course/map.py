"""The lessons that ship, in order, and the way from one to the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape

from grda_edu.checks import refuse

from . import page
from .card import Card
from .keeping import progress

KINDS = ("predictions", "exercises", "goals")
"""What a lesson counts on the map."""


@dataclass(frozen=True)
class Lesson:
    """One row of the course's table.

    number: "01"; file: the notebook without its ending;
    minutes: how long its main line takes, and further, what stands under "Going further" (both as
    ``tools.minutes`` reckons them, which a test compares);
    torch: does it need torch, or is numpy enough;
    predictions, exercises: the names that the lesson's module declares (a test compares them);
    goals: the names of its figures' goals, so too; quiz: how many questions its quiz has.
    They stand here too so that the map can count without importing lessons that need torch.
    """

    number: str
    file: str
    title: str
    question: str
    minutes: int
    torch: bool = True
    predictions: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    further: int = 0
    quiz: int = 0

    @property
    def link(self) -> str:
        """Its notebook's file, as other notebooks link to it."""
        return f"{self.file}.ipynb"

    def names(self, kind: str) -> list[str]:
        """Full names of its "predictions", "exercises" or "goals"."""
        return [f"{self.number}.{name}" for name in getattr(self, kind)]


LESSONS = (
    Lesson(
        "00",
        "00_start_here",
        "Start here",
        "How can a network learn with nine of ten weights at zero?",
        10,
        torch=False,
        predictions=("how_many",),
        exercises=("share_of_zeros",),
    ),
    Lesson(
        "01",
        "01_soft_thresholding",
        "Soft-thresholding",
        "What turns small numbers into exact zeros?",
        16,
        torch=False,
        predictions=("which_zero", "scaling", "thirty_zeros"),
        exercises=("soft_threshold",),
        goals=("ten_alive",),
    ),
    Lesson(
        "02",
        "02_two_spaces",
        "Two spaces: dual averaging",
        "Where does a weight live while it is zero?",
        25,
        torch=False,
        predictions=("which_dies", "revival", "goal", "bias", "noise"),
        exercises=("grda_step",),
        goals=("dead_in_time",),
        further=6,
    ),
    Lesson(
        "03",
        "03_knobs_c_and_mu",
        "The knobs c and μ",
        "What do c and μ change?",
        23,
        torch=False,
        predictions=("doubled_c", "which_late", "asleep", "fewest_false", "rate_drops"),
        exercises=("threshold", "accumulated"),
        goals=("fewest",),
        further=8,
    ),
    Lesson(
        "04",
        "04_small_cnn_grows_sparse",
        "A small CNN grows sparse",
        "Does it work on a real network?",
        20,
        predictions=("early", "which_layer", "too_large"),
        exercises=("count_zeros",),
        goals=("sparse",),
        further=1,
    ),
    Lesson(
        "05",
        "05_choosing_c_and_mu",
        "Choosing c and μ",
        "How do I set them for my own network?",
        19,
        further=6,
        predictions=("early_cost", "tight", "zeros_at_stop"),
        exercises=("greatest_c",),
        goals=("frontier",),
    ),
    Lesson(
        "06",
        "06_momentum_decay_schedules",
        "Momentum, weight decay, schedules",
        "What happens with the training recipe everybody uses?",
        25,
        further=1,
        predictions=("recomputed", "same_c", "worth_it"),
        exercises=("effective_g", "grdam_step"),
        goals=("sparse",),
    ),
    Lesson(
        "07",
        "07_flat_valley",
        "The flat valley",
        "Why do the right weights die?",
        25,
        torch=False,
        predictions=("turning", "growing", "surgeon", "halving"),
        exercises=("scores", "prune"),
        goals=("together", "grows"),
        further=5,
    ),
    Lesson(
        "08",
        "08_theorem_on_a_cnn",
        "The theorem on a real CNN",
        "Is gRDA really directional pruning?",
        21,
        predictions=("how_flat", "size_alone", "smaller_gamma"),
        exercises=("share",),
        goals=("against", "left"),
        further=5,
    ),
    Lesson(
        "09",
        "09_same_valley",
        "The same valley",
        "Did gRDA leave SGD's minimum?",
        25,
        predictions=("three_quarters", "other_start", "around", "least_bend"),
        exercises=("loss_on_curve",),
        goals=("least_bend",),
        further=2,
    ),
    Lesson(
        "10",
        "10_pruning_a_trained_network",
        "Pruning a trained network",
        "What if I already have a trained network?",
        25,
        predictions=("cut_order", "retrained_order", "budget", "mask_order"),
        exercises=("keep_k", "masked_training"),
        goals=("layers_count",),
        further=1,
    ),
    Lesson(
        "11",
        "11_what_zeros_buy",
        "What do zeros buy?",
        "Smaller? Faster?",
        23,
        predictions=("file", "single", "smallest"),
        exercises=("bitmask_bytes", "remove_unit"),
        goals=("csr_pays", "break_even", "fifth"),
        further=1,
    ),
    Lesson(
        "12",
        "12_at_scale_and_your_own",
        "At scale, and on your own",
        "And my network?",
        25,
        predictions=("around_order", "words_cost", "scores", "sent"),
        exercises=("two_spaces", "shared_gradient"),
        goals=("most_zeros", "behind"),
        quiz=20,
        further=6,
    ),
)


def lesson(number: str) -> Lesson:
    """The lesson with this number; ValueError names those that exist."""
    for row in LESSONS:
        if row.number == number:
            return row
    refuse("lesson", number, f"one of {', '.join(repr(row.number) for row in LESSONS)}")


_shown: Counter[str] = Counter()


def navigation(number: str) -> None:
    """Show links to the previous lesson, the map and the next lesson."""
    here = LESSONS.index(lesson(number))
    before = LESSONS[here - 1] if here > 0 else None
    after = LESSONS[here + 1] if here + 1 < len(LESSONS) else None
    links = [
        _link(before, "← {}", "previous lesson"),
        _link(LESSONS[0], "Map of the course", "") if here > 0 else "<span></span>",
        _link(after, "{} →", "next lesson"),
    ]
    words = [
        f"{label}: {row.link}"
        for label, row in (("previous", before), ("map", LESSONS[0]), ("next", after))
        if row is not None
    ]
    _shown[number] += 1  # a landmark has a name of its own, and a lesson has two of these lines
    name = f"Lessons beside {number}" + (f", {_shown[number]}" if _shown[number] > 1 else "")
    page.show_html(
        f'<nav class="grda-nav" aria-label="{name}">{"".join(links)}</nav>', " · ".join(words)
    )


def _link(row: Lesson | None, words: str, role: str) -> str:
    if row is None:
        return "<span></span>"
    label = words.format(f"{row.number} {escape(row.title)}")
    spoken = f' aria-label="{role}: {row.number} {escape(row.title)}"' if role else ""
    return f'<a href="{row.link}"{spoken}>{label}</a>'


def course_map() -> None:
    """Show every lesson with what has been done in it, and a way to start over."""
    page.show_live_html(_map_html, _map_text)
    card = Card()
    card.on_do("reset", lambda _: _ask(card))
    card.on_do("keep", lambda _: _rest(card, ""))
    card.on_do("forget", lambda _: _forget(card))
    card.on_do("refresh", lambda _: page.refresh_live_html())
    _rest(card, page.note(progress.notice()))
    card.show("Progress: run this cell to see buttons that refresh and reset it.")


def _done(row: Lesson, kind: str) -> tuple[int, int]:
    """How many of a lesson's predictions, exercises or goals are done, and how many there are."""
    names = row.names(kind)
    if kind == "predictions":
        return sum(progress.committed(name) is not None for name in names), len(names)
    is_done = progress.solved if kind == "exercises" else progress.reached
    return sum(map(is_done, names)), len(names)


def _count(number: int, kind: str) -> str:
    return f"{number} {kind[:-1] if number == 1 else kind}"


def _status(row: Lesson) -> str:
    """What of a lesson is done, "2 of 3 predictions, 0 of 1 exercise"; "" if it asks nothing."""
    parts = []
    for kind in KINDS:
        done, total = _done(row, kind)
        if total:
            parts.append(f"{done} of {_count(total, kind)}")
    return ", ".join([*parts, *_quiz_status(row)])


def _quiz_status(row: Lesson) -> list[str]:
    """What of the lesson's quiz is done, in words; nothing if it has none."""
    if not row.quiz:
        return []
    results = progress.quiz_results(row.number)
    if not results:
        answered = len(progress.quiz_answers(row.number))
        return [f"{answered} of {_count(row.quiz, 'questions')}"]
    last = f", {results[-1]} in the last round" if len(results) > 1 else ""
    return [f"quiz: {results[0]} of {row.quiz} right at the first try{last}"]


def _map_html() -> str:
    return f'<ol class="grda-map" aria-label="Lessons">{"".join(map(_row_html, LESSONS))}</ol>'


def _row_html(row: Lesson) -> str:
    counts = [_done(row, kind) for kind in KINDS]
    if row.quiz:  # a whole round is one thing to do
        counts.append((int(bool(progress.quiz_results(row.number))), 1))
    done, total = (sum(column) for column in zip(*counts, strict=True))
    pips = "●" * done + "○" * (total - done)
    finished = '<span class="grda-finished">✓ done</span>' if total and done == total else ""
    more = f", {row.further} more for what goes further" if row.further else ""
    time = f"about {row.minutes} minutes{more}"
    status = " · ".join(part for part in (time, _status(row)) if part)
    return (
        f'<li><span class="grda-number">{row.number}</span><span class="grda-what">'
        f'<a href="{row.link}">{escape(row.title)}</a><span>{escape(row.question)}</span>'
        f'<span class="grda-status">{status} '
        f'<span class="grda-pips" aria-hidden="true">{pips}</span> {finished}</span></span></li>'
    )


def _map_text() -> str:
    rows = (
        f"{row.number} {row.title} ({row.minutes} min): {_status(row) or row.question}"
        for row in LESSONS
    )
    return "\n".join(rows)


def _rest(card: Card, result: str) -> None:
    card.update(
        label="Your progress",
        actions=[
            {"do": "refresh", "label": "Refresh"},
            {"do": "reset", "label": "Reset my progress"},
        ],
        result=result,
    )


def _ask(card: Card) -> None:
    counts = [_count(sum(_done(row, kind)[0] for row in LESSONS), kind) for kind in KINDS]
    rounds = sum(len(progress.quiz_results(row.number)) for row in LESSONS if row.quiz)
    if rounds:
        counts.append(
            _count(rounds, "rounds of the quiz") if rounds > 1 else "one round of the quiz"
        )
    done = f"{', '.join(counts[:-1])} and {counts[-1]}"
    card.update(
        result=page.result(
            "unattempted",
            "Forget everything on this computer?",
            f"What you committed, solved and reached ({done}) is lost for good. Your notebooks stay as they are.",
        ),
        actions=[
            {"do": "keep", "label": "Keep it", "primary": True},
            {"do": "forget", "label": "Forget everything"},
        ],
    )


def _forget(card: Card) -> None:
    progress.reset()
    notice = page.note(progress.notice())
    _rest(card, page.result("right", "Your progress is reset.", "") + notice)
