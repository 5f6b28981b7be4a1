"""Choosing c by the authors' rule, with live probes on validation images.

The rule (item 1 of the authors' response): take mu = .501, .51 or .55; for that mu, search the
greatest c, from about 1e-4 on, with which gRDA's accuracy is comparable to SGD's after one to five
epochs. The authors compared test accuracies. Whoever picks the best of many runs on the test images
reports too good a number, so here the choice is made on images held out of the training part, and
the test images are left alone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from grda_edu.checks import distinct, number, whole
from grda_edu.data import Data
from grda_edu.optim import GRDA
from grda_edu.training.interrupt import Stop, gentle
from grda_edu.training.jobs import check_jobs, spread
from grda_edu.training.loop import check_kind, train
from grda_edu.training.rules import (
    c_steps,
    difference_error,
    greatest_comparable,
    in_points,
    is_comparable,
    longest_way,
)
from grda_edu.training.run import Run

EPOCHS, TOLERANCE = 5, 0.15
"""The best of 1 to 5 epochs and half a point to 30 on the digits CNN with seeds 0 to 2. The tolerance
is as wide as accuracies scatter that early; it is not what the finished network may lose."""

MakeModel = Callable[[int], nn.Module]
Ended = Literal["edge", "smallest", "largest", "reference", "budget", "stopped"]


@dataclass(frozen=True)
class Probe:
    """One value of c, tried for a few epochs from each seed (S). c = 0 is SGD, the reference."""

    c: float
    mu: float
    epochs: int  # from each seed
    seeds: tuple[int, ...]  # S
    accuracies: tuple[float, ...]  # S, shares of the validation images; NaN where it diverged
    difference: float  # mean accuracy minus SGD's, in [-1, 1]; NaN where it diverged
    standard_error: float
    """Of one seed's difference, if what varies is which images are held out; see ``difference_error``."""
    tolerance: float
    zeros: float  # share of all weights that are exactly zero, mean over the seeds
    message: str  # why it diverged, or ""
    device: str

    @property
    def accuracy(self) -> float:
        """The mean over the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def comparable(self) -> bool:
        """Is it within the tolerance of SGD? A probe that diverged is not."""
        return not self.message and is_comparable(self.difference, self.tolerance)


@dataclass(frozen=True)
class Answer:
    """What a search found: the greatest comparable c, or None, and why it ended there."""

    c: float | None
    ended: Ended
    sentence: str
    epochs_spent: int  # by all probes and seeds, SGD's included


def find_c(
    make_model: MakeModel,
    data: Data,
    *,
    mu: float = 0.51,
    lr: float = 0.1,
    epochs: int = EPOCHS,
    tolerance: float = TOLERANCE,
    start: float = 1e-4,
    largest: float = 0.1,
    grid: Sequence[float] | None = None,
    seeds: Sequence[int] = (0,),
    batch_size: int = 32,
    device: str | torch.device = "auto",
    budget: int | None = None,
    progress: Callable[[float], object] | None = None,
    stop: Event | None = None,
    jobs: int = 1,
) -> "Search":
    """Search the greatest c with which gRDA is comparable to SGD after a few epochs.

    Nothing is trained before the search is iterated over. It yields SGD's Probe first and then
    each c's as it finishes; afterwards ``search.answer`` says what was found::

        search = find_c(digits_cnn, digits())
        for probe in search:
            print(probe.c, probe.accuracy, probe.zeros, probe.comparable)
        print(search.answer.sentence)

    c is multiplied by ten while it is comparable, then the gap is halved until two neighbouring
    steps are left. Accuracy is taken to fall with c: a lucky c beyond the edge is not looked for.

    An interrupt ends it before the next batch and raises ``Interrupted``. The search, which
    ``grda_edu.interrupted()`` gives too, then goes on with the probe that it was at.

    Args:
        make_model: ``make_model(seed)`` gives a new network. Every probe starts from the same ones.
        data: comparisons use its validation part; its test part is never shown to a network.
        mu: exponent of the threshold's growth, which stays fixed.
        lr: a learning rate that suits SGD without momentum.
        epochs: of each probe, from each seed; the authors advise 1 to 5.
        tolerance: share of the images (0.15: 15 points) that gRDA may lose against SGD. It has to
            fit how far SGD has come by then: the default suits 40 to 200 steps, more steps want
            less.
        start: where the search begins; from there c goes by 1-1.5-2-3-5 steps.
        largest: the last c that it tries.
        grid: values of c to choose from, instead of these steps.
        seeds: initial weights and batch orders over which accuracies are averaged.
        batch_size: images a step.
        device: "auto" takes CUDA, then MPS, then the CPU.
        budget: epochs to spend at most, by all probes and seeds; without it the search ends after
            ``search.longest`` epochs at the latest.
        progress: called with the share of the longest way that is done, some five times a second.
        stop: setting it ends the search before the next batch.
        jobs: seeds trained at once, as of ``sweep``. Probes come one after the other, since each
            decides which is next: with one seed it brings nothing.

    Returns:
        The search, an iterator of probes.

    Raises:
        ValueError: for an argument that cannot be used, naming it.
        ModuleNotFoundError: for ``jobs`` without joblib, when the first probe is asked for.
    """
    check_settings(mu, lr, epochs, tolerance, seeds, budget)
    jobs = check_jobs(jobs)
    check_kind(data)
    _check_validation(data)
    steps = c_steps(start, largest) if grid is None else _checked_grid(grid)
    # Probes are trained on a copy without test images: what is not there cannot be looked at.
    blind = replace(data, x_test=data.x_test[:0], y_test=data.y_test[:0])
    prober = _Prober(
        make_model,
        blind,
        float(mu),
        float(lr),
        epochs,
        float(tolerance),
        tuple(int(seed) for seed in seeds),
        batch_size,
        device,
        stop,
        jobs,
    )
    return Search(prober, steps, budget, progress)


class Search(Iterator[Probe]):
    """The probes of ``find_c``, made while they are asked for.

    It pickles where ``make_model`` does, between probes, without ``progress`` and ``stop``; what is
    loaded goes on with the next probe.
    """

    def __init__(
        self,
        prober: "_Prober",
        steps: tuple[float, ...],
        budget: int | None,
        progress: Callable[[float], object] | None,
    ) -> None:
        self.steps = steps  # every c that may be tried
        self.probes: list[Probe] = []  # those that have finished, SGD's first
        self.answer: Answer | None = None  # None until the search has ended
        self._prober, self._budget, self._progress = prober, budget, progress

    def __getstate__(self) -> dict[str, Any]:
        prober = replace(self._prober, stop=None)
        return {**self.__dict__, "_prober": prober, "_progress": None}

    def __next__(self) -> Probe:
        if self.answer is not None:
            raise StopIteration
        due = self._due()
        if isinstance(due, str):
            self._end(due)
            raise StopIteration
        reference = self.probes[0] if self.probes else None
        with gentle(self._prober.stop) as stop:
            probe = self._prober.probe(due, reference, self._report, stop)
        if probe is not None:
            self.probes.append(probe)
        how = "search = grda_edu.interrupted(), then search.run()"
        stop.conclude(self, f"the search was stopped after {len(self.probes)} probes", how)
        if probe is None:
            self._end("stopped")
            raise StopIteration
        return probe

    def run(self) -> Answer:
        """Search to the end."""
        for _ in self:
            pass
        assert self.answer is not None
        return self.answer

    @property
    def epochs_spent(self) -> int:
        """Whole epochs trained so far, by all finished probes and seeds."""
        return self._prober.spent

    @property
    def longest(self) -> int:
        """The most epochs that the search can spend, SGD's included."""
        probes = 1 + longest_way(self.steps)
        needed = probes * self._prober.cost
        return needed if self._budget is None else min(needed, self._budget)

    def _due(self) -> float | Ended:
        """The c to try next, or why there is none: the probes so far decide."""
        if not self.probes:
            return 0.0
        prober, (reference, *tried) = self._prober, self.probes
        if reference.message or reference.accuracy - prober.tolerance <= prober.guessing:
            return "reference"
        candidates = greatest_comparable(self.steps)
        c = next(candidates)
        for probe in tried:
            try:
                c = candidates.send(probe.comparable)
            except StopIteration:
                return self._why()
        if self._budget is not None and prober.spent + prober.cost > self._budget:
            return "budget"
        return c

    def _report(self, epochs_of_probe: float) -> None:
        if self._progress is not None:
            self._progress(min(1.0, (self._prober.spent + epochs_of_probe) / self.longest))

    def _best(self) -> float | None:
        return max((p.c for p in self.probes[1:] if p.comparable), default=None)

    def _why(self) -> Ended:
        best = self._best()
        if best is None:
            return "smallest"
        return "largest" if best == self.steps[-1] else "edge"

    def _end(self, ended: Ended) -> None:
        best = self._best()
        sentence = _sentence(ended, best, self.steps, self.probes, self._prober, self._budget)
        self.answer = Answer(best, ended, sentence, self._prober.spent)


