import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editanything import frames
from editanything.types import Mask

PICTURES = [
    np.random.default_rng(0).integers(0, 256, (13, 9, 3), np.uint8),
    np.random.default_rng(1).integers(0, 65536, (10, 14, 4), np.uint16),
    np.random.default_rng(2).integers(0, 256, (7, 8, 1), np.uint8),
]
CHANGES = [
    {"frame": "crop", "box": (2, 1, 7, 6)},
    {"frame": "extend", "left": 3, "top": 0, "right": 5, "bottom": 2},
    {"frame": "flip", "axis": "horizontal"},
    {"frame": "flip", "axis": "vertical"},
    {"frame": "turn", "angle": 90.0},
    {"frame": "turn", "angle": -90.0},
    {"frame": "turn", "angle": 180.0},
    {"frame": "turn", "angle": 12.5},
    {"frame": "scale", "width": 20, "height": 30},
    {"frame": "scale", "width": 4, "height": 3},
]


@pytest.mark.parametrize("samples", PICTURES, ids=["rgb8", "rgba16", "grey8"])
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_shape_is_known_before_and_channels_and_depth_stay(samples, change):
    out = frames.apply(change, samples)
    assert out.shape[:2] == frames.shape_after(change, samples.shape[:2])
    assert out.shape[2:] == samples.shape[2:] and out.dtype == samples.dtype
    mask = frames.apply_to_mask(change, Mask.everything(samples.shape[:2]))
    assert mask.shape == out.shape[:2]


def test_crop_and_extend_keep_every_sample():
    samples = PICTURES[1]
    extended = frames.apply(
        {"frame": "extend", "left": 2, "top": 1, "right": 0, "bottom": 4}, samples
    )
    back = frames.apply({"frame": "crop", "box": (2, 1, 16, 11)}, extended)
    assert np.array_equal(back, samples)


def test_a_mask_does_not_reach_into_what_is_new():
    grown = frames.apply_to_mask(CHANGES[1], Mask.everything((10, 14)))
    assert (grown.box, grown.area) == ((3, 0, 17, 10), 140)


@given(st.sampled_from([90.0, 180.0, 270.0, -90.0, 450.0]))
def test_quarter_turns_are_clockwise_and_exact(angle):
    samples = PICTURES[0]
    turned = frames.apply({"frame": "turn", "angle": angle}, samples)
    assert np.array_equal(turned, np.rot90(samples, -round(angle / 90)))
    assert np.array_equal(frames.apply({"frame": "turn", "angle": -angle}, turned), samples)


def test_a_slanted_turn_leaves_no_empty_corner_and_is_clockwise():
    white = np.full((40, 60, 3), 255, np.uint8)
    assert frames.apply({"frame": "turn", "angle": 30.0}, white).min() == 255
    dot = np.zeros((61, 61, 1), np.uint8)
    dot[5:10, 28:33] = 255  # above the centre: a clockwise turn takes it to the right
    ys, xs = np.nonzero(frames.apply({"frame": "turn", "angle": 60.0}, dot)[..., 0] > 127)
    assert xs.mean() > 40 and ys.mean() < 30


def test_the_argument_is_not_touched_and_the_answer_is_a_copy():
    samples = PICTURES[0].copy()
    for change in CHANGES:
        out = frames.apply(change, samples)
        out[:] = 0
    assert np.array_equal(samples, PICTURES[0])


def cut_out(dtype, num_colours):
    """A full-strength first channel in a square; over transparent black."""
    top = np.iinfo(dtype).max
    samples = np.zeros((40, 48, num_colours + 1), dtype)
    samples[12:28, 14:34, 0] = samples[12:28, 14:34, -1] = top
    return samples, top


@pytest.mark.parametrize("num_colours", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("change", [*CHANGES[-3:], {"frame": "scale", "width": 96, "height": 80}])
def test_no_hidden_colour_is_mixed_into_what_shows(change, dtype, num_colours):
    samples, top = cut_out(dtype, num_colours)
    out = frames.apply(change, samples)
    shows = out[..., -1] > 0
    assert 0 < shows.sum() < shows.size
    assert (out[shows][:, 0] >= top - 1).all()
    assert (out[shows][:, 1:-1] == 0).all()
    # How much shows where is as it would be of a mask.
    assert np.array_equal(out[..., -1], frames.apply(change, samples[..., -1:])[..., 0])


def test_an_opaque_picture_and_hidden_colours_are_resampled_as_any_other():
    colours = PICTURES[0]
    for change in CHANGES[-3:]:
        plain = frames.apply(change, colours)
        for opacity in (255, 0):
            full = np.dstack([colours, np.full(colours.shape[:2], opacity, np.uint8)])
            assert np.array_equal(frames.apply(change, full)[..., :3], plain)
