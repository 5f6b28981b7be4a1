"""Same valley or another: the loss along paths between weights, and on a plane through three.

Weights are vectors here: all parameters of a model, one after the other in the model's order, as
``weights_of`` gives them. Arithmetic on them is plain: numpy arrays or torch tensors, on any device.
Whatever needs a loss works on a copy of the model, where the images are.
"""

import math
import time
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from grda_edu import checks
from grda_edu.data import Data
from grda_edu.training.device import threads_for
from grda_edu.training.loop import evaluate

PARTS = ("train", "val", "test")
SECONDS_BETWEEN_REPORTS = 0.2
NORM_BATCH = 512  # images a batch from which batch-norm statistics are taken
SAME_LINE = 1e-5  # sine of the angle below which three points count as lying on one line


# ------------------------------------------------- vectors and the model's parameters


def weights_of(model: nn.Module) -> Tensor:
    """A copy of all parameters of ``model`` as one vector.

    Args:
        model: of d parameters.

    Returns:
        The vector, [d], on the model's device.
    """
    return parameters_to_vector(model.parameters()).detach().clone()


def put_weights(model: nn.Module, weights: Any) -> None:
    """Make a vector the parameters of ``model``, in place.

    Args:
        model: of d parameters.
        weights: [d], numpy or torch.

    Raises:
        ValueError: if d is not the model's number of parameters.
    """
    first = next(model.parameters())
    size = sum(p.numel() for p in model.parameters())
    checks.shape("weights", weights, (size,), "the model's parameters")
    copy = torch.as_tensor(weights).detach().to(first.device, first.dtype, copy=True)
    vector_to_parameters(copy, model.parameters())


# ------------------------------------------------- paths


def straight_line(start: Any, end: Any, t: float) -> Any:
    """The point (1-t)·start + t·end of the straight line: ``start`` at t = 0, ``end`` at t = 1.

    Args:
        start: [d].
        end: [d].
        t: where, any number.

    Returns:
        The point, [d].

    Raises:
        ValueError: if the two are not vectors of one length.

    Examples:
        >>> straight_line(np.array([0.0, 4.0]), np.array([2.0, 0.0]), t=0.25).tolist()
        [0.5, 3.0]
    """
    checks.vectors(start=start, end=end)
    return (1 - t) * start + t * end


def bezier(start: Any, middle: Any, end: Any, t: float) -> Any:
    """A point of the quadratic Bézier curve, which begins towards ``middle`` and arrives from it.

        φ(t) = (1-t)²·start + 2t(1-t)·middle + t²·end,   0 ≤ t ≤ 1

    It passes through ``start`` and ``end``, not through ``middle``: half-way, φ(½) is
    ¼ start + ½ middle + ¼ end. With the middle half-way between the ends it is the straight line.

    Args:
        start: [d].
        middle: [d].
        end: [d].
        t: where, from 0 to 1.

    Returns:
        The point, [d].

    Raises:
        ValueError: if the three are not vectors of one length.

    Examples:
        >>> start, middle, end = np.array([0.0, 0.0]), np.array([2.0, 4.0]), np.array([4.0, 0.0])
        >>> bezier(start, middle, end, t=0.5).tolist()
        [2.0, 2.0]

    Source: Garipov et al. 2018; Chao et al. 2020 (arXiv:2006.09358), section 4.2.
    """
    checks.vectors(start=start, middle=middle, end=end)
    return _bezier(start, middle, end, t)


def _bezier(start: Any, middle: Any, end: Any, t: float) -> Any:
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


@dataclass(frozen=True, eq=False)
class Curve:
    """A quadratic Bézier curve between two weight vectors, and how its middle was trained."""

    start: Any  # [d]
    middle: Any  # [d]
    end: Any  # [d]
    t: np.ndarray = field(default_factory=lambda: np.zeros(0))  # float [T], where it was checked
    epoch: np.ndarray = field(default_factory=lambda: np.zeros(0, int))  # int [K], when
    losses: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), repr=False)
    """Training loss at every ``t``, at each check: float [K, T]; row 0 is the straight line."""
    chosen: int = 0  # the best of the checks, whose middle this curve has
    message: str = ""  # why the training ended before its last epoch, or ""

    def __call__(self, t: float) -> Any:
        """φ(t): [d]."""
        return bezier(self.start, self.middle, self.end, t)


class CurveProgress(Protocol):
    """What is told while a curve trains: the best curve so far, and the share done."""

    def __call__(self, curve: Curve, fraction: float, /) -> object:
        """Be told; what it returns is not looked at."""


