"""Lesson 02 against the float64 oracle, closed forms, the optimizer itself and wrong answers."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction

from grda_edu import GRDA as Optimizer
from grda_edu.lessons import lesson02
from grda_edu.lessons.lesson02 import EXERCISES, OBJECTIVES, PREDICTIONS
from grda_edu.lessons.lesson02.noise import SHOWN
from grda_edu.lessons.lesson02.numbers import (
    AT,
    BACK,
    C_NOISE,
    CURVATURES,
    DEATHS,
    EXPONENTS,
    FLAT,
    KEPT,
    LR,
    MUS,
    SHAKEN,
    SHARP,
    SIGMA,
    SITUATIONS,
    WALKERS,
    A,
    C,
    alive_shares,
    at_time,
    bias_at,
    run,
    strengths,
    weights,
)
from grda_edu.lessons.lesson02.questions import my_grda_step
from grda_edu.lessons.lesson02.spaces import MARKED, NOW
from grda_edu.reference import grda as oracle
from grda_edu.toy import quadratic
from grda_edu.toy.quadratic import GRDA, METHODS, PROXIMAL, RDA, SGD, SUBGRADIENT

TEXT = (Path(__file__).parents[2] / "notebooks" / "02_two_spaces.md").read_text("utf-8")


@pytest.fixture(scope="module")
def spaces():
    demo = lesson02.two_spaces()
    yield demo
    demo.close()


@pytest.fixture(scope="module")
def methods():
    demo = lesson02.five_methods()
    yield demo
    demo.close()


@pytest.fixture(scope="module")
def between():
    demo = lesson02.why_between()
    yield demo
    demo.close()


def slow_path(here, a, c, until):
    """(weight, accumulator, threshold) after each step up to time ``until``, by the oracle."""
    steps = round(until / here.lr)
    noise = np.zeros(steps) if not here.sigma else here.noise()[:steps, 0, 0]
    w = here.w0
    rows = []

    def gradients():  # each is asked for when the weight of the step before is known
        for shock in noise:
            yield a * (w - here.w_star) + shock

    for state in oracle(here.w0, gradients(), [here.lr] * steps, c, here.mu):
        rows.append(tuple(map(float, state)))
        w = rows[-1][0]
    return rows


# ------------------------------------------------- two spaces


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_picture_is_the_oracle(spaces, name):
    here = SITUATIONS[name]
    time = 24.0
    for a, c in itertools.product((0.0, 0.03, 1.0), (0.0, 0.2)):
        row, sentence = spaces._compute(situation=here, a=a, c=c, time=time)
        w, v, g = slow_path(here, a, c, time)[-1]
        edge, top, hollow = row["beyond.y"]
        bottom, height, dot = row["weight.y"]
        if w == 0:
            assert np.isnan([edge, top, bottom, height]).all()
            assert hollow == pytest.approx(v, abs=1e-9) and dot == 0
            assert "w exactly 0" in sentence and "so w = 0" in row["layout.title.text"]
        else:
            assert (bottom, height) == (0, pytest.approx(w, abs=1e-9))
            assert top == pytest.approx(v, abs=1e-9) and np.isnan([hollow, dot]).all()
            assert edge == pytest.approx(np.sign(v) * g, abs=1e-9)  # the bar stands on the edge
        assert row["beyond.x"] == row["weight.x"] == [time] * 3
        assert row["future of v.x"] == row["future of w.x"]
        assert min(row["future of v.x"]) == time
        assert sentence.startswith(f"t = {time:.1f}, a = {a:g}, c = {c:g}:")
        assert ("This is SGD" in sentence) == (c == 0)


def test_the_bar_is_equally_long_on_both_sides(spaces):
    for a, c, time in itertools.product(A, C, NOW[::5].tolist()):
        row, _ = spaces._compute(situation=FLAT, a=a, c=c, time=time)
        np.testing.assert_allclose(np.diff(row["beyond.y"]), np.diff(row["weight.y"]), atol=1e-12)


def test_the_weight_is_drawn_from_the_accumulator_and_the_band(spaces):
    for here, a, c in itertools.product(SITUATIONS.values(), A, C):
        row, _ = spaces._compute(situation=here, a=a, c=c, time=0.0)
        v, g, w = row["v.y"], row["upper.y"], row["w.y"]
        np.testing.assert_allclose(w, np.sign(v) * np.maximum(np.abs(v) - g, 0), atol=1e-12)
        np.testing.assert_array_equal(row["lower.y"], -g)
        np.testing.assert_array_equal(np.isfinite(row["zero.y"]), w == 0)
        low, high = row["layout.yaxis.range"]
        assert low < -g.max() and high > max(g.max(), v.max()) and low < v.min()
        if c == 0:
            np.testing.assert_array_equal(w, row["SGD.y"])


def test_death_and_revival_are_marked_where_they_happen(spaces):
    row, _ = spaces._compute(situation=BACK, a=0.03, c=0.2, time=0.0)
    path = slow_path(BACK, 0.03, 0.2, 60.0)
    w = np.array([BACK.w0, *(state[0] for state in path)])
    v = np.array([BACK.w0, *(state[1] for state in path)])
    died = np.flatnonzero((w[1:] == 0) & (w[:-1] != 0)) + 1
    back = np.flatnonzero((w[1:] != 0) & (w[:-1] == 0)) + 1
    assert died.size == back.size == 1
    x, y = row["marks of v.x"], row["marks of v.y"]
    half = x.size // 2
    assert (x[0], x[half]) == pytest.approx((0.1 * died[0], 0.1 * back[0]))
    assert (y[0], y[half]) == pytest.approx((v[died[0]], v[back[0]]))
    assert np.isfinite(x).sum() == 2
    said = [
        spaces._compute(situation=BACK, a=0.03, c=0.2, time=time)[0]["words.text"]
        for time in NOW.tolist()
    ]
    for time, (dies, revives) in zip(NOW, said, strict=True):  # not before it happens
        assert ("dies" in dies, "revives" in revives) == (time >= x[0], time >= x[half])
    dies, revives = said[-1]
    assert dies == f"dies {0.1 * died[0]:.1f}" and f"revives {0.1 * back[0]:.1f}" in revives
    assert row["words.x"] == pytest.approx([0.1 * died[0], 0.1 * back[0]])
    np.testing.assert_array_equal(row["marks of w.x"], x)
    _, before = spaces._compute(situation=BACK, a=0.03, c=0.2, time=24.0)
    _, after = spaces._compute(situation=BACK, a=0.03, c=0.2, time=60.0)
    assert f"since t = {0.1 * died[0]:.1f}" in before
    assert f"came back at t = {0.1 * back[0]:.1f}" in after


def test_noise_has_a_flat_weight_die_more_than_once(spaces):
    here = next(s for s in SITUATIONS.values() if s.sigma)
    row, _ = spaces._compute(situation=here, a=here.at[0], c=here.at[1], time=0.0)
    x = row["marks of v.x"]
    deaths, revivals = (np.isfinite(part).sum() for part in np.split(x, 2))
    assert deaths >= 2 and revivals >= 1
    assert max(deaths, revivals) <= MARKED


def test_choosing_a_situation_moves_the_sliders(spaces):
    for name in reversed(list(SITUATIONS)[:3]):
        spaces.situation = name
        assert (spaces.a, spaces.c) == SITUATIONS[name].at
        assert spaces.start == [A.index(spaces.a), C.index(spaces.c), NOW.tolist().index(12.0)]
        assert spaces.tabulated and spaces.error == ""
    assert spaces.table_bytes < 2_000_000


def test_what_the_text_says_of_the_first_figure(spaces):
    assert "zero ends at t = 31.4" in TEXT
    larger = SITUATIONS["larger steps (γ = 0.4)"]
    dies = quadratic.death_time(larger.w0, larger.lr, larger.at[1], larger.mu)
    assert f"{dies:.1f}" == "9.9" and "dies at t = 9.9 instead of 31.4" in TEXT
    faster = run(SITUATIONS["a faster threshold (μ = 0.9)"])
    left = faster.w[[200, 599]]
    assert (0.5 - left[1]) > 0.85 * (0.5 - left[0]) and "bias hardly falls by t = 60" in TEXT
    row, _ = spaces._compute(situation=FLAT, a=0.0, c=0.2, time=60.0)
    assert row["words.text"][0] == "dies 31.4"
    # curvature hurries the death of a weight that the loss wants at zero
    zero = next(s for s in SITUATIONS.values() if s.w_star == 0)
    assert list(SITUATIONS.values()).index(zero) == 3  # "the fourth situation"
    times = [spaces._compute(situation=zero, a=a, c=0.2, time=0.0)[0]["marks of v.x"][0] for a in A]
    assert (np.diff(times) < 0).all()
    # and with the others: the sharper, the later or never
    flat = [spaces._compute(situation=FLAT, a=a, c=0.2, time=60.0)[0]["weight.y"][1] for a in A]
    assert np.isnan(flat[0]) and np.isfinite(flat[2:]).all() and (np.diff(flat[2:]) > 0).all()
    assert A[1:3] == (0.01, 0.02) and np.isnan(flat[1])  # "0.02 outlives t = 60, 0.01 does not"


def test_the_goal_can_be_reached_with_the_slider(spaces):
    """The first c in the slider's order whose flat weight is zero at some time before 30."""
    dead = [
        spaces._compute(situation=FLAT, a=0.0, c=c, time=28.8)[0]["weight.y"][2] == 0 for c in C
    ]
    first = C[dead.index(True)]
    assert PREDICTIONS["goal"].right() == first and 0 < dead.index(True) < len(C) - 1
    assert PREDICTIONS["goal"].is_right(first)
    assert not PREDICTIONS["goal"].is_right(C[C.index(first) - 1])


