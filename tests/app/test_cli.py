"""The command: lessons reach the learner's folder without harm, and every refusal says what to do."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from grda_edu.app import cli, delivery, doctor


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """One lesson as the package has it."""
    path = tmp_path / "package" / "01_soft.ipynb"
    path.parent.mkdir()
    path.write_text("edition 1")
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "learner" / "course"


def texts(place: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in place.glob("*.ipynb")}


def test_a_folder_is_made_and_filled(source: Path, place: Path) -> None:
    assert delivery.deliver([source], place) == [delivery.Delivery("01_soft.ipynb", written=True)]
    assert delivery.deliver([source], place) == [delivery.Delivery("01_soft.ipynb", written=False)]
    assert texts(place) == {"01_soft.ipynb": "edition 1"}


def test_an_unchanged_notebook_is_brought_up_to_date(source: Path, place: Path) -> None:
    delivery.deliver([source], place)
    source.write_text("edition 2")
    assert delivery.deliver([source], place) == [delivery.Delivery("01_soft.ipynb", written=True)]
    assert texts(place) == {"01_soft.ipynb": "edition 2"}


def test_a_changed_notebook_is_never_overwritten(source: Path, place: Path) -> None:
    delivery.deliver([source], place)
    (place / "01_soft.ipynb").write_text("mine")
    delivery.deliver([source], place)
    assert texts(place) == {"01_soft.ipynb": "mine"}  # nothing new: nothing beside it

    source.write_text("edition 2")
    (made,) = delivery.deliver([source], place)
    assert made == delivery.Delivery("01_soft.new.ipynb", written=True, kept="01_soft.ipynb")
    both = {"01_soft.ipynb": "mine", "01_soft.new.ipynb": "edition 2"}
    assert texts(place) == both
    delivery.deliver([source], place)
    assert texts(place) == both  # once

    (place / "01_soft.new.ipynb").write_text("mine too")
    source.write_text("edition 3")
    delivery.deliver([source], place)
    assert texts(place) == {
        "01_soft.ipynb": "mine",
        "01_soft.new.ipynb": "mine too",
        "01_soft.new2.ipynb": "edition 3",
    }
    source.write_text("edition 4")
    delivery.deliver([source], place)
    assert texts(place)["01_soft.new2.ipynb"] == "edition 4"  # untouched by the learner
    assert len(texts(place)) == 3


def test_only_opening_a_notebook_changes_nothing_and_running_it_does(
    source: Path, place: Path
) -> None:
    """JupyterLab writes metadata into a notebook that was opened; outputs are the learner's."""
    lesson = json.loads(delivery.lessons()[0].read_bytes())
    source.write_text(json.dumps(lesson))
    delivery.deliver([source], place)
    opened = json.loads((place / source.name).read_text())
    opened["metadata"]["language_info"]["version"] = "3.11.7"
    (place / source.name).write_text(json.dumps(opened, indent=2))
    lesson["cells"][0]["source"] = ["edition 2"]
    source.write_text(json.dumps(lesson))
    assert delivery.deliver([source], place) == [delivery.Delivery(source.name, written=True)]
    assert (place / source.name).read_bytes() == source.read_bytes()

    code = next(cell for cell in lesson["cells"] if cell["cell_type"] == "code")
    ran = json.loads(source.read_text())
    next(cell for cell in ran["cells"] if cell["cell_type"] == "code")["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["mine"]}
    ]
    (place / source.name).write_text(json.dumps(ran))
    code["source"] = ["edition 3"]
    source.write_text(json.dumps(lesson))
    (made,) = delivery.deliver([source], place)
    assert made.kept == source.name
    assert "mine" in (place / source.name).read_text()


