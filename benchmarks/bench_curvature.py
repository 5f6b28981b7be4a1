"""The whole Hessian of the small CNN, and top eigenpairs of the larger one beside another library."""

import resource
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import eigsh
from torch import nn

from grda_edu.data import digits
from grda_edu.geometry.curvature import FixedLoss, hessian, hessian_gb, spectrum, top_eigenpairs
from grda_edu.models import digits_cnn, small_digits_cnn
from grda_edu.training.device import one_thread

K, TOLERANCE, ROUNDS = 10, 1e-4, 3


def seconds(work: Callable[[], object]) -> float:
    """Processor time: neither side waits for anything, and other programs do not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def whole_hessian() -> None:
    data = digits(validation=0)
    loss = FixedLoss(small_digits_cnn(0), (data.x_train, data.y_train))
    took = seconds(lambda: spectrum(hessian(loss)))
    print(f"Hessian and eigenvectors, {loss.size:,} weights, {loss.images:,} images, one thread")
    print(f"  processor time {took:5.1f} s    reach: at most 10")
    print(f"  peak memory    {peak_mb():5.0f} MB   reach: at most 700")
    print(f"  estimate       {1000 * hessian_gb(loss):5.0f} MB   of the Hessian alone")


def top_ten() -> None:
    """Both take the same eigsh with the same start; the other's operator keeps no graph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing it uses what torch has deprecated
        try:
            from curvlinops import HessianLinearOperator
        except ModuleNotFoundError:
            print("top eigenpairs: curvlinops is not installed, nothing to compare with")
            return
    data = digits(validation=0)
    model, batch = digits_cnn(0), (data.x_train, data.y_train)
    start = np.random.default_rng(0).standard_normal(sum(p.numel() for p in model.parameters()))

    def ours() -> object:
        return top_eigenpairs(FixedLoss(model, batch), K, tol=TOLERANCE)

    def theirs() -> object:
        parameters = list(model.parameters())
        operator = HessianLinearOperator(model, nn.CrossEntropyLoss(), parameters, [batch])
        v0 = start.astype(np.float32)
        return eigsh(operator.to_scipy(), K, which="LA", tol=TOLERANCE, v0=v0, ncv=2 * K + 1)

    pairs = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    top = top_eigenpairs(FixedLoss(model, batch), K, tol=TOLERANCE)
    ratio = statistics.median(mine / other for mine, other in pairs)
    print(f"top {K} eigenpairs, {len(start):,} weights, {len(data.y_train):,} images, one thread")
    print(f"  ours / curvlinops  median {ratio:5.3f}   reach: at most 1")
    print(f"  ours               {min(mine for mine, _ in pairs):5.1f} s, {top.products} products")
    print(f"  largest residual   {top.residuals.max():.1e}   reach: at most 1e-3")


def main() -> None:
    with one_thread():
        whole_hessian()
        top_ten()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
