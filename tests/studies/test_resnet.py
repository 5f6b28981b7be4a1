"""The theorem on a network with batch norm: what is recorded, computed a second time by other means."""

from collections import OrderedDict
from copy import deepcopy
from itertools import pairwise

import numpy as np
import platformdirs
import pytest
import torch
from scipy.special import hyp1f1
from torch import nn
from torch.autograd.functional import hessian
from torch.nn.functional import conv2d, cross_entropy

from grda_edu import recordings
from grda_edu.data import digits
from grda_edu.studies import plan
from grda_edu.studies import resnet as module
from grda_edu.studies.resnet import KINDS, MEASURES, OTHER_ORDER, ROWS, ResNetStudy


def small(seed):
    """Two convolutions with batch norm behind them: 27 + 6 + 108 + 8 + 170 weights."""
    torch.manual_seed(seed)
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 3, 3, stride=2, padding=1, bias=False),
            bn1=nn.BatchNorm2d(3),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False),
            bn2=nn.BatchNorm2d(4),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc=nn.Linear(16, 10),
        )
    )


STUDY = ResNetStudy(
    pairs=((0.02, 0.51), (0.05, 0.6)),
    epochs=6,
    seeds=(3,),
    ordered=(3,),
    images=256,
    products=319,
    data="digits",
    model="small",
    name="tiny",
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache folder of the tests' own, and the small network among the recorder's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platformdirs, "user_cache_dir", lambda *_: str(folder))
        patch.setitem(plan.MODELS, "small", small)
        yield folder


@pytest.fixture(scope="module")
def pieces(cache):
    return {cell: STUDY.measure(cell) for cell in STUDY.cells()}


@pytest.fixture(scope="module")
def piece(pieces):
    return pieces["scores", 3]


@pytest.fixture(scope="module")
def ended(cache, pieces):
    """SGD's network at its end, from the folder where it was kept, and its images."""
    network, _ = STUDY._trained(0.0, 0.51, 3, 3)
    data = digits(validation=0)
    some = [i * len(data.y_train) // 256 for k in (0, 1) for i in range(k, 256, 2)]
    return network.double(), data.x_train[some].double(), data.y_train[some]


# ------------------------------------------------- scores


def loss_of(network, kind, images, labels):
    """w -> the loss, written out: 128 images at a time, each batch norm by the kind's statistics."""
    shapes = [(n, p.shape, p.numel()) for n, p in network.named_parameters()]

    def loss(w):
        parts = w.split([size for _, _, size in shapes])
        p = {n: part.view(shape) for (n, shape, _), part in zip(shapes, parts, strict=True)}
        total = 0.0
        for x, y in zip(images.split(128), labels.split(128), strict=True):
            for k in (1, 2):
                x = conv2d(x, p[f"conv{k}.weight"], stride=2, padding=1)
                bn = getattr(network, f"bn{k}")
                mean, var = (
                    (bn.running_mean, bn.running_var)
                    if kind == "fixed"
                    else (x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0))
                )
                x = (x - mean.view(1, -1, 1, 1)) / (var.view(1, -1, 1, 1) + bn.eps).sqrt()
                gain, bias = (p[f"bn{k}.{name}"].view(1, -1, 1, 1) for name in ("weight", "bias"))
                x = (x * gain + bias).clamp(min=0)
            outputs = x.flatten(1) @ p["fc.weight"].T + p["fc.bias"]
            total = total + cross_entropy(outputs, y, reduction="sum")
        return total / len(labels)

    return loss


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_whole_hessian(piece, ended, kind):
    network, images, labels = ended
    w = nn.utils.parameters_to_vector(network.parameters()).detach()
    H = hessian(loss_of(network, kind, images, labels), w).numpy()
    values, vectors = np.linalg.eigh((H + H.T) / 2)
    t = 6 * 45 * 0.1  # 1,437 images, 32 a step
    sign = np.sign(w.numpy())
    for mu, found in zip((0.51, 0.6), piece[f"sample/{kind}"], strict=True):
        left = hyp1f1(1, 1 + mu, -t * np.maximum(values, 0))
        wanted = sign * (vectors @ (left * (vectors.T @ sign)))
        np.testing.assert_allclose(found, wanted, atol=5e-3)  # kept in half precision


