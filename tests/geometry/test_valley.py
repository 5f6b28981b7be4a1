"""Paths, curves and planes: against closed forms, de Casteljau's construction and least squares."""

import math
from threading import Event

import numpy as np
import pytest
import torch
from torch import nn

from grda_edu.data import Data, digits
from grda_edu.geometry.valley import (
    Curve,
    bezier,
    measure_along,
    measure_plane,
    plane_through,
    put_weights,
    renew_batch_norm,
    straight_line,
    train_curve,
    weights_of,
)
from grda_edu.models import small_digits_cnn
from grda_edu.training.loop import evaluate

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
    ),
]
KINDS = {"numpy": np.asarray, "torch": lambda a: torch.from_numpy(np.asarray(a))}


class Given(nn.Module):
    """A model whose cross-entropy on label 0 is q(w) > 0, whatever the images.

    Its outputs (-q, log(1 - e^-q)) are log-probabilities already: -log softmax_0 is q.
    """

    def __init__(self, q, size):
        super().__init__()
        self.q = q
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x):
        q = self.q(self.w)
        return torch.stack([-q, torch.log(-torch.expm1(-q))]).expand(len(x), 2)


def images(x, y=None):
    y = torch.zeros(len(x), dtype=torch.int64) if y is None else y
    return Data("given", x, y, x[:0], y[:0], x[:2], y[:2], 0.0, 1.0, 2)


def blank(count=4):
    return images(torch.zeros(count, 1, dtype=torch.float64))


def ring(w):
    """A round valley of radius 1: lowest on the circle, a hill in its middle."""
    return 0.01 + 2 * ((w * w).sum() - 1) ** 2


def at_angle(degrees):
    return np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])


@pytest.fixture
def quadratic():
    """(model, numpy function) of 0.01 + ½(w - m)ᵀA(w - m) in five dimensions, and a generator."""
    rng = np.random.default_rng(3)
    root, m = rng.normal(size=(5, 5)) / 2, rng.normal(size=5)
    A, lowest = torch.from_numpy(root @ root.T), torch.from_numpy(m)
    model = Given(lambda w: 0.01 + 0.5 * (w - lowest) @ A @ (w - lowest), 5)
    return model, lambda w: 0.01 + 0.5 * (w - m) @ root @ root.T @ (w - m), rng


# ------------------------------------------------- paths


@pytest.mark.parametrize("kind", KINDS)
def test_paths_end_exactly_where_they_should(kind):
    rng = np.random.default_rng(0)
    start, middle, end = (KINDS[kind](rng.normal(size=50).astype(np.float32)) for _ in range(3))
    assert (straight_line(start, end, 0) == start).all()
    assert (straight_line(start, end, 1) == end).all()
    assert (bezier(start, middle, end, 0) == start).all()
    assert (bezier(start, middle, end, 1) == end).all()
    assert type(bezier(start, middle, end, 0.3)) is type(start)


def test_bezier_is_de_casteljaus_construction():
    """Three straight lines, one after the other, give the same point."""
    start, middle, end = np.random.default_rng(1).normal(size=(3, 7))
    for t in np.linspace(0, 1, 9):
        leg, other = straight_line(start, middle, t), straight_line(middle, end, t)
        np.testing.assert_allclose(bezier(start, middle, end, t), straight_line(leg, other, t))
    np.testing.assert_allclose(
        bezier(start, middle, end, 0.5), start / 4 + middle / 2 + end / 4, rtol=1e-12
    )


def test_bezier_with_its_middle_half_way_is_the_straight_line():
    start, end = np.random.default_rng(2).normal(size=(2, 7))
    for t in (0.1, 0.5, 0.8):
        np.testing.assert_allclose(
            bezier(start, (start + end) / 2, end, t), straight_line(start, end, t)
        )


# ------------------------------------------------- the loss along a path


