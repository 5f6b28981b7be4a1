"""Lesson 08: figures against the recording, the recording against training, each claim, the exercise."""

import itertools
import threading
from datetime import date

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction

from grda_edu import digits, directional_pruning, finite_time_scores, recordings, small_digits_cnn
from grda_edu.geometry.curvature import FixedLoss, hessian
from grda_edu.lessons import lesson08
from grda_edu.lessons.lesson08 import (
    EXERCISES,
    OBJECTIVES,
    PREDICTIONS,
    finite,
    live,
    numbers,
    questions,
    scatter,
    weight_maps,
)
from grda_edu.lessons.lesson08.numbers import SETTINGS, about, ended, seeds
from grda_edu.studies.theorem import TheoremStudy
from grda_edu.studies.time_limit import FiniteTime
from grda_edu.training.pairs import trainings

STRONG = SETTINGS[-1]


@pytest.fixture(scope="module")
def recorded():
    return recordings.load_measurements("theorem")


def array(recorded, name):
    return recorded.arrays[name].astype(float)


# ------------------------------------------------- the recording


def test_the_recording_is_the_studys(recorded):
    study = TheoremStudy()
    assert recorded.configuration["t"] == study.t == 450
    assert numbers.pairs() == study.pairs(study.main_lr)
    for lr in (0.2, 0.05, 0.025):
        assert numbers.pairs_elsewhere(lr) == study.pairs(lr)
    held = numbers.pairs_elsewhere(0.025)[-3:]
    for (c, mu), (main_c, main_mu) in zip(held, SETTINGS, strict=True):
        assert (c, mu) == (pytest.approx(2 * main_c), main_mu)
        assert ended(main_c, mu, 0, 0.025, held=True).lam == pytest.approx(ended(main_c, mu, 0).lam)
    assert all(np.isfinite(values).all() for values in map(numbers.array, recorded.arrays))


def test_it_is_small():
    entry = recordings.manifest()["theorem"]
    assert entry["bytes"] <= 6_000_000


def test_a_recorded_piece_measured_again(recorded):
    """One seed at γ = 0.2, another every day: weights, zeros, ranks and scores come out again.

    Another processor rounds otherwise and training amplifies it: weights of size 1 may then differ
    by some hundredths. Other trainings' weights differ by their own size.
    """
    k = date.today().toordinal() % len(seeds())
    again = TheoremStudy().measure((0.2, seeds()[k]))
    before = {name: array(recorded, f"rates/{name}")[0, k] for name in again}
    for name in ("sgd", "grda"):
        off = np.abs(again[name] - before[name]).mean()
        assert off < 0.1 * np.abs(before[name]).mean()
    zeros = [(w["grda"] == 0).mean(axis=1) for w in (again, before)]
    np.testing.assert_allclose(*zeros, atol=0.03)
    assert np.abs(again["rank"] - before["rank"]).max() < 30
    main = numbers.at(numbers.cutoffs(), 1e-3)
    assert np.corrcoef(again["s"][main].astype(float), before["s"][main])[0, 1] > 0.9
    random = again["s_random"].astype(float)
    assert np.abs(random.mean() - again["rank"][main] / 1370) < 0.05


def test_the_recorded_eigenvalues_are_those_of_the_recorded_weights(recorded):
    """Their sum and the sum of their squares are the trace and the norm of the Hessian."""
    data = digits(validation=0)
    loss = FixedLoss(small_digits_cnn(0), (data.x_train, data.y_train))
    end = about("times").index(about("t"))
    w = torch.from_numpy(recorded.arrays["path"][0, end])
    values = array(recorded, "values")[0, end]
    matrix = hessian(loss, w)
    assert values.sum() == pytest.approx(np.trace(matrix), rel=1e-4)
    assert (values**2).sum() == pytest.approx((matrix**2).sum(), rel=1e-4)
    # scores: P0 sign(w), from the eigenvectors of this matrix
    found, vectors = np.linalg.eigh(matrix)
    sign = np.sign(w.numpy().astype(float))
    basis = vectors[:, found < 1e-3]
    expected = sign * (basis @ (basis.T @ sign))
    np.testing.assert_allclose(ended(*SETTINGS[0], 0).score(), expected, atol=0.02)
    assert loss(w) == pytest.approx(float(array(recorded, "sgd_loss")[0]), rel=1e-4)
    # "those that matter lie just above" 1/t: of what the cut-off 0.003 adds to the signs, nearly all
    held = (vectors.T @ sign) ** 2
    added = held[(found > 1e-3) & (found < 3e-3)].sum()
    assert held[(found > 1 / about("t")) & (found < 3e-3)].sum() > 0.85 * added