def directions_of(network, kind):
    """Unit vectors along which nothing changes, filter by filter."""
    found = []
    for name, norm in (("conv1.weight", "bn1"), ("conv2.weight", "bn2")):
        for unit in range(len(getattr(network, norm).weight)):
            move = {n: torch.zeros_like(p) for n, p in network.named_parameters()}
            bn = getattr(network, norm)
            move[name][unit] = dict(network.named_parameters())[name].detach()[unit]
            if kind == "fixed":
                gain = bn.weight.detach()[unit]
                move[f"{norm}.weight"][unit] = -gain
                shift = gain * bn.running_mean[unit] / (bn.running_var[unit] + bn.eps).sqrt()
                move[f"{norm}.bias"][unit] = -shift
            found.append(torch.cat([part.flatten() for part in move.values()]).numpy())
    return np.stack([move / np.linalg.norm(move) for move in found])


@pytest.mark.parametrize("kind", KINDS)
def test_what_scale_directions_explain(piece, ended, kind):
    network, *_ = ended
    directions = directions_of(network, kind)
    sign = np.sign(nn.utils.parameters_to_vector(network.parameters()).detach().numpy())
    alone = sign * (directions.T @ (directions @ sign))
    np.testing.assert_allclose(piece[f"sample/scale, {kind}"][0], alone, atol=2e-3)
    moves = sign * piece[f"sample/{kind}"].astype(float)
    along = moves @ directions.T
    share = (along**2).sum(1) / (moves**2).sum(1)
    np.testing.assert_allclose(piece[f"{kind}/share"], share, atol=2e-3)
    kept = np.mean((directions @ sign) ** 2) * len(directions) / (sign**2).sum()
    assert piece[f"{kind}/share of signs"] == pytest.approx(kept, rel=1e-4)
    rest = sign * (moves - along @ directions)
    np.testing.assert_allclose(piece[f"sample/{kind} without scale"], rest, atol=5e-3)


# ------------------------------------------------- evidence


def residual(x, columns):
    columns = np.column_stack(columns)
    return x - columns @ np.linalg.lstsq(columns, x, rcond=None)[0]


def second(piece, setting, among, row):
    """MEASURES of a row of scores, from what is kept of every weight: plain numpy in double precision."""
    sgd, grda = piece["sample/sgd"].astype(float), piece["sample/grda"][setting].astype(float)
    s = piece[f"sample/{row}"][setting].astype(float)
    c, mu = STUDY.pairs[setting]
    lam = c * 0.1**0.5 * 27.0**mu
    looked_at = np.abs(sgd) > 2 * lam * among
    alive = (sgd != 0) & (grda != 0) & looked_at
    estimate = (np.sign(sgd) * (sgd - grda) / lam)[alive]
    ours = s[alive]
    sizes = [p.numel() for p in small(0).parameters()]
    layer = np.repeat(np.arange(len(sizes)), sizes)[alive]
    known = [np.abs(sgd)[alive], *((layer == k).astype(float) for k in range(len(sizes)))]
    scale = [piece[f"sample/scale, {kind}"][setting].astype(float)[alive] for kind in KINDS]
    grew = np.abs(grda)[alive] > np.abs(sgd)[alive]
    crossed = np.sign(grda)[alive] != np.sign(sgd)[alive]
    grew &= ~crossed
    lower = (ours[grew][:, None] < ours[~grew]).mean() + (
        ours[grew][:, None] == ours[~grew]
    ).mean() / 2
    predicted = np.sign(sgd) * np.maximum(np.abs(sgd) - lam * s, 0)
    moves = (predicted - sgd)[looked_at], (grda - sgd)[looked_at]
    return {
        "correlation": np.corrcoef(estimate, ours)[0, 1],
        "partial": np.corrcoef(residual(estimate, known), residual(ours, known))[0, 1],
        "beyond scale": np.corrcoef(
            residual(estimate, known + scale), residual(ours, known + scale)
        )[0, 1],
        "auc": lower,
        "slope": np.cov(estimate, ours)[0, 1] / np.var(ours, ddof=1),
        "cosine": moves[0] @ moves[1] / np.sqrt((moves[0] ** 2).sum() * (moves[1] ** 2).sum()),
        "grew": grew[ours < 0].mean() if (ours < 0).any() else np.nan,
        "negative": (ours < 0).sum(),
    }


