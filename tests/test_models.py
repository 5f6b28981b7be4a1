import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grda_edu.models import digits_cnn, mnist_cnn, small_digits_cnn

ALL = [small_digits_cnn, digits_cnn, mnist_cnn]


@pytest.mark.parametrize(("make", "size"), [(small_digits_cnn, 1370), (digits_cnn, 13706)])
def test_sizes(make, size):
    assert sum(p.numel() for p in make().parameters()) == size
    assert make()(torch.zeros(5, 1, 8, 8)).shape == (5, 10)


def test_small_network_computes_what_it_is_said_to():
    model, x = small_digits_cnn(), torch.randn(4, 1, 8, 8)
    kernel, bias, weight, shift = model.parameters()
    hidden = F.conv2d(x, kernel, bias, stride=2, padding=1).clamp(min=0)
    torch.testing.assert_close(model(x), hidden.reshape(4, -1) @ weight.T + shift)


def test_digits_network_computes_what_it_is_said_to():
    model, x = digits_cnn(), torch.randn(4, 1, 8, 8)
    p = dict(model.named_parameters())
    hidden = x
    for name in ("conv1", "conv2"):
        hidden = F.conv2d(hidden, p[f"{name}.weight"], p[f"{name}.bias"], padding=1)
        hidden = F.max_pool2d(hidden.clamp(min=0), 2)
    hidden = (hidden.reshape(4, -1) @ p["fc1.weight"].T + p["fc1.bias"]).clamp(min=0)
    torch.testing.assert_close(model(x), hidden @ p["fc2.weight"].T + p["fc2.bias"])


def test_mnist_network_computes_what_it_is_said_to():
    model, x = mnist_cnn(), torch.randn(4, 1, 28, 28)
    p = dict(model.named_parameters())
    assert sum(q.numel() for q in p.values()) == 52266
    hidden = F.conv2d(x, p["conv1.weight"], p["conv1.bias"], stride=2, padding=2)
    hidden = F.max_pool2d(hidden.clamp(min=0), 2)
    hidden = F.conv2d(hidden, p["conv2.weight"], p["conv2.bias"], padding=1).clamp(min=0)
    hidden = (hidden.reshape(4, -1) @ p["fc1.weight"].T + p["fc1.bias"]).clamp(min=0)
    torch.testing.assert_close(model(x), hidden @ p["fc2.weight"].T + p["fc2.bias"])


def test_weights_are_pytorchs_default_initialisation():
    torch.manual_seed(7)
    expected = [nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.Linear(128, 10)]
    model = small_digits_cnn(seed=7)
    for layer, other in zip((model.conv, model.fc), expected, strict=True):
        assert torch.equal(layer.weight, other.weight)
        assert torch.equal(layer.bias, other.bias)


@pytest.mark.parametrize("make", ALL)
def test_seed_decides_the_weights_and_leaves_the_global_generator_alone(make):
    torch.manual_seed(123)
    expected = torch.rand(3)
    torch.manual_seed(123)
    one, same, other = make(1), make(1), make(2)
    assert torch.equal(torch.rand(3), expected)
    weights = [nn.utils.parameters_to_vector(m.parameters()) for m in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize("seed", [-1, 0.5, None, True])
def test_bad_seed_is_refused(seed):
    with pytest.raises(ValueError, match=f"seed = {seed}: accepted is an integer >= 0"):
        digits_cnn(seed)


@pytest.mark.parametrize("make", ALL)
def test_loss_is_one_fixed_function_of_the_weights(make):
    kinds = (nn.Dropout, nn.modules.batchnorm._BatchNorm)
    assert not any(isinstance(module, kinds) for module in make().modules())
