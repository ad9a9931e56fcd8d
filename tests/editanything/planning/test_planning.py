"""Sentences -> steps: which pixels, which numbers; nothing is painted here."""

import numpy as np
import pytest

from editanything import masks
from editanything.editor import Editor
from editanything.errors import Refusal
from editanything.examples import EXAMPLES
from editanything.planning import PLANNERS, layout
from editanything.types import Mask, Selection

COFFEE = EXAMPLES["coffee"]
PARTS = {region.label: region.mask for region in COFFEE.regions()}
BOX = Mask.placed((400, 600), (100, 150), np.ones((40, 60), bool))


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


@pytest.fixture(scope="module")
def looked(editor):
    return editor.look(COFFEE.path)


@pytest.fixture
def steps(editor, looked):
    def plan(text, *, mask=None, reference=None):
        selection = Selection(mask=mask) if mask else None
        return editor.plan(looked, text, selection=selection, reference=reference).steps

    return plan


def shift_of(step):
    matrix = np.array(step.params["matrix"])
    assert np.array_equal(matrix[:, :2], np.eye(2))
    return tuple(matrix[:, 2])


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("move it to the right", (60, 0)),  # one region width
        ("move it up", (0, -60)),
        ("move it left by 30 pixels", (-30, 0)),
        ("move it to the left by 10%", (-60, 0)),  # of the picture's width
        ("move it to the left by 400 pixels", (-100, 0)),  # kept inside the frame
        ("move it down by 900 pixels", (0, 210)),
        ("move it slightly to the right", (15, 0)),
    ],
)
def test_moves(steps, text, shift):
    (step,) = steps(text, mask=BOX)
    assert shift_of(step) == shift
    landing = masks.warp(BOX, np.array(step.params["matrix"]))
    for place in (BOX, landing):
        assert masks.minus(place, step.area).area == 0


def test_no_room_is_said(steps):
    edge = Mask.placed((400, 600), (0, 0), np.ones((40, 60), bool))
    with pytest.raises(Refusal, match="no room"):
        steps("move it to the left", mask=edge)


def test_a_copy_goes_to_the_side_with_more_room_and_copies_stand_in_a_row(steps):
    right = [shift_of(step)[0] for step in steps("make 3 copies of it", mask=BOX)]
    assert len(right) == 3 and right == sorted(right) and right[0] >= 60
    far = Mask.placed((400, 600), (520, 150), np.ones((40, 60), bool))
    (copy,) = steps("duplicate it", mask=far)
    assert shift_of(copy)[0] < -60


def test_a_thing_is_scaled_about_its_foot_and_turned_about_its_centre(steps):
    (step,) = steps("make it twice as big", mask=BOX)
    x0, y0, x1, y1 = masks.warp(BOX, np.array(step.params["matrix"])).box
    assert abs(y1 - 190) <= 1 and abs((x0 + x1) / 2 - 130) <= 1
    assert (x1 - x0, y1 - y0) == pytest.approx((120, 80), abs=2)
    (turn,) = steps("rotate it by 90 degrees", mask=BOX)
    x0, y0, x1, y1 = masks.warp(BOX, np.array(turn.params["matrix"])).box
    assert (x1 - x0, y1 - y0) == (40, 60)


def test_later_clauses_see_where_a_thing_has_gone(steps):
    _, second = steps("move it to the right by 200 pixels and blur it", mask=BOX)
    assert second.target.box == (300, 150, 360, 190)
    crop, then = steps("crop to the selection and make the cup teal", mask=PARTS["cup"])
    assert crop.frame["frame"] == "crop"
    x0, y0, x1, y1 = PARTS["cup"].box
    assert then.target.shape == (y1 - y0, x1 - x0)
    assert then.target.area == PARTS["cup"].area


def test_what_must_stay_is_left_out_and_not_used_as_material(steps):
    (step,) = steps("remove the saucer but don't touch the cup")
    assert masks.intersection(step.area, PARTS["cup"]).area == 0
    assert np.array_equal(step.keep.full(), PARTS["cup"].full())
    with pytest.raises(Refusal, match="must stay") as caught:
        steps("make the handle red but don't touch the cup")
    assert caught.value.reason == "contradiction"


def test_a_removal_takes_the_rim_and_a_colour_does_not(steps):
    (hole,) = steps("remove the spoon")
    assert masks.minus(PARTS["spoon"], hole.area).area == 0
    assert hole.area.area > 1.05 * PARTS["spoon"].area
    (colour,) = steps("make the spoon red")
    assert colour.area.area <= masks.grow(PARTS["spoon"], 1).area


def test_a_switched_off_step_stays_in_the_list_and_the_later_ones_are_planned_anew(editor, looked):
    plan = editor.plan(
        looked, "crop to the selection and blur the cup", selection=PARTS["cup"].full()
    )
    off = plan.switch_step(0, on=False)
    assert [step.on for step in off.steps] == [False, True]
    assert off.steps[1].target.shape == (400, 600)
    assert [step.on for step in off.switch_step(0, on=True).steps] == [True, True]
    with pytest.raises(ValueError, match="no step number 2"):
        plan.switch_step(2, on=False)
    with pytest.raises(ValueError, match="no related region number 0"):
        plan.switch(0, on=True)


