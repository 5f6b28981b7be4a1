"""Curvature against closed forms, finite differences, and another library."""

import importlib
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from grda_edu import digits, digits_cnn, small_digits_cnn
from grda_edu.geometry.curvature import (
    FixedLoss,
    flat_subspace,
    hessian,
    hessian_gb,
    projected,
    share_in_subspace,
    softmax_shift,
    spectrum,
    symmetries,
    top_eigenpairs,
)


def random_data(n, inputs, outputs=None, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, inputs, generator=generator, dtype=dtype)
    if outputs is None:
        return x, torch.randn(n, 1, generator=generator, dtype=dtype)
    return x, torch.randint(outputs, (n,), generator=generator)


def linear(inputs, outputs, bias=True, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(inputs, outputs, bias=bias).double()


def small(seed=0, images=40):
    """The course's small CNN on a few digits, in double precision."""
    data = digits(validation=0)
    model = small_digits_cnn(seed).double()
    return model, FixedLoss(model, (data.x_train[:images].double(), data.y_train[:images]))


class Quadratic(nn.Module):
    """½ wᵀ A w whatever the data: a Hessian that is known."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = torch.as_tensor(matrix)
        self.w = nn.Parameter(torch.linspace(-1, 1, len(matrix), dtype=self.matrix.dtype))

    def forward(self, x):
        return (0.5 * self.w @ self.matrix @ self.w).expand(len(x))


def quadratic(matrix, images=300):
    model = Quadratic(matrix)
    return FixedLoss(model, random_data(images, 1), lambda outputs, _: outputs.mean())


def rotated(values, seed=0):
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((len(values),) * 2))[0]
    return (turn * np.asarray(values)) @ turn.T, turn


# ------------------------------------------------- closed forms


def test_a_quadratic_has_its_matrix_as_hessian_and_its_eigenvalues():
    values = np.array([-0.5, 0.0, 0.0, 1e-4, 1.0, 30.0])
    matrix, turn = rotated(values)
    found = spectrum(hessian(quadratic(matrix)))
    np.testing.assert_allclose(found.values, values, atol=1e-12)
    for k in (0, 3, 4, 5):
        assert abs(found.vectors[:, k] @ turn[:, k]) == pytest.approx(1)
    np.testing.assert_allclose(
        found.vectors @ np.diag(found.values) @ found.vectors.T, matrix, atol=1e-12
    )


def test_linear_regression():
    """½ mean (xᵀw + b - y)² has the Hessian mean (x, 1)(x, 1)ᵀ; 300 images make several batches."""
    x, y = random_data(300, 4)
    loss = FixedLoss(linear(4, 1), (x, y), lambda out, y: 0.5 * mse_loss(out, y))
    inputs = np.hstack([x.numpy(), np.ones((300, 1))])
    np.testing.assert_allclose(hessian(loss), inputs.T @ inputs / 300, rtol=1e-12)


def test_softmax_regression():
    """mean (diag(p) - ppᵀ) ⊗ xxᵀ, with the outputs first as in the weight of nn.Linear."""
    x, y = random_data(200, 3, outputs=4)
    model = linear(3, 4, bias=False)
    p = torch.softmax(model(x), dim=1).detach().numpy()
    expected = np.mean(
        [
            np.kron(np.diag(q) - np.outer(q, q), np.outer(z, z))
            for q, z in zip(p, x.numpy(), strict=True)
        ],
        axis=0,
    )
    found = hessian(FixedLoss(model, (x, y)))
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert (found == found.T).all()


def test_a_loss_that_is_linear_in_the_weights_has_no_curvature():
    x, y = random_data(20, 3)
    loss = FixedLoss(linear(3, 1), (x, y), lambda out, y: (out * y).mean())
    assert (hessian(loss) == 0).all()
    assert (loss.products()(torch.ones(4)) == 0).all()


def test_value_and_gradient_of_all_batches_together():
    model, _ = small()
    data = digits(validation=0)
    x, y = data.x_train[:300].double(), data.y_train[:300]
    loss = FixedLoss(model, (x, y))
    value = cross_entropy(model(x), y)
    value.backward()
    expected = torch.cat([p.grad.flatten() for p in model.parameters()])
    assert loss() == pytest.approx(value.item(), rel=1e-12)
    torch.testing.assert_close(loss.gradient(), expected)
    assert loss.images == 300 and loss.size == 1370


def test_weights_can_be_given():
    model, loss = small(0)
    _, of_other = small(1)
    assert loss(of_other.weights) == of_other()
    direction = torch.randn(1370, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    there = loss.products(of_other.weights)(direction)
    torch.testing.assert_close(there, of_other.products()(direction))
    assert torch.equal(loss.weights, torch.cat([p.flatten() for p in model.parameters()]))


# ------------------------------------------------- finite differences


def test_products_are_differences_of_gradients_and_columns_are_products():
    _, loss = small()
    rng = torch.Generator().manual_seed(1)
    multiply, whole, w = loss.products(), hessian(loss), loss.weights
    for _ in range(3):
        v = torch.randn(loss.size, generator=rng, dtype=torch.float64)
        h = 1e-7  # within one piece of the ReLUs, in double precision
        slope = (loss.gradient(w + h * v) - loss.gradient(w - h * v)) / (2 * h)
        torch.testing.assert_close(multiply(v), slope, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(whole @ v.numpy(), multiply(v).numpy(), atol=1e-12)


def test_a_frozen_layer_is_no_weight():
    model, _ = small()
    model.conv.requires_grad_(False)
    data = digits(validation=0)
    loss = FixedLoss(model, (data.x_train[:9].double(), data.y_train[:9]))
    assert loss.size == 1290 and len(hessian(loss)) == 1290
    assert softmax_shift(model).shape == (1290, 129)


def test_single_precision_is_close():
    data = digits(validation=0)
    model = small_digits_cnn(0)
    single = hessian(FixedLoss(model, (data.x_train[:40], data.y_train[:40])))
    _, loss = small()
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, hessian(loss), atol=2e-6)


# ------------------------------------------------- top eigenpairs


def test_top_eigenpairs_of_a_quadratic():
    values = np.concatenate([np.linspace(-1, 1, 60), [3.0, 5.0, 5.5, 40.0]])
    matrix, _ = rotated(values)
    top = top_eigenpairs(quadratic(matrix), 3)
    np.testing.assert_allclose(top.values, [40, 5.5, 5.0], rtol=1e-6)
    assert top.converged and top.products >= 20
    np.testing.assert_allclose(matrix @ top.vectors, top.vectors * top.values, atol=5e-3)
    assert (top.residuals <= 1e-3).all()


def test_top_eigenpairs_are_those_of_the_whole_hessian():
    _, loss = small()
    whole = spectrum(hessian(loss))
    top = top_eigenpairs(loss, 6, tol=1e-8)
    np.testing.assert_allclose(top.values, whole.values[::-1][:6], rtol=1e-6)
    overlap = np.linalg.svd(whole.top(6).T @ top.vectors, compute_uv=False)
    np.testing.assert_allclose(overlap, 1, atol=1e-6)


def test_giving_up_is_told():
    values = 1 - 1e-5 * np.arange(400.0)  # hard to tell apart
    matrix, _ = rotated(values)
    top = top_eigenpairs(quadratic(matrix), 5, tol=1e-12, max_products=20)
    assert not top.converged and len(top.values) < 5


def curvlinops():
    """The other library; importing it uses what torch has deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("curvlinops")


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
@pytest.mark.parametrize(("make", "images"), [(small_digits_cnn, 200), (digits_cnn, 64)])
def test_eigenvalues_and_products_against_curvlinops(make, images):
    library = curvlinops()
    from scipy.sparse.linalg import eigsh

    data = digits(validation=0)
    model, batch = make(0), (data.x_train[:images], data.y_train[:images])
    loss = FixedLoss(model, batch)
    other = library.HessianLinearOperator(
        model, nn.CrossEntropyLoss(), list(model.parameters()), [batch]
    )
    v = torch.randn(loss.size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(loss.products()(v), other @ v, rtol=1e-4, atol=1e-5)
    start = np.random.default_rng(1).standard_normal(loss.size).astype(np.float32)
    expected = eigsh(other.to_scipy(), 10, which="LA", v0=start, return_eigenvectors=False)
    top = top_eigenpairs(loss, 10, tol=1e-6)
    np.testing.assert_allclose(top.values, np.sort(expected)[::-1], rtol=1e-4)
    if make is small_digits_cnn:
        whole = spectrum(hessian(loss)).values[::-1][:10]
        np.testing.assert_allclose(whole, np.sort(expected)[::-1], rtol=1e-4)


# ------------------------------------------------- what is flat


def rescaled_pair():
    """y = a·relu(b·x): at a minimum the direction (a, -b) is flat; there the loss is zero."""
    x = torch.linspace(0.1, 2, 20, dtype=torch.float64)[:, None]
    model = nn.Sequential(
        nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1, bias=False)
    ).double()
    with torch.no_grad():
        model[0].weight.fill_(2.0)
        model[2].weight.fill_(1.5)
    return FixedLoss(model, (x, 3.0 * x), mse_loss)


def test_a_rescaled_relu_pair_has_an_exactly_flat_direction():
    found = spectrum(hessian(rescaled_pair()))
    assert abs(found.values[0]) < 1e-12 < 1 < found.values[1]
    flat = flat_subspace(found, 1e-6)
    assert flat.rank == 1
    b, a = 2.0, 1.5
    direction = np.array([b, -a]) / np.hypot(a, b)  # b grows by as much as a shrinks, in proportion
    assert share_in_subspace(direction, flat.basis) == pytest.approx(1)
    assert share_in_subspace(np.array([a, b]), flat.basis) == pytest.approx(0, abs=1e-9)


def test_the_flat_subspace_holds_what_is_below_the_cutoff():
    values = np.array([-2.0, -1e-6, 1e-9, 1e-4, 0.1, 50.0])
    matrix, turn = rotated(values)
    found = spectrum(matrix)
    flat = flat_subspace(found, 1e-3)
    assert (flat.rank, flat.negative, flat.cutoff) == (4, 2, 1e-3)
    assert flat.lowest == pytest.approx(-2)
    np.testing.assert_allclose(flat.projection, turn[:, :4] @ turn[:, :4].T, atol=1e-12)
    np.testing.assert_allclose(flat.projection @ flat.projection, flat.projection, atol=1e-12)
    relative = flat_subspace(found, 0.01, relative=True)
    assert relative.rank == 5 and relative.cutoff == pytest.approx(0.5)


def test_all_or_nothing_is_said_in_words():
    found = spectrum(np.diag([1.0, 2.0]))
    nothing, everything = flat_subspace(found, 0.5), flat_subspace(found, 3.0)
    assert nothing.rank == 0 and "Nothing is flat" in str(nothing)
    assert everything.rank == 2 and "Everything is flat" in str(everything)
    assert (nothing.project(np.ones(2)) == 0).all()
    np.testing.assert_allclose(everything.project(np.ones(2)), 1)
    assert str(flat_subspace(found, 1.5)) == (
        "rank 1 of 2: eigenvalues below 1.5, 0 of them negative"
    )


def test_projecting_and_sharing():
    basis = np.eye(5)[:, :2]
    np.testing.assert_array_equal(projected(np.arange(5.0), basis), [0, 1, 0, 0, 0])
    assert share_in_subspace(np.array([3.0, 0, 4, 0, 0]), basis) == pytest.approx(0.6)
    random = np.random.default_rng(0).standard_normal((900, 60))
    shares = [share_in_subspace(v, np.eye(900)[:, :36]) for v in random.T]
    assert np.mean(shares) == pytest.approx(np.sqrt(36 / 900), rel=0.05)


def test_the_softmax_shift_is_flat_and_counted_apart_from_dead_weights():
    model, _ = small()
    with torch.no_grad():
        model.conv.weight[2] = 0
        model.conv.bias[2] = -1  # channel 2 is dead: 9 + 1 weights before it, 16 · 10 after it
    data = digits(validation=0)
    loss = FixedLoss(model, (data.x_train[:60].double(), data.y_train[:60]))
    shift, whole = softmax_shift(model), hessian(loss)
    assert shift.shape == (1370, 129)
    np.testing.assert_allclose(shift.T @ shift, np.eye(129), atol=1e-12)
    np.testing.assert_allclose(whole @ shift, 0, atol=1e-12)
    w = loss.weights
    assert loss(w + torch.as_tensor(shift @ np.arange(129.0))) == pytest.approx(loss())
    counted = symmetries(whole, shift)
    # Units that no image wakes have ten outgoing weights each, among them one shift.
    with torch.no_grad():
        asleep = (model.relu(model.conv(data.x_train[:60].double())) == 0).all(dim=0)
    units = int(asleep.sum())
    assert counted.dead == 10 + 10 * units and units >= 16
    assert counted.shift == 129 - units
    assert counted.total == counted.dead + counted.shift


def test_no_shift_without_a_last_linear_layer():
    model = nn.Sequential(nn.Linear(3, 2), nn.Conv1d(1, 1, 1))
    assert softmax_shift(model).shape == (10, 0)
    assert symmetries(np.diag([0.0, 1.0]), np.zeros((2, 0))).total == 1


# ------------------------------------------------- bad input


def test_dropout_and_batch_norm_have_to_be_in_evaluation_mode():
    data = random_data(12, 3, outputs=2)
    for layer, words in ((nn.Dropout(0.5), "dropout"), (nn.BatchNorm1d(3), "batch norm")):
        model = nn.Sequential(layer, linear(3, 2)).double()
        with pytest.raises(ValueError, match=rf"0 is {words} .*in training mode.*model\.eval\(\)"):
            FixedLoss(model, data)
        model.eval()
        assert hessian(FixedLoss(model, data)).shape == (len(FixedLoss(model, data).weights),) * 2


def test_chance_of_the_models_own_is_found():
    class Noisy(nn.Linear):
        def forward(self, x):
            return super().forward(x) + torch.randn(len(x), 2)

    with pytest.raises(ValueError, match=r"two evaluations of the loss differ, .* dropout"):
        FixedLoss(Noisy(3, 2), random_data(12, 3, outputs=2, dtype=torch.float32))


def test_a_shuffling_loader_is_found_and_a_fixed_one_is_taken():
    x, y = random_data(50, 3, outputs=2)
    pairs = torch.utils.data.TensorDataset(x, y)
    fixed = torch.utils.data.DataLoader(pairs, batch_size=20)
    loss = FixedLoss(linear(3, 2), fixed)
    np.testing.assert_allclose(hessian(loss), hessian(FixedLoss(linear(3, 2), (x, y))), atol=1e-15)
    shuffled = torch.utils.data.DataLoader(
        pairs, batch_size=20, shuffle=True, generator=torch.Generator().manual_seed(0)
    )
    with pytest.raises(ValueError, match=r"data brought 3 batches and then 3.*without shuffling"):
        FixedLoss(linear(3, 2), shuffled)


def test_what_has_no_hessian_is_refused():
    data = random_data(12, 3, outputs=2)
    with pytest.raises(ValueError, match="no trainable parameters"):
        FixedLoss(linear(3, 2).requires_grad_(False), data)
    with pytest.raises(ValueError, match="data has no images"):
        FixedLoss(linear(3, 2), [])
    broken = linear(3, 2)
    with torch.no_grad():
        broken.bias.fill_(torch.nan)
    with pytest.raises(ValueError, match="the loss is nan: accepted"):
        FixedLoss(broken, data)


def test_a_hessian_too_large_is_refused_with_its_size():
    data = digits(validation=0)
    loss = FixedLoss(digits_cnn(0), (data.x_train[:4], data.y_train[:4]))
    with pytest.raises(ValueError, match=r"13,706 weights needs about 4\.\d GB.*limit_gb = 2"):
        hessian(loss)
    _, little = small()
    with pytest.raises(ValueError, match=r"1,370 weights needs about 0\.\d GB.*limit_gb = 0\.01"):
        hessian(little, limit_gb=0.01)


def test_the_estimate_counts_matrices_and_activations():
    matrix = np.eye(600)
    assert hessian_gb(quadratic(matrix)) == pytest.approx(600**2 * 32 / 1e9, rel=0.1)
    x, y = random_data(128, 3, outputs=2, dtype=torch.float32)
    wide = nn.Sequential(nn.Linear(3, 5000, bias=False).requires_grad_(False), nn.Linear(5000, 2))
    wide[1].weight.requires_grad_(False)
    assert hessian_gb(FixedLoss(wide, (x, y))) > 128 * 5000 * 64 * 4 * 4 / 1e9


def test_progress_is_told_and_can_end_the_work():
    shares = []
    _, loss = small()
    hessian(loss, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) == 22

    def enough(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        hessian(loss, progress=enough)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda loss: loss(torch.ones(3)), r"w has shape \(3,\): accepted is \(1370,\)"),
        (lambda loss: top_eigenpairs(loss, 0), r"k = 0: accepted is an integer from 1 to 1369"),
        (
            lambda loss: top_eigenpairs(loss, 1370),
            r"k = 1370: accepted is an integer from 1 to 1369, below the number",
        ),
    ],
)
def test_bad_requests_of_a_loss(call, words):
    _, loss = small(images=3)
    with pytest.raises(ValueError, match=words):
        call(loss)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spectrum(np.ones((2, 3))), r"matrix has shape \(2, 3\)"),
        (lambda: spectrum(np.array([[1.0, 2], [0, 1]])), "differs from its transpose by 2"),
        (lambda: spectrum(np.array([[np.nan]])), "matrix has NaN or infinity"),
        (
            lambda: spectrum(np.eye(2)).top(3),
            r"k = 3: accepted is an integer from 1 to 2, the number of eigenvalues",
        ),
        (lambda: flat_subspace(spectrum(np.eye(2)), np.nan), "cutoff = nan: accepted is a finite"),
        (lambda: share_in_subspace(np.zeros(2), np.eye(2)), r"move has length 0\.0"),
        (lambda: share_in_subspace(np.ones(3), np.eye(2)), r"basis has shape \(2, 2\).*\(3, k\)"),
        (lambda: projected(np.ones(2), np.ones((2, 1))), "not orthonormal"),
    ],
)
def test_bad_requests_of_arrays(call, words):
    with pytest.raises(ValueError, match=words):
        call()
