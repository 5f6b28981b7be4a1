"""Dead units leave a network and its outputs stay: by hand, at random, and on a network that gRDA trained."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import prune

from grda_edu import GRDA, digits, digits_cnn, sparsity, train
from grda_edu.sparse.compaction import compact


def kill(layer, units, bias=0.0):
    """Take all incoming weights of some units; what is left of them is their bias."""
    with torch.no_grad():
        layer.weight[units] = 0
        if layer.bias is not None:
            layer.bias[units] = bias


def deafen(layer, inputs):
    with torch.no_grad():
        layer.weight[:, inputs] = 0


def lively(model, seed=0):
    """Float64, statistics and norms away from where they start, evaluation mode."""
    torch.manual_seed(seed)
    model = model.double()
    for module in model.modules():
        for name, value in [
            *module.named_parameters(recurse=False),
            *module.named_buffers(recurse=False),
        ]:
            if value.is_floating_point():
                value.data.copy_(torch.randn(value.shape) * 0.5)
                if name == "running_var":
                    value.data.abs_().add_(0.3)
    return model.eval()


def assert_same(model, small, *shape, tolerance=1e-9):
    x = torch.randn(32, *shape, dtype=next(model.parameters()).dtype)
    with torch.no_grad():
        torch.testing.assert_close(small(x), model.eval()(x), rtol=tolerance, atol=tolerance)


# ------------------------------------------------- by hand


def test_a_perceptron_by_hand():
    """Unit 0 is dead with a bias, unit 1 with none, unit 2 is never heard: 3 of 5 go."""
    model = lively(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)))
    kill(model[0], [0], 0.7)
    kill(model[0], [1], -0.7)
    deafen(model[2], [2])
    before = copy.deepcopy(model.state_dict())
    made = compact(model)
    small = made.model
    assert made.removed == {"0": 3} and made.left == {}
    assert made.parameters == (4 * 5 + 5 + 5 * 3 + 3, 4 * 2 + 2 + 2 * 3 + 3)
    assert (small[0].out_features, small[2].in_features) == (2, 2)
    torch.testing.assert_close(small[2].bias, model[2].bias + 0.7 * model[2].weight[:, 0])
    assert torch.equal(small[0].weight, model[0].weight[3:])
    assert_same(model, small, 4)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert str(made).splitlines() == ["43 parameters, now 19", "0: 3 units removed"]


def test_death_spreads_forwards_and_backwards():
    """A layer whose inputs are all constant is constant; who is heard only by the dead is not heard."""
    model = lively(
        nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    )
    kill(model[0], [0, 1], 0.4)
    with torch.no_grad():
        model[2].weight[2:, 2:] = 0  # units 2 to 5 hear only constants
        model[2].weight[:2, 3] = 0  # and nobody hears unit 3 of the first layer
    made = compact(model)
    assert made.removed == {"0": 3, "2": 4}
    assert_same(model, made.model, 3)


def test_nothing_dead_nothing_done():
    model = lively(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)))
    made = compact(model)
    assert made.removed == made.left == {} and made.parameters[0] == made.parameters[1]
    assert_same(model, made.model, 4)


def test_a_layer_keeps_one_unit():
    model = lively(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)))
    kill(model[0], [0, 1, 2, 3], 0.5)
    made = compact(model)
    assert made.model[0].out_channels == 1
    why = {"a layer keeps one unit": 1}
    assert made.left == {"0": why, "3": {"the network gives them out": 3}}  # all is constant now
    assert_same(model, made.model, 1, 8, 8)


def test_outputs_stay():
    model = lively(nn.Sequential(nn.Linear(4, 3)))
    kill(model[0], [1], 0.3)
    made = compact(model)
    assert made.removed == {} and made.left == {"0": {"the network gives them out": 1}}


# ------------------------------------------------- convolutions and their borders


def made_lazily(**options):
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 4, 3, **options), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)),
    )
    model(torch.zeros(1, 1, 8, 8))
    return lively(model)


@pytest.mark.parametrize(
    ("options", "removed"),
    [
        ({"padding": 1}, 2),
        ({"padding": "same"}, 2),
        ({"padding": (0, 1)}, 2),
        ({}, 3),
        ({"padding": "valid"}, 3),
        ({"padding": 1, "padding_mode": "reflect"}, 3),
        ({"padding": 1, "padding_mode": "circular"}, 3),
        ({"stride": 2, "dilation": 1, "bias": False}, 3),
    ],
    ids=str,
)
def test_a_constant_that_zero_padding_would_replace_stays(options, removed):
    """Filter 0 gives relu(−0.5) = 0, filter 1 gives 0.8, filter 2 is not heard."""
    model = made_lazily(**options)
    kill(model[0], [0], -0.5)
    kill(model[0], [1], 0.8)
    deafen(model[3], [2])
    made = compact(model)
    assert made.removed == {"0": removed}
    why = {"0": {"zero padding would be seen in place of their constant": 1}}
    assert made.left == ({} if removed == 3 else why)
    assert_same(model, made.model, 1, 8, 8)


def test_a_convolution_behind_padding_is_no_constant_though_its_inputs_are():
    """Its outputs differ at the border: only where the constant is zero may it count as one."""
    model = lively(
        nn.Sequential(
            nn.Conv2d(1, 3, 1), nn.Conv2d(3, 4, 3, padding=1), nn.Flatten(), nn.Linear(144, 2)
        )
    )
    kill(model[0], [0, 1], 0.8)
    with torch.no_grad():
        model[1].weight[:2, 2] = 0  # units 0 and 1 hear the two constants alone
    made = compact(model)
    assert made.removed == {}
    assert_same(model, made.model, 1, 6, 6)


@pytest.mark.parametrize("counts", [True, False])
def test_an_average_over_padding(counts):
    pool = nn.AvgPool2d(3, padding=1, count_include_pad=counts)
    model = lively(nn.Sequential(nn.Conv2d(1, 4, 1), pool, nn.Flatten(), nn.Linear(16, 2)))
    kill(model[0], [0], 0.8)
    kill(model[0], [1], 0.0)
    made = compact(model)
    assert made.removed == {"0": 1 if counts else 2}
    assert_same(model, made.model, 1, 6, 6)


# ------------------------------------------------- batch norm


def test_batch_norm_goes_along_and_its_own_zeros_count():
    model = lively(
        nn.Sequential(
            *(nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU()),
            *(nn.Conv2d(6, 5, 3), nn.BatchNorm2d(5), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3)),
        )
    )
    kill(model[0], [1], 0.4)
    with torch.no_grad():
        model[1].weight[[2, 3]] = 0
        model[4].weight[0] = 0
    made = compact(model)
    assert made.removed == {"0": 3, "3": 1}
    assert made.model[1].num_features == 3 and made.model[4].running_mean.shape == (4,)
    assert_same(model, made.model, 1, 8, 8)


def test_batch_norm_of_vectors_and_without_parameters():
    model = lively(
        nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6, affine=False), nn.ReLU(), nn.Linear(6, 2))
    )
    kill(model[0], [0, 5], 0.4)
    made = compact(model)
    assert made.removed == {"0": 2}
    assert_same(model, made.model, 4)


def test_batch_norm_without_statistics_stays():
    """It judges every batch anew; what it gives for a constant is not asked here."""
    norm = nn.BatchNorm1d(6, track_running_stats=False)
    model = lively(nn.Sequential(nn.Linear(4, 6), norm, nn.ReLU(), nn.Linear(6, 2)))
    kill(model[0], [0], 0.4)
    assert compact(model).removed == {}


def test_the_small_network_trains_on():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 3)
    )
    kill(model[0], [0, 1])
    small = compact(model).model.train()
    optimizer = torch.optim.SGD(small.parameters(), lr=0.1)
    for _ in range(2):
        small(torch.randn(8, 1, 8, 8)).square().mean().backward()
        optimizer.step()
    assert small[1].running_mean.shape == (4,) and model.training


# ------------------------------------------------- sums, joints, other paths


class Residual(nn.Module):
    def __init__(self, width=6, joined=False):
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.one = nn.Conv2d(width, 5, 3, padding=1)
        self.two = nn.Conv2d(5, width, 1)
        self.norm = nn.BatchNorm2d(width)
        self.act = nn.ReLU(inplace=True)
        self.joined = joined
        self.head = nn.Linear(width * (2 if joined else 1), 3)

    def forward(self, x):
        x = F.relu(self.stem(x))
        y = self.norm(self.two(self.act(self.one(x))))
        x = self.act(torch.cat([x, y], 1) if self.joined else x + y)
        return self.head(x.mean((2, 3)))


def test_a_sum_loses_a_unit_when_both_sides_are_dead():
    model = lively(Residual())
    kill(model.stem, [0, 1, 2])
    kill(model.two, [0, 1, 3])
    with torch.no_grad():
        model.norm.bias[[0, 1]] = torch.tensor([0.3, -0.3], dtype=torch.float64)
    made = compact(model)
    assert made.removed == {"stem": 2, "two": 2}
    assert made.left == {
        "stem": {"they are added to units that live": 1},
        "two": {"they are added to units that live": 1},
    }
    assert_same(model, made.model, 1, 7, 7)


def test_a_unit_inside_a_branch_is_free_to_go():
    model = lively(Residual())
    kill(model.one, [0, 4], 0.2)
    made = compact(model)
    assert made.removed == {"one": 2}
    assert_same(model, made.model, 1, 7, 7)


def test_what_is_joined_keeps_its_order():
    model = lively(Residual(joined=True))
    kill(model.stem, [0, 5], -0.2)
    kill(model.two, [2], 0.4)
    deafen(model.head, [1, 9])
    made = compact(model)
    assert made.removed["two"] == 2 and made.removed["stem"] >= 2
    assert_same(model, made.model, 1, 7, 7)


class Twice(nn.Module):
    """Joined with itself, flattened by hand."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36 * 2, 3)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = torch.cat([x, x], dim=1)
        return self.head(F.dropout(x.view(x.size(0), -1), 0.5, training=self.training))