def test_every_rung_is_a_network_with_its_recorded_loss(recorded):
    data = digits(validation=0)
    loss = FixedLoss(small_digits_cnn(0), (data.x_train, data.y_train))
    for name in ("gRDA", "directional", "twin", "soft"):
        w = numbers.predicted(name, *SETTINGS[1], 1)
        assert loss(torch.from_numpy(w)) == pytest.approx(
            numbers.train_loss(name, *SETTINGS[1], 1), rel=0.02
        )


# ------------------------------------------------- finite time


def test_products_give_the_scores_of_the_whole_hessian():
    """Recorded for every seed by all eigenvectors; today's seed by forty products, here."""
    assert finite.about("seeds") == [0, 1, 2, 3, 4] and finite.about("products") == 40
    assert finite.array("time/error").shape == (5, 3, 2)
    assert finite.array("time/error").max() < 0.03
    assert finite.array("time/estimated").max() < 0.06
    k = date.today().toordinal() % 5
    data = digits(validation=0)
    loss = FixedLoss(small_digits_cnn(0), (data.x_train, data.y_train))
    w = finite.recorded().arrays["time/sgd"][k, 0]
    for mu, exact in zip(finite.about("mus"), finite.array("time/s")[k, 0], strict=True):
        found = finite_time_scores(loss, finite.about("times")[0], mu, w=w)
        assert np.linalg.norm(found.s - exact) < 0.03 * np.linalg.norm(exact)


def test_the_same_trainings_are_those_of_the_other_recording(recorded):
    """SGD and gRDA to t = 450 at γ = 0.1 stand in both, up to what rounding makes of it."""
    for k, (c, mu) in enumerate(finite.settings()):
        one, other = finite.ended(c, mu, 450, 0), ended(c, mu, 0)
        assert (c, mu) == SETTINGS[k] and one.lam == pytest.approx(other.lam)
        for ours, theirs in ((one.sgd, other.sgd), (one.grda, other.grda)):
            assert np.abs(ours - theirs).mean() < 0.1 * np.abs(theirs).mean()


def test_with_every_doubling_of_the_time_the_correlation_rises():
    for setting in finite.settings():
        found = finite.over_time(*setting)
        assert found["correlation"].shape == (3, 5)
        assert (np.diff(found["correlation"], axis=0) > 0).all()  # in every seed
        assert (np.diff(found["auc"].mean(axis=1)) > 0).all()
        assert (found["cut-off"][-1] < 0.35).all() and (found["correlation"][-1] > 0.5).all()


def test_gamma_moves_it_less_with_the_strength_held():
    assert finite.rates() == [0.2, 0.1, 0.05]
    first = [finite.over_rates(*setting).mean(axis=1) for setting in finite.settings()]
    rises = [
        np.diff(finite.over_time(*setting)["correlation"].mean(axis=1))[0]
        for setting in finite.settings()
    ]
    assert np.abs([rates[2] - rates[1] for rates in first]).max() < 0.03
    assert (round(min(rises), 2), round(max(rises), 2)) == (0.05, 0.13)
    before = [rates[1] - rates[0] for rates in first]
    assert before[0] > 0.05 > max(before[1:])  # "only where λ is small was there more to gain"


def test_most_of_it_is_left_without_size_and_layer_in_every_seed():
    for c, mu in finite.settings():
        found = finite.over_time(c, mu)
        assert (found["partial"] > 0.5 * found["correlation"]).all()
        assert (np.abs(found["partial, shuffled"]) < 0.15).all()
        assert (found["partial"] > found["partial, shuffled"] + 0.1).all()


