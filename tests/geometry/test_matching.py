"""Units exchanged on purpose and found again; directions along which the loss is flat exactly."""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from grda_edu import (
    digits_cnn,
    hessian,
    matched_units,
    small_digits_cnn,
    spectrum,
)
from grda_edu.geometry.curvature import FixedLoss, softmax_shift
from grda_edu.geometry.finite_time import krylov
from grda_edu.geometry.matching import (
    rescalings,
    scale_directions,
    symmetry_scores,
    unheard,
    with_batch_statistics,
)
from grda_edu.geometry.pruning import direction_scores
from grda_edu.models import BasicBlock

IMAGES = torch.randn(60, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def dense(seed=0, widths=(5, 7, 6, 3)):
    torch.manual_seed(seed)
    layers = [nn.Linear(a, b) for a, b in pairwise(widths)]
    parts = [part for layer in layers for part in (layer, nn.ReLU())][:-1]
    return nn.Sequential(*parts).double()


def exchanged(model, seed=0):
    """A copy of ``digits_cnn`` with its units dealt out anew, written out by hand, and the orders."""
    deal = torch.Generator().manual_seed(seed)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    orders = [torch.randperm(n, generator=deal) for n in (16, 32, 64)]
    for name, order in zip(("conv1", "conv2", "fc1"), orders, strict=True):
        for key in ("weight", "bias"):
            state[f"{name}.{key}"] = state[f"{name}.{key}"][order]
    state["conv2.weight"] = state["conv2.weight"][:, orders[0]]
    places = torch.arange(128).view(32, 4)[orders[1]].flatten()
    state["fc1.weight"] = state["fc1.weight"][:, places]
    state["fc2.weight"] = state["fc2.weight"][:, orders[2]]
    other = digits_cnn().double()
    other.load_state_dict(state)
    return other, orders


# ------------------------------------------------- the order of units


def test_units_dealt_out_anew_are_put_back():
    model = digits_cnn(3).double()
    with torch.no_grad():
        model.fc1.bias += 1.0  # none is dead: those would have no order
    other, orders = exchanged(model)
    found = matched_units(other, model, IMAGES)
    assert not torch.equal(other.conv1.weight, model.conv1.weight)
    for ours, p in zip(found.network.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, p)
    for order, dealt in zip(found.orders, orders, strict=True):
        np.testing.assert_array_equal(dealt[order], np.arange(len(order)))
    np.testing.assert_allclose(found.correlations, 1)


def test_the_function_stays_and_the_networks_too():
    ours, theirs = digits_cnn(1).double(), digits_cnn(2).double()
    before = [p.clone() for p in (*ours.parameters(), *theirs.parameters())]
    found = matched_units(ours, theirs, IMAGES)
    assert any(np.any(order != np.arange(len(order))) for order in found.orders)
    torch.testing.assert_close(found.network(IMAGES), ours(IMAGES), rtol=1e-12, atol=1e-12)
    after = (*ours.parameters(), *theirs.parameters())
    assert all(map(torch.equal, before, after))


def test_it_is_the_best_of_all_orders():
    """Three units, six orders, correlations by numpy."""
    ours, theirs = dense(0, (4, 3, 2)), dense(1, (4, 3, 2))
    x = torch.randn(50, 4, dtype=torch.float64)
    found = matched_units(ours, theirs, x)
    a, b = (m[1](m[0](x)).detach().numpy() for m in (theirs, ours))
    table = np.nan_to_num(np.corrcoef(a.T, b.T)[:3, 3:])
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    best = max(orders, key=lambda order: sum(table[k, j] for k, j in enumerate(order)))
    assert tuple(found.orders[0]) == best
    assert found.correlations[0] == pytest.approx(
        np.mean([table[k, j] for k, j in enumerate(best)])
    )


def test_dead_units_and_layers_without_a_bias():
    model = nn.Sequential(nn.Linear(4, 6, bias=False), nn.ReLU(), nn.Linear(6, 2)).double()
    with torch.no_grad():
        model[0].weight[2:4] = 0.0
    order = torch.tensor([3, 1, 0, 5, 4, 2])
    other = nn.Sequential(nn.Linear(4, 6, bias=False), nn.ReLU(), nn.Linear(6, 2)).double()
    with torch.no_grad():
        other[0].weight.copy_(model[0].weight[order])
        other[2].weight.copy_(model[2].weight[:, order])
        other[2].bias.copy_(model[2].bias)
    x = torch.randn(40, 4, dtype=torch.float64)
    found = matched_units(other, model, x).network
    assert torch.equal(found[0].weight, model[0].weight)  # two dead units: either order is right
    torch.testing.assert_close(found(x), model(x), rtol=1e-12, atol=1e-12)


def test_nested_sequentials_and_other_dimensions():
    def make(seed):
        torch.manual_seed(seed)
        body = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU(), nn.AvgPool1d(2))
        return nn.Sequential(
            body, nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 2)
        ).double()

    x = torch.randn(30, 1, 8, dtype=torch.float64)
    found = matched_units(make(0), make(1), x)
    torch.testing.assert_close(found.network(x), make(0)(x), rtol=1e-12, atol=1e-12)
    assert [len(order) for order in found.orders] == [4, 5]