def test_a_value_used_twice_and_a_view():
    model = lively(Twice())
    kill(model.conv, [1], 0.6)
    made = compact(model)
    assert made.removed == {"conv": 1}
    assert_same(model, made.model, 1, 8, 8)


class InPlace(nn.Module):
    """The second reader sees what the first has changed."""

    def __init__(self):
        super().__init__()
        self.first, self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 2)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.first(x)
        return self.a(self.act(x)) + self.b(x)


def test_a_change_in_place_is_not_mistaken():
    model = lively(InPlace())
    kill(model.first, [0], -0.9)
    assert_same(model, compact(model).model, 3)


# ------------------------------------------------- what a forward may do


class Net(nn.Module):
    """Layers by name, and a forward given as a function."""

    def __init__(self, run, **layers):
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.run = run

    def forward(self, x):
        return self.run(self, x)


def vectors(run, **others):
    """a: 4 -> 6, whose first units give -0.9 and 0.7; b: 6 -> 5, two units hear these alone; c: 5 -> 3."""
    made = {"a": nn.Linear(4, 6), "b": nn.Linear(6, 5), "c": nn.Linear(5, 3), **others}
    model = lively(Net(run, **made))
    kill(model.a, [0, 1], torch.tensor([-0.9, 0.7], dtype=torch.float64))
    with torch.no_grad():
        model.b.weight[:2, 2:] = 0
    return model