def test_the_exact_symmetries_and_a_turned_hessian_explain_less():
    for setting in finite.settings():
        found = finite.over_time(*setting)
        for name in ("symmetries", "random"):
            assert (found[name] < found["correlation"]).all()
        assert np.abs(found["random"]).mean() < 0.05


def test_what_is_missing_is_no_noise_of_the_batches():
    for setting in finite.settings():
        for seed in finite.about("seeds"):
            assert finite.ceiling(*setting, seed) > 0.9


def test_strengths_are_held():
    study = FiniteTime()
    assert finite.about("times") == list(study.times)
    sgd, grda = finite.array("time/sgd"), finite.array("time/grda")
    assert sgd.shape == (5, 3, 1370) and grda.shape == (5, 3, 3, 1370)
    zeros = (grda == 0).mean(axis=-1).mean(axis=0)  # [times, settings]
    assert (np.ptp(zeros, axis=0) < 0.12).all()  # with c held they would double


# ------------------------------------------------- the bars, and what the text says


def means(c, mu, lr=None, **options):
    cells = [ended(c, mu, s, lr, **options) for s in seeds()]
    return cells, [one.evidence() for one in cells]


def test_correlation_rises_as_gamma_is_halved():
    """At the same t and c, in the mean of the seeds; with s shuffled it stays below a tenth."""
    for lr in (0.2, 0.1, 0.05, 0.025):
        cells, _ = means(*SETTINGS[0], lr)
        assert abs(np.mean([one.shuffled().correlation for one in cells])) < 0.1
    found = [
        np.mean([e.correlation for e in means(*SETTINGS[0], lr)[1]])
        for lr in (0.2, 0.1, 0.05, 0.025)
    ]
    assert found == sorted(found)
    assert found[-1] < 1


def test_correlation_rises_at_every_recorded_setting_and_growth_where_s_is_positive_fades():
    for c, mu in numbers.pairs_elsewhere(0.1)[:6]:
        curves = numbers.along_gamma(c, mu, 1e-3)
        assert (np.diff(curves["correlation, c fixed"].mean(axis=1)[:4]) > 0).all()
        assert (np.diff(curves["grew, s > 0"].mean(axis=1)[:4]) < 0).all()


def test_with_the_strength_held_the_correlation_hardly_moves():
    for c, mu in SETTINGS:
        held = [
            np.mean([ended(c, mu, s, lr, held=True).evidence().correlation for s in seeds()])
            for lr in (0.05, 0.025)
        ]
        main = np.mean([ended(c, mu, s).evidence().correlation for s in seeds()])
        assert np.abs(np.array(held) - main).max() < 0.05
        fixed = np.mean([ended(c, mu, s, 0.025).evidence().correlation for s in seeds()])
        left = (held[-1] - main) / (fixed - main)  # of the rise from γ = 0.1, once λ is held
        assert 0.4 < left < 0.7 if c == 0.005 else left < 0


def test_twice_the_time_does_not_help_by_itself():
    for c, mu in SETTINGS:
        later = [numbers.ended_later(c, mu, s).evidence().correlation for s in seeds()]
        now = [ended(c, mu, s).evidence().correlation for s in seeds()]
        assert np.mean(later) < np.mean(now) + 0.02


def test_the_ladder_climbs():
    """Twin above w_flat above (or at) the closed form, the path's twin above all, in every seed."""
    names = list(numbers.RUNGS)
    for c, mu in numbers.pairs():
        cosines = numbers.ladder_of(c, mu)["cosine"]
        closed, flat, twin, path = (
            cosines[names.index(n)] for n in ("directional", "flat", "twin", "path")
        )
        assert (path > twin).all() and (twin > flat).all() and (flat > closed - 0.005).all()
    cosines = numbers.ladder_of(*STRONG)["cosine"].mean(axis=1)
    closed, flat, twin, path = (
        cosines[names.index(n)] for n in ("directional", "flat", "twin", "path")
    )
    soft = cosines[names.index("soft")]
    assert max(closed, flat) < soft and abs(twin - soft) < 0.01 and path > soft + 0.03


