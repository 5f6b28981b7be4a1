"""Lesson 11: what its text says, dead units against compact, bad input, and wrong answers."""

import re
import threading

import numpy as np
import pytest
import torch
from course.checking import assert_exercise, assert_prediction

from grda_edu import compact
from grda_edu.explore import Explorable
from grda_edu.lessons import lesson11
from grda_edu.lessons.lesson11 import EXERCISES, OBJECTIVES, PREDICTIONS
from grda_edu.lessons.lesson11 import numbers as n
from grda_edu.lessons.lesson11.units import dead_units, removals, without
from grda_edu.models import digits_cnn, small_digits_cnn
from grda_edu.sparse.clock import CSR, DENSE, REMOVED


@pytest.fixture(scope="module")
def text(root):
    return (root / "notebooks/11_what_zeros_buy.md").read_text(encoding="utf-8")


# ------------------------------------------------- bytes


def test_the_limit_is_the_number_of_bits_that_the_text_works_out(text):
    bits = n.entropy(0.1)
    assert f"At $p = 0.1$ that is {bits:.2f} bits" in text
    assert f"0.1 \\cdot 32 + {bits:.2f} = {3.2 + bits:.2f}$ bits" in text
    assert f"{(3.2 + bits) / 8:.2f} bytes in the place of 4" in text
    assert f"{4.2 / 8:.2f} bytes" in text
    assert n.entropy(0.5) == 1.0 and n.entropy(0.0) == n.entropy(1.0) == 0.0


def test_no_file_is_below_the_limit_and_every_one_below_its_ballpark():
    """Bytes a weight of one large matrix: file headers hardly count there."""
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(512, 512, generator=generator)
    ballpark = {  # at 50, 80, 90, 95, 99% zeros, measured apart from this code
        n.SAVED: (4.0, 4.0, 4.0, 4.0, 4.0),
        n.ZIPPED: (2.22, 1.03, 0.56, 0.30, 0.07),
        n.MASKED: (2.12, 0.93, 0.52, 0.32, 0.17),
        n.SCIPY_CSR: (4.0, 1.6, 0.8, 0.4, 0.08),
        n.TORCH_CSR: (10.0, 4.0, 2.0, 1.0, 0.21),
        n.BOUND: (2.12, 0.89, 0.46, 0.23, 0.05),
    }
    for k, zeros in enumerate((0.5, 0.8, 0.9, 0.95, 0.99)):
        kept = torch.rand(512, 512, generator=generator) >= zeros
        sizes = n.file_bytes({"w": w.where(kept, 0.0)})  # w · 0 would be −0 here and there
        for name, values in ballpark.items():
            assert sizes[name] / w.numel() == pytest.approx(values[k], rel=0.04, abs=0.02), name
        assert min(sizes[name] for name in sizes if name != n.BOUND) >= sizes[n.BOUND]


def test_only_gzip_squeezes_values_and_by_some_percent():
    for zeros in (0.0, 0.2):
        sizes = n.pruned_bytes(n.network("SGD", 0.0), zeros)
        below = [name for name in sizes if sizes[name] < sizes[n.BOUND]]
        assert below == [n.ZIPPED] and sizes[n.ZIPPED] > 0.9 * sizes[n.BOUND]


def test_the_bitmask_is_as_near_the_limit_as_the_text_says(text):
    over = {}
    for zeros in (0.5, 0.6, 0.7, 0.8, 0.9, 0.99):
        sizes = n.pruned_bytes(n.network("SGD", 0.0), zeros)
        over[zeros] = sizes[n.MASKED] / sizes[n.BOUND]
    assert max(over[z] for z in over if z <= 0.9) < 1.15
    assert over[0.99] == pytest.approx(3.3, abs=0.05)
    assert (
        "within 15% of the limit up to 90% zeros; at 99% it takes more than three times as much"
        in text
    )


def test_a_network_without_its_dead_units_is_below_the_limit_of_the_whole():
    for seed in n.seeds():
        whole = n.network("gRDA by unit", 0.02, seed)
        assert n.file_bytes(compact(whole).model)[n.PACKED] < n.file_bytes(whole)[n.BOUND]


def test_the_readmes_files_are_those_of_one_and_two_networks(text):
    sizes = n.checkpoint_bytes()
    assert sizes["sparse"] == sizes["dense"]
    assert sizes["checkpoint"] / sizes["dense"] == pytest.approx(2, abs=0.02)
    assert pytest.approx(2, abs=0.02) == 195 / 98 and "98 MB" in text and "**195 MB**" in text


