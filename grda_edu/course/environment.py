"""The first line of a lesson: what it runs on."""

from __future__ import annotations

import os
import platform

import numpy as np

from grda_edu import __version__

from .keeping import progress
from .map import lesson


def begin(number: str) -> None:
    """Get the lesson ready and print in one line what it runs on."""
    lesson(number)
    _allow_widgets_on_colab()
    print(environment_line(number))
    if notice := progress.notice():
        print(notice)


def environment_line(number: str) -> str:
    """Versions and cores; torch's version, device and threads too where the lesson uses it."""
    parts = [
        f"grda-edu {__version__}",
        f"Python {platform.python_version()}",
        f"numpy {np.__version__}",
    ]
    if lesson(number).torch:
        import torch

        from grda_edu.training.device import choose_device

        parts += [f"torch {torch.__version__}", f"device {choose_device('auto')}"]
        parts.append(_count(torch.get_num_threads(), "thread"))
    parts.append(_count(_cores(), "core"))
    return " · ".join(parts)


def _cores() -> int:
    """The cores that this process may use, which on a shared host are fewer than it has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _allow_widgets_on_colab() -> None:
    """Colab draws third-party widgets only after being asked to; elsewhere there is nothing to do."""
    try:
        from google.colab import output
    except ImportError:
        return
    output.enable_custom_widget_manager()