def test_survivors_with_negative_scores_grow():
    for c, mu in SETTINGS:  # "of those that should grow, about half or fewer do"
        assert all(0.3 < e.grew_where_negative < 0.55 for e in means(c, mu)[1])
        assert all(e.grew_where_positive < 0.15 for e in means(c, mu)[1])
    for c, mu in SETTINGS[:2]:
        cells, found = means(c, mu)
        negative = np.mean([e.grew_where_negative for e in found])
        assert negative >= 4 * np.mean([e.grew_where_positive for e in found])
        chance = [one.shuffled() for one in cells]
        apart = [e.grew_where_negative - e.grew_where_positive for e in chance]
        assert abs(np.mean(apart)) < 0.1  # alike within noise


def test_scores_know_weights_and_not_just_layers():
    for row in numbers.evidence_rows():
        for found, outgoing, dealt in zip(
            row["found"], row["outgoing"], row["in layers"], strict=True
        ):
            assert abs(dealt.correlation) <= 0.21
            assert outgoing.correlation > found.correlation - 0.06
            assert outgoing.grew_where_negative > 2 * outgoing.grew_where_positive
            assert outgoing.survivors > 0.8 * found.survivors


def test_shuffled_within_layers_growth_is_left_most_where_pruning_is_strong():
    def share(group):
        return np.mean([e.grew_where_negative for e in group])

    rows = numbers.evidence_rows()
    for row in rows:
        assert share(row["found"]) > 0.395
        assert share(row["outgoing"]) > share(row["found"]) - 0.06
    left = [share(row["in layers"]) / share(row["found"]) for row in rows]
    assert left == sorted(left) and left[0] < 0.6 and left[-1] > 0.9


def test_filters_are_mostly_to_grow_and_outgoing_weights_to_shrink():
    for seed in seeds():
        scores = numbers.layers(ended(*SETTINGS[0], seed).score())
        assert (scores["conv.weight"] < 0).mean() > 0.5
        assert (scores["fc.weight"] < 0).mean() < 0.1


def test_a_layers_shuffle_keeps_each_layers_scores():
    one = ended(*SETTINGS[0], 1)
    direct = one.shuffled_in_layers()
    assert direct.survivors == one.evidence().survivors
    assert abs(direct.negative - one.evidence().negative) < 15  # other weights die in them


def test_the_twin_beats_soft_thresholding_in_every_seed():
    for c, mu in SETTINGS[:2]:
        names = list(numbers.RUNGS)
        cosines = numbers.ladder_of(c, mu)["cosine"]
        assert (cosines[names.index("twin")] > cosines[names.index("soft")]).all()
        assert (cosines[names.index("path")] > cosines[names.index("soft")]).all()


def test_scores_are_of_little_use_from_a_cutoff_above_one_over_t():
    below = [cut for cut in numbers.cutoffs() if cut < 1 / about("t")]
    above = [cut for cut in numbers.cutoffs() if cut > 1 / about("t")]
    for c, mu in SETTINGS:
        cells, _ = means(c, mu)
        found = {
            cut: np.mean([one.evidence(cut).correlation for one in cells]) for cut in below + above
        }
        assert min(found[cut] for cut in below) > max(found[cut] for cut in above)
        assert found[above[0]] < 0.6 * found[below[-1]]


def test_a_few_directions_hold_a_third_of_the_signs():
    """Those between the cut-offs 0.001 and 0.003, in every seed; with them go the negative scores."""
    for seed in seeds():
        one = ended(*SETTINGS[0], seed)
        low, high = one.score(1e-3), one.score(3e-3)
        k, m = numbers.at(numbers.cutoffs(), 1e-3), numbers.at(numbers.cutoffs(), 3e-3)
        assert 0.04 < (one.rank[m] - one.rank[k]) / len(low) < 0.06
        assert 0.3 < (high.sum() - low.sum()) / len(low) < 0.37
        assert (high < 0).sum() < 0.15 * (low < 0).sum()
        assert 1e-3 < 1 / about("t") < 3e-3


def test_below_the_main_cutoff_it_hardly_matters():
    for c, mu in SETTINGS:
        cells, found = means(c, mu)
        main = np.mean([e.correlation for e in found])
        lower = np.mean([one.evidence(1e-4).correlation for one in cells])
        assert abs(main - lower) < 0.05


