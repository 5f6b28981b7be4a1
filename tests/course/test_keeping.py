import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grda_edu import files
from grda_edu.course.keeping import Progress, folder

posix = pytest.mark.skipif(
    sys.platform == "win32", reason="flock, links and modes as POSIX has them"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "progress.json"


def test_what_was_done_is_found_by_another_kernel(path):
    Progress(path).commit("01.a", "2 of them")
    Progress(path).commit("01.b", 0.5)
    Progress(path).solve("01.c")
    other = Progress(path)
    assert (other.committed("01.a"), other.committed("01.b")) == ("2 of them", 0.5)
    assert other.solved("01.c") and not other.solved("01.a")
    assert other.notice() == ""


def test_two_open_kernels_do_not_undo_each_other(path):
    one, other = Progress(path), Progress(path)
    assert one.committed("01.a") is other.committed("01.a") is None
    one.commit("01.a", 1)
    other.solve("01.b")
    assert one.solved("01.b") and other.committed("01.a") == 1


SAVES = """
import sys
from pathlib import Path
from grda_edu.course.keeping import Progress
progress = Progress(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for k in range(40):
    progress.commit(f"{sys.argv[2]}.{k}", k)
    progress.solve(f"{sys.argv[2]}.{k}")
"""


def test_two_kernels_that_save_at_the_same_time_keep_everything(path):
    kernels = [
        subprocess.Popen(
            [sys.executable, "-c", SAVES, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.stdin.write("go\n")
        kernel.stdin.flush()
    for kernel in kernels:
        kernel.communicate()
        assert kernel.returncode == 0
    kept = json.loads(path.read_text())
    names = {f"{name}.{k}" for name in ("one", "other") for k in range(40)}
    assert set(kept["predictions"]) == set(kept["exercises"]) == names


@posix
def test_where_the_system_has_no_locks_progress_is_kept_all_the_same(path, monkeypatch):
    def no_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    Progress(path).commit("01.a", 1)
    assert Progress(path).committed("01.a") == 1


def test_a_file_that_another_program_has_open_is_waited_for(path, monkeypatch):
    """Windows refuses to replace such a file; elsewhere the refusal is final and told at once."""
    move, refusals = os.replace, [1, 2, 3]

    def busy(*paths):
        if refusals:
            raise PermissionError(13, f"used by another process ({refusals.pop()})")
        move(*paths)

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(files, "OPEN_FILES_STAY", True)
    progress = Progress(path)
    progress.commit("01.a", 1)
    assert progress.notice() == "" and Progress(path).committed("01.a") == 1
    refusals.append(4)
    monkeypatch.setattr(files, "OPEN_FILES_STAY", False)
    progress.commit("01.a", 2)
    assert "used by another process (4)" in progress.notice()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_damage(path, encoding):
    """Editors on Windows put it there."""
    path.parent.mkdir()
    path.write_text('{"predictions": {"01.a": "größer"}}', encoding=encoding)
    progress = Progress(path)
    assert progress.committed("01.a") == "größer" and progress.notice() == ""


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(path, tmp_path, there):
    kept = tmp_path / "synchronised" / "mine.json"
    path.parent.mkdir()
    path.symlink_to(kept)
    if there:
        kept.parent.mkdir()
        kept.write_text("{}")
    Progress(path).commit("01.a", 1)
    assert path.is_symlink() and json.loads(kept.read_text())["predictions"] == {"01.a": 1}
    kept.write_text("{")
    Progress(path).commit("01.a", 2)
    assert path.is_symlink() and json.loads(kept.read_text())["predictions"] == {"01.a": 2}
    assert (kept.parent / "progress-damaged.json").read_text() == "{"


@posix
def test_a_file_keeps_its_permissions(path):
    Progress(path).commit("01.a", 1)
    path.chmod(0o640)
    Progress(path).commit("01.a", 2)
    assert path.stat().st_mode & 0o777 == 0o640


def test_forget_and_reset(path):
    progress = Progress(path)
    progress.commit("01.a", 1)
    progress.commit("01.b", 2)
    progress.solve("01.c")
    progress.forget("01.a")
    progress.forget("01.unknown")
    assert (progress.committed("01.a"), progress.committed("01.b")) == (None, 2)
    progress.reset()
    assert progress.committed("01.b") is None and not Progress(path).solved("01.c")


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[1]",
        b'{"predictions": [1]}',
        b'{"predictions": {"01.a": [1]}}',
        b'{"exercises": 3}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_kept_aside_and_said_once(path, damage):
    path.parent.mkdir()
    path.write_bytes(damage)
    progress = Progress(path)
    assert progress.committed("01.a") is None
    assert "damaged" in progress.notice() and progress.notice() == ""
    assert (path.parent / "progress-damaged.json").read_bytes() == damage
    progress.commit("01.a", "x")
    assert Progress(path).committed("01.a") == "x"


def test_where_nothing_can_be_written_it_goes_on_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    progress = Progress(tmp_path / "file" / "progress.json")
    progress.commit("01.a", "x")
    progress.solve("01.c")
    assert progress.committed("01.a") == "x" and progress.solved("01.c")
    assert str(tmp_path / "file") in progress.notice() and progress.notice() == ""
    progress.reset()
    assert progress.committed("01.a") is None


def test_a_failed_write_leaves_the_old_file_and_no_other(path, monkeypatch):
    progress = Progress(path)
    progress.commit("01.a", 1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    progress.commit("01.a", 2)
    assert progress.committed("01.a") == 2 and "No space" in progress.notice()
    assert json.loads(path.read_text())["predictions"] == {"01.a": 1}
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "progress.json",
        "progress.json.lock",
    ]


def test_watchers_hear_of_every_change_until_they_leave(path):
    progress, heard = Progress(path), []
    leave = progress.watch(lambda: heard.append(progress.committed("01.a")))
    progress.commit("01.a", 1)
    progress.forget("01.a")
    leave()
    leave()
    progress.commit("01.a", 3)
    assert heard == [1, None]


def test_the_folder_is_the_users_unless_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("GRDA_EDU_HOME", str(tmp_path))
    assert folder() == tmp_path
    monkeypatch.setenv("GRDA_EDU_HOME", os.path.join("~", "grda"))
    assert folder() == Path.home() / "grda"
    monkeypatch.delenv("GRDA_EDU_HOME")
    assert folder().is_absolute() and folder().name == "grda-edu"
