"""The closing quiz: twenty situations that no lesson has shown, each answered by working it out.

The first two digits of a name are the lesson that the question is about.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from grda_edu.course import Prediction
from grda_edu.explore.writing import decimal, percent
from grda_edu.shrinkage import soft_threshold, tuning_function

# ------------------------------------------------- what the answers are worked out from


def multiplications_gone() -> float:
    """Of 100 times 1,000 and once 9,000, those of the 9,000."""
    return 9_000 / (100 * 1_000 + 9_000)


def twice_the_same(once: float) -> bool:
    """Is soft-thresholding twice by 0.5 the same as once by this?"""
    x = np.array([3.0, -0.4, 0.9, -2.0])
    twice = soft_threshold(soft_threshold(x, 0.5), 0.5)
    return bool(np.allclose(soft_threshold(x, once), twice))


def steps_to_life(v: float = 0.25, threshold: float = 0.5, push: float = 0.1) -> int:
    """Steps until an accumulator leaves the band."""
    n = 0
    while soft_threshold(v + n * push, threshold) == 0:
        n += 1
    return n


def saved_and_thresholded_again(v: float = 0.8, threshold: float = 0.5) -> tuple[float, float]:
    """A weight, and what is left of it when it is taken for an accumulator."""
    w = soft_threshold(v, threshold)
    return w, soft_threshold(w, threshold)


def half_the_rate() -> float:
    """The threshold at half the rate and twice the steps, over the former."""
    return float(tuning_function(2000, 0.05, 0.01, 0.6) / tuning_function(1000, 0.1, 0.01, 0.6))


def best_of_twelve(p: float = 0.95, images: int = 400) -> float:
    """Mean of the best of twelve readings of networks that are all equally good."""
    read = np.random.default_rng(0).binomial(images, p, size=(4000, 12)) / images
    return float(read.max(axis=1).mean())


def error_of_difference(one: float = 0.95, other: float = 0.93, images: int = 100) -> float:
    """Standard error of a difference of two shares."""
    return math.sqrt((one * (1 - one) + other * (1 - other)) / images)


def after_the_drop() -> float:
    """The threshold computed anew with a tenth of the rate, over the one before."""
    return float(tuning_function(3000, 0.01, 0.01, 0.6) / tuning_function(3000, 0.1, 0.01, 0.6))


def decayed(w: float = 1.0, steps: int = 10_000, lr: float = 0.1, decay: float = 5e-4) -> float:
    """A weight on which nothing but weight decay acts."""
    return w * (1 - lr * decay) ** steps


def along_the_floor() -> np.ndarray:
    """By what directional pruning moves (1.6, 0.2) on the floor w1 + 2 w2 = 2, for λ = 1."""
    floor = np.array([2.0, -1.0]) / math.sqrt(5)
    return -floor * (floor @ np.sign([1.6, 0.2]))


def share_by_chance(top: int = 10, weights: int = 1000) -> float:
    """What of a random direction's squared length lies in a space of so many dimensions, on average."""
    return top / weights


def barriers() -> tuple[float, float]:
    """Highest loss between (1, 0) and (-1, 0) on the ring (|w|² - 1)²: straight, and along it."""
    t = np.linspace(0, 1, 101)
    angle = np.pi * t
    straight = np.stack([1 - 2 * t, 0 * t])
    ring = np.stack([np.cos(angle), np.sin(angle)])
    loss = [float((((w**2).sum(axis=0) - 1) ** 2).max()) for w in (straight, ring)]
    return loss[0], loss[1]


@cache
def swapped() -> tuple[float, float]:
    """Two hidden units change places: largest difference of an output at the other end, and half-way."""
    random = np.random.default_rng(0)
    w1, w2, x = random.normal(size=(4, 3)), random.normal(size=(2, 4)), random.normal(size=(3, 50))
    order = [1, 0, 2, 3]

    def outputs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return b @ np.maximum(a @ x, 0)

    here = outputs(w1, w2)
    there = outputs(w1[order], w2[:, order])
    middle = outputs((w1 + w1[order]) / 2, (w2 + w2[:, order]) / 2)
    return float(np.abs(here - there).max()), float(np.abs(here - middle).max())