def test_a_high_cosine_is_no_evidence():
    """Where pruning is strong soft-thresholding's is higher; every control's is high."""
    for seed in seeds():
        one = ended(*STRONG, seed)
        made = one.predictions()
        assert one.match(made["soft"]).cosine > one.match(made["directional"]).cosine
    for control in ("identity", "soft", "constant"):
        found = [one.match(one.predictions()[control]).cosine for one in means(*SETTINGS[0])[0]]
        assert np.mean(found) > 0.7


def test_a_constant_score_comes_close_in_deviation_and_passes_when_pruning_is_strong():
    def deviation(c, mu, name):
        cells, _ = means(c, mu)
        return np.array([one.match(one.predictions()[name]).deviation for one in cells])

    ahead = [deviation(*pair, "directional") - deviation(*pair, "constant") for pair in SETTINGS]
    assert (ahead[0] > 0.1).all()
    assert 0 < ahead[1].mean() < 0.05
    assert (ahead[2] < 0).all()
    for pair in SETTINGS:
        assert (deviation(*pair, "random") < deviation(*pair, "constant")).all()


def test_plain_soft_thresholding_loses_to_grda_and_to_magnitude_pruning_everywhere():
    for seed in (-1, *seeds()):
        _, losses = numbers.priced(seed)
        for name in ("gRDA", "magnitude"):
            assert (losses["soft"] > losses[name]).all()


def test_the_closed_form_is_cheap_while_pruning_is_weak_and_dear_when_it_is_strong():
    _, losses = numbers.priced(-1)
    closed = losses["directional at zeros"]
    assert closed[0] < losses["gRDA"][0]
    assert closed[-1] > 5 * losses["gRDA"][-1]


def test_little_of_grdas_move_is_in_the_steepest_directions():
    """At t, below chance and below magnitude pruning's share, for every (c, μ) of the text."""
    n = about("times")[1:].index(about("t"))
    for c, mu in SETTINGS:
        ours, magnitude = (numbers.shares(name, c, mu, 10)[:, n] for name in ("grda", "magnitude"))
        assert (ours < magnitude).all() and (ours < np.sqrt(10 / 1370)).all()


def test_magnitude_pruning_is_ahead_while_pruning_is_weak_and_behind_when_it_is_strong():
    zeros, losses = numbers.priced(-1)
    assert losses["magnitude"][0] < losses["gRDA"][0]
    assert losses["magnitude"][-1] > losses["gRDA"][-1]
    assert zeros[0] < numbers.crossover(-1) < zeros[-1]


def test_rank_at_a_fixed_cutoff_rises_with_time(recorded):
    values = array(recorded, "values")
    for k in range(len(seeds())):
        ranks = [np.searchsorted(at_time, 1e-3) for at_time in values[k]]
        assert ranks[-1] > ranks[-2] > ranks[0]
        largest = values[k, :, -1]
        assert largest[-1] < largest[-2]


def test_the_spectrum_has_no_gap_at_the_cutoff(recorded):
    """Within a factor of three on either side of the cut-off there are eigenvalues."""
    end = about("times").index(about("t"))
    for values in array(recorded, "values")[:, end]:
        assert ((values > 3e-4) & (values < 1e-3)).sum() > 10
        assert ((values > 1e-3) & (values < 3e-3)).sum() > 10


def test_most_directions_are_flat_and_about_ninety_negative(recorded):
    end = about("times").index(about("t"))
    for values, counted in zip(
        array(recorded, "values")[:, end], recorded.arrays["symmetries"][:, end], strict=True
    ):
        assert (values < 1e-3).mean() > 0.8
        assert 85 < (values < -1e-8).sum() < 95 and counted.sum() >= 129
        assert -values[0] > about("main_cutoff")  # the lowest is larger in size
        assert -values[0] < 0.01 * values[-1]


# ------------------------------------------------- the figures


@pytest.mark.parametrize(
    "make",
    [
        lesson08.spectrum,
        lesson08.scores_on_weights,
        lesson08.predicted_and_actual,
        lesson08.falling_gamma,
        lesson08.losses_at_equal_zeros,
        lesson08.ladder,
        lesson08.cutoff_matters,
        lesson08.steep_share,
        lesson08.time_counts,
    ],
)
def test_figures_are_played_by_the_browser(make):
    figure = make()
    assert figure.tabulated and figure.error == ""
    assert figure.table_bytes < 1_000_000


