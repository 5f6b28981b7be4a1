"""Lesson 12's predictions, exercises and objectives."""

from __future__ import annotations

import numpy as np

from grda_edu.course import Case, Exercise, Prediction

from . import questions_adamw, questions_words
from .at_scale import NEAR, array, near_one
from .numbers import STEPS, sent_only_gradients


def what_is_sent() -> str:
    """Which option of the prediction about processes is enough, by trying the cheapest."""
    zeros, others, apart = sent_only_gradients()
    return "the gradients" if zeros == others and not apart else "the gradients and the weights"


def what_scores_are() -> str:
    """Which option of the prediction about many weights the recorded scores are."""
    s = array("sample/batch")[:, 0]
    if (s < 0).mean() > 0.25:
        return "about half of them negative"
    shares = {"nearly all close to 1": (np.abs(s - 1) < NEAR).mean()}
    shares["nearly all close to 0"] = (np.abs(s) < NEAR).mean()
    close = max(shares, key=lambda option: shares[option])
    return close if shares[close] > 0.9 else "spread out from 0 to 1"


def _of_scores() -> dict[str, object]:
    near, small = near_one()
    loss = array("train")[:, 0, 0].mean()
    return {"near": near, "small": small, "loss": loss, "low": 1 - NEAR, "high": 1 + NEAR}


PREDICTIONS = {
    **questions_adamw.PREDICTIONS,
    **questions_words.PREDICTIONS,
    "scores": Prediction(
        title="the scores of a quarter of a million weights",
        question=(
            "SGD trains a ResNet-20 of 269,434 weights until hardly any loss is left. Scores say how much of gRDA's push a weight "
            "follows: 1 all of it, 0 nothing, and below 0 it grows. What are they, by Hessian products where SGD ended?"
        ),
        answer=what_scores_are,
        options={
            "nearly all close to 1": "Where there is no loss left there is hardly any slope, and hardly any curvature.",
            "spread out from 0 to 1": "In lesson 08 they were. There SGD left more curvature for each weight.",
            "nearly all close to 0": "Then the loss would hold nearly every weight, and nothing could be pruned.",
            "about half of them negative": "Scores are negative only where a steep direction makes one weight pay for others.",
        },
        explanation=(
            "{near:.2%} lie between {low:g} and {high:g}; of the small CNN's in lesson 08 {small:.0%}. SGD left a training loss "
            "of {loss:.4f}."
        ),
        values=_of_scores,
    ),
    "sent": Prediction(
        title="what two processes send each other",
        question=(
            "Two processes train one network with gRDA, from the same start, each on its half of every batch. What has to "
            "go from one to the other at each step, so that both have the same zeros?"
        ),
        answer=what_is_sent,
        options={
            "the gradients": "Start, thresholds and clock are the same on both, so the same gradient makes the same step.",
            "the gradients and the accumulators": "Each accumulator is the start less the gradients so far, times the "
            "learning rate. Both know them.",
            "the gradients and the places of the zeros": "A zero is where the accumulator is below the threshold. Both have both.",
            "the gradients and the weights": "The weights are computed from the accumulator, on each by itself.",
        },
        explanation=(
            "Tried here with two copies, {steps} steps, and nothing shared but the mean of both gradients: {zeros} zeros "
            "each, largest difference of a weight {apart:g}."
        ),
        values=lambda: dict(
            zip(("zeros", "others", "apart"), sent_only_gradients(), strict=True), steps=STEPS
        ),
    ),
}


# ------------------------------------------------- exercises


def shared_gradient(gradients, sizes):
    """The solution that the learner may compare with."""
    return sum(n * g for n, g in zip(sizes, gradients, strict=True)) / sum(sizes)


def _of_all_examples(gradients, sizes):
    """By the examples themselves: as many copies of a process's mean as it has examples."""
    copies = [np.repeat([g], n, axis=0) for g, n in zip(gradients, sizes, strict=True)]
    return np.concatenate(copies).mean(axis=0)


_A, _B = np.array([1.0, -2.0]), np.array([3.0, 4.0])
EXERCISES = {
    **questions_adamw.EXERCISES,
    "shared_gradient": Exercise(
        title="one gradient for all processes",
        task=(
            "Each process has the mean gradient over its own share of a batch: `gradients[k]`, an array, over `sizes[k]` "
            "examples. Write `shared_gradient(gradients, sizes)`: the mean gradient over the whole batch."
        ),
        solution=shared_gradient,
        oracle=_of_all_examples,
        cases=(
            Case(([_A, _B], [16, 16]), np.array([2.0, 1.0]), "Equal shares: the mean of means."),
            Case(([_A], [7]), _A, "One process has the whole batch."),
            Case(([_A, _B], [24, 8]), why="24 examples count three times as much as 8."),
            Case(([_A, _B, -_A], [5, 2, 9]), why="Three processes, three sizes."),
            Case(([_A, _B], [9, 0]), why="A process may have no example at all."),
        ),
        hints=(
            "From each mean back to a sum: how many examples are in it?",
            "Add the sums, and divide once, by the number of all examples.",
            "`sum(n * g for n, g in zip(sizes, gradients)) / sum(sizes)`",
        ),
        done="DistributedDataParallel takes the plain mean of means: it is right when all shares are of one size.",
    ),
}

OBJECTIVES = {
    **questions_adamw.OBJECTIVES,
    "say what scores a network has that left hardly any loss": "scores",
    **questions_words.OBJECTIVES,
    "say what processes have to send one another": "sent",
    "say which gradient several processes have to share": "shared_gradient",
}