def test_a_named_thing_that_cannot_be_found_is_the_selection(editor, looked):
    plan = editor.plan(looked, "remove the sugar", selection=BOX.full())
    assert np.array_equal(plan.steps[0].target.full(), BOX.full())
    assert "sugar" in plan.notes[0]
    with pytest.raises(Refusal, match="milk"):  # one selection does not stand for two things
        editor.plan(looked, "remove the sugar and blur the milk", selection=BOX.full())


def test_a_pasted_thing_lands_in_the_selection_or_beside_what_is_named(steps):
    cat = EXAMPLES["cat"].path
    (step,) = steps("replace it with the cat from image B", mask=BOX, reference=cat)
    thing = next(r.mask for r in EXAMPLES["cat"].regions() if r.label == "cat")
    landing = masks.warp(thing, np.array(step.params["matrix"]), (400, 600))
    x0, y0, x1, y1 = landing.box
    assert x0 >= 99 and y0 >= 149 and x1 <= 161 and y1 == 190
    (beside,) = steps("put the cat from image B to the left of the spoon", reference=cat)
    landing = masks.warp(thing, np.array(beside.params["matrix"]), (400, 600))
    assert landing.box[2] <= PARTS["spoon"].box[0] + 2
    with pytest.raises(Refusal, match="second picture"):
        steps("put the dog from image B next to the cup", reference=cat)


def test_a_removed_background_is_transparent_whatever_the_picture_had(editor, looked):
    for text in ("remove the background", "make the background transparent"):
        plan = editor.plan(looked, text, selection=BOX.full())
        assert "JPEG cannot" in plan.notes[0]
        made = plan.apply().picture
        assert made.samples.shape[2] == 4
        assert not made.samples[~masks.grow(BOX, 8).full()][:, 3].any()
        assert made.samples[170, 130, 3] == 255
        np.testing.assert_array_equal(made.samples[170, 130, :3], looked.picture.samples[170, 130])
    rgba = np.dstack([looked.picture.rgb(), np.full((400, 600), 255, np.uint8)])
    result = editor.edit(rgba, "remove the background", selection=BOX.full())
    assert result.image[0, 0, 3] == 0 and result.image[170, 130, 3] == 255


def test_a_crop_to_a_shape_keeps_as_much_as_fits_about_what_is_selected(editor, looked, steps):
    (step,) = steps("crop it to 4:3")
    assert step.frame["box"] == (34, 0, 567, 400)
    (step,) = steps("make the picture square")
    assert step.frame["box"] == (100, 0, 500, 400)
    plan = editor.plan(looked, "crop to square", selection=BOX.full())
    assert plan.steps[0].frame["box"] == (0, 0, 400, 400)
    with pytest.raises(Refusal, match="3:2 already"):
        steps("crop it to 3:2")


def test_an_extension_is_by_a_quarter_where_nothing_is_said(steps):
    (step,) = steps("extend the picture to the left")
    assert step.frame == {"frame": "extend", "left": 150, "top": 0, "right": 0, "bottom": 0}
    assert step.area.box == (0, 0, 150, 400)


def test_a_picture_does_not_grow_beyond_the_limit():
    small = Editor.from_preset("default", max_megapixels=0.3)
    with pytest.raises(Refusal, match="max_megapixels"):
        small.plan(COFFEE.path, "upscale the image 2x")


def test_every_planner_is_reached_by_a_sentence(steps):
    sentences = {
        "add": "add a cat", "remove": "remove it", "modify": "make it red", "filter": "blur it",
        "move": "move it up", "duplicate": "duplicate it", "resize": "make it half the size",
        "rotate": "rotate it by 10 degrees", "flip": "flip it", "replace": "make the background red",
        "transfer": "replace it with image B", "crop": "crop to the selection",
        "outpaint": "extend the picture to the top", "upscale": "upscale the image 2x",
    }  # fmt: skip
    for op, text in sentences.items():
        assert steps(text, mask=BOX, reference=EXAMPLES["cat"].path)[0].op == op
    talk = {"select": "select the cup", "undo": "undo", "redo": "redo",
            "variations": "give me 3 variations", "compare": "compare with the original"}  # fmt: skip
    for text in talk.values():
        with pytest.raises(Refusal):
            steps(text)
    painted = {"style": "make it a watercolor painting", "scene": "turn it into winter",
               "edit_text": "change the text to 'hello'"}  # fmt: skip
    for op, text in painted.items():  # planned, and refused by a preset that cannot paint them
        with pytest.raises(Refusal, match=op.replace("_", " ")):
            steps(text, mask=BOX)
    assert set(PLANNERS) == set(sentences) | set(talk) | set(painted)


def test_fit_keeps_proportions_and_stands_on_the_floor():
    matrix = layout.fit((10, 20, 30, 60), (100, 100, 200, 180))
    corners = np.array([[10, 20, 1], [29, 59, 1]]) @ matrix.T
    assert matrix[0, 0] == matrix[1, 1] == 2
    assert corners[1, 1] == 179
    assert (corners[0, 0] + corners[1, 0]) / 2 == pytest.approx(149.5)
