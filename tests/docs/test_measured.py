"""What `python -m tools.pages.measured` writes of what a benchmark prints."""

import pytest

from tools.pages import measured

STEP = """One optimizer step; ratio = GRDA / other
parameters                    other                ratio  bar             GRDA       other
10 M in one tensor            SGD with momentum     0.91  <= 1.0     20.972 ms   34.272 ms
400 of 128 numbers, tuning    SGD                  12.97  <= 1.05     8.608 ms 1119.053 ms
"""
AROUND = """One step of DualAveraging
10 M in one tensor    AdamW           1.08  bar: 1.35   280.302 ms alone
10 M in one tensor    AdamW, fused    2.01               29.839 ms alone
"""


def test_ratios_and_bars_are_taken_and_no_milliseconds() -> None:
    assert measured.table(STEP)[2:] == [
        "| 10 M in one tensor | SGD with momentum | 0.91 | 1.0 |",
        "| 400 of 128 numbers, tuning | SGD | 12.97 | 1.05 |",
    ]
    assert measured.table(AROUND)[2:] == [
        "| 10 M in one tensor | AdamW | 1.08 | 1.35 |",
        "| 10 M in one tensor | AdamW, fused | 2.01 |  |",
    ]


def test_an_output_without_ratios_is_refused() -> None:
    with pytest.raises(ValueError, match="no ratio was printed"):
        measured.table("CUDA is not available")


def test_the_page_says_where_and_when() -> None:
    text = measured.written("two cores. torch 2", {"step": STEP}, "2026-01-31")
    assert text.startswith(
        "Measured on 2026-01-31 in one run. Two cores. torch 2\n\n**One optimizer"
    )
    assert "(`benchmarks/bench_step.py`)\n\n| parameters |" in text


def test_the_machine_is_said_in_words() -> None:
    assert " core" in measured.machine() and "torch" in measured.machine()


def test_what_ships_was_written_by_it() -> None:
    text = measured.PAGE.read_text("utf-8")
    assert text.startswith("Measured on 20") and text.count("| parameters | compared with |") == 2
    for name in measured.OPTIMIZER:
        assert f"benchmarks/bench_{name}.py" in text