def test_a_network_of_ones_own_gives_no_goal_and_bad_ones_are_named():
    demo = lesson11.written(small_digits_cnn(0))
    assert isinstance(demo, Explorable) and not demo.goals
    bad = digits_cnn(0)
    bad.fc1.weight.data[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"fc1\.weight"):
        lesson11.written(bad)
    with pytest.raises(ValueError, match=r"no weights|no parameters"):
        lesson11.written(torch.nn.ReLU())


# ------------------------------------------------- time


def test_the_break_even_is_where_all_that_follow_are_faster():
    shares = [0.5, 0.8, 0.9]
    assert n.break_even(shares, np.array([0.5, 1.5, 2.0])) == 0.8
    assert n.break_even(shares, np.array([1.5, 0.5, 2.0])) == 0.9
    assert n.break_even(shares, np.array([1.5, 1.5, 2.0])) == 0.5
    assert n.break_even(shares, np.array([0.5, 1.5, 1.0])) is None


def test_the_recording_says_what_the_text_says(text):
    made = n.timing().configuration
    for size in made["sizes"]:
        for batch in made["batches"]:
            assert (n.speedups(size, batch)[REMOVED] > 1).all(), "faster at once, everywhere"
    assert n.single_speedup() < 1.25
    for size in made["sizes"]:
        alone, shared = (n.break_even(made["zeros"], n.speedups(size, b)[CSR]) for b in (1, 32))
        others = [
            n.break_even(made["zeros"], n.speedups(size, b)[CSR]) for b in made["batches"][1:]
        ]
        assert shared > 0.5 and max(others) < (alone or 1), "a single input needs the most"
    assert n.break_even(made["zeros"], n.speedups(256, 1)[CSR]) is None, "never faster"


def test_the_break_evens_of_the_text_are_the_recorded_ones(text):
    made = n.timing().configuration
    evens = [n.break_even(made["zeros"], n.speedups(1024, b)[CSR]) for b in (1, 8, 32, 128)]
    one, eight, some, many = evens
    assert (
        f"the layer of 1,024 breaks even at {one:.0%} zeros with a single input, at {eight:.0%} with 8, "
        f"at {some:.0%} with 32 and at {many:.0%} with 128"
    ) in text
    assert evens[1:] != sorted(evens[1:], reverse=True), "a larger batch is not always better"
    barely = n.speedups(1024, 32)[CSR][made["zeros"].index(some)]
    assert f"At {some:.0%} with 32 the two are within 2% of each other" in text and barely < 1.02


def test_dense_is_timed_as_a_layer_that_takes_longer_for_more_inputs():
    """Timed as W x some processors take longer for 8 columns than for 32, which flattered CSR."""
    made, times = n.timing().configuration, n.timing().arrays["times"]
    dense = np.median(times[:, :, made["ways"].index(DENSE)], axis=-1)
    assert (np.diff(dense, axis=1) > 0).all()


def test_the_live_view_measures_all_shares_and_stops():
    view = lesson11.live_timing(size=64, batches=(1, 2))
    assert "Nothing was recorded" in view.picture.table["sentence"]["strings"][0]
    view.start()
    timed = view.wait(60)
    assert [(one.batch, one.zeros) for one in timed] == [(b, z) for b in (1, 2) for z in n.shares()]
    assert all(seconds > 0 for one in timed for seconds in one.seconds.values())
    assert "Finished: 18 measurements" in view.line.said
    assert "batch 2: CSR is faster" in view.picture.table["sentence"]["strings"][0]
    stop = threading.Event()
    stop.set()
    assert len(view._measure(lambda *_: None, stop)) == 1
    view.close()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"size": 0}, "size = 0"),
        ({"size": 5000}, "size = 5000.*4,096"),
        ({"size": 2.5}, "size = 2.5"),
        ({"batches": ()}, "batches = "),
        ({"batches": (1, 1)}, "batches = "),
        ({"batches": (1, 2, 3)}, "batches = "),
        ({"batches": (1, 0)}, "batches = 0"),
        ({"batches": (2048,)}, "batches = .*1,024"),
    ],
)
def test_what_cannot_be_timed_is_named(options, named):
    with pytest.raises(ValueError, match=named):
        lesson11.live_timing(**options)


