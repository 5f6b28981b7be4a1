"""Lesson 07 against numerical minima, its own text, and wrong answers."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from course.checking import assert_exercise, assert_prediction
from scipy.optimize import minimize_scalar

from grda_edu.geometry.pruning import obs_pruning, quadratic_twin
from grda_edu.lessons import lesson07
from grda_edu.lessons.lesson07 import (
    EXERCISES,
    OBJECTIVES,
    PREDICTIONS,
    from_above,
    numbers,
    questions,
)
from grda_edu.lessons.lesson07.looks import NAMES, pair
from grda_edu.lessons.lesson07.numbers import LAMS, TO_THE_TIP, W_SGD
from grda_edu.toy.flat_valley import METHODS, floor_l1, grda_paths, line_valley

TEXT = (Path(__file__).parents[2] / "notebooks" / "07_flat_valley.md").read_text("utf-8")


@pytest.fixture(scope="module")
def in_hand():
    return lesson07.valley_in_hand()


@pytest.fixture(scope="module")
def paths():
    return lesson07.all_paths()


@pytest.fixture(scope="module")
def lands():
    return lesson07.grda_lands()


@pytest.fixture(scope="module")
def space():
    return lesson07.three_weights()


def row_at(explorable, **values):
    return explorable._compute(**values)


def point(row, name, k=0):
    return np.array([row[f"{name}.x"][k], row[f"{name}.y"][k]])


def lowest(w, s, lam):
    """argmin of ½(u - w)² + λ·s·|u|, by a bounded search on either side of the kink."""
    halves = [
        minimize_scalar(
            lambda u: 0.5 * (u - w) ** 2 + lam * s * abs(u),
            bounds=half,
            method="bounded",
            options={"xatol": 1e-10},
        )
        for half in ((-9, 0), (0, 9))
    ]
    best = min(halves, key=lambda half: half.fun)
    return best.x if abs(best.x) > 1e-6 else 0.0


# ------------------------------------------------- first figure


def test_the_green_ball_is_a_numerical_minimum(in_hand):
    rng = np.random.default_rng(0)
    negative = 0
    for _ in range(30):
        angle, lam = float(rng.choice(numbers.TURNED_BY)), float(rng.choice(TO_THE_TIP))
        row, _ = row_at(in_hand, angle=angle, lam=lam)
        w, u = point(row, "sgd"), np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
        s = u * (u[0] + u[1])  # both weights are positive
        negative += int((s < -1e-9).any())
        expected = [lowest(w[j], s[j], lam) for j in range(2)]
        np.testing.assert_allclose(point(row, "balls", 1), expected, atol=1e-6)
        np.testing.assert_allclose(row["gauges.x"], np.abs(expected), atol=1e-6)
        dead = np.abs(expected) < 1e-9
        assert (np.isnan(row["dead.x"]) == ~dead).all()
    assert negative > 5


def test_the_arrows_are_the_sign_and_its_shadow(in_hand):
    """The shadow ends on the floor, at the foot of the perpendicular from the wish's head."""
    for angle in (-27.0, 15.0, 90.0):
        row, _ = row_at(in_hand, angle=angle, lam=1.0)
        w = point(row, "sgd")
        head = np.array([row["wish.x"][1], row["wish.y"][1]])
        foot = np.array([row["shadow.x"][1], row["shadow.y"][1]])
        np.testing.assert_allclose(head, w - np.sign(w))
        u = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
        assert (head - foot) @ u == pytest.approx(0, abs=1e-12)
        assert np.cross(np.append(foot - w, 0), np.append(u, 0))[2] == pytest.approx(0, abs=1e-12)
        np.testing.assert_allclose(point(row, "balls", 0), head, atol=1e-12)  # at λ = 1