def test_loss_along_a_line_and_a_curve_over_a_quadratic(quadratic):
    model, q, rng = quadratic
    start, middle, end = rng.normal(size=(3, 5))
    curve = Curve(start, middle, end)
    for path in (curve, lambda t: straight_line(start, end, t)):
        points = [path(t) for t in np.linspace(0, 1, 6)]
        seen = measure_along(model, points, blank())
        np.testing.assert_allclose(seen["train_loss"], [q(w) for w in points], rtol=1e-9)
        right = [float(q(w) < math.log(2)) for w in points]  # then output 0 is the larger
        np.testing.assert_array_equal(seen["train_accuracy"], right)
    assert (weights_of(model) == 0).all()  # a copy was moved about


@pytest.mark.parametrize("device", DEVICES)
def test_the_ends_of_a_path_are_the_two_networks(device):
    data = digits().to(device)
    one, other = small_digits_cnn(0).to(device), small_digits_cnn(1).to(device)
    a, b = weights_of(one), weights_of(other)
    points = [straight_line(a, b, t) for t in (0, 1)]
    seen = measure_along(one.train(), points, data, ("train", "val", "test"))
    for k, model in enumerate((one, other)):
        for part in ("train", "val", "test"):
            loss, accuracy = evaluate(model, getattr(data, f"x_{part}"), getattr(data, f"y_{part}"))
            assert seen[f"{part}_loss"][k] == loss
            assert seen[f"{part}_accuracy"][k] == accuracy
    assert one.training
    assert torch.equal(weights_of(one), a)


def test_weights_go_out_and_come_back():
    model, other = small_digits_cnn(0), small_digits_cnn(1)
    taken = weights_of(other)
    flat = torch.cat([p.detach().flatten() for p in other.parameters()])
    assert torch.equal(taken, flat)
    put_weights(model, taken.numpy())
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(p, q)
    taken.zero_()  # neither shares memory with the vector
    assert torch.equal(weights_of(model), flat) and torch.equal(weights_of(other), flat)


# ------------------------------------------------- batch norm


