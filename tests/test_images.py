"""What stands in front of a network that is given pictures as bytes."""

import numpy as np
import pytest
import torch

from grda_edu.images import RandomCropAndFlip, Standardised


def pictures(count=200, size=6):
    return torch.randint(
        1, 256, (count, 3, size, size), generator=torch.Generator().manual_seed(0)
    ).to(torch.uint8)


def test_every_picture_is_moved_and_mirrored_as_a_whole():
    x, margin = pictures(), 2
    torch.manual_seed(0)
    seen = RandomCropAndFlip(margin)(x)
    assert seen.shape == x.shape and seen.dtype == x.dtype
    found = set()
    for before, after in zip(x.numpy(), seen.numpy(), strict=True):
        ways = {}
        wide = np.pad(before, ((0, 0), (margin,) * 2, (margin,) * 2))
        for top in range(2 * margin + 1):
            for left in range(2 * margin + 1):
                cut = wide[:, top : top + 6, left : left + 6]
                ways[top, left, False], ways[top, left, True] = cut, cut[:, :, ::-1]
        (way,) = [key for key, cut in ways.items() if np.array_equal(cut, after)]
        found.add(way)
    assert {top for top, _, _ in found} == {left for _, left, _ in found} == set(range(5))
    assert {mirrored for _, _, mirrored in found} == {True, False}


def test_in_evaluation_pictures_pass():
    x = pictures()
    assert RandomCropAndFlip().eval()(x) is x


def test_without_a_margin_only_mirroring_is_left():
    x = pictures()
    seen = RandomCropAndFlip(0)(x)
    same = (seen == x).flatten(1).all(1)
    mirrored = (seen == x.flip(3)).flatten(1).all(1)
    assert (same | mirrored).all() and 60 < int(same.sum()) < 140


def test_bad_margin_is_refused():
    with pytest.raises(ValueError, match="margin = -1"):
        RandomCropAndFlip(-1)


def test_colours_are_standardised_one_by_one():
    x = pictures()
    layer = Standardised.of(x)
    numbers = x.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(layer.mean.flatten(), numbers.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(layer.std.flatten(), numbers.std((0, 2, 3)), rtol=1e-5)
    seen = layer(x).numpy()
    np.testing.assert_allclose(seen.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(seen.std((0, 2, 3)), 1, rtol=1e-5)
    assert not layer.state_dict()  # not the network's: it follows from the data
