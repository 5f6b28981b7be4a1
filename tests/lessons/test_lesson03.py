"""Lesson 03 against closed forms, Lasso, plain recomputation and wrong answers."""

import base64
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from course.checking import assert_exercise, assert_prediction
from scipy.stats import spearmanr

from grda_edu.lessons import lesson03
from grda_edu.lessons.lesson03 import EXERCISES, OBJECTIVES, PREDICTIONS, numbers
from grda_edu.lessons.lesson03.map_of_knobs import _edge
from grda_edu.lessons.lesson03.numbers import DRAWS, LR, MU, RECORD, STEPS, WEIGHT, C
from grda_edu.toy import regression

TEXT = (Path(__file__).parents[2] / "notebooks" / "03_knobs_c_and_mu.md").read_text("utf-8")


def g(n, lr, c, mu):
    """The threshold once more, from the definition."""
    return c * np.sqrt(lr) * (n * lr) ** mu


def row_of(explorable, **values):
    return explorable._compute(**values)


@pytest.fixture(scope="module")
def threshold():
    return lesson03.threshold()


@pytest.fixture(scope="module")
def training():
    return lesson03.training()


@pytest.fixture(scope="module")
def knob_map():
    return lesson03.knob_map()


@pytest.fixture(scope="module", params=DRAWS.values(), ids=list(DRAWS))
def drawn(request):
    return lesson03.result(request.param)


# ------------------------------------------------- the threshold


def test_the_line_is_the_threshold(threshold):
    row, _ = row_of(threshold, other=(0.005, 0.55, 0.1), c=0.02, mu=0.7, lr=0.05)
    np.testing.assert_allclose(row["mine.y"], g(np.array([1, 100_000]), 0.05, 0.02, 0.7))
    np.testing.assert_allclose(row["other.y"], g(np.array([1, 100_000]), 0.1, 0.005, 0.55))
    assert row["one.x"][0] * 0.05 == pytest.approx(1)
    assert row["one.y"][0] == pytest.approx(g(row["one.x"][0], 0.05, 0.02, 0.7))


@pytest.mark.parametrize(("c", "mu", "lr"), [(0.02, 0.51, 0.1), (0.5, 0.9, 0.01), (0.001, 0.8, 1)])
def test_a_flat_weight_dies_where_the_line_reaches_it(threshold, c, mu, lr):
    steps = np.arange(1, 100_001)
    first = int(steps[np.argmax(g(steps, lr, c, mu) >= WEIGHT)])
    row, sentence = row_of(threshold, other=(0.02, 0.65, 0.1), c=c, mu=mu, lr=lr)
    assert f"The flat weight dies at step {first:,};" in sentence
    if first > 1:
        assert first - 1 < row["mine dies.x"][0] <= first


def test_a_weight_that_outlives_the_axis(threshold):
    row, sentence = row_of(threshold, other=(0.02, 0.65, 0.1), c=1e-4, mu=0.5, lr=0.001)
    assert "is 10⁻⁷ after step 1 and 3.2·10⁻⁵ after step 100,000" in sentence
    assert g(100_000, 0.001, 1e-4, 0.5) < WEIGHT
    assert np.isnan(row["mine dies.x"][0]) and "lives for more than 100,000 steps" in sentence


def test_without_c_there_is_no_line_and_no_death(threshold):
    row, sentence = row_of(threshold, other=(0.02, 0.65, 0.1), c=0, mu=0.7, lr=0.1)
    assert np.isnan(row["mine.y"]).all() and np.isnan(row["one.y"]).all()
    assert "This is SGD" in sentence and "never dies" in sentence
    assert "SGD" in row["layout.title.text"]


def test_the_published_settings_are_those_of_the_authors():
    """Read from the authors' logs (c, lr) and from their table (μ)."""
    assert numbers.SETTINGS["VGG16, published"] == (0.0005, 0.51, 0.1)
    assert numbers.SETTINGS["ResNet50, published"] == (0.005, 0.55, 0.1)


