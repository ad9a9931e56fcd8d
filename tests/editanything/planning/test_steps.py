"""Later clauses see what earlier ones will have done; steps can be changed before they run."""

import json
from dataclasses import replace

import numpy as np
import pytest

from editanything import masks
from editanything.editor import Editor
from editanything.errors import InputError, Refusal
from editanything.examples import EXAMPLES
from editanything.grounders.base import NotFound
from editanything.grounders.words import Words
from editanything.planning.after import After
from editanything.recipe import Recipe
from editanything.types import Mask, Region, Selection, Step

COFFEE, CAT = EXAMPLES["coffee"], EXAMPLES["cat"]
PARTS = {region.label: region.mask for region in COFFEE.regions()}
H, W = 60, 100


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset("default")


@pytest.fixture(scope="module")
def coffee(editor):
    return editor.look(COFFEE.path)


def box(x0, y0, x1, y1):
    return Mask.placed((H, W), (x0, y0), np.ones((y1 - y0, x1 - x0), bool))


class Drawn:
    """A red and a blue ball on a table, before a wall."""

    def __init__(self):
        self.image = np.full((H, W, 3), 230, np.uint8)
        self.image[30:] = (120, 70, 30)
        table = np.zeros((H, W), bool)
        table[30:] = True
        balls = (box(10, 34, 24, 48), box(60, 30, 84, 54))
        for ball, color in zip(balls, ((210, 30, 30), (30, 60, 210)), strict=True):
            self.image[ball.full()] = color
            table &= ~ball.full()
        self.known = (
            Region(1, Mask.of(table), "table"),
            Region(2, balls[0], "ball"),
            Region(3, balls[1], "ball"),
            Region(4, box(14, 38, 18, 42), "dot"),
        )

    def regions(self):
        return self.known


RED, BLUE, DOT = (region.mask for region in Drawn().known[1:])


def names(scene):
    return [region.label for region in scene.known]


def step(op, target, prompt="", where="", **params):
    return Step(op, op, target, target, params=params, prompt=prompt, where=where)


def test_after_a_removal_the_thing_is_gone_with_its_parts_and_the_table_goes_on():
    after = After(Drawn(), step("remove", RED))
    assert names(after) == ["table", "ball"]
    table = after.known[0].mask
    assert masks.minus(RED, table).area == 0
    assert masks.intersection(table, BLUE).area == 0
    assert tuple(after.image[41, 17]) == (120, 70, 30)


def test_after_a_move_the_thing_is_elsewhere_with_its_parts():
    shift = ((1, 0, 0), (0, 1, -30))
    after = After(Drawn(), step("move", RED, matrix=shift, fill_source=True))
    assert [r.mask.box for r in after.known[1:]] == [(10, 4, 24, 18), BLUE.box, (14, 8, 18, 12)]
    assert tuple(after.image[5, 11]) == (210, 30, 30)
    assert tuple(after.image[41, 11]) == (120, 70, 30)


def test_a_copy_is_one_more_and_a_new_colour_is_its_colour():
    copied = After(Drawn(), step("duplicate", RED, matrix=((1, 0, 30), (0, 1, 0))))
    assert names(copied).count("ball") == 3
    green = After(Drawn(), step("modify", RED, color=(20, 150, 40), strength=1.0))
    assert tuple(green.image[36, 11]) == (20, 150, 40)
    assert tuple(Drawn().image[36, 11]) == (210, 30, 30)


def test_what_will_be_drawn_can_be_spoken_of():
    vase = After(Drawn(), step("replace", RED, prompt="tall blue vase"))
    assert names(vase) == ["vase", "table", "ball"]
    assert vase.known[0].mask.box == RED.box
    hat = After(After(Drawn(), step("remove", RED)), step("add", DOT, prompt="red hat"))
    assert names(hat) == ["hat", "table", "ball"]
    assert masks.intersection(hat.known[0].mask, hat.known[1].mask).area == 0
    beach = step("replace", RED, prompt="beach", where="the background")
    assert names(After(Drawn(), beach)) == ["table", "ball", "ball", "dot"]


def test_a_change_of_the_frame_takes_names_and_selections_along():
    crop = Step("crop", "", Mask.empty((H, 50)), Mask.empty((H, 50)),
                frame={"frame": "crop", "box": (0, 0, 50, H)})  # fmt: skip
    after = After(Drawn(), crop)
    assert names(after) == ["table", "ball", "dot"]
    assert after.image.shape == (H, 50, 3)
    assert after.selection(BLUE) is None
    assert after.selection(RED).box == RED.box


