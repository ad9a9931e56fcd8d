"""What the page shows: previews, overlays and maps."""

import cv2
import numpy as np
import pytest

from editanything.editor import Editor
from editanything.types import Mask, Region
from editanything.ui.history import History
from editanything.ui.pointing import Pointing
from editanything.ui.view import Layer, View, draw_map, draw_masks, letterbox, png, preview_size


@pytest.fixture
def view(tmp_path):
    view = View(tmp_path / "view")
    yield view
    view.close()


def read(path):
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)


def test_previews_of_large_pictures_are_reduced_and_kept(view):
    big = np.zeros((2000, 3000, 3), np.uint8)
    here = Pointing(Editor.from_preset().look(big))
    path = view.picture(here)
    assert read(path).shape == (1067, 1600, 3)
    assert view.picture(here) == path
    here.brush([(1500, 1000)], 200, add=True)
    overlay = read(view.overlay(here, None))
    assert overlay.shape == (1067, 1600, 4)
    assert overlay[533, 800, 3] > 0
    assert overlay[10, 10, 3] == 0
    view.close()
    assert not view.folder.exists()


@pytest.mark.parametrize("shape", [(4000, 6000), (37, 91), (1600, 1600), (1, 9000)])
def test_preview_sizes_keep_the_proportions(shape):
    width, height = preview_size(shape)
    assert max(width, height) == min(max(shape), 1600)
    assert width / height == pytest.approx(shape[1] / shape[0], rel=0.05) or min(width, height) == 1


def test_png_is_exact():
    noise = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    back = cv2.imdecode(np.frombuffer(png(noise), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(back, noise)


def test_tiny_masks_are_still_seen_on_a_reduced_preview():
    mask = np.zeros((4000, 6000), bool)
    mask[2000, 3000] = True
    layer = draw_masks(mask.shape, [Layer(Mask.of(mask), (0, 200, 0))])
    assert layer[..., 3].any()


def test_the_map_tells_the_region_under_every_pixel_of_a_small_picture():
    rows = np.zeros((60, 80), bool)
    rows[:, :50] = True
    dot = np.zeros((60, 80), bool)
    dot[20:30, 10:20] = True
    regions = (Region(1, Mask.of(dot)), Region(2, Mask.of(rows)))
    drawn = draw_map((60, 80), regions)
    assert np.array_equal(drawn == 1, dot)
    assert np.array_equal(drawn == 2, rows & ~dot)


def test_named_regions_lie_on_top_of_nameless_ones():
    small, large = np.zeros((20, 20), bool), np.ones((20, 20), bool)
    small[5:9, 5:9] = True
    regions = (Region(1, Mask.of(large), "table"), Region(2, Mask.of(small)))
    assert (draw_map((20, 20), regions) == 1).all()


def test_pictures_of_different_sizes_are_compared_at_the_size_of_the_later(view):
    history = History()
    history.add(Editor.from_preset().look(np.zeros((40, 60, 3), np.uint8)).picture, "a")
    history.add(Editor.from_preset().look(np.zeros((40, 90, 3), np.uint8)).picture, "b")
    before, after = view.pair(history.before, history.current)
    assert read(before).shape == read(after).shape == (40, 90, 3)
    history.close()


def test_letterbox_puts_the_picture_in_the_middle():
    out = letterbox(np.zeros((10, 10, 3), np.uint8), (10, 30))
    assert (out[:, 10:20] == 0).all()
    assert (out[:, :10] == 128).all()
