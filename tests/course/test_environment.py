import subprocess
import sys

import numpy
import pytest
import torch

from grda_edu.course import begin


def test_one_line_without_torch_before_lesson_04(home):
    code = "import sys; from grda_edu import course; course.begin('01'); assert 'torch' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (line,) = run.stdout.splitlines()
    assert line.startswith("grda-edu ") and f"numpy {numpy.__version__}" in line and "core" in line


def test_from_04_on_torch_its_device_and_threads(home, capsys):
    assert begin("04") is None
    (line,) = capsys.readouterr().out.splitlines()
    assert f"torch {torch.__version__}" in line and "device " in line and "thread" in line


def test_an_unknown_lesson(home):
    with pytest.raises(ValueError, match="lesson = '99': accepted"):
        begin("99")


def test_colab_is_asked_to_draw_widgets(home, monkeypatch, capsys):
    from types import ModuleType

    asked = []
    output = ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: asked.append(True)
    colab = ModuleType("google.colab")
    colab.output = output
    for name, module in (("google", ModuleType("google")), ("google.colab", colab)):
        monkeypatch.setitem(sys.modules, name, module)
    begin("01")
    assert asked == [True]


def test_a_damaged_progress_file_is_said_when_the_lesson_begins(home, capsys, lesson, cards):
    from grda_edu.course import predict

    home.mkdir()
    (home / "progress.json").write_text("{")
    begin("01")
    predict("01.how_many")
    lines = capsys.readouterr().out.splitlines()
    assert "damaged" in lines[1] and "damaged" not in cards[0].state["result"]
