"""Lesson 12: CIFAR-10, fetched only when the learner says so."""

from __future__ import annotations

from collections.abc import Callable


def photographs(*, fetch: bool = False, say: Callable[[str], object] = print) -> None:
    """Say what CIFAR-10 is and whether it is here; with ``fetch`` get it, and how to train on it.

    say: is told, a line at a time. What goes wrong is said too, and leaves nothing behind.
    """
    from grda_edu.cifar import CIFAR10, check_archive, cifar10_folder, download_cifar10
    from grda_edu.training.processes import example

    path = cifar10_folder() / CIFAR10.name
    try:
        if fetch:
            download_cifar10(say=say)
        elif path.exists():
            check_archive(path)
            say(f"{path} is here, its checksum is right.")
        else:
            say(f"Nothing was fetched. fetch=True fetches {CIFAR10}")
            return
    except (ValueError, OSError, ModuleNotFoundError) as error:
        say(f"{type(error).__name__}: {error}")
        return
    say(f"To train, in a terminal: python {example('train_resnet20_cifar10.py')}")
