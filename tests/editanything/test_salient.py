"""What stands out of drawn pictures of known truth."""

import numpy as np
import pytest

from editanything.salient import Salient


def disc(size=(150, 200), at=(110, 70), radius=32, noise=8):
    """A red disc on mottled ground, and its truth."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: size[0], : size[1]]
    truth = (x - at[0]) ** 2 + (y - at[1]) ** 2 < radius**2
    picture = np.full((*size, 3), (110, 120, 90), float)
    picture[truth] = (200, 60, 40)
    picture += rng.normal(0, noise, picture.shape)
    return picture.clip(0, 255).astype(np.uint8), truth


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_a_disc_stands_out_of_its_ground():
    picture, truth = disc()
    seen = Salient.of(picture)
    assert seen.map.shape == seen.small.shape[:2] == truth.shape
    assert seen.map.min() == 0
    assert seen.map.max() == 1
    assert seen.map[truth].mean() > 0.8
    assert seen.map[~truth].mean() < 0.2
    assert iou(seen.thing(), truth) > 0.95


def test_ground_that_a_thing_parts_is_one_ground():
    """A band through the picture leaves two grounds, which the frame joins."""
    picture, truth = disc(at=(100, 75), radius=40)
    picture[:, 85:115][~truth[:, 85:115]] = (60, 70, 140)
    assert Salient.of(picture).map[truth].mean() > 0.6


def test_large_pictures_are_looked_at_small():
    picture, truth = disc(size=(900, 1200), at=(600, 450), radius=200)
    seen = Salient.of(picture)
    assert seen.small.shape == (240, 320, 3)
    assert abs(seen.thing().mean() - truth.mean()) < 0.01


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (40, 3), (30, 30)])
def test_plain_pictures_have_nothing_that_stands_out(size):
    seen = Salient.of(np.full((*size, 3), 128, np.uint8))
    assert not seen.map.any()
    assert not seen.thing().any()
