"""The closing quiz: nothing gives an answer away, and each is worked out here by another way."""

from collections import Counter

import numpy as np
import pytest
import torch
from course.checking import assert_prediction
from torch import nn

from grda_edu import GRDA, DualAveraging, digits, digits_cnn, load_sparse, save_sparse
from grda_edu.course import LESSONS
from grda_edu.course.closing import lesson_of
from grda_edu.course.map import lesson
from grda_edu.lessons.lesson12 import QUIZ, transfer

LONGEST = 8  # of 20 right options that may be the longest, or the shortest, of their four


def test_there_are_twenty_over_all_lessons():
    assert len(QUIZ) == 20 == lesson("12").quiz
    assert {lesson_of(name) for name in QUIZ} == {row.number for row in LESSONS}


@pytest.mark.parametrize("question", QUIZ.values(), ids=list(QUIZ))
def test_each_has_four_options_that_are_explained(question):
    assert_prediction(question)
    assert len(question.options) == 4 and question.explanation == ""
    texts = [question.explain_option(option) for option in question.options]
    assert all(20 < len(text) < 200 and "{" not in text for text in texts)


def test_neither_length_nor_place_gives_an_answer_away():
    lengths = [(len(q.right()), [len(o) for o in q.options]) for q in QUIZ.values()]
    assert sum(right == max(all_four) for right, all_four in lengths) <= LONGEST
    assert sum(right == min(all_four) for right, all_four in lengths) <= LONGEST
    places = Counter(list(q.options).index(q.right()) for q in QUIZ.values())
    assert len(places) == 4 and max(places.values()) <= 7 and min(places.values()) >= 3
    in_order = [list(q.options).index(q.right()) for q in QUIZ.values()]
    assert all(len(set(in_order[k : k + 3])) > 1 for k in range(18))


def test_no_right_option_has_a_word_of_its_question_that_no_other_option_has():
    """More often than one would guess: the words of the question lead to no option."""
    led = 0
    for question in QUIZ.values():
        asked = {word for word in question.question.lower().split() if len(word) > 5}
        shared = {o: len(asked & set(o.lower().split())) for o in question.options}
        best = [o for o, count in shared.items() if count == max(shared.values()) > 0]
        led += best == [question.right()]
    assert led <= LONGEST


# ------------------------------------------------- the answers, by another way


def right(name):
    return QUIZ[name].right()


def test_multiplications():
    conv, dense = nn.Conv2d(10, 10, (2, 5), bias=False), nn.Linear(90, 100, bias=False)
    places = conv(torch.zeros(1, 10, 11, 14)).shape[2:].numel()
    used = conv.weight.numel() * places
    assert (conv.weight.numel(), places, dense.weight.numel()) == (1000, 100, 9000)
    assert round(100 * 9000 / (used + 9000)) == 8 and right("00_multiplications") == "about 8%"


def test_twice():
    def shrink(w, tau):
        return np.sign(w) * np.maximum(np.abs(w) - tau, 0)

    w = np.linspace(-2, 2, 401)
    np.testing.assert_allclose(shrink(shrink(w, 0.5), 0.5), shrink(w, 1.0), atol=1e-12)
    assert right("01_twice") == "once, with τ = 1"


def test_three_steps():
    alive = [abs(0.25 + 0.1 * n) > 0.5 for n in range(6)]
    assert alive.index(True) == 3 and right("02_leaves_zero") == "after three steps"
    assert pytest.approx(0.05) == 0.25 + 3 * 0.1 - 0.5


def test_saved_weights(tmp_path):
    """With the optimizer itself: weights in the place of accumulators, and gradients of nothing."""
    data, model = digits(), digits_cnn(0)
    optimizer = GRDA(model.parameters(), lr=0.1, c=0.05, mu=0.6)
    for k in range(60):
        optimizer.zero_grad()
        part = slice(32 * (k % 40), 32 * (k % 40) + 32)
        nn.functional.cross_entropy(model(data.x_train[part]), data.y_train[part]).backward()
        optimizer.step()
    save_sparse(model, tmp_path / "w.sparse")
    weights, dead = load_sparse(tmp_path / "w.sparse"), 0
    for p, w in zip(model.parameters(), weights.values(), strict=True):
        again = w - w.clamp(*(s * optimizer.state[p]["threshold"] for s in (-1, 1)))
        assert bool((again.abs() <= w.abs()).all()) and bool((again[w == 0] == 0).all())
        dead += int(((again == 0) & (w != 0)).sum())
    assert dead > 100
    assert right("02_saved") == "it pulls each survivor in once more, and small ones die"


def test_half_the_rate():
    def g(n, lr):
        return lr**0.5 * (n * lr) ** 0.6

    assert g(2000, 0.05) / g(1000, 0.1) == pytest.approx(0.5**0.5)
    assert right("03_half_rate") == "0.7 times as large"
    assert "0.71" in QUIZ["03_half_rate"].explain(None)


def test_a_layer_at_zero():
    data, model = digits(), digits_cnn(0)
    with torch.no_grad():
        model.fc1.weight.zero_()
        answers = model(data.x_test).argmax(dim=1)
        share = float((answers == data.y_test).float().mean())
    assert len(answers.unique()) == 1 and 0.05 < share < 0.15
    assert right("04_constant") == "a layer with all its weights at zero"


def test_the_best_of_twelve():
    """The exact mean of the largest of twelve binomials."""
    from scipy.stats import binom

    at_most = binom.cdf(np.arange(401), 400, 0.95) ** 12
    mean = (1 - at_most[:-1]).sum() / 400
    assert mean == pytest.approx(transfer.best_of_twelve(), abs=5e-4)
    assert 0.96 < mean < 0.97 and right("05_best") == "more than 95%, by a point or two"
    assert "96.7%" in QUIZ["05_best"].explain(None)


