import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from editanything.segmenters.window import Window
from editanything.types import Mask


def test_a_small_window_is_the_picture_itself():
    picture = np.arange(30 * 40 * 3, dtype=np.uint8).reshape(30, 40, 3)
    window = Window.of(picture, (5, 6, 25, 26), 100)
    assert np.shares_memory(window.small, picture)
    assert window.scale == (1, 1)
    assert window.inward(5, 6) == (0, 0)
    assert window.inward(24.4, 25) == (19, 19)


@settings(max_examples=50, deadline=None)
@given(st.integers(40, 300), st.integers(40, 300), st.integers(32, 64), st.data())
def test_a_point_lands_in_the_pixel_that_covers_it(height, width, longest, data):
    picture = np.zeros((height, width, 3), np.uint8)
    window = Window.of(picture, (0, 0, width, height), longest)
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    u, v = window.inward(x, y)
    sx, sy = window.scale
    assert u / sx <= x + 0.5 <= (u + 1) / sx
    assert v / sy <= y + 0.5 <= (v + 1) / sy
    assert max(window.small.shape[:2]) <= max(longest, 1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 4]))
def test_whole_blocks_survive_the_way_in_and_carry_between_windows(seed, factor):
    rng = np.random.default_rng(seed)
    blocks = rng.random((20, 24)) < 0.5
    array = np.kron(blocks, np.ones((factor, factor), bool))
    picture = np.zeros((*array.shape, 3), np.uint8)
    whole = Window.of(picture, (0, 0, array.shape[1], array.shape[0]), 24)
    assert (whole.shrink(Mask.of(array)) == blocks).all()
    box = (4 * factor, 2 * factor, 20 * factor, 14 * factor)
    part = Window.of(picture, box, 1000)
    inside = array[box[1] : box[3], box[0] : box[2]]
    assert (whole.carry(blocks, part) == inside).all()
    back = part.carry(inside, whole)
    assert (back[2:14, 4:20] == blocks[2:14, 4:20]).all()
    back[2:14, 4:20] = False
    assert not back.any()


def test_a_mask_goes_out_at_its_own_place():
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[60:120, 100:180] = 200
    window = Window.of(picture, (60, 40, 260, 180), 50)
    truth = np.zeros((200, 300), bool)
    truth[60:120, 100:180] = True
    out = window.outward(window.shrink(Mask.of(truth)))
    assert out.shape == (200, 300)
    assert (out.full() == truth).mean() > 0.9995


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 5]))
def test_roughly_is_the_mask_enlarged(seed, factor):
    """In the middle of every pixel it is what the small mask is there; elsewhere its rim is near."""
    rng = np.random.default_rng(seed)
    small = np.zeros((20, 24), bool)
    y, x = rng.integers(2, 10, 2)
    small[y : y + rng.integers(3, 9), x : x + rng.integers(3, 9)] = True
    picture = np.zeros((20 * factor + 7, 24 * factor + 9, 3), np.uint8)
    box = (5, 3, 5 + 24 * factor, 3 + 20 * factor)
    window = Window(picture, box, np.zeros((20, 24, 3), np.uint8))
    mask = window.roughly(small).full()
    exact = np.zeros(mask.shape, bool)
    exact[3 : 3 + 20 * factor, 5 : 5 + 24 * factor] = np.kron(small, np.ones((factor,) * 2, bool))
    assert (mask & exact).sum() / (mask | exact).sum() > (0.99 if factor == 1 else 0.9)
    assert window.roughly(np.zeros((20, 24), bool)).area == 0
