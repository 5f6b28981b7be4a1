"""CIFAR-10: 60,000 colour photographs of ten classes, 32x32 pixels, read from their binary version.

A record is one byte for the label and 3,072 for the pixels, red, green and blue in turn, so that numpy
reads them without pickle. Nothing is fetched unless ``download_cifar10`` is called, and nothing is ever
unpacked to the disk.

Krizhevsky 2009, Learning multiple layers of features from tiny images. The page of the data set gives
the archive's MD5, c32a1d4ab5d03f1284b67883e8d87530; the stronger SHA-256 below is the one by which the
dataset loaders of torchvision for Ruby and of GoMLX, independently of one another, know the same archive.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from grda_edu import checks
from grda_edu.data import Data, stratified_order

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
PIXELS = 3 * 32 * 32
RECORD = 1 + PIXELS
MOST = 10_000  # records in a file of the archive
TRAINING = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST = "test_batch.bin"


class DamagedArchive(ValueError):
    """What should be CIFAR-10's archive is not: cut short, changed, or of another making."""


@dataclass(frozen=True)
class Archive:
    """A file that is fetched once and known by its size and checksum."""

    url: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Of the file."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.url}\n{self.bytes:,} bytes, SHA-256 {self.sha256}"


CIFAR10 = Archive(
    url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    bytes=170_052_171,
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)


def cifar10_folder() -> Path:
    """Where the archive is looked for and put, unless another folder is named."""
    import platformdirs  # here: the core works beside torch, numpy and scipy alone

    return Path(platformdirs.user_cache_dir("grda-edu"))


# ------------------------------------------------- fetching


def download_cifar10(
    folder: str | PathLike[str] | None = None,
    *,
    archive: Archive = CIFAR10,
    say: Callable[[str], object] = print,
) -> Path:
    """Fetch the archive, after saying where from, how large it is and by which checksum it is known.

    It gets its name only when it is whole and its checksum right. If anything goes wrong before, or the
    fetching is interrupted, nothing stays behind.

    Args:
        folder: where to put it; the user's cache folder if left out.
        archive: what is fetched.
        say: is told, a line at a time.

    Returns:
        The path of the archive, which is not fetched again if it is there already.

    Raises:
        DamagedArchive: if what came has another size or checksum.
        ConnectionError: if it cannot be fetched.
        ModuleNotFoundError: without pooch, which fetches it.
        OSError: if there is no room, or no right to write.
    """
    folder = Path(folder) if folder is not None else cifar10_folder()
    path = folder / archive.name
    if path.exists():
        check_archive(path, archive)
        say(f"{path} is here already, its checksum is right.")
        return path
    try:
        import pooch
        from requests.exceptions import RequestException
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "download_cifar10 needs a package that is not installed. Install it with: "
            'pip install "grda-edu[cifar]"'
        ) from error

    say(f"Fetching {archive}\ninto {path}")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="unfinished-", dir=folder) as beside:
        fetched = Path(beside) / archive.name
        try:
            fetch = pooch.HTTPDownloader(progressbar=_Progress(say), timeout=60)
            fetch(archive.url, fetched, None)
        except RequestException as error:
            raise ConnectionError(
                f"{archive.url} cannot be fetched ({error}). Nothing was kept; fetch the file by other "
                f"means if you can, and put it into {folder}"
            ) from error
        check_archive(fetched, archive, after="Nothing was kept: try again")
        os.replace(fetched, path)
    say(f"{path} is whole, its checksum is right.")
    return path


def check_archive(
    path: str | PathLike[str], archive: Archive = CIFAR10, *, after: str = "Remove it"
) -> None:
    """Refuse a file that is not the archive.

    Args:
        path: of the file.
        archive: what it should be.
        after: what to do, for the error.

    Raises:
        DamagedArchive: names what differs.
        FileNotFoundError: where there is no such file.
    """
    path = Path(path)
    size = path.stat().st_size
    if size != archive.bytes:
        raise DamagedArchive(
            f"{path.name} has {size:,} bytes: accepted are {archive.bytes:,}. {after}"
        )
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        raise DamagedArchive(
            f"{path.name} has the SHA-256 {found}: accepted is {archive.sha256}. {after}"
        )