# ------------------------------------------------- dead units


@pytest.mark.parametrize("recipe", [("gRDA", 0.02), ("gRDA by unit", 0.02), ("proximal ℓ1", 0.002)])
def test_units_leave_as_compact_lets_them(recipe):
    model = n.network(*recipe, seed=1)
    steps, made = removals(model), compact(model)
    assert sum(p.numel() for p in steps[-1].model.parameters()) == made.parameters[1]
    found = {layer: sum(s.layer == layer for s in steps) for layer in ("conv1", "conv2", "fc1")}
    assert {layer: count for layer, count in found.items() if count} == made.removed
    assert max(s.difference for s in steps) < 1e-4 and all(s.agree for s in steps)
    assert len({(s.layer, s.unit) for s in steps}) == len(steps)
    stay = sum(len(units) for units in dead_units(steps[-1].model).values())
    assert stay == sum(sum(why.values()) for why in made.left.values())


def test_compact_gives_every_test_image_the_same_outputs():
    for way, strength in n.recipes():
        for seed in n.seeds():
            model = n.network(way, strength, seed)
            apart = (n.outputs(compact(model).model) - n.outputs(model)).abs().max()
            assert apart < 1e-4, (way, strength, seed)


def test_units_that_are_alive_or_trapped_stay():
    model = digits_cnn(0)
    with pytest.raises(ValueError, match="conv2, unit 3: accepted are units that are constant"):
        without(model, "conv2", 3)
    with torch.no_grad():
        model.conv1.weight[2], model.conv1.bias[2] = 0.0, 0.4
    with pytest.raises(ValueError, match=r"conv1, unit 2: its constant 0\.4 stops at the padding"):
        without(model, "conv1", 2)
    assert compact(model).left["conv1"]
    with torch.no_grad():
        model.conv1.bias[2] = -0.4
    smaller = without(model, "conv1", 2)
    torch.testing.assert_close(n.outputs(smaller), n.outputs(model), rtol=0, atol=1e-5)


def test_half_of_the_parameters_go_with_nine_tenths_at_zero(text):
    made = compact(n.network())
    assert made.parameters[1] / made.parameters[0] == pytest.approx(0.5, abs=0.05)
    assert n.zeros_of_networks()[n.recipes().index(("gRDA", 0.02)), 0] == pytest.approx(
        0.9, abs=0.01
    )
    assert "only half of the parameters went" in text
    assert not made.left, "one kind of dead unit has to stay; the network above has none"


# ------------------------------------------------- the smallest


def test_the_more_zeros_the_larger_the_network(text):
    """What the last prediction and its explanation say."""
    from grda_edu.lessons.lesson11.questions import left_by_ways, zeros_by_ways

    order = ["magnitude, gradual", "gRDA", "proximal ℓ1", "gRDA by unit"]
    zeros, left = zeros_by_ways(), left_by_ways()
    assert sorted(zeros, key=zeros.__getitem__, reverse=True) == order
    assert sorted(left, key=left.__getitem__, reverse=True) == order
    table = lesson11.left_over(given_up=0.01)
    kilo = {row[0]: float(row[table.header.index("kB")]) for row in table.rows}
    assert set(kilo) == {"SGD", *order}
    assert sorted(order, key=kilo.__getitem__) == order, "see kB: the other way round"


def test_the_order_begins_at_six_tenths_of_a_point(text):
    assert "Below 0.6 points this order does not hold" in text
    order = ["magnitude, gradual", "gRDA", "proximal ℓ1", "gRDA by unit"]
    for tenths in (0, 2, 4, 6, 8, 10):
        found = {way: n.chosen(way, tenths / 1000) for way in n.ways()}
        held = None not in found.values() and all(
            sorted(order, key=lambda way: -by[found[way]].mean()) == order
            for by in (n.zeros_of_networks(), n.sizes_left())
        )
        assert held == (tenths >= 6)


def test_what_the_choices_give_up_on_the_test_images_is_the_texts(text):
    sgd = n.accuracy("SGD", 0.0).mean()
    lost = {w: 100 * (sgd - n.accuracy(*n.recipes()[n.chosen(w, 0.01)]).mean()) for w in n.ways()}
    assert (
        f"give up {lost['magnitude, gradual']:.1f} points (gradual), {lost['gRDA']:.1f} (gRDA), "
        f"{lost['proximal ℓ1']:.1f} (proximal) and {lost['gRDA by unit']:.1f} (by unit)"
    ) in text
    count = len(n.images().x_val)
    assert f"One point is only {count / 100:.1f} of the {count} validation images" in text