# ------------------------------------------------- five methods


@pytest.mark.parametrize("mu", MUS)
@pytest.mark.parametrize("death", DEATHS)
def test_all_penalties_kill_the_flat_weight_at_the_same_time(methods, mu, death):
    row, sentence = methods._compute(mu=mu, death=death, a=0.5)
    t = KEPT * LR
    for method in (PROXIMAL, RDA, GRDA):
        flat = weights(method, mu, death)[:, 0]
        assert (flat[t < death - LR / 2] > 0).all()
        assert (flat[t > death + LR / 2] == 0).all()
        k = METHODS.index(method)
        assert f"zero from t = {death:g}" in row[f"layout.annotations[{k}].text"]
    for method in (SGD, SUBGRADIENT):
        assert (weights(method, mu, death)[:, 0] != 0).all()
        k = METHODS.index(method)
        assert "never exactly zero" in row[f"layout.annotations[{k}].text"]
    assert f"t = {death:g}" in sentence


def test_the_three_l1_methods_coincide_on_the_sharp_weight(methods):
    for mu, death, a in itertools.product(MUS, DEATHS, CURVATURES):
        row, _ = methods._compute(mu=mu, death=death, a=a)
        lam = 1 / death
        if lam < a:
            for method in (SUBGRADIENT, PROXIMAL):
                np.testing.assert_allclose(row[f"{method} bias.y"], row[f"{RDA} bias.y"], atol=1e-9)
            assert row[f"{RDA} bias.y"][-1] == pytest.approx(lam / a, rel=1e-6)
            assert row["ℓ1 formula.y"][0] == pytest.approx(lam / a)
        assert row[f"{SGD} sharp.y"] == pytest.approx(1.0)