def moved_by_its_buffer(momentum: float = 0.9) -> float:
    """A weight cut to zero whose gradients are masked from then on, after ten steps of SGD."""
    w, buffer = 0.0, 1.0  # what earlier gradients have left
    for _ in range(10):
        buffer = momentum * buffer + 0.0
        w -= 0.1 * buffer
    return w


def even() -> float:
    """The share of zeros at which CSR and bitmask with values take as many bytes: 8 p = 4 p + 1/8."""
    return 1 - 1 / 32


def at_the_border(constant: float = 0.3) -> tuple[float, float]:
    """What a 3 x 3 filter of ones hears of a constant image inside, and in a corner with padding."""
    image = np.pad(np.full((5, 5), constant), 1)
    return float(image[2:5, 2:5].sum()), float(image[0:3, 0:3].sum())


def weight_of_one(sizes: tuple[int, int] = (24, 8)) -> float:
    """How much an example of the smaller share counts, beside one of the larger, in the mean of means."""
    return sizes[0] / sizes[1]


@cache
def loss_times_hundred() -> dict[str, bool]:
    """Does a loss a hundred times as large change which weights are zero after 20 steps?"""
    import torch

    from grda_edu.optim import GRDA, DualAveraging

    def dead(make: object, scale: float) -> list[bool]:
        w = torch.tensor([0.5, -0.2, 0.05, 1.0, -0.7, 0.3, 0.01, -0.4], requires_grad=True)
        aim = torch.tensor([0.0, -0.5, 0.05, 1.0, 0.02, 0.3, 0.0, -0.1])
        optimizer = make([w])  # type: ignore[operator]
        for _ in range(20):
            optimizer.zero_grad()
            (scale * ((w - aim) ** 2).sum() / 2).backward()
            optimizer.step()
        return (w == 0).tolist()

    ways = {
        "gRDA": lambda p: GRDA(p, lr=0.005, c=0.5, mu=0.6),
        "Adam": lambda p: DualAveraging(torch.optim.Adam(p, lr=0.01), c=0.8, mu=0.6),
    }
    return {name: dead(make, 1.0) != dead(make, 100.0) for name, make in ways.items()}


# ------------------------------------------------- the questions


