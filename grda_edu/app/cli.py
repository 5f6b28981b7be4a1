"""The command `grda-edu`: lab (open the course), record (train the recorded runs again), doctor (check this computer)."""

import argparse
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from grda_edu import __version__
from grda_edu.app import delivery

DEFAULT_FOLDER = "grda-edu-course"
JUPYTER_CONFIG = (
    Path(__file__).parent / "jupyter"
)  # turns off JupyterLab's pop-ups that ask for news and updates


class Problem(Exception):
    """What went wrong and what to do about it, in words for the learner."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (0 if all is well)."""
    _print_every_name()
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except Problem as problem:
        print(f"grda-edu: {problem}", file=sys.stderr)
        return 1


def _print_every_name() -> None:
    """Let a name that the terminal has no letters for be spelt with backslashes, and stop nothing."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(
            AttributeError
        ):  # whoever calls main in a notebook has streams of another kind
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="grda-edu", description=__doc__)
    parser.add_argument("--version", action="version", version=f"grda-edu {__version__}")
    commands = parser.add_subparsers(required=True, metavar="lab | record | doctor")

    lab = commands.add_parser(
        "lab", help="put the lessons into a folder and open them in JupyterLab"
    )
    lab.add_argument("folder", nargs="?", type=Path, default=Path(DEFAULT_FOLDER), metavar="FOLDER")
    lab.add_argument(
        "--port", type=int, help="JupyterLab's port (left out: the first free one from 8888)"
    )
    lab.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    lab.add_argument("--no-start", action="store_true", help="only put the lessons into the folder")
    lab.set_defaults(run=_lab)

    record = commands.add_parser("record", help="train the recorded runs again")
    record.add_argument(
        "name", nargs="?", metavar="NAME", help="one recording (left out: all of them)"
    )
    record.set_defaults(run=_record)

    doctor = commands.add_parser(
        "doctor", help="say what this computer has and what to do where it lacks something"
    )
    doctor.set_defaults(run=_doctor)
    return parser


def _lab(options: argparse.Namespace) -> int:
    place = Path(os.path.realpath(os.path.expanduser(options.folder)))
    _deliver(place)
    if options.no_start:
        return 0
    if options.port is not None:
        _check_port(options.port)
    open_browser = not options.no_browser
    if open_browser and not _has_browser():
        print(
            "No browser was found here: copy the address that JupyterLab prints into a browser on this computer."
        )
        open_browser = False
    sys.stdout.flush()
    return _start_jupyterlab(place, options.port, open_browser)


def _deliver(place: Path) -> None:
    try:
        sources = delivery.lessons()
    except FileNotFoundError as error:
        raise Problem(str(error)) from error
    try:
        deliveries = delivery.deliver(sources, place)
    except OSError as error:
        raise Problem(
            f"cannot write the lessons into {place} ({error.strerror}). "
            f"Give a folder of yours: grda-edu lab {os.path.join('~', DEFAULT_FOLDER)}"
        ) from error
    print(f"{len(deliveries)} lessons in {place}")
    for made in deliveries:
        if made.kept:
            print(
                f"  {made.kept} has your changes and was left alone; the new edition is {made.name}"
            )
        elif made.written:
            print(f"  {made.name}")


def _check_port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise Problem(
            f"--port {port}: a port lies between 1 and 65535; leave --port out to get the first free one."
        )
    with socket.socket() as probe:
        if os.name == "posix":  # as JupyterLab does: a port that was only just closed is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Problem(
                f"port {port} cannot be used ({error.strerror}); perhaps the course is open already. "
                "Leave --port out to get the first free one."
            ) from error


def _has_browser() -> bool:
    """Whether a browser with a window can be opened (a text browser in the terminal cannot show the lessons)."""
    no_screen = sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if no_screen and not os.environ.get("BROWSER"):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _start_jupyterlab(place: Path, port: int | None, open_browser: bool) -> int:
    """Run JupyterLab at lesson 00, on this computer's own address and with its token, until the learner stops it."""
    settings = [
        f"--ServerApp.root_dir={place}",
        "--ServerApp.ip=127.0.0.1",
        f"--LabApp.default_url=/lab/tree/{delivery.FIRST_LESSON}",
    ]
    if port is not None:
        settings += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not open_browser:
        settings.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        settings.append("--allow-root")  # a container, mostly; the token still keeps others out
    search = [str(JUPYTER_CONFIG), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, search))
    try:
        from jupyterlab.labapp import LabApp
    except ImportError as error:
        raise Problem(
            f"JupyterLab cannot be imported ({error}): pip install jupyterlab ipykernel"
        ) from error
    os.chdir(place)
    LabApp.launch_instance(settings)
    return 0


def _record(options: argparse.Namespace) -> int:
    try:
        from grda_edu.studies.recorder import PLANS, record
    except (ImportError, OSError) as error:
        raise Problem(
            f"recording needs PyTorch, which cannot be imported ({error}): pip install torch"
        ) from error
    if options.name is not None and options.name not in PLANS:
        raise Problem(f"there is no recording {options.name!r}; there are: {', '.join(PLANS)}")
    try:
        for name in [options.name] if options.name else PLANS:
            record(name)
    except ModuleNotFoundError as error:
        raise Problem(str(error)) from error
    except OSError as error:
        raise Problem(
            f"the recording cannot be written ({error}); record in a checkout of the repository"
        ) from error
    except KeyboardInterrupt:
        raise Problem(
            "stopped; the same command goes on from here, finished runs are kept"
        ) from None
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from grda_edu.app import doctor

    return doctor.main()
