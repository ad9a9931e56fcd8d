"""The names of a photo's parts hold as long as the parts are where they were."""

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.errors import Refusal
from editanything.examples import EXAMPLES
from editanything.image import Picture
from editanything.known import known_regions
from editanything.masks import grow
from editanything.recipe import Edit, Recipe
from editanything.types import Mask, Point, Region, Selection

# Of diffusers' schedulers, which hand tensors to numpy 2's np.array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def editor():
    return Editor.from_preset()


def names(picture):
    return [region.label for region in known_regions(picture)]


def test_an_example_knows_its_parts_and_other_pictures_none():
    assert names(Picture.open(EXAMPLES["coffee"].path)) == list(EXAMPLES["coffee"].labels)
    assert not names(Picture.open(np.zeros((40, 60, 3), np.uint8)))


def test_edits_by_name_can_follow_each_other_also_through_a_file(editor, tmp_path):
    first = editor.edit(EXAMPLES["coffee"].path, "make the saucer teal")
    assert "spoon" in names(first.picture)
    first.save(tmp_path / "first.png")
    through_file = editor.edit(tmp_path / "first.png", "brighten the spoon")
    direct = editor.edit(first.picture, "brighten the spoon")
    assert through_file.picture.digest() == direct.picture.digest()
    again = editor.replay(direct.recipe, EXAMPLES["coffee"].path)
    assert again.picture.digest() == direct.picture.digest()


def outline(picture, label):
    (mask,) = (r.mask for r in known_regions(picture) if r.label == label)
    return mask


COFFEE = set(EXAMPLES["coffee"].labels)
CUP = {"cup", "coffee", "handle", "rim"}


@pytest.mark.parametrize(
    ("text", "gone", "new"),
    [
        ("blur the background", set(), set()),
        ("remove the spoon", {"spoon"}, set()),
        ("flip the spoon", set(), set()),
        ("make the picture 50% larger", set(), set()),
        ("flip the picture", set(), set()),
        ("remove the cup", CUP, set()),
        ("replace the cup with an apple", CUP, {"apple"}),
        ("turn the cup into a small red apple", CUP, {"apple"}),
        ("replace the handle with a ring", {"handle"}, {"ring"}),
        ("add a ball on the left", set(), {"ball"}),
        ("replace the background with white", set(), set()),
        ("replace everything except the cup with white", set(), set()),
    ],
)
def test_names_go_along_with_what_bears_them(editor, text, gone, new):
    result = editor.edit(EXAMPLES["coffee"].path, text)
    assert COFFEE - set(names(result.picture)) == gone
    assert set(names(result.picture)) - COFFEE == new


def test_a_name_means_where_the_thing_is_now(editor):
    before = Picture.open(EXAMPLES["coffee"].path)
    moved = editor.edit(before, "move the spoon 40 px to the left").picture
    assert outline(moved, "spoon").box[0] == outline(before, "spoon").box[0] - 40
    flipped = editor.edit(before, "flip the picture").picture
    there = outline(before, "cup").full()[:, ::-1]
    np.testing.assert_array_equal(outline(flipped, "cup").full(), there)
    cropped = editor.edit(before, "crop to the cup").picture
    assert outline(cropped, "cup").area == outline(before, "cup").area


def test_what_was_drawn_is_known_by_its_own_outline(editor):
    photo = np.full((200, 300, 3), (90, 120, 90), np.uint8)
    first = editor.edit(photo, "add a red apple").picture
    apple = outline(first, "apple")
    assert 0.4 < apple.area / (np.diff(apple.box[::2])[0] * np.diff(apple.box[1::2])[0]) < 0.95
    inside = first.samples[apple.full()].mean(0)
    assert inside[0] > 1.3 * inside[2], "it is red"
    second = editor.edit(first, "make the apple green")
    green = second.picture.samples[apple.full()].mean(0)
    assert green[1] > green[0]
    beyond = ~second.mask
    np.testing.assert_array_equal(second.picture.samples[beyond], first.samples[beyond])
    third = editor.edit(second.picture, "remove the apple").picture
    assert np.abs(third.samples.astype(int) - photo).max() < 60
    assert not names(third)
    with pytest.raises(Refusal, match="cannot find “the dog”"):
        editor.plan(first, "remove the dog")


