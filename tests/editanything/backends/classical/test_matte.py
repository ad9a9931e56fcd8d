"""The matte against drawn pictures whose true alpha and colours are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editanything.backends.classical.matte import (
    box_of,
    fast_gaussian,
    lift,
    signed_distance,
    smoothstep,
    spread,
)


def soft_disc(size: int = 96, radius: float = 26.3, softness_px: float = 2.0):
    """A textured disc on a textured ground: (picture, true alpha, true disc, true ground)."""
    ys, xs = np.mgrid[:size, :size].astype(np.float32) - (size - 1) / 2
    alpha = np.clip((radius - np.hypot(xs, ys)) / softness_px + 0.5, 0, 1).astype(np.float32)
    wave = (6 * np.sin(xs / 5) + 6 * np.cos(ys / 7))[..., None]
    disc = np.array([200, 60, 40], np.float32) + wave
    ground = np.array([60, 130, 190], np.float32) - wave
    picture = alpha[..., None] * disc + (1 - alpha[..., None]) * ground
    return np.rint(picture).astype(np.uint8), alpha, disc, ground


@pytest.mark.parametrize("wrong_by", [-1, 0, 1])
def test_alpha_is_found_even_where_the_mask_is_a_little_wrong(wrong_by: int) -> None:
    picture, truth, _, _ = soft_disc()
    distance = np.hypot(*(np.mgrid[:96, :96] - 47.5))
    mask = distance <= 26.3 + wrong_by
    matte = lift(picture, mask)
    alpha = matte.full_alpha(mask.shape)
    rim = np.abs(distance - 26.3) < 4
    assert np.abs(alpha - truth)[rim].mean() < (0.04 if wrong_by == 0 else 0.09)
    assert (alpha[distance < 18] == 1).all()
    assert (alpha[distance > 35] == 0).all()


def test_the_old_background_does_not_travel_along() -> None:
    picture, truth, disc, _ = soft_disc()
    matte = lift(picture, truth >= 0.5)
    x0, y0, x1, y1 = matte.box
    a = matte.alpha
    error = np.abs(matte.foreground - disc[y0:y1, x0:x1]).max(-1)
    naive = np.abs(picture[y0:y1, x0:x1] - disc[y0:y1, x0:x1]).max(-1)
    mixed = (a > 0.1) & (a < 0.9)
    assert error[mixed].mean() < 0.25 * naive[mixed].mean()
    on_white = a[..., None] * matte.foreground + (1 - a[..., None]) * 255
    true_a = truth[y0:y1, x0:x1, None]
    best = true_a * disc[y0:y1, x0:x1] + (1 - true_a) * 255
    assert np.abs(on_white - best)[mixed].mean() < 12


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_layers_put_together_are_the_picture(seed: int, to_the_pixel: bool) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (24, 30, 3), np.uint8)
    mask = np.zeros((24, 30), bool)
    y, x = rng.integers(0, 16, 2)
    mask[y : y + rng.integers(1, 9), x : x + rng.integers(1, 14)] = True
    matte = lift(picture, mask, to_the_pixel=to_the_pixel)
    x0, y0, x1, y1 = matte.box
    crop = picture[y0:y1, x0:x1]
    a = matte.alpha[..., None]
    assert np.array_equal(matte.foreground[matte.alpha == 1], crop[matte.alpha == 1])
    assert np.array_equal(matte.background[matte.alpha == 0], crop[matte.alpha == 0])
    assert 0 <= matte.alpha.min() <= matte.alpha.max() <= 1
    assert np.isfinite(a * matte.foreground + (1 - a) * matte.background).all()
    if to_the_pixel:
        inside = mask[y0:y1, x0:x1]
        assert (matte.alpha[inside] >= 0.5).all()
        assert (matte.alpha[~inside] <= 0.5).all()


def test_the_pictures_own_edge_is_no_rim() -> None:
    mask = np.zeros((20, 30), bool)
    mask[:, :12] = True
    picture = np.where(mask[..., None], np.uint8(200), np.uint8(20)).repeat(3, 2)
    alpha = lift(picture, mask).full_alpha(mask.shape)
    assert (alpha[:, :10] == 1).all()
    assert (signed_distance(mask)[:, 0] == signed_distance(mask)[0, 0]).all()
    assert (signed_distance(np.ones((4, 4), bool)) == np.inf).all()
    assert (signed_distance(np.zeros((4, 4), bool)) == -np.inf).all()


def test_spreading_takes_from_what_counts_alone() -> None:
    picture = np.zeros((60, 60, 3), np.float32)
    picture[:, :20] = (10, 20, 30)
    picture[:, 20:] = (250, 0, 250)
    weight = np.zeros((60, 60), np.float32)
    weight[:, :20] = 1
    assert np.abs(spread(picture, weight, 2.0) - (10, 20, 30)).max() < 0.01


@pytest.mark.parametrize("sigma", [3.0, 9.0, 21.0])
def test_the_fast_blur_is_nearly_a_gaussian(sigma: float) -> None:
    point = np.zeros((301, 301), np.float32)
    point[150, 150] = 1
    xs = np.arange(301) - 150
    truth = np.exp(-(xs**2) / (2 * sigma**2))
    truth /= truth.sum()
    profile = fast_gaussian(point, sigma).sum(0)
    assert np.abs(profile - truth).max() < 0.08 * truth.max()


def test_small_things() -> None:
    mask = np.zeros((9, 9), bool)
    mask[2:4, 5] = True
    assert box_of(mask) == (5, 2, 6, 4)
    assert smoothstep(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0, 0, 0.5, 1, 1]
