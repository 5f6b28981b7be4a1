"""The lesson's two processes, really run: equal to each other and to one, within the time and the memory."""

import threading
import time

import psutil
import pytest

from grda_edu.studies.two_processes import WAYS, TwoProcesses, agreement, in_one_process, in_several

MEMORY_MB = 900  # of torchrun and its processes; the lesson's kernel and the server have 550


def memory_of_children() -> float:
    """MB, pages that several share counted once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            full = process.memory_full_info()
            total += getattr(full, "pss", full.uss)
        except psutil.Error:
            continue
    return total / 1e6


@pytest.mark.stacks
@pytest.mark.parametrize("way", WAYS)
def test_two_processes_end_where_one_does(way):
    most, done = [0.0], threading.Event()

    def watch():
        while not done.wait(0.2):
            most[0] = max(most[0], memory_of_children())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    try:
        states = in_several(TwoProcesses(), way)
    finally:
        done.set()
        watcher.join()
    print(f"{way}: {time.perf_counter() - begin:.1f} s, {most[0]:.0f} MB")
    found = agreement(states, in_one_process(TwoProcesses()))
    assert found.apart == 0 and found.from_one <= 1e-6
    assert found.moved == 0 and found.thresholds and found.zeros.sum() > 6000
    assert most[0] <= MEMORY_MB
