"""The text of the interpreter's own documentation: characters, in three parts that share nothing.

Python brings it along, as ``pydoc_data.topics``; it is read when it is asked for, and nothing of it
is kept. Another version of Python has another text: ``Manual.sha256`` tells them apart.
"""

import hashlib
import importlib
import platform
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor

SHARES = (0.8, 0.1)  # of the text, for training and validation; the rest is for the test


@dataclass(frozen=True, eq=False)
class Manual:
    """A text in three contiguous parts, as numbers of characters: int64 [length] each."""

    alphabet: str
    train: Tensor
    val: Tensor
    test: Tensor
    sha256: str
    python: str

    @cached_property
    def base_rates(self) -> dict[str, float]:
        """Bits per character on the test part of what needs no training.

        All characters alike; each as often as in the training part; as often as there after the
        character before it. Counts begin at 1, so that none is impossible.
        """
        size = len(self.alphabet)
        train, test = self.train.numpy(), self.test.numpy()
        once = np.bincount(train, minlength=size) + 1
        pairs = np.bincount(train[:-1] * size + train[1:], minlength=size**2) + 1
        pairs = pairs.reshape(size, size)
        follows = pairs / pairs.sum(1, keepdims=True)
        return {
            "uniform": float(np.log2(size)),
            "single characters": float(-np.log2(once / once.sum())[test[1:]].mean()),
            "pairs": float(-np.log2(follows)[test[:-1], test[1:]].mean()),
        }


@lru_cache(maxsize=1)
def read_manual() -> Manual:
    """The documentation of the interpreter that runs this.

    Topics are taken by name, and a paragraph that stands in several only where it comes first: what
    is tested on was not read in training.

    Returns:
        The text, 80 % of it for training, 10 % for validation, 10 % for the test.

    Raises:
        ModuleNotFoundError: this interpreter was installed without ``pydoc_data``.
    """
    try:
        topics: dict[str, str] = importlib.import_module("pydoc_data.topics").topics
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"this Python, {platform.python_version()}, was installed without pydoc_data, the text "
            "of its own documentation; python.org's installers, conda and most systems' packages "
            "bring it"
        ) from None
    return from_topics(topics)


def from_topics(topics: dict[str, str]) -> Manual:
    """The same from other texts, name -> text."""
    paragraphs = (part.strip() for name in sorted(topics) for part in topics[name].split("\n\n"))
    text = "\n\n".join(dict.fromkeys(part for part in paragraphs if part))
    alphabet = "".join(sorted(set(text)))
    number = {character: k for k, character in enumerate(alphabet)}
    numbers = torch.tensor([number[character] for character in text])
    ends = [round(share * len(text)) for share in np.cumsum(SHARES)]
    train, val, test = numbers.tensor_split(ends)
    return Manual(
        alphabet,
        train,
        val,
        test,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        python=platform.python_version(),
    )