@pytest.mark.parametrize("setting", [0, 1])
@pytest.mark.parametrize("among", [0, 1])
@pytest.mark.parametrize("row", [*KINDS, "fixed without scale", "batch without scale"])
def test_evidence_is_what_plain_numpy_makes_of_the_weights(piece, setting, among, row):
    found = dict(zip(MEASURES, piece["evidence"][setting, among, ROWS.index(row)], strict=True))
    wanted = second(piece, setting, among, row)
    assert wanted["auc"] != 0.5 and np.isfinite(wanted["beyond scale"])
    for name, value in wanted.items():
        tolerance = 2 if name == "negative" else 0.1 if name == "grew" else 0.02
        assert found[name] == pytest.approx(value, abs=tolerance, nan_ok=True), name


def test_controls_say_what_they_can(piece):
    def at(row, measure):
        return piece["evidence"][0, 0, ROWS.index(row), MEASURES.index(measure)]

    assert np.isnan(at("scale, batch", "beyond scale"))  # it is what is taken out
    for measure in ("partial", "slope", "cosine"):
        assert np.isnan(at("size", measure))
    assert np.isfinite(at("size", "correlation"))
    assert np.isfinite(at("soft", "cosine")) and np.isnan(at("soft", "slope"))
    sgd = piece["sample/sgd"].astype(float)
    grda = piece["sample/grda"][0].astype(float)
    cut = np.sort(np.abs(sgd))[(grda == 0).sum() - 1]
    soft = np.sign(sgd) * np.maximum(np.abs(sgd) - cut, 0) - sgd
    move = grda - sgd
    wanted = soft @ move / np.linalg.norm(soft) / np.linalg.norm(move)
    assert at("soft", "cosine") == pytest.approx(wanted, abs=2e-3)


def test_density_and_spread_are_those_of_the_survivors(piece):
    for setting in (0, 1):
        sgd, grda = piece["sample/sgd"].astype(float), piece["sample/grda"][setting].astype(float)
        alive = (sgd != 0) & (grda != 0)
        large = np.abs(sgd) > 2 * piece["lam"][setting]
        assert piece["survivors"][setting].tolist() == [alive.sum(), (alive & large).sum()]
        shares = [(grda == 0).mean(), (grda == 0)[large].mean()]
        np.testing.assert_allclose(piece["died"][setting], shares)
        estimate = np.sign(sgd) * (sgd - grda) / piece["lam"][setting]
        of = [estimate, *(piece[f"sample/{kind}"][setting].astype(float) for kind in KINDS)]
        for n, these in enumerate((alive, alive & large)):
            wanted = [(x[these].mean(), x[these].std()) for x in of]
            np.testing.assert_allclose(piece["spread"][setting, n], wanted, atol=2e-3)
        inside = [
            (of[1 + k][alive] >= 0.5)
            & (of[1 + k][alive] <= 1.5)
            & (estimate[alive] >= -1.5)
            & (estimate[alive] <= 3.5)
            for k in range(2)
        ]
        counted = piece["density"][setting].sum((1, 2))
        np.testing.assert_allclose(counted, [x.sum() for x in inside], atol=2)


def test_zeros_and_losses_are_counted(piece, ended):
    sizes = np.cumsum([p.numel() for p in small(0).parameters()])[:-1]
    for setting in (0, 1):
        zeros = [int((part == 0).sum()) for part in np.split(piece["sample/grda"][setting], sizes)]
        assert piece["layer_zeros"][setting].tolist() == zeros
        share = sum(zeros) / len(piece["sample/sgd"])
        assert piece["zeros"][setting + 1, -1] == pytest.approx(share, rel=1e-6)
    network, *_ = ended
    data = digits(validation=0)
    with torch.no_grad():
        outputs = network(data.x_train.double())
    loss = cross_entropy(outputs, data.y_train).item()
    right = (outputs.argmax(1) == data.y_train).double().mean().item()
    np.testing.assert_allclose(piece["train"][0], [loss, right], rtol=1e-3)
    # Statistics renewed from all images at once: a pass in training mode with momentum 1.
    network = deepcopy(network)
    for bn in (network.bn1, network.bn2):
        bn.momentum = 1.0
    with torch.no_grad():
        network.train()(data.x_train.double())
        found = network.eval()(data.x_test.double()).argmax(1)
    right = (found == data.y_test).double().mean().item()
    assert piece["renewed"][0] == pytest.approx(right, abs=0.006)  # two images of 360


