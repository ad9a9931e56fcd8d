"""The sky: pixels that are there for sure, or None."""

import cv2
import numpy as np
import pytest
import skimage.data

from editanything.grounders.sky import find_sky, is_behind_portrait
from editanything.types import Mask

HEIGHT, WIDTH = 240, 360


def landscape():
    """A sky that pales towards a hilly horizon, over noisy ground; and where the sky is."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    sky = y < 130 + 14 * np.sin(x / 35)
    image = np.empty((HEIGHT, WIDTH, 3))
    image[:] = (70, 110, 60)
    share = (y / 150)[..., None].clip(0, 1)
    image[sky] = ((1 - share) * (70, 130, 220) + share * (190, 215, 240))[sky]
    noise = np.random.default_rng(0).normal(0, 1, image.shape)
    image += noise * np.where(sky, 1.0, 14.0)[..., None]
    return np.rint(image).clip(0, 255).astype(np.uint8), sky


def overlap(mask, true):
    found = mask.full()
    return (found & true).sum() / (found | true).sum()


def test_the_sky_of_a_drawn_landscape():
    image, sky = landscape()
    before = image.copy()
    found = find_sky(image)
    assert found is not None
    assert overlap(found, sky) > 0.98
    assert np.array_equal(image, before)


def test_a_thing_before_the_sky_is_none_of_it():
    image, sky = landscape()
    image[40:150, 170:182] = (60, 40, 30)  # a mast from the ground
    sky[40:150, 170:182] = False
    found = find_sky(image)
    assert found is not None
    assert overlap(found, sky) > 0.97
    assert not found.full()[60:120, 173:179].any()


def test_a_large_picture_has_the_same_sky():
    image, sky = landscape()
    large = cv2.resize(image, (WIDTH * 5, HEIGHT * 5), interpolation=cv2.INTER_CUBIC)
    found = find_sky(large)
    assert found is not None
    assert found.shape == large.shape[:2]
    true = cv2.resize(sky.astype(np.uint8), large.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert overlap(found, true) > 0.98


def test_the_sky_of_the_rocket():
    found = find_sky(skimage.data.rocket())
    assert found is not None
    mask = found.full()
    assert mask[20:110, 220:390].all()  # between the masts
    assert not mask[180:360, 315:325].any()  # the rocket
    assert mask[400:].mean() < 0.2  # the ground


def test_the_sky_of_the_cameraman():
    found = find_sky(cv2.cvtColor(skimage.data.camera(), cv2.COLOR_GRAY2RGB))
    assert found is not None
    mask = found.full()
    assert mask[:60].mean() > 0.98
    assert not mask[260:].any()  # the grass
    assert not mask[170:250, 110:200].any()  # the coat


@pytest.mark.parametrize("name", ["coffee", "chelsea", "brick", "moon", "hubble_deep_field"])
def test_no_sky_where_there_is_none(name):
    image = np.atleast_3d(getattr(skimage.data, name)())
    image = np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
    assert find_sky(image[:256]) is None


def test_a_sky_alone_with_a_kite():
    y = np.mgrid[:HEIGHT, :WIDTH][0][..., None] / HEIGHT
    image = (1 - y) * (60, 120, 215) + y * (165, 200, 240)
    image += np.random.default_rng(0).normal(0, 1, image.shape)
    image = np.rint(image).clip(0, 255).astype(np.uint8)
    image[100:125, 200:230] = (200, 40, 50)
    found = find_sky(image)
    assert found is not None
    assert found.full().mean() > 0.95
    assert not found.full()[104:121, 204:226].any()
    assert find_sky(np.ascontiguousarray(image[::-1])) is None  # paler above: no sky of this earth
    assert find_sky(np.ascontiguousarray(image[..., ::-1])) is None  # orange


def test_no_sky_in_a_landscape_upside_down_or_in_nothing():
    assert find_sky(np.ascontiguousarray(landscape()[0][::-1])) is None
    assert find_sky(np.full((80, 120, 3), (90, 140, 220), np.uint8)) is None
    assert find_sky(np.zeros((8, 8, 3), np.uint8)) is None


def test_the_ground_of_a_portrait_is_no_sky():
    sky = np.zeros((100, 100), bool)
    sky[:50] = True
    face = np.zeros((100, 100), bool)
    face[20:45, 40:60] = True
    assert is_behind_portrait(Mask.of(sky), [Mask.of(face)])  # a body may hide all columns
    small = np.zeros((100, 100), bool)
    small[45:52, 48:52] = True
    assert not is_behind_portrait(Mask.of(sky), [Mask.of(small)])
    assert not is_behind_portrait(Mask.of(sky), [])