def test_mu_turns_the_line_about_time_one():
    before, after = np.array([1, 3, 9]), np.array([11, 100, 10_000])  # γ = 0.1: t = 1 at n = 10
    assert (g(before, 0.1, 0.02, 0.9) < g(before, 0.1, 0.02, 0.55)).all()
    assert (g(after, 0.1, 0.02, 0.9) > g(after, 0.1, 0.02, 0.55)).all()
    assert g(10, 0.1, 0.02, 0.9) == pytest.approx(g(10, 0.1, 0.02, 0.55))


def test_smaller_steps_lower_the_threshold_by_their_root():
    assert g(50, 0.1, 0.02, 0.7) / g(500, 0.01, 0.02, 0.7) == pytest.approx(np.sqrt(10))


def test_the_number_worked_by_hand():
    assert 0.02 * np.sqrt(0.1) == pytest.approx(0.00632, abs=5e-6)
    assert 0.1 / (0.02 * np.sqrt(0.1)) == pytest.approx(15.8, abs=0.05)
    exact = (Fraction(1, 10) / Fraction(2, 100)) ** 2 / Fraction(1, 10)  # t* for μ = ½
    assert exact == 250 and "t^* = 250" in TEXT
    assert round(lesson03.death_step(0.1, 0.02, 0.5, 0.1)) == exact / Fraction(1, 10) == 2500


# ------------------------------------------------- the training


def test_the_training_shows_the_weights_as_they_are(training):
    r = lesson03.result(numbers.FIRST)
    k, i, j = RECORD.index(600), C.index(5.0), MU.index(0.7)
    w = regression.grda(r.problem, [5.0], [0.7], lr=LR, record=[600], seed=numbers.FIRST)[0, 0, 0]
    np.testing.assert_allclose(r.weights[k, i, j], w, atol=1e-10)
    row, sentence = row_of(training, step=600, c=5.0, mu=0.7)
    true = r.problem.truth != 0
    drawn = np.concatenate([row["found.y"], row["false.y"]])
    np.testing.assert_allclose(np.sort(drawn[np.isfinite(drawn)]), np.sort(w[w != 0]))
    assert np.isfinite(row["zero.y"]).sum() == ((w == 0) & ~true).sum()
    assert np.isfinite(row["lost.y"]).sum() == ((w == 0) & true).sum()
    assert f"{(w == 0).sum()} of 200 weights are exactly zero" in sentence
    assert f"{((w != 0) & ~true).sum()} of the 190 others" in sentence
    assert row["others now.y"][0] == pytest.approx(((w != 0) & ~true).sum() / 190)
    off = np.sqrt(((w - r.problem.truth) ** 2).sum() + 0.25)
    assert row["new now.y"][0] == pytest.approx(off)
    np.testing.assert_allclose(
        row["old.y"][k], np.sqrt(np.mean((r.problem.x @ w - r.problem.y) ** 2))
    )


def test_true_weights_stand_in_order_of_size(training):
    (drawn,) = [trace for trace in training.figure["data"] if trace["name"] == "truth"]
    truth = np.frombuffer(base64.b64decode(drawn["y"]["bdata"]), drawn["y"]["dtype"])
    assert (np.diff(truth) < 0).all() and len(truth) == 10
    row, _ = row_of(training, step=STEPS, c=3.0, mu=0.51)
    assert np.corrcoef(row["found.y"], truth)[0, 1] > 0.9


def test_sgd_finds_no_zeros_and_predicts_badly(training):
    row, sentence = row_of(training, step=STEPS, c=0.0, mu=0.7)
    assert "This is SGD" in sentence and "0 of 200 weights are exactly zero" in sentence
    gap = row["new now.y"][0] / row["old.y"][-1]
    best = row_of(training, step=STEPS, c=5.0, mu=0.51)[0]["new now.y"][0]
    assert gap > 20 and row["new now.y"][0] > 3 * best


