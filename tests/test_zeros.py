import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from grda_edu.zeros import masks, sparsity, zeros_by_layer


@pytest.fixture
def model():
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(1.0)
        model[0].weight.copy_(torch.tensor([[0.0, -0.0, 1e-30], [1.0, 0.0, -2.0]]))
        model[2].bias.fill_(0.0)
    return model


def test_zeros_by_layer_counts_exact_zeros_in_order(model):
    counts = zeros_by_layer(model)
    assert list(counts.items()) == [
        ("0.weight", (3, 6)),
        ("0.bias", (0, 2)),
        ("2.weight", (0, 2)),
        ("2.bias", (1, 1)),
    ]
    assert all(type(n) is int for pair in counts.values() for n in pair)


def test_sparsity_counts_every_parameter(model):
    assert sparsity(model) == 4 / 11


def test_masks_are_true_where_a_weight_is_alive(model):
    alive = masks(model)
    assert alive["0.weight"].tolist() == [[False, False, True], [True, False, True]]
    assert {name: (mask.dtype, mask.shape) for name, mask in alive.items()} == {
        name: (torch.bool, p.shape) for name, p in model.named_parameters()
    }


def test_nan_is_not_a_zero(model):
    with torch.no_grad():
        model[0].weight.fill_(torch.nan)
    assert zeros_by_layer(model)["0.weight"] == (0, 6)
    assert masks(model)["0.weight"].all()


def test_a_shared_tensor_counts_once():
    layer = nn.Linear(2, 2, bias=False)
    nn.init.zeros_(layer.weight)
    assert zeros_by_layer(nn.Sequential(layer, layer)) == {"0.weight": (4, 4)}


def test_a_model_without_parameters_is_refused():
    with pytest.raises(ValueError, match="no parameters"):
        sparsity(nn.ReLU())


def stored(at, values):
    return torch.sparse_coo_tensor(at, values, (4, 2), check_invariants=True)


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")  # "… support is in beta state"
@pytest.mark.parametrize(
    "layout",
    [
        lambda w: w.to_sparse_coo(),
        lambda w: stored([[0, 1, 2], [1, 1, 0]], [1.0, 0.0, -2.0]),  # a zero, stored
        lambda w: stored([[0, 0, 2], [1, 1, 0]], [3.0, -2.0, -2.0]),  # one place twice: 3 - 2
        lambda w: w.to_sparse_csr(),
        lambda w: w.to_sparse_csc(),
        lambda w: w.to_sparse_bsr((2, 2)),
        lambda w: w.to_sparse_bsc((2, 2)),
    ],
    ids=["coo", "a stored zero", "a place twice", "csr", "csc", "bsr", "bsc"],
)
def test_a_sparse_layout_counts_as_what_it_stands_for(layout):
    dense = torch.tensor([[0.0, 1.0], [0.0, 0.0], [-2.0, 0.0], [0.0, 0.0]])
    model = nn.Linear(2, 4, bias=False)
    model.weight = nn.Parameter(layout(dense))
    assert zeros_by_layer(model) == {"weight": (6, 8)}
    assert sparsity(model) == 6 / 8
    assert masks(model)["weight"].tolist() == (dense != 0).tolist()


# ------------------------------------------------- weights that a layer computes


def test_what_is_pruned_counts_by_its_mask():
    layer = nn.Linear(4, 2)
    nn.init.ones_(layer.weight)
    nn.init.ones_(layer.bias)
    model = nn.Sequential(layer, nn.BatchNorm1d(2, affine=False))  # a mean of zeros is no weight
    prune.custom_from_mask(layer, "weight", torch.tensor([[1, 0, 0, 0], [1, 1, 1, 0]]))
    prune.custom_from_mask(layer, "bias", torch.tensor([0, 1]))
    assert zeros_by_layer(model) == {"0.weight": (4, 8), "0.bias": (1, 2)}
    assert sparsity(model) == 5 / 10
    assert masks(model)["0.weight"].tolist() == [[True, *[False] * 3], [*[True] * 3, False]]
    prune.remove(layer, "weight")
    prune.remove(layer, "bias")
    assert sparsity(model) == 5 / 10


class Halved(nn.Module):
    """Only the first column lives; it has a parameter that is no weight of the layer."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, w):
        return self.scale * w * (torch.arange(w.shape[1]) < 1)


def test_what_is_parametrized_counts_as_the_layer_uses_it():
    model = nn.Sequential(nn.Linear(4, 2))
    parametrize.register_parametrization(model[0], "weight", Halved())
    assert zeros_by_layer(model) == {"0.weight": (6, 8), "0.bias": (0, 2)}
    assert masks(model)["0.weight"].tolist() == [[True, False, False, False]] * 2


@pytest.mark.parametrize("function", ["weight_norm", "spectral_norm", "orthogonal"])
def test_counting_changes_nothing(function):
    """A spectral norm in training takes a step of its power iteration whenever it is asked."""
    model = getattr(parametrizations, function)(nn.Linear(4, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert zeros_by_layer(model)["weight"] == (0, 16)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_weights_of_eight_bits_count():
    model = nn.Linear(3, 1, bias=False)
    model.weight = nn.Parameter(torch.tensor([[0.0, 1.0, -0.0]]).to(torch.float8_e4m3fn))
    assert zeros_by_layer(model) == {"weight": (2, 3)}


def quantised():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2, 3))
    return torch.ao.quantization.quantize_dynamic(model)


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (quantised, "2 is a quantised Linear, whose weights are no parameters"),
        (
            lambda: nn.utils.weight_norm(nn.Linear(2, 2)),
            "Linear is under torch.nn.utils.weight_norm",
        ),
        (lambda: nn.Linear(2, 2, device="meta"), "weight is lazy or on the meta device"),
        (lambda: nn.LazyLinear(2), "weight is lazy or on the meta device"),
    ],
)
def test_what_cannot_be_counted_is_named(make, words):
    for count in (zeros_by_layer, sparsity, masks):
        with pytest.raises(ValueError, match=words):
            count(make())