def test_each_ball_lies_on_its_way_and_on_its_curve(in_hand):
    for angle in (-27.0, 15.0, 42.0, -45.0):
        for k in (0, 30, 70, 100):
            row, _ = row_at(in_hand, angle=angle, lam=TO_THE_TIP[k])
            balls = np.stack([row["balls.x"], row["balls.y"]], axis=1)
            n = np.array([-np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))])
            losses = 2 * ((balls - point(row, "sgd")) @ n) ** 2
            np.testing.assert_allclose(row["losses.y"], losses, atol=1e-12)
            for j, name in enumerate(("wish", "shadow")):
                assert row[f"loss of the {name}.x"][k] == TO_THE_TIP[k]
                assert row[f"loss of the {name}.y"][k] == pytest.approx(losses[j], abs=1e-12)
            corners = np.stack([row["route.x"], row["route.y"]], axis=1)
            assert _distance(balls[1], corners) < 1e-9


def _distance(at: np.ndarray, corners: np.ndarray) -> float:
    """From a point to a line through the corners."""
    found = []
    for a, b in pairwise(corners):
        along = (b - a) @ (at - a) / max((b - a) @ (b - a), 1e-300)
        found.append(np.linalg.norm(a + np.clip(along, 0, 1) * (b - a) - at))
    return float(min(found))


def test_the_wish_climbs_wherever_the_floor_does_not_lead_along_it():
    """The text's "which ball climbs?": the black one at every angle but 45°; the green one stays until a death."""
    for angle in numbers.TURNED_BY:
        found = numbers.both_ways(angle)
        if angle == 45.0:
            assert found["loss of wish"].max() < 1e-20
        else:
            assert (np.diff(found["loss of wish"]) > 0).all()
        alive = np.array(TO_THE_TIP) < numbers.race(angle).min()
        assert found["loss of shadow"][alive].max() < 1e-20


def test_both_goals_of_the_first_figure_can_be_reached(in_hand):
    """Some angle brings both to zero within a few steps of λ; some angle lets a weight grow."""
    both = [angle for angle in numbers.TURNED_BY if np.isfinite(numbers.race(angle)).all()]
    gaps = [np.ptp(numbers.race(angle)) for angle in both]
    assert both[int(np.argmin(gaps))] == 21.0 and min(gaps) < 0.05
    assert np.rad2deg(np.arctan2(0.4, 1.0)) == pytest.approx(21.8, abs=0.01)  # through the origin
    row, _ = row_at(in_hand, angle=-27.0, lam=1.0)
    assert row["gauges.x"][1] > 0.4


@pytest.mark.parametrize(
    ("angle", "lam", "title"),
    [
        (15.0, 0.0, "At the start"),
        (15.0, 0.5, "Both weights are alive"),
        (15.0, 0.9, "w<sub>1</sub> died first, at λ = 0.85"),
        (42.0, 0.9, "w<sub>2</sub> died first, at λ = 0.42"),
        (-60.0, 0.9, "Both weights are alive"),
    ],
)
def test_the_title_announces_the_first_death(in_hand, angle, lam, title):
    row, sentence = row_at(in_hand, angle=angle, lam=lam)
    assert row["layout.title.text"].startswith(title)
    assert pair(point(row, "balls", 1)) in sentence


def test_the_bands_end_where_the_loss_has_their_level():
    for angle in (-25.0, 15.0, 90.0):
        valley = line_valley(W_SGD, angle)
        for level in from_above.LEVELS:
            np.testing.assert_allclose(valley.loss(from_above.strip(angle, level)), level)


# ------------------------------------------------- second figure


def test_obs_jumps_where_directional_pruning_is_continuous(paths):
    """Over the slider's own steps, at every angle: DP moves by at most λ-step·|s|, OBS by its jump."""
    step = LAMS[1] - LAMS[0]
    jumps = 0
    for angle in numbers.ANGLES:
        found = numbers.paths_at(angle)
        speed = np.linalg.norm(line_valley(W_SGD, angle).scores)
        dp = np.linalg.norm(np.diff(found["directional"], axis=0), axis=1)
        assert dp.max() <= step * speed + 1e-9
        obs = np.linalg.norm(np.diff(found["obs"], axis=0), axis=1)
        moved = obs[obs > 0]
        assert moved.size >= 1 and moved[0] > 0.39
        jumps += moved.size > 1
    assert jumps == 1  # at 20° the floor nearly meets the origin, and a second removal is cheap