def test_grdas_bias_falls_along_its_formula(methods):
    """To 12 % at t = 1000 over all positions: the slowest, a = 0.1, has had a·t = 100 only."""
    for mu, death, a in itertools.product(MUS, DEATHS, CURVATURES):
        row, sentence = methods._compute(mu=mu, death=death, a=a)
        end = row[f"{GRDA} bias.y"][-1]
        c = 1 / (LR**0.5 * death**mu)
        assert end == pytest.approx(c * mu * LR**0.5 * 1000 ** (mu - 1) / a, rel=0.12)
        assert row["gRDA formula.y"][-1] == pytest.approx(c * mu * LR**0.5 * 1000 ** (mu - 1) / a)
        assert f"{end:#.2g} is left at t = 1000" in sentence


def test_what_the_text_says_of_the_second_figure(methods):
    row, _ = methods._compute(mu=0.6, death=20.0, a=0.5)
    t, ours, others = KEPT * LR, row[f"{GRDA} bias.y"], row[f"{RDA} bias.y"]
    crossing = t[np.flatnonzero(ours > others)[-1]]
    assert crossing < 20 and (ours[t < crossing] > others[t < crossing]).all()  # larger early on
    assert (ours[t > 20] < others[t > 20]).all()
    # at the death of the flat weight gRDA's force is μλ: c μ √γ t*^{μ-1} with c = |w0|/(√γ t*^μ)
    lam, c = strengths(20.0, 0.6)
    assert c * 0.6 * LR**0.5 * 20**-0.4 == pytest.approx(0.6 * lam)
    assert c * 0.6 * LR**0.5 * 2000**-0.4 == pytest.approx(0.6 * lam * 100**-0.4)
    assert (lam, round(0.6 * lam, 6), round(0.6 * lam * 100**-0.4, 4)) == (0.05, 0.03, 0.0048)
    # too weak to survive: death at t = 5 and curvature 0.1
    row, _ = methods._compute(mu=0.6, death=5.0, a=0.1)
    assert row[f"{PROXIMAL} sharp.y"][-1] == row[f"{RDA} sharp.y"][-1] == 0
    assert row[f"{GRDA} sharp.y"].min() < 0.2 and row[f"{GRDA} sharp.y"][-1] > 0.8
    assert "a|w*| ≤ λ" in row["layout.annotations[6].text"]
    # the sooner the flat weight dies, the larger the bias that stays
    stays = [bias_at(RDA, 1000, death=death) for death in DEATHS]
    assert (np.diff(stays) < 0).all()