def test_one_command_may_draw_a_thing_and_change_just_that(editor):
    photo = np.full((200, 300, 3), (90, 120, 90), np.uint8)
    drawn = editor.edit(photo, "add a red apple", seed=3)
    both = editor.edit(photo, "add a red apple and make the apple blue", seed=3)
    apple = outline(drawn.picture, "apple")
    assert outline(both.picture, "apple").area == apple.area
    differs = (both.picture.samples != drawn.picture.samples).any(axis=2)
    assert differs[apple.full()].mean() > 0.9
    rim = grow(apple, 3)
    assert not (differs & ~rim.full()).any()


def test_a_thing_taken_from_another_picture_bears_the_name_it_was_called_by(editor):
    photo = np.full((200, 300, 3), (90, 120, 90), np.uint8)
    result = editor.edit(
        photo, "add the spoon from image B", reference=EXAMPLES["coffee"].path
    ).picture
    assert names(result) == ["spoon"]
    spoon = outline(result, "spoon")
    outside = ~grow(spoon, 12).full()
    assert (np.abs(result.samples[outside].astype(int) - photo[outside]) < 60).all()


def test_words_for_a_thing_that_was_replaced_do_not_mean_its_successor(editor):
    picture = editor.edit(EXAMPLES["coffee"].path, "replace the cup with an apple").picture
    with pytest.raises(Refusal, match="cup"):
        editor.plan(picture, "make the cup green")
    assert editor.plan(picture, "make the spoon green").steps
    assert editor.plan(picture, "make the apple green").steps


def test_copies_are_asked_after_like_any_two_of_a_kind(editor):
    picture = editor.edit(EXAMPLES["coffee"].path, "duplicate the spoon").picture
    assert names(picture).count("spoon") == 2
    with pytest.raises(Refusal, match="There are 2"):
        editor.plan(picture, "make the spoon red")
    assert editor.plan(picture, "make the left spoon red").steps


def test_a_thing_that_was_pointed_at_and_removed_loses_its_name(editor):
    spoon = next(r for r in EXAMPLES["coffee"].regions() if r.label == "spoon")
    inside = np.argwhere(spoon.mask.full())
    y, x = inside[len(inside) // 2]
    for selection in (
        Selection(points=(Point(float(x), float(y)),)),
        Selection(mask=spoon.mask),
    ):
        result = editor.edit(EXAMPLES["coffee"].path, "remove it", selection=selection)
        assert "spoon" not in names(result.picture)
        assert "table" in names(result.picture)


def test_a_recipe_that_does_not_belong_to_the_picture_tells_nothing(editor):
    edited = editor.edit(EXAMPLES["coffee"].path, "make the saucer teal").picture
    samples = edited.samples.copy()
    samples[0, 0] ^= 1
    assert not names(edited.with_samples(samples, recipe=edited.recipe))
    assert not names(edited.with_samples(edited.samples.copy(), recipe="no recipe"))


def test_names_of_another_size_are_left_out():
    bare = Picture.open(np.zeros((4, 6, 3), np.uint8))
    small = Region(1, Mask.everything((2, 2)), "cup")
    right = Region(2, Mask.everything((4, 6)), "table")
    recipe = Recipe("0" * 64, (6, 4), (Edit("flip it"),), bare.digest(), names=(small, right))
    picture = bare.with_samples(bare.samples.copy(), recipe=recipe.to_json())
    assert names(picture) == ["table"]


def test_a_copy_that_is_switched_off_leaves_no_name(editor):
    plan = editor.plan(EXAMPLES["coffee"].path, "make 2 copies of the handle and remove the spoon")
    assert [step.op for step in plan.steps] == ["duplicate", "duplicate", "remove"]
    labels = names(plan.switch_step(1, on=False).apply().picture)
    assert labels.count("handle") == 2
    assert "spoon" not in labels
    assert "cup" in labels
