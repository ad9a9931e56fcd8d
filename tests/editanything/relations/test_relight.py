"""A removed shadow is lit: the ground below it comes back, with its own texture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from editanything.backends.classical.relight import relit


def shaded(softness, texture):
    """A ground, the same with a shadow on it, and the shadow's pixels, rim and all."""
    rng = np.random.default_rng(1)
    grain = cv2.GaussianBlur(rng.standard_normal((160, 200)), (0, 0), 1.2)
    levels = 150 * np.exp(texture * grain / grain.std())
    ground = np.clip(np.stack([levels, 0.9 * levels, 0.7 * levels], -1), 0, 255)
    shape = np.zeros((160, 200), np.float32)
    cv2.ellipse(shape, (100, 85), (55, 25), 20, 0, 360, 1.0, -1)
    alpha = cv2.GaussianBlur(shape, (0, 0), softness)
    dark = ground * (1 - alpha[..., None] * (1 - np.exp(-np.array([0.6, 0.55, 0.5]))))
    return ground, np.rint(dark).astype(np.uint8), alpha > 0.05


@pytest.mark.parametrize(("softness", "texture"), [(3.0, 0.2), (6.0, 0.2), (3.0, 0.01)])
def test_the_ground_comes_back_with_its_texture(softness, texture):
    ground, image, shadow = shaded(softness, texture)
    result = relit(image, shadow, ~shadow)
    done = result.done
    assert done.sum() > 0.75 * shadow.sum()
    assert not (done & ~shadow).any()
    np.testing.assert_array_equal(result.image[~done], image[~done])
    error = np.abs(result.image[done] - ground[done]).mean()
    assert error < 0.2 * np.abs(image[done] - ground[done]).mean()
    grain = (result.image[done].mean(1), ground[done].mean(1))
    if texture > 0.1:
        assert np.corrcoef(*grain)[0, 1] > 0.9


def test_what_is_no_shadow_is_left_to_be_filled():
    ground, _, shadow = shaded(1.0, 0.01)
    rough = np.random.default_rng(2).uniform(0, 200, ground.shape)
    image = np.where(shadow[..., None], rough, ground).astype(np.uint8)
    assert not relit(image, shadow, ~shadow).done.any()
    bright = np.where(shadow[..., None], 1.4 * ground, ground).clip(0, 255).astype(np.uint8)
    assert not relit(bright, shadow, ~shadow).done.any()


@pytest.mark.parametrize("size", [(1, 1), (4, 90)])
def test_small_crops_and_nothing_known(size):
    image = np.full((*size, 3), 90, np.uint8)
    everything = np.ones(size, bool)
    result = relit(image, everything, ~everything)
    assert not result.done.any()
    np.testing.assert_array_equal(result.image, image)