def train_curve(
    model: nn.Module,
    data: Data,
    start: Any,
    end: Any,
    *,
    epochs: int = 30,
    lr: float = 0.05,
    momentum: float = 0.9,
    batch_size: int = 32,
    seed: int = 0,
    check_every: int = 3,
    points: int = 11,
    progress: CurveProgress | None = None,
    stop: Event | None = None,
) -> Curve:
    """Bend the line between two weight vectors until the training loss along it is low.

    The middle θ of the Bézier curve begins half-way between the ends, where the curve is the
    straight line. Each batch draws one t uniformly from (0, 1) and takes a step of SGD on L(φ(t)),
    an estimate of E_t L(φ(t)); the chain rule gives ∇_θ L = 2t(1-t) ∇L(φ(t)).

    Args:
        model: whose parameters the vectors are; it is copied, not changed.
        data: whose training images the loss is over.
        start: [d].
        end: [d].
        epochs: passes through the training images.
        lr: learning rate of SGD.
        momentum: of SGD, from 0 to below 1.
        batch_size: images a step.
        seed: decides the order of the images and every t.
        check_every: epochs between two checks of the training loss.
        points: values of t at which it is checked, ≥ 2.
        progress: called as ``progress(curve, fraction)`` in this thread after each check, at the
            end, and at most five times a second between them.
        stop: setting it ends the training before the next batch.

    Returns:
        The curve whose highest loss at the checks was lowest (among equals, such as those that are
        highest at an end, the one with the lowest mean). The straight line is the first of them, so
        that the curve's maximum over those t is never above the line's.

    Raises:
        ValueError: for vectors that do not fit, ends that are one point, and numbers out of range.

    Source: Garipov et al. 2018.
    """
    checks.vectors(start=start, end=end)
    if bool((start == end).all()):
        raise ValueError("end is the same point as start: accepted is another one")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        checks.whole(name, value, 1)
    checks.whole("check_every", check_every, 1)
    checks.whole("points", points, 2)
    checks.whole("seed", seed)
    checks.number("lr", lr, ">= 0")
    checks.number("momentum", momentum, "[0, 1)")
    training = _CurveTraining(model, data, start, end, np.linspace(0, 1, points), lr, momentum)
    with threads_for(training.model, data.device):
        return training.run(epochs, batch_size, seed, check_every, progress, stop)


class _CurveTraining:
    """The middle of a curve while it trains, and the losses seen at the checks."""

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        start: Any,
        end: Any,
        t: np.ndarray,
        lr: float,
        momentum: float,
    ) -> None:
        self.model = deepcopy(model).to(data.device)
        self.data, self.t, self.lr, self.momentum = data, t, lr, momentum
        put_weights(self.model, start)
        self.start = weights_of(self.model)
        put_weights(self.model, end)
        self.end = weights_of(self.model)
        self.middle = (self.start + self.end) / 2
        self.buffer = torch.zeros_like(self.middle)
        self.best = Curve(self.start, self.middle.clone(), self.end, t)

    def run(
        self,
        epochs: int,
        batch_size: int,
        seed: int,
        check_every: int,
        progress: CurveProgress | None,
        stop: Event | None,
    ) -> Curve:
        generator = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
        total = len(self.data.y_train)
        due = 0.0
        self.check(0)
        for epoch in range(epochs):
            order = torch.randperm(total, generator=generator)
            for begin in range(0, total, batch_size):
                if stop is not None and stop.is_set():
                    return self.ended(f"stopped in epoch {epoch + 1}", epoch / epochs, progress)
                batch = order[begin : begin + batch_size].to(self.data.device)
                t = float(torch.rand((), generator=generator))
                loss = self.step(batch, t)
                if not math.isfinite(loss):
                    words = f"diverged: the loss became {loss} in epoch {epoch + 1}"
                    return self.ended(words, epoch / epochs, progress)
                if progress is not None and time.monotonic() >= due:
                    progress(self.best, (epoch + begin / total) / epochs)
                    due = time.monotonic() + SECONDS_BETWEEN_REPORTS
            if (epoch + 1) % check_every == 0 or epoch + 1 == epochs:
                self.check(epoch + 1)
                if progress is not None:
                    progress(self.best, (epoch + 1) / epochs)
        return self.best

    def step(self, batch: Tensor, t: float) -> float:
        """One step of SGD with momentum on the middle; the loss at φ(t) before it."""
        point = _bezier(self.start, self.middle, self.end, t)
        vector_to_parameters(point, self.model.parameters())
        self.model.train()
        self.model.zero_grad()
        loss = cross_entropy(self.model(self.data.x_train[batch]), self.data.y_train[batch])
        loss.backward()
        gradients = [
            torch.zeros_like(p) if p.grad is None else p.grad for p in self.model.parameters()
        ]
        self.buffer.mul_(self.momentum).add_(parameters_to_vector(gradients), alpha=2 * t * (1 - t))
        self.middle.add_(self.buffer, alpha=-self.lr)
        return loss.item()

    def check(self, epoch: int) -> None:
        """Measure the curve as it is; keep it if its highest loss is the lowest so far."""
        points = (bezier(self.start, self.middle, self.end, t) for t in self.t.tolist())
        losses = measure_along(self.model, points, self.data)["train_loss"]
        seen = np.vstack([*self.best.losses, losses])
        seen = np.where(np.isfinite(seen), seen, np.inf)
        chosen = int(np.lexsort((seen.mean(axis=1), seen.max(axis=1)))[0])
        self.best = replace(
            self.best,
            middle=self.middle.clone() if chosen == len(seen) - 1 else self.best.middle,
            epoch=np.append(self.best.epoch, epoch),
            losses=seen,
            chosen=chosen,
        )

    def ended(self, message: str, fraction: float, progress: CurveProgress | None) -> Curve:
        self.best = replace(self.best, message=message)
        if progress is not None:
            progress(self.best, fraction)
        return self.best


