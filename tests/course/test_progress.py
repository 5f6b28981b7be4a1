import json

import pytest

from grda_edu.course.progress import Progress, folder


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

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full)
    progress.commit("01.a", 2)
    assert progress.committed("01.a") == 2 and "No space" in progress.notice()
    assert json.loads(path.read_text())["predictions"] == {"01.a": 1}
    assert [file.name for file in path.parent.iterdir()] == ["progress.json"]


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
    monkeypatch.delenv("GRDA_EDU_HOME")
    assert folder().is_absolute() and folder().name == "grda-edu"