def test_at_about_equal_zeros_the_order_stands(text):
    def of(way, strength):
        k = n.recipes().index((way, strength))
        return n.zeros_of_networks()[k].mean(), f"{n.sizes_left()[k].mean():,.0f}"

    pairs = [
        (0.68, ("gRDA by unit", 0.02), ("proximal ℓ1", 0.001)),
        (0.85, ("proximal ℓ1", 0.002), ("gRDA", 0.015)),
        (0.90, ("gRDA", 0.02), ("magnitude, gradual", 0.9)),
    ]
    says = "At 68%, by unit leaves {} parameters and proximal ℓ1 {}. At 85%, proximal leaves {} and gRDA {}. At 90%, gRDA leaves {} and gradual {}."
    left = []
    for zeros, few, many in pairs:
        for recipe in (few, many):
            share, parameters = of(*recipe)
            assert share == pytest.approx(zeros, abs=0.01)
            left.append(parameters)
    assert says.format(*left) in text


def test_most_rows_of_gradual_keep_a_weight_and_the_matrices_of_by_unit_have_no_zero(text):
    for seed in n.seeds():
        rows = n.network("magnitude, gradual", 0.95, seed).state_dict()
        alive = [w.flatten(1).any(1) for name, w in rows.items() if name.endswith("weight")]
        assert torch.cat(alive).float().mean() > 0.5
        left = compact(n.network("gRDA by unit", 0.02, seed)).model.state_dict()
        assert all(w.all() for name, w in left.items() if name.endswith("weight"))
    k = n.recipes().index(("gRDA by unit", 0.02))
    live, left = 1 - n.zeros_of_networks()[k].mean(), n.sizes_left()[k].mean()
    whole = n.sizes_left()[n.recipes().index(("SGD", 0.0))].mean()
    assert f"{live:.0%} of the weights live, {left / whole:.0%} of the parameters are left" in text


def test_multiplications_are_weights_times_places():
    """By hand: 8 × 8 places, 4 × 4 after the first pooling, one for each linear layer."""
    sizes = {name: w.numel() for name, w in digits_cnn(0).state_dict().items()}
    by_hand = 64 * sizes["conv1.weight"] + 16 * sizes["conv2.weight"]
    by_hand += sizes["fc1.weight"] + sizes["fc2.weight"]
    assert n.multiplications(digits_cnn(0)) == by_hand


def test_fewest_parameters_are_not_fewest_multiplications(text):
    counts = {
        way: [
            n.multiplications(compact(n.network(*n.recipes()[n.chosen(way, 0.01)], seed)).model)
            for seed in n.seeds()
        ]
        for way in n.ways()
    }
    table = lesson11.left_over(given_up=0.01)
    column = {row[0]: row[table.header.index("multiplications")] for row in table.rows}
    assert all(column[way] == f"{counts[way][0]:,}" for way in n.ways())
    left = {way: n.sizes_left()[n.chosen(way, 0.01)][0] for way in n.ways()}
    assert counts["gRDA by unit"][0] == pytest.approx(counts["gRDA"][0], rel=0.02)
    assert left["gRDA by unit"] / left["gRDA"] == pytest.approx(2 / 3, abs=0.01)
    assert np.mean(counts["gRDA by unit"]) == pytest.approx(
        np.mean(counts["proximal ℓ1"]), rel=0.02
    )
    for seed in n.seeds():
        first = compact(n.network("gRDA by unit", 0.02, seed)).model.conv1
        assert first.out_channels >= 15, "nearly all of 16"


def test_fewer_living_weights_are_fewer_bytes(text):
    """As a file it is the other way round."""
    sizes = {}
    for way in n.ways():
        k = n.chosen(way, 0.01)
        sizes[way] = n.file_bytes(n.network(*n.recipes()[k]))[n.PACKED]
    order = ["magnitude, gradual", "gRDA", "proximal ℓ1", "gRDA by unit"]
    assert sorted(sizes, key=sizes.__getitem__) == order
    assert "As a *file* the order is turned round" in text