@pytest.mark.parametrize(
    ("network", "reference", "words"),
    [
        (
            dense(0, (5, 7, 3)),
            dense(0, (5, 8, 3)),
            r"network has 0.weight of shape \(7, 5\), reference 0.weight of \(8, 5\): accepted are two",
        ),
        (dense(0, (5, 7, 7, 3)), dense(0, (5, 7, 3)), r"network has 2.weight of shape \(7, 7\)"),
        (dense(0, (5, 5, 5)), dense(0, (5, 5)), "network has 4 tensors of weights, reference 2"),
        (nn.Linear(5, 2), dense(), "network is a Linear: accepted is a Sequential"),
        (
            dense(),
            nn.Sequential(nn.Linear(5, 7), nn.Tanh()),
            r"reference.1 is Tanh\(\): accepted are ReLU",
        ),
        (
            nn.Sequential(nn.Conv2d(4, 4, 3, groups=2)),
            dense(),
            r"network.0 is Conv2d.*groups=2.*: accepted are .* convolutions without groups",
        ),
        (nn.Sequential(nn.BatchNorm1d(5)), dense(), "network.0 is BatchNorm1d"),
        (nn.Sequential(*[nn.Linear(5, 5)] * 2), dense(), "network.1 is used twice"),
    ],
)
def test_bad_input_is_named_with_what_is_accepted(network, reference, words):
    with pytest.raises(ValueError, match=words):
        matched_units(network, reference, torch.randn(9, 5, dtype=torch.float64))


def test_no_images_are_refused():
    with pytest.raises(ValueError, match=r"images = \(0, 5\): accepted is at least one image"):
        matched_units(dense(0), dense(1), torch.zeros(0, 5))


# ------------------------------------------------- what is flat exactly


def test_the_outputs_stay_along_a_rescaling():
    """Not its straight line but the curve that it begins: in by 1 + a, out by 1/(1 + a)."""
    model = digits_cnn(0).double()
    directions = rescalings(model)
    assert directions.shape == (13706, 16 + 32 + 64)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1)
    before, w = model(IMAGES), nn.utils.parameters_to_vector(model.parameters()).detach()
    for column in (3, 20, 100):
        step = 1e-5 * directions[:, column]
        changes = []
        for sign in (1, -1):
            nn.utils.vector_to_parameters(w + sign * torch.tensor(step), model.parameters())
            changes.append((model(IMAGES) - before).detach())
        nn.utils.vector_to_parameters(w, model.parameters())
        assert (changes[0] - changes[1]).abs().max() < 1e-12  # no first order
        assert changes[0].abs().max() < 1e-9


def test_a_rescaling_by_hand():
    model = dense(0, (2, 1, 1))
    with torch.no_grad():
        for p, value in zip(model.parameters(), ([[2.0, 1.0]], [2.0], [[4.0]], [7.0]), strict=True):
            p.copy_(torch.tensor(value))
    np.testing.assert_allclose(rescalings(model)[:, 0], np.array([2, 1, 2, -4, 0]) / 5)


def test_the_scores_of_the_symmetries_are_those_of_a_basis_of_them():
    model = dense(2)
    with torch.no_grad():
        model[0].bias[:2] = -100.0  # two units that are never active
    x = torch.randn(80, 5, dtype=torch.float64)
    loss = FixedLoss(model, (x, torch.arange(80) % 3))
    dead = unheard(loss)
    assert dead[:10].all() and dead[35:37].all()  # what comes into them,
    assert dead[42:84].reshape(6, 7)[:, :2].all()  # what goes out,
    assert dead[84:].sum() == 0 and dead[10:35].sum() == 0  # and few others
    columns = np.hstack([softmax_shift(model), rescalings(model), np.eye(loss.size)[:, dead]])
    left, lengths, _ = np.linalg.svd(columns, full_matrices=False)
    wanted = direction_scores(loss.weights, left[:, lengths > 1e-9])
    np.testing.assert_allclose(symmetry_scores(loss), wanted, atol=1e-10)