def test_the_spectrum_counts_what_is_below_the_cutoff(recorded):
    figure = lesson08.spectrum()
    values = array(recorded, "values")
    for k, n, cut in ((0, 7, 1e-3), (2, 8, 1e-2), (1, 0, 1e-6)):
        row, sentence = figure._compute(seed=seeds()[k], cutoff=cut, t=about("times")[n])
        below = int((values[k, n] < cut).sum())
        assert row["here.y"] == [below] and f"{below:,} of 1,370" in sentence
        assert (
            f"{(values[k, n] < -1e-8).sum()} of them negative" in sentence
        )  # the rest is rounding
        drawn = row["eigenvalues.y"]
        clear = np.abs(values[k, n]) > 1e-7
        undone = np.sign(drawn) * 10 ** (np.abs(drawn) - 8)
        np.testing.assert_allclose(undone[clear], values[k, n][clear])


def test_ticks_say_the_values_at_their_places():
    """On the spectrum's signed logarithmic axis, and on the colour scale of the maps."""

    def value(text):
        raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
        text = text.replace("−", "-").replace("10⁻", "1e⁻").translate(raised)
        return float(text.strip("≤≥ stay"))

    axis = lesson08.spectrum().figure["layout"]["yaxis"]
    for place, text in zip(axis["tickvals"], axis["ticktext"], strict=True):
        expected = np.sign(place) * 10 ** (abs(place) - 8) if place else 0
        assert value(text) == pytest.approx(expected)
    maps = {trace["name"]: trace for trace in lesson08.scores_on_weights().figure["data"]}
    scale = maps["s outputs"]["colorbar"]
    assert [value(text) for text in scale["ticktext"]] == scale["tickvals"]
    fields = [trace for trace in maps.values() if trace["type"] == "heatmap"]
    assert len(fields) == 4
    for trace in fields:
        assert (trace["zmin"], trace["zmax"]) == (scale["tickvals"][0], scale["tickvals"][-1])