def test_asleep_and_awake_again():
    """All zero at step 600; the strongest pull overtakes the threshold near the computed step."""
    r, (c, mu) = lesson03.result(numbers.FIRST), numbers.SLEEPER
    pull = max(abs(column @ r.problem.y) / 80 for column in r.problem.x.T)
    time = (c * np.sqrt(LR) / pull) ** (1 / (1 - mu))
    assert lesson03.wake_step() == pytest.approx(time / LR)
    assert pull * time == pytest.approx(g(time / LR, LR, c, mu))
    alive = {n: sum(both) for n, both in numbers.sleeping().items()}
    assert alive[numbers.ASLEEP] == 0
    awake = next(n for n, count in alive.items() if count and n > numbers.ASLEEP)
    assert awake == next(n for n in RECORD if n >= time / LR)
    assert lesson03.wake_step(mu=0.7) > STEPS  # "sleeps for": longer than the slider reaches


def test_a_survivor_is_pushed_by_the_slope_of_the_threshold():
    """With full batches: -∇L_j = g' sign(w_j) for weights that have settled, g' = μ g / t."""
    made = regression.sparse_regression(4)
    c, mu, n = 3.0, 0.6, 60_000
    w = regression.grda(made, [c], [mu], lr=0.05, record=[n], batch=80)[0, 0, 0]
    push = -made.gradient(w) * np.sign(w)
    slope = mu * g(n, 0.05, c, mu) / (n * 0.05)
    strong = np.abs(w) > 0.3
    assert strong.sum() >= 9
    np.testing.assert_allclose(push[strong], slope, rtol=0.1)


# ------------------------------------------------- the map


def test_the_map_shows_counts_and_errors_recomputed(knob_map):
    draw, c, mu = DRAWS["data set B"], 4.0, 0.65
    made = regression.sparse_regression(draw)
    w = regression.grda(made, [c], [mu], lr=LR, record=[STEPS], seed=draw)[0, 0, 0]
    false = int(((w != 0) & (made.truth == 0)).sum())
    error = np.linalg.norm(w - made.truth) / np.linalg.norm(made.truth)
    row, sentence = row_of(knob_map, draw=draw, c=c, mu=mu)
    i, j = C.index(c) - 1, MU.index(mu)
    assert (row["here.x"], row["here.y"]) == ([i], [j])
    assert row["false weights.z"][j, i] == row["here 3.x"][0] == false
    assert row["error.z"][j, i] == pytest.approx(error)
    title = row["layout.title.text"]
    assert f"{false} false weights" in title and f"error {error:.2f}" in title
    assert f"the threshold is {g(STEPS, LR, c, mu):#.3g}," in sentence


def test_the_dashed_line_ends_at_one_height(knob_map):
    row, _ = row_of(knob_map, draw=0, c=5.0, mu=0.7)
    c = np.exp(np.interp(row["level.x"], np.arange(len(C) - 1), np.log(C[1:])))
    known = np.isfinite(row["level.x"])
    assert known.sum() > 4
    heights = g(STEPS, LR, c[known], np.array(MU)[known])
    np.testing.assert_allclose(heights, g(STEPS, LR, 5.0, 0.7))


def test_the_white_line_parts_found_from_lost(knob_map, drawn):
    found = drawn.alive[0][-1, 1:] == 10
    x, y = _edge(found)
    for j in range(len(MU)):
        assert y[2 * j : 2 * j + 2].tolist() == [j - 0.5, j + 0.5]
        (edge,) = set(x[2 * j : 2 * j + 2])
        assert found[: int(edge + 0.5), j].all() and not found[int(edge + 0.5) :, j].any()