def images(run, **others):
    made = {"a": nn.Conv2d(2, 6, 1), "b": nn.Linear(6, 3), **others}
    model = lively(Net(run, **made))
    kill(model.a, [0, 1], torch.tensor([-0.9, 0.7], dtype=torch.float64))
    return model


def written_to(how):
    """``how`` writes to what a gave; b and c read it afterwards."""

    def run(net, x):
        y = net.a(x)
        how(net, y)
        return net.c(torch.relu(net.b(y)))

    return vectors(run, act=nn.ReLU(inplace=True), drop=nn.Dropout())


def put(_, y):
    y[:, :2] = 5.0


def doubled(_, y):
    y *= 2


def added(net, y):
    y += net.drop(y)


@pytest.mark.parametrize(
    "how",
    [
        lambda net, y: y.relu_(),
        lambda net, y: y.mul_(2),
        lambda net, y: torch.relu_(y),
        lambda net, y: F.relu(y, True),
        lambda net, y: F.relu(y, inplace=True),
        lambda net, y: net.act(y),
        lambda net, y: net.act(net.drop(y)),  # in evaluation mode a dropout gives y itself
        lambda net, y: y.view(y.size(0), -1).zero_(),
        lambda net, y: y[:, :1].zero_(),
        lambda net, y: y.contiguous().add_(net.drop(y)),
        *(put, doubled, added),
    ],
)
def test_what_is_written_to_is_read_as_it_is_then(how):
    model = written_to(how)
    assert_same(model, compact(model).model, 4)


