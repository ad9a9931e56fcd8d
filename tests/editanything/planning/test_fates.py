"""What becomes of regions by a step, and of later steps on what it set down."""

import numpy as np

from editanything.planning.fates import Fates
from editanything.types import Mask, Region, Step

SHAPE = (8, 12)


def block(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return Mask.of(mask)


def added(landed):
    place = block(2, 2, 8, 7)
    return Fates(Step("add", "add an apple", place, place, prompt="red apple"), landed)


CUP = Region(1, block(0, 0, 4, 4), "cup")


def test_what_is_set_down_hides_what_lies_below_it_and_has_a_name():
    apple, cup = added(block(3, 3, 7, 7)).of([CUP])
    assert (apple.label, apple.made, apple.mask.box) == ("apple", True, (3, 3, 7, 7))
    assert (cup.label, cup.made, cup.mask.area) == ("cup", False, 15)


def test_where_nobody_can_tell_where_it_lies_it_has_no_name():
    (cup,) = added(Mask.empty(SHAPE)).of([CUP])
    assert cup.mask.area == 16 - 4
    apple, _ = added(None).of([CUP])
    assert apple.mask.box == (2, 2, 8, 7), "foreseen"


def test_a_later_step_on_it_keeps_to_it_and_off_what_is_to_stay():
    fates, landed = added(block(3, 3, 7, 7)), block(3, 3, 7, 7)
    place = block(2, 2, 8, 7)
    paint = Step("modify", "make it blue", place, place)
    assert fates.corrected(paint).target.box == landed.box
    assert fates.corrected(paint).area.area == landed.area
    kept = block(3, 3, 5, 7)
    spared = fates.corrected(Step("modify", "make it blue", place, place, keep=kept))
    assert spared.target.box == spared.area.box == (5, 3, 7, 7)
    other = Step("modify", "make the cup blue", CUP.mask, CUP.mask)
    assert fates.corrected(other) is other
    away = Step("move", "move it", place, place)
    assert fates.corrected(away) is away


def test_a_painting_from_another_picture_without_a_name_covers_all_the_same():
    place = block(2, 2, 8, 7)
    step = Step("replace", "replace it", place, place, where="the cup", prompt="")
    (cup,) = Fates(step, block(2, 2, 5, 5)).of([CUP])
    assert cup.mask.area == 16 - 4
