"""Pasting from another picture, and the colour and seam tools that it uses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editanything.backends.classical.blend import Light, match_colour, seamless
from editanything.backends.classical.oklab import lab_of
from editanything.backends.classical.paste import lifted, transfer
from editanything.types import Mask, Reference, Task

YS, XS = np.mgrid[:60, :60].astype(np.float32)
DISC = np.hypot(XS - 30, YS - 30) < 18
OTHER = np.where(DISC[..., None], np.uint8([200, 60, 60]), np.uint8([200, 200, 200]))
PLACE = np.full((100, 140, 3), (70, 75, 80), np.uint8)
NOTHING = np.zeros((100, 140), bool)
SHIFT = ((1, 0, 50), (0, 1, 20))


def paste(**more) -> np.ndarray:
    reference = more.pop("reference", Reference(OTHER, Mask.of(DISC)))
    params = {"mode": "insert", "matrix": SHIFT, **more}
    return transfer(
        Task("transfer", PLACE, NOTHING, ~NOTHING, params, 0, reference=reference)
    ).image


def test_an_unlit_paste_is_a_copy_and_the_rest_stays() -> None:
    result = paste(relight=0.0)
    deep = np.hypot(XS - 30, YS - 30) < 12
    assert np.array_equal(result[20:80, 50:110][deep], OTHER[deep])
    far = np.ones((100, 140), bool)
    far[20:80, 50:110] = np.hypot(XS - 30, YS - 30) > 24
    assert np.array_equal(result[far], PLACE[far])


def test_relighting_goes_towards_the_place_and_keeps_the_hue() -> None:
    light = [lab_of(paste(relight=r)[50, 80][None])[0] for r in (0.0, 0.5, 1.0)]
    assert light[0][0] > light[1][0] > light[2][0]  # from a light place to a dark one
    turn = np.degrees(np.arctan2(light[2][2], light[2][1]) - np.arctan2(light[0][2], light[0][1]))
    assert abs(turn) < 12


def test_the_files_own_transparency_is_the_matte() -> None:
    opacity = np.where(DISC, np.uint8(128), np.uint8(0))
    layer = lifted(Reference(OTHER, Mask.of(DISC), opacity))
    assert layer.alpha.max() == pytest.approx(128 / 255)
    x0, y0, x1, y1 = layer.box
    beyond = ~DISC[y0:y1, x0:x1]
    assert np.abs(layer.colour[beyond] - (200, 60, 60)).max() < 1  # not the grey that was hidden
    result = paste(reference=Reference(OTHER, Mask.of(DISC), opacity), relight=0.0)
    assert (
        np.abs(
            result[50, 80] - (PLACE[50, 80] + (np.int16([200, 60, 60]) - PLACE[50, 80]) / 2)
        ).max()
        <= 1
    )


def test_replacing_takes_the_old_thing_away() -> None:
    scene = PLACE.copy()
    old = np.zeros((100, 140), bool)
    old[20:80, 20:44] = True
    scene[old] = (10, 200, 10)
    params = {"mode": "replace", "matrix": SHIFT}
    reference = Reference(OTHER, Mask.of(DISC))
    result = transfer(Task("transfer", scene, old, ~NOTHING, params, 0, reference=reference)).image
    assert np.abs(result[old].astype(int) - PLACE[0, 0]).max() < 12


def test_what_lands_outside_leaves_the_picture_as_it_was() -> None:
    assert np.array_equal(paste(matrix=((1, 0, 500), (0, 1, 0))), PLACE)


def test_seamless_cloning_solves_the_poisson_equation() -> None:
    """For a source that is the destination plus a constant, the answer is the destination."""
    destination = np.stack([XS * 2, YS * 3, XS + YS], axis=2)
    assert np.abs(seamless(destination, destination + 40, DISC) - destination).max() < 0.5
    flat = np.full_like(destination, 128.0)
    # The harmonic function with a plane on its rim is the plane.
    assert np.abs(seamless(destination, flat, DISC) - destination).max() < 2.0


def test_seamless_cloning_keeps_the_outside_and_survives_the_edge() -> None:
    rng = np.random.default_rng(0)
    destination, source = rng.uniform(0, 255, (2, 50, 40, 3)).astype(np.float32)
    mask = np.zeros((50, 40), bool)
    mask[:, :15] = True
    result = seamless(destination, source, mask)
    assert np.array_equal(result[~mask], destination[~mask])
    assert np.isfinite(result).all()
    for whole in (np.zeros_like(mask), np.ones_like(mask)):
        expected = source if whole.all() else destination
        assert np.array_equal(seamless(destination, source, whole), expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_matching_colour_is_gentle(seed: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    thing, here, there = (rng.integers(0, 256, (50, 3), np.uint8) for _ in range(3))
    result = match_colour(thing, Light.of(here), Light.of(there), strength)
    change = np.abs(lab_of(result) - lab_of(thing))
    assert change[:, 0].max() <= 0.5 * strength + 0.01
    assert change[:, 1:].max() <= 0.06 * strength + 0.12  # the gamut may add to it
    if strength == 0.0:
        assert np.abs(result - thing).max() < 0.6