# ------------------------------------------------- noise


def test_the_exponent_decides(between):
    """Share alive: up below ½, level at ½, down above; the bias falls below 1 only."""
    for mu in EXPONENTS:
        row, sentence = between._compute(mu=mu)
        share, bias = row["share.y"], row["bias.y"]
        formula = row["share formula.y"]
        error = np.sqrt(np.maximum(formula * (1 - formula), 1e-4) / WALKERS)
        assert (np.abs(share - formula) < 4.5 * error).all()
        early = at_time(1.0)
        if mu < 0.5:
            assert share[-1] > share[early] + 0.05
        elif mu == 0.5:
            assert share[-1] == pytest.approx(share[early], abs=0.04)
        elif mu >= 0.55:
            assert share[-1] < share[early] - 0.05
        middle = at_time(30.0)
        if 0.5 <= mu <= 0.9:  # for a smaller μ it is lost in the noise by then
            assert bias[-1] < 0.8 * bias[middle]
        elif mu == 1.0:
            assert bias[-1] == pytest.approx(bias[middle], rel=0.05)
        elif mu > 1.0:
            assert bias[-1] > 1.1 * bias[middle]
        title = row["layout.title.text"]
        assert ("die out" in title) == (mu > 0.5) and ("come alive" in title) == (mu < 0.5)
        assert ("vanishes" in title) == (0.5 < mu < 1)
        assert title.endswith("very slowly") == (0.9 < mu < 1)
        if 0.9 < mu < 1:
            assert bias[-1] < bias[at_time(10.0)]  # as the sentence says too
        assert f"{share[early]:.0%} are alive at t = 1" in sentence


