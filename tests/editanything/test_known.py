"""The names of a photo's parts hold as long as the parts are where they were."""

import numpy as np
import pytest

from editanything.editor import Editor
from editanything.errors import Refusal
from editanything.examples import EXAMPLES
from editanything.image import Picture
from editanything.known import known_regions
from editanything.recipe import Edit, Recipe
from editanything.types import Point, Selection


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


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("blur the background", set()),
        ("remove the spoon", {"spoon"}),
        ("flip the spoon", {"spoon"}),
        ("make the picture 50% larger", set(EXAMPLES["coffee"].labels)),
        ("flip the picture", set(EXAMPLES["coffee"].labels)),
    ],
)
def test_what_leaves_its_place_loses_its_name(editor, text, gone):
    result = editor.edit(EXAMPLES["coffee"].path, text)
    assert set(EXAMPLES["coffee"].labels) - set(names(result.picture)) == gone


def coffee_after(text, **more):
    """A coffee picture whose recipe says so; its pixels say nothing of it."""
    source = Picture.open(EXAMPLES["coffee"].path)
    samples = source.samples.copy()
    samples[0, 0] ^= 1
    bare = source.with_samples(samples)
    recipe = Recipe(source.digest(), (600, 400), (Edit(text, **more),), bare.digest())
    return bare.with_samples(samples, recipe=recipe.to_json())


CUP = {"cup", "coffee", "handle", "rim"}


@pytest.mark.parametrize(
    ("text", "more", "gone"),
    [
        ("replace the cup with an apple", {}, CUP),
        ("turn the cup into an apple", {}, CUP),
        ("replace the cup with image B", {"reference": "0" * 64}, CUP),
        ("remove the cup", {}, CUP),
        ("replace the handle with a ring", {}, {"handle"}),
        ("replace it with a ball", {"selection": Selection(points=(Point(270, 60),))}, CUP),
        ("replace the background with white", {}, set()),
        ("replace the background with image B", {"reference": "0" * 64}, set()),
        ("put the hat of image B on the cup", {"reference": "0" * 64}, set()),
        ("replace everything except the cup with white", {}, set()),
    ],
)
def test_what_gave_way_to_another_thing_loses_its_name(text, more, gone):
    assert set(EXAMPLES["coffee"].labels) - set(names(coffee_after(text, **more))) == gone


def test_words_for_a_thing_that_was_replaced_do_not_mean_its_successor(editor):
    picture = coffee_after("replace the cup with an apple")
    with pytest.raises(Refusal, match="cup"):
        editor.plan(picture, "make the cup green")
    assert editor.plan(picture, "make the spoon green").steps


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


def test_a_copy_that_is_switched_off_does_not_count_as_the_next_operation():
    plan = Editor.from_preset().plan(
        EXAMPLES["coffee"].path, "make 2 copies of the handle and remove the spoon"
    )
    assert [step.op for step in plan.steps] == ["duplicate", "duplicate", "remove"]
    result = plan.switch_step(1, on=False).apply()
    labels = {region.label for region in known_regions(result.picture)}
    assert "spoon" not in labels
    assert "cup" in labels
