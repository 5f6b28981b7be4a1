"""CIFAR-10's archive: fetched whole or not at all, read without unpacking, refused when damaged.

The archives here have the same format, and a few records that the test writes.
"""

import gzip
import hashlib
import http.server
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from grda_edu import cifar as module
from grda_edu.cifar import (
    CIFAR10,
    Archive,
    DamagedArchive,
    check_archive,
    cifar10,
    download_cifar10,
    read_cifar10,
)
from grda_edu.training.kept import kept_run

ROOT = Path(__file__).parents[1]
NAMES = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]


def records(count, seed):
    """uint8 [count, 3073]; the classes take turns, and each is bright in a place of its own."""
    draws = np.random.default_rng(seed)
    labels = (np.arange(count) + seed) % 10
    pixels = draws.integers(0, 120, (count, 3, 32, 32))
    for row, label in zip(pixels, labels, strict=True):
        row[label % 3, 3 * label : 3 * label + 3] += 120
    found = np.concatenate([labels[:, None], pixels.reshape(count, -1)], axis=1)
    return found.astype(np.uint8)


def contents(count=20):
    return {name: records(count, k).tobytes() for k, name in enumerate(NAMES)}


def packed(files, folder="cifar-10-batches-bin/"):
    """A gzipped tar file of these names and contents, as bytes."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


def written(path, content):
    path.write_bytes(content)
    return path


@pytest.fixture
def small(tmp_path):
    return written(tmp_path / "small.tar.gz", packed(contents()))


# ------------------------------------------------- reading


def test_records_are_read_as_they_were_written(small):
    data = read_cifar10(small)
    files = contents()
    wanted = np.concatenate([np.frombuffer(files[name], np.uint8) for name in NAMES[:5]])
    wanted = wanted.reshape(-1, 3073)
    assert data.x_train.dtype == torch.uint8 and data.x_train.shape == (100, 3, 32, 32)
    np.testing.assert_array_equal(data.y_train, wanted[:, 0])
    np.testing.assert_array_equal(data.x_train.reshape(100, -1), wanted[:, 1:])
    assert data.x_train[7, 1, 2, 3] == wanted[7, 1 + 1024 + 2 * 32 + 3]  # green, row 2, column 3
    assert data.x_test.shape == (20, 3, 32, 32) and len(data.y_val) == 0
    assert data.mean == pytest.approx(wanted[:, 1:].mean() / 255)
    assert data.std == pytest.approx(wanted[:, 1:].std() / 255)


def test_a_part_can_be_held_out(small):
    whole, data = read_cifar10(small), read_cifar10(small, validation=30)
    assert len(data.y_train) == 70 and np.bincount(data.y_val).tolist() == [3] * 10
    both = torch.cat([data.x_train, data.x_val]).flatten(1).tolist()
    assert sorted(both) == sorted(whole.x_train.flatten(1).tolist())


def test_what_else_is_in_it_is_left_alone(tmp_path):
    files = {"../../evil.bin": b"x", "batches.meta.txt": b"airplane\n", **contents()}
    path = written(tmp_path / "more.tar.gz", packed(files))
    assert len(read_cifar10(path).y_train) == 100
    assert [p.name for p in tmp_path.rglob("*")] == ["more.tar.gz"]  # nothing was unpacked


def changed(**files):
    return packed({**contents(), **files})


def linked():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    return content.getvalue()


def twice():
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in (*NAMES, "test_batch.bin"):
            member = tarfile.TarInfo(name)
            member.size = 3073
            archive.addfile(member, io.BytesIO(records(1, 0).tobytes()))
    return content.getvalue()


def flipped():
    """One byte in the middle of the compressed stream."""
    content = bytearray(packed(contents()))
    content[len(content) // 2] ^= 0xFF
    return bytes(content)


def boasting():
    """A header that says more than memory has."""
    member = tarfile.TarInfo("test_batch.bin")
    member.size = 8 * 10**9
    return gzip.compress(member.tobuf())


WRONG = records(3, 0)
WRONG[1, 0] = 10


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (packed(contents())[:-20_000], "no whole archive"),
        (packed(contents())[:100], "no whole archive"),
        (b"", "no whole archive"),
        (b"no archive at all", "no whole archive"),
        (flipped(), "no whole archive"),
        (changed(**{"data_batch_3.bin": b"x" * 3072}), "data_batch_3.bin has 3,072 bytes"),
        (changed(**{"data_batch_3.bin": b""}), "data_batch_3.bin has 0 bytes"),
        (changed(**{"test_batch.bin": b"x" * (3073 * 2 + 1)}), "test_batch.bin has 6,147 bytes"),
        (changed(**{"data_batch_2.bin": WRONG.tobytes()}), "the label 10 in record 1"),
        (packed({k: v for k, v in contents().items() if "4" not in k}), "no data_batch_4.bin"),
        (linked(), "test_batch.bin is no ordinary file"),
        (twice(), "test_batch.bin is in it twice"),
        (boasting(), "test_batch.bin has 8,000,000,000 bytes"),
    ],
)
def test_damage_is_named(tmp_path, content, says):
    with pytest.raises(DamagedArchive, match=says):
        read_cifar10(written(tmp_path / "bad.tar.gz", content))
    assert [p.name for p in tmp_path.iterdir()] == ["bad.tar.gz"]


def test_a_file_that_is_not_there_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_cifar10(tmp_path / "none.tar.gz")


def test_without_the_archive_nothing_is_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "download_cifar10", lambda *_: pytest.fail("fetched"))
    with pytest.raises(FileNotFoundError, match=r"download_cifar10\(\) fetches it, 170,052,171"):
        cifar10(tmp_path)


def test_another_file_in_its_place_is_refused(tmp_path):
    written(tmp_path / CIFAR10.name, packed(contents()))
    with pytest.raises(DamagedArchive, match="accepted are 170,052,171"):
        cifar10(tmp_path)


# ------------------------------------------------- fetching


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves the files of a folder on this machine: (folder, address)."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *_):
            pass

        def copyfile(self, source, outputfile):
            outputfile.write(source.read()[: getattr(self.server, "cut", None)])

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield folder, running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def offered(server):
    """A small archive on a server, and what is known of it."""
    folder, running = server
    content = packed(contents())
    written(folder / "small.tar.gz", content)
    url = f"http://127.0.0.1:{running.server_address[1]}/small.tar.gz"
    return Archive(url, len(content), hashlib.sha256(content).hexdigest()), running


def test_it_is_fetched_once_and_size_and_checksum_are_said_first(tmp_path, offered):
    archive, running = offered
    said = []
    path = download_cifar10(tmp_path / "here", archive=archive, say=said.append)
    check_archive(path, archive)
    assert f"{archive.bytes:,} bytes" in said[0] and archive.sha256 in said[0]
    assert [p.name for p in path.parent.iterdir()] == ["small.tar.gz"]
    running.shutdown()  # the second time nobody is asked
    assert download_cifar10(tmp_path / "here", archive=archive, say=said.append) == path
    assert "here already" in said[-1]


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"sha256": "0" * 64}, "SHA-256"),
        ({"bytes": 12}, "accepted are 12"),
    ],
)
def test_another_file_than_the_known_one_leaves_nothing(tmp_path, offered, known, says):
    archive = replace(offered[0], **known)
    with pytest.raises(DamagedArchive, match=says):
        download_cifar10(tmp_path / "here", archive=archive, say=list().append)
    assert not list((tmp_path / "here").iterdir())


def test_a_connection_that_breaks_leaves_nothing(tmp_path, offered):
    archive, running = offered
    running.cut = archive.bytes // 2
    with pytest.raises((DamagedArchive, ConnectionError), match=r"small\.tar\.gz"):
        download_cifar10(tmp_path / "here", archive=archive, say=list().append)
    assert not list((tmp_path / "here").iterdir())


def test_nobody_there_is_said(tmp_path, offered):
    missing = replace(offered[0], url=offered[0].url.replace("small", "other"))
    with pytest.raises(ConnectionError, match=r"cannot be fetched.*404"):
        download_cifar10(tmp_path / "here", archive=missing, say=list().append)
    assert not list((tmp_path / "here").iterdir())


def test_an_interrupt_leaves_nothing(tmp_path, offered):
    def say(line):
        if "of" in line and "bytes" in line and "Fetching" not in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_cifar10(tmp_path / "here", archive=offered[0], say=say)
    assert not list((tmp_path / "here").iterdir())


def test_a_damaged_file_in_its_place_is_not_taken_for_it(tmp_path, offered):
    archive, _ = offered
    written(tmp_path / "small.tar.gz", b"x" * archive.bytes)
    with pytest.raises(DamagedArchive, match="Remove it"):
        download_cifar10(tmp_path, archive=archive, say=list().append)


# ------------------------------------------------- the example


def start(small, folder, *more):
    command = [sys.executable, "examples/train_resnet20_cifar10.py", f"--archive={small}"]
    command += [f"--folder={folder}", "--device=cpu", "--epochs=2", "--batch-size=10"]
    command += ["--every=3", "--c=0.05", *more]
    env = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process, status=0):
    out, err = process.communicate(timeout=240)
    assert process.returncode == status, err
    return out + err


def test_killed_in_the_middle_it_ends_with_the_same_weights(small, tmp_path):
    without = ended(start(small, tmp_path / "whole"))
    assert "epoch 2/2" in without and "zero" in without

    killed = start(small, tmp_path / "killed")
    for _ in range(1200):  # until it was kept inside the first epoch, not at its end
        steps = [int(p.name[:10]) for p in (tmp_path / "killed").glob("*.run.npz")]
        if any(step % 10 for step in steps):
            break
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = kept_run(tmp_path / "killed").checkpoint
    assert (before.epoch, before.batch) < (2, 0) and before.batch % 10

    ended(start(small, tmp_path / "killed"))
    ours, theirs = (kept_run(tmp_path / name).checkpoint for name in ("whole", "killed"))
    assert ours.model.keys() == theirs.model.keys()
    for name, tensor in ours.model.items():
        assert torch.equal(tensor, theirs.model[name]), name
    sparse = [(tmp_path / name / "resnet20.grda").read_bytes() for name in ("whole", "killed")]
    assert sparse[0] == sparse[1]


def test_an_interrupt_keeps_the_work(small, tmp_path):
    process = start(small, tmp_path / "kept", "--epochs=200")
    process.stdout.readline()
    line = process.stdout.readline()  # the network before training: the loop runs
    assert line.startswith("epoch 0/200")
    process.send_signal(signal.SIGINT)
    said = ended(process, status=130)
    assert "The same command goes on" in said and "Traceback" not in said
    assert kept_run(tmp_path / "kept").message.startswith("stopped in epoch")


def test_what_it_says_of_a_damaged_archive(tmp_path):
    bad = written(tmp_path / "bad.tar.gz", packed(contents())[:-20_000])
    said = ended(start(bad, tmp_path / "none"), status=1)
    assert said.startswith("DamagedArchive: bad.tar.gz") and "Traceback" not in said
    assert not (tmp_path / "none").exists()
