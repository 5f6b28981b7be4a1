"""The browser that the tests drive: an installed Chromium or Chrome, on Debian one that apt brings."""

import os
import shutil
import subprocess
from pathlib import Path

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = tuple(
    str(folder / "Applications" / f"{name}.app" / "Contents/MacOS" / name)
    for folder in (Path("/"), Path.home())
    for name in ("Google Chrome", "Chromium")
)
APT = (
    ["apt-get", "update", "-qq"],
    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
)


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome, or None; the variable CHROMIUM goes before all others.

    Raises ValueError if CHROMIUM names nothing that can be run.
    """
    if chosen := os.environ.get("CHROMIUM"):
        if shutil.which(chosen):
            return chosen
        raise ValueError(
            f"CHROMIUM={chosen!r} cannot be run; unset it or name a Chromium or Chrome"
        )
    return next(filter(None, map(shutil.which, (*COMMANDS, *APPLICATIONS))), None)


def install_chromium() -> str | None:
    """Install Debian's Chromium if this is Debian and we are root; its path, or None."""
    if not (Path("/etc/debian_version").exists() and shutil.which("apt-get") and os.geteuid() == 0):
        return None
    print("No Chromium found: installing Debian's by apt-get.", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in APT:
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode:
            return None
    return find_chromium()


if __name__ == "__main__":  # before the tests: they only look for one, and say what is missing
    find_chromium() or install_chromium()
