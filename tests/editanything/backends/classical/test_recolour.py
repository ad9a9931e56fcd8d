"""A recoloured thing keeps its shading and has the hue that was asked for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.color import rgb2lab

from editanything.backends.classical.oklab import lab_of, linear_of, luminance_of, tone_of
from editanything.backends.classical.recolour import Body, Curve, correlation, every_shade, modify
from editanything.types import Task

COLORS = {
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "green": (0, 128, 0),
    "blue": (0, 0, 255),
    "purple": (128, 0, 128),
    "brown": (139, 69, 19),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "black": (0, 0, 0),
}


def ellipse(image: np.ndarray, x: float, y: float, a: float, b: float) -> np.ndarray:
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]]
    return ((xs - x) / a) ** 2 + ((ys - y) / b) ** 2 <= 1


def photos() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    coffee, cat, astronaut = data.coffee(), data.chelsea(), data.astronaut()
    sky = np.zeros((427, 640), bool)
    sky[20:240, 100:190] = True
    return {
        "white cup": (coffee, ellipse(coffee, 290, 113, 115, 93)),
        "cat's face": (cat, ellipse(cat, 230, 150, 110, 90)),
        "orange suit": (astronaut, ellipse(astronaut, 110, 300, 45, 40)),
        "black visor": (astronaut, ellipse(astronaut, 382, 440, 80, 70)),
        "dark sky": (data.rocket(), sky),
    }


PHOTOS = photos()


def recolour(
    image: np.ndarray, mask: np.ndarray, color: tuple[int, int, int], **more
) -> np.ndarray:
    return modify(Task("modify", image, mask, mask, {"color": color, **more}, 0)).image


def hue_error(ab: np.ndarray, wanted: np.ndarray) -> float:
    mean = ab.sum(0, dtype=np.float64)
    turn = np.arctan2(mean[1], mean[0]) - np.arctan2(wanted[1], wanted[0])
    return abs(np.degrees((turn + np.pi) % (2 * np.pi) - np.pi))


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("color", COLORS)
def test_shading_stays_and_the_hue_is_right(photo: str, color: str) -> None:
    image, mask = PHOTOS[photo]
    result = recolour(image, mask, COLORS[color])
    wanted = lab_of(np.array([COLORS[color]], np.uint8))[0]
    # Along the rim a pixel may show half the background, which does not change its lightness.
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    before, after = rgb2lab(image)[..., 0], rgb2lab(result)[..., 0]
    assert np.corrcoef(before[inner], after[inner])[0, 1] >= 0.97
    assert np.corrcoef(before[mask], after[mask])[0, 1] >= 0.93
    lab = lab_of(result[mask])
    if np.hypot(*wanted[1:]) > 0.01:
        assert hue_error(lab[:, 1:], wanted[1:]) <= 3.0
    else:
        assert np.hypot(lab[:, 1], lab[:, 2]).mean() <= 0.005


@pytest.mark.parametrize("photo", PHOTOS)
def test_white_becomes_light_and_black_dark(photo: str) -> None:
    image, mask = PHOTOS[photo]
    assert np.median(rgb2lab(recolour(image, mask, (255, 255, 255)))[mask][:, 0]) >= 78
    assert np.median(rgb2lab(recolour(image, mask, (0, 0, 0)))[mask][:, 0]) <= 22


def test_a_flat_thing_takes_just_the_colour() -> None:
    image = np.full((40, 40, 3), (90, 140, 60), np.uint8)
    mask = np.zeros((40, 40), bool)
    mask[8:32, 8:32] = True
    result = recolour(image, mask, (180, 40, 90))
    assert np.abs(result[mask].astype(int) - (180, 40, 90)).max() <= 2
    beyond = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0
    assert np.array_equal(result[beyond], image[beyond])


def test_a_rim_pixel_that_is_half_background_keeps_that_half() -> None:
    """A grey disc on black, drawn with soft edges: the true answer is known."""
    ys, xs = np.mgrid[:64, :64] - 31.5
    cover = np.clip(20.5 - np.hypot(xs, ys), 0, 1)[..., None]
    image = np.rint(cover * (150, 150, 150)).astype(np.uint8)
    truth = cover * (200, 30, 30)
    result = recolour(image, cover[..., 0] >= 0.5, (200, 30, 30))
    error = np.abs(result - truth).max(-1)
    assert error[cover[..., 0] == 1].max() <= 3
    assert error.mean() < 1.0
    assert error.max() < 60


def test_part_of_the_way_lies_between() -> None:
    image, mask = PHOTOS["orange suit"]
    blue = (0, 0, 255)
    old = lab_of(image[mask]).mean(0)
    half = lab_of(recolour(image, mask, blue, strength=0.5)[mask]).mean(0)
    whole = lab_of(recolour(image, mask, blue)[mask]).mean(0)
    assert np.abs(half - (old + whole) / 2).max() < 0.03


@settings(max_examples=40, deadline=None)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.05, 1.2), st.floats(0.05, 1.2))
def test_a_curve_rises_and_stays_in_range(old: float, new: float, up: float, down: float) -> None:
    tones = np.linspace(0, 1, 200, dtype=np.float32)
    values = Curve(old, new, up, down)(tones)
    assert (np.diff(values) >= -1e-6).all()
    assert values.min() >= 0
    assert values.max() <= 1


@settings(max_examples=30, deadline=None)
@example((0, 0, 255))
@example((0, 0, 126))
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_the_shades_of_a_colour_go_through_it_from_black_to_white(color) -> None:
    wanted = np.array([color], np.uint8)
    lab = lab_of(wanted)[0]
    tones, shades = every_shade(lab)
    assert (np.diff(tones) >= 0).all()
    assert tones[0] == 0
    assert tones[-1] == pytest.approx(1, abs=1e-3)
    own = float(tone_of(luminance_of(linear_of(wanted)))[0])
    there = np.array([np.interp(own, tones, channel) for channel in shades.T])
    assert np.abs(there - lab).max() < 0.02


def test_correlation_knows_the_answer() -> None:
    ramp = np.linspace(0, 1, 50, dtype=np.float32)
    assert correlation(ramp, 0.2 + 0.5 * ramp) == pytest.approx(1)
    assert correlation(ramp, -ramp) == pytest.approx(-1)
    assert correlation(ramp, np.zeros_like(ramp)) == 1


def test_the_body_is_read_off_the_pixels() -> None:
    body = Body.of(np.full((100, 3), 119, np.uint8))
    assert body.tone == pytest.approx(0.5, abs=0.01)
    assert body.saturation == pytest.approx(0, abs=1e-3)
