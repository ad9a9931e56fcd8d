"""Another background: behind the object, covering the frame, and without a halo of the old one."""

from __future__ import annotations

import numpy as np
import pytest

from editanything.backends.classical.background import covering, replace
from editanything.errors import InputError
from editanything.types import Mask, Reference, Task

YS, XS = np.mgrid[:80, :100].astype(np.float32)
COVER = np.clip(24.5 - np.hypot(XS - 50, YS - 40), 0, 1)[..., None]
THING = np.float32([40, 60, 150])
SCENE = np.rint(COVER * THING + (1 - COVER) * np.float32([250, 240, 200])).astype(np.uint8)
BACKGROUND = COVER[..., 0] < 0.5
EVERYWHERE = np.ones(BACKGROUND.shape, bool)


def task(**more) -> Task:
    reference, opacity = more.pop("reference", None), more.pop("opacity", None)
    return Task("replace", SCENE, BACKGROUND, EVERYWHERE, more, 0, opacity, reference)


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (0, 160, 70)])
def test_no_halo_of_the_old_background_is_left(color: tuple[int, int, int]) -> None:
    result = replace(task(color=color)).image
    truth = COVER * THING + (1 - COVER) * np.float32(color)
    error = np.abs(result - truth).max(-1)
    far = (COVER[..., 0] == 0) & (np.hypot(XS - 50, YS - 40) > 30)
    assert (result[far] == color).all()
    assert (result[np.hypot(XS - 50, YS - 40) < 18] == THING).all()
    rim = (COVER[..., 0] > 0) & (COVER[..., 0] < 1)
    assert error[rim].mean() < 25
    # With the rim as it was, it would shine.
    assert error[rim].mean() < 0.5 * np.abs(SCENE - truth).max(-1)[rim].mean() + 5


def test_a_picture_covers_the_frame_and_the_crop_shows_its_part() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    reference = Reference(picture, Mask.everything((200, 300)))
    result = replace(task(frame=(300, 200), origin=(120, 70), reference=reference)).image
    far = np.hypot(XS - 50, YS - 40) > 30
    assert np.array_equal(result[far], picture[70:150, 120:220][far])


@pytest.mark.parametrize("size", [(37, 91), (300, 40), (64, 64), (1000, 900)])
def test_covering_fills_every_crop_of_the_frame(size: tuple[int, int]) -> None:
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    whole = covering(picture, (128, 96), (0, 0), (128, 96))
    assert whole.shape == (96, 128, 3)
    assert covering(picture, (128, 96), (100, 60), (28, 36)).shape == (36, 28, 3)


def test_crops_fit_together() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (50, 90, 3), np.uint8)
    whole = covering(picture, (128, 96), (0, 0), (128, 96))
    assert np.array_equal(whole[10:50, 30:70], covering(picture, (128, 96), (30, 10), (40, 40)))


def test_transparency_takes_the_background_away_and_a_colour_brings_it_back() -> None:
    opacity = np.full(BACKGROUND.shape, 255, np.uint8)
    gone = replace(task(transparent=True, opacity=opacity))
    assert gone.opacity is not None
    distance = np.hypot(XS - 50, YS - 40)
    assert (gone.opacity[distance > 30] == 0).all()
    assert (gone.opacity[distance < 18] == 255).all()
    assert np.array_equal(gone.image[distance > 30], SCENE[distance > 30])
    back = Task(
        "replace", gone.image, BACKGROUND, EVERYWHERE, {"color": (9, 9, 9)}, 0, gone.opacity
    )
    painted = replace(back)
    assert painted.opacity is not None
    assert (painted.opacity[distance > 30] == 255).all()


def test_a_picture_without_an_object_is_all_background() -> None:
    nothing = Task("replace", SCENE, EVERYWHERE, EVERYWHERE, {"color": (1, 2, 3)}, 0)
    assert (replace(nothing).image == (1, 2, 3)).all()


def test_without_a_second_picture_it_says_so() -> None:
    with pytest.raises(InputError, match="second picture"):
        replace(task(frame=(10, 10), origin=(0, 0)))