def test_the_second_clause_looks_at_the_first_ones_result(editor, coffee):
    plan = editor.plan(coffee, "remove the cup, then make the table red")
    alone = editor.plan(coffee, "make the table red")
    grown = masks.minus(plan.steps[1].target, alone.steps[0].target)
    assert grown.area > 0.05 * PARTS["cup"].area
    assert masks.minus(grown, PARTS["cup"]).area == 0
    with pytest.raises(Refusal, match="left after the earlier steps"):
        editor.plan(coffee, "remove the spoon and then blur the cutlery")
    with pytest.raises(Refusal, match="left after the earlier steps"):
        editor.plan(coffee, "remove the cup and then make the handle red")


def test_of_two_eyes_one_is_left_after_the_other_is_removed(editor):
    cat = editor.look(CAT.path)
    with pytest.raises(Refusal, match="There are 2"):
        editor.plan(cat, "make the eye blue")
    plan = editor.plan(cat, "remove the left eye and make the eye blue")
    eyes = [region.mask for region in CAT.regions() if region.label == "eye"]
    right = max(eyes, key=lambda eye: eye.box[0])
    assert np.array_equal(plan.steps[1].target.full(), right.full())
    with pytest.raises(Refusal, match="There are 2"):
        plan.switch_step(0, on=False)


def test_a_colour_that_a_thing_will_have_can_be_spoken_of(editor):
    cat = editor.look(CAT.path)
    text = "make the left eye purple and then blur the purple eye"
    first, second = editor.plan(cat, text).steps
    assert np.array_equal(second.target.full(), first.target.full())
    assert isinstance(
        Words().find(cat.seen, editor.plan(cat, text).command.ops[1].target), NotFound
    )


def test_it_is_what_an_earlier_clause_was_about(editor, coffee):
    red, gone = editor.plan(coffee, "make the cup red, then remove it").steps
    assert (red.op, gone.op) == ("modify", "remove")
    assert np.array_equal(gone.target.full(), red.target.full())
    copied, *both = editor.plan(coffee, "duplicate the spoon and make both red").steps
    assert copied.op == "duplicate"
    assert sum(step.target.area for step in both) == 2 * PARTS["spoon"].area


def test_after_a_crop_the_background_is_that_of_what_is_left(editor):
    cat = editor.look(CAT.path)
    crop, blur = editor.plan(cat, "crop to the cat and blur the background").steps
    x0, y0, x1, y1 = crop.frame["box"]
    body = next(region.mask for region in CAT.regions() if region.label == "cat")
    assert (x0, y0, x1, y1) == body.box
    assert blur.target.shape == (y1 - y0, x1 - x0)
    rest = masks.intersection(blur.target, Mask.of(body.full()[y0:y1, x0:x1])).area
    assert rest == 0
    assert blur.target.area > 0


def test_what_is_pasted_is_found_where_it_lands_and_goes_again(editor, coffee):
    rocket = EXAMPLES["rocket"].path
    text = "remove the spoon, put the rocket from image B on the table and make it blue"
    _, pasted, blue = editor.plan(coffee, text, reference=rocket).steps
    assert np.array_equal(blue.target.full(), pasted.target.full())
    with pytest.raises(Refusal, match="left after the earlier steps"):
        editor.plan(coffee, "remove the cup and put the rocket from image B on the cup",
                    reference=rocket)  # fmt: skip


def test_a_plan_says_what_where_how_much_and_with_which_seed(editor, coffee):
    text = "make the saucer teal and blur the spoon"
    told = json.loads(json.dumps(editor.plan(coffee, text, seed=3).to_dict()))
    assert [op["op"] for op in told["ops"]] == ["modify", "filter"]
    first, second = told["steps"]
    assert (first["where"], first["prompt"], first["clause"]) == ("the saucer", "teal", 0)
    assert (second["where"], second["prompt"], second["clause"]) == ("the spoon", "", 1)
    assert first["mask"] == {"box": list(PARTS["saucer"].box), "pixels": PARTS["saucer"].area}
    assert first["strength"] == 1.0 and [s["seed"] for s in told["steps"]] == [3, 4]


def test_a_step_is_changed_before_it_runs_and_the_plan_stays_as_it_was(editor, coffee):
    plan = editor.plan(coffee, "make the saucer teal and blur the spoon")
    other = plan.change(0, prompt="red", strength=0.4).change(1, mask=PARTS["cup"].full(), seed=9)
    assert (other.steps[0].prompt, other.steps[0].strength) == ("red", 0.4)
    assert other.steps[0].params["color"] == (255, 0, 0)
    assert np.array_equal(other.steps[1].target.full(), PARTS["cup"].full())
    assert other.steps[1].seed == 9
    assert plan.steps[0].prompt == "teal" and plan.steps[1].seed == 1
    off = other.switch_step(0, on=False)
    assert [s.on for s in off.steps] == [False, True] and off.steps[1].seed == 9