def test_a_residual_around_a_dropout_that_is_written_to():
    def run(net, x):
        x = net.a(x)
        return net.out(x + net.act(net.drop(x)))

    model = vectors(run, act=nn.ReLU(inplace=True), drop=nn.Dropout(), out=nn.Linear(6, 3))
    made = compact(model)
    assert made.left == {"a": {"where they are read they are no longer constant": 1}}
    assert_same(model, made.model, 4)


class Doubling(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x) + 1


class Named(nn.Linear):
    """Another class, the same layer."""


def with_a_forward_of_its_own(model):
    model.a.forward = lambda x: F.linear(x, model.a.weight, model.a.bias) + 1


@pytest.mark.parametrize(
    ("alter", "why"),
    [
        (lambda model: model.a.register_forward_hook(lambda *given: given[-1] + 1), "hook"),
        (lambda model: model.b.register_forward_pre_hook(lambda _, x: (x[0] + 1,)), "hook"),
        (with_a_forward_of_its_own, "forward of its own"),
    ],
)
def test_a_layer_that_is_altered_from_outside_stays(alter, why):
    model = vectors(lambda net, x: net.c(torch.relu(net.b(net.a(x)))))
    alter(model)
    if why == "hook":  # its copy is another object: a closure over the model would see the old one
        assert_same(model, compact(model).model, 4)
    assert why in str(compact(model).left["a"]) and "a" not in compact(model).removed


@pytest.mark.parametrize(("kind", "removed"), [(Doubling, 0), (Named, 2)])
def test_a_class_of_ones_own_is_known_by_its_forward(kind, removed):
    model = vectors(lambda net, x: net.c(torch.relu(net.b(torch.relu(net.a(x))))), a=kind(4, 6))
    made = compact(model)
    assert made.removed.get("a", 0) == removed
    assert_same(model, made.model, 4)


@pytest.mark.parametrize(
    "run",
    [
        lambda net, x: net.c(net.b(net.a(x))) + net.a.bias.sum(),
        lambda net, x: F.linear(net.a(x), net.a.weight.t()),
        lambda net, x: net.c(torch.relu(net.b(net.a(x)))) * net.b.in_features**-0.5,
    ],
)
def test_what_reads_a_layers_weights_or_sizes_is_given_them(run):
    model = vectors(run)
    made = compact(model)
    assert "a" in made.left and "a" not in made.removed
    assert_same(model, made.model, 4)