def test_the_curves_are_the_distance_and_the_loss_of_the_points(paths):
    for angle, lam in ((-25.0, 1.5), (40.0, 0.4)):
        row, sentence = row_at(paths, angle=angle, lam=lam)
        valley = line_valley(W_SGD, angle)
        for m, name in enumerate(METHODS):
            at = point(row, "now", m)
            lams = row[f"move of {name}.x"]
            lams = np.asarray(lams)
            k = np.searchsorted(lams, lam, side="right") - 1  # what jumps stays until it jumps
            assert row[f"move of {name}.y"][k] == pytest.approx(np.hypot(*(at - valley.w)))
            n = valley.sharp
            by_hand = 2.0 * (n[0] * (at[0] - valley.w[0]) + n[1] * (at[1] - valley.w[1])) ** 2
            assert row[f"loss of {name}.y"][k] == pytest.approx(by_hand, abs=1e-12)
            assert f"{NAMES[name]} {by_hand:.2f}" in sentence


def test_jumps_are_drawn_at_the_price_that_the_title_names(paths):
    row, _ = row_at(paths, angle=-25.0, lam=0.5)
    for name, lams in (("magnitude", (0.4, 1.0)), ("obs", (0.95,))):
        x, y = row[f"move of {name}.x"], row[f"move of {name}.y"]
        jumped = x[1:][np.diff(y) > 0.1]
        assert jumped[: len(lams)] == pytest.approx(lams, abs=0.005)


def test_the_title_names_what_obs_removes_and_when(paths):
    row, _ = row_at(paths, angle=-25.0, lam=0.5)
    assert "OBS removes w<sub>2</sub>" in row["layout.title.text"]
    assert "λ = 0.95" in row["layout.title.text"]
    assert "towards w<sub>1</sub> = 0" in row["layout.title.text"]


def test_there_are_angles_where_both_remove_the_same_weight():
    verdicts = {questions.who_removes_what(angle) for angle in (-25.0, 15.0, 40.0)}
    assert verdicts == {"directional pruning w₁, OBS w₂", "both remove w₁", "both remove w₂"}


def test_once_a_weight_is_zero_the_closed_form_leaves_the_floor_and_the_other_stays():
    for angle in numbers.ANGLES:
        found = numbers.paths_at(angle)
        assert found["loss of floor"].max() < 1e-20
        first = numbers.race(angle).min()
        before = np.array(LAMS) < first
        assert found["loss of directional"][before].max() < 1e-20
    late = numbers.paths_at(15.0)
    assert late["loss of directional"][-1] > 0.01


# ------------------------------------------------- third figure


def test_grda_lands_closer_at_each_halving(lands):
    """At every turn of the valley and at every λ beyond the first few steps."""
    for angle in numbers.TURNS:
        gaps = [numbers.landing(angle, lr)["gap"] for lr in (0.2, 0.1, 0.05, 0.025)]
        for coarse, fine in pairwise(gaps):
            later = np.array(numbers.REACHED) >= 1
            assert (fine[later] < coarse[later] + 1e-9).all()


def test_at_15_degrees_the_distance_halves_with_gamma_before_the_first_zero():
    assert questions.gap_at(0.05) / questions.gap_at(0.1) == pytest.approx(0.5, abs=0.05)
    assert questions.gap_at(0.025) / questions.gap_at(0.05) == pytest.approx(0.5, abs=0.05)


def test_gamma_itself_does_nothing_once_lambda_and_the_time_are_held():
    valley, found = numbers.valley_at(15.0), numbers.landing(15.0, 0.025)
    k = numbers.REACHED.index(0.7)
    lam, t = found["lam"][k], found["time"][k]
    start = valley.w + numbers.UP_THE_SIDE * valley.sharp
    for lr in (0.1, 0.05, 0.025):
        n = round(t / lr)
        c = lam / (lr**0.5 * (n * lr) ** numbers.MU)
        way = grda_paths([valley], start[None], lr, c, numbers.MU, np.array([n]))
        gap = np.linalg.norm(way[0, 0] - floor_l1(valley, lam))
        assert f"the distance is {gap:.4f} with γ = 0.1, 0.05 and 0.025 alike" in TEXT


