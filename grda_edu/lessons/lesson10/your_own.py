"""Lesson 10: any module and its (x, y), pruned four ways to one sparsity."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grda_edu.checks import number, whole
from grda_edu.data import Data, split_data
from grda_edu.explore import TextTable
from grda_edu.explore.writing import percent
from grda_edu.geometry.curvature import FixedLoss
from grda_edu.geometry.finite_time import directional_pruning_in_steps
from grda_edu.geometry.pruning import magnitude_pruning
from grda_edu.geometry.valley import put_weights, renew_batch_norm, weights_of
from grda_edu.sparse.masks import keep_zeros
from grda_edu.training.loop import check_data, evaluate, train
from grda_edu.training.run import Run
from grda_edu.zeros import sparsity, zeros_by_layer

HELD_OUT = 0.2  # share of the examples that nothing is trained on
MOST_EXAMPLES = 1000  # that Hessian products are taken over
WAYS = ("magnitude", "magnitude by layer", "random, magnitude's layers", "directional, steps")


def prune_four_ways(
    model: nn.Module,
    x: Any,
    y: Any,
    zeros: float = 0.9,
    *,
    epochs: int = 20,
    lr: float = 0.1,
    batch_size: int = 32,
    seed: int = 0,
) -> TextTable:
    """Train a copy of a module, prune it four ways to one share of zeros, and retrain each.

    Args:
        model: [N, …] -> [N, classes]; it stays as it is.
        x: examples, [N, …], a tensor or an array; standardised by you if they need it.
        y: labels 0 … classes - 1, integers [N].
        zeros: share of all its parameters, in [0, 1).
        epochs: of training before, and of retraining after the cut.
        lr: learning rate of SGD.
        batch_size: examples a step.
        seed: of the order of the examples and of the random zeros.

    Returns:
        A row a way: read right of the held-out fifth after the cut and after retraining, zeros, and
        what has died: layers without a weight, or the network that answers everything alike.

    Raises:
        ValueError: names what cannot be used: NaN in ``x``, labels that do not fit the outputs, one
            class, a module without parameters, a share outside [0, 1).
    """
    number("zeros", zeros, "[0, 1)")
    whole("epochs", epochs, 1)
    number("lr", lr, "> 0")
    if not isinstance(model, nn.Module):
        raise ValueError(f"model is a {type(model).__name__}: accepted is a torch.nn.Module")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError("model has no trainable parameters: there is nothing to prune")
    data, base = split_data(x, y, test=HELD_OUT, validation=0), deepcopy(model).cpu()
    _check_fits(base, data)

    def sgd(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=lr)

    def trained(network: nn.Module, order: int) -> Run:
        return train(
            *(network, data, sgd), epochs=epochs, batch_size=batch_size, seed=order, device="cpu"
        )

    run = trained(base, seed)
    if run.message:
        raise ValueError(f"lr = {lr}: the training {run.message}; accepted is one that does not")
    before = evaluate(base, data.x_test, data.y_test)[1]
    rows = [("no zeros", percent(before), "", percent(sparsity(base)), "")]
    for way in WAYS:
        try:
            pruned = _cut(
                base, way, zeros, data, lr * run.epoch[-1] * len(data.y_train) / batch_size, seed
            )
        except ValueError as error:  # fewer weights can die in this way than are asked for
            rows.append((way, "not possible", "", "", str(error)))
            continue
        renew_batch_norm(pruned, data.x_train)
        cut = evaluate(pruned, data.x_test, data.y_test)[1]
        with keep_zeros(pruned):
            then = trained(pruned, seed + 1)
        after = then.message or percent(evaluate(pruned, data.x_test, data.y_test)[1])
        rows.append(
            (way, percent(cut), after, percent(sparsity(pruned)), _dead(pruned, data.x_test))
        )
    spread = float(np.sqrt(before * (1 - before) / len(data.y_test)))
    return TextTable(
        rows,
        ("way", "read right, cut", "retrained", "zeros", "what died"),
        f"{len(data.y_test)} held-out examples (one standard error {percent(spread)}), "
        f"{epochs} epochs before and after",
    )


def _check_fits(model: nn.Module, data: Data) -> None:
    """ValueError if the module cannot take x, or its outputs do not fit the labels."""
    try:
        with torch.no_grad():
            deepcopy(model).eval()(data.x_train[:2])
    except Exception as error:
        shape = tuple(data.x_train.shape[1:])
        raise ValueError(
            f"model cannot take examples of shape {shape} ({error}): accepted is an x that it can"
        ) from error
    check_data(model, data)


def _cut(base: nn.Module, way: str, zeros: float, data: Data, t: float, seed: int) -> nn.Module:
    """A pruned copy."""
    if way == "directional, steps":
        still = deepcopy(base).eval()
        few = slice(MOST_EXAMPLES)
        loss = FixedLoss(still, (data.x_train[few], data.y_train[few]))
        pruned: nn.Module = directional_pruning_in_steps(loss, zeros, t=t, products=20).w
        return pruned
    pruned = magnitude_pruning(base, zeros, by_layer=way == "magnitude by layer")
    if way.startswith("random"):
        random = np.random.default_rng(seed)
        w, counts = weights_of(base).cpu().numpy(), zeros_by_layer(pruned).values()
        begin = 0
        for dead, size in counts:
            w[begin + random.permutation(size)[:dead]] = 0.0
            begin += size
        put_weights(pruned, w)
    return pruned


@torch.no_grad()
def _dead(model: nn.Module, x: Tensor) -> str:
    """Names of the weights of which nothing is left; or whether all examples get one answer."""
    names = [
        name for name, p in model.named_parameters() if p.ndim > 1 and not bool(p.detach().any())
    ]
    if names:
        return f"{', '.join(names)}: nothing gets through"
    answers = deepcopy(model).eval()(x).argmax(dim=1)
    return "all examples get one answer" if len(answers.unique()) == 1 else "nothing"