@dataclass
class _Prober:
    """Trains probes, and counts the epochs that they take."""

    make_model: MakeModel
    data: Data
    mu: float
    lr: float
    epochs: int
    tolerance: float
    seeds: tuple[int, ...]
    batch_size: int
    device: str | torch.device
    stop: Event | None
    jobs: int
    spent: int = 0

    @property
    def cost(self) -> int:
        """Epochs of one probe."""
        return self.epochs * len(self.seeds)

    @property
    def guessing(self) -> float:
        """Accuracy of naming the most frequent validation label always."""
        return float(self.data.y_val.bincount().max()) / len(self.data.y_val)

    def probe(
        self, c: float, reference: Probe | None, report: Callable[[float], None], stop: Stop
    ) -> Probe | None:
        """Train with this c from every seed; None if it was stopped."""
        runs = self._in_turn(c, report, stop) if self.jobs == 1 else self._at_once(c, report, stop)
        if runs is None:
            return None
        self.spent += sum(int(run.epoch[-1]) for run in runs)
        return self._measured(c, runs, reference)

    def _in_turn(self, c: float, report: Callable[[float], None], stop: Stop) -> list[Run] | None:
        runs: list[Run] = []

        def part(_: Run, share: float) -> None:
            report(self.epochs * (len(runs) + share))

        for seed in self.seeds:
            run = self.train(c, seed, part, stop)
            if run.message.startswith("stopped"):
                return None
            runs.append(run)
            if run.message:
                break
        return runs

    def _at_once(self, c: float, report: Callable[[float], None], stop: Stop) -> list[Run] | None:
        """The same runs, from other processes."""
        sent = replace(self, stop=None)
        tasks = [_Seed(sent, c, seed) for seed in self.seeds]
        names = [f"c={c:g} seed={seed}" for seed in self.seeds]
        back: dict[int, Run] = {}
        report(0.0)
        for k, run in spread(tasks, names, self.jobs, stop):
            back[k] = run
            report(self.epochs * len(back))
        runs = [back[k] for k in range(len(tasks)) if k in back]
        if len(runs) < len(tasks) or any(run.message.startswith("stopped") for run in runs):
            return None
        # One after the other, the first that diverges is the last.
        last = next((k for k, run in enumerate(runs) if run.message), len(runs))
        return runs[: last + 1]

    def train(
        self, c: float, seed: int, progress: Callable[[Run, float], object] | None, stop: Stop
    ) -> Run:
        """One network, by SGD for c = 0."""

        def optimizer(parameters: list[nn.Parameter]) -> Optimizer:
            if c == 0:
                return torch.optim.SGD(parameters, lr=self.lr)
            return GRDA(parameters, lr=self.lr, c=c, mu=self.mu)

        return train(
            self.make_model(seed),
            self.data,
            optimizer,
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=seed,
            device=self.device,
            progress=progress,
            stop=stop,
        )

    def _measured(self, c: float, runs: list[Run], reference: Probe | None) -> Probe:
        message = runs[-1].message
        accuracies = tuple(math.nan if r.message else float(r.val_accuracy[-1]) for r in runs)
        mean = float(np.mean(accuracies))
        sgd = mean if reference is None else reference.accuracy
        return Probe(
            c=c,
            mu=self.mu,
            epochs=self.epochs,
            seeds=self.seeds[: len(runs)],
            accuracies=accuracies,
            difference=mean - sgd,
            standard_error=math.nan if message else self._error(mean, sgd, reference),
            tolerance=self.tolerance,
            zeros=float(np.mean([run.total_zeros[-1] for run in runs])),
            message=message,
            device=runs[-1].device,
        )

    def _error(self, mean: float, sgd: float, reference: Probe | None) -> float:
        return 0.0 if reference is None else difference_error(mean, sgd, len(self.data.y_val))