# ------------------------------------------------- the loss along points


def measure_along(
    model: nn.Module, points: Iterable[Any], data: Data, parts: Sequence[str] = ("train",)
) -> dict[str, np.ndarray]:
    """Loss and accuracy of ``model`` with each of ``points`` as its weights, in evaluation mode.

    Running statistics of batch norm belong to the weights that they were taken at. Where the model
    has any, they are taken anew from the training images at every point (Izmailov et al. 2018).

    Args:
        model: of d parameters; it is not changed.
        points: K vectors [d].
        data: what the loss is measured on.
        parts: of the data, "train", "val" or "test".

    Returns:
        "train_loss" (mean cross-entropy, nats) and "train_accuracy" (fraction), and so on for each
        part: float [K].

    Raises:
        ValueError: for an unknown part, and for a point that does not fit the model.
    """
    for part in checks.distinct("parts", parts):
        checks.one_of("part", part, PARTS)
    model = deepcopy(model).to(data.device)
    rows = []
    with threads_for(model, data.device):
        for point in points:
            put_weights(model, point)
            renew_batch_norm(model, data.x_train)
            rows.append([_evaluate_part(model, data, part) for part in parts])
    table = np.array(rows, dtype=float).reshape(len(rows), len(parts), 2)
    return {
        f"{part}_{what}": table[:, k, j]
        for k, part in enumerate(parts)
        for j, what in enumerate(("loss", "accuracy"))
    }


def _evaluate_part(model: nn.Module, data: Data, part: str) -> tuple[float, float]:
    return evaluate(model, getattr(data, f"x_{part}"), getattr(data, f"y_{part}"))