def test_the_files_of_the_small_networks_have_the_other_order_but_in_one_seed(text):
    order = ["magnitude, gradual", "gRDA", "proximal ℓ1", "gRDA by unit"]
    recipes = {way: n.recipes()[n.chosen(way, 0.01)] for way in order}
    found = []
    for seed in n.seeds():
        small = {way: compact(n.network(*recipe, seed)).model for way, recipe in recipes.items()}
        sizes = {way: n.file_bytes(model)[n.PACKED] for way, model in small.items()}
        found.append(sorted(order, key=sizes.__getitem__))
    assert found.count(order) == 2 and [*order[:2], order[3], order[2]] in found
    assert "(In one of the three seeds proximal ℓ1 and by unit change places.)" in text


def test_nothing_is_chosen_where_no_way_is_accurate_enough():
    assert n.chosen("gRDA", -1.0) is None
    rows = lesson11.left_over(given_up=-0.5).rows
    assert rows[0][0] == "SGD" and all("none" in row for row in rows[1:])


def test_networks_that_were_not_recorded_are_named():
    with pytest.raises(ValueError, match="gRDA"):
        n.network("gRDA", 0.5)
    with pytest.raises(ValueError, match="seed"):
        n.network(seed=7)


# ------------------------------------------------- questions


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=list(PREDICTIONS))
def test_predictions(prediction):
    assert_prediction(prediction)


def test_the_predictions_are_right():
    assert PREDICTIONS["file"].right() == "the same"
    assert PREDICTIONS["single"].right() == "no faster, or hardly"
    assert PREDICTIONS["smallest"].right() == "gRDA by unit"


def test_bitmask_bytes():
    def stub(w):
        return ...

    def bits_not_filled_up(w):
        return w.size // 8 + 4 * np.count_nonzero(w)

    def values_of_all(w):
        return -(-w.size // 8) + 4 * w.size

    def a_byte_each(w):
        return w.size + 4 * np.count_nonzero(w)

    def positive_ones(w):
        return -(-w.size // 8) + 4 * int((w > 0).sum())

    def by_rows(w):
        rows = np.atleast_2d(w)
        return sum(-(-row.size // 8) for row in rows) + 4 * np.count_nonzero(w)

    def raising(w):
        return w.nothing

    def by_packing(w):
        return np.packbits(w != 0).nbytes + w[w != 0].astype(np.float32).nbytes

    assert_exercise(
        EXERCISES["bitmask_bytes"],
        stub=stub,
        wrong=[bits_not_filled_up, values_of_all, a_byte_each, positive_ones, by_rows],
        raising=raising,
        right=[by_packing, lambda w: (w.size + 7) // 8 + 4 * int((w != 0).sum())],
    )


def test_remove_unit():
    def cut(w1, b1, w2, b2, unit, constant):
        b2 = b2 + w2[:, unit] * constant
        return np.delete(w1, unit, 0), np.delete(b1, unit), np.delete(w2, unit, 1), b2

    def stub(w1, b1, w2, b2, unit):
        return ...

    def constant_forgotten(w1, b1, w2, b2, unit):
        return cut(w1, b1, w2, b2, unit, 0.0)

    def relu_forgotten(w1, b1, w2, b2, unit):
        return cut(w1, b1, w2, b2, unit, b1[unit])

    def always_the_second(w1, b1, w2, b2, unit):
        return cut(w1, b1, w2, b2, 1, max(b1[1], 0))

    def column_left(w1, b1, w2, b2, unit):
        small = cut(w1, b1, w2, b2, unit, max(b1[unit], 0))
        return small[0], small[1], w2, small[3]

    def raising(w1, b1, w2, b2, unit):
        return w1[len(w1)]

    def by_mask(w1, b1, w2, b2, unit):
        kept = np.arange(len(b1)) != unit
        return w1[kept], b1[kept], w2[:, kept], b2 + np.maximum(b1[unit], 0) * w2[:, unit]

    assert_exercise(
        EXERCISES["remove_unit"],
        stub=stub,
        wrong=[constant_forgotten, relu_forgotten, always_the_second, column_left],
        raising=raising,
        right=[by_mask, lambda *a: cut(*a, max(a[1][a[4]], 0))],
    )


def test_every_objective_has_its_check():
    assert set(OBJECTIVES.values()) == {*PREDICTIONS, *EXERCISES}


def test_the_text_shows_what_the_lesson_hands_on(text):
    called = set(re.findall(r"lesson11\.(\w+)\(", text))
    figures = {name for name in lesson11.__all__ if name.islower()}
    assert called == figures
