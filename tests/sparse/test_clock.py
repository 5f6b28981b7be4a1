"""The clock over layers: what is called how often, what is compared, and what is refused."""

import numpy as np
import pytest
import torch

from grda_edu.sparse import clock
from grda_edu.sparse.clock import CSR, DENSE, REMOVED, layer_seconds, seconds_of, units_left


def test_the_median_of_readings_that_are_taken_in_turns(monkeypatch):
    """A clock of our own: a call takes what it says, and every third one a hundred times as long."""
    now, order = [0.0], []

    def call(name, seconds):
        def made():
            order.append(name)
            late = 100 if order.count(name) % 3 == 0 else 1
            now[0] += seconds * late

        return made

    monkeypatch.setattr(clock, "_now", lambda: now[0])
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    found = seconds_of({"a": call("a", 0.002), "b": call("b", 0.004)}, budget=10.0)
    assert found == pytest.approx({"a": 0.002, "b": 0.004})
    rounds = order[4:]  # after two calls of each
    assert rounds == ["a", "b"] * (len(rounds) // 2)


def test_short_calls_fill_a_millisecond(monkeypatch):
    now, calls = [0.0], [0]

    def call():
        calls[0] += 1
        now[0] += 1e-5

    monkeypatch.setattr(clock, "_now", lambda: now[0])
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    assert seconds_of({"a": call}, budget=0.0) == pytest.approx({"a": 1e-5})
    assert calls[0] == 2 + 3 * 100


def test_a_layer_is_timed_in_three_ways():
    threads = torch.get_num_threads()
    rows = list(layer_seconds(32, 4, [0.0, 0.75], budget=0.0))
    assert [share for share, _ in rows] == [0.0, 0.75]
    assert all(set(times) == {DENSE, CSR, REMOVED} for _, times in rows)
    assert all(seconds > 0 for _, times in rows for seconds in times.values())
    assert torch.get_num_threads() == threads


def test_what_is_compared_has_equally_many_weights():
    for zeros in (0.5, 0.75, 0.9, 0.99):
        assert units_left(1024, zeros) ** 2 == pytest.approx((1 - zeros) * 1024**2, rel=0.02)
    assert units_left(3, 0.99) == 1


def test_compressed_rows_are_the_matrix_and_say_nothing():
    w = torch.tensor(np.eye(3, 5, k=1), dtype=torch.float32)
    rows = clock.compressed_rows(w)
    assert rows.layout == torch.sparse_csr and torch.equal(rows.to_dense(), w)
    assert rows.values().numel() == 3


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((0, 1, [0.5]), "size = 0"),
        ((8, 1.5, [0.5]), "batch = 1.5"),
        ((8, 1, [0.5, 1.0]), r"zeros\[1\] = 1.0"),
        ((8, 1, [-0.1]), r"zeros\[0\] = -0.1"),
        ((8, 1, [float("nan")]), r"zeros\[0\] = nan"),
    ],
)
def test_what_cannot_be_timed_is_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        next(layer_seconds(*arguments))


def test_a_processor_has_a_name():
    assert clock.processor().strip()
