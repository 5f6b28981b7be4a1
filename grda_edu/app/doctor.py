"""`grda-edu doctor`: what this computer has, and what to do where it lacks something.

Every check works on a damaged installation: what cannot be imported is reported, not raised.
"""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

GIGABYTE = 1024**3
MEMORY_NEEDED = 1 * GIGABYTE  # lesson 04, server and kernel together
DISK_NEEDED = 1 * GIGABYTE  # the largest data set and its copies
REINSTALL = "install grda-edu again, as README says"
PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "plotly",
    "anywidget",
    "ipywidgets",
    "ipykernel",
    "jupyterlab",
    "platformdirs",
    "psutil",
)


@dataclass(frozen=True)
class Finding:
    """One line of the report; `advice` says what to do, and is empty where all is well."""

    name: str
    value: str
    advice: str = ""


def main() -> int:
    """Print every finding; the exit status is 0 if nothing needs to be done."""
    findings = [finding for check in CHECKS for finding in check()]
    for finding in findings:
        print(f"{'!' if finding.advice else ' '} {finding.name:<14} {finding.value}")
        if finding.advice:
            print(f"{'':17}-> {finding.advice}")
    wrong = sum(bool(finding.advice) for finding in findings)
    print(
        "All is well."
        if not wrong
        else f"{wrong} of {len(findings)} lines want something: see the arrows."
    )
    return int(wrong > 0)


def _load(name: str) -> tuple[ModuleType | None, str]:
    """The module, or None and why it cannot be imported (a broken shared library raises OSError)."""
    try:
        return import_module(name), ""
    except (ImportError, OSError) as error:
        return None, str(error).partition("\n")[0]


def check_versions() -> Iterator[Finding]:
    """Python, the course and what it stands on."""
    supported = (3, 11) <= sys.version_info < (3, 14)
    yield Finding(
        "python",
        f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        ""
        if supported
        else "install Python 3.11, 3.12 or 3.13 and set the course up again with it",
    )
    yield Finding("grda-edu", version("grda-edu"))
    for package in PACKAGES:
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, "not installed", f"pip install {package}")


def check_device() -> Iterator[Finding]:
    """What networks are trained on, and with how many threads."""
    torch, why = _load("torch")
    if torch is None:
        yield Finding(
            "device",
            f"unknown: torch cannot be imported ({why})",
            "pip install --force-reinstall torch",
        )
        return
    if torch.cuda.is_available():
        yield Finding("device", f"cuda: {torch.cuda.get_device_name()}")
    elif torch.backends.mps.is_available():
        yield Finding("device", "mps: Apple GPU")
    elif shutil.which("nvidia-smi") and torch.version.cuda is None:
        yield Finding(
            "device",
            "cpu, beside an NVIDIA driver",
            "if the GPU is to be used: pip install --force-reinstall torch (the CUDA build, about 3 GB)",
        )
    else:
        yield Finding("device", "cpu (enough for every lesson)")
    yield Finding(
        "threads", f"torch would use {torch.get_num_threads()}; small networks train on 1"
    )


def check_cores() -> Iterator[Finding]:
    """The cores this process may use; OMP_NUM_THREADS above them makes threads wait for each other."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    too_many = wanted.isdecimal() and int(wanted) > cores
    yield Finding(
        "cores",
        f"{cores}" + (f", OMP_NUM_THREADS={wanted}" if wanted else ""),
        "set OMP_NUM_THREADS=1, or unset it" if too_many else "",
    )


def check_memory() -> Iterator[Finding]:
    """Free and total memory."""
    psutil, why = _load("psutil")
    if psutil is None:
        yield Finding("memory", f"unknown: psutil cannot be imported ({why})", "pip install psutil")
        return
    memory = psutil.virtual_memory()
    yield Finding(
        "memory",
        f"{memory.available / GIGABYTE:.1f} GB free of {memory.total / GIGABYTE:.1f} GB",
        ""
        if memory.available >= MEMORY_NEEDED
        else "close other programs, or shut down kernels in JupyterLab",
    )


def check_data_folder() -> Iterator[Finding]:
    """Where progress and larger data sets are kept. Digits need nothing: they come with scikit-learn."""
    progress, why = _load("grda_edu.course.keeping")
    if progress is None:
        yield Finding("data folder", f"unknown: the course cannot be imported ({why})", REINSTALL)
        return
    folder: Path = progress.folder()
    exists = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(exists).free
    advice = ""
    if not os.access(exists, os.W_OK):
        advice = f"make {exists} writable, or progress and data are not kept"
    elif free < DISK_NEEDED:
        advice = "free some disk space: larger data sets do not fit"
    yield Finding("data folder", f"{folder}, {free / GIGABYTE:.1f} GB free", advice)


def check_lessons() -> Iterator[Finding]:
    """The notebooks that `grda-edu lab` puts into a folder."""
    from grda_edu.app.delivery import lessons

    try:
        found = lessons()
    except FileNotFoundError as error:
        yield Finding("lessons", str(error), REINSTALL)
    else:
        yield Finding("lessons", f"{len(found)} in {found[0].parent}")


def check_recordings() -> Iterator[Finding]:
    """The recorded runs, each read whole and held against its checksum."""
    recordings, why = _load("grda_edu.recordings")
    if recordings is None:
        yield Finding(
            "recordings",
            f"unknown: numpy cannot be imported ({why})",
            "pip install --force-reinstall numpy",
        )
        return
    try:
        entries = recordings.manifest()
    except recordings.RecordingError as error:
        yield Finding("recordings", "damaged", str(error))
        return
    if not entries:
        yield Finding("recordings", "none", "grda-edu record (about half an hour)")
    for name, entry in entries.items():
        try:
            recordings.read(name)
        except recordings.RecordingError as error:
            yield Finding(name, "missing or damaged", str(error))
        else:
            made = f"{entry['recorded']} on {entry['device']}, torch {entry['versions']['torch']}"
            yield Finding(
                name,
                f"{entry['runs']} runs, {entry['bytes'] / 1e6:.1f} MB, checksum right, made {made}",
            )


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    check_versions,
    check_device,
    check_cores,
    check_memory,
    check_data_folder,
    check_lessons,
    check_recordings,
)
