"""A step as a backend gets it: everything in the coordinates of one crop."""

import numpy as np
import pytest

from editanything.image import Picture
from editanything.tasks import CONTEXT_LEAST_PX, staying, task_of, working_box
from editanything.types import Mask, Shade, Step

SHAPE = (300, 400)
PICTURE = Picture.open(np.random.default_rng(0).integers(0, 256, (*SHAPE, 4), np.uint8))


def square(x, y, side=20):
    return Mask.placed(SHAPE, (x, y), np.ones((side, side), bool))


def step(op="move", **more):
    target = square(150, 100)
    return Step(op, op, **{"target": target, "area": target, **more})


def task(told, box):
    return task_of(told, PICTURE, box, regions=tuple)


def test_all_of_a_step_lies_in_its_crop():
    box = 140, 90, 240, 150
    x0, y0, x1, y1 = box
    masks = {name: square(*at) for name, at in (
        ("keep", (160, 105)), ("hole", (180, 120)), ("others", (230, 140)),
    )}  # fmt: skip
    shade = Shade((150, 110, 170, 130), np.full((20, 20), 0.5, np.float32), (0.3, 0.3, 0.2))
    got = task(step(behind=(square(150, 130),), shade=shade, seed=7, **masks), box)
    for name, mask in masks.items():
        assert np.array_equal(getattr(got, name), mask.full()[y0:y1, x0:x1]), name
        assert getattr(got, name).any(), name
    assert np.array_equal(got.behind[0], square(150, 130).full()[y0:y1, x0:x1])
    assert np.array_equal(got.shade > 0, square(150, 110).full()[y0:y1, x0:x1])
    assert np.array_equal(got.image, PICTURE.samples[y0:y1, x0:x1, :3])
    assert np.array_equal(got.opacity, PICTURE.samples[y0:y1, x0:x1, 3])
    assert (got.op, got.what, got.seed) == ("move", "move", 7)
    ends = np.logical_or(masks["keep"].full(), masks["others"].full())[y0:y1, x0:x1]
    assert np.array_equal(staying(got), ends)
    assert staying(task(step(), box)) is None


def test_a_point_of_the_picture_goes_where_it_went():
    """A turn within the picture; of a second picture, what comes from there has its own origin."""
    turn = ((0.0, -1.0, 300.0), (1.0, 0.0, -50.0))
    box = 100, 60, 250, 200
    origin, point = np.array(box[:2]), np.array([155.0, 110.0])
    goal = np.array(turn)[:, :2] @ point + np.array(turn)[:, 2]
    inside = task(step(params={"matrix": turn}), box).params["matrix"]
    assert np.allclose(inside[:, :2] @ (point - origin) + inside[:, 2], goal - origin)
    other = task(step(params={"matrix": turn, "mode": "insert"}), box).params["matrix"]
    assert np.allclose(other[:, :2] @ point + other[:, 2], goal - origin)
    assert task(step(params={"frame": (400, 300)}), box).params["origin"] == box[:2]


@pytest.mark.parametrize(("op", "more"), [("modify", 0), ("remove", 12)])
def test_what_is_to_be_filled_is_seen_with_its_surroundings(op, more):
    margin = CONTEXT_LEAST_PX + more
    box = 150 - margin, 100 - margin, 170 + margin, 120 + margin
    assert working_box(step(op), SHAPE) == box
    far = step(op, area=square(390, 290, side=10))
    assert working_box(far, SHAPE)[2:] == (400, 300)
    assert working_box(far, SHAPE)[0] < 150 - CONTEXT_LEAST_PX + 1
    assert working_box(step("outpaint"), SHAPE) == (0, 0, 400, 300)