def test_the_second_one_of_the_prediction_took_twice_the_time():
    k = numbers.REACHED.index(questions.AT_LAM)
    before, after = (numbers.landing(questions.AT_ANGLE, lr)["time"][k] for lr in questions.HALVED)
    assert after / before == pytest.approx(2, abs=0.05)


def test_the_bias_formula_gives_the_distance_to_two_digits():
    found = numbers.landing(15.0, 0.025)
    k = numbers.REACHED.index(0.7)
    n = np.array([-np.sin(np.deg2rad(15)), np.cos(np.deg2rad(15))])
    bias = 0.51 * found["lam"][k] * abs(n.sum()) / (4 * found["time"][k])
    assert found["gap"][k] == pytest.approx(bias, rel=0.02)


def test_lambda_is_the_threshold_at_the_drawn_step():
    for lr in numbers.RATES:
        found = numbers.landing(15.0, lr)
        lam = np.sqrt(lr) * (found["steps"] * lr) ** 0.51
        np.testing.assert_allclose(found["lam"], lam)
        wanted = np.array(numbers.REACHED)
        assert (found["lam"] <= wanted + 1e-9).all()
        assert (np.sqrt(lr) * ((found["steps"] + 1) * lr) ** 0.51 > wanted).all()


def test_beyond_the_first_zero_grda_follows_the_floor_and_leaves_the_closed_form(lands):
    found = numbers.landing(15.0, 0.025)
    late = found["lam"] > 1.5
    assert (found["gap"][late] < 0.01).all()
    assert (found["gap to the closed form"][late] > 0.1).all()
    row, sentence = row_at(lands, lr=0.025, angle=15.0, lam=2.0)
    assert pair(point(row, "now", 2)) in sentence
    assert f"{found['gap'][numbers.REACHED.index(2.0)]:.3f}" in row["layout.title.text"]


def test_sgd_and_grda_start_together_and_sgd_ends_on_the_floor(lands):
    for lr in numbers.RATES:
        row, _ = row_at(lands, lr=lr, angle=45.0, lam=1.0)
        start = point(row, "start")
        assert start.tolist() == [row["descent.x"][0], row["descent.y"][0]]
        assert start.tolist() == [row["grda.x"][0], row["grda.y"][0]]
        end = np.array([row["descent.x"][-1], row["descent.y"][-1]])
        np.testing.assert_allclose(end, point(row, "sgd"), atol=1e-3)


# ------------------------------------------------- three weights


def test_in_space_the_piece_of_plane_is_the_floor_and_the_hollow_diamond_stays_on_it(space):
    for tilt in numbers.TILTS:
        valley = numbers.plane_valley(tilt)
        assert np.linalg.norm(valley.sharp) == pytest.approx(1)
        row, sentence = row_at(space, tilt=tilt, lam=1.5)
        corners = np.stack([row[f"plane.{axis}"] for axis in "xyz"], axis=1)
        np.testing.assert_allclose(valley.loss(corners), 0, atol=1e-20)
        hollow = np.array([row[f"floor now.{axis}"][0] for axis in "xyz"])
        assert valley.loss(hollow) < 1e-15
        assert "kept on the floor 0.00" in sentence


# ------------------------------------------------- questions, text, exercises


def test_predictions_are_computed():
    assert assert_prediction(PREDICTIONS["turning"]) == "w₁, the larger one"
    assert assert_prediction(PREDICTIONS["growing"]) == "from −42° to −3°"
    assert assert_prediction(PREDICTIONS["surgeon"]) == "directional pruning w₁, OBS w₂"
    assert assert_prediction(PREDICTIONS["halving"]) == "about half of it"


def test_the_answers_follow_the_valley():
    """By the formula with sines and cosines, not by the code that the lesson uses."""
    for angle in numbers.TURNED_BY:
        u = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        s = [u[j] * (u[0] + u[1]) for j in range(2)]
        for j in range(2):
            assert (s[j] < -1e-9) == (angle in numbers.who_grows(j))
        times = [(1.0, 0.4)[j] / s[j] if s[j] > 1e-9 else np.inf for j in range(2)]
        np.testing.assert_allclose(numbers.race(angle), times, rtol=1e-9)
    assert questions.first_to_die(40.0) == questions.SMALLER
    assert questions.first_to_die(np.rad2deg(np.arctan2(0.4, 1.0))) == questions.TOGETHER


