import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grda_edu.models import digits_cnn, mnist_cnn, resnet20, small_digits_cnn

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


# ------------------------------------------------- the network with batch norm


@pytest.mark.parametrize(("channels", "size"), [(1, 269_434), (3, 269_722)])
def test_residual_network_has_the_published_size(channels, size):
    """He et al. 2015, table 6: .27 million. 19 convolutions and one linear layer."""
    model = resnet20(channels=channels)
    assert sum(p.numel() for p in model.parameters()) == size
    assert sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in model.modules()) == 20
    assert model(torch.zeros(2, channels, 32, 32)).shape == (2, 10)
    assert resnet20(classes=7)(torch.zeros(2, 1, 28, 28)).shape == (2, 7)


def test_residual_network_computes_what_it_is_said_to():
    model, given = resnet20(3, channels=3).eval(), torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn_like(p)
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.normal_()
                m.running_var.uniform_(0.5, 2)
    s = model.state_dict()

    def normed(x, conv, bn, stride=1):
        x = F.conv2d(x, s[f"{conv}.weight"], stride=stride, padding=1)
        mean, var, g, b = (
            s[f"{bn}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
        )
        shape = (1, -1, 1, 1)
        return (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt() * g.view(shape) + b.view(
            shape
        )

    x = normed(given, "conv", "bn").clamp(min=0)
    for k, width in enumerate([16] * 3 + [32] * 3 + [64] * 3, start=1):
        name, stride = f"block{k}", 2 if k in (4, 7) else 1
        inner = normed(x, f"{name}.conv1", f"{name}.bn1", stride).clamp(min=0)
        inner = normed(inner, f"{name}.conv2", f"{name}.bn2")
        if stride == 2:  # option A: every second pixel, and zeros on both sides
            quarter = torch.zeros_like(inner)[:, : width // 4]
            x = torch.cat([quarter, x[:, :, ::2, ::2], quarter], dim=1)
        x = (inner + x).clamp(min=0)
    wanted = x.mean((2, 3)) @ s["fc.weight"].T + s["fc.bias"]
    torch.testing.assert_close(model(given), wanted, rtol=1e-4, atol=1e-4)


def test_residual_network_starts_with_the_variance_that_keeps_a_signal():
    model = resnet20(0)
    for name, p in model.named_parameters():
        if name.endswith("conv2.weight"):
            fan_in = p.shape[1] * 9
            assert p.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)


@pytest.mark.parametrize(("name", "value"), [("channels", 0), ("classes", 0), ("seed", -1)])
def test_residual_network_refuses(name, value):
    with pytest.raises(ValueError, match=f"{name} = {value}"):
        resnet20(**{name: value})