QUIZ = {
    "00_multiplications": Prediction(
        title="zeros and multiplications",
        question=(
            "A convolution has 1,000 weights, each used at 100 places of the image. A dense layer has 9,000, each used "
            "once. All 9,000 are zero, and none of the 1,000. What share of the multiplications could be left out?"
        ),
        answer=lambda: f"about {percent(multiplications_gone(), 0)}",
        options={
            "about 90%, since nine of ten weights are zero": "That is the share of the weights. One of the convolution works a hundred times.",
            "about 8%": "9,000 of 109,000: what a weight costs depends on how often it is used.",
            "about 50%, half of the layers": "Layers are not alike: one has 100,000 multiplications, the other 9,000.",
            "none, a zero is multiplied like any number": "So it is done. The question is what could be left out.",
        },
    ),
    "01_twice": Prediction(
        title="soft-thresholding twice",
        question="Somebody soft-thresholds a vector with τ = 0.5, and the result with τ = 0.5 again. What is it the same as?",
        answer=lambda: {
            (True, False, False): "once, with τ = 1",
            (False, True, False): "once, with τ = 0.5",
            (False, False, True): "once, with τ = 0.25",
        }[tuple(map(twice_the_same, (1.0, 0.5, 0.25)))],  # type: ignore[index]
        options={
            "once, with τ = 0.5": "That is so for hard thresholding. Here survivors move again.",
            "once, with τ = 0.25": "The second time does not undo a part of the first.",
            "hard thresholding with τ = 1": "The same become zero. But survivors have lost 1 each.",
            "once, with τ = 1": "Each time what is left moves by 0.5 towards zero, and stays where it would cross.",
        },
    ),
    "02_leaves_zero": Prediction(
        title="out of the band",
        question=(
            "A weight has been zero for a thousand steps of gRDA. Its accumulator is at 0.25, the threshold at 0.5 and now "
            "as good as constant. From now on every step adds 0.1 to the accumulator. When is the weight no longer zero?"
        ),
        answer=lambda: {1: "after one step", 3: "after three steps"}.get(
            steps_to_life(), "after six steps"
        ),
        options={
            "after one step": "So it would be with SGD. Here the accumulator is still inside the band.",
            "after six steps": "From zero it would take as many. The accumulator is not at zero; only the weight is.",
            "after three steps": "0.25 + 3 · 0.1 = 0.55 is outside, and the weight is what sticks out, 0.05.",
            "never: whoever was zero so long stays so": "How long it was zero is kept nowhere. Where the accumulator is counts.",
        },
    ),
    "02_saved": Prediction(
        title="only the weights were saved",
        question=(
            "The threshold is 0.5. A colleague has saved the weights of a gRDA training but not its accumulators, goes on with "
            "the weights in their place, and keeps the threshold. What does the next step do, whatever the gradients?"
        ),
        answer=lambda: {
            True: "it pulls each survivor in once more, and small ones die",
            False: "next to nothing, the weights are where they were",
        }[saved_and_thresholded_again()[1] < saved_and_thresholded_again()[0]],
        options={
            "it pulls each survivor in once more, and small ones die": (
                "An accumulator at {v:.1f} gave a weight of {w:.1f}. Taken for an accumulator that gives {again:g}."
            ),
            "it sets all zeros free, for they have no accumulator": "They start at the middle of the band, further in than before.",
            "next to nothing, the weights are where they were": "The weights are. The step thresholds what it takes for accumulators.",
            "it doubles what each of the survivors weighs": "The threshold is taken off again, and not given back.",
        },
        values=lambda: {
            "v": 0.8,
            "w": saved_and_thresholded_again()[0],
            "again": abs(round(saved_and_thresholded_again()[1], 6)),
        },
    ),
    "03_half_rate": Prediction(
        title="half the learning rate",
        question=(
            "You halve the learning rate and train twice as many steps, with the same c and μ. How large is the threshold at "
            "the end, beside that of before?"
        ),
        answer=lambda: f"{half_the_rate():.1f} times as large",
        options={
            "as large, since the time is the same": "The time nγ is the same. There is a factor γ^½ beside it.",
            "0.5 times as large": "It would be if γ stood there by itself. It is under a root.",
            "1.4 times as large": "That is the inverse: a larger rate gives the larger threshold.",
            "0.7 times as large": "g = c γ^½ (nγ)^μ. The time is the same, and √½ is {ratio:.2f}.",
        },
        values=lambda: {"ratio": half_the_rate()},
    ),
    "04_constant": Prediction(
        title="an accuracy of one in ten",
        question=(
            "With a larger c a network of ten classes has 96% zeros, and reads 10% of the images, whatever you change in the "
            "last layer's biases. Which line of the table of zeros do you look for?"
        ),
        answer=lambda: "a layer with all its weights at zero",
        options={
            "a layer with all its weights at zero": "Nothing gets through it, so all images get the same answer. Lesson 12's report names it.",
            "a first layer with fewer zeros than the others": "That is what networks look like that read well.",
            "a last layer with none of its weights at zero": "It hears the same for all images if nothing arrives.",
            "many biases that are exactly zero": "A bias of zero hides no image from the next layer.",
        },
    ),
    "05_best": Prediction(
        title="the best of twelve",
        question=(
            "A friend trains with twelve values of c, measures each on the same 400 test images, and reports the best. Say all "
            "twelve read 95% of all images in the world. What will the report say, on average?"
        ),
        answer=lambda: {
            True: "more than 95%, by a point or two",
            False: "95%, as it should",
        }[best_of_twelve() > 0.955],
        options={
            "95%, since no network was trained on them": "Nobody was. But one was chosen on them, and luck is part of what was chosen.",
            "more than 95%, by a point or two": "The mean best of twelve such readings is {best}: the luckiest is reported.",
            "less than 95%, since test images are harder": "They are like all images here. What differs is who was chosen.",
            "95% or less, as more c make it more cautious": "Each c more is one more chance to be lucky.",
        },
        values=lambda: {"best": percent(best_of_twelve())},
    ),
    "05_hundred": Prediction(
        title="two points on a hundred images",
        question=(
            "On 100 validation images that were drawn for each, SGD reads 95% and gRDA 93%. Is gRDA behind?"
        ),
        answer=lambda: {
            True: "that cannot be told: the error is over 3 points",
            False: "yes: the error is below half a point",
        }[error_of_difference() > 0.03],
        options={
            "yes: two points are what was measured": "Measured, yes. Other images would give another difference.",
            "yes: the error is below half a point": "For 100 images it is larger: {error} points.",
            "no: a difference below five points is none": "With enough images a tenth of a point can be told.",
            "that cannot be told: the error is over 3 points": "The standard error of the difference is {error} points.",
        },
        values=lambda: {"error": decimal(100 * error_of_difference(), 1)},
    ),
    "06_drop": Prediction(
        title="a threshold computed anew",
        question=(
            "Somebody writes gRDA with g(n, γ) computed at each step from the step's number and the rate of the moment. After "
            "3,000 steps the rate drops to a tenth. What happens to the zeros?"
        ),
        answer=lambda: {
            True: "most of them come back to life",
            False: "they stay, and new ones are rarer",
        }[after_the_drop() < 0.5],
        options={
            "they stay, and new ones are rarer": "So it is with the threshold that adds up. Here it is another one at once.",
            "most of them come back to life": "The threshold falls to {left:.2f} of what it was, and accumulators beyond it show again.",
            "more weights die, as steps are smaller now": "Smaller steps change the accumulators less. The band got narrower.",
            "nothing until the next thousand steps": "The very next step uses the new threshold.",
        },
        values=lambda: {"left": after_the_drop()},
    ),
    "06_decay": Prediction(
        title="weight decay alone",
        question=(
            "In a recipe with SGD and weight decay some weights get no gradient at all. They begin near 1. How many of "
            "these are exactly zero after 10,000 steps at rate 0.1 and decay 0.0005?"
        ),
        answer=lambda: "none" if decayed() > 0 else "all",
        options={
            "all": "Decay takes a share of what is left. What is left is never nothing: here {left:.2f}.",
            "none": "Each is multiplied by 1 − 0.00005 a step and ends at {left:.2f} of its size.",
            "those that began below the average": "Smaller ones stay smaller, and as far from zero in proportion.",
            "about half of them": "All shrink in the same proportion, so there is no half to choose.",
        },
        values=lambda: {"left": decayed()},
    ),
    "07_floor": Prediction(
        title="along another floor",
        question=(
            "A valley's floor is the line w₁ + 2w₂ = 2. SGD has ended on it at w = (1.6, 0.2). What does directional pruning do "
            "as λ grows?"
        ),
        answer=lambda: {
            (True, False): "w₁ shrinks until it is zero, and w₂ grows",
            (False, True): "w₂ shrinks until it is zero, and w₁ grows",
            (True, True): "both shrink, as far as the loss allows",
            (False, False): "it stays: on a floor nothing is gained",
        }[tuple((along_the_floor() < 0).tolist())],
        options={
            "w₂ shrinks until it is zero, and w₁ grows": "w₂ is the smaller one. But along the floor it costs two of w₁ for one of w₂.",
            "both shrink, as far as the loss allows": "Not on this floor: to stay on it, one has to grow.",
            "w₁ shrinks until it is zero, and w₂ grows": "Along the floor |w₁| falls twice as fast as |w₂| grows. The larger one dies.",
            "it stays: on a floor nothing is gained": "The loss stays. |w₁| + |w₂| falls, and that is what λ asks for.",
        },
    ),
    "08_chance": Prediction(
        title="one percent in the steep space",
        question=(
            "A Hessian of 1,000 weights has ten steep directions. Of a move's squared length 1% lies in their space. A paper "
            "writes: the method avoids steep directions. What is missing?"
        ),
        answer=lambda: {
            True: "a random move, which has as much there",
            False: "the loss after the move",
        }[bool(np.isclose(share_by_chance(), 0.01))],
        options={
            "the other 990 directions, which are flat": "They hold the 99%. The question is what the 1% would have to be compared with.",
            "nothing, since 1% is next to nothing": "Next to nothing is what most moves have there.",
            "a random move, which has as much there": "10 of 1,000 dimensions: {chance} on average, with no method at all.",
            "a larger network, in which it would be less": "There chance would be less, too.",
        },
        values=lambda: {"chance": percent(share_by_chance(), 0)},
    ),
    "09_ring": Prediction(
        title="a barrier in between",
        question=(
            "On the straight line between two trained networks the loss rises to 1. A curve with one bend joins them, and "
            "the loss along it stays near zero. What follows?"
        ),
        answer=lambda: {
            True: "they lie in one valley that is not straight",
            False: "they lie in two valleys with a wall between",
        }[barriers()[0] > 0.5 and barriers()[1] < 0.01],
        options={
            "they lie in one valley that is not straight": (
                "On the ring (|w|² − 1)², as a picture: {straight:.0f} half-way on the line, {ring:.0f} along the ring."
            ),
            "they lie in two valleys with a wall between": "A way without a rise leads from one to the other. The line left the valley.",
            "one of the two has not been trained to its end": "Both ends are low. Only the line between them is not.",
            "the curve was trained for too long to count": "It is a way, however it was found. One is enough.",
        },
        values=lambda: dict(zip(("straight", "ring"), barriers(), strict=True)),
    ),
    "09_swap": Prediction(
        title="two units change places",
        question=(
            "In a copy of a trained network two hidden units have changed places, with all their wires. You walk straight from "
            "the network to its copy. What do you find at the other end, and half-way?"
        ),
        answer=lambda: {
            True: "the same outputs at the end, and others half-way",
            False: "the same outputs all the way",
        }[swapped()[0] < 1e-9 < swapped()[1]],
        options={
            "the same outputs all the way": "At the ends. Half-way both units are the mean of two different ones.",
            "other outputs at the end, and half-way": "A unit's place is only a name: sums run over all of them.",
            "other outputs at the end, the same half-way": "It is the other way round: half-way two units are mixed.",
            "the same outputs at the end, and others half-way": (
                "So a barrier on a straight line need not be one between functions."
            ),
        },
    ),
    "10_buffer": Prediction(
        title="masked gradients",
        question=(
            "After a cut you multiply every gradient by the mask, before each step of SGD with momentum 0.9, whose buffers you "
            "kept. Do the zeros stay?"
        ),
        answer=lambda: {
            True: "no: the buffers still hold earlier gradients",
            False: "yes: no gradient reaches them",
        }[moved_by_its_buffer() != 0],
        options={
            "no: the buffers still hold earlier gradients": (
                "With a buffer of 1 and a rate of 0.1 such a weight is at {there:.2f} after ten steps."
            ),
            "yes: no gradient reaches them from then on": "None arrives anew. The old ones are in the buffers.",
            "yes: momentum shrinks to zero by itself": "It does, and moves the weight while it shrinks.",
            "no: the mask is lost at the first step": "It stays and does what it can, which is to stop new gradients.",
        },
        values=lambda: {"there": moved_by_its_buffer()},
    ),
    "10_control": Prediction(
        title="does it choose well?",
        question=(
            "A new method prunes 90% and retrains to 97%. It also decides how many weights each layer keeps. Which control "
            "tells whether its choice inside the layers matters?"
        ),
        answer=lambda: "random weights, as many in each layer",
        options={
            "the network before the cut, trained as long": "It tells what the cut costs, not which part of the choice is good.",
            "random weights, as many over the whole network": "Two things change there: which, and how many in each layer.",
            "the same method with 80%, and with 95%": "It tells how it goes on, and not what is behind it.",
            "random weights, as many in each layer": "Only the choice inside layers differs. In lesson 10 such a control was hard to beat at 90%.",
        },
    ),
    "11_even": Prediction(
        title="where CSR takes less",
        question=(
            "A bitmask with values takes one bit a weight, and four bytes more for one that lives. CSR takes eight bytes a weight "
            "that lives, its row pointers left aside. From which share of zeros on is CSR the smaller one?"
        ),
        answer=lambda: f"from about {percent(even(), 0)} on",
        options={
            "from about 50% on": "There CSR begins to be smaller than the dense array. The bitmask is far ahead.",
            "from about 97% on": "With a share p alive: 8p = 4p + 1/8 at p = 1/32.",
            "never, as its eight bytes are twice the four": "The bit is paid for every weight, living or not. With few alive it is dear.",
            "at every share, for it skips zeros": "Both do. They differ in how they say where.",
        },
    ),
    "11_border": Prediction(
        title="a constant before the padding",
        question=(
            "All weights of a filter are zero, its bias is 0.3, and a ReLU follows. The next convolution pads with zeros. May "
            "you remove the filter and add what its constant does to the next bias?"
        ),
        answer=lambda: {
            True: "not exactly: at the border less of it is heard",
            False: "yes, a constant is a bias everywhere",
        }[at_the_border()[0] != at_the_border()[1]],
        options={
            "yes, a constant is a bias everywhere": "Inside. At the border the next filter also looks at padding.",
            "yes, and even without a word to the bias": "Its 0.3 is heard by the next layer. Only 0 could go so.",
            "not exactly: at the border less of it is heard": (
                "A 3 × 3 filter of ones hears {inside:.1f} of it inside, and {corner:.1f} in a corner."
            ),
            "no, since weights of zero are part of the training": "For the outputs they are not needed. Something else is in the way.",
        },
        values=lambda: dict(zip(("inside", "corner"), at_the_border(), strict=True)),
    ),
    "12_uneven": Prediction(
        title="uneven shares",
        question=(
            "Of a last batch of 32 images one process has 24 and the other 8. Each takes the mean of its own, and the "
            "two means are averaged. Whose images count for more?"
        ),
        answer=lambda: {
            3.0: "each of the eight, three times as much",
            1.0: "all 32 count alike, it is one mean",
        }[weight_of_one()],
        options={
            "all 32 count alike, it is one mean": "It would be with 16 and 16. A mean of means forgets how many there were.",
            "each of the eight, three times as much": "1/8 of one half against 1/24 of the other. Weigh means by their sizes.",
            "each of the 24, three times as much": "Their process has more images, and so each has less of its half.",
            "none, as processes with uneven shares stop": "They go on, and nobody says a word. That is what makes it a trap.",
        },
    ),
    "12_scale": Prediction(
        title="a loss a hundred times as large",
        question=(
            "Somebody returns the sum over a batch of 100 in the place of the mean: all gradients are 100 times as large. "
            "c, μ and rates stay. Where does this change which weights are zero: with gRDA, with the two spaces around Adam?"
        ),
        answer=lambda: {
            (True, False): "with gRDA, not around Adam",
            (True, True): "with both of them",
            (False, True): "around Adam, not with gRDA",
            (False, False): "with neither, as c is the same",
        }[(loss_times_hundred()["gRDA"], loss_times_hundred()["Adam"])],
        options={
            "with both of them": "Adam divides a gradient by its own size, and so the factor is gone.",
            "with neither, as c is the same": "c is. But it is measured against how far gradients move the accumulator.",
            "around Adam, not with gRDA": "gRDA adds up the gradients as they are, with the factor.",
            "with gRDA, not around Adam": "So c says something only together with the loss that you wrote, and the optimizer.",
        },
    ),
}