def test_the_example_by_hand():
    """Every number of the worked example, from u = (0.8, 0.6), in the text as it stands there."""
    u, w = np.array([0.8, 0.6]), np.array([1.0, -0.5])
    P0 = np.outer(u, u)
    np.testing.assert_allclose(P0, [[0.64, 0.48], [0.48, 0.36]])
    shadow = P0 @ np.sign(w)
    np.testing.assert_allclose(shadow, [0.64 - 0.48, 0.48 - 0.36])
    s = np.sign(w) * shadow
    np.testing.assert_allclose(s, [0.16, -0.12])
    assert s.sum() == pytest.approx(0.04) and shadow @ shadow == pytest.approx(0.04)
    moved = np.sign(w) * (np.abs(w) - 2 * s)
    np.testing.assert_allclose(moved, [0.68, -0.74])
    np.testing.assert_allclose(moved - w, -0.4 * u)
    for words in ("(0.16,\\ -0.12)", "(0.68,\\ -0.74)", "-0.4\\,u", "0.16^2 + 0.12^2"):
        assert words in TEXT


def test_the_numbers_of_the_text():
    assert (
        questions.first_to_die(15.0) == questions.LARGER
    )  # "it is the larger weight and dies first"
    assert questions.first_to_die(42.0) == questions.SMALLER  # "At 42° it is w2's turn"
    after = numbers.paths_at(-25.0)["obs"][-1]
    assert after == pytest.approx([1.86, 0.0], abs=0.005) and "from 1 to 1.86" in TEXT
    assert "strongest grey begins where the loss is 1." in TEXT and max(from_above.LEVELS) == 1.0
    assert (numbers.C, numbers.MU) == (1.0, 0.51)  # "c = 1 and μ = 0.51"
    assert line_valley(W_SGD, 15.0).curvature == 4.0


def test_at_minus_45_degrees_nothing_moves():
    valley = line_valley(W_SGD, -45.0)
    np.testing.assert_allclose(valley.scores, 0, atol=1e-12)
    assert np.isinf(numbers.race(-45.0)).all()


def test_at_40_degrees_the_closed_form_pays_and_the_hollow_diamond_does_not():
    found, k = numbers.paths_at(40.0), LAMS.index(1.0)
    assert f"{found['loss of directional'][k]:.2f}" == "0.23" and "here to 0.23" in TEXT
    assert found["loss of floor"][k] < 1e-20


def test_what_is_said_of_three_weights():
    """At a tilt of 20°: w2 dies first, then w1; w3 shrinks until w2 is zero, and grows from there."""
    found = numbers.plane_paths(20.0)
    floor, obs = found["floor"], found["obs"]
    dead = int(np.argmax(floor[:, 1] == 0))
    gone = int(np.argmax(floor[:, 0] == 0))
    assert 0 < dead < gone
    assert (np.diff(floor[:dead, 2]) < 0).all()
    assert (np.diff(floor[dead : gone + 1, 2]) > 0).all()
    assert (np.diff(found["directional"][:, 2]) < 0).all()  # the closed form does not turn
    assert len(np.unique(obs.round(6), axis=0)) == 3  # w_SGD and two jumps
    np.testing.assert_allclose(floor[-1], obs[-1], atol=1e-3)


def test_in_space_the_closed_form_leaves_the_plane_unless_it_lies_level():
    for tilt in numbers.TILTS:
        found = numbers.plane_paths(tilt)["directional"]
        worst = numbers.plane_valley(tilt).loss(found).max()
        assert (worst < 1e-20) if tilt == 0 else (worst > 1e-3)