def test_false_weights_follow_the_height_and_errors_the_slope(drawn):
    """Claims of the text: along a line of equal height the counts stay, the errors do not."""
    false, error = drawn.alive[1][-1, 1:], drawn.distance[-1, 1:]
    c, mu = np.array(C[1:]), np.array(MU)
    heights = g(STEPS, LR, c[:, None], mu)
    assert spearmanr(false.ravel(), heights.ravel()).statistic < -0.99
    assert spearmanr(false.ravel(), np.repeat(c, mu.size)).statistic > -0.96

    def along(values, height):
        at = np.log(height / g(STEPS, LR, 1.0, mu))
        return np.array([np.interp(a, np.log(c), v) for a, v in zip(at, values.T, strict=True)])

    for height in (4, 8, 12, 16):
        across = abs(along(false, height / 2).mean() - along(false, height * 2).mean())
        assert np.ptp(along(false, height)) < across / 2
    for height in (12, 16, 20):  # where false weights are few
        assert along(false, height).max() < 12
        errors = along(error, height)
        assert (np.diff(errors) > 0).all() and errors[-1] > 1.25 * errors[0]


def test_one_place_is_good_for_every_draw(drawn):
    i, j = C.index(15.0), MU.index(0.55)
    found, false = (counts[-1] for counts in drawn.alive)
    assert found[i, j] == 10
    assert false[i, j] == false[1:][found[1:] == 10].min()


def test_the_threshold_ends_far_above_every_true_weight():
    largest = np.abs(lesson03.result(1).problem.truth).max()
    assert g(STEPS, LR, 10, 0.7) > 10 * largest
    assert numbers.FIRST == 1  # what the cell below that sentence asks for


def test_the_collapse_is_on_the_map(drawn):
    """At the right end some trainings are all zeros, their error 1."""
    true, false = (counts[-1] for counts in drawn.alive)
    asleep = (true + false) == 0
    assert asleep[C.index(50.0)].any() and not asleep[: C.index(10.0)].any()
    np.testing.assert_allclose(drawn.distance[-1][asleep], 1.0)


# ------------------------------------------------- beside Lasso


def test_what_the_text_says_of_lasso(drawn):
    ((name, draw),) = [(n, d) for n, d in DRAWS.items() if lesson03.result(d) is drawn]
    best = numbers.best_of(draw)
    (few, few_error), (_, least) = best["gRDA"]
    (lasso_few, lasso_few_error), (lasso_many, lasso_least) = best["Lasso"]
    assert few - 1 <= lasso_few <= few  # "as well as gRDA or better by one"
    assert lasso_few_error > few_error  # "at that λ it is far off"
    assert lasso_least == pytest.approx(least, rel=0.05)  # "within five percent"
    (ours, many_ours), (lassos, many_lassos) = (
        [error for _, error in best[f"{who}, refitted"]] for who in ("gRDA", "Lasso")
    )
    assert ours < few_error / 2 and lassos < lasso_few_error / 2  # "halves the error or better"
    assert lassos <= ours + 1e-9  # "as small as gRDA's or smaller"
    assert many_ours > 0.75 * least and many_lassos > lasso_least  # "helps little, … does harm"
    false, error = drawn.alive[1][-1], drawn.distance[-1]  # "few false weights and a small error"
    path = regression.alive(drawn.lasso, drawn.problem.truth)[1] <= 10
    off = regression.distance(drawn.lasso, drawn.problem.truth)
    assert error[false <= 10].min() < 0.9 * off[path].min()
    table = {row[1]: row[2:] for row in lesson03.beside_lasso().rows if row[0] == name}
    assert table["gRDA"][0] == f"{few} false, error {few_error:.2f}"
    assert table["Lasso"][1] == f"{lasso_many} false, error {lasso_least:.2f}"
    assert table["Lasso, refitted"][0].endswith(f" false, error {lassos:.2f}")


def test_how_many_more_false_weights_lasso_lets_in():
    best = [numbers.best_of(draw) for draw in DRAWS.values()]
    times = [each["Lasso"][1][0] / each["gRDA"][1][0] for each in best]
    assert f"lets in {min(times):.1f} to {max(times):.1f} times as many false weights" in TEXT


