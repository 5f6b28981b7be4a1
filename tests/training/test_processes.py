"""Several processes from Python: their lines, their end, and what stands in their way."""

import socket
import threading
import time

import joblib
import psutil
import pytest
import torch.distributed as dist

from grda_edu.training import processes
from grda_edu.training.processes import ProcessesError, cores, example, obstacle, torchrun

TALKS = """
import os, subprocess, sys, time
print("options", *sys.argv[2:], flush=True)
print("threads", os.environ["OMP_NUM_THREADS"], file=sys.stderr, flush=True)
"""
STAYS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
FAILS = "print('about to fail', flush=True); raise ValueError('seven')"


@pytest.fixture
def launcher(monkeypatch, tmp_path):
    """Start this program in the place of torchrun, on as many cores as it likes."""
    monkeypatch.setattr(processes, "cores", lambda: 2)

    def use(program):
        path = tmp_path / "launcher.py"
        path.write_text(program)
        monkeypatch.setattr(processes, "LAUNCHER", [str(path)])

    return use


def test_the_lines_come_and_errors_among_them(launcher, tmp_path):
    launcher(TALKS)
    lines = list(torchrun(tmp_path / "mine.py", ["--x=3"], port=None))
    assert lines == [f"options --standalone {tmp_path / 'mine.py'} --x=3", "threads 1"]


def test_a_port_of_ones_own(launcher, tmp_path):
    launcher(TALKS)
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    first, _ = torchrun(tmp_path / "mine.py", port=port)
    assert f"--rdzv-endpoint=localhost:{port}" in first and "standalone" not in first


@pytest.mark.parametrize("how", ["stop", "close"])
def test_whatever_ends_it_ends_all_of_its_processes(launcher, tmp_path, how):
    launcher(STAYS)
    stop = threading.Event()
    lines = torchrun(tmp_path / "mine.py", stop=stop)
    child = psutil.Process(int(next(lines)))
    if how == "stop":
        threading.Timer(0.2, stop.set).start()
        assert list(lines) == []
    else:
        lines.close()
    end = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_error_has_its_last_lines(launcher, tmp_path):
    launcher(FAILS)
    with pytest.raises(
        ProcessesError, match=r"(?s)ended with code 1:\nabout to fail.*ValueError: seven"
    ):
        list(torchrun(tmp_path / "mine.py"))


def test_where_no_process_can_be_started(launcher, tmp_path, monkeypatch):
    launcher(TALKS)

    def forbidden(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(processes.subprocess, "Popen", forbidden)
    with pytest.raises(
        ProcessesError, match=r"no process can be started here \(Operation not permitted\)"
    ):
        next(torchrun(tmp_path / "mine.py"))


def test_what_stands_in_the_way_is_named(monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 2)
    assert obstacle() == ""
    assert obstacle(3) == "this computer lends one program 2 of the 3 cores that it takes"
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert obstacle(port=port) == f"port {port} is in use by another program"
    monkeypatch.setattr(dist, "is_gloo_available", lambda: False)
    assert "without gloo" in obstacle()
    monkeypatch.setattr(dist, "is_available", lambda: False)
    assert "without torch.distributed" in obstacle()


def test_where_no_port_can_be_listened_to(monkeypatch):
    monkeypatch.setattr(processes, "cores", lambda: 2)

    def forbidden(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", forbidden)
    assert obstacle() == "no port of this computer can be listened to (Permission denied)"


def test_cores_are_those_that_joblib_finds():
    assert cores() == joblib.cpu_count() >= 1


def test_the_examples_are_found_and_others_named():
    assert "torchrun" in example("train_distributed.py").read_text("utf-8")
    with pytest.raises(FileNotFoundError, match=r"there is no .*none\.py or .*none\.py"):
        example("none.py")


def test_no_number_of_processes(tmp_path):
    with pytest.raises(ValueError, match="processes = 0: accepted is an integer >= 1"):
        next(torchrun(tmp_path / "mine.py", processes=0))
