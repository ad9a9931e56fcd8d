"""Faces from the front: found and covered, and none where there is none."""

import cv2
import numpy as np
import pytest
import skimage.data

from editanything.grounders.faces import find_faces


def test_the_astronauts_face_is_found_and_covered():
    image = skimage.data.astronaut()
    (face,) = find_faces(image)
    mask = face.full()
    y, x = np.mgrid[:512, :512]
    head = ((x - 222) / 38) ** 2 + ((y - 115) / 46) ** 2 < 1  # brows to chin, ear to ear
    assert mask[head].mean() > 0.99
    assert not mask[:, :150].any()  # the flag
    assert not mask[:, 300:].any()  # the shuttle
    assert not mask[220:].any()  # the suit
    assert face.area < 0.07 * 512 * 512


def test_two_faces_from_left_to_right_at_any_size():
    head = skimage.data.astronaut()[:256, 100:356]
    two = cv2.resize(np.hstack([head, head[:, ::-1]]), None, fx=3, fy=3)
    left, right = find_faces(two)
    assert left.box[2] < two.shape[1] / 2 < right.box[0]
    assert left.shape == two.shape[:2]


@pytest.mark.parametrize("name", ["chelsea", "coffee", "gravel"])
def test_no_face_where_there_is_none(name):
    image = np.atleast_3d(getattr(skimage.data, name)())
    image = np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
    assert find_faces(image[:300, :300]) == ()


def test_no_face_in_nothing():
    assert find_faces(np.zeros((8, 8, 3), np.uint8)) == ()
    assert find_faces(np.full((64, 64, 3), 120, np.uint8)) == ()
