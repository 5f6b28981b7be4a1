"""What a sparse network is in the end: accuracy, zeros, what died, bytes and time, in one account."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from html import escape
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from grda_edu.checks import number, whole
from grda_edu.data import Data
from grda_edu.sparse.clock import seconds_of
from grda_edu.sparse.compaction import Compacted, compact
from grda_edu.sparse.storage import file_sizes
from grda_edu.training.device import one_thread
from grda_edu.training.loop import check_data, check_kind, evaluate
from grda_edu.zeros import sparsity, zeros_by_layer

_read: WeakKeyDictionary[Data, int] = WeakKeyDictionary()  # how often its test part was


@dataclass(frozen=True)
class Report:
    """What ``report`` finds of a network. Printed it is a table, in a notebook too."""

    accuracy: float  # share of the test examples read right
    standard_error: float  # of it, over test examples
    examples: int  # in the test part
    reading: int  # how often the test part has been read by reports, this one included
    zeros: dict[str, tuple[int, int]]  # parameter -> how many are zero, of how many
    share: float  # of all parameters that are zero
    dead: tuple[str, ...]  # weights of which nothing is left
    answers: int  # different labels that it gives to the test examples
    bytes: dict[str, int]  # "torch.save", "torch.save, gzip" and "save_sparse"
    parameters: tuple[int, int]  # before and after ``compact``; equal where it is not possible
    milliseconds: dict[str, float]  # "dense" and, where it is possible, "compact": for a batch
    batch: int  # examples in it
    difference: float  # largest one of an output between both; NaN without ``compact``
    not_compact: str  # why there is no compact network, or ""

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What was found, in words."""
        return list(self._rows())

    def _rows(self) -> Iterator[tuple[str, str]]:
        right = f"{self.accuracy:.1%} ± {self.standard_error:.1%} of {self.examples:,} examples"
        again = f"; read {self.reading} times now" if self.reading > 1 else ""
        yield "test, read right", right + again
        zero, total = (sum(column) for column in zip(*self.zeros.values(), strict=True))
        yield "zeros", f"{self.share:.1%}, {zero:,} of {total:,}"
        for name, (dead, size) in self.zeros.items():
            yield f"zeros in {name}", f"{dead / size:.1%}, {dead:,} of {size:,}"
        yield "what died", self.died
        for way, size in self.bytes.items():
            yield f"bytes, {way}", f"{size:,}"
        before, after = self.parameters
        if self.not_compact:
            yield "compact", f"not possible: {self.not_compact}"
        else:
            same = f"outputs differ by at most {self.difference:.0e}"
            yield "parameters, dense and compact", f"{before:,} and {after:,}; {same}"
        times = " and ".join(f"{ms:.3g} {name}" for name, ms in self.milliseconds.items())
        is_timed = not any(map(math.isnan, self.milliseconds.values()))
        yield f"milliseconds, {self.batch} examples", times if is_timed else "not timed"

    @property
    def died(self) -> str:
        """What has died and what that means, in words; "no layer" if nothing has."""
        alike = "every example gets one answer"
        if self.dead:
            means = alike if self.answers == 1 else "the network answers around it"
            return f"{', '.join(self.dead)}: nothing gets through, and {means}"
        return f"no layer, yet {alike}" if self.answers == 1 else "no layer"

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.rows)
        return "\n".join(f"{name:{width}}  {said}" for name, said in self.rows)

    def _repr_html_(self) -> str:
        left = 'style="text-align: left"'  # of words; a notebook sets numbers
        body = "".join(
            f'<tr><th scope="row" {left}>{escape(name)}</th><td {left}>{escape(said)}</td></tr>'
            for name, said in self.rows
        )
        caption = "<caption>What the network is in the end</caption>"
        names = "".join(f'<th scope="col" {left}>{name}</th>' for name in ("what", "found"))
        head = f"<thead><tr>{names}</tr></thead>"
        return f"<table>{caption}{head}<tbody>{body}</tbody></table>"


def report(model: nn.Module, data: Data, *, batch: int = 128, budget: float = 0.5) -> Report:
    """Give account of a network: test accuracy, zeros by layer, what died, bytes, milliseconds.

    The test part is read once a call. Who changes something and calls again chooses on the test: the
    report counts how often that part was read in this session.

    Args:
        model: [N, …] -> [N, classes]; it stays as it is, and is taken in evaluation mode.
        data: its test part is read; outputs are compared and times taken on its training part.
        batch: examples at once, for the times; at most as many as there are to train on.
        budget: seconds that may be spent on times, on one thread.

    Returns:
        The account.

    Raises:
        ValueError: names what cannot be used: labels that do not fit the outputs, no test part,
            no parameters, outputs that are not finite.
    """
    check_kind(data)
    whole("batch", batch, 1)
    number("budget", budget, ">= 0")
    still = deepcopy(model).cpu().eval()
    data = _on_cpu(data)
    if not len(data.y_test):
        raise ValueError("data has no test part (y_test is empty): accepted is one to read")
    zeros = zeros_by_layer(still)
    if not zeros:
        raise ValueError("model has no parameters: there is nothing to give account of")
    check_data(still, data)
    x = data.x_train[:batch]
    outputs = _outputs(still, data.x_test)
    if not bool(outputs.isfinite().all()):
        raise ValueError(
            "model gives NaN or infinity on the test part: accepted are finite outputs"
        )
    _read[data] = _read.get(data, 0) + 1
    _, accuracy = evaluate(still, data.x_test, data.y_test)
    small, why = _compacted(still)
    calls = {"dense": lambda: still(x)}
    if small is not None:
        calls["compact"] = lambda: small.model(x)
    with one_thread(), torch.inference_mode():
        seconds = seconds_of(calls, budget)
    difference = math.nan
    if small is not None:
        difference = float((_outputs(small.model, x) - _outputs(still, x)).abs().max())
    parameters = sum(size for _, size in zeros.values())
    return Report(
        accuracy=accuracy,
        standard_error=math.sqrt(accuracy * (1 - accuracy) / len(data.y_test)),
        examples=len(data.y_test),
        reading=_read[data],
        zeros=zeros,
        share=sparsity(still),
        dead=dead_weights(still),
        answers=len(outputs.argmax(dim=1).unique()),
        bytes=file_sizes(still),
        parameters=(parameters, parameters) if small is None else small.parameters,
        milliseconds={name: 1000 * spent for name, spent in seconds.items()},
        batch=len(x),
        difference=difference,
        not_compact=why,
    )


def dead_weights(model: nn.Module) -> tuple[str, ...]:
    """Names of the weights, biases and norms aside, of which nothing is left.

    Args:
        model: any.

    Returns:
        Names of parameters of at least two dimensions whose entries are all zero.
    """
    return tuple(
        name for name, p in model.named_parameters() if p.ndim > 1 and not bool(p.detach().any())
    )


def _on_cpu(data: Data) -> Data:
    return data if data.device.type == "cpu" else data.to("cpu")


@torch.no_grad()
def _outputs(model: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([model(part) for part in x.split(128)])


def _compacted(model: nn.Module) -> tuple[Compacted | None, str]:
    """The network without its dead units, or why there is none."""
    try:
        return compact(model), ""
    except (TypeError, ValueError) as error:
        return None, str(error).partition("\n")[0]