def test_a_huge_epsilon_makes_obs_magnitude_pruning():
    valley = line_valley(W_SGD, -25.0)
    losses = []
    for epsilon, first in ((0.001, 1.86), (1.0, None), (100.0, 1.0)):
        after = obs_pruning(valley.w, valley.H, 1, epsilon=epsilon).w
        losses.append(valley.loss(after))
        assert after[1] == 0 and (first is None or after[0] == pytest.approx(first, abs=0.05))
    assert losses == sorted(losses)
    assert losses[0] < 1e-4
    magnitude = valley.loss(np.array([1.0, 0.0]))
    assert losses[-1] == pytest.approx(magnitude, rel=0.1)


def test_from_w_sgd_and_from_w_0_gives_the_same_in_the_end():
    reached = lesson07.landing(15.0, 0.025)
    k = lesson07.REACHED.index(0.7)
    valley = line_valley(W_SGD, 15.0)
    twin = quadratic_twin(valley.w, valley.H, 0.025, 1.0, 0.51, int(reached["steps"][k]))
    np.testing.assert_allclose(twin.w, reached["grda"][k], atol=5e-5)


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_the_exercise_on_scores_tells_answers_apart():
    def stub(w, P0):
        return ...

    def without_own_sign(w, P0):
        return P0 @ np.sign(w)

    def with_sizes(w, P0):
        return w * (P0 @ w)

    def with_half_the_sizes(w, P0):
        return np.sign(w) * (P0 @ w)

    def diagonal_only(w, P0):
        return np.sign(w) ** 2 * np.diag(P0)

    def sum_only(w, P0):
        return np.sign(w) @ P0 @ np.sign(w)

    def never_negative(w, P0):
        return np.abs(P0 @ np.sign(w))

    def zero_counts_as_positive(w, P0):
        sign = np.where(w >= 0, 1, -1)
        return sign * (P0 @ sign)

    def elementwise(w, P0):
        return np.sign(w) * (P0 * np.sign(w))

    def misspelt(w, P0):
        return np.sing(w)

    def by_loops(w, P0):
        out = []
        for j in range(len(w)):
            out.append(np.sign(w[j]) * sum(P0[j, k] * np.sign(w[k]) for k in range(len(w))))
        return np.array(out)

    def by_einsum(w, P0):
        return np.einsum("j,jk,k->j", np.sign(w), P0, np.sign(w))

    assert_exercise(
        EXERCISES["scores"],
        stub=stub,
        wrong=[
            without_own_sign,
            with_sizes,
            with_half_the_sizes,
            diagonal_only,
            sum_only,
            never_negative,
            zero_counts_as_positive,
            elementwise,
        ],
        raising=misspelt,
        right=[by_loops, by_einsum],
    )


def test_the_exercise_on_pruning_tells_answers_apart():
    def stub(w, s, lam):
        return ...

    def forgets_the_scores(w, s, lam):
        return np.sign(w) * np.maximum(np.abs(w) - lam, 0)

    def forgets_to_stop(w, s, lam):
        return w - lam * s * np.sign(w)

    def forgets_the_sign(w, s, lam):
        return np.maximum(np.abs(w) - lam * s, 0)

    def never_grows(w, s, lam):
        return np.sign(w) * np.maximum(np.abs(w) - lam * np.maximum(s, 0), 0)

    def moves_by_the_score(w, s, lam):
        return np.where(np.abs(w) > lam * s, w - lam * s, 0)

    def hard(w, s, lam):
        return np.where(np.abs(w) > lam * s, w, 0)

    def in_place(w, s, lam):
        w -= np.where(np.abs(w) > lam * s, lam * s * np.sign(w), w)
        return w

    def misspelt(w, s, lam):
        return np.sign(w) * np.maximum(np.abs(w) - lambda_ * s, 0)  # noqa: F821

    def with_where(w, s, lam):
        return np.where(np.abs(w) > lam * s, w - lam * s * np.sign(w), 0.0)

    def by_loops(w, s, lam):
        return np.array([np.sign(x) * max(abs(x) - lam * y, 0) for x, y in zip(w, s, strict=True)])

    assert_exercise(
        EXERCISES["prune"],
        stub=stub,
        wrong=[
            forgets_the_scores,
            forgets_to_stop,
            forgets_the_sign,
            never_grows,
            moves_by_the_score,
            hard,
            in_place,
        ],
        raising=misspelt,
        right=[with_where, by_loops],
    )