@torch.no_grad()
def renew_batch_norm(model: nn.Module, images: Tensor) -> int:
    """Take the running statistics of ``model``'s batch norms anew from images, in place.

    The mean over batches of 512 (one batch: exact). Dropout stays off; without batch norms nothing
    is computed. All modes are left as they were.

    Args:
        model: with or without batch norms.
        images: [N, …].

    Returns:
        How many batch norms there were.
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        return 0
    modes = [(module, module.training) for module in model.modules()]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.training = True
    try:
        for batch in images.split(NORM_BATCH):
            model(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, mode in modes:
            module.training = mode
    return len(norms)


# ------------------------------------------------- planes


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane through three weight vectors, with orthonormal axes.

    The first point is the origin, the second lies on the first axis, the third above it.
    """

    origin: Any  # [d]
    axes: tuple[Any, Any]  # [d] each, orthonormal
    corners: np.ndarray  # float [3, 2], coordinates of the three points, in units of the weights

    def point(self, a: float, b: float) -> Any:
        """The weights at coordinates (a, b).

        Args:
            a: along the first axis.
            b: along the second.

        Returns:
            A vector [d].
        """
        return self.origin + a * self.axes[0] + b * self.axes[1]

    def project(self, weights: Any) -> np.ndarray:
        """Coordinates of the plane's points nearest to ``weights``; for how near, see ``distance``.

        Args:
            weights: [d] or [K, d].

        Returns:
            float [2] or [K, 2].

        Raises:
            ValueError: for vectors of another length.
        """
        away = self._away(weights)
        return np.stack([_numpy(away @ axis) for axis in self.axes], axis=-1)

    def distance(self, weights: Any) -> np.ndarray:
        """How far some weights lie from the plane.

        Args:
            weights: [d] or [K, d].

        Returns:
            float [] or [K], in units of the weights.

        Raises:
            ValueError: for vectors of another length.
        """
        away = self._away(weights)
        for axis in self.axes:
            away = away - (away @ axis)[..., None] * axis
        return _numpy((away * away).sum(-1)) ** 0.5

    def grid(
        self, size: int = 21, margin: float = 0.25, around: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of a grid around the corners.

        Args:
            size: how many on each axis, ≥ 2.
            margin: room on each side, in parts of the longer side.
            around: float [K, 2], further points of the plane that shall lie inside.

        Returns:
            ``a`` and ``b``, float [size] each.

        Raises:
            ValueError: for another size, or a margin below 0.
        """
        checks.whole("size", size, 2)
        checks.number("margin", margin, ">= 0")
        inside = self.corners if around is None else np.vstack([self.corners, around])
        low, high = inside.min(axis=0), inside.max(axis=0)
        room = margin * (high - low).max()
        a, b = (np.linspace(low[k] - room, high[k] + room, size) for k in (0, 1))
        return a, b

    def _away(self, weights: Any) -> Any:
        if weights.shape[-1:] != self.origin.shape:
            raise ValueError(
                f"weights has shape {tuple(weights.shape)}: accepted are vectors of "
                f"{len(self.origin)} numbers"
            )
        return weights - self.origin


def plane_through(first: Any, second: Any, third: Any) -> Plane:
    """The plane through three weight vectors.

    Args:
        first: the origin, [d].
        second: a point on the first axis, [d].
        third: a point above it, [d].

    Returns:
        The plane.

    Raises:
        ValueError: if they are not vectors of one length, if two of them are the same point, or if
            the three lie on one line: many planes contain them then.

    Examples:
        >>> plane = plane_through(*np.array([[0.0, 0.0, 1.0], [2.0, 0.0, 1.0], [1.0, 3.0, 1.0]]))
        >>> plane.corners.tolist()
        [[0.0, 0.0], [2.0, 0.0], [1.0, 3.0]]
        >>> float(plane.distance(np.array([5.0, 5.0, 3.0])))
        2.0
    """
    checks.vectors(first=first, second=second, third=third)
    points = {"first": first, "second": second, "third": third}
    for one, other in (("first", "second"), ("first", "third"), ("second", "third")):
        if bool((points[one] == points[other]).all()):
            raise ValueError(f"{other} is the same point as {one}: accepted is another one")
    along, side = second - first, third - first
    width = _length(along)
    along = along / width
    across = side - (side @ along) * along
    across = across - (across @ along) * along  # once more: rounding of nearly parallel vectors
    height = _length(across)
    if height <= SAME_LINE * _length(side):
        raise ValueError(
            f"third is {height:.3g} away from the line through first and second: accepted is more "
            f"than {SAME_LINE * _length(side):.3g}, else no single plane goes through the three"
        )
    corners = np.array([[0.0, 0.0], [width, 0.0], [float(side @ along), height]])
    return Plane(first, (along, across / height), corners)


def measure_plane(
    model: nn.Module,
    plane: Plane,
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    data: Data,
    parts: Sequence[str] = ("train",),
) -> dict[str, np.ndarray]:
    """Loss and accuracy on a grid of the plane, as ``measure_along`` gives them.

    Args:
        model: of d parameters; it is not changed.
        plane: of vectors [d].
        a: coordinates on the first axis, [A].
        b: coordinates on the second, [B].
        data: what the loss is measured on.
        parts: of the data, "train", "val" or "test".

    Returns:
        As of ``measure_along``, float [B, A]: row j is at b[j].

    Raises:
        ValueError: as of ``measure_along``.
    """
    points = (plane.point(float(x), float(y)) for y in b for x in a)
    values = measure_along(model, points, data, parts)
    return {name: value.reshape(len(b), len(a)) for name, value in values.items()}


# ------------------------------------------------- checks


def _numpy(value: Any) -> np.ndarray:
    return np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=float)


def _length(vector: Any) -> float:
    return float((vector @ vector) ** 0.5)
