"""Curvature of a network's loss: Hessian products, the whole Hessian, its spectrum, its flat part.

    H = ∇²L(w),  L(w) = 1/N Σ_i ℓ(network(x_i; w), y_i),  w: all trainable weights in one vector [D]

A Hessian belongs to one function. So the data are fixed, the network is deterministic, and both
are checked before anything is differentiated. What is flat, P0, is what directional pruning asks
for: the span of the eigenvectors below a cut-off (Chao et al. 2020, arXiv:2006.09358).
"""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vjp, vmap
from torch.nn.functional import cross_entropy

from grda_edu import checks
from grda_edu.geometry import Floats

IMAGES = 128  # evaluated together: activations stay in the cache
BLOCK = 64  # columns of the Hessian computed together
LIMIT_GB = 2.0  # what a whole Hessian may need, unless told otherwise

Batches = tuple[Tensor, Tensor] | Iterable[tuple[Tensor, Tensor]]
Criterion = Callable[[Tensor, Tensor], Tensor]
Products = Callable[[Tensor], Tensor]

_RANDOM = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.RReLU)
_NORMS = (nn.modules.batchnorm._BatchNorm,)


class FixedLoss:
    """The mean loss of a network over fixed data, as one function of its D trainable weights.

    Args:
        model: its mode is left as it is; dropout and batch norm have to be in evaluation mode.
        data: inputs and targets [N, …], or a loader of such pairs, gone through twice: both passes
            must bring the same.
        criterion: ``criterion(outputs, targets)``, a mean over the images.

    Raises:
        ValueError: where the loss is not one fixed, finite function of the weights.

    Examples:
        L(w) = (w·1 - 3)² at w = 1 is 4, and its slope -4:

        >>> model = nn.Linear(1, 1, bias=False)
        >>> model.weight.data.fill_(1.0)
        tensor([[1.]])
        >>> loss = FixedLoss(model, (torch.tensor([[1.0]]), torch.tensor([[3.0]])), nn.MSELoss())
        >>> loss(), loss.gradient()
        (4.0, tensor([-4.]))
        >>> hessian(loss)
        array([[2.]])
    """

    def __init__(
        self, model: nn.Module, data: Batches, criterion: Criterion = cross_entropy
    ) -> None:
        self.model, self.criterion = model, criterion
        self._parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        if not self._parameters:
            raise ValueError("model has no trainable parameters: its loss has no Hessian")
        refuse_random_modules(model)
        self.batches = _fixed_batches(data)
        self.images = sum(len(y) for _, y in self.batches)
        self._refuse_random_loss()

    @property
    def size(self) -> int:
        """D, the number of weights."""
        return sum(p.numel() for p in self._parameters.values())

    @property
    def weights(self) -> Tensor:
        """The model's weights now: a vector [D] of their own, in the order of the parameters."""
        return torch.cat([p.detach().flatten() for p in self._parameters.values()])

    def named(self, w: Tensor) -> dict[str, Tensor]:
        """The vector ``w`` as parameters.

        Args:
            w: weights, [D].

        Returns:
            name -> view of the parameter's shape.
        """
        parts = w.split([p.numel() for p in self._parameters.values()])
        pairs = zip(self._parameters.items(), parts, strict=True)
        return {name: part.view(p.shape) for (name, p), part in pairs}

    @torch.no_grad()
    def __call__(self, w: Tensor | None = None) -> float:
        """L(w), at the model's weights if ``w`` is left out."""
        w = self._at(w)
        return sum(self.share(w, x, y).item() for x, y in self.batches)

    def gradient(self, w: Tensor | None = None) -> Tensor:
        """∇L(w).

        Args:
            w: where, [D]; the model's weights if left out.

        Returns:
            A vector [D].
        """
        w = self._at(w)
        slopes = (grad(self.share)(w, x, y) for x, y in self.batches)
        return torch.stack(list(slopes)).sum(dim=0)

    def products(self, w: Tensor | None = None) -> Products:
        """The map v -> ∇²L(w) v of vectors [D].

        The gradient is taken once and its graph kept, so that a product is one pass backwards. The
        map holds the activations of all images as long as it lives.

        Args:
            w: where, [D]; the model's weights if left out.

        Returns:
            The map.
        """
        at = self._at(w).requires_grad_()
        slopes = [
            torch.autograd.grad(self.share(at, x, y), at, create_graph=True)[0]
            for x, y in self.batches
        ]
        # A loss that is linear in the weights has a slope without a graph, and no curvature.
        curved = [slope for slope in slopes if slope.requires_grad]

        def product(v: Tensor) -> Tensor:
            v = v.to(at)
            result = torch.zeros_like(v)
            for slope in curved:
                (part,) = torch.autograd.grad(
                    slope, at, v, retain_graph=True, materialize_grads=True
                )
                result += part
            return result

        return product

    def share(self, w: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """What one batch adds to L(w).

        Args:
            w: weights, [D].
            x: inputs of the batch, [N, …].
            y: its targets, [N, …].

        Returns:
            A tensor of one number.
        """
        outputs = functional_call(self.model, self.named(w), (x,))
        return self.criterion(outputs, y) * (len(y) / self.images)

    def _at(self, w: Tensor | None) -> Tensor:
        now = self.weights
        if w is None:
            return now
        w = torch.as_tensor(w).detach().to(now).clone()
        checks.shape("w", w, (self.size,))
        return w

    def _refuse_random_loss(self) -> None:
        first, second = self(), self()
        if not math.isfinite(first):
            raise ValueError(f"the loss is {first}: accepted are weights with a finite loss")
        if first != second:
            raise ValueError(
                f"two evaluations of the loss differ, {first!r} and {second!r}: accepted is one fixed "
                "function. Look for dropout, batch norm in training mode, shuffling or other chance"
            )


def refuse_random_modules(model: nn.Module) -> None:
    """ValueError where dropout or batch norm of the model is in training mode."""
    for name, module in model.named_modules():
        if not module.training:
            continue
        if isinstance(module, _RANDOM):
            raise ValueError(
                f"{name or 'model'} is dropout ({module}) in training mode: the loss is different at "
                "every evaluation. Call model.eval() first"
            )
        if isinstance(module, _NORMS):
            raise ValueError(
                f"{name or 'model'} is batch norm ({module}) in training mode: the loss depends on how the "
                "images are put together. Call model.eval() first"
            )


def _fixed_batches(data: Batches) -> list[tuple[Tensor, Tensor]]:
    """Batches of at most IMAGES images; ValueError where two passes bring different ones."""
    if isinstance(data, tuple) and len(data) == 2 and all(isinstance(t, Tensor) for t in data):
        passes: list[Any] = [data]
    else:
        passes, again = list(data), list(data)
        pairs = zip(_flattened(passes), _flattened(again), strict=False)
        same = len(passes) == len(again) and all(torch.equal(a, b) for a, b in pairs)
        if not same:
            raise ValueError(
                f"data brought {len(passes)} batches and then {len(again)}, not the same ones: accepted "
                "is a loader without shuffling and without random augmentation"
            )
    batches = [
        part for x, y in passes for part in zip(x.split(IMAGES), y.split(IMAGES), strict=True)
    ]
    if not batches or not all(len(y) for _, y in batches):
        raise ValueError("data has no images: accepted is at least one")
    return batches


def _flattened(batches: list[Any]) -> list[Tensor]:
    return [tensor for pair in batches for tensor in pair]


# ------------------------------------------------- the whole Hessian


def hessian(
    loss: FixedLoss,
    w: Tensor | None = None,
    *,
    limit_gb: float = LIMIT_GB,
    progress: Callable[[float], object] | None = None,
) -> Floats:
    """The Hessian of ``loss`` at ``w``, exactly symmetric.

    Columns are derivatives of the gradient along the axes, BLOCK at a time, over IMAGES images at
    a time.

    Args:
        loss: of D weights.
        w: where, [D]; the model's weights if left out.
        limit_gb: what it may need.
        progress: called with the share done, from 0 to 1; what it raises ends the work.

    Returns:
        ∇²L(w), float64 [D, D].

    Raises:
        ValueError: before it starts, if it would need more than ``limit_gb``.
    """
    needed = hessian_gb(loss)
    if not needed <= limit_gb:
        raise ValueError(
            f"the Hessian of {loss.size:,} weights needs about {needed:.1f} GB: accepted is up to "
            f"limit_gb = {limit_gb:g}. Use top_eigenpairs, which needs products only"
        )
    w = loss._at(w)
    axes = torch.eye(loss.size, dtype=w.dtype, device=w.device)
    total = torch.zeros_like(axes)
    blocks = range(0, loss.size, BLOCK)
    for done, (x, y) in enumerate(loss.batches):
        along = _gradient_along(loss, w, x, y)
        for k, start in enumerate(blocks):
            total[start : start + BLOCK] += along(axes[start : start + BLOCK])
            if progress is not None:
                progress((done + (k + 1) / len(blocks)) / len(loss.batches))
    del axes
    result = total.cpu().numpy().astype(np.float64)
    result += result.T.copy()
    result /= 2
    return result


def _gradient_along(loss: FixedLoss, w: Tensor, x: Tensor, y: Tensor) -> Products:
    """Directions [B, D] -> derivatives of one batch's gradient along them [B, D]."""

    def slope(at: Tensor) -> Tensor:
        gradient: Tensor = grad(loss.share)(at, x, y)
        return gradient

    def along(directions: Tensor) -> Tensor:
        try:
            with warnings.catch_warnings():  # the first jvp of a process uses what torch deprecates
                warnings.filterwarnings("ignore", message=r".*torch\.jit\.script.*")
                derivatives: Tensor = vmap(lambda v: jvp(slope, (w,), (v,))[1])(directions)
        except RuntimeError:
            # Not every operation knows forward mode; backwards takes twice as long.
            derivatives = vmap(lambda v: vjp(slope, w)[1](v)[0])(directions)
        return derivatives

    return along


def hessian_gb(loss: FixedLoss) -> float:
    """What ``hessian`` will need: an estimate to some 30 %.

    The matrix in single and in double precision with one copy, and for each column of a block the
    activations of a batch, of which differentiating twice keeps about eight of each.

    Args:
        loss: of D weights.

    Returns:
        A number of GB.
    """
    matrices = loss.size**2 * (2 * loss.weights.element_size() + 16)
    x = max((x for x, _ in loss.batches), key=len)
    activations = _numbers_in_a_pass(loss.model, x[:1]) * len(x) * BLOCK
    return (matrices + 8 * activations * x.element_size()) / 1e9


@torch.no_grad()
def _numbers_in_a_pass(model: nn.Module, x: Tensor) -> int:
    """How many numbers the modules of ``model`` hand on for the input ``x``, itself included."""
    count = x.numel()

    def add(module: nn.Module, inputs: object, output: object) -> None:
        nonlocal count
        count += output.numel() if isinstance(output, Tensor) else 0

    leaves = [module for module in model.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(add) for module in leaves]
    try:
        model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return count


# ------------------------------------------------- eigenvalues


@dataclass(frozen=True, eq=False)
class Spectrum:
    """All eigenvalues and eigenvectors of a symmetric matrix."""

    values: Floats  # float64 [D], rising
    vectors: Floats = field(repr=False)  # float64 [D, D], column k belongs to values[k]

    def rank_below(self, cutoff: float) -> int:
        """How many eigenvalues are below a cut-off, the negative ones included.

        Args:
            cutoff: in the units of the eigenvalues.

        Returns:
            A number from 0 to D.
        """
        return int(np.searchsorted(self.values, cutoff))

    def top(self, k: int) -> Floats:
        """The eigenvectors of the ``k`` largest eigenvalues, largest first.

        Args:
            k: from 1 to D.

        Returns:
            float64 [D, k], orthonormal columns.

        Raises:
            ValueError: for any other k.
        """
        checks.whole("k", k, 1, len(self.values), why="the number of eigenvalues")
        return self.vectors[:, ::-1][:, :k]


def spectrum(matrix: Floats) -> Spectrum:
    """Eigenvalues and eigenvectors of a symmetric matrix, in double precision.

    Args:
        matrix: [D, D].

    Returns:
        All D of them.

    Raises:
        ValueError: unless the matrix is square, finite and symmetric to 1e-6 of its largest entry.

    Examples:
        >>> found = spectrum(np.array([[2.0, 1.0], [1.0, 2.0]]))
        >>> found.values.round(12).tolist()
        [1.0, 3.0]
        >>> found.rank_below(2.0)
        1
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"matrix has shape {matrix.shape}: accepted is (D, D)")
    checks.finite("matrix", matrix)
    skew = float(np.abs(matrix - matrix.T).max())
    if skew > 1e-6 * float(np.abs(matrix).max()):
        raise ValueError(
            f"matrix differs from its transpose by {skew:.2g}: accepted is a symmetric one"
        )
    return Spectrum(*eigh(matrix, driver="evd"))


@dataclass(frozen=True, eq=False)
class TopEigenpairs:
    """The k largest eigenvalues of a Hessian; fewer where the iteration ended before."""

    values: Floats  # float64 [k], falling
    vectors: Floats = field(repr=False)  # float64 [D, k], orthonormal columns
    residuals: Floats  # float64 [k], ‖Hv - λv‖ / |λ|
    products: int  # how many Hessian-vector products it took, those of the residuals not counted
    converged: bool  # all k are there, with residuals within ten times the tolerance


def top_eigenpairs(
    loss: FixedLoss,
    k: int = 10,
    w: Tensor | None = None,
    *,
    tol: float = 1e-4,
    max_products: int = 2000,
    seed: int = 0,
) -> TopEigenpairs:
    """The ``k`` algebraically largest eigenvalues of the Hessian at ``w``, from products alone.

    Lanczos iterations (``scipy.sparse.linalg.eigsh``) from a random vector.

    Args:
        loss: of D weights.
        k: how many, 1 ≤ k < D.
        w: where, [D]; the model's weights if left out.
        tol: relative accuracy of the eigenvalues.
        max_products: about where it gives up.
        seed: of the random vector.

    Returns:
        The eigenvalues with their vectors, and how good they are.

    Raises:
        ValueError: for any other k.
    """
    checks.whole("k", k, 1, loss.size - 1, why="below the number of weights")
    multiply, count = loss.products(w), 0
    like = loss.weights

    def matvec(v: Floats) -> Floats:
        nonlocal count
        count += 1
        return multiplied(multiply, v.ravel(), like)

    operator = LinearOperator((loss.size,) * 2, matvec=matvec, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal(loss.size)
    lanczos = min(loss.size, max(2 * k + 1, 20))
    rounds = max(1, max_products // lanczos)
    try:
        values, vectors = eigsh(
            operator, k, which="LA", tol=tol, v0=start, ncv=lanczos, maxiter=rounds
        )
    except ArpackNoConvergence as partial:
        values, vectors = partial.eigenvalues, partial.eigenvectors
    order = np.argsort(-values)
    values, vectors = values[order], vectors[:, order]
    residuals = np.array(
        [
            np.linalg.norm(multiplied(multiply, v, like) - value * v) / max(abs(value), 1e-300)
            for value, v in zip(values, vectors.T, strict=True)
        ]
    )
    converged = len(values) == k and bool((residuals <= 10 * max(tol, 1e-4)).all())
    return TopEigenpairs(values, vectors, residuals, count, converged)


def multiplied(multiply: Products, v: Floats, like: Tensor) -> Floats:
    """A product of a numpy vector: float64 [D] in and out, ``like`` says where and in what it is computed."""
    tensor = torch.from_numpy(np.ascontiguousarray(v)).to(like)
    return multiply(tensor).cpu().numpy().astype(np.float64)


# ------------------------------------------------- what is flat


@dataclass(frozen=True, eq=False)
class FlatSubspace:
    """The range of P0: the eigenvectors of a Hessian whose eigenvalues are below a cut-off."""

    basis: Floats = field(repr=False)  # float64 [D, rank], orthonormal columns
    cutoff: float  # in the units of the eigenvalues
    negative: int  # how many of its eigenvalues are negative
    lowest: float  # the smallest of all eigenvalues

    @property
    def rank(self) -> int:
        """The dimension of the subspace."""
        return int(self.basis.shape[1])

    @property
    def projection(self) -> Floats:
        """P0 itself: float64 [D, D], symmetric, P0 P0 = P0."""
        return self.basis @ self.basis.T

    def project(self, v: Floats) -> Floats:
        """The orthogonal projection P0 v.

        Args:
            v: a vector [D], or columns [D, n].

        Returns:
            As ``v``.

        Raises:
            ValueError: where lengths differ.
        """
        return projected(v, self.basis)

    def __str__(self) -> str:
        of = f"rank {self.rank} of {len(self.basis)}"
        text = f"{of}: eigenvalues below {self.cutoff:.3g}, {self.negative} of them negative"
        if self.rank == 0:
            return f"{text}. Nothing is flat: P0 = 0, and no weight would be pruned"
        if self.rank == len(self.basis):
            return f"{text}. Everything is flat: P0 = I, and pruning is soft-thresholding"
        return text


def flat_subspace(of: Spectrum, cutoff: float, *, relative: bool = False) -> FlatSubspace:
    """The span of the eigenvectors with eigenvalues below ``cutoff``, negative ones included.

    A cut-off that keeps nothing or everything is allowed; the result says so in words.

    Args:
        of: all eigenvalues of a Hessian.
        cutoff: in the units of the eigenvalues.
        relative: ``cutoff`` is a share of the largest eigenvalue instead of a value.

    Returns:
        The subspace.

    Raises:
        ValueError: for a cut-off that is not a finite number.

    Examples:
        >>> flat = flat_subspace(spectrum(np.diag([0.0, 0.5, 4.0])), cutoff=0.25, relative=True)
        >>> print(flat)
        rank 2 of 3: eigenvalues below 1, 0 of them negative
        >>> np.abs(flat.project(np.array([1.0, 2.0, 3.0]))).tolist()
        [1.0, 2.0, 0.0]
    """
    checks.number("cutoff", cutoff)
    absolute = float(cutoff * of.values[-1]) if relative else float(cutoff)
    rank = of.rank_below(absolute)
    return FlatSubspace(
        basis=of.vectors[:, :rank],
        cutoff=absolute,
        negative=int((of.values[:rank] < 0).sum()),
        lowest=float(of.values[0]),
    )


def projected(v: Floats, basis: Floats) -> Floats:
    """The orthogonal projection on the span of a basis.

    Args:
        v: a vector [D], or columns [D, n].
        basis: orthonormal columns, [D, k].

    Returns:
        As ``v``.

    Raises:
        ValueError: where lengths differ or the columns of ``basis`` are not orthonormal.
    """
    _check_basis(v, basis)
    return basis @ (basis.T @ v)


def share_in_subspace(move: Floats, basis: Floats) -> float:
    """How much of a move lies in the span of a basis: ‖P d‖ / ‖d‖.

    Args:
        move: d, [D].
        basis: orthonormal columns, [D, k].

    Returns:
        A number from 0 to 1. A random direction has about √(k/D).

    Raises:
        ValueError: for a move of length zero, and as of ``projected``.

    Examples:
        >>> share_in_subspace(np.array([3.0, 4.0]), np.array([[0.0], [1.0]]))
        0.8
    """
    move = np.asarray(move, dtype=np.float64)
    _check_basis(move, basis)
    length = np.linalg.norm(move)
    if not 0 < length < math.inf:
        raise ValueError(f"move has length {length}: accepted is a finite length > 0")
    return float(np.linalg.norm(basis.T @ move) / length)


def _check_basis(v: Floats, basis: Floats) -> None:
    if np.ndim(basis) != 2 or len(basis) != len(v):
        raise ValueError(
            f"basis has shape {np.shape(basis)}: accepted is ({len(v)}, k), one row for each weight"
        )
    off = np.abs(basis.T @ basis - np.eye(basis.shape[1])).max(initial=0.0)
    if not off < 1e-5:
        raise ValueError(f"basis is not orthonormal (off by {off:.2g}): accepted are eigenvectors")


# ------------------------------------------------- what is flat exactly


@dataclass(frozen=True)
class Symmetries:
    """Directions that are flat exactly and for a known reason, as numbers of dimensions."""

    dead: int  # weights whose row of the Hessian is zero: they reach no loss on any image
    shift: int  # the same row added to all outputs' weights, which softmax does not see

    @property
    def total(self) -> int:
        """All of them together."""
        return self.dead + self.shift


def symmetries(matrix: Floats, shift: Floats) -> Symmetries:
    """Count the exactly flat directions of a Hessian.

    Args:
        matrix: the Hessian, [D, D].
        shift: from ``softmax_shift``, [D, k]; what of it dead weights span already counts as dead.

    Returns:
        The numbers of dimensions.
    """
    dead = ~matrix.any(axis=1)
    beyond = shift[~dead]
    return Symmetries(int(dead.sum()), int(np.linalg.matrix_rank(beyond)) if beyond.size else 0)


def softmax_shift(model: nn.Module) -> Floats:
    """Orthonormal directions that add one number to all outputs of the last linear layer.

    One for each of its inputs and one for its bias. Cross-entropy of a softmax does not change
    along them.

    Args:
        model: of D trainable weights.

    Returns:
        The directions, [D, k]; empty, [D, 0], where the last module with weights is not linear or
        is frozen.
    """
    parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
    size = sum(p.numel() for p in parameters.values())
    owners = [m for m in model.modules() if list(m.parameters(recurse=False))]
    if not owners or not isinstance(owners[-1], nn.Linear):
        return np.zeros((size, 0))
    last = {id(p) for p in owners[-1].parameters(recurse=False)}
    columns: list[Floats] = []
    for start, p in zip(_starts(parameters.values()), parameters.values(), strict=True):
        if id(p) in last:
            columns += _one_for_each_input(start, p.detach(), size)
    return np.stack(columns, axis=1) if columns else np.zeros((size, 0))


def _starts(parameters: Iterable[Tensor]) -> Iterator[int]:
    start = 0
    for p in parameters:
        yield start
        start += p.numel()


def _one_for_each_input(start: int, p: Tensor, size: int) -> Iterator[Floats]:
    """Unit vectors [size] for a weight [K, inputs] or a bias [K] that begins at ``start``."""
    outputs = len(p)
    inputs = p.numel() // outputs
    for i in range(inputs):
        column = np.zeros(size)
        column[start + i : start + p.numel() : inputs] = outputs**-0.5
        yield column