def test_a_byte_order_mark_in_the_record_is_no_damage(source: Path, place: Path) -> None:
    delivery.deliver([source], place)
    text = (place / delivery.SHIPPED).read_text("utf-8")
    (place / delivery.SHIPPED).write_text(text, encoding="utf-8-sig")
    source.write_text("edition 2")
    delivery.deliver([source], place)
    assert texts(place) == {"01_soft.ipynb": "edition 2"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_linked_notebook_is_followed(source: Path, place: Path, tmp_path: Path) -> None:
    delivery.deliver([source], place)
    mine = tmp_path / "mine.ipynb"
    (place / source.name).rename(mine)
    (place / source.name).symlink_to(mine)
    source.write_text("edition 2")
    delivery.deliver([source], place)
    assert (place / source.name).is_symlink() and mine.read_text() == "edition 2"


def test_a_folder_holds_nothing_but_lessons_and_the_record(source: Path, place: Path) -> None:
    delivery.deliver([source], place)
    assert {path.name for path in place.iterdir()} == {source.name, delivery.SHIPPED}


@pytest.mark.parametrize("record", [None, "{broken", "[1, 2]"])
def test_without_the_record_every_difference_counts_as_a_change(
    source: Path, place: Path, record: str | None
) -> None:
    delivery.deliver([source], place)
    (place / delivery.SHIPPED).unlink()
    if record is not None:
        (place / delivery.SHIPPED).write_text(record)
    source.write_text("edition 2")
    delivery.deliver([source], place)
    assert texts(place) == {"01_soft.ipynb": "edition 1", "01_soft.new.ipynb": "edition 2"}
    assert json.loads((place / delivery.SHIPPED).read_text())  # and it is whole again


def test_a_notebook_that_was_there_before_the_course_is_kept(source: Path, place: Path) -> None:
    place.mkdir(parents=True)
    (place / "01_soft.ipynb").write_text("mine")
    delivery.deliver([source], place)
    assert texts(place) == {"01_soft.ipynb": "mine", "01_soft.new.ipynb": "edition 1"}


def test_lab_says_what_it_wrote_and_what_it_left_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["lab", str(place), "--no-start"]) == 0
    assert delivery.FIRST_LESSON in capsys.readouterr().out
    (place / delivery.FIRST_LESSON).write_text("mine")
    (place / delivery.SHIPPED).unlink()
    assert cli.main(["lab", str(place), "--no-start"]) == 0
    said = capsys.readouterr().out
    assert f"{delivery.FIRST_LESSON} has your changes and was left alone" in said
    assert (place / delivery.FIRST_LESSON).read_text() == "mine"


def test_the_lessons_start_at_00() -> None:
    names = [path.name for path in delivery.lessons()]
    assert names[0] == delivery.FIRST_LESSON
    assert names == sorted(names)


def test_a_folder_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert cli.main(["lab", str(tmp_path / "file"), "--no-start"]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said
    assert "Give a folder of yours: grda-edu lab" in said

    def refuse(path: str, other: str) -> None:
        raise PermissionError(13, "Permission denied", path, None, other)

    monkeypatch.setattr(os, "replace", refuse)
    assert cli.main(["lab", str(tmp_path / "read-only"), "--no-start"]) == 1
    assert "(Permission denied). Give a folder of yours" in capsys.readouterr().err


def test_a_port_in_use_says_what_to_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["lab", str(place), "--no-browser", "--port", str(port)]) == 1
    said = capsys.readouterr().err
    assert f"port {port} cannot be used" in said
    assert "Leave --port out" in said