def test_lassos_best_against_coordinate_descent_at_one_lambda(drawn):
    """The path's solution is scikit-learn's Lasso of the same λ."""
    from sklearn.linear_model import Lasso

    k = drawn.lasso_closest()
    made = drawn.problem
    lam = regression.largest_lambda(made) * np.geomspace(1, 1e-3, len(drawn.lasso))[k]
    single = Lasso(alpha=lam, fit_intercept=False, tol=1e-9, max_iter=100_000)
    w = single.fit(made.x, made.y).coef_
    np.testing.assert_allclose(drawn.lasso[k], w, atol=0.01)
    error = np.linalg.norm(w - made.truth) / np.linalg.norm(made.truth)
    assert numbers._score(drawn, drawn.lasso[k])[1] == pytest.approx(error, rel=0.02)


def test_with_thirty_true_weights_lasso_is_ahead_and_time_helps():
    """The last cell of the lesson."""
    hard = regression.sparse_regression(seed=1, true=30)
    c, mu, record = [1.0, 3.0, 5.0, 10.0, 15.0], [0.51, 0.6, 0.7], [3000, 12_000]
    early, late = (
        regression.distance(w, hard.truth).min()
        for w in regression.grda(hard, c, mu, lr=LR, record=record)
    )
    assert regression.distance(regression.lasso(hard), hard.truth).min() < late < early


# ------------------------------------------------- a learning rate that changes


def test_the_threshold_under_a_schedule_step_by_step():
    explorable = lesson03.schedule()
    row, sentence = row_of(explorable, lr=0.02, at=700)
    c, mu, first = numbers.SETTINGS["lesson 04's CNN"]
    height, heights = 0.0, [0.0]
    for n in range(1, 2401):
        height += c * (first if n <= 700 else 0.02) ** (0.5 + mu) * (n**mu - (n - 1) ** mu)
        heights.append(height)
    np.testing.assert_allclose(row["added up.y"], heights[::20])
    assert row["recomputed.y"][35] == pytest.approx(g(700, first, c, mu))
    assert row["recomputed.y"][36] == pytest.approx(g(720, 0.02, c, mu))
    assert f"ends at {heights[-1]:.3f}" in sentence
    assert f"{g(701, 0.02, c, mu):.3f} a step later" in sentence
    assert "alive again" in row_of(explorable, lr=0.01, at=1200)[1]
    assert "alive again" not in row_of(explorable, lr=0.01, at=200)[1]  # it had not died yet
    row, sentence = row_of(explorable, lr=0.1, at=1200)
    np.testing.assert_allclose(row["added up.y"], row["recomputed.y"])
    assert "stays at 0.1" in sentence


# ------------------------------------------------- questions


def test_predictions_are_computed():
    assert assert_prediction(PREDICTIONS["doubled_c"]) == "About a quarter"
    assert abs(2 ** (1 / 0.51) - 4) < 0.12
    assert assert_prediction(PREDICTIONS["which_late"]) == "c at step 100, μ at step 10,000"
    for n, mu_wins in ((100, False), (10_000, True)):
        assert ((n * 0.1) ** 0.19 > 2) == mu_wins
    assert assert_prediction(PREDICTIONS["asleep"]) == "Some come back, true ones first"
    assert assert_prediction(PREDICTIONS["rate_drops"]) == "It stays, and grows on slowly"
    fewest = assert_prediction(PREDICTIONS["fewest_false"])
    true, false = (counts[-1] for counts in lesson03.result(1).alive)
    assert fewest == false[true == 10].min()


def test_true_weights_wake_first():
    woken = [both for n, both in numbers.sleeping().items() if n >= numbers.ASLEEP]
    assert woken[0] == (0, 0) and woken[-1][0] > 1
    assert all(false == 0 for _, false in woken)


def test_the_drop_of_the_learning_rate():
    """§1 of the course's definitions: .468 → .470, and .046 recomputed."""
    n = np.arange(1, 150 * 5005 + 1)
    rates = np.where(n <= 140 * 5005, 0.1, 0.01)
    path = np.cumsum(0.005 * rates**1.01 * (n**0.51 - (n - 1.0) ** 0.51))
    facts = numbers.dropped()
    assert facts["before"] == pytest.approx(path[140 * 5005 - 1]) == pytest.approx(0.468, abs=5e-4)
    assert facts["after"] == pytest.approx(path[-1]) == pytest.approx(0.470, abs=5e-4)
    assert facts["recomputed"] == pytest.approx(0.046, abs=5e-4)


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_numbers_in_the_text():
    assert all(f"{c:g}" in TEXT for c in (0.02, 15, 50))
    assert re.search(r"c = 15 with μ = 0\.55 has the fewest", TEXT)