def test_the_noisy_bias_follows_the_formula(between):
    """Within 0.002, four deviations of the mean, from t = 10 on (before, the formula is not meant)."""
    late = AT * LR >= 10
    for mu in (0.51, 0.6, 0.75, 0.9):
        row, _ = between._compute(mu=mu)
        bias, formula = row["bias.y"][late], row["bias formula.y"][late]
        assert np.nanmax(np.abs(bias - formula)) < 0.1 * formula[0] + 0.002


def test_dots_are_alive_outside_the_band_only(between):
    row, _ = between._compute(mu=0.75)
    band = np.repeat(row["band.y"], SHOWN)
    alive, dead = row["alive.y"], row["dead.y"]
    assert (np.isnan(alive) != np.isnan(dead)).all()
    assert (alive[np.isfinite(alive)] > band[np.isfinite(alive)]).all()
    assert (dead[np.isfinite(dead)] <= band[np.isfinite(dead)]).all()


def test_what_the_text_says_of_the_third_figure():
    start = at_time(1.0)
    tie = alive_shares(0.5)
    assert np.abs(tie - 1 / 3).max() < 0.05  # "about a third are alive, at every time"
    slow = alive_shares(0.51)
    assert abs(slow[-1] - slow[start]) < 0.06  # "hardly a change is to be seen"
    # σ = c: the two lines meet at t = 1
    assert SIGMA == C_NOISE
    assert f"mean over {SHAKEN} of them" in TEXT


# ------------------------------------------------- questions and exercise


def test_predictions_are_computed():
    assert assert_prediction(PREDICTIONS["which_dies"]) == "the flat one"
    assert assert_prediction(PREDICTIONS["revival"]).endswith("other sign")
    assert assert_prediction(PREDICTIONS["bias"]).endswith("vanishes under gRDA")
    assert assert_prediction(PREDICTIONS["noise"]) == "larger"
    c = assert_prediction(PREDICTIONS["goal"])
    assert (0.5 / (c * 0.1**0.5)) ** (1 / 0.6) < 30