# ------------------------------------------------- going on, and the file


def test_it_goes_on_inside_a_piece(cache, piece, monkeypatch):
    """Everything long was kept: nothing is trained or multiplied a second time."""
    monkeypatch.setattr(module, "krylov", lambda *_, **__: pytest.fail("products once more"))
    monkeypatch.setattr("grda_edu.training.kept.train", lambda *_, **__: pytest.fail("trained"))
    again = STUDY.measure(("scores", 3))
    assert again.keys() == piece.keys()
    for name, array in piece.items():
        np.testing.assert_array_equal(again[name], array)


def test_the_other_order_differs_in_the_order_alone(pieces):
    one, other = pieces["scores", 3], pieces["order", 3]
    assert OTHER_ORDER and other["sample/grda"].shape == (1, 319)
    assert not np.array_equal(one["sample/sgd"], other["sample/sgd"])
    estimates = [
        np.sign(p["sample/sgd"]) * (p["sample/sgd"] - p["sample/grda"][0]) for p in (one, other)
    ]
    assert np.corrcoef(*estimates)[0, 1] > 0.05


def test_the_file_has_every_seed_and_says_what_it_is(pieces):
    found = STUDY.arrays(list(pieces.values()))
    about = found["about"]["configuration"]
    assert about["t"] == pytest.approx(27) and about["training_images"] == 1437
    assert about["rows"] == list(ROWS) and sum(about["sizes"]) == 319
    assert found["evidence"].shape == (1, 2, 2, len(ROWS), len(MEASURES))
    np.testing.assert_array_equal(found["order/sgd"][0], pieces["order", 3]["sample/sgd"])
    assert all(np.isfinite(found[name]).all() for name in found if name.startswith("sample/"))


# ------------------------------------------------- what ships


@pytest.mark.parametrize("kind", KINDS)
def test_what_ships_agrees_with_the_densities_and_the_sample(kind):
    """Correlation and slope of all survivors, from counts in bins and from some thousands of them."""
    made = recordings.load_measurements("resnet20")
    a, about = made.arrays, made.configuration
    edges = [np.linspace(*about[name]) for name in ("s_edges", "estimate_edges")]
    s_mid, e_mid = ((x[1:] + x[:-1]) / 2 for x in edges)
    for seed in range(len(about["seeds"])):
        for setting, (_, mu) in enumerate(about["pairs"]):
            row = a["evidence"][seed, setting, 0, ROWS.index(kind)]
            row = dict(zip(MEASURES, row, strict=True))
            counts = a["density"][seed, setting, KINDS.index(kind)].astype(float)
            total = counts.sum()
            assert total > 0.97 * a["survivors"][seed, setting, 0]
            s_mean, e_mean = counts.sum(1) @ s_mid / total, counts.sum(0) @ e_mid / total
            s_var = counts.sum(1) @ (s_mid - s_mean) ** 2 / total
            e_var = counts.sum(0) @ (e_mid - e_mean) ** 2 / total
            both = (s_mid - s_mean) @ counts @ (e_mid - e_mean) / total
            assert row["correlation"] == pytest.approx(both / (s_var * e_var) ** 0.5, abs=0.03)

            sgd, grda = a["sample/sgd"][seed].astype(float), a["sample/grda"][seed, setting]
            alive = (sgd != 0) & (grda != 0)
            estimate = (np.sign(sgd) * (sgd - grda))[alive] / a["lam"][seed, setting]
            s = a[f"sample/{kind}"][seed, about["mus"].index(mu)].astype(float)[alive]
            noise = 1 / alive.sum() ** 0.5
            found = np.corrcoef(estimate, s)[0, 1]
            assert row["correlation"] == pytest.approx(found, abs=4 * noise)
            slope = found * estimate.std() / s.std()
            assert row["slope"] == pytest.approx(slope, abs=4 * noise * estimate.std() / s.std())


def test_pairs_of_layers_are_found_in_the_real_network():
    """Every convolution of the ResNet-20 stands in front of a batch norm: 688 filters."""
    network = plan.MODELS["resnet20"](0)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    behind = {id(a): b for a, b in pairwise(network.modules())}
    assert all(isinstance(behind[id(conv)], nn.BatchNorm2d) for conv in convolutions)
    assert sum(len(conv.weight) for conv in convolutions) == 688