# ------------------------------------------------- exercises


def test_the_first_exercise_tells_answers_apart():
    def stub(n, lr, c, mu):
        return ...

    def without_the_root(n, lr, c, mu):
        return c * (n * lr) ** mu

    def steps_for_time(n, lr, c, mu):
        return c * lr**0.5 * n**mu

    def the_power_of_n_alone(n, lr, c, mu):
        return c * lr**0.5 * n**mu * lr

    def precedence(n, lr, c, mu):
        return c * lr**1 / 2 * (n * lr) ** mu

    def always_a_root(n, lr, c, mu):
        return c * lr**0.5 * (n * lr) ** 0.5

    def linear(n, lr, c, mu):
        return c * lr**0.5 * mu * n * lr

    def misspelt(n, lr, c, mu):
        return c * gamma**0.5  # noqa: F821

    def one_power(n, lr, c, mu):
        return c * lr ** (0.5 + mu) * n**mu

    def with_numpy(n, lr, c, mu):
        time = n * lr
        return c * np.sqrt(lr) * np.power(time, mu)

    assert_exercise(
        EXERCISES["threshold"],
        stub=stub,
        wrong=[
            without_the_root,
            steps_for_time,
            the_power_of_n_alone,
            precedence,
            always_a_root,
            linear,
        ],
        raising=misspelt,
        right=[one_power, with_numpy],
    )


def test_the_second_exercise_tells_answers_apart():
    def stub(lrs, c, mu):
        return ...

    def recomputed(lrs, c, mu):
        n = np.arange(1, len(lrs) + 1)
        return c * lrs ** (0.5 + mu) * n**mu

    def counts_from_zero(lrs, c, mu):
        n = np.arange(len(lrs))
        return np.cumsum(c * lrs ** (0.5 + mu) * ((n + 1) ** mu - n**mu)) - c * lrs[0] ** (0.5 + mu)

    def sums_the_thresholds(lrs, c, mu):
        n = np.arange(1, len(lrs) + 1)
        return np.cumsum(c * lrs ** (0.5 + mu) * n**mu)

    def forgets_the_sum(lrs, c, mu):
        n = np.arange(1, len(lrs) + 1)
        return c * lrs ** (0.5 + mu) * (n**mu - (n - 1) ** mu)

    def of_the_accumulated_time(lrs, c, mu):
        return c * lrs**0.5 * np.cumsum(lrs) ** mu

    def first_rate_only(lrs, c, mu):
        n = np.arange(1, len(lrs) + 1)
        return c * lrs[0] ** (0.5 + mu) * n**mu

    def one_number(lrs, c, mu):
        return accumulated_in_a_loop(lrs, c, mu)[-1]

    def misspelt(lrs, c, mu):
        return np.cumsun(lrs)

    def accumulated_in_a_loop(lrs, c, mu):
        g, out = 0.0, []
        for k, lr in enumerate(lrs):
            g = g + c * lr ** (0.5 + mu) * ((k + 1) ** mu - k**mu)
            out.append(g)
        return np.array(out)

    def with_diff(lrs, c, mu):
        growth = np.diff(np.arange(len(lrs) + 1.0) ** mu)
        return c * np.add.accumulate(np.sqrt(lrs) * lrs**mu * growth)

    assert_exercise(
        EXERCISES["accumulated"],
        stub=stub,
        wrong=[
            recomputed,
            counts_from_zero,
            sums_the_thresholds,
            forgets_the_sum,
            of_the_accumulated_time,
            first_rate_only,
            one_number,
        ],
        raising=misspelt,
        right=[accumulated_in_a_loop, with_diff],
    )
