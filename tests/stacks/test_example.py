"""examples/train_distributed.py as a user starts it: on two processes, killed, and started again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

ROOT = Path(__file__).parents[2]
EPOCHS, STEPS, EVERY = 2, 80, 10  # 40 batches an epoch
WAYS = {"DDP": [], "FSDP2": ["--shard"]}


def start(folder, processes, *options):
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
    command += ["--standalone", "examples/train_distributed.py", f"--checkpoints={folder}"]
    command += [f"--epochs={EPOCHS}", f"--every={EVERY}", "--c=0.02", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, processes, *options):
    """Its lines."""
    process = start(folder, processes, *options)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return out.splitlines()


def kill_after_a_checkpoint(folder, *options):
    """Every process at once, as when a machine goes out, some steps after the second checkpoint."""
    process = start(folder, 2, *options)
    end = time.monotonic() + 240
    while not (folder / f"{2 * EVERY:08}").exists():
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.005)
    for worker in psutil.Process(process.pid).children(recursive=True):
        worker.kill()
    out, _ = process.communicate(timeout=60)
    assert process.returncode != 0 and "are zero" not in out  # it was in the middle
    assert not (folder / f"{STEPS:08}").exists()


def state(folder, tmp_path):
    """The last checkpoint as one file's content."""
    whole = tmp_path / "whole.pt"
    dcp_to_torch_save(folder / f"{STEPS:08}", whole)
    return torch.load(whole, weights_only=False)  # ours, of a moment ago


def assert_same(ours, theirs, place=""):
    assert type(ours) is type(theirs), place
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), place
        for key, value in ours.items():
            assert_same(value, theirs[key], f"{place}/{key}")
    elif isinstance(ours, torch.Tensor):
        assert torch.equal(ours, theirs), place
    else:
        assert ours == theirs, place


@pytest.fixture(scope="module", params=WAYS)
def whole(request, tmp_path_factory):
    """An uninterrupted training: its flag, its lines, its checkpoints."""
    options = WAYS[request.param]
    folder = tmp_path_factory.mktemp("whole") / "checkpoints"
    return options, run(folder, 2, *options), folder


@pytest.mark.stacks
def test_it_prints_zeros_by_layer_and_keeps_two_checkpoints(whole):
    _, lines, folder = whole
    assert lines[0] == "2 processes on cpu, from step 0"
    assert [line.partition(":")[0] for line in lines[1:3]] == ["epoch 1", "epoch 2"]
    layers = {line.split()[0]: line.split()[1] for line in lines[3:]}
    assert next(iter(layers)) == "conv1.weight" and len(layers) == 8
    assert sum(int(zeros.replace(",", "")) for zeros in layers.values()) > 2000
    assert sorted(path.name for path in folder.iterdir()) == ["00000070", "00000080"]


@pytest.mark.stacks
def test_killed_in_the_middle_it_goes_on_to_the_same_bits(whole, tmp_path):
    options, lines, folder = whole
    checkpoints = tmp_path / "checkpoints"
    kill_after_a_checkpoint(checkpoints, *options)
    (checkpoints / "00000075.part").mkdir()  # as if it had been killed while it wrote
    again = run(checkpoints, 2, *options)
    step = int(again[0].split()[-1])
    assert 2 * EVERY <= step < STEPS and step % EVERY == 0
    assert again[-9:] == lines[-9:]  # accuracy and zeros
    assert_same(state(checkpoints, tmp_path), state(folder, tmp_path))
    assert sorted(path.name for path in checkpoints.iterdir()) == ["00000070", "00000080"]


@pytest.mark.stacks
def test_it_goes_on_with_another_number_of_processes(whole, tmp_path):
    """And the other way of spreading: a checkpoint has whole tensors by name."""
    options, _, folder = whole
    other = [] if options else ["--shard"]
    checkpoints = tmp_path / "checkpoints"
    kill_after_a_checkpoint(checkpoints, *options)
    assert "1 process on cpu" in run(checkpoints, 1, *other)[0]
    ours, theirs = (state(path, tmp_path) for path in (checkpoints, folder))
    for name, weights in theirs["model"].items():
        torch.testing.assert_close(ours["model"][name], weights, rtol=0, atol=1e-4)
    for name, entry in theirs["optimizer"]["state"].items():
        mine = ours["optimizer"]["state"][name]
        assert (mine["step"], mine["threshold"]) == (entry["step"], entry["threshold"])
