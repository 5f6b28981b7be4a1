"""The live search's view: what it draws of probes of every kind, and how a search may end."""

import math

import numpy as np
import pytest

from grda_edu.training.search import Answer, Probe
from grda_edu.views.probes import SearchView, search_figure, search_row, search_sentence

SECONDS = 20  # patience; nothing here takes that long
LEAST, MOST = 1e-4, 0.1


def probe(c, accuracy, zeros=0.1, message=""):
    return Probe(
        c=c,
        mu=0.51,
        epochs=2,
        seeds=(0,),
        accuracies=(math.nan if message else accuracy,),
        difference=math.nan if message else accuracy - 0.8,
        standard_error=math.nan if message else 0.04,
        tolerance=0.1,
        zeros=zeros,
        message=message,
        device="cpu",
    )


PROBES = [
    probe(0.0, 0.8, zeros=0.0),
    probe(0.001, 0.81, zeros=0.1),
    probe(0.1, 0.0, zeros=0.0, message="diverged: the loss became nan in epoch 1, batch 2 of 9"),
    probe(0.01, 0.75, zeros=0.5),
    probe(0.03, 0.5, zeros=0.9),
]
ANSWER = Answer(0.01, "edge", "The greatest c is 0.01.", 10)


class Search:
    """What the view asks of a search."""

    def __init__(self, probes, answer=None):
        self.probes, self.answer, self.longest = probes, answer, 16
        self.epochs_spent = 2 * len(probes)


def test_each_kind_of_probe_is_drawn_in_its_own_way():
    row = search_row(PROBES, ANSWER)
    np.testing.assert_array_equal(row["comparable.x"], [0.001, 0.01])
    np.testing.assert_array_equal(row["comparable.y"], [0.81, 0.75])
    np.testing.assert_array_equal(row["not comparable.x"], [0.03])
    np.testing.assert_array_equal(row["diverged.x"], [0.1])
    np.testing.assert_array_equal(row["diverged.y"], [0.0])
    assert row["comparable.text"] == ["1", "3"] and row["diverged.text"] == ["2"]
    np.testing.assert_array_equal(row["comparable.error_y.array"], [0.04, 0.04])
    np.testing.assert_array_equal(row["zeros.y"], [0.1, 0.0, 0.5, 0.9])
    assert row["SGD.y"] == [0.8, 0.8]
    assert row["tolerance.y"] == pytest.approx([0.8, 0.8, 0.7, 0.7])
    assert row["choice.x"] == [0.01, 0.01]
    assert row["layout.title.text"] == "c = 0.01 is the greatest comparable c"


def test_every_key_of_a_row_is_a_place_in_the_figure():
    names = {trace.name for trace in search_figure(LEAST, MOST).data}
    keys = [key for key in search_row(PROBES, None) if not key.startswith("layout.")]
    assert {name for key in keys for name in names if key.startswith(f"{name}.")} == names


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "Nothing has been tried yet."),
        (1, "SGD reads 80.0% of the validation images after 2 epochs."),
        (2, "Probe 1, c = 0.001: 81.0% with 10.0% zeros, comparable."),
        (
            3,
            "Probe 2, c = 0.1: diverged: the loss became nan in epoch 1, batch 2 of 9, so it is not",
        ),
        (5, "Probe 4, c = 0.03: 50.0% with 90.0% zeros, not comparable"),
    ],
)
def test_the_sentence_says_the_last_probe(count, words):
    assert words in search_sentence(PROBES[:count], None)
    assert search_sentence(PROBES[:count], ANSWER).endswith(ANSWER.sentence)


def test_sgd_that_diverged_is_said_and_not_drawn():
    sgd = [probe(0.0, 0.0, message="diverged: the loss became inf in epoch 1, batch 1 of 9")]
    assert search_sentence(sgd, None).startswith("SGD diverged: the loss became inf")
    row = search_row(sgd, None)
    assert np.isnan(row["SGD.y"]).all() and "nan" not in row["layout.annotations[0].text"]


def test_the_view_draws_every_probe_and_says_the_answer():
    def job(progress, stop):
        for count in range(1, len(PROBES)):
            progress(Search(PROBES[:count]), count / 5)
        return Search(PROBES, ANSWER)

    view = SearchView(job, LEAST, MOST)
    assert view.answer is None and view.probes == [] and "Press Start" in view.line.said
    view.start()
    assert view.wait(SECONDS) is ANSWER is view.answer
    assert view.probes == PROBES
    said = max((search_sentence(PROBES[: k + 1], ANSWER) for k in range(len(PROBES))), key=len)
    assert len(view.picture.longest["sentence"][0]) >= len(said)
    assert "Finished: c = 0.01, 10 epochs of probing" in view.line.said
    assert "cpu" in view.line.said and view.line.tone == "success"
    view.close()


@pytest.mark.parametrize("ended", ["reference", "budget", "stopped"])
def test_an_end_without_a_whole_search_is_a_warning(ended):
    answer = Answer(None, ended, "Stopped: so far, no c was found.", 2)
    view = SearchView(lambda progress, stop: Search(PROBES[:1], answer), LEAST, MOST)
    view.start()
    assert view.wait(SECONDS) is answer
    assert view.line.tone == "warning" and view.line.fraction < 1
    how = "Stopped" if ended == "stopped" else "Ended early"
    assert f"{how}: no comparable c, 2 epochs of probing" in view.line.said
    assert search_row(PROBES[:1], answer)["layout.title.text"] == "No comparable c"
    view.close()