class _Progress:
    """Tells of every tenth of what has come; pooch drives it like one of tqdm's."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say, self.total, self.come, self.said = say, 0, 0, 0

    def update(self, size: int) -> None:
        self.come += size
        tenths = 10 * self.come // self.total if self.total else 0
        if tenths > self.said:
            self.said = tenths
            self.say(f"{self.come:,} of {self.total:,} bytes")

    def reset(self) -> None:
        self.come = 0

    def close(self) -> None:
        """Nothing is open."""


# ------------------------------------------------- reading


def cifar10(folder: str | PathLike[str] | None = None, *, validation: int = 0) -> Data:
    """CIFAR-10, from the archive that ``download_cifar10`` has put there.

    Args:
        folder: where the archive is; the user's cache folder if left out.
        validation: images held out of the 50,000 for training, a stratified part.

    Returns:
        The images as bytes, uint8 [N, 3, 32, 32] in each part: ``images.Standardised`` makes numbers
        of them. ``mean`` and ``std`` are those of all pixels.

    Raises:
        FileNotFoundError: if it is not there; nothing is fetched.
        DamagedArchive: if it is not what it should be.
        ValueError: for another ``validation``.
    """
    path = (Path(folder) if folder is not None else cifar10_folder()) / CIFAR10.name
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is not here. grda_edu.download_cifar10() fetches it, {CIFAR10.bytes:,} bytes from "
            f"{CIFAR10.url}"
        )
    check_archive(path)
    return read_cifar10(path, validation=validation)


def read_cifar10(path: str | PathLike[str], *, validation: int = 0, name: str = "cifar10") -> Data:
    """Read an archive of the binary version's format, of any number of records.

    Its six files are looked for by name and read from within the archive, whatever else is in it;
    nothing is unpacked.

    Args:
        path: of a gzipped tar file.
        validation: as of ``cifar10``.
        name: what the data are called.

    Returns:
        As of ``cifar10``.

    Raises:
        DamagedArchive: names the file that is cut short, missing, of another kind or of another size,
            or has a label above 9.
        ValueError: for another ``validation``.
        OSError: if the file cannot be read.
    """
    parts = {wanted: _records(content, wanted) for wanted, content in _files(Path(path)).items()}
    labels = np.concatenate([parts[file][:, 0] for file in TRAINING])
    images = np.concatenate([parts[file][:, 1:] for file in TRAINING]).reshape(-1, 3, 32, 32)
    validation = checks.whole("validation", validation, 0, len(labels) - 1)
    order = stratified_order(labels) if validation else np.arange(len(labels))
    held, kept = np.sort(order[:validation]), np.sort(order[validation:])
    test = parts[TEST]

    def tensors(pixels: np.ndarray, classes: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(pixels), torch.from_numpy(classes.astype(np.int64))

    x_train, x_val = images[kept], images[held]
    mean, std = _moments(x_train)
    return Data(
        name,
        *tensors(x_train, labels[kept]),
        *tensors(x_val, labels[held]),
        *tensors(test[:, 1:].reshape(-1, 3, 32, 32).copy(), test[:, 0]),
        mean=mean,
        std=std,
        classes=len(CLASSES),
    )


def _moments(images: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of all pixels, from 0 to 1; numpy's own would take eight bytes for each."""
    counts = sum(np.bincount(image.ravel(), minlength=256) for image in images)
    levels = np.arange(256) / 255
    mean = float(np.average(levels, weights=counts))
    return mean, float(np.average((levels - mean) ** 2, weights=counts) ** 0.5)


def _files(path: Path) -> dict[str, bytes]:
    """The contents of the six files, by name, whatever folder of the archive they lie in."""
    wanted, found = {*TRAINING, TEST}, dict[str, bytes]()
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                if name not in wanted:
                    continue
                if name in found or not member.isreg():
                    twice = "is in it twice" if name in found else "is no ordinary file"
                    raise DamagedArchive(f"{path.name}: {name} {twice}")
                _check_size(name, member.size)  # before it is read: a header may say anything
                content: Any = archive.extractfile(member)
                found[name] = content.read()
                if len(found[name]) != member.size:
                    raise DamagedArchive(f"{path.name} is cut short in {name}")
            while stream.read(2**20):  # to its end, where gzip has a checksum of all
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the content
        raise DamagedArchive(
            f"{path.name} is no whole archive, it breaks off or is damaged ({error})"
        ) from error
    missing = sorted(wanted - set(found))
    if missing:
        raise DamagedArchive(f"{path.name} has no {', '.join(missing)}")
    return found


def _check_size(name: str, size: int) -> None:
    if not size or size % RECORD or size > MOST * RECORD:
        raise DamagedArchive(
            f"{name} has {size:,} bytes: accepted is a multiple of {RECORD:,}, of a record, up to "
            f"{MOST:,} records"
        )


def _records(content: bytes, name: str) -> np.ndarray:
    """uint8 [records, 1 + 3072]."""
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    worst = int(records[:, 0].max())
    if worst >= len(CLASSES):
        place = int(records[:, 0].argmax())
        raise DamagedArchive(
            f"{name} has the label {worst} in record {place}: accepted are 0 to {len(CLASSES) - 1}"
        )
    return records
