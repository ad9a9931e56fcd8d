"""Where copies go: to the side or the place that is said, and how many at a time."""

import time

import numpy as np
import pytest

from editanything import masks
from editanything.editor import Editor
from editanything.errors import Refusal
from editanything.examples import EXAMPLES
from editanything.planning import place
from editanything.types import Mask, Selection

COFFEE = EXAMPLES["coffee"]
PARTS = {region.label: region.mask for region in COFFEE.regions()}
SHAPE = (400, 600)
BOX = Mask.placed(SHAPE, (200, 150), np.ones((40, 60), bool))


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


@pytest.fixture(scope="module")
def looked(editor):
    return editor.look(COFFEE.path)


@pytest.fixture
def landings(editor, looked):
    """The boxes in which the copies land."""

    def plan(text, mask=BOX):
        steps = editor.plan(looked, text, selection=Selection(mask=mask)).steps
        assert {step.op for step in steps} == {"duplicate"}
        return [masks.warp(mask, np.array(step.params["matrix"])).box for step in steps]

    return plan


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("duplicate it to the left", [(134, 150, 194, 190)]),
        ("copy it and put it on the left", [(134, 150, 194, 190)]),
        ("duplicate it to the right", [(266, 150, 326, 190)]),
        ("duplicate it up", [(200, 106, 260, 146)]),  # by its own height, so that both are seen
        ("make 2 copies of it to the left", [(134, 150, 194, 190), (68, 150, 128, 190)]),
        ("make 4 copies of it to the left", [(x, 150, x + 60, 190) for x in (150, 100, 50, 0)]),
    ],
)
def test_copies_go_to_the_side_that_is_said(landings, text, boxes):
    assert landings(text) == boxes


def test_each_copy_is_drawn_from_its_own_seed(editor, looked):
    asked = {"selection": Selection(mask=BOX), "seed": 5}
    steps = editor.plan(looked, "make 3 copies of it to the left", **asked).steps
    assert [step.seed for step in steps] == [5, 6, 7]


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("copy it and put it in the top right corner", (300, 0, 600, 200)),
        ("copy it and put it in the bottom left corner", (0, 200, 300, 400)),
        ("copy it and put it in the center", (150, 100, 450, 300)),
    ],
)
def test_a_copy_in_a_place_of_the_frame_lies_there(landings, text, region):
    ((x0, y0, x1, y1),) = landings(text)
    assert region[0] <= x0 and x1 <= region[2] and region[1] <= y0 and y1 <= region[3]
    assert (x1 - x0, y1 - y0) == (60, 40)
    assert (x0 + x1) == region[0] + region[2]


def test_a_copy_beside_a_thing_lies_there(landings):
    cup = PARTS["cup"].box
    ((_, top, right, bottom),) = landings("copy it and put it to the left of the cup")
    assert right <= cup[0] and cup[1] <= top and bottom <= cup[3]
    ((left, top, _, bottom),) = landings("duplicate it to the right of the cup")
    assert cup[2] <= left and cup[1] <= top and bottom <= cup[3]


def test_further_copies_follow_from_there_and_lie_neither_on_each_other_nor_on_the_first(landings):
    boxes = [*landings("make 4 copies of it in the bottom left corner"), BOX.box]
    assert boxes[0][0] + boxes[0][2] == 300 and boxes[0][1] > 200
    for at, one in enumerate(boxes):
        assert all(
            one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
            for other in boxes[:at]
        )


def test_no_room_for_a_copy_is_said(landings):
    edge = Mask.placed(SHAPE, (0, 0), np.ones((40, 60), bool))
    with pytest.raises(Refusal, match="no room to copy"):
        landings("duplicate it to the left", edge)


@pytest.mark.clock
@pytest.mark.parametrize("copies", [place.MAX_COPIES + 1, 1_000_000])
def test_too_many_copies_are_refused_at_once(landings, copies):
    began = time.process_time()
    with pytest.raises(Refusal, match=f"1 to {place.MAX_COPIES} copies") as caught:
        landings(f"make {copies} copies of it")
    assert caught.value.reason == "no_value"
    assert time.process_time() - began < 1
