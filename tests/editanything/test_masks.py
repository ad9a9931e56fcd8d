import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from editanything import masks
from editanything.errors import InputError
from editanything.types import Mask

bools = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24))


@given(bools)
def test_a_mask_gives_back_its_array_and_is_tight(array):
    mask = Mask.of(array)
    assert np.array_equal(mask.full(), array)
    assert mask.area == array.sum()
    if mask.area:
        crop = mask.crop
        assert crop[0].any() and crop[-1].any() and crop[:, 0].any() and crop[:, -1].any()


@given(bools, st.integers(-30, 30), st.integers(-30, 30))
def test_placed_is_a_shift_with_clipping(array, x, y):
    shape = (20, 17)
    placed = Mask.placed(shape, (x, y), array).full()
    for row, column in np.ndindex(shape):
        v, u = row - y, column - x
        inside = 0 <= v < array.shape[0] and 0 <= u < array.shape[1]
        assert placed[row, column] == (inside and array[v, u])


@given(arrays(bool, (2, 15, 19)))
def test_algebra_agrees_with_numpy(pair):
    a, b = pair
    one, two = Mask.of(a), Mask.of(b)
    assert np.array_equal(masks.union(one, two).full(), a | b)
    assert np.array_equal(masks.minus(one, two).full(), a & ~b)
    assert np.array_equal(masks.intersection(one, two).full(), a & b)
    assert np.array_equal(masks.complement(one).full(), ~a)
    assert masks.shared_px(one, two) == (a & b).sum()
    union = (a | b).sum()
    assert masks.iou(one, two) == pytest.approx((a & b).sum() / union if union else 0.0)


@settings(max_examples=40)
@given(arrays(bool, (18, 23), fill=st.just(False)), st.integers(1, 5))
def test_grow_is_all_within_the_radius_and_shrink_is_its_mirror(array, radius):
    ys, xs = np.nonzero(array)
    yy, xx = np.mgrid[: array.shape[0], : array.shape[1]]
    near = np.zeros_like(array)
    for y, x in zip(ys, xs, strict=True):
        near |= (yy - y) ** 2 + (xx - x) ** 2 <= (radius + 0.5) ** 2
    assert np.array_equal(masks.grow(Mask.of(array), radius).full(), near)
    # Shrinking is growing the rest; the picture's edge does not count as rest.
    shrunk = masks.grow(Mask.of(~array), -radius).full()
    assert np.array_equal(shrunk, ~near)


def test_fill_holes_knows_holes_from_bays_and_sizes():
    ring = np.zeros((12, 12), bool)
    ring[2:10, 2:10] = True
    ring[4:8, 4:8] = False
    ring[0, 0] = True
    filled = masks.fill_holes(Mask.of(ring)).full()
    assert filled[2:10, 2:10].all() and filled.sum() == 65
    assert masks.fill_holes(Mask.of(ring), max_area_px=15).area == ring.sum()
    bay = ring.copy()
    bay[4:8, 8:10] = False  # the hole is open now
    assert masks.fill_holes(Mask.of(bay)).area == bay.sum()


def test_drop_specks_keeps_the_largest_part_whatever_its_size():
    array = np.zeros((10, 10), bool)
    array[1, 1] = array[5:7, 5:7] = True
    assert masks.drop_specks(Mask.of(array), 3).area == 4
    assert masks.drop_specks(Mask.of(array), 50).area == 4


@given(arrays(bool, (16, 21)), st.floats(0, 8))
def test_feather_stays_inside_and_is_full_without_width(area, width):
    alpha = masks.feather(area, width)
    assert alpha.dtype == np.float32
    assert np.array_equal(alpha > 0, area)
    assert alpha.max(initial=0) <= 1
    assert np.array_equal(masks.feather(area, 0), area.astype(np.float32))


def test_feather_does_not_fade_at_the_pictures_own_edge():
    assert (masks.feather(np.ones((9, 9), bool), 4) == 1).all()


@given(bools, st.integers(-20, 20), st.integers(-20, 20))
def test_warp_by_whole_pixels_is_exact(array, dx, dy):
    mask = Mask.of(array)
    shifted = masks.warp(mask, np.array([[1, 0, dx], [0, 1, dy]], float))
    x0, y0 = mask.box[:2]
    assert np.array_equal(
        shifted.full(), Mask.placed(mask.shape, (x0 + dx, y0 + dy), mask.crop).full()
    )


def test_warp_flips_about_the_middle_of_the_box_without_a_shift():
    array = np.zeros((20, 30), bool)
    array[4:15, 5:12] = True
    array[4:6, 5:8] = False
    matrix = np.array([[-1, 0, 5 + 11], [0, 1, 0]], float)
    flipped = masks.warp(Mask.of(array), matrix).full()
    expected = np.zeros_like(array)
    expected[4:15, 5:12] = array[4:15, 5:12][:, ::-1]
    assert np.array_equal(flipped, expected)


def test_box_with_margin_stays_inside():
    assert masks.with_margin((2, 3, 5, 6), 4, (8, 30)) == (0, 0, 9, 8)


@pytest.mark.parametrize("bad", [np.zeros((3, 3), np.uint8), np.zeros(4, bool)])
def test_only_bool_pictures_are_masks(bad):
    with pytest.raises(InputError, match="bool array"):
        Mask.of(bad)


def test_an_area_that_ends_at_another_thing_has_no_soft_rim_there():
    area, other = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    area[5:15, 5:15] = True
    other[5:15, 15:25] = True
    alpha = masks.feather(area, 3.0, beyond=other)
    assert (alpha[~area] == 0).all()
    assert alpha[10, 14] == 1
    assert 0 < alpha[10, 5] < 0.5
    assert np.array_equal(
        masks.feather(area, 3.0, beyond=np.zeros_like(area)), masks.feather(area, 3.0)
    )