def test_tiles_put_every_weight_in_a_place_of_its_own():
    filters = np.arange(72.0).reshape(8, 1, 3, 3)
    square = weight_maps.filter_tiles(filters)
    for k in range(8):
        top, left = 4 * (k // 4), 4 * (k % 4)
        np.testing.assert_array_equal(square[top : top + 3, left : left + 3], filters[k, 0])
    outputs = np.arange(1280.0).reshape(10, 128)
    maps = weight_maps.output_tiles(outputs)
    for digit, channel in ((0, 0), (9, 7), (3, 5)):
        part = maps[5 * digit : 5 * digit + 4, 5 * channel : 5 * channel + 4]
        np.testing.assert_array_equal(
            part.ravel(), outputs[digit, 16 * channel : 16 * channel + 16]
        )
    assert np.isfinite(maps).sum() == 1280 and np.isfinite(square).sum() == 72


def test_the_maps_show_scores_and_moves():
    row, sentence = lesson08.scores_on_weights()._compute(mu=0.7, cutoff=1e-3, c=0.02)
    one = ended(0.02, 0.7, 0)
    assert (
        np.isfinite(row["ŝ outputs.z"]).sum() == (numbers.layers(one.grda)["fc.weight"] != 0).sum()
    )
    strokes = np.isfinite(row["ŝ outputs zero.y"]).sum()
    assert strokes == 2 * (numbers.layers(one.grda)["fc.weight"] == 0).sum()
    drawn = row["s outputs.z"][np.isfinite(row["s outputs.z"])]
    np.testing.assert_allclose(
        np.sort(drawn), np.sort(numbers.layers(one.score())["fc.weight"].ravel())
    )
    assert f"{one.zeros:.0%} of gRDA's" in sentence


def test_the_match_figure_draws_each_prediction():
    figure = lesson08.predicted_and_actual()
    one = ended(*SETTINGS[1], 0)
    c, mu = SETTINGS[1]
    for name in scatter.PREDICTORS:
        row, sentence = figure._compute(prediction=name, c=c, mu=mu, factor=1.5)
        np.testing.assert_array_equal(row["weights.x"], one.grda)
        assert f"cosine of the moves {one.match(row['weights.y']).cosine:.2f}" in sentence
    row, _ = figure._compute(prediction="directional", c=c, mu=mu, factor=0.5)
    expected = directional_pruning(one.sgd, one.score(), 0.5 * one.lam)
    np.testing.assert_allclose(row["weights.y"], expected)
    alive = one.grda != 0
    correlation = np.corrcoef(row["survivors.x"][alive], row["survivors.y"][alive])[0, 1]
    assert row["correlation.x"][0] == pytest.approx(correlation)


def test_the_goal_is_there_to_be_found():
    figure = lesson08.predicted_and_actual()
    (goal,), (c, mu) = figure._goals, STRONG
    assert not goal.reached(prediction="directional", c=figure.c, mu=figure.mu, factor=1.0)
    assert goal.reached(prediction="directional", c=c, mu=mu, factor=1.0)


def test_falling_gamma_shows_means_and_seeds():
    row, sentence = lesson08.falling_gamma()._compute(setting=SETTINGS[0], cutoff=1e-3)
    for k, lr in enumerate((0.2, 0.1, 0.05, 0.025)):
        found = [ended(*SETTINGS[0], s, lr).evidence().correlation for s in seeds()]
        assert row["correlation, c fixed.y"][k] == pytest.approx(np.mean(found))
        np.testing.assert_allclose(row["correlation, c fixed, seeds.y"][3 * k : 3 * k + 3], found)
        if lr in (0.2, 0.025):  # the ends
            assert f"{np.mean(found):.2f} at γ = {lr:g}" in sentence
    later = [numbers.ended_later(*SETTINGS[0], s) for s in seeds()]
    assert row["grew, s < 0, t doubled.y"] == [
        pytest.approx(np.mean([one.evidence().grew_where_negative for one in later]))
    ]
    assert later[0].lam == pytest.approx(ended(*SETTINGS[0], 0).lam * 2 ** SETTINGS[0][1])


def test_the_table_and_the_worked_number(capsys):
    table = lesson08.table_of_evidence()
    assert len(table.rows) == 4 * len(SETTINGS)
    for k, (c, mu) in enumerate(SETTINGS):
        rows = table.rows[4 * k : 4 * k + 4]
        cells = [ended(c, mu, s) for s in seeds()]
        grew = np.array([np.abs(one.grda) > np.abs(one.sgd) for one in cells])
        wished = np.array([(one.grda != 0) & (one.score() < 0) for one in cells])
        share = np.mean([g[w].mean() for g, w in zip(grew, wished, strict=True)])
        assert rows[0][0].startswith(f"c = {c:g}, μ = {mu:g} (") and rows[0][3] == f"{share:.0%}"
    lesson08.worked_number()
    out = capsys.readouterr().out
    one, j = ended(*SETTINGS[0], 0), numbers.worked_weight()
    assert one.score()[j] < 0 and one.grda[j] != 0
    predicted = directional_pruning(one.sgd, one.score(), one.lam)[j]
    assert predicted < 0 and f"= −{-predicted:.4f}" in out
    assert f"gRDA's weight: −{-one.grda[j]:.4f}" in out
    assert f"{0.005 * 0.1**0.5 * 450**0.51:.4f}" in out
    # "it grew, by about a quarter of the predicted step"
    grown, step = abs(one.grda[j]) - abs(one.sgd[j]), abs(predicted) - abs(one.sgd[j])
    assert grown == pytest.approx(step / 4, rel=0.2)


def test_shares_are_those_of_the_recorded_eigenvectors(recorded):
    top = array(recorded, "top")[0]
    np.testing.assert_allclose(top.T @ top, np.eye(10), atol=1e-5)
    one = ended(*SETTINGS[1], 0)
    move = one.grda - one.sgd
    expected = np.linalg.norm(top.T @ move) / np.linalg.norm(move)
    n = about("times")[1:].index(about("t"))
    assert numbers.shares("grda", *SETTINGS[1], 10)[0, n] == pytest.approx(expected, rel=1e-3)


def test_the_share_of_a_random_direction_is_the_line(capsys):
    lesson08.use_share(questions.my_share)
    out = capsys.readouterr().out
    assert "0.085" in out or "0.084" in out  # √(10/1370) = .0854
    lesson08.use_share(lambda move, vectors: ...)
    assert "Write my_share above" in capsys.readouterr().out


# ------------------------------------------------- predictions, exercise, live


def test_predictions_are_recomputed(recorded):
    end = about("times").index(about("t"))
    below = 100 * (array(recorded, "values")[:, end] < 1e-3).mean()
    assert assert_prediction(PREDICTIONS["how_flat"]) == pytest.approx(below, abs=0.1)
    assert assert_prediction(PREDICTIONS["best_cosine"]).startswith("soft-thresholding")
    assert assert_prediction(PREDICTIONS["smaller_gamma"]) == "it rises every time"


def test_objectives_name_checks_that_exist():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_the_exercise_tells_answers_apart():
    def stub(move, vectors):
        return ...

    def squared(move, vectors):
        return np.sum((vectors.T @ move) ** 2) / np.sum(move**2)

    def not_divided(move, vectors):
        return np.linalg.norm(vectors.T @ move)

    def summed(move, vectors):
        return np.abs(vectors.T @ move).sum() / np.linalg.norm(move)

    def cancelling(move, vectors):
        return abs((vectors.T @ move).sum()) / np.linalg.norm(move)

    def first_weights(move, vectors):
        return np.linalg.norm(move[: vectors.shape[1]]) / np.linalg.norm(move)

    def outside(move, vectors):
        return np.linalg.norm(move - vectors @ (vectors.T @ move)) / np.linalg.norm(move)

    def mean(move, vectors):
        return np.linalg.norm(vectors.T @ move) / vectors.shape[1] / np.linalg.norm(move)

    def raises(move, vectors):
        return vectors @ move

    def by_pythagoras(move, vectors):
        rest = move - vectors @ (vectors.T @ move)
        return np.sqrt(max(0.0, 1 - (rest @ rest) / (move @ move)))

    def one_by_one(move, vectors):
        return sum(float(v @ move) ** 2 for v in vectors.T) ** 0.5 / np.sqrt((move**2).sum())

    assert_exercise(
        EXERCISES["share"],
        stub=stub,
        wrong=[squared, not_divided, summed, cancelling, first_weights, outside, mean],
        raising=raises,
        right=[questions.my_share, by_pythagoras, one_by_one],
    )


def test_live_measures_what_the_study_measures():
    """One epoch: scores, λ and twin from the weights that it trained, and a picture of them."""
    shown = live.LiveTheorem(0.02, 0.6, 1, epochs=1)
    assert "Press Start" in shown.picture.table["sentence"]["strings"][0]
    shown.start()
    found = shown.wait(300)
    expected = next(
        itertools.islice(
            trainings(
                small_digits_cnn(1), digits(validation=0), 0.1, (0, 0.02), (0.6, 0.6), seed=1
            ),
            45,
            None,
        )
    )
    np.testing.assert_allclose(found.sgd, expected[0], atol=1e-5)
    np.testing.assert_allclose(found.grda, expected[1], atol=1e-5)
    assert found.lam == pytest.approx(0.02 * 0.1**0.5 * 4.5**0.6)
    assert 0 < found.rank < 1370 and found.s.sum() > 0
    assert "No recorded run" in shown.picture.table["sentence"]["strings"][0]
    shown.close()
    assert shown.view.box.comm is None and shown.picture.comm is None


def test_live_can_be_stopped_in_the_hessian():
    stop = threading.Event()

    def report(share, doing):
        stop.set()

    models = {name: small_digits_cnn(0) for name in ("SGD", "gRDA")}
    assert live.measure(models, 0.02, 0.6, 1, report, stop) is None


def test_a_setting_that_was_not_recorded_is_said_so():
    assert live._like(0.003, 0.51, 0, 100) is None and "No recorded run" in live._recorded(None)
    recorded = live._recorded(live._like(0.005, 0.51, 0, 100))
    assert recorded.startswith("Recorded: correlation 0.")
