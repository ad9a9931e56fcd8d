"""Values check themselves: what a user points at has to lie in the picture."""

import numpy as np
import pytest

from editanything.errors import InputError
from editanything.types import Mask, Point, Related, Selection, Shade

SHAPE = (20, 30)  # 30 wide, 20 high


@pytest.mark.parametrize(
    "selection",
    [
        Selection(points=(Point(0, 0), Point(29.9, 19.9, False))),
        Selection(boxes=((0, 0, 1, 1), (29, 19, 40, 40), (-5, -5, 1, 1))),
        Selection(mask=Mask.everything(SHAPE), brush=Mask.everything(SHAPE)),
    ],
)
def test_what_lies_in_the_picture_may_be_pointed_at(selection):
    selection.check_inside(SHAPE)


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        *((Selection(points=(Point(x, y),)), f"point {x},{y} lies outside the 30x20 picture")
          for x, y in ((-1, 3), (3, -1), (30, 3), (3, 20))),
        *((Selection(boxes=(box,)), "lies outside the 30x20 picture")
          for box in ((30, 0, 35, 5), (0, 20, 5, 25), (-5, 0, 0, 5), (0, -5, 5, 0))),
        (Selection(mask=Mask.everything((30, 20))), "mask is 20x30 pixels but the picture is 30x20"),
        (Selection(brush=Mask.everything((30, 20))), "mask is 20x30 pixels but the picture is 30x20"),
    ],
)  # fmt: skip
def test_what_lies_outside_is_refused(selection, sentence):
    with pytest.raises(InputError, match=sentence):
        selection.check_inside(SHAPE)


@pytest.mark.parametrize("box", [(5, 1, 5, 9), (5, 1, 9, 1), (9, 1, 5, 4)])
def test_a_box_has_an_area(box):
    with pytest.raises(InputError, match="x0 < x1 and y0 < y1"):
        Selection(boxes=(box,))


def test_boxes_alone_are_those_that_came_with_nothing_else():
    box, mask = (1, 2, 3, 4), Mask.everything(SHAPE)
    assert Selection(boxes=(box,)).boxes_alone() == (box,)
    for more in ({"points": (Point(1, 1),)}, {"mask": mask}, {"brush": mask}):
        assert Selection(boxes=(box,), **more).boxes_alone() == ()


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (3, 2, 9, 8), (8, 5, 12, 9), (15, 15, 20, 20)])
def test_masks_and_shadows_are_cut_to_a_box(box):
    rng = np.random.default_rng(0)
    x0, y0, x1, y1 = box
    at = (4, 3, 11, 9)
    whole = np.zeros(SHAPE, np.float32)
    whole[3:9, 4:11] = rng.random((6, 7))
    shade = Shade(at, whole[3:9, 4:11], (0.1, 0.1, 0.1))
    assert np.array_equal(shade.within(box), whole[y0:y1, x0:x1])
    mask = Mask(SHAPE, at, whole[3:9, 4:11] > 0.5)
    assert np.array_equal(mask.within(box), whole[y0:y1, x0:x1] > 0.5)
    related = Related("casts", 0.9, "", True, mask, (at, whole[3:9, 4:11]))
    assert np.array_equal(related.alpha, whole)
    assert np.array_equal(related.mask, whole > 0.5)
