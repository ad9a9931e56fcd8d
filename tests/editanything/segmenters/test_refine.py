import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editanything.segmenters.refine import border_band, enlarge, nearest, settle


def disc_picture(height, width, x, y, radius):
    """A red disc on blue-green, with its truth; centres are pixel centres."""
    ys, xs = np.mgrid[0:height, 0:width]
    truth = np.hypot(xs - x, ys - y) <= radius
    image = np.where(truth[..., None], (200, 60, 40), (40, 130, 150)).astype(np.uint8)
    return image, truth


@pytest.mark.parametrize("factor", [2, 3.7, 8, 16])
def test_a_disc_comes_back_to_the_pixel_and_is_not_shifted(factor):
    image, truth = disc_picture(480, 640, 301, 222, 140)
    size = (round(640 / factor), round(480 / factor))
    small = cv2.resize(truth.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
    found = enlarge(small.astype(np.int32), image).astype(bool)
    assert (found ^ truth).sum() <= 0.002 * truth.sum()
    ys, xs = np.nonzero(found)
    assert abs(xs.mean() - 301) < 0.1
    assert abs(ys.mean() - 222) < 0.1


def test_the_picture_itself_is_read_once(monkeypatch):
    """Guides are reduced from each other: only the largest one costs what the picture costs."""
    read, plain = [], cv2.resize

    def counted(image, *more, **named):
        read.append(image.shape[:2])
        return plain(image, *more, **named)

    monkeypatch.setattr(cv2, "resize", counted)
    image, truth = disc_picture(480, 640, 301, 222, 140)
    enlarge(truth[::16, ::16].astype(np.int32), image)
    assert read.count((480, 640)) == 1
    assert len(read) == 3


def test_nearest_maps_pixel_centres_onto_pixel_centres():
    labels = np.arange(12, dtype=np.int32).reshape(3, 4)
    large = nearest(labels, (9, 12))
    assert (large[1::3, 1::3] == labels).all()
    assert (large == np.kron(labels, np.ones((3, 3), np.int32))).all()
    assert (nearest(large, (3, 4)) == labels).all()


def test_at_the_same_size_labels_stay_as_they_are():
    image, truth = disc_picture(60, 80, 40, 30, 20)
    labels = truth.astype(np.int32)
    assert enlarge(labels, image) is labels


def test_the_band_holds_what_is_near_a_border_and_nothing_else():
    labels = np.zeros((20, 20), np.int32)
    labels[:, 10:] = 1
    assert np.flatnonzero(border_band(labels, 1).any(0)).tolist() == [9, 10]
    assert np.flatnonzero(border_band(labels, 3).any(0)).tolist() == [7, 8, 9, 10, 11, 12]
    assert not border_band(np.zeros((5, 5), np.int32), 3).any()


def test_three_labels_meet_and_each_follows_its_colour():
    colours = np.array([(220, 40, 40), (40, 200, 40), (40, 60, 220)], np.uint8)
    truth = np.zeros((90, 90), np.int32)
    truth[:, 45:] = 1
    truth[50:, 20:70] = 2
    image = colours[truth]
    shifted = np.roll(truth, (1, -1), (0, 1))
    inside = np.s_[4:-4, 4:-4]
    assert (settle(shifted, image)[inside] != truth[inside]).mean() < 0.002


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 30), st.integers(4, 30), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_no_label_is_invented_and_inputs_stay(height, width, factor, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (height, width)).astype(np.int32)
    image = rng.integers(0, 256, (height * factor, width * factor, 3)).astype(np.uint8)
    before = labels.copy(), image.copy()
    out = enlarge(labels, image)
    assert out.shape == image.shape[:2]
    assert set(np.unique(out)) <= set(np.unique(labels))
    assert (labels == before[0]).all()
    assert (image == before[1]).all()