@pytest.mark.parametrize("port", ["0", "-1", "70000"])
def test_a_port_that_is_none(place: Path, port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lab", str(place), "--no-browser", "--port", port]) == 1
    assert "between 1 and 65535" in capsys.readouterr().err


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether JupyterLab was asked to open a browser, in place of starting it."""
    asked: list[bool] = []

    def start(place: Path, port: int | None, open_browser: bool) -> int:
        asked.append(open_browser)
        return 0

    monkeypatch.setattr(cli, "_start_jupyterlab", start)
    return asked


def test_no_browser_says_what_to_do(
    place: Path,
    started: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def none() -> None:
        raise cli.webbrowser.Error("could not locate runnable browser")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cli.webbrowser, "get", lambda: object())
    cli.main(["lab", str(place)])
    assert "No browser" not in capsys.readouterr().out

    monkeypatch.setattr(cli.webbrowser, "get", none)
    cli.main(["lab", str(place)])
    assert "No browser was found here: copy the address" in capsys.readouterr().out
    cli.main(["lab", str(place), "--no-browser"])
    assert "No browser" not in capsys.readouterr().out
    assert started == [True, False, False]


def test_a_text_browser_without_a_screen_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cli.sys, "platform", "linux")
    monkeypatch.setattr(cli.webbrowser, "get", lambda: object())
    assert not cli._has_browser()
    monkeypatch.setenv("BROWSER", "something")
    assert cli._has_browser()


def test_lab_serves_lesson_00_on_this_machine_with_a_token(tmp_path: Path) -> None:
    """The real thing: JupyterLab starts, lands on lesson 00, asks for its token and for no news.

    All this in a folder whose name the terminal cannot print.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        name: str(tmp_path / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")
    }
    course = tmp_path / "курс"
    command = [sys.executable, "-c", "from grda_edu.app.cli import main; main()", "lab"]
    command += [str(course), "--no-browser", "--port", str(port)]
    log = tmp_path / "log"
    environment = {**os.environ, **own, "PYTHONIOENCODING": "cp1252"}
    with open(log, "w") as output:
        lab = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        address = _patiently(lambda: _printed_address(log), lab, log)
        assert address.startswith(
            f"http://127.0.0.1:{port}/lab/tree/{delivery.FIRST_LESSON}?token="
        )
        page = _patiently(lambda: _answer(address), lab, log)
        assert (
            "@jupyterlab/apputils-extension:announcements" in page
        )  # among the disabled extensions
        notebooks = "lab/api/settings/@jupyterlab/notebook-extension:tracker"
        settings = _answer(f"http://127.0.0.1:{port}/{notebooks}?{address.partition('?')[2]}")
        schema = json.loads(settings)["schema"]["properties"]["windowingMode"]
        assert schema["default"] == "none"  # or pages jump while cells are guessed at
        assert schema["default"] in [choice["const"] for choice in schema["oneOf"]]
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents", timeout=BUSY)
        refused.value.close()
    finally:
        lab.terminate()
        try:
            lab.wait(BUSY)
        except subprocess.TimeoutExpired:
            lab.kill()
            lab.wait()
    assert (course / delivery.FIRST_LESSON).exists()


BUSY = 120  # seconds that a busy machine may take


def _patiently(ask: Callable[[], str], lab: subprocess.Popen, log: Path) -> str:
    """The first answer that is not empty, while JupyterLab lives."""
    end = time.monotonic() + BUSY
    while time.monotonic() < end and lab.poll() is None:
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise AssertionError(log.read_text("cp1252"))


def _printed_address(log: Path) -> str:
    """The address on a whole line of the log: the last line may still be on its way."""
    whole, _, _ = log.read_text("cp1252").rpartition("\n")
    words = (word for word in whole.split() if word.startswith("http://") and "token=" in word)
    return next(words, "")


def _answer(address: str) -> str:
    """What is served there; empty while nobody listens, which JupyterLab does only after printing."""
    try:
        with urllib.request.urlopen(address, timeout=BUSY) as page:
            return page.read().decode()
    except urllib.error.HTTPError:
        raise
    except OSError:
        return ""


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_names_that_the_terminal_cannot_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    said = io.BytesIO()
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(said, encoding, write_through=True))
    monkeypatch.setenv("GRDA_EDU_HOME", str(tmp_path / "дом"))
    assert cli.main(["lab", str(tmp_path / "курс"), "--no-start"]) == 0
    (tmp_path / "файл").write_text("in the way")
    assert cli.main(["lab", str(tmp_path / "файл"), "--no-start"]) == 1
    cli.main(["doctor"])
    assert cli.main(["record", "запись"]) == 1
    with pytest.raises(SystemExit):
        cli.main(["запись"])
    for name in ("курс", "файл", "дом", "запись"):
        assert name.encode("ascii", "backslashreplace") in said.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name themselves")