@pytest.mark.parametrize(
    ("run", "removed"),
    [
        (lambda net, x: net.b(net.a(x).mean((2, 3))), 2),
        (lambda net, x: net.b(net.a(x).mean((-1, -2))), 2),
        (lambda net, x: net.b(net.a(x).mean(2)), 0),  # a linear layer along the width
        (lambda net, x: net.b(net.a(x).mean((2,))), 0),
        (lambda net, x: net.b(torch.cat(net.a(x).chunk(2, 1), 1).mean((2, 3))), 0),
        (lambda net, x: net.b(torch.cat(tensors=[net.a(x)], dim=1).mean((2, 3))), 2),
        (lambda net, x: net.b((net.a(x) + net.a(x).mean((2, 3), keepdim=True)).mean((2, 3))), 0),
        (lambda net, x: net.flat(net.a(x).view(x.size(0), -1)), 2),
        (lambda net, x: net.flat(net.a(x).view(x.shape[0], -1)), 2),
        (lambda net, x: net.pairs(net.a(x).view(x.size(0) // 2, -1)), 0),
        (lambda net, x: net.pairs(net.a(x).view(16, -1)), 0),
        (lambda net, x: net.flat(net.up(net.a(x))[:, :, :6, :6].flatten(1)), 0),
        (lambda net, x: net.wide(net.up(net.a(x)).flatten(1)), 2),
    ],
)
def test_shapes(run, removed):
    model = images(
        run,
        flat=nn.Linear(6 * 36, 3),
        pairs=nn.Linear(2 * 6 * 36, 3),
        wide=nn.Linear(6 * 144, 3),
        up=nn.Upsample(scale_factor=2, mode="bilinear"),
    )
    made = compact(model)
    assert made.removed == ({"a": removed} if removed else {})
    assert_same(model, made.model, 2, 6, 6)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ((nn.Linear(4, 6), nn.MaxPool1d(3, 1, 1), nn.Linear(6, 3)), (4,)),
        ((nn.Conv1d(2, 6, 1), nn.MaxPool2d((3, 1), 1, (1, 0)), nn.Conv1d(6, 3, 1)), (2, 9)),
    ],
)
def test_a_pool_of_other_dimensions_mixes_units(layers, shape):
    """torch takes [N, C] for one image without channels, and pools over its units."""
    model = lively(nn.Sequential(*layers))
    kill(model[0], [0, 1], 0.7)
    made = compact(model)
    assert made.removed == {}
    assert_same(model, made.model, *shape)


def test_an_empty_sequential_is_a_shortcut():
    model = vectors(
        lambda net, x: net.out(net.short(net.a(x)) + net.d(x)),
        **{"short": nn.Sequential(), "d": nn.Linear(4, 6), "out": nn.Linear(6, 3)},
    )
    kill(model.d, [0], 0.2)
    made = compact(model)
    assert made.removed == {"a": 1, "d": 1}
    assert_same(model, made.model, 4)


def test_tied_weights_stay_tied():
    model = lively(Shared(tied=True))
    kill(model.same, [0], 0.4)
    made = compact(model)
    assert made.model.same.weight is made.model.first.weight
    assert made.parameters[0] == made.parameters[1]


# ------------------------------------------------- what is not understood


class Strange(nn.Module):
    def __init__(self, strange):
        super().__init__()
        self.first, self.second, self.strange = nn.Linear(4, 4), nn.Linear(4, 2), strange

    def forward(self, x):
        return self.second(self.strange(self.first(x)))


@pytest.mark.parametrize(
    ("strange", "words"),
    [
        (nn.LayerNorm(4), "strange reads them"),
        (nn.Softmax(dim=1), "strange reads them"),
        (nn.PReLU(4), "strange reads them"),
        (nn.GLU(), "strange reads them"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_what_meets_something_else_stays_and_says_why(strange, words):
    model = Strange(strange)
    if isinstance(strange, nn.GLU):
        model.second = nn.Linear(2, 2)
    model = lively(model)
    kill(model.first, [1], 0.5)
    made = compact(model)
    ((why, count),) = made.left["first"].items()
    assert made.removed == {} and words in why and count == 1
    assert_same(model, made.model, 4)


def test_grouped_convolutions_stay():
    model = lively(
        nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 2, 1))
    )
    kill(model[0], [0], 0.4)
    kill(model[1], [2], 0.4)
    made = compact(model)
    assert made.removed == {} and len(made.left) == 2
    assert_same(model, made.model, 1, 6, 6)


class Shared(nn.Module):
    def __init__(self, tied=False):
        super().__init__()
        self.first, self.same, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.tied = tied
        if tied:
            self.same.weight = self.first.weight

    def forward(self, x):
        return self.last(
            torch.relu(self.same(torch.relu(self.first(x) if self.tied else self.same(x))))
        )


@pytest.mark.parametrize("tied", [False, True])
def test_shared_layers_and_tied_weights_stay(tied):
    model = lively(Shared(tied))
    kill(model.same, [0], 0.4)
    made = compact(model)
    assert made.removed == {} and "shares its weights" in str(made)
    assert_same(model, made.model, 4)


def test_a_transformer_layer_is_left_as_it_is():
    model = nn.Sequential(nn.Linear(6, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
    kill(model[0], [0])
    made = compact(model)
    assert made.removed == {}
    assert_same(model, made.model, 5, 6, tolerance=1e-5)


def test_a_linear_layer_right_behind_a_convolution_reads_the_width():
    model = lively(nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Linear(6, 3)))
    kill(model[0], [0], 0.4)
    made = compact(model)
    assert made.removed == {}
    assert_same(model, made.model, 1, 8, 8)


def test_vectors_of_vectors():
    model = lively(nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 3)))
    kill(model[0], [0, 3], 0.4)
    made = compact(model)
    assert made.removed == {"0": 2}
    assert_same(model, made.model, 7, 4)


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (Branching(), TypeError, "Branching cannot be traced by torch.fx"),
        (
            nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)),
            ValueError,
            "is parametrized: accepted are plain",
        ),
        (nn.Linear(3, 3, device="meta"), ValueError, r"Linear.weight has dtype .* device meta"),
    ],
    ids=["branch", "parametrized", "meta"],
)
def test_what_cannot_be_compacted_is_named(model, error, words):
    with pytest.raises(error, match=words):
        compact(model)


def test_a_pruned_layer_is_named():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    prune.l1_unstructured(model[1], "weight", 0.5)
    with pytest.raises(ValueError, match=r"1 is pruned with torch.nn.utils.prune"):
        compact(model)
    prune.remove(model[1], "weight")
    compact(model)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # of the two old functions
