"""What a report says, against counts made here; and what it refuses."""

import gzip
import io
import math
import re

import pytest
import torch
from torch import nn

from grda_edu import digits, digits_cnn, report, save_sparse, split_data
from grda_edu.sparse.account import dead_weights


@pytest.fixture
def data():
    """Two kinds of points in the plane, told apart by their first coordinate."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 2, generator=generator)
    return split_data(x, (x[:, 0] > 0).long())


def network(first, second):
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        for p in model.parameters():
            p.zero_()
        model[0].weight.copy_(torch.tensor(first))
        model[2].weight.copy_(torch.tensor(second))
    return model


@pytest.fixture
def model():
    """Reads all points right; its third unit is dead, and heard by nobody."""
    return network([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def test_everything_is_counted(model, data, tmp_path):
    before = {name: p.clone() for name, p in model.state_dict().items()}
    found = report(model, data, budget=0.0)
    assert (found.accuracy, found.standard_error, found.examples) == (1.0, 0.0, 40)
    assert found.zeros == {
        "0.weight": (4, 6),
        "0.bias": (3, 3),
        "2.weight": (4, 6),
        "2.bias": (2, 2),
    }
    assert found.share == pytest.approx(13 / 17)
    assert found.dead == () and found.answers == 2 and found.died == "no layer"
    plain = io.BytesIO()
    torch.save(dict(model.state_dict()), plain)
    assert found.bytes == {
        "torch.save": len(plain.getvalue()),
        "torch.save, gzip": len(gzip.compress(plain.getvalue())),
        "save_sparse": save_sparse(model, tmp_path / "w.sparse"),
    }
    assert found.parameters == (17, 12) and found.difference == 0 and found.not_compact == ""
    assert set(found.milliseconds) == {"dense", "compact"} and found.batch == 128
    assert all(ms > 0 for ms in found.milliseconds.values())
    for name, p in model.state_dict().items():
        assert torch.equal(p, before[name])


def test_the_standard_error_is_that_of_a_share(model, data):
    with torch.no_grad():
        model[2].bias.copy_(torch.tensor([0.7, 0.0]))
    found, p = report(model, data, budget=0.0), 0.0
    outputs = model(data.x_test).argmax(dim=1)
    p = float((outputs == data.y_test).float().mean())
    assert 0.5 < p < 1 and found.accuracy == pytest.approx(p)
    assert found.standard_error == pytest.approx(math.sqrt(p * (1 - p) / 40))


def test_it_counts_how_often_the_test_part_was_read(model, data):
    first, second = (report(model, data, budget=0.0) for _ in range(2))
    assert (first.reading, second.reading) == (1, 2)
    assert "times now" not in str(first) and "read 2 times now" in str(second)
    other = split_data(torch.randn(50, 2), torch.arange(50) % 2)
    assert report(model, other, budget=0.0).reading == 1


def test_a_layer_that_died_is_named_with_what_happens(model, data):
    with torch.no_grad():
        model[2].weight.zero_()
    found = report(model, data, budget=0.0)
    assert found.dead == ("2.weight",) == dead_weights(model)
    assert (
        found.died == "2.weight: nothing gets through, and every example gets one answer"
        and found.died in str(found)
    )


def test_a_dead_layer_with_a_way_around_it(data):
    class Around(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.last = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.last(x + torch.relu(self.inner(x)))

    model = Around()
    with torch.no_grad():
        model.inner.weight.zero_()
        model.last.weight.copy_(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    assert report(model, data, budget=0.0).died.endswith("and the network answers around it")


def test_one_answer_without_a_dead_layer(model, data):
    with torch.no_grad():
        model[2].bias.copy_(torch.tensor([100.0, 0.0]))
    assert report(model, data, budget=0.0).died == "no layer, yet every example gets one answer"


def test_what_cannot_be_made_compact_is_said(data):
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            return self.layer(x) if x.sum() > 0 else -self.layer(-x)

    found = report(Branches(), data, budget=0.0)
    assert list(found.milliseconds) == ["dense"] and found.not_compact
    assert f"not possible: {found.not_compact}" in str(found) and math.isnan(found.difference)


def test_it_is_a_table_for_every_reader(model, data):
    html = report(model, data, budget=0.0)._repr_html_()
    assert "<caption>" in html and html.count('scope="col"') == 2
    rows = re.findall(r'<th scope="row"[^>]*>(.*?)</th><td[^>]*>(.*?)</td>', html)
    assert dict(rows)["bytes, save_sparse"].replace(",", "").isdigit()
    assert dict(rows)["zeros in 0.weight"] == "66.7%, 4 of 6"


def test_on_a_real_network_outputs_agree():
    model = digits_cnn(0)
    with torch.no_grad():
        model.fc1.weight[:40] = 0
    found = report(model, digits(), budget=0.0)
    assert found.parameters[1] < found.parameters[0] == 13706 and found.difference < 1e-5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data": 3}, "data is a int"),
        ({"batch": 0}, "batch = 0: accepted is an integer >= 1"),
        ({"budget": -1}, "budget = -1: accepted is a finite number >= 0"),
        ({"model": nn.Sequential(nn.Flatten())}, "model has no parameters"),
        ({"model": nn.Linear(2, 1)}, "data has labels 0 to 1: accepted are 0 to 0"),
    ],
)
def test_what_it_refuses(model, data, change, words):
    given = {"model": model, "data": data} | change
    with pytest.raises(ValueError, match=words):
        report(**given)


def test_it_refuses_outputs_that_are_no_numbers_and_reads_nothing(model, data):
    with torch.no_grad():
        model[0].weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="model gives NaN or infinity"):
        report(model, data)
    with torch.no_grad():
        model[0].weight[0, 0] = 1.0
    assert report(model, data, budget=0.0).reading == 1


def test_without_a_test_part(model, data):
    from grda_edu.lessons.lesson12.your_own import without_test

    with pytest.raises(ValueError, match="data has no test part"):
        report(model, without_test(data))
