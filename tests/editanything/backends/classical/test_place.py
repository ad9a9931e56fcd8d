"""Moving, turning and scaling: exact where pixels only move about, clean where they are mixed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from editanything.backends.classical.place import Layer, place, set_down, warped
from editanything.types import Painted, Task

ROCKET = np.ascontiguousarray(data.rocket()[100:420, 150:500])
DISH = np.ascontiguousarray(data.coffee()[60:360, 60:500])


def ellipse(shape, x: float, y: float, a: float, b: float) -> np.ndarray:
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return ((xs - x) / a) ** 2 + ((ys - y) / b) ** 2 <= 1


CUP = ellipse(DISH.shape, 230, 53, 112, 90)
DEEP = ellipse(DISH.shape, 230, 53, 100, 78)


def placed(matrix, *, fill_source: bool = False, opacity=None) -> Painted:
    everywhere = np.ones(CUP.shape, bool)
    params = {"matrix": matrix, "fill_source": fill_source}
    return place(Task("move", DISH, CUP, everywhere, params, 0, opacity=opacity))


@settings(max_examples=15, deadline=None)
@given(st.integers(-150, 150), st.integers(-60, 200))
def test_a_whole_pixel_shift_copies_the_inside_exactly(dx: int, dy: int) -> None:
    result = placed(((1, 0, dx), (0, 1, dy))).image
    ys, xs = np.nonzero(DEEP)
    seen = (ys + dy >= 0) & (ys + dy < 300) & (xs + dx >= 0) & (xs + dx < 440)
    ys, xs = ys[seen], xs[seen]
    assert np.array_equal(result[ys + dy, xs + dx], DISH[ys, xs])


@pytest.mark.parametrize(
    ("matrix", "where"),
    [
        (((-1, 0, 460), (0, 1, 0)), lambda xs, ys: (460 - xs, ys)),
        (((1, 0, 0), (0, -1, 180)), lambda xs, ys: (xs, 180 - ys)),
        (((0, -1, 300), (1, 0, -80)), lambda xs, ys: (300 - ys, xs - 80)),
    ],
    ids=["mirrored", "upside down", "quarter turn"],
)
def test_flips_and_quarter_turns_are_exact(matrix, where) -> None:
    result = placed(matrix).image
    ys, xs = np.nonzero(DEEP)
    u, v = where(xs, ys)
    seen = (u >= 0) & (u < 440) & (v >= 0) & (v < 300)
    assert seen.sum() > 5000
    assert np.array_equal(result[v[seen], u[seen]], DISH[ys[seen], xs[seen]])


def test_beyond_the_moved_thing_nothing_changes_without_filling() -> None:
    result = placed(((1, 0, 30), (0, 1, 120))).image
    far = ~ellipse(DISH.shape, 260, 173, 124, 102)
    assert np.array_equal(result[far], DISH[far])


def test_the_old_place_is_healed() -> None:
    target = np.zeros(ROCKET.shape[:2], bool)
    target[20:300, 156:188] = True  # the rocket against the evening sky
    params = {"matrix": ((1, 0, 100), (0, 1, 0)), "fill_source": True}
    result = place(Task("move", ROCKET, target, np.ones_like(target), params, 0)).image
    # In the blue channel the rocket is much lighter than the sky.
    assert result[60:200, 165:180].mean() < 0.6 * ROCKET[60:200, 165:180].mean()
    assert np.array_equal(result[60:200, 265:280], ROCKET[60:200, 165:180])


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.7, 3.0])
def test_scaling_keeps_place_and_brightness(scale: float) -> None:
    ys, xs = np.mgrid[:120, :160].astype(np.float32)
    layer = Layer(
        (20, 30, 180, 150),
        np.ones((120, 160), np.float32),
        np.stack([xs, ys, 100 + 50 * np.sin(xs / 11)], axis=2),
    )
    out = warped(layer, ((scale, 0, 5.0), (0, scale, 7.0)), (600, 700))
    assert out is not None
    x, y = 100, 90
    u, v = round(scale * x + 5), round(scale * y + 7)
    x, y = (u - 5) / scale, (v - 7) / scale
    got = out.colour[v - out.box[1], u - out.box[0]]
    assert np.abs(got[:2] - (x - 20, y - 30)).max() < 0.06
    assert got[2] == pytest.approx(100 + 50 * np.sin((x - 20) / 11), abs=1.0)


def test_shrinking_does_not_alias() -> None:
    board = (np.indices((200, 200)).sum(0) % 2 * 255).astype(np.float32)
    layer = Layer((0, 0, 200, 200), np.ones((200, 200), np.float32), board[..., None].repeat(3, 2))
    out = warped(layer, ((0.25, 0, 0.3), (0, 0.25, 0.1)), (100, 100))
    assert out is not None
    assert np.abs(out.colour[5:-5, 5:-5] - 127.5).max() < 4


def test_what_leaves_the_picture_is_gone() -> None:
    assert np.array_equal(placed(((1, 0, 1000), (0, 1, 0))).image, DISH)


def glass_at(ground: int, fill_source: bool = False) -> Painted:
    """A translucent disc at (30, 30), moved to (70, 30) on a ground of that opacity."""
    opacity = np.full((60, 90), ground, np.uint8)
    glass = ellipse(opacity.shape, 30, 30, 16, 16)
    opacity[glass] = 100
    photo = np.ascontiguousarray(ROCKET[:60, :90])
    params = {"matrix": ((1, 0, 40), (0, 1, 0)), "fill_source": fill_source}
    return place(Task("move", photo, glass, glass, params, 0, opacity))


@pytest.mark.parametrize("fill_source", [False, True])
def test_transparency_travels_along(fill_source: bool) -> None:
    result = glass_at(0, fill_source)
    assert result.opacity is not None
    assert (result.opacity[ellipse((60, 90), 70, 30, 12, 12)] == 100).all()
    assert (result.opacity[30, 30] == 100) is not np.bool_(fill_source)
    assert np.array_equal(result.image[25:35, 65:75], ROCKET[25:35, 25:35])


def test_what_lies_below_something_translucent_shines_through() -> None:
    result = glass_at(255)
    assert result.opacity is not None
    assert (result.opacity[ellipse((60, 90), 70, 30, 12, 12)] == 255).all()
    thing, under = ROCKET[25:35, 25:35].astype(float), ROCKET[25:35, 65:75].astype(float)
    mixed = under + 100 / 255 * (thing - under)
    assert np.abs(result.image[25:35, 65:75] - mixed).max() <= 0.51


@pytest.mark.parametrize("op", ["move", "duplicate"])
def test_a_sticker_with_the_clear_space_around_it_erases_no_other(op: str) -> None:
    image, opacity = np.zeros((60, 120, 3), np.uint8), np.zeros((60, 120), np.uint8)
    image[20:40, 10:30], image[20:40, 75:95] = (200, 0, 0), (0, 0, 200)
    opacity[20:40, 10:30] = opacity[20:40, 75:95] = 255
    target = np.zeros(opacity.shape, bool)
    target[10:50, 2:60] = True  # the red one and much that is clear
    params = {"matrix": ((1, 0, 40), (0, 1, 0)), "fill_source": op == "move"}
    result = place(Task(op, image, target, np.ones_like(target), params, 0, opacity))
    assert result.opacity is not None
    assert (result.opacity[20:40, 75:95] == 255).all()
    assert (result.image[20:40, 75:95] == (0, 0, 200)).all()
    assert (result.opacity[22:38, 52:68] == 255).all()
    assert (result.image[22:38, 52:68] == (200, 0, 0)).all()
    # And no hidden black is mixed into it where it is resampled.
    params["matrix"] = ((1, 0, 39.5), (0, 1, 0.5))
    result = place(Task(op, image, target, np.ones_like(target), params, 0, opacity))
    assert result.opacity is not None
    seen = result.opacity[:, 45:73] > 8
    assert np.abs(result.image[:, 45:73][seen] - np.array([200, 0, 0])).max() <= 2


@pytest.mark.parametrize(
    ("below", "level", "opacity"), [(255, 127, 255), (0, 0, 128), (200, 112, 228)]
)
def test_setting_down_is_over_and_leaves_the_base_alone(
    below: int, level: int, opacity: int
) -> None:
    """Half-transparent black over white of some opacity."""
    base = Painted(np.full((4, 4, 3), 255, np.uint8), np.full((4, 4), below, np.uint8))
    half = Layer(
        (1, 1, 3, 3), np.full((2, 2), 128 / 255, np.float32), np.zeros((2, 2, 3), np.float32)
    )
    result = set_down(base, half)
    assert result.opacity is not None
    assert set(result.image[1:3, 1:3].ravel()) == {level}
    assert set(result.opacity[1:3, 1:3].ravel()) == {opacity}
    assert (result.image[0] == 255).all()
    assert (result.opacity[0] == below).all()
    assert (base.image == 255).all()
    bare = set_down(Painted(base.image), half)
    assert bare.opacity is None
    assert set(bare.image[1:3, 1:3].ravel()) == {127}
    assert set_down(base, None) is base