def test_explanations_hold_the_oracles_numbers():
    flat = slow_path(FLAT, 0.0, 0.2, 60.0)
    sharp = slow_path(SHARP, 1.0, 0.2, 60.0)
    died = 0.1 * (1 + [w for w, _, _ in flat].index(0.0))
    words = PREDICTIONS["which_dies"].explain("the flat one")
    assert f"from t = {died:.1f} on" in words
    assert f"w = {sharp[-1][0]:.3f}" in words and f"climbed to {sharp[-1][1]:.2f}" in words
    proximal, late = bias_at(PROXIMAL, 1000), bias_at(GRDA, 1000)
    words = PREDICTIONS["bias"].explain(None)
    assert f"{proximal:.3f} under proximal SGD" in words and f"{late:.3f} under gRDA" in words
    assert proximal == pytest.approx((1 / 20) / 0.5, rel=1e-6)


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_the_exercise_tells_answers_apart():
    def shrink(x, tau):
        return np.sign(x) * np.maximum(np.abs(x) - tau, 0)

    def stub(v, n, gradient, lr, c, mu):
        return ...

    def no_root(v, n, gradient, lr, c, mu):
        v = v - lr * gradient
        return v, shrink(v, c * (n * lr) ** mu)

    def counts_from_zero(v, n, gradient, lr, c, mu):
        v = v - lr * gradient
        return v, shrink(v, c * lr ** (0.5 + mu) * (n - 1) ** mu)

    def rate_without_mu(v, n, gradient, lr, c, mu):
        v = v - lr * gradient
        return v, shrink(v, c * lr**0.5 * n**mu)

    def thresholds_the_accumulator(v, n, gradient, lr, c, mu):
        v = shrink(v - lr * gradient, c * lr ** (0.5 + mu) * n**mu)
        return v, v

    def old_accumulator(v, n, gradient, lr, c, mu):
        return v - lr * gradient, shrink(v, c * lr ** (0.5 + mu) * n**mu)

    def swapped(v, n, gradient, lr, c, mu):
        v = v - lr * gradient
        return shrink(v, c * lr ** (0.5 + mu) * n**mu), v

    def weights_only(v, n, gradient, lr, c, mu):
        return shrink(v - lr * gradient, c * lr ** (0.5 + mu) * n**mu)

    def uphill(v, n, gradient, lr, c, mu):
        v = v + lr * gradient
        return v, shrink(v, c * lr ** (0.5 + mu) * n**mu)

    def one_sided(v, n, gradient, lr, c, mu):
        v = v - lr * gradient
        return v, np.maximum(v - c * lr ** (0.5 + mu) * n**mu, 0)

    def in_place(v, n, gradient, lr, c, mu):
        v -= lr * gradient
        return v, shrink(v, c * lr ** (0.5 + mu) * n**mu)

    def linear(v, n, gradient, lr, c, mu):
        v = v - lr * gradient
        return v, shrink(v, c * lr * n)

    def misspelt(v, n, gradient, lr, c, mu):
        return v - lr * grad  # noqa: F821

    def in_time(v, n, gradient, lr, c, mu):
        new = v - gradient * lr
        g = c * np.sqrt(lr) * (lr * n) ** mu
        return new, new - np.clip(new, -g, g)

    def entry_by_entry(v, n, gradient, lr, c, mu):
        new, w = v.copy(), np.zeros_like(v)
        g = c * lr ** (mu + 0.5) * n**mu
        for k in np.ndindex(v.shape):
            new[k] = v[k] - lr * gradient[k]
            if abs(new[k]) > g:
                w[k] = new[k] - g if new[k] > 0 else new[k] + g
        return new, w

    wrong = [no_root, counts_from_zero, rate_without_mu, thresholds_the_accumulator]
    wrong += [old_accumulator, swapped, weights_only, uphill, one_sided, in_place, linear]
    assert_exercise(
        EXERCISES["grda_step"],
        stub=stub,
        wrong=wrong,
        raising=misspelt,
        right=[in_time, entry_by_entry],
    )


def test_the_solution_is_the_oracle_and_the_optimizer():
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal((4, 3)), rng.standard_normal((60, 4, 3))
    weights = torch.nn.Parameter(torch.tensor(start))
    optimizer = Optimizer([weights], lr=0.1, c=0.3, mu=0.7)
    v = start
    steps = oracle(start, gradients, [0.1] * 60, 0.3, 0.7)
    for n, (gradient, (w_oracle, v_oracle, _)) in enumerate(zip(gradients, steps, strict=True), 1):
        v, w = my_grda_step(v, n, gradient, 0.1, 0.3, 0.7)
        weights.grad = torch.tensor(gradient)
        optimizer.step()
        np.testing.assert_allclose(v, v_oracle, atol=1e-12)
        np.testing.assert_allclose(w, w_oracle, atol=1e-12)
        np.testing.assert_allclose(w, weights.detach().numpy(), atol=1e-12)
    assert 0 < (w == 0).mean() < 1
    v, w = my_grda_step(start, 7, gradients[0], 0.1, 0.0, 0.7)
    np.testing.assert_array_equal(v, w)
    np.testing.assert_array_equal(w, start - 0.1 * gradients[0])


def test_your_own_step_runs_beside_the_formulas(capsys):
    lesson02.run_your_step(lambda v, n, gradient, lr, c, mu: ...)
    assert "Solve the exercise first" in capsys.readouterr().out
    lesson02.run_your_step(my_grda_step)
    out = capsys.readouterr().out
    assert "zero from t = 31.4 (formula 31.37)" in out
    bias, formula = (
        float(part.split()[0].rstrip(")"))
        for part in (out.split("bias ")[1], out.split("formula ")[2])
    )
    assert bias == pytest.approx(formula, rel=0.03)