def test_a_hundred_images():
    random = np.random.default_rng(1)
    spread = (random.binomial(100, 0.95, 9999) - random.binomial(100, 0.93, 9999)).std()
    assert spread == pytest.approx(100 * transfer.error_of_difference(), rel=0.05)
    assert 3 < spread < 4 and "3.4 points" in QUIZ["05_hundred"].explain(None)
    assert right("05_hundred") == "that cannot be told: the error is over 3 points"


def test_the_drop():
    assert transfer.after_the_drop() == pytest.approx(0.1 ** (0.5 + 0.6))
    assert right("06_drop") == "most of them come back to life"


def test_decay():
    w = torch.ones(3, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, weight_decay=5e-4)
    w.grad = torch.zeros(3)
    for _ in range(100):
        optimizer.step()
    assert w[0].item() == pytest.approx(transfer.decayed(steps=100), rel=1e-5)
    assert (
        transfer.decayed() == pytest.approx(np.exp(-0.5), rel=1e-3) and right("06_decay") == "none"
    )


def test_the_floor():
    """By the least sum of sizes on the line, and which way it falls."""
    t = np.linspace(0, 2, 2001)  # w2 on the floor
    sizes = np.abs(2 - 2 * t) + np.abs(t)
    least = t[sizes.argmin()]
    assert (2 - 2 * least, least) == pytest.approx((0.0, 1.0))
    assert (np.diff(sizes[(t >= 0.2) & (t < 1)]) < 0).all()
    move = transfer.along_the_floor()
    assert move[0] < 0 < move[1] and move @ [1, 2] == pytest.approx(0)
    assert move[0] == pytest.approx(-2 * move[1])
    assert right("07_floor") == "w₁ shrinks until it is zero, and w₂ grows"


def test_chance():
    moves = np.random.default_rng(0).normal(size=(2000, 1000))
    share = (moves[:, :10] ** 2).sum(axis=1) / (moves**2).sum(axis=1)
    assert share.mean() == pytest.approx(transfer.share_by_chance(), rel=0.05)
    assert right("08_chance") == "a random move, which has as much there"


def test_the_ring():
    straight, ring = transfer.barriers()
    assert straight == pytest.approx(1) and ring == pytest.approx(0, abs=1e-12)
    assert right("09_ring") == "they lie in one valley that is not straight"


def test_swapped_units():
    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    other = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    middle = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    order, x = [3, 1, 2, 0, 4], torch.randn(20, 3)
    with torch.no_grad():
        for p, q, m in zip(one.parameters(), other.parameters(), middle.parameters(), strict=True):
            moved = p[:, order] if p.shape == (2, 5) else p[order] if p.shape[0] == 5 else p
            q.copy_(moved)
            m.copy_((p + moved) / 2)
        torch.testing.assert_close(one(x), other(x))
        assert not torch.allclose(one(x), middle(x), atol=1e-2)
    assert right("09_swap") == "the same outputs at the end, and others half-way"


def test_the_buffer():
    w = torch.ones(1, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    w.grad = torch.ones(1)
    optimizer.step()
    with torch.no_grad():
        w.zero_()
    for _ in range(10):
        w.grad = torch.zeros(1)  # masked
        optimizer.step()
    assert w.item() == pytest.approx(transfer.moved_by_its_buffer(), rel=1e-5)
    assert right("10_buffer") == "no: the buffers still hold earlier gradients"
    assert f"{w.item():.2f}" in QUIZ["10_buffer"].explain(None)


def test_where_csr_is_even():
    n = 320_000
    alive = [k for k in range(0, n, 100) if 8 * k > n / 8 + 4 * k]
    assert 1 - alive[0] / n == pytest.approx(transfer.even(), abs=1e-3)
    assert right("11_even") == "from about 97% on"


def test_the_border():
    filters = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    with torch.no_grad():
        filters.weight.fill_(1.0)
        heard = filters(torch.full((1, 1, 5, 5), 0.3))[0, 0]
    assert (heard[2, 2].item(), heard[0, 0].item()) == pytest.approx(transfer.at_the_border())
    assert right("11_border") == "not exactly: at the border less of it is heard"
    assert "2.7" in QUIZ["11_border"].explain(None) and "1.2" in QUIZ["11_border"].explain(None)


def test_uneven_shares():
    g = np.random.default_rng(0).normal(size=32)
    mean = (g[:24].mean() + g[24:].mean()) / 2
    weights = np.array([1.0] * 24 + [3.0] * 8)
    assert mean == pytest.approx((weights * g).sum() / weights.sum())
    assert right("12_uneven") == "each of the eight, three times as much"


@pytest.mark.parametrize("around", [True, False])
def test_the_scale_of_the_loss(around):
    """On other numbers: a network, and its loss times a hundred."""

    def zeros(scale):
        torch.manual_seed(0)
        model = nn.Linear(20, 3)
        make = torch.optim.Adam(model.parameters(), lr=0.01)
        grda = GRDA(model.parameters(), lr=0.01, c=0.3, mu=0.6)
        optimizer = DualAveraging(make, c=1.0, mu=0.6) if around else grda
        x, y = torch.randn(60, 20), torch.arange(60) % 3
        for _ in range(30):
            optimizer.zero_grad()
            (scale * nn.functional.cross_entropy(model(x), y)).backward()
            optimizer.step()
        return (model.weight == 0).sum().item(), (model.weight == 0).tolist()

    (few, before), (_, after) = zeros(1.0), zeros(100.0)
    assert 0 < few < 60 and (before == after) == around
    assert right("12_scale") == "with gRDA, not around Adam"
