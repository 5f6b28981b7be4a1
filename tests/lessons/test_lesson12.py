"""Lesson 12 against wrong answers."""

import numpy as np
import pytest
from course.checking import assert_exercise, assert_prediction

from grda_edu.lessons.lesson12 import EXERCISES, OBJECTIVES, PREDICTIONS, numbers


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=list(PREDICTIONS))
def test_predictions(prediction):
    assert_prediction(prediction)


def test_gradients_are_enough():
    zeros, others, apart = numbers.sent_only_gradients()
    assert zeros == others > 100 and apart == 0
    assert PREDICTIONS["sent"].right() == "the gradients"


def test_one_gradient_for_all_processes():
    def stub(gradients, sizes):
        return ...

    def mean_of_means(gradients, sizes):
        return np.mean(gradients, axis=0)

    def sum_of_means(gradients, sizes):
        return sum(gradients)

    def sum_of_all(gradients, sizes):
        return sum(n * g for n, g in zip(sizes, gradients, strict=True))

    def by_the_number_of_processes(gradients, sizes):
        return sum(n * g for n, g in zip(sizes, gradients, strict=True)) / len(sizes)

    def the_first(gradients, sizes):
        return gradients[0]

    def raising(gradients, sizes):
        return gradients @ sizes

    def by_numpy(gradients, sizes):
        return np.average(np.stack(gradients), axis=0, weights=sizes)

    def by_shares(gradients, sizes):
        shares = np.asarray(sizes) / np.sum(sizes)
        return shares @ np.stack(gradients)

    assert_exercise(
        EXERCISES["shared_gradient"],
        stub=stub,
        wrong=[mean_of_means, sum_of_means, sum_of_all, by_the_number_of_processes, the_first],
        raising=raising,
        right=[by_numpy, by_shares],
    )


def test_every_objective_has_its_check():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}