def test_a_name_that_is_no_text_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """POSIX names are bytes: some are no UTF-8, and no encoding prints them."""
    said = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    monkeypatch.setattr(sys, "stdout", said)
    assert cli.main(["lab", str(tmp_path / "kurs\udce4"), "--no-start"]) == 0
    assert b"kurs\\udce4" in said.buffer.getvalue()  # type: ignore[attr-defined]


def test_record_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["record", "nothing"]) == 1
    said = capsys.readouterr().err
    assert "'nothing'" in said and "digits_grid" in said


def findings(check: object) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in check()}  # type: ignore[operator]


def test_doctor_reports_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.main()
    said = capsys.readouterr().out
    for part in (
        "python",
        "torch",
        "jupyterlab",
        "device",
        "threads",
        "cores",
        "memory",
        "data folder",
        "lessons",
    ):
        assert f"\n! {part} " in "\n" + said or f"\n  {part} " in "\n" + said


def test_doctor_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it now raises ImportError
    device = findings(doctor.check_device)["device"]
    assert "cannot be imported" in device.value
    assert device.advice == "pip install --force-reinstall torch"


@pytest.mark.parametrize(
    "error", [ImportError("no DLL"), OSError("no DLL"), ValueError("no DLL"), AttributeError()]
)
def test_doctor_imports_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A damaged package, or one that does not fit another, has a version all the same."""
    load = doctor.import_module

    def damaged(name: str) -> object:
        if name == "sklearn.datasets":
            raise error
        return load(name)

    assert not findings(doctor.check_versions)["scikit-learn"].advice
    monkeypatch.setattr(doctor, "import_module", damaged)
    found = findings(doctor.check_versions)
    assert found["scikit-learn"].advice == "pip install --force-reinstall scikit-learn"
    assert f"({str(error) or 'AttributeError'})" in found["scikit-learn"].value
    assert not found["numpy"].advice


def test_doctor_looks_at_everything_that_the_course_needs(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", line)[0] for line in project["dependencies"]}
    assert set(doctor.PACKAGES) == needed


def test_doctor_knows_every_extra_that_brings_data(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    for package, (_, extra) in doctor.EXTRAS.items():
        assert any(line.startswith(package) for line in project["optional-dependencies"][extra])

    def lacks(name: str) -> str:
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", lacks)
    found = findings(doctor.check_extras)["pooch"]
    assert found.value == 'not installed; pip install "grda-edu[cifar]" adds it'
    assert not found.advice  # nothing is wrong

    monkeypatch.setattr(doctor, "version", lambda name: "1.0")
    monkeypatch.setattr(doctor, "_load", lambda name: (None, "damaged"))
    found = findings(doctor.check_extras)["pooch"]
    assert found.advice == "pip install --force-reinstall pooch" and "damaged" in found.value


def test_a_check_that_fails_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check_the_weather():
        yield doctor.Finding("sun", "shines")
        raise RuntimeError("clouds")

    monkeypatch.setattr(doctor, "CHECKS", (check_the_weather,))
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert "shines" in said and "! the weather    cannot be checked (clouds)" in said


def test_doctor_sees_a_home_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("GRDA_EDU_HOME", str(home / "share" / "grda-edu"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(home / "runtime"))
    assert not findings(doctor.check_data_folder)["data folder"].advice
    assert not findings(doctor.check_jupyter)["jupyter folder"].advice
    assert not home.exists()  # looked at, and nothing made
    home.write_text("in the way")
    for check, name in (
        (doctor.check_data_folder, "data folder"),
        (doctor.check_jupyter, "jupyter folder"),
    ):
        assert (
            f"make {home} a folder that you can write (Not a directory)"
            in findings(check)[name].advice
        )


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_doctor_sees_a_link_to_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, disk = tmp_path / "link", tmp_path / "disk"
    link.symlink_to(disk)
    monkeypatch.setenv("GRDA_EDU_HOME", str(link / "grda-edu"))
    advice = findings(doctor.check_data_folder)["data folder"].advice
    assert advice.startswith(f"{link} is a link to {disk}, which is not there")
    disk.mkdir()
    assert not findings(doctor.check_data_folder)["data folder"].advice


def test_doctor_sees_progress_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRDA_EDU_HOME", str(tmp_path))
    (tmp_path / "progress.json").mkdir()
    assert "Progress cannot be kept" in findings(doctor.check_data_folder)["data folder"].advice


@pytest.fixture
def kernelspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a kernel python3 that is found before all others."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    path = tmp_path / "kernels" / "python3" / "kernel.json"
    path.parent.mkdir(parents=True)
    return path


def write_kernel(path: Path, *python: str, **more: object) -> None:
    argv = [*python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    path.write_text(
        json.dumps({"argv": argv, "display_name": "Python 3", "language": "python", **more})
    )


def test_doctor_takes_this_python_under_each_of_its_names(kernelspec: Path, root: Path) -> None:
    course = {"PYTHONPATH": str(root)}
    for python in (sys.executable, "python", "python3"):
        write_kernel(kernelspec, python, env=course)
        assert findings(doctor.check_jupyter)["kernel"].advice == ""


@pytest.mark.parametrize(
    ("python", "words"),
    [
        (["/nowhere/python"], "which does not start ([Errno 2]"),
        ([sys.executable, "--no-such-option"], "which does not start ("),
        ([sys.executable, "-c", "print('/elsewhere')"], "another Python, in /elsewhere"),
    ],
)
def test_doctor_sees_a_kernel_of_another_python(
    kernelspec: Path, monkeypatch: pytest.MonkeyPatch, python: list[str], words: str
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    write_kernel(kernelspec, *python)
    found = findings(doctor.check_jupyter)["kernel"]
    assert words in found.value
    assert found.advice.startswith(f"rename the folder {kernelspec.parent}")


def test_doctor_sees_a_kernel_that_lacks_the_course(kernelspec: Path, tmp_path: Path) -> None:
    (tmp_path / "grda_edu.py").write_text("raise ImportError('not here')")
    write_kernel(kernelspec, sys.executable, env={"PYTHONPATH": str(tmp_path)})
    found = findings(doctor.check_jupyter)["kernel"]
    assert "which cannot import the course (ImportError: not here)" in found.value and found.advice


def test_doctor_sees_a_damaged_kernel(kernelspec: Path) -> None:
    kernelspec.write_text("{")
    assert "-m ipykernel install" in findings(doctor.check_jupyter)["kernel"].advice


def test_doctor_sees_too_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert not findings(doctor.check_cores)["cores"].advice
    monkeypatch.setenv("OMP_NUM_THREADS", "9999")
    assert "OMP_NUM_THREADS=1" in findings(doctor.check_cores)["cores"].advice


def test_doctor_sees_a_damaged_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from grda_edu import recordings

    (name, *_) = recordings.manifest()
    assert not findings(doctor.check_recordings)[name].advice
    read = recordings.read
    entry = recordings.manifest()[name]
    (tmp_path / entry["file"]).write_bytes(b"not a recording")
    (tmp_path / recordings.MANIFEST).write_text(json.dumps({name: entry}))
    monkeypatch.setattr(recordings, "read", lambda name: read(name, tmp_path))
    assert f"grda-edu record {name}" in findings(doctor.check_recordings)[name].advice


def test_the_command_imports_no_torch() -> None:
    """`grda-edu lab` is on the screen before torch would be loaded."""
    code = "import sys, grda_edu.app.cli; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
