"""GRDA, training, geometry and compact on data of one's own, beside torch, numpy and scipy alone.

`make core-check` runs this in an environment where nothing else is; it fails if the package asks for more.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import grda_edu
from grda_edu import (
    GRDA,
    FixedLoss,
    Run,
    compact,
    direction_scores,
    directional_pruning,
    find_c,
    flat_subspace,
    hessian,
    keep_zeros,
    magnitude_pruning,
    measure_along,
    obs_pruning,
    sparsity,
    spectrum,
    straight_line,
    sweep,
    top_eigenpairs,
    train,
    train_curve,
    weights_of,
    zeros_by_layer,
)
from grda_edu.data import Data

SIDE = 4  # pixels
ASKS_FOR_MORE = {"Explorable"}  # a widget


def own_data() -> Data:
    """Noisy images, brighter in the upper half (class 0) or in the lower (class 1)."""
    random = torch.Generator().manual_seed(0)

    def images(n: int) -> tuple[Tensor, Tensor]:
        y = torch.arange(n) % 2
        x = torch.randn(n, 1, SIDE, SIDE, generator=random)
        for image, label in zip(x, y.tolist(), strict=True):
            image[0, 2 * label : 2 * label + 2] += 1.5
        return x, y

    return Data("halves", *images(256), *images(64), *images(64), mean=0.0, std=1.0, classes=2)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 6), nn.Tanh(), nn.Linear(6, 2))


def check_training(data: Data) -> nn.Module:
    """Train with gRDA and with SGD, in a grid, and by the search for c; gRDA's network."""
    model = network()
    run = train(model, data, lambda p: GRDA(p, lr=0.1, c=0.01, mu=0.6), epochs=8)
    assert run.finished and run.test_accuracy[-1] > 0.9, run.test_accuracy
    assert sum(zeros for zeros, _ in zeros_by_layer(model).values()) > 0
    assert run.total_zeros[-1] == sparsity(model)
    with tempfile.TemporaryDirectory() as folder:
        run.save(Path(folder) / "run.npz")
        again = Run.load(Path(folder) / "run.npz")
    np.testing.assert_array_equal(again.train_loss, run.train_loss)

    runs = sweep(network, data, c=[0.0, 0.01], mu=[0.6], seeds=[0], lr=0.1, epochs=8)
    np.testing.assert_allclose(runs[0.01, 0.6, 0].train_loss, run.train_loss, rtol=1e-4)

    search = find_c(network, data, mu=0.6, epochs=2, grid=(0.001, 0.01))
    assert next(search).c == 0
    assert all(probe.accuracies for probe in search)
    assert search.answer.c is not None
    return model


def check_geometry(model: nn.Module, data: Data) -> None:
    """The Hessian and its spectrum, pruning by three methods, and the loss on a way between two networks."""
    loss = FixedLoss(model, (data.x_train, data.y_train), nn.functional.cross_entropy)
    matrix = hessian(loss)
    whole = spectrum(matrix)
    np.testing.assert_allclose(whole.values.sum(), np.trace(matrix), rtol=1e-8)
    top = top_eigenpairs(loss, 2)
    np.testing.assert_allclose(top.values, whole.values[:-3:-1], rtol=1e-3)

    flat = flat_subspace(whole, 1e-2, relative=True)
    w = weights_of(model).double().numpy()
    scores = direction_scores(w, flat.basis)
    pruned = directional_pruning(w, scores, 0.1)
    assert (pruned == 0).sum() > (w == 0).sum()
    assert (magnitude_pruning(w, 0.5) == 0).mean() >= 0.5
    surgeon = obs_pruning(w, matrix, len(w) // 2, epsilon=1.0 - whole.values[0])
    assert (surgeon.w == 0).sum() >= len(w) // 2

    other = network(1)
    train(other, data, lambda p: torch.optim.SGD(p, lr=0.1), epochs=2)
    start, end = weights_of(model), weights_of(other)
    way = [straight_line(start, end, t) for t in (0.0, 0.5, 1.0)]
    assert np.isfinite(measure_along(model, way, data)["train_loss"]).all()
    train_curve(model, data, start, end, epochs=1)


def check_sparse(model: nn.Module, data: Data) -> None:
    """Zeros are kept while another optimizer trains; units without living weights leave."""
    with torch.no_grad():
        model[1].weight[0] = 0.0  # all that one of the hidden units hears
    before = sparsity(model)
    with keep_zeros(model):
        train(model, data, lambda p: torch.optim.Adam(p), epochs=1)
    assert sparsity(model) >= before
    small = compact(model)
    assert small.parameters[1] < small.parameters[0], small
    torch.testing.assert_close(small.model(data.x_test), model.eval()(data.x_test))


def main() -> None:
    for name in set(grda_edu.__all__) - ASKS_FOR_MORE:
        assert callable(getattr(grda_edu, name)), name
    data = own_data()
    model = check_training(data)
    check_geometry(model, data)
    check_sparse(model, data)
    print(
        f"GRDA, training, geometry and compact of grda-edu {grda_edu.__version__} work by themselves."
    )


if __name__ == "__main__":
    main()