@pytest.mark.parametrize("function", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_weights_that_a_hook_computes_are_named(function):
    model = nn.Sequential(nn.Linear(3, 3), function(nn.Linear(3, 2)))
    with pytest.raises(ValueError, match=r"1 is under torch.nn.utils.weight_norm or spectral_norm"):
        compact(model)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("where", ["0.weight", "1.running_var"])
def test_numbers_that_are_not_finite_are_named(value, where):
    """0 · NaN is NaN: no unit of such a network goes unheard."""
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model.state_dict()[where].view(-1)[0] = value
    with pytest.raises(ValueError, match=f"{where} has entries that are NaN or infinite"):
        compact(model)


def test_what_cannot_be_copied_or_has_no_shape_yet_is_named():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model.last = model(torch.zeros(1, 3))
    with pytest.raises(TypeError, match=r"Sequential cannot be copied \(Only Tensors"):
        compact(model)
    with pytest.raises(ValueError, match=r"0.weight has no shape yet"):
        compact(nn.Sequential(nn.LazyLinear(3)))


# ------------------------------------------------- at random, and for real


def random_network(seed):
    """A network of random depth with random dead, deaf and half-dead units."""
    generator = torch.Generator().manual_seed(seed)

    def draw(high):
        return int(torch.randint(high, (), generator=generator))

    layers, channels = [], 2
    for _ in range(1 + draw(3)):
        made = 2 + draw(5)
        mode = ("zeros", "reflect")[draw(2)]
        layers.append(
            nn.Conv2d(channels, made, 3, padding=draw(2), bias=draw(4) > 0, padding_mode=mode)
        )
        layers += [nn.BatchNorm2d(made)] if draw(2) else []
        layers.append((nn.ReLU(), nn.Tanh(), nn.LeakyReLU(0.1), nn.Sigmoid())[draw(4)])
        layers += [nn.MaxPool2d(2, padding=draw(2))] if not draw(3) else []
        channels = made
    layers += [nn.Flatten(), nn.LazyLinear(2 + draw(6)), nn.ReLU(), nn.LazyLinear(3)]
    model = nn.Sequential(*layers)
    model(torch.zeros(2, 2, 18, 18))
    model = lively(model, seed)
    for module in model:
        if isinstance(module, nn.Conv2d | nn.Linear):
            dead = torch.rand(len(module.weight), generator=generator) < 0.35
            kill(module, dead, torch.randn(int(dead.sum()), generator=generator).double())
            deafen(module, torch.rand(module.weight.shape[1], generator=generator) < 0.15)
    return model


def test_random_networks_keep_their_outputs():
    smaller = 0
    for seed in range(60):
        model = random_network(seed)
        made = compact(model)
        assert_same(model, made.model, 2, 18, 18)
        smaller += made.parameters[1] < made.parameters[0]
        again = compact(made.model)
        assert again.parameters[1] == made.parameters[1], "what it left could still go"
    assert smaller > 50


@pytest.fixture(scope="module")
def trained():
    """The digits network, nine and a half of ten weights zero."""
    model, data = digits_cnn(0), digits()
    train(
        model,
        data,
        lambda parameters: GRDA(parameters, lr=0.1, c=0.025, mu=0.7),
        epochs=60,
        device="cpu",
    )
    return model, data


def test_a_network_that_grda_made_sparse(trained):
    model, data = trained
    assert 0.93 < sparsity(model) < 0.97
    made = compact(model)
    before, after = made.parameters
    assert before == 13_706 and before / after >= 3.5
    x = torch.cat([data.x_train, data.x_val, data.x_test])
    assert len(x) == 1797
    with torch.no_grad():
        ours, theirs = made.model.eval()(x), model.eval()(x)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    assert (ours.argmax(1) == theirs.argmax(1)).all()


def test_it_multiplies_less(trained):
    """Counted, not timed: multiplications of an image, by hooks on both networks."""
    model, data = trained

    def products(network):
        counted = []

        def count(module, inputs, output):
            if isinstance(module, nn.Conv2d | nn.Linear):
                counted.append(output[0].numel() * module.weight[0].numel())

        handles = [module.register_forward_hook(count) for module in network.modules()]
        network(data.x_test[:1])
        for handle in handles:
            handle.remove()
        return sum(counted)

    assert products(compact(model).model) < 0.6 * products(model)