def test_at_a_minimum_the_symmetries_are_flat():
    """A teacher's own outputs as targets: the gradient is zero at the teacher's weights."""
    model = dense(3, (4, 5, 2))
    x = torch.randn(90, 4, dtype=torch.float64)
    loss = FixedLoss(model, (x, model(x).detach()), nn.MSELoss())
    matrix = hessian(loss)
    directions = rescalings(model)
    assert np.abs(matrix @ directions).max() < 1e-12 < 1e-3 < spectrum(matrix).values[-1]


def test_the_small_cnn_has_eight_rescalings():
    assert rescalings(small_digits_cnn()).shape == (1370, 8)


# ------------------------------------------------- batch norm


def with_batch_norm(seed=0):
    """A residual network in the small, whose batch norm has seen images: float64."""
    torch.manual_seed(seed)
    block = BasicBlock(3, 4)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        block,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 3),
    ).double()
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn_like(p)
    model.train()
    for _ in range(20):
        model(IMAGES + 0.3)
    return model.eval()


def moved(model, move, far):
    other = deepcopy(model)
    w = nn.utils.parameters_to_vector(model.parameters())
    nn.utils.vector_to_parameters(w + far * torch.from_numpy(move), other.parameters())
    return other


def test_a_filter_before_batch_norm_may_be_scaled():
    """The outputs themselves, far from where the weights are and not at first order alone."""
    model = with_batch_statistics(with_batch_norm())
    directions = scale_directions(with_batch_norm(), fixed=False).toarray()
    assert directions.shape[1] == 3 + 4 + 4
    for move in directions.T:
        outputs = moved(model, move, 0.5)(IMAGES)
        assert (outputs - model(IMAGES)).abs().max() < 1e-3  # batch norm's eps is not scaled
        assert (moved(with_batch_norm(), move, 0.5)(IMAGES) - model(IMAGES)).abs().max() > 1e-2


def test_with_fixed_statistics_batch_norm_scales_back():
    """Along the curve (αw, g/α, b + (1 - α)gm/ασ) outputs stay; the direction is its tangent."""
    model = with_batch_norm()
    directions = scale_directions(model, fixed=True).toarray()
    alpha, norm = 1.7, model[1]
    shift = norm.weight * norm.running_mean / (norm.running_var + norm.eps).sqrt()
    for k in range(3):
        other = deepcopy(model)
        with torch.no_grad():
            other[0].weight[k] *= alpha
            other[1].weight[k] /= alpha
            other[1].bias[k] += (1 - alpha) / alpha * shift[k]
        assert (other(IMAGES) - model(IMAGES)).abs().max() < 1e-12
    here = model(IMAGES)
    for move in directions.T:  # what is left is of second order
        near, nearer = ((moved(model, move, h)(IMAGES) - here).abs().max() for h in (1e-3, 1e-5))
        assert nearer < 2e-4 * near + 1e-13


def test_scale_directions_are_orthonormal_and_leave_out_dead_filters():
    model = with_batch_norm()
    with torch.no_grad():
        model[0].weight[1] = 0.0
    for fixed in (True, False):
        found = scale_directions(model, fixed=fixed)
        assert found.shape[1] == 10
        np.testing.assert_allclose((found.T @ found).toarray(), np.eye(10), atol=1e-12)


def test_finite_time_scores_of_a_network_with_batch_norm_are_those_of_its_whole_hessian():
    """Products against the explicit matrix, and the matrix against finite differences of the slope."""
    for model in (with_batch_norm(), with_batch_statistics(with_batch_norm())):
        labels = torch.arange(60) % 3
        loss = FixedLoss(model, (IMAGES, labels))
        H, w = hessian(loss), loss.weights.numpy()
        move = np.random.default_rng(0).standard_normal(len(w))
        ahead, behind = (loss.gradient(torch.from_numpy(w + h * move)) for h in (1e-5, -1e-5))
        np.testing.assert_allclose(H @ move, (ahead - behind) / 2e-5, atol=1e-5)
        values, vectors = np.linalg.eigh(H)
        t, mu = 30.0, 0.6
        u = (np.arange(20_000) + 0.5) / 20_000  # the integral, by the midpoint rule in s = u^μ
        left = [np.exp(-t * max(h, 0) * (1 - u ** (1 / mu))).mean() for h in values]
        sign = np.sign(w)
        wanted = sign * (vectors @ (left * (vectors.T @ sign)))
        found = krylov(loss, products=loss.size).scores(t, mu).s  # untrained: without its check
        np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("norm", "says"),
    [
        (nn.BatchNorm1d(3, affine=False), "with weight and bias"),
        (nn.BatchNorm1d(3), "None in front"),
    ],
)
def test_what_stands_in_front_of_batch_norm_is_checked(norm, says):
    with pytest.raises(ValueError, match=says):
        scale_directions(nn.Sequential(nn.Linear(2, 3, bias="None" in says), norm), fixed=False)
