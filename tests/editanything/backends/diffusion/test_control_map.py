"""Regions as the published ControlNets were trained on them."""

import numpy as np
import pytest

from editanything.backends.diffusion.control_map import (
    condition,
    continued,
    inpaint_condition,
    number_map,
    pack,
)
from editanything.errors import InputError


def _squares(count, shape=(40, 60), seed=0):
    draw = np.random.default_rng(seed)
    masks = []
    for _ in range(count):
        mask = np.zeros(shape, bool)
        y, x = draw.integers(0, shape[0] - 4), draw.integers(0, shape[1] - 4)
        mask[y : y + draw.integers(2, 20), x : x + draw.integers(2, 20)] = True
        masks.append(mask)
    return masks


@pytest.mark.parametrize("count", [0, 1, 7, 300, 600])
def test_p06_numbers_in_the_order_given_later_over_earlier(count):
    masks = _squares(count)
    truth = np.zeros((40, 60), int)
    for y in range(40):
        for x in range(60):
            over = [i + 1 for i, mask in enumerate(masks) if mask[y, x]]
            truth[y, x] = over[-1] if over else 0
    numbers = number_map(masks, (40, 60))
    assert numbers.dtype == np.uint16
    assert np.array_equal(numbers, truth)
    packed = pack(numbers)
    assert np.array_equal(packed[..., 0], truth % 256)
    assert np.array_equal(packed[..., 1], truth // 256)
    assert not packed[..., 2].any()
    if count > 256:
        assert packed[..., 1].max() == count // 256


def test_p06_by_area_small_parts_stay_visible():
    small, large = np.zeros((2, 20, 20), bool)
    small[5:8, 5:8] = True
    large[2:18, 2:18] = True
    given = number_map([small, large], (20, 20))
    assert not (given == 1).any()  # the large one came later, and hides it
    sorted_ = number_map([small, large], (20, 20), order="area")
    assert (sorted_ == 2).sum() == 9
    assert np.array_equal(sorted_ == 2, small)


def test_p06_resized_by_nearest_no_number_is_invented():
    numbers = number_map(_squares(300), (40, 60))
    tensor = condition(numbers, (64, 96))
    assert tensor.shape == (1, 3, 64, 96)
    found = tensor[0, 0].numpy() + 256 * tensor[0, 1].numpy()
    assert set(found.ravel().astype(int)) <= set(numbers.ravel().astype(int))
    rows = np.floor((np.arange(64) + 0.5) * 40 / 64).astype(int)
    columns = np.floor((np.arange(96) + 0.5) * 60 / 96).astype(int)
    assert np.array_equal(found, numbers[np.ix_(rows, columns)])
    assert tensor.max() > 1  # 0..255, not scaled


def test_p08_what_is_painted_is_minus_one():
    image = np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8)
    mask = np.zeros((8, 16), bool)
    mask[2:5, 3:9] = True
    tensor = inpaint_condition(image, mask).numpy()[0].transpose(1, 2, 0)
    assert (tensor[mask] == -1).all()
    assert np.allclose(tensor[~mask], image[~mask] / 255, atol=1e-7)


def test_what_cannot_be_mapped_is_told():
    with pytest.raises(InputError, match="order"):
        number_map([], (4, 4), order="size")
    with pytest.raises(InputError, match="Region 1"):
        number_map([np.ones((4, 4), bool), np.ones((4, 5), bool)], (4, 4))
    with pytest.raises(InputError, match="65535"):
        number_map([np.zeros((1, 1), bool)] * 65536, (1, 1))


def test_what_lies_around_a_hole_goes_on_into_it():
    numbers = np.ones((40, 61), np.uint16)
    numbers[:, 31:] = 700
    hole = np.zeros((40, 61), bool)
    hole[10:30, 15:46] = True
    numbers[hole] = 3
    before = numbers.copy()
    filled = continued(numbers, hole)
    assert filled.dtype == np.uint16
    np.testing.assert_array_equal(filled[~hole], numbers[~hole])
    assert set(np.unique(filled[hole])) == {1, 700}
    assert (filled[15:25, 15:20] == 1).all()
    assert (filled[15:25, 41:46] == 700).all()
    np.testing.assert_array_equal(numbers, before)
    assert not continued(numbers, np.ones_like(hole)).any()