def test_a_changed_plan_replays_to_the_same_bytes(editor, coffee):
    plan = editor.plan(coffee, "make the saucer teal and pixelate the spoon")
    changed = plan.change(0, strength=0.5).change(1, mask=PARTS["handle"], feather_px=3)
    result = changed.apply()
    recipe = Recipe.from_json(result.recipe.to_json())
    again = editor.replay(recipe, COFFEE.path)
    assert again.picture.encode(".png") == result.picture.encode(".png")
    assert again.picture.digest() != plan.apply().picture.digest()
    touched = (result.image != coffee.picture.rgb()).any(2)
    assert not (touched & ~result.mask).any()


def test_steps_change_places_with_all_that_was_set(editor, coffee):
    plan = editor.plan(coffee, "make the saucer teal, brighten the cup and pixelate the spoon")
    changed = plan.change(0, strength=0.5).switch_step(1, on=False)
    other = changed.move(2, 0)
    assert [s.where for s in other.steps] == ["the spoon", "the saucer", "the cup"]
    assert [s.on for s in other.steps] == [True, True, False]
    assert other.steps[1].strength == 0.5
    assert other.edit.order == (2, 0, 1)
    result = other.apply()
    recipe = Recipe.from_json(result.recipe.to_json())
    assert editor.replay(recipe, COFFEE.path).picture.digest() == result.picture.digest()
    back = other.move(0, 2)
    assert back.edit.order == () and back.edit.off == (1,)
    assert back.apply().picture.digest() == changed.apply().picture.digest()


def test_the_order_decides_what_the_words_mean(editor):
    looked = editor.look(CAT.path)
    plan = editor.plan(looked, "remove the left eye and make the eye blue")
    assert plan.steps[1].on
    with pytest.raises(Refusal, match="2"):
        plan.move(1, 0)


def test_one_step_alone(editor, coffee):
    plan = editor.plan(coffee, "make the saucer teal, brighten the cup and pixelate the spoon")
    alone = plan.only(1)
    assert [s.on for s in alone.steps] == [False, True, False]
    direct = editor.plan(coffee, "brighten the cup").apply()
    assert np.array_equal(alone.apply().image, direct.image)
    for wrong in (lambda: plan.only(3), lambda: plan.move(0, 3), lambda: plan.move(-1, 0)):
        with pytest.raises(InputError, match="no step number"):
            wrong()


def test_a_recipe_with_an_impossible_order_is_one_sentence(editor, coffee):
    edit = editor.plan(coffee, "remove the spoon and blur the cup").edit
    with pytest.raises(InputError, match="each of the command's 2 clauses once"):
        editor.plan_edit(coffee, replace(edit, order=(0, 0)))


def test_copies_share_their_mask_and_have_seeds_of_their_own(editor, coffee):
    plan = editor.plan(coffee, "make 2 copies of it", selection=PARTS["spoon"].full())
    changed = plan.change(1, mask=PARTS["handle"], seed=77)
    assert [s.seed for s in changed.steps] == [plan.steps[0].seed, 77]
    assert all(s.target.area == PARTS["handle"].area for s in changed.steps)


@pytest.mark.parametrize(
    ("number", "settings", "words"),
    [
        (5, {"seed": 1}, "no step number 5"),
        (0, {"promt": "red"}, "Did you mean prompt"),
        (0, {"prompt": " "}, "in words"),
        (1, {"prompt": "red"}, "no prompt"),
        (0, {"strength": 0.5}, "no strength"),
        (1, {"strength": 2}, "0.01 to 1"),
        (1, {"seed": -1}, "whole number"),
        (1, {"seed": True}, "whole number"),
        (1, {"feather_px": "soft"}, "feather_px"),
        (1, {"mask": np.zeros((400, 600), bool)}, "no pixel"),
        (1, {"mask": np.ones((4, 4), bool)}, "4x4 pixels but the picture is 600x400"),
        (1, {"mask": "left"}, "bool array"),
    ],
)
def test_what_cannot_be_changed_is_one_sentence(editor, coffee, number, settings, words):
    plan = editor.plan(coffee, "remove the spoon and blur the cup")
    with pytest.raises(InputError, match=words) as caught:
        plan.change(number, **settings)
    assert "\n" not in str(caught.value)


def test_a_selection_goes_along(editor, coffee):
    spot = Selection(mask=PARTS["spoon"])
    plan = editor.plan(coffee, "move it up by 40 pixels and blur the selection", selection=spot)
    x0, y0, x1, y1 = PARTS["spoon"].box
    assert plan.steps[1].target.box == (x0, y0 - 40, x1, y1 - 40)