@dataclass(frozen=True)
class _Seed:
    """What one worker trains at a time."""

    prober: _Prober
    c: float
    seed: int

    def __call__(self, stop: Stop) -> Run:
        run = self.prober.train(self.c, self.seed, None, stop)
        run.checkpoint = None  # a probe is its accuracy
        return run


def _sentence(
    ended: Ended,
    best: float | None,
    steps: Sequence[float],
    probes: Sequence[Probe],
    prober: _Prober,
    budget: int | None,
) -> str:
    """The end of a search in words."""
    after = f"after {prober.epochs} epoch{'s' * (prober.epochs != 1)}"
    within = f"within {in_points(prober.tolerance)} of SGD {after}"
    tried = f"the greatest c {within} is {best:g}" if best else f"no c was found {within}"
    if ended == "edge":
        beyond = min(p.c for p in probes[1:] if not p.comparable)
        return f"{tried[0].upper()}{tried[1:]}; {beyond:g}, the next step, is too large."
    if ended == "smallest":
        return (
            f"Even the smallest c, {steps[0]:g}, is not {within}: start lower, allow a larger "
            "tolerance or train longer."
        )
    if ended == "largest":
        return f"The largest c tried, {steps[-1]:g}, is still {within}: try larger ones."
    if ended == "reference":
        sgd = probes[0]
        if sgd.message:
            return f"SGD itself {sgd.message}: choose a smaller lr before you choose c."
        return (
            f"SGD reads {sgd.accuracy:.1%} of the validation images {after}, guessing "
            f"{prober.guessing:.1%}: with a tolerance of {in_points(prober.tolerance)} a dead "
            "network would pass. Train longer or allow less."
        )
    if ended == "budget":
        return f"The budget of {budget} epoch{'s' * (budget != 1)} is used up: so far, {tried}."
    return f"Stopped: so far, {tried}."


def check_settings(
    mu: float,
    lr: float,
    epochs: int,
    tolerance: float,
    seeds: Sequence[int],
    budget: int | None = None,
) -> None:
    """Raise ValueError naming the setting of ``find_c`` that cannot be used."""
    number("mu", mu, "> 0")
    number("lr", lr, ">= 0")
    number("tolerance", tolerance, "[0, 1)")
    whole("epochs", epochs, 1)
    seeds = distinct("seeds", seeds)
    for seed in seeds:
        whole("seed", seed)
    if budget is not None:
        whole("budget", budget, 2 * epochs * len(seeds), why="what SGD and one c take")


def _check_validation(data: Data) -> None:
    if not len(data.y_val):
        raise ValueError(
            "data has no validation part (y_val is empty): hold some training images out, "
            "as digits(validation=157) does"
        )


def _checked_grid(grid: Sequence[float]) -> tuple[float, ...]:
    return tuple(sorted(number("c", c, "> 0") for c in distinct("grid", grid)))