class Normed(nn.Module):
    """Two batch norms, and dropout between them."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(6, 5), nn.Linear(5, 3)
        self.norm, self.norm2 = nn.BatchNorm1d(5), nn.BatchNorm1d(3)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.norm2(self.last(self.drop(torch.relu(self.norm(self.first(x))))))


@pytest.fixture
def normed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        x, y = torch.randn(200, 6) * 3 + 1, torch.randint(3, (200,))
        return Normed().double(), images(x.double(), y)


def by_hand(model, x):
    """Outputs and statistics of ``Normed`` with the statistics of ``x`` itself, in numpy."""
    p = {k: v.detach().numpy() for k, v in model.named_parameters()}
    statistics = []

    def normalised(h, name):
        mean, var = h.mean(axis=0), h.var(axis=0, ddof=1)
        statistics.append((mean, var))
        return (h - mean) / np.sqrt(var + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]

    h = x.numpy() @ p["first.weight"].T + p["first.bias"]
    # The second norm sees the first one's batch, normalised with the biased variance.
    biased = (h - h.mean(axis=0)) / np.sqrt(h.var(axis=0) + 1e-5)
    seen = np.maximum(biased * p["norm.weight"] + p["norm.bias"], 0)
    mean2 = (seen @ p["last.weight"].T + p["last.bias"]).mean(axis=0)
    h = np.maximum(normalised(h, "norm"), 0)
    out = normalised(h @ p["last.weight"].T + p["last.bias"], "norm2")
    return out, statistics[0], mean2


def test_batch_norm_takes_its_statistics_anew(normed):
    model, data = normed
    model.train()
    model.drop.eval()
    momentum = model.norm.momentum
    assert renew_batch_norm(model, data.x_train) == 2
    _, (mean, var), mean2 = by_hand(model, data.x_train)
    np.testing.assert_allclose(model.norm.running_mean, mean, rtol=1e-9)
    np.testing.assert_allclose(model.norm.running_var, var, rtol=1e-9)
    np.testing.assert_allclose(model.norm2.running_mean, mean2, rtol=1e-9)  # dropout was off
    assert model.training and model.norm.training and not model.drop.training
    assert model.norm.momentum == momentum
    assert renew_batch_norm(small_digits_cnn(0), digits().x_train) == 0


def test_batch_norm_is_renewed_at_every_point_of_a_path(normed):
    model, data = normed
    start = weights_of(model)
    end = start + 3 * torch.linspace(-1, 1, len(start)).sin()
    points = [straight_line(start, end, t) for t in (0.0, 0.4, 1.0)]
    seen = measure_along(model, points, data)["train_loss"]
    stale = []
    for k, point in enumerate(points):
        put_weights(model, point)
        outputs = torch.from_numpy(by_hand(model, data.x_train)[0])
        expected = nn.functional.cross_entropy(outputs, data.y_train).item()
        assert seen[k] == pytest.approx(expected, rel=1e-2)
        stale.append(evaluate(model, data.x_train, data.y_train)[0])
    assert np.abs(np.array(stale) - seen).max() > 0.1  # it makes a difference here
    assert (model.norm.running_mean == 0).all()  # the model itself keeps what it had


# ------------------------------------------------- the curve


def test_the_middle_goes_where_the_mean_loss_over_a_quadratic_is_lowest():
    """½|w - m|²: E b(p + bθ) = 0 with b = 2t(1-t), p = (1-t)²s + t²e gives θ - m = -¾(s + e - 2m)."""
    m = np.array([0.3, -0.2, 0.5])
    model = Given(lambda w: 0.01 + 0.5 * ((w - torch.from_numpy(m)) ** 2).sum(), 3)
    start, end = m + np.array([1.0, 0.0, 0.2]), m + np.array([0.0, 1.0, 0.2])
    curve = train_curve(
        model, blank(40), start, end, epochs=60, batch_size=1, lr=0.02, momentum=0.5
    )
    np.testing.assert_allclose(curve.middle.numpy() - m, -0.75 * (start + end - 2 * m), atol=0.05)
    assert (curve(0).numpy() == start).all() and (curve(1).numpy() == end).all()


def test_a_curve_goes_around_a_hill():
    start, end = at_angle(20), at_angle(140)
    curve = train_curve(Given(ring, 2), blank(16), start, end, epochs=60, batch_size=1, lr=0.02)
    assert curve.losses[0].max() > 5 * curve.losses[curve.chosen].max()
    for t in (0.25, 0.5, 0.75):
        assert np.linalg.norm(straight_line(start, end, t)) < 0.7
        assert np.linalg.norm(curve(t)) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("lr", [0.02, 1.0, 30.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_trained_curve_is_never_worse_than_the_line_at_its_maximum(lr, seed):
    start, end = np.random.default_rng(seed).normal(size=(2, 2))
    model, data = Given(ring, 2), blank(8)
    curve = train_curve(model, data, start, end, epochs=6, batch_size=1, lr=lr, seed=seed)
    line = [straight_line(start, end, t) for t in curve.t]
    of_line = measure_along(model, line, data)["train_loss"]
    of_curve = measure_along(model, [curve(t) for t in curve.t], data)["train_loss"]
    assert of_curve.max() <= of_line.max()
    np.testing.assert_allclose(curve.losses[0], of_line, rtol=1e-9)
    np.testing.assert_allclose(curve.losses[curve.chosen], of_curve, rtol=1e-9)
    np.testing.assert_array_equal(curve.epoch, [0, 3, 6][: len(curve.epoch)])


@pytest.mark.parametrize("device", DEVICES)
def test_a_curve_between_two_networks(device):
    data = digits().to(device)
    model, other = small_digits_cnn(0).to(device), small_digits_cnn(1).to(device)
    start, end = weights_of(model), weights_of(other)

    def trained(seed=0, **more):
        return train_curve(model, data, start, end, epochs=2, check_every=1, seed=seed, **more)

    fractions = []
    curve = trained(progress=lambda curve, fraction: fractions.append(fraction))
    assert curve.losses.shape == (3, 11)
    assert (np.diff(curve.losses.mean(axis=1)) < 0).all()
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert torch.equal(weights_of(model), start)
    assert torch.equal(trained().middle, curve.middle)  # seeded
    assert not torch.equal(trained(seed=1).middle, curve.middle)


def test_stop_ends_the_training_with_the_best_so_far():
    stop = Event()

    def stop_after_the_first_check(curve, fraction):
        if len(curve.epoch) > 1:
            stop.set()

    curve = train_curve(
        Given(ring, 2),
        blank(8),
        at_angle(20),
        at_angle(140),
        epochs=50,
        check_every=1,
        batch_size=1,
        progress=stop_after_the_first_check,
        stop=stop,
    )
    assert curve.message == "stopped in epoch 2"
    assert curve.epoch.tolist() == [0, 1]


def test_a_curve_that_diverges_says_so_and_the_line_remains():
    bad = Given(lambda w: 0.01 + (w**4).sum(), 1)
    curve = train_curve(bad, blank(), np.array([1.0]), np.array([2.0]), epochs=5, lr=1e9)
    assert curve.message.startswith("diverged: the loss became ")
    np.testing.assert_array_equal(curve.middle, [1.5])


# ------------------------------------------------- planes


@pytest.fixture(params=KINDS)
def plane(request):
    points = [KINDS[request.param](p) for p in np.random.default_rng(5).normal(size=(3, 40))]
    return plane_through(*points), points


def test_a_plane_holds_its_three_points(plane):
    plane, points = plane
    first, second = (np.asarray(axis) for axis in plane.axes)
    np.testing.assert_allclose(
        [first @ first, second @ second, first @ second], [1, 1, 0], atol=1e-12
    )
    for k, point in enumerate(points):
        np.testing.assert_allclose(plane.project(point), plane.corners[k], atol=1e-12)
        np.testing.assert_allclose(plane.point(*plane.corners[k]), point, atol=1e-12)
        assert plane.distance(point) < 1e-12
    assert plane.corners[0].tolist() == [0, 0]
    assert plane.corners[1, 1] == 0 < plane.corners[2, 1]
    # distances between the points are those in the plane
    for i, j in ((0, 1), (0, 2), (1, 2)):
        apart = np.linalg.norm(np.asarray(points[i]) - np.asarray(points[j]))
        assert np.linalg.norm(plane.corners[i] - plane.corners[j]) == pytest.approx(apart)


def test_projecting_is_least_squares(plane):
    plane, points = plane
    kind = type(points[0])
    walk = np.random.default_rng(6).normal(size=(7, 40))
    as_given = torch.from_numpy(walk) if kind is torch.Tensor else walk
    basis = np.stack([np.asarray(axis) for axis in plane.axes], axis=1)
    away = (walk - np.asarray(points[0])).T
    expected, squares, *_ = np.linalg.lstsq(basis, away, rcond=None)
    np.testing.assert_allclose(plane.project(as_given), expected.T, atol=1e-12)
    np.testing.assert_allclose(plane.distance(as_given), np.sqrt(squares), rtol=1e-9)
    np.testing.assert_allclose(plane.project(as_given[2]), expected[:, 2], atol=1e-12)


def test_loss_on_a_plane_over_a_quadratic(quadratic):
    model, q, rng = quadratic
    plane = plane_through(*rng.normal(size=(3, 5)))
    a, b = plane.grid(4, 0.1)
    b = b[:3]
    seen = measure_plane(model, plane, a, b, blank(), ("train", "test"))
    first, second = (np.asarray(axis) for axis in plane.axes)
    expected = [[q(np.asarray(plane.origin) + x * first + y * second) for x in a] for y in b]
    np.testing.assert_allclose(seen["train_loss"], expected, rtol=1e-9)
    np.testing.assert_allclose(seen["test_loss"], expected, rtol=1e-9)
    assert seen["test_accuracy"].shape == (3, 4)


def test_a_grid_leaves_room_around_what_it_shows(plane):
    plane, _ = plane
    a, b = plane.grid(5, margin=0.5, around=np.array([[30.0, -2.0]]))
    low, high = plane.corners.min(axis=0), plane.corners.max(axis=0)
    room = 0.5 * max(30 - low[0], high[1] + 2)
    np.testing.assert_allclose(a[[0, -1]], [low[0] - room, 30 + room])
    np.testing.assert_allclose(b[[0, -1]], [-2 - room, high[1] + room])
    assert len(a) == len(b) == 5
    np.testing.assert_allclose(plane.grid(2, 0)[0], [low[0], high[0]])


def test_a_thin_triangle_still_has_orthonormal_axes():
    rng = np.random.default_rng(7)
    first, along, across = rng.normal(size=(3, 1000)).astype(np.float32)
    plane = plane_through(first, first + along, first + 0.5 * along + 1e-3 * across)
    assert abs(plane.axes[0] @ plane.axes[1]) < 1e-5
    assert plane.corners[2, 1] == pytest.approx(1e-3 * np.linalg.norm(across), rel=0.01)


# ------------------------------------------------- bad input

V = np.arange(4.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: straight_line(V, np.zeros(5), 0.5),
            r"end has shape \(5,\): accepted is \(4,\), as many numbers as start",
        ),
        (lambda: bezier(V, V[:3], V, 0.5), r"middle has shape \(3,\): accepted is \(4,\)"),
        (lambda: bezier(V[None], V, V, 0.5), r"start has shape \(1, 4\): accepted is one axis"),
        (lambda: plane_through(V, V + 1, V[:2]), r"third has shape \(2,\): accepted is \(4,\)"),
        (lambda: plane_through(V, V, V + 1), r"second is the same point as first"),
        (lambda: plane_through(V, V + 1, V), r"third is the same point as first"),
        (lambda: plane_through(V, V + 1, V + 1), r"third is the same point as second"),
        (
            lambda: plane_through(V, V + 1, V + 3),
            r"third is .* away from the line through first and second: accepted",
        ),
        (
            lambda: plane_through(V, V * math.nan, V + 3),
            r"second has NaN or infinity among its numbers",
        ),
        (
            lambda: plane_through(V, V + 1, V**2).project(V[:3]),
            r"shape \(3,\): accepted are vectors of 4 numbers",
        ),
        (lambda: plane_through(V, V + 1, V**2).grid(1), r"size = 1: accepted is an integer >= 2"),
        (
            lambda: put_weights(Given(ring, 2), V),
            r"weights has shape \(4,\): accepted is \(2,\), the model's",
        ),
        (lambda: measure_along(Given(ring, 2), [V], blank()), r"accepted is \(2,\), the model's"),
        (
            lambda: measure_along(Given(ring, 4), [V], blank(), ["x"]),
            r"part = 'x': accepted is one of 'train', 'val', 'test'",
        ),
        (lambda: train_curve(Given(ring, 4), blank(), V, V), r"end is the same point as start"),
        (
            lambda: train_curve(Given(ring, 4), blank(), V, V[:3]),
            r"end has shape \(3,\): accepted is \(4,\)",
        ),
        (
            lambda: train_curve(Given(ring, 2), blank(), V, V + 1),
            r"accepted is \(2,\), the model's",
        ),
        (
            lambda: train_curve(Given(ring, 4), blank(), V, V + 1, epochs=0),
            r"epochs = 0: accepted is an integer >= 1",
        ),
        (lambda: train_curve(Given(ring, 4), blank(), V, V + 1, lr=-1.0), r"lr = -1\.0: accepted"),
        (
            lambda: train_curve(Given(ring, 4), blank(), V, V + 1, momentum=1.0),
            r"momentum = 1\.0: accepted is a number in \[0, 1\)",
        ),
        (
            lambda: train_curve(Given(ring, 4), blank(), V, V + 1, points=1),
            r"points = 1: accepted is an integer >= 2",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
